#!/usr/bin/env python3
"""pacing.py - when text leaves that is paced, how fast it is found to arrive, and what BBR makes of that (draft-ietf-ccwg-bbr 4.1, 5).

A model of the sender, of the path and of BBR stands here, in Python, read from the description alone; it says when each segment must leave,
to a few microseconds, and what tcp_info must tell. No RFC asks for any of it: the level is `practice`."""
import sys

from pkt import MSS, Vector, write

US = 1000000
INITIAL = 10


class Rate:
    """The delivery rate of each acknowledgment (4.1): what was delivered between the sending of a segment and its acknowledgment."""

    def __init__(self):
        self.delivered, self.delivered_at, self.first_at = 0, 0, 0
        self.sent, self.told = {}, 0

    def goes(self, n, now, flight):
        if flight == 0:
            self.first_at = self.delivered_at = now
        self.sent[n] = (now, self.delivered, self.delivered_at, self.first_at)

    def acked(self, first, last, now):
        """(delivered, interval, delivered before, round-trip time) of the segment sent last."""
        self.delivered += (last - first) * MSS
        self.delivered_at = now
        sent_at, prior, prior_at, first_at = self.sent[last - 1]
        self.first_at = sent_at
        amount, interval = self.delivered - prior, max(sent_at - first_at, now - prior_at)
        self.told = amount * US // interval
        return amount, interval, prior, now - sent_at


class Bbr:
    """The part of BBR that a course without loss shows, as far as the first probe (5.3.1 to 5.3.3); rates are octets a second."""

    def __init__(self, cwnd):
        self.cwnd, self.state, self.rate = cwnd, "Startup", 0
        self.bw = self.round_end = self.full_bw = self.flat = self.round_bw = 0
        self.min_rtt = None

    def bdp(self):
        return self.bw * self.min_rtt // US

    def acked(self, octets, sample, delivered, flight):
        amount, interval, prior, rtt = sample
        bw, around = amount * US // interval, prior >= self.round_end
        self.bw = max(self.bw, bw)
        self.round_bw = max(self.round_bw, bw)
        if around and self.state == "Startup":
            grew = self.round_bw >= self.full_bw + self.full_bw // 4 and self.round_bw > self.full_bw
            self.full_bw, self.flat = (self.round_bw, 0) if grew else (self.full_bw, self.flat + 1)
        if around:
            self.round_end, self.round_bw = delivered, 0
        self.min_rtt = min(self.min_rtt or rtt, rtt)
        if self.state == "Startup" and self.flat >= 3:
            self.state = "Drain"
        elif self.state == "Drain" and flight <= self.bdp():
            self.state = "Down"
        elif self.state == "Down" and flight <= self.bdp():
            self.state = "Cruise"
        rate = self.bw * {"Startup": 277, "Drain": 35, "Down": 90, "Cruise": 100}[self.state] * 99 // 10000
        if self.state != "Startup" or rate > self.rate:
            self.rate = rate
        if self.state == "Startup" and self.cwnd < 2 * self.bdp() + 2 * MSS:
            self.cwnd += octets


class Course:
    """A connection that the peer opened with one round-trip time, `count` full segments queued, paced."""

    def __init__(self, name, title, section, settings, count, rtt, needs="pacing", tolerance=50):
        self.v = Vector("pacing/" + name, title, "practice", section, needs=f"virtual-time {needs}",
                        settings=f"initial-window={INITIAL} send-buffer=262144 {settings}")
        self.v.say(f"--tolerance_usecs={tolerance}").say("--tolerance_percent=0")
        self.v.passive(rtt=f"{rtt / US:g}")
        self.rtt, self.now, self.una, self.next, self.count = rtt, 0, 0, 0, count
        self.turn, self.held, self.rates = 0, False, Rate()
        self.v.call(f"write(4, ..., {count * MSS}) = {count * MSS}")

    def after(self, at):
        gap, self.now = at - self.now, at
        return f"{gap / US:.6f}".rstrip("0").rstrip(".")

    def goes(self, at, gap):
        """The next segment leaves at `at`; the one after it `gap` later."""
        n = self.next
        self.v.expect(f"{'P' if n == self.count - 1 else ''}. {1 + n * MSS}:{1 + (n + 1) * MSS}({MSS}) ack 1", self.after(at))
        self.rates.goes(n, at, self.next - self.una)
        self.next += 1
        if n >= INITIAL:
            self.turn = max(self.turn, at) + gap
            self.held = self.turn - at >= 500

    def may_go(self, cwnd):
        return self.next < self.count and (self.next - self.una + 1) * MSS <= cwnd

    def burst(self, cwnd, gap, until):
        """Before `until` all that the window and the pace allow."""
        while self.may_go(cwnd):
            at = max(self.now, self.turn if self.held else 0)
            if at >= until:
                return
            self.goes(at, gap() if callable(gap) else gap)

    def ack(self, n, at):
        self.v.sends(f". 1:1(0) ack {1 + n * MSS} win 65535", self.after(at))
        sample = self.rates.acked(self.una, n, at)
        self.una = n
        return sample

    def shows(self, **facts):
        for name, value in facts.items():
            self.v.say(f"+0 %{{ assert tcpi_{name} == {value} }}%")
        return self

    def shows_rate(self):
        return self.shows(delivery_rate=self.rates.told, delivery_rate_app_limited=0)


# ---- pacing by the window ----

def windows():
    settings = "congestion=reno abc=0 pacing=1"
    for name, rtt, title in (("slow-start", 100000, "In slow start a round-trip time has room for two windows, and each segment has its time"),
                             ("in-pairs", 10000, "Segments that are less than half a millisecond apart leave together, then wait for both")):
        f = Course(name, title, "draft-ietf-ccwg-bbr 5.4", settings, 60, rtt)
        f.burst(INITIAL * MSS, 0, 1)
        f.v.note("the first ten are free; now a window of eleven")
        f.ack(10, rtt)
        f.burst(11 * MSS, rtt // 22, 2 * rtt)
        yield f.v
    f = Course("off", "Without pacing a window leaves at once", "draft-ietf-ccwg-bbr 5.4", settings.replace("pacing=1", "pacing=0"), 60, 100000)
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(10, 100000)
    f.burst(11 * MSS, 0, 200000)
    yield f.v
    f = Course("acknowledgments-go", "An acknowledgment does not wait while text does, and takes none of its time", "draft-ietf-ccwg-bbr 5.4", settings, 60, 100000)
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(10, 100000)
    f.burst(11 * MSS, 100000 // 22, 106000)
    for i in (0, 1):
        f.v.sends(f"P. {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack {1 + f.una * MSS} win 65535", f.after(107000 if i == 0 else f.now))
    f.v.expect(f". {1 + f.next * MSS}:{1 + f.next * MSS}(0) ack {1 + 2 * MSS}")
    yield f.v


# ---- the delivery rate ----

def delivery():
    section, settings = "draft-ietf-ccwg-bbr 4.1", "congestion=reno abc=0 pacing=0"
    f = Course("rate/one-round", "A window acknowledged after a round-trip time: so much in so long", section, settings, 40, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(10, 100000)
    f.shows_rate().burst(11 * MSS, 0, 100001)
    yield f.v
    f = Course("rate/path", "Acknowledgments 5 ms apart tell what the path carries", section, settings, 40, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    cwnd = INITIAL
    for n in range(1, 16):
        f.ack(n, 100000 + 5000 * n if n <= 10 else f.now + 60000 if n == 11 else f.now + 5000)
        cwnd += 1
        f.shows_rate()
        f.burst(cwnd * MSS, 0, f.now + 1)
    yield f.v
    f = Course("rate/bunched", "What was sent over 45 ms and is acknowledged in one bunch was not delivered faster than it was sent", section, settings, 40, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    cwnd = INITIAL
    for n in range(1, 11):
        f.ack(n, 100000 + 5000 * n)
        cwnd += 1
        f.burst(cwnd * MSS, 0, f.now + 1)
    f.ack(f.next, 260000)
    f.shows_rate().burst((cwnd + 1) * MSS, 0, 260001)
    yield f.v
    f = Course("rate/little", "With little to send the rate tells what was asked of the path: four segments, then two", section, settings, 4, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(4, 100000)
    f.shows(delivery_rate=f.rates.told)
    f.count += 2
    f.v.call(f"write(4, ..., {2 * MSS}) = {2 * MSS}", f.after(150000))
    f.burst(INITIAL * MSS, 0, 150001)
    f.ack(6, 250000)
    f.shows(delivery_rate=f.rates.told)
    yield f.v
    f = Course("rate/silence", "Silence is no part of the time", section, settings, 4, 100000, needs="delivery-rate")
    f.burst(INITIAL * MSS, 0, 1)
    f.ack(4, 100000)
    f.count += 40
    f.v.call(f"write(4, ..., {40 * MSS}) = {40 * MSS}", f.after(700000))
    f.burst(INITIAL * MSS, 0, 700001)
    f.ack(8, 800000)
    f.shows(delivery_rate=f.rates.told).burst(11 * MSS, 0, 800001)
    yield f.v


# ---- BBR ----

def bbr(name, title, interval, last, rtt=100000):
    """A path that delivers a segment each `interval`, acknowledged one by one as far as segment `last`."""
    f = Course("bbr/" + name, title, "draft-ietf-ccwg-bbr 5.3", "congestion=bbr", 179, rtt, needs="pacing delivery-rate bbr", tolerance=400)
    model, free_at, state = Bbr(INITIAL * MSS), 0, "Startup"
    f.burst(model.cwnd, 0, 1)
    arrives = {}
    for n in range(1, last + 1):
        for sent in range(len(arrives), f.next):
            free_at = max(free_at, f.rates.sent[sent][0]) + interval
            arrives[sent] = free_at + rtt - interval
        at = arrives[n - 1]
        f.burst(model.cwnd, lambda: min(MSS * US // model.rate, f.rtt * 4) if model.rate else 0, at)
        sample = f.ack(n, at)
        model.acked(MSS, sample, f.rates.delivered, (f.next - f.una) * MSS)
        if model.state != state or n in (1, last):
            f.v.note(model.state)
            f.shows(pacing_rate=model.rate)
            if model.state == "Startup":
                f.shows(snd_cwnd=model.cwnd // MSS)
            f.shows_rate()
        state = model.state
    return f, model


def bbrs():
    f, model = bbr("startup", "Each round the rate of a path that has more doubles, and so does the window", 500, 30)
    assert model.state == "Startup"
    yield f.v
    f, model = bbr("full", "The rate has not grown for three rounds: the path is full, and the queue is emptied at about a third of its rate", 10000, 90)
    assert model.state != "Startup"
    yield f.v


def vectors():
    for part in (windows(), delivery(), bbrs()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
