#!/bin/sh
# load.sh [BUILD] [--seconds N] [--clients N]: N clients of the kernel at the same time (ab), not one of which may see an error.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
need ab python3
begin "$@"

seconds=4 clients=2000
while [ $# -gt 0 ]; do
    case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --clients) clients=$2; shift 2 ;;
    *) shift ;;
    esac
done
# shellcheck disable=SC3045 # dash has it
ulimit -n $((clients + 1000)) 2>/dev/null || cannot "this machine allows no $clients open files: raise ulimit -Hn"

# ab gives up at the first reset or refusal, counts short answers and ends with 0 only when it got through.
bench() {
    ab -q -s 20 "$@" -c "$clients" -t "$seconds" -n 100000000 "http://$V4/k" >ab.log 2>&1
    code=$?
    cat ab.log
    [ "$code" = 0 ] && grep -Eq '^Failed requests: +0$' ab.log && ! grep -q '^Non-2xx' ab.log &&
        [ "$(sed -n 's/^Complete requests: *//p' ab.log)" -ge "$clients" ]
}
rate() { sed -n 's/^Requests per second: *\([0-9.]*\).*/     \1 requests a second/p' ab.log; }
# What ab leaves when its time is up are connections in the middle: they end, and nothing stays.
all_gone() {
    for _ in $(seq 100); do
        [ "$(field connections)" = 0 ] && [ "$(field half_open)" = 0 ] && [ "$(field time_wait)" = 0 ] && return 0
        sleep 0.1
    done
    "$weir" stats ctl | tail -n 12
    return 1
}

random site/k 1000
start http.log http site --control ctl --connections 8192 --backlog 4096 --sndbuf 32K --rcvbuf 32K --msl 500ms --idle 3s
# The queue of a TUN device holds 500 packets: with so many clients at once it would itself be the bad link.
ip link set weir0 txqueuelen 10000
check "$clients clients, a connection for each request, $seconds s" bench
rate
check "$clients clients, connections kept, $seconds s" bench -k
rate
check "nothing is left" all_gone
check "SIGINT ends it" stop
finish
