#!/usr/bin/env python3
"""patience.py - who waits for what: Nagle's algorithm, delayed ACKs, silly windows on both sides, zero-window probes, keepalive, the rules
of RFC 6298 one by one, path MTU in steps."""
import sys

from pkt import MSS, Vector, write

LETTER = "initial-window=0 congestion=reno"
EXACT = "--tolerance_usecs=2000\n--tolerance_percent=0\n"
NODELAY = "setsockopt(4, SOL_TCP, TCP_NODELAY, [{}], 4) = 0"
CORK = "setsockopt(4, SOL_TCP, TCP_CORK, [{}], 4) = 0"


def octets(at, count, flags=".", ack=1):
    return f"{flags} {at}:{at + count}({count}) ack {ack}"


def gets(v, count, segment, win=65535, after=".01"):
    """A write that goes at once, whole, and is acknowledged."""
    end = segment.split(":")[1].split("(")[0]
    return v.call(f"write(4, ..., {count}) = {count}").expect(segment).sends(f". 1:1(0) ack {end} win {win}", after)


def virtual(name, title, level, section, covers, needs="", **head):
    """Times are exact."""
    return Vector(name, title, level, section, covers, needs=" ".join(filter(None, ["virtual-time", needs])), **head).say(EXACT)


# ---- the sender waits: RFC 9293 3.7.4, 3.8.6.2.1 --------------------------------------------------------------------------------------------


def nagle():
    def begun(name, title, covers="SHLD-7", level="SHOULD", **head):
        return Vector(f"window/nagle/{name}", title, level, "RFC 9293 3.7.4", covers, **head).passive()

    v = begun("idle", "On an idle connection a small segment goes at once", "SHLD-7 MUST-60")
    yield gets(gets(v, 1, "P. 1:2(1) ack 1"), 100, "P. 2:102(100) ack 1")
    v = begun("part-acknowledged", "A small segment waits for all that is on its way, not for a part of it")
    v.call(f"write(4, ..., {MSS + 100}) = {MSS + 100}").expect(octets(1, MSS)).sends(". 1:1(0) ack 701 win 65535")
    yield v.sends(". 1:1(0) ack 1461 win 65535").expect("P. 1461:1561(100) ack 1").sends(". 1:1(0) ack 1561 win 65535")
    v = begun("fills-up", "What waits goes as soon as it is a full segment", "SHLD-7 SHLD-27 SHLD-28")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").call("write(4, ..., 1000) = 1000").call("write(4, ..., 459) = 459").call("write(4, ..., 1) = 1")
    yield v.expect(octets(101, MSS, "P.")).sends(". 1:1(0) ack 1561 win 65535")
    v = begun("switched-off", "What waits goes when Nagle's algorithm is switched off", "MUST-17 MUST-60", "MUST")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").call("write(4, ..., 100) = 100").call(NODELAY.format(1)).expect("P. 101:201(100) ack 1")
    yield v.sends(". 1:1(0) ack 201 win 65535")
    v = begun("switched-on", "It can be switched on again", "MUST-17", "MUST")
    v.call(NODELAY.format(1)).call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").call("write(4, ..., 100) = 100").expect("P. 101:201(100) ack 1")
    yield v.call(NODELAY.format(0)).call("write(4, ..., 100) = 100").sends(". 1:1(0) ack 201 win 65535").expect("P. 201:301(100) ack 1").sends(". 1:1(0) ack 301 win 65535")
    v = begun("default-off", "New connections can be without it from the start", "MUST-17", "MUST", settings="nagle=0")
    yield v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").call("write(4, ..., 100) = 100").expect("P. 101:201(100) ack 1").sends(". 1:1(0) ack 201 win 65535")
    v = begun("rides-on-an-answer", "Text that waits does not go with the acknowledgment of the peer's text: that says nothing of ours", settings="quick-acks=0 ack-delay=40ms")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").call("write(4, ..., 100) = 100").sends("P. 1:51(50) ack 1 win 65535").expect(". 101:101(0) ack 51", "0~.1")
    yield v.sends(". 51:51(0) ack 101 win 65535").expect("P. 101:201(100) ack 51").sends(". 51:51(0) ack 201 win 65535")
    v = begun("delayed-acknowledgment", "Two small writes against a peer that delays its ACK: the second goes when the ACK comes, and only then")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").call("write(4, ..., 100) = 100")
    yield v.sends(". 1:1(0) ack 101 win 65535", ".2").expect("P. 101:201(100) ack 1").sends(". 1:1(0) ack 201 win 65535", ".2")
    v = begun("corked", "Corked text waits though nothing is on its way, and goes when the cork is drawn", "MAY-15 MAY-16 MUST-60", "practice")
    v.call(CORK.format(1)).call("write(4, ..., 100) = 100").call("write(4, ..., 100) = 100", ".05").call(CORK.format(0), ".05").expect("P. 1:201(200) ack 1")
    yield v.sends(". 1:1(0) ack 201 win 65535")
    v = begun("corked-full", "A cork holds no full segment", "MAY-16 SHLD-28", "practice")
    v.call(CORK.format(1)).call(f"write(4, ..., {MSS + 40}) = {MSS + 40}").expect(octets(1, MSS)).sends(". 1:1(0) ack 1461 win 65535")
    v.call(CORK.format(0), ".05").expect("P. 1461:1501(40) ack 1")
    yield v.sends(". 1:1(0) ack 1501 win 65535")


def silly_sender():
    def begun(name, title, covers="MUST-38 RFC9293-3.8.6.2.1-1", level="MUST", win=4000, **head):
        return Vector(f"window/sws/{name}", title, level, "RFC 9293 3.8.6.2.1", covers, **head).passive(win=win)

    v = begun("all-of-it", "All that is queued fits a small window, and nothing is on its way: it goes at once")
    yield gets(v, 500, "P. 1:501(500) ack 1", win=500).call("write(4, ..., 400) = 400").expect("P. 501:901(400) ack 1").sends(". 1:1(0) ack 901 win 4000")
    v = begun("half-of-the-largest", "Half of the largest window seen is worth a segment", win=2000)
    v.call("write(4, ..., 500) = 500").expect("P. 1:501(500) ack 1").sends(". 1:1(0) ack 501 win 1000").call("write(4, ..., 3000) = 3000")
    v.expect(octets(501, 1000)).sends(". 1:1(0) ack 1501 win 2000").expect(octets(1501, MSS))
    yield v.sends(". 1:1(0) ack 2961 win 2000").expect("P. 2961:3501(540) ack 1")
    v = begun("opened-meanwhile", "The window opens before the override: full segments go, and no small one went", needs="virtual-time")
    v.call("write(4, ..., 500) = 500").expect("P. 1:501(500) ack 1").sends(". 1:1(0) ack 501 win 500").call("write(4, ..., 2000) = 2000")
    yield v.sends(". 1:1(0) ack 501 win 4000", ".05").expect(octets(501, MSS)).sends(". 1:1(0) ack 1961 win 4000").expect("P. 1961:2501(540) ack 1")
    v = virtual("window/sws/override-time", "The override of the sender's silly-window rule comes after the time that is set", "SHOULD", "RFC 9293 3.8.6.2.1", "RFC9293-3.8.6.2.1-1 MUST-38",
                settings="sws-override=300ms").passive(win=4000)
    v.call("write(4, ..., 500) = 500").expect("P. 1:501(500) ack 1").sends(". 1:1(0) ack 501 win 500").call("write(4, ..., 2000) = 2000").expect(octets(501, 500), ".3")
    yield v.sends(". 1:1(0) ack 1001 win 4000").expect(octets(1001, MSS)).sends(". 1:1(0) ack 2461 win 4000").expect("P. 2461:2501(40) ack 1")


# ---- the receiver waits: RFC 9293 3.8.6.2.2, 3.8.6.3 ----------------------------------------------------------------------------------------


def silly_receiver():
    v = Vector("window/receiver/half-of-a-small-buffer", "Of a buffer smaller than two segments half must be free before the window opens", "MUST", "RFC 9293 3.8.6.2.2",
               "MUST-39 RFC9293-3.8.6.2.2-1", settings="receive-buffer=2048").passive()
    v.sends(octets(1, MSS) + " win 65535").expect(". 1:1(0) ack 1461 win 588", "0~.5").sends(octets(1461, 588) + " win 65535").expect(". 1:1(0) ack 2049 win 0", "0~.5")
    v.call("read(4, ..., 1023) = 1023").sends(octets(2049, 1) + " win 65535").expect(". 1:1(0) ack 2049 win 0")
    yield v.call("read(4, ..., 1) = 1").expect(". 1:1(0) ack 2049 win 1024")
    v = Vector("window/receiver/one-segment-of-a-large-buffer", "Of a large buffer one full segment must be free before the window opens", "MUST", "RFC 9293 3.8.6.2.2",
               "MUST-39 RFC9293-3.8.6.2.2-1", settings="receive-buffer=8192").passive()
    for n in (0, 2):
        v.sends(octets(1 + n * MSS, MSS) + " win 65535", ".001").sends(octets(1 + (n + 1) * MSS, MSS) + " win 65535", ".001")
        v.expect(f". 1:1(0) ack {1 + (n + 2) * MSS} win {8192 - (n + 2) * MSS}")
    v.sends(octets(5841, MSS) + " win 65535", ".001").sends(octets(7301, 892, "P.") + " win 65535", ".001").expect(". 1:1(0) ack 8193 win 0", "0~.5")
    v.call(f"read(4, ..., {MSS - 1}) = {MSS - 1}").sends(octets(8193, 1) + " win 65535").expect(". 1:1(0) ack 8193 win 0")
    yield v.call("read(4, ..., 1) = 1").sends(octets(8193, 1) + " win 65535").expect(f". 1:1(0) ack 8193 win {MSS}")
    v = Vector("window/receiver/probes-answered", "Each octet that probes a window of zero is refused and answered; the first that finds room is taken", "MUST", "RFC 9293 3.8.6.1",
               "MUST-39 RFC9293-3.10.7.4-1", settings="receive-buffer=2048").passive()
    v.sends(octets(1, MSS) + " win 65535").expect(". 1:1(0) ack 1461 win 588", "0~.5").sends(octets(1461, 588) + " win 65535").expect(". 1:1(0) ack 2049 win 0", "0~.5")
    for wait in ("1", "2", "4"):
        v.sends(octets(2049, 1) + " win 65535", wait).expect(". 1:1(0) ack 2049 win 0")
    v.call("read(4, ..., 2048) = 2048").expect(". 1:1(0) ack 2049 win 2048")
    yield v.note("that update was lost: the peer probes again").sends(octets(2049, 1) + " win 65535", "8").expect(". 1:1(0) ack 2050", "0~.5").call("unread(4) = 1")
    v = Vector("window/receiver/rounded-down", "A scaled window is written in whole units, rounded down", "MUST", "RFC 7323 2.3", "RFC7323-2.3-6 MUST-39", needs="window-scale",
               settings="receive-buffer=262144")
    v.passive(offer="mss 1460,nop,wscale 0", answer="mss 1460,nop,wscale 3")
    yield v.sends(octets(1, 97, "P.") + " win 65535").expect(". 1:1(0) ack 98 win 32755", "0~.5")


def delayed():
    def begun(name, title, covers, level="SHOULD", settings="", section="RFC 9293 3.8.6.3", **head):
        return Vector(f"window/delayed-ack/{name}", title, level, section, covers, settings=" ".join(filter(None, ["quick-acks=0", settings])), **head).passive()

    v = begun("fin-behind", "FIN behind text that was not acknowledged yet is acknowledged with it, at once", "MUST-58 RFC9293-3.10.7.4-32", "MUST", section="RFC 9293 3.10.7.4 eighth")
    yield v.sends("P. 1:101(100) ack 1 win 65535").sends("F. 101:101(0) ack 1 win 65535").expect(". 1:1(0) ack 102").state("CLOSE-WAIT")
    v = begun("rides-on-fin", "The acknowledgment rides on our FIN", "SHLD-18 MUST-58", "MUST", needs="half-close")
    yield v.sends("P. 1:101(100) ack 1 win 65535").call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 101").sends(". 101:101(0) ack 2 win 65535")
    v = begun("old-text", "Old text is answered at once, and the answer acknowledges what was still owed", "RFC9293-3.10.7.4-1 MUST-58", "MUST", section="RFC 9293 3.10.7.4 first")
    v.sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", "0~.499").sends("P. 101:201(100) ack 1 win 65535").sends("P. 1:101(100) ack 1 win 65535")
    yield v.expect(". 1:1(0) ack 201").call("unread(4) = 200")
    v = begun("gap-behind", "Text out of order is answered at once, and the answer acknowledges what was still owed", "RFC5681-4.2-5 RFC5681-4.2-6 MUST-58", section="RFC 5681 4.2")
    yield v.sends("P. 1:101(100) ack 1 win 65535").sends("P. 201:301(100) ack 1 win 65535").expect(". 1:1(0) ack 101").sends("P. 101:201(100) ack 1 win 65535").expect(". 1:1(0) ack 301")
    v = begun("trickle", "Small segments that keep coming do not put the acknowledgment off for half a second", "MUST-40", "MUST", "ack-every=100")
    v.sends("P. 1:11(10) ack 1 win 65535", ".01").sends("P. 11:21(10) ack 1 win 65535", ".05").sends("P. 21:31(10) ack 1 win 65535", ".05")
    yield v.note("the first came a tenth of a second ago").expect(". 1:1(0) ack 31", "0~.399")
    v = begun("acknowledgments", "An ACK without text is never acknowledged", "SHLD-18 RFC9293-3.10.7.4-21", "MUST")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").sends(". 1:1(0) ack 101 win 65535").sends(". 1:1(0) ack 101 win 60000").sends(". 1:1(0) ack 101 win 65535")
    yield v.state("ESTABLISHED", "1")
    v = virtual("window/delayed-ack/time", "A segment alone is acknowledged after the time that is set", "SHOULD", "RFC 9293 3.8.6.3", "SHLD-18 MUST-40", settings="quick-acks=0 ack-delay=120ms")
    v.passive().sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", ".12").sends("P. 101:201(100) ack 1 win 65535", "1").expect(". 1:1(0) ack 201", ".12")
    yield v
    v = virtual("window/delayed-ack/first-ones", "The first segments after the open are acknowledged at once where that is set", "practice", "RFC 5681 4.2", "", settings="quick-acks=2 ack-delay=120ms")
    v.passive().sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101").sends("P. 101:201(100) ack 1 win 65535").expect(". 1:1(0) ack 201")
    yield v.sends("P. 201:301(100) ack 1 win 65535").expect(". 1:1(0) ack 301", ".12")


# ---- probes of a window of zero: RFC 9293 3.8.6.1 -------------------------------------------------------------------------------------------


def probes():
    def begun(name, title, covers, level="MUST", needs="", settings=LETTER, **head):
        v = virtual(f"window/probe/{name}", title, level, "RFC 9293 3.8.6.1", covers, needs=needs, settings=settings, **head)
        v.passive().call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 0")
        return v.call("write(4, ..., 1000) = 1000")

    probe, shut = ". 1001:1002(1) ack 1", ". 1:1(0) ack 1001 win 0"
    v = begun("from-measured-times", "The first probe waits for the timeout that was measured", "SHLD-29 RFC6298-2-4 MUST-36", "SHOULD")
    v.lines = []
    v.say(EXACT).passive(rtt=".9").note("a round of 0.9 s: the timeout is 0.9 + 4 x 0.45 s; another of 0.9 s: 0.9 + 4 x 0.3375 s")
    v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(shut, ".9").call("write(4, ..., 1000) = 1000").expect(probe, "2.25")
    yield v.sends(". 1:1(0) ack 1002 win 65535").expect("P. 1002:2001(999) ack 1")
    v = begun("schedule-anew", "When the window has opened and closed again, probing begins with short waits again", "SHLD-29 SHLD-30 MUST-36", "SHOULD")
    v.expect(probe, "1").sends(shut).expect(probe, "1.99").sends(shut).expect(probe, "3.99").sends(". 1:1(0) ack 1002 win 65535").expect("P. 1002:2001(999) ack 1")
    v.sends(". 1:1(0) ack 2001 win 0").call("write(4, ..., 100) = 100").expect(". 2001:2002(1) ack 1", "1").sends(". 1:1(0) ack 2001 win 0").expect(". 2001:2002(1) ack 1", "1.99")
    yield v.sends(". 1:1(0) ack 2002 win 65535").expect("P. 2002:2101(99) ack 1")
    v = begun("longest-wait", "The waits between probes grow to what is set, and no further", "SHLD-30 MUST-36", "SHOULD", settings=LETTER + " persist-max=4s")
    for gap in ("1", "1.99", "3.99", "3.99", "3.99"):
        v.expect(probe, gap).sends(shut)
    yield v.sends(". 1:1(0) ack 1002 win 65535").expect("P. 1002:2001(999) ack 1")
    v = begun("reset", "A RST for a probe ends the connection", "MUST-36 RFC9293-3.10.7.4-10")
    yield v.expect(probe, "1").sends("R 1:1(0)").call("write(4, ..., 1) = -1 ECONNRESET (Connection reset by peer)")
    v = begun("unanswered", "Probes that nobody answers are no reason to stay for ever: R2 ends the connection", "MUST-20 MUST-36 RFC9293-3.10.8-1", settings=LETTER + " r2=10s")
    yield v.expect(probe, "1").expect(probe, "2").expect(probe, "4").state("CLOSED", "8")
    v = begun("update-by-text", "The window may open by a segment with text as well", "MUST-36 RFC9293-3.10.7.4-22")
    v.sends("P. 1:101(100) ack 1001 win 65535", ".5").expect("P. 1001:2001(1000) ack 101").sends(". 101:101(0) ack 2001 win 65535")
    yield v.call("unacked(4) = 0")
    v = begun("small-opening", "The window opens by less than a segment, and all that waits fits: it goes at once", "MUST-36 RFC9293-3.8.6.2.1-1")
    v.sends(". 1:1(0) ack 1001 win 1000", ".5").expect("P. 1001:2001(1000) ack 1")
    yield v.sends(". 1:1(0) ack 2001 win 65535").call("unacked(4) = 0")
    v = begun("octet-refused", "The window opens, but the octet of the probe was refused: it goes again at once, with what follows", "MUST-36 RFC9293-3.10.7.4-21", "practice")
    v.call(NODELAY.format(1)).note("the second write waits for the window").expect(probe, "1").sends(". 1:1(0) ack 1001 win 65535").expect(probe).expect("P. 1002:2001(999) ack 1")
    v.sends(". 1:1(0) ack 2001 win 65535")
    yield v.call("unacked(4) = 0")
    stamp = " <nop,nop,TS val {} ecr {}>"
    v = virtual("window/probe/stamped", "A probe carries a timestamp like every segment", "MUST", "RFC 7323 3.2", "RFC7323-3.2-6 MUST-36", needs="timestamps", settings=LETTER)
    v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options="nop,nop,TS val 1010 ecr 100")
    v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1" + stamp.format(110, 1010)).sends(". 1:1(0) ack 1001 win 0" + stamp.format(1020, 110))
    v.call("write(4, ..., 100) = 100").expect(". 1001:1002(1) ack 1" + stamp.format(1120, 1020), "1").sends(". 1:1(0) ack 1002 win 65535" + stamp.format(2030, 1120))
    yield v.expect("P. 1002:1101(99) ack 1" + stamp.format(1130, 2030)).sends(". 1:1(0) ack 1101 win 65535" + stamp.format(2040, 1130))
    v = virtual("window/probe/fin-wait-1", "After CLOSE the text before our FIN still probes a window of zero", "MUST", "RFC 9293 3.8.6.1", "MUST-36 RFC9293-3.10.4-3", needs="half-close", settings=LETTER)
    v.passive().call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(shut).call("write(4, ..., 100) = 100").call("shutdown(4, SHUT_WR) = 0").state("FIN-WAIT-1")
    yield v.expect(probe, "1").sends(shut).expect(probe, "1.99").sends(". 1:1(0) ack 1002 win 65535").expect("FP. 1002:1101(99) ack 1").sends(". 1:1(0) ack 1102 win 65535").state("FIN-WAIT-2")
    v = virtual("window/probe/closing", "In CLOSING the text before our FIN still probes a window of zero", "MUST", "RFC 9293 3.8.6.1", "MUST-36 RFC9293-3.10.7.4-34", needs="half-close", settings=LETTER)
    v.passive().call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(shut).call("write(4, ..., 100) = 100").call("shutdown(4, SHUT_WR) = 0")
    v.sends("F. 1:1(0) ack 1001 win 0").expect(". 1001:1001(0) ack 2").state("CLOSING").expect(". 1001:1002(1) ack 2", ".99")
    yield v.sends(". 2:2(0) ack 1002 win 65535").expect("FP. 1002:1101(99) ack 2").sends(". 2:2(0) ack 1102 win 65535").state("TIME-WAIT")


# ---- keepalive: RFC 9293 3.8.4 --------------------------------------------------------------------------------------------------------------


def keepalive():
    on = "setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0"
    short = "keepalive-idle=10s keepalive-interval=5s keepalive-count=3"

    def begun(name, title, covers, level="MUST", **head):
        return virtual(f"timer/keepalive/{name}", title, level, "RFC 9293 3.8.4", covers, needs="keepalive", settings=short, **head).passive()

    probe, alive = ". 0:0(0) ack 1", ". 1:1(0) ack 1 win 65535"
    v = begun("reset", "A peer that has forgotten the connection answers a probe by RST", "MUST-24 RFC9293-3.10.7.4-10")
    yield v.call(on).expect(probe, "10").sends("R 1:1(0)").call("read(4, ..., 1) = -1 ECONNRESET (Connection reset by peer)")
    v = begun("text-answers", "Text is an answer as good as an ACK", "MUST-26")
    v.call(on).expect(probe, "10").sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", "0~.5").expect(". 0:0(0) ack 101", "9.4~10")
    yield v.sends(". 101:101(0) ack 1 win 65535")
    v = begun("one-lost", "A probe is lost, the next is answered: the wait is the long one again", "MUST-29 MUST-26")
    yield v.call(on).expect(probe, "10").expect(probe, "5").sends(alive).expect(probe, "10").sends(alive)
    v = begun("count-anew", "An answer makes all earlier losses forgotten", "MUST-29")
    v.call(on)
    for _ in range(2):
        v.expect(probe, "10").expect(probe, "5").expect(probe, "5").sends(alive)
    yield v.state("ESTABLISHED")
    v = begun("of-one-connection", "Idle time, interval and count can be set for one connection", "MUST-27 MUST-24")
    v.call("setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [20], 4) = 0").call("setsockopt(4, SOL_TCP, TCP_KEEPINTVL, [2], 4) = 0").call("setsockopt(4, SOL_TCP, TCP_KEEPCNT, [2], 4) = 0").call(on)
    yield v.expect(probe, "20").expect(probe, "2").state("ESTABLISHED", "1.9").state("CLOSED", ".2")
    v = virtual("timer/keepalive/switched-on-late", "Switched on after a long silence, it probes within its idle time", "practice", "RFC 9293 3.8.4", "MUST-24", needs="keepalive").passive()
    v.call("setsockopt(4, SOL_TCP, TCP_KEEPIDLE, [10], 4) = 0").call(on, "100").expect(probe, "0~10").sends(alive)
    yield v.state("ESTABLISHED")
    for word, segment in (("without-text", ". 0:0(0) ack 1 win 65535"), ("with-an-octet", ". 0:1(1) ack 1 win 65535")):
        v = Vector(f"timer/keepalive/of-the-peer-{word}", f"A probe of the peer's ({word.replace('-', ' ')}) is answered", "MUST", "RFC 9293 3.8.4",
                   "RFC9293-3.10.7.4-1").passive()
        yield v.sends(segment, "60").expect(". 1:1(0) ack 1").sends(segment, "60").expect(". 1:1(0) ack 1").call("unread(4) = 0")
    v = begun("not-while-probing-a-window", "While a window of zero is probed no keepalive goes besides", "MUST-26 MUST-36")
    v.call(on).call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").sends(". 1:1(0) ack 101 win 0").call("write(4, ..., 100) = 100")
    for gap in ("1", "1.99", "3.99", "7.99", "15.99"):
        v.expect(". 101:102(1) ack 1", gap).sends(". 1:1(0) ack 101 win 0")
    yield v.sends(". 1:1(0) ack 102 win 65535").expect("P. 102:201(99) ack 1").sends(". 1:1(0) ack 201 win 65535")


# ---- RFC 6298, rule by rule -----------------------------------------------------------------------------------------------------------------


def rules_6298():
    def begun(name, title, covers, level="MUST", section="RFC 6298 5", settings=LETTER, **head):
        return virtual(f"timer/rto/{name}", title, level, section, covers, settings=settings, **head)

    ack = ". 1:1(0) ack {} win 65535"
    v = begun("first-sample", "The first measurement gives SRTT = R, RTTVAR = R/2: the timeout is three rounds", "RFC6298-2-3", section="RFC 6298 2", settings=LETTER + " rto-min=200ms")
    yield v.passive(rtt=".3").call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").expect("P. 1:101(100) ack 1", ".9").sends(ack.format(101))
    v = begun("second-sample", "The second measurement enters with an eighth and a quarter", "RFC6298-2-5 RFC6298-2-6 RFC6298-2-7", section="RFC 6298 2", settings=LETTER + " rto-min=200ms")
    v.passive(rtt=".4").call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").sends(ack.format(101), ".8")
    v.note("RTTVAR = 3/4 x 0.2 + 1/4 x 0.4 = 0.25, SRTT = 7/8 x 0.4 + 1/8 x 0.8 = 0.45").call("write(4, ..., 100) = 100").expect("P. 101:201(100) ack 1")
    yield v.expect("P. 101:201(100) ack 1", "1.45").sends(ack.format(201))
    v = begun("at-least-a-second", "A timeout that comes out below one second is one second", "RFC6298-2-8", "SHOULD", "RFC 6298 2")
    yield gets(v.passive(), 100, "P. 1:101(100) ack 1").call("write(4, ..., 100) = 100").expect("P. 101:201(100) ack 1").expect("P. 101:201(100) ack 1", "1").sends(ack.format(201))
    v = begun("at-most", "A timeout does not grow beyond the largest that is set", "RFC6298-2-9", "MAY", "RFC 6298 2", settings=LETTER + " rto-max=60s")
    v.passive().call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1")
    for gap in (1, 2, 4, 8, 16, 32, 60, 60):
        v.expect("P. 1:101(100) ack 1", str(gap))
    yield v.sends(ack.format(101))
    v = begun("initial-three", "Before any measurement another first timeout may be set", "RFC6298-2-2", "MAY", "RFC 6298 2", settings="rto-initial=3s timestamps=0 sack=0 window-scale=0")
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>").expect("S 0:0(0) <mss 1460>", "3").expect("S 0:0(0) <mss 1460>", "6")
    yield v.sends("S. 0:0(0) ack 1 win 65535 <mss 1460>").expect(". 1:1(0) ack 1")
    v = begun("runs-already", "More text does not put off the timer that runs", "RFC6298-5-3 RFC6298-5-1")
    v.passive().call(f"write(4, ..., {MSS}) = {MSS}").expect(octets(1, MSS, "P.")).call(f"write(4, ..., {MSS}) = {MSS}", ".6").expect(octets(1461, MSS, "P."))
    yield v.expect(octets(1, MSS), ".4").sends(ack.format(2921))
    v = begun("duplicates", "Acknowledgments of nothing new do not put off the timer", "RFC6298-5-5")
    v.passive().call(f"write(4, ..., {2 * MSS}) = {2 * MSS}").expect(octets(1, MSS)).expect(octets(1461, MSS, "P.")).sends(ack.format(1), ".5").sends(ack.format(1), ".3")
    yield v.expect(octets(1, MSS), ".2").sends(ack.format(2921))
    v = begun("window-update", "A change of the window does not put off the timer", "RFC6298-5-5")
    v.passive().call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").sends(". 1:1(0) ack 1 win 60000", ".5").sends(". 1:1(0) ack 1 win 65000", ".3")
    yield v.expect("P. 1:101(100) ack 1", ".2").sends(ack.format(101))
    v = begun("text-of-the-peer", "Text of the peer does not put off the timer", "RFC6298-5-5", settings=LETTER + " quick-acks=0 ack-delay=200ms")
    v.passive().call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").sends("P. 1:101(100) ack 1 win 65535", ".4").expect(". 101:101(0) ack 101", ".2")
    yield v.expect("P. 1:101(100) ack 101", ".4").sends(". 101:101(0) ack 101 win 65535")
    v = begun("started-anew", "After a pause the timer runs from the next text, not from the last", "RFC6298-5-3 RFC6298-5-4")
    yield gets(v.passive(), 100, "P. 1:101(100) ack 1").call("write(4, ..., 100) = 100", ".7").expect("P. 101:201(100) ack 1").expect("P. 101:201(100) ack 1", "1").sends(ack.format(201))
    v = begun("part-of-a-segment", "Of a segment that was acknowledged in part the rest goes again", "RFC6298-5-6 RFC6298-5-5")
    yield v.passive().call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(ack.format(401), ".5").expect("P. 401:1001(600) ack 1", "1").sends(ack.format(1001))
    v = begun("backoff-kept", "The doubled timeout holds for the next segment too, until there is a measurement", "RFC6298-5-7 RFC6298-3-1")
    v.passive().call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1").expect("P. 1:101(100) ack 1", "1").sends(ack.format(101))
    yield v.call("write(4, ..., 100) = 100").expect("P. 101:201(100) ack 1").expect("P. 101:201(100) ack 1", "2").expect("P. 101:201(100) ack 1", "4").sends(ack.format(201))


# ---- path MTU in steps: RFC 1191, 8201 ------------------------------------------------------------------------------------------------------


def path_mtu():
    def pieces(v, start, end, size, last="P.", ack=1):
        for at in range(start, end, size):
            stop = min(at + size, end)
            v.expect(octets(at, stop - at, last if stop == end else ".", ack))
        return v

    too_big = "icmp unreachable frag_needed mtu {} [{}:{}({})]"
    begun = lambda name, title, covers, needs="icmp pmtud", **head: Vector(f"icmp/path/{name}", title, "MUST", "RFC 1191 3", covers, needs=needs, settings=LETTER, **head)
    v = begun("steps", "Three routers, each with a smaller next hop: each message makes segments smaller", "RFC1191-3-1 RFC1191-3-2 RFC1191-3-4").passive()
    v.call(f"write(4, ..., {MSS}) = {MSS}").expect(octets(1, MSS, "P.")).sends(too_big.format(1400, 1, 1461, MSS)).expect(octets(1, 1360)).expect(octets(1361, 100, "P."))
    v.sends(too_big.format(1000, 1, 1361, 1360)).expect(octets(1, 960)).expect(octets(961, 500, "P."))
    v.sends(too_big.format(600, 1, 961, 960)).expect(octets(1, 560)).expect(octets(561, 560)).expect(octets(1121, 340, "P."))
    yield v.sends(". 1:1(0) ack 1461 win 65535")
    v = begun("stays", "What a router said stays in force for all that is sent later", "RFC1191-3-2 RFC1191-3-4").passive()
    v.call(f"write(4, ..., {MSS}) = {MSS}").expect(octets(1, MSS, "P.")).sends(too_big.format(1000, 1, 1461, MSS))
    pieces(v, 1, 1461, 960).sends(". 1:1(0) ack 1461 win 65535").call("write(4, ..., 1920) = 1920")
    yield pieces(v, 1461, 3381, 960).sends(". 1:1(0) ack 3381 win 65535")
    v = begun("fin", "FIN stays behind the last piece of its segment", "RFC1191-3-2 RFC9293-3.4-4", "icmp pmtud half-close").passive()
    v.call(CORK.format(1)).call("write(4, ..., 1459) = 1459").call("shutdown(4, SHUT_WR) = 0").expect(octets(1, 1459, "FP.")).sends(too_big.format(1000, 1, 1460, 1459))
    yield pieces(v, 1, 1460, 960, "FP.").sends(". 1:1(0) ack 1461 win 65535").state("FIN-WAIT-2")
    v = begun("urgent", "The pieces of an urgent segment are urgent, each with its own distance to the end", "RFC1191-3-2 MUST-62", "icmp pmtud urgent").passive()
    v.call(f"send(4, ..., {MSS}, MSG_OOB) = {MSS}").expect(f"PU. 1:1461({MSS}) ack 1 urg {MSS}").sends(too_big.format(1000, 1, 1461, MSS))
    yield v.expect(f"U. 1:961(960) ack 1 urg {MSS}").expect("PU. 961:1461(500) ack 1 urg 500").sends(". 1:1(0) ack 1461 win 65535")
    stamp = " <nop,nop,TS val {} ecr {}>"
    v = begun("stamped", "Where segments carry timestamps the pieces are smaller by these", "RFC1191-3-2 MUST-16 RFC6691-2-3", "icmp pmtud timestamps")
    v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options="nop,nop,TS val 1010 ecr 100")
    v.call("write(4, ..., 1448) = 1448").expect("P. 1:1449(1448) ack 1" + stamp.format(110, 1010)).sends(too_big.format(1000, 1, 1449, 1448))
    yield v.expect(". 1:949(948) ack 1" + stamp.format(120, 1010)).expect("P. 949:1449(500) ack 1" + stamp.format(120, 1010)).sends(". 1:1(0) ack 1449 win 65535" + stamp.format(1030, 120))
    v = begun("close-wait", "After the peer's FIN too what was too big goes again in pieces", "RFC1191-3-2 RFC1191-3-4").passive()
    v.sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2", "0~.5").call(f"write(4, ..., {MSS}) = {MSS}").expect(octets(1, MSS, "P.", 2)).sends(too_big.format(1000, 1, 1461, MSS))
    yield pieces(v, 1, 1461, 960, ack=2).sends(". 2:2(0) ack 1461 win 65535").state("CLOSE-WAIT")
    v = begun("announced-mss", "A smaller path makes us send less, not accept less: the MSS that was announced stands", "RFC1191-3.1-1").passive()
    v.call(f"write(4, ..., {MSS}) = {MSS}").expect(octets(1, MSS, "P.")).sends(too_big.format(1000, 1, 1461, MSS))
    pieces(v, 1, 1461, 960).sends(". 1:1(0) ack 1461 win 65535").sends(octets(1, MSS, ack=1461) + " win 65535").expect(". 1461:1461(0) ack 1461", "0~.5")
    yield v.call("unread(4) = 1460")


def vectors():
    for part in (nagle, silly_sender, silly_receiver, delayed, probes, keepalive, rules_6298, path_mtu):
        yield from part()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
