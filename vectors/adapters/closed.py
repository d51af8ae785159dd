#!/usr/bin/env python3
"""The smallest adapter: a host on which every port is CLOSED (RFC 9293 3.10.7.1). Begin your own with a copy.

    weir-vectors --target 'exec:python3 closed.py' --run '*/closed/*'

It reads a command a line and answers each with one line (FORMAT.md, "The line protocol"). What it does not know it answers
`unimplemented`: vectors that need that are "not supported", never wrong.
"""
import ipaddress
import struct
import sys


def checksum(octets: bytes) -> int:
    if len(octets) % 2:
        octets += b"\0"
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def reset_for(packet: bytes) -> bytes:
    """The RST that answers a segment to a connection that does not exist; nothing for what is none."""
    if packet[0] >> 4 == 4:
        head = (packet[0] & 15) * 4
        source, destination, segment = packet[12:16], packet[16:20], packet[head:int.from_bytes(packet[2:4], "big")]
        protocol = packet[9]
    else:
        source, destination, segment = packet[8:24], packet[24:40], packet[40:40 + int.from_bytes(packet[4:6], "big")]
        protocol = packet[6]

    def sealed(length: int) -> bytes:  # the pseudo-header of IPv6; that of IPv4 has the same sum
        return struct.pack(">II", length, 6)

    if protocol != 6 or len(segment) < 20 or checksum(source + destination + sealed(len(segment)) + segment) != 0:
        return b""
    source_port, destination_port, seq, ack, offset, flags = struct.unpack(">HHIIBB", segment[:14])
    if flags & 0x04:  # never a reset for a reset
        return b""
    if flags & 0x10:
        fields = (ack, 0, 0x50, 0x04)
    else:
        length = len(segment) - (offset >> 4) * 4 + (flags & 1) + (flags >> 1 & 1)
        fields = (0, (seq + length) & 0xFFFFFFFF, 0x50, 0x14)
    answer = bytearray(struct.pack(">HHIIBBHHH", destination_port, source_port, *fields, 0, 0, 0))
    answer[16:18] = checksum(destination + source + sealed(20) + answer).to_bytes(2, "big")
    if packet[0] >> 4 == 6:
        return struct.pack(">IHBB", 6 << 28, 20, 6, 64) + destination + source + answer
    ip = bytearray(struct.pack(">BBHHHBBH", 0x45, 0, 40, 0, 0x4000, 64, 6, 0) + destination + source)
    ip[10:12] = checksum(bytes(ip)).to_bytes(2, "big")
    return bytes(ip + answer)


def main() -> None:
    now, sockets = 0, 0
    local = ipaddress.ip_address("0.0.0.0")
    for line in sys.stdin:
        command, *words = line.split()
        answer = "unimplemented"
        if command == "hello":
            answer = "ok 1 name=closed clock=virtual features=virtual-time,ipv6"
        elif command == "reset":
            now, sockets, local = 0, 0, ipaddress.ip_address(words[0])
            answer = "ok"
        elif command == "socket":
            answer, sockets = f"ok {sockets}", sockets + 1
        elif command == "close":
            answer = "ok"
        elif command == "packet":
            packet = bytes.fromhex(words[0])
            reply = reset_for(packet) if packet[0] >> 4 == local.version else b""
            if reply:
                print("out", now, reply.hex())
            answer = "ok"
        elif command == "advance":
            now = max(now, int(words[0]))
            answer = f"ok {now}"
        elif command == "now":
            answer = f"ok {now}"
        elif command == "info":
            answer = "ok CLOSED"
        elif command == "quit":
            answer = "ok"
        print(answer, flush=True)
        if command == "quit":
            return


if __name__ == "__main__":
    main()
