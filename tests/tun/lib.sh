# lib.sh - what the scripts of this folder share; sourced, not run.
#
#     tests/tun/NAME.sh [BUILD] [options]     BUILD: a meson build folder; default $WEIR_BUILD, else build
#
# A script runs itself a second time inside a network namespace of its own and its cases there, against the kernel's TCP.
# Each prints one line a case and at the end "N passed, N failed"; exit 0, 1, or 77: this environment cannot.
# shellcheck shell=sh

export LC_ALL=C

cannot() {
    echo "$(basename "$0"): $*"
    exit 77
}

# Programs without which a script makes no sense.
need() {
    for program; do
        command -v "$program" >/dev/null 2>&1 || cannot "$program is not installed"
    done
}

# begin "$@": finds the program, makes a folder for files and enters a namespace. What follows runs inside.
begin() {
    if [ -z "${WEIR_INSIDE:-}" ]; then
        case "${1:-}" in
        -* | '') build=${WEIR_BUILD:-build} ;;
        *) build=$1; shift ;;
        esac
        weir=$(readlink -m "$build/lib/tun/programs/weir-tun")
        [ -x "$weir" ] || cannot "$build has no weir-tun: build it first"
        unshare=$(enter_with) || cannot "no network namespace can be made here; $weir doctor says more"
        "$weir" doctor >/dev/null || cannot "$("$weir" doctor | grep '^no' | head -n 1)"
        source=$(readlink -f "$(dirname "$0")/../..")
        work=$(mktemp -d)
        trap 'rm -rf "$work"' EXIT
        trap 'exit 130' INT TERM
        chmod 777 "$work" # weir-tun writes here after it has become another user
        # shellcheck disable=SC2086 # words
        WEIR_INSIDE=1 weir=$weir work=$work source=$source unshare $unshare "$(readlink -f "$0")" "$@" || code=$?
        exit "${code:-0}"
    fi
    passed=0
    failed=0
    ip link set lo up
    cd "$work" || exit 1
    mkdir -p site
    chmod 777 site
}

# As root without a user namespace: the program then shows how it gives up being root.
enter_with() {
    if unshare -n true 2>/dev/null; then printf '%s\n' -n
    elif unshare -rn true 2>/dev/null; then printf '%s\n' -rn
    else return 1
    fi
}

# check NAME COMMAND...: one case; its output is shown if it fails.
check() {
    name=$1
    shift
    if "$@" >log 2>&1; then
        passed=$((passed + 1))
        echo "ok   $name"
    else
        failed=$((failed + 1))
        echo "FAIL $name"
        tail -n 8 log | cut -c 1-300 | sed 's/^/     /'
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

# start LOG WORDS...: weir-tun in the background, until it says that it is ready.
start() {
    log=$1
    shift
    rm -f ready
    mkfifo ready
    exec 8<&0 # a shell gives what runs in the background another standard input
    "$weir" "$@" --ready-fd 9 9>ready <&8 >"$log.out" 2>"$log" &
    pid=$!
    if ! read -r _ <ready; then
        echo "weir-tun $* did not start:"
        cat "$log"
        failed=$((failed + 1))
        finish
    fi
}

# stop: SIGINT and its exit status.
stop() {
    kill -INT "$pid"
    wait "$pid"
}

# random NAME SIZE: a file.
random() {
    head -c "$2" /dev/urandom >"$1"
}

# field NAME: of the JSON statistics of the instance with --control ctl.
field() {
    "$weir" stats ctl --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

V4=10.77.0.2 V6=fd77::2 PEER4=10.77.0.1 PEER6=fd77::1
export V4 V6 PEER4 PEER6
