#!/usr/bin/env python3
"""remaining.py - requirements that no other family shows: small scenarios, found by ci/trace.py --open."""
import sys

from flow import Flow, octet
from pkt import MSS, Vector, write

TS_OUT = "nop,nop,TS val {} ecr {}"
BARE = "timestamps=0 sack=0 window-scale=0"


def ts(val, ecr):
    return "<" + TS_OUT.format(val, ecr) + ">"


# ---- RFC 9293 ----

def opening():
    v = Vector("trace/open/reset-of-a-passive-open", "A reset of a connection that was opened passively leads back to LISTEN: the next SYN is answered",
               "MUST", "RFC 9293 3.10.7.4 second", "MUST-11 RFC9293-3.10.7.4-9", rows="R2@SYN-RECEIVED")
    v.listens().sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends("R 1:1(0) win 65535")
    v.sends("S 0:0(0) win 65535 <mss 1460>", ".1").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    yield v.call("accept(3, ..., ...) = 4").state("ESTABLISHED")
    v = Vector("trace/open/reset-of-an-active-open", "A reset of a connection that was opened actively refuses it, in SYN-RECEIVED too",
               "MUST", "RFC 9293 3.10.7.4 second", "MUST-11 RFC9293-3.10.7.4-9", rows="R3@SYN-RECEIVED", settings=BARE)
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>")
    v.sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends("R 1:1(0) win 65535")
    v.fd = 3
    yield v.call("getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0").state("CLOSED")
    v = Vector("trace/open/listen-twice", "A second passive OPEN fails and leaves the first as it was", "MUST", "RFC 9293 3.9.1.1",
               "MUST-41 RFC9293-3.10.1-4", rows="OP2@LISTEN", api="connection")
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("bind(3, ..., ...) = 0").call("listen(3, 1) = 0").call("listen(3, 1) = -1 EISCONN")
    v.sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    v.fd = 3
    yield v.state("ESTABLISHED")
    for word, title, lines in (("closed", "A FIN for nobody is answered with a reset and opens nothing", None),
                               ("listen", "A FIN in LISTEN changes nothing: the SYN after it opens as ever", ("F 0:0(0) win 65535",))):
        v = Vector(f"trace/open/fin-in-{word}", title, "MUST", "RFC 9293 3.10.7.4 eighth", "RFC9293-3.10.7.4-31 RFC9293-3.10.7.2-4")
        if lines is None:
            v.head = [(k, "RFC9293-3.10.7.4-31 RFC9293-3.10.7.1-1" if k == "covers" else x) for k, x in v.head]
            v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("bind(3, ..., ...) = 0")
            v.sends("F 0:0(0) win 65535").expect("R. 0:0(0) ack 1")
        else:
            v.listens().sends(lines[0]).sends("S 0:0(0) win 65535 <mss 1460>", ".1").expect("S. 0:0(0) ack 1 <mss 1460>")
            v.sends(". 1:1(0) ack 1 win 65535").call("accept(3, ..., ...) = 4").state("ESTABLISHED")
        yield v
    v = Vector("trace/open/fin-in-syn-sent", "A FIN in SYN-SENT changes nothing: the SYN,ACK after it opens as ever", "MUST", "RFC 9293 3.10.7.4 eighth",
               "RFC9293-3.10.7.4-31 RFC9293-3.10.7.3-9", rows="S7@SYN-SENT S5@SYN-SENT", settings=BARE)
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>")
    v.sends("F 0:0(0) win 65535")
    v.fd = 3
    v.state("SYN-SENT").sends("S. 0:0(0) ack 1 win 65535 <mss 1460>").expect(". 1:1(0) ack 1")
    yield v.state("ESTABLISHED")
    v = Vector("trace/open/one-address", "Every segment of a connection bears the same two sockets", "MUST", "RFC 9293 3.9.1.1",
               "MUST-45 RFC9293-3.4-4", settings=BARE)
    v.active().call("write(3, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends("P. 1:501(500) ack 1001 win 65535")
    v.expect(". 1001:1001(0) ack 501", "0~.5").call("shutdown(3, SHUT_WR) = 0").expect("F. 1001:1001(0) ack 501")
    v.sends(". 501:501(0) ack 1002 win 65535").sends("F. 501:501(0) ack 1002 win 65535")
    yield v.expect(". 1002:1002(0) ack 502", "0~.5").state("TIME-WAIT")


def closing():
    v = Vector("trace/close/fin-then-nothing", "After the peer's FIN and all that came before it a read gives 0", "MUST", "RFC 9293 3.6", "MUST-12")
    v.passive().sends("FP. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 102", "0~.5")
    yield v.call("read(4, ..., 1000) = 100").call("read(4, ..., 1000) = 0").call("read(4, ..., 1000) = 0")
    v = Vector("trace/close/reset-is-told", "After a reset a read fails: no user takes it for an end of the stream", "MUST", "RFC 9293 3.6", "MUST-12 RFC9293-3.10.7.4-10",
               rows="R4@ESTABLISHED")
    v.passive().sends("R 1:1(0) win 65535")
    yield v.call("read(4, ..., 1000) = -1 ECONNRESET (Connection reset by peer)")
    v = Vector("trace/close/unread", "CLOSE with octets that nobody will read resets the connection", "SHOULD", "RFC 9293 3.6.1", "SHLD-3 MAY-1", rows="AB3@ESTABLISHED")
    v.passive().sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", "0~.5")
    yield v.call("close(4) = 0").expect("R 1:1(0)")
    for state, ours in (("FIN-WAIT-1", 1), ("FIN-WAIT-2", 2)):
        v = Vector(f"trace/close/text-in-{state.lower()}", f"Text that arrives after CLOSE resets the connection, in {state}", "SHOULD", "RFC 9293 3.6.1", "SHLD-3 MAY-1",
                   rows=f"T1@{state}")
        v.passive().call("close(4) = 0").expect("F. 1:1(0) ack 1")
        if ours == 2:
            v.sends(". 1:1(0) ack 2 win 65535")
        yield v.sends(f"P. 1:101(100) ack {ours} win 65535").expect("R 2:2(0)")
    for state in ("CLOSE-WAIT", "CLOSING", "LAST-ACK"):
        v = Vector(f"trace/close/fin-again-in-{state.lower()}", f"A FIN that comes again is answered and changes nothing, in {state}", "MUST", "RFC 9293 3.10.7.4 eighth",
                   "RFC9293-3.10.7.4-36", rows=f"Q6@{state}", needs="half-close")
        v.passive()
        ours = 1
        if state == "CLOSING":
            v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1")
            ours = 2
        v.sends("F. 1:1(0) ack 1 win 65535").expect(f". {ours}:{ours}(0) ack 2", "0~.5")
        if state == "LAST-ACK":
            v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 2")
            ours = 2
        yield v.state(state).sends("F. 1:1(0) ack 1 win 65535").expect(f". {ours}:{ours}(0) ack 2").state(state)


def urgent():
    v = Vector("trace/urgent/ahead", "The user learns of urgent octets, how many are ahead, when more are, and when all are read", "MUST", "RFC 9293 3.8.5",
               "MUST-32 MUST-33 RFC6093-5-2 RFC9293-3.10.3-2", rows="U1@ESTABLISHED", needs="urgent", api="connection")
    v.listens().sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    v.call("urgent(3) = 0").sends("PU. 1:101(100) ack 1 win 65535 urg 150").expect(". 1:1(0) ack 101", "0~.5").call("urgent(3) = 150")
    v.sends("PU. 101:201(100) ack 1 win 65535 urg 200").expect(". 1:1(0) ack 201", "0~.5").call("urgent(3) = 300")
    v.call("read(3, ..., 150) = 150").call("urgent(3) = 150").call("read(3, ..., 50) = 50").call("urgent(3) = 100")
    v.sends("P. 201:301(100) ack 1 win 65535").expect(". 1:1(0) ack 301", "0~.5").call("read(3, ..., 100) = 100").call("urgent(3) = 0")
    yield v
    v = Vector("trace/urgent/far", "An urgent pointer more than 65,535 octets ahead goes out as 65,535", "MUST", "RFC 7323 A", "RFC7323-A-2 MUST-31 RFC6093-5-2",
               needs="urgent", settings="send-buffer=131072 initial-window=0")
    v.passive().call("send(4, ..., 70000, MSG_OOB) = 70000")
    for n in range(3):
        v.expect(f"U. {octet(n)}:{octet(n + 1)}({MSS}) ack 1 urg {min(70000 - n * MSS, 65535)}")
    v.sends(". 1:1(0) ack 4381 win 65535")
    for n in range(3, 7):
        v.expect(f"U. {octet(n)}:{octet(n + 1)}({MSS}) ack 1 urg {min(70000 - n * MSS, 65535)}")
    yield v.sends("R 1:1(0) win 0")


def shrinking():
    v = Vector("trace/window/shrunk-resent-inside", "Of what was in flight when the window shrank, the part inside it goes again", "SHOULD", "RFC 9293 3.8.6",
               "SHLD-16 SHLD-15 MUST-34", needs="virtual-time")
    v.passive().call("write(4, ..., 2920) = 2920").expect(". 1:1461(1460) ack 1").expect("P. 1461:2921(1460) ack 1")
    v.note("the right edge goes back to 1001").sends(". 1:1(0) ack 1 win 1000").expect(". 1:1001(1000) ack 1", ".99~1.01")
    v.note("and forward again").sends(". 1:1(0) ack 1001 win 65535").expect(". 1001:2461(1460) ack 1", "0").expect("P. 2461:2921(460) ack 1")
    yield v.sends(". 1:1(0) ack 2921 win 65535").call("unacked(4) = 0")
    v = Vector("trace/window/shrunk-to-nothing", "A window that shrank to nothing ends nobody while probes are answered, however long it lasts", "SHOULD", "RFC 9293 3.8.6",
               "SHLD-17 MUST-35 MUST-37", needs="virtual-time", settings="r2=10s")
    v.passive().call("write(4, ..., 1460) = 1460").expect("P. 1:1461(1460) ack 1").sends(". 1:1(0) ack 1 win 0")
    for gap in (1, 2, 4, 8, 16):
        v.expect(". 1:2(1) ack 1", f"{gap - .02}~{gap}").sends(". 1:1(0) ack 1 win 0")
    v.state("ESTABLISHED").sends(". 1:1(0) ack 1 win 65535").expect("P. 1:1461(1460) ack 1")
    yield v.sends(". 1:1(0) ack 1461 win 65535").call("unacked(4) = 0")


# ---- sending: RFC 5681, 6582, 6675, 6298 ----

def sending():
    f = Flow("trace/sending/both-windows", "No more goes than the lesser of the two windows allows", "MUST", "RFC 5681 2",
             "RFC5681-2-1 RFC5681-3-1 RFC9406-3-1 RFC9937-3-1 RFC9937-3-2 RFC6928-2-2", grown=0, win=2 * MSS)
    f.note("two segments by the peer's window, of three by the congestion window; then three of many")
    f.v.sends(f". 1:1(0) ack {octet(0)} win 65535")
    f.new(1).note("nothing goes while as much is in flight as the window holds").v.sends("R 1:1(0) win 0", ".5")
    yield f.v
    f = Flow("trace/sending/unused-window", "A window that the sender does not use does not grow", "MUST", "RFC 7661 4.4", "RFC7661-4.4-4", count=1, grown=0, needs="unused-window")
    for n in range(1, 6):
        f.ack(n)
        f.v.call(f"write(4, ..., {MSS}) = {MSS}").expect(f"P. {octet(n)}:{octet(n + 1)}({MSS}) ack 1")
    f.ack(6)
    f.v.call(f"write(4, ..., {20 * MSS}) = {20 * MSS}")
    f.next, f.count = 6, 26
    f.new(3)
    yield f.left()
    f = Flow("trace/sending/restart-of-ten", "After an idle time the window is the initial one again, of ten segments as well", "MAY", "RFC 6928 2", "RFC6928-2-5 RFC6928-2-1",
             count=1, grown=0, settings="initial-window=10 congestion=reno", needs="virtual-time")
    f.ack(1)
    f.v.call(f"write(4, ..., {30 * MSS}) = {30 * MSS}", "3")
    f.next, f.count = 1, 31
    f.new(10)
    yield f.left()


def fast_recovery():
    f = Flow("trace/recovery/first-window", "The loss of the very first segment is repaired by the third duplicate", "MUST", "RFC 6582 3.2",
             "RFC6582-3.2-1 RFC5681-3.2-3 RFC5681-3.2-4", grown=0)
    f.ack(0).new().ack(0).new().ack(0).again(0)
    yield f.left()
    f = Flow("trace/recovery/window", "The third duplicate halves the window; each further one lets one segment go when as much has left", "MUST", "RFC 5681 3.2",
             "RFC5681-3.1-7 RFC5681-3.2-8 RFC5681-3.2-9 RFC5681-3.2-10 RFC5681-3.2-12 RFC5681-3.2-13 RFC6582-3.2-4 RFC6582-6-3 RFC5681-3.1-10 RFC5681-4.3-3", grown=4)
    f.note("seven in flight, two more by limited transmit, which do not count: ssthresh is three and a half segments")
    f.ack(4).new().ack(4).new().ack(4).again(4)
    f.note("a window of 3.5 + 3 and one for each duplicate passes nine in flight with the seventh")
    f.ack(4).ack(4).ack(4).ack(4).new().ack(4).new()
    f.note("all is repaired: the window is the lesser of ssthresh and one more than what is in flight; it grows by one segment a round")
    f.ack(13).new().ack(14).new().ack(15).new().ack(16).new().ack(17).new()
    yield f.left()
    f = Flow("trace/recovery/new-text-on-a-partial", "A partial acknowledgment repairs the next hole, and lets new text go where the window has room", "MUST", "RFC 6582 3.2",
             "RFC6582-3.2-6 RFC6582-3.2-8", grown=5)
    f.note("eight in flight, the fifth and the last are lost; of the duplicates only three arrive")
    f.ack(5).new().ack(5).new().ack(5).again(5)
    f.ack(12).again(12).new()
    yield f.left()
    f = Flow("trace/recovery/timer", "Only the first partial acknowledgment restarts the timer", "MUST", "RFC 6582 3.2", "RFC6582-3.2-9 RFC6582-3.2-6", count=13, grown=5,
             needs="virtual-time")
    f.note("all is sent; segments 5, 8 and 10 are lost")
    f.ack(5).ack(5).ack(5).again(5)
    f.ack(8, after=".1").again(8).ack(10, after=".8").again(10)
    f.note("a second after the first partial acknowledgment, not after the second").again(10, ".19~.21")
    f.ack(13)
    yield f.v
    f = Flow("trace/recovery/retransmission-lost", "When the retransmission is lost too, the timer lowers the window once more", "MUST", "RFC 5681 4.3",
             "RFC5681-4.3-4", count=40, grown=5, needs="virtual-time")
    f.ack(5).new().ack(5).new().ack(5).again(5)
    f.note("a second later: one segment, and from there slow start only up to half of what was in flight then")
    f.again(5, ".99~1.01").ack(15).new(2).ack(17).new(3).ack(20).new(4).ack(24).new(5)
    yield f.left()


def sack_recovery():
    f = Flow("trace/sack/whole-recovery", "A recovery by RFC 6675 from beginning to end: what goes, in which order, and how much", "MUST", "RFC 6675 5",
             "RFC6675-4-4 RFC6675-4-5 RFC6675-4-6 RFC6675-4-7 RFC6675-4-8 RFC6675-5-3 RFC6675-5-5 RFC6675-5-6 RFC6675-5-7 RFC6675-5-8 RFC6675-5-9 RFC6675-5-11 RFC6675-5-12 "
             "RFC6675-5-13 RFC6675-5-14 RFC6675-5-15 RFC2018-5.1-1 RFC5681-4.3-2 RFC5681-4.3-1 RFC5681-4.3-3", grown=5, with_sack=True)
    f.note("5 to 12 are in flight; 5 and 8 are lost. Each new block lets one new segment go: limited transmit")
    f.ack(5, (6, 7)).new().ack(5, (6, 8)).new()
    f.note("the third: half of the eight that were in flight; the head goes again, and nothing more until the pipe has come down to four")
    f.ack(5, (9, 10), (6, 8)).again(5).ack(5, (9, 11), (6, 8)).ack(5, (9, 12), (6, 8))
    f.note("8 is lost by now, and goes before anything new").ack(5, (9, 13), (6, 8)).again(8)
    f.ack(5, (9, 14), (6, 8)).new().ack(5, (9, 15), (6, 8)).new().ack(5, (9, 16), (6, 8)).new()
    f.note("an acknowledgment short of the recovery point").ack(8, (9, 16)).new()
    f.note("and one beyond it: four segments, in congestion avoidance").ack(16).new().ack(17).new().ack(18).new().ack(19).new().ack(20).new(2)
    yield f.left()
    f = Flow("trace/sack/reset-by-an-acknowledgment", "Duplicates are counted anew after each acknowledgment of new text", "MUST", "RFC 6675 5", "RFC6675-5-2 RFC6675-5-3",
             count=13, grown=5, with_sack=True)
    f.ack(5, (6, 7)).ack(5, (6, 8)).note("two, and then progress: two more are not the third").ack(8).ack(8, (9, 10)).ack(8, (9, 11)).ack(13)
    yield f.v
    f = Flow("trace/sack/nothing-to-say", "When nothing is lost and nothing is queued, duplicates bring nothing out", "MUST", "RFC 6675 4", "RFC6675-4-13", count=13,
             grown=5, with_sack=True)
    f.ack(5, (12, 13)).ack(5, (11, 13)).ack(13)
    yield f.v
    f = Flow("trace/sack/kept-after-recovery", "What SACK told of the octets beyond outlives the recovery: one more block finds the next loss", "SHOULD", "RFC 6675 5",
             "RFC6675-5-10 RFC6675-5-4", count=40, grown=5, with_sack=True)
    f.ack(5, (6, 7)).new().ack(5, (6, 8)).new().ack(5, (6, 9)).again(5)
    f.ack(5, (6, 10)).ack(5, (6, 11)).ack(5, (6, 12)).ack(5, (6, 13)).new().ack(5, (6, 14)).new().ack(5, (6, 15)).new()
    f.note("15 is lost; 16 and 17 are known to have arrived when the recovery ends").ack(15, (16, 17)).new(2).ack(15, (16, 18)).new()
    f.note("the third segment above it").ack(15, (16, 19)).again(15)
    yield f.left()
    f = Flow("trace/sack/timeout", "After a timeout what SACK told is kept: what has arrived is not sent again, and no recovery begins below the recovery point", "SHOULD",
             "RFC 6675 5.1", "RFC6675-5.1-1 RFC6675-5.1-4 RFC6675-5.1-5 RFC6675-5.1-6", count=13, grown=5, with_sack=True, needs="virtual-time")
    f.note("5 to 12 are in flight; 6 and 7 have arrived, the rest is slow").ack(5, (6, 8)).again(5, ".99~1.01")
    f.note("10 has arrived too").ack(8, (10, 11)).again(8).again(9)
    f.ack(8, (10, 12)).ack(8, (10, 13)).note("three segments above 8 now, and no recovery: all goes by slow start").ack(13)
    yield f.v
    f = Flow("trace/sack/timeout-in-recovery", "A timeout ends the recovery; none begins again before its octets are acknowledged", "MUST", "RFC 6675 5.1",
             "RFC6675-5.1-2 RFC6675-5.1-3 RFC6675-5.1-4 RFC5681-4.3-4", count=13, grown=5, with_sack=True, needs="virtual-time")
    f.ack(5, (6, 7)).ack(5, (6, 8)).ack(5, (6, 9)).again(5).again(5, ".99~1.01")
    f.ack(9).again(9).again(10).ack(9, (10, 11)).again(11).ack(11).again(12).ack(13)
    yield f.v


def timers():
    v = Vector("trace/timer/restarted", "An acknowledgment of new text restarts the timer: nothing goes again before a whole timeout has passed since", "MUST", "RFC 6298 5",
               "RFC6298-1-1 RFC6298-5-1 RFC6298-5-2 RFC6928-9-1 RFC8961-4-3 RFC8961-4-4 RFC8961-4-6", needs="virtual-time")
    v.passive().call("write(4, ..., 2920) = 2920").expect(". 1:1461(1460) ack 1").expect("P. 1461:2921(1460) ack 1")
    v.sends(". 1:1(0) ack 1461 win 65535", ".9").note("the round of 900 ms makes the timeout longer than a second").expect("P. 1461:2921(1460) ack 1", "1~3")
    yield v.sends(". 1:1(0) ack 2921 win 65535")
    v = Vector("trace/timer/general", "Without a sample a second, then ever twice as long, up to the largest timeout; a sample ends it", "MUST", "RFC 8961 4",
               "RFC8961-4-1 RFC8961-4-2 RFC8961-4-5 RFC8961-4-7 RFC8961-4-8 RFC8961-4-9 RFC8961-4-10 MUST-18", needs="virtual-time")
    v.passive().call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 1")
    for gap in (1, 2, 4, 8, 16, 32, 60, 60):
        v.expect("P. 1:101(100) ack 1", f"{gap * .99}~{gap * 1.01}")
    v.note("an acknowledgment of octets sent more than once says nothing of time").sends(". 1:1(0) ack 101 win 65535")
    v.call("write(4, ..., 100) = 100").expect("P. 101:201(100) ack 1").sends(". 1:1(0) ack 201 win 65535")
    v.note("now there is a sample").call("write(4, ..., 100) = 100").expect("P. 201:301(100) ack 1").expect("P. 201:301(100) ack 1", ".99~1.01")
    yield v.sends(". 1:1(0) ack 301 win 65535")


# ---- receiving: RFC 5681 4.2, 6582 5, 2883 ----

def receiving():
    covers = "RFC5681-3.2-1 RFC5681-3.2-2 RFC5681-4.2-5 RFC5681-4.2-6 RFC5681-4.2-7 RFC5681-4.2-8 RFC6582-5-1"
    v = Vector("trace/receiving/gaps", "Text above a gap, and text that fills a gap or a part of it, is acknowledged at once, once each", "SHOULD", "RFC 5681 4.2", covers)
    v.passive().sends(". 1461:2921(1460) ack 1 win 65535").expect(". 1:1(0) ack 1").sends(". 4381:5841(1460) ack 1 win 65535").expect(". 1:1(0) ack 1")
    v.sends(". 1:1461(1460) ack 1 win 65535").expect(". 1:1(0) ack 2921").sends(". 2921:3421(500) ack 1 win 65535").expect(". 1:1(0) ack 3421")
    yield v.sends(". 3421:4381(960) ack 1 win 65535").expect(". 1:1(0) ack 5841").call("unread(4) = 5840")
    v = Vector("trace/receiving/delayed", "One segment waits for the next or for the timer, and no second one", "SHOULD", "RFC 5681 4.2",
               "RFC5681-4.2-1 RFC5681-4.2-2 RFC5681-4.2-3 RFC5681-4.2-4 RFC5681-4.2-8 MUST-40 SHLD-18 SHLD-19")
    v.passive().sends(". 1:1461(1460) ack 1 win 65535").sends(". 1461:2921(1460) ack 1 win 65535").expect(". 1:1(0) ack 2921")
    yield v.sends(". 2921:4381(1460) ack 1 win 65535").expect(". 1:1(0) ack 4381", ".001~.499")
    v = Vector("trace/receiving/duplicate-and-old", "A duplicate that is too old by its timestamp is reported as a duplicate all the same", "MAY", "RFC 2883 4.3", "RFC2883-4.3-1",
               needs="sack dsack timestamps paws", rows="P1@ESTABLISHED")
    v.passive(offer="mss 1460,sackOK,TS val 1000 ecr 0", answer="mss 1460,sackOK,TS val 100 ecr 1000", ack_options=TS_OUT.format(1010, 100))
    v.sends(f"P. 1:101(100) ack 1 win 65535 {ts(1020, 100)}").expect(f". 1:1(0) ack 101 {ts(130, 1020)}", "0~.5")
    v.sends(f"P. 1:101(100) ack 1 win 65535 {ts(1015, 100)}").expect(". 1:1(0) ack 101 <nop,nop,TS val 140 ecr 1020,nop,nop,sack 1:101>")
    yield v.call("unread(4) = 100")


# ---- options: RFC 7323, 3168, 7413, 6691 ----

def options():
    v = Vector("trace/options/own-scale", "The shift told on the SYN,ACK is the one by which our own window is written from then on", "MUST", "RFC 7323 2.3",
               "RFC7323-2.3-2 RFC7323-2.3-6", needs="window-scale", settings="receive-buffer=1048576")
    v.passive(offer="mss 1460,nop,wscale 7", answer="mss 1460,nop,wscale 5", ack_win=512)
    v.note("1,048,576 octets less 96, in units of 32").sends("P. 1:97(96) ack 1 win 512").expect(". 1:1(0) ack 97 win 32765", "0~.5")
    yield v
    v = Vector("trace/options/own-syn", "Our SYN offers window scaling, timestamps and SACK, and no Fast Open; ECE and CWR are off", "MAY", "RFC 7323 2.2",
               "RFC7323-2.2-1 RFC7323-2.2-5 RFC7323-3.2-1 RFC7323-3.2-4 RFC7413-2-1 RFC3168-6.1.1-9 SHLD-5 MAY-3", needs="timestamps sack window-scale",
               settings="receive-buffer=32768")
    yield v.active(offer="mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 0", answer="mss 1460,sackOK,TS val 1000 ecr 100,nop,wscale 7",
                   ack_options=TS_OUT.format(110, 1000), win=65535)
    v = Vector("trace/options/ecn-setup-syn", "A host without ECN answers a SYN that asks for it with ECE and CWR off", "MUST", "RFC 3168 6.1.1",
               "RFC3168-6.1.1-4 RFC3168-6.1.1-9 RFC3168-6.1.1-10")
    v.listens().sends("SEW 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    yield v.call("accept(3, ..., ...) = 4").state("ESTABLISHED")
    v = Vector("trace/options/once-the-nonce", "The bit that once was the nonce's is disregarded, and goes out as 0", "MUST", "RFC 8311 3", "RFC8311-3-1 RFC9293-3.1-1")
    yield v.passive().sends("PA. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", "0~.5").call("unread(4) = 100")
    for word, option in (("request", "FO"), ("cookie", "FO 0123456789abcdef")):
        v = Vector(f"trace/options/fast-open-{word}", "A Fast Open option is disregarded; the text of the SYN is neither taken nor acknowledged", "MUST", "RFC 7413 4.2",
                   "RFC7413-4.2-2 RFC4987-3.5-2 RFC9293-3.10.7.2-3")
        tail = ",nop,nop" if word == "request" else ",nop,nop"
        v.listens().sends(f"S 0:100(100) win 65535 <mss 1460,{option}{tail}>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
        v.call("accept(3, ..., ...) = 4").call("unread(4) = 0").sends("P. 1:101(100) ack 1 win 65535").expect(". 1:1(0) ack 101", "0~.5")
        yield v.call("unread(4) = 100")
    v = Vector("trace/options/room", "Options are taken out of each segment, timestamps and SACK blocks alike", "MUST", "RFC 6691 2", "RFC6691-2-3 MUST-16 RFC6691-2-2",
               needs="timestamps sack")
    v.passive(offer="mss 1460,sackOK,TS val 1000 ecr 0", answer="mss 1460,sackOK,TS val 100 ecr 1000", ack_options=TS_OUT.format(1010, 100))
    v.call("write(4, ..., 1448) = 1448").expect(f"P. 1:1449(1448) ack 1 {ts(110, 1010)}").sends(f". 1:1(0) ack 1449 win 65535 {ts(1020, 110)}")
    v.sends(f". 101:201(100) ack 1449 win 65535 {ts(1030, 110)}").expect(". 1449:1449(0) ack 1 <nop,nop,TS val 130 ecr 1020,nop,nop,sack 101:201>")
    v.call("write(4, ..., 1448) = 1448").expect(". 1449:2885(1436) ack 1 <nop,nop,TS val 130 ecr 1020,nop,nop,sack 101:201>")
    yield v.sends("R 1:1(0) win 0")
    for word, line, answer in (("abort", "abort(4) = 0", "R 1:1(0) {}"),):
        v = Vector("trace/options/stamped-reset", "The reset of an abort carries a timestamp", "SHOULD", "RFC 7323 5.2", "RFC7323-3.2-7 RFC7323-5.2-4", needs="timestamps")
        v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options=TS_OUT.format(1010, 100))
        yield v.call(line).expect(answer.format(ts(110, 0)))
    v = Vector("trace/options/clock", "The timestamp clock ticks each millisecond", "MUST", "RFC 7323 5.4", "RFC7323-4.1-1 RFC7323-5.4-4", needs="timestamps virtual-time")
    v.say("--tcp_ts_tick_usecs=1000")
    v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options=TS_OUT.format(1010, 100))
    v.call("write(4, ..., 100) = 100").expect(f"P. 1:101(100) ack 1 {ts(110, 1010)}").sends(f". 1:1(0) ack 101 win 65535 {ts(1020, 110)}")
    v.call("write(4, ..., 100) = 100", "1").expect(f"P. 101:201(100) ack 1 {ts(1120, 1020)}").sends(f". 1:1(0) ack 201 win 65535 {ts(2030, 1120)}")
    yield v.call("write(4, ..., 100) = 100", "3600").expect(f"P. 201:301(100) ack 1 {ts(3601130, 2030)}").sends("R 1:1(0) win 0")
    v = Vector("trace/options/recent-stays", "An older timestamp is refused and does not become the one that is echoed", "MUST", "RFC 7323 5.2", "RFC7323-5.2-1 RFC7323-5.3-3",
               needs="timestamps paws", rows="P1@ESTABLISHED")
    v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options=TS_OUT.format(1010, 100))
    v.sends(f"P. 1:101(100) ack 1 win 65535 {ts(1005, 100)}").expect(f". 1:1(0) ack 1 {ts(120, 1010)}").call("unread(4) = 0")
    yield v.sends(f"P. 1:101(100) ack 1 win 65535 {ts(1011, 100)}").expect(f". 1:1(0) ack 101 {ts(130, 1011)}", "0~.5").call("unread(4) = 100")
    v = Vector("trace/options/queued-once-judged", "Text that waited above a gap is not judged again when the gap is filled by newer text", "MUST", "RFC 7323 5.3",
               "RFC7323-5.3-5", needs="timestamps paws", settings="sack=0")
    v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options=TS_OUT.format(1010, 100))
    v.sends(f". 101:201(100) ack 1 win 65535 {ts(1020, 100)}").expect(f". 1:1(0) ack 1 {ts(120, 1010)}")
    yield v.sends(f". 1:101(100) ack 1 win 65535 {ts(5000, 100)}").expect(f". 1:1(0) ack 201 {ts(130, 5000)}").call("unread(4) = 200")
    v = Vector("trace/options/grown-old", "After more than 24 days the stored timestamp is too old to refuse anything", "MAY", "RFC 7323 5.5", "RFC7323-5.5-1 RFC7323-5.5-2",
               needs="timestamps paws virtual-time")
    v.passive(offer="mss 1460,nop,nop,TS val 1000 ecr 0", answer="mss 1460,nop,nop,TS val 100 ecr 1000", ack_options=TS_OUT.format(1010, 100))
    v.sends(f"P. 1:101(100) ack 1 win 65535 {ts(900, 100)}", str(23 * 86400)).expect(f". 1:1(0) ack 1 {ts(1987200110, 1010)}").call("unread(4) = 0")
    v.sends(f"P. 1:101(100) ack 1 win 65535 {ts(900, 100)}", str(2 * 86400)).expect(f". 1:1(0) ack 101 {ts(2160000110, 900)}", "0~.5")
    yield v.call("unread(4) = 100")
    v = Vector("trace/options/promise-kept", "An edge that was promised is kept, although it can no longer be written in whole units", "MUST", "RFC 7323 2.4",
               "RFC7323-2.4-2 RFC7323-2.4-3 SHLD-14", needs="window-scale sack", settings="receive-buffer=131072")
    v.passive(offer="mss 1460,nop,nop,sackOK,nop,wscale 7", answer="mss 1460,nop,nop,sackOK,nop,wscale 2", ack_win=512)
    v.sends("P. 1:5(4) ack 1 win 512").expect(". 1:1(0) ack 5 win 32767", "0~.5")
    v.note("one octet more: in units of 4 the edge seems to be at 131070; it was promised at 131073")
    v.sends("P. 5:6(1) ack 1 win 512").expect(". 1:1(0) ack 6 win 32766", "0~.5")
    yield v.sends(". 131070:131073(3) ack 1 win 512").expect(". 1:1(0) ack 6 win 32766 <nop,nop,sack 131070:131073>")
    v = Vector("trace/options/retracted-by-rounding", "A window that went back by less than its unit does not keep from repeating what was inside it", "MUST", "RFC 7323 2.4",
               "RFC7323-2.4-1 RFC7323-2.4-4 RFC7323-2.4-5 RFC7323-2.4-6", needs="window-scale virtual-time", settings="receive-buffer=32768")
    v.passive(offer="mss 1460,nop,wscale 7", answer="mss 1460,nop,wscale 0", ack_win=23)
    v.note("2,944 octets are allowed").call("write(4, ..., 2920) = 2920").expect(". 1:1461(1460) ack 1").expect("P. 1461:2921(1460) ack 1")
    v.note("now 1,408 beyond 1461: 52 octets less than what is in flight").sends(". 1:1(0) ack 1461 win 11").expect("P. 1461:2921(1460) ack 1", ".99~1.01")
    yield v.sends(". 1:1(0) ack 2921 win 23")


# ---- path MTU, half-open ----

def path_mtu():
    for word, mtu, size in (("too-small-for-ipv6", 1279, None), ("least", 1280, 1220), ("smaller", 1300, 1240), ("not-smaller", 1500, None), ("larger", 9000, None)):
        covers = "RFC8201-4-1 RFC8899-3-3 RFC8899-3-4 RFC8899-4.6.1-2 RFC8899-4.6.1-3 RFC8899-4.6.1-4"
        covers = {"too-small-for-ipv6": "RFC8201-4-2 RFC8201-4-3", "least": "RFC8201-4-3 RFC8201-4-4 RFC8201-4-6", "not-smaller": "RFC8201-4-9 RFC8899-3-5 RFC8899-3-6",
                  "larger": "RFC8201-4-9 RFC8899-3-5 RFC8899-3-6",
                  "smaller": "RFC8201-4-4 RFC8201-4-5 RFC8201-4-6 RFC8201-5.4-1 RFC8201-5.4-4 RFC7323-5.7-1 " + covers}[word]
        v = Vector(f"trace/path-mtu/ipv6-{word}", f"Over IPv6 a packet is called too big for {mtu} octets", "MUST", "RFC 8201 4", covers, family=f"trace/path-mtu/ipv6/{'taken' if size else word.split('-')[-1]}",
                   needs="icmp pmtud ipv6")
        v.say("--ip_version=ipv6")
        v.passive(offer="mss 1440", answer="mss 1440").call("write(4, ..., 1440) = 1440").expect("P. 1:1441(1440) ack 1")
        v.sends(f"icmp packet_too_big mtu {mtu} [1:1441(1440)]")
        if size:
            v.expect(f". 1:{1 + size}({size}) ack 1").expect(f"P. {1 + size}:1441({1440 - size}) ack 1")
        v.sends(". 1:1(0) ack 1441 win 65535")
        if word == "smaller":
            v.note("later text keeps to it; what went again was no sign of congestion: three segments may go")
            v.call("write(4, ..., 3720) = 3720").expect(". 1441:2681(1240) ack 1").expect(". 2681:3921(1240) ack 1").expect("P. 3921:5161(1240) ack 1")
            v.sends(". 1:1(0) ack 5161 win 65535")
        yield v
    v = Vector("trace/path-mtu/floor", "A claim of 20 octets does not take the path MTU below what every IPv4 host can take", "MUST", "RFC 1191 3", "RFC1191-3-9 RFC1191-6.4-1",
               needs="icmp pmtud")
    v.passive().call("write(4, ..., 1024) = 1024").expect("P. 1:1025(1024) ack 1").sends("icmp unreachable frag_needed mtu 20 [1:1025(1024)]")
    v.expect(". 1:513(512) ack 1").expect("P. 513:1025(512) ack 1")
    v.note("the same once more: nothing goes a second time").sends("icmp unreachable frag_needed mtu 20 [1:1025(1024)]")
    yield v.sends(". 1:1(0) ack 1025 win 65535")
    v = Vector("trace/path-mtu/own-mss", "The MSS we announce is that of the interface, whoever the peer is", "SHOULD", "RFC 1191 3.1", "RFC1191-3.1-1 RFC1191-3.1-2 RFC6691-2-1 MUST-67",
               settings=BARE + " mtu=1400")
    yield v.active(offer="mss 1360")
    v = Vector("trace/path-mtu/peers-mss", "A path MTU that fell leaves the peer's smaller MSS in force", "MUST", "RFC 8201 5.4", "RFC8201-5.4-2 RFC8201-5.4-3", needs="icmp pmtud ipv6")
    v.say("--ip_version=ipv6")
    v.passive(offer="mss 1000", answer="mss 1440").call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1")
    v.sends("icmp packet_too_big mtu 1400 [1:1001(1000)]").expect("P. 1:1001(1000) ack 1", "0~2").sends(". 1:1(0) ack 1001 win 65535")
    yield v.call("write(4, ..., 1000) = 1000").expect("P. 1001:2001(1000) ack 1").sends(". 1:1(0) ack 2001 win 65535")
    v = Vector("trace/open/half-open-for-a-short-time", "A half-open connection is given up after the time that is set for it", "practice", "RFC 4987 3.3", "RFC4987-3.3-1",
               settings="r2-syn=500ms", needs="virtual-time")
    v.listens().sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>")
    yield v.sends(". 1:1(0) ack 1 win 65535", ".6").expect("R 1:1(0)")


def ip_fields():
    v = Vector("trace/ip/dscp", "The Diffserv field that was chosen goes out unmodified, and may be changed while the connection lives", "MUST", "RFC 9293 3.9.1.9",
               "MUST-48 SHLD-21 SHLD-22", settings="dscp=46")
    v.listens().sends("S 0:0(0) win 65535 <mss 1460>").expect("[tos 0xb8] S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    v.call("accept(3, ..., ...) = 4").call("write(4, ..., 100) = 100").expect("[tos 0xb8] P. 1:101(100) ack 1").sends(". 1:1(0) ack 101 win 65535")
    v.call("setsockopt(4, IPPROTO_IP, IP_TOS, [40], 4) = 0")
    v.call("write(4, ..., 100) = 100").expect("[tos 0x28] P. 101:201(100) ack 1").sends(". 1:1(0) ack 201 win 65535")
    yield v.call("abort(4) = 0").expect("[tos 0x28] R 201:201(0)")
    v = Vector("trace/ip/ttl", "The time to live of what goes out is the one that was set", "MUST", "RFC 9293 3.9.2", "MUST-49", settings="ttl=7")
    v.listens().sends("S 0:0(0) win 65535 <mss 1460>").expect("[ttl 7] S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    v.call("accept(3, ..., ...) = 4").call("write(4, ..., 100) = 100").expect("[ttl 7] P. 1:101(100) ack 1")
    yield v.sends(". 1:1(0) ack 101 win 65535")


def vectors():
    for family in (ip_fields, opening, closing, urgent, shrinking, sending, fast_recovery, sack_recovery, timers, receiving, options, path_mtu):
        yield from family()


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
