#!/bin/sh
# Wrong command lines: each gets exit 2 and one line that says what, why and how to mend it. No device is needed.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
begin "$@"

# wrong TEXT WORDS...: exit 2, one line, and TEXT in it
wrong() {
    text=$1
    shift
    timeout 5 "$weir" "$@" >out 2>err </dev/null
    code=$?
    echo "ended with $code and said: $(cat err)"
    [ "$code" = 2 ] && [ ! -s out ] && [ "$(wc -l <err)" = 1 ] && grep -qF -- "$text" err
}
helps() {
    "$weir" --help | grep -q '^usage: weir-tun' || return 1
    for command in demo http echo discard nc perf link stats doctor; do
        "$weir" "$command" --help >out && grep -q "^usage: weir-tun $command" out || return 1
    done
}
# Every option of the help is in the manual page.
manual() {
    page=$1
    for command in demo http echo discard nc perf link stats doctor; do "$weir" "$command" --help; done |
        grep -o '^ .\{1,6\}--[a-z0-9-]*' | sed 's/.*--//' | sort -u >options
    [ "$(wc -l <options)" -gt 35 ] || return 1
    while read -r option; do
        grep -qF -- "\\-$(echo "$option" | sed 's/-/\\\\\\-/g; s/\\\\\\-/-/g')" "$page" || { echo "--$option is not in $page"; return 1; }
    done <options
}

check "no subcommand" wrong "no subcommand"
check "an unknown subcommand" wrong "no such subcommand" serve
check "a mistyped option is guessed" wrong "perhaps --loss" http d --los 2%
check "an unknown option" wrong "no such option" http d --frobnicate
check "an unknown letter" wrong "-z: no such option" echo -z
check "an option of another subcommand" wrong "--synthetic does not go with echo" echo --synthetic 1M
check "a value that is missing" wrong "needs a value; for instance --loss 2%" echo --loss
check "a value that must not be" wrong "takes no value" echo --unshare=yes
check "more than all packets" wrong "--loss 200%" echo --loss 200%
check "a time without sense" wrong "--delay soon" echo --delay soon
check "a rate without sense" wrong "--rate fast" echo --rate fast
check "an address without sense" wrong "--addr 10.0.0.256/24" echo --addr 10.0.0.256/24
check "an address without its network" wrong "prefix is missing" echo --addr 10.0.0.1
check "the other family" wrong "not an IPv4 address" echo --addr fd00::1/64
check "no family left" wrong "weir needs an address" echo --addr off --addr6 off
check "a port beyond" wrong "--port 65536" echo --port 65536
check "a ring that is no power of two" wrong "not a power of two" echo --rcvbuf 100000
check "an MTU too small" wrong "--mtu 20" echo --mtu 20
check "an algorithm not built in" wrong "--cc vegas" echo --cc vegas
check "an ECN use that does not exist" wrong "--ecn sometimes" echo --ecn sometimes
check "a pacing that does not exist" wrong "--pacing sometimes: on or off" echo --pacing sometimes
check "http with neither" wrong "name one of the two" http
check "http with both" wrong "name one of the two" http d --synthetic 1M
check "nc without a port" wrong "needs an address and a port" nc 10.0.0.1
check "nc with a name" wrong "names are not looked up" nc localhost 80
check "nc -l with two words" wrong "takes a port alone" nc -l 10.0.0.1 80
check "a word too many" wrong "one word too many" echo hello
check "--fd with --unshare" wrong "use one of the two" echo --fd 3 --unshare
check "a descriptor that is not open" wrong "" echo --fd 77
check "quiet and verbose" wrong "use one of the two" echo -q -v
check "a pattern without a moment" wrong "--drop 5/2: after how long" echo --drop 5/2
check "a queue of nothing" wrong "at least 1p" echo --queue 0p
check "an end of the link to others than link" wrong "use in: or out:" echo --loss left:2%
check "a way into weir to link" wrong "use left: or right:" link --loss in:2%
check "a socket for nobody" wrong "name one" link --left-socket
check "a command after -- to link" wrong "does not go with link" link -- true
check "an option of link alone" wrong "does not go with echo" echo --left true
check "the same address twice" wrong "they are two hosts" link --addr 10.0.0.1/24 --peer 10.0.0.1 --addr6 off
check "nothing after --" wrong "nothing follows --" echo --
check "stats without a path" wrong "too few words" stats
check "a command with doctor" wrong "does not go with doctor" doctor -- true
check "help of everything" helps
[ ! -f "$source/lib/tun/programs/weir-tun.1" ] || check "every option is in the manual page" manual "$source/lib/tun/programs/weir-tun.1"
finish
