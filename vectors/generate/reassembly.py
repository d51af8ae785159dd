#!/usr/bin/env python3
"""reassembly.py - what a receiver answers to text out of order: cumulative acknowledgments, SACK (RFC 2018) and D-SACK (RFC 2883).

The answers come from the model below, which keeps a plain set of octets. Every segment is followed by its ACK, at once or within
half a second (MUST-40), so that no vector depends on when a stack delays."""
import itertools
import sys

from pkt import MSS, Vector, write

SIZE = MSS  # full-sized segments: nobody may think of delaying more than two
ORDERLY, AT_ONCE = "0~.5", "0"


class Receiver:
    """A receiver that counts octets one by one, in units given by the caller."""

    def __init__(self, sack):
        self.next, self.held, self.recent, self.sack = 1, set(), [], sack

    def runs(self):
        """Maximal runs of held octets beyond the next one."""
        runs, end = [], None
        for octet in sorted(self.held):
            if octet != end:
                runs.append([octet, octet])
            end = octet + 1
            runs[-1][1] = end
        return [tuple(run) for run in runs]

    def take(self, start, end):
        """A segment [start, end). Returns (ack, blocks, whether its ACK may be delayed: new text, and nothing is missing)."""
        duplicate = [o for o in range(start, end) if o < self.next or o in self.held]
        orderly = start <= self.next < end and not self.held
        dsack = None
        if duplicate:  # the first contiguous run of octets seen before
            last = duplicate[0]
            while last + 1 in duplicate:
                last += 1
            dsack = (duplicate[0], last + 1)
            if dsack[0] < self.next < dsack[1]:
                dsack = (dsack[0], self.next)
        self.held |= {o for o in range(start, end) if o >= self.next}
        while self.next in self.held:
            self.held.discard(self.next)
            self.next += 1
        around = [run for run in self.runs() if run[0] < end and start < run[1]]
        self.recent = around + [run for run in self.recent if run not in around]
        self.recent = self.merge()
        return self.next, self.blocks(dsack), orderly

    def merge(self):
        """Most recently reported first, as the runs stand now, none twice."""
        runs, order = self.runs(), []
        for run in self.recent:
            whole = next((r for r in runs if r[0] <= run[0] and run[1] <= r[1]), None)
            if whole and whole not in order:
                order.append(whole)
        return order

    def blocks(self, dsack):
        if not self.sack:
            return []
        return (([dsack] if dsack else []) + self.recent)[:4]


def octet(unit):
    return 1 + unit * SIZE


def play(v, arrivals, sack, scale=1):
    """The peer sends units [a, b) in the order given; each is answered as the model says."""
    r = Receiver(sack)
    for a, b in arrivals:
        start, end = int(1 + a * scale), int(1 + b * scale)
        ack, blocks, orderly = r.take(start, end)
        v.sends(f". {start}:{end}({end - start}) ack 1 win 65535")
        tail = " <nop,nop,sack " + " ".join(f"{left}:{right}" for left, right in blocks) + ">" if blocks else ""
        v.expect(f". 1:1(0) ack {ack}{tail}", ORDERLY if orderly else AT_ONCE)
    return r


def opened(name, title, level, section, covers, sack, **head):
    v = Vector(name, title, level, section, covers, needs=("dsack" if "2883" in covers else "sack") if sack else "", **head)
    if sack:
        v.passive(offer="mss 1460,nop,nop,sackOK", answer="mss 1460,nop,nop,sackOK")
    else:
        v.passive()
    return v


def orders(sack):
    """All orders of five segments."""
    kind = "sack" if sack else "plain"
    covers = "RFC9293-3.10.7.4-29 SHLD-31 MAY-13" + (" RFC2018-4-2 RFC2018-4-4 RFC2018-4-5 RFC2018-4-6 RFC2018-4-7 RFC2018-4-8 RFC2018-4-9"
                                                    if sack else " RFC2018-4-3")
    for order in itertools.permutations(range(5)):
        word = "".join(str(n + 1) for n in order)
        v = opened(f"reassembly/orders-{kind}/{word}", f"Five segments arrive in the order {' '.join(word)}; nothing is lost", "SHOULD",
                   "RFC 9293 3.10.7.4 seventh" if not sack else "RFC 2018 4", covers, sack, family=f"reassembly/orders-{kind}",
                   rows="T2 F1")
        r = play(v, [(n, n + 1) for n in order], sack, SIZE)
        v.call(f"unread(4) = {r.next - 1}")
        yield v


# A run [4, 8) is held; the second is one of Allen's relations to it.
OVERLAPS = {
    "before": (1, 3), "meets": (2, 4), "overlaps": (2, 6), "starts": (4, 6), "equals": (4, 8), "during": (5, 7), "finishes": (6, 8),
    "started-by": (4, 10), "contains": (2, 10), "finished-by": (2, 8), "overlapped-by": (6, 10), "met-by": (8, 10), "after": (9, 11),
}


def overlaps(sack):
    """Two runs in every relation to each other, then the hole before them is filled."""
    kind = "sack" if sack else "plain"
    for word, (a, b) in OVERLAPS.items():
        covers = "RFC9293-3.10.7.4-3 SHLD-31"
        if sack:
            covers += " RFC2018-3-2 RFC2018-4-7 RFC2883-4-1 RFC2883-4-2 RFC2883-4-4 RFC2883-4-5"
        v = opened(f"reassembly/overlap-{kind}/{word}", f"A run out of order, then one that lies {word} it", "MUST",
                   "RFC 9293 3.10.7.4 first" if not sack else "RFC 2883 4", covers, sack, family=f"reassembly/overlap-{kind}", rows="T2")
        v.note("a run is held: 4 to 8")
        r = play(v, [(4, 8), (a, b), (0, 4)] + ([(4, 12)] if b > 8 else []), sack, 100)
        v.call(f"unread(4) = {r.next - 1}")
        yield v


def overlaps_three():
    """Three runs held, and one segment across them in every way."""
    for a in range(1, 14, 2):
        for b in range(a + 1, 15, 2):
            v = opened(f"reassembly/across-three/from-{a:02}-to-{b:02}", f"Runs 2-4, 6-8 and 10-12 are held; a segment covers {a} to {b}", "MUST",
                       "RFC 2018 4", "RFC2018-3-2 RFC2018-4-7 RFC2018-4-8 RFC2018-4-9 RFC2883-4-4 RFC2883-4.2-1 RFC2883-4-6", True,
                       family="reassembly/across-three", rows="T2")
            play(v, [(2, 4), (6, 8), (10, 12), (a, b)], True, 100)
            yield v


def duplicates():
    """Text that was acknowledged before comes again, whole or in part."""
    for word, arrivals in {
            "whole": [(0, 2), (0, 2)], "first-half": [(0, 2), (0, 1)], "second-half": [(0, 2), (1, 2)], "old-and-new": [(0, 2), (0, 3)],
            "tail-and-new": [(0, 2), (1, 3)], "twice": [(0, 2), (0, 2), (0, 2)], "below-a-hole": [(0, 2), (4, 5), (0, 2)],
            "of-a-held-run": [(0, 2), (4, 5), (4, 5)], "inside-a-held-run": [(0, 2), (4, 8), (5, 6)],
            "across-the-hole": [(0, 2), (4, 5), (0, 5)], "after-the-hole-was-filled": [(0, 2), (4, 5), (2, 4), (4, 5)]}.items():
        for sack in (True, False):
            kind = "sack" if sack else "plain"
            v = opened(f"reassembly/duplicate-{kind}/{word}", f"Text that has arrived comes again: {word.replace('-', ' ')}", "MUST",
                       "RFC 2883 4" if sack else "RFC 9293 3.10.7.4 first",
                       "RFC2883-4-1 RFC2883-4-2 RFC2883-4-3 RFC2883-4-4 RFC2883-4-5" if sack else "RFC9293-3.10.7.4-1 RFC9293-3.10.7.4-3", sack,
                       family=f"reassembly/duplicate-{kind}" if len(arrivals) == 2 else "")
            r = play(v, arrivals, sack, 100)
            v.call(f"unread(4) = {r.next - 1}")
            yield v


def official():
    """The examples of RFC 2018 7 and RFC 2883 4 and 5, counted from 1."""
    cases = {
        "rfc2018-case-1": ("RFC 2018 7", 5000, "5000-5500 5500-6000 6000-6500 6500-7000"),
        "rfc2018-case-2": ("RFC 2018 7", 5000, "5500-6000 6000-6500 6500-7000 7000-7500 7500-8000 8000-8500 8500-9000"),
        "rfc2018-case-3": ("RFC 2018 7", 5000, "5000-5500 6000-6500 7000-7500 8000-8500 6500-7000 5500-6000"),
        "rfc2883-example-1": ("RFC 2883 4.1.1", 3000, "3000-3500 3500-4000 3000-3500"),
        "rfc2883-example-2": ("RFC 2883 4.1.2", 3000, "3000-3500 3500-4000 4500-5000 3000-3500"),
        "rfc2883-example-3": ("RFC 2883 4.1.3", 3500, "3500-4000 4500-5000 5000-5500 5000-5500"),
        "rfc2883-example-4": ("RFC 2883 4.2.1", 500, "500-1000 2000-2500 1000-1500 1000-2000"),
        "rfc2883-example-5": ("RFC 2883 4.2.2", 500, "500-1000 3000-3500 1000-1500 2000-2500 1000-2500"),
        "rfc2883-example-6": ("RFC 2883 4.2.3", 500, "500-1000 3500-4000 1500-2000 2500-3000 1500-3000"),
        "rfc2883-replication": ("RFC 2883 5.1", 500, "500-1000 1000-1500 1000-1500"),
        "rfc2883-reordering": ("RFC 2883 5.2", 500, "500-1000 1500-2000 2000-2500 2500-3000 1000-1500 1000-1500"),
        "rfc2883-ack-loss": ("RFC 2883 5.3", 500, "500-1000 1000-1500 1500-2000 2000-2500 500-1000"),
        "rfc2883-early-timeout": ("RFC 2883 5.4", 500, "500-1000 1000-1500 1500-2000 2000-2500 500-1000 1000-1500"),
    }
    for word, (section, base, runs) in cases.items():
        covers = "RFC2018-4-7 RFC2018-4-9" if "2018" in word else "RFC2883-4-1 RFC2883-4-2 RFC2883-4-4 RFC2883-4-5 RFC2883-4.2-1"
        v = opened(f"reassembly/rfc/{word}", f"The example of {section}", "SHOULD", section, covers, True)
        play(v, [tuple(int(edge) - base for edge in run.split("-")) for run in runs.split()], True)
        yield v


def fin_early():
    """FIN arrives before the text that precedes it. It is an octet of sequence space, and SACK covers it as one."""
    for sack in (True, False):
        kind = "sack" if sack else "plain"

        def acked(number, *blocks):
            v.expect(f". 1:1(0) ack {number}" + (" <nop,nop,sack " + " ".join(blocks) + ">" if sack and blocks else ""))

        def begin(word, title):
            return opened(f"reassembly/fin-early/{word}", title, "MUST", "RFC 9293 3.10.7.4 eighth",
                          "RFC9293-3.10.7.4-3 RFC9293-3.10.7.4-32 RFC9293-3.10.7.4-33 SHLD-31" +
                          (" RFC2018-4-4 RFC2018-4-7 RFC2018-4-8" if sack else ""), sack, rows="F1 F2")

        v = begin(kind, "FIN arrives before the text in front of it: it is kept until its turn comes")
        v.sends("F. 1461:2461(1000) ack 1 win 65535")
        acked(1, "1461:2462")
        v.state("ESTABLISHED")
        v.sends(". 1:1461(1460) ack 1 win 65535")
        acked(2462)
        v.state("CLOSE-WAIT").call("unread(4) = 2460")
        yield v
        v = begin(f"alone-{kind}", "FIN without text arrives before all text, once more, and then the text from behind")
        v.sends("F. 2921:2921(0) ack 1 win 65535")
        acked(1, "2921:2922")
        v.sends("F. 2921:2921(0) ack 1 win 65535")
        acked(1, "2921:2922")
        v.sends(". 1461:2921(1460) ack 1 win 65535")
        acked(1, "1461:2922")
        v.state("ESTABLISHED")
        v.sends(". 1:1461(1460) ack 1 win 65535")
        acked(2922)
        v.state("CLOSE-WAIT").call("unread(4) = 2920")
        yield v
        v = begin(f"holes-{kind}", "FIN without text arrives after a run that is not in front of it; what came last is reported first")
        v.sends(". 1461:2921(1460) ack 1 win 65535")
        acked(1, "1461:2921")
        v.sends("F. 4381:4381(0) ack 1 win 65535")
        acked(1, "4381:4382", "1461:2921")
        v.sends(". 1:1461(1460) ack 1 win 65535")
        acked(2921, "4381:4382")
        v.state("ESTABLISHED")
        v.sends(". 2921:4381(1460) ack 1 win 65535")
        acked(4382)
        v.state("CLOSE-WAIT").call("unread(4) = 4380")
        yield v


def vectors():
    for part in (orders(True), orders(False), overlaps(True), overlaps(False), overlaps_three(), duplicates(), official(), fin_early()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
