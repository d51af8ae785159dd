"""What a campaign leaves to read: the report with its curves, and coverage, in HTML without anything from outside."""
import html
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile
import time

import findings
from base import ENGINES, NAMES, SIDE_BY_SIDE, TOP, Cannot, in_tree, keep_input, read_json, short, span, write_json, write_whole
from build import build, program

CORE_ROOMS = ("wire", "recovery", "conn", "stack")  # below the adapter

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #bbb;padding:.25rem .6rem;text-align:right}
td:first-child,th:first-child,td.t{text-align:left}th{background:#f0f0f0}code{background:#f3f3f3}svg{max-width:100%;height:auto}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}th,code{background:#333}svg{background:#fff}a{color:#8bf}}"""


def cells(tag, values):
    return "<tr>" + "".join(f"<{tag}>{html.escape(str(v))}</{tag}>" for v in values) + "</tr>"


def version():
    done = subprocess.run(["git", "-C", str(TOP), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return (TOP / "VERSION").read_text().strip() + (f", {done.stdout.strip()}" if done.returncode == 0 else "")


# ---- curves ---------------------------------------------------------------------------------------------------------


def curves(work, targets):
    """Edges against seconds of fuzzing, a picture an engine, drawn by gnuplot; empty where there is none."""
    history = work / "history.csv"
    lines = [line.split(",") for line in history.read_text().splitlines()] if history.exists() else []
    pictures = []
    for engine in ENGINES:
        drawn = [(t, [(r[3], r[5]) for r in lines if len(r) == 7 and r[1] == t and r[2] == engine]) for t in targets]
        drawn = [(t, points) for t, points in drawn if points]
        if drawn and shutil.which("gnuplot"):
            pictures.append((engine, plot(engine, drawn)))
    return [(engine, picture) for engine, picture in pictures if picture]


def plot(engine, drawn):
    blocks = "".join(f"${'c' + str(i)} << E\n0 0\n" + "\n".join(" ".join(p) for p in points) + "\nE\n" for i, (_, points) in enumerate(drawn))
    curves_of = ", ".join(f"$c{i} using 1:2 with lines lw 2 title '{t}'" for i, (t, _) in enumerate(drawn))
    script = (f"set terminal svg size 860,360 name '{engine}'\nset xlabel 'seconds of this engine on the target'\nset ylabel 'edges'\n"
              f"set key outside right\nset grid\n{blocks}plot {curves_of}\n")
    done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
    found = re.search(r"<svg.*</svg>", done.stdout, re.S)
    return found.group(0) if done.returncode == 0 and found else ""


# ---- the report -----------------------------------------------------------------------------------------------------


def volume(state, targets):
    head = ["target", "engine", "executions", "of these sources", "exec/s", "time", "edges", "corpus"]
    body = []
    for t in targets:
        for e in ENGINES:
            if e in state.all["targets"].get(t, {}):
                of = state.of(t, e)
                body.append([t, e, f"{of['execs']:,}", f"{of['core'].get(state.core, 0):,}", f"{of['rate']:.0f}", span(of["seconds"]),
                             of["edges"], of["corpus"]])
    return "<table>" + cells("th", head) + "".join(cells("td", row) for row in body) + "</table>"


def left_out(state, targets):
    """What had no turn yet: a short run over many targets may end before."""
    idle = [f"{t} with {e}" for t in targets for e in SIDE_BY_SIDE if state.all["targets"].get(t, {}).get(e, {}).get("execs", 0) == 0]
    return f"<p>Without an execution so far: {html.escape(', '.join(idle))}.</p>" if idle else ""


def finding_rows(work, found):
    if not found:
        return "<p>None.</p>"
    out = ["<table>" + cells("th", ["finding", "target", "what", "inputs", "octets", "events", "packets"])]
    for f in found:
        link = os.path.relpath(findings.folder_of(work, f["name"]), work / "report")
        out.append(f"<tr><td><a href='{link}/'>{f['name']}</a></td><td class=t>{html.escape(f['target'])}</td><td class=t>" +
                   html.escape(f["kind"] + (": " + f["words"] if f["words"] else "")) + f"</td><td>{f['inputs']}</td>"
                   f"<td>{f.get('smallest', f['octets'])}</td><td>{f.get('events', '-')}</td><td>{f.get('packets', '-')}</td></tr>")
        text = findings.folder_of(work, f["name"]) / "packets.txt"
        if text.exists():
            out.append(f"<tr><td colspan=7 class=t><pre>{html.escape(text.read_text()[:4000])}</pre></td></tr>")
    return "".join(out) + "</table>"


def write_report(work, state, targets, say):
    found, covered = findings.listed(work), read_json(work / "coverage" / "summary.json", None)
    parts = [f"<!doctype html><html lang=en><meta charset=utf-8><title>weir: fuzz campaign</title><style>{STYLE}</style>",
             "<h1>weir: fuzz campaign</h1>",
             f"<p>weir {html.escape(version())}, sources {state.core}; {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC; "
             f"{platform.machine()}, {os.cpu_count()} processors.</p>",
             f"<p>{span(state.all['fuzzed'])} fuzzed in all; {short(sum(state.executions(t, state.core) for t in targets))} executions with "
             f"these sources; {len(found)} findings; inputs that did not stop it again: "
             f"{sum(v == 'not again' for v in findings.known_inputs(work).values())}.</p>",
             "<h2>Volume</h2>", volume(state, targets), left_out(state, targets), "<h2>Findings</h2>", finding_rows(work, found), "<h2>Edges</h2>"]
    pictures = curves(work, targets)
    parts += [f"<h3>{NAMES[e]}</h3>{picture}" for e, picture in pictures]
    parts += [] if pictures else ["<p>No curves: there is no gnuplot, or nothing ran yet.</p>"]
    if covered:
        parts.append(f"<h2>Coverage</h2><p>{covered['line']:.2f} % of lines, {covered['branch']:.2f} % of branches of the library below "
                     f"the adapter, by {html.escape(covered['inputs'])}. <a href='../coverage/html/index.html'>Line by line.</a></p>")
    path = work / "report" / "index.html"
    write_whole(path, "\n".join(parts) + "\n")
    say(f"report: {path}")


# ---- coverage -------------------------------------------------------------------------------------------------------


def coverage(work, targets, tree_only, jobs, say):
    """Replays the corpora in programs that count; answers the figures of the library below the adapter."""
    build(work, [("coverage", t) for t in targets], jobs, say)
    out = work / "coverage"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    objects, profiles = [], []
    for t in targets:
        binary = program(work, "coverage", t)
        learnt = work / "corpus" / t
        folders = in_tree(t) + ([learnt] if not tree_only and learnt.is_dir() and any(learnt.iterdir()) else [])
        if not folders:
            say(f"coverage: {t} has no input")
            continue
        profile = out / f"{t}.profraw"
        done = subprocess.run([str(binary), *map(str, folders)], capture_output=True, text=True, check=False,
                              env={**os.environ, "LLVM_PROFILE_FILE": str(profile), "WEIR_FUZZ_ROWS": str(out / "rows")})
        if done.returncode != 0 or not profile.exists():
            raise Cannot(f"coverage: {t} stops on an input of its corpus:\n" + (done.stdout + done.stderr)[-2000:])
        say(f"coverage: {t}: {done.stdout.strip()}")
        profiles.append(profile)
        objects.append(binary)
    if not profiles:
        raise Cannot("coverage: there is no input at all")
    merged = out / "all.profdata"
    llvm("llvm-profdata", "merge", "-sparse", *profiles, "-o", merged)
    named = [objects[0], *(f"-object={o}" for o in objects[1:]), f"-instr-profile={merged}"]
    rooms = [TOP / "lib" / room for room in CORE_ROOMS]
    exported = json.loads(llvm("llvm-cov", "export", "-summary-only", *named, *rooms))
    llvm("llvm-cov", "show", "-format=html", f"-output-dir={out / 'html'}", "-show-branches=count", *named, *rooms)
    total = summary(work, exported, "the corpora of the tree" if tree_only else "the corpora of the tree and what was learnt", say)
    total["rows missed"] = rows_missed(out / "rows", say)
    return total


def rows_missed(path, say):
    """Rows of the state machine's table that no input fired."""
    table = re.findall(r"^(?:ROW|CALL)\((\w+),", (TOP / "lib/conn/rows.h").read_text(), re.M)
    fired = set(path.read_text().split()) if path.exists() else set()
    missed = [row for row in table if row not in fired]
    say(f"coverage: {len(table) - len(missed)} of {len(table)} rows of the state machine fired" + (": not " + " ".join(missed) if missed else ""))
    return missed


def llvm(*line):
    try:
        done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Cannot(f"{line[0]} is missing (package llvm)") from None
    if done.returncode != 0:
        raise Cannot(f"{line[0]} failed: {done.stderr[-1000:]}")
    return done.stdout


def summary(work, exported, inputs, say):
    files = sorted((f for f in exported["data"][0]["files"] if f["filename"].endswith(".c")), key=lambda f: f["filename"])
    say(f"{'file':34} {'lines':>15} {'branches':>15}")
    for f in files:
        name, of = pathlib.Path(f["filename"]).relative_to(TOP), f["summary"]
        say(f"{name!s:34} " + " ".join(f"{of[k]['covered']:5}/{of[k]['count']:<5} {of[k]['percent']:3.0f}%" for k in ("lines", "branches")))
    total = {}
    for key, kind in (("line", "lines"), ("branch", "branches")):
        count, covered = (sum(f["summary"][kind][k] for f in files) for k in ("count", "covered"))
        total[key] = 100.0 * covered / count if count else 0.0
    say(f"coverage: {total['line']:.2f} % of lines, {total['branch']:.2f} % of branches, by {inputs}: {work / 'coverage' / 'html' / 'index.html'}")
    write_json(work / "coverage" / "summary.json", {**total, "inputs": inputs})
    return total


# ---- corpora --------------------------------------------------------------------------------------------------------


def merge(work, targets, jobs, longest, say):
    """Makes the corpora of the tree anew: the fewest inputs that reach every edge of all that is known, named by SHA-256."""
    build(work, [("merge", t) for t in targets], jobs, say)
    for t in targets:
        tree = TOP / "fuzz" / "corpus" / t
        learnt = work / "corpus" / t
        folders = in_tree(t) + ([learnt] if learnt.is_dir() else [])
        with tempfile.TemporaryDirectory(prefix="merge-", dir=work) as room:
            done = subprocess.run([str(program(work, "merge", t)), "-set_cover_merge=1", "-use_counters=0", f"-max_len={longest}",
                                   f"-artifact_prefix={room}/", f"{room}/", *map(str, folders)], capture_output=True, text=True, check=False)
            fresh = [p.read_bytes() for p in pathlib.Path(room).iterdir() if re.fullmatch(r"[0-9a-f]{40}", p.name)]
        if done.returncode != 0 or not fresh:
            raise Cannot(f"merge: {t} failed:\n" + "\n".join(done.stderr.splitlines()[-10:]))
        replace_corpus(tree, fresh)
        say(f"merge: {t}: {len(fresh)} inputs, {sum(map(len, fresh))} octets in {tree.relative_to(TOP)}")


def replace_corpus(tree, inputs):
    tree.mkdir(parents=True, exist_ok=True)
    for old in tree.iterdir():
        old.unlink()
    for octets in inputs:
        keep_input(tree, octets, "sha256")
