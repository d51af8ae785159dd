#!/bin/sh
# The wire between two namespaces: what goes through it, what it drops, how it ends, and what it leaves behind.
# shellcheck source-path=SCRIPTDIR disable=SC2317,SC2016 # functions are called through check; $ is for the inner shells
. "$(dirname "$0")/lib.sh"
need python3 cmp ip
begin "$@"

cat >ends.py <<'PY'
# ends.py send|receive FILE: a file over one connection to $WEIR_PEER, port 7000, acknowledged by its length.
import os, socket, sys, time
v6 = len(sys.argv) > 3
name = "WEIR_ADDR6" if v6 else "WEIR_ADDR"
family = socket.AF_INET6 if v6 else socket.AF_INET
if sys.argv[1] == "receive":
    listener = socket.create_server((os.environ[name], 7000), family=family)
    s, _ = listener.accept()
    with open(sys.argv[2], "wb") as f:
        while part := s.recv(65536):
            f.write(part)
        s.sendall(b"%d" % f.tell())
    s.close()
else:
    for _ in range(200):
        try:
            s = socket.create_connection((os.environ["WEIR_PEER6" if v6 else "WEIR_PEER"], 7000), 20)
            break
        except OSError:
            time.sleep(0.02)
    with open(sys.argv[2], "rb") as f:
        s.sendfile(f)
    s.shutdown(socket.SHUT_WR)
    assert s.recv(100) == b"%d" % os.path.getsize(sys.argv[2])
PY
# link WORDS...: the JSON line of a link that ends by itself within 30 s
link() {
    rm -f came
    timeout 30 "$weir" link --json -q "$@" >said
    code=$?
    cat said
    [ "$code" = 0 ]
}
# holds CONDITION: about the two ways, named left and right by the end they lead to
holds() {
    python3 - "$1" <<'PY'
import json, sys
said = json.loads(open("said").read().splitlines()[-1])
left, right = said["left"], said["right"]
print(left, right)
sys.exit(not eval(sys.argv[1]))
PY
}
lossless='all(w["lost"] + w["pattern_dropped"] + w["tail_dropped"] + w["no_memory"] + w["refused"] == 0 and w["delivered"] + w["queued"] == w["pushed"] for w in (left, right))'
linux_linux() {
    link --rate 100mbit --delay 5ms --left "python3 ends.py send sent $1" --right "python3 ends.py receive came $1" && cmp sent came &&
        holds "$lossless and right['octets'] > 4 << 20 and right['pushed'] > 2800"
}
# weir answers with HTTP over the socket, the kernel's curl asks over its device; then the other way round.
weir_left() {
    link --delay 5ms --left-socket --left "exec $weir http -q site --fd \$WEIR_FD --addr \$WEIR_ADDR/24 --peer \$WEIR_PEER --one-off" \
        --right 'exec curl -sS --fail --noproxy "*" --retry 5 --retry-connrefused --max-time 20 -o came http://$WEIR_PEER/file' &&
        cmp site/file came && holds "$lossless and right['octets'] > 4 << 20"
}
weir_right() {
    link --delay 5ms --right-socket --right "exec $weir http -q site --fd \$WEIR_FD --addr \$WEIR_ADDR/24 --peer \$WEIR_PEER" --grace 0 \
        --left 'exec curl -sS --fail --noproxy "*" --max-time 20 -o came http://$WEIR_PEER/file' &&
        cmp site/file came && holds "$lossless and left['octets'] > 4 << 20"
}
weir_takes() {
    link --rate 100mbit --delay 5ms --loss right:1% --seed 2 --right-socket \
        --right "exec $weir http -q site --fd \$WEIR_FD --addr \$WEIR_ADDR/24 --peer \$WEIR_PEER" --grace 0 \
        --left 'exec curl -sS --fail --noproxy "*" --max-time 20 -T sent http://$WEIR_PEER/up' &&
        cmp site/up sent && holds "right['octets'] > 4 << 20 and right['lost'] > 5 and left['lost'] == 0"
}
weir_weir() {
    link --loss 2% --seed 3 --left-socket --left "exec $weir http -q site --fd \$WEIR_FD --addr \$WEIR_ADDR/24 --one-off" --right-socket \
        --right "exec $weir nc \$WEIR_PEER 80 -q --fd \$WEIR_FD --addr \$WEIR_ADDR/24 --peer \$WEIR_PEER <ask >came" &&
        tail -c 4194304 came | cmp - site/file && holds 'right["lost"] > 20 and left["lost"] > 0'
}
# Exactly those packets: of datagrams numbered 0 to 99 the ones that came.
pattern() {
    cat >numbers.py <<'PY'
import os, socket, sys, time
if sys.argv[1] == "receive":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((os.environ["WEIR_ADDR"], 7000))
    open("listening", "w").close()
    s.settimeout(20)
    came = set()
    while 99 not in came:
        came.add(int(s.recv(100)))
    missing = sorted(set(range(100)) - came)
    print(missing, file=open("missing", "w"))
else:
    while not os.path.exists("listening"):
        time.sleep(0.02)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for i in range(100):  # 128 octets each, with the headers
        s.sendto(b"%0100d" % i, (os.environ["WEIR_PEER"], 7000))
PY
    rm -f listening missing
    link --drop "right:$1" --drop right:1/1+12K --right 'python3 numbers.py receive' --left 'python3 numbers.py send' --addr6 off &&
        cat missing && [ "$(cat missing)" = "$2" ] && holds "right['pushed'] == 100 and right['pattern_dropped'] == $3 and right['delivered'] == 100 - $3 and left['pattern_dropped'] == 0"
}
pattern_in_time() {
    cat >late.py <<'PY'
import os, socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(60):  # nobody listens
    s.sendto(b"%d" % i, (os.environ["WEIR_PEER"], 7000))
    time.sleep(0.01)
PY
    link --drop right:7/2@300ms --left 'python3 late.py' --addr6 off &&
        holds 'right["pattern_dropped"] == 7 and right["pushed"] == 60 and 290000 <= right["pattern_at_us"] - said["began_at_us"] < 2000000'
}
impaired() {
    link --seed 5 --loss right:3% --dup left:5% --reorder right:2% --corrupt right:1% --jitter 1ms --delay 3ms \
        --left "python3 ends.py send sent" --right "python3 ends.py receive came" && cmp sent came &&
        holds 'right["lost"] > 0 < right["reordered"] and right["corrupted"] > 0 == right["duplicated"] and left["duplicated"] > 0 == left["lost"] == left["reordered"]'
}
delay_and_rate() {
    link --rate right:8mbit --delay left:200ms --left "python3 ends.py send site/small" --right "python3 ends.py receive came" &&
        cmp site/small came && holds '1.4 < said["seconds"] < 6'
}
queue_full() {
    link --rate right:1mbit --queue right:5p --left 'python3 numbers.py send' --addr6 off &&
        holds 'right["pushed"] == 100 and right["tail_dropped"] > 50 and right["tail_dropped"] + right["delivered"] + right["queued"] == 100'
}
captures() {
    link --drop right:3/2+64K --left-pcapng left.pcapng --right-pcapng right.pcapng --left "python3 ends.py send sent" \
        --right "python3 ends.py receive came" && cmp sent came || return 1
    python3 - <<'PY'
import json, struct
said = json.loads(open("said").read().splitlines()[-1])
def blocks(name):
    octets, at = open(name, "rb").read(), 0
    while at < len(octets):
        kind, length = struct.unpack_from("<II", octets, at)
        assert struct.unpack_from("<I", octets, at + length - 4)[0] == length
        yield kind, octets[at:at + length]
        at += length
left, right = list(blocks("left.pcapng")), list(blocks("right.pcapng"))
struck = sum(kind == 6 and b"link: pattern" in b for kind, b in left)
packets = [sum(kind == 6 for kind, _ in side) for side in (left, right)]
print(packets, struck)
assert struck == 3 and packets[0] >= said["right"]["pushed"] and packets[0] == packets[1] + 3
PY
}
statuses() {
    "$weir" link -q --left 'exit 7' --right 'sleep 20'
    [ $? = 7 ] || return 1
    "$weir" link -q --left true --right 'exit 3'
    [ $? = 3 ] || return 1
    "$weir" link -q --left true --right true && "$weir" link -q --left true --right 'sleep 20' --grace 100ms
}
given() {
    unshare -n sleep 30 &
    a=$!
    unshare -n sleep 30 &
    b=$!
    sleep 0.3
    link --left-netns "/proc/$a/ns/net" --right-netns "/proc/$b/ns/net" --left "python3 ends.py send sent" \
        --right "readlink /proc/self/ns/net >which; python3 ends.py receive came" && cmp sent came &&
        [ "$(cat which)" = "$(readlink "/proc/$b/ns/net")" ]
    code=$?
    kill "$a" "$b"
    return "$code"
}
refused() {
    "$weir" link -q --left-netns no-such-one --left true 2>err
    code=$?
    cat err
    [ "$code" = 2 ] && [ "$(wc -l <err)" = 1 ] && grep -q 'no-such-one.*; ip netns' err
}
# stopped SIGNAL: nothing that it started, nor what that started, is there any more; and what is not its own still is.
stopped() {
    rm -f left.pid right.pid orphan.pid
    sleep 30 &
    other=$!
    "$weir" link -q --left 'echo $$ >left.pid; exec sleep 60' --right 'sleep 60 & echo $! >orphan.pid; echo $$ >right.pid; wait' &
    running=$!
    for _ in $(seq 100); do [ -s left.pid ] && [ -s right.pid ] && break; sleep 0.05; done
    kill "-$1" "$running"
    wait "$running"
    code=$?
    for _ in $(seq 100); do
        alive=''
        for p in "$(cat left.pid)" "$(cat right.pid)" "$(cat orphan.pid)"; do kill -0 "$p" 2>/dev/null && alive="$alive $p"; done
        [ -z "$alive" ] && break
        sleep 0.05
    done
    kill "$other" || return 1
    echo "ended with $code; left:$alive"
    [ -z "$alive" ] && [ "$code" != 0 ]
}
# Without commands it stays, says when it is ready, and SIGINT is a good end. SIGUSR1 tells what happened so far.
stays() {
    start link.log link --duration 20s
    kill -USR1 "$pid"
    sleep 0.3
    stop && grep -q '^to the left: ' link.log && grep -q '^to the right: ' link.log.out
}

random sent 4M
random site/file 4M
random site/small 1M
printf 'GET /file HTTP/1.0\r\n\r\n' >ask
check "kernel to kernel, IPv4, nothing lost" linux_linux
check "kernel to kernel, IPv6, nothing lost" linux_linux 6
if command -v curl >/dev/null 2>&1; then
    check "weir to the kernel, nothing lost" weir_left
    check "weir at the right end, nothing lost" weir_right
    check "the kernel to weir, with losses" weir_takes
fi
check "weir to weir" weir_weir
check "a pattern drops what it says" pattern 5/3+2560 "[20, 23, 26, 29, 32, 96]" 6
check "and in a row" pattern 4/1+1K "[8, 9, 10, 11, 96]" 5
check "and after a time" pattern_in_time
check "loss, duplicates, reordering, corruption, each its way" impaired
check "a rate one way, a delay the other" delay_and_rate
check "a queue of packets" queue_full
check "a capture of each end" captures
check "the commands' exit statuses" statuses
check "namespaces that exist" given
check "a namespace that does not" refused
check "SIGINT ends all of it" stopped INT
check "SIGTERM ends all of it" stopped TERM
check "SIGKILL ends all of it" stopped KILL
check "without commands it stays" stays
finish
