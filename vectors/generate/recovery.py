#!/usr/bin/env python3
"""recovery.py - RACK-TLP (RFC 8985): losses found by the time that has passed, and the probe for a lost tail.

Round trips of 100 ms, ten segments at once, Reno; times are milliseconds since they went. PRR (RFC 9937) says how much goes in recovery. Timers may be
12 ms late, as those of kernels are; what is to be told apart is further apart."""
import sys

from pkt import write
from timeline import Timeline

RACK = "rack=1 prr=1"


def rack(name, title, covers, segments=10, section="RFC 8985 6.2", level="SHOULD", settings="", needs="", **more):
    return Timeline(f"recovery/rack/{name}", title, level, section, covers, segments, settings=f"{RACK} {settings}", needs=f"rack prr {needs}", tolerance=12, **more)


def tlp(name, title, covers, segments=10, section="RFC 8985 7.3", level="SHOULD", settings="", needs="", **more):
    return Timeline(f"recovery/tlp/{name}", title, level, section, covers, segments, settings=f"{RACK} {settings}", needs=f"tlp {needs}", tolerance=12, **more)


def by_time():
    """When a segment is lost."""
    t = rack("one-sacked", "One segment reported above a hole: the hole is lost a quarter of the least round trip later", "RFC8985-6.2-7 RFC8985-6.2-8 RFC8985-3.3.2-2 RFC8985-1-1")
    t.new(10).ack(0, (1, 2), at=100).again(0, at=125).ack(10, at=225)
    yield t
    t = rack("two-sacked", "Two segments reported are too few: the reordering window stands", "RFC8985-6.2-6 RFC8985-6.2-7 RFC8985-3.3.2-1")
    t.new(10).ack(0, (1, 2), at=100).ack(0, (1, 3), at=100).again(0, at=125).ack(10, at=225)
    yield t
    t = rack("three-sacked-at-once", "Three segments reported and no reordering seen: no window, the hole is lost at once", "RFC8985-6.2-6 RFC8985-3.3.2-1 RFC8985-4-1")
    t.new(10).ack(0, (1, 4), at=100).again(0).ack(10, at=200)
    yield t
    t = rack("three-sacked-one-by-one", "The third report ends the wait that the first began", "RFC8985-6.2-6 RFC8985-3.3.2-1 RFC8985-9.2-1")
    t.new(10).ack(0, (1, 2), at=100).ack(0, (1, 3), at=105).ack(0, (1, 4), at=110).again(0).ack(10, at=210)
    yield t
    t = rack("three-apart", "Three reports far from each other count like neighbours; only what was sent before them is lost", "RFC8985-6.2-6 RFC8985-6.2-3", 12)
    t.new(10).ack(0, (1, 2), at=100).note("the two new ones are limited transmit").new(1)
    t.ack(0, (5, 6), (1, 2), at=101).new(1).ack(0, (9, 10), (5, 6), (1, 2), at=102)
    t.note("0, 2-4 and 6-8 are lost: the first goes at once, for the next PRR waits until more is delivered").again(0)
    t.ack(12, at=202)
    yield t
    t = rack("the-newest-counts", "What was sent after the newest segment delivered is not judged", "RFC8985-6.2-3 RFC8985-6.2-7")
    t.new(10).ack(0, (3, 4), at=100).note("three are lost, not the six above").again(0, at=125).asserts("tcpi_lost <= 3")
    t.ack(10, at=225)
    yield t
    t = rack("later-and-later", "Lateness is counted from the round trip of the newest segment delivered, the window from the least one", "RFC8985-6.2-7 RFC8985-6.2-2 RFC8985-6.2-3")
    t.new(10).note("180 ms, not 100: the path has become slower").ack(0, (1, 2), at=180).again(0, at=205).ack(10, at=385)
    yield t
    t = rack("slower-again", "Each report may show a longer round trip: the timer moves with it", "RFC8985-6.2-8 RFC8985-6.2-7")
    t.new(10).ack(0, (1, 2), at=100).ack(0, (1, 3), at=110).quiet(128).again(0, at=135).ack(10, at=235)
    yield t
    t = rack("filled-in-time", "A hole that is filled within the window was reordering: nothing goes again", "RFC8985-6.2-8 RFC8985-3.3.2-2")
    t.new(10).ack(0, (1, 2), at=100).ack(2, at=115).ack(10, at=118).quiet(400)
    yield t
    t = rack("nothing-below", "An acknowledgment without a hole makes nothing lost, however late the rest is", "RFC8985-6.2-7")
    t.new(10).ack(5, at=100).quiet(280).ack(10, at=290)
    yield t
    t = rack("second-hole-in-recovery", "In recovery, no reordering seen, one report is enough for the next hole", "RFC8985-6.2-6 RFC8985-3.3.2-1 RFC8985-6.2-7")
    t.new(10).ack(0, (1, 4), at=100).again(0).ack(0, (1, 5), at=101).note("5 is a hole as well").ack(0, (6, 7), (1, 5), at=102).again(5)
    t.ack(5, (6, 10), at=200).ack(10, at=202)
    yield t
    t = rack("many-in-one-report", "One report that stands for many segments, the newest first, shows no reordering: its hole is lost at once", "RFC8985-6.2-4 RFC8985-6.2-6")
    t.new(10).ack(0, (1, 4), at=100).again(0).note("4, 6 and 7 in one report; 5 is a hole as well").ack(0, (6, 8), (1, 5), at=102).again(5)
    t.ack(5, (6, 10), at=200).ack(10, at=202)
    yield t
    t = rack("two-holes", "Two holes known at once are filled in order, the second when cwnd has room", "RFC8985-6.2-7 RFC8985-9.3-1 RFC8985-9.3-2 RFC9937-6.2-5 RFC9937-6.2-9")
    t.new(10).ack(0, (1, 2), (3, 6), at=100).note("PRR: four in flight, ssthresh is five").again(0).ack(0, (3, 7), (1, 2), at=101).again(2).ack(10, at=200)
    yield t
    t = rack("without-sack", "Without SACK there is no RACK: the third duplicate tells", "RFC8985-4-1", sack=False, section="RFC 8985 4", level="MUST")
    t.new(10).ack(0, at=100).quiet(150).ack(0, at=151).quiet(200).ack(0, at=201).again(0).ack(10, at=301)
    yield t
    t = rack("the-newest-stays", "A segment that arrives after one sent later takes nothing back: all before the newest are judged", "RFC8985-6.2-3")
    t.new(10).ack(0, (5, 6), at=100).ack(0, (1, 2), (5, 6), at=102).again(0, at=127).note("2 to 4 besides").asserts("tcpi_lost >= 3").ack(10, at=227)
    yield t
    t = rack("with-an-advance", "A report that comes with an advance is a report: what is below it is lost, and recovery begins", "RFC8985-6.2-7 RFC9937-6.1-2", 14)
    t.new(10).note("10 in flight before, PRR: four delivered, 1.8 segments").ack(1, (2, 5), at=100).again(1).asserts("tcpi_snd_ssthresh >= 4").ack(10, at=200).new(4).ack(14, at=300)
    yield t
    t = rack("stamped", "With timestamps as without them", "RFC8985-6.2-7 RFC8985-6.2-8", stamps=True)
    t.new(10).ack(0, (1, 2), at=100).again(0, at=125).ack(10, at=225, echo=125)
    yield t
    t = rack("by-octets", "Small segments are segments: the third report of 100 octets counts", "RFC8985-6.2-6", 0, more="setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0")
    t.size = 100
    for _ in range(5):
        t.write(1, 0)
    t.count = 0
    for n in range(5):
        t.v.expect(f"P. {t.octet(n)}:{t.octet(n + 1)}(100) ack 1")
    t.ack(0, (1, 2), at=100).ack(0, (1, 3), at=104).ack(0, (1, 4), at=108)
    t.v.expect(". 1:101(100) ack 1", t.after(108))
    t.ack(5, at=208)
    yield t


def hole(t, at, wait, rtt=100):
    """Two segments, of which only the second is reported: how long until the first goes again?"""
    n = t.next
    return t.write(2, at).new(2).ack(n, (n + 1, n + 2), at=at + rtt).again(n, at=at + rtt + wait).ack(n + 2, at=at + 2 * rtt + wait)


def spurious(t, at, wait, more=False):
    """The same, but the first was late: the retransmission was not needed, which a D-SACK tells 10 ms later; `more`: while other text is in flight."""
    n = t.next
    t.write(2, at).new(2).ack(n, (n + 1, n + 2), at=at + 100).again(n, at=at + 100 + wait).ack(n + 2, at=at + 104 + wait)
    if more:
        t.write(2, at + 106 + wait).new(2)
    return t.ack(n + 2, (n, n + 1), at=at + 110 + wait)


def reordering():
    """The window: how it opens, and closes again."""
    t = rack("reordering-seen", "Where reordering was seen three reports wait like one", "RFC8985-6.2-4 RFC8985-6.2-6")
    t.new(10).ack(0, (1, 2), at=100).note("a segment sent once, below the highest reported: late, not lost").ack(2, at=110).ack(10, at=112)
    t.write(6, 300).new(6).ack(10, (11, 15), at=400).again(10, at=425).ack(16, at=525)
    yield t
    t = rack("reordering-seen-in-recovery", "Where reordering was seen the window stands in recovery as well", "RFC8985-6.2-4 RFC8985-6.2-6")
    t.new(10).ack(0, (1, 2), at=100).ack(2, at=110).ack(10, at=112)
    t.write(8, 300).new(8).ack(10, (11, 15), at=400).again(10, at=425).note("15 is a hole as well").ack(10, (16, 17), (11, 15), at=430).quiet(446)
    t.again(15, at=455).ack(18, at=555)
    yield t
    t = rack("window-in-recovery", "In recovery one report is enough where no reordering was seen, however few there were before", "RFC8985-6.2-6 RFC8985-3.3.2-1", 4)
    t.new(4).ack(0, (1, 2), at=100).again(0, at=125).ack(0, (3, 4), (1, 2), at=130).again(2).ack(4, at=230)
    yield t
    t = rack("not-by-a-retransmission", "What was sent twice says nothing of order: three reports count at once afterwards", "RFC8985-6.2-4 RFC8985-6.2-6", 10)
    t.new(10).ack(0, (1, 4), at=100).again(0).ack(10, at=200)
    t.write(5, 300).new(5).ack(10, (11, 14), at=400).again(10).ack(15, at=500)
    yield t
    for rounds in range(1, 5):
        wait = min(25 * (1 + rounds), 100)
        t = rack(f"dsack-{rounds}", f"After {rounds} round{'s' if rounds > 1 else ''} with a D-SACK the window is {wait} ms" + (", SRTT and no more" if rounds == 4 else ""),
                 "RFC8985-6.2-5 RFC8985-3.3.2-3 RFC8985-4-4" + (" RFC8985-3.3.2-4 RFC8985-3.3.2-5" if rounds == 4 else ""), 0, needs="dsack")
        for n in range(rounds):
            spurious(t, 400 * n, min(25 * (1 + n), 100))
        yield hole(t, 400 * rounds, wait)
    t = rack("dsack-twice-a-round", "Two D-SACKs in one round widen the window once", "RFC8985-6.2-5", 0, needs="dsack virtual-time")
    spurious(t, 0, 25, more=True).ack(2, (1, 2), at=140).ack(4, at=231)
    yield hole(t, 400, 50)
    t = rack("dsack-nothing-in-flight", "A round is over when what had been sent at its D-SACK is acknowledged: with nothing in flight the next D-SACK is of another round", "RFC8985-6.2-5", 0,
             needs="dsack virtual-time")
    spurious(t, 0, 25).ack(2, (1, 2), at=140)
    yield hole(t, 400, 75)
    t = rack("dsack-three-sacked", "After a D-SACK three reports wait for the wider window: it tells of reordering", "RFC8985-6.2-6 RFC8985-3.3.2-3", 0, needs="dsack", level="practice")
    t.write(10, 0).new(10).ack(0, (1, 2), at=100).again(0, at=125).ack(10, at=129).ack(10, (0, 1), at=135)
    t.write(5, 300).new(5).ack(10, (11, 15), at=400).again(10, at=450).ack(15, at=550)
    yield t
    for recoveries in (15, 16):
        kept = recoveries < 16
        t = rack(f"persists-{recoveries}", f"After {recoveries} recoveries the window that a D-SACK widened is {'kept' if kept else 'a quarter of the least round trip again'}",
                 "RFC8985-6.2-5", 0, needs="dsack virtual-time")
        spurious(t, 0, 25)
        for n in range(recoveries):
            hole(t, 400 * (n + 1), 50)
        yield hole(t.note("the next one"), 400 * (recoveries + 1), 50 if kept else 25)
    t = rack("least-of-rounds", "The window follows the least round trip seen, when that becomes less", "RFC8985-6.2-7", 2, rtt=200)
    t.new(2).note("40 ms").ack(2, at=40).write(2, 100).new(2).ack(2, (3, 4), at=140).again(2, at=150).ack(4, at=190)
    yield t
    t = rack("least-stays", "A longer round trip leaves the least one", "RFC8985-6.2-7 RFC8985-3.3.2-2", 2)
    t.new(2).note("180 ms").ack(2, at=180).write(2, 300).new(2).ack(2, (3, 4), at=400).again(2, at=425).ack(4, at=525)
    yield t
    for seconds, wait in ((299, 25), (301, 45)):
        t = rack(f"least-after-{seconds}-seconds", f"The least round trip counts {'' if wait == 25 else 'no longer '}after {seconds} seconds: it is that of the last five minutes", "RFC8985-6.2-1", 0,
                 level="practice", needs="virtual-time")
        at = 1000 * seconds
        t.write(2, at).new(2).note("180 ms").ack(2, at=at + 180)
        yield hole(t, at + 300, wait, 200)


def start_again(t):
    """A recovery in which new text goes: with the retransmission at 100 ms, and a millisecond later."""
    t.new(10).ack(0, (1, 8), at=100).note("PRR: two in flight, ssthresh is five").again(0).new(2)
    return t.ack(0, (1, 10), at=101).new(2)


def again_and_again():
    """Retransmissions, lost or late."""
    t = rack("lost-again", "A retransmission is lost as well: what was sent with it, and has the higher number, arrives", "RFC8985-6.2-3 RFC8985-6.2-7 RFC8985-6.1-1 RFC9937-6.2-5 RFC9937-5-3", 15)
    start_again(t).ack(0, (10, 11), (1, 10), at=200).again(0).new(1).ack(15, at=300)
    yield t
    t = rack("lost-again-later", "Retransmission and new text are lost when something sent a millisecond after them arrives", "RFC8985-6.2-7 RFC8985-6.1-1", 15)
    start_again(t).ack(0, (12, 13), (1, 10), at=201).again(0, 10, 11).new(1).ack(15, at=301)
    yield t
    t = rack("lost-twice-more", "Each loss of a retransmission is found a round trip after it, as often as it happens", "RFC8985-6.2-7 RFC8985-6.1-1", 15)
    start_again(t).ack(0, (10, 12), (1, 10), at=200).again(0).new(1).ack(0, (10, 14), (1, 10), at=201).ack(0, (10, 15), (1, 10), at=300).again(0).ack(15, at=400)
    yield t
    t = Timeline("recovery/rack/lost-again-without-prr", "Without PRR the loss of a retransmission halves the window once more: from five segments to two and a half", "MUST",
                 "RFC 8985 9.3", "RFC8985-9.3-3", 14, settings="rack=1 prr=0", needs="rack", tolerance=12)
    start_again(t).ack(0, (10, 11), (1, 10), at=200).note("11 to 13 are three in flight, and two at most may be").quiet(210).ack(0, (10, 12), (1, 10), at=211)
    t.quiet(220).asserts("tcpi_snd_ssthresh == 2").ack(0, (10, 13), (1, 10), at=221).again(0).ack(14, at=321)
    yield t
    t = rack("not-before-its-time", "Reports of what was sent before a retransmission do not make it lost", "RFC8985-6.2-3 RFC8985-6.2-7")
    t.new(10).ack(0, (1, 4), at=100).again(0)
    for n in range(5, 11):
        t.ack(0, (1, n), at=101 + n)
    t.quiet(190).ack(10, at=200)
    yield t
    t = rack("late-original", "The original's acknowledgment comes right after a retransmission, earlier than any answer to it could: it tells nothing of the rest", "RFC8985-6.2-2")
    t.new(10).ack(0, (1, 2), at=100).again(0, at=125).ack(2, at=135).quiet(160).ack(10, at=165)
    yield t
    t = rack("answered-retransmission", "The retransmission's acknowledgment comes a round trip after it: what was sent before it and is not there is lost", "RFC8985-6.2-2 RFC8985-6.2-7")
    t.new(10).ack(0, (1, 2), at=100).again(0, at=125).ack(2, at=240).again(2).ack(3, at=345).again(3, 4).ack(10, at=450)
    yield t
    t = rack("echo-of-the-original", "A timestamp older than the retransmission: it is the original that was acknowledged, and the rest is not judged by it", "RFC8985-6.2-2", stamps=True)
    t.new(10).ack(0, (1, 2), at=100, echo=0).again(0, at=125).ack(2, at=235, echo=0).quiet(300).ack(10, at=301, echo=0)
    yield t
    t = rack("echo-of-the-retransmission", "A timestamp of the retransmission: what was sent before it is lost", "RFC8985-6.2-2", stamps=True)
    t.new(10).ack(0, (1, 2), at=100, echo=0).again(0, at=125).ack(2, at=235, echo=125).again(2).ack(10, at=335, echo=235)
    yield t


def timeouts():
    t = rack("timer-every-advance", "In recovery each advance starts the timer anew", "RFC6298-5-3 RFC6675-5-11", section="RFC 6298 5", needs="virtual-time")
    t.new(10).note("0 to 2 are lost, and the retransmission of 2").ack(0, (3, 10), at=100).again(0, 1, 2).ack(1, (3, 10), at=200).ack(2, (3, 10), at=300).quiet(1280).again(2, at=1300)
    t.ack(10, at=1400)
    yield t
    t = rack("timeout-all-old", "A timeout: all is old, so all is lost; one goes, then two", "RFC8985-6.3-1", needs="virtual-time", section="RFC 8985 6.3", more="")
    t.new(10).note("the probe at two round trips is lost as well").again(9, at=200).again(0, at=1200).ack(1, at=1300).again(1, 2).ack(10, at=1400)
    yield t
    t = rack("timeout-by-age", "A timeout in recovery: the first is lost, what went less than a round trip ago is not", "RFC8985-6.3-1 RFC6675-6-1", 10, section="RFC 8985 6.3", settings="rto-min=200ms",
             needs="virtual-time", level="MAY")
    t.new(10).ack(0, (1, 10), at=100).again(0).write(3, 320).new(3).note("the timer has run since the retransmission: 300 ms; new text is 80 ms old").again(0, at=400)
    t.asserts("tcpi_lost <= 1", at=401).ack(13, at=420)
    yield t
    t = rack("timeout-reneged", "Even the first was reported: the peer has thrown it away, and all of it goes again", "RFC8985-6.3-1 RFC2018-8-4", 4, section="RFC 8985 6.3", needs="virtual-time")
    t.new(4).ack(0, (1, 4), at=100).again(0).ack(1, at=200).note("1 to 3 were reported, and are kept back no longer")
    t.again(1, at=1200).ack(2, at=1300).again(2, 3).ack(4, at=1400)
    yield t


def probes():
    t = tlp("one-segment", "One segment in flight: the probe is two round trips and the longest delay of an acknowledgment away", "RFC8985-7.2-1 RFC8985-7.2-3 RFC8985-7.3-5", 1)
    t.new(1).again(0, at=400).ack(1, at=500)
    yield t
    t = tlp("two-segments", "Two segments in flight: the probe comes after two round trips, and is the last segment", "RFC8985-7.2-1 RFC8985-7.2-4 RFC8985-7.3-5", 2)
    t.new(2).again(1, at=200).ack(2, at=300)
    yield t
    t = tlp("one-left", "Of ten segments the last is lost: the acknowledgment of the others starts the timer anew", "RFC8985-7.2-1 RFC8985-7.2-3 RFC8985-7.3-5")
    t.new(10).ack(9, at=100).again(9, at=500).ack(10, at=600)
    yield t
    t = tlp("restarted-by-an-acknowledgment", "Each acknowledgment of new text starts the probe timer anew", "RFC8985-7.2-1")
    t.new(10).ack(3, at=100).quiet(210).again(9, at=300).ack(10, at=400)
    yield t
    t = tlp("restarted-by-text", "New text starts the probe timer anew", "RFC8985-7.2-1", 1)
    t.new(1).write(1, 150).new(1).again(1, at=350).ack(2, at=450)
    yield t
    t = tlp("new-text-first", "The probe is new text where there is some, though cwnd is full; no more than that", "RFC8985-7.3-4", 13)
    t.new(10).new(1, at=200).quiet(900).ack(11, at=901).new(2).ack(13, at=1001)
    yield t
    t = tlp("window-is-full", "New text that the peer's window does not hold is no probe: the last segment goes again", "RFC8985-7.3-4 RFC8985-7.3-5", 12, win=14600)
    t.new(10).again(9, at=200).ack(10, at=300).new(2).ack(12, at=400)
    yield t
    t = tlp("short-last", "The probe is the last segment as it was, however short", "RFC8985-7.3-5", 3, last=500, more="setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0")
    t.new(3).again(2, at=200).ack(3, at=300)
    yield t
    t = tlp("fin-alone", "FIN alone is a tail like any other", "RFC8985-7.3-5 RFC8985-7.2-1", 0)
    t.close(0).goes(0, 0)
    t.goes(0, 400)
    t.v.sends(". 1:1(0) ack 2 win 65535", t.after(500))
    yield t
    t = tlp("fin-with-text", "A last segment with FIN goes again with FIN", "RFC8985-7.3-5", 0)
    t.write(2, 0, last=700).new(1).note("the rest was Nagle's until then").close(0).new(1).again(1, at=400)
    t.v.sends(f". 1:1(0) ack {t.octet(2) + 1} win 65535", t.after(500))
    yield t
    t = tlp("one-probe", "One probe, then the timer: a whole RTO from the probe on", "RFC8985-7.3-1 RFC8985-7.3-7 RFC8985-7.3-2")
    t.new(10).again(9, at=200).quiet(1150).again(0, at=1200).ack(10, at=1300)
    yield t
    t = tlp("one-probe-though-new-text", "While a probe is out new text brings no second one, and the timer begins anew all the same", "RFC8985-7.3-1 RFC8985-7.3-2 RFC8985-7.3-3", 2)
    t.new(2).again(1, at=200).write(1, 400).new(1).note("three in flight: their probe would be due now, and a second RTO begins").quiet(1500).again(0, at=1600)
    t.ack(3, at=1700)
    yield t
    t = tlp("capped-by-the-timeout", "The probe is never later than the timeout would be, and goes in its place", "RFC8985-7.2-4 RFC8985-7.3-7", 1, rtt=300, settings="ack-delay=450ms", needs="virtual-time")
    t.new(1).note("600 ms and 450 ms are more than a second").again(0, at=1000).note("an RTO of one second, not two: it was no timeout").again(0, at=2000).ack(1, at=2300)
    yield t
    t = tlp("finds-the-others", "The probe's answer shows what else was lost: all before it goes again in recovery", "RFC8985-7.3-5 RFC8985-7.3-6 RFC8985-6.2-7 RFC8985-9.3-1 RFC8985-9.3-2 RFC9937-6.2-7")
    t.new(10).again(9, at=200).note("PRR: one delivered, one may go; then a segment more with each that is safe").ack(0, (9, 10), at=320).again(0).ack(1, (9, 10), at=430).again(1, 2)
    t.ack(3, (9, 10), at=540).again(3, 4, 5).ack(6, (9, 10), at=650).again(6, 7, 8).ack(10, at=760)
    yield t
    t = tlp("new-text-finds-the-others", "A probe of new text shows what was lost before it", "RFC8985-7.3-4 RFC8985-7.3-6 RFC8985-6.2-7", 11)
    t.new(10).new(1, at=200).ack(0, (10, 11), at=320).again(0).ack(11, at=430)
    yield t
    t = tlp("two-lost", "Two of the tail are lost: the probe repairs the last, its answer the other", "RFC8985-7.3-5 RFC8985-7.3-6")
    t.new(10).ack(8, at=100).again(9, at=300).ack(8, (9, 10), at=420).again(8).ack(10, at=530)
    yield t


def no_probes():
    t = tlp("not-in-recovery", "In recovery there is no probe: the timer is what remains", "RFC8985-7.2-1", section="RFC 8985 7.2")
    t.new(10).ack(0, (1, 2), at=100).again(0, at=125).quiet(980).note("the retransmission may have started the timer anew (RFC 6675 6)").again(0, at=(1000, 1125)).ack(10, at=1225)
    yield t
    t = tlp("not-at-the-end-of-recovery", "In recovery there is no probe even where all that is lost went again and nothing is reported", "RFC8985-7.2-1", section="RFC 8985 7.2", needs="virtual-time")
    t.new(10).ack(0, (1, 4), at=100).again(0).note("the retransmission's answer makes the six above lost").ack(4, at=200).again(4, 5, 6).ack(7, at=300).again(7, 8, 9)
    t.ack(8, at=400).quiet(1380).again(8, at=1400).ack(10, at=1500)
    yield t
    t = tlp("after-reordering", "A hole that is filled in time starts the probe timer", "RFC8985-7.2-1", section="RFC 8985 7.2")
    t.v.say("--tolerance_percent=0")
    t.v.lines.insert(0, t.v.lines.pop())
    t.new(10).ack(0, (1, 2), at=100).ack(2, at=108).note("SRTT is 101 ms now").again(9, at=310).ack(10, at=410)
    yield t
    t = tlp("not-after-a-timeout", "After a timeout there is no probe until all of that time is acknowledged", "RFC8985-7.2-1", section="RFC 8985 7.2", needs="virtual-time")
    t.new(10).again(9, at=200).again(0, at=1200).ack(1, at=1300).again(1, 2).quiet(3250).note("doubled, for nothing was measured since").again(1, at=3300).ack(10, at=3400)
    yield t
    t = tlp("not-while-reported", "Above a report that made nothing lost yet there is no probe", "RFC8985-7.2-1", 3, section="RFC 8985 7.2", level="SHOULD")
    t.new(3).note("100 ms late: the window counts from there, 25 ms before the probe's time would be").ack(0, (1, 2), at=190).quiet(210).again(0, at=215).ack(3, at=315)
    yield t
    t = tlp("not-without-sack", "Without SACK there is no probe", "RFC8985-4-1", section="RFC 8985 4", level="MUST", sack=False)
    t.new(10).quiet(980).again(0, at=1000).ack(10, at=1100)
    yield t
    t = Timeline("recovery/tlp/not-without-rack", "With RFC 6675 instead of RACK-TLP a lost tail waits for the timer", "practice", "RFC 6675 5", "RFC6298-5-4", 10, settings="rack=0", needs="rfc6675")
    t.new(10).ack(9, at=100).quiet(1050).again(9, at=1100).ack(10, at=1200)
    yield t
    t = tlp("not-into-a-zero-window", "Before a window of zero it is the persist timer that asks", "SHLD-29", 10, section="RFC 9293 3.8.6.1", level="SHOULD")
    t.new(10).ack(9, at=100, win=0).quiet(1050)
    t.v.expect(f". {t.octet(9)}:{t.octet(9) + 1}(1) ack 1", t.after(1100))
    t.ack(10, at=1200)
    yield t
    t = tlp("not-without-a-sample", "After a probe whose answer measured nothing there is none for the next tail: the timer begins anew instead", "RFC8985-7.3-1 RFC8985-7.3-2 RFC8985-7.3-3", 1, needs="virtual-time")
    t.new(1).again(0, at=400).ack(1, at=500).ack(1, (0, 1), at=501).write(1, 600).new(1).note("1000: no probe").again(1, at=2000).ack(2, at=2100)
    yield t
    t = tlp("a-sample-by-timestamps", "A timestamp measures the answer to a probe, so the next tail has its own", "RFC8985-7.3-1", 1, stamps=True)
    t.new(1).again(0, at=400).ack(1, at=500, echo=400).ack(1, (0, 1), at=501, echo=400).write(1, 600).new(1).again(1, at=1000).ack(2, at=1100, echo=1000)
    yield t
    t = tlp("nothing-measured", "The SYN,ACK had to go twice, nothing is measured: one second, no probe, and the timer begins anew", "RFC8985-7.2-2 RFC8985-7.3-1 RFC8985-7.3-3", 0, needs="virtual-time")
    t.v.lines = []
    t.v.listens().sends("S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK>", "0").expect("S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>").expect("S. 0:0(0) ack 1 <mss 1460,nop,nop,sackOK>", "1")
    t.v.sends(". 1:1(0) ack 1 win 65535", ".1").call("accept(3, ..., ...) = 4")
    t.write(1, 0).new(1).note("one second and the three of RFC 6298 5.7").again(0, at=4000).ack(1, at=4100)
    yield t


def episodes():
    """RFC 8985 7.4.2: did the probe repair a loss?"""
    section = "RFC 8985 7.4.2"
    base = dict(section=section, needs="virtual-time")

    def spurious(name, title, covers, *runs, **more):
        t = tlp(name, title, covers, level="MUST", **base, **more)
        return t.new(10).again(9, at=200).note("all had arrived, late").ack(10, at=210)

    t = spurious("case-1-dsack", "A D-SACK of the probe: it was not needed, and cwnd stays", "RFC8985-7.4.2-1 RFC8985-7.4.2-3")
    t.ack(10, (9, 10), at=300).write(3, 400).new(3).ack(13, at=500).asserts("tcpi_snd_cwnd >= 10")
    yield t
    t = spurious("case-2-duplicate", "A plain duplicate, of a peer without D-SACK: the probe was not needed, and cwnd stays", "RFC8985-7.4.2-1 RFC8985-7.4.2-3")
    t.ack(10, at=300).write(3, 400).new(3).ack(13, at=500).asserts("tcpi_snd_cwnd >= 10")
    yield t
    t = spurious("case-2-not-a-window-update", "An update of the window is no duplicate: the probe is taken to have repaired a loss", "RFC8985-7.4.2-1 RFC8985-7.4.2-3")
    t.ack(10, at=300, win=65000).write(3, 400).new(3).ack(13, at=500).asserts("tcpi_snd_cwnd <= 6")
    yield t
    t = tlp("case-2-below-the-probe", "A plain duplicate of something before the probe ends no episode", "RFC8985-7.4.2-1 RFC8985-7.4.2-3", level="MUST", **base)
    t.new(10).again(9, at=200).ack(0, at=250).ack(10, at=300).write(3, 400).new(3).ack(13, at=500).asserts("tcpi_snd_cwnd <= 6")
    yield t
    t = tlp("case-3-repaired", "No word of a duplicate: the probe repaired a loss, which is congestion", "RFC8985-7.4.2-1 RFC8985-7.4.2-2 RFC8985-7.4.2-3", level="MUST", **base)
    t.new(10).again(9, at=200).ack(10, at=300).asserts("tcpi_snd_cwnd >= 10").write(10, 400).new(10).ack(11, at=500).asserts("tcpi_snd_cwnd <= 6").ack(20, at=501)
    yield t
    t = tlp("case-3-other-dsack", "A D-SACK of something else says nothing about the probe", "RFC8985-7.4.2-1 RFC8985-7.4.2-3", level="MUST", **base)
    t.new(10).again(9, at=200).ack(10, at=300).ack(10, (4, 5), at=301).write(3, 400).new(3).ack(13, at=500).asserts("tcpi_snd_cwnd <= 6")
    yield t
    t = tlp("case-new-text", "A probe of new text repairs nothing, and its acknowledgment is no sign of loss", "RFC8985-7.4.2-3 RFC8985-7.3-4", 11, level="MUST", **base)
    t.new(10).new(1, at=200).ack(11, at=300).write(3, 400).new(3).ack(14, at=500).asserts("tcpi_snd_cwnd >= 10")
    yield t
    t = tlp("case-next-probe", "An episode that a D-SACK ended leaves room for the next one", "RFC8985-7.4.2-3 RFC8985-7.3-1", stamps=True, level="MUST", **base)
    t.new(10).again(9, at=200).ack(10, at=300, echo=200).ack(10, (9, 10), at=301, echo=200).write(1, 400).new(1).again(10, at=800).ack(11, at=900, echo=800)
    yield t
    t = tlp("reset-by-recovery", "Recovery ends the episode: its own reduction is the only one", "RFC8985-7.1-1", 10, section="RFC 8985 7.1", needs="virtual-time")
    t.new(10).again(9, at=200).ack(0, (9, 10), at=300).again(0).ack(10, at=400).asserts("tcpi_snd_cwnd == 5")
    t.write(5, 500).new(5).ack(11, at=600).asserts("tcpi_snd_cwnd >= 5").ack(15, at=601)
    yield t
    t = tlp("reset-by-a-timeout", "A timeout ends the episode: its own reduction is the only one", "RFC8985-7.1-1", 10, section="RFC 8985 7.1", needs="virtual-time")
    t.new(10).again(9, at=200).again(0, at=1200).ack(10, at=1300).asserts("tcpi_snd_cwnd <= 3 and tcpi_snd_ssthresh == 5")
    t.write(2, 1400).new(2).ack(12, at=1500).asserts("tcpi_snd_ssthresh == 5")
    yield t


def vectors():
    for part in (by_time(), reordering(), again_and_again(), timeouts(), probes(), no_probes(), episodes()):
        for t in part:
            yield t.v


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
