#!/usr/bin/env python3
"""states_errors.py - scenario/errors: each call after each way in which a connection can end; ICMP errors that end nothing, in every state.

A call is told once why the connection ended (SEND, RECEIVE, CLOSE), and then that it does not exist; ABORT has nothing to end, and STATUS
says CLOSED (RFC 9293 3.10.2 to 3.10.6). Soft errors (3.9.2.2) leave every state as it is, whatever their code."""
import sys
from typing import Iterator

from pkt import Vector, write
from states import FIRST, ISN
from states_calls import Bare, name_of
from states_timeouts import GIVES_UP, WAITING, waits

CALLS = {"send": ("write(3, ..., 100)", "RFC9293-3.10.2-1"), "receive": ("read(3, ..., 100)", "RFC9293-3.10.3-1"), "close": ("shutdown(3, SHUT_WR)", "RFC9293-3.10.4-1"),
         "abort": ("abort(3)", "RFC9293-3.10.5-1"), "status": ("", "RFC9293-3.10.6-1")}
# cause: what the first call is told, requirement, section, in words, needs
ENDS = {
    "reset": ("ECONNRESET", "RFC9293-3.10.7.4-10", "3.10.7.4 second", "a RST", ""),
    "refused": ("ECONNREFUSED", "RFC9293-3.10.7.3-3", "3.10.7.3 second", "a RST in SYN-SENT", ""),
    "timeout": ("ETIMEDOUT", "RFC9293-3.10.8-1", "3.10.8", "the user timeout", "user-timeout"),
    "icmp": ("EHOSTUNREACH", "SHLD-26", "3.9.2.2", "a hard ICMP error in SYN-SENT", "icmp"),
    "aborted": ("ENOTCONN", "RFC9293-3.10.5-2", "3.10.5", "ABORT", ""),
    "closed": ("ENOTCONN", "RFC9293-3.10.7.4-26", "3.10.7.4 fifth", "both FINs", "half-close"),
}


def ended(v: Vector, cause: str) -> None:
    s = Bare(v)
    if cause in ("refused", "icmp"):
        s.connect()
        v.sends("R. 0:0(0) ack 1 win 0" if cause == "refused" else "icmp unreachable port_unreachable [0:0(0)]")
    elif cause == "closed":
        s.reach("last-ack")
        s.peer(".", ack=s.t.nxt)
    else:
        s.reach("established")
        if cause == "reset":
            v.sends(f"R {FIRST}:{FIRST}(0) win 0")
        elif cause == "aborted":
            v.call("abort(3) = 0").expect("R 1:1(0)")
        else:
            v.call("write(3, ..., 100) = 100").expect(f"P. 1:101(100) ack {FIRST}").expect(f"P. 1:101(100) ack {FIRST}", ".9~1.1").call('status(3) = "CLOSED"', "2")


def calls_after() -> Iterator[Vector]:
    for cause, (told, covers, section, words, needs) in ENDS.items():
        for call, (line, gone) in CALLS.items():
            v = Vector(f"errors/{cause}/{call}", f"{call.upper()} when {words} has ended the connection", "SHOULD" if cause == "icmp" else "MUST", f"RFC 9293 {section}", f"{covers} {gone}",
                       needs=needs, api="connection", settings=GIVES_UP if cause == "timeout" else "")
            ended(v, cause)
            if line:
                v.call(f"{line} = -1 {'ENOTCONN' if call == 'abort' else told}").note("once is enough").call(f"{line} = -1 ENOTCONN")
            yield v.call('status(3) = "CLOSED"')


# ---- errors that end nothing ----------------------------------------------------------------------------------------------------------------

SOFT = ("unreachable net_unreachable", "unreachable host_unreachable", "unreachable source_route_failed", "time_exceeded", "parameter_problem")
AFTER = {"syn-received": "established", "syn-received-active": "established", "fin-wait-1": "fin-wait-2", "closing": "time-wait", "last-ack": "closed"}


def soft() -> Iterator[Vector]:
    """SYN-SENT and ESTABLISHED are in scenario/icmp."""
    for code in SOFT:
        for state in WAITING:
            if state in ("syn-sent", "established"):
                continue
            kind = code.split()[-1].replace("_", "-")
            needs = "icmp" + (" half-close" if state in ("fin-wait-1", "closing", "last-ack") else "")
            v = Vector(f"errors/soft/{kind}/{state}", f"ICMP {kind.replace('-', ' ')} ends nothing, in {name_of(state)}", "MUST", "RFC 9293 3.9.2.2", "MUST-54 MUST-56", needs=needs, api="connection")
            s = Bare(v)
            s.goes(state)
            waits(s, state)
            v.sends(f"icmp {code} {'[0:0(0)]' if state.startswith('syn') else '[1:1(0)]'}")
            s.is_now(state)
            s.peer(".", ack=s.t.nxt)
            s.is_now(AFTER.get(state, state))
            yield v


SOFT_V6 = ("unreachable no_route", "unreachable address_unreachable", "time_exceeded hop_limit_exceeded", "time_exceeded reassembly_exceeded",
           "parameter_problem erroneous_header", "parameter_problem unknown_next_header", "parameter_problem unknown_option")
HARD_V6 = ("unreachable prohibited", "unreachable port_unreachable")


def over_ipv6() -> Iterator[Vector]:
    """RFC 9293 3.9.2.2 says which codes are soft; RFC 5927 5 which are hard, and that no error ends what is established."""
    for code in SOFT_V6 + HARD_V6:
        hard, kind = code in HARD_V6, code.split()[-1].replace("_", "-")
        where = f"errors/{'hard' if hard else 'soft'}-ipv6/{kind}"
        v = Vector(f"{where}/syn-sent", f"ICMPv6 {kind.replace('-', ' ')} {'ends' if hard else 'does not end'} the open", "practice" if hard else "MUST",
                   "RFC 5927 5.1" if hard else "RFC 9293 3.9.2.2", "MUST-54" if hard else "MUST-54 MUST-56", needs="icmp ipv6",
                   settings="timestamps=0 sack=0 window-scale=0").say("--ip_version=ipv6")
        v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
        v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1440>").sends(f"icmp {code} [0:0(0)]")
        v.fd = 3
        yield v.state("CLOSED") if hard else v.state("SYN-SENT").sends("S. 0:0(0) ack 1 win 65535 <mss 1440>").expect(". 1:1(0) ack 1").state("ESTABLISHED")
        v = Vector(f"{where}/established", f"ICMPv6 {kind.replace('-', ' ')} does not end an established connection", "practice" if hard else "MUST",
                   "RFC 5927 5.2" if hard else "RFC 9293 3.9.2.2", "RFC5927-5.2-1" if hard else "MUST-54 MUST-56", needs="icmp ipv6").say("--ip_version=ipv6")
        v.passive(offer="mss 1440", answer="mss 1440").call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1")
        yield v.sends(f"icmp {code} [1:1001(1000)]").state("ESTABLISHED").sends(". 1:1(0) ack 1001 win 65535").call("unacked(4) = 0")


def nobody() -> Iterator[Vector]:
    """Where nothing waits for an acknowledgment no ICMP error can be about this connection (RFC 5927 4.1)."""
    for state in ("listen", "fin-wait-2", "close-wait", "time-wait"):
        needs = "icmp" + (" half-close" if state in ("fin-wait-2", "time-wait") else "") + (" time-wait" if state == "time-wait" else "")
        v = Vector(f"errors/too-big/{state}", f"A too-big message that quotes nothing in flight is disregarded, in {name_of(state)}", "SHOULD", "RFC 5927 4.1", "RFC5927-4.1-1", needs=needs + " pmtud",
                   api="connection")
        s = Bare(v)
        s.goes(state)
        v.sends("icmp unreachable frag_needed mtu 600 [1:1461(1460)]")
        s.is_now(state)
        if state == "listen":
            v.sends(f"S {ISN}:{ISN}(0) win 32768 <mss 1460>").expect(f"S. 0:0(0) ack {FIRST} <mss 1460>")
        elif state == "close-wait":
            v.call("write(3, ..., 1460) = 1460").expect(f"P. 1:1461(1460) ack {s.t.rcv}")
        elif state == "fin-wait-2":
            s.peer("P.", length=1)
            s.t.rcv += 1
            s.says(".", after="0~.5")
        else:
            v.sends(f"F. {s.t.rcv - 1}:{s.t.rcv - 1}(0) ack {s.t.nxt} win 32768")
            s.says(".")
        yield v


def vectors() -> Iterator[Vector]:
    for part in (calls_after, soft, over_ipv6, nobody):
        yield from part()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
