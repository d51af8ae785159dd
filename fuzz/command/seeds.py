"""Inputs of fuzz_conn from captures: a conversation is told again in the events of that target.

Numbers are offsets from the two initial sequence numbers, so that they mean the same whatever numbers the connection under test chooses.
What our end sent becomes what its user must have done: SEND before text goes for the first time, CLOSE before FIN.
"""
import struct

FIN, SYN, RST, ACK, URG = 1, 2, 4, 16, 32
ANY = 12                     # the base whose distance is given in full: from ISS or IRS
EVENTS_MAX = 150
SECTION, INTERFACE, SIMPLE, ENHANCED = 0x0A0D0D0A, 1, 3, 6
ETHERNET, RAW = 1, 101
CLASSIC = {0xA1B2C3D4: 1, 0xA1B23C4D: 1000}  # units in a microsecond


# ---- captures ---------------------------------------------------------------------------------------------------


def blocks_of(octets, order):
    at = 0
    while at + 12 <= len(octets):
        kind, size = struct.unpack_from(order + "II", octets, at)
        if size < 12 or at + size > len(octets):
            return
        yield kind, octets[at + 8:at + size - 4]
        at += size


def pcapng_options(octets, order):
    at, found = 0, {}
    while at + 4 <= len(octets):
        kind, size = struct.unpack_from(order + "HH", octets, at)
        found[kind] = octets[at + 4:at + 4 + size]
        at += 4 + (size + 3) // 4 * 4
    return found


def from_pcapng(octets):
    """(microseconds, packet with its link header, link type, "in", "out" or None)"""
    order, links = ("<" if octets[8:12] == b"\x4d\x3c\x2b\x1a" else ">"), []
    for kind, body in blocks_of(octets, order):
        if kind == INTERFACE:
            links.append(struct.unpack_from(order + "H", body)[0])
        elif kind == ENHANCED and len(body) >= 20:
            which, high, low, size = struct.unpack_from(order + "IIII", body)
            flags = pcapng_options(body[20 + (size + 3) // 4 * 4:], order).get(2)
            way = {1: "in", 2: "out"}.get(struct.unpack(order + "I", flags)[0] & 3) if flags else None
            yield (high << 32) + low, body[20:20 + size], links[which] if which < len(links) else RAW, way


def from_pcap(octets, order, unit):
    link, at = struct.unpack_from(order + "I", octets, 20)[0], 24
    while at + 16 <= len(octets):
        seconds, part, size = struct.unpack_from(order + "III", octets, at)
        yield seconds * 1000000 + part // unit, octets[at + 16:at + 16 + size], link, None
        at += 16 + size


def packets_of(octets):
    if len(octets) < 24:
        return
    for order in "<>":
        first = struct.unpack_from(order + "I", octets)[0]
        if first in CLASSIC:
            yield from from_pcap(octets, order, CLASSIC[first])
        elif first == SECTION and order == "<":
            yield from from_pcapng(octets)


# ---- segments ---------------------------------------------------------------------------------------------------


class Segment:
    def __init__(self, when, way, ends, tcp):
        self.when, self.way, self.ends = when, way, ends
        self.seq, self.ack = struct.unpack_from("!II", tcp, 4)
        self.flags, self.window, _, self.urgent = struct.unpack_from("!HHHH", tcp, 12)
        head = (self.flags >> 12) * 4
        self.flags &= 0x1FF
        self.len = len(tcp) - head
        self.options = dict(options_of(tcp[20:head]))


def options_of(octets):
    at = 0
    while at < len(octets) and octets[at] != 0:
        if octets[at] == 1:
            at += 1
            continue
        size = octets[at + 1] if at + 1 < len(octets) else 0
        if size < 2 or at + size > len(octets):
            return
        yield octets[at], octets[at + 2:at + size]
        at += size


def segment(when, packet, link, way):
    """None if it is no TCP segment in one piece."""
    packet = packet[14:] if link == ETHERNET else packet
    if len(packet) >= 40 and packet[0] >> 4 == 4 and packet[9] == 6:
        head, size = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
        addresses, tcp = (packet[12:16], packet[16:20]), packet[head:size]
    elif len(packet) >= 60 and packet[0] >> 4 == 6 and packet[6] == 6:
        addresses, tcp = (packet[8:24], packet[24:40]), packet[40:40 + struct.unpack_from("!H", packet, 4)[0]]
    else:
        return None
    if len(tcp) < 20 or not 20 <= (tcp[12] >> 4) * 4 <= len(tcp):
        return None
    return Segment(when, way, (addresses[0] + tcp[:2], addresses[1] + tcp[2:4]), tcp)


def conversations(octets):
    """Lists of segments between the same two sockets, each told to be "in" or "out"; of a capture that does not say so, both ways."""
    found = {}
    for one in packets_of(octets):
        seg = segment(*one)
        if seg is not None:
            found.setdefault(frozenset(seg.ends), []).append(seg)
    for segs in found.values():
        if all(s.way for s in segs):
            yield segs
            continue
        for ours in segs[0].ends:
            for s in segs:
                s.way = "out" if s.ends[0] == ours else "in"
            yield segs


# ---- events -----------------------------------------------------------------------------------------------------


def number(value, most=65535):
    """As fuzz_len reads it."""
    value = min(value, most)
    return bytes([value]) if value < 128 else b"\xe0" + struct.pack("!H", min(value, 65535))


class Teller:
    """One conversation, seen from our end."""

    def __init__(self, segs, variant):
        self.segs, self.variant = segs, variant
        self.ours, self.theirs = (self.first(way) for way in ("out", "in"))
        self.committed, self.closed, self.now = 0, False, segs[0].when
        self.stamp = 0
        self.events = []

    def first(self, way):
        """The initial sequence number of that end: of its SYN, or what the first segment lets suppose."""
        syn = next((s for s in self.segs if s.way == way and s.flags & SYN), None)
        if syn is not None:
            return syn.seq
        some = next((s for s in self.segs if s.way == way), None)
        other = next((s for s in self.segs if s.way != way and s.flags & ACK), None)
        return (some.seq - 1 if some else other.ack - 1 if other else 0) & 0xFFFFFFFF

    def told(self):
        active = next((s.way == "out" for s in self.segs if s.flags & SYN), True)
        for s in self.segs[:EVENTS_MAX]:
            self.wait(s.when)
            (self.sent if s.way == "out" else self.arrived)(s)
        return self.head(active) + b"\x0f" + b"".join(self.events)  # what an open says goes out first

    def head(self, active):
        """Seven octets: what fuzz_conn's configuration reads. Our SYN says which options are on."""
        syn = next((s.options for s in self.segs if s.way == "out" and s.flags & SYN), {2: b"", 3: b"", 4: b"", 8: b"\0" * 8})
        off = (0 if 8 in syn else 4) | (0 if 3 in syn else 8) | (0 if 4 in syn else 16)
        v6 = len(self.segs[0].ends[0]) > 6
        return bytes([off, 0, self.variant >> 16 & 0xFF or 0x24, self.variant >> 8 & 0xFF, (1 if v6 else 0) | (0 if active else 32), 0, self.variant & 0xFF])

    def wait(self, when):
        passed, self.now = when - self.now, when
        while passed >= 100:
            if passed < 6553600:
                self.events.append(b"\x0a\xfc" + struct.pack("!H", passed // 100))
                return
            power = min(passed.bit_length() - 1, 31)
            self.events.append(bytes([0x0A, power << 3 | 7]))
            passed -= 1 << power

    def sent(self, s):
        if s.flags & RST:
            self.events.append(b"\x0c\x02")
            return
        end = (s.seq - self.ours - (0 if s.flags & SYN else 1) + s.len) & 0xFFFFFFFF
        if s.len and self.committed < end < 1 << 20:
            self.events.append(b"\x07\x01" + number(end - self.committed, 131072))
            self.committed = end
        if s.flags & FIN and not self.closed:
            self.events.append(b"\x0c\x00")
            self.closed = True

    def arrived(self, s):
        seq, ack = (s.seq - self.theirs) & 0xFFFFFFFF, (s.ack - self.ours) & 0xFFFFFFFF if s.flags & ACK else 0
        options = self.options(s)
        more = (4 if s.len else 0) | 8 | (16 if options else 0)
        self.events.append(struct.pack("!BBBBII", 0, (s.flags & 0xFF) ^ ACK, ANY | ANY << 4, more, seq, ack) +
                           (number(s.len) if s.len else b"") + b"\xff" + struct.pack("!H", s.window) +
                           (struct.pack("!H", s.urgent) if s.flags & URG else b"") + options)
        if s.len:
            self.events.append(b"\x09\x00")

    def options(self, s):
        has, bits, out = s.options, 0, b""
        if len(has.get(2, b"")) == 2:
            bits |= 1
            out += number(struct.unpack("!H", has[2])[0])
        if len(has.get(3, b"")) == 1:
            bits |= 2
            out += has[3]
        bits |= 4 if 4 in has else 0
        blocks = has.get(5, b"")
        if blocks and len(blocks) % 8 == 0:
            bits |= 8 | (len(blocks) // 8 - 1) << 5
            for at in range(0, len(blocks), 8):
                begin, end = struct.unpack_from("!II", blocks, at)
                out += bytes([ANY]) + struct.pack("!I", (begin - self.ours) & 0xFFFFFFFF) + number((end - begin) & 0xFFFFFFFF)
        if len(has.get(8, b"")) == 8:
            value = struct.unpack_from("!I", has[8])[0]
            step = (value - self.stamp) & 0xFFFFFFFF if self.stamp else 1
            bits |= 16
            out += bytes([(step if step < 128 else 256 - min(128, (-step) & 0xFFFFFFFF)) & 0xFF, 0])
            self.stamp = value
        return bytes([bits]) + out if bits else b""


def inputs_of(octets, variant=0):
    """What a capture gives: an input a conversation (two, if the capture does not tell which end is ours)."""
    for segs in conversations(octets):
        if any(s.way == "in" for s in segs):
            yield Teller(segs, variant).told()
