#!/usr/bin/env python3
"""Runs every check of weir, two at a time, and counts.

Each step writes <build>/logs/<step>.log and shows one line; a step that fails shows the end of its log. The last line
is "N passed, N failed": the test cases of every configuration, and one for each gate.
A step that this machine cannot run (a tool or the kernel refuses) is skipped, and said loudly at the end.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
CORE_ROOMS = ("wire", "recovery", "conn", "stack")
WARNINGS = ("-std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Wstrict-prototypes "
            "-Wmissing-prototypes -Wcast-qual -Wvla -Werror").split()
CANNOT = 77  # what a test answers where the environment does not allow it
TAIL = 40
BRIEF = {"WEIR_TESTS_BRIEF": "1"}  # fewer repetitions where each is slow (tests/patience.h); the step gcc has all of them


class Failed(Exception):
    """The step is over: a command failed. The log says why."""


class Skipped(Exception):
    """The step cannot run here; the text says what is missing."""


class Tally:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def count_cases(text):
    """The cases in what cmocka, or tests/portable/cmocka.h, printed. A case that began and did not end has failed."""
    tally, running = Tally(), False
    for mark in re.findall(r"^\[ *(RUN|OK|FAILED|SKIPPED) *\] ", text, re.M):
        if mark == "RUN":
            tally.failed += running
            running = True
        elif running:  # else it is the summary, which names cases again
            tally.passed += mark == "OK"
            tally.failed += mark == "FAILED"
            tally.skipped += mark == "SKIPPED"
            running = False
    tally.failed += running
    return tally


class Step:
    """What one step may use: commands that are logged, the build folders, the tally."""

    def __init__(self, name, options):
        self.name, self.options, self.tally = name, options, Tally()
        self.build = options.build / name
        self.notes = []
        self.gates = 1  # what the step itself counts for when it succeeds
        self.log = options.build / "logs" / f"{name}.log"
        self.out = open(self.log, "w", encoding="utf-8", errors="replace")

    def say(self, text):
        self.out.write(text + "\n")
        self.out.flush()

    def run(self, *command, may_fail=False, timeout=3600, **more):
        self.say("+ " + " ".join(map(str, command)))
        try:
            done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=TOP,
                                  stdin=subprocess.DEVNULL, timeout=timeout, **more)
        except FileNotFoundError:
            raise Skipped(f"{command[0]} is not installed (ci/install)") from None
        except subprocess.TimeoutExpired as late:
            self.say((late.stdout or b"").decode(errors="replace"))
            raise Failed(f"{command[0]} took more than {timeout} s") from None
        text = done.stdout.decode(errors="replace")
        self.say(text)
        if done.returncode != 0 and not may_fail:
            raise Failed(f"{pathlib.Path(str(command[0])).name} answered {done.returncode}")
        return done.returncode, text

    def meson(self, *settings, cc=None, tests=True, env=None):
        """A build of its own from nothing, warnings as errors, then its tests."""
        env = {**os.environ, **({"CC": cc} if cc else {}), **(env or {})}
        shutil.rmtree(self.build, ignore_errors=True)
        self.run("meson", "setup", self.build, TOP, *settings, env=env)
        self.run("ninja", "-C", self.build, "-j", self.options.compile_jobs)
        if tests:
            self.meson_test(env)

    def meson_test(self, env):
        log = self.build / "meson-logs" / "testlog.json"
        code, _ = self.run("meson", "test", "-C", self.build, "--no-rebuild", "--num-processes", self.options.compile_jobs,
                           "--print-errorlogs", may_fail=True, env=env)
        if not log.exists():
            raise Failed("meson ran no test")
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            self.tally.add(self.one_program(json.loads(line)))
        if code != 0 and self.tally.failed == 0:
            raise Failed("meson test failed, and no case of it")

    def one_program(self, record):
        cases = count_cases(record.get("stdout", "") + "\n" + record.get("stderr", ""))
        counted = cases.passed + cases.failed + cases.skipped
        name, result = record["name"], record["result"]
        if result == "SKIP":
            return Tally(0, 0, max(1, counted))
        if result in ("OK", "EXPECTEDFAIL"):
            program = pathlib.Path(record["command"][-1]).name
            if counted == 0 and program.startswith("test_"):
                self.say(f"{name}: a unit test without a case")
                return Tally(0, 1, 0)
            return cases if counted else Tally(1, 0, 0)
        self.say(f"{name}: {result}")
        return cases if cases.failed else Tally(cases.passed, 1, cases.skipped)


STEPS = []


def step(phase):
    """Registers a step. Phases run one after another; the steps of a phase run two at a time."""
    def register(function):
        STEPS.append((phase, function.__name__.replace("_", "-"), function))
        return function
    return register


# ---- phase 1: builds and gates, independent of each other -------------------------------------------------

@step(1)
def tidy(s):
    _, text = s.run("ci/tidy.py")
    s.notes += [line for line in text.splitlines() if "functions:" in line]


@step(1)
def lists(s):
    s.run("ci/lists")


@step(1)
def scripts(s):
    """Every script of the tree is clean for shellcheck, or for pyflakes, which also knows what is defined twice or never used."""
    _, text = s.run("git", "ls-files", "-z", "ci", ".ci", "tests", "fuzz", "vectors", ".clusterfuzzlite")
    shell, python = [], []
    for name in text.strip("\0\n").split("\0"):
        path = TOP / name
        if not path.is_file():
            continue
        with open(path, "rb") as file:
            first = file.readline()
        if first.startswith((b"#!/bin/sh", b"#!/bin/bash", b"#!/usr/bin/env bash", b"#!/usr/bin/env sh")):
            shell.append(name)
        elif first.startswith(b"#!/usr/bin/env python3") or name.endswith(".py"):
            python.append(name)
    s.run("shellcheck", "-x", *shell)
    s.run("pyflakes3", *python)


@step(1)
def trace(s):
    """ci/trace.py finds each fault of a small tree; in this one no id is unknown and every row is explained, results aside."""
    _, text = s.run("tests/trace_test.py")
    s.tally.add(Tally(passed=int(re.search(r"^Ran (\d+) tests", text, re.M)[1])))
    s.run("ci/trace.py", "--gate")


@step(1)
def attacks(s):
    """Each attack of the table is tied to what shows immunity, to a test, to a reason, or is open; faulty tables are caught."""
    _, text = s.run("tests/attacks_test.py")
    s.tally.add(Tally(passed=int(re.search(r"^Ran (\d+) tests", text, re.M)[1])))
    s.run("ci/attacks.py", "--check")


@step(1)
def floors(s):
    """Each fuzz target reaches, with its corpus in the tree alone, what is recorded; together they reach the library below the adapter."""
    _, text = s.run("fuzz/floors", env={**os.environ, "BUILD": str(s.build)})
    s.tally.add(Tally(passed=text.count(", floor ")))
    if shutil.which("llvm-cov"):
        s.run("fuzz/campaign", "coverage", "--tree", "--rows", "--line", "95", "--branch", "90", "--no-install", "--work", str(s.build / "coverage"))
        s.tally.add(Tally(passed=1))


def run_or_skip(s, command, missing):
    """A command that answers 77 where what it needs is missing; its text, whose last line says what came out."""
    code, text = s.run(command, may_fail=True)
    if code == CANNOT:
        raise Skipped(f"{missing} (ci/install)")
    last = (text.strip().splitlines() or ["no word"])[-1]
    if code != 0:
        raise Failed(last)
    s.notes.append(last)
    return text


@step(1)
def attack_cost(s):
    """What a packet of an attack costs, in instructions: a SYN refused, a cookie, a segment among ten thousand holes."""
    s.gates = len(re.findall(r" <= ", run_or_skip(s, "ci/attack-cost", "valgrind is not installed")))


@step(1)
def attack_threads(s):
    """Two threads with stacks of their own, under a race detector; a flood in one is not noticed in the other."""
    run_or_skip(s, "ci/attack-threads", "there is no thread sanitizer")


@step(1)
def sweeps(s):
    """Everything in some narrow place: control bits in each state, two fields of a segment, urgent pointers, sizes, windows, 8-bit numbers."""
    _, text = s.run("ci/sweeps")
    s.tally.add(count_cases(text))
    s.notes += text.strip().splitlines()[-1:]


@step(1)
def gcc(s):
    s.meson("-Dbuildtype=debugoptimized", "-Ddebug_checks=true", "-Dbench=true", cc="gcc")


@step(1)
def asan(s):
    s.meson("-Dbuildtype=debug", "-Doptimization=1", "-Db_sanitize=address,undefined", "-Db_lundef=false",
            "-Dc_args=-fno-sanitize-recover=all -fno-omit-frame-pointer", cc="clang",
            env={**BRIEF, "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
                 "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"})


@step(1)
def msan(s):
    s.meson("-Dbuildtype=debug", "-Doptimization=1", "-Db_sanitize=memory", "-Db_lundef=false", "-Dcmocka=portable", "-Dvectors=disabled",
            "-Dlwip=disabled",  # nobody tells this sanitizer what it writes
            "-Dc_args=-fno-omit-frame-pointer -fsanitize-memory-track-origins", cc="clang", env=BRIEF)


def cross(s, target, *wanted):
    for tool in wanted:
        if not shutil.which(tool):
            raise Skipped(f"{tool} is not installed (ci/install)")
    s.meson("--cross-file", f"ci/cross/{target}.ini", "-Dcmocka=portable", "-Ddefault_library=static",
            "-Ddebug_checks=true", "-Doptimization=1", env=BRIEF)


@step(1)
def i686(s):
    cross(s, "i686", "i686-linux-gnu-gcc")


@step(1)
def mips(s):
    """Big-endian, 32 bits, and an unaligned access traps in hardware's stead."""
    cross(s, "mips", "mips-linux-gnu-gcc", "qemu-mips")


@step(1)
def parts(s):
    """Every core source and every public header by itself, with both compilers, in several ways of building."""
    sources = sorted(p for room in CORE_ROOMS for p in (TOP / "lib" / room).glob("*.c")) + [TOP / "lib/weir.c"]
    s.build.mkdir(parents=True, exist_ok=True)
    (s.build / "part.c").write_text("extern int part;\n")  # a header of macros alone is no unit
    for cc in ("gcc", "clang"):
        checked = [["-DWEIR_HOSTED", "-DWEIR_DEBUG", "-O1"]]
        for ways in checked + ([[], ["-DWEIR_HOSTED", "-O3"], ["-DWEIR_NO_SIMD", "-Os"]] if cc == "gcc" else [[]]):
            for source in sources:
                s.run(cc, *WARNINGS, *ways, "-Iinclude", "-Ilib", "-c", source, "-o", s.build / "part.o")
        for header in sorted((TOP / "include/weir").glob("*.h")) + sorted((TOP / "lib").glob("*/*.h")):
            if header.name not in ("rows.h", "left_out.h"):  # a table of rows, and the ends of other headers
                s.run(cc, *WARNINGS, "-Wno-unused-function", "-D_GNU_SOURCE", "-Iinclude", "-Ilib", "-fsyntax-only", "-include",
                      header, s.build / "part.c")
    s.notes.append(f"{len(sources)} sources compiled alone, 6 ways")


@step(1)
def freestanding(s):
    _, text = s.run("ci/freestanding")
    s.notes += [line for line in text.splitlines() if line.startswith(("ok Cortex", "skipped"))]
    run_or_skip(s, "ci/tiny", "arm-none-eabi-gcc is not installed")


@step(1)
def amalgam(s):
    _, text = s.run("ci/amalgam", env={**os.environ, **BRIEF})
    s.tally.add(count_cases(text))
    s.gates = len(re.findall(r"^ok \d+", text, re.M))


@step(1)
def attack_odds(s):
    """Odds of forged segments and what comes out for what goes in, by profile: no more than SECURITY.md says."""
    s.run("ci/attack-odds")


@step(1)
def attack_plant(s):
    """A sample of the guards against attacks is taken away, one at a time: what shows immunity fails. All of them: ci/attack-plant."""
    _, text = s.run("ci/attack-plant", "--sample", "4")
    s.notes += text.strip().splitlines()[-1:]


@step(1)
def coverage(s):
    _, text = s.run("ci/coverage", "--build", s.build, "--jobs", s.options.compile_jobs, env={**os.environ, **BRIEF})
    s.notes += [line for line in text.splitlines() if line.startswith("coverage:")]


@step(1)
def install(s):
    """What is installed can be used: the library by pkg-config, static and shared, from another folder."""
    root = s.build.with_name("install-root")
    shutil.rmtree(root, ignore_errors=True)
    s.meson("-Dbuildtype=release", "-Dprefix=/usr", "-Dlibdir=lib", "-Dtests=false", cc="gcc", tests=False)
    s.run("meson", "install", "-C", s.build, "--no-rebuild", "--destdir", root)
    use = s.build / "use.c"
    use.write_text('#include <weir/stack.h>\nint main(void) { weir_config c; weir_config_init(&c); return c.mtu != 1500; }\n')
    env = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": str(root), "PKG_CONFIG_LIBDIR": str(root / "usr/lib/pkgconfig")}
    _, flags = s.run("pkg-config", "--cflags", "--libs", "weir", env=env)
    s.run("gcc", use, "-o", s.build / "use", *flags.split())
    s.run(s.build / "use", env={**os.environ, "LD_LIBRARY_PATH": str(root / "usr/lib")})
    s.run("gcc", use, "-o", s.build / "use-static", "-I", root / "usr/include", root / "usr/lib/libweir.a")
    s.run(s.build / "use-static")
    s.run(root / "usr/bin/weir-tun", "--version")
    if not list((root / "usr/share/man").rglob("weir-tun.1")):
        raise Failed("the manual page is not installed")


@step(1)
def recovery(s):
    """Loss recovery and congestion control in the simulator, with the library as it is installed: each row meets its bound."""
    shutil.rmtree(s.build, ignore_errors=True)
    s.run("meson", "setup", s.build, TOP, "-Dbuildtype=release", "-Dvectors=disabled")
    s.run("ninja", "-C", s.build, "-j", s.options.compile_jobs, "tests/sim/weir-sim")
    _, text = s.run("ci/recovery", "--quick", "--jobs", "1", s.build, timeout=900)
    s.gates = int(re.search(r"^recovery: (\d+) of \d+ rows met", text, re.M)[1])
    s.notes += text.strip().splitlines()[-1:]


@step(1)
def budget(s):
    """Instructions a segment, a connection, a header, under callgrind: none costs 3 % more than its budget."""
    if not shutil.which("valgrind"):
        raise Skipped("valgrind is not installed (ci/install)")
    shutil.rmtree(s.build, ignore_errors=True)
    s.run("meson", "setup", s.build, TOP, "-Dbuildtype=debugoptimized", "-Dbench=true", "-Dtests=false", "-Dvectors=disabled",
          "-Dlwip=disabled")
    s.run("ninja", "-C", s.build, "-j", s.options.compile_jobs, "tests/bench/weir-bench")
    _, text = s.run("ci/budget", "--jobs", s.options.compile_jobs, s.build / "tests/bench/weir-bench")
    s.gates = int(re.search(r"^budget: (\d+) of \d+ kept", text, re.M)[1])
    s.notes += text.strip().splitlines()[-1:]


# ---- phase 2: needs the builds of phase 1 ------------------------------------------------------------------

def sim_program(s, build):
    found = sorted((s.options.build / build).glob("**/weir-sim-test"))
    if not found:
        raise Failed(f"{build} has no weir-sim-test: tests/sim did not build")
    return found[0]


@step(2)
def campaign(s):
    """fuzz/campaign finds a planted fault, makes it small and goes on after an interruption; OSS-Fuzz's build, without its containers."""
    for test in ("campaign_test", "oss_fuzz_test"):
        _, text = s.run(f"tests/fuzz/{test}.py", timeout=900)
        s.tally.add(Tally(passed=int(re.search(r"^Ran (\d+) tests", text, re.M)[1])))


@step(2)
def simulation(s):
    """Seeds that no one has chosen: streams equal, no stall, invariants on."""
    if not (TOP / "tests/sim/meson.build").exists():
        raise Skipped("tests/sim is not there")
    _, text = s.run(sim_program(s, "gcc"), "--seeds", s.options.seeds, "--jobs", s.options.jobs, timeout=2400)
    s.notes += ["seeds: " + line for line in text.strip().splitlines()[-2:]]


@step(2)
def same_everywhere(s):
    """One trace hash on x86-64, 32-bit and big-endian."""
    if not (TOP / "tests/sim/meson.build").exists():
        raise Skipped("tests/sim is not there")
    hashes = {}
    for target, wrapper in (("gcc", []), ("i686", []), ("mips", ["qemu-mips"])):
        _, text = s.run(*wrapper, sim_program(s, target), "--seeds", "200", "--hash", "--jobs", s.options.jobs, timeout=1200)
        found = re.findall(r"^hash ([0-9a-f]{16})$", text, re.M)
        if not found:
            raise Failed(f"weir-sim-test for {target} prints no trace hash")
        hashes[target] = found[-1]
    s.say(str(hashes))
    if len(set(hashes.values())) != 1:
        raise Failed(f"trace hashes differ: {hashes}")
    s.notes.append(f"trace hash {hashes['gcc']} on x86-64, i686 and mips")


def runner_program(build):
    found = build / "vectors/runner/weir-vectors"
    if not found.exists():
        raise Failed(f"{build.name} has no weir-vectors: libjansson-dev is missing (ci/install)")
    return found


def run_vectors(s, what, *arguments, build=None):
    """One run of weir-vectors over the tree's vectors; each vector is a case."""
    results = s.build / f"{what}.json"
    code, _ = s.run(runner_program(build or s.options.build / "gcc"), "--vectors", TOP / "vectors", "--json", results, *arguments, may_fail=True)
    if code == 2 or not results.exists():
        raise Failed(f"{what}: weir-vectors answered {code}")
    report = json.loads(results.read_text())
    counts = report["counts"]
    failed = sum(counts[v] for v in ("fail", "broken", "dead", "unexpected")) + len(report["unknown_known_failures"])
    s.tally.add(Tally(counts["pass"] + counts["known"], failed, counts["unsupported"]))
    s.notes.append(f"{what}: " + ", ".join(f"{n} {v}" for v, n in counts.items() if n))
    if code != 0 and failed == 0:
        raise Failed(f"{what}: weir-vectors answered {code}")
    return results


@step(2)
def vectors(s):
    """Every vector on weir, to the letter, over both IP versions; every row of the state table shown; files, ids and forms in order."""
    s.build.mkdir(parents=True, exist_ok=True)
    s.run("ci/vectors-sums", "--check")
    s.run("ci/vectors-schema")
    s.run("ci/generate", "--check")
    s.gates = 5
    results = run_vectors(s, "weir", "--strict", "--rows-gate", "--junit", s.build / "weir.xml")
    _, text = s.run("ci/trace.py", "--gate", "--results", results, "--html", s.build / "trace.html", "--json", s.build / "trace.json")
    s.notes += [line for line in text.splitlines() if line.startswith("trace:")]
    run_vectors(s, "weir over IPv6", "--strict", "--kind", "scenario", "--ipv6")


@step(2)
def tiny(s):
    """With WEIR_TINY all vectors that such a build can be asked, the simulation, and exchanges with a whole build; each feature left out alone."""
    s.meson("-Dbuildtype=debugoptimized", "-Dtests=false", "-Ddebug_checks=true", "-Dc_args=-DWEIR_TINY", cc="gcc", tests=False)
    run_vectors(s, "weir with WEIR_TINY", "--strict", build=s.build)
    rooms = ["lib/" + name for name in re.findall(r'^#include "(.*\.c)"', (TOP / "lib/weir.c").read_text(), re.M)]
    sim = [f"tests/sim/{name}.c" for name in "attack damage main network print scenario trace user world".split()]
    s.run("gcc", "-std=c11", "-O1", "-DWEIR_TINY", "-DWEIR_DEBUG", "-DWEIR_HOSTED", "-D_DEFAULT_SOURCE=", "-Iinclude", "-Ilib", "-Itests",
          *rooms, *sim, "-o", s.build / "sim-tiny")
    s.run(s.build / "sim-tiny", "--seeds", "500")
    for name, defines in (("whole", []), ("tiny", ["-DWEIR_TINY"])):
        s.run("gcc", "-std=c11", "-O1", *defines, f"-DEND_NAME=end_{name}", "-Iinclude", "-Ilib", "-c", "tests/tiny/end.c",
              "-o", s.build / f"{name}.o")
    s.run("gcc", "-std=c11", "-O1", "tests/tiny/pair.c", s.build / "whole.o", s.build / "tiny.o", "-o", s.build / "pair")
    s.run(s.build / "pair", "300")
    text = (TOP / "include/weir/features.h").read_text()
    alone = re.findall(r"^#ifndef (WEIR_WITH_\w+)", text, re.M)
    needs = re.findall(r'^#error "(WEIR_WITH_\w+) needs (.*)"', text, re.M)
    for choice in alone:
        needing = [f"-D{other}=0" for other, what in needs if choice in what.split()]
        s.run("gcc", *WARNINGS, f"-D{choice}=0", *needing, "-O1", "-Iinclude", "-Ilib", "-c", "lib/weir.c", "-o", s.build / "part.o")
    s.gates = len(alone)
    s.notes.append(f"{len(alone)} features left out, one at a time")


@step(2)
def lwip(s):
    """Another stack, behind the line protocol: what it fails is in its list with a reason, and nothing else."""
    adapter = s.options.build / "gcc/vectors/adapters/adapter-lwip"
    if not adapter.exists():
        raise Skipped("gcc has no adapter-lwip: liblwip-dev is missing (ci/install)")
    s.build.mkdir(parents=True, exist_ok=True)
    run_vectors(s, "lwIP", "--kind", "scenario", "--target", f"exec:{adapter}", "--known-failures", TOP / "vectors/adapters/lwip.known",
                "--html", s.build / "report")


@step(2)
def pictures(s):
    """The guide's pictures are what runs draw today; they and the report's pages are opened in a browser and looked at."""
    s.run("ci/pictures", "--check", runner_program(s.options.build / "gcc"))
    code, text = s.run("tests/vectors/pages.py", runner_program(s.options.build / "gcc"), may_fail=True)
    if code == CANNOT:
        s.tally.skipped += 1
        s.notes.append("THERE IS NO BROWSER for the pages (ci/install)")
    elif code != 0:
        raise Failed("tests/vectors/pages.py: " + (text.strip().splitlines() or ["no word"])[-1])
    else:
        s.gates = 2


@step(2)
def mutate(s):
    """A sample of one-line faults in the state machine: the vectors notice each, but those that are listed with their reason."""
    _, text = s.run("ci/mutate", "--sample", "40", "--jobs", s.options.compile_jobs, "--build", s.build, timeout=1200)
    s.notes += [line for line in text.splitlines() if " faults: " in line]


# ---- phase 3: one at a time ----------------------------------------------------------------------------------

@step(3)
def namespaces(s):
    """tests/tun/*.sh: weir and the Linux kernel over a TUN device. 77: not possible here."""
    found = [p for p in sorted((TOP / "tests/tun").glob("*.sh")) if os.access(p, os.X_OK)]
    if not found:
        raise Skipped("tests/tun has no script")
    env = {**os.environ, "WEIR_BUILD": str(s.options.build / "gcc")}
    s.gates = 0  # the scripts are the cases
    cannot = []
    for script in found:
        began = time.monotonic()
        code, text = s.run(script, s.options.build / "gcc", may_fail=True, timeout=900, env=env)
        cases = [int(n) for n in (re.findall(r"^(\d+) passed, (\d+) failed", text, re.M) or [("0", "0")])[-1]]
        if code == CANNOT:
            s.tally.skipped += 1
            cannot.append(script.name)
        elif code == 0:
            s.tally.passed += max(1, cases[0])
        else:
            s.tally.passed += cases[0]
            s.tally.failed += max(1, cases[1])
        s.say(f"{script.name}: {code} after {time.monotonic() - began:.0f} s")
    if cannot:
        s.notes.append("THIS MACHINE CANNOT RUN " + ", ".join(cannot))


@step(3)
def kernel(s):
    """Every scenario on the Linux that this runs on, in real time: what it does otherwise is in its list with a reason, and nothing else."""
    code, text = s.run("tests/vectors/kernel.sh", runner_program(s.options.build / "gcc"), may_fail=True, timeout=900)
    if code == CANNOT:
        s.tally.skipped += 1
        s.gates = 0
        s.notes.append("THIS MACHINE CANNOT RUN tests/vectors/kernel.sh")
    elif code != 0:
        raise Failed("tests/vectors/kernel.sh: " + (text.strip().splitlines() or ["no word"])[-1])


def planted(s, part):
    """Every gate catches what it is there for: one half of them, for two run at a time."""
    command = ["ci/plant.sh", "--part", part] + ([] if s.options.all_faults else ["--quick"])
    _, text = s.run(*command, timeout=3000)
    s.notes += [line for line in text.splitlines() if line.startswith("plant:")][-1:]
    s.gates = len(re.findall(r"^caught ", text, re.M))


@step(4)
def plant(s):
    planted(s, "1/2")


@step(4)
def plant_rest(s):
    planted(s, "2/2")


# ---- running them ----------------------------------------------------------------------------------------------

LOCK = threading.Lock()


def perform(name, function, options):
    s, began = Step(name, options), time.monotonic()
    try:
        function(s)
        s.tally.passed += s.gates
        word = "FAILED" if s.tally.failed else "ok"
    except Skipped as why:
        word = "skipped"
        s.tally.skipped += 1
        s.notes.append(f"SKIPPED: {why}")
    except Failed as why:
        word = "FAILED"
        s.tally.failed += 1
        s.notes.append(str(why))
    except Exception as why:  # a defect of this file must not pass for success
        word = "FAILED"
        s.tally.failed += 1
        s.notes.append(f"{type(why).__name__}: {why}")
    s.out.close()
    with LOCK:
        print(f"{word:8}{name:16}{time.monotonic() - began:6.0f} s   {s.tally}" + "".join(f"\n        {n}" for n in s.notes),
              flush=True)
        if word == "FAILED":
            print(f"---- the end of {s.log} ----")
            print("\n".join("  | " + line for line in
                            s.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]))
            print("----", flush=True)
    return s.tally, word


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="STEP", help="run just this step (may be given again)")
    parser.add_argument("--list", action="store_true", help="name the steps and end")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build-ci", help="where to build (build-ci)")
    parser.add_argument("--jobs", type=int, default=2, help="steps at a time (2)")
    parser.add_argument("--seeds", default="10000", help="seeds of the simulation (10000)")
    parser.add_argument("--all-faults", action="store_true", help="plant every fault, not the quick ones")
    options = parser.parse_args()
    known = [name for _, name, _ in STEPS]
    if options.list:
        print("\n".join(known))
        return 0
    for name in options.only or []:
        if name not in known:
            parser.error(f"no step '{name}'; there are: {' '.join(known)}")
    options.build = options.build.resolve()
    options.compile_jobs = max(1, (os.cpu_count() or 2) // options.jobs)
    (options.build / "logs").mkdir(parents=True, exist_ok=True)
    total, began, words = Tally(), time.monotonic(), {}
    for phase in sorted({phase for phase, _, _ in STEPS}):
        chosen = [(n, f) for p, n, f in STEPS if p == phase and (not options.only or n in options.only)]
        with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
            for name, done in [(n, pool.submit(perform, n, f, options)) for n, f in chosen]:
                tally, words[name] = done.result()
                total.add(tally)
    bad = [n for n, w in words.items() if w == "FAILED"]
    skipped = [n for n, w in words.items() if w == "skipped"]
    print(f"\n{len(words)} steps in {(time.monotonic() - began) / 60:.1f} min" + (f"; failed: {' '.join(bad)}" if bad else ""))
    if skipped:
        print(f"NOT RUN ON THIS MACHINE: {' '.join(skipped)}")
    if total.skipped:
        print(f"{total.skipped} cases not run: what a stack or this machine does not support, by name in the logs")
    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
