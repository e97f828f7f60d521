"""A watch: an agent, a consumer and, if asked for, a load generator beside them, looked at while they run.

A trial that is shown as it happens. It ends after its time or at an interrupt (SIGINT): either way what was sent is
stored, and accounted for as in every trial.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sentinel.errors import TrialError
from sentinel.lab.experiments.live.feed import Feed
from sentinel.lab.experiments.live.window import Window
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import LIVE, Plan
from sentinel.lab.trials.process_sampler import Sampler
from sentinel.lab.trials.trial import DRAIN_LIMIT, START_LIMIT, Trial
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sentinel.lab.experiments.live.parameters import Live
    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack
    from sentinel.lab.trials.trial import Check

    Show = Callable[[Window, int, float], None]
    """Of a window, as of a moment (ns since the epoch), after so many seconds."""

UPDATE = 1.0
"""Seconds between two looks."""
STOP_GRACE = 10.0
"""Seconds that a sender may take to end: more than an agent's last attempt and a load generator's grace."""


def planned(parameters: Live, number: int) -> Plan:
    """What a watch is to do; without a load generator the rate is the agent's own.

    Args:
        parameters: The watch's parameters.
        number: The trial's number in the run, from 0.
    """
    rate = parameters.RATE if parameters.LOAD else 1 / parameters.INTERVAL
    load = LoadSettings(parameters.TRANSPORT, "json", parameters.WORKERS, rate, parameters.SECONDS)
    (name,) = parameters.names
    return Plan(number, LIVE, name, name, load, group=LIVE)


class Watch(Trial):
    """Carries out one watch. Once every message is stored, `window` ends with the consumer's last line.

    Args:
        plan: What it is to do; see `planned`.
        stack: Bus and store.
        folder: The trial's folder.
        supervisor: Starts the programs.
        run_id: The tag of the points.
        check: Raises where the run cannot go on; see `Trial`.
        parameters: The watch's parameters.
        show: Called about once a second with the window, now (ns since the epoch) and the seconds that have passed.
    """

    def __init__(
        self,
        plan: Plan,
        stack: Stack,
        folder: Path,
        supervisor: Supervisor,
        run_id: str,
        *,
        check: Check = lambda: None,
        parameters: Live,
        show: Show,
    ) -> None:
        super().__init__(plan, stack, folder, supervisor, run_id, check=check)
        self.seconds = 0.0
        """That it lasted."""
        self.interrupted = False
        self._parameters = parameters
        self.window = Window(parameters.WINDOW, parameters.quantiles)
        self._feed = Feed(folder, self.window)
        self._show = show

    def _agent(self) -> Child:
        options = {
            "--interval": f"{self._parameters.INTERVAL:g}s",
            "--transport": self.plan.load.transport,
            "--key": self.bus.stream,
            "--record": str(self.folder / series.AGENT),
            "--health": "off",  # its messages are no samples, and the store's count is of samples
        }
        return self._start("agent", "sentinel", "agent", *(word for pair in options.items() for word in pair))

    def _work(self) -> None:
        with interruptible() as stop:
            consumer = self._consumer(self.kind.start(self.plan, self.folder))
            agent, load = self._agent(), self._load() if self._parameters.LOAD else None
            pids = {child.name: child.pid for child in (consumer, agent, load) if child}
            with Sampler(self.folder / series.RESOURCES, {**pids, **self.stack.pids}):
                self._look_on(stop, (consumer, agent))
                self._end(load, agent)
                consumer.signal(signal.SIGUSR1)
                self._finish(consumer, DRAIN_LIMIT)
            self._feed.read()

    def _look_on(self, stop: threading.Event, children: tuple[Child, ...]) -> None:
        """Show what there is until the time is up or a stop is asked for."""
        start = look = time.monotonic()
        while not stop.is_set() and self.seconds < self._parameters.SECONDS:
            look += UPDATE
            stop.wait(max(0.0, min(look, start + self._parameters.SECONDS) - time.monotonic()))
            self.seconds = time.monotonic() - start
            self._check()
            self._ensure_alive(children)
            now = time.time_ns()
            self._feed.read()
            self.window.forget(now)
            self._show(self.window, now, self.seconds)
        self.interrupted = stop.is_set()

    @staticmethod
    def _ensure_alive(children: tuple[Child, ...]) -> None:
        for child in children:
            if (code := child.poll()) is not None:
                raise TrialError(f"the {child.name} ended with code {code}:\n{child.tail(5)}")

    def _end(self, load: Child | None, agent: Child) -> None:
        """No more messages. A load generator ends by itself where nobody is in a hurry: all that it planned is sent."""
        if load is not None:
            limit = self.plan.load.grace + START_LIMIT
            if code := load.stop(STOP_GRACE) if self.interrupted else load.wait(limit):
                raise TrialError(f"the load generator ended with code {code}:\n{load.tail()}")
        agent.stop(STOP_GRACE)


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Let the first SIGINT set an event, while the block runs; a second one does what it always did. Main thread only.

    Yields:
        The event.
    """
    stop = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def first(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
