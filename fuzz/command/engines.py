"""The engines: one slice of time of one target each, started, watched and ended in the same way.

They share what they learn: libFuzzer writes corpus/<target> and reads it again every few seconds; AFL++ reads it as a
foreign fuzzer's (-F), and what its own queue gains is copied there. volume (fuzz/volume.c) speaks as libFuzzer does and runs a program that
has every check and no sanitizer, many times as fast; beside it the sanitized program reads all that it learns, and the other way round.
"""
import os
import re
import signal
import subprocess
import time

from base import TOP, dictionary, in_tree, keep_input, option
from build import has_mutator, program

GRACE = 12  # seconds from the first SIGINT to SIGKILL
# Of libFuzzer. Which input is changed next is drawn evenly: to weigh each feature of each run takes longer here than the runs do.
# Nor is each feature looked up in what its input alone has, to put shorter inputs in its place: that took a fifth, and merging makes corpora small.
SCHEDULE = ("-use_value_profile=0", "-entropic=0", "-reduce_inputs=0")
# A finding is run again for its words; the engine allocates for each input, and who did so is of no interest, nor what was freed long ago.
QUIET = {"ASAN_OPTIONS": "symbolize=0:malloc_context_size=0:quarantine_size_mb=4", "UBSAN_OPTIONS": "symbolize=0"}
ANSWER_AFTER = 10  # seconds: an input that takes longer is a finding


class Slice:
    """A child of its own group: Ctrl-C of the terminal is for the campaign, which ends its children in order."""

    engine = ""

    def __init__(self, work, target, seconds, settings):
        self.work, self.target, self.settings = work, target, settings
        self.began, self.until = time.monotonic(), time.monotonic() + seconds
        self.asked = 0.0  # when it was first asked to end
        self.execs, self.rate, self.edges, self.corpus = 0, 0.0, 0, 0
        self.problem = ""
        self.shared = work / "corpus" / target
        self.shared.mkdir(parents=True, exist_ok=True)
        self.log = work / "logs" / f"{self.engine}-{target}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.child = None

    def left(self):
        return self.until - time.monotonic()

    def start(self, line, env):
        with open(self.log, "wb") as out:
            self.child = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, cwd=TOP,
                                          env={**os.environ, **env}, start_new_session=True)

    def signal(self, which):
        try:
            os.killpg(self.child.pid, which)
        except ProcessLookupError:
            pass

    def end(self):
        """Asks it to end, and insists when it does not; harmless when it has."""
        if self.child.poll() is not None:
            return
        if not self.asked:
            self.asked = time.monotonic()
            self.child.send_signal(signal.SIGINT)
        elif time.monotonic() - self.asked > GRACE:
            self.signal(signal.SIGKILL)

    def over(self):
        """Looks at it; True when the slice is done and its figures are final."""
        self.look()
        if self.child.poll() is None:
            if self.left() <= 0:
                self.end()
            return False
        self.signal(signal.SIGKILL)  # what it may have left of its group
        self.look()
        return not self.again()

    def look(self):
        raise NotImplementedError

    def again(self):
        return False


class LibFuzzer(Slice):
    """Stops at a finding, and is started again for what is left of its slice."""

    engine = "libfuzzer"
    LINE = re.compile(rb"^#(\d+)\s+\w+\s+cov: (\d+) ft: \d+ corp: (\d+)/.*?exec/s: (\d+)", re.M)

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.raw = self.work / "raw" / self.target
        self.raw.mkdir(parents=True, exist_ok=True)
        self.before, self.quick, self.read = 0, 0, 0
        self.run()

    def run(self):
        longest = self.settings.max_len or option(self.target, "max_len", "1024")
        self.started, self.read, self.now = time.monotonic(), 0, 0
        self.start([str(program(self.work, self.engine, self.target)), f"-max_total_time={max(1, int(self.left()))}",
                    f"-max_len={longest}", f"-timeout={ANSWER_AFTER}", "-rss_limit_mb=2048", f"-dict={dictionary(self.target)}",
                    f"-artifact_prefix={self.raw}/", "-print_final_stats=1", "-reload=1", *SCHEDULE, str(self.shared),
                    *map(str, in_tree(self.target))], QUIET)

    def look(self):
        with open(self.log, "rb") as log:
            log.seek(self.read)
            text = log.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.read += len(whole)
        for found in self.LINE.finditer(whole):
            self.now, edges, self.corpus = int(found[1]), int(found[2]), int(found[3])
            self.edges = max(self.edges, edges)
            self.rate = float(found[4]) or self.rate
        final = re.search(rb"stat::number_of_executed_units: (\d+)", whole)
        if final:
            self.now = int(final[1])
        self.execs = self.before + self.now

    def again(self):
        code = self.child.returncode
        if self.asked or code == 0 or self.left() < 3:
            return False
        self.before += self.now
        for path in self.raw.iterdir():  # an input that stops the target must not do so at every start
            (self.shared / path.name.split("-")[-1]).unlink(missing_ok=True)
        self.quick = self.quick + 1 if time.monotonic() - self.started < 5 else 0
        if self.quick >= 3:
            self.problem = "stops as soon as it starts: " + last_line(self.log)
            return False
        self.run()
        return True


class Volume(LibFuzzer):
    engine = "volume"


class Afl(Slice):
    """Goes on after a finding. The folder keeps its state, so that the next slice goes on where this one ended."""

    engine = "afl"

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.sync = self.work / "afl" / self.target
        name = self.settings.name
        self.own = self.sync / name
        self.copied = set()
        seeds = self.seeds()
        self.own.mkdir(parents=True, exist_ok=True)
        (self.own / "plot_data").unlink(missing_ok=True)  # what it tells is this slice's
        role = ["-M", name, "-F", str(self.shared)] if name == "main" else ["-S", name]
        timeout = ["-t", str(ANSWER_AFTER * 1000)]
        self.base = stats(self.own).get("execs_done", 0)
        self.start(["afl-fuzz", "-i", str(seeds), "-o", str(self.sync), *role, "-x", str(dictionary(self.target)), *timeout, "-m", "none",
                    "-V", str(max(1, int(self.left()))), "--", str(program(self.work, "afl", self.target))],
                   {**self.mutator(), "AFL_NO_UI": "1", "AFL_AUTORESUME": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1",
                    "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_IGNORE_SEED_PROBLEMS": "1", "AFL_FAST_CAL": "1"})

    def mutator(self):
        library = program(self.work, "mutator", self.target)
        return {"AFL_CUSTOM_MUTATOR_LIBRARY": str(library)} if has_mutator(self.target) else {}

    def seeds(self):
        """What a fresh queue begins with."""
        folder = self.work / "seeds" / self.target
        folder.mkdir(parents=True, exist_ok=True)
        for source in [*in_tree(self.target), self.shared]:
            for path in source.iterdir():
                if path.is_file() and path.stat().st_size:
                    keep_input(folder, path.read_bytes())
        if not any(folder.iterdir()):
            keep_input(folder, b"\0")
        return folder

    def look(self):
        rows = [r.split(", ") for r in tail(self.own / "plot_data").splitlines() if r and r[0].isdigit()]
        if rows and len(rows[-1]) >= 13:
            row = rows[-1]
            self.rate, self.corpus = float(row[10]), int(row[3])
            self.execs, self.edges = self.since(int(row[11])), int(row[12])
        if self.child.poll() is not None:
            final = stats(self.own)
            self.execs = max(self.execs, self.since(final.get("execs_done", 0)))
            self.edges = max(self.edges, final.get("edges_found", 0))
            if self.child.returncode != 0 and not self.asked:
                self.problem = last_line(self.log)
        self.share()

    def since(self, total):
        """AFL++ goes on counting where the slice before this one ended."""
        return total - self.base if total >= self.base else total

    def share(self):
        """What is new in the queue goes to the shared corpus; what came from there does not go back."""
        for path in (self.own / "queue").glob("id:*"):
            if path.name in self.copied:
                continue
            self.copied.add(path.name)
            if "sync:" not in path.name and "orig:" not in path.name:
                keep_input(self.shared, path.read_bytes())


def stats(folder):
    """The numbers of AFL++'s fuzzer_stats."""
    path = folder / "fuzzer_stats"
    text = path.read_text(errors="replace") if path.exists() else ""
    return {k: int(v) for k, v in re.findall(r"^(\w+)\s*: (\d+)$", text, re.M)}


def tail(path, octets=4000):
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - octets))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""


def last_line(path):
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", tail(path))
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    told = [line for line in lines if "ABORT" in line or "ERROR" in line or "Message" in line]
    return (told or lines or ["it says nothing"])[-1][:200]


def read_all(work, target, longest):
    """Runs all that was learnt with the sanitizers; an input that stops them is set aside. How many inputs; None: something stops each start."""
    folders = [work / "corpus" / target, *in_tree(target)]
    raw = work / "raw" / target
    raw.mkdir(parents=True, exist_ok=True)
    line = [str(program(work, "libfuzzer", target)), "-runs=0", f"-max_len={longest or option(target, 'max_len', '1024')}",
            f"-timeout={ANSWER_AFTER}", "-rss_limit_mb=2048", f"-artifact_prefix={raw}/", *SCHEDULE, *map(str, folders)]
    while True:
        held = sum(1 for folder in folders for _ in folder.iterdir())
        with open(work / "logs" / f"read-{target}.log", "wb") as log:
            done = subprocess.run(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=TOP, check=False,
                                  env={**os.environ, **QUIET})
        if done.returncode == 0:
            return held
        stopped = [folders[0] / path.name.split("-")[-1] for path in raw.iterdir()]
        stopped = [path for path in stopped if path.exists()]
        if not stopped:
            return None
        for path in stopped:
            path.unlink()


KINDS = {"libfuzzer": LibFuzzer, "afl": Afl, "volume": Volume}
