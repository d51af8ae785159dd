#!/usr/bin/env python3
"""Opens the HTML report and the guide's pictures in headless Chromium and looks at what they show.

    pages.py RUNNER    the program weir-vectors, from the top of the tree or anywhere

The report is made of a run in which one scenario fails and one cannot be read. Ends with 0, 1 if a page does not show what it must, 77
where there is no Chromium.
"""
import http.server
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree
import zlib

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
GUIDE = TOP / "vectors/guide"
FAILING = "// id: odd/failing\n// title: A <title> & \"more\"\n// level: MUST\n// section: RFC 9293 3.5\n\n" \
          "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n" \
          "+.01 < S 0:0(0) win 1000 <mss 1460>\n+0 > S. 0:0(0) ack 2 <mss 1460> // <b>\n"
BROKEN = "// id: odd/broken\n// title: Not a script\n// level: MUST\n// section: RFC 9293 3.5\n\n+0 what is this\n"


class Chromium:
    def __init__(self, program, folder):
        self.program, self.folder, self.faults = program, folder, []

    def run(self, address, *options):
        # A virtual time that is used up at once: scripts have run when the page is looked at.
        words = [self.program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr",
                 "--log-level=0", f"--user-data-dir={self.folder}/chromium", "--virtual-time-budget=2000", "--window-size=1100,1400",
                 *options, address]
        done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
        for line in done.stderr.splitlines():
            if ":CONSOLE(" in line and re.search(r"error|Uncaught|Failed|Refused", line, re.I):
                self.faults.append(f"{address}: {line}")
        if done.returncode != 0:
            self.faults.append(f"{address}: chromium ended with {done.returncode}: {done.stderr[-500:]}")
        return done.stdout

    def expect(self, condition, what):
        if not condition:
            self.faults.append(what)

    def look(self, address, what):
        """A screenshot in light and in dark: neither may be an empty sheet, and the paper's colour must follow."""
        for dark in (False, True):
            path = pathlib.Path(self.folder) / "shot.png"
            path.unlink(missing_ok=True)
            options = ["--force-dark-mode"] if dark else []
            self.run(address, f"--screenshot={path}", *options)
            rows, paper = png_rows(path.read_bytes()) if path.exists() else (0, 128)
            self.expect(rows > 60, f"{what}: an empty sheet")
            wanted = "dark" if dark else "light"
            self.expect(paper < 60 if dark else paper > 200, f"{what}: the paper is {paper} of 255 where {wanted} is wanted")


def png_rows(octets):
    """The different rows of a PNG as it is packed, enough to tell a picture from an empty sheet; and how bright its first pixel is."""
    at, data, width, height, channels = 8, b"", 0, 0, 0
    while at < len(octets):
        size, kind = struct.unpack(">I4s", octets[at:at + 8])
        body = octets[at + 8:at + 8 + size]
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", body[:10])
            channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
        elif kind == b"IDAT":
            data += body
        at += size + 12
    rows, stride = zlib.decompress(data), width * channels + 1
    return len({rows[i * stride:(i + 1) * stride] for i in range(height)}), rows[1]


def served(folder):
    """The folder over a local port; what is asked for and not there is kept."""
    missing = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, format, *args):
            pass

        def send_error(self, code, message=None, explain=None):
            if self.path != "/favicon.ico":  # a browser asks for it where a picture cannot say that there is none
                missing.append(f"{self.path}: {code}")
            super().send_error(code, message, explain)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, missing


def shown(dom):
    """Rows of cases that are not hidden."""
    return len(re.findall(r"<tr data-case=\"\">", dom))


def look_at_report(chromium, base, count):
    dom = chromium.run(f"{base}/index.html", "--dump-dom")
    chromium.expect(f'<b id="total">{count}</b>' in dom, f"index: not {count} vectors")
    chromium.expect(shown(dom) == count, f"index: {shown(dom)} rows of {count}")
    chromium.expect(f">{count} of {count}</span>" in dom, "index: the filter's script did not run")
    chromium.expect("Failures: 2" in dom, "index: the two failures do not stand first")
    chromium.expect(dom.find("Failures: 2") < dom.find("By section and level"), "index: failures are not first")
    chromium.expect('A &lt;title&gt; &amp; "more"' in dom, "index: a title is not escaped")
    dom = chromium.run(f"{base}/index.html#odd/failing%20must", "--dump-dom")
    chromium.expect(shown(dom) == 1 and f">1 of {count}</span>" in dom, f"index, filtered: {shown(dom)} rows, not 1")
    dom = chromium.run(f"{base}/index.html#nothing-has-this", "--dump-dom")
    chromium.expect(shown(dom) == 0 and f">0 of {count}</span>" in dom, "index, filtered by what nothing has: not empty")
    chromium.look(f"{base}/index.html", "index")
    dom = chromium.run(f"{base}/cases/odd~failing.html", "--dump-dom")
    for text in ("odd/failing", "expected, and did not come", "&gt; S. 0:0(0) ack 2", "weir-vectors", "SYN-RECEIVED", 'class="at"',
                 "odd~failing.pcapng", "// &lt;b&gt;"):
        chromium.expect(text in dom, f"page of a failure: {text} is missing")
    chromium.look(f"{base}/cases/odd~failing.html", "page of a failure")
    chromium.expect("this" in chromium.run(f"{base}/cases/odd~broken.html", "--dump-dom"), "page of a broken script: no reason")
    dom = chromium.run(f"{base}/cases/guide~lost-last-ack.html", "--dump-dom")
    for text in ("TIME-WAIT", "FIN,ACK", ">lost<", "MUST-13", "rfc9293#section-3.6.1"):
        chromium.expect(text in dom, f"page of a scenario: {text} is missing")


def look_at_guide(chromium, base):
    names = sorted(path.name for path in GUIDE.glob("*.svg"))
    readme = (GUIDE / "README.md").read_text()
    chromium.expect(sorted(re.findall(r"\]\((\S+\.svg)\)", readme)) == names, "guide: README shows other pictures than there are")
    for name in names:
        octets = (GUIDE / name).read_bytes()
        try:
            xml.etree.ElementTree.fromstring(octets)
        except xml.etree.ElementTree.ParseError as fault:
            chromium.faults.append(f"{name}: {fault}")
        chromium.expect(not re.search(rb"href|url\(|@import|<script", octets), f"{name}: something from elsewhere")
        chromium.look(f"{base}/{name}", name)
    text = chromium.run(f"{base}/header.svg", "--dump-dom")
    chromium.expect(all(word in text for word in ("sequence number", "1f 90", "mss 1460")), "header.svg: fields are missing")


def make_report(runner, folder):
    (folder / "odd").mkdir()
    (folder / "odd/failing.pkt").write_text(FAILING)
    (folder / "odd/broken.pkt").write_text(BROKEN)
    done = subprocess.run([runner, "--html", str(folder / "report"), str(TOP / "vectors/scenario/guide"), str(folder / "odd")],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (1, 2):
        sys.exit(f"pages: {runner} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return len(list((TOP / "vectors/scenario/guide").glob("*.pkt"))) + 2


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        print("pages: no chromium here: the pages were not looked at")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        count = make_report(sys.argv[1], folder)
        chromium = Chromium(program, folder)
        for root, look in ((folder / "report", lambda base: look_at_report(chromium, base, count)),
                           (GUIDE, lambda base: look_at_guide(chromium, base))):
            server, missing = served(root)
            look(f"http://127.0.0.1:{server.server_address[1]}")
            server.shutdown()
            chromium.faults += missing
        for fault in chromium.faults:
            print(f"pages: {fault}")
        print(f"pages: {len(chromium.faults)} faults")
        sys.exit(1 if chromium.faults else 0)


if __name__ == "__main__":
    main()
