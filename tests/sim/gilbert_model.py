#!/usr/bin/env python3
"""gilbert_model.py - what a sender that makes no mistake gets over the losses of Gilbert and Elliott, when it keeps to RFC 5681, 6298, 9438.

The chain of weir-sim's --gilbert moves with packets and not with time: while nothing is sent its state stays. A sender whose whole flight is lost sends one
segment each timeout (RFC 5681 3.1, RFC 6298 5.5), twice as late each time. With one chance in ten to leave the bad state a segment, the nth timeout comes with
0.9^(n-1) and lasts 0.2 s x 2^(n-1): the mean of 1.8^n has no end but the longest timeout. So such a path stands still most of the time for everybody who backs
off as the RFC says, and only flights that outlast the bad state (BBR's) help.

Rounds of a round-trip time; every loss is known, and repaired, a round later, lost retransmissions too, whatever else is lost."""
import random
import statistics

RTO, RTO_MAX = 0.2, 120.0


def course(seed, beta, cubic, worsens=0.005, mends=0.10, rtt=0.020, time=20.0, window=179, rate=100e6, mss=1448):
    """Mbit/s of one course."""
    chance, bad = random.Random(seed), False

    def arrives():
        nonlocal bad
        bad = chance.random() >= mends if bad else chance.random() < worsens
        return not bad

    now, cwnd, ssthresh, got, before, lost_at = rtt, 10.0, 1e9, 0, 0.0, 0.0
    while now < time:
        flight = max(1, int(min(cwnd, window)))
        good = sum(arrives() for _ in range(flight))
        got += good
        if good == 0:
            timeout = RTO
            now += timeout
            while now < time and not arrives():
                timeout = min(2 * timeout, RTO_MAX)
                now += timeout
            got, now, ssthresh, cwnd = got + 1, now + rtt, max(2.0, beta * cwnd), 2.0
            continue
        now += max(rtt, flight * (mss + 52) * 8 / rate)
        if good < flight:
            before, lost_at = cwnd, now
            cwnd = ssthresh = max(2.0, beta * cwnd)
        elif cwnd < ssthresh:
            cwnd = min(2 * cwnd, ssthresh)
        elif cubic:  # RFC 9438 4.2, 4.3
            k = (before * (1 - beta) / 0.4) ** (1 / 3)
            cwnd = max(min(1.5 * cwnd, 0.4 * (now - lost_at - k) ** 3 + before), cwnd + 3 * (1 - beta) / (1 + beta))
        else:
            cwnd += 1
    return got * mss * 8 / time / 1e6


def quartiles(beta, cubic, courses=200):
    """The lower quartile, the median and the upper quartile of so many courses, Mbit/s."""
    return statistics.quantiles([course(seed, beta, cubic) for seed in range(courses)], n=4)


FIGURES = {"newreno": lambda: quartiles(0.5, False), "cubic": lambda: quartiles(0.7, True)}


if __name__ == "__main__":
    for name, figures in FIGURES.items():
        print(name, *(f"{figure:.2f}" for figure in figures()))
