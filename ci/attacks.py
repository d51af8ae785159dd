#!/usr/bin/env python3
"""What shows that weir does not fall to which attack: vectors/attacks/attacks.tsv against vectors and tests.

    ci/attacks.py            by class: shown, tested, cannot apply, open; then what is open, with what is missing
    ci/attacks.py --check    the last line only

Each row of the table, and each immunity vector V01 to V46 that a row names, needs a line of dispositions.tsv, which
vectors/attacks/README.md explains; and each immunity vector that is shown or tested a fault in faults.tsv, which ci/attack-plant plants.
SECURITY.md names tests: they must be there too. Faults name file and line. Exit 0: none; 1: faults; 2: the call is wrong.
"""
import argparse
import collections
import dataclasses
import json
import pathlib
import re
import sys

TABLE = ["id", "year", "class", "stacks", "root_cause", "immunity_test", "evidence"]
COLUMNS = ["id", "disposition", "evidence", "reason"]
PLANTED = ["id", "file", "old", "new", "seen by", "what"]
DISPOSITIONS = ("shown", "tested", "cannot apply", "open")
IMMUNITY = [f"V{n:02}" for n in range(1, 47)]
PLACES = ("tests/", "fuzz/", "ci/", "vectors/")
REASON_MIN = 10  # characters: less explains nothing


@dataclasses.dataclass
class Row:
    """An attack of the table, or an immunity vector."""
    id: str
    kind: str
    where: str
    disposition: str = ""
    reason: str = ""
    evidence: tuple[str, ...] = ()


class Attacks:
    def __init__(self, top: pathlib.Path) -> None:
        self.top = top
        self.rows: dict[str, Row] = {}
        self.vectors: set[str] = set()
        self.faults: list[str] = []

    def fault(self, where: str, text: str) -> None:
        self.faults.append(f"{where}: {text}")

    def table(self, name: str, columns: list[str]) -> list[tuple[str, list[str]]]:
        """The lines of a table below its head, each with its place; those of another width are faults."""
        path, found = self.top / "vectors/attacks" / name, []
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            self.fault(f"vectors/attacks/{name}", f"cannot be read: {error}")
            return []
        if not lines or lines[0].split("\t") != columns:
            self.fault(f"vectors/attacks/{name}:1", f"the head is not {', '.join(columns)}")
        for number, line in enumerate(lines[1:], 2):
            cells, where = line.split("\t"), f"vectors/attacks/{name}:{number}"
            if len(cells) == len(columns) and cells[0]:
                found.append((where, cells))
            else:
                self.fault(where, f"{len(cells)} fields and not {len(columns)}, or no id")
        return found

    def read_rows(self) -> None:
        self.rows = {name: Row(name, "V", "vectors/attacks/attacks.tsv") for name in IMMUNITY}
        named = set()
        for where, cells in self.table("attacks.tsv", TABLE):
            match = re.match(r"\[(V\d\d) ", cells[5])
            if cells[0] in self.rows:
                self.fault(where, f"{cells[0]} is there twice")
            elif not match or match[1] not in IMMUNITY:
                self.fault(where, f"{cells[0]} names no immunity vector")
            else:
                named.add(match[1])
                self.rows[cells[0]] = Row(cells[0], cells[2], where)
        for name in sorted(set(IMMUNITY) - named):
            self.fault("vectors/attacks/attacks.tsv", f"no row names {name}")

    def read_vectors(self) -> None:
        scenarios = self.top / "vectors/scenario"
        self.vectors = {path.relative_to(scenarios).with_suffix("").as_posix() for path in scenarios.glob("**/*.pkt")}
        for path in sorted(self.top.glob("vectors/segment/*.json")) + sorted(self.top.glob("vectors/function/*.json")):
            if path.name != "schema.json":
                self.vectors |= {vector["id"] for vector in json.loads(path.read_text(encoding="utf-8"))["vectors"]}
        for vector in list(self.vectors):  # a folder stands for all that is in it
            parts = vector.split("/")
            self.vectors |= {"/".join(parts[:n]) for n in range(1, len(parts))}

    def read_dispositions(self) -> None:
        for where, (name, disposition, evidence, reason) in self.table("dispositions.tsv", COLUMNS):
            row = self.rows.get(name)
            if row is None:
                self.fault(where, f"{name} is no row of attacks.tsv")
            elif row.disposition:
                self.fault(where, f"{name} has a disposition already")
            elif disposition not in DISPOSITIONS:
                self.fault(where, f"{name}: '{disposition}' is none of {', '.join(DISPOSITIONS)}")
            else:
                row.disposition, row.reason, row.evidence = disposition, reason, tuple(evidence.split())
                self.judge(where, row, evidence.split())
        for row in self.rows.values():
            if not row.disposition:
                self.fault(row.where, f"{row.id} has no disposition")

    def judge(self, where: str, row: Row, evidence: list[str]) -> None:
        vectors = [one for one in evidence if not one.startswith(PLACES)]
        if row.disposition in ("cannot apply", "open"):
            if evidence or len(row.reason) < REASON_MIN:
                self.fault(where, f"{row.id}: '{row.disposition}' has a reason and no evidence")
        elif not evidence or (row.disposition == "shown" and not vectors):
            self.fault(where, f"{row.id}: nothing {'shows' if row.disposition == 'shown' else 'tests'} it")
        for one in evidence:
            if one in vectors and one not in self.vectors:
                self.fault(where, f"{row.id}: there is no vector {one}")
            elif one not in vectors and not self.exists(one):
                self.fault(where, f"{row.id}: there is no {one}")

    def read_planted(self) -> None:
        """What ci/attack-plant takes away is there to be taken away, and is seen by what is named as evidence."""
        planted = set()
        for where, (name, file, old, new, gates, _) in self.table("faults.tsv", PLANTED):
            row, path = self.rows.get(name), self.top / file
            planted.add(name)
            if name not in IMMUNITY or row is None:
                self.fault(where, f"{name} is no immunity vector")
            elif not path.is_file() or old.replace("\\n", "\n") not in path.read_text(encoding="utf-8") or old == new:
                self.fault(where, f"{name}: what it changes is not in {file}")
            elif not gates or (row.evidence and set(gates.split()) - set(row.evidence)):
                self.fault(where, f"{name}: seen by what is not among its evidence")
        for name in IMMUNITY:
            if self.rows[name].disposition in ("shown", "tested") and name not in planted:
                self.fault("vectors/attacks/faults.tsv", f"{name} has no fault that it must see")

    def read_promises(self) -> None:
        """SECURITY.md: every test, program and vector that it names in backquotes is there."""
        path = self.top / "SECURITY.md"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for number, line in enumerate(lines, 1):
            for one in re.findall(r"`((?:tests|fuzz|ci|vectors|attack|blind|function|icmp)/[^`\s]*)`", line):
                if one not in self.vectors and not self.exists(one) and not (self.top / one).is_dir():
                    self.fault(f"SECURITY.md:{number}", f"there is no {one}")

    def exists(self, evidence: str) -> bool:
        name, _, function = evidence.partition(":")
        path = self.top / name
        if not path.is_file():
            return False
        return not function or re.search(rf"cmocka_unit_test\w*\({re.escape(function)}\b", path.read_text(encoding="utf-8")) is not None


def figures(rows: list[Row]) -> str:
    counts = collections.Counter(row.disposition for row in rows)
    return ", ".join(f"{counts[name]} {name}" for name in DISPOSITIONS)


def answered(rows: list[Row]) -> str:
    """How many of them have evidence or a reason."""
    return f"{sum(row.disposition in DISPOSITIONS[:3] for row in rows)}/{len(rows)}"


def report(a: Attacks) -> None:
    kinds = sorted({row.kind for row in a.rows.values()})
    for kind in kinds:
        rows = [row for row in a.rows.values() if row.kind == kind]
        print(f"{kind:14} {len(rows):4}: {figures(rows)}")
    for row in a.rows.values():
        if row.disposition == "open":
            print(f"open: {row.id}: {row.reason}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="print faults and the last line only")
    parser.add_argument("--top", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent,
                        help="the tree (default: this one)")
    options = parser.parse_args()
    a = Attacks(options.top)
    a.read_rows()
    a.read_vectors()
    a.read_dispositions()
    a.read_planted()
    a.read_promises()
    if not options.check:
        report(a)
    for fault in a.faults:
        print(f"fault: {fault}")
    attacks, immunity = ([row for row in a.rows.values() if (row.kind == "V") == which] for which in (False, True))
    print(f"attacks: {answered(attacks)} rows: {figures(attacks)}; {answered(immunity)} immunity vectors: {figures(immunity)}; "
          f"{len(a.faults)} faults")
    return 1 if a.faults else 0


if __name__ == "__main__":
    sys.exit(main())
