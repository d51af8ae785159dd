"""Makes the programs of a campaign: a target with libFuzzer, with AFL++, or with coverage; anew only when a source changed."""
import concurrent.futures
import os
import subprocess

from base import SOURCES, TOP, Cannot, compiler, package_flags, source_hash, write_whole

COMMON = ["-std=c11", "-g", "-D_DEFAULT_SOURCE", "-DWEIR_FUZZ_UNIT", "-DWEIR_HOSTED", "-I", "include", "-I", "lib", "-I", "fuzz",
          "-Wno-unused-function"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]

# What libFuzzer is told of. What a check decides is no way through the library. Comparisons are not told: the mutators know what inputs are
# made of, and to tell of each pointer that UBSan compares with NULL would cost more than all the rest. One input in eight goes on to the end
# of its connection (fuzz_ends); a finding is run again with all of them.
FEEDBACK = ["-fsanitize-coverage-ignorelist=fuzz/uncounted.txt", "-fno-sanitize-coverage=trace-cmp,stack-depth,indirect-calls",
            "-DWEIR_FUZZ_ENDS=8"]

# What a target cannot reach is left out, and its counters with it: the engine reads each of them after each run.
REACHED = ["-ffunction-sections", "-Wl,--gc-sections,-z,start-stop-gc"]


def command(kind, target):
    source = "fuzz/null.c" if kind == "null" else f"fuzz/fuzz_{target}.c"
    clang = compiler("CC", "clang")
    if kind == "merge":  # all counts, checks too: what the corpora of the tree have to reach
        return [*clang, *COMMON, "-O1", "-DWEIR_DEBUG", "-fsanitize=fuzzer", source]
    if kind in ("libfuzzer", "null"):
        return [*clang, *COMMON, "-O2", "-DWEIR_DEBUG", *SANITIZERS, "-fsanitize=fuzzer", *FEEDBACK, *REACHED, source]
    if kind == "volume":  # the same checks without sanitizers, and an engine of our own; what it learns is run with them too
        return [*clang, *COMMON, "-O2", "-DWEIR_DEBUG", "-fsanitize-coverage=edge,inline-bool-flag", *FEEDBACK, *REACHED, source, "fuzz/volume.c"]
    if kind == "afl":  # its driver makes the same function persistent, with inputs in shared memory
        return ["afl-clang-fast", *COMMON, "-O1", "-DWEIR_DEBUG", "-DWEIR_FUZZ_PLAIN", "-fsanitize=fuzzer", source]
    if kind == "mutator":  # what mutate.h knows of this target, as a library that afl-fuzz loads
        return [*clang, *COMMON, "-O2", "-DWEIR_FUZZ_AFL", "-shared", "-fPIC", source]
    return [*clang, *COMMON, "-O0", "-DWEIR_COVERAGE", "-DWEIR_ROW_HOOK", "-DWEIR_FUZZ_PLAIN", "-fprofile-instr-generate",
            "-fcoverage-mapping", source, "fuzz/replay.c"]


def program(work, kind, target):
    return work / "bin" / f"{kind}-{target}"


def replaying(work, target):
    """The programs that a finding is run again with: sanitizers lay memory out otherwise, and may hide what stopped the one without."""
    return [("libfuzzer", target)] + [("volume", target)] * program(work, "volume", target).exists()


def has_mutator(target):
    text = (TOP / f"fuzz/fuzz_{target}.c").read_text(encoding="utf-8")
    return '#include "mutate.h"' in text or '#include "fuzz_conn.c"' in text  # which brings it


def build_one(work, kind, target, sources):
    out = program(work, kind, target)
    line = [*command(kind, target), "-o", str(out), *(package_flags(target) or [])]
    stamp, want = out.with_suffix(".stamp"), f"{sources} {' '.join(line)}\n"
    if out.exists() and stamp.exists() and stamp.read_text() == want:
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "AFL_QUIET": "1"}
    if kind == "afl":
        env.update(AFL_USE_ASAN="1", AFL_USE_UBSAN="1")
    done = subprocess.run(line, cwd=TOP, capture_output=True, text=True, env=env, check=False)
    if done.returncode != 0:
        raise Cannot(f"{kind}-{target} does not compile:\n  {' '.join(line)}\n" +
                     "\n".join((done.stdout + done.stderr).splitlines()[-20:]))
    write_whole(stamp, want)
    return True


def build(work, pairs, jobs, say, stopping=lambda: False):
    """Every (kind, target), several at a time; what was not begun is left when it is told to stop."""
    sources = source_hash(SOURCES)
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        running = {pool.submit(build_one, work, kind, target, sources): f"{kind}-{target}" for kind, target in pairs}
        try:
            made = 0
            for count, done in enumerate(concurrent.futures.as_completed(running), 1):
                if stopping():
                    raise Cannot("interrupted while building; what is built is kept")
                if done.result():
                    made += 1
                    say(f"build: {running[done]} ({count} of {len(running)})")
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if made == 0:
        say(f"build: {len(running)} programs are up to date")


