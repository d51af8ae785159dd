#!/usr/bin/env python3
"""timers.py - retransmission (RFC 6298), R1 and R2, keepalive, user timeout, 2MSL: what happens when nothing comes."""
import sys

from pkt import Vector, write

SECTION = "RFC 6298 5"
NEEDS = "virtual-time"
TEXT = "P. 1:1001(1000) ack 1"


def backoff(first, limit=60.0):
    """The gaps between retransmissions: doubled each time, at most `limit`."""
    gap = first
    while True:
        yield gap
        gap = min(2 * gap, limit)


def schedule(v, segment, first, count):
    gaps = backoff(first)
    for _ in range(count):
        v.expect(segment, f"{next(gaps):g}")
    return v


def clock(low):
    """RFC 6298 2 in exact numbers, times in milliseconds; RTO never below `low`."""
    state = {}

    def sample(r):
        if not state:
            state.update(srtt=r, var=r / 2)
        else:
            state["var"] = .75 * state["var"] + .25 * abs(state["srtt"] - r)
            state["srtt"] = .875 * state["srtt"] + .125 * r
        return max(low, state["srtt"] + max(1, 4 * state["var"]))
    return sample


def retransmission():
    v = Vector("timer/rto/text", "Text that nobody acknowledges goes again after 1, 2, 4 ... 60 seconds", "MUST", SECTION,
               "RFC6298-5-3 RFC6298-5-6 RFC6298-5-7 RFC6298-5-8 RFC6298-2-8 RFC6298-2-9 RFC9293-3.10.8-2 MUST-18 MUST-19",
               needs=NEEDS, rows="TR2@ESTABLISHED")
    v.passive().call("write(4, ..., 1000) = 1000").expect(TEXT)
    schedule(v, TEXT, 1, 9)
    v.sends(". 1:1(0) ack 1001 win 65535").call("unacked(4) = 0")
    yield v

    v = Vector("timer/rto/earliest", "Only the earliest segment goes again at a timeout; the window is one segment then", "MUST", SECTION,
               "RFC6298-5-6 RFC5681-3.1-18 RFC5681-3.1-16", needs=NEEDS, rows="TR2@ESTABLISHED")
    v.passive().call("write(4, ..., 2920) = 2920").expect(". 1:1461(1460) ack 1").expect("P. 1461:2921(1460) ack 1")
    v.expect(". 1:1461(1460) ack 1", "1").expect(". 1:1461(1460) ack 1", "2")
    v.sends(". 1:1(0) ack 1461 win 65535").expect("P. 1461:2921(1460) ack 1")
    v.sends(". 1:1(0) ack 2921 win 65535").call("unacked(4) = 0")
    yield v

    v = Vector("timer/rto/syn", "SYN goes again after 1, 2, 4 ... seconds until R2, which for a SYN is 3 minutes at least", "MUST", SECTION,
               "MUST-22 MUST-23 RFC6298-2-1 RFC6298-5-7 RFC9293-3.10.8-2 RFC9293-3.10.8-1", needs=NEEDS, settings="r2-syn=180s timestamps=0 sack=0 window-scale=0",
               rows="TR2@SYN-SENT TU3@SYN-SENT")
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>")
    schedule(v, "S 0:0(0) <mss 1460>", 1, 7)
    v.call("connect(3, ..., ...) = -1 ETIMEDOUT (Connection timed out)", "57.1")
    v.fd = 3
    v.state("CLOSED")
    yield v

    v = Vector("timer/rto/syn-ack", "SYN,ACK goes again likewise", "MUST", SECTION, "MUST-22 RFC6298-2-1 RFC6298-5-7 RFC9293-3.10.8-2",
               needs=NEEDS, settings="r2-syn=180s", rows="TR2@SYN-RECEIVED")
    v.listens().sends("S 0:0(0) win 65535 <mss 1460>", "0").expect("S. 0:0(0) ack 1 <mss 1460>")
    schedule(v, "S. 0:0(0) ack 1 <mss 1460>", 1, 6)
    v.sends(". 1:1(0) ack 1 win 65535").call("accept(3, ..., ...) = 4").state("ESTABLISHED")
    yield v

    v = Vector("timer/rto/fin", "FIN goes again like text", "MUST", SECTION, "RFC6298-5-6 RFC6298-5-7 RFC9293-3.4-4", needs=NEEDS, rows="TR2@FIN-WAIT-1")
    v.passive().call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1")
    schedule(v, "F. 1:1(0) ack 1", 1, 6)
    v.sends(". 1:1(0) ack 2 win 65535").state("FIN-WAIT-2")
    yield v

    v = Vector("timer/rto/text-and-fin", "Text and FIN that went together go again together", "practice", SECTION, "RFC6298-5-6", needs=NEEDS)
    v.passive().call("setsockopt(4, SOL_TCP, TCP_CORK, [1], 4) = 0").call("write(4, ..., 1000) = 1000").call("shutdown(4, SHUT_WR) = 0")
    v.expect("FP. 1:1001(1000) ack 1")
    schedule(v, "FP. 1:1001(1000) ack 1", 1, 3)
    v.sends(". 1:1(0) ack 1002 win 65535").state("FIN-WAIT-2")
    yield v

    v = Vector("timer/rto/restart", "An acknowledgment of new text restarts the timer", "MUST", SECTION, "RFC6298-5-5 RFC6928-9-1", needs=NEEDS)
    v.passive().call("write(4, ..., 2920) = 2920").expect(". 1:1461(1460) ack 1").expect("P. 1461:2921(1460) ack 1")
    v.sends(". 1:1(0) ack 1461 win 65535", ".1").expect("P. 1461:2921(1460) ack 1", "1")
    v.sends(". 1:1(0) ack 2921 win 65535")
    yield v

    v = Vector("timer/rto/stops", "When all is acknowledged nothing is waited for", "MUST", SECTION, "RFC6298-5-4", needs=NEEDS)
    v.passive().call("write(4, ..., 1000) = 1000").expect(TEXT).sends(". 1:1(0) ack 1001 win 65535", ".1")
    v.call("unacked(4) = 0", "600")
    yield v


def measured():
    """The RTO that follows from measured round trips."""
    for word, trips in {"two-seconds": [2000], "half-a-second": [500], "a-tenth": [100], "growing": [1000, 1500, 2500], "falling": [3000, 1000, 1000, 1000],
                        "steady": [1200] * 6, "jumping": [500, 3000, 500]}.items():
        rto_of = clock(1000)
        v = Vector(f"timer/measured/{word}", f"Round trips of {', '.join(f'{t / 1000:g}' for t in trips)} s, then the timeout they lead to", "MUST", "RFC 6298 2",
                   "RFC6298-2-3 RFC6298-2-4 RFC6298-2-5 RFC6298-2-6 RFC6298-2-7 RFC6298-2-8 RFC6298-4-1 RFC6298-3-3", needs=NEEDS,
                   family="timer/measured", settings="rto-max=60s")
        # one second is the RTO of the SYN,ACK: the handshake takes less, and is the first sample
        v.passive(rtt=".9")
        rto, at = rto_of(900), 1
        for trip in trips:
            if trip >= rto:
                break
            v.call("write(4, ..., 1000) = 1000").expect(f"P. {at}:{at + 1000}(1000) ack 1")
            at += 1000
            v.sends(f". 1:1(0) ack {at} win 65535", f"{trip / 1000:g}")
            rto = rto_of(trip)
        v.call("write(4, ..., 1000) = 1000").expect(f"P. {at}:{at + 1000}(1000) ack 1")
        v.say(f"+{rto / 1000 - .002:.4f}~+{rto / 1000 + .002:.4f} > P. {at}:{at + 1000}(1000) ack 1")
        v.sends(f". 1:1(0) ack {at + 1000} win 65535")
        yield v


def karn():
    v = Vector("timer/karn/no-sample", "A segment that went twice is not measured: the doubled timeout stays until a fresh one is", "MUST", "RFC 6298 3",
               "RFC6298-3-1 RFC6298-3-2 MUST-18", needs=NEEDS)
    v.passive().call("write(4, ..., 1000) = 1000").expect(TEXT)
    v.expect(TEXT, "1").expect(TEXT, "2")
    v.sends(". 1:1(0) ack 1001 win 65535")
    v.note("no sample: four seconds are still in force")
    v.call("write(4, ..., 1000) = 1000").expect("P. 1001:2001(1000) ack 1").expect("P. 1001:2001(1000) ack 1", "4")
    v.sends(". 1:1(0) ack 2001 win 65535")
    yield v

    v = Vector("timer/karn/fresh-sample", "A fresh sample ends the backoff", "MUST", "RFC 6298 5", "RFC6298-3-1 RFC6298-2-7", needs=NEEDS)
    v.passive().call("write(4, ..., 1000) = 1000").expect(TEXT)
    v.expect(TEXT, "1").expect(TEXT, "2")
    v.sends(". 1:1(0) ack 1001 win 65535")
    v.call("write(4, ..., 1000) = 1000").expect("P. 1001:2001(1000) ack 1").sends(". 1:1(0) ack 2001 win 65535")
    v.call("write(4, ..., 1000) = 1000").expect("P. 2001:3001(1000) ack 1").expect("P. 2001:3001(1000) ack 1", "1")
    v.sends(". 1:1(0) ack 3001 win 65535")
    yield v

    v = Vector("timer/karn/timestamps", "With timestamps the echo says which of the two was answered: it is measured", "MAY", "RFC 6298 3",
               "RFC6298-3-2 RFC7323-4.1-2", needs=NEEDS + " timestamps")
    v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options="nop,nop,TS val 1010 ecr 100")
    ts = " <nop,nop,TS val {} ecr {}>"
    v.call("write(4, ..., 1000) = 1000").expect(TEXT + ts.format(110, 1010))
    v.expect(TEXT + ts.format(1110, 1010), "1").expect(TEXT + ts.format(3110, 1010), "2")
    v.note("the last of the three is echoed after 10 ms")
    v.sends(". 1:1(0) ack 1001 win 65535" + ts.format(4020, 3110))
    v.call("write(4, ..., 1000) = 1000").expect("P. 1001:2001(1000) ack 1" + ts.format(3120, 4020))
    v.expect("P. 1001:2001(1000) ack 1" + ts.format(4120, 4020), "1")
    v.sends(". 1:1(0) ack 2001 win 65535" + ts.format(5030, 4120))
    yield v

    v = Vector("timer/karn/syn-lost", "When the SYN was lost the timeout of the first text is three seconds", "MUST", SECTION, "RFC6298-5-9 RFC5681-3.1-4", needs=NEEDS,
               settings="timestamps=0 sack=0 window-scale=0")
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>")
    v.expect("S 0:0(0) <mss 1460>", "1").sends("S. 0:0(0) ack 1 win 65535 <mss 1460>").expect(". 1:1(0) ack 1")
    v.note("and the initial window is one segment")
    v.call("write(3, ..., 8000) = 8000").expect(". 1:1461(1460) ack 1").expect(". 1:1461(1460) ack 1", "3")
    v.sends(". 1:1(0) ack 1461 win 65535").expect(". 1461:2921(1460) ack 1").expect(". 2921:4381(1460) ack 1")
    yield v


def giving_up():
    v = Vector("timer/r2/text", "After R2 without an answer the connection is given up", "MUST", "RFC 9293 3.8.3", "MUST-20 SHLD-11 SHLD-10 RFC9293-3.10.8-1",
               needs=NEEDS, settings="r2=100s", rows="TU3@ESTABLISHED")
    v.passive().call("write(4, ..., 1000) = 1000").expect(TEXT)
    schedule(v, TEXT, 1, 6)
    v.state("ESTABLISHED", "36.9").state("CLOSED", ".2")
    v.call("write(4, ..., 1000) = -1 ETIMEDOUT (Connection timed out)")
    yield v

    v = Vector("timer/r2/of-one-connection", "R2 can be set for one connection", "MUST", "RFC 9293 3.8.3", "MUST-21", needs=NEEDS + " user-timeout")
    v.passive().call("setsockopt(4, SOL_TCP, TCP_USER_TIMEOUT, [5000], 4) = 0")
    v.call("write(4, ..., 1000) = 1000").expect(TEXT).expect(TEXT, "1").expect(TEXT, "2")
    v.state("ESTABLISHED", "1.9").state("CLOSED", ".2")
    v.call("write(4, ..., 1000) = -1 ETIMEDOUT (Connection timed out)")
    yield v

    v = Vector("timer/r2/progress", "Whatever is acknowledged starts R2 anew", "MUST", "RFC 9293 3.8.3", "MUST-20 MUST-21", needs=NEEDS + " user-timeout")
    v.passive().call("setsockopt(4, SOL_TCP, TCP_USER_TIMEOUT, [5000], 4) = 0")
    v.call("write(4, ..., 1000) = 1000").expect(TEXT).expect(TEXT, "1").expect(TEXT, "2").sends(". 1:1(0) ack 1001 win 65535", "1")
    v.state("ESTABLISHED", "100")
    v.call("write(4, ..., 1000) = 1000").expect("P. 1001:2001(1000) ack 1").state("ESTABLISHED", ".9").sends(". 1:1(0) ack 2001 win 65535")
    yield v


def keepalive():
    section = "RFC 9293 3.8.4"
    settings = "keepalive-idle=7200s keepalive-interval=75s keepalive-count=9"
    needs = NEEDS + " keepalive"
    v = Vector("timer/keepalive/off", "Nobody asked for keepalive: a silent connection stays silent", "MUST", section, "MUST-25", needs=NEEDS)
    v.passive().state("ESTABLISHED", "100000")
    yield v

    on = "setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0"
    v = Vector("timer/keepalive/probes", "Two hours after the last segment a probe goes, of an octet that was acknowledged and without text", "MUST", section,
               "MUST-24 MUST-28 SHLD-12 MAY-5", needs=needs, settings=settings)
    v.passive().call(on)
    for _ in range(3):
        v.expect(". 0:0(0) ack 1", "7200").sends(". 1:1(0) ack 1 win 65535")
    v.state("ESTABLISHED")
    yield v

    v = Vector("timer/keepalive/unanswered", "One probe without an answer means nothing; nine do", "MUST", section, "MUST-29 MUST-27", needs=needs,
               settings=settings, rows="TU3@ESTABLISHED")
    v.passive().call(on).expect(". 0:0(0) ack 1", "7200")
    for _ in range(8):
        v.expect(". 0:0(0) ack 1", "75").state("ESTABLISHED")
    v.state("CLOSED", "75.1")
    yield v

    v = Vector("timer/keepalive/heard", "Any segment starts the idle time anew", "MUST", section, "MUST-26", needs=needs, settings=settings)
    v.passive().call(on).sends("P. 1:11(10) ack 1 win 65535", "7000").expect(". 1:1(0) ack 11", "0~.5")
    v.expect(". 0:0(0) ack 11", "7199~7200").sends(". 11:11(0) ack 1 win 65535")
    yield v

    v = Vector("timer/keepalive/outstanding", "No probe goes while text is on its way", "MUST", section, "MUST-26", needs=needs, settings="keepalive-idle=10s r2=600s")
    v.passive().call(on).call("write(4, ..., 1000) = 1000").expect(TEXT)
    schedule(v, TEXT, 1, 6)
    v.sends(". 1:1(0) ack 1001 win 65535").expect(". 1000:1000(0) ack 1", "10").sends(". 1:1(0) ack 1001 win 65535")
    yield v

    v = Vector("timer/keepalive/switched-off", "It can be switched off again", "MUST", section, "MUST-24", needs=needs, settings=settings)
    v.passive().call(on).call("setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [0], 4) = 0").state("ESTABLISHED", "100000")
    yield v


def time_wait():
    section = "RFC 9293 3.6.1"
    needs = NEEDS + " time-wait msl"

    def closed(v):
        """Four-way close begun by the stack; afterwards TIME-WAIT."""
        v.passive().call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1").sends(". 1:1(0) ack 2 win 65535")
        v.state("FIN-WAIT-2").sends("F. 1:1(0) ack 2 win 65535").expect(". 2:2(0) ack 2").state("TIME-WAIT")
        return v

    v = closed(Vector("timer/time-wait/lasts", "TIME-WAIT lasts twice the maximum segment lifetime", "MUST", section, "MUST-13 RFC9293-3.10.8-3 RFC9293-3.10.7.4-35",
                      needs=needs, settings="msl=30s", rows="F4 TL1"))
    v.state("TIME-WAIT", "59.9").state("CLOSED", ".2")
    yield v

    v = closed(Vector("timer/time-wait/fin-again", "The last ACK was lost: FIN comes again, is acknowledged, and the wait begins anew", "MUST", section,
                      "MUST-13 RFC9293-3.10.7.4-27 RFC9293-3.10.7.4-37", needs=needs, settings="msl=30s", rows="Q4"))
    v.sends("F. 1:1(0) ack 2 win 65535", "50").expect(". 2:2(0) ack 2").state("TIME-WAIT", "59.9").state("CLOSED", ".2")
    yield v

    v = Vector("timer/time-wait/simultaneous", "After a simultaneous close both ends wait", "MUST", section, "MUST-13 RFC9293-3.10.7.4-25 RFC9293-3.10.7.4-34",
               needs=needs, settings="msl=30s", rows="F3 A8")
    v.passive().call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1").sends("F. 1:1(0) ack 1 win 65535").expect(". 2:2(0) ack 2").state("CLOSING")
    v.sends(". 2:2(0) ack 2 win 65535").state("TIME-WAIT").state("TIME-WAIT", "59.9").state("CLOSED", ".2")
    yield v

    v = Vector("timer/time-wait/not-after-last-ack", "The end that closed second does not wait", "MUST", section, "RFC9293-3.10.7.4-26", rows="A9")
    v.passive().sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2").state("CLOSE-WAIT")
    v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 2").sends(". 2:2(0) ack 2 win 65535").state("CLOSED")
    yield v


def vectors():
    for part in (retransmission(), measured(), karn(), giving_up(), keepalive(), time_wait()):
        for vector in part:
            if "virtual-time" in vector.text():
                vector.lines.insert(0, "--tolerance_usecs=2000\n--tolerance_percent=0\n")
            yield vector


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
