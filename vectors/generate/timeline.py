"""timeline.py - one connection whose stack sends, told in milliseconds since its first segment of text: what it must send and when, what
the peer says. The base of the vectors of loss recovery.

Knows segments of full size by their number, from 0. Knows nothing of what TCP should do."""
from pkt import Vector

MSS = 1460


class Timeline:
    def __init__(self, name, title, level, section, covers, segments, *, settings="", needs="", sack=True, stamps=False, rtt=100, window=10, more="", last=None, win=65535,
                 congestion="reno", tolerance=0):
        """`segments` are written at once, the last of them `last` octets long; `window` of them go. `tolerance`: ms by which a timer may be late."""
        settings = f"initial-window={window} congestion={congestion} {settings}".strip()
        needs = " ".join(["sack"] * sack + ["timestamps"] * stamps + needs.split())
        self.v = Vector(name, title, level, section, covers, needs=needs, settings=settings)
        self.size = MSS - (12 if stamps else 0)
        self.stamps, self.rtt, self.win = stamps, rtt, win
        self.now, self.next, self.count, self.end, self.fin = 0, 0, 0, 0, False
        offer = "mss 1460" + (",nop,nop,sackOK" if sack else "")
        answer = offer
        if stamps:
            offer = "mss 1460,sackOK,TS val 1000 ecr 0" if sack else "mss 1460,nop,nop,TS val 1000 ecr 0"
            answer = offer.replace("val 1000 ecr 0", "val 100 ecr 1000")
        if tolerance:
            self.v.say(f"--tolerance_usecs={tolerance * 1000}")
        self.v.passive(offer=offer, answer=answer, ack_options="nop,nop,TS val 1000 ecr 100" if stamps else "", rtt=f".{rtt:03d}", win=win)
        if more:
            self.v.call(more)
        if segments:
            self.write(segments, 0, last)

    # ---- the timeline ----

    def after(self, at):
        """From the event before to this one; a pair: at the earliest and at the latest, and the rest is told as if it were the latest."""
        at = self.now if at is None else at
        if isinstance(at, tuple):
            low, high = ((t - self.now) / 1000 for t in at)
            self.now = at[1]
            return f"{low:g}~{high:g}"
        if at < self.now:
            raise SystemExit(f"{self.v.name}: {at} ms is before {self.now} ms")
        gap, self.now = at - self.now, at
        return "0" if gap == 0 else f"{gap / 1000:.6f}".rstrip("0").rstrip(".").removeprefix("0")

    def stamp(self, at):
        """Our timestamp clock, which said 100 when SYN,ACK went out."""
        return int(100 + self.rtt + at)

    def octet(self, n):
        return 1 + min(n * self.size, self.end)

    # ---- the user and the stack ----

    def write(self, segments, at=None, last=None):
        octets = (segments - 1) * self.size + (last or self.size)
        self.v.call(f"write(4, ..., {octets}) = {octets}", self.after(at))
        self.count += segments
        self.end += octets
        return self

    def close(self, at=None):
        self.v.call("shutdown(4, SHUT_WR) = 0", self.after(at))
        self.fin = True
        return self

    def goes(self, n, at):
        """Segment n; the one after the last is FIN alone."""
        first, last = self.octet(n), self.octet(n + 1)
        flags = "P." if last > first and n == self.count - 1 else "."
        if self.fin and n >= self.count - 1:
            flags = "F" + flags
        tail = f" <nop,nop,TS val {self.stamp(self.now if at is None else at)} ecr 1000>" if self.stamps else ""
        self.v.expect(f"{flags} {first}:{last}({last - first}) ack 1{tail}", self.after(at))

    def new(self, count=1, at=None):
        """The next segments, and no more of them."""
        for _ in range(count):
            self.goes(self.next, at)
            self.next += 1
        return self

    def again(self, *numbers, at=None):
        for n in numbers:
            self.goes(n, at)
        return self

    # ---- the peer ----

    def ack(self, n, *runs, at=None, echo=None, win=None, octets=None):
        """It has all before segment n (and `octets` more), and the runs, the newest first (a D-SACK before all); `echo`: when what it echoes was sent."""
        after = self.after(at)
        options = [f"nop,nop,TS val 1000 ecr {self.stamp(self.now - self.rtt if echo is None else echo)}"] if self.stamps else []
        if runs:
            options.append("nop,nop,sack " + " ".join(f"{self.octet(a)}:{self.octet(b)}" for a, b in runs))
        number = self.octet(n) + (octets or 0) + (1 if self.fin and n > self.count else 0)
        tail = f" <{','.join(options)}>" if options else ""
        self.v.sends(f". 1:1(0) ack {number} win {self.win if win is None else win}{tail}", after)
        return self

    def note(self, text):
        self.v.note(text)
        return self

    def quiet(self, at):
        """Until then nothing goes."""
        self.v.state("ESTABLISHED", self.after(at))
        return self

    def asserts(self, text, at=None):
        self.v.say(f"+{self.after(at)} %{{ assert {text} }}%")
        return self
