#!/usr/bin/env python3
"""growth.py - RFC 5681 rule by rule beside congestion.py; SACK receivers (RFC 2018, 2883) where other things happen too; RFC 7323: a
timestamp on all that is sent, and what its echo is."""
import sys

from flow import SETTINGS, Flow, ack, octet
from pkt import MSS, Vector, write

TS = "nop,nop,TS val {} ecr {}"
NODELAY = "setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0"


def slow_start():
    f = Flow("congestion/slow-start/part-of-a-segment", "An ACK of half a segment lets the window grow by half a segment", "SHOULD", "RFC 5681 3.1", "RFC5681-3.1-8 RFC5681-3.1-9", 12, grown=0)
    f.v.sends(f". 1:1(0) ack {1 + MSS // 2} win 65535")
    f.note("three and a half segments, two and a half in flight").new(1).ack(1).new(1)
    yield f.left()
    f = Flow("congestion/slow-start/old-acknowledgments", "Acknowledgments that are older than the last bring nothing out", "MUST", "RFC 5681 3.1", "RFC5681-3.1-8 RFC9293-3.10.7.4-21", 12, grown=2)
    f.ack(1).ack(1).ack(0).ack(3).new(2)
    yield f.left()
    f = Flow("congestion/slow-start/short-pause", "After less silence than a timeout the window is what it was", "SHOULD", "RFC 5681 4.1", "RFC5681-4.1-1", 9, needs="virtual-time", grown=3)
    f.ack(9).v.call(f"write(4, ..., {6 * MSS}) = {6 * MSS}", ".8")
    f.count = 15
    yield f.note("six went before the pause, six go after it").new(6).ended()
    f = Flow("congestion/slow-start/text-rides", "An acknowledgment on text of the peer counts like any other", "MUST", "RFC 5681 3.1", "RFC5681-3.1-8", 5, grown=0,
             settings=SETTINGS + " quick-acks=0")
    f.v.sends(f"P. 1:101(100) ack {octet(1)} win 65535").expect(f". {octet(3)}:{octet(4)}({MSS}) ack 101").expect(f"P. {octet(4)}:{octet(5)}({MSS}) ack 101")
    yield f.v.sends(f". 101:101(0) ack {octet(5)} win 65535")


def after_timeout():
    f = Flow("congestion/timeout/least-threshold", "A timeout with one segment in flight: ssthresh is two segments, not half a one", "MUST", "RFC 5681 3.1", "RFC5681-3.1-16", 1,
             needs="virtual-time", grown=0)
    f.again(0, "1").v.sends(ack(1)).call(f"write(4, ..., {12 * MSS}) = {12 * MSS}")
    f.next, f.count = 1, 13
    f.note("the window was one and is two: at ssthresh, and avoidance begins").new(2).ack(2).new(1).ack(3).new(2)
    yield f.left()
    f = Flow("congestion/timeout/slow-start-to-half", "After a timeout slow start goes as far as half of what was in flight", "MUST", "RFC 5681 3.1", "RFC5681-3.1-16 RFC5681-3.1-11", 30,
             needs="virtual-time", grown=5)
    f.note("eight in flight: ssthresh is four").again(5, "1").ack(13).new(2).ack(14).new(2).ack(15).new(2)
    f.note("four segments: from here one a round").ack(16).new(1).ack(17).new(1).ack(18).new(1).ack(19).new(2)
    yield f.left()
    f = Flow("congestion/timeout/all-lost", "Nothing of a window arrived: after the timeout it goes again from its beginning, in slow start", "MUST", "RFC 5681 3.1", "RFC5681-3.1-18 RFC6298-5-6", 3,
             needs="virtual-time", grown=0)
    f.again(0, "1").ack(1).again(1).again(2).ack(3)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/timeout/only-the-tail", "Only the last segment was lost: it goes again alone", "MUST", "RFC 6298 5", "RFC6298-5-6", 3, needs="virtual-time", grown=0)
    f.ack(2).again(2, "1").ack(3)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/timeout/one-for-two", "In the slow start after a timeout one ACK of two segments lets the window grow by one", "MUST", "RFC 5681 3.1", "RFC5681-3.1-9 RFC5681-3.1-18", 17,
             needs="virtual-time", grown=7)
    f.note("ten in flight, all of them lost").again(7, "1").ack(8).again(8).again(9).ack(10).again(10).again(11).again(12).ack(17)
    yield f.v.call("unacked(4) = 0")
    f = Flow("congestion/timeout/before-the-open", "When our SYN had to go twice the first window is one segment", "MUST", "RFC 5681 3.1", "RFC5681-3.1-4 RFC6928-2-3", 3, needs="virtual-time",
             settings=SETTINGS + " timestamps=0 sack=0 window-scale=0")
    v = f.v
    v.lines = []
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0").call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)")
    v.expect("S 0:0(0) <mss 1460>").expect("S 0:0(0) <mss 1460>", "1").sends("S. 0:0(0) ack 1 win 65535 <mss 1460>").expect(". 1:1(0) ack 1")
    v.call(f"write(3, ..., {3 * MSS}) = {3 * MSS}")
    yield f.new(1).ack(1).new(2).left()


def duplicates():
    """RFC 5681 2: what a duplicate acknowledgment is, term by term."""
    def begun(name, title, covers="RFC5681-3.2-3", **head):
        return Flow(f"congestion/duplicate/{name}", title, "MUST", "RFC 5681 2", covers, 5, **head).new(3).ack(1).new(2)

    f = begun("nothing-in-flight", "Acknowledgments that repeat a number when nothing is in flight are no duplicates: the next loss needs three")
    f.ack(5).ack(5).ack(5).ack(5).v.call(f"write(4, ..., {2 * MSS}) = {2 * MSS}")
    f.count = 7
    f.new(2).ack(5)
    yield f.ack(7).v.call("unacked(4) = 0")
    f = begun("fin", "An acknowledgment with FIN is no duplicate", "RFC5681-3.2-3 RFC9293-3.10.7.4-33")
    f.ack(1).ack(1).v.sends(f"F. 1:1(0) ack {octet(1)} win 65535").expect(f". {octet(5)}:{octet(5)}(0) ack 2", "0~.5")
    yield f.v.sends(f". 2:2(0) ack {octet(5)} win 65535").call("unacked(4) = 0")
    f = begun("older", "An acknowledgment older than SND.UNA is no duplicate")
    f.ack(2).ack(1).ack(1).ack(1).ack(1).ack(5)
    yield f.v.call("unacked(4) = 0")
    f = begun("counted-anew", "Progress between duplicates makes the count begin anew")
    f.ack(1).ack(1).ack(2).ack(2).ack(2).ack(5)
    yield f.v.call("unacked(4) = 0")
    f = begun("text-between", "Text between duplicates is none of them, and does not undo the count", "RFC5681-3.2-3")
    f.ack(1).ack(1).v.sends(f"P. 1:101(100) ack {octet(1)} win 65535").expect(f". {octet(5)}:{octet(5)}(0) ack 101", "0~.5")
    f.v.sends(f". 101:101(0) ack {octet(1)} win 65535").expect(f". {octet(1)}:{octet(2)}({MSS}) ack 101")
    yield f.v.sends(f". 101:101(0) ack {octet(5)} win 65535").call("unacked(4) = 0")
    f = Flow("congestion/duplicate/limited-transmit-window", "Limited transmit sends nothing beyond the peer's window", "SHOULD", "RFC 3042 2", "RFC3042-2-1 RFC3042-2-2", 9, grown=0)
    window = f". 1:1(0) ack {octet(1)} win {4 * MSS}"
    f.v.sends(window)
    f.note("four segments fill the window").new(2).v.sends(window).sends(window).sends(window)
    yield f.again(1).v.sends("R 1:1(0)")


def sack_receivers():
    both = "mss 1460,nop,nop,sackOK"

    def begun(name, title, level="MUST", section="RFC 2018 4", covers="RFC2018-4-7", needs="sack", **head):
        return Vector(f"reassembly/blocks/{name}", title, level, section, covers, needs=needs, **head).passive(offer=both, answer=both)

    text = lambda a, b, flags="P.": f"{flags} {a}:{b}({b - a}) ack 1 win 65535"
    v = begun("on-text", "SACK blocks ride on our text", covers="RFC2018-4-2 RFC2018-4-7")
    v.sends(text(101, 201)).expect(". 1:1(0) ack 1 <nop,nop,sack 101:201>").call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1 <nop,nop,sack 101:201>")
    yield v.sends("P. 1:101(100) ack 101 win 65535").expect(". 101:101(0) ack 201")
    v = begun("on-fin", "SACK blocks ride on our FIN", covers="RFC2018-4-2 RFC2018-4-7", needs="sack half-close")
    v.sends(text(101, 201)).expect(". 1:1(0) ack 1 <nop,nop,sack 101:201>").call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1 <nop,nop,sack 101:201>")
    yield v.sends("P. 1:101(100) ack 2 win 65535").expect(". 2:2(0) ack 201")
    v = begun("four", "Without timestamps four blocks fit, the newest first", covers="RFC2018-4-4 RFC2018-4-7 RFC2018-4-8 RFC2018-4-9 RFC2018-3-2")
    blocks = []
    for at in (1001, 2001, 3001, 4001, 5001):
        blocks.insert(0, f"{at}:{at + 100}")
        v.sends(text(at, at + 100)).expect(f". 1:1(0) ack 1 <nop,nop,sack {' '.join(blocks[:4])}>")
    yield v.call("unread(4) = 0")
    v = Vector("reassembly/blocks/three-with-timestamps", "With timestamps three blocks fit", "MUST", "RFC 2018 3", "RFC2018-4-4 RFC2018-4-7 RFC2018-4-8 RFC7323-3.2-6", needs="sack timestamps")
    v.passive(offer="mss 1460,sackOK,TS val 1000 ecr 0", answer="mss 1460,sackOK,TS val 100 ecr 1000", ack_options=TS.format(1010, 100))
    blocks = []
    for i, at in enumerate((1001, 2001, 3001, 4001)):
        blocks.insert(0, f"{at}:{at + 100}")
        v.sends(text(at, at + 100) + f" <{TS.format(1020 + i, 100)}>").expect(f". 1:1(0) ack 1 <{TS.format(120 + 10 * i, 1010)},nop,nop,sack {' '.join(blocks[:3])}>")
    yield v.call("unread(4) = 0")
    v = begun("fin-is-no-octet", "FIN out of order takes a number, and is reported or not: the octets before it are", level="practice", covers="RFC2018-4-7")
    v.sends(text(101, 201)).expect(". 1:1(0) ack 1 <nop,nop,sack 101:201>").sends(text(1, 101)).expect(". 1:1(0) ack 201").sends("F. 201:201(0) ack 1 win 65535")
    yield v.expect(". 1:1(0) ack 202", "0~.5").state("CLOSE-WAIT")
    v = begun("none-after-the-last-hole", "When no hole is left no block is", covers="RFC2018-4-4")
    v.sends(text(101, 201)).expect(". 1:1(0) ack 1 <nop,nop,sack 101:201>").sends(text(1, 101)).expect(". 1:1(0) ack 201").sends(text(201, 301)).expect(". 1:1(0) ack 301", "0~.5")
    yield v.call("write(4, ..., 10) = 10").expect("P. 1:11(10) ack 301").sends(". 301:301(0) ack 11 win 65535")
    v = begun("survives-a-read", "Reading what is in order changes no block", covers="RFC2018-4-7 RFC2018-4-4")
    v.sends(text(1, 101)).expect(". 1:1(0) ack 101", "0~.5").sends(text(201, 301)).expect(". 1:1(0) ack 101 <nop,nop,sack 201:301>").call("read(4, ..., 1000) = 100")
    yield v.sends(text(401, 501)).expect(". 1:1(0) ack 101 <nop,nop,sack 401:501 201:301>").sends(text(101, 201)).expect(". 1:1(0) ack 301 <nop,nop,sack 401:501>")
    v = begun("outside-the-window", "Text beyond the window is in no block", covers="RFC2018-4-7 RFC9293-3.10.7.4-1", settings="receive-buffer=8192")
    yield v.sends(text(101, 201)).expect(". 1:1(0) ack 1 <nop,nop,sack 101:201>").sends(text(9001, 9101)).expect(". 1:1(0) ack 1 <nop,nop,sack 101:201>")
    v = begun("cut-at-the-window", "Of text that reaches past the window the part inside is in a block", covers="RFC2018-4-7 RFC9293-3.10.7.4-3", settings="receive-buffer=8192")
    yield v.sends(text(8101, 8301)).expect(". 1:1(0) ack 1 <nop,nop,sack 8101:8193>").call("unread(4) = 0")
    ds = {"section": "RFC 2883 4", "needs": "dsack", "level": "SHOULD"}
    v = begun("duplicate-stamped", "A duplicate is reported beside a timestamp; its own timestamp, of a segment outside the window, is not echoed", covers="RFC2883-4-1 RFC7323-5.3-1", needs="dsack timestamps", settings="quick-acks=100", section="RFC 2883 4", level="SHOULD")
    v.lines = []
    v.passive(offer="mss 1460,sackOK,TS val 1000 ecr 0", answer="mss 1460,sackOK,TS val 100 ecr 1000", ack_options=TS.format(1010, 100))
    v.sends(text(1, 101) + f" <{TS.format(1020, 100)}>").expect(f". 1:1(0) ack 101 <{TS.format(120, 1020)}>")
    yield v.sends(text(1, 101) + f" <{TS.format(1030, 100)}>").expect(f". 1:1(0) ack 101 <{TS.format(130, 1020)},nop,nop,sack 1:101>")
    v = begun("duplicate-once", "A duplicate is reported once: the next acknowledgment is without it", covers="RFC2883-4-3 RFC2883-4-1", **ds)
    v.sends(text(1, 101)).expect(". 1:1(0) ack 101", "0~.5").sends(text(1, 101), ".6").expect(". 1:1(0) ack 101 <nop,nop,sack 1:101>")
    yield v.sends(text(201, 301)).expect(". 1:1(0) ack 101 <nop,nop,sack 201:301>")
    v = begun("duplicate-in-fin-wait-2", "After our FIN duplicates are reported as before", covers="RFC2883-4-1", needs="dsack half-close", section="RFC 2883 4", level="SHOULD")
    v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1").sends(". 1:1(0) ack 2 win 65535").sends("P. 1:101(100) ack 2 win 65535").expect(". 2:2(0) ack 101", "0~.5")
    yield v.sends("P. 1:101(100) ack 2 win 65535", ".6").expect(". 2:2(0) ack 101 <nop,nop,sack 1:101>")


def stamps():
    """RFC 7323 3.2: once agreed on, a timestamp is on everything that is sent but may lack on RST."""
    def begun(name, title, covers="RFC7323-3.2-6", settings=SETTINGS, needs="", **head):
        v = Vector(f"paws/stamped/{name}", title, "MUST", "RFC 7323 3.2", covers, needs=" ".join(filter(None, ["timestamps", needs])), settings=settings, **head)
        return v.passive(offer=f"mss 1460,{TS.format(1000, 0)}", answer=f"mss 1460,{TS.format(100, 1000)}", ack_options=TS.format(1010, 100))

    ts = lambda val, ecr: f" <{TS.format(val, ecr)}>"
    v = begun("text", "Text carries a timestamp, and room is left for it", "RFC7323-3.2-6 MUST-16")
    yield v.call("write(4, ..., 1448) = 1448").expect("P. 1:1449(1448) ack 1" + ts(110, 1010)).sends(". 1:1(0) ack 1449 win 65535" + ts(1020, 110))
    v = begun("acknowledgment", "An ACK carries a timestamp, and the echo is that of the text", "RFC7323-3.2-6 RFC7323-4.3-4", settings="quick-acks=100")
    yield v.sends("P. 1:101(100) ack 1 win 65535" + ts(1020, 100)).expect(". 1:1(0) ack 101" + ts(120, 1020)).call("unread(4) = 100")
    v = begun("fin", "FIN carries a timestamp", needs="half-close")
    yield v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1" + ts(110, 1010)).sends(". 1:1(0) ack 2 win 65535" + ts(1020, 110)).state("FIN-WAIT-2")
    v = begun("retransmission", "What goes again carries a new timestamp", "RFC7323-3.2-6 RFC7323-4.1-2", needs="virtual-time")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1" + ts(110, 1010)).expect("P. 1:101(100) ack 1" + ts(1110, 1010), "1")
    yield v.sends(". 1:1(0) ack 101 win 65535" + ts(2020, 1110))
    v = begun("challenge", "A challenge ACK carries a timestamp", "RFC7323-3.2-6 RFC5961-3.2-4", needs="rfc5961")
    yield v.sends("R 2:2(0)").expect(". 1:1(0) ack 1" + ts(120, 1010)).state("ESTABLISHED")
    v = begun("keepalive", "A keepalive probe carries a timestamp", "RFC7323-3.2-6 MUST-24", settings="keepalive-idle=10s", needs="keepalive virtual-time")
    yield v.expect(". 0:0(0) ack 1" + ts(10110, 1010), "10").sends(". 1:1(0) ack 1 win 65535" + ts(11010, 10110))
    v = begun("old-text", "The answer to old text carries a timestamp, and the echo stays what it was", "RFC7323-3.2-6 RFC7323-4.3-4", settings="quick-acks=100")
    v.sends("P. 1:101(100) ack 1 win 65535" + ts(1020, 100)).expect(". 1:1(0) ack 101" + ts(120, 1020))
    v.sends("P. 1:101(100) ack 1 win 65535" + ts(1020, 100)).expect(". 1:1(0) ack 101" + ts(130, 1020))
    yield v.call("unread(4) = 100")


def vectors():
    for part in (slow_start, after_timeout, duplicates, sack_receivers, stamps):
        yield from part()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
