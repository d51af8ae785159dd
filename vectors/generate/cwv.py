#!/usr/bin/env python3
"""cwv.py - congestion window validation: what a window is worth that was not used lately (RFC 7661).

On the profile of the RFCs' letter, where it is off: each script asks for it. An initial window of three segments of 1,460 octets, Reno, a
round trip of ten milliseconds: the sampling period is a second."""
import sys

from pkt import MSS, Vector, write

SETTINGS = "initial-window=0 congestion=reno timestamps=0 sack=0 window-scale=0 cwv=1"
WINDOW = 13  # after two rounds of slow start and one acknowledgment for all


def octet(n):
    """The first octet of segment n, from 0."""
    return 1 + n * MSS


class Flow:
    def __init__(self, name, title, level, section, covers, **head):
        self.v = Vector("cwv/" + name, title, level, section, covers, needs="cwv virtual-time", settings=SETTINGS, **head)
        self.v.passive()
        self.next = self.end = 0

    def write(self, count, after="0"):
        self.v.call(f"write(4, ..., {count * MSS}) = {count * MSS}", after)
        self.end += count
        return self

    def segment(self, n, after="0"):
        self.v.expect(f"{'P' if n == self.end - 1 else ''}. {octet(n)}:{octet(n + 1)}({MSS}) ack 1", after)
        return self

    def new(self, count):
        for n in range(self.next, self.next + count):
            self.segment(n)
        self.next += count
        return self

    def ack(self, n, after=".01"):
        self.v.sends(f". 1:1(0) ack {octet(n)} win 65535", after)
        return self

    def duplicates(self, n):
        """Three, and the segment goes again."""
        return self.ack(n).ack(n, "0").ack(n, "0").segment(n)

    def note(self, text):
        self.v.note(text)
        return self

    def grown(self):
        """A window of WINDOW, and nothing in flight."""
        self.write(21).new(3)
        for first, last in ((1, 3), (4, 9)):
            for n in range(first, last + 1):
                self.ack(n, ".01" if n == first else "0").new(2)
        return self.ack(21)

    def burst(self, count, after):
        return self.write(count, after).new(count)

    def ended(self):
        """What goes next would say no more."""
        return self.v


def kept():
    f = Flow("kept", "After ten seconds of silence the window is what it was", "SHOULD", "RFC 7661 4.4", "RFC7661-4.4-1 RFC7661-4.4-2").grown()
    yield f.write(20, "10").new(WINDOW).ended()
    f = Flow("kept-four-minutes", "After four minutes too", "SHOULD", "RFC 7661 4.4", "RFC7661-4.4-2").grown()
    yield f.write(20, "240").new(WINDOW).ended()
    f = Flow("halved", "After six minutes it is half of it, and slow start goes on from there", "MUST", "RFC 7661 4.4.3", "RFC7661-4.4.3-1 RFC7661-4.4.3-2 RFC7661-4.4-2").grown()
    f.write(30, "360").new(6).note("six and a half").ack(22).new(2).ack(23).new(2)
    yield f.ended()
    f = Flow("halved-to-initial", "It is the initial window at least", "MUST", "RFC 7661 4.4.3", "RFC7661-4.4.3-2")
    f.write(3).new(3).ack(3).note("the window is four").write(20, "360").new(3)
    yield f.ended()
    f = Flow("no-growth", "A window that is not filled does not grow", "MUST", "RFC 7661 4.4", "RFC7661-4.4-4").grown()
    for after in ("2", ".1", ".1", ".1", ".1", ".1"):
        f.burst(4, after).ack(f.next)
    yield f.write(40, ".1").new(WINDOW).ended()
    f = Flow("growth", "One that is filled grows", "MAY", "RFC 7661 4.4", "RFC7661-4.4-3").grown()
    f.write(40, "10").new(WINDOW)
    for n in range(22, 26):
        f.ack(n, ".01" if n == 22 else "0").new(2)
    yield f.ended()


def congestion():
    base = "RFC7661-4.4-5 RFC7661-4.4.1-1 RFC7661-4.4.1-2 RFC7661-4.4.1-3 RFC7661-4.2-5"
    f = Flow("loss", "A loss there leaves half of what was in flight less what went again", "MUST", "RFC 7661 4.4.1", base).grown()
    f.burst(8, "10").duplicates(21).ack(29).note("half of eight less one").write(10).new(3)
    yield f.ended()
    f = Flow("two-losses", "Of nine with two losses half of seven", "MUST", "RFC 7661 4.4.1", base).grown()
    f.burst(9, "10").duplicates(21).ack(23).segment(23).ack(30).write(10).new(3)
    yield f.ended()
    f = Flow("pipe-ack", "What was acknowledged in the last second counts where it is more than what is in flight", "MUST", "RFC 7661 4.2", "RFC7661-4.2-2 RFC7661-4.2-3 RFC7661-4.4.1-2 RFC7661-4.4.1-3").grown()
    f.burst(6, "3").ack(27).burst(4, ".2").duplicates(27).ack(31).note("half of six less one; of four less one it would be one").write(10).new(2)
    yield f.ended()
    f = Flow("pipe-ack-old", "What was acknowledged before that does not", "MUST", "RFC 7661 4.2", "RFC7661-4.2-4 RFC7661-4.4.1-2").grown()
    f.burst(6, "3").ack(27).burst(4, "2").duplicates(27).ack(31).write(10).new(1)
    yield f.ended()
    f = Flow("timeout", "A timeout ends the phase: one segment, and half of what was in flight as ssthresh", "MUST", "RFC 7661 4.4", "RFC7661-4.4-6").grown()
    f.burst(8, "10").segment(21, "1").ack(29).write(20).new(2).ack(30).new(2).ack(31).new(2).ack(32).new(1)
    yield f.ended()
    f = Flow("validated-again", "A window that was used again is validated: a loss then is one like any other", "SHOULD", "RFC 7661 4.4", "RFC7661-4.4-7").grown()
    f.write(26, "10").new(13).ack(34).new(13).duplicates(34).ack(47).note("NewReno begins with two, to make no burst; half of thirteen less one would be six")
    yield f.write(10).new(2).ended()


if __name__ == "__main__":
    for group in (kept, congestion):
        write(group(), sys.argv[1])
