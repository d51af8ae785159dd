"""What a campaign needs, what is missing, and the names of Debian's packages; ci/install puts it in."""
import pathlib
import shutil
import subprocess
import tempfile

from base import TOP, Cannot, compiler, package_flags, packages, targets

# What it is for, the programs, the packages.
PROGRAMS = {
    "compile": (("clang",), "clang"),
    "name the functions of a stack": (("llvm-symbolizer",), "llvm"),
    "AFL++": (("afl-fuzz", "afl-clang-fast"), "afl++"),
    "coverage": (("llvm-profdata", "llvm-cov"), "llvm"),
    "curves": (("gnuplot",), "gnuplot-nox"),
}


def absent(what):
    names, package = PROGRAMS[what]
    if what == "compile":
        names = (compiler("CC", "clang")[-1],)
    return package if any(shutil.which(n) is None for n in names) else None


def fuzzer_runtime():
    """Does the compiler have libFuzzer and the sanitizers? On Debian they are a package of their own."""
    with tempfile.TemporaryDirectory() as room:
        source = pathlib.Path(room) / "x.c"
        source.write_text("int LLVMFuzzerTestOneInput(const char *d, unsigned long n); "
                          "int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return d == 0 && n > 1 ? 0 : 0; }\n")
        done = subprocess.run([*compiler("CC", "clang"), "-fsanitize=fuzzer,address,undefined", str(source), "-o", room + "/x"],
                              capture_output=True, check=False)
    return done.returncode == 0


def missing(wants):
    """(purpose, package) of what is not there."""
    found = [(what, absent(what)) for what in wants]
    found = [(what, package) for what, package in found if package]
    if "compile" in wants and not absent("compile") and not fuzzer_runtime():
        found.append(("libFuzzer and the sanitizers of " + compiler("CC", "clang")[-1], "libclang-rt-14-dev"))
    return found


def preflight(wants, say, install=True, optional=()):
    """Sees that what is wanted is there; answers the optional things that are not."""
    lacks = missing([*wants, *optional])
    if lacks and install:
        say("preflight: missing: " + ", ".join(f"{what} ({package})" for what, package in lacks) + "; ci/install fuzz")
        done = subprocess.run([str(TOP / "ci/install"), "fuzz"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        for line in (done.stdout + done.stderr).strip().splitlines()[-3:]:
            say("preflight: " + line)
        lacks = missing([*wants, *optional])
    fatal = [(what, package) for what, package in lacks if what not in optional]
    if fatal:
        install = " ".join(dict.fromkeys(package for _, package in fatal))
        raise Cannot("preflight: missing: " + ", ".join(what for what, _ in fatal) +
                     f"\n  apt-get install {install}      (Debian's names; or: ci/install fuzz)")
    for what, package in lacks:
        say(f"preflight: no {what}: going on without it (package {package})")
    for target in targets():
        if package_flags(target) is None:
            say(f"preflight: no target {target}: pkg-config does not find {' '.join(packages(target))} (ci/install fuzz)")
    return {what for what, _ in lacks}
