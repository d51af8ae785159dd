"""states_timeouts.py - scenario/timeouts: user timeout, retransmission timeout, TIME-WAIT timeout and hard ICMP errors in every state.

RFC 9293 3.10.8 and 3.9.2.2. The openings are those of states.py; every retransmission on the way is written down (RFC 6298: the
first after 1 s, then twice as long each time)."""
import sys
from typing import Iterator

from pkt import Vector, write
from states import FIRST, ISN, Stage
from states_calls import Bare, name_of

SETTINGS = "rto-min=1s rto-initial=1s"
GIVES_UP = SETTINGS + " r2=2500ms r2-syn=2500ms"  # R2, shorter than anyone would have it


def begun(where: str, state: str, title: str, section: str, covers: str, **head: str) -> tuple[Vector, Bare]:
    needs = head.pop("needs", "").split() + (["half-close"] if state in ("fin-wait-1", "fin-wait-2", "closing", "last-ack", "time-wait") else [])
    needs += ["time-wait"] if state == "time-wait" else []
    v = Vector(f"timeouts/{where}/{state}", f"{title}, in {name_of(state)}", head.pop("level", "MUST"), section, covers,
               needs=" ".join(dict.fromkeys(needs)), api="connection", **head)
    s = Bare(v)
    s.goes(state)
    return v, s


def waits(s: Bare, state: str) -> str:
    """What this state waits for an acknowledgment of, as it is sent again; text is sent where nothing waits yet."""
    if state == "syn-sent":
        return "S 0:0(0) <...>"
    if state.startswith("syn-received"):
        return f"S. 0:0(0) ack {FIRST} <mss 1460>"
    if state in ("established", "close-wait"):
        s.v.call("write(3, ..., 100) = 100")
        s.says("P.", length=100)
        s.t.nxt += 100
        return f"P. 1:101(100) ack {s.t.rcv}"
    return f"F. 1:1(0) ack {s.t.rcv}"


WAITING = ("syn-sent", "syn-received", "syn-received-active", "established", "fin-wait-1", "close-wait", "closing", "last-ack")
RESTING = ("listen", "established", "fin-wait-2", "close-wait", "time-wait")


def again_after(s: Bare, segment: str) -> None:
    """The first retransmission: 1 s after the transmission, of which the script has used a part since."""
    s.v.expect(segment, ".9~1.1")


def resend() -> Iterator[Vector]:
    for state in WAITING:
        v, s = begun("resend", state, "A retransmission timeout sends again what was sent first", "RFC 9293 3.10.8", "RFC9293-3.10.8-2",
                     rows=f"TR2@{name_of(state)}", settings=SETTINGS)
        segment = waits(s, state)
        again_after(s, segment)
        v.expect(segment, "1.9~2.1")
        s.is_now(state)
        yield v
    for state in RESTING:
        v, s = begun("resend-nothing", state, "Where nothing waits for an acknowledgment nothing is sent again", "RFC 9293 3.10.8",
                     "RFC9293-3.10.8-2", needs="virtual-time")
        v.call(f'status(3) = "{name_of(state)}"', "100")
        yield v


def gives_up() -> Iterator[Vector]:
    for state in WAITING:
        back = state == "syn-received"
        v, s = begun("user", state, "The user timeout ends the connection" if not back else "Nobody knows of the connection yet: it listens again",
                     "RFC 9293 3.10.8", "RFC9293-3.10.8-1 MUST-20 MUST-21" if not back else "RFC9293-3.10.8-1", needs="user-timeout",
                     rows=f"{'TU2' if back else 'TU3'}@{name_of(state)}", settings=GIVES_UP, level="practice" if back else "MUST")
        segment = waits(s, state)
        again_after(s, segment)
        s.is_now(state)
        if back:
            v.call('status(3) = "LISTEN"', "2")
            v.sends(f". {FIRST}:{FIRST}(0) ack 1 win 32768").expect("R 1:1(0)")
        else:
            v.call("write(3, ..., 100) = -1 ETIMEDOUT", "2")
            s.is_now("closed")
            s.peer(".", ack=s.t.nxt)
            v.expect(f"R {s.t.nxt}:{s.t.nxt}(0)")
        yield v
    for state in RESTING:
        v, s = begun("user-nothing", state, "The user timeout runs only while something is waited for", "RFC 9293 3.10.8", "RFC9293-3.10.8-1",
                     needs="user-timeout virtual-time", settings=GIVES_UP, level="practice")
        v.call(f'status(3) = "{name_of(state)}"', "50")
        yield v


def alive() -> Iterator[Vector]:
    """Keepalive is the one timer that can end a connection which waits for nothing."""
    for state in ("established", "fin-wait-2", "close-wait"):
        v, s = begun("keepalive", state, "Unanswered keepalive probes end the connection", "RFC 9293 3.8.4", "MUST-29 RFC9293-3.10.8-1",
                     needs="keepalive virtual-time", rows=f"TU3@{name_of(state)}", settings="keepalive-idle=10s keepalive-interval=5s keepalive-count=2",
                     level="practice")
        v.expect(f". {s.t.nxt - 1}:{s.t.nxt - 1}(0) ack {s.t.rcv}", "9.9~10.1").expect(f". {s.t.nxt - 1}:{s.t.nxt - 1}(0) ack {s.t.rcv}", "4.9~5.1")
        s.is_now(state)
        v.call('status(3) = "CLOSED"', "5.2")
        yield v


# ---- TIME-WAIT -----------------------------------------------------------------------------------------------------------------------------


def life() -> Iterator[Vector]:
    for context in ("fin-wait-2", "closing"):
        v = Vector(f"timeouts/time-wait/from-{context}", "TIME-WAIT lasts twice the MSL, then the connection is deleted", "MUST",
                   "RFC 9293 3.10.8", "RFC9293-3.10.8-3 MUST-13", needs="half-close time-wait msl",
                   api="connection", rows="TL1@TIME-WAIT", settings="msl=1s")
        s = Bare(v)
        s.reach(context)
        if context == "closing":
            s.fin_acked()
        else:
            s.fin()
        v.call('status(3) = "TIME-WAIT"', "1.9").call('status(3) = "CLOSED"', ".2")
        s.peer(".", ack=s.t.nxt)
        v.expect(f"R {s.t.nxt}:{s.t.nxt}(0)")
        yield v
    yield from restarts()
    yield from other_fin()
    yield from released()


def restarts() -> Iterator[Vector]:
    for bare in (True, False):
        where = "fin-again" if bare else "fin-again-released"
        v = Vector(f"timeouts/time-wait/{where}", "A FIN that comes again in TIME-WAIT is acknowledged and restarts the 2MSL timeout", "MUST",
                   "RFC 9293 3.10.7.4 fifth, TIME-WAIT", "RFC9293-3.10.7.4-27 RFC9293-3.10.7.4-37 RFC9293-3.10.8-3",
                   needs="half-close time-wait msl", api="connection" if bare else "", rows="Q4@TIME-WAIT TL1@TIME-WAIT" if bare else "",
                   settings="msl=1s")
        s: Stage = Bare(v) if bare else Stage(v)
        s.reach("time-wait")
        if not bare:
            v.call("close(4) = 0")
        for _ in range(2):
            v.sends(f"F. {s.t.rcv - 1}:{s.t.rcv - 1}(0) ack {s.t.nxt} win 32768", "1.9")
            s.says(".")
        v.sends(f". {s.t.rcv}:{s.t.rcv}(0) ack {s.t.nxt} win 32768", "2.1").expect(f"R {s.t.nxt}:{s.t.nxt}(0)")
        yield v


def other_fin() -> Iterator[Vector]:
    for place, offset in (("old-fin", -5), ("far-fin", 1 << 30)):
        v = Vector(f"timeouts/time-wait/{place}", "A FIN that is not the peer's does not restart the 2MSL timeout", "MUST",
                   "RFC 9293 3.10.7.4 fifth, TIME-WAIT", "RFC9293-3.10.7.4-1 RFC9293-3.10.8-3",
                   needs="half-close time-wait msl", api="connection", rows="Q6@TIME-WAIT TL1@TIME-WAIT", settings="msl=1s")
        s = Bare(v)
        s.reach("time-wait")
        v.sends(f"F. {s.t.rcv + offset}:{s.t.rcv + offset}(0) ack {s.t.nxt} win 32768", "1.9")
        s.says(".")
        v.call('status(3) = "CLOSED"', ".2")
        yield v


def released() -> Iterator[Vector]:
    """The user has walked away: FIN-WAIT-2 ends in bounded time too (practice: nobody waits for the FIN any more)."""
    for when in ("established", "fin-wait-1", "fin-wait-2"):
        v = Vector(f"timeouts/fin-wait-2/released-in-{when}", "A connection that the user has left does not stay in FIN-WAIT-2 for ever",
                   "practice", "RFC 9293 3.6.1", "", rows="TL2@FIN-WAIT-2", settings="fin-wait=2s")
        s = Stage(v)
        s.reach("established")
        leaves = {name: f"{call}(4{how}) = 0" for name, call, how in (("half", "shutdown", ", SHUT_WR"), ("whole", "close", ""))}
        v.call(leaves["whole" if when == "established" else "half"], ".01")
        s.says("F.")
        s.t.nxt, s.t.state = 2, "FIN-WAIT-1"
        if when == "fin-wait-1":
            v.call(leaves["whole"])
        s.fin_acked()
        if when == "fin-wait-2":
            v.call(leaves["whole"])
        octet = f"P. {s.t.rcv - 1}:{s.t.rcv}(1) ack 2 win 32768"
        v.sends(octet, "1.8")
        s.says(".")
        v.sends(octet, "1.2").expect("R 2:2(0)")
        yield v
    v = Vector("timeouts/fin-wait-2/half-closed", "Without a user who has left, FIN-WAIT-2 lasts as long as the peer wants", "MUST",
               "RFC 9293 3.6", "RFC9293-3.10.7.4-24", needs="half-close virtual-time", settings="fin-wait=2s")
    s = Stage(v)
    s.reach("fin-wait-2")
    v.sends(f"P. {FIRST}:{FIRST + 10}(10) ack 2 win 32768", "1000")
    s.t.rcv += 10
    s.says(".", after="0~.5")
    s.fin()
    yield v


# ---- ICMP ----------------------------------------------------------------------------------------------------------------------------------


def hard() -> Iterator[Vector]:
    """SHLD-26 while opening; RFC 5927 5.2 afterwards: a hard error of a live connection is soft."""
    for code in ("port_unreachable", "protocol_unreachable"):
        for state in WAITING:
            ends = state in ("syn-sent", "syn-received-active")
            v, s = begun(f"icmp-{code.split('_')[0]}", state, "A hard ICMP error " + ("ends the open" if ends else "ends nothing"),
                         "RFC 9293 3.9.2.2" if ends else "RFC 5927 5.2", "SHLD-26" if ends else "RFC5927-5.2-1", needs="icmp",
                         rows=f"{'IH1' if ends else 'IH2'}@{name_of(state)}", level="SHOULD" if ends else "practice")
            opening = state.startswith("syn")
            waits(s, state)
            quoted = "[0:0(0)]" if opening else "[1:1(0)]"
            v.sends(f"icmp unreachable {code} {quoted}")
            if ends:
                v.call("write(3, ..., 100) = -1 EHOSTUNREACH")
                s.is_now("closed")
            else:
                s.is_now(state)
                s.peer(".", ack=s.t.nxt)
                after = {"syn-received": "established", "fin-wait-1": "fin-wait-2", "closing": "time-wait", "last-ack": "closed"}
                s.is_now(after.get(state, state))
            yield v
    for state in RESTING:
        v, s = begun("icmp-nothing", state, "An ICMP error that quotes nothing in flight is disregarded", "RFC 5927 4.1", "RFC5927-4.1-1",
                     needs="icmp", level="SHOULD")
        v.sends("icmp unreachable port_unreachable [1:1(0)]")
        s.is_now(state)
        yield v
    v = Vector("timeouts/icmp-nothing/syn-sent", "An ICMP error that quotes another sequence number does not end the open", "SHOULD",
               "RFC 5927 4.1", "RFC5927-4.1-1", needs="icmp", api="connection")
    s = Bare(v)
    s.connect()
    v.sends("icmp unreachable port_unreachable [1000:1000(0)]")
    s.is_now("syn-sent")
    v.sends(f"S. {ISN}:{ISN}(0) ack 1 win 32768 <mss 1460>").expect(f". 1:1(0) ack {FIRST}")
    yield v


def vectors() -> Iterator[Vector]:
    for family in (resend, gives_up, alive, life, hard):
        yield from family()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
