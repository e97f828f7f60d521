"""The trials of the performance gate: a benchmark without its latencies."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

from sentinel.environment import announce
from sentinel.lab.budgets.answer import phrases
from sentinel.lab.budgets.judgement import judged
from sentinel.lab.experiments.bench_check import legs
from sentinel.lab.experiments.bench_check.record import Gated
from sentinel.lab.experiments.benchmark import summary
from sentinel.lab.experiments.benchmark.trials import BenchmarkLab
from sentinel.lab.notebook.progress_bar import PROGRESS, watched
from sentinel.lab.run.run import Run, new_id
from sentinel.lab.statistics import compare
from sentinel.lab.trials import plans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.budgets.bound import Bound
    from sentinel.lab.experiments.bench_check.gate import Gate
    from sentinel.lab.run.trial_record import Outcome, Plan


def planned(p: legs.Pinned) -> list[Plan]:
    """All trials of the gate.

    Args:
        p: Its parameters.
    """
    return [*plans.capacity(p), *legs.wide(p), *legs.light(p), *plans.memory(p)]


class GateLab(BenchmarkLab):
    """A benchmark without its latencies, and some legs of the gate's own, in about two minutes."""

    parameters: legs.Pinned

    notebook = "bench-check"

    def expected_seconds(self) -> dict[str, float]:
        """See Lab."""
        return self.expected_of(planned(self.parameters))

    def planned_trials(self) -> int:
        """See Session."""
        return len(planned(self.parameters))

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Session. Of a benchmark's verdict only the gate's own is left: there is no latency to judge."""
        answer = judged(run.sections(Gated).gate, outcomes)
        compared = compare.plain(summary.of_benchmark(legs.Pinned(**run.data.parameters), outcomes, [], 0.0))
        del compared["answer"]
        return {**compared, "budgets": compare.plain(answer), "verdict": [*map(str, phrases(answer))]}

    def measured(self, bounds: Sequence[Bound]) -> Run:
        """Carry out all trials and write the record.

        Args:
            bounds: What has to come out; they are kept in the record.

        Returns:
            The run, concluded.
        """
        with self.keeping():
            self.run.data.add({"gate": bounds})
            self.capacity()
            self.carry_out(legs.wide(self.parameters))
            self.carry_out(legs.light(self.parameters))
            self.memory()
            return self.close()


def measure(gate: Gate) -> Run:
    """Carry out the gate's trials, with a progress bar on stderr; from the main thread.

    Args:
        gate: What is measured, and what has to come out.

    Returns:
        The run, in runs/<id>/.

    Raises:
        RunError: the folder cannot be written.
        StackError, BusError, StoreError: the stack cannot be had.
        RunEndedError: the run was interrupted, or could not go on; the trials so far are kept.
    """
    run = Run(new_id(GateLab.notebook)).create()
    progress = run.folder / PROGRESS
    announce(run.id, progress)
    # As an exception, a SIGTERM lets the stack be stopped and what was measured be kept.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with watched(progress):
            return GateLab.open(gate.parameters).measured(gate.bounds)
    finally:
        progress.unlink(missing_ok=True)
