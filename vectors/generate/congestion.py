#!/usr/bin/env python3
"""congestion.py - how much is sent, and what goes again: slow start, fast retransmit, NewReno (RFC 5681, 6582), SACK (RFC 6675).

All on the profile of the RFCs' letter: an initial window of three segments of 1,460 octets (RFC 5681 3.1), Reno, timeouts of a second."""
import sys

from flow import SETTINGS, Flow, ack, octet
from pkt import Vector, write


def slow_start():
    f = Flow("congestion/slow-start/grows", "In slow start each acknowledged segment lets two go", "MUST", "RFC 5681 3.1",
             "RFC5681-3.1-1 RFC5681-3.1-2 RFC5681-3.1-3 RFC5681-3.1-6 RFC5681-3.1-8 RFC5681-3.1-9 MUST-19", 21)
    f.new(3).ack(1).new(2).ack(2).new(2).ack(3).new(2)
    for n in range(4, 10):
        f.ack(n).new(2)
    yield f.ended()
    for mss, segments in ((536, 4), (1000, 4), (1095, 4), (1096, 3), (1460, 3)):
        v = Vector(f"congestion/initial-window/mss-{mss}", f"The initial window of RFC 5681 at an MSS of {mss} is {segments} segments", "MUST", "RFC 5681 3.1", "RFC5681-3.1-2",
                   family="congestion/initial-window/rfc5681", settings=SETTINGS)
        v.passive(offer=f"mss {mss}").call(f"write(4, ..., {20 * mss}) = {20 * mss}")
        for n in range(segments):
            v.expect(f". {1 + n * mss}:{1 + n * mss + mss}({mss}) ack 1")
        yield v.sends(f". 1:1(0) ack 1 win {segments * mss}")
    for mss, segments in ((536, 10), (1000, 10), (1460, 10)):
        v = Vector(f"congestion/initial-window/ten-mss-{mss}", f"The initial window of RFC 6928 at an MSS of {mss} is {segments} segments", "practice", "RFC 6928 2", "RFC6928-2-1",
                   family="congestion/initial-window/rfc6928", settings="initial-window=10 congestion=reno")
        v.passive(offer=f"mss {mss}").call(f"write(4, ..., {20 * mss}) = {20 * mss}")
        for n in range(segments):
            v.expect(f". {1 + n * mss}:{1 + n * mss + mss}({mss}) ack 1")
        yield v.sends(f". 1:1(0) ack 1 win {segments * mss}")
    f = Flow("congestion/slow-start/syn-ack-lost", "When the SYN,ACK had to go twice the first window is one segment", "MUST", "RFC 5681 3.1", "RFC5681-3.1-4 RFC6928-2-3", 3,
             needs="virtual-time")
    f.v.lines = []
    f.v.listens().sends("S 0:0(0) win 65535 <mss 1460>", "0").expect("S. 0:0(0) ack 1 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>", "1")
    f.v.sends(". 1:1(0) ack 1 win 65535").call("accept(3, ..., ...) = 4").call("write(4, ..., 4380) = 4380")
    f.new(1).ack(1).new(2)
    yield f.ended()
    f = Flow("congestion/slow-start/idle", "After more silence than an RTO the window is the initial one again", "SHOULD", "RFC 5681 4.1", "RFC5681-4.1-1", 9, needs="virtual-time")
    f.new(3).ack(1).new(2).ack(2).new(2).ack(3).new(2).ack(9)
    f.v.note("ten segments would be allowed; after two seconds three are")
    f.v.call("write(4, ..., 14600) = 14600", "2")
    f.count = 19
    f.new(3).ack(10).new(2).ack(11).new(2).ack(12).new(2).ack(13).new(1)
    yield f.ended()


def avoidance():
    f = Flow("congestion/avoidance/one-segment-a-round", "Above ssthresh the window grows by one segment for each window acknowledged", "MUST", "RFC 5681 3.1",
             "RFC5681-3.1-8 RFC5681-3.1-11 RFC5681-3.1-12 RFC5681-3.1-13 RFC5681-3.1-16 RFC5681-3.1-18", 21, needs="virtual-time")
    f.new(3).ack(1).new(2).ack(2).new(2).ack(3).new(2).ack(4).new(2)  # eleven sent, seven in flight: a window of seven
    f.v.note("a timeout with seven in flight: ssthresh is three and a half segments, the window is one")
    f.again(4, "1").ack(11).new(2)
    f.v.note("slow start as far as ssthresh: three segments fit")
    f.ack(12).new(2).ack(13).new(1)
    f.v.note("then four acknowledgments, more than a window, until one segment more goes")
    f.ack(14).new(1).ack(15).new(1).ack(16).new(1).ack(17).new(2)
    yield f.ended()


def fast_retransmit():
    base = "RFC5681-3.2-3 RFC5681-3.2-7 RFC5681-3.2-9 RFC5681-3.2-13"
    f = Flow("congestion/fast-retransmit/third-duplicate", "The third duplicate acknowledgment brings the lost segment back, without waiting for the timer", "SHOULD", "RFC 5681 3.2",
             base + " RFC6582-3.2-2 RFC6582-3.2-4", 5)
    f.new(3).ack(1).new(2)
    f.ack(1).ack(1).ack(1).again(1)
    f.ack(5)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/fast-retransmit/two-are-not-enough", "Two duplicate acknowledgments may be reordering: nothing goes again", "SHOULD", "RFC 5681 3.2", "RFC5681-3.2-3", 5)
    f.new(3).ack(1).new(2).ack(1).ack(1).ack(5)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/fast-retransmit/limited-transmit", "The first two duplicates each let one new segment go", "SHOULD", "RFC 3042 2", "RFC3042-2-1 RFC3042-2-2 RFC5681-3.2-4 RFC5681-3.2-5",
             9, needs="limited-transmit")
    f.new(3).ack(1).new(2).ack(1).new(1).ack(1).new(1).ack(1).again(1)
    f.ack(7).new(2)
    yield f.ended()
    for word, dup, covers in (("window-update", ". 1:1(0) ack 1461 win 65000", "RFC5681-3.2-3"), ("text", ". {}:{}(1) ack 1461 win 65535", "RFC5681-3.2-3")):
        f = Flow(f"congestion/fast-retransmit/not-a-duplicate-{word}", f"Acknowledgments with a {word.replace('-', ' ')} are no duplicates", "MUST", "RFC 5681 2", covers, 5)
        f.new(3).ack(1).new(2)
        for n in range(4):
            if word == "text":
                f.v.sends(dup.format(1 + n, 2 + n)).expect(f". {octet(5)}:{octet(5)}(0) ack {2 + n}", "0~.5")
            else:
                f.v.sends(f". 1:1(0) ack 1461 win {65000 - n}")
        tail = 5 if word == "text" else 1
        f.v.sends(f". {tail}:{tail}(0) ack {octet(5)} win 65535")
        yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/newreno/partial-ack", "A partial acknowledgment in recovery brings the next lost segment at once", "MUST", "RFC 6582 3.2",
             "RFC6582-3.2-2 RFC6582-3.2-6 RFC6582-6-1", 9)
    f.new(3).ack(1).new(2).ack(2).new(2).ack(3).new(2)  # nine sent, six in flight from 3
    f.v.note("segments 3 and 5 are lost")
    f.ack(3).ack(3).ack(3).again(3).ack(3)
    f.ack(5).again(5).ack(9)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/newreno/no-second-recovery", "Duplicates of what recovery itself caused start no other one", "MUST", "RFC 6582 3.2", "RFC6582-3.2-3 RFC6582-3.2-10", 9,
             needs="virtual-time")
    f.new(3).ack(1).new(2).ack(2).new(2).ack(3).new(2)
    f.again(3, "1")
    f.v.note("after a timeout: three duplicates below what was sent then mean nothing")
    f.ack(3).ack(3).ack(3).ack(9)
    yield f.v.call("unacked(4) = 0")


def timeouts():
    f = Flow("congestion/timeout/one-segment", "After a timeout one segment goes, then two, in slow start", "MUST", "RFC 5681 3.1", "RFC5681-3.1-16 RFC5681-3.1-18 MUST-19", 7,
             needs="virtual-time")
    f.new(3).ack(1).new(2).ack(2).new(2)
    f.again(2, "1").ack(3).again(3).again(4).ack(7)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/timeout/repeated", "A second timeout of the same segment leaves ssthresh", "MUST", "RFC 5681 3.1", "RFC5681-3.1-17", 14, needs="virtual-time")
    f.new(3).ack(1).new(2).ack(2).new(2).ack(3).new(2)
    f.v.note("six in flight: ssthresh is three segments, and stays that")
    f.again(3, "1").again(3, "2").ack(9).new(2).ack(10).new(2)
    f.v.note("now at ssthresh: congestion avoidance, three in flight until three are acknowledged")
    f.ack(11).new(1)
    yield f.ended()


def selective():
    covers = "RFC6675-5-1 RFC6675-5-4 RFC6675-5-7 RFC6675-4-3 RFC6675-4-7 RFC2018-5-1 RFC2018-5-2"
    f = Flow("congestion/sack/one-lost", "Three segments reported above a hole: it is filled", "SHOULD", "RFC 6675 5", covers, 5, True)
    f.new(3).ack(1).new(2)
    f.ack(1, (2, 3)).ack(1, (2, 4)).ack(1, (2, 5)).again(1).ack(5)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/sack/two-lost", "Two holes are filled, each once, and what was reported does not go again", "SHOULD", "RFC 6675 5", covers + " RFC6675-5-11 RFC6675-5-12", 9, True)
    f.new(3).ack(1).new(2).ack(2).new(2).ack(3).new(2)
    f.v.note("3 and 5 are lost")
    f.ack(3, (4, 5)).ack(3, (6, 7), (4, 5)).ack(3, (6, 8), (4, 5)).again(3)
    f.ack(3, (6, 9), (4, 5)).again(5)
    f.ack(5, (6, 9)).ack(9)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/sack/no-news", "Acknowledgments that repeat a number and report nothing new are no sign of loss", "MUST", "RFC 6675 2", "RFC6675-2-1 RFC3042-2-3 RFC5681-3.2-6", 5, True)
    f.new(3).ack(1).new(2)
    for _ in range(5):
        f.ack(1)
    f.ack(5)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/sack/kept-until-acknowledged", "What was reported may be asked for again: the receiver can forget it", "MUST", "RFC 2018 8", "RFC2018-8-4 RFC6675-4-2 RFC2018-5-4", 5, True,
             needs="virtual-time")
    f.new(3).ack(1).new(2).ack(1, (2, 5))
    f.v.note("three segments reported: the hole is filled at once; the answer is lost, and the timer brings it again")
    f.again(1).again(1, "1").ack(2)
    f.again(2, "0~4")
    yield f.ended()
    f = Flow("congestion/sack/impossible-blocks", "Blocks of what was never sent, or backwards, or long acknowledged change nothing", "practice", "RFC 2018 5", "RFC2018-5-1", 5, True)
    f.new(3).ack(1).new(2)
    f.ack(1, (50, 60)).v.sends(ack(1, "nop,nop,sack 4000:3000"))
    f.ack(1, (0, 1))
    f.ack(5)
    yield f.v.call("unacked(4) = 0")


def segmentation():
    v = Vector("congestion/push/last", "PSH is set on the segment that empties the queue, and on no other", "MUST", "RFC 9293 3.9.1.2", "MUST-61 MUST-60 SHLD-28", settings=SETTINGS)
    v.passive().call("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0").call("write(4, ..., 4000) = 4000").expect(". 1:1461(1460) ack 1").expect(". 1461:2921(1460) ack 1").expect("P. 2921:4001(1080) ack 1")
    yield v.sends(". 1:1(0) ack 4001 win 65535")
    v = Vector("congestion/push/merged", "Small writes that had to wait go together, as large as possible", "SHOULD", "RFC 9293 3.9.1.2", "SHLD-27 SHLD-28 MAY-16", settings=SETTINGS)
    v.passive().call("write(4, ..., 10) = 10").expect("P. 1:11(10) ack 1")
    for _ in range(8):
        v.call("write(4, ..., 300) = 300")
    v.expect(". 11:1471(1460) ack 1").sends(". 1:1(0) ack 11 win 65535").sends(". 1:1(0) ack 1471 win 65535").expect("P. 1471:2411(940) ack 1")
    yield v.sends(". 1:1(0) ack 2411 win 65535")


def vectors():
    for part in (slow_start(), avoidance(), fast_retransmit(), timeouts(), selective(), segmentation()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
