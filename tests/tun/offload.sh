#!/bin/sh
# Super-segments and partial checksums: 50 MB each way, both families, with them, without, over an impaired link, and in a capture.
# shellcheck source-path=SCRIPTDIR disable=SC2317 # functions are called through check
. "$(dirname "$0")/lib.sh"
need curl python3 sha256sum
begin "$@"

size=50000000
sum_of() { sha256sum <"$1" | cut -d ' ' -f 1; }
same() { [ "$(sum_of "$1")" = "$wanted" ]; }
fetch() { curl -sS --fail --noproxy '*' --max-time 100 "$@"; }
get() { rm -f got && fetch -o got "http://$1/file" && same got; }
put() { rm -f site/up && fetch -o /dev/null -T site/file "http://$1/up" && same site/up; }
both() { get "$1" && put "$1"; }
# counted NAME LEAST MOST...: of the counters, each is within
counted() {
    while [ $# -gt 0 ]; do
        value=$(field "$1")
        echo "$1 is $value"
        { [ "$value" -ge "$2" ] && [ "$value" -le "$3" ]; } || return 1
        shift 3
    done
}
serve() { start http.log http site --control ctl "$@"; }

random site/file $size
wanted=$(sum_of site/file)

serve
check "IPv4" both "$V4"
check "IPv6" both "[$V6]"
# 50 MB twice, of packets that may hold 64 KiB: on a busy machine fewer are full.
check "both sides used super-segments" counted offload 1 1 supers_in 300 $size supers_out 300 $size retransmitted 0 0
check "SIGINT ends it" stop

serve --offload off
check "without: IPv4" both "$V4"
check "without: IPv6" both "[$V6]"
check "packets were of one segment, and some were joined" counted offload 0 0 supers_in 0 0 supers_out 0 0 joined 1000 $size
check "SIGINT ends it" stop

# What enters a link is cut and complete.
serve --loss 0.2% --delay 1ms
check "an impaired link: IPv4" both "$V4"
check "an impaired link: IPv6" both "[$V6]"
check "no super-segment met it" counted offload 0 0 supers_in 0 0 supers_out 0 0
check "SIGINT ends it" stop

# Every checksum in the capture is right, and there are packets in it that no network would carry.
capture() {
    python3 - "$1" "$2" <<'PY'
import struct, sys
data, at, wrong, large, longest, text = open(sys.argv[1], "rb").read(), 0, 0, 0, 0, 0
def add(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(">%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total
while at < len(data):
    kind, size = struct.unpack_from("<II", data, at)
    if kind == 6:
        length = struct.unpack_from("<I", data, at + 20)[0]
        packet = data[at + 28:at + 28 + length]
        if packet[0] >> 4 == 4:
            header, pseudo = 20, packet[12:20]
            wrong += add(packet[:20]) != 0xffff
        else:
            header, pseudo = 40, packet[8:40]
        tcp = packet[header:]
        wrong += add(pseudo + struct.pack(">HH", 6, len(tcp)) + tcp) != 0xffff
        large += length > 1500
        text += b"segments of " in data[at + 28 + length:at + size]
    at += size
print(f"{wrong} wrong checksums, {large} large packets, {text} comments")
sys.exit(not (wrong == 0 and large == text and (large > 100) == (sys.argv[2] == "large")))
PY
}
random site/file 8000000
wanted=$(sum_of site/file)
serve --pcapng run.pcapng
check "while a capture is written: IPv4" both "$V4"
check "while a capture is written: IPv6" both "[$V6]"
check "SIGINT ends it" stop
check "what the capture shows" capture run.pcapng large
serve --pcapng link.pcapng --delay 1ms
check "a capture of a link" both "$V4"
check "SIGINT ends it" stop
check "what that capture shows" capture link.pcapng small
finish
