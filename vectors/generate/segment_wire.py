"""segment_wire.py - a TCP segment written and read as the RFCs say, for the segment vectors.

A second reading, made from the RFCs alone and slow on purpose: nothing here comes from a stack. build() makes octets,
decode() says what a receiver has to make of them.
"""

import ipaddress

FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE")

# What is known of an option: name, sizes, where it may stand, what another size means, whether it may come twice.
# A size that is "ignored" is so by the RFC of the option; "open" where no RFC says whether the segment is refused or the
# option skipped.
ANYWHERE, SYN_ONLY, NOT_SYN, NOT_FIRST_SYN = "anywhere", "syn", "not-syn", "not-first-syn"
KINDS = {
    2: ("mss", {4}, SYN_ONLY, "open", False),                              # RFC 9293 3.2
    3: ("window-scale", {3}, SYN_ONLY, "open", False),                     # RFC 7323 2.2
    4: ("sack-permitted", {2}, SYN_ONLY, "open", False),                   # RFC 2018 2
    5: ("sack", {10, 18, 26, 34}, NOT_SYN, "open", False),                 # RFC 2018 3
    8: ("timestamps", {10}, ANYWHERE, "open", False),                      # RFC 7323 3.2
    19: ("md5", {18}, ANYWHERE, "open", False),                            # RFC 2385 3.0
    28: ("user-timeout", {4}, ANYWHERE, "ignored", False),                 # RFC 5482 3.3
    29: ("ao", set(range(4, 41)), ANYWHERE, "open", False),                # RFC 5925 2.2
    30: ("mptcp", set(range(3, 41)), ANYWHERE, "ignored", True),           # RFC 8684 3
    34: ("fast-open", {2, 6, 8, 10, 12, 14, 16, 18}, SYN_ONLY, "ignored", False),  # RFC 7413 4.1.1, errata 4238 and 4239
    69: ("eno", set(range(2, 41)), ANYWHERE, "ignored", False),            # RFC 8547 4.1
    172: ("accecn", {2, 5, 8, 11}, NOT_FIRST_SYN, "padded", False),        # RFC 9768 3.2.3
    174: ("accecn", {2, 5, 8, 11}, NOT_FIRST_SYN, "padded", False),
    253: ("experiment", set(range(4, 41)), ANYWHERE, "ignored", True),     # RFC 6994 3
    254: ("experiment", set(range(4, 41)), ANYWHERE, "ignored", True),
}


def ones_sum(data, total=0):
    """RFC 1071: the one's complement sum of 16-bit words, an odd octet padded with zero."""
    if len(data) % 2:
        data = data + b"\0"
    for at in range(0, len(data), 2):
        total += data[at] << 8 | data[at + 1]
        total = (total & 0xFFFF) + (total >> 16)
    return total


def pseudo_header(source, destination, length, protocol=6):
    """RFC 9293 3.1 for IPv4, RFC 8200 8.1 for IPv6."""
    head = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    if len(head) == 8:
        return head + bytes((0, protocol)) + length.to_bytes(2, "big")
    return head + length.to_bytes(4, "big") + bytes((0, 0, 0, protocol))


def checksum(segment, source, destination, protocol=6):
    return 0xFFFF - ones_sum(segment, ones_sum(pseudo_header(source, destination, len(segment), protocol)))


def put_checksum(segment, value):
    return segment[:16] + value.to_bytes(2, "big") + segment[18:]


def bits(names):
    return sum(1 << FLAGS.index(name) for name in names.split())


def build(addresses, flags="ACK", options=b"", payload=b"", **other):
    """The octets of a segment with a right checksum, unless other["sum"] says otherwise."""
    offset = other.get("offset", 5 + len(options) // 4)
    first = offset << 12 | other.get("reserved", 0) << 9 | bits(flags)
    ack = other.get("ack", 0x22222222 if "ACK" in flags.split() else 0)
    head = b"".join((other.get("source_port", 49152).to_bytes(2, "big"), other.get("destination_port", 80).to_bytes(2, "big"),
                     other.get("seq", 0x11111111).to_bytes(4, "big"), ack.to_bytes(4, "big"), first.to_bytes(2, "big"),
                     other.get("window", 4096).to_bytes(2, "big"), b"\0\0", other.get("urgent", 0).to_bytes(2, "big")))
    whole = head + options + payload
    return put_checksum(whole, other["sum"] if "sum" in other else checksum(whole, *addresses))


def pad(options, fill=0):
    """To whole words: End of Option List and zeros, or NOPs."""
    return options + bytes([fill]) * (-len(options) % 4)


class Reading:
    """What is learnt of the option list, as it is read."""

    def __init__(self, flags):
        self.flags, self.names, self.values, self.odd, self.open, self.seen = flags, set(), {}, set(), set(), {}
        self.refusal = None   # a reason for which the segment may be refused
        self.must_refuse = False

    def in_place(self, place):
        syn, ack = "SYN" in self.flags, "ACK" in self.flags
        return {ANYWHERE: True, SYN_ONLY: syn, NOT_SYN: not syn, NOT_FIRST_SYN: ack or not syn}[place]

    def take(self, name, option):
        kind, body = option[0], option[2:]
        if name == "mss":
            value = int.from_bytes(body, "big")
            if value == 0:
                self.odd.add("option-value")
                self.open.add("mss")
                return
            self.values[name] = value
        elif name == "window-scale":
            if body[0] > 14:
                self.odd.add("option-value")
            self.values[name] = min(body[0], 14)
        elif name == "timestamps":
            self.values[name] = {"value": int.from_bytes(body[:4], "big"), "echo": int.from_bytes(body[4:], "big")}
        elif name == "sack":
            self.values[name] = self.sack(body)
        elif name == "user-timeout":
            self.values[name] = {"unit": "minutes" if body[0] & 0x80 else "seconds", "value": int.from_bytes(body, "big") & 0x7FFF}
        elif name == "md5":
            self.values[name] = body.hex()
        elif name == "ao":
            self.values[name] = {"key": body[0], "rnext-key": body[1], "mac": body[2:].hex()}
        elif name == "fast-open":
            self.values[name] = body.hex()
        elif name == "accecn":
            order = ("ee0b", "eceb", "ee1b") if kind == 172 else ("ee1b", "eceb", "ee0b")
            self.values[name] = {field: int.from_bytes(body[3 * i:3 * i + 3], "big")
                                 for i, field in enumerate(order) if len(body) >= 3 * i + 3}
        self.names.add(name)

    def sack(self, body):
        blocks = []
        for at in range(0, len(body), 8):
            left, right = int.from_bytes(body[at:at + 4], "big"), int.from_bytes(body[at + 4:at + 8], "big")
            if 0 < (right - left) % 2**32 < 2**31:
                blocks.append([left, right])
            else:
                self.odd.add("sack-block")
        return blocks

    def option(self, option):
        kind = option[0]
        if kind not in KINDS:
            self.names.add("unknown")
            return
        name, sizes, place, misfit, repeats = KINDS[kind]
        fits = len(option) in sizes
        if not fits and misfit == "open":
            self.refusal = self.refusal or "option-size"
            return
        if kind in self.seen and not repeats:
            self.odd.add("option-twice")
            if name == "ao":
                self.refusal = self.refusal or "authentication"
            if self.seen[kind] != option:
                self.open.add(name)
            return
        self.seen[kind] = option
        if not fits:
            self.odd.add("option-value")
        if not self.in_place(place):
            self.odd.add("option-place")
            if kind in (4, 5, 2, 172, 174):   # RFC 7323 2.2 and RFC 7413 4.1.1 say it for theirs; for these only senders are bound
                self.open.add(name)
        elif fits or misfit == "padded":
            self.take(name, option)

    def list(self, octets):
        at = 0
        while at < len(octets):
            kind = octets[at]
            if kind == 0:
                if any(octets[at + 1:]):
                    self.odd.add("padding")
                return
            if kind == 1:
                at += 1
                continue
            size = octets[at + 1] if at + 1 < len(octets) else 0
            if size < 2 or size > len(octets) - at:
                self.refusal = self.refusal or "option-length"
                return
            self.option(octets[at:at + size])
            at += size


def odd_header(fields):
    flags, odd = set(fields["flags"]), set()
    if not flags or {"SYN", "FIN"} <= flags or {"SYN", "RST"} <= flags or ("FIN" in flags and "ACK" not in flags):
        odd.add("flags")
    if fields["reserved"]:
        odd.add("reserved")
    if fields["urgent"] and "URG" not in flags:
        odd.add("urgent")
    if fields["ack"] and "ACK" not in flags:
        odd.add("acknowledgment")
    return odd


def refused(reason):
    return {"result": "invalid", "reason": reason}


def decode(octets, addresses):
    """result, reason, fields, odd, open: what RFC 9293 3.1 and the RFCs of the options make of these octets."""
    if len(octets) < 20:
        return refused("truncated")
    if ones_sum(octets, ones_sum(pseudo_header(*addresses, len(octets)))) != 0xFFFF:
        return refused("checksum")
    header = (octets[12] >> 4) * 4
    if not 20 <= header <= len(octets):
        return refused("data-offset")
    number = lambda at, size: int.from_bytes(octets[at:at + size], "big")
    control = number(12, 2) & 0x1FF
    fields = {"source-port": number(0, 2), "destination-port": number(2, 2), "seq": number(4, 4), "ack": number(8, 4),
              "header-length": header, "reserved": octets[12] >> 1 & 7,
              "flags": [name for i, name in enumerate(FLAGS) if control >> i & 1],
              "window": number(14, 2), "urgent": number(18, 2), "payload": octets[header:].hex()}
    reading = Reading(fields["flags"])
    reading.list(octets[20:header])
    if {"ao", "md5"} <= reading.names:
        reading.refusal = reading.refusal or "authentication"
    if reading.refusal is None and 0 in (fields["source-port"], fields["destination-port"]):
        reading.refusal = "port"
    fields["options"] = sorted(reading.names)
    fields.update(sorted(reading.values.items()))
    answer = {"result": "acceptable" if reading.refusal else "valid"}
    if reading.refusal:
        answer["reason"] = reading.refusal
    answer["fields"] = fields
    for key, value in (("odd", reading.odd | odd_header(fields)), ("open", reading.open)):
        if value:
            answer[key] = sorted(value)
    return answer
