#!/usr/bin/env python3
"""ci/trace.py against a small tree that is right, and against the same tree with one thing wrong: each must be found and named."""
import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from small_tree import SmallTree, tool

LACKING = "not imple" "mented"
HEAD = "id\tlevel\tsection\tparaphrase\tscope\tsource\n"
TREE = {
    "vectors/requirements/rfc9293.tsv": HEAD + "MUST-1\tMUST\t3.1\tWindows are unsigned.\twire\tRFC text\n"
    "SHLD-2\tSHOULD\t3.5.3\tText on RST.\tapi\tRFC text\nMAY-3\tMAY\t3.7.1\tMSS <always>.\twire\tRFC text\n",
    "vectors/requirements/rfc9293_events.tsv": HEAD + "RFC9293-3.10.7.4-1\tPROC\t3.10.7.4\tStep 1: acceptable.\twire\tRFC text\n"
    "RFC9293-3.10.7.4-5\tPROC\t3.10.7.4\tStep 2 (5961): outside.\twire\tRFC text\n",
    "vectors/requirements/rfc6298.tsv": HEAD + "RFC6298-5-9\tMUST\t5\tRule 5.7: three seconds.\twire\tRFC text\n"
    "RFC6298-5-10\tMAY\t5\tCleared.\twire\tRFC text\n",
    "vectors/requirements/dispositions.tsv": "id\tdisposition\tevidence\treason\n"
    "SHLD-2\ttest\ttests/test_a.c:text_on_rst tests/tun/b.sh\tonly the API can show it\n"
    f"RFC6298-5-10\t{LACKING}\t\tboth are kept as they are\nRFC6298-5-9\tnot applicable\t\tthere is no SYN in this tree\n",
    "vectors/scenario/open/first.pkt": "// id: open/first\n// title: a window\n// covers: MUST-1\n// covers: MAY-3\n// rows: A1@LISTEN A2\n\n0 x\n"
    "// covers: NOT-A-HEAD\n",
    "vectors/segment/header.json": '{"covers": ["RFC9293-3.10.7.4-1"], "vectors": [\n {"id": "segment/a"},\n'
    ' {"id": "segment/b", "family": "f", "covers": "RFC9293-3.10.7.4-5 RFC6298-5-10"}\n]}\n',
    "lib/conn/rows.h": 'ROW(A1, SEQ, S(LISTEN), F(SEQ_OK), 0, NONE, SAME, RST, "RFC 9293 3.10.7.4 first")\n'
    'CALL(A2, OPEN, ANY, 0, 0, NONE, SAME, "RFC 9293 3.10.7.4 second (MUST-1); RFC 5961 3.2")\n',
    "lib/conn/a.c": "/* windows (MUST-1) */\n/* RFC 6298 5.7 and 5.2; RFC 9293 3.10.7.4 first */\n",
    "include/weir/weir.h": "/* MAY-3 */\n",
    "tests/test_a.c": "    cmocka_unit_test(text_on_rst),\n",
    "tests/tun/b.sh": "#!/bin/sh\n",
}
RESULTS = {"cases": [{"id": i, "verdict": "pass"} for i in ("open/first", "segment/a", "segment/b")]}


class Tree(SmallTree):
    tool, files = tool("trace"), TREE

    def results(self, **verdicts):
        cases = [dict(c, verdict=verdicts.get(c["id"].replace("/", "_"), c["verdict"])) for c in RESULTS["cases"]]
        return ["--results", str(self.write("results.json", json.dumps({"cases": cases})))]

    def fault(self, text, *arguments):
        """Exactly one fault, with these words."""
        self.faults([text], *arguments)

    # ---- what is right ----

    def test_right(self):
        code, out = self.run_tool("--gate", *self.results())
        self.assertEqual(code, 0, out)
        self.assertIn(f"7 requirements: 4 shown, 1 test, 1 not applicable, 1 {LACKING}, 0 open; 3 vectors; 0 faults", out)

    def test_json_links(self):
        path = self.top / "out.json"
        self.assertEqual(self.run_tool("--json", str(path))[0], 0)
        data = json.loads(path.read_text(encoding="utf-8"))
        rows = {r["id"]: r for r in data["requirements"]}
        self.assertEqual(rows["MUST-1"]["vectors"], ["open/first"])
        self.assertEqual(rows["MUST-1"]["marks"], ["lib/conn/a.c:1", "lib/conn/rows.h:2"])
        self.assertEqual(rows["RFC6298-5-9"]["citations"], ["lib/conn/a.c:2"])
        self.assertEqual(rows["RFC9293-3.10.7.4-1"]["citations"], ["lib/conn/a.c:2", "lib/conn/rows.h:1"])
        self.assertEqual(rows["RFC9293-3.10.7.4-1"]["fsm"], ["A1"])
        self.assertEqual(rows["RFC9293-3.10.7.4-5"]["fsm"], ["A2"])
        self.assertEqual(rows["RFC6298-5-10"]["status"], LACKING)  # the vector that covers it is octets only
        self.assertEqual([(f["id"], f["vectors"]) for f in data["fsm"]], [("A1", ["open/first"]), ("A2", ["open/first"])])

    def test_html(self):
        path = self.top / "deep/out.html"
        path.parent.mkdir()
        self.assertEqual(self.run_tool("--html", str(path))[0], 0)
        text = path.read_text(encoding="utf-8")
        self.assertIn("MSS &lt;always&gt;.", text)
        self.assertNotIn("<always>", text)
        self.assertIn('href="../lib/conn/rows.h#L2"', text)
        self.assertIn('href="../vectors/segment/header.json#L3"', text)
        self.assertEqual(text.count('<tr class="'), 7)

    @unittest.skipUnless(shutil.which("chromium"), "chromium is not installed")
    def test_html_in_a_browser(self):
        path = self.top / "out.html"
        self.assertEqual(self.run_tool("--html", str(path))[0], 0)
        for words, shown in (("", 7), ("mss%20always", 1), ("step", 2), ("nowhere", 0)):
            command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.top}/browser", "--dump-dom"]
            done = subprocess.run([*command, f"{path.as_uri()}#{words}"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120,
                                  check=True, text=True)
            dom = done.stdout
            self.assertIn(f">{shown} of 7<", dom)
            self.assertEqual(dom.count(' hidden=""'), 7 - shown)

    def test_only_and_open(self):
        self.change("vectors/requirements/dispositions.tsv", "SHLD-2\ttest\ttests/test_a.c:text_on_rst tests/tun/b.sh\tonly the API can show it\n", "")
        code, out = self.run_tool("--open", "--only", "9293")
        self.assertEqual((code, out.splitlines()[0]), (0, "vectors/requirements/rfc9293.tsv:3: SHLD-2 SHOULD api: Text on RST."))
        self.assertIn("5 requirements: 4 shown", out)
        self.assertEqual(self.run_tool("--gate", "--only", "rfc6298")[0], 0)
        self.assertEqual(self.run_tool("--only", "1")[0], 2)

    def test_unsupported_shows_nothing(self):
        code, out = self.run_tool(*self.results(segment_a="unsupported"))
        self.assertEqual(code, 0)
        self.assertIn("3 shown", out)

    def test_redundant(self):
        self.change("vectors/scenario/open/first.pkt", "// covers: MAY-3", "// covers: MAY-3 SHLD-2 RFC6298-5-10")
        code, out = self.run_tool()
        self.assertEqual(code, 0)
        self.assertEqual(out.count("is shown by open/first as well: the line is redundant"), 2)

    # ---- what is wrong ----

    def test_open(self):
        self.change("vectors/scenario/open/first.pkt", "// covers: MAY-3\n", "")
        self.fault("rfc9293.tsv:4: MAY-3 (MAY) is open", "--gate")

    def test_row_without_vector(self):
        self.change("vectors/scenario/open/first.pkt", " A2", "")
        self.fault("lib/conn/rows.h:2: no vector names the row A2", "--gate")

    def test_unknown_mark(self):
        self.change("lib/conn/a.c", "MUST-1", "MUST-99")
        self.fault("lib/conn/a.c:1: MUST-99 is no requirement")

    def test_unknown_mark_of_another_rfc(self):
        self.change("include/weir/weir.h", "MAY-3", "MAY-3 RFC6298-5-99")
        self.fault("include/weir/weir.h:1: RFC6298-5-99 is no requirement")

    def test_unknown_cover(self):
        self.change("vectors/scenario/open/first.pkt", "MUST-1", "MUST-1 MUST-99")
        self.fault("vectors/scenario/open/first.pkt:1: open/first covers MUST-99")

    def test_unknown_cover_in_json(self):
        self.change("vectors/segment/header.json", "RFC9293-3.10.7.4-5", "RFC9293-3.10.7.4-5 MAY-99")
        self.fault("vectors/segment/header.json:3: segment/b covers MAY-99")

    def test_unknown_fsm_row(self):
        self.change("vectors/scenario/open/first.pkt", "A2", "A2 A3")
        self.fault("first.pkt:1: open/first names the row A3")

    def test_unknown_state(self):
        self.change("vectors/scenario/open/first.pkt", "A1@LISTEN", "A1@LISTENING")
        self.fault("names the row A1@LISTENING", )

    def test_unknown_disposition_id(self):
        self.change("vectors/requirements/dispositions.tsv", "SHLD-2\t", "SHLD-99\t")
        self.fault("dispositions.tsv:2: SHLD-99 is no requirement")

    def test_unknown_disposition(self):
        self.change("vectors/requirements/dispositions.tsv", "not applicable", "never mind")
        self.fault("dispositions.tsv:4: RFC6298-5-9: 'never mind' is none of")

    def test_disposition_twice(self):
        self.change("vectors/requirements/dispositions.tsv", "RFC6298-5-9\t", "SHLD-2\ttest\ttests/tun/b.sh\tonce more and again\nRFC6298-5-9\t")
        self.fault("dispositions.tsv:4: SHLD-2 is also in line 2")

    def test_no_reason(self):
        self.change("vectors/requirements/dispositions.tsv", "there is no SYN in this tree", "no")
        self.fault("dispositions.tsv:4: RFC6298-5-9: the reason is missing")

    def test_no_evidence(self):
        self.change("vectors/requirements/dispositions.tsv", "tests/test_a.c:text_on_rst tests/tun/b.sh", "")
        self.fault("dispositions.tsv:2: SHLD-2: evidence belongs to 'test'")

    def test_evidence_for_nothing(self):
        self.change("vectors/requirements/dispositions.tsv", "not applicable\t", "not applicable\ttests/tun/b.sh")
        self.fault("dispositions.tsv:4: RFC6298-5-9: evidence belongs to 'test'")

    def test_evidence_without_file(self):
        self.change("vectors/requirements/dispositions.tsv", "test_a.c:", "test_b.c:")
        self.fault("dispositions.tsv:2: SHLD-2: the evidence tests/test_b.c:text_on_rst does not exist")

    def test_evidence_not_registered(self):
        self.change("tests/test_a.c", "text_on_rst)", "text_on_rst_no_more)")
        self.fault("dispositions.tsv:2: SHLD-2: tests/test_a.c registers no test text_on_rst")

    def test_evidence_without_function(self):
        self.change("vectors/requirements/dispositions.tsv", "test_a.c:text_on_rst ", "test_a.c ")
        self.fault("dispositions.tsv:2: SHLD-2: the evidence is tests/test_a.c:<function>")

    def test_failed_vector(self):
        self.fault("first.pkt:1: open/first is relied on and did not pass: fail", *self.results(open_first="fail"))

    def test_vector_that_was_not_run(self):
        self.write("vectors/scenario/open/second.pkt", "// id: open/second\n// covers: MUST-1\n")
        self.fault("second.pkt:1: open/second is relied on and did not pass: not run", *self.results())

    def test_failed_vector_shows_nothing(self):
        _, out = self.run_tool(*self.results(open_first="dead"))
        self.assertIn("2 shown", out)

    def test_broken_head(self):
        self.change("vectors/scenario/open/first.pkt", "id: open/first", "id: open/second")
        self.fault("first.pkt:1: the id is 'open/second', its place says open/first")

    def test_broken_json(self):
        self.write("vectors/function/broken.json", '{"vectors": [\n,')
        self.fault("vectors/function/broken.json: no JSON: Expecting value: line 2 column")

    def test_broken_table(self):
        self.change("vectors/requirements/rfc6298.tsv", "\tCleared.", "")
        code, out = self.run_tool()
        self.assertEqual(code, 1)
        self.assertIn("rfc6298.tsv:3: 5 cells", out)

    def test_broken_row_of_rows_h(self):
        self.write("lib/conn/rows.h", TREE["lib/conn/rows.h"] + "ROW(A3, SEQ,\n")
        self.fault("lib/conn/rows.h:3: a row that cannot be read")

    def test_broken_heads(self):
        self.change("vectors/requirements/dispositions.tsv", "\treason", "\twhy")
        self.fault("dispositions.tsv:1: the head is not id, disposition, evidence, reason")
        self.write("vectors/requirements/dispositions.tsv", TREE["vectors/requirements/dispositions.tsv"])
        self.write("vectors/requirements/rfc1.tsv", "id\tlevel\n")
        self.fault("rfc1.tsv:1: the head is not id, level, section, paraphrase, scope, source")

    def test_broken_disposition(self):
        self.change("vectors/requirements/dispositions.tsv", "\tthere is no SYN in this tree", "")
        self.fault("dispositions.tsv:4: 3 cells, 4 are wanted")

    def test_broken_cells(self):
        for old, new, text in (("MUST-1\t", "must-1\t", "rfc9293.tsv:2: 'must-1' has not the form of an id"),
                               ("MUST\t3.1", "OUGHT\t3.1", "rfc9293.tsv:2: MUST-1: no such level or scope: OUGHT, wire"),
                               ("wire\tRFC", "air\tRFC", "rfc9293.tsv:2: MUST-1: no such level or scope: MUST, air")):
            self.write("vectors/requirements/rfc9293.tsv", TREE["vectors/requirements/rfc9293.tsv"])
            self.change("vectors/requirements/rfc9293.tsv", old, new)
            code, out = self.run_tool()
            self.assertEqual(code, 1)
            self.assertIn(text, out)

    def test_no_text(self):
        (self.top / "include/weir/weir.h").write_bytes(b"\xff\xfe")
        self.fault("include/weir/weir.h: cannot be read:")

    def test_nothing_there(self):
        with tempfile.TemporaryDirectory() as empty:
            self.top = pathlib.Path(empty)
            code, out = self.run_tool()
        self.assertEqual(code, 1)
        self.assertIn("vectors/requirements: there is no requirement", out)

    def test_citations(self):
        """A line that names the id is no citation besides; a long section without its step is none at all."""
        self.change("lib/conn/a.c", "(MUST-1)", "(RFC 9293 3.1: MUST-1)")
        rows = "".join("RFC%d-5-%d\tPROC\t5\tOne of many.\twire\tRFC text\n" % (6298, n) for n in range(20, 32))
        self.change("vectors/requirements/rfc6298.tsv", "RFC6298-5-10", rows + "RFC6298-5-10")
        self.change("lib/conn/a.c", "/* RFC 6298 5.7", "/* RFC 6298 5 */\n/* RFC 6298 5.7")
        path = self.top / "out.json"
        self.run_tool("--json", str(path))
        found = {r["id"]: r for r in json.loads(path.read_text(encoding="utf-8"))["requirements"]}
        self.assertEqual((found["MUST-1"]["marks"], found["MUST-1"]["citations"]), (["lib/conn/a.c:1", "lib/conn/rows.h:2"], []))
        self.assertEqual(found["RFC6298-5-20"]["citations"], [])
        self.assertEqual(found["RFC6298-5-9"]["citations"], ["lib/conn/a.c:3"])

    def test_id_twice(self):
        self.change("vectors/requirements/rfc6298.tsv", "RFC6298-5-10", "MUST-1")
        code, out = self.run_tool()
        self.assertEqual(code, 1)
        self.assertIn("rfc9293.tsv:2: MUST-1 is also in vectors/requirements/rfc6298.tsv:3", out)

    def test_bad_results(self):
        for text in ("", "[]", '{"cases": [{"id": 1}]}', '{"cases": 3}'):
            self.assertEqual(self.run_tool("--results", str(self.write("results.json", text)))[0], 2, text)
        self.assertEqual(self.run_tool("--results", str(self.top / "nowhere.json"))[0], 2)


if __name__ == "__main__":
    unittest.main()
