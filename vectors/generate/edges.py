#!/usr/bin/env python3
"""edges.py - sequence numbers around 2^31 and 2^32, blind segments (RFC 5961), ICMP and path MTU, urgent text, TIME-WAIT reuse (RFC 6191)."""
import sys

from pkt import Vector, write

WORD = 2**32
ISNS = (0, 1, 2**31 - 1001, 2**31 - 1000, 2**31 - 2, 2**31 - 1, 2**31, 2**31 + 1, WORD - 65536, WORD - 1461, WORD - 1460, WORD - 1001, WORD - 1000, WORD - 2, WORD - 1)


def receive_wraps():
    """The peer's numbers pass 2^31 and 2^32: everything is the same. The script's own numbers are relative to its SYN."""
    for isn in ISNS:
        v = Vector(f"wrap/receive/isn-{isn}", f"The peer's initial sequence number is {isn}: text in order, early, twice; FIN", "MUST", "RFC 9293 3.4",
                   "RFC9293-3.4-1 RFC9293-3.4-3 RFC9293-3.4-4 REC-1", family="wrap/receive")
        v.listens().sends(f"S {isn}!:{isn}!(0) win 65535 <mss 1460>", "0").expect("S. 0:0(0) ack 1 <mss 1460>")
        v.sends(". 1:1(0) ack 1 win 65535").call("accept(3, ..., ...) = 4")
        v.sends(". 1:1001(1000) ack 1 win 65535").expect(". 1:1(0) ack 1001", "0~.5")
        v.sends(". 2001:3001(1000) ack 1 win 65535").expect(". 1:1(0) ack 1001")
        v.sends(". 1:1001(1000) ack 1 win 65535").expect(". 1:1(0) ack 1001")
        v.sends(". 1001:2001(1000) ack 1 win 65535").expect(". 1:1(0) ack 3001")
        v.note("one octet before the window, and RST beyond it: refused")
        v.sends("P. 3000:3001(1) ack 1 win 65535").expect(". 1:1(0) ack 3001")
        v.sends("R 70000:70000(0)").state("ESTABLISHED")
        v.sends("F. 3001:3001(0) ack 1 win 65535").expect(". 1:1(0) ack 3002").state("CLOSE-WAIT").call("unread(4) = 3000")
        yield v


def send_wraps():
    for isn in ISNS:
        v = Vector(f"wrap/send/iss-{isn}", f"Our initial sequence number is {isn}: acknowledgments old, new, of the future; FIN", "MUST", "RFC 9293 3.4",
                   "RFC9293-3.4-1 RFC9293-3.4-2 RFC9293-3.10.7.4-21", family="wrap/send", settings=f"iss={isn}", needs="iss rfc5961")
        v.passive()
        v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 501 win 65535").call("unacked(4) = 500")
        v.note("older than what is acknowledged, within the largest window: nothing")
        v.sends(". 1:1(0) ack 401 win 65535").call("unacked(4) = 500")
        v.note("one beyond what was sent: answered, and it counts for nothing")
        v.sends(". 1:1(0) ack 1002 win 65535").expect(". 1001:1001(0) ack 1").call("unacked(4) = 500")
        v.sends(". 1:1(0) ack 1001 win 65535").call("unacked(4) = 0")
        v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1001:1001(0) ack 1").sends(". 1:1(0) ack 1002 win 65535").state("FIN-WAIT-2")
        yield v


WINDOW = 65535  # of the stack after a SYN without window scale


def blind():
    """RFC 5961: RST, SYN and text at every edge of the window of an established connection."""
    edges = {"minus-2-31": -2**31 + 1, "minus-65536": -65536, "minus-1": -1, "at-0": 0, "plus-1": 1, "middle": 30000, "last": WINDOW - 1, "end": WINDOW, "end-plus-1": WINDOW + 1,
             "plus-2-30": 2**30, "plus-2-31": 2**31 - 1}
    size = "receive-buffer=65536"
    for word, offset in edges.items():
        seq = (1 + offset) % WORD
        inside = 0 <= offset < WINDOW
        for flags, kind in (("R", "rst"), ("R.", "rst-ack")):
            v = Vector(f"blind/{kind}/{word}", f"RST at RCV.NXT {offset:+}", "MUST", "RFC 5961 3.2",
                       "RFC5961-3.2-1 RFC5961-3.2-2 RFC5961-3.2-3 RFC5961-3.2-4 RFC5961-3.2-5 RFC5961-3.2-6 RFC9293-3.10.7.4-5 RFC9293-3.10.7.4-7 RFC9293-3.10.7.4-8",
                       family=f"blind/{kind}/{'next' if offset == 0 else 'inside' if inside else 'outside'}", needs="rfc5961", settings=size,
                       rows="R4@ESTABLISHED" if offset == 0 else "R1@ESTABLISHED" if inside else "Q3@ESTABLISHED")
            v.passive()
            v.sends(f"{flags} {seq}:{seq}(0)" + (" ack 1 win 0" if "." in flags else ""))
            if offset == 0:
                v.state("CLOSED").call("read(4, ..., 100) = -1 ECONNRESET (Connection reset by peer)")
            else:
                if inside:
                    v.expect(". 1:1(0) ack 1")
                v.state("ESTABLISHED").call("write(4, ..., 10) = 10").expect("P. 1:11(10) ack 1").sends(". 1:1(0) ack 11 win 65535")
            yield v
        v = Vector(f"blind/syn/{word}", f"SYN at RCV.NXT {offset:+}: challenged, wherever it is", "MUST", "RFC 5961 4.2", "RFC5961-4.2-1 RFC5961-4.2-2 RFC5961-4.2-3 RFC9293-3.10.7.4-14 RFC9293-3.10.7.4-15",
                   family="blind/syn", needs="rfc5961", settings=size)
        v.passive().sends(f"S {seq}:{seq}(0) win 65535")
        v.expect(". 1:1(0) ack 1").state("ESTABLISHED")
        yield v
    v = Vector("blind/syn/then-rst", "A peer that has really restarted answers the challenge with RST, which ends the old connection", "MUST", "RFC 5961 4.2",
               "RFC5961-4.2-4 RFC9293-3.5.3-1", needs="rfc5961")
    v.passive().sends("S 100000:100000(0) win 65535").expect(". 1:1(0) ack 1").sends("R 1:1(0)").state("CLOSED")
    yield v
    acks = {"future-1": 1002, "future-far": 2**31 - 5, "old-1": 1000, "old-first": 1, "never-sent": 0, "older-than-window": 1001 - 65535 - 1, "old-far": 1001 - 2**30}
    for word, number in acks.items():
        taken = word in ("old-1", "old-first")
        v = Vector(f"blind/text/{word}", f"Text whose acknowledgment lies {word.replace('-', ' ')}", "MAY" if "old" in word else "MUST", "RFC 5961 5.2",
                   "RFC5961-5.2-1 RFC5961-5.2-2 RFC5961-5.2-3 RFC5961-5.2-4 RFC5961-5.2-5 MAY-12 RFC9293-3.10.7.4-18 RFC9293-3.10.7.4-19",
                   family=f"blind/text/{'taken' if taken else word.split('-')[0]}", needs="rfc5961", rows="" if taken else "A6@ESTABLISHED" if "future" in word else "A5@ESTABLISHED")
        v.passive()
        v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 65535")
        v.sends(f"P. 1:101(100) ack {number % WORD} win 65535")
        if taken:
            v.expect(". 1001:1001(0) ack 101", "0~.5").call("unread(4) = 100")
        else:
            v.expect(". 1001:1001(0) ack 1").call("unread(4) = 0")
        yield v
    v = Vector("blind/throttle/challenges", "Challenges are limited: ten in five seconds, then silence, then ten more", "SHOULD", "RFC 5961 7", "RFC5961-7-1 RFC5961-7-2 RFC5961-7-3",
               needs="rfc5961 virtual-time", settings="challenge-count=10 challenge-interval=5s")
    v.passive()
    for _ in range(10):
        v.sends("R 2:2(0)").expect(". 1:1(0) ack 1")
    v.sends("R 2:2(0)").sends("S 7:7(0) win 0").state("ESTABLISHED")
    v.sends("R 2:2(0)", "5").expect(". 1:1(0) ack 1")
    yield v
    v = Vector("blind/throttle/tuned", "Count and interval of the limit can be set", "SHOULD", "RFC 5961 7", "RFC5961-7-2 RFC5961-7-3", needs="rfc5961 virtual-time",
               settings="challenge-count=2 challenge-interval=1s")
    v.passive()
    for _ in range(2):
        v.sends("R 2:2(0)").expect(". 1:1(0) ack 1")
    v.sends("R 2:2(0)").state("ESTABLISHED")
    v.sends("R 2:2(0)", "1").expect(". 1:1(0) ack 1")
    yield v


SOFT = ("unreachable net_unreachable", "unreachable host_unreachable", "unreachable source_route_failed", "time_exceeded", "parameter_problem")
HARD = ("unreachable protocol_unreachable", "unreachable port_unreachable")


def icmp():
    for word in SOFT + HARD:
        name = word.replace(" ", "-").replace("_", "-")
        v = Vector(f"icmp/established/{name}", f"ICMP {word.replace('_', ' ')} does not end an established connection", "MUST" if word in SOFT else "practice",
                   "RFC 9293 3.9.2.2" if word in SOFT else "RFC 5927 5.2", "MUST-54 MUST-56 SHLD-25" if word in SOFT else "RFC5927-5.2-1", needs="icmp")
        v.passive().call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1")
        v.sends(f"icmp {word} [1:1001(1000)]").state("ESTABLISHED").sends(". 1:1(0) ack 1001 win 65535").call("unacked(4) = 0")
        yield v
        v = Vector(f"icmp/syn-sent/{name}", f"ICMP {word.replace('_', ' ')} while opening", "MUST" if word in SOFT else "SHOULD", "RFC 9293 3.9.2.2",
                   "MUST-54 MUST-56" if word in SOFT else "SHLD-26 MUST-54", needs="icmp", settings="timestamps=0 sack=0 window-scale=0",
                   rows="IH1@SYN-SENT" if word in HARD else "")
        v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
        v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>")
        v.sends(f"icmp {word} [0:0(0)]")
        v.fd = 3
        if word in SOFT:
            v.state("SYN-SENT").sends("S. 0:0(0) ack 1 win 65535 <mss 1460>").expect(". 1:1(0) ack 1").state("ESTABLISHED")
        else:
            v.state("CLOSED")
        yield v
    for word, quoted in {"before": "1:1461(1460)", "beyond": "5001:6461(1460)"}.items():
        v = Vector(f"icmp/quoted/{word}", f"A too-big message that quotes octets {word} those in flight is disregarded", "practice", "RFC 5927 4.1", "RFC5927-4.1-1 RFC8201-4-1",
                   family="icmp/quoted", needs="icmp pmtud")
        v.passive().call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 65535")
        v.call("write(4, ..., 1460) = 1460").expect("P. 1001:2461(1460) ack 1")
        v.sends(f"icmp unreachable frag_needed mtu 1000 [{quoted}]")
        v.sends(". 1:1(0) ack 2461 win 65535").call("write(4, ..., 1460) = 1460").expect("P. 2461:3921(1460) ack 1")
        yield v.sends(". 1:1(0) ack 3921 win 65535")
    v = Vector("icmp/source-quench", "Source Quench is dropped without any reaction", "MUST", "RFC 9293 3.9.2.2", "MUST-55 RFC5927-6.2-1", needs="icmp")
    v.passive().call("write(4, ..., 4380) = 4380").expect(". 1:1461(1460) ack 1").expect(". 1461:2921(1460) ack 1").expect("P. 2921:4381(1460) ack 1")
    v.sends("icmp source_quench [1:1461(1460)]")
    v.sends(". 1:1(0) ack 1461 win 65535").sends(". 1:1(0) ack 2921 win 65535").sends(". 1:1(0) ack 4381 win 65535")
    v.call("write(4, ..., 14600) = 14600")
    v.note("the window has grown as if nothing had been said")
    for n in range(3, 9):
        v.expect(f". {1 + 1460 * n}:{1461 + 1460 * n}(1460) ack 1")
    yield v


def pmtu():
    def pieces(v, size):
        """1,460 octets go again in pieces of this size, as many as the window of three takes; the rest when those are acknowledged."""
        edges = list(range(1, 1461, size)) + [1461]
        for at, end in zip(edges, edges[1:]):
            v.expect(f"{'P.' if end == 1461 else '.'} {at}:{end}({end - at}) ack 1")
        return v.sends(". 1:1(0) ack 1461 win 65535").call("unacked(4) = 0")

    for mtu, size in ((1400, 1360), (1006, 966), (576, 536)):
        v = Vector(f"icmp/too-big/mtu-{mtu}", f"A router's next hop takes {mtu} octets: what was too big goes again in smaller pieces", "MUST", "RFC 1191 3",
                   "RFC1191-3-1 RFC1191-3-2 RFC1191-3-4 RFC5927-7.2-2", family="icmp/too-big/smaller", needs="icmp pmtud")
        v.passive().call("write(4, ..., 1460) = 1460").expect("P. 1:1461(1460) ack 1").sends(f"icmp unreachable frag_needed mtu {mtu} [1:1461(1460)]")
        yield pieces(v, size)
    for mtu, words in ((0, "An old router does not say what would fit"), (68, "A router claims that 68 octets are the most")):
        v = Vector(f"icmp/too-big/smallest-{mtu}", f"{words}: 552 are tried, and nothing smaller", "practice", "RFC 1191 3", "RFC1191-3-8 RFC1191-3-3 RFC1191-3-9",
                   needs="icmp pmtud")
        v.passive().call("write(4, ..., 1460) = 1460").expect("P. 1:1461(1460) ack 1").sends(f"icmp unreachable frag_needed mtu {mtu} [1:1461(1460)]")
        yield pieces(v, 512)
    for mtu in (1500, 1501, 9000, 65535):
        v = Vector(f"icmp/too-big/not-smaller-{mtu}", f"A too-big message of {mtu} where 1,500 went: nothing is believed of it", "MUST", "RFC 1191 3", "RFC1191-3-10 RFC5927-7.2-1 RFC1191-6.4-3",
                   family="icmp/too-big/not-smaller", needs="icmp pmtud")
        v.passive().call("write(4, ..., 1460) = 1460").expect("P. 1:1461(1460) ack 1").sends(f"icmp unreachable frag_needed mtu {mtu} [1:1461(1460)]")
        v.sends(". 1:1(0) ack 1461 win 65535").call("write(4, ..., 1460) = 1460").expect("P. 1461:2921(1460) ack 1")
        yield v.sends(". 1:1(0) ack 2921 win 65535")
    v = Vector("icmp/too-big/smaller-than-what-arrived", "A too-big message that claims less than what has just arrived is not believed before a timeout", "practice", "RFC 5927 7.2",
               "RFC5927-7.2-3", needs="icmp pmtud rfc5927")
    v.passive().call("write(4, ..., 1460) = 1460").expect("P. 1:1461(1460) ack 1").sends(". 1:1(0) ack 1461 win 65535")
    v.call("write(4, ..., 1460) = 1460").expect("P. 1461:2921(1460) ack 1").sends("icmp unreachable frag_needed mtu 600 [1461:2921(1460)]")
    yield v.sends(". 1:1(0) ack 2921 win 65535").call("write(4, ..., 1460) = 1460").expect("P. 2921:4381(1460) ack 1").sends(". 1:1(0) ack 4381 win 65535")


def urgent():
    section = "RFC 9293 3.8.5"
    for length, pointer in ((1, 1), (100, 100), (100, 1), (100, 150), (1, 65535)):
        v = Vector(f"urgent/receive/{length}-octets-pointer-{pointer}", f"{length} octets come with an urgent pointer of {pointer}: they stay in line", "MUST", section,
                   "MUST-30 MUST-31 MUST-62 RFC9293-3.10.7.4-28 RFC6093-4-1 RFC6093-6-1", family="urgent/receive", needs="urgent", rows="U1@ESTABLISHED")
        v.passive()
        v.call("setsockopt(4, SOL_SOCKET, SO_OOBINLINE, [1], 4) = 0")
        v.sends(f"PU. 1:{1 + length}({length}) ack 1 win 65535 urg {pointer}").expect(f". 1:1(0) ack {1 + length}", "0~.5")
        v.call(f"unread(4) = {length}").state("ESTABLISHED")
        yield v
    v = Vector("urgent/receive/pointer-without-urg", "An urgent pointer without URG means nothing", "MUST", "RFC 9293 3.1", "RFC9293-3.1-4")
    v.passive().sends("P. 1:11(10) ack 1 win 65535 urg 5").expect(". 1:1(0) ack 11", "0~.5").call("unread(4) = 10")
    yield v
    v = Vector("urgent/send", "Urgent text carries URG and a pointer to the octet after it, until it has all gone", "MUST", section, "MUST-30 MUST-62 RFC9293-3.10.2-5 RFC6093-4-1", needs="urgent")
    v.passive().call("send(4, ..., 100, MSG_OOB) = 100").expect("PU. 1:101(100) ack 1 urg 100")
    v.call("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0").call("write(4, ..., 10) = 10").expect("P. 101:111(10) ack 1")
    yield v.sends(". 1:1(0) ack 111 win 65535")


def reuse():
    """RFC 6191: a SYN meets TIME-WAIT. The old connection ends at octet 1 with FIN at 1; TS.Recent is 1030 where there is one."""
    last = 1
    cases = [("old-ts", True, t, s) for t, s in ((1031, -500), (1031, 500), (1030, 500), (1030, -500), (1029, 500), (1029, -500), (None, 500), (None, -500))]
    cases += [("old-none", False, t, s) for t, s in ((5, -500), (5, 500), (None, 500), (None, -500), (None, 0))]
    for word, old, value, step in cases:
        seq = (last + step) % WORD
        later = step > 0
        accepted = ((value is not None and (value > 1030 or (value == 1030 and later))) or (value is None and later)) if old else (value is not None or later)
        stamp = "none" if value is None else str(value)
        v = Vector(f"time-wait/reuse/{word}-new-{stamp}-isn-{'later' if step > 0 else 'earlier' if step < 0 else 'same'}",
                   f"In TIME-WAIT {'with' if old else 'without'} timestamps a SYN with TSval {stamp} and an ISN {step:+}: {'a new connection' if accepted else 'silence'}", "SHOULD", "RFC 6191 2",
                   "RFC6191-2-1 RFC6191-2-2 RFC6191-2-3 RFC6191-2-4 RFC6191-2-5 RFC6191-2-6 RFC6191-2-7 RFC6191-2-8 RFC6191-2-9 SHLD-4 MAY-2 RFC9293-3.10.7.4-4 RFC9293-3.10.7.4-16",
                   needs="time-wait" + (" timestamps" if old or value is not None else ""))
        ts = (lambda val, ecr: f" <nop,nop,TS val {val} ecr {ecr}>") if old else (lambda val, ecr: "")
        if old:
            v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options="nop,nop,TS val 1010 ecr 100")
        else:
            v.passive()
        v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1" + ts(110, 1010)).sends(". 1:1(0) ack 2 win 65535" + ts(1020, 110))
        v.sends("F. 1:1(0) ack 2 win 65535" + ts(1030, 110)).expect(". 2:2(0) ack 2" + ts(130, 1030)).state("TIME-WAIT")
        offer = "mss 1460" + (f",nop,nop,TS val {value} ecr 0" if value is not None else "")
        v.sends(f"S {seq}:{seq}(0) win 65535 <{offer}>")
        if accepted:
            v.note("the numbers that follow are the new connection's")
            v.expect(f"S. 0:0(0) ack {(seq + 1) % WORD} <mss 1460{f',nop,nop,TS val 140 ecr {value}' if value is not None else ''}>")
        yield v


def vectors():
    for part in (receive_wraps(), send_wraps(), blind(), icmp(), pmtu(), urgent(), reuse()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
