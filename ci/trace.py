#!/usr/bin/env python3
"""Which requirement of which RFC is shown by what: vectors/requirements against vectors, tests and code.

    ci/trace.py                      the matrix: RFC and level; shown, reasoned, open
    ci/trace.py --gate               the same, and an open row or a row of rows.h that no vector names is a fault
    ci/trace.py --results FILE       only vectors that passed count; FILE is from weir-vectors --json
    ci/trace.py --open --only 9293   the open rows, of one RFC

A row is shown when a vector's `covers` names it (and the vector passed). Otherwise it needs a line in dispositions.tsv, which
vectors/requirements/README.md explains. Faults name file and line. Exit 0: none; 1: faults; 2: the call is wrong.
"""
import argparse
import collections
import dataclasses
import html
import json
import os
import pathlib
import re
import sys
import typing

LEVELS = {"MUST": "MUST", "MUST NOT": "MUST", "REQUIRED": "MUST", "SHOULD": "SHOULD", "SHOULD NOT": "SHOULD",
          "RECOMMENDED": "SHOULD", "NOT RECOMMENDED": "SHOULD", "MAY": "MAY", "PROC": "PROC"}
CLASSES = ("MUST", "SHOULD", "MAY", "PROC")
SCOPES = {"wire", "api", "host"}
LACKING = "not imple" "mented"  # in two pieces, or ci/tidy.py would take it for something left behind
DISPOSITIONS = ("test", "not applicable", LACKING)
STATUSES = ("shown", *DISPOSITIONS, "open")
COLUMNS = ["id", "level", "section", "paraphrase", "scope", "source"]
STATES = {"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",
          "LAST-ACK", "TIME-WAIT"}
CODE = ("lib", "include", "tests")
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
REASON_MIN = 10  # characters: less explains nothing
CITED_MAX = 12  # rows: a section with more is cited in earnest only with its step
ID = re.compile(r"\b(?:(?:MUST|SHLD|MAY|REC)-\d+|RFC\d+-[A-Z]?[\d.]*(?:-\d+)?-\d+)\b")
CITATION = re.compile(r"\bRFC (\d{3,5}) ((?:[A-Z]|\d+)(?:\.\d+)*(?:(?:, | and )\d+(?:\.\d+)+)*)(?: (" + "|".join(ORDINALS) + r")\b)?")


@dataclasses.dataclass
class Row:
    """One requirement."""
    id: str
    level: str
    section: str
    text: str
    scope: str
    table: str  # the file's stem: rfc9293
    where: str
    vectors: list["Vector"] = dataclasses.field(default_factory=list)
    marks: list[str] = dataclasses.field(default_factory=list)      # file:line that names the id
    citations: list[str] = dataclasses.field(default_factory=list)  # file:line that names the section
    fsm: list[str] = dataclasses.field(default_factory=list)
    status: str = "open"
    evidence: str = ""
    reason: str = ""

    @property
    def rfc(self) -> str:
        return re.sub(r"\D.*", "", self.table[3:])


@dataclasses.dataclass
class Vector:
    id: str
    where: str
    covers: list[str]
    rows: list[str]
    family: str
    scenario: bool
    verdict: str = ""  # of --results


@dataclasses.dataclass
class FsmRow:
    id: str
    source: str
    where: str
    vectors: list[Vector] = dataclasses.field(default_factory=list)


class Trace:
    """All that is read, and what is wrong with it."""

    def __init__(self, top: pathlib.Path) -> None:
        self.top = top
        self.rows: dict[str, Row] = {}
        self.fsm: dict[str, FsmRow] = {}
        self.vectors: list[Vector] = []
        self.faults: list[str] = []
        self.warnings: list[str] = []

    def fault(self, where: str, text: str) -> None:
        self.faults.append(f"{where}: {text}")

    def lines(self, path: pathlib.Path) -> list[str]:
        """The lines of a file; none, and a fault, where it is no text."""
        try:
            return path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            self.fault(self.name(path), f"cannot be read: {error}")
            return []

    def name(self, path: pathlib.Path) -> str:
        return path.relative_to(self.top).as_posix()

    # ---- requirements and dispositions ----

    def read_tables(self) -> None:
        for path in sorted((self.top / "vectors/requirements").glob("rfc*.tsv")):
            lines = self.lines(path)
            if not lines or lines[0].split("\t") != COLUMNS:
                self.fault(f"{self.name(path)}:1", "the head is not " + ", ".join(COLUMNS))
                continue
            for number, line in enumerate(lines[1:], 2):
                self.read_row(path.stem, f"{self.name(path)}:{number}", line.split("\t"))
        if not self.rows:
            self.fault("vectors/requirements", "there is no requirement")

    def read_row(self, table: str, where: str, cells: list[str]) -> None:
        if len(cells) != len(COLUMNS) or not all(cells):
            self.fault(where, f"{len(cells)} cells, {cells.count('')} of them empty: {len(COLUMNS)} are wanted")
            return
        row = Row(cells[0], cells[1], cells[2], cells[3], cells[4], table, where)
        if not ID.fullmatch(row.id):
            self.fault(where, f"'{row.id}' has not the form of an id")
        elif row.id in self.rows:
            self.fault(where, f"{row.id} is also in {self.rows[row.id].where}")
        elif row.level not in LEVELS or row.scope not in SCOPES:
            self.fault(where, f"{row.id}: no such level or scope: {row.level}, {row.scope}")
        else:
            self.rows[row.id] = row

    def read_dispositions(self) -> None:
        path = self.top / "vectors/requirements/dispositions.tsv"
        seen: dict[str, str] = {}
        for number, line in enumerate(self.lines(path), 1):
            where, cells = f"{self.name(path)}:{number}", line.split("\t")
            if number == 1:
                if cells != ["id", "disposition", "evidence", "reason"]:
                    self.fault(where, "the head is not id, disposition, evidence, reason")
            elif len(cells) != 4:
                self.fault(where, f"{len(cells)} cells, 4 are wanted")
            elif cells[0] not in self.rows:
                self.fault(where, f"{cells[0]} is no requirement")
            elif cells[0] in seen:
                self.fault(where, f"{cells[0]} is also in line {seen[cells[0]].rpartition(':')[2]}")
            else:
                seen[cells[0]] = where
                self.read_disposition(where, *cells)

    def read_disposition(self, where: str, row_id: str, disposition: str, evidence: str, reason: str) -> None:
        row = self.rows[row_id]
        if disposition not in DISPOSITIONS:
            self.fault(where, f"{row_id}: '{disposition}' is none of: {', '.join(DISPOSITIONS)}")
            return
        if len(reason) < REASON_MIN:
            self.fault(where, f"{row_id}: the reason is missing or says nothing: '{reason}'")
        if (disposition == "test") != bool(evidence):
            self.fault(where, f"{row_id}: evidence belongs to 'test', and only to it")
        for one in evidence.split():
            self.check_evidence(where, row_id, one)
        # Octets and numbers are for every stack: they say nothing of one that does nothing with them.
        if row.status == "shown" and (disposition != LACKING or any(v.scenario for v in row.vectors)):
            self.warnings.append(f"{where}: {row_id} is shown by {row.vectors[0].id} as well: the line is redundant")
            return
        row.status, row.evidence, row.reason = disposition, evidence, reason

    def check_evidence(self, where: str, row_id: str, evidence: str) -> None:
        """A case of a test program, as it is registered; or a script by itself."""
        name, _, function = evidence.partition(":")
        path = self.top / name
        if not re.match(r"tests/[\w./-]+\.(?:c|sh)$", name) or not path.is_file():
            self.fault(where, f"{row_id}: the evidence {evidence} does not exist")
        elif name.endswith(".sh") != (not function):
            self.fault(where, f"{row_id}: the evidence is {name}:<function>, or a script without one")
        elif function and not re.search(rf"\bcmocka_unit_test\w*\({re.escape(function)}\b", "\n".join(self.lines(path))):
            self.fault(where, f"{row_id}: {name} registers no test {function}")

    # ---- vectors ----

    def read_scenarios(self) -> None:
        base = self.top / "vectors/scenario"
        for path in sorted(base.rglob("*.pkt")):
            head: dict[str, str] = {}
            for line in self.lines(path):
                key = re.match(r"// ([a-z]+): *(.*)", line)
                if not key:
                    break
                head[key[1]] = f"{head[key[1]]} {key[2]}" if key[1] in head else key[2]
            wanted = path.relative_to(base).with_suffix("").as_posix()
            if head.get("id") != wanted:
                self.fault(f"{self.name(path)}:1", f"the id is '{head.get('id', '')}', its place says {wanted}")
            self.vectors.append(Vector(wanted, f"{self.name(path)}:1", head.get("covers", "").split(), head.get("rows", "").split(),
                                       head.get("family", ""), True))

    def read_json(self) -> None:
        for kind in ("segment", "function"):
            for path in sorted((self.top / "vectors" / kind).rglob("*.json")):
                text = "\n".join(self.lines(path))
                try:
                    data = json.loads(text)
                except ValueError as error:
                    self.fault(self.name(path), f"no JSON: {error}")
                    continue
                places = {m[1]: text.count("\n", 0, m.start()) + 1 for m in re.finditer(r'"id": *"([^"]*)"', text)}
                if not path.name.endswith(".schema.json"):
                    self.walk(data, [], self.name(path), places)

    def walk(self, data: typing.Any, covers: list[str], name: str, places: dict[str, int]) -> None:
        """Objects with an id are vectors; `covers` of what stands around them is theirs where they have none."""
        if not isinstance(data, dict):
            return
        own = data.get("covers", covers)
        own = own.split() if isinstance(own, str) else own
        if isinstance(data.get("id"), str):
            self.vectors.append(Vector(data["id"], f"{name}:{places.get(data['id'], 1)}", own, [], data.get("family", ""), False))
        for value in data.values():
            for inner in value if isinstance(value, list) else ():
                self.walk(inner, own, name, places)

    def read_results(self, path: pathlib.Path) -> None:
        data = json.loads(path.read_text(encoding="utf-8"))
        cases = data.get("cases", data.get("vectors")) if isinstance(data, dict) else None
        if not isinstance(cases, list):
            raise ValueError("it has no list of cases")
        verdicts = {c["id"]: c["verdict"] for c in cases}
        for vector in self.vectors:
            vector.verdict = verdicts.get(vector.id, "not run")
            if vector.verdict not in ("pass", "unsupported") and (vector.covers or vector.rows):
                self.fault(vector.where, f"{vector.id} is relied on and did not pass: {vector.verdict}")

    def link_vectors(self, results: bool) -> None:
        for vector in self.vectors:
            counts = vector.verdict == "pass" if results else True
            for row_id in vector.covers:
                if row_id not in self.rows:
                    self.fault(vector.where, f"{vector.id} covers {row_id}, which is no requirement")
                elif counts:
                    self.rows[row_id].vectors.append(vector)
                    self.rows[row_id].status = "shown"
            for name in vector.rows:
                row_id, _, state = name.partition("@")
                if row_id not in self.fsm or (state and state not in STATES):
                    self.fault(vector.where, f"{vector.id} names the row {name}, which lib/conn/rows.h has not")
                elif counts:
                    self.fsm[row_id].vectors.append(vector)

    # ---- code ----

    def read_fsm(self) -> None:
        path = self.top / "lib/conn/rows.h"
        for number, line in enumerate(self.lines(path), 1):
            row = re.match(r'(?:ROW|CALL)\((\w+), .*"([^"]*)"\)$', line)
            if row:
                self.fsm[row[1]] = FsmRow(row[1], row[2], f"{self.name(path)}:{number}")
            elif re.match(r"(?:ROW|CALL)\(", line):
                self.fault(f"{self.name(path)}:{number}", "a row that cannot be read")

    def read_code(self) -> None:
        sections = collections.defaultdict(list)
        for row in self.rows.values():
            for section in re.findall(r"[A-Z\d][\d.]*", row.section):
                sections[row.rfc, section].append(row)
        for folder in CODE:
            for path in sorted((self.top / folder).rglob("*.[ch]")):
                for number, line in enumerate(self.lines(path), 1):
                    if "RFC" in line or "-" in line:
                        self.read_marks(f"{self.name(path)}:{number}", line, sections)
        for fsm in self.fsm.values():
            for row in cited(fsm.source, sections):
                row.fsm.append(fsm.id)

    def read_marks(self, where: str, line: str, sections: dict[tuple[str, str], list[Row]]) -> None:
        for row_id in dict.fromkeys(ID.findall(line)):
            if row_id in self.rows:
                self.rows[row_id].marks.append(where)
            else:
                self.fault(where, f"{row_id} is no requirement")
        for row in cited(line, sections):
            if where not in row.marks:
                row.citations.append(where)

    def gate(self, only: set[str]) -> None:
        for row in self.rows.values():
            if row.status == "open" and row.table in only:
                self.fault(row.where, f"{row.id} ({row.level}) is open: no vector shows it and no disposition explains it")
        for fsm in self.fsm.values():
            if not fsm.vectors:
                self.fault(fsm.where, f"no vector names the row {fsm.id}")


def cited(text: str, sections: dict[tuple[str, str], list[Row]]) -> list[Row]:
    """The rows of the sections that a comment or a table names: RFC 9293 3.10.7.4 fifth; RFC 6298 5.4 is in section 5."""
    found: dict[str, Row] = {}
    for rfc, places, ordinal in CITATION.findall(text):
        for place in re.split(r", | and ", places):
            parts = place.split(".")
            known = ((rfc, ".".join(parts[:n])) for n in range(len(parts), 0, -1))
            rows = next((sections[key] for key in known if key in sections), [])
            if ordinal:
                step = re.compile(rf"(?:\S+ )?[Ss]tep {ORDINALS.index(ordinal) + 1}\b")
                rows = [r for r in rows if step.match(r.text)] or [r for r in rows if "tep " not in r.text[:20]]
            rule = re.compile(rf"\bRules? {re.escape(place)}(?!\.?\d)")
            rows = [r for r in rows if rule.search(r.text)] or rows
            found.update((r.id, r) for r in rows if ordinal or len(rows) <= CITED_MAX)
    return list(found.values())


# ---- what is told ----

def table_key(table: str) -> tuple[int, str]:
    return int(re.sub(r"\D.*", "", table[3:])), table


def matrix(rows: list[Row]) -> list[list[str]]:
    """A line for each table: for each class of levels shown, reasoned, open."""
    tables: dict[str, list[Row]] = collections.defaultdict(list)
    for row in rows:
        tables[row.table].append(row)
    lines = [["", *(f"{c} shown reasoned open" for c in CLASSES)]]
    for table in [*sorted(tables, key=table_key), "all"]:
        mine = rows if table == "all" else tables[table]
        lines.append([table] + [counts([r for r in mine if LEVELS[r.level] == c]) for c in CLASSES])
    return lines


def counts(rows: list[Row]) -> str:
    kinds = collections.Counter(r.status for r in rows)
    reasoned = sum(kinds[d] for d in DISPOSITIONS)
    return f"{kinds['shown']:4} {reasoned:4} {kinds['open']:4}" if rows else ""


def summary(rows: list[Row]) -> str:
    kinds = collections.Counter(r.status for r in rows)
    return f"{len(rows)} requirements: " + ", ".join(f"{kinds[s]} {s}" for s in STATUSES)


def grouped(vectors: list[Vector]) -> list[tuple[str, list[Vector]]]:
    """Families as one."""
    groups: dict[str, list[Vector]] = collections.defaultdict(list)
    for vector in vectors:
        groups[vector.family or vector.id].append(vector)
    return list(groups.items())


def as_json(t: Trace, rows: list[Row]) -> dict[str, typing.Any]:
    return {
        "format": "weir-trace-1",
        "summary": collections.Counter(r.status for r in rows),
        "requirements": [{"id": r.id, "rfc": int(r.rfc), "table": r.table, "level": r.level, "section": r.section, "text": r.text,
                          "scope": r.scope, "where": r.where, "status": r.status, "evidence": r.evidence, "reason": r.reason,
                          "vectors": [v.id for v in r.vectors], "marks": r.marks, "citations": r.citations, "fsm": r.fsm}
                         for r in rows],
        "fsm": [{"id": f.id, "source": f.source, "where": f.where, "vectors": [v.id for v in f.vectors]} for f in t.fsm.values()],
        "faults": t.faults, "warnings": t.warnings,
    }


STYLE = """body{font:14px/1.4 system-ui,sans-serif;margin:1.5em;max-width:110em}table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #ddd;padding:.3em .5em;text-align:left;vertical-align:top}th{position:sticky;top:0;background:#fff}
.shown{background:#e7f6e7}.test{background:#eef4fb}.not-applicable{background:#f4f4f4}.not-implemented{background:#fdf3e0}
.open{background:#fbdcdc}code,.id{font:12px ui-monospace,monospace;white-space:nowrap}a{color:#235;text-decoration:none}
a:hover{text-decoration:underline}pre{font:12px ui-monospace,monospace}input,select{font:inherit;margin-right:1em}input{width:30em}"""
SCRIPT = """const q=document.getElementById('q'),s=document.getElementById('s'),n=document.getElementById('n');
const rows=[...document.querySelectorAll('tbody tr')];
function show(){let c=0;const words=q.value.toLowerCase().split(/\\s+/).filter(w=>w);
for(const r of rows){const t=r.dataset.t;const ok=(!s.value||r.dataset.s===s.value)&&words.every(w=>t.includes(w));
r.hidden=!ok;c+=ok}n.textContent=c+' of '+rows.length}
q.value=decodeURIComponent(location.hash.slice(1));q.oninput=s.onchange=show;show();"""


def as_html(t: Trace, rows: list[Row], path: pathlib.Path) -> str:
    base = os.path.relpath(t.top, path.resolve().parent)
    esc = html.escape

    def link(where: str, text: str = "") -> str:
        name, _, line = where.partition(":")
        return f'<a href="{esc(base)}/{esc(name)}#L{line}"><code>{esc(text or where)}</code></a>'

    def fold(items: list[str], most: int = 4) -> str:
        if len(items) <= most:
            return "<br>".join(items)
        rest = f"<details><summary>{len(items) - most} more</summary>" + "<br>".join(items[most:]) + "</details>"
        return "<br>".join(items[:most]) + rest

    def why(r: Row) -> str:
        groups = [link(v[0].where, name + (f" ({len(v)} vectors)" if len(v) > 1 else "")) for name, v in grouped(r.vectors)]
        evidence = [link(e) for e in r.evidence.split()]
        return fold(groups + evidence) + (f"<div>{esc(r.reason)}</div>" if r.reason else "")

    body = []
    for r in rows:
        search = esc(f"{r.id} {r.table} {r.level} {r.section} {r.text} {r.scope} {r.status} {r.reason} {' '.join(r.fsm)}".lower())
        cells = [f'<span class="id">{link(r.where, r.id)}</span>', f"{esc(r.table)} {esc(r.section)}", esc(r.level), esc(r.text),
                 f"<b>{r.status}</b>", why(r), fold([link(m) for m in r.marks + r.citations]),
                 fold([link(t.fsm[f].where, f) for f in r.fsm], 8)]
        head = f'<tr class="{r.status.replace(" ", "-")}" data-s="{r.status}" data-t="{search}">'
        body.append(head + "<td>" + "</td><td>".join(cells) + "</td></tr>")
    options = "".join(f"<option>{s}</option>" for s in STATUSES)
    faults = "".join(f"<li>{esc(f)}</li>" for f in t.faults)
    lines = esc(text_of(matrix(rows)))
    return f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>weir: requirements</title><style>{STYLE}</style>
<h1>Requirements, and what shows them</h1><p>{esc(summary(rows))}</p><details><summary>Matrix</summary><pre>{lines}</pre></details>
{f"<h2>Faults</h2><ul>{faults}</ul>" if faults else ""}
<p><input id="q" type="search" placeholder="words: an id, a section, MUST, a row such as A6"><select id="s"><option value="">all</option>
{options}</select><span id="n"></span></p><table><thead><tr><th>id<th>RFC<th>level<th>requirement<th>status<th>vectors, evidence, reason
<th>code and tests<th>rows.h</tr></thead><tbody>
{chr(10).join(body)}
</tbody></table><script>{SCRIPT}</script></html>
"""


def text_of(lines: list[list[str]]) -> str:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths))).rstrip()
                     for line in lines)


def choose(t: Trace, only: str | None) -> list[Row]:
    if only is None:
        return list(t.rows.values())
    rows = [r for r in t.rows.values() if only in (r.rfc, r.table, f"rfc{r.rfc}")]
    if not rows:
        raise ValueError(f"--only {only}: no such RFC in vectors/requirements")
    return rows


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--top", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent, help="the tree (for tests)")
    parser.add_argument("--results", type=pathlib.Path, metavar="FILE", help="what weir-vectors --json wrote")
    parser.add_argument("--only", metavar="RFC", help="9293, or the name of a table: rfc9293_events")
    parser.add_argument("--open", action="store_true", help="list the rows that are open")
    parser.add_argument("--gate", action="store_true", help="an open row is a fault, and a row of rows.h that no vector names")
    parser.add_argument("--html", type=pathlib.Path, metavar="FILE", help="for people: every row with its links, to be searched")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="for machines")
    return parser.parse_args()


def read(options: argparse.Namespace) -> tuple[Trace, list[Row]]:
    t = Trace(options.top.resolve())
    t.read_tables()
    t.read_fsm()
    t.read_scenarios()
    t.read_json()
    if options.results:
        t.read_results(options.results)
    t.link_vectors(bool(options.results))
    t.read_dispositions()
    t.read_code()
    rows = choose(t, options.only)
    if options.gate:
        t.gate({r.table for r in rows})
    return t, rows


def main() -> int:
    options = parse()
    try:
        t, rows = read(options)
        if options.html:
            options.html.write_text(as_html(t, rows, options.html), encoding="utf-8")
        if options.json:
            options.json.write_text(json.dumps(as_json(t, rows), indent=1) + "\n", encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"trace: {options.results or ''} {error}".replace("  ", " "), file=sys.stderr)
        return 2
    if options.open:
        for row in rows:
            if row.status == "open":
                print(f"{row.where}: {row.id} {row.level} {row.scope}: {row.text}")
    else:
        print(text_of(matrix(rows)))
    for warning in t.warnings:
        print(f"warning: {warning}")
    for fault in t.faults:
        print(f"fault: {fault}")
    print(f"trace: {summary(rows)}; {len(t.vectors)} vectors; {len(t.faults)} faults")
    return 1 if t.faults else 0


if __name__ == "__main__":
    sys.exit(main())
