"""The study of compare.ipynb: two runs that are there, read once; it starts no server and writes a run of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sentinel.lab.experiments.compare import profiles, summary
from sentinel.lab.experiments.compare.answer import phrases
from sentinel.lab.experiments.compare.parameters import Compare
from sentinel.lab.experiments.compare.record import Record
from sentinel.lab.experiments.compare.sides import kept, pair
from sentinel.lab.statistics.compare import plain
from sentinel.lab.trials.study import Study

if TYPE_CHECKING:
    from sentinel.lab.experiments.compare.sides.pair import Pair
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome


class CompareStudy(Study[Compare]):
    """Looks at two runs."""

    notebook = "compare"

    @classmethod
    def require(cls, parameters: Compare) -> None:
        """See Study: both runs are there, and can be compared."""
        pair.read(parameters)

    def expected_seconds(self) -> dict[str, float]:
        """See Study."""
        return {}

    def look(self) -> None:
        """Read both runs, compare them, and keep what the page needs of them."""
        with self.keeping():
            both = pair.read(self.parameters)
            kept.keep_latencies(self.run, both)
            self.run.data.add(plain(self._recorded(both)))
            self.run.data.warnings += [
                f"{name}: {warning}" for name, run in both.named.items() for warning in run.data.warnings
            ]

    def _recorded(self, both: Pair) -> Record:
        a, b = both.a.data, both.b.data
        judged = not any(difference.forbids for difference in both.differences)
        stages = {}
        for label, seen in profiles.stages(a, b).items():
            graph, why = kept.keep_graph(self.run, both, label)
            stages[label] = msgspec.structs.replace(seen, graph=graph, why=why)
        return Record(
            sides={name: summary.described(run.data, str(run.folder)) for name, run in both.named.items()},
            differences=both.differences,
            columns=summary.columns(a, b, judged=judged),
            alone=summary.alone(a, b),
            stages=stages,
            bytes=profiles.allocated(a, b),
            lacking=profiles.lacking(a, b),
        )

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Study."""
        return {"verdict": [str(phrase) for phrase in phrases(run.sections(Record))]}
