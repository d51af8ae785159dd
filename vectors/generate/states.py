"""states.py - scenario/state-event: every state met by every kind of segment, at every edge of the window and of what was sent.

The openings are plain (MSS and no other option); the peer's numbers begin at 10000, ours at 0. What must come back, and which state
follows, says states_model.py; here stand the ways into each state, the segments, and how the state is shown afterwards."""
import sys
from typing import Iterator, Optional

from pkt import Vector, write
from states_model import RECEIVING, Arrival, Segment, Tcb

ISN = 10000
FIRST = ISN + 1
WINDOW = 1024  # where an edge of ours counts: settings receive-buffer
WIDE = 60000   # else: not more than what any stack offers
ESTABLISHED_WIN = 32768
SHORT_WIN = 1000  # of the peer, where an edge of MAX.SND.WND counts
ROUND = 500       # octets at a time into that window: some stacks send no more than half of it at once

# kind: flags, octets of text, in words
KINDS = {
    "syn": ("S", 0, "SYN"),
    "syn-ack": ("S.", 0, "SYN,ACK"),
    "syn-fin": ("SF", 0, "SYN,FIN"),
    "ack": (".", 0, "ACK"),
    "data": ("P.", 10, "Text"),
    "data-fin": ("FP.", 10, "Text with FIN"),
    "fin": ("F", 0, "FIN without ACK"),
    "fin-ack": ("F.", 0, "FIN"),
    "rst": ("R", 0, "RST"),
    "rst-ack": ("R.", 0, "RST,ACK"),
    "rst-data": ("R", 10, "RST with text"),
    "syn-rst": ("SR", 0, "SYN,RST"),
    "rst-fin": ("FR.", 0, "RST,FIN"),
    "urg": ("PU.", 10, "Urgent text"),
    "none": ("-", 0, "A segment without any flag"),
    "data-bare": ("P", 10, "Text without ACK"),
}

# context: state, in words
STATES = {
    "syn-received-passive": ("SYN-RECEIVED", "SYN-RECEIVED of a passive OPEN"),
    "syn-received-active": ("SYN-RECEIVED", "SYN-RECEIVED of an active OPEN"),
    "established": ("ESTABLISHED", "ESTABLISHED"),
    "fin-wait-1": ("FIN-WAIT-1", "FIN-WAIT-1"),
    "fin-wait-2": ("FIN-WAIT-2", "FIN-WAIT-2"),
    "close-wait": ("CLOSE-WAIT", "CLOSE-WAIT"),
    "closing": ("CLOSING", "CLOSING"),
    "last-ack": ("LAST-ACK", "LAST-ACK"),
    "time-wait": ("TIME-WAIT", "TIME-WAIT"),
}

COVERS = {
    "C1": "RFC9293-3.10.7.1-1", "C2": "RFC9293-3.10.7.1-1 RFC9293-3.5.2-1 RFC9293-3.5.2-2", "C3": "RFC9293-3.10.7.1-1 RFC9293-3.5.2-2",
    "L1": "RFC9293-3.10.7.2-1 RFC9293-3.5.3-2", "L2": "RFC9293-3.10.7.2-2 RFC9293-3.5.2-3", "L4": "RFC9293-3.10.7.2-3",
    "L5": "RFC9293-3.10.7.2-4",
    "S1": "RFC9293-3.10.7.3-1 RFC9293-3.5.3-1 RFC5961-3.2-7", "S2": "RFC9293-3.10.7.3-1 RFC9293-3.5.2-3",
    "S3": "RFC9293-3.10.7.3-3 RFC9293-3.10.7.3-4 RFC9293-3.5.3-1", "S4": "RFC9293-3.10.7.3-3 RFC5961-3.2-7",
    "S5": "RFC9293-3.10.7.3-2 RFC9293-3.10.7.3-5 RFC9293-3.10.7.3-6", "S6": "RFC9293-3.10.7.3-8 MUST-10", "S7": "RFC9293-3.10.7.3-9",
    "W1": "RFC9293-3.10.7.4-16 RFC6191-2-1 RFC6191-2-7 RFC6191-2-9 MAY-2 SHLD-4", "W2": "RFC6191-2-1 RFC6191-2-8",
    "Q1": "RFC9293-3.4-3", "Q3": "RFC9293-3.10.7.4-5 RFC5961-3.2-2 RFC5961-3.2-6", "Q4": "RFC9293-3.10.7.4-27 RFC9293-3.10.7.4-37",
    "Q6": "RFC9293-3.10.7.4-1 RFC9293-3.5.2-4 RFC9293-3.4-3", "Q2": "RFC9293-3.10.7.4-2 MUST-66",
    "R1": "RFC9293-3.10.7.4-7 RFC9293-3.10.7.4-8 RFC5961-3.2-4 RFC5961-3.2-5",
    "R2": "RFC9293-3.10.7.4-6 RFC9293-3.10.7.4-9 RFC9293-3.5.3-2", "R3": "RFC9293-3.10.7.4-6 RFC9293-3.10.7.4-9",
    "R4": "RFC9293-3.10.7.4-6 RFC9293-3.10.7.4-10 RFC5961-3.2-3", "R5": "RFC9293-3.10.7.4-6 RFC9293-3.10.7.4-11 RFC5961-3.2-3",
    "Y1": "RFC9293-3.10.7.4-13", "Y2": "RFC9293-3.10.7.4-14 RFC9293-3.10.7.4-15 RFC5961-4.2-1 RFC5961-4.2-2 RFC5961-4.2-3",
    "A1": "RFC9293-3.10.7.4-17", "A3": "RFC9293-3.10.7.4-20", "A4": "RFC9293-3.10.7.4-20 RFC9293-3.5.2-3",
    "A5": "MAY-12 RFC9293-3.10.7.4-18 RFC9293-3.10.7.4-19 RFC5961-5.2-1 RFC5961-5.2-2 RFC5961-5.2-3 RFC5961-5.2-4",
    "A6": "RFC9293-3.10.7.4-21 RFC9293-3.5.2-4", "A7": "RFC9293-3.10.7.4-23", "A8": "RFC9293-3.10.7.4-25", "A9": "RFC9293-3.10.7.4-26",
    "A10": "RFC9293-3.10.7.4-21 RFC9293-3.4-2", "U1": "RFC9293-3.10.7.4-28", "T2": "RFC9293-3.10.7.4-29 RFC9293-3.10.7.4-3",
    "T3": "RFC9293-3.10.7.4-30", "F1": "SHLD-31 MAY-13", "F2": "RFC9293-3.10.7.4-32 RFC9293-3.10.7.4-33",
    "F3": "RFC9293-3.10.7.4-32 RFC9293-3.10.7.4-34", "F4": "RFC9293-3.10.7.4-32 RFC9293-3.10.7.4-35",
}
STEP = {"W": "RFC 6191 2", "P": "RFC 7323 5.3", "Q": "RFC 9293 3.10.7.4 first", "R": "RFC 9293 3.10.7.4 second",
        "Y": "RFC 9293 3.10.7.4 fourth", "A": "RFC 9293 3.10.7.4 fifth", "U": "RFC 9293 3.10.7.4 sixth",
        "T": "RFC 9293 3.10.7.4 seventh", "F": "RFC 9293 3.10.7.4 eighth", "S": "RFC 9293 3.10.7.3", "L": "RFC 9293 3.10.7.2",
        "C": "RFC 9293 3.10.7.1"}


# ---- ways into a state ---------------------------------------------------------------------------------------------------------------------


class Stage:
    """The script so far, and what the RFC says the connection is now."""

    def __init__(self, v: Vector, window: Optional[int] = None, peer_win: int = ESTABLISHED_WIN):
        self.v, self.peer_win = v, peer_win
        self.t = Tcb("CLOSED", max_wnd=peer_win, una=0, nxt=0)
        self.window = window or WIDE
        self.fd: Optional[int] = None
        self.listener = False

    def peer(self, flags: str, ack: Optional[int] = None, length: int = 0, after: str = ".01") -> None:
        """A segment of the peer where the connection stands."""
        seg = Segment(flags, self.t.rcv, self.t.una if ack is None else ack, length, win=self.peer_win)
        self.v.sends(seg.written(), after)

    def says(self, flags: str, seq: Optional[int] = None, length: int = 0, after: str = "0") -> None:
        start = self.t.nxt if seq is None else seq
        self.v.expect(f"{flags} {start}:{start + length}({length}) ack {self.t.rcv}", after)

    def listen(self) -> None:
        self.v.listens()
        self.listener, self.t.state = True, "LISTEN"

    def sockets(self) -> None:
        self.v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")
        self.v.call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")

    def connect(self) -> None:
        self.sockets()
        self.v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)")
        self.v.expect("S 0:0(0) <...>")
        self.fd, self.t.state, self.t.passive, self.t.nxt = 3, "SYN-SENT", False, 1

    def syn(self) -> None:
        """The peer's SYN; SYN,ACK goes back."""
        self.v.sends(f"S {ISN}:{ISN}(0) win {self.peer_win} <mss 1460>")
        self.v.expect(f"S. 0:0(0) ack {FIRST} <{'mss 1460' if self.t.passive else '...'}>")
        self.t.irs, self.t.rcv, self.t.edge, self.t.nxt = ISN, FIRST, FIRST + self.window, 1
        self.t.state = "SYN-RECEIVED"

    def established(self) -> None:
        self.peer(".", ack=1)
        self.v.call("accept(3, ..., ...) = 4")
        self.fd, self.t.una, self.t.state = 4, 1, "ESTABLISHED"

    def transfer(self, rounds: int) -> None:
        """Text of ours that the peer acknowledges, so that old acknowledgments exist."""
        for _ in range(rounds):
            self.v.call(f"write({self.fd}, ..., {ROUND}) = {ROUND}")
            self.says("P.", length=ROUND)
            self.t.nxt += ROUND
            self.t.una = self.t.nxt
            self.peer(".")

    def fly(self, octets: int) -> None:
        if octets:
            self.v.call(f"write({self.fd}, ..., {octets}) = {octets}")
            self.says("P.", length=octets)
            self.t.nxt += octets

    def close(self) -> None:
        """CLOSE: our FIN."""
        self.v.call(f"shutdown({self.fd}, SHUT_WR) = 0", ".01")
        self.says("F.")
        self.t.nxt += 1
        self.t.fin = True
        self.t.state = {"ESTABLISHED": "FIN-WAIT-1", "CLOSE-WAIT": "LAST-ACK", "SYN-RECEIVED": "FIN-WAIT-1"}[self.t.state]

    def fin_acked(self) -> None:
        self.t.una = self.t.nxt
        self.peer(".")
        self.t.state = {"FIN-WAIT-1": "FIN-WAIT-2", "CLOSING": "TIME-WAIT"}[self.t.state]

    def fin(self) -> None:
        """The peer's FIN."""
        self.peer("F.")
        self.t.rcv += 1
        self.says(".", after="0~.5")
        self.t.state = {"ESTABLISHED": "CLOSE-WAIT", "FIN-WAIT-1": "CLOSING", "FIN-WAIT-2": "TIME-WAIT"}[self.t.state]

    def reach(self, context: str, rounds: int = 0, fly: int = 0) -> None:
        if context == "syn-received-active":
            self.connect()
            self.syn()
            return
        self.listen()
        self.syn()
        if context == "syn-received-passive":
            return
        self.established()
        self.transfer(rounds)
        self.fly(fly)
        if context in ("close-wait", "last-ack"):
            self.fin()
        if context in ("fin-wait-1", "fin-wait-2", "closing", "last-ack", "time-wait"):
            self.close()
        if context in ("fin-wait-2", "time-wait"):
            self.fin_acked()
        if context in ("closing", "time-wait"):
            self.fin()


# ---- the event, and how the state is shown -------------------------------------------------------------------------------------------------


def meet(s: Stage, seg: Segment) -> Arrival:
    """The segment comes; what must come back stands in the script, and s.t is what the connection is then."""
    a = Arrival(s.t, seg)
    s.v.sends(seg.written())
    for answer in a.answers:
        s.v.expect(answer.written(), "0~.5" if answer.soon else "0")
    s.t = a.t
    return a


def show_opening(s: Stage, a: Arrival) -> None:
    """SYN-RECEIVED: the handshake can still be finished."""
    s.t.edge = s.t.rcv + s.window
    if s.t.passive:
        s.peer(".", ack=1)
        s.fd = 5 if a.reopened else 4
        s.v.call(f"accept(3, ..., ...) = {s.fd}")
    else:
        s.v.call(f'status({s.fd}) = "SYN-RECEIVED"')
        s.peer(".", ack=1)
    s.v.call(f'status({s.fd}) = "ESTABLISHED"')


def show_gone(s: Stage) -> None:
    """LISTEN or CLOSED: nobody knows the connection."""
    if s.fd is not None:
        if s.t.error:
            s.v.call(f"getsockopt({s.fd}, SOL_SOCKET, SO_ERROR, [{s.t.error}], [4]) = 0")
        s.v.call(f'status({s.fd}) = "CLOSED"')
    if s.t.rcv:
        seg = Segment(".", s.t.rcv, s.t.nxt)
        s.v.sends(seg.written())
        s.v.expect(f"R {s.t.nxt}:{s.t.nxt}(0)")


def show_text(s: Stage, took: Optional[int]) -> None:
    """Text in order is still taken, and ours still goes."""
    s.v.sends(Segment("P.", s.t.rcv, s.t.una, 10, win=s.peer_win).written())
    s.t.rcv += 10
    s.says(".", after="0~.5")
    if took is not None:
        s.v.call(f"unread({s.fd}) = {took + 10}")


def show_old_octet(s: Stage) -> None:
    """An octet that the peer sent before: the answer tells SND.NXT and RCV.NXT."""
    s.v.sends(Segment("P.", s.t.rcv - 1, s.t.una, 1, win=s.peer_win).written())
    s.says(".")


def show(s: Stage, a: Arrival) -> None:
    """The end of each script: the state, by its name where that can be asked, and by what it does."""
    state = s.t.state
    if state in ("CLOSED", "LISTEN"):
        show_gone(s)
        return
    if state == "SYN-RECEIVED":
        show_opening(s, a)
        return
    if s.fd is None:
        s.fd = 4
        s.v.call("accept(3, ..., ...) = 4")
    if state != "TIME-WAIT":  # some kernels keep TIME-WAIT apart from the socket
        s.v.call(f'status({s.fd}) = "{state}"')
    if state in RECEIVING:
        show_text(s, None if a.seg.has("U") else a.took)
    elif state == "CLOSE-WAIT" and s.t.una == s.t.nxt:
        s.v.call(f"write({s.fd}, ..., 10) = 10")
        s.says("P.", length=10)
    elif state in ("CLOSE-WAIT", "TIME-WAIT"):
        show_old_octet(s)
    else:
        s.peer(".", ack=s.t.nxt)
        s.t.state = "CLOSED" if state == "LAST-ACK" else "TIME-WAIT"
    if s.t.state == "CLOSED":
        show_gone(s)
    elif s.t.state == "TIME-WAIT":
        s.v.sends(Segment("F.", s.t.rcv - 1, s.t.nxt).written())
        s.says(".")


def outcome(a: Arrival, was: str) -> str:
    now = a.t.state
    if a.reopened:
        return "opens a new connection"
    said = {"R": "is answered by RST", "R.": "is answered by RST", "S.": "is answered by SYN,ACK", ".": "is answered by ACK"}
    text = said[a.answers[0].flags] if a.answers else "is not answered" if now == was else ""
    if now != was:
        text += (", and leads to " if text else "leads to ") + now
    return text


def level_of(a: Arrival, context: str, seg: Segment) -> tuple[str, str]:
    """The level, and a note where the RFC leaves a choice."""
    rows = {row.split("@")[0] for row in a.rows}
    later = context in ("close-wait", "closing", "last-ack", "time-wait")
    if "Q5" in rows:
        return "practice", "the SYN has come again because the SYN,ACK was lost; the RFC's bare ACK would tell the peer nothing"
    if "A5" in rows and a.t.una - seg.ack <= a.t.max_wnd:
        return "practice", "inside MAX.SND.WND, but never sent"
    if "A5" in rows:
        return "MAY", ""
    if "W1" in rows or "W2" in rows:
        return "SHOULD", ""
    if "T3" in rows and later and seg.has("F"):
        return "practice", "a FIN beyond the peer's FIN stands for nothing"
    if seg.has("S") and seg.has(".") and context.startswith("syn-received") and seg.seq == ISN:
        return "practice", "the SYN,ACK of a simultaneous open (RFC 9293 figure 7) may also be taken for the ACK that it carries"
    if a.t.state == "ESTABLISHED" and seg.has("S") and seg.has("F"):
        return "practice", "the FIN of a SYN is left for the peer to repeat"
    return "MUST", ""


def needs_of(a: Arrival, context: str) -> str:
    rows = {row.split("@")[0] for row in a.rows}
    needs = ["half-close"] if context in ("fin-wait-1", "fin-wait-2", "closing", "last-ack", "time-wait") else []
    needs += ["time-wait"] if "TIME-WAIT" in (context.upper(), a.t.state) else []
    needs += ["rfc5961"] if rows & {"R1", "Y2", "A5"} else []
    return " ".join(needs)


def head(v: Vector, a: Arrival, context: str, title: str, family: str = "", **more: str) -> None:
    """Fills the head of a vector, now that it is known what happens. What stands beside it is its family, unless `family` says another."""
    level, note = level_of(a, context, a.seg)
    names = [row.split("@")[0] for row in a.rows]
    decided = [name for name in names if name not in ("P3", "Q1", "R6", "Y3", "U2") or name == names[-1]]
    covers: list[str] = []
    for name in decided:
        covers += [word for word in COVERS.get(name, "").split() if word not in covers]
    v.head[1:] = [("title", title), ("level", level), ("section", STEP[decided[-1][0]])]
    fields = {"covers": " ".join(covers), "rows": " ".join(dict.fromkeys(a.rows)), "family": family or v.name.rsplit("/", 1)[0],
              "needs": needs_of(a, context), **more, "note": note}
    v.head += [(key, value) for key, value in fields.items() if value]


# ---- the families --------------------------------------------------------------------------------------------------------------------------


def positions(length: int, edge: bool, later: bool) -> dict[str, tuple[int, str]]:
    """Where a segment begins, counted from RCV.NXT; `edge`: with a window of WINDOW octets from FIRST."""
    if not edge:
        places = {"old": (-500, "long before the window"), "left-edge-minus-one": (-1, "one before the left edge of the window"),
                  "left-edge": (0, "at the left edge of the window"), "inside": (100, "inside the window"),
                  "far-future": (1 << 30, "far beyond the window")}
        if length > 1:
            places["ends-at-left-edge"] = (-length, "that ends before the left edge of the window")
        return places
    last = WINDOW - 1 - later
    places = {"last-in-window": (last, "at the last number inside the window"),
              "right-edge": (last + 1 + later, "at the first number beyond the window")}
    if length == 0 and not later:
        places["beyond-right-edge"] = (last + 2, "at the second number beyond the window")
    if length > 1 and not later:
        places["ends-at-right-edge"] = (WINDOW - length, "that ends with the window")
    return places


def by_sequence(context: str, kind: str, edge: bool) -> Iterator[Vector]:
    flags, length, words = KINDS[kind]
    later = context in ("close-wait", "last-ack", "closing", "time-wait")
    for position, (offset, place) in positions(length, edge, later).items():
        v = Vector(f"state-event/{context}/{kind}/{position}", "", "", "")
        s = Stage(v, WINDOW if edge else None)
        s.reach(context)
        ack = s.t.nxt if s.t.state == "SYN-RECEIVED" else s.t.una
        a = meet(s, Segment(flags, s.t.rcv + offset, ack, length, urg=length))
        title = f"{words} {place}, in {STATES[context][1]}, {outcome(a, STATES[context][0])}"
        show(s, a)
        head(v, a, context, title, settings=f"receive-buffer={WINDOW}" if edge else "")
        if position == "right-edge" and kind == "ack" and not later:
            v.head[2] = ("level", "practice")
            v.head.append(("note", "table 6 of RFC 9293 refuses it; an end that has filled the window says nothing else, and must be heard"))
        yield v


def wider_than_window(context: str) -> Iterator[Vector]:
    """Table 6 rejects what begins before the window and ends after it."""
    v = Vector(f"state-event/{context}/data/wider-than-window", "", "", "")
    s = Stage(v, WINDOW)
    s.reach(context)
    a = meet(s, Segment("P.", s.t.rcv - 1, s.t.nxt if s.t.state == "SYN-RECEIVED" else s.t.una, WINDOW + 2))
    show(s, a)
    head(v, a, context, f"Text that begins before the window and ends beyond it, in {STATES[context][1]}, {outcome(a, STATES[context][0])}",
         settings=f"receive-buffer={WINDOW}")
    v.head[2] = ("level", "practice")
    v.head.append(("note", "the letter of RFC 9293 table 6; many stacks trim it and take the part inside"))
    yield v


# place: (rounds of text acknowledged before, octets in flight, acknowledgment from the Tcb, in words)
ACKS = {
    "duplicate": (0, 0, lambda t: t.una, "that repeats SND.UNA"),
    "old-by-one": (0, 0, lambda t: t.una - 1, "older than SND.UNA by one"),
    "never-sent": (0, 0, lambda t: 0, "of what lies before the first octet"),
    "old-inside": (3, 0, lambda t: t.una - 500, "older than SND.UNA, less than a window"),
    "old-limit": (3, 0, lambda t: t.una - SHORT_WIN, "older than SND.UNA by just MAX.SND.WND"),
    "old-beyond": (3, 0, lambda t: t.una - SHORT_WIN - 1, "older than SND.UNA by more than MAX.SND.WND"),
    "future": (0, 0, lambda t: t.nxt + 1, "of one octet that was not sent"),
    "far-future": (0, 0, lambda t: t.nxt + (1 << 30), "of octets far ahead"),
    "future-in-flight": (0, 100, lambda t: t.nxt + 1, "of one octet more than was sent"),
    "partial": (0, 100, lambda t: 51, "of a part of what was sent"),
    "all-text": (0, 100, lambda t: 101, "of all text that was sent"),
    "all": (0, 100, lambda t: t.nxt, "of all that was sent"),
}
ACKS_OPENING = {
    "of-the-syn": (0, 0, lambda t: 1, "of our SYN"),
    "of-nothing": (0, 0, lambda t: 0, "of what lies before our SYN"),
    "old": (0, 0, lambda t: -1000, "of an old number"),
    "future": (0, 0, lambda t: 2, "of one octet that was not sent"),
    "far-future": (0, 0, lambda t: 1 << 30, "of octets far ahead"),
}


def by_acknowledgment(context: str, kind: str) -> Iterator[Vector]:
    flags, length, words = KINDS[kind]
    opening = context.startswith("syn-received")
    for place, (rounds, fly, number, text) in (ACKS_OPENING if opening else ACKS).items():
        if context in ("fin-wait-2", "time-wait") and fly:
            continue  # all that was sent is acknowledged in these states
        if place == "all" and context in ("established", "close-wait"):
            continue  # no FIN: the same as all-text
        v = Vector(f"state-event/{context}/{kind}-acknowledges/{place}", "", "", "")
        s = Stage(v, peer_win=SHORT_WIN if rounds else ESTABLISHED_WIN)
        s.reach(context, rounds, fly)
        a = meet(s, Segment(flags, s.t.rcv, number(s.t), length, win=s.peer_win))
        title = f"{words} with an acknowledgment {text}, in {STATES[context][1]}, {outcome(a, STATES[context][0])}"
        show(s, a)
        head(v, a, context, title)
        yield v


def state_event() -> Iterator[Vector]:
    for context in STATES:
        for kind in KINDS:
            yield from by_sequence(context, kind, False)
            yield from by_sequence(context, kind, True)
        if context not in ("close-wait", "last-ack", "closing", "time-wait"):
            yield from wider_than_window(context)
        for kind in ("ack", "data", "fin-ack"):
            yield from by_acknowledgment(context, kind)


# ---- SYN-SENT, LISTEN, CLOSED --------------------------------------------------------------------------------------------------------------

# kind: flags, octets, in words; where flags have ACK, every acknowledgment of SYN_SENT_ACKS
SYN_SENT_KINDS = {
    "syn": ("S", 0), "syn-fin": ("SF", 0), "rst-fin": ("FR.", 0), "syn-data": ("S", 10), "syn-rst": ("SR", 0), "syn-ack": ("S.", 0), "syn-ack-data": ("PS.", 10),
    "syn-ack-fin": ("FS.", 0), "syn-ack-rst": ("SR.", 0), "ack": (".", 0), "data": ("P.", 10), "fin": ("F", 0), "fin-ack": ("F.", 0),
    "rst": ("R", 0), "rst-ack": ("R.", 0), "urg": ("PU.", 10), "none": ("-", 0), "data-bare": ("P", 10),
}
SYN_SENT_ACKS = {"of-the-syn": (1, "of our SYN"), "of-nothing": (0, "of what lies before our SYN"), "old": (-1000, "of an old number"),
                 "future": (2, "of one octet that was not sent"), "far-future": (1 << 30, "of octets far ahead")}


def in_words(flags: str, length: int) -> str:
    names = [name for letter, name in (("S", "SYN"), ("F", "FIN"), ("R", "RST"), ("U", "URG"), (".", "ACK")) if letter in flags]
    return (",".join(names) or "A segment without any flag") + (" with text" if length else "")


def show_syn_sent(s: Stage, a: Arrival) -> None:
    if s.t.state == "SYN-SENT":
        s.v.call('status(3) = "SYN-SENT"')
        s.v.sends(f"S. {ISN}:{ISN}(0) ack 1 win 32768 <mss 1460>")
        s.v.expect(f". 1:1(0) ack {FIRST}")
        s.v.call('status(3) = "ESTABLISHED"')
    else:
        show(s, a)


def syn_sent() -> Iterator[Vector]:
    for kind, (flags, length) in SYN_SENT_KINDS.items():
        acks = SYN_SENT_ACKS if "." in flags else {"no-acknowledgment": (0, "")}
        for place, (ack, text) in acks.items():
            v = Vector(f"state-event/syn-sent/{kind}/{place}", "", "", "")
            s = Stage(v)
            s.connect()
            a = meet(s, Segment(flags, ISN, ack, length, urg=length))
            words = in_words(flags, length) + (f" with an acknowledgment {text}" if text else "")
            show_syn_sent(s, a)
            head(v, a, "syn-sent", f"{words}, in SYN-SENT, {outcome(a, 'SYN-SENT')}")
            yield v


LISTEN_KINDS = {**SYN_SENT_KINDS, "syn-urg": ("SU", 0), "rst-data": ("R", 10), "data-fin": ("FP.", 10)}


def listen(connection: bool) -> Iterator[Vector]:
    """On a socket a SYN makes a connection beside the listener; a bare connection leaves LISTEN itself."""
    where = "listen-connection" if connection else "listen"
    for kind, (flags, length) in LISTEN_KINDS.items():
        v = Vector(f"state-event/{where}/{kind}", "", "", "")
        s = Stage(v)
        s.listen()
        a = meet(s, Segment(flags, ISN, 5000, length, urg=length))
        if s.t.state == "LISTEN":
            v.call('status(3) = "LISTEN"')
            s.syn()
            a.rows += ["L4@LISTEN"] if connection else []
        if connection:
            v.call('status(3) = "SYN-RECEIVED"')
        else:
            show(s, a)
            a.rows = [row for row in a.rows if row.startswith("L4")]
        names = a.rows
        a.rows = a.rows or ["L4@LISTEN"]
        head(v, a, "listen", f"{in_words(flags, length)}, in LISTEN, {outcome(a, 'LISTEN')}", f"state-event/listen/{kind}",
             api="connection" if connection else "")
        v.head = [(key, value) for key, value in v.head if key != "rows" or names]
        v.head[4 - 1] = ("section", "RFC 9293 3.10.7.2")
        yield v


def closed(connection: bool) -> Iterator[Vector]:
    where = "closed-connection" if connection else "closed"
    for kind, (flags, length) in LISTEN_KINDS.items():
        v = Vector(f"state-event/{where}/{kind}", "", "", "")
        s = Stage(v)
        if connection:
            s.connect()
            v.call("abort(3) = 0")
        s.t = Tcb("CLOSED")
        a = meet(s, Segment(flags, ISN, 5000, length, urg=length))
        if connection:
            v.call('status(3) = "CLOSED"')
        v.sends(f"S {ISN}:{ISN}(0) win 32768 <mss 1460>").expect(f"R. 0!:0!(0) ack {FIRST}")
        head(v, a, "closed", f"{in_words(flags, length)}, in CLOSED, {outcome(a, 'CLOSED')}", f"state-event/closed/{kind}",
             api="connection" if connection else "", rows=" ".join(a.rows) if connection else "")
        yield v


def vectors() -> Iterator[Vector]:
    yield from state_event()
    yield from syn_sent()
    for connection in (False, True):
        yield from listen(connection)
        yield from closed(connection)


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
