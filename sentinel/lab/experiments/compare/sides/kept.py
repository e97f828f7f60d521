"""What a comparison keeps of both runs beside run.json, so that its page can be made anew without them.

`latencies.json`: histograms by part, run and kind, one a trial, as `Recorder.to_dict` has them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sentinel.errors import RunError, TrialError
from sentinel.lab.experiments.compare.sides.pair import beside
from sentinel.lab.experiments.compare.summary import parts
from sentinel.lab.presentation.shift import TITLES
from sentinel.lab.profiling import cpu, difference, stacks
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import LATENCY
from sentinel.model.histogram import Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.experiments.compare.sides.pair import Pair
    from sentinel.lab.experiments.compare.summary import Part
    from sentinel.lab.profiling.stacks import Folded
    from sentinel.lab.run.run import Run

LATENCIES = "latencies.json"
KINDS = tuple(TITLES)
"""Of latency."""
Histograms = dict[str, dict[str, list[Recorder]]]
"""By run and kind, one a trial, ns."""


def keep_latencies(run: Run, pair: Pair) -> None:
    """Write the latencies of all trials that sustained their load.

    Args:
        run: The comparison, whose folder is there.
        pair: The two runs.

    Raises:
        RunError: the file cannot be written.
    """
    whole = {part.label: _of_part(part, pair) for part in parts(pair.a.data, pair.b.data)}
    try:
        (run.folder / LATENCIES).write_text(json.dumps(whole), encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write {run.folder / LATENCIES}: {error.strerror}") from error


def _of_part(part: Part, pair: Pair) -> dict[str, dict[str, list[dict[str, int]]]]:
    collected = {}
    for (name, run), own in zip(pair.named.items(), part.own, strict=True):
        loaded = [o for o in own if o.valid and o.sustained and o.plan.kind == LATENCY]
        trials = [queries.histograms(run, o) for o in loaded]
        collected[name] = {kind: [each[kind].to_dict() for each in trials if len(each[kind])] for kind in KINDS}
    return collected


def latencies(run: Run) -> dict[str, Histograms]:
    """The latencies of all trials that sustained their load, by part.

    Args:
        run: A comparison.

    Returns:
        Histograms by part; empty where the file is not there.
    """
    path = run.folder / LATENCIES
    whole = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return {
        label: {
            name: {kind: [Recorder.from_dict(buckets) for buckets in trials] for kind, trials in kinds.items()}
            for name, kinds in sides.items()
        }
        for label, sides in whole.items()
    }


# -- CPU profiles ----------------------------------------------------------------------------------------------------


def keep_graph(run: Run, pair: Pair, label: str) -> tuple[str, str]:
    """Draw the differential flame graph of a configuration into the comparison's profiles.

    Args:
        run: The comparison.
        pair: The two runs.
        label: The configuration.

    Returns:
        The file's name, or empty and why there is none, in a sentence.
    """
    both: list[Folded] = []
    for name, side in pair.named.items():
        path = beside(side, cpu.names(label)[cpu.STACKS])
        if path is None:
            return "", f"The folded stacks of {label} in {name} are not beside that run: there is no flame graph."
        try:
            both.append(stacks.working(stacks.parsed(path.read_text(encoding="utf-8"))))
        except (OSError, UnicodeDecodeError, TrialError) as error:
            return "", f"The folded stacks of {label} in {name} cannot be read ({error}): there is no flame graph."
    if not all(both):
        return "", f"No sample of {label} met the consumer at work in one of the runs: there is no flame graph."
    return _drawn(run, label, both), ""


def _drawn(run: Run, label: str, both: list[Folded]) -> str:
    (old, new), graph = both, f"{label}-cpu-difference.svg"
    path = run.profiles / graph
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(difference.svg(old, new, f"{label}: CPU of B against A", ("A", "B")), encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error
    return graph


def graph(run: Run, name: str) -> Path | None:
    """A differential flame graph.

    Args:
        run: A comparison.
        name: Of the file.

    Returns:
        Its path; None where it is not beside the run.
    """
    return beside(run, name) if name else None
