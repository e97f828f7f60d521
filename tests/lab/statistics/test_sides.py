"""The sides of a comparison, out of trials."""

from __future__ import annotations

import numpy as np

from sentinel.lab.run.trial_record import CAPACITY, CONTROL, HEADLINE, LATENCY, Outcome, Plan
from sentinel.lab.statistics.rounds.sides import rounds, side
from sentinel.settings import LoadSettings


def _trial(kind: str, label: str, repeat: int, value: float, **more: object) -> Outcome:
    plan = Plan(0, kind, label, label.removesuffix(CONTROL), LoadSettings(), repeat=repeat, group=kind)
    latencies = {"stored": {"p50": value}} if kind == LATENCY else {}
    return Outcome(plan, **{"valid": True, "throughput": value, "latencies": latencies} | more)  # type: ignore[arg-type]


def test_a_round_is_a_row_and_the_control_a_second_column() -> None:
    """Values stand in the row of their repeat, whatever the order of trials; the A/A leg is beside its own."""
    trials = [_trial(CAPACITY, "a" + CONTROL, 1, 4.0), _trial(CAPACITY, "a", 1, 3.0), _trial(CAPACITY, "a", 0, 1.0)]
    np.testing.assert_array_equal(side("a", trials)["capacity"], [[1.0, np.nan], [3.0, 4.0]])


def test_a_failed_trial_leaves_its_place_empty() -> None:
    """An invalid trial, and one that measured nothing, is NaN in its round; both sides have the run's rounds."""
    trials = [_trial(CAPACITY, "a", 0, 5.0, valid=False), _trial(CAPACITY, "a", 1, 0.0), _trial(CAPACITY, "a", 2, 7.0)]
    trials += [_trial(CAPACITY, "b", 3, 9.0)]
    assert rounds(trials) == 4
    np.testing.assert_array_equal(side("a", trials)["capacity"], [[np.nan], [np.nan], [7.0], [np.nan]])
    np.testing.assert_array_equal(side("b", trials)["capacity"], [[np.nan], [np.nan], [np.nan], [9.0]])


def test_latencies_of_a_load_that_was_not_sustained_do_not_count() -> None:
    """One trial in three that fell behind leaves its round empty; where only one kept up, there is no latency."""
    trials = [_trial(LATENCY, "a", n, 1.0 + n, sustained=n != 1) for n in range(3)]
    np.testing.assert_array_equal(side("a", trials)["stored_p50"], [[1.0], [np.nan], [3.0]])
    assert "stored_p50" not in side("a", trials[:2])


def test_the_headline_is_a_side_of_its_own() -> None:
    """Trials at the headline's rate are not among those of the common load."""
    trials = [_trial(LATENCY, "a", 0, 1.0), _trial(LATENCY, "a", 1, 1.5)]
    for trial in trials:
        object.__setattr__(trial.plan, "group", HEADLINE)
    assert not side("a", trials)
    assert side(HEADLINE, trials)["stored_p50"].shape == (2, 1)
