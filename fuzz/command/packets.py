"""Packets of an input: the diary that a target keeps (fuzz.h), told in words, and written as a capture file."""
import struct

FLAGS = "FSRPAUEC"  # from bit 0
MAPPED = bytes(10) + b"\xff\xff"
MICROSECOND_MAX = (1 << 64) - 1


class Packet:
    def __init__(self, way, when, octets, event):
        self.way, self.when, self.octets, self.event = way, when, octets, event


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def with_ip(source, destination, segment):
    """The segment with a header of IP before it, and its checksum put right where it was left open."""
    v4 = source[:12] == MAPPED and destination[:12] == MAPPED
    a, b = (source[12:], destination[12:]) if v4 else (source, destination)
    if len(segment) >= 20 and segment[16:18] == b"\0\0":
        pseudo = a + b + (struct.pack("!HH", 6, len(segment)) if v4 else struct.pack("!II", len(segment), 6))
        segment = segment[:16] + struct.pack("!H", checksum(pseudo + segment)) + segment[18:]
    if not v4:
        return struct.pack("!IHBB", 6 << 28, min(len(segment), 65535), 6, 64) + a + b + segment
    header = struct.pack("!BBHHHBBH", 0x45, 0, min(len(segment) + 20, 65535), 0, 0x4000, 64, 6, 0) + a + b
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + segment


def diary(path):
    """(events, packets): how much of the input was left where each event began; what passed."""
    events, packets = [], []
    for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
        words = line.split(" ")
        if words[0] == "event" and len(words) == 2:
            events.append(int(words[1]))
        elif words[0] in ("in", "out") and len(words) == 5:
            octets = bytes.fromhex(words[4])
            if words[2] != "-":
                octets = with_ip(bytes.fromhex(words[2]), bytes.fromhex(words[3]), octets)
            packets.append(Packet(words[0], int(words[1]), octets, len(events)))
    return events, packets


# ---- in words ---------------------------------------------------------------------------------------------------


def address(octets):
    if len(octets) == 4:
        return ".".join(str(b) for b in octets)
    return ":".join(f"{struct.unpack('!H', octets[i:i + 2])[0]:x}" for i in range(0, 16, 2))


def one_option(kind, body):
    if kind == 2 and len(body) == 2:
        return f"mss {struct.unpack('!H', body)[0]}"
    if kind == 3 and len(body) == 1:
        return f"wscale {body[0]}"
    if kind == 4 and not body:
        return "sackOK"
    if kind == 5 and body and len(body) % 8 == 0:
        return "sack " + " ".join("{}:{}".format(*struct.unpack("!II", body[i:i + 8])) for i in range(0, len(body), 8))
    if kind == 8 and len(body) == 8:
        return "TS val {} ecr {}".format(*struct.unpack("!II", body))
    return f"option {kind} {body.hex()}".rstrip()


def options(octets):
    found, at = [], 0
    while at < len(octets) and octets[at] != 0:
        if octets[at] == 1:
            found.append("nop")
            at += 1
            continue
        if at + 1 >= len(octets) or octets[at + 1] < 2 or at + octets[at + 1] > len(octets):
            found.append("malformed " + octets[at:].hex())
            return found
        found.append(one_option(octets[at], octets[at + 2:at + octets[at + 1]]))
        at += octets[at + 1]
    return found + (["eol"] if at < len(octets) else [])


def segment(source, destination, octets):
    if len(octets) < 20:
        return f"{source} > {destination}: {len(octets)} octets, not a segment: {octets.hex()}"
    from_port, to_port, seq, ack, offset_flags, window, _, urgent = struct.unpack("!HHIIHHHH", octets[:20])
    header = (offset_flags >> 12) * 4
    names = "".join(n for i, n in enumerate(FLAGS) if offset_flags >> i & 1).replace("A", ".") or "none"
    text = f"{source}.{from_port} > {destination}.{to_port}: Flags [{names}], seq {seq}"
    text += f", ack {ack}" if offset_flags & 0x10 else ""
    text += f", win {window}" + (f", urg {urgent}" if offset_flags & 0x20 else "")
    if header < 20 or header > len(octets):
        return text + f", data offset {header} of {len(octets)} octets"
    told = options(octets[20:header])
    return text + (f", options [{','.join(told)}]" if told else "") + f", length {len(octets) - header}"


def in_words(octets):
    version = octets[0] >> 4 if octets else 0
    if version == 4 and len(octets) >= 20:
        header, protocol = (octets[0] & 15) * 4, octets[9]
        source, destination, payload = address(octets[12:16]), address(octets[16:20]), octets[header:]
    elif version == 6 and len(octets) >= 40:
        protocol = octets[6]
        source, destination, payload = address(octets[8:24]), address(octets[24:40]), octets[40:]
    else:
        return f"{len(octets)} octets, not IP: {octets[:60].hex()}"
    if protocol == 6:
        return segment(source, destination, payload)
    return f"{source} > {destination}: protocol {protocol}, {len(payload)} octets: {payload[:32].hex()}"


def told(packets):
    lines, event = [], None
    for p in packets:
        if p.event != event:
            event = p.event
            lines.append(f"event {event}" if event else "before the first event")
        lines.append(f"  {p.when / 1e6:.6f} {'<' if p.way == 'in' else '>'} {in_words(p.octets)}")
    return "\n".join(lines) + "\n"


# ---- as a capture file: blocks of pcapng, LINKTYPE_RAW, microseconds ------------------------------------------------


def pad(octets):
    return octets + b"\0" * (-len(octets) % 4)


def pcapng_option(code, value):
    return struct.pack("<HH", code, len(value)) + pad(value)


def pcapng_block(kind, body, *with_options):
    body += b"".join(with_options) + (struct.pack("<HH", 0, 0) if with_options else b"")
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def pcapng(packets, comment):
    out = [pcapng_block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1), pcapng_option(1, comment.encode()),
                        pcapng_option(4, b"fuzz/campaign")),
           pcapng_block(1, struct.pack("<HHI", 101, 0, 0), pcapng_option(2, b"fuzz"))]
    for p in packets:
        when = min(p.when, MICROSECOND_MAX)
        body = struct.pack("<IIIII", 0, when >> 32, when & 0xffffffff, len(p.octets), len(p.octets)) + pad(p.octets)
        out.append(pcapng_block(6, body, pcapng_option(1, f"event {p.event}".encode()),
                                pcapng_option(2, struct.pack("<I", 1 if p.way == "in" else 2))))
    return b"".join(out)
