#!/usr/bin/env python3
"""fuzz/oss-fuzz/build.sh as OSS-Fuzz and ClusterFuzzLite call it, without their containers: an empty $OUT, the flags and the engine from outside."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import zipfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
TARGETS = ("view", "script")  # quick to build; every other is built by the same lines
COVERAGE = "-fsanitize=fuzzer-no-link"
SANITIZERS = {"address": "-fsanitize=address", "undefined": "-fsanitize=undefined -fno-sanitize-recover=undefined",
              "memory": "-fsanitize=memory -fsanitize-memory-track-origins"}


def plant(tree):
    """An option may be longer than what is left of the list."""
    path = tree / "lib/wire/view.c"
    text = path.read_text()
    assert text.count("size < 2 || size > len - at") == 1
    path.write_text(text.replace("size < 2 || size > len - at", "size < 2"))


class Build(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.room = tempfile.TemporaryDirectory()
        cls.src = pathlib.Path(cls.room.name)
        cls.tree = cls.src / "weir"
        shutil.copytree(TOP, cls.tree, ignore=shutil.ignore_patterns("build-*", ".git", "__pycache__"))
        cls.out = cls.build("out", *TARGETS)

    @classmethod
    def tearDownClass(cls):
        cls.room.cleanup()

    @classmethod
    def build(cls, out, *targets, flags=None, engine="-fsanitize=fuzzer"):
        out, work = cls.src / out, cls.src / "work"
        for folder in (out, work):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        flags = flags or f"-O1 -fno-omit-frame-pointer -gline-tables-only {COVERAGE} {SANITIZERS['address']}"
        env = {**os.environ, "SRC": str(cls.src), "OUT": str(out), "WORK": str(work), "CC": "clang", "CXX": "clang++", "CFLAGS": flags,
               "CXXFLAGS": flags + " -stdlib=libstdc++", "LIB_FUZZING_ENGINE": engine}
        done = subprocess.run([str(cls.tree / "fuzz/oss-fuzz/build.sh"), *targets], env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return out

    def seeds(self, out, target):
        """The zip's inputs, unpacked."""
        folder = out / f"seeds-{target}"
        with zipfile.ZipFile(out / f"fuzz_{target}_seed_corpus.zip") as packed:
            packed.extractall(folder)
        return sorted(folder.iterdir())

    def run_target(self, out, target, *arguments):
        return subprocess.run([str(out / f"fuzz_{target}"), *map(str, arguments)], capture_output=True, text=True, cwd=out, check=False)

    def test_what_is_in_out(self):
        out = self.out
        for target in TARGETS:
            for name in (f"fuzz_{target}", f"fuzz_{target}_seed_corpus.zip", f"fuzz_{target}.dict", f"fuzz_{target}.options"):
                self.assertTrue((out / name).is_file(), name)
            self.assertRegex((out / f"fuzz_{target}.options").read_text(), r"^\[libfuzzer\]\nmax_len = \d+\n")
            in_tree = [p for kind in ("corpus", "regressions") for p in (TOP / "fuzz" / kind / target).glob("*")]
            self.assertEqual(len(self.seeds(out, target)), len(in_tree))
        self.assertEqual(len(list(out.glob("fuzz_*"))), 4 * len(TARGETS))

    def test_it_is_instrumented_and_runs_its_seeds(self):
        out = self.out
        for target in TARGETS:
            done = self.run_target(out, target, "-runs=0", f"-dict=fuzz_{target}.dict")
            self.assertEqual(done.returncode, 0, done.stderr)
            done = self.run_target(out, target, "-runs=1", *self.seeds(out, target))
            self.assertEqual(done.returncode, 0, done.stderr)
            points = re.search(r"Loaded 1 modules +\((\d+) inline 8-bit counters\)", done.stderr)
            self.assertIsNotNone(points, done.stderr)
            self.assertGreater(int(points[1]), 1000)
            self.assertRegex(subprocess.run(["nm", out / f"fuzz_{target}"], capture_output=True, text=True, check=True).stdout,
                             "__asan_init[^$]*sancov")

    def test_memory_sanitizer(self):
        out = self.build("memory", "view", flags=f"-O1 -gline-tables-only {COVERAGE} {SANITIZERS['memory']}")
        done = self.run_target(out, "view", "-runs=1", *self.seeds(out, "view"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_another_engine(self):
        """The engine is whatever was named: here the plain main of the tree; without flags nothing is instrumented."""
        subprocess.run(["clang", "-c", "-D_DEFAULT_SOURCE", str(TOP / "fuzz/replay.c"), "-o", str(self.src / "engine.o")], check=True)
        out = self.build("plain", "view", flags="-O0", engine=str(self.src / "engine.o"))
        done = self.run_target(out, "view", *self.seeds(out, "view"))
        self.assertEqual((done.returncode, done.stdout), (0, f"{len(self.seeds(out, 'view'))} inputs ran\n"), done.stderr)
        self.assertNotRegex(subprocess.run(["nm", out / "fuzz_view"], capture_output=True, text=True, check=True).stdout, "__asan_init|sancov")

    def test_a_planted_fault_stops_it(self):
        clean = (self.tree / "lib/wire/view.c").read_text()
        try:
            plant(self.tree)
            out = self.build("faulty", "view", flags=f"-O0 {COVERAGE} {SANITIZERS['address']}")
        finally:
            (self.tree / "lib/wire/view.c").write_text(clean)
        done = self.run_target(out, "view", "-runs=1", *self.seeds(out, "view"))
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, "does not hold together|AddressSanitizer: SEGV")

    def test_no_argument_means_every_target(self):
        """The list alone: a compiler that only notes what it is asked for."""
        note = self.src / "note"
        note.write_text('#!/bin/sh\nfor a; do case $a in fuzz/fuzz_*.c) echo "$a" >>"$SRC/noted" ;; esac; done\n')
        note.chmod(0o755)
        (self.src / "noted").unlink(missing_ok=True)
        out = self.src / "all"
        out.mkdir()
        env = {**os.environ, "SRC": str(self.src), "OUT": str(out), "WORK": str(self.src), "CC": str(note), "CXX": str(note), "CFLAGS": "",
               "CXXFLAGS": "", "LIB_FUZZING_ENGINE": ""}
        subprocess.run([str(self.tree / ".clusterfuzzlite/build.sh")], env=env, check=True)
        targets = sorted(p.relative_to(TOP).as_posix() for p in (TOP / "fuzz").glob("fuzz_*.c") if not p.with_suffix(".packages").exists())
        self.assertEqual((self.src / "noted").read_text().split(), targets)
        self.assertGreater(len(targets), 5)
        for path in targets:
            self.assertTrue((out / f"{pathlib.Path(path).stem}_seed_corpus.zip").exists(), f"{path} has no seed")

    def test_the_files_to_submit(self):
        for folder in (TOP / ".clusterfuzzlite", TOP / "fuzz/oss-fuzz"):
            self.assertRegex((folder / "project.yaml").read_text(), r"(?m)^language: c$")
            self.assertRegex((folder / "Dockerfile").read_text(), r"(?m)^FROM gcr.io/oss-fuzz-base/base-builder$")
            self.assertTrue(os.access(folder / "build.sh", os.X_OK))
        project = (TOP / "fuzz/oss-fuzz/project.yaml").read_text()
        for key in ("homepage", "main_repo", "primary_contact"):
            self.assertRegex(project, rf'(?m)^{key}: "')
        self.assertEqual(re.findall(r"(?m)^  - (\w+)$", project), ["libfuzzer", "afl", "honggfuzz", "address", "undefined", "memory"])


if __name__ == "__main__":
    unittest.main()
