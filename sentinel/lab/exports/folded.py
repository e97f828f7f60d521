"""A run's CPU profiles as folded stacks, which flamegraph.pl, inferno and speedscope read: as py-spy sampled them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.errors import RunError
from sentinel.lab.profiling import cpu
from sentinel.lab.run.run import PROFILES
from sentinel.lab.run.trial_record import PROFILE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.run import Run


def stacks(run: Run) -> dict[str, str]:
    """The folded stacks of every CPU profile that a run left.

    Args:
        run: A run, whose profiles lie in `profiles/<run id>/`, or in its own folder where a bundle was unpacked.

    Returns:
        Texts by configuration.

    Raises:
        RunError: there is none, and the message says why; or one cannot be read.
    """
    labels = dict.fromkeys(o.plan.label for o in run.data.trials if o.plan.kind == PROFILE)
    places = [folder for folder in (run.profiles, run.folder / PROFILES) if folder.is_dir()]
    files = {label: folder / cpu.names(label)[cpu.STACKS] for folder in reversed(places) for label in labels}
    try:
        texts = {label: path.read_text(encoding="utf-8") for label, path in files.items() if path.exists()}
    except OSError as error:
        raise RunError(f"the CPU profiles of run {run.id} cannot be read: {error}") from error
    if not texts:
        why = run.data.unprofiled or f"there are no folded stacks in {run.profiles}"
        raise RunError(f"run {run.id} has no CPU profile: {why}")
    return texts


def files(runs: Sequence[Run]) -> dict[str, str | bytes]:
    """See `formats`."""
    return {f"{run.id}-{label}.folded": text for run in runs for label, text in stacks(run).items()}
