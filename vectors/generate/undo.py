#!/usr/bin/env python3
"""undo.py - retransmissions that were not needed: how a sender finds out, and what it takes back. F-RTO (RFC 5682), Eifel (RFC 3522), D-SACK
(RFC 2883), the response of RFC 4015.

Ten segments go at once (RFC 6928); the timeout is a second (RFC 6298 2.4) after a round trip of 10 ms. Reno, so that the windows can be
counted: half of ten is five."""
import sys

from pkt import write
from sender import Sender

SETTINGS = "initial-window=10 congestion=reno undo=1"
UNSET = 2147483647  # ssthresh before any loss


def sender(name, title, section, covers, count=20, level="MUST", **options):
    options.setdefault("settings", SETTINGS)
    return Sender("undo/" + name, title, level, section, covers, count, **options)


def flown(*arguments, **options):
    """Ten segments are out."""
    return sender(*arguments, **options).new(10)


def timed_out(*arguments, **options):
    """Ten segments are out, and the first has gone again after a second."""
    f = flown(*arguments, **options)
    return f.again(0, after=1000).shows(snd_cwnd=1, snd_ssthresh=half(f, 10), total_rto=1)


def half(f, segments):
    """Of so many in flight, in whole segments of the size without options, which is how tcp_info counts."""
    return segments * f.size // 2 // f.mss


def basic():
    """F-RTO without SACK: RFC 5682 2.1."""
    needs = {"needs": "f-rto", "section": "RFC 5682 2.1"}
    f = timed_out("f-rto/advance-then-advance", "Two acknowledgments that advance, the second of what was sent once: the timeout was spurious",
                  covers="RFC5682-2.1-1 RFC5682-2.1-7 RFC5682-2.1-10 RFC5682-4-1 RFC4015-2-1 RFC4015-3.1-1 RFC4015-3.1-5 RFC4015-3.1-6", **needs)
    f.ack(1, after=100).new(2).note("instead of the second segment again: new text")
    f.ack(2).new(1).shows(snd_cwnd=11, snd_ssthresh=UNSET, ca_state=0, lost=0, total_retrans=1)
    f.note("ten in flight and one acknowledged; from here slow start goes on").ack(3).new(2)
    yield f.v
    f = timed_out("f-rto/duplicate-first", "A duplicate as the first acknowledgment: the losses are real", covers="RFC5682-2.1-6", **needs)
    f.ack(0, after=100).ack(1).again(1, 2).ack(2).again(3, 4).shows(snd_ssthresh=5, ca_state=4)
    yield f.v
    f = timed_out("f-rto/all-acknowledged-first", "A first acknowledgment of all that was sent: one segment was lost, and that is congestion", covers="RFC5682-2.1-6", **needs)
    f.ack(10, after=100).new(2).shows(snd_cwnd=2, snd_ssthresh=5)
    yield f.ack(11).new(2).v
    f = timed_out("f-rto/part-acknowledged-first", "A first acknowledgment of less than what went again decides nothing, and ends it", covers="RFC5682-2.1-6", **needs)
    f.ack(0.5, after=100).again(1).ack(1).again(2).ack(2).again(3, 4).shows(snd_ssthresh=5)
    yield f.v
    f = timed_out("f-rto/advance-then-duplicate", "A duplicate as the second acknowledgment: what was taken for lost goes again, in a window of three at most", covers="RFC5682-2.1-9", **needs)
    f.ack(1, after=100).new(2).ack(1).again(1).shows(snd_cwnd=3, snd_ssthresh=5, ca_state=4).ack(2).again(2, 3).shows(snd_cwnd=4)
    yield f.v
    f = timed_out("f-rto/no-new-text", "Without new text to send there is nothing to find out by", count=10, covers="RFC5682-2.1-7", level="SHOULD", **needs)
    f.ack(1, after=100).again(1, 2).ack(2).again(3, 4).shows(snd_ssthresh=5)
    yield f.v
    f = timed_out("f-rto/window-is-full", "Nor where the peer's window lets no new text go", covers="RFC5682-2.1-7", level="SHOULD", **needs)
    f.ack(1, after=100, win=9 * 1460).again(1, 2).ack(2, win=8 * 1460).again(3, 4).shows(snd_ssthresh=5)
    yield f.v
    f = timed_out("f-rto/one-new-segment", "One new segment is enough where there are no two", count=11, covers="RFC5682-2.1-7", level="MAY", **needs)
    f.ack(1, after=100).new(1).ack(2).shows(snd_cwnd=10, snd_ssthresh=UNSET, ca_state=0, lost=0)
    yield f.v
    f = timed_out("f-rto/second-timeout-first", "A second timeout before any acknowledgment: it begins anew, and what was kept at the first timeout is what comes back",
                  covers="RFC5682-2.1-2 RFC5682-2.1-5 RFC4015-3.1-3", **needs)
    f.again(0, after=2000).ack(1, after=100).new(2).ack(2).new(1).shows(snd_cwnd=11, snd_ssthresh=UNSET, ca_state=0, total_rto=2)
    yield f.v
    f = timed_out("f-rto/second-timeout-later", "A second timeout after an acknowledgment: losses are repaired as ever", covers="RFC5682-2.1-5", **needs)
    f.ack(1, after=100).new(2).again(1, after=2000).ack(2, after=100).again(2, 3).ack(3).again(4, 5).shows(snd_ssthresh=5, ca_state=4)
    yield f.v
    f = timed_out("f-rto/neither-is-ignored", "Text of the peer and a new window tell nothing: the next acknowledgment that advances does", covers="RFC5682-2.1-4", level="SHOULD", **needs)
    f.ack(1, after=100).new(2).ack(1, win=65000)
    f.says(10, 1).v.expect(f". {f.octet(12)}:{f.octet(12)}(0) ack 11", "0~.5")
    f.ack(2).new(1).shows(snd_cwnd=11, snd_ssthresh=UNSET, ca_state=0)
    yield f.v
    f = timed_out("f-rto/recover-is-una", "After it three duplicates of what was in flight then mean a loss like any other", level="SHOULD", section="RFC 4015 4", covers="RFC4015-4-1 RFC5682-2.1-10", needs="f-rto")
    f.ack(1, after=100).new(2).ack(2).new(1).note("ten and a new one are in flight; the third was lost all the same, which three duplicates say")
    f.ack(2).new(1).ack(2).new(1).ack(2).again(2).shows(ca_state=3, snd_ssthresh=5)
    yield f.v
    f = timed_out("f-rto/switched-off", "Where nothing is to be taken back losses are repaired at once", level="practice", covers="", needs="f-rto", section="RFC 5682 2.1", settings=SETTINGS.replace("undo=1", "undo=0"))
    f.ack(1, after=100).again(1, 2).ack(2).again(3, 4).shows(snd_ssthresh=5)
    yield f.v


def selective():
    """F-RTO with SACK: RFC 5682 3.1."""
    needs = {"needs": "f-rto", "section": "RFC 5682 3.1", "sack": True}
    f = timed_out("f-rto-sack/advance-then-advance", "Two acknowledgments that advance, the second of what was sent once: the timeout was spurious",
                  covers="RFC5682-3.1-1 RFC5682-3.1-2 RFC5682-3.1-5 RFC9438-4.9.1-1 RFC9438-4.9.1-2", **needs)
    f.ack(1, after=100).new(2).ack(2).new(1).shows(snd_cwnd=11, snd_ssthresh=UNSET, ca_state=0, lost=0, total_retrans=1)
    yield f.v
    f = timed_out("f-rto-sack/advance-then-report", "A report of what was sent once, above a hole, tells the same", covers="RFC5682-3.1-5", **needs)
    f.ack(1, after=100).new(2).ack(1, (4, 5)).new(1).shows(snd_ssthresh=UNSET, ca_state=0, sacked=1, lost=0, total_retrans=1)
    yield f.v
    f = timed_out("f-rto-sack/duplicate-first", "A report before the first acknowledgment that advances is noted, and the waiting goes on", covers="RFC5682-3.1-2", **needs)
    f.ack(0, (5, 6), after=100).ack(1, (5, 6)).new(2).ack(2, (5, 6)).new(2).shows(snd_ssthresh=UNSET, ca_state=0, sacked=1, lost=0)
    yield f.v
    f = timed_out("f-rto-sack/all-acknowledged-first", "A first acknowledgment of all that was sent: one segment was lost; the window is two segments", covers="RFC5682-3.1-2", **needs)
    f.ack(10, after=100).new(2).shows(snd_cwnd=2, snd_ssthresh=5)
    yield f.ack(11).new(2).v
    f = timed_out("f-rto-sack/new-text-reported", "A report of what was sent after the timeout: what was taken for lost goes again", covers="RFC5682-3.1-5", **needs)
    f.ack(1, after=100).new(2).ack(1, (10, 11)).again(1).shows(snd_ssthresh=5, ca_state=4).ack(1, (10, 12)).again(2).ack(2, (10, 12)).again(3, 4).shows(snd_cwnd=3)
    yield f.v
    f = timed_out("f-rto-sack/beyond-and-before", "An acknowledgment of octets from before the timeout and after it: the hole that the repair filled was a loss", covers="RFC5682-3.1-5", **needs)
    f.ack(4, after=100).new(2).ack(12).new(3).shows(snd_cwnd=3, snd_ssthresh=5, ca_state=0)
    yield f.v
    f = timed_out("f-rto-sack/report-beyond-and-before", "A report of both, likewise", covers="RFC5682-3.1-5", **needs)
    f.ack(1, after=100).new(2).ack(1, (5, 12)).again(1, 2).shows(snd_ssthresh=5, ca_state=4)
    yield f.v
    f = timed_out("f-rto-sack/advance-and-report-beyond", "An acknowledgment that advances and reports octets from after the timeout: losses are repaired as ever", covers="RFC5682-3.1-5", **needs)
    f.ack(1, after=100).new(2).ack(4, (10, 11)).again(4, 5).shows(snd_cwnd=3, snd_ssthresh=5, ca_state=4)
    yield f.v
    f = timed_out("f-rto-sack/no-news-is-ignored", "An acknowledgment that reports nothing new decides nothing", covers="RFC5682-3.1-2", **needs)
    f.ack(1, after=100).new(2).ack(1).ack(2).new(1).shows(snd_ssthresh=UNSET, ca_state=0)
    yield f.v
    f = timed_out("f-rto-sack/no-new-text", "Without new text to send there is nothing to find out by", count=10, covers="RFC5682-3.1-2", level="SHOULD", **needs)
    f.ack(1, after=100).again(1, 2).ack(2).again(3, 4).shows(snd_ssthresh=5)
    yield f.v
    f = timed_out("f-rto-sack/second-timeout-first", "A second timeout before any acknowledgment: it begins anew", covers="RFC5682-3.1-4 RFC4015-3.1-3", **needs)
    f.again(0, after=2000).ack(1, after=100).new(2).ack(2).new(1).shows(snd_cwnd=11, snd_ssthresh=UNSET, total_rto=2)
    yield f.v
    f = timed_out("f-rto-sack/second-timeout-later", "A second timeout after an acknowledgment: losses are repaired as ever", covers="RFC5682-3.1-3 RFC5682-3.1-4", **needs)
    f.ack(1, after=100).new(2).again(1, after=2000).ack(2, after=100).again(2, 3).ack(3).again(4, 5).shows(snd_ssthresh=5, ca_state=4)
    yield f.v
    f = flown("f-rto-sack/in-recovery", "A timeout in a recovery is not asked whether it was needed", covers="RFC5682-3.1-3 RFC5682-2.1-3", level="SHOULD", **needs)
    f.ack(0, (1, 2)).new(1).ack(0, (1, 3)).new(1).ack(0, (1, 4)).again(0).shows(ca_state=3, snd_ssthresh=5)
    f.again(0, after=1000).shows(ca_state=4).ack(4, after=100).again(4, 5).ack(5).again(6, 7).shows(snd_ssthresh=6)
    yield f.v


def eifel():
    """Timestamps: RFC 3522."""
    needs = {"section": "RFC 3522 3.2", "stamps": True}
    f = timed_out("eifel/timeout", "The first acknowledgment echoes what went before the retransmission: the timeout was spurious, and new text goes on",
                  covers="RFC3522-3.2-1 RFC3522-3.2-5 RFC4015-3.1-5 RFC4015-3.1-6 RFC4015-2-1", **needs)
    f.ack(1, after=100).new(1).shows(snd_cwnd=10 * f.size // f.mss, snd_ssthresh=UNSET, ca_state=0, lost=0, total_retrans=1)
    yield f.ack(2).new(2).v
    f = timed_out("eifel/timeout-needed", "It echoes the retransmission: the loss was real, and two segments go again", covers="RFC3522-3.2-5", count=10, **needs)
    f.ack(1, after=100, echo=1010).again(1, 2).shows(snd_ssthresh=half(f, 10), ca_state=4)
    yield f.v
    f = timed_out("eifel/first-acknowledgment-only", "The first acknowledgment decides; a later one that echoes something older does not", covers="RFC3522-3.2-5", count=10, **needs)
    f.ack(1, after=100, echo=1010).again(1, 2).ack(2, echo=10).again(3, 4).shows(snd_ssthresh=half(f, 10), ca_state=4)
    yield f.v
    f = timed_out("eifel/first-retransmission-counts", "After two timeouts it is the first retransmission's timestamp that is compared", covers="RFC3522-3.2-4 RFC3522-3.2-3", count=10, **needs)
    f.again(0, after=2000).ack(1, after=100, echo=1010).again(1, 2).shows(snd_ssthresh=half(f, 10), ca_state=4)
    yield f.v
    f = timed_out("eifel/second-timeout", "After two timeouts an echo from before both: the window is that from before the first", covers="RFC3522-3.2-3 RFC4015-3.1-3", **needs)
    f.again(0, after=2000).ack(1, after=100).new(1).shows(snd_cwnd=10 * f.size // f.mss, snd_ssthresh=UNSET, ca_state=0)
    yield f.v
    f = flown("eifel/fast-recovery", "Three duplicates were reordering: the acknowledgment of the late segment echoes its own time", covers="RFC3522-3.2-1 RFC3522-3.2-2 RFC3522-3.2-5 RFC9438-4.9.2-1", **needs)
    f.ack(0, echo=0).new(1).ack(0, echo=0).new(1).ack(0, echo=0).again(0).shows(ca_state=3, snd_ssthresh=half(f, 10))
    f.ack(4, echo=10).new(2).shows(snd_cwnd=10, snd_ssthresh=UNSET, ca_state=0, total_retrans=1)
    yield f.v
    f = flown("eifel/fast-recovery-needed", "Three duplicates were a loss: the acknowledgment echoes the retransmission", covers="RFC3522-3.2-5", **needs)
    f.ack(0, echo=0).new(1).ack(0, echo=0).new(1).ack(0, echo=0).again(0)
    f.ack(12, echo=40).new(2).shows(snd_cwnd=2, snd_ssthresh=half(f, 10), ca_state=0)
    yield f.v
    f = flown("eifel/timeout-in-recovery", "A timeout in a recovery keeps what was before the recovery: both are taken back at once", covers="RFC3522-3.2-2 RFC3522-3.2-3 RFC4015-3.1-3", **needs)
    f.ack(0, echo=0).new(1).ack(0, echo=0).new(1).ack(0, echo=0).again(0).again(0, after=1000).shows(ca_state=4)
    f.ack(1, after=100).shows(snd_ssthresh=UNSET, ca_state=0, lost=0)
    yield f.v


def response():
    """RFC 4015 3.1: what comes back."""
    needs = {"section": "RFC 4015 3.1", "stamps": True}
    f = sender("response/no-burst", "One acknowledgment of many segments lets an initial window go, not all of them", covers="RFC4015-3.1-6", settings="initial-window=0 congestion=reno undo=1", **needs)
    f.new(3).ack(1).new(2).ack(2).new(2).ack(3).new(2).ack(4).new(2).again(4, after=1000).shows(snd_cwnd=1)
    f.note("seven were in flight; five are acknowledged, three may go: 3 * 1460 octets are RFC 5681's initial window")
    f.ack(9, after=100, echo=f.first[4]).new(3).shows(snd_cwnd=4, snd_ssthresh=UNSET, ca_state=0)
    yield f.v
    for word, flight, pipe in (("flight", 7, 7), ("ssthresh", 3, 5)):
        f = timed_out(f"response/pipe-prev-{word}", f"ssthresh comes back as what was larger: {'what was in flight' if word == 'flight' else 'ssthresh before'}", "RFC 4015 3.1", "RFC4015-3.1-4 RFC4015-3.1-6",
                      40, family="undo/response/pipe-prev", needs="f-rto")
        f.note("a real loss first: ssthresh is five segments").ack(10, after=100).new(2).ack(12).new(3)
        acked, cwnd, counted = 12, 3, 0
        while cwnd < flight:
            acked, before = acked + 1, cwnd
            counted += cwnd >= 5
            if cwnd < 5 or counted == cwnd:
                cwnd, counted = cwnd + 1, 0
            f.ack(acked).new(1 + cwnd - before)
        f.shows(snd_cwnd=flight, snd_ssthresh=5, unacked=flight).note("and now only a delay of more than a second")
        f.again(acked, after=1000).shows(snd_cwnd=1, snd_ssthresh=max(flight // 2, 2)).ack(acked + 1, after=100).new(2).ack(acked + 2)
        f.new(1).shows(snd_ssthresh=pipe, snd_cwnd=flight + 1, ca_state=0)
        yield f.v
    f = flown("response/fast-recovery-leaves-the-timer", "A fast recovery that was not needed says nothing of the RTO", covers="RFC4015-3.1-7", **needs)
    f.ack(0, echo=0).new(1).ack(0, echo=0).new(1).ack(0, echo=0).again(0).ack(4, echo=10).new(2).shows(ca_state=0, rtt=13750)
    f.note("7/8 of 10 ms and 1/8 of 40 ms; then 1/8 of 10 ms").ack(14).new(6).shows(rtt=13281)
    yield f.v
    f = timed_out("response/timer-follows-the-delay", "The first sample of new text after a spurious timeout sets the RTO anew", covers="RFC4015-3.1-7", count=30, **needs)
    f.ack(1, after=100).new(1).note("the new segment takes 1.2 s too: SRTT = 1.2 s, RTTVAR = 0.6 s, RTO = 3.6 s")
    f.ack(11, after=1200).new(11).shows(rtt=1200000, rttvar=600000, rto=3600000).again(11, after=3600)
    yield f.v
    f = timed_out("response/timer-is-no-less-patient", "A short sample then makes the RTO no less patient than it was before, by two ticks of the clock more", "RFC 4015 3.1", "RFC4015-3.1-7 RFC4015-3.1-4", count=40, needs="f-rto")
    f.ack(1, after=100).new(2).ack(2).new(1).ack(10).new(9).shows(ca_state=0)
    f.note("SRTT was 10 ms and RTTVAR 5 ms; the new segments take 4 ms").ack(22, after=4).new(13).shows(rtt=12000, rttvar=5000)
    f.note("from then on samples count as any others: 7/8 of 12 ms and 1/8 of 10 ms").ack(35).new(5).shows(rtt=11750)
    yield f.v


def recovering(*arguments, **options):
    """Three segments are reported above the first, which has gone again: twelve are out."""
    f = flown(*arguments, **options)
    f.ack(0, (1, 2)).new(1).ack(0, (1, 3)).new(1).ack(0, (1, 4)).again(0)
    return f.shows(ca_state=3, snd_cwnd=5, snd_ssthresh=5, total_retrans=1)


def duplicates():
    """D-SACK: RFC 2883 5, and what RFC 4015 3.1 makes of it."""
    needs = {"section": "RFC 2883 5", "sack": True, "needs": "dsack", "level": "practice"}
    f = recovering("d-sack/fast-recovery", "All that went again was there already: the recovery was for nothing", covers="RFC2883-5-1 RFC9438-4.9.2-1", **needs)
    f.ack(4).note("the late first segment; then what went again in its place").ack(4, (0, 1)).shows(ca_state=0, snd_cwnd=8, snd_ssthresh=UNSET, dsack_dups=1)
    yield f.ack(5).new(2).v
    f = recovering("d-sack/after-recovery", "The report may come when recovery has ended", covers="RFC2883-5-1 RFC9438-4.9.2-1", **needs)
    f.ack(12).new(2).shows(ca_state=0, snd_cwnd=2, snd_ssthresh=5).ack(12, (0, 1)).shows(snd_cwnd=2, snd_ssthresh=UNSET)
    f.note("slow start leads to where the window was").ack(13).new(2)
    yield f.v
    f = recovering("d-sack/after-more-was-acknowledged", "But not later than new text is acknowledged: then it tells of another time", covers="RFC2883-5-1", **needs)
    f.ack(12).new(2).ack(13).new(2).ack(13, (0, 1)).shows(snd_ssthresh=5, dsack_dups=1)
    yield f.v
    f = recovering("d-sack/nothing-in-flight", "What is given back is no less than there is, where nothing is in flight any more", covers="RFC4015-3.1-6", count=12, **needs)
    f.ack(12).shows(snd_cwnd=2, snd_ssthresh=5).ack(12, (0, 1)).shows(snd_cwnd=2, snd_ssthresh=UNSET)
    yield f.v
    f = flown("d-sack/every-octet", "Two segments went again and one is reported: the other was lost", covers="RFC2883-5-1", **needs)
    f.ack(0, (2, 6)).again(0).ack(0, (2, 8)).again(1).new(1).shows(ca_state=3, snd_ssthresh=5, total_retrans=2)
    f.ack(8).new(2).ack(8, (0, 1)).shows(ca_state=3, snd_ssthresh=5).note("now the other one").ack(8, (1, 2)).shows(ca_state=0, snd_ssthresh=UNSET)
    yield f.v
    f = timed_out("d-sack/timeout", "After a timeout, where there is no new text and there are no timestamps, duplicates alone tell", count=10, covers="RFC2883-5-1 RFC4015-2-1", **needs)
    f.ack(1, after=100).again(1, 2).ack(10).shows(ca_state=0, snd_ssthresh=5)
    f.ack(10, (0, 1)).ack(10, (1, 2)).shows(snd_ssthresh=5).ack(10, (2, 3)).shows(snd_ssthresh=UNSET, dsack_dups=3)
    yield f.v
    f = timed_out("d-sack/timeout-needed", "After a timeout a report of some of it leaves what was reduced", count=10, covers="RFC2883-5-1", **needs)
    f.ack(1, after=100).again(1, 2).ack(10).ack(10, (1, 2)).ack(10, (2, 3)).shows(snd_ssthresh=5, dsack_dups=2)
    yield f.v
    f = flown("d-sack/above-the-acknowledgment", "A first block inside the second is a duplicate above the acknowledgment", covers="RFC2883-5-3", **needs)
    f.ack(0, (1, 5)).again(0).ack(0, (6, 9), (1, 5)).again(5).new(2).shows(ca_state=3, total_retrans=2, dsack_dups=0)
    f.ack(0, (1, 9)).new(1).ack(0, (5, 6), (1, 9)).shows(dsack_dups=1, snd_ssthresh=5)
    f.ack(9).new(1).ack(9, (0, 1)).shows(dsack_dups=2, snd_ssthresh=UNSET, ca_state=0)
    yield f.v
    f = flown("d-sack/old-acknowledgment", "A block is compared with the acknowledgment beside it: one that comes late and reports what was missing then is no duplicate", covers="RFC2883-5-2",
              section="RFC 2883 5", sack=True, needs="dsack", level="MUST")
    f.ack(6).new(7).ack(2, (4, 5)).shows(dsack_dups=0, unacked=11)
    yield f.v
    f = recovering("d-sack/of-before", "A duplicate of octets acknowledged before the loss says nothing of it", covers="RFC2883-5-1", count=30, **needs)
    f.ack(12).new(2).ack(14).new(3).note("a second loss")
    f.ack(14, (15, 17)).new(2).ack(14, (15, 18)).again(14).shows(ca_state=3).ack(14, (13, 14), (15, 18)).shows(ca_state=3, dsack_dups=1)
    yield f.v


def vectors():
    for part in (basic(), selective(), eifel(), response(), duplicates()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
