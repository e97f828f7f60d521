"""A duet: trials at the same time, each with a consumer, a load, a stream and a ledger of its own.

They are made ready one after the other, then let go in the same order. What is measured of one while another does not
run is little: the loads begin within a fraction of the warm-up and last equally long.
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
"""Seconds between two looks at whether a leg is ready, and between two starts, so that their order is sure."""


class Duet:
    """Carries out two trials at the same time, or three where there is an A/A control.

    Args:
        *trials: Its legs, not begun: each with a number of its own, all of the same kind and under equal loads.
        backwards: Whether they are started from the last to the first.
    """

    def __init__(self, *trials: Trial, backwards: bool = False) -> None:
        self._legs = [_Leg(trial, self._look) for trial in trials]
        self._ordered = self._legs[::-1] if backwards else self._legs
        self._over = threading.Event()
        """One leg has failed, or the run ends: nobody goes on."""
        self._readings: list[Reading] = []

    def run(self) -> list[Outcome]:
        """Do it. Where one leg fails, all outcomes are invalid and say why.

        Returns:
            Of each leg, in the order in which they were given.

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
        """One leg, in a thread of its own; if it fails, the others need not go on."""
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
        """See all to their end, and read the machine's CPU time meanwhile."""
        left = set(running)
        while left:
            self._readings.append((time.time_ns(), cpu_times()))
            _, left = wait(left, series.SAMPLE_EVERY)
        self._readings.append((time.time_ns(), cpu_times()))

    # -- afterwards ----------------------------------------------------------------------------------------------

    def _concluded(self) -> list[Outcome]:
        outcomes = [leg.trial.conclude() for leg in self._legs]
        if all(outcome.valid for outcome in outcomes):
            self._measure_shared()
        rules.match(outcomes)
        return [leg.trial.keep() for leg in self._legs]

    def _measure_shared(self) -> None:
        """What the legs know only together."""
        starts, ends = zip(*(leg.span for leg in self._legs), strict=True)
        span = rules.shared(starts, ends)
        if not self._legs[0].trial.plan.paced:
            self._share_drain(span)
        share, apart = rules.busy(self._readings, span), (max(starts) - min(starts)) / 1e9
        for place, leg in enumerate(self._ordered):
            others = [other.trial.plan.number for other in self._legs if other is not leg]
            leg.trial.outcome.beside = Beside(partners=others, place=place, apart=apart, busy=share)

    def _share_drain(self, span: Span) -> None:
        """Throughput while all drained: the slowest has the machine to itself afterwards."""
        seconds = (span[1] - span[0]) / 1e9
        flushed = [series.flushed(leg.trial.folder, span[0], 0.0, seconds) for leg in self._legs]
        rates = [messages / took for messages, took in filter(None, flushed)]
        if len(rates) == len(self._legs):
            for leg, rate in zip(self._legs, rates, strict=True):
                leg.trial.outcome.throughput = rate


class _Leg:
    """One of the trials, and the line at which it waits for the others."""

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
