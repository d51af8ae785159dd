"""bbr_model.py - a second reading of BBR (draft-ietf-ccwg-bbr 5) and of the delivery rate (4.1), in Python integers: octets, microseconds.

Follows the description but where the head of lib/recovery/cc_bbr.c says that weir does not. Shares nothing with lib."""

US = 1000000
NONE = 2**32 - 1  # a bound that nothing has set
PHASES = ("Startup", "Drain", "Down", "Cruise", "Refill", "Up", "ProbeRTT")
PACING_GAIN = dict(zip(PHASES, (277, 35, 90, 100, 100, 125, 100)))
CWND_GAIN = {"Up": 225, "ProbeRTT": 50}
PROBING = ("Startup", "Refill", "Up")


class Sample:
    """What one acknowledgment tells. `limited`: "" by congestion control, "window" by the peer's window or the send ring, "application"; `fresh`: of what
    went after silence."""

    def __init__(self, at, acked=0, amount=0, interval=0, prior=0, rtt=0, limited="", fresh=False, flight=0, lost=0, total=0, repairing=False):
        self.at, self.acked, self.amount, self.interval, self.prior, self.rtt = at, acked, amount, interval, prior, rtt
        self.limited, self.fresh, self.flight, self.lost, self.total = limited, fresh, flight, lost, total
        self.repairing = repairing  # a timeout

    def rate(self):
        return self.amount * US // self.interval if self.interval else 0


class Rate:
    """4.1: each transmission takes along what had been delivered when it went; its acknowledgment tells what has been since, and in what time."""

    def __init__(self):
        self.total = self.total_at = self.first_at = 0
        self.sent, self.limited, self.limit = {}, "", 0

    def goes(self, key, now, idle):
        if idle:
            self.first_at = self.total_at = now
        again = key in self.sent
        self.sent[key] = (now, self.total, self.total_at, self.first_at, self.limited, again)

    def limits(self, why, flight):
        """All that may be sent has been: samples tell less than the path can do, until this flight has been delivered."""
        self.limited, self.limit = why, self.total + flight

    def acked(self, sizes, now, least_rtt=0):
        """`sizes`: the octets of each transmission that is newly delivered. The one sent last tells; of one time, the highest."""
        s = Sample(now, sum(sizes.values()))
        if sizes:
            last = max(sizes, key=lambda key: (self.sent[key][0], key))
            self.total, self.total_at = self.total + s.acked, now
            sent_at, s.prior, prior_at, first_at, s.limited, again = self.sent[last]
            self.first_at = sent_at
            s.rtt = 0 if again else max(now - sent_at, 1)
            s.amount, s.interval = self.total - s.prior, max(sent_at - first_at, now - prior_at)
            s.interval = s.interval if s.interval >= max(least_rtt, 1) else 0
            s.fresh = first_at == prior_at
            for key in sizes:
                del self.sent[key]
        if self.limited and self.total > self.limit:
            self.limited = ""
        s.total = self.total
        return s


class Bbr:
    """`drawn` is the number that the wait between probes is drawn from, at most 1.05 s."""

    def __init__(self, cwnd, mss, drawn=0):
        self.cwnd, self.mss, self.drawn, self.phase = cwnd, mss, drawn, "Startup"
        self.rate, self.max_bw, self.bw_lo, self.inflight_lo, self.inflight_hi = 0, [0, 0], NONE, NONE, NONE
        self.full, self.full_bw, self.flat = False, 0, 0
        self.min_rtt, self.min_rtt_at, self.probe_at, self.rounds = 0, 0, 0, 0
        self.feedback, self.up_rounds, self.up_acked = "off", 0, 0
        self.extra, self.extra_at, self.extra_octets, self.extra_rounds = [0, 0], None, 0, 0
        self.new_round(0)

    # ---- the model ----

    def bw(self):
        return min(max(self.max_bw), self.bw_lo)

    def bdp(self):
        return self.bw() * self.min_rtt // US if self.bw() and self.min_rtt else 2**30

    def least(self):
        return 4 * self.mss

    def headroom(self):
        return NONE if self.inflight_hi == NONE else max(self.inflight_hi * 85 // 100, self.least())

    def new_round(self, total):
        self.round_end, self.lost, self.losses, self.rtt, self.bw_latest, self.inflight_latest = total, 0, 0, None, 0, 0

    def queue(self):
        """The round's least round-trip time is an eighth above the path's."""
        return self.rtt is not None and self.rtt - self.min_rtt > self.min_rtt // 8

    def congested(self, s):
        flight = s.amount + self.lost
        return self.lost > (flight // 50 if self.queue() else max(flight, self.bdp() if s.limited else 0) // 10)

    # ---- one acknowledgment ----

    def acknowledge(self, s):
        if self.extra_at is None:
            self.extra_at = s.at
            self.round_end = s.total
        self.lost += s.lost
        self.losses += s.lost > 0
        if not s.acked:
            return
        around = s.prior >= self.round_end
        if not s.limited or s.rate() >= max(self.max_bw):
            self.max_bw[0] = max(self.max_bw[0], s.rate())
        self.bw_latest, self.inflight_latest = max(self.bw_latest, s.rate()), max(self.inflight_latest, s.amount)
        if s.rtt:
            self.rtt = s.rtt if self.rtt is None else min(self.rtt, s.rtt)
        if around:
            self.rounds += self.phase != "ProbeRTT"
            self.check_full(s)
            if self.phase not in PROBING and self.congested(s):
                self.lower()
            if self.feedback in ("ends", "heard"):
                self.feedback = "off"
                self.max_bw = [0, self.max_bw[0]] if self.max_bw[0] else self.max_bw
        if self.full:
            self.aggregate(s, around)
        self.upper(s, around)
        self.step(s, around)
        self.least_rtt(s, around)
        if around:
            self.new_round(s.total)
        self.control(s)

    def check_full(self, s):
        """5.3.1.2: three rounds without a quarter more. A probe that the long-term bound holds back, with no queue to be seen, is not over."""
        if s.limited == "application" or self.phase not in PROBING:
            return
        held = self.phase == "Up" and self.cwnd >= self.inflight_hi and self.used(s) and not self.queue()
        if held or (self.bw_latest > self.full_bw and self.bw_latest >= self.full_bw + self.full_bw // 4):
            self.full_bw, self.flat = self.bw_latest, 0
        else:
            self.flat += 1

    def used(self, s):
        return s.flight + s.acked + self.mss >= self.cwnd

    def lower(self):
        """5.5.10.3."""
        self.bw_lo = max(self.bw_latest, self.bw() * 70 // 100)
        self.inflight_lo = max(self.inflight_latest, (self.cwnd if self.inflight_lo == NONE else self.inflight_lo) * 70 // 100)

    def forget(self):
        self.bw_lo = self.inflight_lo = NONE

    def upper(self, s, around):
        """5.5.10.1: what a probe finds counts as long as what it sent comes back, and once."""
        if self.feedback in ("off", "heard"):
            return
        if self.congested(s):
            self.inflight_hi = max(s.amount + self.lost, min(self.bdp(), self.cwnd) * 70 // 100)
            self.feedback = "heard"
            if self.phase == "Up":
                self.go_down(s)
        elif self.inflight_hi != NONE:
            self.inflight_hi = max(self.inflight_hi, s.amount + self.lost)
            if self.phase == "Up":
                self.up_rounds += around
                if self.used(s):
                    every = max(self.cwnd >> self.up_rounds, self.mss)
                    self.up_acked += s.acked
                    self.inflight_hi += self.up_acked // every * self.mss
                    self.up_acked %= every

    def aggregate(self, s, around):
        """5.5.9: how far acknowledgments run ahead of the bandwidth; the greatest of five to ten rounds."""
        expected = self.bw() * (s.at - self.extra_at) // US
        if self.extra_octets <= expected:
            self.extra_octets, self.extra_at, expected = 0, s.at, 0
        self.extra_octets += s.acked
        self.extra_rounds += around
        if self.extra_rounds == 5:
            self.extra_rounds, self.extra = 0, [0, self.extra[0]]
        self.extra[0] = max(self.extra[0], min(self.extra_octets - expected, self.cwnd, self.bw() // 10))

    # ---- phases ----

    def go_down(self, s):
        self.phase, self.rounds = "Down", 0
        self.feedback = "ends" if self.feedback == "on" else self.feedback
        self.probe_at = s.at + 2 * US + (self.drawn * 2654435761 % 2**32 >> 12)
        self.new_round(s.total)

    def step(self, s, around):
        if self.phase == "Startup":
            if around and self.losses >= 6 and self.congested(s):
                self.inflight_hi, self.flat = max(self.bdp(), self.inflight_latest), 3
            if self.flat >= 3:
                self.full, self.phase = True, "Drain"
        elif self.phase == "Drain":
            if s.flight <= self.bdp():
                self.go_down(s)
        elif self.phase in ("Down", "Cruise"):
            if s.at > self.probe_at or self.rounds >= min(self.bdp() // self.mss, 63):
                self.phase, self.up_rounds, self.up_acked = "Refill", 0, 0
                self.forget()
                self.new_round(s.total)
            elif self.phase == "Down" and s.flight <= min(self.headroom(), self.bdp()):
                self.phase = "Cruise"
        elif self.phase == "Refill":
            if around:
                self.phase, self.feedback, self.full_bw, self.flat = "Up", "on", self.bw(), 0
                self.new_round(s.total)
        elif self.phase == "Up" and self.flat >= 3:
            self.go_down(s)

    def least_rtt(self, s, around):
        """5.3.4: the least of ten seconds; then half of what the path holds for 200 ms and a round. What went after silence found no queue of ours."""
        expired = self.expired(s)
        if s.rtt and (not self.min_rtt or s.rtt < self.min_rtt or (expired and s.fresh)):
            self.min_rtt, self.min_rtt_at = s.rtt, s.at
        if self.phase == "ProbeRTT":
            if s.fresh:
                self.leave_probe_rtt(s)
            elif self.rounds == 0:
                if s.flight <= max(self.bdp() // 2, self.least()):
                    self.rounds, self.probe_at = 1, s.at + 200000
                    self.new_round(s.total)
            else:
                self.rounds = 2 if around else self.rounds
                if self.rounds == 2 and s.at > self.probe_at:
                    self.leave_probe_rtt(s)
        elif expired and not s.fresh:
            self.phase, self.feedback, self.rounds = "ProbeRTT", "off", 0

    def expired(self, s):
        return self.min_rtt > 0 and s.at - self.min_rtt_at > 10 * US

    def leave_probe_rtt(self, s):
        """The last round has found what takes the place of what is too old, unless something shorter has come in ProbeRTT."""
        if self.expired(s) and self.rtt is not None:
            self.min_rtt = self.rtt
        self.min_rtt_at = s.at
        if self.full:
            self.forget()
            self.go_down(s)
            self.phase = "Cruise"
        else:
            self.phase = "Startup"

    # ---- what follows ----

    def control(self, s):
        rate = self.bw() * PACING_GAIN[self.phase] * 99 // 10000
        if self.full or rate > self.rate:
            self.rate = rate
        most = max(self.bdp() * CWND_GAIN.get(self.phase, 200) // 100, self.least())
        if self.phase != "ProbeRTT":
            most = min(most, 2**30) + max(self.extra) + 2 * self.mss
        if self.full or self.phase == "ProbeRTT":
            self.cwnd = min(self.cwnd + s.acked, most)
        elif self.cwnd < most:
            self.cwnd += s.acked
        bound = self.headroom() if self.phase in ("Cruise", "ProbeRTT") else NONE if self.phase in ("Startup", "Drain") else self.inflight_hi
        self.cwnd = min(self.cwnd, max(min(bound, self.inflight_lo), self.least()))
        self.cwnd = max(self.cwnd, self.mss if s.repairing else self.least())

    # ---- other news ----

    def timeout(self):
        self.cwnd = self.mss

    def marked(self):
        """RFC 3168: as a loss; Startup or a probe is over."""
        self.lower()
        self.flat = 3
        self.cwnd = min(self.cwnd, self.inflight_lo)

    def saved(self):
        return self.cwnd, self.bw_lo, self.inflight_lo, self.inflight_hi

    def undo(self, saved):
        """The reduction was not needed."""
        cwnd, bw_lo, inflight_lo, inflight_hi = saved
        self.cwnd, self.bw_lo = max(self.cwnd, cwnd), max(self.bw_lo, bw_lo)
        self.inflight_lo, self.inflight_hi = max(self.inflight_lo, inflight_lo), max(self.inflight_hi, inflight_hi)

    def told(self):
        """What a vector compares."""
        bound = lambda x: None if x == NONE else x
        return {"phase": self.phase, "cwnd": self.cwnd, "rate": self.rate, "bandwidth": self.bw(), "min-rtt": self.min_rtt, "bandwidth-lower": bound(self.bw_lo),
                "inflight-lower": bound(self.inflight_lo), "inflight-upper": bound(self.inflight_hi)}
