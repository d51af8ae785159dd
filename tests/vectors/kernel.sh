#!/bin/sh
# kernel.sh - every scenario on the Linux kernel: what fails is listed with its reason, and what is listed fails.
# usage: kernel.sh WEIR-VECTORS [OPTION]...
#
# Real time on a machine with other work: what does not come out as listed runs again alone, up to three times, and counts if it
# never does. linux.sometimes names (by glob) what depends on which of two things Linux does first.
set -eu
runner=$1
shift
lists=$(cd "$(dirname "$0")/../../vectors/adapters" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What came out otherwise than listed, one id a line.
otherwise() {
    python3 - "$1" "$lists/linux.sometimes" <<'END'
import fnmatch
import json
import sys

sometimes = [line.split()[0] for line in open(sys.argv[2], encoding="utf-8") if line.strip() and line[0] != "#"]
for case in json.load(open(sys.argv[1], encoding="utf-8"))["cases"]:
    if case["verdict"] in ("fail", "dead", "broken", "unexpected") and not any(fnmatch.fnmatchcase(case["id"], glob) for glob in sometimes):
        print(case["id"])
END
}

run() {
    status=0
    "$runner" --kind scenario --target kernel --known-failures "$lists/linux.known" --json "$work/report.json" "$@" \
        >"$work/table" 2>"$work/errors" || status=$?
    if [ "$status" -gt 1 ] && ! [ -s "$work/report.json" ]; then
        cat "$work/errors" >&2
        if grep -qE 'namespace|/dev/net/tun|interface' "$work/errors"; then
            exit 77
        fi
        exit "$status"
    fi
    otherwise "$work/report.json" >"$work/left"
}

run --jobs 4 "$@"
head -n 1 "$work/table"
again=0
while [ -s "$work/left" ] && [ "$again" -lt 3 ]; do
    again=$((again + 1))
    echo "again, $again: $(wc -l <"$work/left") scenarios"
    # shellcheck disable=SC2046 # ids have no blanks
    run --jobs 1 "$@" $(cat "$work/left")
done
if [ -s "$work/left" ]; then
    cat "$work/table"
    exit 1
fi
