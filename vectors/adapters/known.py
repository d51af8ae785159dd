#!/usr/bin/env python3
"""Writes a list of known failures from a report and the rules that explain it: known.py REPORT.json RULES > LIST

A rule is a line of three fields with a tab between: a glob over the id, a regular expression for what failed (searched for in the
report's words), and the reason. The first that fits counts. A failure that no rule explains is printed and the exit status is 1; so
is a rule that explains nothing. What fails sometimes, by a race that is the stack's own, has a reason that begins with "sometimes: ": it
is no entry of the list, which is strict.
"""
import fnmatch
import json
import re
import sys

Rule = tuple[str, "re.Pattern[str]", str]


def read_rules(path: str) -> list[Rule]:
    rules = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 3 or not fields[2]:
                sys.exit(f"{path}:{number}: three fields with a tab between are wanted: ID-GLOB, WHAT FAILED, REASON")
            rules.append((fields[0], re.compile(fields[1]), fields[2]))
    return rules


def main() -> int:
    report, rules_path = sys.argv[1:3]
    rules = read_rules(rules_path)
    used: set[int] = set()
    status = 0
    with open(report, encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    print(f"# Known failures: id, reason. Made by known.py from a run and {rules_path.rsplit('/', 1)[-1]}; strict.")
    for case in sorted(cases, key=lambda c: c["id"]):
        if case["verdict"] not in ("fail", "dead", "known"):
            continue
        for index, (glob, what, reason) in enumerate(rules):
            if fnmatch.fnmatchcase(case["id"], glob) and what.search(case["reason"]):
                used.add(index)
                if not reason.startswith("sometimes: "):
                    print(case["id"], reason)
                break
        else:
            status = 1
            print(f"not explained: {case['id']}: {case['reason']}", file=sys.stderr)
    for index, (glob, what, reason) in enumerate(rules):
        if index not in used:
            status = 1
            print(f"explains nothing: {glob} {what.pattern}: {reason}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
