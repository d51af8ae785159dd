#!/bin/sh
# exec.sh - weir behind the line protocol gives the verdicts that weir gives in the runner's own process.
# usage: exec.sh WEIR-VECTORS ADAPTER-WEIR [OPTION]...
set -eu
runner=$1
adapter=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$runner" --kind scenario --json "$work/inside.json" "$@" >/dev/null || test $? -eq 1
"$runner" --kind scenario --target "exec:$adapter" --json "$work/outside.json" "$@" >/dev/null || test $? -eq 1
python3 - "$work/inside.json" "$work/outside.json" <<'END'
import json
import sys

inside, outside = ({c["id"]: c for c in json.load(open(path, encoding="utf-8"))["cases"]} for path in sys.argv[1:3])
fields = ("verdict", "strict", "semantic", "reason", "taste", "rows_fired", "virtual_us", "packets_in", "packets_out", "calls")
compared, different = 0, 0
for name, case in inside.items():
    other = outside[name]
    if other["verdict"] == "unsupported" and case["verdict"] != "unsupported":
        if "connection" in other["reason"]:  # a bare connection: the adapter has the stack only
            continue
    compared += 1
    if any(case[f] != other[f] for f in fields):
        different += 1
        print(name, *(f"{f}: {case[f]!r} inside, {other[f]!r} outside;" for f in fields if case[f] != other[f]))
print(f"{compared} scenarios compared, {different} differ")
sys.exit(different != 0 or compared < 1000)
END
