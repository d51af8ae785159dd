#!/usr/bin/env python3
"""fuzz/campaign on a copy of the tree with a planted fault: found, told apart, made small, run again; interrupted, gone on with, refused."""
import json
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "fuzz" / "command"))
sys.dont_write_bytecode = True

import base  # noqa: E402
import packets  # noqa: E402
import seeds  # noqa: E402

PLANTED = ("size < 2 || size > len - at", "size < 2")  # an option may be longer than what is left of the list
MAPPED = "00000000000000000000ffff"


class Parts(unittest.TestCase):
    """What needs no fuzzing."""

    def test_times(self):
        self.assertEqual([base.seconds_of(t) for t in ("90", "90s", "2m", "1h30m", "1d")], [90, 90, 120, 5400, 86400])
        for bad in ("", "m", "2 m", "-1", "1w"):
            self.assertRaises(ValueError, base.seconds_of, bad)

    def test_targets_are_the_files(self):
        self.assertEqual(base.targets(), sorted(p.stem[5:] for p in (TOP / "fuzz").glob("fuzz_*.c")))

    def diary(self, text):
        with tempfile.TemporaryDirectory() as room:
            path = pathlib.Path(room) / "diary"
            path.write_text(text)
            return packets.diary(path)

    def test_a_segment_gets_its_ip_header_and_checksum(self):
        syn = "9c4000507ffffff00000000080020002000000000402080a0000000100000000"
        events, seen = self.diary(f"event 9\nin 1500000 {MAPPED}c6336402 {MAPPED}c0000201 {syn}\n")
        self.assertEqual(events, [9])
        octets = seen[0].octets
        self.assertEqual(packets.checksum(octets[:20]), 0)
        self.assertEqual(packets.checksum(octets[12:20] + struct.pack("!HH", 6, len(octets) - 20) + octets[20:]), 0)
        self.assertEqual(packets.told(seen), "event 1\n  1.500000 < 198.51.100.2.40000 > 192.0.2.1.80: Flags [S], seq 2147483632, win 2, "
                                             "options [sackOK,TS val 1 ecr 0], length 0\n")

    def test_what_is_malformed_is_told(self):
        for octets, want in ((b"\x45", "not IP"), (bytes(20) + b"\x22\x09", "not IP"),
                             (packets.with_ip(bytes(16), bytes(16), b"\1\2\3"), "not a segment"),
                             (packets.with_ip(bytes(16), bytes(16), bytes(12) + b"\x10" + bytes(7)), "data offset 4 of 20"),
                             (packets.with_ip(bytes(16), bytes(16), bytes(12) + b"\x60" + bytes(7) + b"\2\x05\1\1"), "malformed 02050101")):
            self.assertIn(want, packets.in_words(octets))

    def test_a_cut_diary_is_read(self):
        events, seen = self.diary("event 7\nevent\nin 5 - - 4500\nin 6 - -")
        self.assertEqual((events, [p.octets for p in seen]), ([7], [b"\x45\0"]))

    def test_capture_blocks(self):
        _, seen = self.diary("in 5 - - 450011\nout 4294967296000 - - 4500\n")
        data, kinds = packets.pcapng(seen, "what"), []
        while data:
            kind, length = struct.unpack("<II", data[:8])
            self.assertEqual(data[length - 4:length], data[4:8])
            kinds.append(kind)
            data = data[length:]
        self.assertEqual(kinds, [0x0a0d0d0a, 1, 6, 6])

    def test_a_capture_becomes_an_input(self):
        syn = f"{MAPPED}c6336402 {MAPPED}c0000201 9c4000507ffffff0000000006002ffff00000000020405b4"
        answer = f"{MAPPED}c0000201 {MAPPED}c6336402 00509c40000003e87ffffff16012ffff00000000020405b4"
        text = f"{MAPPED}c6336402 {MAPPED}c0000201 9c4000507ffffff1000003e95018100000000000" + "6162"
        _, seen = self.diary(f"event 9\nin 1000 {syn}\nout 1000 {answer}\nin 51000 {text}\n")
        told, = seeds.inputs_of(packets.pcapng(seen, "what"), 0x18)
        self.assertEqual(told[:8].hex(), "1c002400200018" + "0f")  # no options but MSS, passive, then what an open says
        self.assertIn(bytes.fromhex("00" "12" "cc" "18" "00000000" "00000000" "ffffff" "01e005b4"), told)     # SYN, MSS 1460
        self.assertIn(bytes.fromhex("0afc01f4" "00" "08" "cc" "0c" "00000001" "00000001" "02" "ff1000" "0900"), told)  # 50 ms; text is read

    def test_a_capture_that_does_not_say_whose_end_it_is(self):
        packet = packets.with_ip(bytes.fromhex(MAPPED + "c6336402"), bytes.fromhex(MAPPED + "c0000201"), bytes.fromhex("9c40005000000001000000006002ffff00000000020405b4"))
        record = struct.pack("<IIII", 1, 0, len(packet), len(packet)) + packet
        head = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
        self.assertEqual(len(list(seeds.inputs_of(head + record + record[:20]))), 1)  # the end that got something
        self.assertEqual(list(seeds.inputs_of(b"not a capture, or the first octets of one")), [])


class Tree(unittest.TestCase):
    """One copy of the tree, one target; the tests stand in the order in which they are run."""

    @classmethod
    def setUpClass(cls):
        cls.room = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.room.name) / "tree"
        for part in ("lib", "include", "fuzz", "vectors/runner", "tests", "ci"):
            shutil.copytree(TOP / part, cls.top / part, ignore=shutil.ignore_patterns("build-*", "__pycache__"))
        shutil.copy(TOP / "VERSION", cls.top)
        cls.work = cls.top / "build-fuzz"

    @classmethod
    def tearDownClass(cls):
        cls.room.cleanup()

    def command(self, *arguments):
        return [sys.executable, str(self.top / "fuzz/campaign"), *arguments]

    def campaign(self, *arguments, answers, **more):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, **more)
        self.assertEqual(done.returncode, answers, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def plant(self, planted=True):
        old, new = PLANTED if planted else PLANTED[::-1]
        path = self.top / "lib/wire/view.c"
        text = path.read_text()
        self.assertEqual(text.count(old + ")"), 1)
        path.write_text(text.replace(old + ")", new + ")"))

    def findings(self):
        return {f["name"]: f for f in json.loads(subprocess.run(self.command("status", "view", "--json"), capture_output=True,
                                                                text=True, check=False).stdout)["findings"]}

    def test_1_wrong_usage(self):
        self.assertIn("no target 'nothing'", self.campaign("run", "nothing", answers=2))
        self.assertIn("is not a time", self.campaign("run", "--time", "soon", answers=2))
        self.assertIn("there is no campaign", self.campaign("status", answers=2))
        self.assertIn("neither a finding", self.campaign("repro", "nothing", answers=2))

    def test_2_what_is_missing_is_named(self):
        bare = self.top / "bare"
        bare.mkdir()
        text = self.campaign("run", "view", "--no-install", answers=2, env={"PATH": str(bare)})
        self.assertRegex(text, "apt-get install clang llvm")

    def test_3_a_planted_fault(self):
        for kind in ("corpus", "regressions"):  # it is to be found, not to be known
            shutil.rmtree(self.top / "fuzz" / kind / "view", ignore_errors=True)
        self.plant()
        text = self.campaign("run", "view", "--time", "15s", "--no-install", answers=1)
        self.assertRegex(text, r"finding: \w{12} in view: ")
        self.assertRegex(text, r"1[5-9] s fuzzed, 0 s left")
        found = self.findings()
        self.assertTrue(any("does not hold together" in f["words"] or "SEGV" in f["kind"] for f in found.values()), found)
        for name, about in found.items():
            folder = self.work / "findings" / name
            small = (folder / "minimised").read_bytes()
            self.assertLessEqual(len(small), len((folder / "input").read_bytes()))
            self.assertLessEqual(len(small), 61)  # mode and the longest header: how long it is stands in the header itself
            self.assertIn("malformed", (folder / "packets.txt").read_text())
            self.assertEqual((folder / "packets.pcapng").read_bytes()[:4], b"\x0a\x0d\x0d\x0a")
            self.assertEqual((folder / "regression" / about["regression"]).read_bytes(), small)
            self.assertIn("view_", (folder / "stack.txt").read_text())
            self.assertIn(f"fuzz/campaign repro {name}", (folder / "README.md").read_text())
        rows = json.loads(subprocess.run(self.command("status", "view", "--json"), capture_output=True, text=True, check=False).stdout)["rows"]
        self.assertEqual({r["engine"] for r in rows if r["executions"] > 1000 and r["edges"] > 50}, {"libfuzzer", "afl"}, rows)
        report = (self.work / "report/index.html").read_text()
        self.assertIn("<svg", report)
        self.assertIn(next(iter(found)), report)

    def test_4_again_and_mended(self):
        name, about = next(iter(self.findings().items()))
        text = self.campaign("repro", name, "--pcapng", str(self.top / "again.pcapng"), answers=1)
        self.assertIn(f"finding {name}", text)
        self.assertIn("malformed", text)
        self.assertTrue((self.top / "again.pcapng").stat().st_size > 100)
        self.assertIn(name, self.campaign("triage", "view", answers=1))
        self.plant(False)
        self.assertIn("nothing stops it", self.campaign("repro", name, answers=0))
        self.assertIn("does not show", self.campaign("minimize", name, answers=0))
        kept = self.top / "fuzz/regressions" / about["regression"]
        shutil.copytree(self.work / "findings" / name / "regression", self.top / "fuzz/regressions", dirs_exist_ok=True)
        self.assertTrue(kept.exists())
        self.assertIn("nothing stops it", self.campaign("repro", str(kept), answers=0))

    def until(self, child, words, seconds):
        """Reads lines until one has the words."""
        end, seen = time.monotonic() + seconds, []
        for line in child.stdout:
            seen.append(line)
            if re.search(words, line):
                return line
            if time.monotonic() > end:
                break
        child.kill()
        self.fail(f"no '{words}' in\n" + "".join(seen))

    def interrupted(self, *arguments):
        """Starts a run, lets it fuzz, sends what Ctrl-C sends; the last object that it wrote."""
        command = self.command("run", "view", "--engine", "libfuzzer", "--work", str(self.top / "build-other"), "--json", *arguments)
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL, start_new_session=True)
        self.until(child, r'"executions": [1-9]', 120)
        child.send_signal(signal.SIGINT)
        with child.stdout:
            last = list(child.stdout)[-1]
        self.assertEqual(child.wait(30), 0)
        return json.loads(last)

    def test_5_interrupted_and_gone_on_with(self):
        first = self.interrupted("--time", "10m")
        self.assertEqual((first["event"], first["interrupted"], first["findings"]), ("end", True, []))
        self.assertTrue(0 < first["left"] < 600)
        second = self.interrupted()
        self.assertTrue(0 < second["left"] < first["left"])
        self.assertGreater(second["executions"], first["executions"])
        children = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(str(self.top / "build-other"), children, "a child was left behind")

    def test_6_corpora(self):
        self.assertRegex(self.campaign("merge", "view", "--work", str(self.top / "build-other"), answers=0), r"merge: view: \d+ inputs")
        names = [p.name for p in (self.top / "fuzz/corpus/view").iterdir()]
        self.assertGreater(len(names), 5)
        self.assertTrue(all(re.fullmatch(r"[0-9a-f]{64}", n) for n in names), names)
        text = self.campaign("coverage", "view", "--tree", "--line", "99", answers=1)
        self.assertRegex(text, r"line coverage [\d.]+ % is below 99 %")
        covered = re.search(r"lib/wire/view.c +(\d+)/(\d+)", text)
        self.assertGreater(int(covered[1]) / int(covered[2]), 0.7, text)
        self.assertTrue((self.work / "coverage/html/index.html").exists())

    def test_7_speed(self):
        command = [sys.executable, str(self.top / "fuzz/speed"), "view", "--runs", "2000", "--json", "--no-install", "--work", str(self.work)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        row = json.loads(done.stdout)
        self.assertEqual((row["target"], row["max_len"]), ("view", 1024))
        self.assertTrue(all(row[k] > 0 for k in ("tree", "null_tree", "mutated", "null_mutated")), row)

    def status(self, work):
        done = subprocess.run(self.command("status", "view", "--json", "--work", str(work)), capture_output=True, text=True, check=False)
        return json.loads(done.stdout)

    def test_8_volume(self):
        """Executions without sanitizers are added up over runs and told apart; what they learn is run with them."""
        work, learnt = self.top / "build-volume", self.top / "build-volume/corpus/view"
        text = self.campaign("run", "view", "--engine", "volume", "--time", "8s", "--no-install", "--work", str(work), answers=0)
        held = len(list(learnt.iterdir()))
        self.assertGreater(held, 10)
        read = int(re.search(r"view: all that is known, (\d+) inputs, was run with the sanitizers", text)[1])
        self.assertGreaterEqual(read, held)
        self.assertIn(b"INITED", (work / "logs/read-view.log").read_bytes())
        first, = self.status(work)["totals"]
        self.assertTrue(0 < first["of_these_sanitized"] < first["executions"], first)
        again = self.campaign("run", "view", "--engine", "volume", "--executions", str(first["executions"] + 1000), "--no-install",
                              "--work", str(work), answers=0)
        self.assertIn("finding", again)
        second, = self.status(work)["totals"]
        self.assertGreater(second["executions"], first["executions"] + 1000)
        self.assertEqual(second["executions"], second["executions_of_these_sources"])
        self.assertIn(f"{second['executions']:,}", self.campaign("status", "view", "--work", str(work), answers=0))
        (self.top / "lib/wire/view.c").write_text((self.top / "lib/wire/view.c").read_text() + "/* another source */\n")
        third, = self.status(work)["totals"]
        self.assertEqual((third["executions"], third["executions_of_these_sources"]), (second["executions"], 0))

    def plant_in_target(self, target, lines):
        """Lines at the beginning of what a target does with an input."""
        path = self.top / f"fuzz/fuzz_{target}.c"
        text = path.read_text()
        head = "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)\n{\n"
        self.assertEqual(text.count(head), 1)
        path.write_text(text.replace(head, head + lines))

    def test_9_what_volume_learns_meets_the_sanitizers(self):
        """A read past the input's end, which changes nothing: the program without sanitizers goes on, and its corpus tells."""
        work = self.top / "build-volume"
        self.plant_in_target("view", "    static volatile uint8_t seen;\n    seen = data[size];\n")
        base.keep_input(work / "corpus/view", bytes(range(40)))
        self.assertIn("heap-buffer-overflow", self.campaign("run", "view", "--engine", "volume", "--time", "8s", "--no-install",
                                                            "--work", str(work), answers=1))

    def test_a_what_only_the_program_without_sanitizers_shows(self):
        """It is set aside by the engine for volume, known by its check, and made small."""
        work = self.top / "build-volume"
        self.plant_in_target("ip", "#if !__has_feature(address_sanitizer)\n"
                         '    FUZZ_CHECK(size < 3 || data[2] != 0x77, "planted for volume");\n#endif\n')
        self.campaign("run", "ip", "--engine", "volume", "--time", "8s", "--no-install", "--work", str(work), answers=1)
        about, = (json.loads(p.read_text()) for p in (work / "findings").glob("*/finding.json") if json.loads(p.read_text())["target"] == "ip")
        self.assertEqual((about["kind"], about["words"], about["program"]), ("check", "planted for volume", "volume"))
        octets = (work / "findings" / about["name"] / "input").read_bytes()
        self.assertEqual((octets[2], len(octets) < 8), (0x77, True))


if __name__ == "__main__":
    unittest.main(failfast=True)
