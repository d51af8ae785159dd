#!/bin/sh
# Transfers over a link that loses, doubles, reorders, corrupts and delays; and the capture of one, read by others.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
need curl python3 sha256sum
begin "$@"

lanes='1 2 3 4 5 6 7 8'
# all GET|PUT ADDR: eight files at the same time
all() {
    pids=''
    for i in $lanes; do
        if [ "$1" = GET ]; then
            curl -sS --fail --noproxy '*' --max-time 60 -o "got.$i" "http://$2/file.$i" &
        else
            curl -sS --fail --noproxy '*' --max-time 60 -o /dev/null -T "site/file.$i" "http://$2/up.$i" &
        fi
        pids="$pids $!"
    done
    for p in $pids; do wait "$p" || return 1; done
    for i in $lanes; do
        if [ "$1" = GET ]; then cmp "got.$i" "site/file.$i" || return 1
        else cmp "site/up.$i" "site/file.$i" || return 1
        fi
    done
}
impaired() {
    "$weir" stats ctl --json >now
    python3 - <<'PY'
import json, sys
stats = json.load(open("now"))
print(stats["link_in"], stats["link_out"], stats["retransmitted"])
for way in ("link_in", "link_out"):
    for what in ("lost", "duplicated", "corrupted", "reordered"):
        assert stats[way][what] > 0, (way, what)
assert stats["retransmitted"] > 0
assert stats["verdicts"]["tcp-checksum"] + stats["verdicts"]["ip-checksum"] > 0
PY
}
one_way_rate() {
    began=$(date +%s%N)
    curl -sS --fail --noproxy '*' --max-time 30 -o got.1 "http://$V4/file.1" || return 1
    took=$((($(date +%s%N) - began) / 1000000))
    echo "$took ms"
    cmp got.1 site/file.1 && [ "$took" -ge 900 ] && [ "$took" -le 6000 ]
}
# The same seed and the same packets: the first losses fall on the same packets.
capture_readable() {
    if command -v tshark >/dev/null 2>&1; then
        tshark -r run.pcapng -T fields -e frame.comment -e tcp.flags >shown 2>err || return 1
        head -n 5 shown
        grep -q SYN-RECEIVED shown && [ "$(wc -l <shown)" -gt 100 ]
    else
        tcpdump -nr run.pcapng >shown 2>err && [ "$(wc -l <shown)" -gt 100 ]
    fi
}
no_bad_checksum_out() {
    tcpdump -nvr run.pcapng src host "$V4" >shown 2>err || return 1
    grep -c 'cksum' shown
    ! grep -q 'incorrect' shown
}

for i in $lanes; do random "site/file.$i" 256K; done
start http.log http site --control ctl --loss 2% --dup 1% --reorder 2% --corrupt 0.5% --delay 20ms --seed 7
for family in 4 6; do
    addr=$V4
    [ $family = 4 ] || addr="[$V6]"
    check "8 x 256 KiB fetched, IPv$family" all GET "$addr"
    check "8 x 256 KiB sent, IPv$family" all PUT "$addr"
done
check "the link did what it was told" impaired
check "SIGINT ends it" stop
start http.log http site --loss 5% --burst 4 --delay 5ms --jitter 5ms --seed 11
check "losses in bursts, with jitter" all GET "$V4"
check "SIGINT ends it" stop
start http.log http site --rate out:2mbit
check "256 KiB at 2 Mbit/s take a second" one_way_rate
check "SIGINT ends it" stop
start http.log http site --pcapng run.pcapng
check "with a capture" all GET "$V4"
check "SIGINT ends it" stop
check "the capture can be read" capture_readable
if command -v tcpdump >/dev/null 2>&1; then check "every checksum weir wrote is right" no_bad_checksum_out; fi
finish
