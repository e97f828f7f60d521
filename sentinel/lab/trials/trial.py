"""A trial: one configuration under one load, in fresh processes, with every message accounted for.

What differs from kind to kind is in `kinds`, the account of what a trial left in `accounts`. Every trial has a stream
(or channel) and a `run` tag of its own, so trials never meet, not even on an external stack.
"""

from __future__ import annotations

import json
import math
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
from sentinel.lab.trials.kinds import CONSUMER, HERE, KINDS, Start
from sentinel.lab.trials.process_sampler import Sampler
from sentinel.lab.trials.supervision import EVERY
from sentinel.lab.trials.tail import Tail
from sentinel.probe import cpu_times
from sentinel.runtime.record import INTERVALS, READY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.process.supervisor import Child, Supervisor
    from sentinel.lab.stack import Stack
    from sentinel.settings import BusSettings, StoreSettings

    Check = Callable[[], None]

START_LIMIT = 30.0
"""Seconds a consumer may take until it is ready."""
DRAIN_LIMIT = 30.0
"""Seconds a consumer may take, after the load has ended, to store what is left on the bus."""
STALL_LIMIT, LOOK = 60.0, 1.0
"""Seconds without one more message stored after which a drain is given up, and between two looks at it."""
END_GRACE = 40.0
"""Seconds a consumer that is stopped may take to end: more than its own deadline."""
PER_PROCESS = 200_000
"""Messages per second that one process of the load generator is trusted with."""


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
        self._children: list[Child] = []

    def run(self) -> Outcome:
        """Do it. A trial that fails is an invalid outcome that says why, not an exception: the others go on.

        `check`, given to the constructor, is called a few times a second: what it raises ends the trial without one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
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
        self._account()
        self._tidy()
        (self.folder / "trial.json").write_text(json.dumps(self.outcome.to_dict(), indent=1) + "\n", encoding="utf-8")
        return self.outcome

    def _account(self) -> None:
        accounts.account(self.outcome, self.folder, self.bus, self.store, self.tag)

    def _tidy(self) -> None:
        try:
            bus.remove(self.bus)
        except SentinelError as error:
            self.outcome.warnings.append(f"its keys could not be removed: {error}")

    def _clear(self) -> None:
        """Begin with an empty store where it is the lab's own.

        Else what earlier trials wrote is compacted beside this one.
        """
        if not self.stack.pids:
            return
        try:
            store.clear(self.store, store.identify(self.store))
        except SentinelError as error:
            self.outcome.warnings.append(f"earlier trials' points could not be dropped: {error}")

    def _work(self) -> None:
        """Start the processes and see them through."""
        self._clear()
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
        verb = ["consume"] if start.module == "sentinel" else []
        options = {
            "--configuration": self.plan.configuration,
            "--transport": self.plan.load.transport if self.plan.paced else "stream",
            "--key": self.bus.stream,
            "--batch-size": str(self.plan.batch_size),
            "--run": self.tag,
            "--health": "off",  # nothing writes beside what is measured
            "--record": str(self.folder / series.CONSUMER),
        }
        words = [word for pair in options.items() for word in pair]
        child = self._start(CONSUMER, start.module, *verb, *words, *start.words, how=start)
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
        load = self.plan.load
        names = ("workers", "rate", "duration", "count", "loop", "codec", "connections", "seed")
        transport = load.transport if self.plan.paced else "stream"
        words = [word for name in names for word in (f"--{name}", str(getattr(load, name)))]
        options = {
            "--transport": transport,
            "--key": self.bus.stream,
            "--record": str(self.folder / series.LOAD),
            "--processes": str(math.ceil(load.rate / PER_PROCESS) if not load.count else 1),
        }
        return self._start("load", "sentinel", "load", *words, *(word for pair in options.items() for word in pair))

    def _beside_load(self) -> None:
        consumer = self._consumer(self.kind.start(self.plan, self.folder))
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
