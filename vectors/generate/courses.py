#!/usr/bin/env python3
"""courses.py - connections off the common path: half-closed ones, both ends opening or closing at once, urgent text, calls after an error."""
import sys

from flow import Flow, octet
from options import layout, subsets, word
from pkt import MSS, Vector, write

BARE = "timestamps=0 sack=0 window-scale=0"
SACK = "mss 1460,nop,nop,sackOK"


# ---- the stack has closed, the peer goes on -------------------------------------------------------------------------------------------------


def ours(name, title, covers, level="MUST", section="RFC 9293 3.6", needs="", sack=False, settings=""):
    """FIN-WAIT-2: our FIN is acknowledged. What comes next bears 2 for our number."""
    v = Vector(f"half-close/ours/{name}", title, level, section, covers, needs=" ".join(filter(None, ["half-close", needs, "sack" * sack])), settings=settings)
    v.passive(**({"offer": SACK, "answer": SACK} if sack else {})).call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1")
    return v.sends(". 1:1(0) ack 2 win 65535")


def we_close():
    v = ours("text", "After our FIN the peer's text is taken as before", "RFC9293-3.10.7.4-29 RFC9293-3.10.3-2 RFC9293-3.10.7.4-23")
    v.sends("P. 1:1001(1000) ack 2 win 65535").expect(". 2:2(0) ack 1001", "0~.5").call("read(4, ..., 2000) = 1000")
    yield v.sends("P. 1001:1101(100) ack 2 win 65535").expect(". 2:2(0) ack 1101", "0~.5").call("read(4, ..., 2000) = 100").state("FIN-WAIT-2")
    v = ours("every-second-segment", "After our FIN every second full-sized segment is acknowledged at once", "SHLD-18 SHLD-19", "SHOULD", "RFC 9293 3.8.6.3", settings="quick-acks=0")
    for n in (0, 2):
        v.sends(f". {octet(n)}:{octet(n + 1)}({MSS}) ack 2 win 65535", ".001").sends(f". {octet(n + 1)}:{octet(n + 2)}({MSS}) ack 2 win 65535", ".001")
        v.expect(f". 2:2(0) ack {octet(n + 2)}")
    yield v.state("FIN-WAIT-2")
    v = ours("out-of-order", "After our FIN text out of order is kept, and answered at once", "SHLD-31 MAY-13 RFC9293-3.10.7.4-29", "SHOULD", "RFC 9293 3.10.7.4 seventh")
    v.sends(". 101:201(100) ack 2 win 65535").expect(". 2:2(0) ack 1").sends(". 1:101(100) ack 2 win 65535").expect(". 2:2(0) ack 201")
    yield v.call("unread(4) = 200").state("FIN-WAIT-2")
    v = ours("sack", "After our FIN a hole in the peer's text is reported by SACK", "RFC2018-4-2 RFC2018-4-4 RFC2018-4-7", section="RFC 2018 4", sack=True)
    v.sends(". 101:201(100) ack 2 win 65535").expect(". 2:2(0) ack 1 <nop,nop,sack 101:201>")
    yield v.sends(". 1:101(100) ack 2 win 65535").expect(". 2:2(0) ack 201").call("unread(4) = 200")
    v = ours("duplicate", "After our FIN old text is answered by an ACK that bears our number after the FIN", "RFC9293-3.10.7.4-1 RFC9293-3.5.2-4 RFC9293-3.4-4",
             section="RFC 9293 3.10.7.4 first")
    v.sends("P. 1:101(100) ack 2 win 65535").expect(". 2:2(0) ack 101", "0~.5").sends("P. 1:101(100) ack 2 win 65535", ".6").expect(". 2:2(0) ack 101")
    yield v.call("unread(4) = 100").state("FIN-WAIT-2")
    v = ours("window", "After our FIN the window still closes as text waits, and opens as it is read", "MAY-8 MUST-39 SHLD-14", section="RFC 9293 3.8.6", settings="receive-buffer=2048")
    v.sends(f". 1:1461({MSS}) ack 2 win 65535").expect(". 2:2(0) ack 1461 win 588", "0~.5").sends(". 1461:2049(588) ack 2 win 65535").expect(". 2:2(0) ack 2049 win 0", "0~.5")
    yield v.call("read(4, ..., 2048) = 2048").expect(". 2:2(0) ack 2049 win 2048")
    v = ours("fin-with-text", "The peer's FIN comes with its last text: both are acknowledged together, and TIME-WAIT begins", "RFC9293-3.10.7.4-32 RFC9293-3.10.7.4-35", needs="time-wait",
             section="RFC 9293 3.10.7.4 eighth")
    yield v.sends("FP. 1:101(100) ack 2 win 65535").expect(". 2:2(0) ack 102").state("TIME-WAIT")
    v = ours("fin-out-of-order", "The peer's FIN overtakes its last text: nothing ends before the text is there", "RFC9293-3.10.7.4-32 RFC9293-3.10.7.4-35 RFC9293-3.10.7.4-3", needs="time-wait",
             section="RFC 9293 3.10.7.4 eighth")
    v.sends("F. 101:101(0) ack 2 win 65535").expect(". 2:2(0) ack 1").state("FIN-WAIT-2").sends("P. 1:101(100) ack 2 win 65535").expect(". 2:2(0) ack 102")
    yield v.state("TIME-WAIT")
    v = Vector("half-close/ours/before-our-fin-is-acknowledged", "The peer's text comes before its acknowledgment of our FIN: it is taken in FIN-WAIT-1", "MUST", "RFC 9293 3.10.7.4 seventh",
               "RFC9293-3.10.7.4-29 RFC9293-3.10.7.4-23 RFC9293-3.10.3-2", needs="half-close", rows="A7@FIN-WAIT-1")
    v.passive().call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1").sends("P. 1:101(100) ack 1 win 65535").expect(". 2:2(0) ack 101", "0~.5").state("FIN-WAIT-1")
    yield v.sends("P. 101:201(100) ack 2 win 65535").expect(". 2:2(0) ack 201", "0~.5").state("FIN-WAIT-2").call("read(4, ..., 1000) = 200")
    f = Flow("half-close/ours/queued-text-first", "CLOSE with more queued than may go: FIN waits, and goes with the last of it", "MUST", "RFC 9293 3.10.4", "RFC9293-3.10.4-3 RFC9293-3.4-4", 5,
             grown=0, needs="half-close")
    f.v.call("shutdown(4, SHUT_WR) = 0").state("FIN-WAIT-1")
    f.ack(1).new(1).v.expect(f"FP. {octet(4)}:{octet(5)}({MSS}) ack 1")
    f.ack(4).v.state("FIN-WAIT-1")
    yield f.v.sends(f". 1:1(0) ack {octet(5) + 1} win 65535").state("FIN-WAIT-2")
    f = Flow("half-close/ours/lost-text-behind-fin", "Text that was lost goes again after CLOSE, and the FIN after it need not", "SHOULD", "RFC 5681 3.2", "RFC5681-3.2-3 RFC9293-3.10.4-3", 5,
             grown=0, needs="half-close")
    f.v.call("shutdown(4, SHUT_WR) = 0")
    f.ack(1).new(1).v.expect(f"FP. {octet(4)}:{octet(5)}({MSS}) ack 1")
    f.ack(1).ack(1).ack(1).again(1)
    yield f.v.sends(f". 1:1(0) ack {octet(5) + 1} win 65535").state("FIN-WAIT-2")


# ---- the peer has closed, the stack goes on -------------------------------------------------------------------------------------------------


def theirs(v):
    """CLOSE-WAIT: what comes next bears 2 for the peer's number, and acknowledges it."""
    return v.sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2", "0~.5").state("CLOSE-WAIT")


def peer_closes():
    def begun(name, title, covers, level="MUST", section="RFC 9293 3.6", **head):
        win = head.pop("win", 65535)
        return theirs(Vector(f"half-close/theirs/{name}", title, level, section, covers, settings=head.pop("settings", "initial-window=0 congestion=reno"), **head).passive(win=win))

    segments = [f". {octet(n)}:{octet(n + 1)}({MSS}) ack 2" for n in range(9)]
    ack = lambda n: f". 2:2(0) ack {octet(n)} win 65535"
    v = begun("slow-start", "After the peer's FIN our text goes on in slow start", "RFC9293-3.10.2-4 RFC5681-3.1-8 RFC9293-3.10.7.4-21", section="RFC 5681 3.1")
    v.call(f"write(4, ..., {20 * MSS}) = {20 * MSS}").expect(segments[0]).expect(segments[1]).expect(segments[2])
    yield v.sends(ack(1)).expect(segments[3]).expect(segments[4]).sends(ack(2)).expect(segments[5]).expect(segments[6]).sends("R 2:2(0)")
    v = begun("timeout", "After the peer's FIN text that was lost goes again by the timer", "RFC9293-3.10.8-2 RFC6298-5-6 RFC6298-5-7", section="RFC 6298 5", needs="virtual-time")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 2").expect("P. 1:101(100) ack 2", "1").expect("P. 1:101(100) ack 2", "2")
    yield v.sends(". 2:2(0) ack 101 win 65535").call("unacked(4) = 0").state("CLOSE-WAIT")
    v = begun("fast-retransmit", "After the peer's FIN three duplicates bring back what was lost", "RFC5681-3.2-3", "SHOULD", "RFC 5681 3.2")
    v.call(f"write(4, ..., {5 * MSS}) = {5 * MSS}").expect(segments[0]).expect(segments[1]).expect(segments[2])
    v.sends(ack(1)).expect(segments[3]).expect("P" + segments[4]).sends(ack(1)).sends(ack(1)).sends(ack(1)).expect(segments[1])
    yield v.sends(ack(5)).call("unacked(4) = 0")
    v = begun("nagle", "After the peer's FIN a small segment waits for the one before it", "SHLD-7", "SHOULD", "RFC 9293 3.7.4")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 2").call("write(4, ..., 100) = 100")
    yield v.sends(". 2:2(0) ack 101 win 65535").expect("P. 101:201(100) ack 2").sends(". 2:2(0) ack 201 win 65535")
    v = begun("probe", "After the peer's FIN its window of zero is probed", "MUST-36 SHLD-29", section="RFC 9293 3.8.6.1", needs="virtual-time")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 2").sends(". 2:2(0) ack 101 win 0").call("write(4, ..., 100) = 100")
    v.expect(". 101:102(1) ack 2", "1").sends(". 2:2(0) ack 101 win 0").expect(". 101:102(1) ack 2", "1.99").sends(". 2:2(0) ack 102 win 65535").expect("P. 102:201(99) ack 2")
    yield v.sends(". 2:2(0) ack 201 win 65535")
    v = begun("queued-text-first", "CLOSE in CLOSE-WAIT with more queued than may go: FIN waits, and goes with the last of it", "RFC9293-3.10.4-5 RFC9293-3.10.7.4-26", section="RFC 9293 3.10.4",
              needs="half-close")
    v.call(f"write(4, ..., {5 * MSS}) = {5 * MSS}").expect(segments[0]).expect(segments[1]).expect(segments[2]).call("shutdown(4, SHUT_WR) = 0")
    v.sends(ack(1)).expect(segments[3]).expect("FP" + segments[4]).sends(ack(5)).state("LAST-ACK")
    yield v.sends(f". 2:2(0) ack {octet(5) + 1} win 65535").state("CLOSED")
    v = begun("fin-lost", "The FIN with the last text is lost in LAST-ACK: both go again together", "RFC6298-5-6 RFC9293-3.10.8-2", section="RFC 6298 5", needs="half-close virtual-time")
    v.call("setsockopt(4, SOL_TCP, TCP_CORK, [1], 4) = 0").call("write(4, ..., 100) = 100").call("shutdown(4, SHUT_WR) = 0").expect("FP. 1:101(100) ack 2")
    yield v.expect("FP. 1:101(100) ack 2", "1").sends(". 2:2(0) ack 102 win 65535").state("CLOSED")
    v = begun("fin-again", "The peer's FIN comes again between our segments: an answer, and nothing is disturbed", "RFC9293-3.10.7.4-36 RFC9293-3.10.7.4-1", section="RFC 9293 3.10.7.4 eighth")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 2").sends("F. 1:1(0) ack 1 win 65535").expect(". 101:101(0) ack 2")
    yield v.sends(". 2:2(0) ack 101 win 65535").call("unacked(4) = 0").state("CLOSE-WAIT")
    v = begun("urgent", "After the peer's FIN urgent text still goes with URG", "MUST-30 RFC9293-3.10.2-5", section="RFC 9293 3.8.5", needs="urgent")
    yield v.call("send(4, ..., 100, MSG_OOB) = 100").expect("PU. 1:101(100) ack 2 urg 100").sends(". 2:2(0) ack 101 win 65535")
    v = Vector("half-close/theirs/no-window-update", "Nobody needs to know of room that is made after the peer's FIN", "practice", "RFC 9293 3.8.6.2.2", "MUST-39", settings="receive-buffer=2048")
    v.passive().sends(f". 1:1461({MSS}) ack 1 win 65535").expect(". 1:1(0) ack 1461 win 588", "0~.5").sends("FP. 1461:2048(587) ack 1 win 65535").expect(". 1:1(0) ack 2049", "0~.5")
    yield v.call("read(4, ..., 4096) = 2047").call("read(4, ..., 4096) = 0", "1").state("CLOSE-WAIT")


# ---- both at once ---------------------------------------------------------------------------------------------------------------------------


def both_open_to(v, ours="mss 1460", theirs="mss 1460", answer="mss 1460", win=65535):
    """SYN-RECEIVED of an active open: both SYNs have crossed."""
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect(f"S 0:0(0) <{ours}>")
    v.fd = 3
    return v.sends(f"S 0:0(0) win {win} <{theirs}>").expect(f"S. 0:0(0) ack 1 <{answer}>")


def both_open():
    covers = "MUST-10 RFC9293-3.10.7.3-8 RFC7323-2.2-2 RFC7323-2.2-6 RFC7323-3.2-5 RFC2018-4-3"
    everything = list(subsets())[-1]
    for offered in subsets():
        v = Vector(f"simultaneous/open/offered-{word(offered)}", f"The SYNs cross, the peer's offers {word(offered)}: our SYN,ACK has just that, and it is in force", "MUST", "RFC 9293 3.5",
                   covers, needs=" ".join(everything), rows="S6@SYN-SENT")
        both_open_to(v, layout(everything, "TS val 100 ecr 0"), layout(offered, "TS val 1000 ecr 0", "wscale 7"), layout(offered, "TS val 110 ecr 1000"))
        stamps = "timestamps" in offered
        v.sends(f". 1:1(0) ack 1 win {65535 >> 7 if 'window-scale' in offered else 65535}" + " <nop,nop,TS val 1010 ecr 110>" * stamps).state("ESTABLISHED")
        v.sends(". 1461:1561(100) ack 1 win 65535" + " <nop,nop,TS val 1020 ecr 110>" * stamps)
        tail = ",".join(["nop,nop,TS val 130 ecr 1010"] * stamps + ["nop,nop,sack 1461:1561"] * ("sack" in offered))
        yield v.expect(". 1:1(0) ack 1" + f" <{tail}>" * bool(tail))
    begun = lambda name, title, covers, **head: Vector(f"simultaneous/open/{name}", title, "MUST", "RFC 9293 3.5", covers, settings=BARE, **head)
    v = both_open_to(begun("text-completes", "The SYNs cross, and text that acknowledges ours completes the open: it is taken", "MUST-10 RFC9293-3.10.7.4-20"))
    yield v.sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", "0~.5").state("ESTABLISHED").call("unread(3) = 100")
    v = both_open_to(begun("fin-completes", "The SYNs cross, and a FIN that acknowledges ours completes the open and begins the close", "MUST-10 RFC9293-3.10.7.4-20 RFC9293-3.10.7.4-33"))
    yield v.sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2", "0~.5").state("CLOSE-WAIT").call("read(3, ..., 10) = 0")
    v = both_open_to(begun("segment-size", "The SYNs cross: the peer's MSS counts as that of any SYN", "MUST-10 MUST-14 MUST-16"), theirs="mss 700")
    v.sends(". 1:1(0) ack 1 win 65535").call("write(3, ..., 800) = 800").expect(". 1:701(700) ack 1")
    yield v.sends(". 1:1(0) ack 701 win 65535").expect("P. 701:801(100) ack 1")
    v = both_open_to(begun("no-segment-size", "The SYNs cross, the peer's has no MSS: 536 is taken", "MUST-10 MUST-15").say("--ip_version=ipv4\n"), theirs="nop,nop,nop,nop")
    v.sends(". 1:1(0) ack 1 win 65535").call("write(3, ..., 600) = 600").expect(". 1:537(536) ack 1")
    yield v.sends(". 1:1(0) ack 537 win 65535").expect("P. 537:601(64) ack 1")
    v = both_open_to(begun("window", "The SYNs cross: the window is the one of the segment that completes the open", "MUST-10 RFC9293-3.10.7.4-20"), win=65535)
    v.sends(". 1:1(0) ack 1 win 1000").call("write(3, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").call("write(3, ..., 1000) = 1000")
    yield v.sends(". 1:1(0) ack 1001 win 1000").expect("P. 1001:2001(1000) ack 1").sends(". 1:1(0) ack 2001 win 1000")
    v = begun("queued-text", "Text was queued before the SYNs crossed: it goes when the open is complete", "MUST-10 RFC9293-3.10.2-3")
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.head.append(("api", "connection"))
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>").call("write(3, ..., 100) = 100")
    v.fd = 3
    v.sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535").expect("P. 1:101(100) ack 1")
    yield v.sends(". 1:1(0) ack 101 win 65535").call("unacked(3) = 0")


def both_close():
    def begun(name, title, covers, **head):
        return Vector(f"simultaneous/close/{name}", title, "MUST", "RFC 9293 3.6", covers, needs=" ".join(filter(None, ["half-close time-wait", head.pop("needs", "")])), **head).passive()

    def we(v, text=100):
        """Text and FIN in one segment."""
        v.call("setsockopt(4, SOL_TCP, TCP_CORK, [1], 4) = 0").call(f"write(4, ..., {text}) = {text}")
        return v.call("shutdown(4, SHUT_WR) = 0").expect(f"FP. 1:{1 + text}({text}) ack 1")

    v = we(begun("text-and-fin", "Text with FIN crosses text with FIN: both are taken, and acknowledged together", "RFC9293-3.10.7.4-34 RFC9293-3.10.7.4-25 RFC9293-3.10.7.4-29"))
    v.sends("FP. 1:101(100) ack 1 win 65535").expect(". 102:102(0) ack 102").state("CLOSING").call("unread(4) = 100")
    yield v.sends(". 102:102(0) ack 102 win 65535").state("TIME-WAIT")
    v = begun("fin-acknowledges-fin", "The peer's FIN acknowledges ours: from FIN-WAIT-1 straight to TIME-WAIT", "RFC9293-3.10.7.4-23 RFC9293-3.10.7.4-35 MUST-13", rows="A7@FIN-WAIT-1 F4@FIN-WAIT-2")
    yield v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1").sends("F. 1:1(0) ack 2 win 65535").expect(". 2:2(0) ack 2").state("TIME-WAIT")
    v = we(begun("part-acknowledged", "The peer's FIN acknowledges a part of our text: the rest and our FIN go again", "RFC9293-3.10.7.4-34 RFC9293-3.10.8-2 RFC6298-5-6", needs="virtual-time"))
    v.sends("F. 1:1(0) ack 51 win 65535").expect(". 102:102(0) ack 2").state("CLOSING").expect("FP. 51:101(50) ack 2", ".9~1.1")
    yield v.sends(". 2:2(0) ack 102 win 65535").state("TIME-WAIT")
    v = begun("fin-out-of-order", "The peer's FIN overtakes its text while ours is on its way: CLOSING begins with the text", "RFC9293-3.10.7.4-34 RFC9293-3.10.7.4-3")
    v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1").sends("F. 101:101(0) ack 1 win 65535").expect(". 2:2(0) ack 1").state("FIN-WAIT-1")
    v.sends("P. 1:101(100) ack 1 win 65535").expect(". 2:2(0) ack 102").state("CLOSING")
    yield v.sends(". 102:102(0) ack 2 win 65535").state("TIME-WAIT")
    v = begun("old-acknowledgment", "An acknowledgment that does not reach our FIN leaves CLOSING as it is", "RFC9293-3.10.7.4-25", rows="A8@CLOSING")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").call("shutdown(4, SHUT_WR) = 0").expect("F. 101:101(0) ack 1")
    v.sends("F. 1:1(0) ack 1 win 65535").expect(". 102:102(0) ack 2").state("CLOSING").sends(". 2:2(0) ack 101 win 65535").state("CLOSING")
    yield v.sends(". 2:2(0) ack 102 win 65535").state("TIME-WAIT")
    v = begun("queued-text", "The peer's FIN comes while text still waits: all of it goes, and FIN with the last of it", "RFC9293-3.10.4-3 RFC9293-3.10.7.4-34 RFC9293-3.10.7.4-25",
              settings="initial-window=0 congestion=reno")
    v.call(f"write(4, ..., {5 * MSS}) = {5 * MSS}").expect(f". 1:1461({MSS}) ack 1").expect(f". 1461:2921({MSS}) ack 1").expect(f". 2921:4381({MSS}) ack 1")
    v.call("shutdown(4, SHUT_WR) = 0").sends("F. 1:1(0) ack 1 win 65535").expect(". 4381:4381(0) ack 2").sends(". 2:2(0) ack 1461 win 65535")
    v.expect(f". 4381:5841({MSS}) ack 2").expect(f"FP. 5841:7301({MSS}) ack 2").sends(". 2:2(0) ack 7301 win 65535").state("CLOSING")
    yield v.sends(". 2:2(0) ack 7302 win 65535").state("TIME-WAIT")


# ---- urgent text ----------------------------------------------------------------------------------------------------------------------------


def urgent_out():
    def begun(name, title, covers, **head):
        return Vector(f"urgent/out/{name}", title, "MUST", "RFC 9293 3.8.5", covers, needs=" ".join(filter(None, ["urgent", head.pop("needs", "")])),
                      settings=head.pop("settings", "initial-window=0 congestion=reno"), **head).passive()

    v = begun("spans-segments", "Urgent text of three segments: each says how far from it the end lies", "MUST-31 MUST-62 RFC9293-3.10.2-5")
    v.call("send(4, ..., 3000, MSG_OOB) = 3000").expect(f"U. 1:1461({MSS}) ack 1 urg 3000").expect(f"U. 1461:2921({MSS}) ack 1 urg 1540")
    v.call("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0").expect("PU. 2921:3001(80) ack 1 urg 80")
    yield v.sends(". 1:1(0) ack 3001 win 65535")
    v = begun("moves-on", "A second urgent SEND moves the pointer on", "MUST-30 MUST-62 RFC9293-3.10.2-5")
    v.call("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0").call("send(4, ..., 100, MSG_OOB) = 100").expect("PU. 1:101(100) ack 1 urg 100")
    yield v.call("send(4, ..., 50, MSG_OOB) = 50").expect("PU. 101:151(50) ack 1 urg 50").sends(". 1:1(0) ack 151 win 65535")
    v = begun("behind-plain-text", "Plain text waits; urgent text behind it: the pointer is on all that goes until it has gone", "MUST-30 MUST-62 RFC9293-3.10.2-5")
    v.call("write(4, ..., 4380) = 4380").expect(f". 1:1461({MSS}) ack 1").expect(f". 1461:2921({MSS}) ack 1").expect(f"P. 2921:4381({MSS}) ack 1")
    v.call("write(4, ..., 1460) = 1460").call("send(4, ..., 1460, MSG_OOB) = 1460").call("write(4, ..., 1460) = 1460")
    v.sends(". 1:1(0) ack 1461 win 65535").expect(f"U. 4381:5841({MSS}) ack 1 urg 2920").expect(f"U. 5841:7301({MSS}) ack 1 urg 1460")
    yield v.sends(". 1:1(0) ack 2921 win 65535").expect(f"P. 7301:8761({MSS}) ack 1").sends(". 1:1(0) ack 8761 win 65535")
    v = begun("again", "An urgent segment that goes again is urgent again", "MUST-62 RFC9293-3.10.8-2", needs="virtual-time")
    yield v.call("send(4, ..., 100, MSG_OOB) = 100").expect("PU. 1:101(100) ack 1 urg 100").expect("PU. 1:101(100) ack 1 urg 100", "1").sends(". 1:1(0) ack 101 win 65535")
    v = begun("with-fin", "Urgent text that waited for the window goes with the FIN in one segment", "MUST-62 RFC9293-3.10.4-3", needs="half-close")
    v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 0").call("send(4, ..., 100, MSG_OOB) = 100").call("shutdown(4, SHUT_WR) = 0")
    yield v.sends(". 1:1(0) ack 1001 win 65535").expect("FPU. 1001:1101(100) ack 1 urg 100").sends(". 1:1(0) ack 1102 win 65535").state("FIN-WAIT-2")


def urgent_in():
    def begun(name, title, covers):
        v = Vector(f"urgent/in/{name}", title, "MUST", "RFC 9293 3.10.7.4 sixth", covers, needs="urgent", api="connection")
        return v.listens().sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")

    v = begun("out-of-order", "An urgent pointer counts at once, on a segment out of order too", "MUST-32 RFC9293-3.10.7.4-28 MUST-33")
    v.sends("PU. 101:201(100) ack 1 win 65535 urg 100").expect(". 1:1(0) ack 1").call("urgent(3) = 200")
    yield v.sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 201").call("read(3, ..., 1000) = 200").call("urgent(3) = 0")
    v = begun("without-text", "An ACK alone can say that urgent text is ahead", "MUST-32 RFC9293-3.10.7.4-28 MUST-33")
    v.sends("U. 1:1(0) ack 1 win 65535 urg 50").call("urgent(3) = 50").sends("P. 1:51(50) ack 1 win 65535").expect(". 1:1(0) ack 51", "0~.5")
    yield v.call("read(3, ..., 1000) = 50").call("urgent(3) = 0")
    v = begun("old", "The urgent pointer of an old segment is not looked at", "RFC9293-3.10.7.4-1 RFC9293-3.10.7.4-28")
    v.sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", "0~.5").sends("PU. 1:101(100) ack 1 win 65535 urg 60000", ".6").expect(". 1:1(0) ack 101")
    yield v.call("urgent(3) = 0").call("unread(3) = 100")
    v = begun("beyond-the-window", "The urgent pointer of a segment beyond the window is not looked at", "RFC9293-3.10.7.4-1 RFC9293-3.10.7.4-28")
    yield v.sends("PU. 100001:100101(100) ack 1 win 65535 urg 100").expect(". 1:1(0) ack 1").call("urgent(3) = 0")
    v = begun("forged-acknowledgment", "The urgent pointer of a segment that acknowledges what was never sent is not looked at", "RFC9293-3.10.7.4-21 RFC9293-3.10.7.4-28")
    yield v.sends("PU. 1:101(100) ack 5000 win 65535 urg 100").expect(". 1:1(0) ack 1").call("urgent(3) = 0").call("unread(3) = 0")


def vectors():
    for part in (we_close, peer_closes, both_open, both_close, urgent_out, urgent_in):
        yield from part()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
