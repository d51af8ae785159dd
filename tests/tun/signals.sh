#!/bin/sh
# The ends of the program: signals, --one-off, --duration, a command after --, and what others see of it.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
need curl python3
begin "$@"

random site/file 1M
slow() { curl -sS --fail --noproxy '*' --max-time 20 -o got "http://$V4/file"; }
# SIGINT while a download runs: no new connections, but this one is finished.
graceful() {
    start http.log http site --rate out:8mbit
    slow &
    client=$!
    sleep 0.4
    kill -INT "$pid"
    sleep 0.1
    curl -sS --noproxy '*' --max-time 2 -o /dev/null "http://$V4/file" && return 1
    wait "$client" && cmp got site/file && wait "$pid"
}
# The second SIGINT: the client sees a reset, the program is gone at once.
twice() {
    start http.log http site --rate out:1mbit
    slow &
    client=$!
    sleep 0.4
    kill -INT "$pid"
    sleep 0.2
    kill -INT "$pid"
    wait "$pid"
    code=$?
    wait "$client"
    client_code=$?
    echo "ended with $code, curl with $client_code"
    [ "$code" = 0 ] && [ "$client_code" = 56 ]
}
# An idle kept connection gets FIN, not RST.
idle_fin() {
    start http.log http site
    python3 - "$V4" "$pid" <<'PY' || return 1
import os, signal, socket, sys
s = socket.create_connection((sys.argv[1], 80), 5)
s.sendall(b"HEAD /file HTTP/1.1\r\nHost: x\r\n\r\n")
print(s.recv(10000))
os.kill(int(sys.argv[2]), signal.SIGINT)
assert s.recv(100) == b""
PY
    wait "$pid"
}
dump() {
    start http.log http site --rate out:8mbit
    slow &
    client=$!
    sleep 0.3
    kill -USR1 "$pid"
    wait "$client"
    stop
    cat http.log
    grep -q '^ESTABLISHED .*10.77.0.2:80 .*cwnd:' http.log
}
one_off() {
    start echo.log echo --one-off
    echo hello >small
    python3 - "$V4" <<'PY'
import socket, sys
s = socket.create_connection((sys.argv[1], 7), 5)
s.sendall(b"hello"); s.shutdown(socket.SHUT_WR)
assert s.recv(100) == b"hello" and s.recv(100) == b""
PY
    wait "$pid"
}
duration() {
    began=$(date +%s%N)
    timeout 10 "$weir" discard -q --duration 700ms
    code=$?
    took=$((($(date +%s%N) - began) / 1000000))
    echo "$code after $took ms"
    [ "$code" = 0 ] && [ "$took" -ge 700 ] && [ "$took" -lt 3000 ]
}
command_status() {
    "$weir" echo -q -- sh -c 'exit 5'
    [ $? = 5 ] && "$weir" echo -q -- true && ! "$weir" echo -q -- no-such-command-anywhere
}
# Ended from outside, neither the command nor the demo's files stay, and nobody takes it for a success.
command_stopped() {
    "$weir" echo -q --grace 0 -- sh -c 'echo $$ >inner; exec sleep 60' &
    stopped=$!
    sleep 0.5
    kill "$stopped"
    wait "$stopped"
    code=$?
    sleep 0.2
    echo "ended with $code"
    [ "$code" = 143 ] && ! kill -0 "$(cat inner)"
}
demo_stopped() {
    mkdir -p temporary
    TMPDIR=$work/temporary "$weir" demo >/dev/null &
    stopped=$!
    sleep 1.5
    kill "$stopped"
    wait "$stopped"
    code=$?
    echo "ended with $code"
    ls temporary
    [ "$code" = 143 ] && [ -z "$(ls temporary)" ]
}
# shellcheck disable=SC2016 # for the inner shell
command_sees() {
    "$weir" http -q --port 8080 site -- sh -c 'echo $WEIR_ADDR $WEIR_ADDR6 $WEIR_PEER $WEIR_PEER6 $WEIR_PORT; curl -sS --fail --noproxy "*" -o got http://$WEIR_ADDR:$WEIR_PORT/file' >said &&
        cat said && [ "$(cat said)" = "10.77.0.2 fd77::2 10.77.0.1 fd77::1 8080" ] && cmp got site/file
}
# shellcheck disable=SC2016
unshared() {
    "$weir" http -q --unshare site -- sh -c 'curl -sS --fail --noproxy "*" -o got http://$WEIR_ADDR/file' && cmp got site/file
}
# The command listens only after a while: a refusal is not the end.
# shellcheck disable=SC2016
late_listener() {
    echo question >question
    "$weir" nc -q --unshare "$PEER4" 7003 <question >got -- sh -c 'sleep 0.7; echo answer | timeout 5 ncat -l 7003 >came' &&
        cat got came && [ "$(cat got)" = answer ] && [ "$(cat came)" = question ]
}
interval() {
    start http.log http site --rate out:4mbit --stats-interval 200ms --json
    slow
    stop
    python3 - <<'PY'
import json
rows = [json.loads(line) for line in open("http.log.out")]
totals = rows.pop()
assert totals["type"] == "totals" and totals["connections"] == 1 and totals["octets_sent"] > 1048576, totals
assert len(rows) >= 5, len(rows)
assert all(row["type"] == "connection" and row["state"] == "ESTABLISHED" for row in rows)
acked = [row["octets_acked"] for row in rows]
assert acked == sorted(acked) and acked[-1] > 500000, acked
PY
}
perf_both() {
    for way in '' --send; do
        # shellcheck disable=SC2086 # a word or none
        "$weir" perf $way --kernel-peer --parallel 2 --duration 1s --json >"perf$way" || return 1
        cat "perf$way"
    done
    python3 - <<'PY'
import json
for name, direction in (("perf", "received"), ("perf--send", "sent")):
    last = [json.loads(line) for line in open(name) if '"perf"' in line][-1]
    assert last["type"] == "perf" and last["direction"] == direction and last["connections"] == 2, last
    assert last["octets"] > 1000000 and 0.9 < last["seconds"] < 2.5, last
PY
}
# The peer ends before the time is up.
perf_once() {
    "$weir" perf --duration 20s --json -- python3 -c 'import os, socket
s = socket.create_connection((os.environ["WEIR_ADDR"], int(os.environ["WEIR_PORT"])))
s.sendall(bytes(1000000))' >perf.once || return 1
    cat perf.once
    grep -q '"type":"perf".*"octets":1000000,' perf.once
}
leftover_socket() {
    start echo.log echo --control ctl
    kill -KILL "$pid"
    wait "$pid"
    [ -S ctl ] && start echo.log echo --control ctl && "$weir" stats ctl && stop && [ ! -e ctl ]
}
stats_without() {
    "$weir" stats nobody 2>err
    [ $? = 1 ] && cat err && [ "$(wc -l <err)" = 1 ]
}

check "SIGINT lets a response finish" graceful
check "a second SIGINT resets" twice
check "an idle connection gets FIN" idle_fin
check "SIGUSR1 prints the connections" dump
check "--one-off" one_off
check "--duration" duration
check "a command's exit status is the program's" command_status
check "a command finds the addresses in its environment" command_sees
check "--unshare with a command" unshared
check "a command does not outlive the program" command_stopped
if command -v sha256sum >/dev/null 2>&1; then check "the demo leaves nothing when it is stopped" demo_stopped; fi
if command -v ncat >/dev/null 2>&1; then check "nc waits for a command that listens" late_listener; fi
check "--stats-interval in JSON" interval
check "perf in both directions" perf_both
check "perf counts a connection once that ended before its time" perf_once
check "a control socket left over from a killed instance is no hindrance" leftover_socket
check "stats of nobody" stats_without
finish
