#!/usr/bin/env python3
"""pacing.py - when text leaves that is paced, how fast it is found to arrive (draft-ietf-ccwg-bbr 4.1, 5.6.2). BBR has bbr.py.

A model of the sender stands here; it says when each segment must leave, to a few microseconds, and what tcp_info must tell. No RFC asks for any of it: the level is
`practice`."""
import sys

from bbr_model import US, Rate
from pkt import MSS, Vector, write

INITIAL = 10
LEAD = {"hold": 500, "stamp": 4000}  # so far ahead of its time text is handed out ..
WAKE = {"hold": 0, "stamp": 2000}    # .. and then nothing until it is no more than this


class Course:
    """A connection that the peer opened with one round-trip time, `count` full segments queued. What happens is told in order of time in the end: with stamps a segment
    leaves after what was heard meanwhile."""

    def __init__(self, name, title, section, settings, count, rtt, needs="pacing", mode="hold", level="practice", covers=""):
        self.v = Vector("pacing/" + name, title, level, section, covers, needs=f"virtual-time {needs}",
                        settings=f"initial-window={INITIAL} send-buffer=262144 {settings}")
        self.v.say("--tolerance_usecs=50").say("--tolerance_percent=0")
        self.v.passive(rtt=f"{rtt / US:g}")
        self.rtt, self.now, self.una, self.next, self.count, self.mode = rtt, 0, 0, 0, count, mode
        self.turn, self.held, self.rates, self.rate_told, self.events = 0, False, Rate(), 0, []
        self.say(f"write(4, ..., {count * MSS}) = {count * MSS}")

    def say(self, text, at=None):
        self.now = self.now if at is None else at
        self.events.append((self.now, text))

    def done(self):
        told = 0
        for at, text in sorted(self.events, key=lambda event: event[0]):
            gap, told = at - told, at
            self.v.say(text if text.startswith("//") else f"+{gap / US:.6f}".rstrip("0").rstrip(".") + f" {text}")
        return self.v

    def goes(self, at, gap):
        """The next segment is handed out at `at`, and has its turn; the one after it `gap` later."""
        n, leaves = self.next, at
        self.now = at
        self.rates.goes(n, at, self.next == self.una)
        self.next += 1
        if n >= INITIAL:
            begins = max(self.turn, at)
            leaves = begins if self.mode == "stamp" else at
            self.turn = begins + gap
            self.held = self.turn - at >= LEAD[self.mode]
        self.events.append((leaves, f"> {'P' if n == self.count - 1 else ''}. {1 + n * MSS}:{1 + (n + 1) * MSS}({MSS}) ack 1"))

    def burst(self, cwnd, gap, until):
        """Before `until` all that the window and the pace allow."""
        while self.next < self.count and (self.next - self.una + 1) * MSS <= cwnd:
            at = max(self.now, self.turn - WAKE[self.mode] if self.held else 0)
            if at >= until:
                return
            self.goes(at, gap)
        if self.next == self.count:
            self.rates.limits("application", (self.next - self.una) * MSS)

    def ack(self, n, at):
        self.say(f"< . 1:1(0) ack {1 + n * MSS} win 65535", at)
        sample = self.rates.acked({k: MSS for k in range(self.una, n)}, at)
        self.rate_told, self.una = sample.rate(), n
        return sample

    def shows(self, **facts):
        for name, value in facts.items():
            self.say(f"%{{ assert tcpi_{name} == {value} }}%")
        return self

    def shows_rate(self):
        return self.shows(delivery_rate=self.rate_told, delivery_rate_app_limited=0)


# ---- pacing by the window ----

def windows():
    settings = "congestion=reno abc=0 pacing=1"
    for name, rtt, title in (("slow-start", 100000, "In slow start a round-trip time has room for two windows, and each segment has its time"),
                             ("in-pairs", 10000, "Segments that are less than half a millisecond apart leave together, then wait for both")):
        f = Course(name, title, "draft-ietf-ccwg-bbr 5.4", settings, 60, rtt)
        f.burst(INITIAL * MSS, 0, 1)
        f.say("// the first ten are free; now a window of eleven")
        f.ack(10, rtt)
        f.burst(11 * MSS, rtt // 22, 2 * rtt)
        yield f.done()
    f = Course("ten-are-free", "The first ten segments of a connection wait for nobody, whenever they go; the eleventh begins the pace", "draft-ietf-ccwg-bbr 5.4", settings, 5, 100000)
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(5, 100000)
    f.count += 9
    f.say(f"write(4, ..., {9 * MSS}) = {9 * MSS}", 150000)
    f.burst(11 * MSS, 100000 // 22, 200000)
    yield f.done()
    f = Course("after-recovery", "A recovery leaves a window of half as many segments and nothing in flight: they do not leave in one burst", "RFC 9937 6.4", settings + " prr=1", 10, 100000,
               needs="pacing prr", level="SHOULD", covers="RFC9937-6.4-2")
    f.burst(INITIAL * MSS, 0, 1)
    for _ in range(3):
        f.say("< . 1:1(0) ack 1 win 65535", 100000)
    f.say(f"> . 1:{1 + MSS}({MSS}) ack 1")
    f.ack(10, 200000)
    f.count += 5
    f.say(f"write(4, ..., {5 * MSS}) = {5 * MSS}")
    f.burst(5 * MSS, 100000 // 6, 300000)
    yield f.done()
    f = Course("before-its-turn", "Three duplicates, and what they say is lost waits for its turn; it arrives meanwhile: nothing goes again, and the window is what it was", "RFC 4015 3.1",
               settings + " undo=1", 30, 100000, needs="pacing limited-transmit")
    f.burst(INITIAL * MSS, 0, 1)
    f.say("< . 1:1(0) ack 1 win 65535", 100000)
    f.goes(100000, 0)
    f.say("< . 1:1(0) ack 1 win 65535", 100100)
    f.say("< . 1:1(0) ack 1 win 65535", 100200)
    f.shows(ca_state=3, snd_ssthresh=5)
    f.ack(10, 100300)
    f.shows(ca_state=0, snd_ssthresh=2147483647, snd_cwnd=10, total_retrans=0)
    f.say("< R 1:1(0) win 0")
    yield f.done()
    f = Course("off", "Without pacing a window leaves at once", "draft-ietf-ccwg-bbr 5.4", settings.replace("pacing=1", "pacing=0"), 60, 100000)
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(10, 100000)
    f.burst(11 * MSS, 0, 200000)
    yield f.done()
    f = Course("acknowledgments-go", "An acknowledgment does not wait while text does, and takes none of its time", "draft-ietf-ccwg-bbr 5.4", settings, 60, 100000)
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(10, 100000)
    f.burst(11 * MSS, 100000 // 22, 106000)
    for i in (0, 1):
        f.say(f"< P. {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack {1 + f.una * MSS} win 65535", 107000)
    f.say(f"> . {1 + f.next * MSS}:{1 + f.next * MSS}(0) ack {1 + 2 * MSS}")
    yield f.done()


# ---- earliest departure times ----

def stamps():
    section, settings = "draft-ietf-ccwg-bbr 5.6.2", "congestion=reno abc=0 pacing=2"
    for name, rtt, title in (("far-apart", 200000, "Segments 9 ms apart: each is handed out 2 ms before its time"),
                             ("slow-start", 100000, "Segments 4.5 ms apart: each leaves at its time, with a window over half a round trip"),
                             ("close", 10000, "Segments half a millisecond apart are handed out eight at a time, and leave one by one")):
        f = Course("stamp/" + name, title, section, settings, 60, rtt, mode="stamp")
        f.burst(INITIAL * MSS, 0, 1)
        f.ack(10, rtt)
        f.burst(11 * MSS, rtt // 22, 2 * rtt)
        yield f.done()
    f = Course("stamp/wait-is-measured", "The round-trip time begins when text is handed out, and has the wait for its time in it", section, settings, 12, 200000, mode="stamp")
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(10, 200000)
    f.burst(11 * MSS, 200000 // 22, 220000)
    f.ack(12, 410000)
    f.shows(rtt=(200000 * 7 + 410000 - (200000 + 200000 // 22 - 2000)) // 8)
    yield f.done()
    f = Course("stamp/silence", "Silence is not made up for: what comes after it begins a pace of its own", section, settings, 14, 100000, mode="stamp")
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(10, 100000)
    f.burst(11 * MSS, 100000 // 22, 150000)
    f.ack(14, 250000)
    f.count += 3
    f.say(f"write(4, ..., {3 * MSS}) = {3 * MSS}", 700000)
    srtt = (100000 * 7 + 250000 - (100000 + 3 * (100000 // 22) - 2000)) // 8
    f.burst(11 * MSS, srtt // 22, 750000)
    yield f.done()


# ---- the delivery rate ----

def delivery():
    section, settings = "draft-ietf-ccwg-bbr 4.1", "congestion=reno abc=0 pacing=0"
    f = Course("rate/one-round", "A window acknowledged after a round-trip time: so much in so long", section, settings, 40, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(10, 100000)
    f.shows_rate().burst(11 * MSS, 0, 100001)
    yield f.done()
    f = Course("rate/path", "Acknowledgments 5 ms apart tell what the path carries", section, settings, 40, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    cwnd = INITIAL
    for n in range(1, 16):
        f.ack(n, 100000 + 5000 * n if n <= 10 else f.now + 60000 if n == 11 else f.now + 5000)
        cwnd += 1
        f.shows_rate()
        f.burst(cwnd * MSS, 0, f.now + 1)
    yield f.done()
    f = Course("rate/bunched", "What was sent over 45 ms and is acknowledged in one bunch was not delivered faster than it was sent", section, settings, 40, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    cwnd = INITIAL
    for n in range(1, 11):
        f.ack(n, 100000 + 5000 * n)
        cwnd += 1
        f.burst(cwnd * MSS, 0, f.now + 1)
    f.ack(f.next, 260000)
    f.shows_rate().burst((cwnd + 1) * MSS, 0, 260001)
    yield f.done()
    f = Course("rate/little", "With little to send the rate tells what was asked of the path: four segments, then two", section, settings, 4, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(4, 100000)
    f.shows(delivery_rate=f.rate_told)
    f.count += 2
    f.say(f"write(4, ..., {2 * MSS}) = {2 * MSS}", 150000)
    f.burst(INITIAL * MSS, 0, 150001)
    f.ack(6, 250000)
    f.shows(delivery_rate=f.rate_told)
    yield f.done()
    f = Course("rate/silence", "Silence is no part of the time", section, settings, 4, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(4, 100000)
    f.count += 40
    f.say(f"write(4, ..., {40 * MSS}) = {40 * MSS}", 700000)
    f.burst(INITIAL * MSS, 0, 700001)
    f.ack(8, 800000)
    f.shows(delivery_rate=f.rate_told).burst(11 * MSS, 0, 800001)
    yield f.done()


def vectors():
    for part in (windows(), stamps(), delivery()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
