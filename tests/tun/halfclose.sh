#!/bin/sh
# Both ends in both roles, and connections of which one half is closed long before the other.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
need ncat python3
begin "$@"
random big 3000000
random small 70000

# weir serves, the kernel's client has sent FIN before the answer is through.
echo_back() { timeout 20 ncat "$1" 7 <"$2" >got && cmp got "$2"; }
# The kernel's end as a program of a few lines: it reads to our FIN, and only then begins to send (ncat --exec would not).
cat >peer.py <<'PY'
import socket, sys
how, addr, port = sys.argv[1:4]
family = socket.AF_INET6 if ":" in addr else socket.AF_INET
if how == "listen":
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::" if ":" in addr else "", int(port)))
    listener.listen(1)
    print("listening", flush=True)
    s = listener.accept()[0]
else:
    s = socket.create_connection((addr, int(port)), 10)
s.settimeout(20)
with open("came", "wb") as came:
    while True:
        part = s.recv(65536)
        if not part:
            break
        came.write(part)
with open("big", "rb") as big:
    s.sendall(big.read())
s.shutdown(socket.SHUT_WR)
PY
kernel_serves() {
    rm -f up
    mkfifo up
    timeout 30 python3 peer.py listen "$1" 7000 >up &
    server=$!
    read -r _ <up
    timeout 30 "$weir" nc -q "$1" 7000 <small >got
    code=$?
    wait "$server"
    echo "nc ended with $code"
    [ "$code" = 0 ] && cmp got big && cmp came small
}
# The kernel's client, weir's listener: weir's side ends first, the client answers to its end afterwards.
weir_listens() {
    start nc.log nc -q -l 7001 <small
    timeout 20 python3 peer.py connect "$1" 7001
    wait "$pid" && cmp came small && cmp nc.log.out big
}
# Both send all the time, neither waits.
both_ways() {
    start nc.log nc -q -l 7002 <big
    timeout 20 ncat "$1" 7002 <big >came
    wait "$pid" && cmp came big && cmp nc.log.out big
}
refused_by_kernel() {
    timeout 10 "$weir" nc -q "$PEER4" 7999 </dev/null
    code=$?
    echo "ended with $code"
    [ "$code" = 1 ]
}
refused_by_weir() {
    python3 - "$V4" <<'PY'
import socket, sys, time
began = time.monotonic()
try:
    socket.create_connection((sys.argv[1], 4444), 5)
except ConnectionRefusedError:
    sys.exit(time.monotonic() - began > 1)
sys.exit(1)
PY
}
# The kernel resets (SO_LINGER 0) in the middle: weir's end must not stay.
reset_by_kernel() {
    python3 - "$V4" <<'PY'
import socket, struct, sys
s = socket.create_connection((sys.argv[1], 7), 5)
s.sendall(b"x" * 100000)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
s.close()
PY
    sleep 0.2
    [ "$(field connections)" = 0 ] && [ "$(field resets_in)" -ge 1 ]
}
# Urgent data stays in line (RFC 6093).
urgent() {
    python3 - "$V4" <<'PY'
import socket, sys
s = socket.create_connection((sys.argv[1], 7), 5)
s.sendall(b"before")
s.send(b"!", socket.MSG_OOB)
s.sendall(b"after")
s.shutdown(socket.SHUT_WR)
got = b""
while True:
    part = s.recv(100)
    if not part:
        break
    got += part
print(got)
sys.exit(got != b"before!after")
PY
}
# A client that reads nothing for a while: the window closes, probes keep it alive, all arrives.
zero_window() {
    python3 - "$V4" <<'PY'
import socket, sys, threading, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect((sys.argv[1], 7))
s.settimeout(20)
data = bytes(i * 7 % 251 for i in range(400000))
def send():
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
time.sleep(1.5)
got = b""
while True:
    part = s.recv(65536)
    if not part:
        break
    got += part
sys.exit(got != data)
PY
}

start echo.log echo --control ctl
for family in 4 6; do
    addr=$V4
    [ $family = 4 ] || addr=$V6
    check "echo of a small file, the client half closed, IPv$family" echo_back "$addr" small
    check "echo of a large file, the client half closed, IPv$family" echo_back "$addr" big
done
check "a closed port answers RST at once" refused_by_weir
check "a reset in the middle leaves no connection" reset_by_kernel
check "urgent data stays in line" urgent
check "a window that stays closed for a while" zero_window
check "SIGINT ends it" stop
check "weir connects, closes first and receives, IPv4" kernel_serves "$PEER4"
check "weir connects, closes first and receives, IPv6" kernel_serves "$PEER6"
check "weir listens and closes first, IPv4" weir_listens "$V4"
check "weir listens and closes first, IPv6" weir_listens "$V6"
check "both send at once, IPv4" both_ways "$V4"
check "both send at once, IPv6" both_ways "$V6"
check "a port of the kernel that is closed: refused" refused_by_kernel
finish
