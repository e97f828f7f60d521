"""Trials of contenders: judged by the store's count and by what passed the tap, not by their own word."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sentinel import store
from sentinel.bus.administration import depth
from sentinel.errors import SentinelError, TrialError
from sentinel.lab.contenders import record
from sentinel.lab.contenders.contender import BY_PROBE
from sentinel.lab.contenders.program import PAST_THE_TAP, Program, Task
from sentinel.lab.contenders.tapped import TappedTrial, drained
from sentinel.lab.contenders.wire.opened import Knock
from sentinel.lab.run import series
from sentinel.lab.trials import accounts
from sentinel.lab.trials.process_sampler import Sampler
from sentinel.lab.trials.trial import DRAIN_LIMIT, STALL_LIMIT, START_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.lab.contenders.contender import Contender

QUIET = 0.3
"""Seconds without a byte to the store after which the store is asked how much it holds."""
LEAST_CPU = 0.1
"""Seconds of CPU below which its count in ticks of 10 ms says little."""
STILL = 3.0
"""Seconds without a byte to the store after which nothing more is on its way of what was read."""


class ContenderTrial(TappedTrial):
    """A trial of a contender."""

    def __init__(self, contender: Contender, *given: Any, check: Callable[[], None]) -> None:
        super().__init__(*given, check=check)
        self.contender = contender
        self._cpu: float | None = None
        self._ready = 0
        """When it was ready, ns since the epoch."""
        self._probes = 0
        """Points that only showed that it reads."""
        self._started: Program | None = None

    def _work(self) -> None:
        try:
            super()._work()
        finally:  # where the trial broke off: its grace is for those who come to their end
            if self._started is not None:
                self._started.kill()

    # -- processes -----------------------------------------------------------------------------------------------

    def _beside_load(self) -> None:
        program = self._program()
        load = self._load()
        with self._sampled(program, load=load.pid), self._reader(load):
            if self._code(load, self.plan.load.duration + self.plan.load.grace + START_LIMIT):
                raise TrialError(f"the load generator failed:\n{load.tail()}")
            if not self._stored_all(program, DRAIN_LIMIT, DRAIN_LIMIT):
                late = f"{self.contender.name} had not stored all that was sent when it was stopped"
                self.outcome.warnings.append(late)
            self._end(program)

    def _drain_alone(self) -> None:
        load = self._load()
        if self._code(load, 120 + self.plan.load.count / 1000):
            raise TrialError(f"the stream could not be filled:\n{load.tail()}")
        program = self._program()
        with self._sampled(program):
            if not self._stored_all(program, float("inf"), STALL_LIMIT) and program.child.poll() is None:
                self.outcome.problems.append(
                    f"{self.contender.name} stored nothing more for {STALL_LIMIT:g} s, and was stopped; its log is"
                    f" {program.child.log}"
                )
            self._end(program)

    @property
    def _transport(self) -> str:
        return self.plan.load.transport if self.plan.paced else "stream"

    def _program(self) -> Program:
        load = self.plan.load
        target = store.write_target(self.store, store.identify(self.store))
        task = Task(self._transport, load.codec, self.plan.batch_size, self.tag, self.bus, self.target, target)
        program = Program(self.contender, task, self.folder / series.CONSUMER, self.supervisor)
        self._children.append(program.child)
        knock = Knock(self.tap, self.bus, self._transport, load.codec)
        self._started = program
        program.await_ready(self._check, knock if self.plan.paced else lambda: True)
        self._ready = time.time_ns()
        if self.contender.manifest.ready == BY_PROBE:
            self._probes = self.tap.probes()
        return program

    def _sampled(self, program: Program, **more: int) -> Sampler:
        return Sampler(self.folder / series.RESOURCES, {"consumer": program.tree, **more, **self.stack.pids})

    def _stored_all(self, program: Program, limit: float, quiet: float) -> bool:
        """Wait until the store holds all that was sent, or nothing is left on the bus and nothing moves any more.

        Args:
            program: If it ends meanwhile, the wait does.
            limit: Seconds of the wait.
            quiet: Seconds without a byte to the store after which it ends.
        """
        sent = sum(series.ledger(folder)["ledger"]["sent"] for folder in series.senders(self.folder))
        begun = changed = time.monotonic()
        size = -1
        while program.child.poll() is None:
            self._check()
            now = time.monotonic()
            if (noted := self.tap.noted()) != size:
                size, changed = noted, now
            elif now - changed > QUIET and (self._held() >= sent or (now - changed > STILL and self._is_read())):
                return True
            if now - begun > limit or now - changed > quiet:
                return False
            time.sleep(0.05 if now - changed < QUIET else QUIET)
        return False

    def _held(self) -> int:
        """Messages that the store has, or that are dead letters."""
        return accounts.stored(self.store, self.tag, 0) + depth(self.bus).dead - self._probes

    def _is_read(self) -> bool:
        """Whether nothing is left on the bus for it; on Pub/Sub nothing ever is."""
        left = depth(self.bus)
        return not (left.unread or left.pending)

    def _end(self, program: Program) -> None:
        alive = program.child.poll() is None
        if alive:
            self._cpu = program.tree.look().cpu_seconds - program.at_ready
        program.stop()
        problems = program.problems()
        if not alive and not problems:
            problems = [f"{self.contender.name} ended by itself in mid-trial: {program.ending()}"]
        self.outcome.problems += problems
        self.outcome.warnings += program.warnings()

    # -- accounts ------------------------------------------------------------------------------------------------

    def _account(self) -> None:
        self._read_wire()
        reports = [series.ledger(folder) for folder in series.senders(self.folder)]
        if not reports or not all(reports):
            self.outcome.problems.append("the ledger of what was sent is missing")
            return
        sent = accounts.sent_by(reports)
        self.outcome.sender, self.outcome.started = asdict(sent), min(r["started"] for r in reports)
        self.outcome.problems += sent.problems()
        try:
            self._balance(sent.sent)
        except SentinelError as error:
            self.outcome.problems.append(str(error))
        self.outcome.warnings += record.put_aside(self.folder / series.CONSUMER)
        told = series.ledger(self.folder / series.CONSUMER).get("ledger", {})
        if "received" in told:  # by its own word: nobody else can count it
            self.outcome.consumer["received"] = told["received"]
        self.outcome.valid = not self.outcome.problems
        if self.wire.points:
            self._figures(sent.unsent)
        self._forget_notes()

    def _balance(self, sent: int) -> None:
        """sent = stored + dead-lettered + lost + still on the bus; duplicated and overwritten apart."""
        outcome, wired, left = self.outcome, self.outcome.wire, depth(self.bus)
        stored = outcome.stored = self._counted(wired)
        gone = sent - stored - left.dead - wired["overwritten"]
        outcome.unread = max(0, min(gone, left.unread + left.pending))
        outcome.lost = max(0, gone - outcome.unread)
        outcome.consumer = {"written": wired["points"], "rejected": left.dead, "duplicated": wired["duplicated"]}
        outcome.consumer["overwritten"] = wired["overwritten"]
        outcome.problems += self._differences(sent, stored, wired)

    def _counted(self, wired: dict[str, Any]) -> int:
        """The store's count of this trial's points; of all where they do not name the run, and the store was empty."""
        if wired["unidentified"] and self.stack.pids:
            return store.count(self.store, store.identify(self.store))
        expected = wired["distinct"] + self.wire.probes
        return accounts.stored(self.store, self.tag, expected) - self.wire.probes

    def _differences(self, sent: int, stored: int, wired: dict[str, Any]) -> list[str]:
        """Why what was measured is not what was asked for."""
        name, bucket = self.contender.name, self.store.bucket
        if strange := self.wire.places - {bucket}:
            return [f"{name} writes to bucket {min(strange)!r}: expected INFLUX_BUCKET, {bucket!r}"]
        if stored and not wired["points"]:
            return [f"{name} {PAST_THE_TAP}"]
        if not wired["points"]:
            refused = f"; the store refused {wired['refused']:,} writes" if wired["refused"] else ""
            return [f"{name} stored nothing{refused}: its log is {self.folder / series.CONSUMER}.log"]
        collected = []
        if stored > sent or wired["distinct"] > sent:
            collected.append(
                f"{name} stored {max(stored, wired['distinct']):,} points of {sent:,} messages: one of each is expected"
            )
        elif stored != wired["distinct"]:
            collected.append(
                f"the store holds {stored:,} points, and acknowledged {wired['distinct']:,} different ones"
            )
        outcome = self.outcome
        if self._transport == "stream" and (outcome.lost or (not self.plan.paced and outcome.unread)):
            collected.append(f"{outcome.lost:,} messages were lost, {outcome.unread:,} were left on the stream")
        return collected

    def _cpu_per_message(self) -> float | None:
        """µs, over what was stored since the CPU was first read; None where that says too little, and then why."""
        wired, used = self.wire, self._cpu
        before = sum(size for size, at in zip(wired.sizes, wired.answered, strict=True) if at <= self._ready)
        if before >= wired.points:
            self.outcome.wire["cpu"] = "all was stored before it was ready"
        elif used is None:
            self.outcome.wire["cpu"] = "it ended by itself"
        elif used < LEAST_CPU:
            self.outcome.wire["cpu"] = f"{used:.2f} s, counted in ticks of 0.01 s, are too little to say"
        else:
            return 1e6 * used / (wired.points - before)
        return None

    def _figures(self, unsent: int) -> None:
        """Throughput, CPU, memory and latencies."""
        outcome, start = self.outcome, self.outcome.started
        outcome.throughput = drained(self.wire, self._ready)
        outcome.cpu_us = self._cpu_per_message()
        frame = series.resources(self.folder, start)
        rss = frame[frame["process"] == "consumer"]["rss"]
        outcome.peak_rss_mb = round(float(rss.max()), 1) if len(rss) else None
        if self.plan.paced:
            accounts.measure_latencies(outcome, self.folder)
            accounts.judge_pace(outcome, self.folder, unsent)
