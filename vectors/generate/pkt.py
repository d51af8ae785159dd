"""pkt.py - scenario vectors as Python objects: the head, the lines of a script, the usual openings, and writing them to files.

Knows the form of a .pkt file (vectors/FORMAT.md); knows nothing of what TCP should do."""
import pathlib

from topic import lonely

MSS = 1460  # of the stack under test over IPv4 and an MTU of 1500, which is also what the script offers


class Vector:
    """One scenario. Lines are added in order with the methods below; numbers are relative to the two initial sequence numbers."""

    def __init__(self, name, title, level, section, covers="", **head):
        self.name = name
        self.head = [("id", name), ("title", title), ("level", level), ("section", section)]
        self.head += [("covers", covers)] if covers else []
        self.head += [(key, value) for key, value in head.items() if value]
        self.lines = []
        self.fd = 4

    def say(self, text):
        self.lines.append(text)
        return self

    def note(self, text):
        """A comment line of the script: what comes next, and why."""
        return self.say(f"// {text}")

    def call(self, text, after="0"):
        return self.say(f"+{after} {text}")

    def sends(self, segment, after=".01"):
        """The peer sends this."""
        return self.say(f"+{after} < {segment}")

    def expect(self, segment, after="0"):
        """The stack must send this, then; "0~.5": at any time until half a second later."""
        if "~" in after:
            low, high = after.split("~")
            return self.say(f"+{low}~+{high} > {segment}")
        return self.say(f"+{after} > {segment}")

    def state(self, state, after="0"):
        return self.call(f'status({self.fd}) = "{state}"', after)

    # ---- openings: afterwards both next sequence numbers are 1 and self.fd is the connection ----

    def listens(self, options=()):
        self.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")
        for option in options:
            self.call(f"setsockopt(3, {option}) = 0")
        return self.call("bind(3, ..., ...) = 0").call("listen(3, 1) = 0")

    def passive(self, win=65535, offer="mss 1460", answer="mss 1460", ack_options="", isn=0, rtt=".01", ack_win=None):
        """The stack listens and the peer opens; `ack_win` if its ACK announces another window than its SYN."""
        tail = f" <{ack_options}>" if ack_options else ""
        self.listens()
        self.sends(f"S {isn}:{isn}(0) win {win} <{offer}>", "0")
        self.expect(f"S. 0:0(0) ack 1 <{answer}>")
        self.sends(f". 1:1(0) ack 1 win {win if ack_win is None else ack_win}{tail}", rtt)
        self.fd = 4
        return self.call("accept(3, ..., ...) = 4")

    def active(self, win=65535, offer="mss 1460", answer="mss 1460", ack_options="", rtt=".01", isn=0):
        """The stack opens: `offer` is what its SYN must carry, `answer` what the peer's SYN,ACK does."""
        tail = f" <{ack_options}>" if ack_options else ""
        self.call("socket(..., SOCK_STREAM, IPPROTO_TCP) = 3")
        self.call("fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0")
        self.call("connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)")
        self.expect(f"S 0:0(0) <{offer}>")
        self.sends(f"S. {isn}:{isn}(0) ack 1 win {win} <{answer}>", rtt)
        self.expect(f". 1:1(0) ack 1{tail}")
        self.fd = 3
        return self

    def text(self):
        head = "".join(f"// {key}: {value}\n" for key, value in self.head)
        return head + "\n" + "\n".join(self.lines) + "\n"


def write(vectors, top):
    """Writes each vector to its place below `top`/scenario; two with one name are a mistake of the generator."""
    seen, vectors = set(), list(vectors)
    alone = lonely(dict(vector.head).get("family") for vector in vectors)
    for vector in vectors:
        vector.head = [(key, value) for key, value in vector.head if key != "family" or value not in alone]
        if vector.name in seen:
            raise SystemExit(f"{vector.name}: generated twice")
        seen.add(vector.name)
        path = pathlib.Path(top) / "scenario" / (vector.name + ".pkt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(vector.text(), encoding="ascii")
    return seen
