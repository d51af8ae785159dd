#!/usr/bin/env python3
"""The state diagram of lib/conn/rows.h, for people: as text, or as DOT for graphviz.

    ci/diagram.py             transitions, one a line: from, to, event and condition, what is done, row, source
    ci/diagram.py dot         the same as a graph:  ci/diagram.py dot | dot -Tsvg > states.svg
    ci/diagram.py rows        every row, by stage, in words: also those that change no state

Reads rows.h and the names of state sets in fsm.c; knows nothing else. What it cannot read stops it: nothing is left out in silence.
"""
import re
import signal
import sys
from pathlib import Path

CONN = Path(__file__).resolve().parent.parent / "lib" / "conn"
STATES = ["CLOSED", "LISTEN", "SYN_SENT", "SYN_RECEIVED", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING",
          "LAST_ACK", "TIME_WAIT"]
SEGMENT = "segment"


def state_sets():
    """Names like OPENISH, from the #defines of fsm.c."""
    sets = {"ANY": list(STATES)}
    for name, body in re.findall(r"^#define ([A-Z]+) \((S\(.*|[A-Z]+ \|.*)\)$", (CONN / "fsm.c").read_text(), re.M):
        sets[name] = states_of(body, sets)
    return sets


def states_of(text, sets):
    found = []
    for part in (p.strip() for p in text.split("|")):
        one = re.fullmatch(r"S\((\w+)\)", part)
        if one and one.group(1) in STATES:
            found.append(one.group(1))
        elif part in sets:
            found += sets[part]
        else:
            sys.exit(f"diagram: no set of states: {part}")
    return sorted(set(found), key=STATES.index)


def facts_of(text):
    if text == "0":
        return []
    facts = [re.fullmatch(r"F\((\w+)\)", p.strip()) for p in text.split("|")]
    if None in facts:
        sys.exit(f"diagram: no set of facts: {text}")
    return [f.group(1) for f in facts]


def rows():
    """Every ROW and CALL, in order, as a dictionary."""
    sets = state_sets()
    text = (CONN / "rows.h").read_text()
    found = re.findall(r'^(ROW|CALL)\((.*), "(.*)"\)$', text, re.M)
    if len(found) != len(re.findall(r"^(?:ROW|CALL)\(", text, re.M)) or not found:
        sys.exit("diagram: a row that is not on one line")
    for kind, fields, source in found:
        f = [x.strip() for x in fields.split(",")]
        if len(f) != (8 if kind == "ROW" else 7):
            sys.exit(f"diagram: {f[0]} has {len(f)} fields")
        yield {"id": f[0], "event": SEGMENT if kind == "ROW" else f[1], "stage": f[1], "in": states_of(f[2], sets),
               "need": facts_of(f[3]), "refuse": facts_of(f[4]), "action": f[5], "next": f[6], "source": source}


def words(name):
    return name.replace("_", "-")


def reduced(table):
    """Rows as (row, state, what the rows before it leave open): a state that a row before it takes whatever the facts is
    left out, and a fact that alone decided a row before it is now known to be the other way round."""
    taken, known = set(), {}
    for row in table:
        for state in row["in"]:
            at = (row["stage"], state)
            if at in taken:
                continue
            yield row, state, known.setdefault(at, [])[:]
            literals = row["need"] + ["no " + f for f in row["refuse"]]
            if not literals:
                taken.add(at)
            elif len(literals) == 1:
                fact = literals[0]
                known[at].append(fact[3:] if fact.startswith("no ") else "no " + fact)


def condition(row, left=()):
    parts = row["need"] + ["no " + f for f in row["refuse"]]
    parts = parts or list(left)
    what = "" if row["event"] == SEGMENT else row["event"].replace("_", " ").lower()
    return " ".join(([what] if what else []) + ([", ".join(parts)] if parts else [])) or "otherwise"


def transitions():
    for row, state, left in reduced(rows()):
        if row["next"] not in ("SAME", state):
            yield state, row["next"], row, condition(row, left)


def print_text():
    for state, to, row, when in sorted(transitions(), key=lambda t: STATES.index(t[0])):
        print(f"{words(state):12} -> {words(to):12}  {when:34} / {row['action']:16} {row['id']:4} {row['source']}")


def print_dot():
    edges = {}
    for state, to, row, when in transitions():
        edges.setdefault((state, to), []).append(f"{row['id']}: {when}")
    print("digraph states {\n    node [shape=box, style=rounded];")
    for (state, to), labels in edges.items():
        label = "\\l".join(labels) + "\\l"
        print(f'    "{words(state)}" -> "{words(to)}" [label="{label}"];')
    print("}")


def print_rows():
    stage = None
    for row in rows():
        if row["stage"] != stage:
            stage = row["stage"]
            print(f"\n{stage.replace('_', ' ')}")
        where = "any state" if len(row["in"]) == len(STATES) else " ".join(words(s) for s in row["in"])
        to = "" if row["next"] == "SAME" else f" -> {words(row['next'])}"
        print(f"  {row['id']:4} {condition(row):40} {row['action']}{to}\n       in {where}; {row['source']}")


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the reader may have seen enough
    kind = sys.argv[1] if len(sys.argv) > 1 else "text"
    if kind in ("-h", "--help"):
        print(__doc__)
        sys.exit(0)
    if len(sys.argv) > 2 or kind not in ("text", "dot", "rows"):
        sys.exit(__doc__)
    {"text": print_text, "dot": print_dot, "rows": print_rows}[kind]()


if __name__ == "__main__":
    main()
