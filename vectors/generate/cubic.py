#!/usr/bin/env python3
"""cubic.py - CUBIC's reductions (RFC 9438), HyStart++ (RFC 9406), and how much an acknowledgment may add in slow start (RFC 5681 3.1, RFC 3465).

The windows of HyStart++ come from a second reading of RFC 9406 4.2 here, in Python; growth over time is in function/cubic.json."""
import sys

from pkt import MSS, write
from sender import Sender

CUBIC = "initial-window=10 congestion=cubic"
UNSET = 2147483647


def sender(name, title, level, section, covers, count=20, settings=CUBIC, **options):
    return Sender("growth/" + name, title, level, section, covers, count, settings=settings, **options)


def reductions():
    covers = "RFC9438-4.6-1 RFC9438-4.6-2"
    for word, sack in (("duplicates", False), ("sack", True)):
        f = sender(f"cubic/loss-{word}", "A loss takes cwnd and ssthresh to 0.7 of what was in flight, at once", "MUST", "RFC 9438 4.6", covers, sack=sack, family="growth/cubic/loss", needs="cubic")
        f.new(10)
        for n in (2, 3, 4):
            f.ack(0, *[(1, n)] * sack)
            if n < 4:
                f.new(1)
        f.again(0).shows(snd_cwnd=7, snd_ssthresh=7, ca_state=3)
        yield f.v
    f = sender("cubic/timeout", "A timeout takes ssthresh to 0.7 of what was in flight, and the window to one segment", "MUST", "RFC 9438 4.8", "RFC9438-4.8-1 RFC9438-4.6-2", needs="cubic")
    f.new(10).again(0, after=1000).shows(snd_cwnd=1, snd_ssthresh=7).ack(10, after=100).new(2)
    f.note("slow start as far as ssthresh").ack(11).new(2).ack(12).new(2).ack(13).new(2).shows(snd_cwnd=5)
    yield f.v
    f = sender("cubic/timeout-again", "A second timeout of the same segment leaves ssthresh", "MUST", "RFC 9438 4.8", "RFC9438-4.8-1 RFC5681-3.1-17", needs="cubic")
    f.new(10).again(0, after=1000).again(0, after=2000).shows(snd_cwnd=1, snd_ssthresh=7)
    yield f.v
    f = sender("cubic/two-segments", "ssthresh is never less than two segments", "MUST", "RFC 9438 4.6", "RFC9438-4.8-1", count=2, needs="cubic")
    f.new(2).again(0, after=1000).shows(snd_cwnd=1, snd_ssthresh=2)
    yield f.v
    f = sender("cubic/unused-window", "A window that is not used does not grow, and a loss then costs no more than is left of twice what was in flight", "practice", "RFC 9438 4.6", "RFC9438-4.6-4",
               count=2, sack=True, needs="cubic")
    f.new(2).ack(2).write(2).new(2).ack(4).write(2).new(2).ack(6).shows(snd_cwnd=10).write(4).new(4)
    f.note("four of ten are in flight: 0.7 of eight").ack(6, (7, 8)).ack(6, (7, 9)).ack(6, (7, 10)).again(6).shows(snd_cwnd=5, snd_ssthresh=5)
    yield f.v
    f = sender("cubic/window-of-the-peer", "Where the peer's window is the limit slow start goes on while half of cwnd is used, and no further", "practice", "RFC 9438 4.6", "RFC9438-4.6-4", count=40, sack=True, needs="cubic")
    f.new(10).ack(10, win=6 * MSS).new(6)
    for n in (12, 14, 16):
        f.ack(n, win=6 * MSS).new(2)
    f.shows(snd_cwnd=13)
    for n in (18, 20):
        f.ack(n, win=6 * MSS).new(2)
    f.shows(snd_cwnd=13)
    yield f.v
    yield from of_reno()
    f = sender("cubic/idle", "After more silence than an RTO the window is the initial one again", "SHOULD", "RFC 5681 4.1", "RFC5681-4.1-1 RFC6928-2-5", count=12, needs="cubic")
    f.new(10).ack(1).new(2).ack(12).shows(snd_cwnd=12).write(20, after=2000).new(10)
    yield f.v
    f = sender("cubic/slow-start", "Slow start is that of all: up to ssthresh a segment for each acknowledged", "MUST", "RFC 9438 4.10", "RFC9438-4.10-1", count=24, needs="cubic")
    f.new(10)
    for n in range(1, 6):
        f.ack(n).new(2)
    f.shows(snd_cwnd=15, snd_ssthresh=UNSET)
    yield f.v


def of_reno():
    """Six of a window of thirteen are in flight, for the peer's window has no room for more: what is half of the window?"""
    for word, halve, left, title, level in (("letter", 0, 3, "it is half of what is in flight", "MUST"), ("used", 1, 6, "it is half of cwnd, of which twice what is in flight counts", "practice")):
        f = sender(f"reno/window-of-the-peer-{word}", f"Where the peer's window is the limit a loss halves the window: {title}", level, "RFC 5681 3.1" if not halve else "RFC 9438 4.6",
                   "RFC5681-3.2-7 RFC5681-4.3-1" if not halve else "", count=40, sack=True, settings=f"initial-window=10 congestion=reno halve-cwnd={halve}",
                   needs="" if halve else "unused-window")
        f.new(10).ack(10, win=6 * MSS).new(6)
        for n in (12, 14, 16):
            f.ack(n, win=6 * MSS).new(2)
        f.shows(snd_cwnd=13)
        f.ack(16, (17, 18), win=6 * MSS).ack(16, (17, 19), win=6 * MSS).ack(16, (17, 20), win=6 * MSS).again(16).shows(snd_ssthresh=left)
        yield f.v


def stretches():
    """One acknowledgment of many segments."""
    for name, title, level, section, covers, settings, cwnd in (
            ("letter", "adds one segment", "MUST", "RFC 5681 3.1", "RFC5681-3.1-9", "congestion=reno abc=0", 11),
            ("abc", "adds two with appropriate byte counting", "practice", "RFC 3465 2.3", "", "congestion=reno abc=1", 12),
            ("hystart", "adds eight at most with HyStart++", "SHOULD", "RFC 9406 4.2", "RFC9406-4.2-2 RFC9406-4.3-1", "congestion=reno abc=1 hystart=1", 18),
            ("hystart-cubic", "adds eight at most with HyStart++, whatever comes after slow start", "SHOULD", "RFC 9406 4.2", "RFC9406-4.2-2 RFC9406-4.3-1 RFC9438-4.10-2", "congestion=cubic abc=1 hystart=1", 18)):
        f = sender(f"stretch/{name}", f"In the first slow start an acknowledgment of ten segments {title}", level, section, covers, count=40, settings="initial-window=10 " + settings)
        yield f.new(10).ack(10).new(cwnd).shows(snd_cwnd=cwnd).v
    for name, settings in (("abc", "congestion=reno abc=1"), ("hystart", "congestion=cubic abc=1 hystart=1")):
        f = sender(f"stretch/after-timeout-{name}", "After a timeout an acknowledgment of ten segments adds one: most of them did not leave the network just now", "practice", "RFC 3465 2.3", "RFC9406-4.3-7" if name == "hystart" else "", count=40,
                   settings="initial-window=10 " + settings, family="growth/stretch/after-timeout")
        yield f.new(10).again(0, after=1000).ack(10, after=100).new(2).shows(snd_cwnd=2).ack(12).new(3).shows(snd_cwnd=3).v
    f = sender("stretch/paced", "With HyStart++ and pacing it adds all ten: they leave in no burst", "SHOULD", "RFC 9406 4.3", "RFC9406-4.3-6", count=40, needs="pacing",
               settings="initial-window=10 congestion=cubic abc=1 hystart=1 pacing=1")
    f.new(10).ack(10).new(2).shows(snd_cwnd=20)
    yield f.v.note("a fortieth of 10 ms for each: two leave together, then all wait").sends("R 1:1(0) win 0", "0")
    f = sender("stretch/less-than-a-segment", "An acknowledgment of part of a segment adds that part, whatever the limit", "SHOULD", "RFC 5681 3.1", "RFC5681-3.1-9", count=40, settings="initial-window=10 congestion=reno abc=1")
    f.new(10).ack(0.5).new(1).ack(1).new(1).shows(snd_cwnd=11)
    yield f.v
    for mss, letter, newer in ((8960, 2, 2), (2191, 2, 6), (2190, 3, 6), (1461, 3, 9), (100, 4, 10)):
        for word, segments, setting, section, covers in (("rfc5681", letter, 0, "RFC 5681 3.1", "RFC5681-3.1-2"), ("rfc6928", newer, 10, "RFC 6928 2", "RFC6928-2-1")):
            f = sender(f"initial-window/{word}-{mss}", f"The initial window of {section[:8]} at an MSS of {mss}: {segments} segments", "MUST" if setting == 0 else "practice", section, covers, count=12 if mss > 4000 else 20,
                       settings=f"initial-window={setting} congestion=cubic mtu=9000 send-buffer=131072", mss=mss, own_mss=8960, family=f"growth/initial-window/{word}")
            yield f.new(segments).v


class HyStart:
    """RFC 9406 4.2 and 4.3, octets and milliseconds."""

    def __init__(self, cwnd, mss, nxt):
        self.cwnd, self.mss, self.ssthresh = cwnd, mss, None
        self.end, self.last, self.now, self.samples, self.rounds, self.base = nxt, None, None, 0, 0, None

    def acked(self, octets, rtt, una, nxt):
        if self.ssthresh is not None:
            return
        step = min(octets, 8 * self.mss)
        self.cwnd += step if self.base is None else step // 4
        self.now = rtt if self.now is None else min(self.now, rtt)
        self.samples += 1
        if self.samples >= 8:
            if self.base is None and self.last is not None and self.now >= self.last + min(max(self.last / 8, 4), 16):
                self.base, self.rounds = self.now, 0
            elif self.base is not None and self.now < self.base:
                self.base = None
        if una >= self.end:
            self.end, self.last, self.now, self.samples = nxt, self.now, None, 0
            self.rounds += self.base is not None
        if self.base is not None and self.rounds >= 5:
            self.ssthresh = self.cwnd


def course(name, title, covers, rtts, most=200, level="SHOULD", section="RFC 9406 4.2", settings="", first=10, each=1):
    """A flow with an acknowledgment for `each` segments; rtts gives the round-trip time of segment n. Timestamps, so that each acknowledgment
    gives a sample."""
    f = sender("hystart/" + name, title, level, section, covers, count=450, mss=536, stamps=True, rtt=rtts(0), settings=f"initial-window={first if first == 10 else 0} congestion=cubic hystart=1 abc=1 send-buffer=262144 {settings}".strip())
    f.new(first)
    model = HyStart(first * 536, 536, 1)
    if "hystart=0" in settings:
        model.acked = lambda octets, rtt, una, nxt: setattr(model, "cwnd", model.cwnd + octets)
    una, phase = 0, None
    while una < most and f.next < f.count:
        count = min(each, f.next - una)
        una += count
        arrival = max(f.first[una - 1] + rtts(una - 1), f.clock)
        model.acked(count * f.size, arrival - f.first[una - 1], f.octet(una), f.octet(f.next))
        f.ack(una, after=arrival - f.clock)
        may = 0
        while (f.next + may - una + 1) * f.size <= model.cwnd and f.next + may < f.count:
            may += 1
        f.new(may)
        now = "over" if model.ssthresh else "conservative" if model.base else "slow"
        if now != phase and phase is not None:
            f.note({"over": "slow start is over", "conservative": "the round-trip time rises: a quarter of the growth", "slow": "it has fallen again: slow start goes on"}[now])
            f.shows(snd_cwnd=model.cwnd // 536, snd_ssthresh=(model.ssthresh or UNSET * 536) // 536)
        phase = now
        if model.ssthresh:
            break
    f.shows(snd_cwnd=model.cwnd // 536, snd_ssthresh=(model.ssthresh or UNSET * 536) // 536)
    return f, model


def hystart():
    rule = "RFC9406-4.2-1 RFC9406-4.2-3 RFC9406-4.3-1"
    def stepped(*steps):
        """The round-trip time of each segment: (from segment, milliseconds)."""
        return lambda n: [ms for first, ms in steps if n >= first][-1]
    f, model = course("leaves", "The round-trip time rises by more than an eighth: five rounds of a quarter of the growth, then ssthresh is cwnd", rule + " RFC9406-4.2-4 RFC9406-4.2-6 RFC9406-4.3-4 RFC9406-4.3-3 RFC9406-4.3-5 RFC9438-4.10-2", stepped((0, 100), (10, 130)), most=440, first=4)
    assert model.ssthresh
    yield f.v
    f, model = course("leaves-reno", "The same before NewReno's congestion avoidance", rule + " RFC9406-4.2-4 RFC9406-4.2-6", stepped((0, 100), (10, 130)), most=440, first=4, settings="congestion=reno")
    assert model.ssthresh
    yield f.v
    f, model = course("jitter", "The round-trip time falls again in the next round: slow start goes on", rule + " RFC9406-4.2-5", stepped((0, 100), (28, 130), (66, 100)), most=110)
    assert model.base is None
    yield f.v
    for name, base, rise, enters, title in (("least-rise", 20, 4, True, "Of 20 ms a rise of 4 ms is enough"), ("less-than-that", 20, 3, False, "Of 20 ms a rise of 3 ms is not"),
                                            ("an-eighth", 80, 10, True, "Of 80 ms a rise of 10 ms is enough"), ("less-than-an-eighth", 80, 9, False, "Of 80 ms a rise of 9 ms is not"),
                                            ("most-rise", 200, 16, True, "Of 200 ms a rise of 16 ms is enough"), ("less-than-most", 200, 15, False, "Of 200 ms a rise of 15 ms is not")):
        f, model = course(name, title, rule, stepped((0, base), (28, base + rise)), most=68)
        assert (model.base is not None) == enters
        yield f.v
    f, model = course("few-samples", "Less than eight samples of a round are too few to judge by", rule, stepped((0, 100), (8, 130)), most=70, each=4)
    assert model.base is None
    yield f.v
    f, model = course("off", "Without HyStart++ slow start goes on", "RFC9438-4.10-3", stepped((0, 100), (28, 130)), most=90, level="MAY", section="RFC 9438 4.10", settings="hystart=0")
    yield f.v
    f = sender("hystart/after-loss", "After a loss a rise of the round-trip time ends no slow start: it is for the first one only", "SHOULD", "RFC 9406 4.3", "RFC9406-4.3-7", count=120, mss=536, stamps=True, rtt=100,
               settings="initial-window=10 congestion=cubic hystart=1 abc=1 send-buffer=262144")
    f.new(10).ack(10, after=100).new(18).ack(28, after=100).new(26).note("eight segments more for each; now all of it is late")
    f.again(28, after=1000).ack(54, after=100, echo=f.clock).new(2)
    cwnd, una = 2 * 536, 54
    while una < 70:
        arrival = max(f.first[una] + (100 if una < 60 else 140), f.clock)
        una, cwnd = una + 1, cwnd + f.size
        f.ack(una, after=arrival - f.clock).new(cwnd // f.size - (f.next - una))
    yield f.shows(snd_cwnd=cwnd // 536).v


def vectors():
    for part in (reductions(), stretches(), hystart()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
