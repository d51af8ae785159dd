"""states_model.py - RFC 9293 3.10.7 as a small model: what one segment does to one connection, and what is answered.

Written from the RFC's paragraphs (errata 8167, 8710, 8805; RFC 5961, 6191 and 7323 5 where 3.10.7 refers to them); knows nothing of how
weir does it. Beside each step stands the row of lib/conn/rows.h that says the same, so that a vector can name the rows that must fire."""
from dataclasses import dataclass, field, replace
from typing import Optional

FULL = 1 << 32
HALF = 1 << 31
RECEIVING = ("ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2")
CLOSINGISH = ("CLOSING", "LAST-ACK", "TIME-WAIT")


def wrap(number: int) -> int:
    return number % FULL


def before(a: int, b: int) -> bool:
    """a < b (RFC 9293 3.4)."""
    return wrap(b - a - 1) < HALF - 1


@dataclass(frozen=True)
class Segment:
    """One segment of the peer: flags as packetdrill writes them, "-" none."""
    flags: str
    seq: int
    ack: int = 0
    len: int = 0
    urg: int = 0
    win: int = 32768
    stamp: Optional[int] = None  # TSval

    def has(self, flag: str) -> bool:
        return flag in self.flags

    @property
    def size(self) -> int:
        """SEG.LEN."""
        return self.len + self.has("S") + self.has("F")

    def written(self) -> str:
        seq = wrap(self.seq)
        text = f"{self.flags} {seq}:{wrap(self.seq + self.len)}({self.len})"
        if self.has("."):
            text += f" ack {wrap(self.ack)}"
        text += f" win {self.win}"
        if self.has("U"):
            text += f" urg {self.urg}"
        if self.has("S"):
            text += " <mss 1460>"
        elif self.stamp is not None:
            text += f" <nop,nop,TS val {wrap(self.stamp)} ecr 100>"
        return text


@dataclass(frozen=True)
class Answer:
    """A segment that the stack must send; `soon`: it may be delayed as an ACK may (MUST-40)."""
    flags: str
    seq: int
    ack: Optional[int] = None
    soon: bool = False
    absolute: bool = False  # the numbers are no relative ones
    options: str = ""

    def written(self) -> str:
        mark = "!" if self.absolute else ""
        text = f"{self.flags} {wrap(self.seq)}{mark}:{wrap(self.seq)}{mark}(0)"
        if self.ack is not None:
            text += f" ack {wrap(self.ack)}"
        return text + (f" <{self.options}>" if self.options else "")


@dataclass
class Tcb:
    """RFC 9293 3.3.1, as far as 3.10.7 needs it. Numbers of ours are relative to ISS, the peer's are as in the script."""
    state: str
    passive: bool = True
    una: int = 1
    nxt: int = 1
    fin: bool = False        # our FIN is sent: its number is nxt - 1
    max_wnd: int = 32768     # the largest window the peer ever announced
    irs: int = 0
    rcv: int = 0             # RCV.NXT
    edge: int = 0            # RCV.NXT + RCV.WND
    stamped: bool = False
    recent: int = 0          # TS.Recent
    lenient: bool = False    # segments without the timestamp that was agreed on are taken (practice)
    error: str = ""          # errno of what the user is told
    held_fin: Optional[int] = None
    held: list = field(default_factory=list)

    def copy(self, **changes) -> "Tcb":
        return replace(self, held=list(self.held), **changes)


class Arrival:
    """SEGMENT ARRIVES for one segment: afterwards `answers`, `rows`, and the changed Tcb in `t`."""

    def __init__(self, t: Tcb, seg: Segment):
        self.t, self.seg = t.copy(), seg
        self.answers: list[Answer] = []
        self.rows: list[str] = []
        self.reopened = False
        self.took = 0  # octets that the user can now read
        state = t.state
        if state == "CLOSED":
            self.closed()
        elif state == "LISTEN":
            self.listen()
        elif state == "SYN-SENT":
            self.syn_sent()
        else:
            self.others()

    # ---- what is said ----

    def row(self, *names: str) -> None:
        self.rows += [f"{name}@{self.t.state}" for name in names]

    def ack(self, soon: bool = False) -> None:
        options = f"nop,nop,TS val 100 ecr {self.t.recent}" if self.t.stamped else ""
        self.answers = [Answer(".", self.t.nxt, self.t.rcv, soon, options=options)]

    def reset(self) -> None:
        """3.5.2: with ACK, the sequence number the segment expects; else 0 and an ACK of all of it."""
        if self.seg.has("."):
            self.answers = [Answer("R", self.seg.ack)]
        else:
            self.answers = [Answer("R.", 0, self.seg.seq + self.seg.size, absolute=True)]

    # ---- 3.10.7.1 to 3.10.7.3 ----

    def closed(self) -> None:
        if self.seg.has("R"):
            self.row("C1")
            return
        self.row("C2" if self.seg.has(".") else "C3")
        self.reset()

    def listen(self) -> None:
        seg = self.seg
        if seg.has("R"):
            self.row("L1")
        elif seg.has("."):
            self.row("L2")
            self.reset()
        elif seg.has("S"):
            self.row("L4")
            self.open(passive=True)
        else:
            self.row("L5")

    def open(self, passive: bool) -> None:
        """What a SYN says of the peer; SYN,ACK goes back. Text and FIN of the SYN are not acknowledged: they come again."""
        t = self.t
        t.passive, t.irs, t.rcv, t.una, t.nxt = passive, self.seg.seq, self.seg.seq + 1, 0, 1
        t.edge = t.rcv + 1024
        t.state = "SYN-RECEIVED"
        self.syn_ack()

    def syn_ack(self) -> None:
        """Where SYNs cross, ours has offered before we know what the peer does: RFC 7323 3.2 lets the SYN,ACK offer again."""
        self.answers = [Answer("S.", 0, self.t.rcv, options="mss 1460" if self.t.passive else "...")]

    def syn_sent(self) -> None:
        seg, t = self.seg, self.t
        fits = seg.has(".") and before(t.una, seg.ack) and not before(t.nxt, seg.ack)
        if seg.has(".") and not fits:
            self.row("S1" if seg.has("R") else "S2")
            if not seg.has("R"):
                self.reset()
        elif seg.has("R") and seg.has("."):
            self.row("S3")
            t.state, t.error = "CLOSED", "ECONNREFUSED"
        elif seg.has("R"):
            self.row("S4")
        elif seg.has("S") and seg.has("."):
            self.row("S5")
            t.una, t.irs, t.rcv = seg.ack, seg.seq, seg.seq + 1
            t.edge = t.rcv + 1024
            t.state = "ESTABLISHED"
            self.ack()
            self.urgent(seg.seq + 1)
        elif seg.has("S"):
            self.row("S6")
            self.open(passive=False)
        else:
            self.row("S7")

    # ---- 3.10.7.4 ----

    def others(self) -> None:
        for step in (self.stamp, self.first, self.second, self.fourth, self.fifth):
            if step():
                return
        self.urgent(self.seg.seq)

    def stamp(self) -> bool:
        seg, t = self.seg, self.t
        if t.state == "TIME-WAIT" and seg.has("S") and not seg.has(".") and not seg.has("R"):
            return self.syn_in_time_wait()
        if t.stamped and not seg.has("R"):
            if seg.stamp is None and not t.lenient:
                self.row("P2")
                return True
            if seg.stamp is not None and before(seg.stamp, t.recent):
                self.row("P1")
                self.ack()
                return True
        self.row("P3")
        return False

    def syn_in_time_wait(self) -> bool:
        """RFC 6191 2, without timestamps at either time: the ISN must be above all that the old connection used."""
        if before(self.t.rcv - 1, self.seg.seq):
            self.row("W1")
            self.reopened = True
            self.open(passive=True)
        else:
            self.row("W2")
        return True

    def acceptable(self) -> bool:
        """Table 6. A RST is judged by its sequence number alone (3.5.3); practice: a bare ACK may stand at the edge of the window."""
        t, seg = self.t, self.seg
        window, size = t.edge - t.rcv, 0 if seg.has("R") else seg.size
        def inside(n):
            return wrap(n - t.rcv) < window
        if size == 0:
            return inside(seg.seq) or (wrap(seg.seq) == wrap(t.edge) and (window == 0 or (seg.has(".") and not seg.has("R"))))
        return window > 0 and (inside(seg.seq) or inside(seg.seq + size - 1))

    def first(self) -> bool:
        t, seg = self.t, self.seg
        if t.state == "SYN-RECEIVED" and seg.has("S") and not seg.has(".") and not seg.has("R") and seg.seq == t.irs:
            self.row("Q5")  # practice: the SYN came again because the SYN,ACK was lost
            self.syn_ack()
            return True
        if self.acceptable():
            self.row("Q1")
            return False
        if t.rcv == t.edge and wrap(seg.seq) == wrap(t.rcv):
            self.row("Q2")  # MUST-66: acknowledged as unacceptable, and its ACK, URG and RST still count
            self.ack()
            return False
        if seg.has("R"):
            self.row("Q3")
            return True
        if t.state == "TIME-WAIT" and seg.has("F") and wrap(seg.seq + seg.size) == wrap(t.rcv):
            self.row("Q4")
            self.ack()
            return True
        self.row("Q6")
        self.ack()
        return True

    def second(self) -> bool:
        t = self.t
        if not self.seg.has("R"):
            self.row("R6")
            return False
        if wrap(self.seg.seq) != wrap(t.rcv):
            self.row("R1")
            self.ack()
            return True
        if t.state == "SYN-RECEIVED":
            self.row("R2" if t.passive else "R3")
            t.state, t.error = ("LISTEN", "") if t.passive else ("CLOSED", "ECONNREFUSED")
        elif t.state in CLOSINGISH:
            self.row("R5")
            t.state = "CLOSED"
        else:
            self.row("R4")
            t.state, t.error = "CLOSED", "ECONNRESET"
        return True

    def fourth(self) -> bool:
        if not self.seg.has("S"):
            self.row("Y3")
            return False
        if self.t.state == "SYN-RECEIVED" and self.t.passive:
            self.row("Y1")
            self.t.state = "LISTEN"
        else:
            self.row("Y2")
            self.ack()
        return True

    def fifth(self) -> bool:
        """True: the segment is done with."""
        t, seg = self.t, self.seg
        if not seg.has("."):
            self.row("A1")
            return True
        future = before(t.nxt, seg.ack)
        new = before(t.una, seg.ack) and not future
        if t.state == "SYN-RECEIVED":
            return self.fifth_opening(new)
        age = wrap(t.una - seg.ack)
        if not future and not new and age > min(t.max_wnd, t.una - 1):
            self.row("A5")  # MAY-12; what was never sent counts as too old (practice)
            self.ack()
            return True
        if future:
            self.row("A6")
            self.ack()
            return True
        return self.fifth_accepted(new)

    def fifth_opening(self, new: bool) -> bool:
        t, seg = self.t, self.seg
        self.row("A3" if new else "A4")
        if not new:
            self.reset()
            return True
        t.una, t.state = seg.ack, "ESTABLISHED"
        self.echo()
        return False

    def echo(self) -> None:
        """RFC 7323 5.3 R3: SEG.SEQ =< Last.ACK.sent."""
        if self.t.stamped and self.seg.stamp is not None and not before(self.t.rcv, self.seg.seq):
            self.t.recent = self.seg.stamp

    def fifth_accepted(self, new: bool) -> bool:
        t, seg = self.t, self.seg
        self.echo()
        ours = new and t.fin and wrap(seg.ack) == wrap(t.nxt)
        if new:
            t.una = seg.ack
        if ours and t.state == "FIN-WAIT-1":
            self.row("A7")
            t.state = "FIN-WAIT-2"
        elif ours and t.state == "CLOSING":
            self.row("A8")
            t.state = "TIME-WAIT"
            return True
        elif ours and t.state == "LAST-ACK":
            self.row("A9")
            t.state = "CLOSED"
            return True
        else:
            self.row("A10")
        return False

    def urgent(self, text: int) -> None:
        """Sixth to eighth; `text` is where the text begins."""
        t, seg = self.t, self.seg
        receiving = t.state in RECEIVING
        self.row("U1" if seg.has("U") and receiving else "U2")
        last = text + seg.len
        news = before(t.rcv, last) or (seg.has("F") and not before(last, t.rcv))
        if not receiving or t.rcv == t.edge or not news or (seg.len == 0 and not seg.has("F")):
            self.row("T3")
            return
        self.row("T2")
        if seg.has("F") and not seg.has("S") and before(last, t.edge):
            t.held_fin = last
        self.take(text, last)

    def take(self, first: int, last: int) -> None:
        """Seventh: only what is new and inside the window; what is not next in order waits (SHLD-31) and is answered at once."""
        t = self.t
        if not before(t.rcv, first):
            end = last if before(last, t.edge) else t.edge
            self.took = end - t.rcv
            t.rcv = end
            self.ack(soon=not self.answers)
        else:
            self.ack()
        self.eighth()

    def eighth(self) -> None:
        t = self.t
        if t.held_fin is None or t.rcv != t.held_fin:
            self.row("F1")
            return
        self.row({"ESTABLISHED": "F2", "FIN-WAIT-1": "F3", "FIN-WAIT-2": "F4"}[t.state])
        t.state = {"ESTABLISHED": "CLOSE-WAIT", "FIN-WAIT-1": "CLOSING", "FIN-WAIT-2": "TIME-WAIT"}[t.state]
        t.rcv += 1
        t.edge = max(t.edge, t.rcv)
        self.ack(soon=self.answers[0].soon)
