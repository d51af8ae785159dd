#!/usr/bin/env python3
"""recovery_classic.py - what RFC 6675, RFC 6582 and RFC 3042 say besides how much goes in a recovery (recovery_model.py): when one begins, when none does, what
the timer does in it; and what of a peer's reports counts (RFC 2018, RFC 2883)."""
import sys

from pkt import write
from timeline import Timeline

CLASSIC = "rack=0 prr=0"
NODELAY = "setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0"


def sack(name, title, covers, segments=10, section="RFC 6675 5", level="SHOULD", settings="", needs="", **more):
    return Timeline(f"recovery/sack/{name}", title, level, section, covers, segments, settings=f"{CLASSIC} {settings}", needs=f"rfc6675 {needs}", **more)


def newreno(name, title, covers, segments=10, section="RFC 6582 3.2", level="SHOULD", needs="", settings="", **more):
    return Timeline(f"recovery/newreno/{name}", title, level, section, covers, segments, settings=settings, needs=needs, sack=False, **more)


def limited(name, title, covers, segments=12, level="SHOULD", with_sack=False, needs="", **more):
    return Timeline(f"recovery/limited-transmit/{name}", title, level, "RFC 3042 2", covers, segments, settings=CLASSIC if with_sack else "", needs=f"limited-transmit {'rfc6675 ' if with_sack else ''}{needs}", sack=with_sack, **more)


def small(t, count):
    """`count` segments of 100 octets."""
    t.size = 100
    for _ in range(count):
        t.count = 0
        t.write(1, 0)
    for n in range(count):
        t.v.expect(f"P. {t.octet(n)}:{t.octet(n + 1)}(100) ack 1")
    return t


def again_small(t, n, at):
    t.v.expect(f". {t.octet(n)}:{t.octet(n + 1)}(100) ack 1", t.after(at))
    return t


def is_lost():
    t = sack("three-runs", "Three runs reported at once above a hole: it is lost, however little they hold", "RFC6675-4-3 RFC6675-5-4", 0, section="RFC 6675 4", more=NODELAY)
    again_small(small(t, 7).ack(0, (1, 2), (3, 4), (5, 6), at=100), 0, 100).note("above 2 there are two runs, too few").ack(7, at=200)
    yield t
    t = sack("two-runs", "Two runs reported at once are too few", "RFC6675-4-3 RFC6675-5-4", 0, section="RFC 6675 4", more=NODELAY)
    small(t, 7).ack(0, (1, 2), (3, 4), at=100).quiet(300).ack(7, at=301)
    yield t
    t = sack("octets", "More than two full segments reported at once above a hole: it is lost", "RFC6675-4-3 RFC6675-5-4", section="RFC 6675 4")
    t.new(10).ack(0, (1, 4), at=100).again(0).ack(10, at=200)
    yield t
    t = sack("octets-just-not", "Two full segments reported at once are not more than two", "RFC6675-4-3 RFC6675-5-4", section="RFC 6675 4")
    t.new(10).ack(0, (1, 3), at=100).quiet(300).ack(10, at=301)
    yield t
    t = sack("third-duplicate", "The third report of a little text begins recovery, though nothing is lost by runs or octets", "RFC6675-5-3 RFC6675-5-4 RFC6675-5-7", 0, more=NODELAY)
    again_small(small(t, 6).ack(0, (1, 2), at=100).ack(0, (1, 3), at=110).ack(0, (1, 4), at=120), 0, 120).ack(6, at=220)
    yield t
    t = sack("count-begins-anew", "An acknowledgment that advances ends the count of duplicates", "RFC6675-5-2", 0, level="MUST", more=NODELAY)
    small(t, 10).ack(0, (1, 2), at=100).ack(0, (1, 3), at=101).ack(3, at=102).ack(3, (4, 5), at=103).ack(3, (4, 6), at=104).quiet(300)
    again_small(t.ack(3, (4, 7), at=301), 3, 301).ack(10, at=401)
    yield t
    t = sack("only-below-reports", "What lies above the highest report is not lost", "RFC6675-4-3 RFC6675-4-7", 10)
    t.new(10).ack(0, (1, 2), (4, 6), at=100).again(0).note("3 and 2 are next, 6 to 9 are not").ack(1, (4, 6), at=200).quiet(900).ack(10, at=901)
    yield t
    t = sack("half-of-what-was", "ssthresh is half of what was in flight before limited transmit", "RFC6675-5-6 RFC6675-5-5", 14, needs="limited-transmit", level="practice")
    t.new(10).ack(0, (1, 2), at=100).new(1).ack(0, (1, 3), at=101).new(1).ack(0, (1, 4), at=102).again(0).asserts("tcpi_snd_ssthresh == 5").ack(12, at=202).new(2).ack(14, at=302)
    yield t
    t = sack("no-less-than-two", "ssthresh is two segments at least", "RFC5681-3.1-16", 4, section="RFC 5681 3.1", level="MUST", window=10)
    t.new(4).ack(0, (1, 2), at=100).ack(0, (1, 3), at=101).ack(0, (1, 4), at=102).again(0).ack(1, (3, 4), at=200).ack(4, at=203).asserts("tcpi_snd_ssthresh == 2")
    yield t
    t = sack("dsack-is-no-news", "Reports of duplicates are no reports of what lies above a hole", "RFC2883-5-1 RFC6675-2-1", 10, section="RFC 2883 4", level="MUST")
    t.new(10).ack(4, at=100)
    for n in range(4):
        t.ack(4, (n, n + 1), at=110 + n)
    t.quiet(900).ack(10, at=901)
    yield t
    t = sack("dsack-above", "A D-SACK inside a run that is reported again is no news either", "RFC2883-5-3 RFC6675-2-1", 10, section="RFC 2883 4", level="MUST")
    t.new(10).ack(4, (6, 8), at=100).ack(4, (6, 7), (6, 8), at=101).ack(4, (7, 8), (6, 8), at=102).quiet(900).ack(10, at=901)
    yield t


def next_segment():
    """RFC 6675 4, rules 3 and 4 of NextSeg: what goes when nothing is lost and nothing new is there."""
    where = {"section": "RFC 6675 4"}
    t = sack("guess", "Nothing is lost and nothing new is there: what has a report above it goes again", "RFC6675-4-9", 6, needs="last-resort", **where)
    t.new(6).note("0 and 4 are lost").ack(0, (1, 2), at=100).ack(0, (1, 3), at=101).ack(0, (1, 4), at=102).again(0)
    t.ack(0, (5, 6), (1, 4), at=103).again(4).ack(4, (5, 6), at=202).ack(6, at=203)
    yield t
    t = sack("guess-after-new", "While there is something new it goes first, and nothing is guessed", "RFC6675-4-8 RFC6675-4-9", 6, needs="last-resort", **where)
    t.new(6).note("0 and 4 are lost").ack(0, (1, 2), at=100).ack(0, (1, 3), at=101).ack(0, (1, 4), at=102).again(0)
    t.write(1, 102).ack(0, (5, 6), (1, 4), at=103).new(1).ack(0, (5, 7), (1, 4), at=203).again(4).ack(7, at=303)
    yield t
    t = sack("rescue", "The tail is lost as well: after the first retransmission has arrived its last segment goes again, once", "RFC6675-4-10 RFC6675-4-11 RFC6675-4-12 RFC6675-5-7", 7, needs="last-resort", **where)
    t.new(7).note("0, 5 and 6 are lost").ack(0, (1, 2), at=100).ack(0, (1, 3), at=101).ack(0, (1, 4), at=102).again(0)
    t.note("without a report above them, 5 and 6 are no guess of rule 3").ack(0, (1, 5), at=103).ack(5, at=202).again(6)
    t.note("rule 3: now there is a report above 5").ack(5, (6, 7), at=302).again(5).ack(7, at=402).asserts("tcpi_ca_state == 0")
    yield t


def timers():
    t = sack("timeout-keeps-reports", "After a timeout only what was not reported goes again", "RFC6675-5.1-1 RFC6675-5.1-6 RFC2018-5-4", 6, section="RFC 6675 5.1", needs="virtual-time")
    t.new(6).note("0, 2 and 4 are lost, and the retransmission of 0").ack(0, (1, 2), (3, 4), (5, 6), at=100).again(0).note("2 waits for cwnd, 4 is not lost yet")
    t.again(0, at=(1000, 1100)).ack(2, (3, 4), (5, 6), at=1200).again(2, 4).ack(6, at=1300)
    yield t
    t = sack("timeout-takes-reports", "Reports that come after a timeout count: what they tell of does not go again", "RFC6675-5.1-5 RFC6675-5.1-6", 6, section="RFC 6675 5.1", needs="virtual-time")
    t.new(6).again(0, at=1000).ack(0, (2, 3), (4, 5), at=1010).ack(1, (2, 3), (4, 5), at=1100).again(1, 3).ack(6, at=1200)
    yield t
    t = sack("timeout-ends-recovery", "A timeout in recovery: until all of that time is acknowledged reports begin no other recovery", "RFC6675-5.1-2 RFC6675-5.1-3 RFC6675-5.1-4", 14, level="MUST",
             section="RFC 6675 5.1", needs="virtual-time")
    t.new(10).ack(0, (1, 4), at=100).again(0).asserts("tcpi_snd_ssthresh == 5").ack(0, (1, 10), at=150).new(4)
    t.again(0, at=(1000, 1100)).asserts("tcpi_snd_cwnd == 1 and tcpi_snd_ssthresh == 7").note("above a new hole as much as would begin a recovery")
    t.ack(10, (11, 14), at=1200).again(10).asserts("tcpi_snd_ssthresh == 7")
    t.ack(14, at=1300).asserts("tcpi_ca_state == 0")
    yield t
    t = sack("timer-by-retransmission", "The retransmission of the first segment may start the timer anew", "RFC6675-6-1", 10, section="RFC 6675 6", level="MAY", needs="virtual-time")
    t.v.lines.insert(0, "--tolerance_percent=0")
    t.new(10).ack(0, (1, 4), at=100).again(0).again(0, at=1100).ack(10, at=1200)
    yield t
    t = newreno("timer-first-partial", "Of the partial acknowledgments of one recovery the first restarts the timer, no other", "RFC6582-3.2-9 RFC6582-3.2-6", 10, needs="virtual-time")
    t.new(10).note("0 to 2 are lost")
    for n in range(3):
        t.ack(0, at=100 + n)
    t.again(0).ack(0, at=103).ack(1, at=202).again(1).ack(2, at=302).again(2).quiet(1190).again(2, at=1202).ack(10, at=1302)
    yield t
    t = newreno("timer-ends-recovery", "A timeout ends recovery: slow start from one segment", "RFC6582-3.2-10 RFC6582-6-1", 10, needs="virtual-time")
    t.new(10)
    for n in range(4):
        t.ack(0, at=100 + n)
        if n == 2:
            t.again(0)
    t.again(0, at=1000).asserts("tcpi_snd_cwnd == 1").ack(1, at=1100).again(1, 2).ack(3, at=1200).again(3, 4, 5).ack(10, at=1300)
    yield t


def nine_duplicates(t):
    """A recovery whose nine duplicates let four segments go, and its end at 202 ms; 0 to 14 were sent, 15 waits for cwnd."""
    t.new(10)
    for n in range(9):
        t.ack(0, at=100 + n)
        if n == 2:
            t.again(0)
    return t.write(6, 150).new(4).ack(10, at=202).new(1)


def careful():
    t = newreno("careful-after-recovery", "Three duplicates of exactly what ended a recovery begin no other: they may be of what it sent twice", "RFC6582-3.2-2 RFC6582-3.2-3", 10, needs="virtual-time")
    nine_duplicates(t).ack(10, at=250).ack(10, at=251).new(1).ack(10, at=252).quiet(1195).again(10, at=1202).ack(16, at=1302)
    yield t
    t = newreno("careful-one-more", "One segment more is acknowledged: three duplicates then begin the next recovery", "RFC6582-3.2-2 RFC6582-3.2-4 RFC6582-6-1", 10)
    nine_duplicates(t).ack(11, at=250).new(1).ack(11, at=251).ack(11, at=252).ack(11, at=253).again(11).ack(16, at=353)
    yield t
    t = newreno("careful-after-a-timeout", "After a timeout duplicates below what had been sent then begin no recovery", "RFC6582-3.2-3 RFC6582-3.2-10", 10, needs="virtual-time", level="practice")
    t.new(10).again(0, at=1000).ack(3, at=1100).again(3, 4)
    for n in range(4):
        t.ack(3, at=1110 + n)
    t.quiet(1190).ack(10, at=1200)
    yield t
    t = newreno("flight-without-limited-transmit", "ssthresh is half of what was in flight before limited transmit", "RFC6582-3.2-2", 14, level="practice", needs="limited-transmit")
    t.new(10).ack(0, at=100).new(1).ack(0, at=101).new(1).ack(0, at=102).again(0).asserts("tcpi_snd_ssthresh == 5").ack(12, at=202).new(2).ack(14, at=302)
    yield t
    t = newreno("full-acknowledgment", "A full acknowledgment that leaves nothing in flight: no burst, two segments go", "RFC6582-3.2-4 RFC6582-6-3", 12, level="practice")
    t.new(10).note("the two of limited transmit").ack(0, at=100).new(1).ack(0, at=101).new(1).ack(0, at=102).again(0).ack(12, at=202).write(6, 210).new(2).ack(14, at=310).new(3).ack(17, at=410).new(1).ack(18, at=510)
    yield t


def two_more():
    for with_sack in (False, True):
        how = "with-sack" if with_sack else "without-sack"
        runs = [[(1, n)] if with_sack else [] for n in range(2, 6)]
        t = limited(f"two-{how}", f"Two duplicates let two new segments go, the third none ({how.replace('-', ' ')})", "RFC3042-2-1 RFC3042-2-2", 14, with_sack=with_sack)
        t.new(10).ack(0, *runs[0], at=100).new(1).ack(0, *runs[1], at=101).new(1).asserts("tcpi_snd_cwnd == 10").ack(0, *runs[2], at=102).again(0).ack(12, at=202).new(2).ack(14, at=302)
        yield t
        t = limited(f"then-all-{how}", f"It was reordering: cwnd is what it was, and nothing goes again ({how.replace('-', ' ')})", "RFC3042-2-2 RFC3042-2-1", 12, with_sack=with_sack)
        t.new(10).ack(0, *runs[0], at=100).new(1).ack(0, *runs[1], at=101).new(1).asserts("tcpi_snd_cwnd == 10").ack(12, at=105).quiet(900)
        yield t
        t = limited(f"window-full-{how}", f"The peer's window has no room: the duplicates let nothing go ({how.replace('-', ' ')})", "RFC3042-2-1", 14, with_sack=with_sack, win=14600)
        t.new(10).ack(0, *runs[0], at=100).ack(0, *runs[1], at=101).quiet(104).ack(10, at=105).new(4).ack(14, at=205)
        yield t
        t = limited(f"nothing-new-{how}", f"Nothing is left to send: the duplicates let nothing go, and the third brings the lost one ({how.replace('-', ' ')})", "RFC3042-2-1 RFC5681-3.2-7", 10, with_sack=with_sack)
        t.new(10).ack(0, *runs[0], at=100).ack(0, *runs[1], at=101).quiet(150).ack(0, *runs[2], at=151).again(0).ack(10, at=251)
        yield t
    t = limited("no-news", "With SACK a duplicate that reports nothing new lets nothing go", "RFC3042-2-3", 14, level="MUST", with_sack=True)
    t.new(10).ack(0, at=100).ack(0, at=101).ack(0, at=102).ack(0, (1, 2), at=103).new(1).ack(0, (1, 2), at=104).quiet(200).ack(11, at=201).new(3).ack(14, at=301)
    yield t
    t = limited("one-room", "The peer's window has room for one: it goes, and no other", "RFC3042-2-1", 14, win=16060)
    t.new(10).ack(0, at=100).new(1).ack(0, at=101).quiet(150).ack(11, at=151).new(3).ack(14, at=251)
    yield t


def vectors():
    for part in (is_lost(), next_segment(), timers(), careful(), two_more()):
        for t in part:
            yield t.v


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
