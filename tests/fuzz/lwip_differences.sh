#!/bin/sh
# tests/fuzz/lwip_differences.sh REPLAY CORPUS... - every line of fuzz/lwip_differences.h is needed by an input of the corpus, so that none
# stands there for a difference that is gone.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
diary=$(mktemp)
trap 'rm -f "$diary"' EXIT
WEIR_FUZZ_DIARY=$diary "$@" >/dev/null
sed -n 's/^difference //p' "$diary" | LC_ALL=C sort -u >"$diary.seen"
sed -n 's/^DIFFERENCE(\([a-z0-9_]*\),.*/\1/p' "$top/fuzz/lwip_differences.h" | LC_ALL=C sort >"$diary.listed"
unseen=$(LC_ALL=C comm -13 "$diary.seen" "$diary.listed")
listed=$(wc -l <"$diary.listed")
rm -f "$diary.seen" "$diary.listed"
if [ "$listed" -eq 0 ] || [ -n "$unseen" ]; then
    printf 'lwip_differences: %s listed; no input shows:\n%s\n' "$listed" "$unseen"
    exit 1
fi
echo "lwip_differences: $listed listed, each shown"
