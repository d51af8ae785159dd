#!/bin/sh
# program.sh PROGRAM - weir-vectors as its users meet it: what it ends with, and what it says.
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
format=$(cd "$(dirname "$0")/../.." && pwd)/FORMAT.md
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 2
unset WEIR_VECTORS
passed=0 failed=0

# try EXIT PATTERN ARGUMENT... - the program must end with EXIT, and what it says must hold a line that matches.
try() {
    wanted=$1 pattern=$2
    shift 2
    "$program" "$@" >out 2>&1
    got=$?
    if [ "$got" = "$wanted" ] && { [ -z "$pattern" ] || grep -Eq -- "$pattern" out; }; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED weir-vectors $*: ended with $got, $wanted was expected, with '$pattern' in:"
        head -n 20 out | sed 's/^/    /'
    fi
}

# A scenario with a head: a passive open that the stack must answer with these flags.
vector() { # vector ID FLAGS-OF-THE-ANSWER [HEAD LINE]...
    mkdir -p "v/scenario/$(dirname "$1")"
    {
        printf '// id: %s\n// title: a passive open\n// level: MUST\n// section: RFC 9293 3.10.7.2\n' "$1"
        [ $# -lt 3 ] || printf '// %s\n' "$3"
        printf '\n+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n'
        printf '+0 < S 0:0(0) win 1000 <mss 1000>\n+0 > %s 0:0(0) ack 1 <...>\n' "$2"
    } >"v/scenario/$1.pkt"
}
mkdir -p v
vector one/right S.
vector one/also-right S. 'covers: MUST-13'
vector two/wrong P.
vector three/needs S. 'needs: md5'

# the command line
try 0 '^usage: weir-vectors' --help
try 0 '^weir-vectors [0-9]' --version
try 2 "a target is weir, weir-conn, kernel or exec:COMMAND, not 'windows'" --target windows
try 2 "a profile is rfc, linux or freebsd, not 'solaris'" --profile solaris
try 2 "no such kind: 'tale'" --kind tale
try 2 "a number from 1 to 3 is wanted" --shard 4/3
try 2 "wants I/N" --shard 3
try 2 "unrecognized option" --nonsense
try 2 'is neither a file nor the id of a vector' --vectors v no/such/vector
try 2 'no vector is chosen' --vectors v --run 'nothing*'
try 2 'nowhere: No such file' --vectors nowhere
try 2 'rows are weir' --vectors v --rows-gate --target exec:cat

# which vectors
try 0 '^scenario  one/right  a passive open$' --vectors v --list
try 0 '"id": "one/also-right"' --vectors v --list --json one
WEIR_VECTORS=v try 0 'two/wrong' --list
try 0 '^1 vectors ' --vectors v one/right
try 0 '^2 vectors \(0 segments, 0 functions, 2 scenarios\)' --vectors v one
try 0 '^1 vectors ' --vectors v --run 'one/r*'
try 0 '^1 vectors ' v/scenario/one/right.pkt
try 0 '^2 vectors ' v/scenario/one
"$program" --vectors v --list --shard 1/2 >first && "$program" --vectors v --list --shard 2/2 >second
"$program" --vectors v --list | sort >whole
if sort first second | cmp -s - whole; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED shards are not the whole"; fi

# what comes of them
try 1 '^fail two/wrong$' --vectors v
try 1 'again: weir-vectors --vectors v two/wrong$' --vectors v
try 1 '1  .*md5' --vectors v
try 1 '^1\.\.4$' --vectors v --tap
try 1 '^not ok 4 - two/wrong$' --vectors v --tap --jobs 0
try 1 'ok 3 - three/needs # SKIP ' --vectors v --tap
try 1 'vectors a second on one core' --vectors v --repeat 3
try 1 'NOT NAMED' --vectors v --rows-gate one
try 0 'NOT NAMED' rows --vectors v one
try 1 '^all ' --vectors v --json r.json --junit r.xml
try 0 '' check v/scenario/one/right.pkt
python3 - <<'PY' || { failed=$((failed + 1)) && echo "FAILED the reports for machines"; }
import json, sys, xml.dom.minidom
cases = {c["id"]: c for c in json.load(open("r.json"))["cases"]}
assert [cases[i]["verdict"] for i in ("one/right", "one/also-right", "two/wrong", "three/needs")] == ["pass", "pass", "fail", "unsupported"]
assert cases["one/also-right"]["covers"] == ["MUST-13"] and "L4" in cases["one/right"]["rows_fired"]
suite = xml.dom.minidom.parse("r.xml").getElementsByTagName("testsuite")[0]
assert (suite.getAttribute("tests"), suite.getAttribute("failures"), suite.getAttribute("skipped")) == ("4", "1", "1")
PY

# what the options are for: IPv6, a report to look at, symbols, settings, taste
try 0 '^1 vectors ' --vectors v --ipv6 --html pages one/right
if [ -s pages/index.html ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED --html made no index"; fi
mkdir w
{ sed '$d' v/scenario/one/right.pkt; printf '#ifdef SMALL\n+0 > S. 0:0(0) ack 1 <mss 1360>\n#endif\n#ifdef LARGE\n+0 > S. 0:0(0) ack 1 <mss 1460>\n#endif\n'; } |
    sed '1,/^$/d' >w/mss.pkt
try 0 '^1 vectors ' --profile rfc -D LARGE=1 w/mss.pkt
try 1 'mss 1360> expected' --profile rfc -D SMALL w/mss.pkt
try 0 '^1 vectors ' --profile rfc -D SMALL --set mtu=1400 w/mss.pkt
try 2 'no such setting: .no-such-setting' --set no-such-setting=1 one/right --vectors v
{ cat v/scenario/one/right.pkt && printf '+.1 < . 1:1(0) ack 1 win 1000\n+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 100) = 100\n+0 > . 1:101(100) ack 1\n'; } |
    sed '1,/^$/d' >w/taste.pkt
try 0 '^all +1 +0 +1 +0' w/taste.pkt
try 1 '^all +1 +0 +0 +1' --strict w/taste.pkt

# shellcheck disable=SC2016 # the back quotes are FORMAT.md's
for name in $(sed -n '/^## Settings/,/^Socket options/{s/^| \(`[^|]*`\) |.*/\1/p}' "$format" | tr -d '`'); do
    try 0 'one/right' --vectors v --list --set "$name=1" one/right
done
vector four/slip S. 'settings: no-timestamps=1'
try 2 'four/slip.pkt:1: error: setting .no-timestamps=1' --vectors v
rm -r v/scenario/four

# lists of known failures
echo 'two/wrong the flags are not those' >known
try 0 '^all .* 1$' --vectors v --known-failures known
echo 'one/right it should not' >>known
try 1 'PASSES THOUGH LISTED' --vectors v --known-failures known
echo 'gone/away it was there once' >known
try 1 'known failure that is no vector: gone/away' --vectors v --known-failures known
echo 'two/wrong' >known
try 2 "known:1:1: 'two/wrong' has no reason" --vectors v --known-failures known
try 2 'absent: No such file' --vectors v --known-failures absent

# what is broken
printf '+0 < S 0:0(0) win 1000 <mss>\n' >broken.pkt
try 2 'broken.pkt:1:' broken.pkt
try 2 'broken.pkt:1:' check broken.pkt v/scenario/one/right.pkt
printf '{"format": "function-vectors-1", "vectors": [{"id"' >broken.json
try 2 'broken.json' check broken.json
try 2 'broken.json' broken.json
printf 'nothing\n' >vector.txt
try 2 'a vector is a .pkt or a .json file' vector.txt
try 2 'check: which files' check
mkdir -p v/scenario/four && cp v/scenario/one/right.pkt v/scenario/four/copy.pkt
try 2 "the id 'one/right' is also in" --vectors v
rm -r v/scenario/four

# adapters that are none
try 2 'target exec:' --target exec:/nonexistent/adapter --vectors v one/right
try 2 'target exec:' --target 'exec:exit 3' --vectors v one/right

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
