#!/usr/bin/env python3
"""function.py FOLDER | --check - writes FOLDER/function/*.json, or says which of this tree would change.

The tables of the RFCs stand beside them as text (rfc*.txt, rfc*.csv, derived_*.csv), as they were copied; what is made of
them here is checked by a computation of our own wherever there is one. `derived`: computed from an RFC's rules, printed in
none.
"""

import hashlib
import hmac
import json
import re
import sys
from fractions import Fraction

from function_crypto import aes128, aes_cmac, aes_cmac_prf, sip
from segment_wire import ones_sum
from topic import VECTORS, Topic, main

FOLDER = VECTORS / "function"
WRAP = 2**32
FLAG_NOTES = {
    "Weir": "the answer is a choice of weir: another stack has another",
    "Erratum": "an erratum is applied; the comment names it",
    "Printed": "as the RFC prints it, not computed again here",
}


def lines(name):
    return [line for line in (FOLDER / name).read_text().splitlines() if not line.startswith("#")]


def check(what, condition):
    if not condition:
        raise SystemExit(f"{what}: the table and our own computation differ")


class FunctionTopic(Topic):
    kind, notes = "function", FLAG_NOTES

    def __init__(self, name, title, section, covers, level="MUST", sources=()):
        super().__init__(name, title, section, covers, level)
        self.sources = list(sources)

    def more(self):
        return {"sources": self.sources}

    def add(self, name, function, comment, given, output, **other):
        vector = self.begun(name, comment, other)
        self.said(vector, other, "family", "source", "derived", "flags", "tolerance")
        vector.update({"function": function, "input": given, "output": output})
        self.vectors.append(vector)


def sequence():
    t = FunctionTopic("sequence", "comparisons modulo 2^32", "RFC 9293 3.4", ["RFC9293-3.4-1"])
    for base in (0, 1, 1000, 0x7FFFFFFE, 0x7FFFFFFF, 0x80000000, 0x80000001, 0xFFFFFFFE, 0xFFFFFFFF):
        for apart in (0, 1, 2, 65535, 65536, 0x3FFFFFFF, 0x7FFFFFFE, 0x7FFFFFFF, -1, -2, -65536, -0x7FFFFFFF):
            other = (base + apart) % WRAP
            t.add(f"compare-{base:08x}-{apart}", "sequence", "less means: reached by going up less than 2^31", {"a": base, "b": other},
                  {"less": apart > 0, "less-or-equal": apart >= 0, "distance": apart % WRAP}, derived=True, family="compare")
    for start in (0, 1000, 0xFFFFFFFF, 0xFFFFFF00, 0x7FFFFFF0):
        for length in (0, 1, 2, 256, 65535, 0x40000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
            for at in sorted({0, 1, length - 1, length, length + 1, WRAP - 1}):
                if 0 <= at < WRAP:
                    t.add(f"inside-{start:08x}-{length}-{at}", "sequence-in", "in a run of octets, of any length", {"number": (start + at) % WRAP, "from": start, "length": length},
                          {"inside": at < length}, derived=True, family="inside")
    return t


def acceptable(nxt, wnd, seq, length):
    """RFC 9293 table 6."""
    inside = lambda n: (n - nxt) % WRAP < wnd
    if length == 0:
        return seq == nxt if wnd == 0 else inside(seq)
    return wnd > 0 and (inside(seq) or inside((seq + length - 1) % WRAP))


def acceptability():
    t = FunctionTopic("acceptability", "which segments are acceptable, and which acknowledgments", "RFC 9293 3.10.7.4", ["RFC9293-3.4-3"],
              sources=["derived_seq_acceptability.csv"])
    for line in lines("derived_seq_acceptability.csv")[1:]:
        nxt, wnd, seq, length, ok = map(int, line.split(","))
        check(line, acceptable(nxt, wnd, seq, length) == (ok == 1))
        t.add(f"nxt-{nxt}-wnd-{wnd}-seq-{seq}-len-{length}", "acceptable", "table 6, modulo 2^32", {"rcv-nxt": nxt, "rcv-wnd": wnd, "seg-seq": seq, "seg-len": length},
              {"acceptable": ok == 1}, derived=True, family=f"acceptability-{'text' if length else 'bare'}-{'open' if wnd else 'zero'}")
    for una in (1000, 0x7FFFFF00, 0xFFFFFF80):
        for flight in (0, 1, 500):
            for apart in (-10001, -10000, -9999, -500, -1, 0, 1, 499, 500, 501, 65536):
                kind = "future" if apart > flight else "new" if apart > 0 else "duplicate" if apart >= -10000 else "old"
                t.add(f"ack-{una:08x}-{flight}-{apart}", "acknowledgment", "SND.UNA < SEG.ACK =< SND.NXT is new; below SND.UNA - MAX.SND.WND is too old",
                      {"snd-una": una, "snd-nxt": (una + flight) % WRAP, "max-snd-wnd": 10000, "seg-ack": (una + apart) % WRAP}, {"kind": kind},
                      derived=True, family=f"acknowledgment-{kind}", section="RFC 5961 5.2", covers=["RFC9293-3.4-2", "RFC5961-5.2-2", "MAY-12"])
    return t


def checksum_text(name):
    return dict(re.match(r"(\w+)=(\w+)", line).groups() for line in lines(name) if re.match(r"\w+=\w+(\s|$)", line))


def checksum():
    t = FunctionTopic("checksum", "one's complement sums, whole, in parts, and updated", "RFC 1071 1", ["RFC1071-1-1"], sources=["rfc1071_checksum.txt", "rfc1624_incremental.txt"])
    facts = checksum_text("rfc1071_checksum.txt")
    data = bytes.fromhex(facts["data"])
    swapped = b"".join(data[i:i + 2][::-1] for i in range(0, len(data), 2))
    check("rfc1071", (ones_sum(data), ones_sum(swapped)) == (int(facts["sum16"], 16), int(facts["sum16_swapped"], 16)) and int(facts["checksum"], 16) == 0xFFFF - ones_sum(data))
    t.add("rfc1071-example", "checksum", "the RFC's octets", {"octets": facts["data"]}, {"sum": int(facts["sum16"], 16), "checksum": int(facts["checksum"], 16)}, source="RFC 1071 3", section="RFC 1071 3")
    t.add("rfc1071-swapped", "checksum", "words in swapped order give the swapped sum", {"octets": swapped.hex()}, {"sum": int(facts["sum16_swapped"], 16)}, source="RFC 1071 3", section="RFC 1071 3", covers=["RFC1071-2-3"])
    check("rfc1071 32 bits", sum(int.from_bytes(data[i:i + 4], "big") for i in (0, 4)) == int(facts["sum32"], 16))
    t.add("rfc1071-wide", "checksum", "its 32-bit sum, folded", {"octets": facts["sum32"]}, {"sum": int(facts["sum16"], 16)}, source="RFC 1071 3", section="RFC 1071 3", covers=["RFC1071-2-2"])
    split = [re.match(r"split\d=(\w+) sum=(\w+)", line).groups() for line in lines("rfc1071_checksum.txt") if line.startswith("split")]
    for i, (part, total) in enumerate(split):
        t.add(f"rfc1071-part-{i + 1}", "checksum", "a part by itself", {"octets": part}, {"sum": int(total, 16)}, source="RFC 1071 3", section="RFC 1071 3")
    t.add("rfc1071-split", "checksum-parts", "the second part begins at an odd octet", {"parts": [part for part, _ in split]}, {"sum": int(facts["total"], 16)}, source="RFC 1071 3", section="RFC 1071 3", covers=["RFC1071-3-1"])
    for cuts in ((1,), (2,), (3, 4), (1, 2, 3, 4, 5, 6, 7), (7,), (1, 1, 6)):
        at = (0, *cuts, len(data))
        t.add("parts-" + "-".join(map(str, cuts)), "checksum-parts", "cut anywhere", {"parts": [data[a:b].hex() for a, b in zip(at, at[1:])]}, {"sum": ones_sum(data)}, derived=True, covers=["RFC1071-3-1"], section="RFC 1071 2", family="parts")
    for size in range(0, 70):
        octets = bytes((i * 89 + size * 7 + 200) & 255 for i in range(size))
        t.add(f"length-{size:02}", "checksum", "an odd octet is padded with 0", {"octets": octets.hex()}, {"sum": ones_sum(octets), "checksum": 0xFFFF - ones_sum(octets)}, derived=True, family="length")
    for name, octets in {"zeros": bytes(20), "ones": b"\xff" * 20, "ones-odd": b"\xff" * 1461, "carry": bytes.fromhex("ffff0001"), "fold-twice": b"\xff\xff" * 700 + b"\0\1"}.items():
        t.add(f"edge-{name}", "checksum", "carries", {"octets": octets.hex()}, {"sum": ones_sum(octets), "checksum": 0xFFFF - ones_sum(octets)}, derived=True, covers=["RFC1071-2-2"])
    facts = checksum_text("rfc1624_incremental.txt")
    given = {"checksum": int(facts["HC_old"], 16), "before": int(facts["m"], 16), "after": int(facts["m_new"], 16)}
    check("rfc1624", 0xFFFF - ones_sum(bytes.fromhex(facts["other_octets_sum"] + facts["m_new"])) == int(facts["HC_new_recomputed"], 16))
    check("rfc1624 eqn", facts["HC_new_eqn3"] == facts["HC_new_eqn4"] == facts["HC_new_recomputed"] != facts["HC_new_eqn2_rfc1141"])
    t.add("rfc1624-update", "checksum-update", "the corner in which RFC 1141 gives 0xffff", given, {"checksum": int(facts["HC_new_eqn3"], 16)}, source="RFC 1624 4", section="RFC 1624 3", covers=["RFC1624-3-1", "RFC1624-3-2"])
    for word, total in (("0000", facts["verify_sum_with_0000"]), ("ffff", facts["verify_sum_with_ffff"])):
        t.add(f"rfc1624-verify-{word}", "checksum", "a receiver that sums takes both zeros", {"octets": facts["other_octets_sum"] + facts["m_new"] + word}, {"sum": int(total, 16)}, source="RFC 1624 4", section="RFC 1624 5", covers=["RFC1624-5-1"])
    for checksum_, before, after in ((0x1234, 0, 1), (0x1234, 1, 0), (0, 0xFFFF, 0x1234), (0xFFFE, 0x8000, 0x7FFF), (0xABCD, 0x4000, 0x3F00), (0x0001, 0xFFFE, 0x0001), (0x5555, 0x5555, 0x5555)):
        rest = ones_sum(bytes.fromhex(f"{0xFFFF - checksum_:04x}{0xFFFF - before:04x}"))
        after_sum = 0xFFFF - ones_sum(bytes.fromhex(f"{rest:04x}{after:04x}"))
        t.add(f"update-{checksum_:04x}-{before:04x}-{after:04x}", "checksum-update", "one word is exchanged", {"checksum": checksum_, "before": before, "after": after}, {"checksum": after_sum}, derived=True, family="update", section="RFC 1624 3", covers=["RFC1624-3-1"])
    return t


def siphash():
    t = FunctionTopic("siphash", "SipHash-2-4 and its kin", "SipHash (2012)", ["RFC6528-3-3"], "practice", sources=["siphash_2_4.txt"])
    names = {"sip64": ("siphash-2-4", 8, False), "sip128": ("siphash-2-4-128", 16, False), "hsip32": ("halfsiphash-2-4", 4, True), "hsip64": ("halfsiphash-2-4-64", 8, True)}
    key, current = b"", None
    for line in lines("siphash_2_4.txt"):
        if line.startswith("key="):
            key = bytes.fromhex(line[4:])
        elif line.startswith("["):
            current = re.match(r"\[vectors_(\w+)\]", line)[1]
        elif line.strip():
            size, out = line.split()
            function, octets, half = names[current]
            message = bytes(range(int(size)))
            check(line, sip(key, message, octets, half).hex() == out)
            t.add(f"{function}-{int(size):02}", function, "octets 0, 1, 2 ...", {"key": key[:8 if half else 16].hex(), "octets": message.hex()}, {"hash": out}, source="the reference implementation's tables", family=function)
    return t


def iss():
    t = FunctionTopic("iss", "initial sequence numbers", "RFC 6528 3", ["RFC6528-3-1", "MUST-8", "SHLD-1"], "SHOULD")
    from ipaddress import ip_address
    secret = bytes(range(16))
    def given(local="192.0.2.1", remote="198.51.100.2", local_port=80, remote_port=40000, time=0, key=secret):
        return {"secret": key.hex(), "local": local, "remote": remote, "local-port": local_port, "remote-port": remote_port, "time": time}
    def number(g):
        data = ip_address(g["local"]).packed + ip_address(g["remote"]).packed + g["local-port"].to_bytes(2, "big") + g["remote-port"].to_bytes(2, "big")
        return (int.from_bytes(sip(bytes.fromhex(g["secret"]), data, 8, False), "little") + g["time"] // 4) % WRAP
    cases = {"plain": given(), "time-3": given(time=3), "time-4": given(time=4), "time-hour": given(time=3_600_000_000), "time-wraps": given(time=4 * WRAP + 4),
             "other-secret": given(key=bytes(range(1, 17))), "other-local": given(local="192.0.2.2"), "other-remote": given(remote="198.51.100.3"), "other-local-port": given(local_port=81),
             "other-remote-port": given(remote_port=40001), "v6": given("2001:db8::1", "2001:db8::2"), "exchanged": given("198.51.100.2", "192.0.2.1", 40000, 80)}
    for name, g in cases.items():
        t.add(f"keyed-{name}", "iss", "F is SipHash-2-4 of both sockets, M a clock of 4 microseconds", g, {"iss": number(g)}, derived=True, flags=["Weir"], level="practice")
    for name in ("other-secret", "other-local", "other-remote", "other-local-port", "other-remote-port", "exchanged"):
        t.add(f"differs-{name}", "iss-differs", "whatever F reads moves the number", {"first": cases["plain"], "second": cases[name]}, {"differs": True}, derived=True, covers=["RFC6528-3-1", "MUST-9"])
    for elapsed in (0, 4, 400, 1_000_000, 3_600_000_000, 4 * WRAP - 4, 4 * WRAP):
        t.add(f"advance-{elapsed}", "iss-advance", "between the same sockets the numbers go up with the clock", {"first": given(time=1000), "later": elapsed}, {"advance": elapsed // 4 % WRAP}, derived=True, family="advance", level="MUST")
    return t


def rto_states(events, low=0, top=None, granularity=0, initial=1_000_000):
    """RFC 6298 2 and 5.5, in rational microseconds."""
    srtt = rttvar = None
    rto, states = Fraction(initial), []
    bound = lambda x: max(Fraction(low), x) if top is None else min(Fraction(top), max(Fraction(low), x))
    for event in events:
        if "sample" in event:
            r = Fraction(event["sample"])
            if srtt is None:
                srtt, rttvar = r, r / 2
            else:
                rttvar = rttvar * 3 / 4 + abs(srtt - r) / 4
                srtt = srtt * 7 / 8 + r / 8
            rto = bound(srtt + max(Fraction(granularity), 4 * rttvar))
        else:
            rto = bound(rto * 2)
        state = {"rto": round(float(rto), 3)}
        if srtt is not None:
            state.update({"srtt": round(float(srtt), 3), "rttvar": round(float(rttvar), 3)})
        states.append(state)
    return states


def rto():
    t = FunctionTopic("rto", "the round-trip time and the timeout made of it; microseconds", "RFC 6298 2", ["RFC6298-2-3", "RFC6298-2-4", "RFC6298-2-5", "RFC6298-2-6", "RFC6298-2-7", "MUST-18"], sources=["derived_rto_rfc6298.csv"])
    top = 2**31 - 1
    runs = [[]]
    for line in lines("derived_rto_rfc6298.csv"):
        if line:
            runs[-1].append([Fraction(word) for word in line.split(",")])
        else:
            runs.append([])
    for i, rows in enumerate(run for run in runs if run):
        events = [{"sample": int(row[0] * 1000)} for row in rows]
        for name, low, column in (("bare", 0, 3), ("floor", 1_000_000, 4)):
            states = rto_states(events, low, None, 1000)
            for row, state in zip(rows, states):
                check(row, all(abs(Fraction(state[key]) - row[at] * 1000) <= Fraction(1, 500) for key, at in (("srtt", 1), ("rttvar", 2), ("rto", column))))
            t.add(f"samples-{i + 1}-{name}", "rto", "rules 2.2 to 2.4, a sample at a time" + (", at least one second" if low else ", no floor"),
                  {"initial": 1_000_000, "min": low, "max": top, "granularity": 1000, "events": events}, {"states": states}, derived=True, tolerance=6, family="samples",
                  covers=t.default["covers"] + (["RFC6298-2-8"] if low else []))
    add = lambda name, comment, covers, events, **bounds: t.add(name, "rto", comment, {"initial": bounds.get("initial", 1_000_000), "min": bounds.get("low", 0), "max": bounds.get("top", top), "granularity": bounds.get("granularity", 1000), "events": events},
                                                               {"states": rto_states(events, bounds.get("low", 0), bounds.get("top", top), bounds.get("granularity", 1000), bounds.get("initial", 1_000_000))}, derived=True, tolerance=6, covers=covers, **({"level": bounds["level"]} if "level" in bounds else {}))
    add("backoff-before-sample", "one second, doubled by every timeout", ["RFC6298-2-1", "RFC6298-5-7"], [{"timeout": True}] * 6)
    add("backoff-bounded", "never above the bound", ["RFC6298-2-9", "RFC6298-5-7"], [{"timeout": True}] * 9, top=60_000_000, level="MAY")
    add("backoff-after-sample", "from what the samples gave", ["RFC6298-5-7"], [{"sample": 200_000}] + [{"timeout": True}] * 4)
    add("backoff-then-sample", "a sample ends it", ["RFC6298-5-7", "RFC6298-2-7"], [{"sample": 400_000}, {"timeout": True}, {"timeout": True}, {"sample": 400_000}])
    add("granularity", "G stands for a variance of 0", ["RFC6298-4-1"], [{"sample": 100_000}] * 40, granularity=50_000)
    add("granularity-fine", "and only for less than itself", ["RFC6298-4-1"], [{"sample": 100_000}] * 40, granularity=1)
    add("spike", "one sample ten times as long", ["RFC6298-2-4", "RFC6298-2-5"], [{"sample": 50_000}] * 3 + [{"sample": 500_000}] + [{"sample": 50_000}] * 3)
    add("falling", "the deviation is absolute", ["RFC6298-2-4"], [{"sample": x} for x in (900_000, 700_000, 500_000, 300_000, 100_000)])
    add("microseconds", "a fast link", ["RFC6298-2-4"], [{"sample": x} for x in (40, 55, 38, 61, 44, 300, 41)], granularity=1)
    add("floor", "rule 2.4", ["RFC6298-2-8"], [{"sample": 10_000}] * 3, low=1_000_000, level="SHOULD")
    add("initial-three", "the older start", ["RFC6298-2-2"], [{"timeout": True}, {"sample": 100_000}], initial=3_000_000, level="MAY")
    karn = [("plain", "sent once: a sample", [{"send": [0, 1000], "at": 0}, {"ack": 1000, "at": 80}], [80]),
            ("resent", "sent twice: the acknowledgment may be of either", [{"send": [0, 1000], "at": 0}, {"resend": [0, 1000], "at": 1000}, {"ack": 1000, "at": 1080}], [None]),
            ("resent-part", "one segment of two went again", [{"send": [0, 1000], "at": 0}, {"send": [1000, 2000], "at": 10}, {"resend": [0, 1000], "at": 1000}, {"ack": 2000, "at": 1080}], [None]),
            ("after", "what is sent after that is measured again", [{"send": [0, 1000], "at": 0}, {"resend": [0, 1000], "at": 1000}, {"ack": 1000, "at": 1080}, {"send": [1000, 2000], "at": 1100}, {"ack": 2000, "at": 1190}], [None, 90]),
            ("newest", "of several segments the newest", [{"send": [0, 1000], "at": 0}, {"send": [1000, 2000], "at": 40}, {"ack": 2000, "at": 100}], [60]),
            ("none-new", "an acknowledgment of nothing new measures nothing", [{"send": [0, 1000], "at": 0}, {"ack": 0, "at": 50}, {"ack": 1000, "at": 90}], [None, 90]),
            ("wrap", "over the end of the sequence numbers", [{"send": [WRAP - 500, 500], "at": 5}, {"ack": 500, "at": 105}], [100])]
    for name, comment, events, samples in karn:
        t.add(f"karn-{name}", "karn", comment, {"events": events}, {"samples": samples}, derived=True, section="RFC 6298 3", covers=["RFC6298-3-1", "RFC6298-3-2"])
    return t


def initial_window():
    t = FunctionTopic("initial_window", "how much may be sent at first", "RFC 5681 3.1", ["RFC5681-3.1-2"], sources=["derived_initial_window.csv"])
    for line in lines("derived_initial_window.csv")[1:]:
        mss, older, newer = map(int, line.split(","))
        check(line, older == (2 if mss > 2190 else 3 if mss > 1095 else 4) * mss and newer == min(10 * mss, max(2 * mss, 14600)))
        t.add(f"rfc5681-{mss}", "initial-window", "two, three or four segments", {"mss": mss, "rule": "RFC 5681"}, {"window": older}, derived=True, family=f"rfc5681-{older // mss}")
        t.add(f"rfc6928-{mss}", "initial-window", "ten segments, 14600 octets, two segments", {"mss": mss, "rule": "RFC 6928"}, {"window": newer}, derived=True, family="rfc6928", section="RFC 6928 2", covers=["RFC6928-2-1"], level="practice")
    return t


def newreno():
    t = FunctionTopic("newreno", "slow start, congestion avoidance, recovery; octets", "RFC 5681 3.1", ["RFC5681-3.1-9"], "MUST")
    s = 1000
    def add(name, comment, covers, start, events, states, section="RFC 5681 3.1", level="MUST"):
        t.add(name, "newreno", comment, {"mss": s, "cwnd": start[0], "ssthresh": start[1], "events": events}, {"states": [{"cwnd": c, "ssthresh": h} for c, h in states]}, derived=True, section=section, covers=covers, level=level)
    ack = lambda n: {"acked": n}
    add("slow-start", "an SMSS for each acknowledgment of a segment", ["RFC5681-3.1-9"], (2000, 64000), [ack(1000)] * 4, [(3000, 64000), (4000, 64000), (5000, 64000), (6000, 64000)])
    add("slow-start-part", "no more than was acknowledged", ["RFC5681-3.1-9"], (2000, 64000), [ack(1), ack(999), ack(500)], [(2001, 64000), (3000, 64000), (3500, 64000)], level="SHOULD")
    add("slow-start-stretch", "never more than SMSS once there was loss", ["RFC5681-3.1-9"], (2000, 64000), [ack(5000)], [(3000, 64000)])
    add("avoidance", "an SMSS for each window acknowledged", ["RFC5681-3.1-11", "RFC5681-3.1-13"], (10000, 10000), [ack(1000)] * 10 + [ack(1000)] * 11, [(10000, 10000)] * 9 + [(11000, 10000)] * 11 + [(12000, 10000)], level="SHOULD")
    add("avoidance-whole", "one acknowledgment of a whole window", ["RFC5681-3.1-12"], (8000, 4000), [ack(8000)], [(9000, 4000)])
    add("avoidance-rest", "what is acknowledged beyond a window counts for the next", ["RFC5681-3.1-13"], (10000, 10000), [ack(1500)] * 14, [(10000, 10000)] * 6 + [(11000, 10000)] * 7 + [(12000, 10000)], section="RFC 3465 2.1", level="practice")
    add("loss", "half of what was in flight", ["RFC5681-3.2-7", "RFC5681-4.3-1"], (20000, 64000), [{"loss": 20000}], [(10000, 10000)], section="RFC 6675 5")
    add("loss-small", "but two segments at least", ["RFC5681-3.2-7"], (3000, 64000), [{"loss": 3000}], [(2000, 2000)], section="RFC 6675 5")
    add("loss-odd", "an odd octet is not kept", ["RFC5681-3.2-7"], (20000, 64000), [{"loss": 15001}], [(7500, 7500)], section="RFC 6675 5")
    add("timeout", "one segment, and half of what was in flight", ["RFC5681-3.1-16", "RFC5681-3.1-18"], (20000, 64000), [{"timeout": 20000}], [(1000, 10000)])
    add("timeout-again", "of the same segment: ssthresh stays", ["RFC5681-3.1-17", "RFC5681-3.1-18"], (20000, 64000), [{"timeout": 20000}, {"timeout": 1000, "again": True}], [(1000, 10000), (1000, 10000)])
    add("timeout-small", "two segments at least", ["RFC5681-3.1-16"], (2000, 64000), [{"timeout": 1000}], [(1000, 2000)])
    add("timeout-then-slow-start", "up to ssthresh, then avoidance", ["RFC5681-3.1-8"], (4000, 64000), [{"timeout": 6000}] + [ack(1000)] * 5, [(1000, 3000), (2000, 3000), (3000, 3000), (3000, 3000), (3000, 3000), (4000, 3000)])
    add("recovered", "a full acknowledgment: no more than ssthresh, nor than what is outstanding and one", ["RFC6582-3.2-4"], (20000, 64000), [{"loss": 20000}, {"recovered": 15000}], [(10000, 10000), (10000, 10000)], section="RFC 6582 3.2", level="practice")
    add("recovered-little", "little is outstanding", ["RFC6582-3.2-4"], (20000, 64000), [{"loss": 20000}, {"recovered": 3000}], [(10000, 10000), (4000, 10000)], section="RFC 6582 3.2", level="practice")
    add("recovered-nothing", "nothing is outstanding", ["RFC6582-3.2-4"], (20000, 64000), [{"loss": 20000}, {"recovered": 0}], [(10000, 10000), (2000, 10000)], section="RFC 6582 3.2", level="practice")
    add("idle", "the restart window", ["RFC5681-4.1-1"], (50000, 64000), [{"idle": 4000}], [(4000, 64000)], section="RFC 5681 4.1", level="SHOULD")
    add("idle-small", "is never larger than cwnd", ["RFC5681-4.1-1"], (3000, 64000), [{"idle": 4000}], [(3000, 64000)], section="RFC 5681 4.1", level="SHOULD")
    add("smaller-mss", "as many segments as before", ["RFC5681-3.1-5"], (10000, 64000), [{"new-mss": 500}], [(5000, 64000)], level="SHOULD")
    return t


def cubic_reno(w_max, rounds):
    """W_est after so many windows acknowledged since a loss at w_max (RFC 9438 4.3)."""
    w_est = 0.7 * w_max
    for _ in range(rounds):
        w_est += 9 / 17 if w_est < w_max else 1
    return w_est


def cubic():
    t = FunctionTopic("cubic", "the cubic function and its reductions; segments and seconds", "RFC 9438 4.2", ["RFC9438-4.2-1"], "SHOULD")
    c, beta = Fraction(2, 5), Fraction(7, 10)
    for k, w_max in ((0, 10), (1, 20), (2, 50), (3, 100), (5, 400)):
        epoch = w_max - c * k**3
        for time in (0, 1, 2, 4, 7):
            t.add(f"window-k{k}-t{time}", "cubic-window", "C (t - K)^3 + W_max", {"c": 0.4, "w-max": w_max, "cwnd-epoch": float(epoch), "t": time}, {"k": k, "w-cubic": float(c * (time - k)**3 + w_max)}, derived=True,
                  tolerance=round(0.004 + float(3 * c * (time - k)**2) / 1000, 4), family="window")  # what a millisecond of K is worth then, and octets
    for cwnd, w_max, flight in ((100, 100, 100), (80, 100, 80), (100, 80, 90), (2, 2, 2), (1, 1, 1), (3, 10, 3), (1000, 1200, 500)):
        w_new = Fraction(cwnd) * (1 + beta) / 2 if cwnd < w_max else Fraction(cwnd)
        ssthresh = max(flight * beta, Fraction(2))
        function = "cubic-reduce-literal" if flight < cwnd or cwnd < ssthresh else "cubic-reduce"
        t.add(f"reduce-{cwnd}-{w_max}-{flight}", function, "beta of what was in flight; fast convergence below the last W_max", {"beta": 0.7, "cwnd": cwnd, "w-max": w_max, "flight": flight, "fast-convergence": True}, {"ssthresh": float(ssthresh), "cwnd": float(ssthresh), "w-max": float(w_new)},
              derived=True, tolerance=0.001, family="reduce", section="RFC 9438 4.6", covers=["RFC9438-4.6-2", "RFC9438-4.6-3", "RFC9438-4.7-1"])
    for cwnd, w_max, flight in ((100, 80, 90), (1000, 1200, 500), (1000, 1200, 300), (1, 1, 1)):
        w_new = Fraction(cwnd) * (1 + beta) / 2 if cwnd < w_max else Fraction(cwnd)
        ssthresh = max(max(flight, min(cwnd, 2 * flight)) * beta, Fraction(2))
        t.add(f"used-{cwnd}-{w_max}-{flight}", "cubic-reduce", "cwnd in place of FlightSize, at most twice that; a loss never widens the window",
              {"beta": 0.7, "cwnd": cwnd, "w-max": w_max, "flight": flight, "fast-convergence": True}, {"ssthresh": float(ssthresh), "cwnd": float(min(ssthresh, cwnd)), "w-max": float(w_new)},
              derived=True, tolerance=0.001, family="used", flags=["Weir"], level="practice", section="RFC 9438 4.6", covers=["RFC9438-4.6-4", "RFC9438-4.7-1"])
    for cwnd, w_max, time, rtt, acked in ((70, 100, 0, 0.1, 1), (70, 100, 1, 0.1, 2), (70, 100, 3, 0.1, 1), (70, 100, 4, 0.2, 8), (700, 1000, 2, 0.05, 2), (700, 1000, 5, 0.05, 100), (100, 100, 1, 0.1, 1), (100, 100, 2, 0.1, 10),
                                          (100, 50, 3, 0.1, 2), (1000, 1000, 5, 0.3, 2), (100, 100, 6, 0.1, 1), (100, 100, 60, 0.1, 1), (10, 10, 10, 0.1, 4), (10, 1000, 900, 0.1, 2)):
        below = max(w_max - cwnd, 0)
        k = (below / 0.4)**(1 / 3)
        target = 0.4 * (time + rtt - k)**3 + max(w_max, cwnd)
        bounded = min(max(target, cwnd), 1.5 * cwnd)
        where = "4.4" if target < w_max else "4.5"
        t.add(f"step-{cwnd}-{w_max}-{time}-{acked}", "cubic-step", "no further than half of cwnd above it" if target > 1.5 * cwnd else "no less than cwnd" if target < cwnd else "an acknowledgment adds its part of what is missing to W_cubic(t + RTT)",
              {"c": 0.4, "cwnd": cwnd, "w-max": w_max, "t": time, "rtt": rtt, "acked": acked}, {"cwnd": round(cwnd + (bounded - cwnd) * acked / cwnd, 6)}, derived=True, tolerance=round(0.003 + 0.002 * (bounded - cwnd) * acked / cwnd, 4), family="step", section=f"RFC 9438 {where}",
              covers=[{"4.4": "RFC9438-4.4-1", "4.5": "RFC9438-4.5-1"}[where], "RFC9438-4.2-2", "RFC9438-5.1-2"], level="MUST")
    for w_max, rtt, times in ((200, 0.1, (0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15)), (1000, 0.1, (1, 2, 4, 6, 8, 9, 10, 12, 15, 20)), (1000, 0.05, (2, 5, 8, 10, 12, 16)), (5000, 0.2, (2, 6, 10, 14, 18, 22, 30)), (20000, 0.5, (5, 15))):
        k = (w_max * 0.3 / 0.4)**(1 / 3)
        for time in times:
            reno = cubic_reno(w_max, round(time / rtt))
            wanted = max(0.4 * (time - k)**3 + w_max, reno)
            where = "4.3" if wanted == reno else "4.4" if wanted < w_max else "4.5"
            t.add(f"growth-{w_max}-{round(rtt * 1000)}ms-{time}", "cubic-growth", {"4.3": "the Reno-friendly window is larger", "4.4": "concave: the window before the loss is not reached", "4.5": "convex: beyond it"}[where],
                  {"w-max": w_max, "rtt": rtt, "t": time}, {"cwnd": round(wanted, 3)}, derived=True, tolerance=round(wanted / 100, 3), family="growth", section=f"RFC 9438 {where}", covers=["RFC9438-4.2-1", "RFC9438-5.1-1", {"4.3": "RFC9438-4.3-1", "4.4": "RFC9438-4.4-1", "4.5": "RFC9438-4.5-1"}[where]], level="SHOULD")
    for w_max, rtt, times in ((100, 0.005, (0.1, 0.2, 0.3, 0.5, 1)), (200, 0.01, (0.5, 1, 1.5, 2))):
        for time in times:
            wanted = cubic_reno(w_max, round(time / rtt))
            t.add(f"growth-reno-{w_max}-{time}", "cubic-growth", "a short round trip: Reno's window, by alpha a round trip below the window before the loss, by a segment above", {"w-max": w_max, "rtt": rtt, "t": time}, {"cwnd": round(wanted, 3)}, derived=True,
                  tolerance=round(wanted / 100, 3), family="growth-reno", section="RFC 9438 4.3", covers=["RFC9438-4.3-1", "RFC9438-4.3-2", "RFC9438-4.3-3"])
    alpha = 3 * (1 - beta) / (1 + beta)
    for cwnd, prior in ((10, 100), (50, 100), (7, 10)):
        w_est, states = Fraction(cwnd), []  # alpha in whole octets: an octet less for each of eight windows
        for _ in range(8):
            w_est += (alpha if w_est < prior else 1) * Fraction(cwnd) / cwnd
            states.append(round(float(w_est), 6))
        t.add(f"reno-friendly-{cwnd}-{prior}", "cubic-estimate", "a window acknowledged at a time, cwnd held", {"beta": 0.7, "cwnd": cwnd, "cwnd-prior": prior, "acked": [cwnd] * 8}, {"w-est": states}, derived=True, tolerance=0.01, family="reno-friendly", section="RFC 9438 4.3", covers=["RFC9438-4.3-1", "RFC9438-4.3-2", "RFC9438-4.3-3"])
    return t


def prr_step(inflight, ssthresh, delivered_total, out, delivered, recover_fs, safe, literal):
    """RFC 9937 6.2 in octets of 1000; not `literal`: inflight >= ssthresh, which is how figure 1 comes about."""
    total = delivered_total + delivered
    if inflight > ssthresh or (inflight == ssthresh and not literal):
        count = -(-total * ssthresh // recover_fs) - out
    else:
        limit = max(total - out, delivered) + (1000 if safe else 0)
        count = min(ssthresh - inflight, limit)
    count = max(count, 0)
    return 1000 if out == 0 and count == 0 else count


def prr():
    t = FunctionTopic("prr", "proportional rate reduction: traces and steps", "RFC 9937 8", ["RFC9937-6.2-8", "RFC9937-6.2-9", "RFC9937-6.2-11"], "MUST", sources=["rfc9937_prr_traces.txt", "rfc6937_prr_traces.txt"])
    start = {"cwnd": 20, "flight": 20, "ssthresh": 10, "limited-transmit": True}
    name = rows = None
    blocks = []
    for line in lines("rfc9937_prr_traces.txt"):
        if line.startswith("["):
            name, rows = line, []
            blocks.append((name, rows))
        elif line.strip():
            rows.append(line.split())
    for head, rows in blocks:
        figure, rule = re.match(r"\[(figure\d(?:-literal)?) (PRR|RFC\d+)", head).groups()
        lost = [0] if figure.startswith("figure1") else list(range(15))
        literal = figure.endswith("literal")
        steps = [{"ack": int(a), "cwnd": int(b), "inflight": int(c), "sent": "" if d == "-" else d} for a, b, c, d in rows]
        comment = {"figure1": "the first segment is lost", "figure1-literal": "the same by the letter of the pseudocode: inflight > ssthresh, where the figure has >=", "figure2": "the first fifteen are lost"}[figure]
        t.add(f"rfc9937-{figure}-{rule.lower()}", ("prr-trace-literal" if literal else "prr-trace") if rule == "PRR" else "rfc6675-trace", comment,
              {**start, "lost": lost, **({"acks": len(steps)} if rule == "PRR" else {})}, {"steps": steps}, source="RFC 9937 8",
              flags=["Printed"], covers=t.default["covers"] if rule == "PRR" else ["RFC9937-5-2"], **({"derived": True} if figure == "figure1-literal" else {}), **({"level": "practice"} if rule != "PRR" or figure == "figure1" else {}))
    text = lines("rfc6937_prr_traces.txt")
    for at in range(0, len(text) - 1, 2):
        if text[at].startswith("["):
            label = re.match(r"\[(PRR[\w-]*)", text[at])[1].lower()
            pipe, _, sent = text[at + 1].partition(" / ")
            first = 1 if label == "prr" else 15
            steps = [{"ack": first + i, "pipe": int(value)} for i, value in enumerate(pipe.split())]
            for step, what in zip(steps, sent.split()):
                step["sent"] = what
            t.add(f"rfc6937-{label}", "rfc6937-trace", "as the older RFC draws it; obsoleted by RFC 9937", {**start, "lost": [0] if label == "prr" else list(range(15)), "bound": label[4:].upper() or "none"}, {"steps": steps},
                  source="RFC 6937 3.1", section="RFC 6937 3.1", flags=["Printed"], covers=["RFC6937-3-3", "RFC6937-3-4"], level="practice")
    for inflight, total, out, delivered, safe in ((19000, 0, 0, 1000, False), (18000, 1000, 1000, 1000, False), (15000, 9000, 5000, 1000, False), (10000, 9000, 5000, 1000, False), (10000, 9000, 5000, 1000, True),
                                                  (4000, 16000, 2000, 1000, False), (4000, 16000, 16000, 1000, False), (4000, 16000, 16000, 1000, True), (9500, 10000, 5000, 1000, True), (12000, 0, 0, 10000, False), (10000, 0, 0, 1000, False), (19000, 2000, 3000, 1000, False), (10000, 9000, 4000, 1000, False), (4000, 3000, 6000, 1000, False)):
        given = {"mss": 1000, "inflight": inflight, "ssthresh": 10000, "recover-fs": 20000, "prr-delivered": total, "prr-out": out, "delivered": delivered, "safe": safe}
        letter, figure = (prr_step(inflight, 10000, total, out, delivered, 20000, safe, literal) for literal in (True, False))
        name, more = f"step-{inflight}-{total}-{out}-{delivered}", {"derived": True, "family": "step", "section": "RFC 9937 6.2", "covers": ["RFC9937-6.2-8", "RFC9937-6.2-9", "RFC9937-6.2-10"]}
        t.add(f"{name}-{'safe' if safe else 'plain'}", "prr-step" if letter == figure else "prr-step-literal", "SndCnt of one acknowledgment; octets", given, {"send-count": letter}, **more)
        if letter != figure:
            t.add(f"{name}-figure", "prr-step", "inflight is ssthresh: proportional still, as figure 1 of RFC 9937 has it", given, {"send-count": figure}, level="practice", **more)
    return t


class Receiver:
    """Octets, one by one, and what RFC 2018 4 and RFC 2883 4 say of them."""

    def __init__(self, nxt):
        self.nxt, self.held, self.recent = nxt, set(), []

    def runs(self):
        found = []
        for octet in sorted(self.held):
            if found and found[-1][1] == octet:
                found[-1][1] = octet + 1
            else:
                found.append([octet, octet + 1])
        return found

    def receive(self, left, right):
        had = [n for n in range(left, right) if n < self.nxt or n in self.held]
        duplicate = None
        if had:
            end = had[0] + 1
            while end in had:
                end += 1
            duplicate = [had[0], end]
        self.held |= {n for n in range(left, right) if n >= self.nxt}
        while self.nxt in self.held:
            self.held.remove(self.nxt)
            self.nxt += 1
        runs = self.runs()
        touched = [run for run in runs if run[0] <= left < run[1] or (duplicate is None and left <= run[0] < right)]
        previous = [[n for n in run] for run in self.recent]
        order = touched + [run for old in previous for run in runs if run[0] <= old[0] < run[1]] + runs
        self.recent = [run for i, run in enumerate(order) if run not in order[:i]]
        blocks = list(self.recent)
        if duplicate:
            around = [run for run in runs if run[0] <= duplicate[0] and duplicate[1] <= run[1]]
            blocks = [duplicate] + around + [run for run in blocks if run not in around]
        return {"ack": self.nxt, "sack": blocks[:4]}


class Scoreboard:
    """RFC 6675 4, octet by octet."""

    def __init__(self, mss):
        self.mss, self.sent, self.sacked, self.resent = mss, [], set(), set()

    def lost(self):
        found, runs, octets, above = [], 0, 0, False
        for octet in reversed(self.sent):
            held = octet in self.sacked
            runs += held and not above
            octets += held
            above = held
            if not held and (runs >= 3 or octets > 2 * self.mss):
                found.append(octet)
        return found[::-1]

    def state(self):
        lost = self.lost()
        waiting = [octet for octet in lost if octet not in self.resent]
        run = waiting[:1]
        while run and len(run) < self.mss and run[-1] + 1 in waiting:
            run.append(run[-1] + 1)
        pipe = sum(octet not in self.sacked and (octet not in lost or octet in self.resent) for octet in self.sent)
        return {"pipe": pipe, "lost": len(waiting), "next": [run[0], run[-1] + 1] if run else None}

    def event(self, event):
        (name, value), = event.items()
        if name == "ack":
            self.sent = [octet for octet in self.sent if octet >= value]
        else:
            run = range(*value)
            if name == "send":
                self.sent += run
            elif name == "sack":
                self.sacked |= set(run)
            else:
                self.resent |= set(run)
        return self.state()


def scoreboard():
    t = FunctionTopic("scoreboard", "what a sender takes for lost, and how much it thinks is in flight", "RFC 6675 4", ["RFC6675-4-1"], "SHOULD")
    sends = lambda count, mss=1000, at=0: [{"send": [at + i * mss, at + (i + 1) * mss]} for i in range(count)]
    sack = lambda a, b: {"sack": [a, b]}
    cases = {"head": sends(6) + [sack(1000, 2000), sack(1000, 3000), sack(1000, 4000)], "two-segments-are-not-enough": sends(6) + [sack(1000, 3000)],
             "one-octet-more": sends(6) + [sack(1000, 3001)], "three-runs": sends(8) + [sack(1000, 1500), sack(3000, 3500), sack(5000, 5500)],
             "two-runs": sends(8) + [sack(1000, 1500), sack(5000, 5500)], "several-holes": sends(10) + [sack(1000, 2000), sack(3000, 4000), sack(5000, 6000), sack(7000, 8000), sack(9000, 10000)],
             "joined-runs": sends(8) + [sack(1000, 1500), sack(2000, 2500), sack(1500, 2000), sack(4000, 4200)], "retransmitted": sends(6) + [sack(1000, 4000), {"resend": [0, 1000]}, sack(4000, 5000)],
             "acknowledged": sends(6) + [sack(1000, 4000), {"resend": [0, 1000]}, {"ack": 4000}], "partial": sends(10) + [sack(2000, 5000), {"resend": [0, 1000]}, {"ack": 1000}],
             "one-hole-of-many-segments": sends(10) + [sack(4000, 7000)], "long-run-goes-in-parts": sends(10) + [sack(4000, 7000), {"resend": [0, 1000]}, {"resend": [1000, 2000]}],
             "repeated": sends(6) + [sack(1000, 2000)] * 4, "nothing-new": sends(4) + [{"ack": 0}], "all": sends(4) + [{"ack": 4000}]}
    for name, events in cases.items():
        board = Scoreboard(1000)
        states = [board.event(event) for event in events]
        for base in (0, WRAP - 2500, 2**31 - 2500):
            move = lambda n, base=base: (n + base) % WRAP
            shift = lambda value: [move(n) for n in value] if isinstance(value, list) else move(value)
            t.add(name + (f"-at-{base:08x}" if base else ""), "scoreboard", "from a model that keeps octets one by one", {"mss": 1000, "events": [{key: shift(value) for key, value in event.items()} for event in events]},
                  {"states": [{**state, "next": state["next"] and shift(state["next"])} for state in states]}, derived=True, family=name, covers=["RFC6675-4-3", "RFC6675-4-4", "RFC6675-4-5", "RFC6675-4-7"])
    return t


def sack_receiver():
    t = FunctionTopic("sack_receiver", "what a receiver answers to octets beyond a gap and to duplicates", "RFC 2018 4", ["RFC2018-4-7", "RFC2018-4-8", "RFC2018-4-9", "RFC2018-3-2"], sources=["rfc2018_sack_generation.txt", "rfc2883_dsack.txt"])
    dsack = ["RFC2883-4-1", "RFC2883-4-2", "RFC2883-4-4", "RFC2883-4-5", "RFC2883-4-6"]
    for source, level, covers, shifts in (("rfc2018_sack_generation.txt", "MUST", t.default["covers"], (0, -6500, 2**31 - 6500)), ("rfc2883_dsack.txt", "SHOULD", dsack, (0, -1700, 2**31 - 1700))):
        cases = []
        for line in lines(source):
            if line.startswith("["):
                head = re.match(r"\[(\S+)([^]]*)\] source=(\S+) (\S+) rcv_nxt=(\d+)", line)
                cases.append((head, []))
            elif line.startswith("recv"):
                numbers = [int(n) for n in re.findall(r"\d+", line)]
                cases[-1][1].append((numbers[:2], {"ack": numbers[2], "sack": [numbers[i:i + 2] for i in range(3, len(numbers), 2)]}))
        for head, steps in cases:
            model = Receiver(int(head[5]))
            for given, answer in steps:
                check((head[0], given), model.receive(*given) == answer)
            rfc = f"RFC {head[3][3:]}"
            for shift in shifts:
                move = lambda n, shift=shift: (n + shift) % WRAP
                name = f"{head[3].lower()}-{head[4]}-{head[1].replace('.', '')}" + ("" if shift == 0 else f"-at-{move(int(head[5])):08x}")
                t.add(name, "sack-receiver", head[2].strip(" ()") or "the RFC's example" if shift == 0 else "the same, over the end of the numbers or their middle",
                      {"rcv-nxt": move(int(head[5])), "segments": [[move(a), move(b)] for (a, b), _ in steps]},
                      {"answers": [{"ack": move(answer["ack"]), "sack": [[move(a), move(b)] for a, b in answer["sack"]]} for _, answer in steps]},
                      source=f"{rfc} {head[4][1:]}", section=f"{rfc} {head[4][1:]}", covers=covers, level=level, family=f"{head[3].lower()}-{head[4]}-{head[1].replace('.', '')}",
                      **({"flags": ["Erratum"]} if "erratum" in head[0] else {}), **({"derived": True} if shift else {}))
    more = {"five-runs": [(1100, 1200), (1300, 1400), (1500, 1600), (1700, 1800), (1900, 2000)], "oldest-again": [(1100, 1200), (1300, 1400), (1500, 1600), (1200, 1250)],
            "join-two": [(1100, 1200), (1300, 1400), (1200, 1300)], "fill-first": [(1100, 1200), (1300, 1400), (1000, 1100)], "fill-all": [(1100, 1200), (1000, 1100)],
            "duplicate-below": [(1000, 1200), (1000, 1100)], "duplicate-above": [(1100, 1200), (1100, 1200)], "duplicate-part": [(1000, 1100), (1050, 1150)], "duplicate-two-runs": [(1100, 1200), (1300, 1400), (1100, 1400)],
            "duplicate-in-older": [(1100, 1200), (1300, 1400), (1120, 1150)], "duplicate-in-oldest": [(1100, 1200), (1300, 1400), (1500, 1600), (1100, 1200)],
            "duplicate-then-new": [(1000, 1100), (1000, 1100), (1200, 1300), (1400, 1500)]}
    for name, segments in more.items():
        model = Receiver(1000)
        answers = [model.receive(*segment) for segment in segments]
        t.add(name, "sack-receiver", "from a model that keeps octets one by one", {"rcv-nxt": 1000, "segments": [list(segment) for segment in segments]}, {"answers": answers}, derived=True, level="SHOULD", covers=dsack if "duplicate" in name else t.default["covers"])
    return t


def reset():
    t = FunctionTopic("reset", "RST and SYN in a synchronized state", "RFC 5961 3.2", ["RFC5961-3.2-2", "RFC5961-3.2-3", "RFC5961-3.2-4"], "MUST", sources=["rfc5961_rst_syn.csv"])
    for line in lines("rfc5961_rst_syn.csv")[1:]:
        event, seq, reaction = line.split(",")
        offset = int(seq) - 1000
        rst = "drop" if not 0 <= offset < 500 else "reset" if offset == 0 else "challenge-ack"
        check(line, reaction.replace("_", "-") == (rst if event == "RST" else "challenge-ack"))
        for base in (1000, WRAP - 250, 2**31 - 250):
            t.add(f"{event.lower()}-{base:08x}-{offset}", "reset", "by its place against RCV.NXT" if event == "RST" else "wherever it stands", {"rcv-nxt": base, "rcv-wnd": 500, "flags": event, "seg-seq": (base + offset) % WRAP},
                  {"reaction": reaction.replace("_", "-")}, derived=True, family=f"rst-{rst}" if event == "RST" else "syn", **({"section": "RFC 5961 4.2", "covers": ["RFC5961-4.2-2", "RFC5961-4.2-3"]} if event == "SYN" else {}))
    for offset, length, reaction in ((0, 10, "reset"), (1, 10, "challenge-ack"), (-1, 10, "drop"), (-10, 10, "drop"), (-5, 600, "drop"), (499, 10, "challenge-ack"), (500, 10, "drop")):
        t.add(f"rst-with-text-{offset}-{length}", "reset", "a RST with text is judged by where it begins", {"rcv-nxt": 1000, "rcv-wnd": 500, "flags": "RST", "seg-seq": 1000 + offset, "seg-len": length}, {"reaction": reaction},
              derived=True, family=f"rst-with-text-{reaction}", section="RFC 9293 3.5.3", covers=["SHLD-2", "RFC9293-3.5.3-1"])
    return t


def time_wait():
    t = FunctionTopic("time_wait", "a SYN for a connection in TIME-WAIT", "RFC 6191 2", ["RFC6191-2-1"], "SHOULD", sources=["rfc6191_time_wait.csv"])
    rule = {(1, 1, "greater"): "RFC6191-2-2", (1, 1, "equal"): "RFC6191-2-3", (1, 1, "less"): "RFC6191-2-5", (1, 0, "-"): "RFC6191-2-4",
            (0, 1, "-"): "RFC6191-2-6", (0, 0, "-"): "RFC6191-2-7"}
    places = {"greater": (1, 1000, 2**31 - 1), "equal": (0,), "less": (-1, -1000, -(2**31 - 1)), "not_greater": (0, -1, -(2**31 - 1)), "any": (1, 0, -1), "-": (0,)}
    for line in lines("rfc6191_time_wait.csv")[1:]:
        old, new, stamp, isn, action = line.split(",")
        for ts_apart in places[stamp]:
            for isn_apart in places[isn]:
                for base in (70000, WRAP - 1):
                    given = {"old-timestamps": old == "1", "new-timestamps": new == "1", "ts-recent": base, "tsval": (base + ts_apart) % WRAP, "last-seq": base, "isn": (base + isn_apart) % WRAP}
                    t.add(f"{old}{new}-ts-{ts_apart}-isn-{isn_apart}-at-{base}", "time-wait-syn", f"timestamps {stamp}, ISN {isn.replace('_', ' ')}", given, {"accept": action == "accept"}, source="RFC 6191 2", derived=True,
                          family=f"{old}{new}-{stamp.strip('-') or 'none'}-isn-{isn.replace('_', '-')}", covers=[rule[int(old), int(new), stamp], "MAY-2" if action == "accept" else "SHLD-4"])
    return t


def timestamps():
    t = FunctionTopic("timestamps", "echo, PAWS, windows", "RFC 7323 4.3", ["RFC7323-4.3-1", "RFC7323-4.3-4"], "SHOULD", sources=["rfc7323_examples.txt"])
    part, play, windows = None, {}, []
    for line in lines("rfc7323_examples.txt"):
        if line.startswith("["):
            part = re.match(r"\[(?:section |appendix )([\w.]+ ?\w*)", line)[1]
            if part.startswith("4.1"):
                play[part] = line
        elif part.startswith("F"):
            numbers = re.findall(r"\d+", line.split("#")[0])
            windows += [list(map(int, numbers))] if len(numbers) == 4 else []
        elif line.strip():
            play.setdefault(part, []).append(line)
    for part, delayed in (("4.3 delayed", True), ("4.3 out", False)):
        segments, answers, recent = [], [], 0
        for line in play[part]:
            got = re.match(r"recv (\w) (\d+) -> (\d+)", line)
            if got:
                recent = int(got[3])
                segments.append({"segment": ord(got[1]) - 65, "tsval": int(got[2])})
                answers.append({"recent": recent})
            ack = re.search(r"ack (\w) tsecr=(\d+)", line)
            if ack:
                answers[-1].update({"ack": ord(ack[1]) - 64, "echo": int(ack[2])})
        for base in (0, 0x7FFFFFFE, 0xFFFFFFFE):
            move = lambda n, base=base: (n + base) % WRAP
            t.add(f"echo-{part.split()[1]}" + (f"-at-{base:08x}" if base else ""), "timestamp-echo", "delayed acknowledgments" if delayed else "out of order, each acknowledged", {"before": move(0), "delayed": delayed, "segments": [{**s, "tsval": move(s["tsval"])} for s in segments]},
                  {"answers": [{key: value if key == "ack" else move(value) for key, value in a.items()} for a in answers]}, source="RFC 7323 4.3", family=f"echo-{part.split()[1]}",
                  **({"derived": True} if base else {}), covers=["RFC7323-4.3-1"] if delayed else ["RFC7323-4.3-2", "RFC7323-4.3-3", "RFC7323-4.3-4"])
    heard = re.findall(r"([AB])>[AB] \w+ \w TSval=(\d+) TSecr=(\d+)", next(value for key, value in play.items() if key.startswith("4.1")))
    check("7323 4.1", [(x, int(v), int(e)) for x, v, e in heard] == [("A", 1, 120), ("B", 127, 1), ("A", 5, 127), ("B", 131, 5)])
    t.add("exchange-b", "timestamp-echo", "what host B echoes", {"before": 0, "delayed": False, "segments": [{"segment": i, "tsval": int(v)} for i, (_, v, _) in enumerate(h for h in heard if h[0] == "A")]},
          {"answers": [{"recent": int(e), "ack": i + 1, "echo": int(e)} for i, (_, _, e) in enumerate(h for h in heard if h[0] == "B")]}, source="RFC 7323 4.1", section="RFC 7323 4.1", covers=["RFC7323-3.2-2"])
    t.add("exchange-a", "timestamp-echo-sent", "what host A sends after hearing an acknowledgment", {"before": 120, "heard": [127]}, {"echoes": [120, 127]}, source="RFC 7323 4.1", section="RFC 7323 4.1", covers=["RFC7323-3.2-2", "RFC7323-4.3-4"])
    for ack, win, edge, limit in windows:
        check("7323 F", edge == ack + (win << 7))
        t.add(f"retraction-{ack}-{win}", "window", f"a right edge; the receiver's own is {limit}", {"shift": 7, "snd-una": 1000, "seg-ack": ack, "seg-wnd": win}, {"right-edge": edge}, source="RFC 7323 F", section="RFC 7323 2.3", covers=["RFC7323-2.3-5", "RFC7323-2.4-1"], level="MUST")
    for shift in range(15):
        for win in (0, 1, 255, 32768, 65535):
            t.add(f"scale-{shift:02}-{win}", "window", "shifted left, in 32 bits", {"shift": shift, "snd-una": 1000, "seg-ack": 1001, "seg-wnd": win}, {"right-edge": 1001 + (win << shift)}, derived=True, family="scale", section="RFC 7323 2.3", covers=["RFC7323-2.3-5", "MUST-1", "REC-1"], level="MUST")
    t.add("scale-20", "window", "a shift above 14 counts as 14", {"shift": 20, "snd-una": 1000, "seg-ack": 1001, "seg-wnd": 4}, {"right-edge": 1001 + (4 << 14)}, derived=True, section="RFC 7323 2.3", covers=["RFC7323-2.3-8"], level="MUST")
    day = 24 * 3600 * 1_000_000
    for base in (0, 1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        for apart in (0, 1, -1, 1000, -1000, 0x7FFFFFFF, -0x7FFFFFFF):
            for rst in (False, True):
                t.add(f"paws-{base:08x}-{apart}" + ("-rst" if rst else ""), "paws", "a RST is not judged by its timestamp" if rst else "older than TS.Recent: dropped", {"ts-recent": base, "tsval": (base + apart) % WRAP, "idle": 1000, "rst": rst},
                      {"accept": rst or apart >= 0}, derived=True, family="paws-rst" if rst else "paws-taken" if apart >= 0 else "paws-refused", section="RFC 7323 5.3", covers=["RFC7323-5.2-5" if rst else "RFC7323-5.3-3"], level="MUST")
    for idle, accept in ((23 * day, False), (25 * day, True), (1000 * day, True)):
        t.add(f"paws-idle-{idle // day}", "paws", "TS.Recent is no measure after more than 24 days", {"ts-recent": 1000, "tsval": 999, "idle": idle, "rst": False}, {"accept": accept}, derived=True, section="RFC 7323 5.5", covers=["RFC7323-5.5-1"], level="MUST")
    return t


def sequence_extension():
    t = FunctionTopic("sequence_extension", "the upper half of a 64-bit sequence number", "RFC 9187 6", ["RFC9187-6-1", "RFC9187-5-2", "RFC9187-5-3", "RFC9235-8.1-2"], sources=["rfc9187_sne.txt"])
    rows = [[int(word, 16) for word in line.split()] for line in lines("rfc9187_sne.txt") if line.strip()]
    whole = 0
    for want, seq in rows:  # the 64-bit number nearest to the one before: no jump of the suite is as long as half of 2^32
        whole = min(((whole >> 32) + step << 32 | seq for step in (-1, 0, 1)), key=lambda n: abs(n - whole))
        check(f"{seq:08x}", whole >> 32 == want)
    t.add("suite", "sequence-extension", "the suite, in order", {"sequence": [seq for _, seq in rows]}, {"extension": [want for want, _ in rows]}, source="RFC 9187 6")
    for count in (4, 8, 13, 17, 24):
        t.add(f"suite-first-{count}", "sequence-extension", "its beginning", {"sequence": [seq for _, seq in rows[:count]]}, {"extension": [want for want, _ in rows[:count]]}, source="RFC 9187 6", family="suite-first")
    return t


def blocks_of(name):
    """Blocks of key=value lines, apart by blank lines."""
    found = [{}]
    for line in lines(name):
        if "=" in line:
            key, _, value = line.partition("=")
            found[-1][key] = value
        elif not line.strip():
            found.append({})
    return [block for block in found if block]


def digest():
    t = FunctionTopic("digest", "the digests and MACs that TCP-AO and TCP MD5 stand on", "RFC 5926 3", ["RFC9235-8.1-1", "RFC5926-2.2-1"], "MUST",
              sources=["rfc1321_md5.txt", "rfc3174_sha1.txt", "rfc2202_hmac_sha1.txt", "rfc4493_aes_cmac.txt", "rfc4615_aes_cmac_prf128.txt"])
    for block in blocks_of("rfc1321_md5.txt"):
        message = bytes.fromhex(block["msg"])
        check(block, hashlib.md5(message).hexdigest() == block["md5"])
        t.add(f"md5-{len(message):02}", "md5", "the RFC's suite", {"octets": message.hex()}, {"digest": block["md5"]}, source="RFC 1321 A.5", section="RFC 1321 A.5", covers=["RFC6528-3-3"], level="practice")
    for block in blocks_of("rfc3174_sha1.txt"):
        check(block, hashlib.sha1(block["pattern"].encode() * int(block["repeat"])).hexdigest() == block["digest"])
        t.add(f"sha1-{len(block['pattern'])}x{block['repeat']}", "sha1", "a pattern, repeated", {"pattern": block["pattern"].encode().hex(), "repeat": int(block["repeat"])}, {"digest": block["digest"]}, source="RFC 3174 7.3", section="RFC 3174 7.3", covers=["RFC5926-2.2-2"])
    for block in blocks_of("rfc2202_hmac_sha1.txt"):
        made = hmac.new(bytes.fromhex(block["key"]), bytes.fromhex(block["msg"]), "sha1").hexdigest()
        check(block, made == block["digest"] and made.startswith(block["digest96"]) and len(block["digest96"]) == 24)
        t.add(f"hmac-sha1-{block['case']}", "hmac-sha1", "and its first 96 bits, which TCP-AO uses", {"key": block["key"], "octets": block["msg"]}, {"mac": block["digest"], "mac-96": block["digest96"]}, source="RFC 2202 3", section="RFC 2202 3", covers=["RFC9235-8.1-1", "RFC5926-2.2-2", "RFC5926-3.2-1"])
    first, *cases = blocks_of("rfc4493_aes_cmac.txt")
    key = bytes.fromhex(first["key"])
    check("aes", aes128(key, bytes(16)).hex() == first["aes_of_zero"])
    t.add("aes-128", "aes-128", "a block of zeros: where the subkeys of CMAC come from", {"key": first["key"], "block": "00" * 16}, {"block": first["aes_of_zero"]}, source="RFC 4493 4", section="RFC 4493 4", covers=["RFC5926-2.2-3"])
    t.add("aes-cmac-subkeys", "aes-cmac-subkeys", "K1 and K2", {"key": first["key"]}, {"k1": first["subkey_k1"], "k2": first["subkey_k2"]}, source="RFC 4493 4", section="RFC 4493 4", covers=["RFC5926-2.2-3"])
    twice = lambda block: f"{(int(block, 16) << 1 & (1 << 128) - 1) ^ (0x87 if int(block, 16) >> 127 else 0):032x}"
    check("subkeys", twice(first["aes_of_zero"]) == first["subkey_k1"] and twice(first["subkey_k1"]) == first["subkey_k2"])
    for block in cases:
        check(block, aes_cmac(key, bytes.fromhex(block["msg"])).hex() == block["mac"] and block["mac"].startswith(block["mac96"]))
        t.add(f"aes-cmac-{block['len']}", "aes-cmac", "and its first 96 bits", {"key": first["key"], "octets": block["msg"]}, {"mac": block["mac"], "mac-96": block["mac96"]}, source="RFC 4493 4", section="RFC 4493 4", covers=["RFC9235-8.1-1", "RFC5926-2.2-3", "RFC5926-3.2-1"])
    first, *cases = blocks_of("rfc4615_aes_cmac_prf128.txt")
    for block in cases:
        check(block, aes_cmac_prf(bytes.fromhex(block["key"]), bytes.fromhex(first["msg"])).hex() == block["prf"])
        t.add(f"aes-cmac-prf-{len(block['key']) // 2}", "aes-cmac-prf-128", "a key of any length", {"key": block["key"], "octets": first["msg"]}, {"prf": block["prf"]}, source="RFC 4615 4", section="RFC 4615 4", covers=["RFC5926-3.1.1.2-1"])
    return t


def ao_header(segment, covers_options):
    """The TCP header as the MAC sees it (RFC 5925 5.1), and what follows it."""
    end = (segment[12] >> 4) * 4
    head, options, at = segment[:16] + b"\0\0" + segment[18:20], bytearray(segment[20:end]), 0
    while at < len(options) and options[at] != 0:
        if options[at] == 1:
            at += 1
            continue
        size = options[at + 1]
        if options[at] == 29:
            options[at + 4:at + size] = bytes(size - 4)
            if not covers_options:
                return head + bytes(options[at:at + size]), segment[end:]
        at += size
    return head + bytes(options), segment[end:]


def tcp_ao():
    t = FunctionTopic("tcp_ao", "traffic keys and MACs of RFC 9235's packets", "RFC 9235 4-7", ["RFC9235-4-7-1"], sources=["rfc9235_tcp_ao.jsonl"])
    master = b"testvector"
    for line in lines("rfc9235_tcp_ao.jsonl"):
        case = json.loads(line)
        packet = bytes.fromhex(case["packet"])
        addresses, segment = (packet[12:20], packet[20:]) if case["ip"] == 4 else (packet[8:40], packet[40:])
        half = len(addresses) // 2
        seq = segment[4:8]
        syn, acked = segment[13] & 2, segment[13] & 16
        client = case["title"].startswith("Send")
        isns = [bytes.fromhex(case[f"{who}_isn"]) if case[f"{who}_isn"] else bytes(4) for who in (("client", "server") if client else ("server", "client"))]
        check(case["title"], not syn or seq == isns[0])
        if syn and not acked:
            isns[1] = bytes(4)
        aes = case["alg"].startswith("AES")
        context = addresses + segment[:4] + isns[0] + isns[1]
        feed = b"\1TCP-AO" + context + (128 if aes else 160).to_bytes(2, "big")
        key = aes_cmac_prf(master, feed) if aes else hmac.new(master, feed, "sha1").digest()
        header, text = ao_header(segment, case["tcp_options"] == "covers")
        length = len(segment)
        pseudo = addresses + (bytes((0, 6)) + length.to_bytes(2, "big") if case["ip"] == 4 else length.to_bytes(4, "big") + bytes((0, 0, 0, 6)))
        whole = bytes(4) + pseudo + header + text
        mac = (aes_cmac(key, whole) if aes else hmac.new(key, whole, "sha1").digest())[:12]
        check(case["section"], key.hex() == case["key"] and mac.hex() == case["mac"])
        names = {"source": addresses[:half].hex(), "destination": addresses[half:].hex()}
        notes = {"flags": ["Erratum"]} if case["section"] == "4.2.2" else {}
        t.add(f"{case['section']}-key", "tcp-ao-traffic-key", f"{case['title']}: {case['traffic_key_name']}" + ("; the RFC prints a stray digit here" if notes else ""),
              {"kdf": "KDF_AES_128_CMAC" if aes else "KDF_HMAC_SHA1", "master-key": master.hex(), **names, "source-port": int.from_bytes(segment[:2], "big"), "destination-port": int.from_bytes(segment[2:4], "big"), "source-isn": int.from_bytes(isns[0], "big"), "destination-isn": int.from_bytes(isns[1], "big")},
              {"key": case["key"]}, source=f"RFC 9235 {case['section']}", section=f"RFC 9235 {case['section']}", covers=["RFC9235-4-7-1", "RFC9235-8.2-2", "RFC9235-8.2-3", "RFC9235-8.2-4", "RFC9235-8.3-1", "RFC5925-5.2-1", "RFC5926-3.1.1-1"], **notes)
        t.add(f"{case['section']}-mac", "tcp-ao-mac", case["title"], {"mac": case["alg"], "key": case["key"], "options": case["tcp_options"] == "covers", "sne": 0, **names, "segment": segment.hex()}, {"mac": case["mac"]},
              source=f"RFC 9235 {case['section']}", section=f"RFC 9235 {case['section']}", covers=["RFC9235-4-7-1", "RFC9235-8.2-1", "RFC9235-8.4-1", "RFC9235-8.4-2", "RFC9235-8.4-3", "RFC5925-5.1-1"])
    return t


def accecn():
    t = FunctionTopic("accecn", "the tables of AccECN; flags in the order AE CWR ECE", "RFC 9768 3.1", ["RFC9768-3.1.1-3"], sources=["rfc9768_tables.txt"])
    part = None
    for line in lines("rfc9768_tables.txt"):
        if line.startswith("["):
            part = re.match(r"\[(\w+ ?\w*)\]?", line)[1]
            row = 0
            if part.startswith("initial"):
                values = dict(re.findall(r"(\w+)=(\d+)", line))
                t.add("initial-counters", "accecn-initial", "both ends begin so", {}, {key: int(value) for key, value in values.items()}, source="RFC 9768 3.2.1", section="RFC 9768 3.2.1", covers=["RFC9768-3.2.1-1"])
            elif part.startswith("option"):
                for kind, order in re.findall(r"kind (\d+) order\d: ([\w,]+)", line):
                    for length in map(int, re.search(r"lengths ([\d,]+)", line)[1].split(",")):
                        t.add(f"option-{kind}-{length}", "accecn-option", "which fields an option of this length has", {"kind": int(kind), "length": length}, {"fields": order.split(",")[:(length - 2) // 3]}, source="RFC 9768 3.2.3", section="RFC 9768 3.2.3", covers=["RFC9768-3.2.3-1", "RFC9768-3.2.3-2"])
        elif part.startswith("table2"):
            client, server, syn, synack, mode = line.split(None, 4)
            t.add(f"negotiation-{row}", "accecn-negotiation", f"a client that speaks {client}, a server that speaks {server}", {"client": client, "server": server, "syn": syn, "syn-ack": synack},
                  {"client-mode": "AccECN" if "AccECN" in mode else mode, **({"syn-arrived": re.search(r"arrived ([\w-]+)", mode)[1]} if "arrived" in mode else {})}, source="RFC 9768 3.1.2", section="RFC 9768 3.1.2", flags=["Printed"],
                  covers=["RFC9768-3.1.3-3"] if synack == "101" else ["RFC9768-3.1.1-3", "RFC9768-3.1.2-1"] if server != "Broken" else ["RFC9768-3.1.2-5"])
            row += 1
        elif part.startswith("table3"):
            ecn, ace, cep = line.split()
            t.add(f"handshake-{ecn.lower()}", "accecn-handshake-ace", "the pure ACK of the SYN,ACK", {"ip-ecn": ecn}, {"ace": ace, "cep": int(cep)}, source="RFC 9768 3.2.2.1", section="RFC 9768 3.2.2.1", flags=["Printed"], covers=["RFC9768-3.2.2.1-1", "RFC9768-3.2.2.2-4"])
        elif part.startswith("table4"):
            ace, meaning, cep = line.split()
            t.add(f"server-{ace}", "accecn-server-ace", meaning, {"ace": ace}, {"cep": None if cep == "disable" else int(cep)}, source="RFC 9768 3.2.2.1", section="RFC 9768 3.2.2.1", flags=["Printed"], covers=["RFC9768-3.2.2.1-4", "RFC9768-3.2.2.1-5", "RFC9768-3.2.2.1-6"])
    return t


def exchange_step(line):
    """One line of a figure: what happens, and the states afterwards."""
    states = dict(re.findall(r"\b([AB])=([A-Z][A-Z0-9-]+)", line))
    got = re.match(r"([AB])(~?)>([AB]) ", line)
    step = {}
    if got:
        step = {"from": got[1], "delayed": got[2] == "~"}
    elif line.startswith("~"):
        step = {"to": line[1], "late": True}
    elif "2MSL" in line:
        return [({"time-wait-ends": "AB" if line.startswith("both") else line[0]}, states)]
    else:
        calls = re.findall(r"([AB]) CLOSE", line)
        return [({"close": who}, {}) for who in calls]
    for key in ("seq", "ack", "len"):
        value = re.search(rf"\b{key}=([\dXZ+]+)", line)
        if value:
            step[key] = eval(value[1], {"X": 300, "Z": 90}) if re.search("[XZ]", value[1]) else int(value[1])
    step["flags"] = [flag for flag in ("SYN", "ACK", "FIN", "RST") if re.search(rf"[ ,]{flag}\b(?!=)", line)]
    if "DATA" in line:
        step["len"] = 10
    return [(step, states)]


def exchange():
    covers = {6: ["RFC9293-3.10.7.3-6"], 7: ["MUST-10", "RFC9293-3.10.7.3-8"], 8: ["RFC9293-3.10.7.3-1"], 9: ["RFC9293-3.5.2-1", "RFC9293-3.10.7.3-1"], 10: ["RFC9293-3.5.2-1", "RFC9293-3.5.2-2"],
              11: ["RFC9293-3.5.2-3"], 12: ["MUST-13"], 13: ["MUST-13"]}
    t = FunctionTopic("exchange", "the figures of RFC 9293: segments between two ends, and their states after each", "RFC 9293 3.5", [], sources=["rfc9293_scenarios.txt"])
    figures = []
    for line in lines("rfc9293_scenarios.txt"):
        head = re.match(r"\[fig(\d+) ([^]]*)\] A=([\w-]+) B=([\w-]+)", line)
        if head:
            figures.append((head, []))
        elif line.strip() and "continues as fig6" not in line:
            figures[-1][1].extend(exchange_step(line))
    for head, steps in figures:
        number = int(head[1])
        comment = head[2]
        if number == 7:
            # The SYN,ACKs that cross fail table 6 and are answered with an ACK: either end may be ESTABLISHED one segment later than drawn.
            steps = [(step, {who: state for who, state in states.items() if state != "ESTABLISHED"}) for step, states in steps]
            steps.append(({"settle": True}, {"A": "ESTABLISHED", "B": "ESTABLISHED"}))
            comment += "; SYN,ACKs that cross may be answered before they are taken, and never with RST"
        begin = {"A": head[3], "B": head[4]}
        numbers = {"A": {"snd-nxt": 100, "rcv-nxt": 300}, "B": {"snd-nxt": 300, "rcv-nxt": 100}}
        iss = {who: sorted({step["seq"] for step, _ in steps if step.get("from") == who and "SYN" in step["flags"]}) for who in "AB"}
        t.add(f"figure-{number:02}", "exchange", comment, {"states": begin, "numbers": {who: numbers[who] for who in "AB" if begin[who] == "ESTABLISHED"}, "iss": iss, "steps": [step for step, _ in steps]},
              {"states": [states for _, states in steps]}, source=f"RFC 9293 figure {number}", section="RFC 9293 3.6" if number > 11 else "RFC 9293 3.5", covers=covers[number], flags=["Printed"])
    return t


TOPICS = (sequence, acceptability, checksum, siphash, iss, rto, initial_window, newreno, cubic, prr, scoreboard, sack_receiver, reset, time_wait, timestamps, sequence_extension, digest, tcp_ao, accecn, exchange)


if __name__ == "__main__":
    main(TOPICS, sys.argv[1])
