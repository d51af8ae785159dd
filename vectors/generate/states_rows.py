"""states_rows.py - scenario/rows: what no cell of state and event shows by itself. What a return to LISTEN forgets, a segment whose sender
is not named, timeouts in states that start no such timer, urgent text as the user sees it, SEND in LISTEN, deferred accept."""
import sys
from typing import Iterator

from pkt import Vector, write
from states import FIRST, ISN, Stage
from states_calls import LATE, STATES, Bare, name_of

SYN = f"S {ISN}:{ISN}(0) win 32768 <mss 1460>"
SYN_ACK = f"S. 0:0(0) ack {FIRST} <mss 1460>"


def begun(name: str, title: str, level: str, section: str, covers: str, rows: str, api: str = "connection", **head: str) -> Vector:
    return Vector(f"rows/{name}", title, level, section, covers, rows=rows, family=f"rows/{name.split('/')[0]}", api=api, **head)


# ---- back to LISTEN ------------------------------------------------------------------------------------------------------------------------


def back(v: Vector, way: str) -> Bare:
    """SYN-RECEIVED with text of ours queued; then LISTEN again."""
    s = Bare(v)
    s.reach("syn-received-passive")
    v.call("write(3, ..., 100) = 100")
    if way == "rst":
        v.sends(f"R {FIRST}:{FIRST}(0) win 0")
    elif way == "syn":
        v.sends(f"S {FIRST + 100}:{FIRST + 100}(0) win 32768 <mss 1460>")
    else:
        v.expect(SYN_ACK, ".9~1.1")
    v.call('status(3) = "LISTEN"', "2" if way == "timeout" else "0")
    return s


def returns() -> Iterator[Vector]:
    rows = {"rst": ("R2", "RFC9293-3.10.7.4-9"), "syn": ("Y1", "RFC9293-3.10.7.4-13"), "timeout": ("TU2", "RFC9293-3.10.8-1")}
    for way, (row, covers) in rows.items():
        settings = {"settings": "rto-min=1s rto-initial=1s r2-syn=2500ms"} if way == "timeout" else {}
        level = "practice" if way == "timeout" else "MUST"
        v = begun(f"back-to-listen/{way}-fresh", "Back in LISTEN nothing is left of the connection: the next one begins with nothing queued",
                  level, "RFC 9293 3.10.7.4", covers, f"{row}@SYN-RECEIVED A3@SYN-RECEIVED", **settings)
        s = back(v, way)
        v.sends(f". {FIRST}:{FIRST}(0) ack 1 win 32768").expect("R 1:1(0)")
        v.sends(SYN).expect(SYN_ACK)
        s.peer(".", ack=1)
        v.call('status(3) = "ESTABLISHED"').call("unacked(3) = 0")
        v.call("write(3, ..., 10) = 10").expect(f"P. 1:11(10) ack {FIRST}")
        yield v
        v = begun(f"back-to-listen/{way}-anyone", "Back in LISTEN the remote socket is forgotten: SEND has nobody to open to", level,
                  "RFC 9293 3.10.2", "RFC9293-3.10.2-2", f"{row}@SYN-RECEIVED SE3@LISTEN", **settings)
        back(v, way)
        v.call("write(3, ..., 10) = -1 EDESTADDRREQ").call('status(3) = "LISTEN"', "100")
        yield v


# ---- LISTEN: SEND, and a sender that is not named --------------------------------------------------------------------------------------------


def listens() -> Iterator[Vector]:
    v = begun("listen/send-named", "SEND in LISTEN with a remote socket opens actively; the text follows the handshake", "MUST", "RFC 9293 3.10.2",
              "RFC9293-3.10.2-2", "SE2@LISTEN S5@SYN-SENT")
    Bare(v).listen()
    v.call("remote(3) = 0").call("write(3, ..., 100) = 100").expect("S 0:0(0) <...>").call('status(3) = "SYN-SENT"')
    v.sends(f"S. {ISN}:{ISN}(0) ack 1 win 32768 <mss 1460>").expect(f"P. 1:101(100) ack {FIRST}").call('status(3) = "ESTABLISHED"')
    s = Stage(v)
    s.t.rcv = FIRST
    s.peer(".", ack=101)
    v.call("unacked(3) = 0")
    yield v
    for flags, row, words in (("S", "L3", "A SYN"), ("S.", "L2", "A SYN,ACK"), (".", "L2", "An ACK"), ("R", "L1", "A RST"), ("-", "L5", "A segment without any flag")):
        place = {"S": "syn", "S.": "syn-ack", ".": "ack", "R": "rst", "-": "none"}[flags]
        v = begun(f"unnamed/{place}", f"{words} in LISTEN from a sender whom nobody named cannot be answered", "practice",
                  "RFC 9293 3.10.7.2", "RFC9293-3.10.7.2-3", f"{row}@LISTEN", note="a segment of a bare connection carries no addresses")
        Bare(v).listen()
        v.call("unnamed(3) = 0")
        v.sends(f"{flags} {ISN}:{ISN}(0)" + (" ack 5000" if "." in flags else "") + " win 32768").call('status(3) = "LISTEN"')
        yield v


# ---- timeouts by name ------------------------------------------------------------------------------------------------------------------------


def after_timeout(which: str, state: str) -> tuple[str, str]:
    """Row, and the state afterwards."""
    name = name_of(state)
    nothing = state in ("closed", "listen", "time-wait")
    if which == "user":
        return ("TU1", name) if nothing else ("TU2", "LISTEN") if state == "syn-received" else ("TU3", "CLOSED")
    if which == "resend":
        return ("TR1", name) if nothing else ("TR2", name)
    return ("TL1", "CLOSED") if state == "time-wait" else ("TL3", name)


def resent(s: Bare, state: str) -> None:
    """What a retransmission timeout makes go again: SYN, SYN,ACK or FIN."""
    if state == "syn-sent":
        s.v.expect("S 0:0(0) <...>")
    elif state.startswith("syn-received"):
        s.v.expect(SYN_ACK)
    elif s.t.fin and s.t.una < s.t.nxt:
        s.v.expect(f"F. 1:1(0) ack {s.t.rcv}")


def timeouts() -> Iterator[Vector]:
    for which, words in (("user", "user"), ("resend", "retransmission"), ("life", "TIME-WAIT")):
        for state in STATES:
            row, after = after_timeout(which, state)
            v = begun(f"timeout-{which}/{state}", f"What the {words} timeout does in {name_of(state)}", "MUST" if row != "TU1" else "practice",
                      "RFC 9293 3.10.8", {"user": "RFC9293-3.10.8-1", "resend": "RFC9293-3.10.8-2", "life": "RFC9293-3.10.8-3"}[which],
                      f"{row}@{name_of(state)}", needs="half-close time-wait" if state in LATE else "")
            s = Bare(v)
            s.goes(state)
            v.call(f'timeout(3, "{which}") = 0')
            if row == "TR2":
                resent(s, state)
            v.call(f'status(3) = "{after}"')
            if row == "TU3":
                v.call("write(3, ..., 10) = -1 ETIMEDOUT")
            yield v


# ---- urgent text -------------------------------------------------------------------------------------------------------------------------------


def urgent() -> Iterator[Vector]:
    section, covers = "RFC 9293 3.10.7.4 sixth", "RFC9293-3.10.7.4-28 MUST-32 MUST-33"
    for state in ("established", "fin-wait-1", "fin-wait-2", "close-wait", "closing"):
        ahead = state not in ("close-wait", "closing")
        v = begun(f"urgent/{state}", f"URG in {name_of(state)} " + ("tells the user how far urgent text reaches" if ahead else "is ignored"), "MUST", section,
                  covers, f"{'U1' if ahead else 'U2'}@{name_of(state)}", needs="urgent" + (" half-close" if state in ("fin-wait-1", "fin-wait-2", "closing") else ""))
        s = Bare(v)
        s.goes(state)
        v.sends(f"PU. {s.t.rcv}:{s.t.rcv + 10}(10) ack {s.t.una} win 32768 urg 30")
        if ahead:
            s.t.rcv += 10
            s.says(".", after="0~.5")
        v.call(f"urgent(3) = {30 if ahead else 0}")
        yield v
    v = begun("urgent/pointer", "The urgent pointer moves forward only, and is passed once all of it is read", "MUST", section, covers, "U1@ESTABLISHED", needs="urgent")
    s = Bare(v)
    s.goes("established")
    for pointer, ahead in ((10, 10), (30, 40), (5, 40), (20, 50)):
        v.sends(f"PU. {s.t.rcv}:{s.t.rcv + 10}(10) ack 1 win 32768 urg {pointer}")
        s.t.rcv += 10
        s.says(".", after="0~.5")
        v.call(f"urgent(3) = {ahead}")
    v.call("read(3, ..., 40) = 40").call("urgent(3) = 10")
    v.sends(f"P. {s.t.rcv}:{s.t.rcv + 10}(10) ack 1 win 32768")
    s.t.rcv += 10
    s.says(".", after="0~.5")
    v.call("read(3, ..., 10) = 10").call("urgent(3) = 0")
    v.note("behind what was read: nothing is ahead")
    v.sends(f"PU. {s.t.rcv - 10}:{s.t.rcv + 1}(11) ack 1 win 32768 urg 0")
    s.t.rcv += 1
    s.says(".", after="0~.5")
    v.call("urgent(3) = 0")
    yield v
    v = begun("urgent/zero-window", "The urgent pointer is heeded while the window is zero (MUST-66)", "MUST", "RFC 9293 3.4", "MUST-66 RFC9293-3.10.7.4-2",
              "Q2@ESTABLISHED U1@ESTABLISHED", needs="urgent", settings="receive-buffer=1024")
    s = Bare(v)
    s.goes("established")
    s.peer("P.", length=1024)
    s.t.rcv += 1024
    v.expect(f". 1:1(0) ack {s.t.rcv} win 0", "0~.5")
    v.sends(f"PU. {s.t.rcv}:{s.t.rcv + 10}(10) ack 1 win 32768 urg 10").expect(f". 1:1(0) ack {s.t.rcv} win 0")
    v.call("urgent(3) = 1034")
    yield v


# ---- deferred accept -----------------------------------------------------------------------------------------------------------------------------


def held() -> Iterator[Vector]:
    title = "A SYN that is held is answered when it is admitted"
    for ending in ("admit", "abort", "rst-then-held", "syn-again"):
        words = {"admit": title, "abort": "A held SYN that is not wanted is answered by RST", "syn-again": "A held SYN that comes again is not answered either",
                 "rst-then-held": "Back in LISTEN the next SYN is held as well"}[ending]
        v = begun(f"held/{ending}", words, "practice", "RFC 9293 3.10.7.2", "RFC9293-3.10.7.2-3", "L4@LISTEN", needs="hold")
        s = Bare(v)
        s.listen()
        v.call("hold(3) = 0").sends(SYN).call('status(3) = "SYN-RECEIVED"', ".1")
        s.t.rcv, s.t.una = FIRST, 1
        if ending == "abort":
            v.call("abort(3) = 0").expect(f"R. 0!:0!(0) ack {FIRST}").call('status(3) = "CLOSED"')
        elif ending == "admit":
            v.call("admit(3) = 0").expect(SYN_ACK)
            s.peer(".", ack=1)
            v.call('status(3) = "ESTABLISHED"')
        elif ending == "syn-again":
            v.sends(SYN).call('status(3) = "SYN-RECEIVED"', ".1").call("admit(3) = 0").expect(SYN_ACK)
        else:
            v.sends(f"R {FIRST}:{FIRST}(0) win 0").call('status(3) = "LISTEN"')
            v.sends(SYN).call('status(3) = "SYN-RECEIVED"', ".1").call("admit(3) = 0").expect(SYN_ACK)
        yield v


# ---- errors that the user is told ------------------------------------------------------------------------------------------------------------


def errors() -> Iterator[Vector]:
    v = begun("error/close-in-syn-sent", "After CLOSE in SYN-SENT the user is told that the open was given up", "practice", "RFC 9293 3.10.4",
              "RFC9293-3.10.4-1", "CL2@SYN-SENT")
    Bare(v).connect()
    v.call("shutdown(3, SHUT_WR) = 0").call("write(3, ..., 10) = -1 ECONNABORTED").call('status(3) = "CLOSED"')
    yield v
    for state in ("closing", "last-ack"):
        for text in (0, 100):
            v = begun(f"error/rst-in-{state}-{'with' if text else 'without'}-text",
                      f"RST in {name_of(state)} is an error only if text of ours is not acknowledged", "practice", "RFC 9293 3.10.7.4 second",
                      "RFC9293-3.10.7.4-11", f"R5@{name_of(state)}", needs="half-close")
            s = Bare(v)
            s.reach(state, fly=text)
            v.sends(f"R {s.t.rcv}:{s.t.rcv}(0) win 0").call('status(3) = "CLOSED"')
            v.call("write(3, ..., 10) = -1 " + ("ECONNRESET" if text else "ENOTCONN"))
            yield v


def vectors() -> Iterator[Vector]:
    for family in (returns, listens, timeouts, urgent, held, errors):
        yield from family()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
