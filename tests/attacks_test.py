#!/usr/bin/env python3
"""ci/attacks.py against a small tree that is right, the same tree with one thing wrong, and faulty copies of the real tables."""
import json
import pathlib
import shutil
import tempfile
import unittest

from small_tree import TOP, SmallTree, tool

attacks = tool("attacks")
HEAD = "id\tyear\tclass\tstacks\troot_cause\timmunity_test\tevidence\n"
GIVEN = "id\tdisposition\tevidence\treason\n"
TABLE = HEAD + "".join(f"CVE-{n}\t1999\t{'PARSE' if n % 2 else 'CC'}\tall\tx\t[V{n:02} name] do it\tK\n" for n in range(1, 47))
KINDS = ("shown\tattack/one\t", "tested\ttests/test_a.c:first\t", "cannot apply\t\tthere is nothing like that", "open\t\tcookies are wanted")
TREE = {
    "vectors/attacks/attacks.tsv": TABLE,
    "vectors/attacks/dispositions.tsv": GIVEN + "".join(f"V{n:02}\tshown\tattack function/iss/plain\t\n" for n in range(1, 47)) +
    "".join(f"CVE-{n}\t{KINDS[n % 4]}\n" for n in range(1, 47)),
    "vectors/attacks/faults.tsv": "id\tfile\told\tnew\tseen by\twhat\n" +
    "".join(f"V{n:02}\tlib/a.c\tguard\t0\tattack\ta guard is gone\n" for n in range(1, 47)),
    "lib/a.c": "guard\n",
    "SECURITY.md": "`tests/test_a.c:first` `attack/one` `ci/gate` `tests`\n",
    "vectors/scenario/attack/one.pkt": "// id: attack/one\n",
    "vectors/function/iss.json": json.dumps({"vectors": [{"id": "function/iss/plain"}]}),
    "vectors/function/schema.json": "{}",
    "tests/test_a.c": "cmocka_unit_test(first),\ncmocka_unit_test_setup(second, begin),\n",
    "ci/gate": "#!/bin/sh\n",
}


class Tree(SmallTree):
    tool, files = attacks, TREE

    def change(self, name, old, new):
        super().change(f"vectors/attacks/{name}", old, new)

    def fault(self, *texts):
        """Exactly these faults, in order."""
        self.faults(texts, "--check")

    # ---- what is right ----

    def test_right(self):
        code, out = self.run_tool("--check")
        self.assertEqual((code, out), (0, "attacks: 35/46 rows: 11 shown, 12 tested, 12 cannot apply, 11 open; "
                                          "46/46 immunity vectors: 46 shown, 0 tested, 0 cannot apply, 0 open; 0 faults\n"))

    def test_report(self):
        code, out = self.run_tool()
        self.assertEqual(code, 0)
        self.assertIn("CC               23: 11 shown, 0 tested, 12 cannot apply, 0 open\n", out)
        self.assertIn("open: CVE-3: cookies are wanted\n", out)
        self.assertEqual(out.count("open: "), 11)

    def test_scripts_and_tests_with_a_setup(self):
        self.change("dispositions.tsv", "tests/test_a.c:first", "tests/test_a.c:second ci/gate")
        self.assertEqual(self.run_tool("--check")[0], 0)

    # ---- what is wrong ----

    def test_a_guard_that_is_gone(self):
        super().change("lib/a.c", "guard", "another")
        self.faults([f"V{n:02}: what it changes is not in lib/a.c" for n in range(1, 47)], "--check")

    def test_a_fault_seen_by_something_else(self):
        self.change("faults.tsv", "V02\tlib/a.c\tguard\t0\tattack\t", "V02\tlib/a.c\tguard\t0\tci/gate\t")
        self.fault("V02: seen by what is not among its evidence")

    def test_an_immunity_vector_without_a_fault(self):
        self.change("faults.tsv", "V03\tlib/a.c", "V02\tlib/a.c")
        self.fault("V03 has no fault")

    def test_a_promise_without_its_test(self):
        super().change("SECURITY.md", "test_a.c:first", "test_a.c:third")
        self.fault("SECURITY.md:1: there is no tests/test_a.c:third")

    def test_a_row_without_a_disposition(self):
        self.change("dispositions.tsv", "CVE-3\topen\t\tcookies are wanted\n", "")
        self.fault("attacks.tsv:4: CVE-3 has no disposition")

    def test_a_row_is_gone(self):
        self.change("attacks.tsv", TABLE.splitlines(True)[3], "")
        self.fault("attacks.tsv: no row names V03", "dispositions.tsv:50: CVE-3 is no row")

    def test_a_row_was_renamed(self):
        self.change("attacks.tsv", "CVE-3\t", "CVE-999\t")
        self.fault("CVE-3 is no row", "attacks.tsv:4: CVE-999 has no disposition")

    def test_a_row_twice(self):
        self.change("attacks.tsv", "CVE-3\t", "CVE-2\t")
        self.fault("attacks.tsv:4: CVE-2 is there twice", "no row names V03", "CVE-3 is no row")

    def test_a_row_with_a_field_less(self):
        self.change("attacks.tsv", "CVE-4\t1999\t", "CVE-4\t")
        self.fault("attacks.tsv:5: 6 fields and not 7", "no row names V04", "CVE-4 is no row")

    def test_a_row_that_names_no_immunity_vector(self):
        self.change("attacks.tsv", "[V46 ", "[V47 ")
        self.fault("attacks.tsv:47: CVE-46 names no immunity vector", "no row names V46", "CVE-46 is no row")

    def test_another_head(self):
        self.change("attacks.tsv", "id\tyear", "name\tyear")
        self.fault("attacks.tsv:1: the head is not id, year")

    def test_an_immunity_vector_without_a_disposition(self):
        self.change("dispositions.tsv", "V07\tshown\tattack function/iss/plain\t\n", "")
        self.fault("V07 has no disposition")

    def test_an_unknown_id(self):
        self.change("dispositions.tsv", "V07\t", "V47\t")
        self.fault("dispositions.tsv:8: V47 is no row", "V07 has no disposition")

    def test_a_disposition_twice(self):
        self.change("dispositions.tsv", "V07\t", "V06\t")
        self.fault("dispositions.tsv:8: V06 has a disposition already", "V07 has no disposition")

    def test_an_unknown_disposition(self):
        self.change("dispositions.tsv", "cannot apply", "never mind")
        self.fault("'never mind' is none of", "CVE-2 has no disposition")

    def test_an_unknown_vector(self):
        self.change("dispositions.tsv", "attack/one", "attack/two")
        self.fault("CVE-4: there is no vector attack/two")

    def test_a_part_of_an_id_is_no_folder(self):
        self.change("dispositions.tsv", "attack/one", "attack/o")
        self.fault("there is no vector attack/o")

    def test_an_unknown_test(self):
        self.change("dispositions.tsv", "test_a.c:first", "test_a.c:firs")
        self.fault("CVE-1: there is no tests/test_a.c:firs")

    def test_an_unknown_file(self):
        self.change("dispositions.tsv", "tests/test_a.c:first", "ci/gat")
        self.fault("CVE-1: there is no ci/gat")

    def test_shown_by_tests_only(self):
        self.change("dispositions.tsv", "shown\tattack/one", "shown\ttests/test_a.c:first")
        self.fault("CVE-4: nothing shows it")

    def test_tested_by_nothing(self):
        self.change("dispositions.tsv", "tested\ttests/test_a.c:first", "tested\t")
        self.fault("CVE-1: nothing tests it")

    def test_no_reason(self):
        self.change("dispositions.tsv", "cookies are wanted", "no")
        self.fault("CVE-3: 'open' has a reason and no evidence")

    def test_evidence_of_what_cannot_apply(self):
        self.change("dispositions.tsv", "cannot apply\t", "cannot apply\tattack/one")
        self.fault("CVE-2: 'cannot apply' has a reason and no evidence")

    def test_no_table(self):
        (self.top / "vectors/attacks/dispositions.tsv").unlink()
        code, out = self.run_tool("--check")
        self.assertEqual(code, 1)
        self.assertIn("dispositions.tsv: cannot be read", out)


class RealTable(unittest.TestCase):
    """The tables of this tree: every line counts. What they name is taken as it stands, so the vectors are not needed."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        shutil.copytree(TOP / "vectors/attacks", self.top / "vectors/attacks")

    def fault_lines(self):
        a = attacks.Attacks(self.top)
        a.read_rows()
        a.judge = lambda *_: None
        a.read_dispositions()
        return a.faults

    def test_every_line_that_is_missing_is_noticed(self):
        self.assertEqual(self.fault_lines(), [])
        for name in ("attacks.tsv", "dispositions.tsv"):
            path = self.top / "vectors/attacks" / name
            lines = path.read_text(encoding="utf-8").splitlines(True)
            self.assertEqual(len(lines), 302 if name == "attacks.tsv" else 348)
            for i in range(1, len(lines)):
                path.write_text("".join(lines[:i] + lines[i + 1:]), encoding="utf-8")
                self.assertTrue(self.fault_lines(), lines[i])
            path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    unittest.main()
