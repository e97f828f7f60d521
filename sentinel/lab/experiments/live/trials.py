"""The lab of live.ipynb: this host and the pipeline, watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.live import summary
from sentinel.lab.experiments.live.feed import replayed
from sentinel.lab.experiments.live.parameters import Live
from sentinel.lab.experiments.live.record import Record, Watched
from sentinel.lab.experiments.live.watch import Watch, planned
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import LIVE
from sentinel.lab.statistics.compare import plain
from sentinel.lab.trials.session import Session

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

OUTSIDE = 3.0
"""Seconds that starting and draining take, for the progress bar only."""


class LiveLab(Session[Live]):
    """`watch` may be called again."""

    notebook = "live"

    def expected_seconds(self) -> dict[str, float]:
        """See Session."""
        return {LIVE: self.parameters.SECONDS + OUTSIDE}

    def watch(self) -> None:
        """Show the host and the pipeline, for SECONDS or until interrupted; the view stays, with the last window."""
        from sentinel.lab.experiments.live.report import View

        plan = planned(self.parameters, self._numbered())
        seconds = self.parameters.SECONDS + OUTSIDE
        self._progress.step("watching", seconds, kind=LIVE)
        view = View(self.parameters.SECONDS, self._progress.note)
        folder = self.run.trial_folder(plan.number)
        given = plan, self.stack, folder, self._supervisor, self.run.id
        watch = Watch(*given, check=self._supervision.check, parameters=self.parameters, show=view.show)
        with self.keeping():
            self.outcomes.append(watch.run())
            watched = Watched(round(watch.seconds, 1), watch.interrupted)
            self.run.data.add({"watched": watched})
            view.end(watch.window, self.outcomes[-1], watched.seconds, folder)
            self.checkpoint()
        self._progress.advance(seconds)

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Session: of the last watch."""
        if not outcomes:
            return plain(summary.nothing())
        outcome = outcomes[-1]
        folder = run.trial_folder(outcome.plan.number)
        samples = [sample for line in series.intervals(folder / series.AGENT) for sample in line["samples"]]
        p = Live(**run.data.parameters)
        whole = replayed(folder, p.WINDOW, p.quantiles).whole()
        return plain(summary.of_live(p, outcome, samples, run.sections(Record).watched, whole))
