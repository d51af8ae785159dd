#!/bin/sh
# ci/plant.sh [--quick] [--list] [--part I/N] [WORD] - plants a fault in a copy of the tree, runs the one gate that must see it, and
# demands that it fails with the words that belong to the fault; a gate that cannot fail is a defect.
#
#   --quick   the faults that need no full build: what ci/test runs        --list   name the faults and end
#   WORD      only the faults whose title contains it            --part  each N-th of them, from the I-th on
# Prints "caught" or "MISSED" for each, ends with "plant: caught n of n"; exit 1 if any was missed.
set -eu
quick='' list='' only='' share=1 shares=1 number=0
while [ $# -gt 0 ]; do
    argument=$1
    shift
    case $argument in
    -h | --help) sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --quick) quick=1 ;;
    --list) list=1 ;;
    --part)
        case ${1:-} in
        [1-9]/[1-9]) share=${1%/*} shares=${1#*/} ;;
        *) echo "plant: --part is I/N, as 1/2" >&2; exit 2 ;;
        esac
        shift
        ;;
    -*) echo "plant: unknown argument $argument (see --help)" >&2; exit 2 ;;
    *) only=$argument ;;
    esac
done
top=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
mkdir "$T/clean"
cd "$top"
for part in VERSION LICENSE meson.build meson_options.txt lib include tests ci vectors fuzz; do
    cp -r "$part" "$T/clean/$part"
done
total=0 caught=0

# fault LEVEL TITLE EXPECTED EDIT GATE... - EDIT is a function that runs in the copy; EXPECTED is what the gate must say.
fault() {
    level=$1 title=$2 expected=$3 edit=$4
    shift 4
    if [ -n "$quick" ] && [ "$level" != quick ]; then return 0; fi
    case $title in *"$only"*) ;; *) return 0 ;; esac
    number=$((number + 1))
    if [ $((number % shares)) -ne $((share % shares)) ]; then return 0; fi
    if [ -n "$list" ]; then
        echo "$title"
        return 0
    fi
    total=$((total + 1))
    began=$(date +%s)
    rm -rf "$T/tree"
    cp -r "$T/clean" "$T/tree"
    cd "$T/tree"
    $edit
    if diff -rq "$T/clean" "$T/tree" >/dev/null; then
        echo "MISSED  $title: nothing was planted, the text it changes is gone"
        return 0
    fi
    if "$@" >"$T/log" 2>&1; then
        echo "MISSED  $title: the gate passed ($*)"
    elif grep -Eq -- "$expected" "$T/log"; then
        caught=$((caught + 1))
        echo "caught  $title ($(($(date +%s) - began)) s)"
    else
        echo "MISSED  $title: the gate failed, but not with '$expected':"
        tail -n 5 "$T/log" | sed 's/^/        /'
    fi
}

C=lib/recovery/rtt.c # a small source of the core; what is appended to it is seen by every gate of the core
in_api() { sed -i "s|^/\* ---- 3\. in:|$1\n&|" include/weir/weir.h; }

# ---- ci/tidy.py ----
long_function() { { printf '\nstatic void rtt_planted(void)\n{\n'; yes '    ;' | head -n 58; echo '}'; } >>$C; }
long_file() { yes '/* one line more */' | head -n 700 >>$C; }
long_line() { printf '/* %0140d */\n' 0 >>$C; }
tab() { printf '/* a\ttab */\n' >>$C; }
no_head() { sed -i 1d $C; }
stdio() { echo '#include <stdio.h>' >>$C; }
upward() { mkdir -p lib/conn; echo '#include "conn/conn.h"' >>$C; }
knows_conn() { echo 'struct weiri_planted { weir_conn *conn; };' >>$C; }
bare_static() { printf 'static void planted(void)\n{\n}\n' >>$C; }
bare_extern() { printf 'void rtt_planted(void)\n{\n}\n' >>$C; }
open_macro() { echo '#define RTT_PLANTED 1' >>$C; }
wild_goto() { printf 'static void rtt_planted(void)\n{\n    goto away;\naway:\n    ;\n}\n' >>$C; }
floating() { echo 'static const double rtt_planted = 1.0;' >>$C; }
recursion() { printf 'static int rtt_planted(int n)\n{\n    return n ? rtt_planted(n - 1) : 0;\n}\n' >>$C; }
mark() { printf '/* TO%s later */\n' DO >>$C; }
reference() { printf '/* RFC%s section 2 */\n' 6298 >>$C; }
stale_exception() { sed -i 's|^LONG_FUNCTIONS = {|&\n    "lib/recovery/rtt.c:weiri_rtt_init": "no reason",|' ci/tidy.py; }
fault quick 'tidy: a function of 61 lines' 'function: rtt_planted has 61 lines' long_function ci/tidy.py
fault quick 'tidy: a file of more than 700 lines' 'rtt.c:[0-9]+: file: ' long_file ci/tidy.py
fault quick 'tidy: a line of more than 140 columns' 'rtt.c:[0-9]+: line: 14[0-9] columns' long_line ci/tidy.py
fault quick 'tidy: a tab' 'line: a tab' tab ci/tidy.py
fault quick 'tidy: no first comment' 'rtt.c:1: head: ' no_head ci/tidy.py
fault quick 'tidy: a host header in the core' 'include: <stdio.h> below the adapter' stdio ci/tidy.py
fault quick 'tidy: an include that points upward' 'include: "conn/conn.h" stands above recovery' upward ci/tidy.py
fault quick 'tidy: recovery knows a connection' 'upward: weir_conn in recovery' knows_conn ci/tidy.py
fault quick 'tidy: a static name without its subject' 'name: static planted' bare_static ci/tidy.py
fault quick 'tidy: an external name without the prefix' 'name: external rtt_planted' bare_extern ci/tidy.py
fault quick 'tidy: a macro left defined' 'name: macro RTT_PLANTED' open_macro ci/tidy.py
fault quick 'tidy: a goto that is not out' 'goto: goto away' wild_goto ci/tidy.py
fault quick 'tidy: floating point' 'float: ' floating ci/tidy.py
fault quick 'tidy: recursion' 'recursion: rtt_planted' recursion ci/tidy.py
fault quick 'tidy: an unfinished mark' 'rtt.c:[0-9]+: mark: ' mark ci/tidy.py
fault quick 'tidy: a reference in another spelling' 'rtt.c:[0-9]+: reference: ' reference ci/tidy.py
long_runner_line() { printf '/* %0140d */\n' 0 >>vectors/runner/known.c; }
fault quick 'tidy: a long line of the runner' 'known.c:[0-9]+: line: 14[0-9] columns' long_runner_line ci/tidy.py
fault quick 'tidy: an exception nobody needs' 'needs none' stale_exception ci/tidy.py

# ---- ci/lists and ci/amalgamate.py ----
new_source() { echo '/* planted.c - planted. */' >lib/wire/planted.c; }
new_test() { echo 'int main(void) { return 0; }' >tests/test_planted.c; }
wrong_order() { sed -i '/recovery\/rtt.c/d' lib/weir.c && sed -i 's|^/\* wire: .*|#include "recovery/rtt.c"\n&|' lib/weir.c; }
new_tun_source() { echo '/* planted.c - planted. */' >lib/tun/planted.c; }
fault quick 'lists: a core source that the unit does not list' 'wire/planted.c is not included' new_source ci/lists
fault quick 'lists: a test that nobody builds' 'test_planted.c is not named' new_test ci/lists
fault quick 'lists: rooms out of order' 'rooms are not in order' wrong_order ci/lists
fault quick 'lists: an adapter source that nobody builds' 'tun/planted.c is not named' new_tun_source ci/lists
new_runner_source() { echo '/* planted.c - planted. */' >vectors/runner/planted.c; }
new_runner_test() { echo 'int main(void) { return 0; }' >vectors/runner/tests/test_planted.c; }
fault quick 'lists: a source of the runner that nobody builds' 'runner/planted.c is not named' new_runner_source ci/lists
fault quick 'lists: a test of the runner that nobody builds' 'tests/test_planted.c is not named' new_runner_test ci/lists
fault quick 'amalgamate: a source that the unit does not list' 'does not include lib/wire/planted.c' new_source ci/amalgamate.py -o -

# ---- ci/amalgam ----
path_in_output() { sed -i 's|^def main():|PREFACE = "/* " + str(pathlib.Path(__file__).resolve()) + " */\\n" + PREFACE\n\n\n&|' ci/amalgamate.py; }
conversion() { printf '\nWEIR_API int weir_planted(long n);\nWEIR_API int weir_planted(long n)\n{\n    return n;\n}\n' >>$C; }
void_pointer() {
    in_api 'WEIR_API const uint8_t *weir_planted(const void *p);'
    printf '\nconst uint8_t *weir_planted(const void *p)\n{\n    return p;\n}\n' >>$C
}
same_name() { for f in lib/wire/siphash.c $C; do printf '\nWEIR_PRIVATE int weiri_planted(void);\nWEIR_PRIVATE int weiri_planted(void)\n{\n    return 1;\n}\n' >>"$f"; done; }
unguarded() { sed -i 's/^#ifndef WEIR_H$/#if 1/; /^#define WEIR_H$/d' include/weir/weir.h; }
unprefixed() { in_api 'WEIR_API int planted(void);'; printf '\nint planted(void)\n{\n    return 1;\n}\n' >>$C; }
not_api() { printf '\nint weir_planted(void);\nint weir_planted(void)\n{\n    return 1;\n}\n' >>$C; }
undefined() { in_api 'WEIR_API int weir_planted(void);'; }
undeclared() { printf '\nWEIR_API int weir_planted(void);\nint weir_planted(void)\n{\n    return 1;\n}\n' >>$C; }
leak() { echo '#define PLANTED 1' >>$C; }
system_name() { sed -i 's/^#define WEIR_FOREVER/enum { TCP_MSS = 512, TCP_NODELAY = 1 };\n&/' include/weir/weir.h; }
heap() {
    in_api 'WEIR_API bool weir_planted(void);'
    printf '\n#ifdef __cplusplus\nextern "C"\n#endif\nvoid *malloc(size_t);\nbool weir_planted(void)\n{\n    return malloc(3) != NULL;\n}\n' >>$C
}
variable() {
    in_api 'WEIR_API int weir_planted(void);'
    printf '\nint weir_planted(void)\n{\n    static int calls;\n    return ++calls;\n}\n' >>$C
}
single_only() { sed -i '0,/^int main/s/^int main/#ifdef WEIR_SINGLE\n#error the test sees another build\n#endif\n&/' tests/test_rtt.c; }
amalgam() { CCS=gcc ci/amalgam --only "$1"; }
fault quick 'amalgam: a path in the output' '1: other octets' path_in_output amalgam 1
fault quick 'amalgam: a warning' 'Werror=conversion' conversion amalgam 2
fault quick 'amalgam: a name twice in one unit' 'redefinition of .weiri_planted' same_name amalgam 2
fault quick 'amalgam: a header without its guard' 'redefinition of .(enum|struct) weir_' unguarded amalgam 2
fault quick 'amalgam: C that is not C++' 'invalid conversion from .const void' void_pointer amalgam 3
fault quick 'amalgam: WEIR_STATIC exports' '5: gcc: WEIR_STATIC exports' not_api amalgam 5
fault quick 'amalgam: an unprefixed name' '6: without the prefix: planted' unprefixed amalgam 6
fault quick 'amalgam: declared, not defined' '6: declared in a public header and defined nowhere: (weir_.*)?weir_planted' undefined amalgam 6
fault quick 'amalgam: exported, not declared' '6: exported without a declaration' undeclared amalgam 6
fault quick 'amalgam: a macro leaks' '7: macros left defined: PLANTED' leak amalgam 7
fault quick 'amalgam: a name of the system' 'TCP_MSS|TCP_NODELAY|expected identifier before numeric' system_name amalgam 8
fault quick 'amalgam: memory from the heap' 'needs malloc' heap amalgam 9
fault full 'amalgam: a test that fails against the header alone' '10: gcc: tests/test_rtt.c' single_only amalgam 10

# ---- ci/freestanding ----
library_call() { heap; }
big_division() { printf '\nWEIR_API const char *weir_planted(void);\nconst char *weir_planted(void)\n{\n    extern const char *getenv_planted(void);\n    return getenv_planted();\n}\n' >>$C; }
fault quick 'freestanding: memory from the heap' 'needs malloc' library_call ci/freestanding
fault quick 'freestanding: an unknown external' 'needs getenv_planted' big_division ci/freestanding
fault quick 'freestanding: a variable' 'can be written, or weak symbols: *calls' variable ci/freestanding

# ---- ci/tiny ----
larger() { sed -i '/^WEIR_API enum weir_input weir_input(/,/^{/s/^{/{\n    static const volatile uint8_t planted[1000] = {1};\n    (void)planted[now % sizeof planted];/' lib/conn/conn.c; }
fault quick 'tiny: a device links more than it did' 'connection.*TOO MANY' larger ci/tiny

# ---- builds and tests ----
S='meson setup b . -Dtun=disabled -Ddefault_library=static'
build_one() { # build_one TEST [meson setting]...
    program=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    $S "$@" && ninja -C b "tests/$program" && "b/tests/$program"
}
clang_one() { (CC=clang && export CC && build_one "$@"); }
unused_variable() { printf '\nWEIR_API int weir_planted(int n);\nint weir_planted(int n)\n{\n    int unused;\n    return n;\n}\n' >>$C; }
wrong_rto() { sed -i 's/srtt8/rttvar4/' $C; }
over_read() { # of a block on the heap, through a pointer that the optimiser cannot follow
    sed -i '0,/^int main(void)\n*/s/^int main(void)/static unsigned char *volatile planted;\nint main_planted(void);\nint main(void)\n{\n    planted = (unsigned char *)__builtin_malloc(4);\n    __builtin_memset(planted, 0, 4);\n    return planted[4] + main_planted();\n}\n\nint main_planted(void)/' tests/test_rtt.c
}
shift_too_far() {
    sed -i '0,/^int main(void)\n*/s/^int main(void)/static volatile int planted = 40;\nint main_planted(void);\nint main(void)\n{\n    return (1 << planted) * 0 + main_planted();\n}\n\nint main_planted(void)/' tests/test_rtt.c
}
uninitialised() {
    sed -i '0,/^int main(void)\n*/s/^int main(void)/static unsigned char *volatile planted;\nint main_planted(void);\nint main(void)\n{\n    planted = (unsigned char *)__builtin_malloc(4);\n    return planted[1] == 3 ? 1 : main_planted();\n}\n\nint main_planted(void)/' tests/test_rtt.c
}
fault quick 'build: a warning' 'Werror=unused-variable|error: unused variable' unused_variable build_one test_rtt
fault quick 'test: a wrong formula' 'FAILED TEST|FAILED  ' wrong_rto build_one test_rtt
fault quick 'test: the same, in the portable harness' '\[  FAILED  \]' wrong_rto build_one test_rtt -Dcmocka=portable
fault quick 'asan: a read past the end' 'AddressSanitizer: heap-buffer-overflow' over_read clang_one test_rtt -Db_sanitize=address,undefined -Db_lundef=false
fault quick 'ubsan: a shift too far' 'shift exponent 40 is too large' shift_too_far clang_one test_rtt -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fno-sanitize-recover=all
fault quick 'msan: a value nobody wrote' 'MemorySanitizer: use-of-uninitialized-value' uninitialised clang_one test_rtt -Db_sanitize=memory -Db_lundef=false -Dcmocka=portable

# ---- the state table: the reference and the checkers of tests/test_fsm.c ----
row_deleted() { sed -i '/^ROW(R3, /d' lib/conn/rows.h; }
row_to_another_state() { sed -i '/^ROW(A7, /s/FIN_WAIT_2, URG/TIME_WAIT, URG/' lib/conn/rows.h; }
row_moved() { sed -i '/^ROW(Y2, /{h;d};/^ROW(Y3, /G' lib/conn/rows.h; }
row_without_guard() { sed -i '/^ROW(R1, /s/F(SEQ_NEXT)/0/' lib/conn/rows.h; }
fault quick 'rows: one deleted' '\[  FAILED  \]' row_deleted build_one test_fsm
fault quick 'rows: the wrong next state' '\[  FAILED  \]' row_to_another_state build_one test_fsm
fault full 'rows: one behind the row that takes everything' '\[  FAILED  \]' row_moved build_one test_fsm
fault full 'rows: a guard left out' '\[  FAILED  \]' row_without_guard build_one test_fsm

# ---- the vectors: their files, their ids, and what they show ----
vector_changed() { sed -i '$s/$/ /' vectors/requirements/rfc1071.tsv; }
vector_renamed() { mv "$(some_vector)" vectors/scenario/planted.pkt; }
vector_taken() { rm "$(some_vector)"; }
vector_twice() { python3 -c "import json; p = 'vectors/segment/checksum.json'; d = json.load(open(p)); d['vectors'] *= 2; json.dump(d, open(p, 'w'))"; }
some_vector() { find vectors/scenario -name '*.pkt' | sort | head -n 1; }
fault quick 'vectors: a file that is not the listed one' 'sha256sums is not up to date' vector_changed ci/vectors-sums --check
fault quick 'vectors: an id that is not its path' "the path says 'planted'" vector_renamed ci/vectors-sums --check
fault quick 'vectors: an id that is gone' 'was given and is gone' vector_taken ci/vectors-sums --check
fault quick 'vectors: an id twice' 'is also in segment/checksum.json' vector_twice ci/vectors-sums --check

no_checksum() { sed -i 's/return WEIR_TCP_CHECKSUM;/(void)0;/' lib/wire/view.c; }
runner() { # runner ARGUMENT... - weir-vectors of the copy over the vectors of the copy
    # shellcheck disable=SC2086 # a list of words
    $S -Dtests=false -Dwerror=false -Dlwip=disabled && ninja -C b vectors/runner/weir-vectors &&
        b/vectors/runner/weir-vectors --vectors vectors --strict "$@"
}
runner_tiny() {
    # shellcheck disable=SC2086 # a list of words
    $S -Dtests=false -Dwerror=false -Dlwip=disabled -Dc_args=-DWEIR_TINY && ninja -C b vectors/runner/weir-vectors &&
        b/vectors/runner/weir-vectors --vectors vectors --strict
}
picture_changed() { sed -i '0,/<text /s//<text class="planted" /' vectors/guide/four-way-close.svg; }
drawn() { $S -Dtests=false -Dwerror=false -Dlwip=disabled && ninja -C b vectors/runner/weir-vectors && ci/pictures --check b/vectors/runner/weir-vectors; }
fault quick 'pictures: one that no run draws' 'four-way-close.svg' picture_changed drawn
row_unnamed() { find vectors/scenario -name '*.pkt' -exec sed -i 's|^// rows: .*|// rows: P3|' {} +; }
fault quick 'vectors: a defect in the stack' '[1-9][0-9]* of [0-9]+ vectors failed' no_checksum runner
small_board_still() { sed -i '/^WEIR_PRIVATE bool weiri_board_next_lost(/,/^{/s/^{/{\n    if (max > 0)\n        return false;/' lib/recovery/sack_small.c; }
fault full 'tiny: the small scoreboard sends nothing again' '[1-9][0-9]* of [0-9]+ vectors failed' small_board_still runner_tiny
fault full 'vectors: a row without its guard' '[1-9][0-9]* of [0-9]+ vectors failed' row_without_guard runner
mutated() { ci/mutate --file conn/fsm.c --match 'c->path.to' --build "$PWD/b"; }
survivor_forgotten() { sed -i '/deleted: c->path.to/d' ci/mutate.known; }
fault quick 'mutate: a survivor without a reason' 'c->path.to' survivor_forgotten mutated
fault quick 'vectors: a row that no vector names' 'NOT NAMED' row_unnamed runner --rows-gate

# ---- the simulation: a real defect in the library, seen from outside ----
sim() {
    # shellcheck disable=SC2086 # a list of words
    $S -Dbuildtype=debugoptimized -Dwerror=false && ninja -C b tests/sim/weir-sim-test && b/tests/sim/weir-sim-test --seeds 100
}
no_retransmission() { sed -i '/^WEIR_PRIVATE bool weiri_board_next_lost(/,/^{/s/^{/{\n    if (max > 0)\n        return false;/' lib/recovery/sack.c; }
fault quick 'simulation: corruption that nobody notices' '[1-9][0-9]* failed' no_checksum sim
fault full 'simulation: nothing is sent again' '[1-9][0-9]* failed' no_retransmission sim

# ---- ci/recovery: what is judged in the simulator ----
judged() {
    word=$1
    shift
    # shellcheck disable=SC2086 # a list of words
    $S -Dbuildtype=release -Dvectors=disabled -Dwerror=false && ninja -C b tests/sim/weir-sim && ci/recovery --quick --only "$word" "$@" b
}
no_loss_by_time() { sed -i '/^WEIR_PRIVATE uint32_t weiri_rack_detect(/,/^{/s/^{/{\n    if (now > 0) {\n        *wait = 0;\n        return 0;\n    }/' lib/recovery/rack.c; }
probe_untold() { sed -i '/a.stamped = a.stamped && seq_leq(run.to, n->v->ack);/d' lib/conn/repair.c; }
miss_invented() { printf 'overshoot: 100 Mbit/s, 20 ms\tno reason\n' >>ci/recovery.known; }
link_worse() {
    cell='"median": 20, "q1": 20, "q3": 20' worse='"median": 30, "q1": 29, "q3": 31'
    echo "{\"tables\": {\"burst\": {\"1 segment\": {\"reno\": {$cell}, \"cubic\": {$cell}, \"weir --cc cubic\": {$worse}}}}}" >link.json
}
fault quick 'recovery: no loss is found by time' 'burst cubic: 1 segment.*NOT MET' no_loss_by_time judged 'burst cubic'
fault full 'recovery: the answer to a probe tells nothing' 'the last 3, rtt 20ms: timeouts.*NOT MET' probe_untold judged 'tail cubic'
fault full 'recovery: a row that is met, and known not to be' 'overshoot: 100 .*met, and in the list' miss_invented judged overshoot
fault quick 'recovery: over the link the kernel did better' 'link burst cubic: 1 segment.*NOT MET' link_worse ci/recovery --link-from link.json

# ---- ci/sweeps, ci/attack-threads ----
half_a_window() { sed -i 's/seq_in(seq_add(seq, len - 1), window.from, wnd)/false/' lib/conn/facts.c; }
a_bit_too_many() { sed -i 's/^ROW(Y2, SYN, OTHERS, F(SYN), 0,/ROW(Y2, SYN, OTHERS, F(SYN), F(URG),/' lib/conn/rows.h; }
shared_count() { sed -i 's|^    s->last = 0;|    static unsigned shared;\n    s->last = shared++ \& 0;|' lib/stack/arrive.c; }
fault full 'sweeps: the end of a segment is not looked at' 'FAILED  \] test_every_segment_and_window' half_a_window ci/sweeps values
fault full 'sweeps: one control bit in one row' 'FAILED  \] test_every_mix_in_every_state' a_bit_too_many ci/sweeps states
header_too_long() { sed -i 's/header_len < 20 || header_len > len/header_len < 20/' lib/wire/view.c; }
fault full 'sweeps: a header longer than its segment' 'RUN .*test_every_two_fields_in_every_state' header_too_long ci/sweeps fields
fault full 'attack-threads: a variable of the core' 'data race' shared_count ci/attack-threads

# ---- ci/attack-cost ----
linear_search() { sed -i 's|unsigned mid = (low + high) / 2;|unsigned mid = low;|' lib/conn/ring.c; }
fault full 'attack-cost: holes are searched one by one' 'holes-10000.*BEYOND' linear_search ci/attack-cost

# ---- ci/budget: what segments cost ----
counted() {
    $S -Dbuildtype=debugoptimized -Dbench=true -Dtests=false -Dvectors=disabled -Dlwip=disabled && ninja -C b tests/bench/weir-bench &&
        ci/budget --only "$1" b/tests/bench/weir-bench
}
slower() { sed -i '/^WEIR_API enum weir_input weir_input(/,/^{/s/^{/{\n    for (volatile unsigned turn = 0; turn < 100; turn++) {\n    }/' lib/conn/conn.c; }
budget_gone() { sed -i '/^copy 64/d' ci/budget.known; }
fault quick 'budget: a segment costs more than it did' 'copy 64: .*TOO MANY' slower counted 'copy 64'
fault full 'budget: a case without one' 'copy 64: .*no budget for it' budget_gone counted 'copy 64'

# ---- ci/coverage: what gcovr says is judged, so a gcovr that leaves a source out or shows less is planted ----
gcovr_says() { # gcovr_says PATTERN-TO-LEAVE-OUT LINES-COVERED BRANCHES-COVERED
    cat >gcovr-planted <<EOF
#!/usr/bin/env python3
import json, pathlib, sys
names = sorted(p.as_posix() for r in ("wire", "recovery", "conn", "stack") for p in pathlib.Path("lib", r).glob("*.c"))
files = [dict(filename=n, line_total=100, line_covered=$2, line_percent=$2, branch_total=100, branch_covered=$3,
              branch_percent=$3) for n in names if "$1" not in n]
pathlib.Path(sys.argv[sys.argv.index("--json-summary") + 1]).write_text(json.dumps(dict(files=files)))
EOF
    chmod +x gcovr-planted
    mkdir b
}
source_left_out() { gcovr_says rtt.c 100 100; }
few_lines() { gcovr_says none 99 100; }
few_branches() { gcovr_says none 100 94; }
judge() { ci/coverage --build b --no-test --gcovr ./gcovr-planted; }
fault quick 'coverage: a source that the report does not name' 'lib/recovery/rtt.c is not named' source_left_out judge
fault quick 'coverage: lines below the floor' 'line coverage 99.00 % is below' few_lines judge
fault quick 'coverage: branches below the floor' 'branch coverage 94.00 % is below' few_branches judge
tests_gone() { sed -i "/^unit_tests = \\[/,/^\\]/{/'test_[^r]/d}" tests/meson.build; }
fault full 'coverage: tests taken away' 'is below the floor' tests_gone ci/coverage --build b

# ---- ci/trace.py: what shows which requirement ----
mark_unknown() { echo '/* MUST-99 */' >>$C; }
row_forgotten() { sed -i '/^MUST-46\t/d' vectors/requirements/dispositions.tsv; }
cover_unknown() { sed -i '0,/^\/\/ covers: /s//&MUST-99 /' "$(grep -rl '^// covers: ' vectors/scenario | sort | head -n 1)"; }
evidence_gone() { sed -i 's/cmocka_unit_test(sockets_that_cannot_be_are_refused)/cmocka_unit_test(profiles_are_sound_once_they_have_a_secret)/' tests/test_config.c; }
fault quick 'trace: a mark that names no requirement' 'rtt.c:[0-9]+: MUST-99 is no requirement' mark_unknown ci/trace.py
fault quick 'trace: a requirement without a word' 'MUST-46 \(MUST\) is open' row_forgotten ci/trace.py --gate
fault quick 'trace: a vector that covers no requirement' 'covers MUST-99, which is no requirement' cover_unknown ci/trace.py
fault quick 'trace: evidence that is gone' 'registers no test sockets_that_cannot_be_are_refused' evidence_gone ci/trace.py

# ---- fuzz_lwip: the same as lwIP, but for what is listed ----
beside_lwip() { # without assertions: the comparison is what has to see it
    $S -Db_coverage=true -Dvectors=disabled && ninja -C b fuzz/replay-lwip && b/fuzz/replay-lwip fuzz/corpus/lwip &&
        tests/fuzz/lwip_differences.sh b/fuzz/replay-lwip fuzz/corpus/lwip
}
beyond_the_edge() { sed -i 's/c->rcv.fin : c->rcv.adv;/c->rcv.fin : seq_add(c->rcv.adv, 1);/' lib/conn/act.c; }
any_reset() { sed -i 's/^ROW(R1, RST, OTHERS, F(RST), F(SEQ_NEXT),/ROW(R1, RST, 0, F(RST), F(SEQ_NEXT),/' lib/conn/rows.h; }
never_sent() { sed -i 's/^ROW(A6, ACK, SYNCHRONIZED,/ROW(A6, ACK, 0,/' lib/conn/rows.h; }
narrow_window() { sed -i 's/? v->wscale : 0;/? (v->wscale \& 7) : 0;/' lib/conn/act.c; }
idle_line() { printf 'DIFFERENCE(idle, END, SEG(IN(LISTEN)), "nothing")\n' >>fuzz/lwip_differences.h; }
fault quick 'lwip: an octet beyond the right edge is taken' 'differ in: rcv.nxt' beyond_the_edge beside_lwip
fault full 'lwip: a RST anywhere in the window counts' 'differ in: state' any_reset beside_lwip
fault full 'lwip: an acknowledgment of what was never sent is taken' 'SND.UNA passes SND.NXT|differ in: snd.una' never_sent beside_lwip
fault full 'lwip: a window is shifted too little' 'differ in: window' narrow_window beside_lwip
fault full 'lwip: a difference is listed that is none' 'no input shows' idle_line beside_lwip

# ---- fuzz/floors: what the corpora reach ----
seeds_gone() { find fuzz/corpus/model -type f | sort | tail -n +3 | xargs rm -f; }
floor_gone() { sed -i '/^model /d' fuzz/floors.txt; }
fault quick 'floors: a corpus that was thinned out' "model: edges and features [0-9 ]+ are below" seeds_gone env BUILD=b fuzz/floors model
fault quick 'floors: a target that nobody measures' "model: edges and features [0-9 ]+ are below the floor ''" floor_gone env BUILD=b fuzz/floors model
holes_compared() { sed -i 's|^    unsigned low = 0, high = c->span_count;$|&\n    for (unsigned i = 0; i < c->span_count * (unsigned)c->span_count; i++) { low = seq_eq(s, c->rcv.irs) ? high : low; }|' lib/conn/ring.c; }
fault quick 'floors: each hole is compared with each' 'conn: the corpus did not run' holes_compared env BUILD=b fuzz/floors conn
corpora_gone() { find fuzz/corpus/stack -type f -delete; }
fault full 'floors: what the corpora reach together' 'coverage [0-9.]+ % is below|rows that no input fired' corpora_gone fuzz/campaign coverage --tree --rows \
    --line 95 --branch 90 --no-install --work w

# ---- the closing line ----
steps() { ci/steps.py --build b --only "$1"; }
two_failures() { sed -i 's/srtt8/rttvar4/' $C; }
crash() { sed -i '0,/^int main/s/^int main/__attribute__((constructor)) static void planted(void)\n{\n    __builtin_trap();\n}\n&/' tests/test_rtt.c; }
no_case() { printf 'int main(void)\n{\n    return 0;\n}\n' >tests/test_rtt.c; }
fault quick 'steps: a gate that fails is counted' '^0 passed, 1 failed$' new_source steps lists
fault full 'steps: a case that fails is counted' '^[0-9]+ passed, [1-9][0-9]* failed' two_failures steps gcc
fault full 'steps: a program that crashes is counted' 'rtt: (FAIL|ERROR)' crash steps gcc
fault full 'steps: a unit test without a case' 'a unit test without a case' no_case steps gcc

[ -z "$list" ] || exit 0
[ "$total" -gt 0 ] || { echo "plant: no fault is called '$only'" >&2; exit 2; }
echo "plant: caught $caught of $total"
[ "$caught" = "$total" ]
