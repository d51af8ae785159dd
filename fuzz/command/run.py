"""The campaign itself: slices of time dealt out to targets and engines, a live table, a state that survives its end."""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time

import findings
from base import ENGINES, FINDINGS, NOTHING, SANITIZED, Cannot, read_json, short, source_hash, span, write_json
from build import build, has_mutator, replaying
from engines import KINDS, read_all
from pages import write_report
from preflight import preflight

SLICE_LEAST, SLICE_MOST = 6, 600
BESIDE_VOLUME = 0.1  # of a slice
LINE_EVERY = 10  # seconds between plain lines


class State:
    """state.json: what every target has had of each engine, in all and with the sources of today; history.csv: how it grew."""

    def __init__(self, work):
        self.work, self.path = work, work / "state.json"
        self.all = read_json(self.path, {"targets": {}, "left": 0, "fuzzed": 0.0, "began": int(time.time())})
        self.core = source_hash()

    def of(self, target, engine):
        engines = self.all["targets"].setdefault(target, {})
        return engines.setdefault(engine, {"execs": 0, "seconds": 0.0, "edges": 0, "corpus": 0, "rate": 0.0, "last_new": 0, "core": {}})

    def executions(self, target, core=None, engines=ENGINES):
        had = [of for engine, of in self.all["targets"].get(target, {}).items() if engine in engines]
        return sum(of["execs"] if core is None else of["core"].get(core, 0) for of in had)

    def add(self, piece, execs, seconds):
        """What a slice did since it was last asked."""
        of = self.of(piece.target, piece.engine)
        of["execs"] += execs
        of["core"][self.core] = of["core"].get(self.core, 0) + execs
        of["seconds"] += seconds
        of["rate"] = piece.rate or of["rate"]
        of["corpus"] = piece.corpus or of["corpus"]
        if piece.edges > of["edges"]:
            of["edges"], of["last_new"] = piece.edges, int(time.time())

    def write(self):
        write_json(self.path, self.all)

    def history(self, target, engine):
        of = self.of(target, engine)
        with open(self.work / "history.csv", "a", encoding="utf-8") as out:
            out.write(f"{int(time.time())},{target},{engine},{of['seconds']:.0f},{of['execs']},{of['edges']},{of['corpus']}\n")


@contextlib.contextmanager
def alone(work):
    """One campaign in one folder."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Cannot(f"a campaign is running in {work}; --work names another folder") from None
        yield


def is_running(work):
    try:
        with alone(work):
            return False
    except Cannot:
        return True


# ---- what is shown --------------------------------------------------------------------------------------------------


def rows(state, targets, pieces, found, raw):
    """One row a target and engine: dictionaries, for people and for --json alike."""
    out = []
    now = time.time()
    for target in targets:
        for engine in ENGINES:
            if engine not in state.all["targets"].get(target, {}):
                continue
            of = state.of(target, engine)
            out.append({"target": target, "engine": engine, "running": any(p.target == target and p.engine == engine for p in pieces),
                        "executions": of["execs"], "executions_of_these_sources": of["core"].get(state.core, 0),
                        "executions_per_second": round(of["rate"]), "edges": of["edges"], "corpus": of["corpus"],
                        "seconds": round(of["seconds"]), "last_new_seconds_ago": int(now - of["last_new"]) if of["last_new"] else None,
                        "findings": sum(f["target"] == target for f in found), "inputs_that_stop_it": raw.get(target, 0)})
    return out


def totals(state, targets):
    """Of each target, over all runs and engines: dictionaries, as rows() gives."""
    return [{"target": t, "executions": state.executions(t), "executions_of_these_sources": state.executions(t, state.core),
             "of_these_sanitized": state.executions(t, state.core, SANITIZED)} for t in targets if t in state.all["targets"]]


def total_lines(given):
    yield f"{'target':<12} {'executions':>16} {'of these sources':>17} {'with sanitizers':>16}"
    for r in given:
        yield (f"{r['target']:<12} {r['executions']:>16,} {r['executions_of_these_sources']:>17,} {r['of_these_sanitized']:>16,}")


def table(given):
    yield (f"{'target':<12} {'engine':<10} {'executions':>11} {'exec/s':>8} {'edges':>7} {'corpus':>7} {'last new':>13} "
           f"{'crashes':>9}  unique/total")
    for r in given:
        new = "-" if r["last_new_seconds_ago"] is None else span(r["last_new_seconds_ago"]) + " ago"
        mark = "*" if r["running"] else " "
        yield (f"{r['target']:<12}{mark}{r['engine']:<10} {short(r['executions']):>11} {r['executions_per_second']:>8} {r['edges']:>7} "
               f"{r['corpus']:>7} {new:>13} {r['findings']:>5}/{r['inputs_that_stop_it']}")


class Screen:
    """A table that is drawn over itself, lines where there is no terminal, or objects with --json."""

    def __init__(self, as_json):
        self.json = as_json
        self.live = not as_json and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.drawn, self.next = 0, 0.0

    def say(self, text):
        if self.json:
            self.object("message", text=text)
            return
        self.wipe()
        print(text, flush=True)

    def object(self, event, **more):
        print(json.dumps({"event": event, **more}, sort_keys=True), flush=True)

    def wipe(self):
        if self.drawn:
            print(f"\x1b[{self.drawn}A\x1b[J", end="")
            self.drawn = 0

    def show(self, head, given, force=False):
        due = force or self.live or time.monotonic() >= self.next
        if not due:
            return
        self.next = time.monotonic() + LINE_EVERY
        if self.json:
            self.object("status", head=head, rows=given)
        elif self.live:
            width, height = shutil.get_terminal_size()
            lines = [head, *table(given)]
            self.wipe()
            lines = lines[:max(2, height - 2)]
            print("\n".join(line[:width - 1] for line in lines), flush=True)
            self.drawn = len(lines)
        else:
            busy = [r for r in given if r["running"]]
            print(head + "".join(f"; {r['target']}/{r['engine']} {short(r['executions'])} at {r['executions_per_second']}/s, "
                                 f"{r['edges']} edges" for r in busy), flush=True)


# ---- running --------------------------------------------------------------------------------------------------------


class Campaign:
    def __init__(self, settings, screen):
        self.settings, self.screen, self.work = settings, screen, settings.work
        self.state = State(self.work)
        self.pieces, self.counted, self.turn = [], {}, 0
        self.stopping = 0
        self.problems = {}
        self.raw, self.fuzzed_at = {}, time.monotonic()
        self.replayer = None

    def interrupted(self, *_):
        self.stopping += 1
        if self.stopping > 1:
            for piece in self.pieces:
                piece.signal(signal.SIGKILL)

    def pairs(self):
        """(target, engine) in order: both engines of a target run side by side."""
        wanted = [(t, e) for t in self.settings.targets for e in self.settings.engines]
        return [(t, e) for t, e in wanted if not self.enough(t)]

    def enough(self, target):
        return self.settings.executions and self.state.executions(target, self.state.core) >= self.settings.executions

    def left(self):
        return self.state.all["left"]

    def slice_seconds(self, pairs):
        share = self.left() * self.settings.jobs / max(1, len(pairs))
        return min(self.left(), SLICE_MOST, max(SLICE_LEAST, share))

    def share(self, engine):
        """Where there is to be volume, the sanitized program has the time to read what is learnt and a little more."""
        return BESIDE_VOLUME if engine != "volume" and "volume" in self.settings.engines else 1

    def deal(self):
        """Starts slices until every place is taken."""
        pairs = self.pairs()
        busy = {(p.target, p.engine) for p in self.pieces}
        free = [p for p in pairs if p not in busy and self.problems.get(p, 0) < 3]
        while free and len(self.pieces) < self.settings.jobs and self.left() >= 2:
            order = [(t, e) for t in self.settings.targets for e in self.settings.engines]
            target, engine = min(free, key=lambda p: ((order.index(p) - self.turn) % len(order)))
            self.turn = (order.index((target, engine)) + 1) % len(order)
            free.remove((target, engine))
            piece = KINDS[engine](self.work, target, max(SLICE_LEAST, self.slice_seconds(pairs) * self.share(engine)), self.settings)
            self.pieces.append(piece)
            self.counted[id(piece)] = [0, time.monotonic()]
        return bool(self.pieces)

    def account(self, piece):
        counted, now = self.counted[id(piece)], time.monotonic()
        self.state.add(piece, max(0, piece.execs - counted[0]), now - counted[1])
        counted[0], counted[1] = max(counted[0], piece.execs), now

    def count_raw(self):
        self.raw = {t: len(findings.raw_inputs(self.work, t)) for t in self.settings.targets}

    def ended(self, piece):
        self.pieces.remove(piece)
        self.state.history(piece.target, piece.engine)
        pair = (piece.target, piece.engine)
        if piece.problem:
            self.problems[pair] = self.problems.get(pair, 0) + 1
            self.screen.say(f"{piece.target}/{piece.engine}: {piece.problem} ({piece.log})")
        if not self.stopping:
            findings.triage(self.work, self.replayer, [piece.target], self.screen.say, most=10)

    def tick(self):
        now = time.monotonic()
        passed, self.fuzzed_at = now - self.fuzzed_at, now
        self.state.all["left"] = max(0, self.left() - passed)
        self.state.all["fuzzed"] += passed
        for piece in list(self.pieces):
            if self.stopping or self.enough(piece.target):
                piece.end()
            over = piece.over()
            self.account(piece)
            if over:
                self.ended(piece)
        self.count_raw()
        self.state.write()
        self.show()

    def show(self, force=False):
        found = findings.listed(self.work)
        total = sum(self.state.executions(t) for t in self.settings.targets)
        head = (f"{span(self.state.all['fuzzed'])} fuzzed, {span(self.left())} left, {short(total)} executions, "
                f"{len(found)} findings" + (", ending" if self.stopping else ""))
        self.screen.show(head, rows(self.state, self.settings.targets, self.pieces, found, self.raw), force)

    def fuzz(self):
        self.fuzzed_at = time.monotonic()
        next_history = time.monotonic() + 30
        while True:
            if not self.stopping:
                self.deal()
            if not self.pieces:
                break
            time.sleep(1)
            self.tick()
            if time.monotonic() > next_history:
                next_history = time.monotonic() + 30
                for piece in self.pieces:
                    self.state.history(piece.target, piece.engine)
        if not self.stopping and not self.pairs():
            self.state.all["left"] = 0  # every target has had its executions

    def finish(self):
        """Findings by their stacks, small, with their packets; then the report."""
        say = self.screen.say
        if "volume" in self.settings.engines:
            for target in [] if self.stopping else self.settings.targets:
                held = read_all(self.work, target, self.settings.max_len)
                say(f"{target}: " + ("no start with the sanitizers lasts" if held is None else
                                     f"all that is known, {held} inputs, was run with the sanitizers"))
        findings.triage(self.work, self.replayer, self.settings.targets, say)
        for about in findings.listed(self.work):
            if not about["minimised"] and self.stopping < 2:
                findings.minimise(self.work, self.replayer, about, say)
        self.count_raw()
        self.state.write()
        self.show(force=True)
        write_report(self.work, self.state, self.settings.targets, say)


def run(settings, screen):
    """Answers what the command answers."""
    work, say = settings.work, screen.say
    with alone(work):
        wants = ["compile", "name the functions of a stack"]
        optional = ["curves"] + (["AFL++"] if "afl" in settings.engines else [])
        lacking = preflight(wants, say, settings.install, optional)
        if "AFL++" in lacking:
            settings.engines = [e for e in settings.engines if e != "afl"]
            if not settings.engines:
                raise Cannot("AFL++ was asked for and is not there")
        campaign = Campaign(settings, screen)
        old = {which: signal.signal(which, campaign.interrupted) for which in (signal.SIGINT, signal.SIGTERM)}
        try:
            kinds = settings.engines
            pairs = list(dict.fromkeys(pair for t in settings.targets for pair in [*replaying(work, t), *((k, t) for k in kinds)]))
            pairs += [("mutator", t) for t in settings.targets if "afl" in kinds and has_mutator(t)]
            build(work, pairs, settings.jobs, say, lambda: campaign.stopping)
            campaign.replayer = findings.Replayer(work)
            if settings.time is not None:
                campaign.state.all["left"] = settings.time
            elif settings.executions:
                campaign.state.all["left"] = 10 * 365 * 86400
            elif campaign.left() < 2:
                campaign.state.all["left"] = 600
            else:
                say(f"going on with the {span(campaign.left())} that were left")
            campaign.fuzz()
            campaign.finish()
        finally:
            for piece in campaign.pieces:
                piece.signal(signal.SIGKILL)
            if campaign.replayer is not None:
                campaign.replayer.close()
            for which, what in old.items():
                signal.signal(which, what)
        if campaign.stopping:
            say(f"interrupted; fuzz/campaign run goes on where it ended ({span(campaign.left())} are left)")
        found = findings.listed(work)
        if screen.json:
            screen.object("end", findings=found, report=str(work / "report" / "index.html"), interrupted=bool(campaign.stopping),
                          left=round(campaign.left()), executions=sum(campaign.state.executions(t) for t in settings.targets))
        return FINDINGS if found else NOTHING


def status(work, targets, as_json):
    state = State(work)
    if not state.all["targets"]:
        raise Cannot(f"there is no campaign in {work}")
    found = findings.listed(work)
    raw = {t: len(findings.raw_inputs(work, t)) for t in targets}
    given = rows(state, targets, [], found, raw)
    running = is_running(work)
    if as_json:
        print(json.dumps({"running": running, "left": round(state.all["left"]), "fuzzed": round(state.all["fuzzed"]), "core": state.core,
                          "rows": given, "totals": totals(state, targets), "findings": found}, sort_keys=True))
    else:
        print("\n".join([*table(given), "", *total_lines(totals(state, targets)), ""]))
        core = sum(state.executions(t, state.core) for t in targets)
        print(f"{'running' if running else 'not running'}; {span(state.all['fuzzed'])} fuzzed, {span(state.all['left'])} left; "
              f"{short(core)} executions with the sources of today ({state.core}); {len(found)} findings")
        for f in found:
            print(f"  {f['name']}  {f['target']}  {f['inputs']} inputs  {f['kind']}{': ' + f['words'] if f['words'] else ''}")
    return FINDINGS if found else NOTHING
