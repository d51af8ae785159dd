#!/bin/sh
# leak.sh [BUILD] [--count N]: N connections one after another; afterwards every counter of things held is back at zero.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
need python3
begin "$@"

count=5000
while [ $# -gt 0 ]; do
    case $1 in
    --count) count=$2; shift 2 ;;
    *) shift ;;
    esac
done

# Four ways to end a connection in turn: the client first, the server first (HTTP/1.0), a reset, a half-close.
connect_all() {
    python3 - "$V4" "$count" <<'PY'
import socket, struct, sys
addr, count = sys.argv[1], int(sys.argv[2])
def answer(s):
    got = b""
    while True:
        part = s.recv(65536)
        if not part:
            return got
        got += part
for i in range(count):
    s = socket.create_connection((addr, 80), 20)
    way = i % 4
    if way == 0:
        s.sendall(b"GET /k HTTP/1.1\r\nHost: x\r\n\r\n")
        got = b""
        while got.count(b"\r\n\r\n") == 0 or len(got.split(b"\r\n\r\n", 1)[1]) < 1000:
            got += s.recv(65536)
    elif way == 1:
        s.sendall(b"GET /k HTTP/1.0\r\n\r\n")
        assert len(answer(s)) > 1000
    elif way == 2:
        s.sendall(b"GET /k HTTP/1.1\r\nHost: x\r\n\r\n")
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        s.sendall(b"GET /k HTTP/1.1\r\nHost: x\r\n\r\n")
        s.shutdown(socket.SHUT_WR)
        assert len(answer(s)) > 1000
    s.close()
PY
}
zero() {
    for _ in $(seq 100); do
        "$weir" stats ctl --json >now
        python3 - <<'PY' && return 0
import json, sys
stats = json.load(open("now"))
held = {name: stats[name] for name in ("connections", "half_open", "time_wait", "sessions")}
print(held)
sys.exit(any(held.values()) or stats["list"] != [])
PY
        sleep 0.1
    done
    return 1
}
all_came() { [ "$(field passive_opens)" -ge "$count" ] && field passive_opens; }
resident() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }
descriptors() { find "/proc/$pid/fd" -type l | wc -l; }
no_growth() {
    echo "resident $first_resident kB, then $(resident) kB; descriptors $first_descriptors, then $(descriptors)"
    [ "$(resident)" -le $((first_resident + 1024)) ] && [ "$(descriptors)" = "$first_descriptors" ]
}

random site/k 1000
# Few records, so that each has been used before the measurement begins.
start http.log http site --control ctl --msl 20ms --connections 64 --time-wait 512 --sndbuf 32K --rcvbuf 32K
wanted=$count count=1000
check "the first 1000 connections" connect_all
zero >/dev/null
first_resident=$(resident) first_descriptors=$(descriptors)
count=$wanted
check "$count connections one after another" connect_all
check "connections, half-open, TIME-WAIT, sessions: all back to zero" zero
check "every one was counted" all_came
check "neither memory nor descriptors have grown" no_growth
check "SIGINT ends it" stop
finish
