#!/usr/bin/env python3
"""The limits of weir's style, checked: one line for each breach, then figures about the functions.

    file:line: rule: what is wrong

Rules (lib/ and include/ unless said otherwise; function, file, line, head, goto, mark and reference hold for vectors/ too):
  function   at most 60 lines, or listed below by name with a reason
  file       at most 700 lines (vectors/: 1000)
  line       at most 140 columns (over 120 is counted, not refused); no tab, no trailing space
             (tests/ and fuzz/ too, with 160: rows of tables)
  head       line 1 is "/* <file> - <what it knows>"
  include    a core room includes stdint, stddef, stdbool, string.h and headers of its own floor or one below
  upward     wire and recovery know no weir_conn; nothing below the stack knows weir_stack
  name       external functions weir_ or weiri_, static ones their file's subject, macros WEIR or undefined at the end
  goto       only to `out`, one such label a function
  float      no floating point in the core          recursion   no function of the core reaches itself
  mark       nothing unfinished is left behind as a comment                              (every source)
  reference  one spelling: RFC 9293 3.8.6.2.1 (MUST-38); a requirement's id is RFC6675-4-3    (every source)
"""
import argparse
import pathlib
import re
import statistics
import sys

FUNCTION_LINES, FILE_LINES, LINE_SOFT, LINE_HARD = 60, 700, 120, 140
FILE_LINES_HOSTED = 1000  # the runner of the vectors
LINE_TABLES = 160  # in tests and fuzz targets: one case of a table stays on one line

# Functions longer than a screen, with the reason; files longer than the limit likewise. An entry that is no longer
# needed is itself refused.
LONG_FUNCTIONS = {
}
LONG_FILES = {
    "include/weir/weir.h": "the manual of one connection: the contract stands in one place",
}

FLOORS = ["wire", "recovery", "conn", "stack", "tun"]
CORE = FLOORS[:4]
CORE_SYSTEM = {"stdint.h", "stddef.h", "stdbool.h", "string.h"}
# The checksum's SIMD forms need the compiler's own intrinsics header, which contains no library call.
SYSTEM_ALLOWED = {"lib/wire/checksum.c": {"immintrin.h", "emmintrin.h"}}
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|not (?:yet )?imple" r"mented)\b")
MACHINE = re.compile(r"\b(float|double|long double)\b")
BAD_REFERENCE = re.compile(
    r"\bRFC\d+\b(?!-[\w.]+-\d)|\bRFC-\d|\bRfc ?\d|\brfc \d|\bRFC \d+,? ?(?:[Ss]ection|[Ss]ec\.|§|s\.)|§|\bRFC \d+ ?#|\bRFC \d{3,}-\d")
BAD_LEVEL = re.compile(r"\b(?:MUST|SHLD|MAY|REC)(?:[ _]\d|\d)")
KEYWORDS = {"if", "for", "while", "switch", "return", "sizeof", "do", "else", "case", "__attribute__", "_Static_assert",
            "static_assert", "defined", "_Alignof", "alignof", "__builtin_trap"}


# Files whose subject is not in their name.
SUBJECTS = {
    "lib/stack/timewait.c": {"wait_"},
    "lib/stack/room.h": {"slot_", "list_", "stack_"},
    "lib/conn/conn.h": {"conn_", "act_", "out_"},
}


class Breaches(list):
    def add(self, path, line, rule, text):
        self.append(f"{path}:{line}: {rule}: {text}")


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text):
    """The text with comments, strings and character constants blanked out; every line keeps its number.
    The name of an include stays: it is read from the original."""
    return TOKEN.sub(blank, text)


def without_directives(code):
    """Preprocessor lines blanked, continuation lines with them."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", blank, code, flags=re.M)


class Function:
    def __init__(self, name, first, last, static, body):
        self.name, self.first, self.last, self.static, self.body = name, first, last, static, body

    @property
    def lines(self):
        return self.last - self.first + 1


def functions(code):
    """Functions defined at file scope, extern "C" blocks looked through."""
    # words in front of a function that keep it inside the file: static, or a macro that stands for it
    inside = {"static", "WEIR_PRIVATE"} | set(re.findall(r"^#define (\w+) static\b", code, re.M))
    text = without_directives(code)
    text = re.sub(r"\bextern\s+ *\{", lambda m: m.group(0).replace("{", " "), text)
    found, depth, start, head = [], 0, 0, ""
    for at, char in enumerate(text):
        if char == "{":
            if depth == 0:
                head, body_at = text[start:at], at
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                name = declared_function(head)
                if name:
                    lead = start + len(head) - len(head.lstrip())
                    found.append(Function(name, text.count("\n", 0, lead) + 1, text.count("\n", 0, at) + 1,
                                          bool(inside & set(re.findall(r"\w+", head))), text[body_at:at + 1]))
                    start = at + 1
            elif depth < 0:
                depth, start = 0, at + 1  # the end of an extern "C" block
        elif char == ";" and depth == 0:
            start = at + 1
    return found


def declared_function(head):
    if "=" in head or not head.rstrip().endswith(")"):
        return None
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", head, flags=re.S)
    names = [n for n in re.findall(r"\b([A-Za-z_]\w*)\s*\(", head) if n not in KEYWORDS]
    return names[0] if names else None


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "lib" and len(parts) > 2 else None


def subjects(path):
    """The prefixes a file's own names may have: cc_newreno.c allows cc_newreno_, newreno_ and cc_."""
    stem = pathlib.PurePosixPath(path).stem
    parts = stem.split("_")
    return {stem + "_", parts[0] + "_", parts[-1] + "_"} | SUBJECTS.get(path, set())


def check_layout(path, text, out, soft):
    hard = LINE_TABLES if path.startswith(("tests/", "fuzz/", "vectors/runner/tests/")) else LINE_HARD
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > hard:
            out.add(path, number, "line", f"{len(line)} columns, at most {hard}")
        elif len(line) > LINE_SOFT:
            soft.append(path)
        if "\t" in line:
            out.add(path, number, "line", "a tab")
        if line != line.rstrip():
            out.add(path, number, "line", "trailing space")


def check_words(path, text, out):
    for number, line in enumerate(text.split("\n"), 1):
        mark = MARKS.search(line)
        if mark:
            out.add(path, number, "mark", f"'{mark.group(1)}' is left behind")
        for pattern in (BAD_REFERENCE, BAD_LEVEL):
            wrong = pattern.search(line)
            if wrong:
                out.add(path, number, "reference", f"'{wrong.group(0)}': write RFC 9293 3.8.6.2.1 (MUST-38)")


def check_file(path, text, out):
    lines = text.count("\n")
    limit = FILE_LINES_HOSTED if path.startswith("vectors/") else FILE_LINES
    if lines > limit and path not in LONG_FILES:
        out.add(path, lines, "file", f"{lines} lines, at most {limit}")
    if not re.match(r"/\* " + re.escape(pathlib.PurePosixPath(path).name) + r" - \S", text):
        out.add(path, 1, "head", f'the first line must be "/* {pathlib.PurePosixPath(path).name} - what it knows"')


def check_includes(path, text, out):
    room = room_of(path)
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            if re.match(r"\s*#\s*include\b", line):
                out.add(path, number, "include", "a computed include")
            continue
        system, name = match.group(1) == "<", match.group(2)
        if system:
            if room != "tun" and name not in CORE_SYSTEM | SYSTEM_ALLOWED.get(path, set()) and path != "include/weir/tun.h":
                out.add(path, number, "include", f"<{name}> below the adapter")
            continue
        target = name.split("/")[0]
        if path == "lib/weir.c":
            if target not in CORE + ["weir"]:
                out.add(path, number, "include", f'"{name}" is no part of the core')
        elif path.startswith("include/"):
            if target != "weir" or (path == "include/weir/weir.h" and name != "weir/features.h"):
                out.add(path, number, "include", f'"{name}" in a public header')
        elif target == "weir":
            allowed = {"wire": {"weir.h"}, "recovery": {"weir.h"}, "conn": {"weir.h"}, "stack": {"weir.h", "stack.h"}}
            if room in allowed and name.split("/")[1] not in allowed[room]:
                out.add(path, number, "include", f'"{name}" stands above {room}')
        elif target in FLOORS:
            if room and FLOORS.index(target) > FLOORS.index(room):
                out.add(path, number, "include", f'"{name}" stands above {room}')
        elif room != "tun":
            out.add(path, number, "include", f'"{name}": name the room, as in "wire/seq.h"')


def check_code(path, code, out):
    room = room_of(path)
    for number, line in enumerate(code.split("\n"), 1):
        for label in re.findall(r"\bgoto\s+(\w+)", line):
            if label != "out":
                out.add(path, number, "goto", f"goto {label}")
        if room in CORE and MACHINE.search(line):
            out.add(path, number, "float", "floating point")
        if room in ("wire", "recovery") and re.search(r"\bweir_conn\b", line):
            out.add(path, number, "upward", f"weir_conn in {room}")
        if room in ("wire", "recovery", "conn") and re.search(r"\bweir_stack\b", line):
            out.add(path, number, "upward", f"weir_stack in {room}")
    if room in CORE:
        check_tags(path, code, out)


def check_macros(path, code, text, root, out):
    """A source of the core leaves no macro behind; a header leaves only prefixed ones. A table of rows may undefine
    the macros of the file that includes it. A file of the adapter is a unit of its own: its macros end with it."""
    room = room_of(path)
    if path == "lib/weir.c" or (room == "tun" and path.endswith(".c")):
        return
    undefine = re.compile(r"^[ \t]*#[ \t]*undef[ \t]+(\w+)", re.M)
    undefined = set(undefine.findall(code))
    for name in re.findall(r'^[ \t]*#[ \t]*include[ \t]+"(\w+/rows\.h)"', text, re.M):
        undefined |= set(undefine.findall((root / "lib" / name).read_text(encoding="utf-8")))
    for match in re.finditer(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", code, re.M):
        name = match.group(1)
        if name in undefined or (path.endswith(".h") and (name.startswith("WEIR") or room == "tun")):
            continue
        out.add(path, code.count("\n", 0, match.start()) + 1, "name", f"macro {name} is not undefined at the end of the file")


def check_tags(path, code, out):
    good = tuple(subjects(path)) + ("weir_", "weiri_")
    for match in re.finditer(r"\b(struct|enum|union)\s+(\w+)\s*\{", code):
        if not match.group(2).startswith(good):
            out.add(path, code.count("\n", 0, match.start()) + 1, "name",
                    f"{match.group(1)} {match.group(2)}: weiri_ or the file's subject in front")


def check_functions(path, found, declared_static, out):
    good = tuple(subjects(path))
    core = room_of(path) in CORE
    for f in found:
        if f.lines > FUNCTION_LINES and f"{path}:{f.name}" not in LONG_FUNCTIONS:
            out.add(path, f.first, "function", f"{f.name} has {f.lines} lines, at most {FUNCTION_LINES}")
        if f.body.count("goto") and len(re.findall(r"^\s*out:", f.body, re.M)) > 1:
            out.add(path, f.first, "goto", f"{f.name} has more than one label out")
        if not core:
            continue
        shared = f.name.startswith(("weir_", "weiri_"))
        if f.static and not f.name.startswith(good) and not shared:
            out.add(path, f.first, "name", f"static {f.name}: begin with {' or '.join(sorted(good))}")
        elif not f.static and not shared and f.name not in declared_static:
            out.add(path, f.first, "name", f"external {f.name}: begin with weir_ or weiri_")


def check_recursion(calls, where, out):
    """Depth first over the calls that the text shows; a cycle is named once."""
    done, trail, cycles = set(), [], []

    def walk(name):
        if name in trail:
            cycles.append(trail[trail.index(name):])
            return
        if name in done or name not in calls:
            return
        trail.append(name)
        for callee in sorted(calls[name]):
            walk(callee)
        trail.pop()
        done.add(name)

    for name in sorted(calls):
        walk(name)
    for cycle in cycles:
        path, line = where[cycle[0]]
        out.add(path, line, "recursion", " -> ".join(cycle + cycle[:1]))


def show_figures(all_functions, sources, soft, asserts):
    sizes = sorted(f.lines for _, f in all_functions)
    if not sizes:
        print("tidy: no function found")
        return
    longest = sorted(all_functions, key=lambda pf: -pf[1].lines)[:5]
    p90 = sizes[min(len(sizes) - 1, int(len(sizes) * 0.9))]
    print(f"tidy: {len(sources)} files, {sum(s.count(chr(10)) for s in sources.values())} lines, {len(sizes)} functions: "
          f"median {statistics.median(sizes):g} lines, p90 {p90}, longest {sizes[-1]}; {asserts} assertions "
          f"({asserts / len(sizes):.1f} a function); {len(soft)} lines over {LINE_SOFT} columns")
    print("tidy: longest: " + ", ".join(f"{f.name} {f.lines} ({p})" for p, f in longest))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent,
                        help="the tree to check (default: the one this script is in)")
    root = parser.parse_args().root
    if not (root / "lib").is_dir():
        sys.exit(f"tidy: {root} has no lib/: give the top of the tree with --root")
    read = lambda patterns: {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8")
                             for pattern in patterns for p in sorted(root.glob(pattern)) if p.is_file()}
    sources = read(["include/weir/*.h", "lib/**/*.h", "lib/**/*.c"])
    others = read(["tests/**/*.[ch]", "fuzz/**/*.[ch]"])
    hosted = read(["vectors/runner/**/*.[ch]", "vectors/adapters/*.[ch]", "vectors/packetdrill/*.[ch]"])
    scripts = read(["ci/*", "tests/**/*.sh", "tests/**/*.py", "fuzz/*.sh", "fuzz/*.py", "vectors/**/*.sh", "vectors/**/*.py"])
    out, soft, all_functions, calls, where, used = Breaches(), [], [], {}, {}, set()
    for path, text in {**sources, **others, **hosted}.items():
        check_layout(path, text, out, soft)
        check_words(path, text, out)
    for path, text in scripts.items():
        if path != "ci/tidy.py" and path != "ci/plant.sh":
            check_words(path, text, out)
    for path, text in hosted.items():
        code = code_only(text)
        check_file(path, text, out)
        check_code(path, code, out)
        check_functions(path, functions(code), set(), out)
    core_asserts = 0
    for path, text in sources.items():
        code = code_only(text)
        check_file(path, text, out)
        check_includes(path, text, out)
        check_code(path, code, out)
        check_macros(path, code, text, root, out)
        found = functions(code)
        static = set(re.findall(r"\bstatic\b[^;{}()]*?\b(\w+)\s*\(", without_directives(code)))
        check_functions(path, found, static, out)
        all_functions += [(path, f) for f in found]
        core_asserts += len(re.findall(r"\bWEIR_(?:ASSERT|NEVER|COVER)\b", without_directives(code)))
        used |= {f"{path}:{f.name}" for f in found if f.lines > FUNCTION_LINES}
        if text.count("\n") > FILE_LINES:
            used.add(path)
        if room_of(path) in CORE:
            for f in found:
                calls[f.name] = set(re.findall(r"\b([A-Za-z_]\w*)\s*\(", f.body[1:])) - KEYWORDS
                where[f.name] = (path, f.first)
    check_recursion(calls, where, out)
    for entry in sorted((set(LONG_FUNCTIONS) | set(LONG_FILES)) - used):
        if (root / entry.split(":")[0]).exists() and entry not in LONG_FILES:
            out.add(entry, 0, "function", "listed as an exception in ci/tidy.py, but needs none")
    for line in out:
        print(line)
    show_figures(all_functions, sources, soft, core_asserts)
    print(f"tidy: {len(out)} breaches" if out else "tidy: clean")
    sys.exit(1 if out else 0)


if __name__ == "__main__":
    main()
