#!/usr/bin/env python3
"""attacks.py - what stacks fell to in forty years, as scenarios: the attack, the answer that an RFC asks for, and proof that the connection
lives, or ended as it must. The V numbers are those of attacks/attacks.tsv."""
import sys

from pkt import MSS, Vector, write

WORD = 2**32
DAY = 86400
PLAIN = "initial-window=0 congestion=reno"
TS = "nop,nop,TS val {} ecr {}"


def vector(name, title, level, section, note, covers="", **head):
    return Vector(f"attack/{name}", title, level, section, covers, note=note, **head)


def alive(v, rcv=1, snd=1, unread=10, options=("", "")):
    """Ten octets each way. `rcv` and `snd` are the next numbers of the peer and of the stack."""
    theirs, ours = (f" <{o}>" if o else "" for o in options)
    v.sends(f"P. {rcv}:{rcv + 10}(10) ack {snd} win 65535{theirs}").expect(f". {snd}:{snd}(0) ack {rcv + 10}{ours}", "0~.5")
    v.call(f"unread({v.fd}) = {unread}").call(f"write({v.fd}, ..., 10) = 10").expect(f"P. {snd}:{snd + 10}(10) ack {rcv + 10}{ours}")
    v.sends(f". {rcv + 10}:{rcv + 10}(0) ack {snd + 10} win 65535{theirs}").call(f"unacked({v.fd}) = 0")
    return v.state("ESTABLISHED")


def gone(v, rcv=1, snd=1, after=".1"):
    """Nothing is left of the connection: a segment of it meets nobody."""
    return v.sends(f"P. {rcv}:{rcv + 1}(1) ack {snd} win 65535", after).expect(f"R {snd}:{snd}(0)")


def opens(v):
    """An honest peer is served by the listener that was attacked."""
    v.sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535")
    return alive(v.call("accept(3, ..., ...) = 4"))


# ---- V05, V06, V34: half-open connections ------------------------------------------------------------------------------------------------


def half_open():
    v = vector("v05-half-open-ends", "A SYN whose sender never answers is forgotten, and the listener serves the next", "practice", "RFC 4987 3.3",
               "CVE-1999-0116, CVE-2001-0055: half-open connections that never end fill the table", "RFC4987-3.3-1", needs="virtual-time",
               settings="r2-syn=7s", rows="TU2@SYN-RECEIVED")
    v.listens().sends("S 0:0(0) win 65535 <mss 1460>", "0").expect("S. 0:0(0) ack 1 <mss 1460>")
    v.expect("S. 0:0(0) ack 1 <mss 1460>", "1").expect("S. 0:0(0) ack 1 <mss 1460>", "2")
    v.note("seven seconds are over: its acknowledgment comes too late").sends(". 1:1(0) ack 1 win 65535", "4.1").expect("R 1:1(0)")
    yield opens(v)
    v = vector("v34-one-syn", "One forged SYN draws eight SYN,ACKs in three minutes and no more", "practice", "RFC 9293 3.8.3",
               "Kuhrer et al. 2014: stacks that answer one SYN with hundreds of segments; DRDoS 2002. The figure is r2-syn's, RFC 6298's doubling and "
               "the largest RTO's", needs="virtual-time", settings="r2-syn=180s rto-max=60s")
    v.listens().sends("S 0:0(0) win 65535 <mss 1460>", "0").expect("S. 0:0(0) ack 1 <mss 1460>")
    for wait in (1, 2, 4, 8, 16, 32, 60):
        v.expect("S. 0:0(0) ack 1 <mss 1460>", str(wait))
    v.note("a quarter of an hour of silence; nobody is there any more").sends(". 1:1(0) ack 1 win 65535", "900").expect("R 1:1(0)")
    yield opens(v)
    v = vector("v34-same-syn", "A SYN that comes thirty times is answered eleven times", "practice", "RFC 5961 7",
               "Amplification: repeated SYNs have the budget of challenge ACKs", settings="challenge-count=10 challenge-interval=5s", needs="rfc5961",
               rows="Q5@SYN-RECEIVED")
    v.listens()
    for i in range(30):
        v.sends("S 0:0(0) win 65535 <mss 1460>", ".01")
        if i <= 10:
            v.expect("S. 0:0(0) ack 1 <mss 1460>")
    v.sends(". 1:1(0) ack 1 win 65535").call("accept(3, ..., ...) = 4")
    yield alive(v)


def bare_acks():
    for name, seq, ack, text in (("zero", 0, 0, 0), ("guess", 77, 1234567, 0), ("half", 1, 2**31, 0), ("last", 1, WORD - 1, 0), ("with-text", 1, 1, 100)):
        v = vector(f"v06-bare-ack/{name}", "An ACK that no SYN went before opens nothing: it is answered by RST", "MUST", "RFC 9293 3.10.7.2 second",
                   "CVE-2001-0851: with SYN cookies an ACK alone could open a port. A stack without cookies has nothing that an ACK could open; "
                   "one with them opens nothing here, as no SYN was ever refused", "RFC9293-3.10.7.2-2", family="" if text else "attack/v06-bare-ack")
        v.listens().sends(f"{'P' if text else ''}. {seq}:{seq + text}({text}) ack {ack} win 65535", "0").expect(f"R {ack}:{ack}(0)")
        if seq == 0:
            opens(v)
        yield v


def reflection():
    v = vector("v34-text-to-nobody", "1460 octets for nobody are answered by one RST of 20 octets and nothing else", "MUST", "RFC 9293 3.10.7.1",
               "Bock et al. 2021 (weaponizing middleboxes): who answers text without a handshake amplifies", "RFC9293-3.10.7.1-1")
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("bind(3, ..., ...) = 0")
    for i in range(3):
        v.sends(f"P. {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1 win 65535").expect("R 1:1(0)")
    v.note("an hour of silence")
    yield v.call("unread(3) = ...", "3600")


# ---- V08: end of life --------------------------------------------------------------------------------------------------------------------


def ends_of_life():
    def start(name, title, note, **head):
        return vector(f"v08-end/{name}", title, "practice", "RFC 9293 3.8.3", note, needs="virtual-time half-close",
                      settings=PLAIN + " r2=10s orphan=10s fin-wait=10s", **head).passive()

    v = start("netkill", "The user has left, the peer is silent: text that waits is given up with the connection",
              "Netkill 2000, CVE-2000-1039 (Naptha): servers kept full send queues in FIN-WAIT-1 for ever")
    v.call("write(4, ..., 20000) = 20000").call("close(4) = 0")
    for at in (1, 1 + MSS, 1 + 2 * MSS):
        v.expect(f". {at}:{at + MSS}({MSS}) ack 1")
    for wait in (1, 2, 4):
        v.expect(f". 1:{1 + MSS}({MSS}) ack 1", str(wait))
    yield gone(v, 1, 1, "3.5")
    v = start("zero-window", "The user has left, the peer answers every probe and never opens its window: it does not keep the connection",
              "CVE-2009-1926: orphans in FIN-WAIT-1 before a window of zero never died")
    v.sends(". 1:1(0) ack 1 win 0").call("write(4, ..., 1000) = 1000").call("close(4) = 0")
    for wait in ("1", "1.99", "3.99"):
        v.expect(". 1:2(1) ack 1", wait).sends(". 1:1(0) ack 1 win 0")
    yield gone(v, 1, 1, "4")
    v = start("last-ack", "In LAST-ACK a silent peer keeps nothing", "CVE-2015-5358 (Junos, FreeBSD SA-15:13): sockets stayed in LAST-ACK for ever")
    v.sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2", "0~.5").call("close(4) = 0").expect("F. 1:1(0) ack 2")
    for wait in (1, 2, 4):
        v.expect("F. 1:1(0) ack 2", str(wait))
    yield gone(v, 2, 1, "3.5")
    v = start("last-ack-zero-window", "In LAST-ACK with text before a window of zero the connection ends all the same",
              "CVE-2015-5358: the peer's window was what kept LAST-ACK alive")
    v.sends("F. 1:1(0) ack 1 win 0").expect(". 1:1(0) ack 2", "0~.5").call("write(4, ..., 100) = 100").call("close(4) = 0")
    for wait in ("1", "1.99", "3.99"):
        v.expect(". 1:2(1) ack 2", wait).sends(". 2:2(0) ack 1 win 0")
    yield gone(v, 2, 1, "4")
    v = start("closing", "In CLOSING a silent peer keeps nothing", "CVE-2000-1039 (Naptha): every state can be abandoned")
    v.call("close(4) = 0").expect("F. 1:1(0) ack 1").sends("F. 1:1(0) ack 1 win 65535").expect(". 2:2(0) ack 2")
    for wait in ("0.99", "2", "4"):
        v.expect("F. 1:1(0) ack 2", wait)
    yield gone(v, 2, 2, "4")
    v = start("crafted-fin", "FINs out of place while the connection closes leave nothing behind in CLOSE-WAIT",
              "CVE-2010-0149: a crafted segment during the close left connections in CLOSE-WAIT")
    v.sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2", "0~.5").sends("F. 1:1(0) ack 1 win 0").expect(". 1:1(0) ack 2")
    v.sends("FP. 1:101(100) ack 1 win 65535").sends("F. 5:5(0) ack 1 win 65535")
    v.state("CLOSE-WAIT").call("close(4) = 0").expect("F. 1:1(0) ack 2").sends(". 2:2(0) ack 2 win 65535")
    yield gone(v, 2, 2)


# ---- V09: windows ------------------------------------------------------------------------------------------------------------------------


def zero_windows():
    for count in range(9):
        v = vector(f"v09-reopened/at-probe-{count}", f"The window stays zero for {count} probes and then opens: all that waited goes", "MUST",
                   "RFC 9293 3.8.6.1", "RFC 2525, lwIP bugs 34426 and 50837: the window opened and the sender never learnt of it", "MUST-36 MUST-37",
                   needs="virtual-time", settings=PLAIN + " nagle=0 persist-max=60s rto-max=60s", family="attack/v09-reopened").passive()
        v.sends(". 1:1(0) ack 1 win 0").call("write(4, ..., 2000) = 2000")
        wait = 1.0
        for i in range(count):
            v.expect(". 1:2(1) ack 1", f"{wait if i == 0 else wait - .01:.2f}").sends(". 1:1(0) ack 1 win 0")
            wait = min(2 * wait, 60)
        v.note("the update is lost; the next probe asks again").expect(". 1:2(1) ack 1", f"{wait if count == 0 else wait - .01:.2f}")
        v.sends(". 1:1(0) ack 2 win 65535").expect(f". 2:{2 + MSS}({MSS}) ack 1").expect(f"P. {2 + MSS}:2001({1999 - MSS}) ack 1")
        v.sends(". 1:1(0) ack 2001 win 65535")
        yield alive(v, 1, 2001)
    v = vector("v09-user-timeout", "A window that closes over text in flight, with a user timeout: a few segments, then the end", "practice", "RFC 9293 3.8.3",
               "CVE-2024-41007: with a user timeout the segment went again every two milliseconds for minutes",
               needs="virtual-time user-timeout", settings=PLAIN + " r2=600s").passive()
    v.call("setsockopt(4, IPPROTO_TCP, TCP_USER_TIMEOUT, [8000], 4) = 0").call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1")
    v.sends(". 1:1(0) ack 1 win 0")
    v.note("the peer is silent from now on")
    for wait in ("0.99", "2", "4"):
        v.expect(". 1:2(1) ack 1", wait)
    gone(v, 1, 1, "2")
    yield v
    v = vector("v09-huge-window", "However much window the peer gives, only the send buffer is filled", "practice", "RFC 9293 3.8.6",
               "CVE-2007-0086, CVE-2007-0087: a peer with a window of a gigabyte makes a server hold as much", needs="window-scale",
               settings=PLAIN + " send-buffer=8192 timestamps=0 sack=0 receive-buffer=32768")
    v.passive(offer="mss 1460,nop,wscale 14", answer="mss 1460,nop,wscale 0")
    v.call("fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0").call("write(4, ..., 100000) = 8192")
    for at in (1, 1 + MSS, 1 + 2 * MSS):
        v.expect(f". {at}:{at + MSS}({MSS}) ack 1")
    v.call("write(4, ..., 1000) = -1 EAGAIN (Resource temporarily unavailable)").call("unacked(4) = 8192")
    yield v
    v = vector("v09-sockstress", "A peer that answers probes for an hour and gives no window: the user can end it at once", "MUST", "RFC 9293 3.8.6.1",
               "CVE-2008-4609 (Sockstress): a connection that is kept open by answered probes is the user's to end (RFC 6429)", "MUST-37",
               needs="virtual-time", settings=PLAIN + " persist-max=60s rto-max=60s").passive()
    v.sends(". 1:1(0) ack 1 win 0").call("write(4, ..., 1000) = 1000")
    for i, wait in enumerate([1, 2, 4, 8, 16, 32] + [60] * 59):
        v.expect(". 1:2(1) ack 1", f"{wait if i == 0 else wait - .01:.2f}").sends(". 1:1(0) ack 1 win 0")
    v.call("unacked(4) = 1000").call("abort(4) = 0", "1").expect("R 2:2(0)")
    yield gone(v)


# ---- V10, V41: text out of order ---------------------------------------------------------------------------------------------------------


def out_of_order():
    v = vector("v10-every-second-octet", "400 octets each after a hole: the next one in order is taken, and the stream completes", "MUST", "RFC 9293 3.10.7.4 seventh",
               "CVE-2004-0171, CVE-2018-5390 (SegmentSmack), FreeBSD-EN-19:02: out-of-order text without a bound, or a bound that also refused RCV.NXT",
               "SHLD-31").passive()
    for i in range(400):
        v.sends(f". {3 + 2 * i}:{4 + 2 * i}(1) ack 1 win 65535", ".001").expect(". 1:1(0) ack 1")
    v.note("the first hole is filled: the octet after it was there").sends(". 1:3(2) ack 1 win 65535").expect(". 1:1(0) ack 4")
    v.note("and now all, as a sender would after a timeout").sends("P. 4:804(800) ack 1 win 65535").expect(". 1:1(0) ack 804", "0~.5")
    yield alive(v, 804, 1, 813)
    v = vector("v10-overlaps", "200 overlapping pieces beyond a hole are one piece", "MUST", "RFC 9293 3.10.7.4 seventh",
               "wolfIP 6e1f584: overlapping segments took a place each until none was left", "SHLD-31").passive()
    for i in range(200):
        v.sends(f". {3 + i}:{13 + i}(10) ack 1 win 65535", ".001").expect(". 1:1(0) ack 1")
    v.sends(". 1:3(2) ack 1 win 65535").expect(". 1:1(0) ack 212", "0~.5")
    yield alive(v, 212, 1, 221)


# ---- V12: SACK ---------------------------------------------------------------------------------------------------------------------------


def sack_blocks():
    una, nxt = 1 + MSS, 1 + 5 * MSS
    points = {"una-minus-2-31": una - 2**31, "una-minus-1": una - 1, "una": una, "inside": una + MSS, "nxt": nxt, "nxt-plus-1": nxt + 1,
              "una-plus-2-31": una + 2**31, "nxt-plus-2-31": nxt + 2**31}
    for first, start in points.items():
        for last, end in points.items():
            if una <= start < end <= nxt:
                continue  # octets that are in flight
            v = vector(f"v12-block/{first}/{last}", f"Three SACK blocks from {first} to {last} are of nothing that is in flight: nothing follows", "practice", "RFC 2018 5",
                       "OpenBSD 1998-2026: the start was not held against SND.UNA and the signed comparison was true both ways; CVE-2005-0960, CVE-2010-0242",
                       "RFC2018-5-1", needs="sack", settings=PLAIN + " timestamps=0 window-scale=0", family="attack/v12-block")
            v.passive(offer="mss 1460,nop,nop,sackOK", answer="mss 1460,nop,nop,sackOK").call("write(4, ..., 7300) = 7300")
            for i in range(5):
                v.expect(f"{'P' if i == 4 else ''}. {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1")
                if i == 2:
                    v.sends(f". 1:1(0) ack {una} win 65535")
            for _ in range(3):
                v.sends(f". 1:1(0) ack {una} win 65535 <nop,nop,sack {start % WORD}:{end % WORD}>")
            v.note("only the timer sends again").expect(f". {una}:{una + MSS}({MSS}) ack 1", "0.97")
            v.sends(f". 1:1(0) ack {nxt} win 65535")
            yield alive(v, 1, nxt)
    for isn in (WORD - 1, WORD - 1000, WORD - 250, WORD - 101, 2**31 - 250, 2**31 - 1, 2**31 - 101, 2**31 - 1000):
        v = vector(f"v12-own-blocks/isn-{isn}", f"The blocks we send are right with a peer's ISN of {isn}", "MUST", "RFC 2018 4",
                   "smoltcp: the edges of its own blocks overflowed and the program ended; wolfIP e4b4efa, b491cf3", needs="sack",
                   settings="timestamps=0 window-scale=0", family="attack/v12-own-blocks")
        v.listens().sends(f"S {isn}:{isn}(0) win 65535 <mss 1460,nop,nop,sackOK>", "0").expect(f"S. 0:0(0) ack {(isn + 1) % WORD} <mss 1460,nop,nop,sackOK>")

        def at(n, isn=isn):
            return (isn + n) % WORD

        def text(n, length, at=at):
            return f". {at(n)}:{at(n + length)}({length}) ack 1 win 65535"

        v.sends(f". {at(1)}:{at(1)}(0) ack 1 win 65535").call("accept(3, ..., ...) = 4")
        v.sends(text(101, 100)).expect(f". 1:1(0) ack {at(1)} <nop,nop,sack {at(101)}:{at(201)}>")
        v.sends(text(301, 700)).expect(f". 1:1(0) ack {at(1)} <nop,nop,sack {at(301)}:{at(1001)} {at(101)}:{at(201)}>")
        v.sends(text(1, 100)).expect(f". 1:1(0) ack {at(201)} <nop,nop,sack {at(301)}:{at(1001)}>")
        v.sends(text(201, 100)).expect(f". 1:1(0) ack {at(1001)}", "0~.5").call("unread(4) = 1000")
        yield v


# ---- V13, V14: numbers of the SYN --------------------------------------------------------------------------------------------------------


def segment_sizes():
    for mss in (0, 1, 8, 40, 48, 64, 87, 88, 89, 536, 1459, 1460, 1461, 9000, 65535):
        size = min(max(mss or 440, 88), MSS)  # an MSS of 0 says nothing: IPv4 has 536 then, IPv6 1220
        said = f"segments have {size} octets" if mss else "it is as if it had said nothing"
        for way in ("passive", "active"):
            v = vector(f"v13-mss/{way}-{mss}", f"The peer's SYN says MSS {mss}: {said}", "practice", "RFC 9293 3.7.1",
                       "lwIP bug 22249, CVE-2018-16523, CVE-2023-35847: division by an MSS of 0; CVE-2019-11479, EDB-20997: floods of tiny segments. "
                       "The floor of 88 is a choice (weir.h: mss_min)", settings=PLAIN + " timestamps=0 sack=0 window-scale=0", family=f"attack/v13-mss/{way}")
            if way == "passive":
                v.passive(offer=f"mss {mss}")
            else:
                v.active(answer=f"mss {mss}")
            if mss:
                v.call(f"write({v.fd}, ..., {2 * size}) = {2 * size}")
                v.expect(f". 1:{1 + size}({size}) ack 1").expect(f"P. {1 + size}:{1 + 2 * size}({size}) ack 1")
            else:
                for at in (1, 1 + size):
                    v.call(f"setsockopt({v.fd}, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0").call(f"write({v.fd}, ..., {size}) = {size}")
                    v.expect(f"P. {at}:{at + size}({size}) ack 1")
            v.sends(f". 1:1(0) ack {1 + 2 * size} win 65535")
            yield alive(v, 1, 1 + 2 * size)


def shifts():
    for shift in (14, 15, 16, 31, 32, 64, 128, 254, 255):
        v = vector(f"v14-shift/{shift}", f"A shift of {shift} is used as 14", "MUST", "RFC 7323 2.3",
                   "RFC 1323 and CVE-2026-31495: a larger shift makes windows beyond 2^30, or a shift that C does not define", "RFC7323-2.3-2",
                   needs="window-scale", settings="initial-window=10 congestion=reno send-buffer=65536 receive-buffer=32768 timestamps=0 sack=0", family="attack/v14-shift")
        v.passive(offer=f"mss 1460,nop,wscale {shift}", answer="mss 1460,nop,wscale 0", ack_win=4).call("write(4, ..., 14600) = 14600")
        for i in range(10):
            v.expect(f"{'P' if i == 9 else ''}. {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1")
        v.note("the congestion window grows to 13 segments")
        for i in (3, 6, 10):
            v.sends(f". 1:1(0) ack {1 + i * MSS} win 1")
        v.call("write(4, ..., 20000) = 20000")
        for i in range(10, 21):
            v.expect(f". {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1")
        v.note("of 16384 octets 324 are left: too few for a segment").sends(f". 1:1(0) ack {1 + 21 * MSS} win 1")
        v.expect(f". {1 + 21 * MSS}:{1 + 22 * MSS}({MSS}) ack 1").expect(f". {1 + 22 * MSS}:{1 + 23 * MSS}({MSS}) ack 1")
        v.sends(f". 1:1(0) ack {1 + 23 * MSS} win 1").expect(f"P. {1 + 23 * MSS}:34601({34600 - 23 * MSS}) ack 1").sends(". 1:1(0) ack 34601 win 1")
        yield v.state("ESTABLISHED")
    for window in (0, 1, 2, 87, 255, 256, 32767, 32768, 65534, 65535):
        v = vector(f"v14-window/{window}", f"A window of {window} that comes and goes does no harm", "MUST", "RFC 9293 3.1",
                   "EDB-22970 (ScreenOS): some values of the window field stopped the machine", family="attack/v14-window").passive()
        v.sends(f". 1:1(0) ack 1 win {window}").sends(". 1:1(0) ack 1 win 65535")
        yield alive(v)


# ---- V16: clocks -------------------------------------------------------------------------------------------------------------------------


def clocks():
    for days in (24, 25, 49, 50, 100, 200):
        value = (1010 + days * DAY * 1000) % WORD
        v = vector(f"v16-idle/{days}-days", f"{days} days of silence and the peer's clock has wrapped: the connection goes on", "MUST", "RFC 7323 5.5",
                   "After 2^31 ticks every timestamp looks old: who keeps TS.Recent for ever never hears the peer again", "RFC7323-5.5-1",
                   needs="timestamps paws virtual-time", family="attack/v16-idle")
        v.passive(offer="mss 1460," + TS.format(1000, 0), answer="mss 1460," + TS.format(100, 1000), ack_options=TS.format(1010, 100))
        v.sends("P. 1:11(10) ack 1 win 65535 <" + TS.format(value, 100) + ">", str(days * DAY)).expect(". 1:1(0) ack 11 <" + TS.format(120, value) + ">", "0~.5")
        yield v.call("unread(4) = 10")
    for name, seconds in (("2-31-us", 2**31 / 1e6), ("2-32-us", 2**32 / 1e6), ("2-31-ms", 2**31 / 1e3), ("2-32-ms", 2**32 / 1e3)):
        v = vector(f"v16-wrap/{name}", f"Timers run as ever when {name.replace('-', ' ')} go by: retransmission, and TIME-WAIT ends", "MUST", "RFC 9293 3.4.2",
                   "XNU 2026: after 49.7 days TCP's clock stood still and TIME-WAIT never ended; FreeBSD syncache: timers wrong while ticks were negative",
                   needs="virtual-time half-close time-wait", settings=PLAIN + " msl=2s", family="attack/v16-wrap").passive()
        v.call("write(4, ..., 1000) = 1000", f"{seconds - .51:.2f}").expect("P. 1:1001(1000) ack 1").expect("P. 1:1001(1000) ack 1", "1")
        v.sends(". 1:1(0) ack 1001 win 65535").call("shutdown(4, SHUT_WR) = 0").expect("F. 1001:1001(0) ack 1").sends("F. 1:1(0) ack 1002 win 65535")
        v.expect(". 1002:1002(0) ack 2").state("TIME-WAIT", "3.9").state("CLOSED", ".2")
        yield v


# ---- V17: timestamps ---------------------------------------------------------------------------------------------------------------------


def timestamps():
    for name, value in (("plus-1", 1011), ("plus-2-30", 1010 + 2**30), ("plus-2-31-minus-1", 1010 + 2**31 - 1)):
        for kind, segment, answered in (("old-text", "P. 1:11(10) ack 1 win 65535", True), ("beyond-window", "P. 200001:200011(10) ack 1 win 65535", True),
                                        ("ack-of-nothing", ". 11:11(0) ack 90001 win 65535", True), ("syn", "S 11:11(0) win 65535", True),
                                        ("hole", "P. 21:31(10) ack 1 win 65535", True), ("reset", "R 12:12(0)", True)):
            v = vector(f"v17-recent/{kind}-{name}", f"A forged segment ({kind.replace('-', ' ')}) with TSval {name} does not move TS.Recent", "MUST", "RFC 7323 4.3",
                       "CVE-2005-0356: the connection froze, as TS.Recent was taken from a segment that was then discarded", "RFC7323-4.3-1",
                       needs="timestamps paws rfc5961", settings="sack=0 window-scale=0", family=f"attack/v17-recent/{kind}")
            v.passive(offer="mss 1460," + TS.format(1000, 0), answer="mss 1460," + TS.format(100, 1000), ack_options=TS.format(1010, 100))
            v.sends("P. 1:11(10) ack 1 win 65535 <" + TS.format(1010, 100) + ">").expect(". 1:1(0) ack 11 <" + TS.format(110, 1010) + ">", "0~.5")
            v.sends(segment + " <" + TS.format(value, 100) + ">", ".6")
            if answered:
                v.expect(". 1:1(0) ack 11 <" + TS.format(120, 1010) + ">")
            v.sends("P. 11:21(10) ack 1 win 65535 <" + TS.format(1010, 100) + ">").expect(f". 1:1(0) ack {31 if kind == 'hole' else 21} <" + TS.format(130, 1010) + ">", "0~.5")
            yield v.call(f"unread(4) = {30 if kind == 'hole' else 20}")
    for name, echo in (("zero", 0), ("future", 20000), ("quarter", 2**30), ("half", 2**31), ("three-quarters", 3 * 2**30)):
        v = vector(f"v17-echo/{name}", f"A TSecr of no segment of ours ({name.replace('-', ' ')}) gives no time, and does no harm", "practice", "RFC 7323 4.1",
                   "CVE-2005-0740: a strange TSecr overflowed the round-trip time", needs="timestamps virtual-time", settings=PLAIN + " sack=0 window-scale=0",
                   family="attack/v17-echo")
        v.passive(offer="mss 1460," + TS.format(1000, 0), answer="mss 1460," + TS.format(100, 1000), ack_options=TS.format(1010, 100))
        v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1 <" + TS.format(110, 1010) + ">")
        v.expect("P. 1:1001(1000) ack 1 <" + TS.format(120, 1010) + ">", "1")
        v.note("Karn: only TSecr could say which of the two was acknowledged").sends(". 1:1(0) ack 1001 win 65535 <" + TS.format(1020, echo) + ">")
        v.call("write(4, ..., 1000) = 1000").expect("P. 1001:2001(1000) ack 1 <" + TS.format(130, 1020) + ">")
        v.note("the backoff stands").expect("P. 1001:2001(1000) ack 1 <" + TS.format(140, 1020) + ">", "2")
        v.sends(". 1:1(0) ack 2001 win 65535 <" + TS.format(1030, 140) + ">").call("unacked(4) = 0")
        yield v


# ---- V18: options ------------------------------------------------------------------------------------------------------------------------


def options():
    wrong = {"mss-2": "kind 2,eol,eol", "mss-3": "kind 2 05,eol", "mss-5": "kind 2 05b400,nop,nop,nop", "window-scale-2": "kind 3,nop,nop", "window-scale-4": "kind 3 0e0e",
             "sack-permitted-3": "kind 4 00,nop", "sack-3": "kind 5 00,nop", "sack-9": "kind 5 00000000000000,nop,nop,nop", "timestamps-9": "kind 8 00000000000000,nop,nop,nop",
             "timestamps-11": "kind 8 000000000000000000,nop"}
    for name, option in wrong.items():
        v = vector(f"v18-wrong-size/{name}", f"Segments with an option of a wrong size ({name}) are dropped and end nothing", "practice", "RFC 9293 3.1",
                   "CVE-2019-12258 (URGENT/11): a malformed option in a forged segment ended the connection, no number asked; FreeRTOS PR 360, wolfIP bf2c625",
                   "MUST-7", family=f"attack/v18-wrong-size/{name.rsplit('-', 1)[0]}", settings="require-timestamps=0").passive()
        for segment in ("P. 1:11(10) ack 1 win 65535", ". 1:1(0) ack 1 win 0", "S 5:5(0) win 65535", "R 900000:900000(0)", ". 900000:900000(0) ack 1 win 65535",
                        "R 1:1(0)", "F. 1:1(0) ack 1 win 65535"):
            v.sends(f"{segment} <{option}>")
        v.call("unread(4) = 0", ".6")
        yield alive(v)
    for kind in (6, 7, 11, 12, 13, 19, 29, 30, 34, 69, 253, 254, 255):
        for octets in (0, 1, 2, 16, 38):
            if kind == 30 and octets == 0 or kind == 34 and octets:
                continue
            pad = "".join(",eol" for _ in range(-(2 + octets) % 4))
            v = vector(f"v18-unasked/kind-{kind}-{2 + octets}", f"An option of kind {kind} and size {2 + octets} that nobody asked for does no harm", "MUST", "RFC 9293 3.2",
                       "CVE-2019-12260, CVE-2024-39559: options of authentication that were not expected ended machines; T/TCP (11 to 13) opened a way past the handshake",
                       "MUST-6", family="attack/v18-unasked").passive()
            if kind in (6, 7, 11, 12, 13, 255):
                v.sends(f"P. 1:11(10) ack 1 win 65535 <kind {kind}{' ' + '5a' * octets if octets else ''}{pad}>").expect(". 1:1(0) ack 11", "0~.5")
            v.sends(f"R 900000:900000(0) <kind {kind}{' ' + '5a' * octets if octets else ''}{pad}>")
            yield alive(v, 11, 1, 20) if kind in (6, 7, 11, 12, 13, 255) else alive(v)
    for name, option in (("t-tcp-11", "kind 11 00000001,nop,nop"), ("t-tcp-12", "kind 12 00000001,nop,nop"), ("t-tcp-13", "kind 13 00000001,nop,nop"),
                         ("fast-open", "kind 34 0102030405060708,nop,nop")):
        v = vector(f"v21-text-of-syn/{name}", "Text that comes with a SYN is not shown before the handshake is over, whatever options it has", "MUST", "RFC 9293 3.10.7.2 third",
                   "CVE-1999-0414, T/TCP 1998, CVE-2018-6794, CVE-2021-1224, CVE-2024-45397: text of a sender that nobody had proved", "RFC9293-3.10.7.2-3",
                   family="" if name == "fast-open" else "attack/v21-text-of-syn", settings="timestamps=0 sack=0 window-scale=0")
        v.listens().sends(f"S 0:100(100) win 65535 <mss 1460,{option}>").expect("S. 0:0(0) ack 1 <mss 1460>")
        v.note("nobody can accept it yet").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0").call("accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)")
        v.sends(". 1:1(0) ack 1 win 65535").call("accept(3, ..., ...) = 4").call("unread(4) = 0")
        yield alive(v)


# ---- V20: urgent -------------------------------------------------------------------------------------------------------------------------


def urgent():
    for octets in (0, 1, 2, 8):
        for pointer in sorted({0, 1, max(octets - 1, 0), octets, octets + 1, 32768, 65535}):
            v = vector(f"v20-pointer/{octets}-octets-{pointer}", f"{octets} octets with an urgent pointer of {pointer}: all of them are there, in line", "MUST", "RFC 6093 4",
                       "CVE-2019-12255 (URGENT/11), CVE-2020-17437, CVE-2021-21005, CVE-2021-31400, Contiki a657bc6f4: a pointer of 0 or beyond the text; "
                       "CVE-2024-55629: in line or not changes the stream", "MUST-31 RFC6093-6-1", needs="urgent", family="attack/v20-pointer").passive()
            v.call("setsockopt(4, SOL_SOCKET, SO_OOBINLINE, [1], 4) = 0").sends(f"PU. 1:{1 + octets}({octets}) ack 1 win 65535 urg {pointer}")
            if octets:
                v.expect(f". 1:1(0) ack {1 + octets}", "0~.5")
            v.sends(f"P. {1 + octets}:{11 + octets}(10) ack 1 win 65535").expect(f". 1:1(0) ack {11 + octets}", "0~.5")
            if octets + 10 > 0:
                v.call(f"unread(4) = {octets + 10}").note("reading makes progress until all is read")
            for _ in range(octets + 10):
                v.call("read(4, ..., 1) = 1")
            yield v.call("unread(4) = 0").state("ESTABLISHED")
    for name, pointer in (("0", 0), ("1", 1), ("65535", 65535)):
        v = vector(f"v20-opening/passive-{name}", f"URG on the SYN, and on the ACK of the handshake, with a pointer of {name}", "MUST", "RFC 9293 3.10.7.2 third",
                   "CVE-2019-12261 (URGENT/11): urgent state of the open was left for the connection", needs="urgent", family="attack/v20-opening/passive")
        v.listens().sends(f"SU 0:0(0) win 65535 urg {pointer} <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(f"U. 1:1(0) ack 1 win 65535 urg {pointer}")
        yield alive(v.call("accept(3, ..., ...) = 4"))
        v = vector(f"v20-opening/active-{name}", f"URG on the SYN,ACK with a pointer of {name}", "MUST", "RFC 9293 3.10.7.3 fourth",
                   "CVE-2019-12261 (URGENT/11)", needs="urgent", settings="timestamps=0 sack=0 window-scale=0", family="attack/v20-opening/active")
        v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
        v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>")
        v.fd = 3
        yield alive(v.sends(f"SU. 0:0(0) ack 1 win 65535 urg {pointer} <mss 1460>").expect(". 1:1(0) ack 1"))


# ---- V21, V27: control bits --------------------------------------------------------------------------------------------------------------


def control_bits():
    for name, flags, answer, note in (
            ("syn-rst", "SR", "", "CVE-2002-2438: SYN with RST passed filters and was taken for a SYN"),
            ("null", "-", "", "Null scan"),
            ("fin", "F", "", "FIN scan"),
            ("xmas", "FPU", "", "Xmas scan"),
            ("push-urgent", "PU", "", "VU#464113: nonsense in the control bits"),
            ("syn-ack", "S.", "R 1:1(0)", "SecurityTracker 1004557 (ZyXEL): SYN,ACK to a listener"),
            ("fin-ack", "F.", "R 1:1(0)", "CVE-2002-1712: FIN,ACK to a listener leaked memory"),
            ("ack", ".", "R 1:1(0)", "CVE-2019-15134: an ACK before any SYN leaked the packet"),
            ("syn-fin-rst", "SFR", "", "CVE-2024-39561: mixes that pass filters"),
            ("all", "FSRPU.", "", "picoTCP issue 142: a RST was answered by RST"),
            ("rst", "R", "", "smoltcp 1058, gVisor 77dc0f5bc: a RST disturbed the listener"),
            ("rst-ack", "R.", "", "picoTCP issue 142"),
            ("rst-fin", "FR", "", "picoTCP issue 142"),
            ("rst-push-urgent", "RPU", "", "picoTCP issue 142"),
            ("rst-ecn", "REW.", "", "picoTCP issue 142")):
        v = vector(f"v21-listen/{name}", f"A listener {'answers' if answer else 'does not answer'} {name.replace('-', ', ').upper()}, opens nothing, and serves the next", "MUST", "RFC 9293 3.10.7.2",
                   note, family="attack/v21-listen")
        v.listens().sends(f"{flags} 0:0(0){' ack 1' if '.' in flags else ''} win 65535", "0")
        if answer:
            v.expect(answer)
        yield opens(v.call("fcntl(3, F_SETFL, O_RDWR) = 0", "2"))
    v = vector("v21-syn-fin", "SYN with FIN opens as the SYN would; the FIN is not taken, as its sender is not proved", "MUST", "RFC 9293 3.10.7.2 third",
               "CVE-2012-6638, CVE-2012-2663, FreeBSD D30627: SYN,FIN took more than a SYN does, or began a war of ACKs. RFC 9293 opens on it", "RFC9293-3.10.7.2-3",
               settings="r2-syn=7s", needs="virtual-time")
    v.listens().sends("SF 0:0(0) win 65535 <mss 1460>", "0").expect("S. 0:0(0) ack 1 <mss 1460>")
    v.sends(". 1:1(0) ack 1 win 65535").call("accept(3, ..., ...) = 4").state("ESTABLISHED")
    yield alive(v)
    v = vector("v21-reset-of-half-open", "A RST in SYN-RECEIVED takes the half-open connection and leaves the listener", "MUST", "RFC 9293 3.10.7.4 second",
               "wolfIP F5785, 9daef19: RST or timeout in SYN-RECEIVED destroyed the listener", rows="R2@SYN-RECEIVED")
    v.listens()
    for _ in range(20):
        v.sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends("R 1:1(0)")
    yield opens(v)
    v = vector("v21-two-fins", "FIN comes three times: one is taken, and what we send still goes", "MUST", "RFC 9293 3.10.7.4 eighth",
               "TLDK, TCP-Fuzz 2021: after two FINs write failed", needs="half-close").passive()
    v.sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2", "0~.5").sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2")
    v.sends("F. 1:1(0) ack 1 win 65535").expect(". 1:1(0) ack 2").state("CLOSE-WAIT").call("unread(4) = 0")
    v.call("write(4, ..., 100) = 100").expect("P. 1:101(100) ack 2").sends(". 2:2(0) ack 101 win 65535").call("unacked(4) = 0").state("CLOSE-WAIT")
    yield v
    for ace in range(8):
        v = vector(f"v21-bits/{ace}", f"AE, CWR and ECE as {ace} on a connection without ECN are disregarded", "MUST", "RFC 9293 3.1",
                   "wolfIP b0ee2cc: bits beside the data offset changed it", family="attack/v21-bits", settings="ecn=0").passive()
        v.sends(f"P.{ace} 1:11(10) ack 1 win 65535").expect(". 1:1(0) ack 11", "0~.5")
        yield alive(v, 11, 1, 20)


def split_handshakes():
    def start(name, title):
        v = vector(f"v21-split-handshake/{name}", title, "MUST", "RFC 9293 3.5", "Beardsley and Qian 2010, the TCP split handshake: monitors lose track of who opened",
                   "MUST-10", settings="timestamps=0 sack=0 window-scale=0")
        v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
        v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>")
        v.fd = 3
        return v

    v = start("syn-then-ack", "SYN is answered by SYN: a simultaneous open, which an ACK completes")
    yield alive(v.sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").state("SYN-RECEIVED").sends(". 1:1(0) ack 1 win 65535"))
    v = start("ack-syn-ack", "SYN is answered by ACK, then SYN: the ACK is passed over")
    yield alive(v.sends(". 0:0(0) ack 1 win 65535").state("SYN-SENT").sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535"))
    v = start("syn-then-syn-ack", "SYN is answered by SYN, and that by SYN,ACK")
    v.sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends("S. 0:0(0) ack 1 win 65535 <mss 1460>")
    v.note("its number is that of the SYN, before the window: acknowledged, no more").expect(". 1:1(0) ack 1").state("SYN-RECEIVED")
    yield alive(v.sends(". 1:1(0) ack 1 win 65535"))
    v = start("wrong-ack-then-syn", "SYN is answered by an ACK of something else, then SYN: RST for the one, SYN,ACK for the other")
    yield alive(v.sends(". 0:0(0) ack 7 win 65535").expect("R 7:7(0)").state("SYN-SENT").sends("S 0:0(0) win 65535 <mss 1460>").expect("S. 0:0(0) ack 1 <mss 1460>").sends(". 1:1(0) ack 1 win 65535"))


# ---- V24, V25, V31, V42: forged segments -------------------------------------------------------------------------------------------------


def forged():
    for name, syn in (("bare", "S 101:101(0) win 1"), ("of-our-syn", "S. 101:101(0) ack 1 win 1")):
        v = vector(f"v24-syn-options/{name}", "A SYN in the window changes no option of the connection", "MUST", "RFC 5961 4.2",
                   "CVE-2005-2068: options of a SYN that was not taken took effect", "RFC5961-4.2-2 RFC5961-4.2-3", needs="rfc5961", settings=PLAIN + " timestamps=1 sack=1 window-scale=1",
                   family="attack/v24-syn-options").passive()
        v.sends(syn + " <mss 100,nop,wscale 10,sackOK,TS val 5 ecr 0>").expect(". 1:1(0) ack 1").call(f"write(4, ..., {MSS}) = {MSS}")
        v.expect(f"P. 1:{1 + MSS}({MSS}) ack 1").sends(f". 1:1(0) ack {1 + MSS} win 65535")
        yield alive(v, 1, 1 + MSS)
    for name, segment, answer in (("reset-in", "R 21:21(0)", True), ("reset-out", "R 70001:70001(0)", False), ("syn-in", "S 11:11(0) win 65535", True),
                                  ("syn-out", "S 70001:70001(0) win 65535", True), ("text-behind", f"P. 11:21(10) ack {WORD - 70000} win 65535", True),
                                  ("text-ahead", "P. 11:21(10) ack 70001 win 65535", True), ("text-out", "P. 70001:70011(10) ack 11 win 65535", True),
                                  ("fin-behind", f"F. 11:11(0) ack {WORD - 70000} win 65535", True)):
        v = vector(f"v24-luckie/{name}", f"A blind segment ({name.replace('-', ', ')}) changes nothing", "SHOULD" if "behind" in name else "MUST", "RFC 5961 3.2",
                   "Luckie et al. 2015, Resilience of deployed TCP to blind attacks: what they sent to web servers and routers; CVE-2004-0230", needs="rfc5961", family=f"attack/v24-luckie/{name.split('-')[0]}").passive()
        v.call("write(4, ..., 10) = 10").expect("P. 1:11(10) ack 1").sends("P. 1:11(10) ack 11 win 65535").expect(". 11:11(0) ack 11", "0~.5")
        v.sends(segment, ".6")
        if answer:
            v.expect(". 11:11(0) ack 11")
        v.call("unread(4) = 10")
        yield alive(v, 11, 11, 20)
    for way in ("passive", "active"):
        for back in (1, 2, 1000, 32768, 65535, 65536, 2**30, 2**31 - 2):
            ack = (1 - back) % WORD
            v = vector(f"v25-ghost-ack/{way}-minus-{back}", f"On a fresh connection text with an ACK {back} before SND.UNA is not taken", "MAY", "RFC 5961 5.2",
                       "CVE-2023-52881 (Pan and Rossow): the range of RFC 5961 reaches back before the first octet, and a forged handshake could bring text in", "MAY-12 RFC5961-5.2-1 RFC5961-5.2-4",
                       needs="rfc5961", settings="timestamps=0 sack=0 window-scale=0", family=f"attack/v25-ghost-ack/{way}")
            (v.passive if way == "passive" else v.active)()
            v.sends(f"P. 1:11(10) ack {ack} win 65535").expect(". 1:1(0) ack 1").call(f"unread({v.fd}) = 0")
            yield alive(v)
    for name, at in (("before", 1), ("beyond", 5001), ("far", 2**31 + 2461)):
        v = vector(f"v26-quoted/{name}", f"A too-big message that could be true, but quotes octets {name} of those in flight, changes nothing", "practice",
                   "RFC 5927 4.1", "CVE-2004-0790, CVE-2004-1060: blind ICMP messages set the path MTU. The size is more than what has arrived, so that it "
                   "would be believed at once", "RFC5927-4.1-1", needs="icmp pmtud", family="attack/v26-quoted").passive()
        v.call("write(4, ..., 1000) = 1000").expect("P. 1:1001(1000) ack 1").sends(". 1:1(0) ack 1001 win 65535")
        v.call(f"write(4, ..., {MSS}) = {MSS}").expect(f"P. 1001:{1001 + MSS}({MSS}) ack 1")
        v.sends(f"icmp unreachable frag_needed mtu 1300 [{at}:{at + 1000}(1000)]").sends(f". 1:1(0) ack {1001 + MSS} win 65535")
        v.call(f"write(4, ..., {MSS}) = {MSS}").expect(f"P. {1001 + MSS}:{1001 + 2 * MSS}({MSS}) ack 1")
        yield v.sends(f". 1:1(0) ack {1001 + 2 * MSS} win 65535")
    v = vector("v31-old-segments", "Old text, an old ACK and resets beside RCV.NXT leave TIME-WAIT and its timer alone", "MUST", "RFC 9293 3.10.7.4",
               "RFC 1337, lwIP bug 26251: old segments ended TIME-WAIT early", needs="virtual-time half-close time-wait rfc5961", settings="msl=2s").passive()
    v.sends("P. 1:11(10) ack 1 win 65535").expect(". 1:1(0) ack 11", "0~.5").call("shutdown(4, SHUT_WR) = 0", ".5").expect("F. 1:1(0) ack 11")
    v.sends("F. 11:11(0) ack 2 win 65535").expect(". 2:2(0) ack 12").state("TIME-WAIT")
    v.sends("P. 1:11(10) ack 1 win 65535", "1").expect(". 2:2(0) ack 12").sends(". 5:5(0) ack 1 win 65535").expect(". 2:2(0) ack 12")
    v.sends("R 11:11(0)").sends("R 13:13(0)").expect(". 2:2(0) ack 12").sends("R 900000:900000(0)")
    v.state("TIME-WAIT", "2.9").state("CLOSED", ".2")
    yield v
    v = vector("v31-rfc1337", "Where RFC 1337 is asked for no RST ends TIME-WAIT, not even at RCV.NXT", "practice", "RFC 1337 3",
               "RFC 1337: a RST assassinates TIME-WAIT; FreeBSD and Linux have a switch against it", needs="virtual-time half-close time-wait",
               settings="msl=2s rfc1337=1", rows="R7@TIME-WAIT").passive()
    v.sends("P. 1:11(10) ack 1 win 65535").expect(". 1:1(0) ack 11", "0~.5").call("shutdown(4, SHUT_WR) = 0", ".5").expect("F. 1:1(0) ack 11")
    v.sends("F. 11:11(0) ack 2 win 65535").expect(". 2:2(0) ack 12").state("TIME-WAIT")
    v.sends("R 12:12(0)", "1").sends("R. 12:12(0) ack 2 win 0").sends("R 13:13(0)").state("TIME-WAIT")
    v.note("the timer is that of the FIN: it was not started anew").state("TIME-WAIT", "2.9").state("CLOSED", ".2")
    yield v
    v = vector("v31-rfc1337-left", "The same after the user has left", "practice", "RFC 1337 3", "RFC 1337", needs="virtual-time half-close time-wait",
               settings="msl=2s rfc1337=1").passive()
    v.call("close(4) = 0").expect("F. 1:1(0) ack 1").sends("F. 1:1(0) ack 2 win 65535").expect(". 2:2(0) ack 2")
    v.sends("R 2:2(0)", "1").note("the FIN again: somebody is still there").sends("F. 1:1(0) ack 2 win 65535").expect(". 2:2(0) ack 2")
    yield v
    for name, option in (("plain", ""), ("md5", " <nop,nop,kind 19 5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a>")):
        v = vector(f"v42-after-reset/{name}", f"After a RST that counts{' (with an MD5 option that nobody asked for)' if option else ''} nothing more is taken", "MUST", "RFC 9293 3.10.7.4 second",
                   "CVE-2018-14568: text after a RST was still delivered; CVE-2021-45098: monitors and hosts differ on a RST with an MD5 option", api="connection").passive()
        v.sends("P. 1:11(10) ack 1 win 65535").expect(". 1:1(0) ack 11", "0~.5").sends("R 11:11(0)" + option, ".6").state("CLOSED")
        v.sends("P. 11:21(10) ack 1 win 65535").expect("R 1:1(0)")
        yield v.call("unread(4) = 10").call("read(4, ..., 100) = 10")


# ---- V33: a peer that misbehaves ---------------------------------------------------------------------------------------------------------


def misbehaving():
    v = vector("v33-ack-division", "An acknowledgment in ten slices opens no more than one in one piece", "MUST", "RFC 5681 3.1",
               "Savage et al. 1999: who counts acknowledgments and not octets is driven by its receiver", "RFC5681-3.1-6", settings=PLAIN).passive()
    v.call("write(4, ..., 20440) = 20440")
    sent = 1
    for _ in range(3):
        v.expect(f". {sent}:{sent + MSS}({MSS}) ack 1")
        sent += MSS
    for i in range(1, 11):
        v.sends(f". 1:1(0) ack {1 + 146 * i} win 65535")
        if i in (5, 10):
            v.expect(f". {sent}:{sent + MSS}({MSS}) ack 1")
            sent += MSS
    v.note("from here as if it had been one").sends(f". 1:1(0) ack {1 + 2 * MSS} win 65535")
    for i in range(2):
        v.expect(f". {sent + i * MSS}:{sent + (i + 1) * MSS}({MSS}) ack 1")
    yield v.state("ESTABLISHED")
    v = vector("v33-duplicates-with-sack", "With SACK sixty duplicates that report nothing open nothing", "practice", "RFC 6675 2",
               "Savage et al. 1999: forged duplicate ACKs inflate the window", needs="sack",
               settings=PLAIN + " timestamps=0 window-scale=0")
    v.passive(offer="mss 1460,nop,nop,sackOK", answer="mss 1460,nop,nop,sackOK").call("write(4, ..., 29200) = 29200")
    for i in range(3):
        v.expect(f". {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1")
    for i in range(60):
        v.sends(". 1:1(0) ack 1 win 65535", ".001")
    v.note("only the timer sends again").expect(f". 1:{1 + MSS}({MSS}) ack 1", ".94").sends(f". 1:1(0) ack {1 + 3 * MSS} win 65535")
    for i in range(3, 5):
        v.expect(f". {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1")
    yield v.state("ESTABLISHED")
    v = vector("v33-duplicates-without-sack", "Without SACK sixty duplicates let no more go than were outstanding", "MAY", "RFC 5681 5",
               "Savage et al. 1999: each forged duplicate ACK lets a segment go in fast recovery. Three were outstanding, limited transmit adds two: five count",
               settings=PLAIN + " timestamps=0 window-scale=0 sack=0 prr=0", needs="limited-transmit").passive()
    v.call("write(4, ..., 29200) = 29200")
    for i in range(3):
        v.expect(f". {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1")
    for i in range(60):
        v.sends(". 1:1(0) ack 1 win 65535", ".001")
        if i == 2:
            v.expect(f". 1:{1 + MSS}({MSS}) ack 1")
        elif i < 5:
            at = 1 + (3 + i - (i > 2)) * MSS
            v.expect(f". {at}:{at + MSS}({MSS}) ack 1")
    v.note("recovery is over: the window is ssthresh, two segments").sends(f". 1:1(0) ack {1 + 7 * MSS} win 65535")
    for i in (7, 8):
        v.expect(f". {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1")
    yield v.state("ESTABLISHED")
    v = vector("v33-optimistic-ack", "Acknowledgments of what was not sent yet open nothing", "MUST", "RFC 9293 3.10.7.4 fifth",
               "Savage et al. 1999, VU#102014: optimistic ACKs make a server flood the net", "RFC9293-3.10.7.4-21", settings=PLAIN).passive()
    v.call("write(4, ..., 14600) = 14600")
    for i in range(3):
        v.expect(f". {1 + i * MSS}:{1 + (i + 1) * MSS}({MSS}) ack 1")
    for ahead in (1, MSS, 10 * MSS):
        v.sends(f". 1:1(0) ack {1 + 3 * MSS + ahead} win 65535").expect(f". {1 + 3 * MSS}:{1 + 3 * MSS}(0) ack 1")
    v.note("the true one opens what one acknowledgment does").sends(f". 1:1(0) ack {1 + MSS} win 65535")
    v.expect(f". {1 + 3 * MSS}:{1 + 4 * MSS}({MSS}) ack 1").expect(f". {1 + 4 * MSS}:{1 + 5 * MSS}({MSS}) ack 1")
    yield v


# ---- V46: checksums ----------------------------------------------------------------------------------------------------------------------


def checksums():
    note = "CVE-2005-3774, CVE-2006-3880, CVE-2006-4143: segments with a bad checksum took a place, time, or the machine"
    head = {"covers": "MUST-3"}
    v = vector("v46-checksum/listen", "A SYN with a bad checksum opens nothing and is not answered", "MUST", "RFC 9293 3.1", note, **head).listens()
    for flags in ("S", "S.", ".", "R", "F.", "-"):
        v.sends(f"[bad sum] {flags} 0:0(0){' ack 1' if '.' in flags else ''} win 65535")
    yield opens(v.call("fcntl(3, F_SETFL, O_RDWR) = 0", "2"))
    v = vector("v46-checksum/syn-sent", "A SYN,ACK and a RST with bad checksums are not seen", "MUST", "RFC 9293 3.1", note, settings="timestamps=0 sack=0 window-scale=0", **head)
    v.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3").call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
    v.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)").expect("S 0:0(0) <mss 1460>")
    v.fd = 3
    v.sends("[bad sum] S. 0:0(0) ack 1 win 65535 <mss 1460>").sends("[bad sum] R. 0:0(0) ack 1 win 0").sends("[bad sum] . 0:0(0) ack 9 win 0").state("SYN-SENT")
    yield alive(v.sends("S. 0:0(0) ack 1 win 65535 <mss 1460>").expect(". 1:1(0) ack 1"))
    v = vector("v46-checksum/syn-received", "An ACK and a RST with bad checksums are not seen in SYN-RECEIVED", "MUST", "RFC 9293 3.1", note, **head).listens()
    v.sends("S 0:0(0) win 65535 <mss 1460>", "0").expect("S. 0:0(0) ack 1 <mss 1460>").sends("[bad sum] . 1:1(0) ack 1 win 65535").sends("[bad sum] R 1:1(0)").sends("[bad sum] . 1:1(0) ack 7 win 1")
    v.call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0").call("accept(3, ..., ...) = -1 EAGAIN (Resource temporarily unavailable)")
    yield alive(v.sends(". 1:1(0) ack 1 win 65535").call("accept(3, ..., ...) = 4"))
    v = vector("v46-checksum/established", "Text, FIN, RST and SYN with bad checksums are not seen", "MUST", "RFC 9293 3.1", note, **head).passive()
    for segment in ("P. 1:11(10) ack 1 win 65535", "F. 1:1(0) ack 1 win 65535", "R 1:1(0)", "R 7:7(0)", "S 1:1(0) win 9", ". 1:1(0) ack 900 win 0", ". 1:1(0) ack 1 win 0", "U. 1:1(0) ack 1 win 1"):
        v.sends("[bad sum] " + segment)
    v.call("unread(4) = 0", ".6")
    yield alive(v)
    v = vector("v46-checksum/time-wait", "A RST and a SYN with bad checksums are not seen in TIME-WAIT", "MUST", "RFC 9293 3.1", note, needs="virtual-time half-close time-wait", settings="msl=2s", **head).passive()
    v.call("shutdown(4, SHUT_WR) = 0").expect("F. 1:1(0) ack 1").sends("F. 1:1(0) ack 2 win 65535").expect(". 2:2(0) ack 2")
    v.sends("[bad sum] R 2:2(0)").sends("[bad sum] S 900:900(0) win 65535 <mss 1460>").state("TIME-WAIT", "3.9").state("CLOSED", ".2")
    yield v


def vectors():
    for part in (half_open(), bare_acks(), reflection(), ends_of_life(), zero_windows(), out_of_order(), sack_blocks(), segment_sizes(), shifts(), clocks(), timestamps(), options(),
                 urgent(), control_bits(), split_handshakes(), forged(), misbehaving(), checksums()):
        yield from part


if __name__ == "__main__":
    write(vectors(), sys.argv[1])
