"""sender.py - a sender of full segments and its peer, for scenarios about the congestion window: who has sent what, when, and with which timestamps.

Knows the form of segments and the virtual clock; knows nothing of what a window should be."""
from pkt import Vector

TICK = 100      # of the stack's timestamp clock when the script begins, in milliseconds
PEER = 1000     # of the peer's


class Sender:
    """A connection that the peer opened, with `count` full segments queued. Times are milliseconds; `own_mss` is what the stack announces."""

    def __init__(self, name, title, level, section, covers, count, sack=False, stamps=False, mss=1460, own_mss=1460, rtt=10, **head):
        needs = ["virtual-time"] + ["sack"] * sack + ["timestamps"] * stamps + head.pop("needs", "").split()
        self.v = Vector(name, title, level, section, covers, needs=" ".join(needs), **head)
        self.stamps, self.mss, self.count = stamps, mss, count
        self.size = mss - (12 if stamps else 0)
        self.clock, self.next = 0, 0
        self.first, self.last = {}, {}  # when each segment went for the first and for the last time
        words = ",sackOK" if sack and stamps else ",nop,nop,sackOK" if sack else ",nop,nop" if stamps else ""
        tail = (f",TS val {PEER} ecr 0", f",TS val {TICK} ecr {PEER}") if stamps else ("", "")
        self.v.listens()
        self.v.sends(f"S 0:0(0) win 65535 <mss {mss}{words}{tail[0]}>", "0")
        self.v.expect(f"S. 0:0(0) ack 1 <mss {own_mss}{words}{tail[1]}>")
        self.recent, self.peer_seq = PEER, 1
        self.clock = rtt
        self.v.sends(f". 1:1(0) ack 1 win 65535{self.option(0)}", self.time(rtt))
        self.v.call("accept(3, ..., ...) = 4")
        self.v.call(f"write(4, ..., {count * self.size}) = {count * self.size}")

    @staticmethod
    def time(ms):
        return f"{ms / 1000:g}"

    def octet(self, n):
        """The first octet of segment n; n may be a fraction."""
        return 1 + int(n * self.size)

    def option(self, echo, *blocks):
        """The options of what the peer says now, which echoes what the stack sent at `echo`; a block is two segments."""
        words = []
        if self.stamps:
            words.append(f"nop,nop,TS val {PEER + self.clock} ecr {TICK + echo}")
            self.recent = PEER + self.clock
        if blocks:
            words.append("nop,nop,sack " + " ".join(f"{self.octet(a)}:{self.octet(b)}" for a, b in blocks))
        return f" <{','.join(words)}>" if words else ""

    # ---- the stack ----

    def segment(self, n, after):
        self.clock += after
        flags = "P." if n == self.count - 1 else "."
        tail = f" <nop,nop,TS val {TICK + self.clock} ecr {self.recent}>" if self.stamps else ""
        self.v.expect(f"{flags} {self.octet(n)}:{self.octet(n + 1)}({self.size}) ack {self.peer_seq}{tail}", self.time(after))
        self.first.setdefault(n, self.clock)
        self.last[n] = self.clock

    def new(self, count, after=0):
        """The stack sends the next `count` segments and no more."""
        for _ in range(count):
            self.segment(self.next, after)
            self.next += 1
            after = 0
        return self

    def again(self, *segments, after=0):
        for n in segments:
            self.segment(n, after)
            after = 0
        return self

    def write(self, count, after=0):
        """`count` full segments more are queued."""
        self.clock += after
        self.v.call(f"write(4, ..., {count * self.size}) = {count * self.size}", self.time(after))
        self.count += count
        return self

    # ---- the peer ----

    def ack(self, n, *blocks, after=10, echo=None, win=65535, flags="."):
        """It has all before segment n, and `blocks` besides. `echo` is the time at which the stack sent what it echoes; without it, when it
        sent segment n - 1 for the first time."""
        self.clock += after
        echo = self.first.get(int(n) - 1, 0) if echo is None else echo
        self.v.sends(f"{flags} {self.peer_seq}:{self.peer_seq}(0) ack {self.octet(n)} win {win}{self.option(echo, *blocks)}", self.time(after))
        return self

    def says(self, octets, n, after=10):
        """Text of the peer that acknowledges n; its ACK comes at once."""
        self.clock += after
        self.v.sends(f"P. {self.peer_seq}:{self.peer_seq + octets}({octets}) ack {self.octet(n)} win 65535{self.option(self.first.get(n - 1, 0))}", self.time(after))
        self.peer_seq += octets
        return self

    def note(self, text):
        self.v.note(text)
        return self

    def shows(self, **facts):
        """What tcp_info says now."""
        for name, value in facts.items():
            self.v.say(f"+0 %{{ assert tcpi_{name} == {value} }}%")
        return self
