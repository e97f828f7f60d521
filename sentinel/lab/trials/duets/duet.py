"""A duet: two trials at the same time, each with a consumer, a load, a stream and a ledger of its own.

Each is made ready, the one after the other; then both are let go, in the same order. What is measured of one while the
other does not run is little: the loads begin within a fraction of the warm-up and last equally long.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from sentinel.errors import TrialError
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import WARM_UP, Beside, Outcome
from sentinel.lab.trials.duets import rules
from sentinel.probe import cpu_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.lab.trials.duets.rules import Reading, Span
    from sentinel.lab.trials.trial import Trial

PAUSE = 0.02
"""Seconds between two looks at whether a leg is ready, and between the starts of the two, so that the order is sure."""


class Duet:
    """Carries out two trials at the same time.

    Args:
        a: One leg, not begun.
        b: The other: another number of the same run, of the same kind and under an equal load.
        first: Which of them, 0 or 1, is started first.
    """

    def __init__(self, a: Trial, b: Trial, *, first: int = 0) -> None:
        self._legs = _Leg(a, self._look), _Leg(b, self._look)
        self._ordered = self._legs if first == 0 else self._legs[::-1]
        self._over = threading.Event()
        """One leg has failed, or the run ends: nobody goes on."""
        self._readings: list[Reading] = []

    def run(self) -> tuple[Outcome, Outcome]:
        """Do it. Where one leg fails, both outcomes are invalid and say why.

        Returns:
            The outcomes of `a` and `b`.

        Raises:
            RunEndedError: a check of one of them raised it; no process and no key is left.
        """
        try:
            for leg in self._legs:
                leg.trial.begin()
            self._measure()
            return self._concluded()
        except BaseException:
            for leg in self._legs:
                leg.trial.tidy()
            raise

    def _measure(self) -> None:
        with ThreadPoolExecutor(len(self._legs), "duet") as pool:
            try:
                running = [self._prepared(pool, leg) for leg in self._ordered]
                for leg in self._ordered:
                    leg.go()
                    time.sleep(PAUSE)
                self._await(running)
            finally:
                self._over.set()
        for future in running:
            future.result()

    def _prepared(self, pool: ThreadPoolExecutor, leg: _Leg) -> Future[None]:
        """A leg under way, ready for its start or over."""
        running = pool.submit(self._carry_out, leg.trial)
        while not (leg.is_ready() or running.done()):
            time.sleep(PAUSE)
        return running

    def _carry_out(self, trial: Trial) -> None:
        """One leg, in a thread of its own; if it fails, the other need not go on."""
        try:
            self._look()
            trial.measure()
        except TrialError as error:
            trial.outcome.problems.append(str(error))
        except BaseException:
            self._over.set()
            raise
        if trial.outcome.problems:
            self._over.set()

    def _look(self) -> None:
        if self._over.is_set():
            raise TrialError(rules.ABANDONED)

    def _await(self, running: list[Future[None]]) -> None:
        """See both to their end, and read the machine's CPU time meanwhile."""
        left = set(running)
        while left:
            self._readings.append((time.time_ns(), cpu_times()))
            _, left = wait(left, series.SAMPLE_EVERY)
        self._readings.append((time.time_ns(), cpu_times()))

    # -- afterwards ----------------------------------------------------------------------------------------------

    def _concluded(self) -> tuple[Outcome, Outcome]:
        a, b = (leg.trial.conclude() for leg in self._legs)
        if a.valid and b.valid:
            self._measure_shared()
        rules.pair((a, b))
        for leg in self._legs:
            leg.trial.keep()
        return a, b

    def _measure_shared(self) -> None:
        """What both legs know only together."""
        starts, ends = zip(*(leg.span for leg in self._legs), strict=True)
        span, paced = rules.shared(starts, ends), self._legs[0].trial.plan.paced
        if not paced:
            self._share_drain(span)
        share, apart = rules.busy(self._readings, span), (max(starts) - min(starts)) / 1e9
        for leg, other in (self._legs, self._legs[::-1]):
            leg.trial.outcome.beside = Beside(
                partner=other.trial.plan.number, first=leg is self._ordered[0], apart=apart, busy=share
            )

    def _share_drain(self, span: Span) -> None:
        """Throughput while both drained: the slower one has the machine to itself afterwards."""
        seconds = (span[1] - span[0]) / 1e9
        flushed = [series.flushed(leg.trial.folder, span[0], 0.0, seconds) for leg in self._legs]
        rates = [messages / took for messages, took in filter(None, flushed)]
        if len(rates) == len(self._legs):
            for leg, rate in zip(self._legs, rates, strict=True):
                leg.trial.outcome.throughput = rate


class _Leg:
    """One of both trials, and the line at which it waits for the other."""

    def __init__(self, trial: Trial, look: Callable[[], object]) -> None:
        self.trial = trial
        self._ready, self._go = threading.Event(), threading.Event()
        trial.beside(self._line_up, look)

    def _line_up(self, check: Callable[[], object]) -> None:
        self._ready.set()
        while not self._go.wait(PAUSE):
            check()

    def is_ready(self) -> bool:
        """Whether only its start is left."""
        return self._ready.is_set()

    def go(self) -> None:
        """Let it start."""
        self._go.set()

    @property
    def span(self) -> Span:
        """From when until when it was measured, ns since the epoch."""
        outcome, load = self.trial.outcome, self.trial.plan.load
        if self.trial.plan.paced:
            return outcome.started + int(WARM_UP * 1e9), outcome.started + int(load.duration * 1e9)
        told = series.ledger(self.trial.folder / series.CONSUMER)
        return told["first_read"], told["last_stored"]
