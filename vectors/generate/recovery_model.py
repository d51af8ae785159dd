#!/usr/bin/env python3
"""recovery_model.py - patterns of loss played through a second reading of RFC 6675, RFC 6582, RFC 3042 and RFC 9937: how much goes when.

A sender with Reno and ten segments in flight, a receiver that answers every segment, a path of 100 ms that drops what the pattern says.
What the model says is what the vector expects; it shares nothing with lib. Of RFC 6675's NextSeg it has rules 1, 2 and 5."""
import itertools
import pathlib
import sys

from pkt import write
from timeline import MSS, Timeline

THRESHOLD = 3
RTT, STEP = 100, 1  # ms: the path, and between two acknowledgments


class Receiver:
    """The next number it waits for, and what it holds above; in segments."""

    def __init__(self):
        self.wanted, self.held, self.fresh = 0, set(), []

    def runs(self):
        runs, last = [], None
        for n in sorted(self.held):
            if last is not None and n == last + 1:
                runs[-1][1] = n + 1
            else:
                runs.append([n, n + 1])
            last = n
        return [tuple(run) for run in runs]

    def take(self, n):
        """SEG.ACK, and the blocks, the newest first (RFC 2018 4)."""
        if n == self.wanted:
            self.wanted += 1
            while self.wanted in self.held:
                self.held.remove(self.wanted)
                self.wanted += 1
        elif n > self.wanted:
            self.held.add(n)
            self.fresh.insert(0, n)
        order = {}
        for place, number in enumerate(self.fresh):
            order.setdefault(number, place)
        return self.wanted, sorted(self.runs(), key=lambda run: min(order.get(n, len(order)) for n in range(*run)))[:4]


class Sender:
    """Numbers are segments, sizes octets."""

    def __init__(self, count, sack, prr, cwnd):
        self.count, self.sack, self.prr, self.beta = count, sack, prr, (1, 2)
        self.una, self.nxt = 0, 0
        self.sacked, self.lost, self.resent = set(), set(), set()
        self.cwnd, self.ssthresh = cwnd * MSS, None
        self.dups, self.first_flight, self.recover = 0, 0, -1
        self.recovering, self.entered, self.acked_since = False, False, 0
        self.total = self.out = self.recover_fs = 0

    # ---- what is in the network ----

    def flight(self):
        return self.nxt - self.una

    def pipe(self):
        """RFC 6675 SetPipe; without SACK each duplicate stands for a segment that has left: before recovery two at most (RFC 3042), in it no more than there were when
        it began (RFC 5681 5: duplicates can be forged)."""
        out = sum(n not in self.sacked and (n not in self.lost or n in self.resent) for n in range(self.una, self.nxt))
        left = 0 if self.sack else min(self.dups, self.first_flight + 2 if self.recovering else 2)
        return (out - left) * MSS

    def is_lost(self, n):
        above = [m for m in self.sacked if m > n]
        runs = sum(m - 1 not in self.sacked for m in above)
        return runs >= THRESHOLD or len(above) > THRESHOLD - 1

    # ---- one acknowledgment ----

    def acknowledge(self, ack, runs):
        """What goes for it, in order."""
        held = {n for run in runs for n in range(*run)} if self.sack else set()
        news = held - self.sacked
        moved = ack - self.una
        known = len([n for n in self.sacked if n < ack])
        delivered = moved - known + len(news)
        self.sacked = {n for n in self.sacked | held if n >= ack}
        self.una = max(self.una, ack)
        before = len(self.lost - self.resent)
        self.lost = {n for n in self.lost if n >= ack}
        self.resent = {n for n in self.resent if n >= ack}
        duplicate = moved == 0 and (bool(news) if self.sack else self.flight() > 0)
        if not self.sack:
            delivered = 1 if duplicate else max(moved - self.dups, 0)
        must = False
        ended = self.recovering and moved and self.una > self.recover
        if ended:
            self.leave(moved)
        elif self.recovering and moved:
            must = self.partial(moved)
        elif moved:
            self.grow(moved)
        if moved and not self.recovering:
            self.dups = 0
        if duplicate:
            self.first_flight = self.flight() if self.dups == 0 else self.first_flight
            self.dups += 1
        found = self.find()
        may = self.sack or self.recover < 0 or self.una - 1 > self.recover  # RFC 6582 3.2 step 2
        if not self.recovering and not ended and may and (found or (duplicate and self.dups == THRESHOLD)):
            self.enter(delivered)
            must = True
        if self.recovering and self.prr:
            self.reduce(delivered, bool(moved) and len(self.lost - self.resent) <= before and not found)
        self.after_ack = (self.cwnd // MSS, self.pipe() // MSS)
        return self.send(must)

    def find(self):
        """IsLost."""
        new = {n for n in range(self.una, self.nxt) if self.sack and n not in self.sacked and n not in self.lost and self.is_lost(n)}
        self.lost |= new
        return len(new)

    def grow(self, moved):
        if self.ssthresh is None or self.cwnd < self.ssthresh:
            step = min(moved, 2 if self.ssthresh is None else 1) * MSS  # RFC 3465: two in the first slow start
            self.cwnd += step if self.ssthresh is None else min(step, self.ssthresh - self.cwnd)
        else:
            self.acked_since += moved * MSS
            if self.acked_since >= self.cwnd:
                self.acked_since -= self.cwnd
                self.cwnd += MSS

    # ---- recovery ----

    def enter(self, delivered):
        self.recovering, self.recover = True, self.nxt - 1
        self.lost.add(self.una)
        flight = self.first_flight if self.dups else self.flight()
        self.ssthresh = self.cwnd = max(flight * MSS * self.beta[0] // self.beta[1], 2 * MSS)
        sacked = len(self.sacked) if self.sack else self.dups
        self.total = self.out = 0
        self.recover_fs = (self.flight() - sacked + delivered) * MSS

    def leave(self, moved):
        """RFC 9937 6.4; RFC 6582 3.2 step 3, the first choice; RFC 6675 5 leaves cwnd at ssthresh."""
        self.recovering, self.dups, self.acked_since = False, 0, 0
        self.cwnd = self.ssthresh
        if not self.prr:
            self.cwnd = min(self.ssthresh, max(self.flight() * MSS, MSS) + MSS)

    def partial(self, moved):
        """RFC 6582 3.2: without SACK the next one is lost too. True: it goes at once. Of the segments that duplicates told of those acknowledged go out of the count, but for the
        retransmission, which no duplicate told of: that is the deflation by what is acknowledged and the SMSS added back."""
        if self.sack:
            return False
        self.dups = max(self.dups - (moved - 1), 0)
        self.lost.add(self.una)
        return True

    def reduce(self, delivered, safe):
        """RFC 9937 6.2, with >= as figure 1 has it."""
        data = delivered * MSS
        if not self.sack:
            data = min(data, max(self.recover_fs - self.total, 0))
        if data == 0:
            return
        self.total += data
        pipe = self.pipe()
        if pipe >= self.ssthresh:
            count = -(-self.total * self.ssthresh // self.recover_fs) - self.out
        else:
            count = min(max(self.total - self.out, data) + (MSS if safe else 0), self.ssthresh - pipe)
        count = max(count, 0)
        self.cwnd = pipe + (MSS if count == 0 and self.out == 0 else count)

    def send(self, must):
        """NextSeg: what is lost, then what is new, while cwnd - pipe >= SMSS."""
        gone = []
        while must or self.cwnd - self.pipe() >= MSS:
            waiting = sorted(self.lost - self.resent)
            if waiting:
                self.resent.add(waiting[0])
                gone.append(waiting[0])
            elif self.nxt < self.count and not must:
                gone.append(self.nxt)
                self.nxt += 1
            else:
                break
            self.out += MSS
            must = False
        return gone


def play(t, sender, drops, acks=(), writes=None):
    """The whole exchange: `drops` are transmissions that are lost (a segment as often as it stands there); `acks` are acknowledgments that are, from 1; `writes` is
    what the user adds, after which acknowledgment. Answers what went for each acknowledgment that arrived."""
    drops, receiver, trace = list(drops), Receiver(), []
    gone = sender.send(False)
    t.new(len(gone))
    path = []  # (when its acknowledgment comes, segment)
    free = RTT

    def leave(numbers, now):
        nonlocal free
        for n in numbers:
            if n in drops:
                drops.remove(n)
                continue
            free = max(now + RTT, free)
            path.append((free, n))
            free += STEP

    def send(numbers, now):
        for n in numbers:
            t.goes(n, now)
        t.next = sender.nxt
        leave(numbers, now)

    leave(gone, 0)
    count = 0
    while path:
        now, n = path.pop(0)
        ack, runs = receiver.take(n)
        count += 1
        if count in acks:
            continue
        t.ack(ack, *(runs if sender.sack else ()), at=now)
        gone = sender.acknowledge(ack, runs)
        send(gone, now)
        if writes and count in writes:
            t.write(writes[count], now)
            sender.count += writes[count]
            send(sender.send(False), now)
        trace.append((sender.after_ack, gone))
    if sender.una != sender.count:
        raise SystemExit(f"{t.v.name}: it stopped at {sender.una} of {sender.count}")
    return trace


PATTERNS = {  # what is lost, in words, which segments
    "one": ("The first of ten is lost", [0]),
    "one-inside": ("The fourth of ten is lost", [3]),
    "two-neighbours": ("Two neighbours are lost", [2, 3]),
    "two-apart": ("Two far from each other are lost", [0, 5]),
    "three-apart": ("Three are lost, one by one", [0, 2, 4]),
    "every-second": ("Every second of the first eight is lost", [0, 2, 4, 6]),
    "burst-of-three": ("A burst of three is lost", [0, 1, 2]),
    "burst-of-five": ("Half of the flight is lost", [0, 1, 2, 3, 4]),
    "burst-of-seven": ("All but three of the flight are lost", [0, 1, 2, 3, 4, 5, 6]),
    "burst-inside": ("A burst inside is lost", [3, 4, 5, 6]),
    "one-and-limited-transmit": ("One is lost, and one of the two that its duplicates let go", [0, 10]),
    "two-bursts": ("Two bursts are lost", [1, 2, 5, 6]),
}
CLASSIC = "RFC6675-5-1 RFC6675-5-3 RFC6675-5-5 RFC6675-5-6 RFC6675-5-8 RFC6675-5-9 RFC6675-5-11 RFC6675-5-12 RFC6675-4-4 RFC6675-4-5 RFC6675-4-6 RFC6675-4-8"
PRR = "RFC9937-3-1 RFC9937-3-2 RFC9937-6.2-1 RFC9937-6.2-2 RFC9937-6.2-4 RFC9937-6.2-8 RFC9937-6.2-9 RFC9937-6.2-11 RFC9937-6.3-1 RFC9937-6.4-1 RFC6937-3-2 RFC6937-3-3 RFC6937-3-5"
NEWRENO = "RFC6582-3.2-2 RFC6582-3.2-4 RFC6582-3.2-6 RFC3042-2-1"


ALONE = "RFC9937-6.2-3 RFC9937-6.2-6 RFC9937-5-2"
KINDS = {  # section, covers, has SACK, has PRR, in words
    "prr": ("RFC 9937 6.2", PRR, True, True, "with PRR"),
    "sack": ("RFC 6675 5", CLASSIC, True, False, "by RFC 6675"),
    "newreno": ("RFC 6582 3.2", NEWRENO, False, False, "without SACK"),
    "prr-without-sack": ("RFC 9937 6.2", ALONE, False, True, "with PRR, without SACK"),
}


def timeline(kind, name, title, segments, extra="", needs="", level="SHOULD", **more):
    section, covers, sack, prr, how = KINDS[kind]
    needs = ("rfc6675 " if sack else "") + ("prr " if prr else "") + "limited-transmit " + needs
    return Timeline(f"recovery/{kind}/{name}", f"{title}: what goes in recovery {how}", level, section, f"{covers} {extra}".strip(), segments, sack=sack,
                    settings="rack=0 " * sack + f"prr={int(prr)}", needs=needs, **more)


def one(kind, name, title, drops, segments=24, acks=(), writes=None, **more):
    t = timeline(kind, name, title, segments, **more)
    play(t, Sender(segments, KINDS[kind][2], KINDS[kind][3], 10), drops, acks, writes)
    return t


def cubic(name, title, drops, segments):
    """The same with ssthresh at seven tenths (RFC 9438 4.6). Only a recovery: what follows is CUBIC's."""
    t = timeline("prr", name, title, segments, extra="RFC9937-5-1", congestion="cubic", needs="cubic")
    sender = Sender(segments, True, True, 10)
    sender.beta = (7, 10)
    play(t, sender, drops)
    return t


def forged(kind):
    """Forty duplicates, of which a peer with ten segments can have cause for nine."""
    t = timeline(kind, "forged-duplicates", "Forty duplicates where ten segments were in flight", 30, level="MUST", extra="RFC9937-6.2-3" if kind != "newreno" else "RFC5681-3.2-11 RFC5681-5-1")
    sender = Sender(30, False, KINDS[kind][3], 10)
    t.new(len(sender.send(False)))
    for n in range(40):
        t.ack(0, at=100 + n)
        for gone in sender.acknowledge(0, []):
            t.goes(gone, None)
        t.next = sender.nxt
    t.note("no more than that").quiet(300).v.sends("R 1:1(0) win 0", t.after(301))
    return t


def figure(name, title, drops, first):
    """A figure of RFC 9937 8: twenty in flight. The model must say what the figure does; but the figure counts whole segments and rounds up, so that
    in octets a segment may go an acknowledgment later."""
    t = timeline("prr", name, title, 44, extra="RFC9937-6.1-1 RFC9937-6.1-2", level="practice")
    trace = play(t, Sender(44, True, True, 10), [10 + n for n in drops])
    lines = (pathlib.Path(__file__).parent.parent / "function" / "rfc9937_prr_traces.txt").read_text(encoding="ascii").split("\n")
    rows = [line.split() for line in itertools.takewhile(str.strip, lines[lines.index(next(line for line in lines if line.startswith(f"[{first}"))) + 1:])]
    wanted = have = ""
    for (number, _, _, sent), (_, gone) in zip(rows, trace[10:]):
        wanted += sent.strip("-")
        have += "".join("R" if n - 10 in drops else "N" for n in gone)
        if wanted not in (have, have + wanted[-1:]):
            raise SystemExit(f"{name}: at acknowledgment {number} {have} went, the figure has {wanted}")
    if wanted != have:
        raise SystemExit(f"{name}: {have} went, the figure has {wanted}")
    return t


def vectors():
    for name, (title, drops) in PATTERNS.items():
        yield one("sack", name, title, drops)
        yield one("prr", name, title, drops)
    for name in ("one", "one-inside", "two-neighbours", "two-apart", "three-apart", "burst-of-three", "burst-of-five", "every-second"):
        yield one("newreno", name, *PATTERNS[name], extra="RFC6582-3.2-7 RFC6582-3.2-8" if len(PATTERNS[name][1]) > 1 else "")
        yield one("prr-without-sack", name, *PATTERNS[name])
    for kind in ("newreno", "prr-without-sack"):
        yield forged(kind)
        yield one(kind, "duplicates-lost", "Two far from each other are lost, and all duplicates but three", [0, 8], acks=(4, 5, 6, 7, 8))
        yield one(kind, "neighbours-and-duplicates-lost", "Two neighbours are lost, and all duplicates but three", [0, 1], acks=(4, 5, 6, 7, 8))
        yield one(kind, "all-at-once", "Three are lost, and acknowledgments of what comes after the first retransmission", [0, 3, 6], acks=(4, 5, 9))
    for kind in ("sack", "prr"):
        yield one(kind, "another-recovery", "One is lost, and one long after it: two recoveries", [0, 20], segments=40)
    yield cubic("cubic-one", "CUBIC, one is lost", [0], 12)
    yield cubic("cubic-burst", "CUBIC, a burst of four is lost", [1, 2, 3, 4], 12)
    yield cubic("cubic-every-second", "CUBIC, every second of six is lost", [0, 2, 4], 12)
    yield figure("figure-1", "Figure 1 of RFC 9937, one of twenty is lost", [0], "figure1 PRR")
    yield figure("figure-2", "Figure 2 of RFC 9937, fifteen of twenty are lost", list(range(15)), "figure2 PRR")
    for kind in ("sack", "prr"):
        yield one(kind, "thinned-acknowledgments", "One is lost, and every second acknowledgment of the flight", [0], acks=(2, 4, 6, 8))
        yield one(kind, "acknowledgments-lost", "One is lost, and all acknowledgments but the last two of the flight", [0], acks=(1, 2, 3, 4, 5, 6, 7))
        yield one(kind, "little-text", "One is lost, and nothing is left to send", [0], segments=10)
        yield one(kind, "text-comes-later", "One is lost, and the user writes on when most of the flight has arrived", [0], segments=10, writes={8: 8})
        yield one(kind, "text-comes-by-and-by", "One is lost, and the user writes a segment at a time", [0], segments=10, writes={n: 1 for n in range(4, 10)})
        yield one(kind, "retransmission-lost-and-later", "One is lost, and two more of what goes in recovery", [0, 11, 13])
        yield one(kind, "loss-in-recovery", "One is lost, and one of what goes in recovery", [0, 12])


if __name__ == "__main__":
    write((t.v for t in vectors()), sys.argv[1])
