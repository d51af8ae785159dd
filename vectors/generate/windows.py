#!/usr/bin/env python3
"""windows.py - flow control: what a receiver announces, what a sender does with it (RFC 9293 3.8.6, RFC 7323 2)."""
import sys

from pkt import Vector, write

SECTION = "RFC 9293 3.8.6"


def filled(v):
    """A receive buffer of 4,096 octets is full, and the window zero."""
    v.passive().sends(". 1:1461(1460) ack 1 win 65535").sends(". 1461:2921(1460) ack 1 win 65535").expect(". 1:1(0) ack 2921 win 1176")
    return v.sends(". 2921:4097(1176) ack 1 win 65535").expect(". 1:1(0) ack 4097 win 0", "0~.5")


def receiver_fills():
    """The window closes as text arrives that nobody reads."""
    v = Vector("window/receiver/closes", "Text that is not read closes the window; no octet beyond it is taken", "MUST", SECTION,
               "MAY-8 SHLD-14 RFC9293-3.10.7.4-29 RFC9293-3.4-3", settings="receive-buffer=4096")
    filled(v)
    v.note("one octet more does not fit: a zero window takes no text, and is answered")
    v.sends(". 4097:4098(1) ack 1 win 65535").expect(". 1:1(0) ack 4097 win 0")
    v.call("unread(4) = 4096")
    yield v

    v = Vector("window/receiver/silly-window", "Reading little by little opens the window only by a full segment or half the buffer", "MUST",
               "RFC 9293 3.8.6.2.2", "MUST-39 RFC9293-3.8.6.2.2-1", settings="receive-buffer=4096")
    filled(v)
    v.note("1,000 octets free: less than a segment, less than half the buffer; the window stays shut even when it is asked for")
    v.call("read(4, ..., 1000) = 1000")
    v.sends(". 4097:4098(1) ack 1 win 65535").expect(". 1:1(0) ack 4097 win 0")
    v.note("2,000 octets free: a full segment fits, and whoever asks is told so")
    v.call("read(4, ..., 1000) = 1000")
    v.sends(". 4097:4098(1) ack 1 win 65535").expect(". 1:1(0) ack 4097 win 2000")
    yield v

    v = Vector("window/receiver/update", "Reading all of it opens the window at once, unasked", "practice", "RFC 9293 3.8.6.2.2",
               "MUST-39", settings="receive-buffer=4096")
    filled(v)
    v.call("read(4, ..., 4096) = 4096").expect(". 1:1(0) ack 4097 win 4096")
    yield v

    v = Vector("window/receiver/edge-stays", "The right edge does not move left while text arrives and is not read", "SHOULD", SECTION,
               "SHLD-14 RFC9293-3.10.7.4-29", settings="receive-buffer=8192")
    v.passive()
    at = 1
    while at + 2000 <= 8193:
        v.sends(f". {at}:{at + 2000}(2000) ack 1 win 65535")
        at += 2000
        v.expect(f". 1:1(0) ack {at} win {8193 - at}", "0~.5")
    yield v

    v = Vector("window/receiver/both-full", "A bare acknowledgment from the edge of a window that its sender has filled is heard", "practice",
               "RFC 9293 3.10.7.4 first", settings="receive-buffer=2048",
               note="both windows are full and the first text this way was lost: by table 6 neither end would hear the other again")
    v.passive(ack_win=2920)
    v.call("write(4, ..., 4380) = 4380").expect(". 1:1461(1460) ack 1").expect(". 1461:2921(1460) ack 1")
    v.sends(". 1461:2049(588) ack 1 win 2920").expect(". 2921:2921(0) ack 1")
    v.sends(". 2049:2049(0) ack 2921 win 2920").expect("P. 2921:4381(1460) ack 1")
    yield v

    v = Vector("window/receiver/partly-inside", "Of a segment that reaches past the window the part inside is taken", "MUST", "RFC 9293 3.10.7.4 first",
               "RFC9293-3.10.7.4-3 RFC9293-3.4-3", settings="receive-buffer=2048")
    v.passive()
    v.sends(". 1:1461(1460) ack 1 win 65535").expect(". 1:1(0) ack 1461 win 588", "0~.5")
    v.sends(". 1461:2921(1460) ack 1 win 65535").expect(". 1:1(0) ack 2049 win 0", "0~.5")
    v.call("unread(4) = 2048")
    yield v


ZERO = {
    "ack": ("a bare acknowledgment of what was sent is taken", ". 2049:2049(0) ack 1001 win 65535", None, "ESTABLISHED", "RFC9293-3.10.7.4-2"),
    "rst": ("RST at the edge ends the connection", "R 2049:2049(0)", None, "CLOSED", "MUST-66 RFC9293-3.10.7.4-6"),
    "rst-beyond": ("RST beyond it is no reset: nothing is inside an empty window", "R 2050:2050(0)", None, "ESTABLISHED", "RFC9293-3.10.7.4-5"),
    "ack-with-text": ("an acknowledgment counts even on text that does not fit", ". 2049:2059(10) ack 1001 win 65535",
                      ". 1001:1001(0) ack 2049 win 0", "ESTABLISHED", "RFC9293-3.10.7.4-2"),
    "old": ("old text is answered", ". 1:11(10) ack 1 win 65535", ". 1001:1001(0) ack 2049 win 0", "ESTABLISHED", "RFC9293-3.10.7.4-1"),
    "fin": ("FIN occupies an octet, which an empty window has not", "F. 2049:2049(0) ack 1001 win 65535",
            ". 1001:1001(0) ack 2049 win 0", "ESTABLISHED", "RFC9293-3.4-3 RFC9293-3.4-4"),
}


def receiver_zero():
    """What still counts while our window is zero."""
    for word, (what, segment, answer, state, covers) in ZERO.items():
        v = Vector(f"window/zero-receive/{word}", f"At a receive window of zero {what}", "MUST", "RFC 9293 3.10.7.4 first", covers,
                   settings="receive-buffer=2048", family="window/zero-receive")
        v.passive()
        v.sends(". 1:1461(1460) ack 1 win 65535").expect(". 1:1(0) ack 1461 win 588", "0~.5")
        v.sends(". 1461:2049(588) ack 1 win 65535").expect(". 1:1(0) ack 2049 win 0", "0~.5")
        v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 2049 win 0")
        v.sends(segment)
        if answer:
            v.expect(answer)
        v.state(state)
        if state == "ESTABLISHED" and "ack" in word:
            v.call("unacked(4) = 0")
        if state == "ESTABLISHED" and "ack" not in word:
            v.sends(". 2049:2049(0) ack 1001 win 65535").call("unacked(4) = 0")
        yield v


def sender_window():
    """The sender stays inside what it was given."""
    for window in (1, 100, 535, 536, 1000, 1459, 1460, 1461, 2920, 4000):
        v = Vector(f"window/sender/of-{window}", f"A window of {window} octets: no octet goes beyond it", "MUST", "RFC 9293 3.8.6",
                   "SHLD-28 RFC9293-3.10.2-4 RFC9293-3.8.6.2.1-1", family="window/sender", needs="virtual-time" if window < 1460 else "")
        v.passive(win=window)
        whole = window // 1460 * 1460
        rest = window - whole if 2 * (window % 1460) >= window else 0  # less than a segment goes if it is half of the largest window
        at = 1 + whole + rest
        v.call(f"write(4, ..., {at + 2919}) = {at + 2919}")
        for n in range(window // 1460):
            v.expect(f". {1 + 1460 * n}:{1461 + 1460 * n}(1460) ack 1")
        if rest:
            v.expect(f". {1 + whole}:{at}({rest}) ack 1")
        v.note("it is taken, and the window opens: the rest goes in full segments")
        v.sends(f". 1:1(0) ack {at} win 65535")
        v.expect(f". {at}:{at + 1460}(1460) ack 1").expect(f"P. {at + 1460}:{at + 2920}(1460) ack 1")
        yield v


def sender_shrinks():
    v = Vector("window/sender/shrinks", "The peer takes its window back: nothing new goes beyond the new edge", "SHOULD",
               "RFC 9293 3.8.6", "MUST-34 SHLD-15 RFC7323-2.4-4")
    v.passive(win=5840)
    v.call("write(4, ..., 2920) = 2920").expect(". 1:1461(1460) ack 1").expect("P. 1461:2921(1460) ack 1")
    v.note("the right edge moves left, to 2921; then to 4381")
    v.sends(". 1:1(0) ack 1461 win 1460")
    v.call("write(4, ..., 4000) = 4000")
    v.sends(". 1:1(0) ack 2921 win 1460").expect(". 2921:4381(1460) ack 1")
    yield v

    v = Vector("window/sender/shrinks-to-nothing", "The window shrinks to zero with text on its way: the usable window is negative, and probing begins", "MUST",
               "RFC 9293 3.8.6", "MUST-34 MUST-35 MUST-36 SHLD-29", needs="virtual-time")
    v.passive(win=5840)
    v.call("write(4, ..., 2920) = 2920").expect(". 1:1461(1460) ack 1").expect("P. 1461:2921(1460) ack 1")
    v.sends(". 1:1(0) ack 1 win 0")
    v.note("within a second or so something goes that asks for the window")
    v.expect(". 1:2(1) ack 1", ".9~1.1")
    v.sends(". 1:1(0) ack 2921 win 5840").call("unacked(4) = 0")
    yield v


def probes():
    v = Vector("window/probe/schedule", "Zero-window probes: the first after one RTO, then ever further apart, and never given up while answered", "MUST",
               "RFC 9293 3.8.6.1", "MUST-36 MUST-37 SHLD-29 SHLD-30", needs="virtual-time")
    v.passive()
    v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 0")
    v.call("write(4, ..., 1000) = 1000")
    for gap in (1, 2, 4, 8, 16, 32, 60, 60, 60):
        v.expect(". 1001:1002(1) ack 1", str(gap) if gap == 1 else f"{gap - .01:g}")
        v.sends(". 1:1(0) ack 1001 win 0", ".01")
    v.note("the window opens, the last probe's octet taken: what waited goes at once")
    v.sends(". 1:1(0) ack 1002 win 65535").expect("P. 1002:2001(999) ack 1")
    yield v

    v = Vector("window/probe/octet-taken", "The probe's octet is taken; the rest follows when there is room", "MUST", "RFC 9293 3.8.6.1",
               "MUST-36 RFC9293-3.10.7.4-21", needs="virtual-time")
    v.passive()
    v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 0")
    v.call("write(4, ..., 1000) = 1000").expect(". 1001:1002(1) ack 1", "1")
    v.sends(". 1:1(0) ack 1002 win 2000").expect("P. 1002:2001(999) ack 1")
    yield v

    v = Vector("window/probe/nothing-to-send", "Without anything to send a zero window is not probed", "MUST", "RFC 9293 3.8.6.1", "MUST-36",
               needs="virtual-time")
    v.passive()
    v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 0")
    v.sends(". 1:1(0) ack 1001 win 65535", "300")
    yield v

    v = Vector("window/probe/fin", "FIN waits behind a zero window like text, and is probed with", "MUST", "RFC 9293 3.8.6.1",
               "MUST-36 RFC9293-3.4-4", needs="virtual-time")
    v.passive()
    v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 0")
    v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1001:1001(0) ack 1", "1")
    v.sends(". 1:1(0) ack 1002 win 0").state("FIN-WAIT-2")
    yield v


def sender_wl():
    """SND.WND follows SND.WL1 and SND.WL2 (3.10.7.4 fifth): newer segments only."""
    cases = {
        "newer-sequence": ("a later sequence number", ". 1001:1001(0) ack 1 win 3000", 3000),
        "same-sequence-same-ack": ("the same numbers again", ". 501:501(0) ack 1 win 3000", 3000),
    }
    for word, (what, segment, window) in cases.items():
        v = Vector(f"window/update/{word}", f"The window comes from a segment with {what}", "MUST", "RFC 9293 3.10.7.4 fifth",
                   "RFC9293-3.10.7.4-22")
        v.passive(win=1460)
        v.sends(". 1:501(500) ack 1 win 1460").expect(". 1:1(0) ack 501", "0~.5")
        if word == "newer-sequence":
            v.sends(". 501:1001(500) ack 1 win 1460").expect(". 1:1(0) ack 1001", "0~.5")
        v.sends(segment).call("write(4, ..., 8000) = 8000")
        ack = "1001" if word == "newer-sequence" else "501"
        v.expect(f". 1:1461(1460) ack {ack}").expect(f". 1461:2921(1460) ack {ack}")
        yield v

    v = Vector("window/update/old-segment", "A segment that was sent before the last window update does not change the window back", "MUST",
               "RFC 9293 3.10.7.4 fifth", "RFC9293-3.10.7.4-22")
    v.passive(win=1460)
    v.sends(". 501:1001(500) ack 1 win 4380").expect(". 1:1(0) ack 1")
    v.note("sent before, and came late: it fills the hole; its window is older news")
    v.sends(". 1:501(500) ack 1 win 1460").expect(". 1:1(0) ack 1001")
    v.call("write(4, ..., 8000) = 8000")
    v.expect(". 1:1461(1460) ack 1001").expect(". 1461:2921(1460) ack 1001").expect(". 2921:4381(1460) ack 1001")
    yield v


def scaling():
    for shift in range(0, 15):
        for how in ("passive", "active"):
            v = Vector(f"window/scale/{how}-{shift}", f"The peer's shift is {shift}: its window counts in units of {1 << shift}", "MUST", "RFC 7323 2.3",
                       "RFC7323-2.2-1 RFC7323-2.2-3 RFC7323-2.2-8 RFC7323-2.3-1 RFC7323-2.3-3 RFC7323-2.3-5", needs="window-scale",
                       family=f"window/scale/{how}", settings="" if how == "passive" else "timestamps=0 sack=0")
            offer, units = f"mss 1460,nop,wscale {shift}", max(1, 4380 >> shift)
            window = units << shift
            if how == "passive":
                v.passive(win=1460, offer=offer, answer="mss 1460,nop,wscale 1", ack_win=units)
            else:
                v.active(win=1460, offer="mss 1460,nop,wscale 1", answer=offer).sends(f". 1:1(0) ack 1 win {units}")
            v.call(f"write({v.fd}, ..., 20000) = 20000")
            for n in range(min(3, window // 1460)):
                v.expect(f". {1 + n * 1460}:{1461 + n * 1460}(1460) ack 1")
            yield v

    v = Vector("window/scale/above-14", "A shift above 14 counts as 14", "MUST", "RFC 7323 2.3", "RFC7323-2.3-8", needs="window-scale")
    v.passive(win=1460, offer="mss 1460,nop,wscale 15", answer="mss 1460,nop,wscale 1", ack_win=1)
    v.call("write(4, ..., 30000) = 30000")
    for n in range(3):
        v.expect(f". {1 + n * 1460}:{1461 + n * 1460}(1460) ack 1")
    yield v

    v = Vector("window/scale/syn-is-not-scaled", "The window of a SYN is never scaled", "MUST", "RFC 7323 2.2", "RFC7323-2.2-8",
               needs="window-scale", settings="timestamps=0 sack=0")
    v.active(win=1460, offer="mss 1460,nop,wscale 1", answer="mss 1460,nop,wscale 7")
    v.note("1,460 octets, not 186,880")
    v.call("write(3, ..., 8000) = 8000").expect(". 1:1461(1460) ack 1")
    v.sends(". 1:1(0) ack 1461 win 23").expect(". 1461:2921(1460) ack 1").expect(". 2921:4381(1460) ack 1")
    yield v

    v = Vector("window/scale/peer-silent", "The peer's SYN has no window scale: neither way is scaled, and the SYN,ACK has none", "MUST", "RFC 7323 2.3",
               "RFC7323-2.2-6 RFC7323-2.3-4 RFC7323-2.2-3")
    v.passive(win=1460)
    v.call("write(4, ..., 8000) = 8000").expect(". 1:1461(1460) ack 1")
    v.sends(". 1:1(0) ack 1461 win 2920").expect(". 1461:2921(1460) ack 1").expect(". 2921:4381(1460) ack 1")
    yield v

    v = Vector("window/scale/not-on-syn", "A window scale option on a segment without SYN is ignored", "MUST", "RFC 7323 2.2", "RFC7323-2.2-7")
    v.passive(win=1460)
    v.sends(". 1:1(0) ack 1 win 1460 <nop,wscale 7>").call("write(4, ..., 8000) = 8000").expect(". 1:1461(1460) ack 1")
    yield v


def nagle():
    v = Vector("window/nagle/holds", "A small segment waits while another is not acknowledged", "SHOULD", "RFC 9293 3.7.4", "SHLD-7 RFC9293-3.8.6.2.1-1")
    v.passive()
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1")
    v.call("write(4, ..., 100) = 100").call("write(4, ..., 50) = 50")
    v.note("the acknowledgment lets all of it go together")
    v.sends(". 1:1(0) ack 101 win 65535").expect("P. 101:251(150) ack 1")
    yield v

    v = Vector("window/nagle/full-segment", "A full segment does not wait", "SHOULD", "RFC 9293 3.7.4", "SHLD-7 SHLD-28 SHLD-27")
    v.passive()
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1")
    v.call("write(4, ..., 2000) = 2000").expect(". 101:1561(1460) ack 1")
    v.sends(". 1:1(0) ack 101 win 65535")
    v.sends(". 1:1(0) ack 1561 win 65535").expect("P. 1561:2101(540) ack 1")
    yield v

    v = Vector("window/nagle/off", "With Nagle off each write goes at once", "MUST", "RFC 9293 3.7.4", "MUST-17 MUST-60")
    v.passive()
    v.call("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1")
    v.call("write(4, ..., 100) = 100").expect("P. 101:201(100) ack 1")
    v.call("write(4, ..., 1) = 1").expect("P. 201:202(1) ack 1")
    yield v

    v = Vector("window/nagle/fin", "FIN goes with the small rest: nothing more can follow", "practice", "RFC 9293 3.7.4", "RFC9293-3.10.4-3")
    v.passive()
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1")
    v.call("write(4, ..., 100) = 100").call("shutdown(4, SHUT_WR) = 0").expect("FP. 101:201(100) ack 1")
    yield v

    v = Vector("window/sws/override", "Held back by a small window, text goes after 0.1 to 1 second all the same", "SHOULD", "RFC 9293 3.8.6.2.1",
               "MUST-38 RFC9293-3.8.6.2.1-1", needs="virtual-time")
    v.passive(win=4000)
    v.call("setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0")
    v.call("write(4, ..., 4000) = 4000").expect(". 1:1461(1460) ack 1").expect(". 1461:2921(1460) ack 1").expect("P. 2921:4001(1080) ack 1")
    v.sends(". 1:1(0) ack 4001 win 500").call("write(4, ..., 2000) = 2000")
    v.note("500 octets: less than a segment and than half of the largest window seen")
    v.expect(". 4001:4501(500) ack 1", ".1~1")
    yield v


def delayed():
    section = "RFC 9293 3.8.6.3"
    v = Vector("window/delayed-ack/second-segment", "Every second full-sized segment is acknowledged at once", "SHOULD", section, "SHLD-18 SHLD-19 MUST-40",
               settings="quick-acks=0")
    v.passive()
    for n in range(4):
        v.sends(f". {1 + 2920 * n}:{1461 + 2920 * n}(1460) ack 1 win 65535", ".001")
        v.sends(f". {1461 + 2920 * n}:{2921 + 2920 * n}(1460) ack 1 win 65535", ".001")
        v.expect(f". 1:1(0) ack {2921 + 2920 * n}")
    yield v
    v = Vector("window/delayed-ack/alone", "A segment alone is acknowledged within half a second", "MUST", section, "MUST-40 SHLD-18", settings="quick-acks=0")
    v.passive()
    v.sends(". 1:1461(1460) ack 1 win 65535").expect(". 1:1(0) ack 1461", "0~.499")
    yield v
    v = Vector("window/delayed-ack/rides", "The acknowledgment rides on text that goes the other way", "SHOULD", section, "SHLD-18 MUST-58", settings="quick-acks=0")
    v.passive()
    v.sends("P. 1:101(100) ack 1 win 65535").call("write(4, ..., 200) = 200").expect("P. 1:201(200) ack 101")
    yield v
    v = Vector("window/delayed-ack/out-of-order", "Text out of order is acknowledged at once", "SHOULD", "RFC 5681 4.2", "RFC5681-4.2-4 MAY-13", settings="quick-acks=0")
    v.passive()
    v.sends(". 1461:2921(1460) ack 1 win 65535").expect(". 1:1(0) ack 1")
    v.sends(". 2921:4381(1460) ack 1 win 65535").expect(". 1:1(0) ack 1")
    v.sends(". 1:1461(1460) ack 1 win 65535").expect(". 1:1(0) ack 4381")
    yield v


def vectors():
    for part in (receiver_fills(), receiver_zero(), sender_window(), sender_shrinks(), probes(), sender_wl(), scaling(), nagle(), delayed()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
