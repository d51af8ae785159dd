"""Findings: an input that stops a target is run again, known by its stack, made small, and laid out as a folder."""
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import packets
from base import Cannot, read_json, source_hash, write_json, write_whole
from build import program, replaying

REPLAY_SECONDS = 20
MINIMISE_SECONDS, MINIMISE_RUNS = 120, 4000
FRAMES = 3  # of a stack that make it this finding and no other
NOISE = re.compile(r"^(_*asan|_*ubsan|_*sanitizer|_*interceptor|_*lsan|__libc|_start|fuzzer::|abort$|raise$|gsignal|pthread_kill|main$"
                   r"|LLVMFuzzer|fuzz_fail$|fuzz_holds$|volume_)")


class Verdict:
    """What one run of one input came to: kind is None when the target survived."""

    def __init__(self, kind, words, frames, text):
        self.kind, self.words, self.frames, self.text = kind, words, frames, text

    @property
    def name(self):
        """The stack hash. Where a timeout or an exhausted memory is caught is chance, and not part of it."""
        frames = [f.split(" ")[0] for f in self.frames[:FRAMES]] if self.kind not in ("timeout", "out of memory") else []
        return hashlib.sha256("\n".join([self.kind, self.words, *frames]).encode()).hexdigest()[:12]

    def title(self):
        where = f" in {self.frames[0].split(' ')[0]}" if self.frames else ""
        return f"{self.kind}{': ' + self.words if self.words else ''}{where}"


class Replayer:
    """Runs inputs through a target's libFuzzer program, and names the functions of stacks."""

    def __init__(self, work):
        self.work, self.names = work, {}
        self.room = pathlib.Path(tempfile.mkdtemp(prefix="replay-", dir=work))

    def close(self):
        shutil.rmtree(self.room, ignore_errors=True)

    def run(self, target, octets, diary=False, kind="libfuzzer"):
        binary, source, book = program(self.work, kind, target), self.room / "input", self.room / "diary"
        if not binary.exists():
            raise Cannot(f"{binary} is not built: run fuzz/campaign run first")
        source.write_bytes(octets)
        book.unlink(missing_ok=True)
        env = {**os.environ, "ASAN_OPTIONS": "symbolize=0:detect_leaks=1", "UBSAN_OPTIONS": "symbolize=0:print_stacktrace=1",
               "WEIR_FUZZ_ENDS": "1"}
        if diary:
            env["WEIR_FUZZ_DIARY"] = str(book)
        line = [str(binary), "-timeout=10", "-rss_limit_mb=2048", f"-artifact_prefix={self.room}/again-", str(source)]
        try:
            done = subprocess.run(line, capture_output=True, env=env, timeout=REPLAY_SECONDS, cwd=self.room, check=False)
            text, code = done.stderr.decode(errors="replace"), done.returncode
        except subprocess.TimeoutExpired as late:
            text, code = (late.stderr or b"").decode(errors="replace") + "\nERROR: libFuzzer: timeout\n", 70
        for old in self.room.glob("again-*"):
            old.unlink()
        verdict = Verdict(None, "", [], text) if code == 0 else self.judge(binary, text)
        return (verdict, *packets.diary(book)) if diary else verdict

    def judge(self, binary, text):
        kind, words = "stopped", ""
        check = re.search(r"^\S+\.[ch]:\d+: (?!runtime error)(.+)$", text, re.M)
        undefined = re.search(r"runtime error: (.+)", text)
        asan = re.search(r"ERROR: (AddressSanitizer|LeakSanitizer): ([\w-]+)", text)
        own = re.search(r"ERROR: (?:libFuzzer|volume): ([\w -]+)", text)
        if check:
            kind, words = "check", check.group(1)
        elif undefined:
            kind, words = "undefined", re.sub(r"0x[0-9a-f]+|-?\d+", "N", undefined.group(1))
        elif asan:
            kind = {"ILL": "assertion", "detected": "leak"}.get(asan.group(2), asan.group(2))
        elif own:
            kind = "signal" if own.group(1).startswith("deadly signal") else own.group(1).split(" (")[0]
            kind = "timeout" if kind.startswith("timeout") else "out of memory" if kind.startswith("out-of-memory") else kind
        return Verdict(kind, words, self.stack(binary, text), text)

    def stack(self, binary, text):
        """`function file:line` of the frames of our own, the innermost first: the first stack of the text."""
        offsets = []
        for number, rest in re.findall(r"^\s+#(\d+) 0x[0-9a-f]+ +(.*)$", text, re.M):
            if offsets and int(number) == 0:
                break
            at = re.search(r"\(([^()]*)\+0x([0-9a-f]+)\)", rest)
            own = at is not None and pathlib.Path(at.group(1)).name == binary.name
            offsets.append(max(0, int(at.group(2), 16) - (int(number) > 0)) if own else None)
        known = self.names.setdefault(binary, {})
        unknown = sorted({o for o in offsets if o is not None and o not in known})
        if unknown:
            known.update(symbols(binary, unknown))
        frames = [f for o in offsets if o is not None for f in known[o]]
        return [f for f in frames if not NOISE.match(f.split(" ")[0])]


def symbols(binary, offsets):
    """{offset: [function file:line, ...]}: several where calls were made part of their caller."""
    asked = "".join(f"0x{o:x}\n" for o in offsets)
    try:
        done = subprocess.run(["llvm-symbolizer", f"--obj={binary}", "--functions=linkage"], input=asked, capture_output=True,
                              text=True, check=False)
    except FileNotFoundError:
        return {o: [f"0x{o:x} ?"] for o in offsets}
    answers = [a.splitlines() for a in done.stdout.strip("\n").split("\n\n")]
    if len(answers) != len(offsets):
        return {o: [f"0x{o:x} ?"] for o in offsets}
    return {o: [f"{a[i]} {'/'.join(a[i + 1].split('/')[-2:]).rsplit(':', 1)[0]}" for i in range(0, len(a) - 1, 2)]
            for o, a in zip(offsets, answers)}


# ---- what the engines left behind -----------------------------------------------------------------------------------


def raw_inputs(work, target):
    """Every input that an engine set aside because the target stopped, or was too slow."""
    found = sorted((work / "raw" / target).glob("*"))
    for kind in ("crashes", "hangs"):
        found += sorted(p for p in (work / "afl" / target).glob(f"*/{kind}*/id:*"))
    return [p for p in found if p.is_file()]


def folder_of(work, name):
    return work / "findings" / name


def listed(work):
    """The findings, oldest first."""
    found = [read_json(p, None) for p in (work / "findings").glob("*/finding.json")]
    return sorted(({"program": "libfuzzer", **f} for f in found if f), key=lambda f: (f["first"], f["name"]))


def known_inputs(work):
    return read_json(work / "triaged.json", {})


def triage(work, replayer, targets, say, most=1 << 30):
    """Runs each new input again and puts it to the finding with its stack; answers the names that are new."""
    seen, fresh, tried = known_inputs(work), [], 0
    for target in targets:
        for path in raw_inputs(work, target):
            octets = path.read_bytes()
            key = f"{target}:{hashlib.sha256(octets).hexdigest()}"
            if key in seen or tried >= most:
                continue
            tried += 1
            for kind, _ in replaying(work, target):
                verdict = replayer.run(target, octets, kind=kind)
                if verdict.kind is not None:
                    break
            if verdict.kind is None:
                seen[key] = "not again"
                continue
            seen[key] = verdict.name
            if note(work, target, octets, verdict, kind):
                fresh.append(verdict.name)
                say(f"finding: {verdict.name} in {target}: {verdict.title()}")
    if tried:
        write_json(work / "triaged.json", seen)
    return fresh


def note(work, target, octets, verdict, kind):
    """Remembers one more input of a finding, the shortest of them in full; True if the finding is new."""
    folder = folder_of(work, verdict.name)
    about = read_json(folder / "finding.json", None)
    fresh = about is None
    now = int(time.time())
    if fresh:
        about = {"name": verdict.name, "target": target, "kind": verdict.kind, "words": verdict.words, "frames": verdict.frames[:12],
                 "first": now, "inputs": 0, "octets": 1 << 30, "minimised": False, "core": source_hash(), "program": kind}
    about["inputs"] += 1
    about["last"] = now
    if target == about["target"] and len(octets) < about["octets"]:
        about["octets"], about["minimised"] = len(octets), False
        write_whole(folder / "input", octets)
        write_whole(folder / "stack.txt", verdict.title() + "\n\n" + "\n".join(verdict.frames) + "\n\n" + verdict.text)
    write_json(folder / "finding.json", about)
    return fresh


# ---- small ----------------------------------------------------------------------------------------------------------


class Smaller:
    """Takes out what a finding does not need: whole events first, which are segments, calls and steps of time; then octets."""

    def __init__(self, replayer, about, octets):
        self.replayer, self.target, self.name, self.best = replayer, about["target"], about["name"], octets
        self.kind = about["program"]
        self.until, self.runs = time.monotonic() + MINIMISE_SECONDS, 0

    def spent(self):
        return self.runs >= MINIMISE_RUNS or time.monotonic() > self.until

    def same(self, octets):
        if self.spent():
            return False
        self.runs += 1
        verdict = self.replayer.run(self.target, octets, kind=self.kind)
        if verdict.kind is None or verdict.name != self.name:
            return False
        self.best = octets
        return True

    def parts(self):
        """The input cut where its events begin."""
        _, events, _ = self.replayer.run(self.target, self.best, diary=True, kind=self.kind)
        cuts = sorted({len(self.best) - left for left in events if left < len(self.best)})
        ends = [0, *cuts, len(self.best)]
        return [self.best[a:b] for a, b in zip(ends, ends[1:]) if a < b]

    def without_runs(self, parts):
        """Delta debugging: runs of parts are left out, long ones first; the head of the input stays."""
        step = max(1, len(parts) // 2)
        while True:
            at = 1
            while at < len(parts) and not self.spent():
                fewer = parts[:at] + parts[at + step:]
                if self.same(b"".join(fewer)):
                    parts = fewer
                else:
                    at += step
            if step == 1:
                return
            step //= 2

    def octets(self):
        """The shortest beginning, then zeros instead of octets, from the end."""
        step = len(self.best) // 2
        while step > 0:
            if not self.same(self.best[:-step]):
                step //= 2
            step = min(step, len(self.best) - 1)
        for at in reversed(range(len(self.best))):
            if at < len(self.best) and self.best[at] != 0:
                self.same(self.best[:at] + b"\0" + self.best[at + 1:])

    def shrink(self):
        if not self.same(self.best):
            return None
        before = None
        while before != self.best and not self.spent():
            before = self.best
            parts = self.parts()
            if len(parts) > 1:
                self.without_runs(parts)
            else:
                self.without_runs([b"", *(self.best[i:i + 1] for i in range(len(self.best)))])
            self.octets()
        return self.best


def slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:48].rstrip("-") or "finding"


def minimise(work, replayer, about, say):
    """Fills a finding's folder; False if the finding does not show any more."""
    folder, target, name = folder_of(work, about["name"]), about["target"], about["name"]
    octets = (folder / "input").read_bytes()
    smaller = Smaller(replayer, about, octets)
    best = smaller.shrink()
    if best is None:
        say(f"{name}: does not show with the sources of today")
        return False
    verdict, events, seen = replayer.run(target, best, diary=True, kind=about["program"])
    regression = folder / "regression" / target / f"{slug(verdict.words or verdict.title())}-{name[:6]}"
    shutil.rmtree(folder / "regression", ignore_errors=True)
    write_whole(regression, best)
    write_whole(folder / "minimised", best)
    write_whole(folder / "packets.txt", packets.told(seen) if seen else "This target handles no packets.\n")
    write_whole(folder / "packets.pcapng", packets.pcapng(seen, f"{target}: {verdict.title()}"))
    write_whole(folder / "stack.txt", verdict.title() + "\n\n" + "\n".join(verdict.frames) + "\n\n" + verdict.text)
    about.update(minimised=True, smallest=len(best), events=len(events), packets=len(seen),
                 regression=regression.relative_to(folder / "regression").as_posix())
    write_json(folder / "finding.json", about)
    write_whole(folder / "README.md", how_to(about, verdict))
    say(f"{name}: {len(octets)} octets made {len(best)}, {len(events)} events, {len(seen)} packets ({smaller.runs} runs)")
    return True


def how_to(about, verdict):
    return f"""# {about['name']}: {verdict.title()}

Target `{about['target']}`, {about['inputs']} inputs, sources {about['core']}.

| file | what |
|---|---|
| `minimised` | the smallest input found, {about['smallest']} octets; `input` is what the engine found |
| `packets.txt`, `packets.pcapng` | the packets that pass before it stops ({about['packets']}); the capture opens in Wireshark |
| `stack.txt` | where it stops |
| `regression/{about['regression']}` | the file to add |

Again: `fuzz/campaign repro {about['name']}`.

Mend the library, or the target if it asks too much; then keep the input, which every build replays from then on:

    cp -r regression/. <tree>/fuzz/regressions/

The first frames:

""" + "\n".join("    " + f for f in verdict.frames[:8]) + "\n"
