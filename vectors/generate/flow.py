"""flow.py - a connection on the RFCs' letter with segments queued: an initial window of three of 1,460 octets (RFC 5681 3.1), Reno.

Knows which segment is next and how its line reads; knows nothing of when one may go."""
from pkt import MSS, Vector

SETTINGS = "initial-window=0 congestion=reno"


def octet(n):
    """The first octet of segment n, from 0."""
    return 1 + n * MSS


def segment(n, of=None, ack=1):
    flags = "P." if of is not None and n == of - 1 else "."
    return f"{flags} {octet(n)}:{octet(n + 1)}({MSS}) ack {ack}"


def ack(n, tail=""):
    return f". 1:1(0) ack {octet(n)} win 65535" + (f" <{tail}>" if tail else "")


def sack(*runs):
    return "nop,nop,sack " + " ".join(f"{octet(a)}:{octet(b)}" for a, b in runs)


class Flow:
    """A vector with a queue of `count` segments and a note of which went last. With `grown` the first window has gone, and so many
    acknowledgments have taken it from 3 to 3 + grown segments."""

    def __init__(self, name, title, level, section, covers, count=40, with_sack=False, grown=None, win=65535, **head):
        head.setdefault("settings", SETTINGS)
        self.v = Vector(name, title, level, section, covers, needs=" ".join(["sack"] * with_sack + head.pop("needs", "").split()), **head)
        offer, answer = ("mss 1460,nop,nop,sackOK",) * 2 if with_sack else ("mss 1460", "mss 1460")
        self.v.passive(offer=offer, answer=answer, win=win)
        self.count, self.next = count, 0
        self.v.call(f"write(4, ..., {count * MSS}) = {count * MSS}")
        if grown is not None:
            self.new(min(3, count, win // MSS))
            for n in range(grown):
                self.ack(n + 1).new(2)

    def new(self, count=1, after="0"):
        """The stack sends the next `count` segments and no more."""
        for _ in range(count):
            self.v.expect(segment(self.next, self.count), after)
            self.next += 1
        return self

    def again(self, n, after="0"):
        self.v.expect(segment(n, self.count), after)
        return self

    def ack(self, n, *runs, after=".01"):
        """The peer has all before segment n, and these runs."""
        self.v.sends(ack(n, sack(*runs) if runs else ""), after)
        return self

    def note(self, text):
        self.v.note(text)
        return self

    def ended(self):
        """All that went is acknowledged."""
        self.v.sends(ack(self.next))
        return self.v

    def left(self):
        """The peer has heard enough."""
        self.v.sends("R 1:1(0) win 0")
        return self.v
