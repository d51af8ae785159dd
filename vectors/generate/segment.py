#!/usr/bin/env python3
"""segment.py FOLDER | --check - writes FOLDER/segment/*.json, or says which of this tree would change.

Each function of TOPICS makes one file. Octets come from segment_wire.build, expectations from segment_wire.decode; where
a vector was made to show something, `want` says what that is, and a generator that disagrees with itself stops.
"""

import json
import struct
import sys

from segment_wire import FLAGS, KINDS, build, checksum, decode, ones_sum, pad, put_checksum
from topic import VECTORS, Topic, main

V4 = ("192.0.2.1", "198.51.100.2")
V6 = ("2001:db8::1", "2001:db8:0:1::2")
# The name that weir has for each reason; a signature is not looked at by a stack without the option.
WEIR = {"truncated": "tcp-truncated", "checksum": "tcp-checksum", "data-offset": "tcp-data-offset",
        "option-length": "tcp-option-length", "option-size": "tcp-option-size", "port": "tcp-port", "authentication": "ok"}
MSS, WSCALE, SACK_OK = b"\2\4\5\xb4", b"\3\3\7", b"\4\2"
STAMPS = b"\x08\x0a\0\1\2\3\0\4\5\6"
SACK1 = b"\5\x0a" + struct.pack(">II", 0x22222300, 0x22222400)
NOP, END = b"\1", b"\0"

FLAG_NOTES = {
    "Odd": "legal but strange: taken, and worth a mark (the members `odd`)",
    "Layout": "the options stand as weir writes them: what it emits from the decoded fields has these very octets",
    "Erratum": "the RFC prints it wrong; the comment names the erratum",
    "AO": "only a stack that implements TCP-AO refuses it; for others the option is one that they do not know",
    "Undetected": "damage that the checksum cannot see",
    "Lenient": "stacks differ, and no RFC decides: refused, or taken as `fields` says",
}


class SegmentTopic(Topic):
    kind, notes = "segment", FLAG_NOTES

    def add(self, name, comment, octets, addresses=V4, want=None, **other):
        """One vector. `want`: result, or reason, or (member, value) pairs that the reading must have."""
        answer = decode(octets, addresses)
        if isinstance(want, str) and want not in (answer["result"], answer.get("reason")):
            raise SystemExit(f"{self.name}/{name}: wanted {want}, read {answer}")
        for key, value in (want or {}).items() if isinstance(want, dict) else ():
            if answer["fields"].get(key, answer.get(key)) != value:
                raise SystemExit(f"{self.name}/{name}: wanted {key} {value}, read {answer}")
        vector = self.begun(name, comment, other)
        flags = set(other.get("flags", ()))
        flags |= {"Odd"} if "odd" in answer else set()
        flags |= {"AO"} if answer.get("reason") == "authentication" else set()
        flags |= {"Lenient"} if answer["result"] == "acceptable" and "AO" not in flags or "open" in answer else set()
        if flags:
            vector["flags"] = sorted(flags)
        self.said(vector, other, "family", "source")
        vector.update({"ip": 4 if "." in addresses[0] else 6, "from": addresses[0], "to": addresses[1], "octets": octets.hex()})
        vector.update(answer)
        vector["weir"] = WEIR[answer["reason"]] if "reason" in answer else "ok"
        self.vectors.append(vector)


def header():
    t = SegmentTopic("header", "the fixed part: every field at its edges", "RFC 9293 3.1", ["RFC9293-3.1-5", "MUST-3"])
    for name, addresses in (("v4", V4), ("v6", V6)):
        t.add(f"plain-{name}", "an empty ACK", build(addresses), addresses, want={"seq": 0x11111111, "window": 4096})
        t.add(f"text-{name}", "five octets of text", build(addresses, "PSH ACK", payload=b"hello"), addresses,
              want={"payload": b"hello".hex()})
    for value in (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        t.add(f"seq-{value:08x}", "a sequence number at an edge", build(V4, seq=value), want={"seq": value})
        t.add(f"ack-{value:08x}", "an acknowledgment number at an edge", build(V6, ack=value), V6, want={"ack": value})
    for value in (0, 1, 32767, 32768, 65535):
        t.add(f"window-{value}", "the window is unsigned, and not scaled here", build(V4, window=value), want={"window": value},
              covers=["MUST-1"])
    for flags in ("SYN", "RST", ""):
        t.add(f"ack-number-without-ack-{flags.lower() or 'none'}", "without ACK the acknowledgment number means nothing",
              build(V4, flags, ack=7), want="valid", covers=[])
    for source, destination in ((1, 65535), (65535, 1), (80, 80), (0x8000, 0x7FFF), (256, 255)):
        t.add(f"ports-{source}-{destination}", "ports are unsigned, and in this order", build(V4, source_port=source,
              destination_port=destination), want={"source-port": source, "destination-port": destination})
    for source, destination in ((0, 80), (80, 0), (0, 0)):
        t.add(f"ports-{source}-{destination}", "a port of 0 is reserved (RFC 6335 6); RFC 9293 does not speak of it",
              build(V4, source_port=source, destination_port=destination), want="port", level="practice", section="RFC 6335 6")
    for size in (1, 2, 3, 4, 5, 535, 536, 1219, 1220, 1459, 1460, 8961):
        text = bytes(i * 7 & 255 for i in range(size))
        t.add(f"text-{size}", "as long as the segment, less its header", build(V6 if size % 2 else V4, "PSH ACK", payload=text),
              V6 if size % 2 else V4, want={"payload": text.hex()}, family="text-size")
    for reserved in range(8):
        for flags in ("SYN", "ACK", "FIN ACK", "RST"):
            if reserved:
                t.add(f"reserved-{reserved}-{flags.replace(' ', '-').lower()}", "reserved bits are not looked at",
                      build(V4, flags, reserved=reserved), want={"reserved": reserved}, family=f"reserved-{flags.replace(' ', '-').lower()}", covers=["RFC9293-3.1-1"])
    return t


def geometry():
    t = SegmentTopic("geometry", "lengths that fit, and that do not", "RFC 9293 3.1", ["RFC9293-3.1-5"])
    whole = build(V4, "PSH ACK", options=NOP * 2 + STAMPS, payload=b"text")
    for size in range(20):
        t.add(f"cut-{size:02}", "shorter than the fixed header", whole[:size], want="truncated", family="cut")
    for size in range(20, len(whole)):
        t.add(f"cut-{size:02}", "a piece of a segment, and its checksum tells", whole[:size], want="checksum", family="cut",
              covers=["MUST-3"])
    for size in range(20, 32):
        piece = put_checksum(whole[:size], 0)
        piece = put_checksum(piece, checksum(piece, *V4))
        t.add(f"short-{size}", "a right checksum over less than the header", piece, want="data-offset", family="short")
    for offset in range(16):
        body = build(V4, options=NOP * max(0, offset * 4 - 20), offset=offset)
        t.add(f"offset-{offset:02}-exact", "the header fills the segment", body, family="offset",
              want="data-offset" if offset < 5 else "valid")
        body = build(V6, options=NOP * max(0, offset * 4 - 20), offset=offset, payload=b"\xa5" * 41)
        t.add(f"offset-{offset:02}-text", "text begins where the offset says", body, V6, family="offset",
              want="data-offset" if offset < 5 else {"payload": "a5" * 41})
        if offset > 5:
            for missing in (1, 4):
                body = build(V4, options=NOP * (offset * 4 - 20 - missing), offset=offset)
                t.add(f"offset-{offset:02}-less-{missing}", "the header would pass the end", body, want="data-offset", family="offset")
    t.add("empty", "no octet at all", b"", want="truncated")
    return t


def flags():
    t = SegmentTopic("flags", "control bits, in every combination", "RFC 9293 3.1", ["RFC9293-3.1-1"])
    classic = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")
    for value in range(64):
        names = [name for i, name in enumerate(classic) if value >> i & 1]
        octets = build(V4, " ".join(names), urgent=3 if "URG" in names else 0)
        t.add("-".join(names).lower() or "none", "all the flags that are there, and no other", octets,
              want={"flags": names}, family="classic-flags")
    for value in range(1, 8):
        names = [name for i, name in enumerate(FLAGS[6:]) if value >> i & 1]
        for base in ("SYN", "SYN ACK", "ACK", "PSH ACK"):
            order = [name for name in FLAGS if name in base.split() + names]
            t.add("-".join(order).lower() + "-ecn", "a handshake or a counter of ECN; never a reason to refuse",
                  build(V6, " ".join(order)), V6, want={"flags": order}, family="ecn-flags", section="RFC 9768 3.1.3",
                  covers=["RFC3168-6.1.1-10", "RFC9768-3.1.3-1"])
    t.add("all", "every flag, and every reserved bit", build(V4, " ".join(FLAGS), reserved=7, urgent=1), want="valid")
    for flags_, urgent, size in (("URG ACK", 0, 0), ("URG ACK", 1, 1), ("URG ACK", 5, 4), ("URG ACK", 4, 4), ("URG ACK", 65535, 4),
                                 ("URG ACK", 32768, 0), ("SYN URG", 1, 0), ("SYN URG", 1, 3), ("FIN URG ACK", 2, 1), ("RST URG", 9, 0)):
        t.add(f"urgent-{flags_.replace(' ', '-').lower()}-{urgent}-{size}",
              "an offset from SEG.SEQ to the octet after urgent data, wherever that is",
              build(V4, flags_, urgent=urgent, payload=b"u" * size), want={"urgent": urgent}, section="RFC 9293 3.8.5",
              covers=["RFC9293-3.1-4", "MUST-62", "RFC6093-4-1"])
    for flags_ in ("ACK", "SYN", "FIN ACK", "RST"):
        for urgent in (1, 65535):
            t.add(f"no-urgent-{flags_.replace(' ', '-').lower()}-{urgent}", "without URG the urgent pointer means nothing",
                  build(V4, flags_, urgent=urgent), want={"odd": ["urgent"]}, section="RFC 9293 3.1", covers=["RFC9293-3.1-4"])
    for flags_, size in (("SYN", 10), ("SYN ACK", 10), ("FIN ACK", 10), ("RST", 10), ("RST ACK", 1)):
        t.add(f"text-on-{flags_.replace(' ', '-').lower()}", "text on a segment that seldom has any",
              build(V6, flags_, payload=b"x" * size), V6, want="valid", section="RFC 9293 3.10.7",
              covers=["SHLD-2"] if "RST" in flags_ else ["RFC9293-3.4-4"])
    return t


def option_body(kind, size):
    """An option of this size that is right inside, as far as its size allows."""
    inside = {3: b"\7", 5: struct.pack(">8I", *(0x22222300 + 256 * i for i in range(8))), 28: b"\0\x78",
              29: bytes((1, 2)) + bytes(range(0x40, 0x64))}.get(kind, bytes(i * 11 + 5 & 255 for i in range(38)))
    return bytes((kind, size)) + (inside * 38)[:max(0, size - 2)]


SOURCES = {2: ("RFC 9293 3.2", ["MUST-4", "MUST-14"]), 3: ("RFC 7323 2.2", ["RFC7323-2.2-1"]), 4: ("RFC 2018 2", ["RFC2018-2-1"]),
           5: ("RFC 2018 3", ["RFC2018-3-1"]), 8: ("RFC 7323 3.2", ["RFC7323-3.2-4"]), 19: ("RFC 2385 3.0", ["MUST-6"]),
           28: ("RFC 5482 3.3", ["RFC5482-3.3-2", "RFC5482-3.3-3"]), 29: ("RFC 5925 2.2", ["RFC5925-2.2-1", "RFC5925-2.2-6"]),
           30: ("RFC 8684 3", ["MUST-6"]), 34: ("RFC 7413 4.1.1", ["RFC7413-4.1.1-1", "RFC7413-4.1.1-2"]), 69: ("RFC 8547 4.1", ["MUST-6"]),
           172: ("RFC 9768 3.2.3", ["RFC9768-3.2.3-1", "RFC9768-3.2.3-4"]), 174: ("RFC 9768 3.2.3", ["RFC9768-3.2.3-1", "RFC9768-3.2.3-4"]),
           253: ("RFC 6994 3", ["MUST-6"]), 254: ("RFC 6994 3", ["MUST-6"])}


def option_sizes():
    t = SegmentTopic("option-size", "every kind of option at every edge of its size", "RFC 9293 3.2", ["MUST-7"])
    for kind, (name, sizes, place, misfit, _) in KINDS.items():
        section, covers = SOURCES[kind]
        flags_ = "SYN" if place == "syn" else "ACK"
        edges = {0, 1, 2, 3, 4, min(sizes) - 1, min(sizes) + 1, max(sizes) - 1, max(sizes), max(sizes) + 1, 39, 40} | sizes | (set(range(2, 41)) if kind == 5 else set())
        for size in sorted(size for size in edges if 0 <= size <= 40):
            label = f"{name}-{kind}-{size:02}"
            listed = pad(option_body(kind, size))
            octets = build(V4, flags_, options=listed, payload=b"p")
            if size < 2:
                t.add(label, "a length that cannot be", octets, want="option-length", family=f"no-size-{name}")
            elif size in sizes:
                t.add(label, "a right size", octets, want="valid", family=f"right-size-{name}", section=section, covers=covers)
            else:
                comments = {"open": "another size than its own", "ignored": "another size than its own: ignored",
                            "padded": "whole fields are read, and the rest is padding"}
                t.add(label, comments[misfit], octets, want="option-size" if misfit == "open" else "valid", section=section,
                      family=f"wrong-size-{name}", covers=covers if misfit != "open" else covers + ["MUST-7"])
        for size in sorted({min(sizes), max(sizes)}):
            body = option_body(kind, size)
            listed = (NOP * (40 - size) + body) if size < 40 else body
            t.add(f"{name}-{kind}-{size:02}-last", "its last octet is the last of the longest header", build(V6, flags_, options=listed),
                  V6, want="valid", section=section, covers=covers, family=f"last-{name}")
            if size > 2:
                cut = NOP * (-(size - 1) % 4) + body[:size - 1]
                t.add(f"{name}-{kind}-{size:02}-past", "its length passes the header by one octet", build(V6, flags_, options=cut,
                      payload=b"\1" * 8), V6, want="option-length", family=f"past-{name}")
        t.add(f"{name}-{kind}-no-length", "a kind in the last octet of the header", build(V4, flags_, options=NOP * 3 + bytes([kind]),
              payload=b"\2\2"), want="option-length", family=f"no-length-{name}")
        t.add(f"{name}-{kind}-no-length-end", "a kind in the last octet of the segment: its length is not there to be read",
              build(V4, flags_, options=NOP * 3 + bytes([kind])), want="option-length", family=f"no-length-{name}")
    return t


def option_unknown():
    t = SegmentTopic("option-unknown", "kinds that nobody knows are skipped by their length", "RFC 9293 3.2", ["MUST-6", "MUST-68"])
    for kind in range(2, 256):
        if kind not in KINDS:
            listed = NOP + bytes((kind, 3, 0xFF)) + MSS
            t.add(f"kind-{kind:03}", "skipped, and what follows is read", build(V4, "SYN", options=listed),
                  want={"mss": 1460, "options": ["mss", "unknown"]}, family="unknown-kind")
    for size in range(2, 39):
        t.add(f"size-{size:02}", "skipped whole", build(V6, "ACK", options=pad(bytes((200, size)) + b"\xee" * (size - 2))), V6,
              want={"options": ["unknown"]}, family="unknown-size")
    for size in (0, 1):
        t.add(f"size-{size:02}", "a length that cannot be", build(V6, "ACK", options=bytes((200, size, 0, 0))), V6,
              want="option-length", covers=["MUST-7"])
    t.add("past", "an unknown kind that passes the header", build(V4, "ACK", options=bytes((200, 5, 0, 0)), payload=b"xyz"),
          want="option-length", covers=["MUST-7"])
    t.add("past-255", "the greatest length", build(V4, "ACK", options=bytes((200, 255, 0, 0)), payload=b"x" * 300), want="option-length",
          covers=["MUST-7"])
    return t


def option_lists():
    t = SegmentTopic("option-list", "the list: its length, its end, its padding, places and order", "RFC 9293 3.2", ["MUST-64"])
    for size in range(4, 41, 4):
        t.add(f"nops-{size:02}", "nothing but NOPs", build(V4, options=NOP * size), want={"options": []}, family="nops", covers=["MUST-4"])
        t.add(f"end-{size:02}", "nothing but the end", build(V4, options=END * size), want={"options": []}, family="ends", covers=["MUST-4"])
    for size in range(41):
        listed, rest = b"", size
        for piece in (STAMPS, MSS, SACK_OK, WSCALE):
            if len(piece) <= rest:
                listed, rest = listed + piece, rest - len(piece)
        listed += NOP * rest
        t.add(f"length-{size:02}", "a list of this many octets, then padding", build(V6, "SYN", options=pad(listed)), V6,
              want="valid", family="list-length")
    for shift in range(4):
        for name, option in (("mss", MSS), ("window-scale", WSCALE), ("sack-permitted", SACK_OK), ("timestamps", STAMPS)):
            t.add(f"aligned-{name}-{shift}", "an option at any octet", build(V4, "SYN", options=pad(NOP * shift + option)),
                  want={"options": [name]}, family=f"aligned-{name}")
        t.add(f"aligned-sack-{shift}", "an option at any octet", build(V4, options=pad(NOP * shift + SACK1)),
              want={"options": ["sack"]}, family="aligned-sack")
    for at in range(1, 12):
        listed = bytearray(END * 12)
        listed[at] = at + 1
        t.add(f"padding-{at:02}", "an octet other than 0 after the end of the list: the sender's fault",
              build(V4, "SYN", options=bytes(listed)), want={"odd": ["padding"], "options": []}, family="padding", covers=["MUST-69"])
    t.add("padding-option", "what looks like an option after the end is none", build(V4, "SYN", options=MSS + END + WSCALE),
          want={"options": ["mss"], "odd": ["padding"]}, covers=["MUST-69"])
    t.add("padding-bad-length", "nor is it read as one", build(V6, "SYN", options=MSS + END + b"\3\0\0"), V6,
          want={"options": ["mss"], "odd": ["padding"]}, covers=["MUST-69"])
    t.add("text-looks-like-option", "text is no option", build(V4, "PSH ACK", options=STAMPS + NOP * 2, payload=MSS + b"\2\0"),
          want={"options": ["timestamps"], "payload": (MSS + b"\2\0").hex()}, covers=["MUST-5"])
    orders = {"mss-sackok-ts-nop-ws": MSS + SACK_OK + STAMPS + NOP + WSCALE, "mss-nop-ws-nop-nop-sackok": MSS + NOP + WSCALE + NOP * 2 + SACK_OK,
              "mss-nop-ws-nop-nop-ts-sackok-end": MSS + NOP + WSCALE + NOP * 2 + STAMPS + SACK_OK + END * 2, "mss": MSS,
              "ws-sackok-mss-ts": pad(WSCALE + SACK_OK + MSS + STAMPS), "ts-mss-ws-sackok": pad(STAMPS + MSS + WSCALE + SACK_OK),
              "mss-sackok-ws-eno-uto": pad(MSS + SACK_OK + WSCALE + b"\x45\3\x21" + b"\x1c\4\0\x78")}
    for name, listed in orders.items():
        for flags_ in ("SYN", "SYN ACK"):
            t.add(f"order-{name}-{flags_.replace(' ', '-').lower()}", "options in an order that is seen on the Internet",
                  build(V6, flags_, options=listed), V6, want="valid", family="order")
    sack3 = b"\5\x1a" + struct.pack(">6I", *(0x22222300 + 256 * i for i in range(6)))
    for name, listed in {"nop-nop-ts": NOP * 2 + STAMPS, "ts-nop-nop": STAMPS + NOP * 2, "ts-end": STAMPS + END * 2, "nop-ts-nop": NOP + STAMPS + NOP,
                         "ts-sack3": NOP * 2 + STAMPS + NOP * 2 + sack3, "sack3-ts": NOP * 2 + sack3 + NOP * 2 + STAMPS,
                         "sack1": NOP * 2 + SACK1, "ts-sack1-unknown": STAMPS + SACK1 + b"\xc8\4ab"}.items():
        t.add(f"plain-{name}", "options without SYN", build(V4, "ACK", options=listed, payload=b"abc"), want="valid", covers=["MUST-5", "MUST-64"])
    return t


def option_places():
    t = SegmentTopic("option-place", "options where they do not belong", "RFC 9293 3.2", ["MUST-5"])
    for kind, (name, sizes, place, _, _) in KINDS.items():
        for flags_ in ("SYN", "SYN ACK", "ACK", "FIN ACK", "RST", "RST ACK"):
            syn, ack = "SYN" in flags_.split(), "ACK" in flags_.split()
            right = {"anywhere": True, "syn": syn, "not-syn": not syn, "not-first-syn": ack or not syn}[place]
            covers = {2: ["MUST-65"], 3: ["RFC7323-2.2-7"], 4: ["RFC2018-2-2"], 34: ["RFC7413-4.1.1-2"], 5: ["RFC2018-3-1"]}.get(kind, ["MUST-5"])
            t.add(f"{name}-{kind}-{flags_.replace(' ', '-').lower()}", "in its place" if right else "out of its place: ignored",
                  build(V4, flags_, options=pad(option_body(kind, min(sizes)))), section=SOURCES[kind][0], family=f"place-{name}-{flags_.replace(' ', '-').lower()}",
                  want="valid" if kind != 29 else None, covers=covers)
    return t


def option_twice():
    t = SegmentTopic("option-twice", "a kind that comes twice", "RFC 9293 3.2", ["MUST-64"], "practice")
    for kind, (name, sizes, place, _, repeats) in KINDS.items():
        flags_ = "SYN" if place == "syn" else "ACK"
        one = option_body(kind, min(sizes))
        other = one[:-1] + bytes([one[-1] ^ 1]) if len(one) > 2 else one
        for label, second in (("same", one), ("other", other)):
            if 2 * len(one) <= 40 and (label == "same" or other != one):
                t.add(f"{name}-{kind}-{label}", "again" if label == "same" else "again, and it says something else",
                      build(V4, flags_, options=pad(one + second)), section=SOURCES[kind][0],
                      want="authentication" if name == "ao" else None if repeats else {"odd": ["option-twice"]},
                      covers=["RFC5925-2.2-4", "RFC5925-2.2-5"] if name == "ao" else ["MUST-64"], level="MUST" if name == "ao" else "practice")
    t.add("mss-three", "three times", build(V4, "SYN", options=MSS * 3), want={"mss": 1460})
    t.add("md5-and-ao", "two signatures that exclude each other", build(V4, "ACK", options=b"\x13\x12" + b"m" * 16 + b"\x1d\x10\1\2" + b"a" * 12 + END * 2),
          want="authentication", covers=["RFC5925-2.2-2", "RFC5925-2.2-3"], level="MUST", section="RFC 5925 2.2")
    t.add("size-then-right", "the second would be right", build(V4, "SYN", options=b"\2\3\5" + MSS + NOP), want="option-size")
    t.add("right-then-size", "the first was right", build(V4, "SYN", options=MSS + b"\2\3\5" + NOP), want="option-size")
    t.add("mptcp-many", "MPTCP may come more than once", build(V6, "ACK", options=b"\x1e\4\0\1" * 4), V6, want={"options": ["mptcp"]},
          section="RFC 8684 3", covers=["MUST-6"])
    return t


def option_values():
    t = SegmentTopic("option-value", "what options say, at its edges", "RFC 9293 3.7.1", ["MUST-14"])
    for value in (0, 1, 87, 88, 535, 536, 1220, 1460, 32767, 32768, 65495, 65535):
        t.add(f"mss-{value}", "unsigned, 16 bits" if value else "no segment could carry anything", build(V4, "SYN", options=b"\2\4" + value.to_bytes(2, "big")),
              want={"mss": value} if value else {"odd": ["option-value"]}, level="MUST" if value else "practice", family="mss" if value else "mss-of-nothing")
    for value in (*range(17), 31, 32, 127, 128, 255):
        t.add(f"window-scale-{value:03}", "at most 14: more counts as 14", build(V6, "SYN", options=b"\3\3" + bytes([value]) + NOP), V6,
              want={"window-scale": min(value, 14)}, section="RFC 7323 2.3", covers=["RFC7323-2.3-8" if value > 14 else "RFC7323-2.2-4"], family="window-scale-too-large" if value > 14 else "window-scale")
    for value, echo in ((0, 0), (1, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0x80000000, 0x7FFFFFFF), (0x01020304, 0x05060708)):
        for layout, listed in (("usual", NOP * 2 + STAMPS[:2] + struct.pack(">II", value, echo)), ("first", STAMPS[:2] + struct.pack(">II", value, echo) + NOP * 2)):
            t.add(f"timestamps-{layout}-{value:08x}-{echo:08x}", "both are unsigned", build(V4, options=listed),
                  want={"timestamps": {"value": value, "echo": echo}}, section="RFC 7323 3.2", covers=["RFC7323-3.2-2", "RFC7323-A-1"], family="timestamps")
    t.add("timestamps-echo-without-ack", "an echo means nothing without ACK", build(V4, "SYN", options=STAMPS + NOP * 2), want="valid",
          section="RFC 7323 3.2", covers=["RFC7323-3.2-3"])
    blocks = {"forward": (100, 200), "wraps": (0xFFFFFF00, 0x100), "one-octet": (5, 6), "largest": (0, 0x7FFFFFFF), "empty": (7, 7),
              "backwards": (200, 100), "half": (0, 0x80000000), "over-half": (0, 0x80000001), "ends-at-0": (0xFFFFFFFF, 0), "back-by-one": (0, 0xFFFFFFFF)}
    for name, (left, right) in blocks.items():
        believed = 0 < (right - left) % 2**32 < 2**31
        t.add(f"sack-{name}", "a block" if believed else "no block of octets: left out", build(V4, options=NOP * 2 + b"\5\x0a" + struct.pack(">II", left, right)),
              want={"sack": [[left, right]] if believed else []}, section="RFC 2018 3", covers=["RFC2018-3-1"], level="MUST" if believed else "practice", family="sack-block" if believed else "sack-no-block")
    for count in range(1, 5):
        edges = [0x22222300 + 0x200 * i for i in range(count)]
        body = b"".join(struct.pack(">II", left, left + 0x100) for left in reversed(edges))
        t.add(f"sack-{count}-blocks", "in the order in which they stand", build(V6, options=pad(bytes((5, 2 + 8 * count)) + body)), V6,
              want={"sack": [[left, left + 0x100] for left in reversed(edges)]}, section="RFC 2018 3", covers=["RFC2018-3-1"])
    t.add("sack-good-bad-good", "a bad block does not take the others with it", build(V4, options=pad(b"\5\x1a" + struct.pack(">6I", 10, 20, 9, 9, 30, 40))),
          want={"sack": [[10, 20], [30, 40]]}, section="RFC 2018 3", covers=["RFC2018-3-1"], level="practice")
    for value in (0x0000, 0x0001, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x0258):
        t.add(f"user-timeout-{value:04x}", "15 bits of minutes or seconds" if value & 0x7FFF else "a time of 0 is reserved: not to be used",
              build(V4, options=b"\x1c\4" + value.to_bytes(2, "big")), want={"user-timeout": {"unit": "minutes" if value >> 15 else "seconds", "value": value & 0x7FFF}},
              section="RFC 5482 3.3", covers=["RFC5482-3.3-4" if value >> 15 else "RFC5482-3.3-5", "RFC5482-3.3-6" if value & 0x7FFF else "RFC5482-3.4-2"],
              family="user-timeout" if value & 0x7FFF else "user-timeout-reserved")
    for kind, size, fields in ((172, 2, {}), (172, 5, {"ee0b": 0x010203}), (172, 8, {"ee0b": 0x010203, "eceb": 0x040506}),
                               (172, 11, {"ee0b": 0x010203, "eceb": 0x040506, "ee1b": 0x070809}), (174, 5, {"ee1b": 0x010203}),
                               (174, 8, {"ee1b": 0x010203, "eceb": 0x040506}), (174, 11, {"ee1b": 0x010203, "eceb": 0x040506, "ee0b": 0x070809})):
        t.add(f"accecn-{kind}-{size:02}", "the length says which fields are there", build(V6, options=pad(bytes((kind, size)) + bytes(range(1, size - 1)))), V6,
              want={"accecn": fields}, section="RFC 9768 3.2.3", covers=["RFC9768-3.2.3-1", "RFC9768-3.2.3-2", "RFC9768-3.2.3-3"])
    for size in (0, 4, 8, 16):
        t.add(f"fast-open-cookie-{size}", "a cookie" if size else "a request for a cookie", build(V4, "SYN", options=pad(bytes((34, 2 + size)) + b"c" * size)),
              want={"fast-open": (b"c" * size).hex()}, section="RFC 7413 4.1.1", covers=["RFC7413-4.1.1-1", "RFC7413-4.2.1-1"])
    return t


def checksums():
    t = SegmentTopic("checksum", "the sum, right and wrong", "RFC 9293 3.1", ["MUST-3", "RFC9293-3.1-2"])
    for name, a in (("v4", V4), ("v6", V6)):
        t.default["covers"] = ["MUST-3", "RFC9293-3.1-2" if a == V4 else "RFC9293-3.1-3"]
        good = build(a, "PSH ACK", payload=b"weir")
        field = int.from_bytes(good[16:18], "big")
        t.add(f"right-{name}", "as it should be", good, a, want="valid")
        for label, comment, value in (("plus-one", "one more", field + 1 & 0xFFFF), ("minus-one", "one less", field - 1 & 0xFFFF),
                                      ("complement", "the sum, not its complement", field ^ 0xFFFF), ("zero", "0 is no word for `none` in TCP", 0),
                                      ("ones", "nor is 0xffff", 0xFFFF), ("swapped", "octets in the wrong order", (field << 8 | field >> 8) & 0xFFFF),
                                      ("no-pseudo-header", "without the pseudo-header", 0xFFFF - ones_sum(put_checksum(good, 0))),
                                      ("wrong-protocol", "a pseudo-header of UDP", checksum(put_checksum(good, 0), *a, protocol=17)),
                                      ("wrong-length", "a pseudo-header that does not count the header", checksum(put_checksum(good, 0) + b"\0\0", *a)),
                                      ("included", "the field itself was summed", checksum(good, *a))):
            t.add(f"{label}-{name}", comment, put_checksum(good, value), a, want="checksum")
        other = (a[0][:-1] + "9", a[1])
        t.add(f"wrong-source-{name}", "from another address", build(other), a, want="checksum")
        t.add(f"wrong-destination-{name}", "to another address", build((a[0], a[1][:-1] + "9")), a, want="checksum")
        t.add(f"addresses-exchanged-{name}", "a sum does not depend on order", build((a[1], a[0])), a, want="valid", flags=["Undetected"],
              covers=["RFC1071-2-1"])
        t.add(f"words-exchanged-{name}", "nor on the order of words", good[:-4] + good[-2:] + good[-4:-2], a, want="valid", flags=["Undetected"], covers=["RFC1071-2-1"])
        t.add(f"octets-exchanged-{name}", "but on that of octets", good[:-2] + good[-1:] + good[-2:-1], a, want="checksum")
    mixed = build(V6, payload=b"six")
    t.add("v6-sum-over-v4", "a segment of the other family", mixed, V4, want="checksum")
    for size in (*range(0, 18), 31, 32, 33, 63, 64, 65, 127, 129, 255, 257, 511, 1023, 1447, 1461):
        text = bytes(255 - i % 251 for i in range(size))
        a = V4 if size % 3 else V6
        t.add(f"text-{size:04}", "an odd octet counts as the upper half of a word", build(a, payload=text), a, want="valid", family="sum-of-length",
              covers=["RFC1071-1-1", "MUST-3"])
        if size:
            broken = bytearray(build(a, payload=text))
            broken[-1] ^= 0x10
            t.add(f"text-{size:04}-last-wrong", "the last octet counts", bytes(broken), a, want="checksum", family="sum-of-length", covers=["RFC1071-1-1", "MUST-3"])
    good = build(V4, "PSH ACK", payload=b"\x5a\xa5")
    for bit in range(len(good) * 8):
        broken = bytearray(good)
        broken[bit // 8] ^= 0x80 >> bit % 8
        t.add(f"bit-{bit:03}", "one bit is wrong", bytes(broken), want="checksum", family="bit")
    # Texts that make the sum of all but the field 0xffff (field 0) or leave carries to fold again.
    base = build(V4, payload=b"\0\0", sum=0)
    fill = checksum(base, *V4)
    zero = base[:-2] + fill.to_bytes(2, "big")
    t.add("field-0000", "the complement of the sum is 0, and is sent as 0", zero, want="valid", covers=["RFC1624-5-1", "MUST-3"])
    t.add("field-ffff", "the other zero: a receiver that sums takes both", put_checksum(zero, 0xFFFF), want="valid", level="SHOULD", section="RFC 1624 5",
          covers=["RFC1624-5-1"])
    t.add("field-0001", "but no other number", put_checksum(zero, 1), want="checksum")
    t.add("rfc1071-example", "the octets of the RFC's example as text", build(V4, payload=bytes.fromhex("0001f203f4f5f6f7")), want="valid",
          section="RFC 1071 3", covers=["RFC1071-1-1"], source="RFC 1071 3")
    t.add("rfc1071-split", "and its odd split: as text from an odd octet", build(V4, payload=bytes.fromhex("00" "0001f203f4f5f6f7")), want="valid",
          section="RFC 1071 3", covers=["RFC1071-3-1"], source="RFC 1071 3")
    t.add("rfc1624-corner", "text words 0xcd7a 0x3285: the corner where RFC 1141 is wrong", build(V4, payload=bytes.fromhex("cd7a3285")), want="valid",
          section="RFC 1624 4", covers=["RFC1624-3-2"], source="RFC 1624 4")
    t.add("all-ones", "the largest words, so that carries must be folded to the end", build(V4, payload=b"\xff" * 1460), want="valid", covers=["RFC1071-2-2"])
    t.add("all-ones-odd", "the same with an odd octet", build(V6, payload=b"\xff" * 1459), V6, want="valid", covers=["RFC1071-2-2"])
    t.add("all-zeros", "the smallest", build(V6, payload=b"\0" * 1460), V6, want="valid", covers=["RFC1071-2-2"])
    return t


def rfc9235():
    t = SegmentTopic("rfc9235", "the packets of RFC 9235, which carry TCP-AO", "RFC 9235 4-7", ["RFC9235-4-7-1"])
    source = VECTORS / "function" / "rfc9235_tcp_ao.jsonl"
    for line in source.read_text().splitlines():
        case = json.loads(line)
        for form in ("packet", "packet_printed"):
            if form not in case or (form == "packet_printed" and case[form] == case["packet"]):
                continue
            octets = bytes.fromhex(case[form])
            at, addr = (20, (12, 4)) if case["ip"] == 4 else (40, (8, 16))
            pair = [octets[addr[0] + i * addr[1]:addr[0] + (i + 1) * addr[1]] for i in range(2)]
            names = tuple(".".join(map(str, one)) if case["ip"] == 4 else one.hex(":", 2) for one in pair)
            printed = form == "packet_printed"
            note = f"{case['title']}, {case['alg']}"
            if case.get("erratum"):
                note += f"; as printed, with the wrong checksum (erratum {case['erratum']})" if printed else f"; checksum by erratum {case['erratum']}"
            t.add(case["section"] + ("-printed" if printed else ""), note, octets[at:], names, want="checksum" if printed else "valid",
                  source=f"RFC 9235 {case['section']}", section=f"RFC 9235 {case['section']}", **({"family": "as-printed"} if printed else {}),
                  flags=["Erratum"] if case.get("erratum") else [])
    return t


def layout():
    """What weir writes, octet for octet: RFC 7323 appendix A where it says anything."""
    t = SegmentTopic("layout", "headers as a sender writes them", "RFC 7323 A", ["RFC7323-A-1", "MUST-2"], "practice")
    stamped = NOP * 2 + STAMPS
    with_sack = SACK_OK + STAMPS
    for label, listed in {"mss": MSS, "mss-sackok": MSS + NOP * 2 + SACK_OK, "mss-ts": MSS + stamped, "mss-sackok-ts": MSS + with_sack, "none": b"",
                          "mss-ws": MSS + NOP + WSCALE, "mss-sackok-ts-ws": MSS + with_sack + NOP + WSCALE, "ts": stamped, "sackok": NOP * 2 + SACK_OK,
                          "sackok-ws": NOP * 2 + SACK_OK + NOP + WSCALE, "ws": NOP + WSCALE, "ts-ws": stamped + NOP + WSCALE}.items():
        for flags_, a in (("SYN", V4), ("SYN ACK", V6)):
            t.add(f"{flags_.replace(' ', '-').lower()}-{label}", "a SYN with these options", build(a, flags_, options=listed), a, want="valid", flags=["Layout"])
    for stamps in (b"", stamped):
        for count in range(0, 5 if not stamps else 4):
            body = b"".join(struct.pack(">II", 0x22222300 + 512 * i, 0x22222400 + 512 * i) for i in range(count))
            listed = stamps + (NOP * 2 + bytes((5, 2 + 8 * count)) + body if count else b"")
            label = ("ts-" if stamps else "") + f"sack-{count}"
            t.add(f"ack-{label}", "an ACK with these options", build(V4, "ACK", options=listed), want="valid", flags=["Layout"], family="layout-ack" + "-ts" * bool(stamps))
            t.add(f"text-{label}", "text with these options", build(V6, "PSH ACK", options=listed, payload=b"octets"), V6, want="valid", flags=["Layout"], family="layout-text" + "-ts" * bool(stamps))
    for flags_ in ("FIN ACK", "RST", "RST ACK", "URG ACK", "FIN PSH URG ACK", "ACK ECE", "ACK CWR", "ACK ECE CWR AE"):
        t.add(f"{flags_.replace(' ', '-').lower()}", "other control bits", build(V4, flags_, urgent=7 if "URG" in flags_ else 0), want="valid", flags=["Layout"])
    return t


TOPICS = (header, geometry, flags, option_sizes, option_unknown, option_lists, option_places, option_twice, option_values, checksums, rfc9235, layout)


if __name__ == "__main__":
    main(TOPICS, sys.argv[1])
