"""states_calls.py - scenario/calls: every user call in every state, RFC 9293 3.10.1 to 3.10.6.

Two families of each: on a bare connection (api: connection), where every call of 3.9.1 can be made in every state, and on sockets, as far
as those can express the call. What must come of it stands in the tables below, read from the RFC."""
import sys
from typing import Callable, Iterator

from pkt import Vector, write
from states import FIRST, ISN, Stage

STATES = ("closed", "listen", "syn-sent", "syn-received", "syn-received-active", "established", "fin-wait-1", "fin-wait-2", "close-wait",
          "closing", "last-ack", "time-wait")
SYNCHRONIZED = STATES[5:]
LATE = ("closing", "last-ack", "time-wait")
CLOSED_BY_US = ("fin-wait-1", "fin-wait-2") + LATE
FIN_TAKEN = ("close-wait",) + LATE
WITH_RST = ("syn-received", "syn-received-active", "established", "fin-wait-1", "fin-wait-2", "close-wait")


def name_of(state: str) -> str:
    return state.replace("-active", "").upper()


class Bare(Stage):
    """One connection by itself: the same descriptor from CLOSED to CLOSED. `text`: octets that came and were not read."""

    def __init__(self, v: Vector, text: int = 0):
        super().__init__(v)
        self.fd, self.text = 3, text

    def established(self) -> None:
        self.peer(".", ack=1)
        self.t.una, self.t.state = 1, "ESTABLISHED"
        self.receive()

    def receive(self) -> None:
        """Text of the peer, that lies unread."""
        if self.text:
            self.peer("P.", length=self.text)
            self.t.rcv += self.text
            self.says(".", after="0~.5")

    def goes(self, state: str) -> None:
        if state == "closed":
            self.sockets()
        elif state == "listen":
            self.listen()
        elif state == "syn-sent":
            self.connect()
        else:
            self.reach({"syn-received": "syn-received-passive"}.get(state, state))

    def is_now(self, state: str) -> None:
        self.v.call(f'status({self.fd}) = "{name_of(state)}"')


class Sockets(Bare):
    """The same over a listener: the connection is the descriptor that accept gives."""

    def established(self) -> None:
        Stage.established(self)
        self.receive()


def begun(bare: bool, call: str, state: str, title: str, section: str, covers: str, text: int = 0, suffix: str = "",
          level: str = "MUST", **head: str) -> tuple[Vector, Bare]:
    where = call + ("" if bare else "-socket")
    needs = ["half-close"] if state in CLOSED_BY_US else []
    needs += ["time-wait"] if state == "time-wait" else []
    v = Vector(f"calls/{where}/{state}{suffix}", f"{title}, in {name_of(state)}", level, f"RFC 9293 {section}", covers,
               family=f"calls/{call}/{state}{suffix}" if state in SYNCHRONIZED else "", needs=" ".join(needs), api="connection" if bare else "", **head)
    s = Bare(v, text) if bare else Sockets(v, text)
    s.goes(state)
    return v, s


# ---- OPEN ----------------------------------------------------------------------------------------------------------------------------------


def open_passive() -> Iterator[Vector]:
    for state in STATES:
        ok = state == "closed"
        v, s = begun(True, "open-passive", state, "A passive OPEN" + (" listens" if ok else ": connection already exists"), "3.10.1",
                     "RFC9293-3.10.1-1" if ok else "RFC9293-3.10.1-4", rows=f"{'OP1' if ok else 'OP2'}@{name_of(state)}")
        if ok:
            v.call("bind(3, ..., ...) = 0").call("listen(3, 1) = 0")
            s.is_now("listen")
        else:
            v.call("listen(3, 1) = -1 EISCONN")
            s.is_now(state)
        yield v


def open_active() -> Iterator[Vector]:
    for state in STATES:
        ok = state in ("closed", "listen")
        v, s = begun(True, "open-active", state, "An active OPEN" + (" sends SYN" if ok else ": connection already exists"), "3.10.1",
                     ("RFC9293-3.10.1-1" if state == "closed" else "RFC9293-3.10.1-3") if ok else "RFC9293-3.10.1-4",
                     rows=f"{'OA1' if ok else 'OA3'}@{name_of(state)}")
        if ok:
            v.call("connect(3, ..., ...) = -1 EINPROGRESS").expect("S 0:0(0) <...>")
            s.is_now("syn-sent")
            v.sends(f"S. {ISN}:{ISN}(0) ack 1 win 32768 <mss 1460>").expect(f". 1:1(0) ack {FIRST}")
            s.is_now("established")
        else:
            v.call("connect(3, ..., ...) = -1 EISCONN")
            s.is_now(state)
        yield v
    for state in ("closed", "listen"):
        v, s = begun(True, "open-active", state, "An active OPEN without a remote socket: remote socket unspecified", "3.10.1",
                     "RFC9293-3.10.1-2", suffix="-unspecified", rows=f"OA2@{name_of(state)}")
        v.call('connect(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("0.0.0.0")}, ...) = -1 EDESTADDRREQ')
        s.is_now(state)
        yield v


# ---- SEND ----------------------------------------------------------------------------------------------------------------------------------


def send_ends(v: Vector, s: Bare, state: str, fd: int, bare: bool) -> None:
    """What SEND answers, and what then goes out."""
    refused = {"closed": "ENOTCONN", "listen": "EDESTADDRREQ"}
    if state in refused or state in CLOSED_BY_US:
        v.call(f"write({fd}, ..., 100) = -1 {refused.get(state, 'EPIPE')}")
        return
    v.call(f"write({fd}, ..., 100) = 100")
    if state in ("established", "close-wait"):
        s.says("P.", length=100)
        return
    if bare:
        s.is_now(state)
    if state == "syn-sent":
        v.sends(f"S. {ISN}:{ISN}(0) ack 1 win 32768 <mss 1460>")
        s.t.rcv = FIRST
    else:
        s.peer(".", ack=1)
    v.expect(f"P. 1:101(100) ack {FIRST}")


def send_covers(state: str) -> tuple[str, str, str]:
    """Requirement, row, words."""
    if state == "closed":
        return "RFC9293-3.10.2-1", "SE1", "SEND: connection does not exist"
    if state == "listen":
        return "RFC9293-3.10.2-2", "SE3", "SEND without a remote socket: remote socket unspecified"
    if state in CLOSED_BY_US:
        return "RFC9293-3.10.2-6", "SE5", "SEND: connection closing"
    if state in ("established", "close-wait"):
        return "RFC9293-3.10.2-4", "SE4", "SEND: the text goes with an acknowledgment"
    return "RFC9293-3.10.2-3 RFC9293-3.10.7.3-7", "SE4", "SEND: the text waits for ESTABLISHED"


def send() -> Iterator[Vector]:
    for state in STATES:
        covers, row, words = send_covers(state)
        v, s = begun(True, "send", state, words, "3.10.2", covers, rows=f"{row}@{name_of(state)}",
                     level="MAY" if state == "syn-sent" else "MUST")
        send_ends(v, s, state, 3, True)
        after = {"syn-sent": "established", "syn-received": "established", "syn-received-active": "established"}
        s.is_now(after.get(state, state))
        yield v
    for state in SYNCHRONIZED:
        covers, row, words = send_covers(state)
        v, s = begun(False, "send", state, words, "3.10.2", covers, rows=f"{row}@{name_of(state)}")
        send_ends(v, s, state, 4, False)
        yield v
    v, s = begun(True, "send", "syn-received", "SEND after a CLOSE that waits: connection closing", "3.10.2", "RFC9293-3.10.2-6",
                 suffix="-after-close", rows="SE5@SYN-RECEIVED CL4@SYN-RECEIVED")
    v.call("write(3, ..., 100) = 100").call("shutdown(3, SHUT_WR) = 0").call("write(3, ..., 100) = -1 EPIPE")
    s.is_now("syn-received")
    yield v


# ---- RECEIVE -------------------------------------------------------------------------------------------------------------------------------


def receive_empty(bare: bool) -> Iterator[Vector]:
    for state in STATES if bare else SYNCHRONIZED:
        done = state in FIN_TAKEN
        row = "RE2" if state == "closed" else "RE4" if done else "RE3"
        words = {"RE2": "connection does not exist", "RE4": "connection closing", "RE3": "nothing yet"}[row]
        covers = {"RE2": "RFC9293-3.10.3-1", "RE4": "RFC9293-3.10.3-4 RFC9293-3.10.3-3", "RE3": "RFC9293-3.10.3-1 RFC9293-3.10.3-2"}[row]
        v, s = begun(bare, "receive", state, f"RECEIVE: {words}", "3.10.3", covers, rows=f"{row}@{name_of(state)}")
        fd = 3 if bare else 4
        if not bare:
            v.call(f"fcntl({fd}, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
        v.call(f"read({fd}, ..., 100) = " + {"RE2": "-1 ENOTCONN", "RE4": "0", "RE3": "-1 EAGAIN"}[row])
        yield v


def receive_text(bare: bool) -> Iterator[Vector]:
    for state in SYNCHRONIZED:
        level = "practice" if state in LATE else "MUST"
        v, s = begun(bare, "receive", state, "RECEIVE: what has come and was not read", "3.10.3", "RFC9293-3.10.3-2 RFC9293-3.10.3-3", text=50,
                     suffix="-text", level=level, rows=f"RE1@{name_of(state)}")
        fd = 3 if bare else 4
        if not bare:
            v.call(f"fcntl({fd}, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
        v.call(f"unread({fd}) = 50").call(f"read({fd}, ..., 20) = 20").call(f"read({fd}, ..., 100) = 30")
        v.call(f"read({fd}, ..., 100) = " + ("0" if state in FIN_TAKEN else "-1 EAGAIN"))
        yield v
    if not bare:
        return
    v, s = begun(True, "receive", "established", "RECEIVE after the peer's RST: what came before, then connection reset", "3.10.3",
                 "RFC9293-3.10.7.4-10", text=50, suffix="-then-reset", level="practice", rows="RE1@CLOSED RE2@CLOSED R4@ESTABLISHED")
    v.sends(f"R {s.t.rcv}:{s.t.rcv}(0) win 0").call("read(3, ..., 100) = 50").call("read(3, ..., 100) = -1 ECONNRESET")
    yield v


def receive() -> Iterator[Vector]:
    for bare in (True, False):
        yield from receive_empty(bare)
        yield from receive_text(bare)


# ---- CLOSE ---------------------------------------------------------------------------------------------------------------------------------

# state: row, result, the state afterwards, requirement, words
CLOSES = {
    "closed": ("CL1", "-1 ENOTCONN", "closed", "RFC9293-3.10.4-1", "connection does not exist"),
    "listen": ("CL2", "0", "closed", "RFC9293-3.10.4-1", "nothing to end"),
    "syn-sent": ("CL2", "0", "closed", "RFC9293-3.10.4-1", "the open is given up, nothing is sent"),
    "syn-received": ("CL5", "0", "fin-wait-1", "RFC9293-3.10.4-2", "FIN goes"),
    "syn-received-active": ("CL5", "0", "fin-wait-1", "RFC9293-3.10.4-2", "FIN goes"),
    "established": ("CL5", "0", "fin-wait-1", "RFC9293-3.10.4-3", "FIN goes"),
    "fin-wait-1": ("CL7", "-1 EPIPE", "fin-wait-1", "RFC9293-3.10.4-4", "no second FIN"),
    "fin-wait-2": ("CL7", "-1 EPIPE", "fin-wait-2", "RFC9293-3.10.4-4", "no second FIN"),
    "close-wait": ("CL6", "0", "last-ack", "RFC9293-3.10.4-5", "FIN goes"),
    "closing": ("CL7", "-1 EPIPE", "closing", "RFC9293-3.10.4-6", "connection closing"),
    "last-ack": ("CL7", "-1 EPIPE", "last-ack", "RFC9293-3.10.4-6", "connection closing"),
    "time-wait": ("CL7", "-1 EPIPE", "time-wait", "RFC9293-3.10.4-6", "connection closing"),
}


def close_ends(v: Vector, s: Bare, state: str, row: str) -> None:
    """A FIN that the peer then acknowledges."""
    if row not in ("CL5", "CL6"):
        return
    s.says("F.")
    s.t.nxt += 1
    s.peer(".", ack=s.t.nxt)


def close() -> Iterator[Vector]:
    for state, (row, result, after, covers, words) in CLOSES.items():
        v, s = begun(True, "close", state, f"CLOSE: {words}", "3.10.4", covers, rows=f"{row}@{name_of(state)}")
        v.call(f"shutdown(3, SHUT_WR) = {result}")
        s.is_now(after)
        close_ends(v, s, state, row)
        s.is_now({"fin-wait-1": "fin-wait-2", "last-ack": "closed"}.get(after, after) if row in ("CL5", "CL6") else after)
        yield v
    for state in SYNCHRONIZED:
        row, result, after, covers, words = CLOSES[state]
        v, s = begun(False, "close", state, f"CLOSE: {words}", "3.10.4", covers, rows=f"{row}@{name_of(state)}",
                     level="MUST")
        v.call("shutdown(4, SHUT_WR) = " + ("0" if row != "CL7" else "..."))
        close_ends(v, s, state, row)
        v.sends(f"P. {s.t.rcv - 1}:{s.t.rcv}(1) ack {s.t.nxt} win 32768", ".1")
        if row == "CL6":
            v.expect(f"R {s.t.nxt}:{s.t.nxt}(0)")
        else:
            s.says(".")
        yield v
    yield from close_queued()


def close_queued() -> Iterator[Vector]:
    """Text that waits goes before the FIN."""
    v, s = begun(True, "close", "syn-received", "CLOSE with text queued waits for ESTABLISHED; a second one: connection closing", "3.10.4",
                 "RFC9293-3.10.4-2", suffix="-queued", rows="CL4@SYN-RECEIVED CL3@SYN-RECEIVED A2@SYN-RECEIVED")
    v.call("write(3, ..., 100) = 100").call("shutdown(3, SHUT_WR) = 0")
    s.is_now("syn-received")
    v.call("shutdown(3, SHUT_WR) = -1 EPIPE")
    s.peer(".", ack=1)
    v.expect(f"FP. 1:101(100) ack {FIRST}")
    s.is_now("fin-wait-1")
    s.peer(".", ack=102)
    s.is_now("fin-wait-2")
    yield v
    for state in ("established", "close-wait"):
        v, s = begun(False, "close", state, "CLOSE with text queued: FIN comes after all of it", "3.10.4",
                     "RFC9293-3.10.4-3" if state == "established" else "RFC9293-3.10.4-5", suffix="-queued",
                     rows=f"{'CL5' if state == 'established' else 'CL6'}@{name_of(state)}")
        v.call("write(4, ..., 100) = 100")
        s.says("P.", length=100)
        v.call("write(4, ..., 100) = 100").note("Nagle's algorithm keeps it back until now")
        v.call("shutdown(4, SHUT_WR) = 0")
        s.says("FP.", seq=101, length=100)
        s.peer(".", ack=202)
        s.is_now("fin-wait-2" if state == "established" else "closed")
        yield v


# ---- ABORT ---------------------------------------------------------------------------------------------------------------------------------


def abort_one(bare: bool, state: str) -> Vector:
    row = "AB1" if state == "closed" else "AB2" if state in ("listen", "syn-sent") else "AB3" if state in WITH_RST else "AB4"
    covers = {"AB1": "RFC9293-3.10.5-1", "AB2": "RFC9293-3.10.5-1", "AB3": "RFC9293-3.10.5-2", "AB4": "RFC9293-3.10.5-3"}[row]
    words = {"AB1": "connection does not exist", "AB2": "nothing is sent", "AB3": "RST goes", "AB4": "nothing is sent"}[row]
    opening = state.startswith("syn-received")
    note = "a peer that is still in SYN-SENT heeds a RST only if it acknowledges the SYN" if opening else ""
    v, s = begun(bare, "abort", state, f"ABORT: {words}", "3.10.5", covers, level="practice" if opening else "MUST",
                 rows=f"{row}@{name_of(state)}", note=note)
    v.call(f"abort({s.fd}) = " + ("-1 ENOTCONN" if row == "AB1" else "0"))
    if row == "AB3":
        v.expect(f"R. 1:1(0) ack {FIRST}" if opening else f"R {s.t.nxt}:{s.t.nxt}(0)")
    if bare:
        s.is_now("closed")
    if state in SYNCHRONIZED:
        s.peer(".", ack=s.t.nxt, after=".1")
        v.expect(f"R {s.t.nxt}:{s.t.nxt}(0)")
    return v


def abort() -> Iterator[Vector]:
    for state in STATES:
        yield abort_one(True, state)
    for state in SYNCHRONIZED:
        yield abort_one(False, state)
    for state in ("closing", "last-ack"):
        yield abort_queued(state)


def abort_queued(state: str) -> Vector:
    """CLOSE has entered the state, yet text could not go: the RFC's order would still be in the state before."""
    v = Vector(f"calls/abort/{state}-queued", f"ABORT with text that never went, in {name_of(state)}: RST goes", "practice",
               "RFC 9293 3.10.5", "RFC9293-3.10.5-2", needs="half-close", api="connection",
               rows=f"AB5@{name_of(state)}", note="the RFC enters this state only when all text has gone; until then it sends RST")
    s = Bare(v)
    s.peer_win = 100
    s.reach("close-wait" if state == "last-ack" else "established")
    v.call("write(3, ..., 200) = 200").expect(f". 1:101(100) ack {s.t.rcv}").call("shutdown(3, SHUT_WR) = 0")
    s.t.nxt = 101
    if state == "closing":
        # FIN-WAIT-1 still has text to send when the peer's FIN comes
        s.fin()
    s.is_now(state)
    v.call("abort(3) = 0").expect("R 101:101(0)")
    s.is_now("closed")
    return v


# ---- STATUS --------------------------------------------------------------------------------------------------------------------------------


def status() -> Iterator[Vector]:
    for bare in (True, False):
        for state in STATES if bare else SYNCHRONIZED:
            v, s = begun(bare, "status", state, "STATUS tells the state", "3.10.6", "RFC9293-3.10.6-1")
            s.is_now(state)
            yield v


FAMILIES: tuple[Callable[[], Iterator[Vector]], ...] = (open_passive, open_active, send, receive, close, abort, status)


def vectors() -> Iterator[Vector]:
    for family in FAMILIES:
        yield from family()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
