#!/usr/bin/env python3
"""options.py - what is negotiated with SYN and SYN,ACK, in every combination; PAWS and the timestamps that follow (RFC 7323)."""
import itertools
import sys

from pkt import Vector, write

OPTIONS = {"window-scale": "wscale 7", "sack": "sackOK", "timestamps": "TS val 1000 ecr 0"}


def layout(names, ts="TS val 100 ecr 1000", scale="wscale 1", mss="mss 1460"):
    """The options of a SYN as most stacks write them."""
    words = [mss]
    if "timestamps" in names:
        words += ["sackOK" if "sack" in names else "nop,nop", ts]
    elif "sack" in names:
        words += ["nop,nop,sackOK"]
    if "window-scale" in names:
        words += ["nop", scale]
    return ",".join(words)


def subsets():
    for size in range(len(OPTIONS) + 1):
        yield from itertools.combinations(OPTIONS, size)


def word(names):
    return "+".join(names) or "none"


def settings(have):
    return " ".join(f"{name}={int(name in have)}" for name in OPTIONS)


def after(v, both, side):
    """Each agreed option is in force, each other is not: seen on text out of order and on the first text of the stack."""
    ts_in = " <nop,nop,TS val 1020 ecr 100>" if "timestamps" in both else ""
    blocks = "sack 1461:1561" if "sack" in both else ""
    stamp = "TS val 120 ecr {}" if "timestamps" in both else ""
    tail = ",".join(part for part in ("nop,nop," + stamp.format(1010 if side == "passive" else 1000) if stamp else "",
                                      "nop,nop," + blocks if blocks else "") if part)
    v.sends(f". 1461:1561(100) ack 1 win 65535{ts_in}").expect(f". 1:1(0) ack 1{f' <{tail}>' if tail else ''}")
    return v


def negotiation():
    """Every subset that the peer offers, against every subset that the stack has."""
    covers = ("RFC7323-2.2-2 RFC7323-2.2-3 RFC7323-2.2-6 RFC7323-3.2-4 RFC7323-3.2-5 RFC7323-3.2-6 RFC2018-2-1 RFC2018-2-2 RFC2018-4-1 RFC2018-4-3 "
              "MUST-14 MAY-3 MUST-65")
    for have in subsets():
        for offered in subsets():
            both = [name for name in OPTIONS if name in have and name in offered]
            needs = " ".join(both)
            v = Vector(f"options/passive/have-{word(have)}/offered-{word(offered)}", f"The stack has {word(have)}, the SYN offers {word(offered)}: the SYN,ACK has both's",
                       "MUST", "RFC 7323 2.2", covers, settings=settings(have), needs=needs)
            v.passive(offer=layout(offered, ts="TS val 1000 ecr 0", scale="wscale 7"), answer=layout(both), ack_win=65535 >> 7 if "window-scale" in both else 65535,
                      ack_options="nop,nop,TS val 1010 ecr 100" if "timestamps" in both else "")
            yield after(v, both, "passive")
            v = Vector(f"options/active/have-{word(have)}/answered-{word(offered)}", f"The stack offers {word(have)}, the SYN,ACK answers {word(offered)}",
                       "MUST", "RFC 7323 2.2", covers, settings=settings(have), needs=" ".join(have))
            v.active(offer=layout(have, ts="TS val 100 ecr 0"), answer=layout(offered, ts="TS val 1000 ecr 100" if "timestamps" in have else "TS val 1000 ecr 0",
                                                                             scale="wscale 7"),
                     ack_options="nop,nop,TS val 110 ecr 1000" if "timestamps" in both else "")
            yield after(v, both, "active")


def order():
    """The order of options, and what stands between them, means nothing."""
    parts = ["mss 1000", "sackOK", "TS val 1000 ecr 0", "wscale 7"]
    for permutation in itertools.permutations(parts):
        name = "-".join(part.split()[0].lower() for part in permutation)
        v = Vector(f"options/order/{name}", "Options of a SYN in another order, without padding between them", "MUST", "RFC 9293 3.2", "MUST-64 MUST-4 MUST-5 MUST-68",
                   family="options/order", needs="window-scale sack timestamps")
        v.passive(offer=",".join(permutation) + ",nop", answer="mss 1460,sackOK,TS val 100 ecr 1000,nop,wscale 1", ack_win=511,
                  ack_options="nop,nop,TS val 1010 ecr 100")
        v.call("write(4, ..., 1000) = 1000").expect(". 1:989(988) ack 1 <nop,nop,TS val 120 ecr 1010>")
        v.sends(". 1:1(0) ack 989 win 511 <nop,nop,TS val 1020 ecr 120>").expect("P. 989:1001(12) ack 1 <nop,nop,TS val 130 ecr 1020>")
        yield v


def strange():
    cases = {
        "unknown": ("An option that nobody knows is passed over", "mss 1000,kind 77 0102", "MUST-6 MUST-68"),
        "unknown-first": ("An unknown option in front hides nothing", "kind 200 ,nop,nop,mss 1000", "MUST-6 MUST-64"),
        "unknown-long": ("An unknown option of 34 octets hides nothing", "kind 222 " + "00" * 30 + ",mss 1000", "MUST-6 MUST-64"),
        "experiment": ("Experiments (RFC 6994) are passed over", "mss 1000,kind 253 f989,kind 254 f989aabb,nop,nop", "MUST-6"),
        "eol": ("What stands after End of Option List is not looked at", "mss 1000,eol,nop,nop,nop", "MUST-4"),
        "nops": ("NOPs are nothing", "nop,nop,nop,nop,nop,nop,mss 1000,nop,nop", "MUST-4 MUST-64"),
    }
    for name, (title, offer, covers) in cases.items():
        v = Vector(f"options/strange/{name}", title, "MUST", "RFC 9293 3.2", covers)
        v.passive(offer=offer, answer="mss 1460")
        v.call("write(4, ..., 1500) = 1500").expect(". 1:1001(1000) ack 1")
        v.sends(". 1:1(0) ack 1001 win 65535").expect("P. 1001:1501(500) ack 1")
        yield v
    for name, option in {"unknown": "kind 77 0102", "mss": "mss 100", "sack-permitted": "nop,nop,sackOK", "window-scale": "nop,wscale 9"}.items():
        v = Vector(f"options/later/{name}", f"An option ({option}) on a segment without SYN changes nothing", "MUST", "RFC 9293 3.2", "MUST-5 MUST-6 RFC7323-2.2-7")
        v.passive()
        v.sends(f"P. 1:101(100) ack 1 win 65535 <{option}>").expect(". 1:1(0) ack 101", "0~.5")
        v.call("write(4, ..., 1460) = 1460").expect("P. 1:1461(1460) ack 101").sends(". 101:101(0) ack 1461 win 65535").call("unread(4) = 100")
        yield v


def mss():
    for size in (88, 100, 536, 1000, 1219, 1220, 1459, 1460, 1461, 4000, 8960, 65535):
        v = Vector(f"options/mss/of-{size}", f"The peer's MSS is {size}: no segment is larger, nor larger than the path", "MUST", "RFC 9293 3.7.1",
                   "MUST-14 MUST-16 SHLD-5 SHLD-28 RFC8201-5.4-3 RFC6691-2-1", family="options/mss")
        v.passive(offer=f"mss {size}")
        segment = min(size, 1460)
        v.call(f"write(4, ..., {segment + 1}) = {segment + 1}").expect(f". 1:{1 + segment}({segment}) ack 1")
        v.sends(f". 1:1(0) ack {1 + segment} win 65535").expect(f"P. {1 + segment}:{2 + segment}(1) ack 1")
        yield v
    v = Vector("options/mss/none", "Without an MSS option 536 is taken (IPv4)", "MUST", "RFC 9293 3.7.1", "MUST-15")
    v.say("--ip_version=ipv4\n")
    v.passive(offer="nop,nop,nop,nop").call("write(4, ..., 600) = 600").expect(". 1:537(536) ack 1")
    yield v.sends(". 1:1(0) ack 537 win 65535").expect("P. 537:601(64) ack 1")
    v = Vector("options/mss/none-ipv6", "Without an MSS option 1,220 is taken over IPv6", "MUST", "RFC 9293 3.7.1", "MUST-15", needs="ipv6")
    v.say("--ip_version=ipv6\n")
    v.passive(offer="nop,nop,nop,nop", answer="mss 1440").call("write(4, ..., 1300) = 1300").expect(". 1:1221(1220) ack 1")
    yield v.sends(". 1:1(0) ack 1221 win 65535").expect("P. 1221:1301(80) ack 1")
    v = Vector("options/mss/syn-ack", "The MSS of a SYN,ACK counts as that of a SYN", "MUST", "RFC 9293 3.7.1", "MUST-14 MUST-16", settings="timestamps=0 sack=0 window-scale=0")
    v.active(offer="mss 1460", answer="mss 700").call("write(3, ..., 800) = 800").expect(". 1:701(700) ack 1")
    v.sends(". 1:1(0) ack 701 win 65535").expect("P. 701:801(100) ack 1")
    yield v
    for mtu in (576, 1280, 1400, 1500, 9000):
        v = Vector(f"options/mss/mtu-{mtu}", f"The MSS announced is the MTU ({mtu}) less 40, whatever options will be sent", "SHOULD", "RFC 6691 2",
                   "MUST-67 RFC6691-2-1 RFC6691-2-2 SHLD-5", family="options/mss-of-mtu", settings=f"mtu={mtu}")
        v.passive(offer="mss 536,nop,nop,TS val 1000 ecr 0", answer=f"mss {mtu - 40},nop,nop,TS val 100 ecr 1000", ack_options="nop,nop,TS val 1010 ecr 100")
        v.head.append(("needs", "timestamps"))
        v.note("what is sent leaves room for the options")
        v.call("write(4, ..., 600) = 600").expect(". 1:525(524) ack 1 <nop,nop,TS val 120 ecr 1010>")
        v.sends(". 1:1(0) ack 525 win 65535 <nop,nop,TS val 1020 ecr 120>").expect("P. 525:601(76) ack 1 <nop,nop,TS val 130 ecr 1020>")
        yield v


TS = " <nop,nop,TS val {} ecr {}>"


def stamped(name, title, level, section, covers, **head):
    v = Vector(name, title, level, section, covers, needs=head.pop("needs", "timestamps paws"), **head)
    return v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options="nop,nop,TS val 1010 ecr 100")


def paws():
    """TS.Recent is 1010 after the handshake."""
    for value, fresh in ((1009, False), (1010, True), (1011, True), (1000, False), (0, False), (2**31 + 1009, True), (2**31 + 1011, False), (2**32 - 1, False)):
        for kind, segment in (("text", "P. 1:101(100) ack 1 win 65535"), ("out-of-order", ". 1461:1561(100) ack 1 win 65535"), ("fin", "F. 1:1(0) ack 1 win 65535")):
            v = stamped(f"paws/{kind}/ts-{value}", f"TS.Recent is 1010, the segment's TSval {value}: {'taken' if fresh else 'refused and answered'}", "MUST", "RFC 7323 5.3",
                        "RFC7323-5.3-1 RFC7323-5.3-2 RFC7323-5.3-3 RFC7323-5.3-4 RFC7323-4.3-4 RFC7323-4.3-2", family=f"paws/{kind}/{'taken' if fresh else 'refused'}", rows="" if fresh else "P1@ESTABLISHED")
            v.sends(segment + TS.format(value, 100))
            if not fresh:
                v.expect(". 1:1(0) ack 1" + TS.format(120, 1010)).state("ESTABLISHED").call("unread(4) = 0")
            elif kind == "text":
                v.expect(". 1:1(0) ack 101" + TS.format(120, value), "0~.5").call("unread(4) = 100")
            elif kind == "out-of-order":
                v.note("it lies beyond Last.ACK.sent: the echo stays")
                v.expect(". 1:1(0) ack 1" + TS.format(120, 1010)).call("unread(4) = 0")
            else:
                v.expect(". 1:1(0) ack 2" + TS.format(120, value)).state("CLOSE-WAIT")
            yield v

    v = stamped("paws/rst-is-not-judged", "A RST is never refused for its timestamp", "MUST", "RFC 7323 5.2", "RFC7323-5.2-5")
    v.sends("R 1:1(0)" + TS.format(1, 0)).state("CLOSED")
    yield v
    v = stamped("paws/rst-changes-nothing", "The timestamp of a RST that is refused changes nothing", "MUST", "RFC 7323 5.2", "RFC7323-5.2-6")
    v.sends("R 2:2(0)" + TS.format(5000, 0)).expect(". 1:1(0) ack 1" + TS.format(120, 1010))
    v.sends("P. 1:101(100) ack 1 win 65535" + TS.format(1020, 120)).expect(". 1:1(0) ack 101" + TS.format(130, 1020), "0~.5")
    yield v
    v = stamped("paws/before-sequence", "PAWS comes before the sequence number: an old timestamp far outside the window is answered too", "MUST", "RFC 7323 5.3", "RFC7323-5.3-2 RFC7323-5.3-3",
                rows="P1@ESTABLISHED")
    v.sends(". 900001:900101(100) ack 1 win 65535" + TS.format(900, 100)).expect(". 1:1(0) ack 1" + TS.format(120, 1010))
    yield v
    v = stamped("paws/ack-of-old-segment", "An old segment acknowledges nothing", "MUST", "RFC 7323 5.3", "RFC7323-5.3-3")
    v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1" + TS.format(110, 1010))
    v.sends("P. 1:11(10) ack 1001 win 65535" + TS.format(1009, 110)).expect(". 1001:1001(0) ack 1" + TS.format(120, 1010)).call("unacked(4) = 1000")
    v.sends(". 1:1(0) ack 1001 win 65535" + TS.format(1020, 110)).call("unacked(4) = 0")
    yield v
    v = stamped("paws/24-days", "After 24 days of silence TS.Recent is too old to compare with", "MUST", "RFC 7323 5.5", "RFC7323-5.5-1", needs="timestamps paws virtual-time")
    v.sends("P. 1:11(10) ack 1 win 65535" + TS.format(5, 100), "2073700").expect(". 1:1(0) ack 11" + TS.format(120, 5), "0~.5").call("unread(4) = 10")
    yield v
    v = stamped("paws/23-days", "After 23 days it is not", "MUST", "RFC 7323 5.5", "RFC7323-5.5-1 RFC7323-5.3-3", needs="timestamps paws virtual-time")
    v.sends("P. 1:11(10) ack 1 win 65535" + TS.format(5, 100), "1987200").expect(". 1:1(0) ack 1" + TS.format(120, 1010)).call("unread(4) = 0")
    yield v
    v = stamped("paws/missing/accepted", "A segment that lacks the timestamp after negotiation is taken: paths strip options", "practice", "RFC 7323 3.2", "RFC7323-3.2-10",
                settings="require-timestamps=0", needs="timestamps")
    v.sends("P. 1:11(10) ack 1 win 65535").expect(". 1:1(0) ack 11" + TS.format(120, 1010), "0~.5").state("ESTABLISHED").call("unread(4) = 10")
    yield v
    v = stamped("paws/missing/dropped", "A segment that lacks the timestamp after negotiation is dropped, in silence, and ends nothing", "SHOULD", "RFC 7323 3.2",
                "RFC7323-3.2-9 RFC7323-3.2-10", settings="require-timestamps=1", needs="timestamps", rows="P2")
    v.sends("P. 1:11(10) ack 1 win 65535").state("ESTABLISHED", ".6").call("unread(4) = 0")
    yield v


def echoes():
    section, covers = "RFC 7323 4.3", "RFC7323-4.3-1 RFC7323-4.3-2 RFC7323-4.3-3 RFC7323-4.3-4 RFC7323-3.2-2"
    v = stamped("paws/echo/delayed-ack", "Of two segments under one ACK the earlier one's timestamp is echoed", "SHOULD", section, covers, needs="timestamps", settings="quick-acks=0")
    v.sends(". 1:1449(1448) ack 1 win 65535" + TS.format(1020, 100), ".001").sends(". 1449:2897(1448) ack 1 win 65535" + TS.format(1030, 100), ".001")
    v.expect(". 1:1(0) ack 2897" + TS.format(120, 1020))
    yield v
    v = stamped("paws/echo/hole", "Text beyond a hole is answered with the old echo, the filled hole with that of the filling", "MUST", section, covers, needs="timestamps")
    v.sends(". 1449:2897(1448) ack 1 win 65535" + TS.format(1030, 100)).expect(". 1:1(0) ack 1" + TS.format(120, 1010))
    v.sends(". 2897:4345(1448) ack 1 win 65535" + TS.format(1040, 100)).expect(". 1:1(0) ack 1" + TS.format(130, 1010))
    v.sends(". 1:1449(1448) ack 1 win 65535" + TS.format(1050, 100)).expect(". 1:1(0) ack 4345" + TS.format(140, 1050))
    yield v
    v = stamped("paws/echo/rst-answer", "A RST for a segment with a timestamp carries its echo and a value of 0", "SHOULD", "RFC 7323 5.2", "RFC7323-5.2-2 RFC7323-5.2-3",
                needs="timestamps")
    v.call("abort(4) = 0").expect("R 1:1(0)" + TS.format(110, 0))
    yield v
    v = Vector("paws/not-negotiated", "A timestamp on a connection without them is ignored, and none is sent", "MUST", "RFC 7323 3.2", "RFC7323-3.2-11")
    v.passive().sends("P. 1:11(10) ack 1 win 65535" + TS.format(1, 5)).expect(". 1:1(0) ack 11", "0~.5")
    v.sends("P. 11:21(10) ack 1 win 65535" + TS.format(0, 5)).expect(". 1:1(0) ack 21", "0~.5").call("unread(4) = 20")
    yield v
    v = Vector("paws/echo/syn-has-none", "Our SYN echoes nothing", "SHOULD", "RFC 7323 3.2", "RFC7323-3.2-1 RFC7323-3.2-4", needs="timestamps", settings="sack=0 window-scale=0")
    v.active(offer="mss 1460,nop,nop,TS val 100 ecr 0", answer="mss 1460,nop,nop,TS val 1000 ecr 100", ack_options="nop,nop,TS val 110 ecr 1000")
    yield v.state("ESTABLISHED")


def vectors():
    for part in (negotiation(), order(), strange(), mss(), paws(), echoes()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
