#!/usr/bin/env python3
"""bbr.py - whole exchanges of a sender with BBR over a bottleneck: when each segment leaves, what goes again, and what tcp_info tells as phases change.

The sender is bbr_model.py with a scoreboard by RFC 6675; the path delivers a segment each `interval` and drops what its queue has no room for. No RFC asks for any of it:
the level is `practice`."""
import sys

from bbr_model import NONE, US, Bbr, Rate
from pkt import MSS, Vector, write
from recovery_model import Receiver

INITIAL = 10
EARLY = 500  # so far ahead of its time text may leave


class Course:
    """A connection that the peer opened with one round-trip time; times are microseconds since its first segment."""

    def __init__(self, name, title, *, rtt=300000, interval=30000, queue=100, segments=1000, sack=False, settings="", section="5.3"):
        needs = "virtual-time pacing delivery-rate bbr iss" + " sack rfc6675" * sack + " f-rto" * ("undo=1" in settings)
        self.v = Vector("pacing/bbr/" + name, title, "practice", f"draft-ietf-ccwg-bbr {section}", needs=needs,
                        settings=f"congestion=bbr initial-window={INITIAL} send-buffer=4194304 iss=0 {settings}".strip())
        self.v.say("--tolerance_usecs=100").say("--tolerance_percent=0")
        offer = "mss 1460" + ",nop,nop,sackOK" * sack
        self.v.passive(rtt=f"{rtt / US:g}", offer=offer, answer=offer)
        self.rtt, self.interval, self.queue, self.sack = rtt, interval, queue, sack
        self.model, self.rate, self.receiver = Bbr(INITIAL * MSS, MSS), Rate(), Receiver()
        self.told = self.now = self.turn = self.free = self.una = self.next = self.count = self.gone = 0
        self.held = self.recovering = self.must = False
        self.sacked, self.lost, self.resent = set(), set(), set()
        self.recover, self.least, self.way, self.sample = -1, rtt, [], None
        self.drops, self.phases, self.waiting = set(), ["Startup"], ()
        self.saved, self.repairing = None, False
        self.write(segments)

    # ---- the script ----

    def after(self, at):
        gap, self.told = at - self.told, at
        return f"{gap / US:.6f}".rstrip("0").rstrip(".")

    def write(self, segments):
        self.v.call(f"write(4, ..., {segments * MSS}) = {segments * MSS}", self.after(self.now))
        self.count += segments
        self.fill()
        return self

    def shows(self, **facts):
        for name, value in facts.items():
            self.v.say(f"+0 %{{ assert tcpi_{name} == {value} }}%")
        return self

    def tell(self, note=""):
        if note:
            self.v.note(note)
        return self.shows(pacing_rate=self.model.rate, snd_cwnd=self.model.cwnd // MSS, bytes_acked=self.una * MSS)

    # ---- the sender ----

    def pipe(self):
        return sum(n not in self.sacked and n not in self.lost and n not in self.waiting for n in range(self.una, self.next)) * MSS

    def may_go(self):
        pipe = self.pipe()
        window = pipe == 0 or pipe + MSS <= self.model.cwnd
        return (bool(self.lost) and (window or self.must)) or (self.next < self.count and window)

    def leave(self):
        again = bool(self.lost)
        n = min(self.lost) if again else self.next
        self.v.expect(f"{'P' if n == self.count - 1 else ''}. {1 + n * MSS}:{1 + (n + 1) * MSS}({MSS}) ack 1", self.after(self.now))
        if not again or n in self.rate.sent:
            self.rate.goes(n, self.now, not again and self.una == self.next)
        self.next += not again
        self.lost.discard(n)
        self.must = False
        if self.gone >= INITIAL:
            self.turn = max(self.turn, self.now) + (MSS * US // self.model.rate if self.model.rate else MSS * self.rtt // (2 * self.model.cwnd))
            self.held = self.turn - self.now >= EARLY
        self.travel(n)
        self.gone += 1

    def fill(self):
        """All that may go now."""
        while self.may_go() and (not self.held or self.turn <= self.now):
            self.leave()
        if not self.lost and self.pipe() + MSS <= self.model.cwnd and self.next == self.count:
            self.rate.limits("application", self.pipe())

    def hear(self, at, n, waiting=()):
        """`waiting`: segments that are taken for lost, and wait."""
        self.now, self.waiting = at, waiting
        ack, runs = self.receiver.take(n)
        tail = " <nop,nop,sack " + " ".join(f"{1 + a * MSS}:{1 + b * MSS}" for a, b in runs) + ">" if runs and self.sack else ""
        self.v.sends(f". 1:1(0) ack {1 + ack * MSS} win 65535{tail}", self.after(at))
        held = {k for run in runs for k in range(*run)}
        new = {k for k in held | set(range(self.una, ack)) if k >= self.una and k not in self.sacked}
        s = self.rate.acked({k: MSS for k in new}, at, self.least)
        if s.rtt:
            self.least = min(self.least, s.rtt)
        self.una = max(self.una, ack)
        self.sacked = {k for k in self.sacked | held if k >= self.una}
        self.lost = {k for k in self.lost if k >= self.una and k not in held}
        if self.recovering and self.una > self.recover:
            self.recovering = False
        self.sample, s.repairing = s, self.repairing
        s.lost = self.find() * MSS
        s.flight = self.pipe()
        self.model.drawn = (1 + self.next * MSS) % 2**32
        self.model.acknowledge(s)
        if self.model.phase != self.phases[-1]:
            self.phases.append(self.model.phase)
            self.tell(self.model.phase)
        self.fill()

    def find(self):
        """RFC 6675 IsLost, of what was sent once."""
        new = {n for n in range(self.una, self.next) if n not in self.sacked and n not in self.resent and n not in self.lost and sum(k > n for k in self.sacked) >= 3}
        self.lost |= new
        self.resent |= new
        if new and not self.recovering:
            self.recovering, self.recover, self.must = True, self.next - 1, True
        return len(new)

    def timed_out(self, late):
        """Acknowledgments come so much later than they should, and the timer, a second after the last one, has ended: all is taken for lost, the first goes again."""
        ends, self.free = self.now + US, self.free + int(late * US)
        self.way = [(at + int(late * US), n) for at, n in self.way]
        while self.may_go() and max(self.turn, self.now) < ends:
            self.now, self.held = max(self.turn, self.now), False
            self.fill()
        self.now, self.saved, self.repairing, self.held = ends, self.model.saved(), True, False
        self.model.timeout()
        self.lost, self.must = set(range(self.una, self.next)), True
        self.leave()
        return self.tell("a timeout").shows(ca_state=4)

    def hear_late(self):
        """Two acknowledgments advance, the second of what was sent once (RFC 5682 2.1): the timeout was spurious. Between them new text goes, not what is taken for lost."""
        lost, self.lost = self.lost, set()
        self.hear(*self.way.pop(0), waiting=lost)
        self.repairing = False
        self.model.undo(self.saved)
        self.hear(*self.way.pop(0))
        return self.tell("it was spurious").shows(ca_state=0, total_rto=1, lost=0)

    # ---- the path ----

    def travel(self, n):
        """Through the queue to the receiver, whose acknowledgment comes at once."""
        begins = max(self.free, self.now)
        if begins - self.now > self.queue * self.interval or self.gone in self.drops:
            return
        self.free = begins + self.interval
        self.way.append((self.free + self.rtt - self.interval, n))

    def run(self, until):
        done = until if callable(until) else lambda: self.now >= until * US
        while not done():
            arrives = self.way[0][0] if self.way else None
            if self.may_go() and (arrives is None or max(self.turn, self.now) <= arrives):
                self.now = max(self.turn, self.now)
                self.held = False
                self.fill()
            elif arrives is not None:
                self.hear(*self.way.pop(0))
            else:
                raise SystemExit(f"{self.v.name}: nothing is under way")
        return self

    def to(self, phase):
        return self.run(lambda: self.model.phase == phase)

    def rounds(self, count):
        end = self.now + int(count * self.rtt)
        return self.run(lambda: self.now >= end)

    def silent(self, seconds):
        """All is acknowledged; then nothing for so long."""
        self.run(lambda: self.una == self.count)
        self.now += int(seconds * US)
        return self

    def went(self, *phases):
        """The course went through these, or the generator is wrong."""
        if self.phases != list(phases):
            raise SystemExit(f"{self.v.name}: it went {self.phases}")
        return self.v


LONG = ("Startup", "Drain", "Down", "Cruise", "Refill", "Up", "Down")


def courses():
    c = Course("startup", "Each round the rate of a path that has more doubles, and so does the window", rtt=100000, interval=500, section="5.3.1")
    yield c.run(lambda: c.una == 30).tell().shows(delivery_rate=c.sample.rate()).went("Startup")
    c = Course("full", "The rate has not grown for three rounds: the path is full, and the queue is emptied at about a third of its rate", rtt=100000, interval=10000, section="5.3.1.2")
    yield c.to("Cruise").rounds(1).tell().shows(delivery_rate=c.sample.rate()).went("Startup", "Drain", "Down", "Cruise")
    c = Course("cycle", "Cruise until the wait is over, Refill for a round, Up until the rate has not grown for three rounds, Down until no more is in flight than the path holds")
    yield c.to("Up").to("Down").to("Cruise").went(*LONG, "Cruise")
    c = Course("startup-loss", "A short queue loses what Startup sends too much, in six places of a round: Startup is over, and a bound is set", queue=3, sack=True, section="5.3.1.3")
    yield c.to("Cruise").rounds(1).tell().went("Startup", "Drain", "Down", "Cruise")
    c = Course("wider", "The path has become half as wide again: the next probe finds it")
    c.to("Cruise").interval = 20000
    yield c.to("Up").to("Down").went(*LONG)
    c = Course("up-loss", "A short queue loses what Up sends too much: Up is over, a bound is set, and Cruise keeps a seventh below it", rtt=400000, interval=20000, queue=30, sack=True)
    c.to("Cruise").queue = 1
    yield c.to("Up").to("Down").to("Cruise").rounds(1).tell().went(*LONG, "Cruise")
    c = Course("cruise-loss", "The path becomes half as wide between two probes, and its queue is short: the bounds fall by three tenths a round, as far as what is delivered", rtt=400000, interval=20000, queue=30,
               sack=True, section="5.5.10.3")
    c.to("Cruise").queue, c.interval = 3, 40000
    for _ in range(4):
        c.rounds(1).tell()
    if c.model.bw_lo == NONE:
        raise SystemExit("cruise-loss: no bound")
    yield c.went("Startup", "Drain", "Down", "Cruise")
    c = Course("noise", "One of twenty is lost between two probes, and no queue shows: that is not the path's word", sack=True, section="5.5.10.3")
    c.to("Cruise").drops = {n for n in range(1000) if n % 20 == 13}
    yield c.to("Refill").went("Startup", "Drain", "Down", "Cruise", "Refill")
    c = Course("probe-rtt", "For ten seconds no round-trip time as short: half of what the path holds for 200 ms and a round, then Cruise", section="5.3.4")
    c.to("Cruise").rtt += 1000
    yield c.to("ProbeRTT").to("Cruise").rounds(1).tell().went(*LONG, "Cruise", "Refill", "Up", "ProbeRTT", "Cruise")
    c = Course("silence", "After eleven seconds of silence the window is what it was and leaves at the rate of the path; the round-trip time found then is believed, and there is no ProbeRTT", segments=150, section="5.4.1")
    c.to("Cruise").silent(11).write(100)
    yield c.rounds(1.5).tell().run(lambda: c.una == c.count).went(*LONG, "Cruise")
    c = Course("undo", "A timeout that was not needed: the window is back with the second acknowledgment, and the model never went", settings="undo=1", section="5.5.10.3")
    yield c.to("Cruise").rounds(2).timed_out(1.5).hear_late().rounds(1).tell().v
    c = Course("little", "The application writes three segments, and three more when they are acknowledged: the model stays", segments=150, section="4.1.2.4")
    c.to("Cruise").silent(0.1)
    for _ in range(4):
        c.write(3).silent(0.1).tell().shows(delivery_rate_app_limited=1)
    yield c.v


def vectors():
    yield from courses()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
