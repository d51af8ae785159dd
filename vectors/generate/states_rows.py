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
    return Vector(f"rows/{name}", title, level, section, covers, rows=rows, api=api, **head)


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


# ---- a budget for answers --------------------------------------------------------------------------------------------------------------------


def budget() -> Iterator[Vector]:
    """RFC 5961 7: so many challenge ACKs in so long; SYN,ACKs that are sent again and ACKs of empty segments share them."""
    settings = "challenge-count=2 challenge-interval=1s"
    provoke = {"syn": (f"S {FIRST}:{FIRST}(0) win 32768", "Y2"), "rst": (f"R {FIRST + 5}:{FIRST + 5}(0) win 0", "R1"),
               "old-ack": (f". {FIRST - 1}:{FIRST - 1}(0) ack 1 win 32768", "Q6"), "ack-of-unsent": (f". {FIRST}:{FIRST}(0) ack 2 win 32768", "A6")}
    for word, (segment, row) in provoke.items():
        v = begun(f"budget/{word}", "Answers to empty segments that prove nothing are bounded in number", "SHOULD", "RFC 5961 7", "RFC5961-7-1 RFC5961-7-2 RFC5961-7-3",
                  f"{row}@ESTABLISHED", api="", needs="rfc5961 virtual-time", settings=settings)
        s = Stage(v)
        s.reach("established")
        answer = f". 1:1(0) ack {FIRST}"
        v.sends(segment).expect(answer).sends(segment).expect(answer).sends(segment).sends(segment, ".97")
        v.note("one second after the first").sends(segment).expect(answer).sends(segment).expect(answer).sends(segment)
        v.note("text that came before is answered all the same").sends(f"P. {FIRST - 1}:{FIRST}(1) ack 1 win 32768").expect(answer)
        v.note("and the budget is the same for all of them").sends(provoke["syn"][0]).call('status(4) = "ESTABLISHED"')
        yield v
    v = begun("budget/syn-again", "A SYN,ACK is sent again for a SYN that comes again, within the same bound", "practice", "RFC 5961 7", "RFC5961-7-1",
              "Q5@SYN-RECEIVED", api="", needs="rfc5961 virtual-time", settings=settings)
    Stage(v).reach("syn-received-passive")
    v.sends(SYN).expect(SYN_ACK).sends(SYN).expect(SYN_ACK).sends(SYN).sends(SYN, ".8")
    yield v


# ---- timestamps of RST ---------------------------------------------------------------------------------------------------------------------


def resets_stamped() -> Iterator[Vector]:
    section, covers, stamp = "RFC 7323 5.2", "RFC7323-5.2-2 RFC7323-5.2-3", "<nop,nop,TS val 700 ecr 0>"
    v = begun("reset-stamped/syn-sent", "A RST that answers a segment with a timestamp echoes it", "SHOULD", section, covers, "S2@SYN-SENT", needs="timestamps")
    Bare(v).connect()
    v.sends(f". {ISN}:{ISN}(0) ack 5000 win 32768 {stamp}").expect("R 5000:5000(0) <nop,nop,TS val 0 ecr 700>")
    yield v
    for flags, answer, row in ((". ", "R 5000:5000(0)", "C2"), ("F", f"R. 0!:0!(0) ack {FIRST}", "C3")):
        v = begun(f"reset-stamped/closed-{row.lower()}", "A RST that answers a segment with a timestamp echoes it", "SHOULD", section, covers, f"{row}@CLOSED",
                  needs="timestamps")
        Bare(v).connect()
        v.call("abort(3) = 0")
        v.sends(f"{flags.strip()} {ISN}:{ISN}(0)" + (" ack 5000" if "." in flags else "") + f" win 32768 {stamp}")
        v.expect(f"{answer} <nop,nop,TS val 0 ecr 700>")
        yield v
    for state in ("syn-received", "established"):
        v = begun(f"reset-stamped/abort-{state}", "A RST of ABORT carries a timestamp where they were agreed on; its echo means something with ACK only",
                  "SHOULD", section, "RFC7323-5.2-4 RFC7323-3.2-1", f"AB3@{name_of(state)}", needs="timestamps")
        Bare(v).listen()
        v.sends(f"S {ISN}:{ISN}(0) win 32768 <mss 1460,nop,nop,TS val 1000 ecr 0>")
        v.expect(f"S. 0:0(0) ack {FIRST} <mss 1460,nop,nop,TS val 100 ecr 1000>")
        if state == "established":
            v.sends(f". {FIRST}:{FIRST}(0) ack 1 win 32768 <nop,nop,TS val 1000 ecr 100>")
        v.call("abort(3) = 0")
        v.expect("R 1:1(0) <nop,nop,TS val 100 ecr 0>" if state == "established" else f"R. 1:1(0) ack {FIRST} <nop,nop,TS val 100 ecr 1000>")
        yield v


# ---- FIN out of order --------------------------------------------------------------------------------------------------------------------------


def fins() -> Iterator[Vector]:
    """A FIN is kept until its turn comes: the first that is seen stands, and no text lies beyond it."""
    rcv = FIRST
    hole = f". 1:1(0) ack {rcv}"
    scripts = {
        "first-stands": [(f"F. {rcv + 100}", 0, hole), (f"F. {rcv + 50}", 0, hole), (f". {rcv}", 50, f". 1:1(0) ack {rcv + 50}"),
                         (f"P. {rcv + 50}", 50, f". 1:1(0) ack {rcv + 101}")],
        "before-held-text": [(f"P. {rcv + 200}", 10, hole), (f"F. {rcv + 100}", 0, hole), (f". {rcv}", 200, f". 1:1(0) ack {rcv + 210}")],
        "at-end-of-held-text": [(f"P. {rcv + 100}", 10, hole), (f"F. {rcv + 110}", 0, hole), (f". {rcv}", 100, f". 1:1(0) ack {rcv + 111}")],
        "cuts-text": [(f"F. {rcv + 100}", 0, hole), (f". {rcv + 50}", 100, hole), (f". {rcv}", 50, f". 1:1(0) ack {rcv + 101}")],
        "beyond-window": [(f"FP. {rcv}", 1024, f". 1:1(0) ack {rcv + 1024} win 0")],
        "before-window": [(f"P. {rcv + 10}", 10, hole), (f". {rcv}", 10, f". 1:1(0) ack {rcv + 20}"), (f"F. {rcv - 30}", 40, f". 1:1(0) ack {rcv + 20}"),
                          (f"P. {rcv + 20}", 5, f". 1:1(0) ack {rcv + 25}")],
    }
    ends = {"first-stands": 100, "before-held-text": 210, "at-end-of-held-text": 110, "cuts-text": 100, "beyond-window": 1024, "before-window": 25}
    for word, steps in scripts.items():
        taken = word in ("first-stands", "at-end-of-held-text", "cuts-text")
        v = begun(f"fin/{word}", f"FIN out of order: {word.replace('-', ' ')}", "practice" if word in ("before-held-text", "first-stands", "cuts-text") else "MUST",
                  "RFC 9293 3.10.7.4 eighth", "RFC9293-3.10.7.4-3 RFC9293-3.10.7.4-32 SHLD-31", "F2@ESTABLISHED" if taken else "F1@ESTABLISHED" if word != "before-window" else "Q6@ESTABLISHED",
                  settings="receive-buffer=1024")
        s = Bare(v)
        s.goes("established")
        for start, length, answer in steps:
            flags, seq = start.split()
            v.sends(f"{flags} {seq}:{int(seq) + length}({length}) ack 1 win 32768").expect(answer, "0~.5")
        v.call(f'status(3) = "{"CLOSE-WAIT" if taken else "ESTABLISHED"}"').call(f"unread(3) = {ends[word]}")
        yield v


# ---- how long is waited ------------------------------------------------------------------------------------------------------------------------


def patience() -> Iterator[Vector]:
    """R2 counts from when something began to be waited for, not from what was before, and what is added does not begin it anew."""
    settings = "rto-min=1s rto-initial=1s r2=2500ms r2-syn=2500ms"
    shut = f". {FIRST}:{FIRST}(0) ack 1 win 0"
    cases = {
        "send-after-idle": (False, "write(3, ..., 10) = 10", "P. 1:11(10)", ""), "close-after-idle": (False, "shutdown(3, SHUT_WR) = 0", "F. 1:1(0)", ""),
        "send-into-zero-window": (True, "write(3, ..., 10) = 10", ". 1:2(1)", ""), "close-into-zero-window": (True, "shutdown(3, SHUT_WR) = 0", "F. 1:1(0)", ""),
        "send-more": (False, "write(3, ..., 10) = 10", "P. 1:11(10)", "write(3, ..., 10) = 10"),
        "close-later": (False, "write(3, ..., 10) = 10", "P. 1:11(10)", "shutdown(3, SHUT_WR) = 0"),
    }
    for word, (zero, call, segment, later) in cases.items():
        v = begun(f"patience/{word}", f"The user timeout counts from when it is waited for: {word.replace('-', ' ')}", "practice", "RFC 9293 3.8.3",
                  "MUST-20 RFC9293-3.10.8-1", "TU3@FIN-WAIT-1" if "close" in word else "TU3@ESTABLISHED", needs="user-timeout virtual-time", settings=settings)
        s = Bare(v)
        s.goes("established")
        if zero:
            v.sends(shut)
        v.call(call, "100")
        if not zero:
            v.expect(f"{segment} ack {FIRST}")
        v.expect(f"{segment} ack {FIRST}", ".9~1.1")
        if later:
            v.call(later, ".5")
            if "shutdown" in later:
                v.expect(f"F. 11:11(0) ack {FIRST}")
        v.call(f'status(3) = "{"FIN-WAIT-1" if "close" in word else "ESTABLISHED"}"', ".9" if later else "1.4")
        v.call('status(3) = "CLOSED"', ".2")
        yield v


# ---- a connection used again -------------------------------------------------------------------------------------------------------------------


def again() -> Iterator[Vector]:
    """OPEN in CLOSED begins anew: nothing of the connection before is left."""
    for way in ("passive", "active"):
        v = begun(f"again/{way}", f"A {way} OPEN of a connection that was used before begins anew", "MUST", "RFC 9293 3.10.1", "RFC9293-3.10.1-1",
                  ("OP1" if way == "passive" else "OA1") + "@CLOSED F2@ESTABLISHED")
        s = Bare(v, text=20)
        s.goes("last-ack")
        v.sends(f"R {s.t.rcv}:{s.t.rcv}(0) win 0").call("read(3, ..., 100) = 20")
        if way == "passive":
            v.call("listen(3, 1) = 0").sends(SYN).expect(SYN_ACK)
            v.sends(f". {FIRST}:{FIRST}(0) ack 1 win 32768")
        else:
            v.call("connect(3, ..., ...) = -1 EINPROGRESS").expect("S 0:0(0) <...>")
            v.sends(f"S. {ISN}:{ISN}(0) ack 1 win 32768 <mss 1460>").expect(f". 1:1(0) ack {FIRST}")
        v.call('status(3) = "ESTABLISHED"').call("unread(3) = 0").call("unacked(3) = 0").call("read(3, ..., 10) = -1 EAGAIN")
        v.call("write(3, ..., 10) = 10").expect(f"P. 1:11(10) ack {FIRST}")
        v.sends(f"FP. {FIRST}:{FIRST + 10}(10) ack 11 win 32768").expect(f". 11:11(0) ack {FIRST + 11}", "0~.5")
        v.call('status(3) = "CLOSE-WAIT"').call("read(3, ..., 100) = 10")
        yield v
    for state, wait in (("listen", None), ("time-wait", "2.1"), ("last-ack", None)):
        v = begun(f"again/no-error-after-{state}", f"A connection that ended well in {name_of(state)} leaves no error behind", "practice", "RFC 9293 3.10.2",
                  "RFC9293-3.10.2-1", "SE1@CLOSED", **({"settings": "msl=1s"} if wait else {}))
        s = Bare(v)
        if state == "last-ack":
            s.reach(state, fly=100)
        else:
            s.goes(state)
        if state == "listen":
            v.call("shutdown(3, SHUT_WR) = 0")
        elif state == "last-ack":
            s.peer(".", ack=s.t.nxt)
            v.call("unacked(3) = 0")
        v.call("write(3, ..., 10) = -1 ENOTCONN", wait or "0").call('status(3) = "CLOSED"')
        yield v
    v = begun("urgent/behind", "An urgent pointer into what was read already says nothing", "MUST", "RFC 9293 3.10.7.4 sixth", "RFC9293-3.10.7.4-28",
              "U1@ESTABLISHED", needs="urgent")
    s = Bare(v, text=50)
    s.goes("established")
    v.call("read(3, ..., 100) = 50")
    v.sends(f"PU. {s.t.rcv - 10}:{s.t.rcv + 1}(11) ack 1 win 32768 urg 5")
    s.t.rcv += 1
    s.says(".", after="0~.5")
    v.call("urgent(3) = 0")
    yield v


# ---- numbers and windows that the SYNs settle --------------------------------------------------------------------------------------------------


def settled() -> Iterator[Vector]:
    v = begun("settled/iss", "The ISS is the one that was set", "practice", "RFC 9293 3.10.1", "RFC9293-3.10.1-1", "OA1@CLOSED", needs="iss", settings="iss=123456")
    s = Bare(v)
    s.sockets()
    v.call("connect(3, ..., ...) = -1 EINPROGRESS").expect("S 123456!:123456!(0) <...>")
    yield v
    v = begun("settled/small-mss", "A very small MSS of the peer is not obeyed below what weir bounds it to", "practice", "RFC 9293 3.7.1", "", "L4@LISTEN", api="",
              note="a bound on the segments that a peer can ask for")
    v.listens().sends("S 0:0(0) win 32768 <mss 40>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 32768").call("accept(3, ..., ...) = 4")
    v.call("write(4, ..., 176) = 176").expect(". 1:89(88) ack 1").expect("P. 89:177(88) ack 1")
    yield v
    v = begun("settled/scale-refused", "A window scale that we do not take part in scales nothing", "MUST", "RFC 7323 2.2", "RFC7323-2.2-3 RFC7323-2.3-4", "L4@LISTEN", api="",
              settings="window-scale=0")
    v.listens().sends("S 0:0(0) win 32768 <mss 1460,nop,wscale 7>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 100").call("accept(3, ..., ...) = 4")
    v.call("write(4, ..., 200) = 200").expect(". 1:101(100) ack 1", ".1~1")
    yield v
    v = begun("settled/scale-not-offered", "A peer that offers no window scale is told unscaled windows", "MUST", "RFC 7323 2.2", "RFC7323-2.2-3 RFC7323-2.3-4", "L4@LISTEN", api="",
              settings="receive-buffer=262144")
    v.passive().sends("P. 1:11(10) ack 1 win 65535").expect(". 1:1(0) ack 11 win 65525", "0~.5")
    yield v
    v = begun("settled/high-isn", "The window follows the peer's segments wherever its numbers begin", "MUST", "RFC 9293 3.10.7.4 fifth", "RFC9293-3.10.7.4-22", "A3@SYN-RECEIVED",
              api="")
    isn = 3000000000
    v.listens().sends(f"S {isn}:{isn}(0) win 100 <mss 1460>").expect(f"S. 0:0(0) ack {isn + 1} <mss 1460>")
    v.sends(f". {isn + 1}:{isn + 1}(0) ack 1 win 32768").call("accept(3, ..., ...) = 4").call("write(4, ..., 1000) = 1000").expect(f"P. 1:1001(1000) ack {isn + 1}")
    yield v
    v = begun("settled/high-iss", "Three duplicate ACKs send again what is missing, wherever our numbers begin", "MUST", "RFC 6582 3.2", "RFC6582-3.2-1", "A10@ESTABLISHED",
              api="", needs="iss", settings="iss=3000000000 initial-window=10")
    v.passive().call("write(4, ..., 5840) = 5840")
    v.expect(". 1:1461(1460) ack 1").expect(". 1461:2921(1460) ack 1").expect(". 2921:4381(1460) ack 1").expect("P. 4381:5841(1460) ack 1")
    duplicate = ". 1:1(0) ack 1 win 65535"
    v.sends(duplicate).sends(duplicate).sends(duplicate).expect(". 1:1461(1460) ack 1")
    yield v


def duplicates() -> Iterator[Vector]:
    sack = {"offer": "mss 1460,nop,nop,sackOK", "answer": "mss 1460,nop,nop,sackOK"}
    v = begun("duplicate/beyond-window", "Text beyond the window is no duplicate", "MUST", "RFC 2883 4", "RFC2883-4-1", "Q6@ESTABLISHED", api="", needs="sack dsack",
              settings="receive-buffer=1024")
    v.passive(**sack).sends("P. 2001:2011(10) ack 1 win 65535").expect(". 1:1(0) ack 1")
    yield v
    v = begun("duplicate/and-new", "Text of which a part came before is answered at once, and the part is told", "SHOULD", "RFC 2883 4", "RFC2883-4-1", "T2@ESTABLISHED",
              api="", needs="sack dsack")
    v.passive(**sack).sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", "0~.5")
    v.sends("P. 51:151(100) ack 1 win 65535").expect(". 1:1(0) ack 151 <nop,nop,sack 51:101>")
    yield v
    v = begun("duplicate/beyond-fin", "Text beyond the peer's FIN is answered at once, and not taken", "practice", "RFC 9293 3.10.7.4 eighth", "RFC9293-3.10.7.4-32",
              "T2@ESTABLISHED", api="")
    v.passive().sends("F. 101:101(0) ack 1 win 65535").expect(". 1:1(0) ack 1").sends("P. 151:161(10) ack 1 win 65535").expect(". 1:1(0) ack 1")
    yield v
    v = begun("duplicate/fin-inside", "A FIN that is not next is answered at once", "SHOULD", "RFC 5681 4.2", "MAY-13 SHLD-31", "F1@ESTABLISHED", api="")
    v.passive().sends("P. 1:11(10) ack 1 win 65535").expect(". 1:1(0) ack 11", "0~.5").sends("F. 101:101(0) ack 1 win 65535").expect(". 1:1(0) ack 11")
    yield v
    v = begun("duplicate/wider-than-window", "Text that is refused, old at its beginning and beyond the window at its end, is told as no duplicate", "practice",
              "RFC 2883 4", "RFC2883-4-1", "Q6@ESTABLISHED", api="", needs="sack dsack", settings="receive-buffer=1024")
    v.passive(**sack).sends("P. 1:11(10) ack 1 win 65535").expect(". 1:1(0) ack 11", "0~.5")
    v.sends("P. 5:1105(1100) ack 1 win 65535").expect(". 1:1(0) ack 11")
    yield v
    v = begun("cork/removed", "What was held back for more goes when no more comes", "practice", "RFC 9293 3.9.1.2", "MAY-15 MAY-16", "SE4@ESTABLISHED", api="")
    v.passive().call("setsockopt(4, SOL_TCP, TCP_CORK, [1], 4) = 0").call("write(4, ..., 100) = 100")
    v.call("setsockopt(4, SOL_TCP, TCP_CORK, [0], 4) = 0", ".1").expect("P. 1:101(100) ack 1")
    yield v
    v = begun("patience/crossing", "A SYN that crosses ours begins the user timeout anew", "practice", "RFC 9293 3.8.3", "MUST-23", "TU3@SYN-RECEIVED",
              needs="user-timeout virtual-time", settings="rto-min=1s rto-initial=1s r2-syn=2500ms")
    s = Bare(v)
    s.connect()
    v.expect("S 0:0(0) <...>", ".9~1.1").sends(SYN, "1").expect(f"S. 0:0(0) ack {FIRST} <...>").expect(f"S. 0:0(0) ack {FIRST} <...>", ".5~2.2")
    v.call('status(3) = "SYN-RECEIVED"', ".2").call('status(3) = "CLOSED"', "1.6")
    yield v
    v = begun("time-wait/keepalive", "TIME-WAIT sends no keepalive probe: it ends by itself", "MUST", "RFC 9293 3.10.7.4 eighth", "RFC9293-3.10.7.4-35", "F4@FIN-WAIT-2",
              needs="half-close time-wait msl keepalive virtual-time", settings="msl=60s keepalive-idle=10s")
    s = Bare(v)
    s.goes("time-wait")
    v.call('status(3) = "TIME-WAIT"', "50")
    yield v


FAMILIES = (returns, listens, timeouts, urgent, held, errors, budget, resets_stamped, fins, patience, again, settled, duplicates)


def vectors() -> Iterator[Vector]:
    for family in FAMILIES:
        yield from family()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
