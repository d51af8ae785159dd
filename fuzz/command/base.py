"""What every part of fuzz/campaign shares: places, targets, one way to fail, files that are whole or not there."""
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
FUZZ = TOP / "fuzz"
ENGINES = ("libfuzzer", "afl", "volume")
SIDE_BY_SIDE = ("libfuzzer", "afl")    # what a campaign runs that was not told otherwise
SANITIZED = ("libfuzzer", "afl")       # engines whose programs have ASan and UBSan
NAMES = {"libfuzzer": "libFuzzer", "afl": "AFL++", "volume": "without sanitizers"}
NOTHING, FINDINGS, USAGE = 0, 1, 2  # what the command answers
CORE = ("lib/**/*.[ch]", "include/**/*.h")
SOURCES = (*CORE, "fuzz/*.[ch]", "vectors/runner/*.[ch]", "tests/*.h", "tests/model*/*.[ch]")  # what a target may be built from


class Cannot(Exception):
    """The command cannot do what it was asked; the text says why, and how to mend it."""


def targets():
    """fuzz/fuzz_<name>.c, each that has the one function of a target."""
    found = sorted(p for p in FUZZ.glob("fuzz_*.c") if "int LLVMFuzzerTestOneInput(" in p.read_text(encoding="utf-8"))
    return [p.stem.removeprefix("fuzz_") for p in found]


def packages(target):
    """What fuzz/fuzz_<target>.packages names, in pkg-config's words: libraries that the target needs beside weir."""
    path = FUZZ / f"fuzz_{target}.packages"
    return path.read_text(encoding="utf-8").split() if path.exists() else []


def package_flags(target):
    """Flags for the compiler and the linker; None: a library is not here, so neither can the target be."""
    names = packages(target)
    if not names:
        return []
    if shutil.which("pkg-config") is None:
        return None
    done = subprocess.run(["pkg-config", "--cflags", "--libs", *names], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return shlex.split(done.stdout.replace("-I", "-isystem ")) if done.returncode == 0 else None


def chosen(names):
    """The targets that were named, or all that can be built here."""
    known = targets()
    for name in names:
        if name not in known:
            raise Cannot(f"no target '{name}'; there are: {' '.join(known)}")
        if package_flags(name) is None:
            raise Cannot(f"target '{name}' needs {' '.join(packages(name))}, which pkg-config does not find (ci/install fuzz)")
    return list(dict.fromkeys(names)) or [name for name in known if package_flags(name) is not None]


def option(target, key, otherwise):
    """From fuzz/fuzz_<target>.options, which has the form that OSS-Fuzz reads."""
    path = FUZZ / f"fuzz_{target}.options"
    found = re.search(rf"^{key}\s*=\s*(\S+)", path.read_text(), re.M) if path.exists() else None
    return found.group(1) if found else otherwise


def dictionary(target):
    own = FUZZ / f"fuzz_{target}.dict"
    return own if own.exists() else FUZZ / "tcp.dict"


def in_tree(target):
    """The folders of the tree that hold inputs of this target."""
    return [f for f in (FUZZ / "corpus" / target, FUZZ / "regressions" / target) if f.is_dir() and any(f.iterdir())]


def compiler(name, otherwise):
    return shlex.split(os.environ.get(name) or otherwise)


def source_hash(patterns=CORE):
    """Twelve digits for the files that these patterns name."""
    total = hashlib.sha256()
    for path in sorted({p for pattern in patterns for p in TOP.glob(pattern)}):
        total.update(path.relative_to(TOP).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]


def read_json(path, otherwise):
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return otherwise


def write_whole(path, content):
    """The old content or the new one, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content if isinstance(content, bytes) else content.encode())
    fresh.replace(path)


def write_json(path, value):
    write_whole(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def keep_input(folder, octets, algorithm="sha1"):
    """The input under its hash; False if it is there already. libFuzzer's own names are SHA-1, the tree's are SHA-256."""
    path = folder / hashlib.new(algorithm, octets).hexdigest()
    if path.exists():
        return False
    write_whole(path, octets)
    return True


def seconds_of(text):
    """90, 90s, 2m, 1h30m, 1d."""
    if not re.fullmatch(r"(\d+[smhd])+|\d+", text):
        raise ValueError(text)
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}
    return sum(int(n) * units[u] for n, u in re.findall(r"(\d+)([smhd]?)", text))


def span(seconds):
    """A time for people."""
    seconds = int(seconds)
    if seconds < 100:
        return f"{seconds} s"
    if seconds < 6000:
        return f"{seconds // 60} min {seconds % 60:02} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"


def short(number):
    for limit, unit, divisor in ((1e4, "", 1), (1e7, "k", 1e3), (1e10, "M", 1e6)):
        if number < limit:
            return f"{number / divisor:.0f}{unit}"
    return f"{number / 1e9:.0f}G"
