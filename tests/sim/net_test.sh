#!/bin/sh
# net_test.sh WEIR-SIM - small runs of the network simulator: what must be so of every run, and that the program says what is wrong.
set -eu
sim=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

fail() {
    echo "net_test: $*" >&2
    failed=1
}

# run NAME OPTION... : a run in JSON, kept as $dir/NAME
run() {
    name=$1
    shift
    "$sim" --json --quiet "$@" >"$dir/$name" || fail "$name: weir-sim $* ended with $?"
}

# The first number, or the hash, of that name in a run.
value() {
    sed -n "s/^\(.*\)\$/\1/; s/\"$2\":/\n&/; s/^[^\n]*\n\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p" "$dir/$1"
}

# holds RUN "expression of awk with the names of the run": each word in [a-z_] is its value
holds() {
    expression=$2
    for word in $(printf '%s' "$2" | tr -c 'a-z_' ' '); do
        number=$(value "$1" "$word")
        expression=$(printf '%s' "$expression" | sed "s/\\b$word\\b/$number/g")
    done
    awk "BEGIN { exit !($expression) }" </dev/null || fail "$1: not true: $2 ($expression)"
}

# refuses WHAT OPTION... : ends with 2, and the message has these words
refuses() {
    words=$1
    shift
    status=0
    "$sim" "$@" >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" = 2 ] || fail "weir-sim $* ended with $status, not 2"
    grep -q -- "$words" "$dir/err" || fail "weir-sim $* does not say \"$words\": $(cat "$dir/err")"
}

# ---- a clean path: the pipe is filled, nothing is sent twice, not more arrives than the link carries ----
run clean --time 3s --warmup 1s --window 256k
holds clean 'utilisation >= 0.90 && utilisation <= 1'
holds clean 'retrans == 0 && retrans_spurious == 0 && retrans_told == 0 && timeouts == 0 && queue_drops == 0'
run slow --rate 1M --rtt 80ms --time 20s --warmup 2s --window 64k --queue 64k
holds slow 'utilisation >= 0.90 && utilisation <= 1'

# ---- every octet arrives, whatever happens on the way ----
run amount --amount 3M --loss 2% --reorder 1%:3ms --ack-loss 10% --jitter 2ms --time 600s
holds amount 'delivered == amount && amount == 3145728 && retrans_needed > 0'
# Every loss is made good by one retransmission that was needed; the last octets cannot be told apart from the FIN.
run losses --amount 2M --loss 1% --time 600s
holds losses 'delivered == amount && retrans == retrans_needed + retrans_spurious && retrans_needed == lost + queue_lost'
run gilbert --amount 1M --gilbert 0.5%/30% --time 600s
holds gilbert 'delivered == amount && lost > 0'
run thin --amount 1M --ack-thin 4 --access 1G --back-rate 1M --time 60s
holds thin 'delivered == amount && acks_lost > 0 && retrans == queue_lost'

# ---- what was taken for lost and was late is undone ----
run undone --reorder 1%:5ms --window 512k --queue 1250k --time 5s
holds undone 'undone == fast_recoveries && undone > 0 && timeouts == 0'

# ---- spurious retransmissions are those of what arrives: without loss all are, without acknowledgments too ----
run reordered --reorder 2%:5ms --window 256k --time 3s
holds reordered 'retrans > 0 && retrans == retrans_spurious && lost == 0 && queue_lost == 0'
run burst --cc newreno --burst 30/2@2s --window 256k --time 5500ms
holds burst 'lost == 30 && retrans_needed == 30 && deficit_ms > 0 && steady_bps > 80000000'
# (the window that opens at once after a recovery overfills the queue)
run octet --burst 3@1Moctets --window 256k --time 1s
holds octet 'lost == 3 && retrans_needed == lost + queue_lost'
run schedule --at 2s:rate=10M --at 2500ms:rtt=60ms --time 6s --window 128k --queue 300k
holds schedule 'goodput_bps < 27000000 && goodput_bps > 21000000'

# ---- CoDel keeps the queue short; a packet it drops was needed again ----
run late --amount 8M --aqm codel --queue 1M --time 600s
holds late 'delivered == amount && queue_lost > 0 && retrans_needed == queue_lost && retrans_spurious == 0'
run tail --time 4s --warmup 2s --queue 1M
run codel --time 4s --warmup 2s --queue 1M --aqm codel
[ "$(sed 's/.*"queue":{"min":[0-9]*,"avg":\([0-9]*\).*/\1/' "$dir/codel")" -lt "$(sed 's/.*"queue":{"min":[0-9]*,"avg":\([0-9]*\).*/\1/' "$dir/tail")" ] ||
    fail "CoDel's queue is no shorter than tail drop's"

# ---- rings that grow: with the path, and not for a peer that is not read ----
run small --rate 100M --rtt 50ms --time 6s --warmup 2s --window 64k
run grown --rate 100M --rtt 50ms --time 6s --warmup 2s --window 64k --window-max 16M
run unread --rate 100M --rtt 50ms --time 6s --warmup 2s --window 64k --window-max 16M --read 1M
holds small 'utilisation < 0.12 && send_ring == 65536 && receive_ring == 65536'
holds grown 'utilisation >= 0.93 && send_ring >= 1048576 && receive_ring >= 1048576 && filled_us <= 1000000'
holds unread 'receive_ring <= 131072 && goodput_bps <= 1010000 && goodput_bps >= 950000'

# ---- two flows share ----
run share --flows 2 --rate 20M --time 12s --warmup 4s --flow start=100ms --flow rtt=1ms,sack=on
holds share 'jain >= 0.8 && jain <= 1 && utilisation >= 0.90 && utilisation <= 1'

# ---- the same seed gives the same run to the octet, another seed another ----
for seed in 7 7 8; do
    run "seed$seed" --seed $seed --loss 1% --reorder 1% --jitter 1ms --flows 2 --time 2s --pcapng "$dir/$seed.pcapng"
    if [ -e "$dir/last" ] && [ "$seed" = 7 ]; then
        cmp -s "$dir/last" "$dir/seed7" || fail "two runs of one seed differ"
        cmp -s "$dir/last.pcapng" "$dir/7.pcapng" || fail "two captures of one seed differ"
    fi
    [ "$seed" = 8 ] || { cp "$dir/seed7" "$dir/last" && cp "$dir/7.pcapng" "$dir/last.pcapng"; }
done
[ "$(value last hash)" != "$(value seed8 hash)" ] || fail "two seeds give one hash"
[ "$(od -An -tx1 -N4 "$dir/7.pcapng" | tr -d ' ')" = 0a0d0d0a ] || fail "the capture is no pcapng file"

# ---- plots, with gnuplot and without ----
if command -v gnuplot >/dev/null 2>&1; then
    "$sim" --time 1500ms --burst 3@1s --plot "$dir/plot" >/dev/null || fail "--plot ended with $?"
    for picture in time-sequence cwnd-queue; do
        grep -q '</svg>' "$dir/plot/$picture.svg" || fail "$picture.svg is not whole"
    done
    [ "$(wc -l <"$dir/plot/lost.dat")" = 3 ] || fail "lost.dat does not have the three losses"
fi
status=0
PATH=/nowhere "$sim" --time 500ms --plot "$dir/none" >/dev/null 2>"$dir/err" || status=$?
[ "$status" = 1 ] || fail "without gnuplot --plot ends with $status, not 1"
grep -q 'gnuplot is missing' "$dir/err" || fail "without gnuplot nothing says so: $(cat "$dir/err")"

# ---- tables ----
"$sim" --scenario list | grep -q burst-table || fail "--scenario list does not name burst-table"
"$sim" --scenario burst-table --quiet >"$dir/table" || fail "burst-table ended with $?"
[ "$(grep -cE ' (yes|no)$' "$dir/table")" = 6 ] || fail "burst-table does not have six rows"
"$sim" --scenario tail-loss --json --quiet >"$dir/tails" || fail "tail-loss ended with $?"
[ "$(grep -o '"delivered_total":99912' "$dir/tails" | wc -l)" = 6 ] || fail "tail-loss: not every transfer was whole"
[ "$(grep -o '"tail_probes":1' "$dir/tails" | wc -l)" = 5 ] || fail "tail-loss: not every lost tail was probed for"
grep -q '"timeouts":[1-9]' "$dir/tails" && fail "tail-loss: a lost tail cost a timeout"
"$sim" --scenario overshoot --rate 20M --quiet >"$dir/table" || fail "overshoot ended with $?"
[ "$(grep -c ' ms .*[0-9]\.[0-9][0-9]$' "$dir/table")" = 8 ] || fail "overshoot does not have eight rows"
awk '$1 == "all" { exit !($2 < $3 && $2 > 0) }' "$dir/table" || fail "HyStart++ does not make slow start throw away less: $(cat "$dir/table")"
if "$sim" --pcapng /nowhere/file --time 100ms >/dev/null 2>"$dir/err"; then
    fail "a capture file that cannot be written goes unnoticed"
fi
"$sim" --help | grep -q -- --gilbert || fail "--help does not list the options"

# Marks instead of losses: CoDel with ECN drops nothing and carries as much; so does a queue that marks beyond 30 packets.
for aqm in '--aqm codel --queue 1000p' '--mark 30p --queue 200p'; do
    for ecn in 0 1; do
        # shellcheck disable=SC2086 # two options
        "$sim" --rate 20M --set ecn=$ecn $aqm --time 10s --quiet --json >"$dir/ecn$ecn" || fail "$aqm with ecn=$ecn ended with $?"
    done
    grep -q '"queue_drops":0,"marks":[1-9]' "$dir/ecn1" || fail "$aqm: a flow with ECN is not marked, or loses: $(cat "$dir/ecn1")"
    grep -q '"queue_drops":[1-9][0-9]*,"marks":0,' "$dir/ecn0" || fail "$aqm: a flow without ECN is marked, or loses nothing"
    cat "$dir/ecn0" "$dir/ecn1" | grep -o '"goodput_bps":[0-9]*,"util' | tr -dc '0-9\n' | {
        read -r without && read -r with && [ "$with" -ge $((without * 99 / 100)) ]
    } || fail "$aqm: ECN costs goodput"
done

# ---- what is wrong is said ----
refuses 'no such option' --bogus
refuses 'needs a value' --rate
refuses 'every argument is an option' burst-table
refuses 'a rate in bits a second' --rate fast
refuses 'out of range' --rate 1
refuses 'out of range' --flows 65
refuses 'a pattern is needed' --burst 30
refuses 'a pattern is needed' --burst 0@1s
refuses 'after @ comes' --burst 3/2@soon
refuses 'like 5s:rate=10M' --at rate=10M
refuses 'what changes is' --at 1s:colour=red
refuses 'a share from 0%' --loss 200%
refuses 'two to four shares' --gilbert 1%
refuses 'a congestion control is needed: newreno' --cc bogus
refuses 'no such field' --set bogus=1
refuses 'a switch is on or off' --set sack=maybe
refuses 'refuses the field ack_every' --set ack_every=0
refuses 'name=value' --flow start
refuses 'a profile is' --profile fast
refuses 'no such table' --scenario bogus
refuses 'tail or codel' --aqm red
refuses 'two times are needed' --plot-window 1s
refuses 'the run is over before' --warmup 20s
refuses 'only when the run is over' --flow start=20s
refuses 'goes with a table' --repeats 3
refuses 'takes no value' --json=yes
refuses 'out of range' --window-max 100
refuses 'a rate is 8k' --flow read=1

[ "$failed" = 0 ] && echo "net_test: all is as it should be"
exit "$failed"
