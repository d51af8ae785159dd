#!/usr/bin/env python3
"""ecn.py - explicit congestion notification: who agrees to it, which packets say so, what a mark and its echo do (RFC 3168, with RFC 8311
and RFC 8511).

On the profile of the RFCs' letter, where it is off: each script asks for it. An initial window of three segments of 1,460 octets, Reno."""
import re
import sys

from pkt import MSS, Vector, write

BASE = "initial-window=0 congestion=reno timestamps=0 sack=0 window-scale=0"
SYN_BITS = {"": "S", "E": "SE", "W": "SW", "EW": "SEW"}
ANSWER_BITS = {"": "S.", "E": "SE.", "W": "SW.", "EW": "SEW."}


def octet(n):
    """The first octet of segment n, from 0."""
    return 1 + n * MSS


def new(name, title, level, section, covers, ecn=2, more="", **head):
    needs = " ".join(["ecn"] + head.pop("needs", "").split())
    return Vector(name, title, level, section, covers, needs=needs, settings=f"{BASE} ecn={ecn}{' ' + more if more else ''}", **head)


def listens(v, bits="EW", answer="SE.", mark="[noecn] "):
    """The peer opens with these bits; the stack answers so."""
    v.listens().sends(f"{SYN_BITS[bits]} 0:0(0) win 65535 <mss 1460>", "0")
    return v.expect(f"{mark}{answer} 0:0(0) ack 1 <mss 1460>")


def opened(v, flags="."):
    v.sends(f"{flags} 1:1(0) ack 1 win 65535")
    v.fd = 4
    return v.call("accept(3, ..., ...) = 4")


def passive(v):
    return opened(listens(v))


def connects(v, first="[noecn] SEW"):
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)")
    v.fd = 3
    return v.expect(f"{first} 0:0(0) <mss 1460>")


def answered(v, bits="E", after=".01"):
    v.sends(f"{ANSWER_BITS[bits]} 0:0(0) ack 1 win 65535 <mss 1460>", after)
    return v.expect("[noecn] . 1:1(0) ack 1")


def active(v):
    return answered(connects(v))


def text(v, mark="ect0", count=1000, flags="P."):
    """The stack sends its first text, so marked."""
    v.call(f"write({v.fd}, ..., {count}) = {count}")
    v.expect(f"[{mark}] {flags} 1:{1 + count}({count}) ack 1")
    return v.sends(f". 1:1(0) ack {1 + count} win 65535")


class Flow:
    """A queue on an open connection that has agreed to it, as long as what the script sees of it."""

    def __init__(self, v):
        self.v, self.next, self.at = v, 0, len(v.lines)
        v.say("")

    def segment(self, n, bits, mark, after):
        self.v.expect(f"[{mark}] @{n}@{bits}. {octet(n)}:{octet(n + 1)}({MSS}) ack 1", after)

    def new(self, count, bits="", after="0"):
        """The next `count` segments and no more; `bits` of the first."""
        for _ in range(count):
            self.segment(self.next, bits, "ect0", after)
            bits, after, self.next = "", "0", self.next + 1
        return self

    def again(self, n, after="0"):
        self.segment(n, "", "noecn", after)
        return self

    def ack(self, n, bits="", after=".01"):
        self.v.sends(f"{bits}. 1:1(0) ack {octet(n)} win 65535", after)
        return self

    def acks(self, low, high, bits=""):
        """One by one, up to `high`, and nothing goes."""
        for n in range(low, high + 1):
            self.ack(n, bits)
        return self

    def note(self, text):
        self.v.note(text)
        return self

    def ended(self):
        """All was seen; the last segment pushes."""
        self.ack(self.next)
        octets = self.next * MSS
        self.v.lines[self.at] = f"+0 write({self.v.fd}, ..., {octets}) = {octets}"
        self.v.lines = [re.sub(r"@(\d+)@", lambda m: "P" if int(m[1]) == self.next - 1 else "", line) for line in self.v.lines]
        return self.v

    def grown(self, window):
        """Slow start up to so many in flight; all below `self.first` is acknowledged."""
        self.new(3)
        for n in range(1, window - 2):
            self.ack(n).new(2)
        self.first = window - 3
        return self


def negotiation():
    for bits in SYN_BITS:
        setup = bits == "EW"
        covers = "SHLD-8 RFC3168-6.1.1-1 RFC3168-6.1.1-3 RFC3168-6.1.1-2 RFC3168-6.1.1-11 RFC8311-4.3-1" if setup else "RFC3168-6.1.1-1 RFC3168-6.1.1-4 RFC3168-6.1.1-10 RFC3168-6.1.1-6"
        v = new(f"ecn/listen/{bits.lower() or 'plain'}", f"A SYN with {' and '.join({'E': 'ECE', 'W': 'CWR'}[b] for b in bits) or 'neither bit'} " + ("asks, and is answered with ECE alone" if setup else "asks for nothing"),
                "MAY" if setup else "MUST", "RFC 3168 6.1.1", covers, family="ecn/listen")
        yield text(opened(listens(v, bits, "SE." if setup else "S.")), "ect0" if setup else "noecn")
        v = new(f"ecn/listen/off-{bits.lower() or 'plain'}", "A host that does not want it answers with neither bit", "SHOULD", "RFC 3168 6.1.1", "RFC3168-6.1.1-9", ecn=0, family="ecn/listen")
        yield text(opened(listens(v, bits, "S.")), "noecn")
    for bits in ANSWER_BITS:
        setup = bits == "E"
        covers = "RFC3168-6.1.1-1 RFC3168-6.1.1-2 RFC3168-6.1.1-5 RFC3168-6.1.1-11 RFC3168-5-1 RFC8311-4.2-1 RFC8311-4.2-2" if setup else "RFC3168-6.1.1-2 RFC3168-6.1.1-6 RFC3168-6.1.1-10"
        v = new(f"ecn/connect/{bits.lower() or 'plain'}", f"The offer is answered with {' and '.join({'E': 'ECE', 'W': 'CWR'}[b] for b in bits) or 'neither bit'}: " + ("agreed" if setup else "not agreed"), "MUST", "RFC 3168 6.1.1",
                covers, ecn=1, family="ecn/connect")
        yield text(answered(connects(v), bits), "ect0" if setup else "noecn")
    for ecn in (0, 2):
        v = new(f"ecn/connect/not-offered-{ecn}", "Who did not ask sends no ECT, whatever the answer says", "MUST NOT".split()[0], "RFC 3168 6.1.1", "RFC3168-6.1.1-5 RFC3168-6.1.1-9", ecn=ecn)
        yield text(answered(connects(v, "[noecn] S"), "E"), "noecn")
    v = new("ecn/connect/again-without", "A SYN that is not answered goes again without the two bits", "MAY", "RFC 3168 6.1.1.1", "RFC3168-6.1.1.1-2", ecn=1, needs="virtual-time")
    connects(v).expect("[noecn] S 0:0(0) <mss 1460>", "1").expect("[noecn] S 0:0(0) <mss 1460>", "2")
    yield text(answered(v, ""), "noecn")
    v = new("ecn/connect/late-answer", "After a SYN without the bits no ECT is sent, though the first one was answered", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-5", ecn=1, needs="virtual-time")
    connects(v).expect("[noecn] S 0:0(0) <mss 1460>", "1")
    yield text(answered(v, "E"), "noecn")
    v = new("ecn/connect/late-answer-marked", "Such a connection still echoes marks, for the peer may have taken the offer", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-8", ecn=1, needs="virtual-time")
    connects(v).expect("[noecn] S 0:0(0) <mss 1460>", "1")
    yield answered(v, "E").sends("[ce] P. 1:1001(1000) ack 1 win 65535").expect("[noecn] E. 1:1(0) ack 1001")
    v = new("ecn/listen/again", "A SYN,ACK that is not answered goes again with ECE", "MAY", "RFC 3168 6.1.1", "RFC3168-6.1.1-3", needs="virtual-time")
    listens(v).expect("[noecn] SE. 0:0(0) ack 1 <mss 1460>", "1")
    v = opened(v)
    v.call("write(4, ..., 1000) = 1000").expect("[ect0] P. 1:1001(1000) ack 1")
    yield v.sends(". 1:1(0) ack 1001 win 65535")
    v = new("ecn/listen/comes-again-plain", "The SYN comes again without the bits: the answer has none, and no ECT is sent", "SHOULD", "RFC 3168 6.1.1", "RFC3168-6.1.1-6 RFC3168-6.1.1-10")
    listens(v).sends("S 0:0(0) win 65535 <mss 1460>", ".1").expect("[noecn] S. 0:0(0) ack 1 <mss 1460>")
    yield text(opened(v), "noecn")
    v = new("ecn/listen/accecn", "A SYN that offers more (AE too) is one that offers this", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-1 RFC8311-3-1")
    v.listens().sends("SEWA 0:0(0) win 65535 <mss 1460>", "0").expect("[noecn] SE. 0:0(0) ack 1 <mss 1460>")
    yield text(opened(v), "ect0")
    v = new("ecn/connect/nonce", "ECE with the bit that the nonce had agrees all the same", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-2 RFC8311-3-1", ecn=1)
    connects(v).sends("SEA. 0:0(0) ack 1 win 65535 <mss 1460>").expect("[noecn] . 1:1(0) ack 1")
    yield text(v, "ect0")
    v = new("ecn/connect/crossing", "Two SYNs cross, both with the bits: agreed", "MAY", "RFC 3168 6.1.1", "RFC3168-6.1.1-3", ecn=1)
    connects(v).sends("SEW 0:0(0) win 65535 <mss 1460>").expect("[noecn] SE. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    yield text(v, "ect0")
    v = new("ecn/connect/crossing-plain", "Two SYNs cross, the peer's without the bits: not agreed", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-4", ecn=1)
    connects(v).sends("S 0:0(0) win 65535 <mss 1460>").expect("[noecn] S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    yield text(v, "noecn")
    v = new("ecn/listen/marked-syn", "A mark on the SYN is no mark on text: it is not echoed", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-11")
    v.listens().sends("[ce] SEW 0:0(0) win 65535 <mss 1460>", "0").expect("[noecn] SE. 0:0(0) ack 1 <mss 1460>")
    yield opened(v).sends("P. 1:1001(1000) ack 1 win 65535").expect(". 1:1(0) ack 1001", "0~.5")
    v = new("ecn/listen/forgotten", "A new connection between the same sockets knows nothing of what the old one had agreed to", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-12")
    v = passive(v)
    v.sends("[ce] P. 1:1001(1000) ack 1 win 65535").expect("E. 1:1(0) ack 1001").sends("R. 1001:1001(0) ack 1 win 0")
    v.call("read(4, ..., 1000) = 1000").call("close(4) = 0")
    v.sends("S 9000:9000(0) win 65535 <mss 1460>", ".1").expect("[noecn] S. 0:0(0) ack 9001 <mss 1460>").sends(". 9001:9001(0) ack 1 win 65535")
    v.call("accept(3, ..., ...) = 5").call("write(5, ..., 1000) = 1000").expect("[noecn] P. 1:1001(1000) ack 9001")
    yield v.sends(". 9001:9001(0) ack 1001 win 65535")


def receiver():

    def seg(n, flags="P"):
        return f"{flags}. {1 + 1000 * n}:{1001 + 1000 * n}(1000) ack 1 win 65535"

    def acks(n, flags=""):
        return f"[noecn] {flags}. 1:1(0) ack {1 + 1000 * n}"

    base = "RFC3168-6.1.3-1 RFC3168-6.1.1-8 RFC3168-6.1.4-1 RFC3168-5.2-2"
    v = passive(new("ecn/receiver/until-cwr", "After a mark every acknowledgment has ECE until CWR comes", "MUST", "RFC 3168 6.1.3", base))
    v.sends("[ce] " + seg(0)).expect(acks(1, "E"))
    for n in (1, 3, 5):
        v.sends("[ect0] " + seg(n, "")).sends("[ect0] " + seg(n + 1), "0").expect(acks(n + 2, "E"), "0~.5")
    v.sends("[ect0] " + seg(7, "PW")).expect(acks(8), "0~.5")
    yield v.sends("[ect0] " + seg(8)).expect(acks(9), "0~.5")
    v = passive(new("ecn/receiver/cwr-and-mark", "CWR is looked at before the mark of the same segment: ECE goes on", "MUST", "RFC 3168 6.1.3", "RFC3168-6.1.3-2"))
    v.sends("[ce] " + seg(0)).expect(acks(1, "E")).sends("[ce] " + seg(1, "PW")).expect(acks(2, "E"), "0~.5")
    yield v.sends("[ect0] " + seg(2)).expect(acks(3, "E"), "0~.5").sends("[ect0] " + seg(3, "PW")).expect(acks(4), "0~.5")
    for where, name in ((0, "first"), (1, "second")):
        v = passive(new(f"ecn/receiver/delayed-{name}", f"An acknowledgment of two segments has ECE if the {name} was marked", "MUST", "RFC 3168 6.1.3", "RFC3168-6.1.3-3", family="ecn/receiver/delayed"))
        for n in range(2):
            v.sends(("[ce] " if n == where else "[ect0] ") + seg(n), "0" if n else ".01")
            if where == 0:
                v.expect(acks(n + 1, "E"), "0~.5")
        yield v if where == 0 else v.expect(acks(2, "E"), "0~.5")
    v = passive(new("ecn/receiver/text-carries-it", "Text that goes the other way has ECE too", "MUST", "RFC 3168 6.1.3", "RFC3168-6.1.3-1"))
    v.sends("[ce] " + seg(0)).expect(acks(1, "E")).call("write(4, ..., 500) = 500").expect("[ect0] PE. 1:501(500) ack 1001")
    yield v.sends("W. 1001:1002(1) ack 501 win 65535").expect("[noecn] . 501:501(0) ack 1002", "0~.5")
    for mark in ("noecn", "ect0", "ect1"):
        v = passive(new(f"ecn/receiver/no-mark-{mark}", "Only a mark is echoed", "MUST", "RFC 3168 6.1.3", "RFC3168-6.1.3-1", family="ecn/receiver/no-mark"))
        yield v.sends(f"[{mark}] " + seg(0)).expect(acks(1), "0~.5")
    v = passive(new("ecn/receiver/outside-right", "A mark on text beyond the window is disregarded", "SHOULD", "RFC 3168 6.1.5", "RFC3168-6.1.5-2"))
    yield v.sends("[ce] P. 200001:201001(1000) ack 1 win 65535").expect(acks(0)).sends(seg(0)).expect(acks(1), "0~.5")
    v = passive(new("ecn/receiver/outside-left", "A mark on text that had come before is disregarded", "SHOULD", "RFC 3168 6.1.5", "RFC3168-6.1.5-2"))
    yield v.sends(seg(0)).expect(acks(1), "0~.5").sends("[ce] " + seg(0)).expect(acks(1)).sends(seg(1)).expect(acks(2), "0~.5")
    v = passive(new("ecn/receiver/beyond-a-gap", "A mark on text beyond a gap is echoed at once", "MUST", "RFC 3168 6.1.3", "RFC3168-6.1.3-1"))
    yield v.sends("[ce] " + seg(1)).expect(acks(0, "E")).sends("W. 1:1001(1000) ack 1 win 65535").expect(acks(2), "0~.5")
    v = passive(new("ecn/receiver/marked-ack", "A mark on a bare acknowledgment is not text's", "MUST", "RFC 3168 6.1.4", "RFC3168-6.1.4-1"))
    yield v.sends("[ce] . 1:1(0) ack 1 win 65535").sends(seg(0)).expect(acks(1), "0~.5")
    v = opened(listens(new("ecn/receiver/not-agreed", "Without agreement a mark means nothing", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-10"), "", "S."))
    yield v.sends("[ce] " + seg(0)).expect(acks(1), "0~.5")
    v = answered(connects(new("ecn/receiver/refused", "Who was refused echoes nothing", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-8", ecn=1)), "")
    yield v.sends("[ce] " + seg(0)).expect(acks(1), "0~.5")
    v = active(new("ecn/receiver/active", "Who has asked echoes as who has answered", "MUST", "RFC 3168 6.1.3", "RFC3168-6.1.3-1 RFC3168-6.1.1-8", ecn=1))
    yield v.sends("[ce] " + seg(0)).expect(acks(1, "E")).sends("[ect0] " + seg(1, "PW")).expect(acks(2), "0~.5")
    v = passive(new("ecn/receiver/mark-on-fin", "A FIN's mark counts when it has text", "MUST", "RFC 3168 6.1.3", "RFC3168-6.1.3-1"))
    yield v.sends("[ce] PF. 1:1001(1000) ack 1 win 65535").expect("[noecn] E. 1:1(0) ack 1002")
    v = new("ecn/receiver/probe", "A probe of a closed window that comes with a mark is echoed", "SHOULD", "RFC 3168 6.1.6", "RFC3168-6.1.6-3", more="receive-buffer=4096")
    v = passive(v)
    v.sends("P. 1:4097(4096) ack 1 win 65535").expect("[noecn] . 1:1(0) ack 4097 win 0", "0~.5")
    v.sends("[ce] . 4097:4098(1) ack 1 win 65535").expect("[noecn] E. 1:1(0) ack 4097 win 0")
    yield v


def sender():
    f = Flow(passive(new("ecn/sender/halves", "An echo halves the window once; the next new text has CWR; nothing goes again", "MUST", "RFC 3168 6.1.2",
                         "RFC3168-6.1.2-1 RFC3168-6.1.2-3 RFC3168-6.1.2-6 RFC3168-6.1.2-7 RFC3168-5-2 RFC3168-6.1.1-7 RFC3168-6.1.1-5 RFC3168-5-1 RFC8311-4.2-1")))
    f.grown(8).note("eight in flight; four stay").acks(6, 9, "E").ack(10, "E").new(1, "W").note("what echoes the same window of data costs no more")
    for n in range(11, 14):
        f.ack(n, "E").new(1)
    f.note("what was sent after the reduction is acknowledged without an echo, and after four the window is five").ack(14).new(1).ack(15).new(1).ack(16).new(1).ack(17).new(2)
    yield f.ended()
    f = Flow(passive(new("ecn/sender/no-growth", "In slow start an acknowledgment with ECE opens the window no further", "SHOULD", "RFC 3168 6.1.2", "RFC3168-6.1.2-2")))
    f.grown(8).ack(6, "E").note("halved it is four; eight would be there without ECE, and nine with growth").acks(7, 9, "E").ack(10, "E").new(1, "W")
    for n in range(11, 14):
        f.ack(n, "E").new(1)
    yield f.ended()
    f = Flow(passive(new("ecn/sender/twice", "An echo of what was sent after the reduction reduces again", "MUST", "RFC 3168 6.1.2", "RFC3168-6.1.2-3 RFC3168-6.1.2-6")))
    f.grown(8).acks(6, 9, "E").ack(10, "E").new(1, "W").ack(11, "E").new(1).ack(12, "E").new(1).ack(13, "E").new(1)
    f.note("the echo that comes with the acknowledgment of CWR is of another mark: of four in flight two stay")
    f.ack(14, "E").ack(15, "E").ack(16, "E").new(1, "W").ack(17, "E").new(1)
    yield f.ended()
    f = Flow(passive(new("ecn/sender/retransmission", "What goes again has neither ECT nor CWR; the next new text has both", "MUST", "RFC 3168 6.1.5",
                         "RFC3168-6.1.5-1 RFC3168-6.1.2-5 RFC3168-6.1.2-7 RFC3168-5.2-1", needs="virtual-time")))
    f.grown(5).again(2, "1").ack(7).new(2, "W").ack(8).new(1)
    yield f.ended()
    f = Flow(passive(new("ecn/sender/fast-retransmission", "So it is in fast recovery: the reduction is told with the first new text after it", "MUST", "RFC 3168 6.1.2",
                         "RFC3168-6.1.2-7 RFC3168-6.1.5-1 RFC3168-6.1.2-5", needs="limited-transmit")))
    f.grown(8).ack(5).new(1).ack(5).new(1).ack(5).again(5).ack(15).new(1, "W")
    yield f.ended()
    f = Flow(passive(new("ecn/sender/echo-in-recovery", "An echo in recovery costs nothing more", "MUST", "RFC 3168 6.1.2", "RFC3168-6.1.2-3", needs="limited-transmit")))
    f.grown(8).ack(5).new(1).ack(5).new(1).ack(5).again(5)
    f.note("four were to stay, and the acknowledgment that ends recovery echoes a mark from before it: two it would be, had it counted")
    f.ack(15, "E").new(2, "W").ack(16).new(2).ack(17).new(2).ack(18).new(1)
    yield f.ended()
    f = Flow(passive(new("ecn/sender/loss-after-echo", "A loss in a window that an echo has reduced brings the segment back and reduces no further", "MUST", "RFC 3168 6.1.2", "RFC3168-6.1.2-3")))
    f.grown(12).ack(10, "E").note("six of twelve stay; segment 10 is lost").ack(10).ack(10).ack(10).again(10)
    yield f.ack(10).ack(10).note("six have left of twelve: with a window of three it would be nine").ack(10).new(1, "W").ack(10).new(1).ended()
    v = passive(new("ecn/sender/probe", "A probe of a closed window has neither ECT nor CWR", "MUST", "RFC 3168 6.1.6", "RFC3168-6.1.6-1 RFC3168-6.1.6-2", needs="virtual-time"))
    v.call("write(4, ..., 1000) = 1000").expect("[ect0] P. 1:1001(1000) ack 1").sends("E. 1:1(0) ack 1001 win 0")
    v.call("write(4, ..., 1000) = 1000").expect("[noecn] . 1001:1002(1) ack 1", "1~2").sends(". 1:1(0) ack 1002 win 65535")
    yield v.expect("[ect0] PW. 1002:2001(999) ack 1").sends(". 1:1(0) ack 2001 win 65535")
    v = passive(new("ecn/sender/keepalive", "A keepalive has no ECT", "MUST", "RFC 3168 6.1.4", "RFC3168-6.1.4-1", needs="keepalive virtual-time", more="keepalive-idle=60s"))
    v.call("setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0")
    yield v.expect("[noecn] . 0:0(0) ack 1", "60").sends(". 1:1(0) ack 1 win 65535")
    v = passive(new("ecn/sender/fin", "A FIN without text has no ECT", "MUST", "RFC 3168 5.2", "RFC3168-5.2-2"))
    v.call("close(4) = 0").expect("[noecn] F. 1:1(0) ack 1").sends("F. 1:1(0) ack 2 win 65535")
    yield v.expect("[noecn] . 2:2(0) ack 2")
    v = passive(new("ecn/sender/reset", "A RST has no ECT and no ECE", "MUST", "RFC 3168 5.2", "RFC3168-5.2-2"))
    v.sends("[ce] P. 1:1001(1000) ack 1 win 65535").expect("[noecn] E. 1:1(0) ack 1001")
    yield v.call("abort(4) = 0").expect("[noecn] R 1:1(0)")
    v = opened(listens(new("ecn/sender/not-agreed", "Without agreement ECE means nothing", "MUST", "RFC 3168 6.1.1", "RFC3168-6.1.1-10"), "", "S."))
    v.call("write(4, ..., 7300) = 7300")
    for n in range(3):
        v.expect(f"[noecn] . {octet(n)}:{octet(n + 1)}(1460) ack 1")
    v.sends(f"E. 1:1(0) ack {octet(1)} win 65535").expect(f"[noecn] . {octet(3)}:{octet(4)}(1460) ack 1").expect(f"[noecn] P. {octet(4)}:{octet(5)}(1460) ack 1")
    yield v.sends(f". 1:1(0) ack {octet(5)} win 65535")
    v = new("ecn/sender/least", "An echo at a window of one segment: the next one waits for the timer", "MUST", "RFC 3168 6.1.2", "RFC3168-6.1.2-4", needs="virtual-time")
    listens(v).expect("[noecn] SE. 0:0(0) ack 1 <mss 1460>", "1")
    f = Flow(opened(v)).note("the SYN,ACK went twice: the window is one segment").new(1).ack(1, "E").new(1, "W", "1").ack(2).new(2)
    yield f.ended()


def cubic_sender():
    """RFC 9438 4.6: seven tenths at each echo, of what is sent after the one before; never less than a segment, and then later and later."""
    cubic = {"more": "congestion=cubic", "needs": "cubic virtual-time"}
    f = Flow(passive(new("ecn/cubic/echo", "An echo leaves seven tenths of the window, at once", "MUST", "RFC 9438 4.6", "RFC9438-4.6-2 RFC3168-6.1.2-3", **cubic))).grown(10)
    f.ack(8, "E").v.say("+0 %{ assert tcpi_snd_cwnd == 7 and tcpi_snd_ssthresh == 7 }%")
    yield f.acks(9, 10).ack(11).new(1, "W").ended()
    f = Flow(passive(new("ecn/cubic/down-to-one", "Echoes go on: the window falls to one segment, which then waits for the timer, each time", "MUST", "RFC 9438 4.6", "RFC9438-4.6-6 RFC9438-4.6-7 RFC3168-6.1.2-4", **cubic)))
    f.new(3).note("three; 2.1 stay, then 1.47, then one").ack(1, "E").ack(2, "E").new(1, "W").ack(3, "E").new(1).ack(4, "E").ack(5, "E").new(1, "W").ack(6, "E").new(1, "W", "1").ack(7, "E").new(1, "W", "1")
    yield f.ended()


def undone():
    """RFC 4015 3.4: what tells of congestion takes nothing back."""
    for name, bits, title in (("echo", "E", "The acknowledgment that shows a timeout to have been spurious echoes a mark: nothing is taken back"), ("no-echo", "", "Without the echo the window comes back")):
        f = Flow(passive(new(f"ecn/undo/{name}", title, "MUST", "RFC 4015 3.4", "RFC4015-3.4-1", more="undo=1", needs="f-rto virtual-time"))).grown(8)
        f.again(5, "1").ack(6).new(2, "W").ack(7, bits)
        if bits:
            f.v.say("+0 %{ assert tcpi_snd_ssthresh == 4 and tcpi_ca_state == 4 }%")
            f.ack(8).again(8)
        else:
            f.v.say("+0 %{ assert tcpi_snd_ssthresh > 1000 and tcpi_ca_state == 0 }%")
            f.new(1)
        yield f.ended()


def reduced_less():
    """RFC 8511: a mark costs a fifth."""
    for name, abe, stay in (("fifth", 1, 8), ("half", 0, 5)):
        v = passive(new(f"ecn/abe/{name}", f"Of ten in flight {stay} stay after an echo", "SHOULD", "RFC 8511 3" if abe else "RFC 3168 6.1.2",
                        "RFC8311-4.1-1 RFC8311-2.2-1" if abe else "RFC3168-6.1.2-3", more="abe=1" if abe else "",
                        note="RFC 8511 has no rows: four fifths of FlightSize is its 3" if abe else ""))
        f = Flow(v).grown(10)
        f.ack(8, "E").acks(9, 17 - stay).ack(18 - stay).new(1, "W")
        yield f.ended()


if __name__ == "__main__":
    for group in (negotiation, receiver, sender, cubic_sender, undone, reduced_less):
        write(group(), sys.argv[1])
