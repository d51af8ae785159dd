"""small_tree.py - a tool of ci/ against a small tree that is right, and against the same tree with one thing wrong."""
import contextlib
import importlib.util
import io
import pathlib
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent


def tool(name):
    """ci/NAME.py as a module."""
    spec = importlib.util.spec_from_file_location(name, TOP / f"ci/{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


class SmallTree(unittest.TestCase):
    """Each test has a new tree of `files` below `top`, and may change it before it runs `tool`."""
    tool, files = None, {}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = pathlib.Path(folder.name)
        for name, text in self.files.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def change(self, name, old, new):
        text = (self.top / name).read_text(encoding="utf-8")
        self.assertIn(old, text)
        self.write(name, text.replace(old, new, 1))

    def run_tool(self, *arguments):
        """Exit status and output."""
        out, before = io.StringIO(), sys.argv
        sys.argv = [self.tool.__name__, "--top", str(self.top), *arguments]
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                code = self.tool.main()
        finally:
            sys.argv = before
        return code, out.getvalue()

    def faults(self, texts, *arguments):
        """Exactly these faults, in order."""
        code, out = self.run_tool(*arguments)
        lines = [line for line in out.splitlines() if line.startswith("fault: ")]
        self.assertEqual((code, len(lines)), (1, len(texts)), out)
        for text, line in zip(texts, lines):
            self.assertIn(text, line)
