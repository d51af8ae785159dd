#!/usr/bin/env python3
"""function_path.py FOLDER | --check - writes FOLDER/function/delivery_rate.json and bbr.json: what acknowledgments tell of a path, and what BBR
makes of it. The answers are those of bbr_model.py; no RFC has any of it."""
import collections
import sys

import topic
from bbr_model import NONE, US, Bbr, Rate
from function import FunctionTopic

MSS = 1000
LIMITS = ("", "window", "application")


class PathTopic(FunctionTopic):
    generator = "function_path"
    separators = (",", ":")  # many numbers


# ---- samples of the delivery rate ----

class Tape:
    """Events of a sender whose segments have their numbers from 0, in order, and what the model makes of them."""

    def __init__(self, base, least_rtt=0):
        self.rate, self.events, self.samples, self.base, self.una, self.next = Rate(), [], [], base, 0, 0
        self.held, self.least_rtt = set(), least_rtt

    def run(self, a, b):
        return [(self.base + a * MSS) % 2**32, (self.base + b * MSS) % 2**32]

    def send(self, at, count=1):
        for n in range(self.next, self.next + count):
            self.rate.goes(n, at, self.una == n)
            self.events.append({"at": at, "send": self.run(n, n + 1)})
        self.next += count

    def resend(self, at, n):
        self.rate.goes(n, at, False)
        self.events.append({"at": at, "resend": self.run(n, n + 1)})

    def limit(self, at, why):
        self.rate.limits(why, (self.next - self.una - len(self.held)) * MSS)
        self.events.append({"at": at, "limited": why})

    def ack(self, at, n, *runs):
        new = {k for k in range(self.una, n)} | {k for run in runs for k in range(*run)}
        s = self.rate.acked({k: MSS for k in new - self.held}, at, self.least_rtt)
        self.una, self.held = n, {k for k in self.held | new if k >= n}
        self.events.append({"at": at, "ack": self.run(n, n)[0], "sack": [self.run(*run) for run in runs]})
        self.samples.append({"acked": s.acked, "delivered": s.amount, "interval": s.interval, "prior": s.prior, "rtt": s.rtt, "rate": s.rate(), "limited": s.limited})


def steady(base):
    """Three rounds of ten segments; the path carries one each 5 ms."""
    tape = Tape(base)
    tape.send(1000, 10)
    at = 101000
    for n in range(1, 31):
        tape.ack(at, n)
        tape.send(at)
        at += 5000 if n % 10 else 55000
    return tape


def bunched(base):
    """What left 5 ms apart is acknowledged all at once: the time of sending is the longer one."""
    tape = Tape(base)
    for n in range(10):
        tape.send(1000 + 5000 * n)
    tape.ack(150000, 2)
    tape.ack(150000, 10)
    return tape


def stretched(base):
    """What left at once comes back over 45 ms."""
    tape = Tape(base)
    tape.send(1000, 10)
    for n in range(1, 11):
        tape.ack(101000 + 5000 * n, n)
    return tape


def silence(base):
    """Three seconds in between are no part of any time."""
    tape = Tape(base)
    tape.send(1000, 4)
    tape.ack(101000, 4)
    tape.send(3101000, 4)
    tape.ack(3201000, 8)
    return tape


def selective(base):
    """The first is lost: SACK delivers the others, one of two, then the retransmission all."""
    tape = Tape(base)
    tape.send(1000, 6)
    tape.ack(101000, 0, (1, 2))
    tape.ack(102000, 0, (1, 3))
    tape.ack(103000, 0, (1, 4))
    tape.resend(103000, 0)
    tape.send(104000)
    tape.ack(105000, 0, (1, 6))
    tape.ack(203000, 6)
    tape.ack(204000, 7)
    return tape


def retransmission_only(base):
    """A segment sent twice tells a rate, of the transmission sent last, and no round-trip time."""
    tape = Tape(base)
    tape.send(1000)
    tape.resend(1001000, 0)
    tape.ack(1101000, 1)
    return tape


def hole_filled(base):
    """An acknowledgment of a retransmission and of what was sent before it: what was sent last tells, though its number is the lowest."""
    tape = Tape(base)
    tape.send(1000, 5)
    tape.ack(101000, 0, (2, 3))
    tape.resend(110000, 0)
    tape.ack(210000, 2, (2, 3))
    tape.ack(211000, 5)
    return tape


def little(base):
    """Nothing more to send: samples say so until what was in flight then has been delivered, and one segment more."""
    tape = Tape(base)
    tape.send(1000, 2)
    tape.limit(1000, "application")
    tape.send(51000, 2)
    tape.limit(51000, "application")
    tape.ack(101000, 2)
    tape.send(102000, 4)
    tape.ack(151000, 4)
    tape.send(152000, 4)
    tape.ack(202000, 8)
    tape.send(203000, 2)
    tape.ack(252000, 12)
    tape.ack(303000, 14)
    return tape


def window(base):
    """The same where the peer's window is what holds the sender back."""
    tape = Tape(base)
    tape.send(1000, 4)
    tape.limit(1000, "window")
    for i in range(1, 5):
        tape.ack(1000 + 100000 * i, 4 * i)
        tape.send(1000 + 100000 * i, 4)
        if i < 3:
            tape.limit(1000 + 100000 * i, "window")
    return tape


def no_time(base):
    """Acknowledged in the microsecond it was sent in: there is no time to divide by, and no rate."""
    tape = Tape(base)
    tape.send(1000, 2)
    tape.ack(1000, 2)
    tape.send(2000)
    tape.ack(2001, 3)
    return tape


def nothing_new(base):
    """An acknowledgment that delivers nothing is no sample."""
    tape = Tape(base)
    tape.send(1000, 3)
    tape.ack(101000, 1)
    tape.ack(102000, 1)
    tape.ack(103000, 1, (2, 3))
    tape.ack(104000, 1, (2, 3))
    tape.ack(105000, 3)
    return tape


def same_microsecond(base):
    """Of two that went in one microsecond the one with the higher number went last: between them an acknowledgment had come"""
    tape = Tape(base)
    tape.send(1000, 2)
    tape.send(101000)
    tape.ack(101000, 1)
    tape.send(101000)
    tape.ack(101500, 2)
    tape.ack(203000, 4)
    return tape


def hasty(base):
    """A sample over less than the least round-trip time tells of a burst of acknowledgments, and of no rate"""
    tape = Tape(base, 20000)
    tape.send(1000)
    tape.send(20000)
    tape.ack(21000, 2)
    tape.send(21500)
    tape.ack(30000, 3)
    return tape


def delivery_rate():
    t = PathTopic("delivery_rate", "what each acknowledgment tells of the rate of delivery", "draft-ietf-ccwg-bbr 4.1", [], "practice")
    for make in (steady, bunched, stretched, silence, selective, retransmission_only, hole_filled, little, window, no_time, nothing_new, same_microsecond, hasty):
        for base in (1, 2**32 - 2500):
            name = make.__name__.replace("_", "-")
            tape = make(base)
            t.add(f"{name}-{base:x}", "delivery-rate", make.__doc__.rstrip('.'), {"min-rtt": tape.least_rtt, "events": tape.events}, {"samples": tape.samples}, derived=True, family=name)
    return t


# ---- BBR over a path ----

class Path:
    """A bottleneck of `carries` octets a second with a queue of `room` octets, `rtt` to and fro; the sender does what the model says. Chunks of `chunk` octets, each
    acknowledged by itself."""

    def __init__(self, carries=100 * MSS, rtt=200000, room=80 * MSS, drawn=0, chunk=2 * MSS, window=10 * MSS):
        self.carries, self.rtt, self.room, self.chunk, self.drawn = carries, rtt, room, chunk, drawn
        self.window, self.model, self.rate = window, Bbr(window, MSS, drawn), Rate()
        self.now = self.turn = self.free = self.sent = self.out = 0
        self.under_way = collections.deque()  # (when its acknowledgment comes, None if it is lost; its number)
        self.most = 2**31  # the peer's window
        self.owed = None  # chunks that the application has still to send; None: without end
        self.loses = lambda n: False
        self.bunch, self.repairing = 1, False
        self.events, self.states, self.phases = [], [], []

    # ---- telling ----

    def tell(self):
        self.events.append("tell")
        self.states.append(self.model.told())
        return self

    def say(self, word, act):
        self.events.append(word)
        act()
        return self.tell()

    def give(self, s):
        self.events.append([s.at, s.acked, s.amount, s.interval, s.prior, s.rtt, LIMITS.index(s.limited), int(s.fresh), s.flight, s.lost, s.total, int(s.repairing)])
        before = self.model.phase, self.model.inflight_hi, self.model.bw_lo
        self.model.acknowledge(s)
        if self.model.phase != before[0]:
            self.phases.append(self.model.phase)
        if (self.model.phase, self.model.inflight_hi, self.model.bw_lo) != before:
            self.tell()

    # ---- the path ----

    def may_go(self):
        return self.out + self.chunk <= min(self.model.cwnd, self.most) and self.owed != 0

    def leave(self):
        n, self.sent = self.sent, self.sent + 1
        self.rate.goes(n, self.now, self.out == 0)
        self.out += self.chunk
        self.owed = self.owed and self.owed - 1
        if self.model.rate:
            self.turn = max(self.turn, self.now) + min(self.chunk * US // self.model.rate, self.rtt)
        begins = max(self.free, self.now)
        if (begins - self.now) * self.carries // US > self.room or self.loses(n):
            self.under_way.append((None, n))
            return
        self.free = begins + self.chunk * US // self.carries
        self.under_way.append((self.free + self.rtt, n))

    def hear(self):
        """The next acknowledgment, of `bunch` chunks if there are so many, and what it shows to be lost."""
        lost, heard = 0, {}
        while self.under_way and len(heard) < self.bunch:
            at, n = self.under_way.popleft()
            if at is None:
                lost += self.chunk
                self.out -= self.chunk
            else:
                self.now, heard[n] = at, self.chunk
                self.out -= self.chunk
        s = self.rate.acked(heard, self.now, self.model.min_rtt)
        s.flight, s.lost, s.repairing = self.out, lost, self.repairing
        self.give(s)

    def arrival(self):
        alive = [at for at, _ in self.under_way if at is not None][:self.bunch]
        return alive[-1] if alive else None

    def run(self, until):
        """Until so many seconds of the course have passed, or a condition holds."""
        done = until if callable(until) else lambda: self.now >= until * US
        while not done():
            arrives, turn = self.arrival(), max(self.turn, self.now)
            if self.may_go() and (arrives is None or turn <= arrives):
                self.now = turn
                self.leave()
            elif arrives is not None:
                if self.owed == 0 or self.out + self.chunk > self.most:
                    self.rate.limits("application" if self.owed == 0 else "window", self.out)
                self.hear()
            else:
                raise SystemExit("nothing is under way")
        return self

    def to(self, phase):
        return self.run(lambda: self.model.phase == phase)

    def rounds(self, count):
        end = self.now + count * self.rtt
        return self.run(lambda: self.now >= end)

    def writes(self, chunks, seconds=0):
        """The application writes so much, and then nothing until it is acknowledged, and for so long."""
        self.owed = chunks
        self.run(lambda: self.owed == 0 and self.arrival() is None)
        self.under_way.clear()
        self.owed, self.out, self.now = None, 0, self.now + int(seconds * US)
        return self

    def blackout(self):
        """All that is under way is lost, and the timer says so."""
        self.under_way.clear()
        self.now, self.out, self.repairing = self.now + US, 0, True
        return self.say("timeout", self.model.timeout)


def startup_full():
    """The rate has not grown by a quarter for three rounds: Startup is over, Drain empties the queue, Down and Cruise follow"""
    return Path().to("Cruise")


def startup_loss():
    """A short queue loses most of what Startup sends too much, in more than six places of a round: Startup is over, with a bound"""
    return Path(carries=200 * MSS, room=6 * MSS).to("Cruise")


def startup_few_losses():
    """One chunk of each round is lost: that ends no Startup"""
    p = Path()
    p.loses = lambda n: n % 10 == 7
    return p.rounds(4).tell()


def startup_noise():
    """More than six places of a round lose, a sixteenth of it, and no queue shows: Startup goes on"""
    p = Path(carries=2000 * MSS, rtt=100000, chunk=MSS, window=60 * MSS)
    p.loses = lambda n: n % 16 == 3
    return p.rounds(4).tell().rounds(2).tell()


def startup_late():
    """A path that becomes wider while Startup counts: a quarter more, and it counts anew"""
    p = Path().rounds(5)
    p.carries *= 2
    return p.to("Down")


def cycle():
    """Cruise until the wait is over, Refill for a round, Up until the rate has not grown for three rounds, Down until there is no more in flight than the path holds"""
    return Path().to("Up").to("Cruise").to("Up").to("Down")


def cycle_by_rounds():
    """On a short path the next probe comes after as many rounds as the path holds segments"""
    return Path(carries=100 * MSS, rtt=80000, chunk=MSS).to("Up").to("Down")


def cycle_of_reno():
    """On a path of eighty segments the next probe comes after 63 rounds: as long as Reno would take to grow back"""
    return Path(carries=4000 * MSS, rtt=20000, chunk=10 * MSS, room=80 * MSS, window=20 * MSS).to("Up")


def wait_is_drawn():
    """How long Cruise lasts depends on the number that the wait is drawn from"""
    return Path(drawn=0x12345678).to("Refill")


def wait_is_longest():
    """The longest wait: a second and a twentieth more"""
    return Path(drawn=next(n for n in range(1, 10**6) if n * 2654435761 % 2**32 >> 12 > 1048000)).to("Refill")


def up_finds_more():
    """The path has become half as wide again: Up finds it a quarter at a time, and goes on while it grows"""
    p = Path().to("Cruise")
    p.carries += p.carries // 2
    return p.to("Up").to("Down")


def slower():
    """The path becomes half as wide, with room for a queue: what it was is forgotten after two cycles of probing"""
    p = Path().to("Cruise")
    p.carries //= 2
    for phase in ("Up", "Down", "Up", "Down", "Cruise"):
        p.to(phase)
    return p.rounds(2).tell()


def up_loses_little():
    """One of twenty-five is lost in Up, and a queue shows: that is the path's word"""
    p = Path(carries=200 * MSS, chunk=MSS).to("Up")
    p.loses = lambda n: n % 25 == 13
    return p.to("Down").tell()


def up_loses_of_little():
    """Of four chunks that the application had to send in Up two are lost: the bound is seven tenths of what the path holds, and no less"""
    p = Path().to("Up")
    lost = (p.sent + 1, p.sent + 2)
    p.loses = lambda n: n in lost
    return p.writes(0).writes(4).tell()


def up_loses_less():
    """Of three one is lost: of so little that tells nothing, for it is less than a tenth of what the path holds"""
    p = Path().to("Up")
    lost = p.sent + 1
    p.loses = lambda n: n == lost
    return p.writes(0).writes(3).tell()


def up_undone():
    """What was lost in Up was not lost after all: the long-term bound that came of it is no more"""
    p = Path(carries=200 * MSS).to("Refill")
    p.room, saved = 2 * MSS, []
    p.say("save", lambda: saved.append(p.model.saved()))
    p.to("Up").to("Down")
    return p.say("undo", lambda: p.model.undo(saved[0])).to("Cruise")


def down_makes_room():
    """The bound is what the path holds: Down goes on until a seventh of that is free"""
    p = Path(carries=200 * MSS, chunk=MSS).to("Cruise")
    p.room = 0
    p.to("Up").to("Down").run(lambda: p.out <= 39 * MSS).tell()
    return p.to("Cruise").rounds(1).tell()


def up_loses():
    """A short queue: what Up sends too much is lost, Up is over and the long-term bound is set; Cruise keeps a seventh below it"""
    p = Path(carries=200 * MSS).to("Cruise")
    p.room = 2 * MSS
    return p.to("Up").to("Down").to("Cruise").rounds(2).tell()


def up_raises():
    """The next probe raises the bound: by one segment in the first round, then by two, then by four"""
    p = Path(carries=100 * MSS, rtt=150000, chunk=MSS).to("Cruise")
    p.room = MSS
    p.to("Up").to("Down")
    p.room = 80 * MSS
    return p.to("Up").to("Down").to("Up").to("Down")


def cruise_loses():
    """The path becomes half as wide between two probes: the short-term bounds fall, three tenths a round at most, and Refill forgets them"""
    p = Path(carries=200 * MSS, room=10 * MSS).to("Cruise")
    p.carries //= 2
    return p.to("Refill").to("Up")


def noise():
    """One of twenty is lost, and no queue shows: that is not the path's word"""
    p = Path(carries=200 * MSS).to("Cruise")
    p.loses = lambda n: n % 20 == 13
    return p.to("Refill")


def heavy_noise():
    """One of seven is lost: that is, whatever the round-trip time says"""
    p = Path(carries=200 * MSS).to("Cruise")
    p.loses = lambda n: n % 7 == 3
    return p.to("Refill")


def probe_rtt():
    """For ten seconds no round-trip time as short: half of what the path holds for 200 ms and a round, then Cruise"""
    p = Path(rtt=400000, chunk=4 * MSS).to("Cruise")
    p.rtt += 1000
    return p.to("ProbeRTT").to("Cruise").rounds(2).tell()


def probe_rtt_finds_less():
    """The round-trip time that ProbeRTT finds is shorter than the one that was believed"""
    p = Path(rtt=400000, chunk=4 * MSS).to("Cruise")
    p.rtt += 50000
    p.to("ProbeRTT")
    p.rtt -= 20000
    return p.to("Cruise").rounds(2).tell()


def probe_rtt_short():
    """Where a round is shorter ProbeRTT lasts its 200 ms"""
    p = Path(carries=80 * MSS, rtt=50000, chunk=4 * MSS).to("Cruise")
    p.rtt += 1000
    return p.to("ProbeRTT").to("Cruise").rounds(2).tell()


def probe_rtt_loses():
    """What is lost in ProbeRTT lowers the short-term bounds, and they are forgotten with it"""
    p = Path(rtt=400000, chunk=4 * MSS).to("Cruise")
    p.rtt += 1000
    p.to("ProbeRTT").loses = lambda n: n % 3 == 0
    return p.to("Cruise").tell()


def probe_rtt_before_full():
    """An application that writes little: Startup is not over after ten seconds, and comes again after ProbeRTT"""
    p = Path(rtt=400000)
    p.rate.limits("application", 2**31)
    p.owed, p.bunch = 3, 2
    for _ in range(40):
        p.rtt += 1000
        p.rate.limits("application", 2**31)
        p.owed = (p.owed or 0) + 2
        p.run(lambda: p.owed == 0).hear()
        if "ProbeRTT" in p.phases and p.phases[-1] == "Startup":
            break
    return p.tell()


def silence_is_a_probe():
    """After eleven seconds of silence the round-trip time that the first segment finds is believed, and no window is given up for it"""
    p = Path().to("Cruise").writes(10, 11)
    p.rtt += 5000
    return p.rounds(3).tell()


def silence_ends_a_probe():
    """Silence in ProbeRTT: what comes after it has found no queue, and ProbeRTT is over"""
    p = Path(rtt=400000, chunk=4 * MSS).to("Cruise")
    p.rtt += 1000
    p.to("ProbeRTT").writes(0, 1)
    return p.to("Cruise").rounds(1).tell()


def little_to_send():
    """The application writes less than the path carries: the bandwidth stays, and a probe goes on until there is something to find out"""
    p = Path().to("Cruise").tell()
    while "Up" not in p.phases:
        p.writes(3, 0.1)
    for _ in range(8):
        p.writes(3, 0.1)
    return p.tell().to("Down")


def little_but_faster():
    """A sample of too little to send counts where it is more than what was known, and does not end Startup"""
    p = Path()
    for chunks in (2, 4, 8, 8, 4, 4, 4, 4):
        p.writes(chunks, 0.1).tell()
    return p


def peers_window():
    """The peer's window is the limit in two cycles of probing: the bandwidth stays"""
    p = Path().to("Cruise").tell()
    p.most = 12 * MSS
    return p.to("Up").to("Refill").to("Down").rounds(2).tell()


def in_bunches():
    """Acknowledgments of five chunks at once: the window has room for what comes ahead of the bandwidth"""
    p = Path(carries=200 * MSS)
    p.bunch = 5
    p.to("Cruise").rounds(2).bunch = 1
    for _ in range(20):
        p.rounds(1).tell()
    return p


def timeout():
    """A timeout leaves one segment, and the model: the window grows by what arrives, as far as the model says"""
    p = Path(chunk=MSS).to("Cruise").rounds(1).tell().blackout()
    p.rounds(1.2).tell()
    p.rounds(1).tell()
    p.repairing = False
    return p.rounds(2).tell()


def timeout_undone():
    """The timeout was not needed: the window comes back at once, and what loss has said since is forgotten"""
    p = Path(chunk=MSS, carries=200 * MSS, room=8 * MSS).to("Cruise").rounds(1)
    saved = []
    p.say("save", lambda: saved.append(p.model.saved())).blackout()
    p.carries //= 4
    p.run(lambda: p.model.bw_lo != NONE)
    return p.say("undo", lambda: p.model.undo(saved[0])).rounds(1).tell()


def mark_in_startup():
    """A mark ends Startup with the next acknowledgment, and the short-term bounds fall by three tenths"""
    p = Path().rounds(2.5).tell()
    return p.say("mark", p.model.marked).to("Cruise")


def mark_in_cruise():
    """A mark in between: the bounds fall, and Refill forgets them"""
    p = Path().to("Cruise").rounds(2).tell()
    return p.say("mark", p.model.marked).rounds(1).tell().say("mark", p.model.marked).to("Up")


def marks_end_up():
    """A mark is the end of a probe"""
    p = Path().to("Up").rounds(0.5).tell()
    return p.say("mark", p.model.marked).to("Cruise")


def wide():
    """Ten gigabits a second over 100 ms: no number overflows"""
    return Path(carries=1250000000, rtt=100000, room=2**29, chunk=2**23, window=2**24).to("Up")


def bbr():
    t = PathTopic("bbr", "BBR over a path: its phases, its bounds, its window and its rate", "draft-ietf-ccwg-bbr 5", [], "practice")
    for make in (startup_full, startup_loss, startup_few_losses, startup_noise, startup_late, cycle, cycle_by_rounds, cycle_of_reno, wait_is_drawn, wait_is_longest, up_finds_more, slower, up_loses, up_loses_little, up_loses_of_little, up_loses_less, up_undone, up_raises, down_makes_room, cruise_loses, noise, heavy_noise, probe_rtt, probe_rtt_finds_less, probe_rtt_short, probe_rtt_loses, probe_rtt_before_full, silence_is_a_probe, silence_ends_a_probe, little_to_send, little_but_faster, peers_window, in_bunches, timeout, timeout_undone, mark_in_startup, mark_in_cruise, marks_end_up, wide):
        p = make()
        t.add(make.__name__.replace("_", "-"), "bbr", make.__doc__, {"mss": MSS, "cwnd": p.window, "drawn": p.drawn, "events": p.events}, {"states": p.states}, derived=True, flags=["Weir"])
    return t


TOPICS = (delivery_rate, bbr)


if __name__ == "__main__":
    topic.main(TOPICS, sys.argv[1])
