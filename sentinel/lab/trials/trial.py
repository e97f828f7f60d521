"""A trial: one configuration under one load, in fresh processes, with every message accounted for.

What differs from kind to kind is in `kinds`, the account of what a trial left in `accounts`. Every trial has a stream
(or channel) and a `run` tag of its own, so trials never meet, not even on an external stack.
"""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager, nullcontext
from signal import SIGUSR1
from typing import TYPE_CHECKING

from sentinel import bus, store
from sentinel.environment import stack_environment
from sentinel.errors import SentinelError, TrialError
from sentinel.lab.contenders.wire.visibility import Reader
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import HEADLINE, Outcome, Plan
from sentinel.lab.trials import accounts
from sentinel.lab.trials.kinds import CONSUMER, HERE, KINDS, Start, consumer_words, load_words
from sentinel.lab.trials.process_sampler import Sampler
from sentinel.lab.trials.supervision import EVERY
from sentinel.lab.trials.tail import Tail
from sentinel.probe import cpu_times
from sentinel.runtime.record import INTERVALS, READY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack
    from sentinel.settings import BusSettings, StoreSettings

    Check = Callable[[], object]

START_LIMIT = 30.0
"""Seconds a consumer may take until it is ready."""
DRAIN_LIMIT = 30.0
"""Seconds a consumer may take, after the load has ended, to store what is left on the bus."""
STALL_LIMIT, LOOK = 60.0, 1.0
"""Seconds without one more message stored after which a drain is given up, and between two looks at it."""
END_GRACE = 40.0
"""Seconds a consumer that is stopped may take to end: more than its own deadline."""


class Trial:
    """Carries out one plan on a stack; the folder receives everything raw."""

    def __init__(
        self,
        plan: Plan,
        stack: Stack,
        folder: Path,
        supervisor: Supervisor,
        run_id: str,
        *,
        check: Check = lambda: None,
    ) -> None:
        self.plan = plan
        self.stack = stack
        self.folder = folder
        self.supervisor = supervisor
        self.tag = f"{run_id}.{plan.number}"
        self.bus: BusSettings = stack.bus.keyed(f"lab:{self.tag}")
        self.store: StoreSettings = stack.store
        self.kind = KINDS[plan.kind]
        self.target: StoreSettings = stack.store
        """The store as the consumer is told: a tap, where one stands between."""
        self.outcome = Outcome(plan)
        self._check = check
        self._starts: Callable[[Check], object] = lambda _: None
        self._children: list[Child] = []

    def beside(self, starts: Callable[[Check], object], check: Check) -> None:
        """Let it run beside another trial.

        Args:
            starts: Called once only the load, or a consumer that drains, is left to be started; it returns when that
                may be, and calls what it is given while it waits.
            check: Called as often as the trial's own; what it raises ends the trial.
        """
        own = self._check
        self._starts, self._check = starts, lambda: (own(), check())

    def run(self) -> Outcome:
        """Do it. A trial that fails is an invalid outcome that says why, not an exception: the others go on.

        `check`, given to the constructor, is called a few times a second: what it raises ends the trial without one.
        """
        self.begin()
        self.measure()
        return self.conclude()

    def begin(self) -> None:
        """Make its folder; empty a store of the lab's own, which else compacts earlier points beside this trial."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.stack.pids:
            return
        try:
            store.clear(self.store, store.identify(self.store))
        except SentinelError as error:
            self.outcome.warnings.append(f"earlier trials' points could not be dropped: {error}")

    def measure(self) -> None:
        """Start its processes and see them through; none is left behind."""
        before = cpu_times()
        try:
            self._work()
        except TrialError as error:
            self._check()  # a server that is gone says more than what failed for want of it
            self.outcome.problems.append(str(error))
        finally:
            for child in reversed(self._children):  # the load first; those that ended by themselves stay as they are
                child.stop()
        after = cpu_times()
        self.outcome.steal = 100 * (after.steal - before.steal) / max(after.total - before.total, 1e-9)

    def conclude(self) -> Outcome:
        """Account for what was measured, and remove its keys."""
        self._account()
        self.tidy()
        return self.keep()

    def keep(self) -> Outcome:
        """Write its outcome into its folder."""
        (self.folder / "trial.json").write_text(json.dumps(self.outcome.to_dict(), indent=1) + "\n", encoding="utf-8")
        return self.outcome

    def tidy(self) -> None:
        """Remove its keys from the bus."""
        try:
            bus.remove(self.bus)
        except SentinelError as error:
            self.outcome.warnings.append(f"its keys could not be removed: {error}")

    def _account(self) -> None:
        accounts.account(self.outcome, self.folder, self.bus, self.store, self.tag)

    def _work(self) -> None:
        if self.plan.paced:
            self._beside_load()
        else:
            self._drain_alone()

    # -- processes -----------------------------------------------------------------------------------------------

    def _start(self, name: str, *words: str, how: Start = HERE) -> Child:
        command, log = [*how.under, how.python, "-m", *words], self.folder / f"{name}.log"
        environment = {**stack_environment(self.bus, self.target), **how.environment}
        child = self.supervisor.start(name, command, log=log, env=environment, cwd=how.folder)
        self._children.append(child)
        return child

    def _consumer(self, start: Start) -> Child:
        words = consumer_words(self.plan, start, self.bus.stream, self.tag, self.folder / series.CONSUMER)
        child = self._start(CONSUMER, *words, how=start)
        self._await_ready(child)
        return child

    def _ended(self, child: Child, limit: float) -> bool:
        """Wait until it has ended, for at most `limit` seconds; whether it has. What `check` raises comes first."""
        end, look = time.monotonic() + limit, 0.0
        while child.poll() is None and (now := time.monotonic()) < end:
            if now >= look:
                self._check()
                look = now + EVERY
            time.sleep(0.02)
        return child.poll() is not None

    def _code(self, child: Child, limit: float) -> int:
        """Its exit code, after at most `limit` seconds. Raises TrialError if it still runs then."""
        if not self._ended(child, limit):
            raise TrialError(f"{child.name} (pid {child.pid}) still runs after {limit:g} s; its log is {child.log}")
        return child.wait(0.0)

    def _await_ready(self, child: Child) -> None:
        end = time.monotonic() + START_LIMIT
        while not (self.folder / series.CONSUMER / READY).exists():
            self._check()
            if child.poll() is not None or time.monotonic() > end:
                why = "ended at once" if child.poll() is not None else f"was not ready after {START_LIMIT:.0f} s"
                child.stop()
                raise TrialError(f"the consumer {why}:\n{child.tail()}")
            time.sleep(0.01)

    def _load(self) -> Child:
        return self._start("load", *load_words(self.plan, self.bus.stream, self.folder / series.LOAD))

    def _beside_load(self) -> None:
        consumer = self._consumer(self.kind.start(self.plan, self.folder))
        self._starts(self._check)
        load = self._load()
        pids = {CONSUMER: consumer.pid, "load": load.pid, **self.stack.pids}
        with Sampler(self.folder / series.RESOURCES, pids), self._reader(load):
            if self._code(load, self.plan.load.duration + self.plan.load.grace + START_LIMIT):
                raise TrialError(f"the load generator failed:\n{load.tail()}")
            consumer.signal(SIGUSR1)
            self._finish(consumer, DRAIN_LIMIT)

    def _reader(self, load: Child) -> AbstractContextManager[object]:
        """In the headline trials a reader reads the newest points back."""
        is_headline = self.plan.group == HEADLINE
        return Reader(self.folder, self.store, self.tag, load) if is_headline else nullcontext()

    def _drain_alone(self) -> None:
        load = self._load()
        if self._code(load, 120 + self.plan.load.count / 1000):
            raise TrialError(f"the stream could not be filled:\n{load.tail()}")
        self._starts(self._check)
        consumer = self._consumer(self.kind.start(self.plan, self.folder))
        with Sampler(self.folder / series.RESOURCES, {self.kind.program: consumer.pid, **self.stack.pids}):
            self._drain(consumer)

    def _drain(self, consumer: Child) -> None:
        """Wait until the consumer has stored what there is, however long that takes, as long as it gets on."""
        notes, stored, since = Tail(self.folder / series.CONSUMER / INTERVALS), 0, time.monotonic()
        while not self._ended(consumer, LOOK):
            newest = max((line["written"] for line in notes.lines()), default=stored)
            if newest > stored:
                stored, since = newest, time.monotonic()
            elif time.monotonic() - since > STALL_LIMIT:
                self.outcome.problems.append(
                    f"the consumer stored nothing for {STALL_LIMIT:g} s, after {stored:,} of"
                    f" {self.plan.load.count:,} messages, and was stopped; its log is {consumer.log}"
                )
                consumer.stop(grace=END_GRACE)
        self._see_off(consumer)

    def _finish(self, consumer: Child, limit: float) -> None:
        """Wait until the consumer has stored what there is; stop it after `limit` seconds."""
        if not self._ended(consumer, limit):
            self.outcome.warnings.append(f"the consumer had not caught up {limit:.0f} s after the load ended")
            consumer.stop(grace=END_GRACE)
        self._see_off(consumer)

    def _see_off(self, consumer: Child) -> None:
        if code := consumer.wait(1.0):
            text = f"ended with code {code}:\n{consumer.tail(5)}"
            if self.kind.program == CONSUMER:
                self.outcome.problems.append(f"the consumer {text}")
            else:  # whether the consumer did its work, its ledger says
                self.outcome.warnings.append(f"{self.kind.program} {text}")
