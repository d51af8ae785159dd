#!/bin/sh
# queues.sh [BUILD]: four stacks in four threads behind the four queues of one TUN device; the kernel's TCP opens and accepts connections.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
need python3
[ -n "${WEIR_INSIDE:-}" ] || { built=${1:-${WEIR_BUILD:-build}}; queues=$(readlink -m "$built/tests/weir-queues"); export queues; }
begin "$@"
[ -x "$queues" ] || cannot "this build has no weir-queues"

ip tuntap add dev weirq mode tun multi_queue || cannot "the kernel makes no device of several queues"
ip address add $PEER4/30 dev weirq
ip link set weirq txqueuelen 10000 up

# The peer: says back what it hears at port 7, and prints how many came.
cat >peer.py <<'PY'
import asyncio, sys
address, port = sys.argv[1], int(sys.argv[2])
served = 0

async def serve(reader, writer):
    global served
    writer.write(await reader.readexactly(8))
    served += 1
    await writer.drain()
    await reader.read()
    writer.close()

async def main():
    await asyncio.start_server(serve, address, port, backlog=1000)
    print("ready", flush=True)
    while served < int(sys.argv[3]):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    print(served)

asyncio.run(asyncio.wait_for(main(), 60))
PY

# Clients: each says 4,000 octets of its own in four pieces, and hears each again.
cat >clients.py <<'PY'
import asyncio, os, sys
address, count = sys.argv[1], int(sys.argv[2])

async def client():
    reader, writer = await asyncio.open_connection(address, 80)
    for _ in range(4):
        piece = os.urandom(1000)
        writer.write(piece)
        assert await reader.readexactly(1000) == piece
    writer.close()
    await writer.wait_closed()

async def main():
    for _ in range(0, count, 100):
        await asyncio.gather(*(client() for _ in range(100)))
    print(count)

asyncio.run(asyncio.wait_for(main(), 60))
PY

opened=25 came=800
: >peer.out
python3 peer.py $PEER4 7 $((4 * opened)) >peer.out 2>&1 &
peer=$!
for _ in $(seq 100); do grep -q ready peer.out && break; sleep 0.05; done
mkfifo until
"$queues" weirq 4 $opened $V4 $PEER4 7 <until >queues.out 2>&1 &
pid=$!
exec 7>until

check "$came connections of the kernel, 4,000 octets each, there and back" python3 clients.py $V4 $came
check "$((4 * opened)) connections that the stacks opened" wait "$peer"
sleep 1
exec 7>&-
check "no packet met a stack without its connection" wait "$pid"
cat queues.out
all_came() { [ "$(sed -n 's/^queue [0-3]: \([0-9]*\) connections.*/\1/p' queues.out | awk '$1 > 0 { n++; sum += $1 } END { print n, sum }')" = "4 $came" ]; }
all_answered() { [ "$(grep -c " $opened of its own answered" queues.out)" = 4 ]; }
check "each queue had its share, and together all" all_came
check "each stack heard the answer on each connection of its own" all_answered
finish
