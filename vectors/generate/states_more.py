"""states_more.py - scenario/state-event, what is not plain: timestamps, a window of zero, a user who has left, TIME-WAIT without a socket,
a CLOSE that waits in SYN-RECEIVED. The model is that of states_model.py."""
import sys
from typing import Iterator, Optional

from pkt import Vector, write
from states import COVERS, FIRST, ISN, STATES, WINDOW, Stage, head, meet, outcome, show_gone
from states_calls import Bare
from states_model import Arrival, Segment

SYNCHRONIZED = [context for context in STATES if not context.startswith("syn-received")]


# ---- timestamps ----------------------------------------------------------------------------------------------------------------------------


class Stamped(Stage):
    """Both ends offered timestamps; the peer's clock stands at 1000."""

    def peer(self, flags: str, ack: Optional[int] = None, length: int = 0, after: str = ".01") -> None:
        seg = Segment(flags, self.t.rcv, self.t.una if ack is None else ack, length, win=self.peer_win, stamp=1000)
        self.v.sends(seg.written(), after)

    def says(self, flags: str, seq: Optional[int] = None, length: int = 0, after: str = "0") -> None:
        start = self.t.nxt if seq is None else seq
        self.v.expect(f"{flags} {start}:{start + length}({length}) ack {self.t.rcv} <nop,nop,TS val 100 ecr {self.t.recent}>", after)

    def syn(self) -> None:
        self.v.sends(f"S {ISN}:{ISN}(0) win {self.peer_win} <mss 1460,nop,nop,TS val 1000 ecr 0>")
        self.v.expect(f"S. 0:0(0) ack {FIRST} <mss 1460,nop,nop,TS val 100 ecr 1000>")
        self.t.irs, self.t.rcv, self.t.edge, self.t.nxt = ISN, FIRST, FIRST + self.window, 1
        self.t.state, self.t.stamped, self.t.recent = "SYN-RECEIVED", True, 1000


# place: flags, octets, timestamp, settings, words
STAMPS = {
    "stale": ("P.", 10, 900, "", "Text with a timestamp older than the last"),
    "stale-by-one": ("P.", 10, 999, "", "Text with a timestamp just older than the last"),
    "stale-ack": (".", 0, 900, "", "An ACK with a timestamp older than the last"),
    "half-round": ("P.", 10, 1000 - (1 << 31) + 1, "", "Text with a timestamp that is older by almost half of all"),
    "stale-rst": ("R", 0, 900, "", "A RST with a timestamp older than the last"),
    "missing": ("P.", 10, None, "require-timestamps=1", "Text without the timestamp that was agreed on"),
    "missing-taken": ("P.", 10, None, "require-timestamps=0", "Text without the timestamp that was agreed on, where that is allowed"),
    "missing-rst": ("R", 0, None, "require-timestamps=1", "A RST without the timestamp that was agreed on"),
    "same": ("P.", 10, 1000, "", "Text with the same timestamp as the last"),
    "newer": ("P.", 10, 1001, "", "Text with a newer timestamp"),
}


SWEPT = {"stale": "older", "stale-by-one": "older", "half-round": "older", "same": "not-older", "newer": "not-older"}


def stamped() -> Iterator[Vector]:
    for context in SYNCHRONIZED + ["syn-received-passive"]:
        for place, (flags, length, stamp, settings, words) in STAMPS.items():
            v = Vector(f"state-event/timestamps/{context}/{place}", "", "", "")
            s = Stamped(v)
            s.reach(context)
            s.t.lenient = place == "missing-taken"
            ack = s.t.nxt if s.t.state == "SYN-RECEIVED" else s.t.una
            a = meet(s, Segment(flags, s.t.rcv, ack, length, stamp=stamp))
            title = f"{words}, in {STATES[context][1]}, {outcome(a, STATES[context][0])}"
            if s.t.state in ("CLOSED", "LISTEN"):
                if s.fd is not None:
                    v.call(f'status({s.fd}) = "CLOSED"')
                s.v.sends(Segment(".", s.t.rcv, s.t.nxt).written()).expect(f"R {s.t.nxt}:{s.t.nxt}(0)")
            else:
                stamped_end(s)
            head(v, a, context, title, settings=settings)
            stamped_head(v, place, SWEPT.get(place))
            yield v


def stamped_end(s: Stage) -> None:
    """An old octet with a good timestamp: the answer tells SND.NXT and RCV.NXT."""
    if s.fd is None and s.t.state != "SYN-RECEIVED":
        s.v.call("accept(3, ..., ...) = 4")
        s.fd = 4
    if s.fd is not None and s.t.state != "TIME-WAIT":
        s.v.call(f'status({s.fd}) = "{s.t.state}"')
    s.v.sends(Segment("P.", s.t.rcv - 1, s.t.nxt, 1, stamp=s.t.recent).written())
    s.says(".")


def stamped_head(v: Vector, place: str, swept: str | None) -> None:
    fields = dict(v.head)
    fields["needs"] = " ".join(filter(None, [fields.get("needs", ""), "timestamps paws"]))
    fields["family"] = f"{v.name.rsplit('/', 1)[0]}/{swept}" if swept else ""
    if place in ("stale", "stale-by-one", "stale-ack", "half-round"):
        fields["section"], fields["covers"] = "RFC 7323 5.3", "RFC7323-5.3-1 RFC7323-5.3-2 RFC7323-5.3-3"
    elif place == "missing":
        fields["level"], fields["section"], fields["covers"] = "SHOULD", "RFC 7323 3.2", "RFC7323-3.2-9 RFC7323-3.2-10"
    elif place == "missing-taken":
        fields["level"], fields["note"] = "practice", "paths strip options; RFC 7323 3.2 would have it dropped"
    elif place.endswith("rst"):
        fields["section"], fields["covers"] = "RFC 7323 5.2", fields["covers"] + " RFC7323-5.2-5"
    order = ("id", "title", "level", "section", "covers", "rows", "family", "needs", "settings", "api", "note")
    v.head = [(key, fields[key]) for key in order if fields.get(key)]


def idle() -> Iterator[Vector]:
    """RFC 7323 5.5: after 24 days TS.Recent says nothing any more."""
    for days, taken in ((23, False), (25, True)):
        v = Vector(f"state-event/timestamps/idle/{days}-days", f"A timestamp older than the last after {days} days is {'taken' if taken else 'refused'}",
                   "MUST", "RFC 7323 5.5", "RFC7323-5.5-1", rows=f"{'P3' if taken else 'P1'}@ESTABLISHED",
                   needs="timestamps paws virtual-time")
        s = Stamped(v)
        s.reach("established")
        v.sends(Segment("P.", s.t.rcv, 1, 10, stamp=900).written(), str(days * 86400))
        if taken:
            s.t.rcv, s.t.recent = s.t.rcv + 10, 900
        s.says(".", after="0~.5")
        v.call('status(4) = "ESTABLISHED"')
        yield v


# place: timestamps before, timestamps now, TSval against the last, ISN against the last number, accepted
REUSE = {
    "newer-stamp": (True, True, 1, -5, True), "same-stamp-later": (True, True, 0, 1, True), "same-stamp-same": (True, True, 0, 0, False),
    "same-stamp-earlier": (True, True, 0, -1, False), "older-stamp-later": (True, True, -1, 1, False),
    "stamp-lost-later": (True, False, 0, 1, True), "stamp-lost-same": (True, False, 0, 0, False), "stamp-lost-earlier": (True, False, 0, -1, False),
    "stamp-new-earlier": (False, True, 0, -1, True), "stamp-new-later": (False, True, 0, 1, True),
    "stamp-new-large": (False, True, 2999999000, -1, True),
    "no-stamp-later": (False, False, 0, 1, True), "no-stamp-same": (False, False, 0, 0, False), "no-stamp-half-round": (False, False, 0, (1 << 31) - 1, True),
}


def reuse() -> Iterator[Vector]:
    """The table of RFC 6191 2, where the user still holds the connection and where only a record is left of it."""
    for left_behind in (False, True):
        for place, (old, new, step, offset, accepted) in REUSE.items():
            where = "time-wait-left" if left_behind else "time-wait"
            v = Vector(f"state-event/reuse-{where}/{place}", f"A SYN in TIME-WAIT, by RFC 6191: {place.replace('-', ' ')}", "SHOULD", "RFC 6191 2",
                       "RFC6191-2-1 SHLD-4 " + ("RFC6191-2-9 MAY-2" if accepted else "RFC6191-2-5 RFC6191-2-8"),
                       rows="" if left_behind else ("W1@TIME-WAIT" if accepted else "W2@TIME-WAIT"), family=f"state-event/reuse-{where}",
                       needs="half-close time-wait" + (" timestamps" if old or new else ""))
            s = Stamped(v) if old else Stage(v)
            s.reach("time-wait")
            if left_behind:
                v.call("close(4) = 0")
            seq = (s.t.rcv - 1 + offset) % (1 << 32)
            offer = f"mss 1460,nop,nop,TS val {1000 + step} ecr 0" if new else "mss 1460"
            v.sends(f"S {seq}:{seq}(0) win 32768 <{offer}>")
            if accepted:
                echo = f",nop,nop,TS val 100 ecr {1000 + step}" if new else ""
                v.expect(f"S. 0:0(0) ack {(seq + 1) % (1 << 32)} <mss 1460{echo}>")
            else:
                v.sends(Segment("F.", s.t.rcv - 1, s.t.nxt, stamp=1000 if old else None).written())
                s.says(".")
            yield v


def event_family(v: Vector, flags: str, length: int) -> str:
    """The same segment, elsewhere in the window or with another acknowledgment."""
    names = [name for letter, name in (("S", "syn"), ("F", "fin"), ("R", "rst"), ("U", "urg"), (".", "ack")) if letter in flags]
    return f"{v.name.rsplit('/', 1)[0]}/{'-'.join(names) or 'none'}{'-text' if length else ''}"


# ---- a window of zero ----------------------------------------------------------------------------------------------------------------------

# place: flags, octets, offset from RCV.NXT, acknowledges all, words
ZERO = {
    "ack": (".", 0, 0, False, "An ACK at the left edge"),
    "ack-of-all": (".", 0, 0, True, "An ACK of all that was sent"),
    "ack-inside": (".", 0, 1, True, "An ACK one after the left edge"),
    "ack-before": (".", 0, -1, True, "An ACK one before the left edge"),
    "data": ("P.", 10, 0, False, "Text at the left edge"),
    "data-of-all": ("P.", 10, 0, True, "Text at the left edge with an ACK of all that was sent"),
    "data-after": ("P.", 10, 1, True, "Text one after the left edge"),
    "data-before": ("P.", 10, -1, True, "Text one before the left edge"),
    "fin": ("F.", 0, 0, False, "FIN at the left edge"),
    "urg": ("PU.", 10, 0, False, "Urgent text at the left edge"),
    "syn": ("S", 0, 0, False, "SYN at the left edge"),
    "rst": ("R", 0, 0, False, "RST at the left edge"),
    "rst-data": ("R", 10, 0, False, "RST with text at the left edge"),
    "rst-after": ("R", 0, 1, False, "RST one after the left edge"),
    "none": ("-", 0, 0, False, "A segment without any flag at the left edge"),
}


def zero_window() -> Iterator[Vector]:
    for context in ("established", "fin-wait-1", "fin-wait-2"):
        for place, (flags, length, offset, every, words) in ZERO.items():
            v = Vector(f"state-event/zero-window/{context}/{place}", "", "", "")
            s = Stage(v, WINDOW)
            s.reach(context)
            s.peer("P.", length=WINDOW)
            s.t.rcv += WINDOW
            v.expect(f". {s.t.nxt}:{s.t.nxt}(0) ack {s.t.rcv} win 0", "0~.5")
            a = meet(s, Segment(flags, s.t.rcv + offset, s.t.nxt if every else s.t.una, length, urg=length))
            title = f"{words} of a window of 0, in {STATES[context][1]}, {outcome(a, STATES[context][0])}"
            if s.t.state == "CLOSED":
                show_gone(s)
            else:
                v.call(f'status(4) = "{s.t.state}"').call(f"unread(4) = {WINDOW}")
                s.peer("P.", length=1)
                s.says(".")
            head(v, a, context, title, event_family(v, flags, length), settings=f"receive-buffer={WINDOW}")
            yield v


# ---- a user who has left -------------------------------------------------------------------------------------------------------------------

LEFT = {
    "data": ("P.", 10, 0, "Text"),
    "data-fin": ("FP.", 10, 0, "Text with FIN"),
    "old-and-new": ("P.", 10, -5, "Text of which a part is new"),
    "old": ("P.", 1, -1, "Text that came before"),
    "fin": ("F.", 0, 0, "FIN alone"),
    "inside": ("P.", 10, 100, "Text that is not next"),
    "one-octet": ("P.", 1, 0, "One octet"),
    "fin-inside": ("F.", 0, 100, "FIN alone that is not next"),
    "old-fin": ("FP.", 10, -10, "FIN with text that came before"),
}


def left() -> Iterator[Vector]:
    """SHLD-3: text for a user who reads no more is answered by RST."""
    for context in ("fin-wait-1", "fin-wait-2"):
        for place, (flags, length, offset, words) in LEFT.items():
            v = Vector(f"state-event/left/{context}/{place}", "", "", "")
            s = Stage(v)
            s.reach("established")
            v.call("close(4) = 0")
            s.says("F.")
            s.t.nxt, s.t.fin, s.t.state = 2, True, "FIN-WAIT-1"
            if context == "fin-wait-2":
                s.fin_acked()
            seg = Segment(flags, s.t.rcv + offset, s.t.una, length)
            lost = place not in ("old", "fin", "fin-inside", "old-fin")
            a = left_unread(s, seg) if lost else meet(s, seg)
            title = f"{words} for a user who has left, in {STATES[context][1]}, {'is answered by RST' if lost else outcome(a, STATES[context][0])}"
            if lost:
                s.t.state = "CLOSED"
                s.fd = None
                show_gone(s)
            else:
                v.sends(Segment("P.", s.t.rcv - 1, s.t.una, 1).written())
                s.says(".")
            head(v, a, context, title, event_family(v, flags, length))
            fields = dict(v.head)
            fields["level"], fields["section"] = ("SHOULD", "RFC 9293 3.6.1") if lost else (fields["level"], fields["section"])
            fields["covers"] = "SHLD-3" if lost else fields["covers"]
            v.head = list(fields.items())
            yield v
    for context in ("established", "close-wait"):
        yield left_text_behind(context)


def left_unread(s: Stage, seg: Segment) -> Arrival:
    a = Arrival(s.t, seg)
    s.v.sends(seg.written()).expect(f"R {s.t.nxt}:{s.t.nxt}(0)")
    a.rows = [row for row in a.rows if row[0] in "PQRYAU"] + [f"T1@{s.t.state}"]
    return a


def left_text_behind(context: str) -> Vector:
    v = Vector(f"state-event/left/{context}/unread", f"A user who leaves with text unread, in {STATES[context][1]}: RST goes instead of FIN", "SHOULD",
               "RFC 9293 3.6.1", "SHLD-3", rows=f"AB3@{STATES[context][0]}")
    s = Stage(v)
    s.reach("established")
    s.peer("P.", length=10)
    s.t.rcv += 10
    s.says(".", after="0~.5")
    if context == "close-wait":
        s.fin()
    v.call("close(4) = 0").expect("R 1:1(0)")
    s.fd = None
    show_gone(s)
    return v


# ---- TIME-WAIT without a socket ------------------------------------------------------------------------------------------------------------

RECORD = {
    "fin-again": ("F.", -1, 0, "FIN again"),
    "data-fin-again": ("FP.", -11, 10, "Text with FIN again"),
    "old-data": ("P.", -1, 1, "Text that came before"),
    "old-ack": (".", -1, 0, "An ACK one before the left edge"),
    "ack": (".", 0, 0, "An ACK at the left edge"),
    "rst": ("R", 0, 0, "RST at the left edge"),
    "rst-old": ("R", -1, 0, "RST one before the left edge"),
    "rst-far-future": ("R", 1 << 30, 0, "RST far beyond the window"),
    "syn": ("S", 100, 0, "SYN above all that was used"),
    "syn-next": ("S", 0, 0, "SYN just above all that was used"),
    "syn-old": ("S", -1, 0, "SYN with the number of the old FIN"),
    "syn-ack": ("S.", 100, 0, "SYN,ACK"),
    "far-future": (".", 1 << 30, 0, "An ACK far beyond the window"),
}


def record() -> Iterator[Vector]:
    """What a stack keeps of a connection in TIME-WAIT whose user has closed its socket."""
    for place, (flags, offset, length, words) in RECORD.items():
        v = Vector(f"state-event/time-wait-left/{place}", "", "", "")
        s = Stage(v)
        s.reach("time-wait")
        v.call("close(4) = 0")
        s.fd = None
        a = meet(s, Segment(flags, s.t.rcv + offset, s.t.nxt, length))
        title = f"{words}, in TIME-WAIT whose socket is closed, {outcome(a, 'TIME-WAIT')}"
        if s.t.state == "TIME-WAIT":
            v.sends(Segment("F.", s.t.rcv - 1, s.t.nxt).written())
            s.says(".")
        elif a.reopened:
            s.peer(".", ack=1)
            v.call("accept(3, ..., ...) = 5").call('status(5) = "ESTABLISHED"')
        else:
            show_gone(s)
        head(v, a, "time-wait", title, event_family(v, flags, length))
        v.head = [(key, value) for key, value in v.head if key != "rows"]  # a record runs no rows
        if place == "syn-ack":
            v.head[2] = ("level", "practice")
            v.head.append(("note", "silence serves as well: RFC 6191 2 says nothing of SYN,ACK"))
        yield v


# ---- a CLOSE that waits in SYN-RECEIVED ----------------------------------------------------------------------------------------------------


def closing_early() -> Iterator[Vector]:
    """Text queued, CLOSE called: the user of a passive OPEN will not serve LISTEN again, so the connection ends instead."""
    cases = {
        "rst": (Segment("R", FIRST), "R3", None, "RST ends it"),
        "syn-inside": (Segment("S", FIRST + 100), "Y2", ".", "SYN is answered by ACK"),
        "ack": (Segment(".", FIRST, 1), "A2", "FP", "the ACK of our SYN lets text and FIN go"),
        "future": (Segment(".", FIRST, 2), "A4", "R", "an ACK of what was not sent is answered by RST"),
    }
    for place, (seg, row, answer, words) in cases.items():
        v = Vector(f"state-event/syn-received-closed/{place}", f"In SYN-RECEIVED with a CLOSE that waits {words}", "practice" if row == "R3" else "MUST",
                   "RFC 9293 3.10.4", COVERS.get(row, "RFC9293-3.10.4-2"), rows=f"{row}@SYN-RECEIVED",
                   api="connection")
        s = Bare(v)
        s.reach("syn-received-passive")
        v.call("write(3, ..., 100) = 100").call("shutdown(3, SHUT_WR) = 0")
        v.sends(seg.written())
        if answer == "FP":
            v.expect(f"FP. 1:101(100) ack {FIRST}").call('status(3) = "FIN-WAIT-1"')
        elif answer == "R":
            v.expect("R 2:2(0)").call('status(3) = "SYN-RECEIVED"')
        elif answer == ".":
            v.expect(f". 1:1(0) ack {FIRST}").call('status(3) = "SYN-RECEIVED"')
        else:
            v.call('status(3) = "CLOSED"')
        yield v
    v = Vector("state-event/syn-received-closed/user-timeout", "In SYN-RECEIVED with a CLOSE that waits the user timeout ends it", "MUST",
               "RFC 9293 3.10.8", "RFC9293-3.10.8-1", rows="TU3@SYN-RECEIVED", api="connection",
               settings="r2-syn=500ms")
    s = Bare(v)
    s.reach("syn-received-passive")
    v.call("write(3, ..., 100) = 100").call("shutdown(3, SHUT_WR) = 0").call('status(3) = "CLOSED"', ".6")
    yield v


def vectors() -> Iterator[Vector]:
    for family in (stamped, idle, reuse, zero_window, left, record, closing_early):
        yield from family()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
