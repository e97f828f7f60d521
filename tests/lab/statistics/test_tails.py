"""Tails: what the messages of a trial carry is read, and nothing beyond it."""

from __future__ import annotations

import pytest

from sentinel.lab.run.trial_record import LATENCY, Outcome, Plan
from sentinel.lab.statistics import tails
from sentinel.lab.statistics.measures import measures
from sentinel.lab.statistics.reliability import warnings
from sentinel.settings import LoadSettings


def trial(n: int, **kinds: float) -> Outcome:
    """A valid trial of so many messages, every percentile of a kind alike but for a maximum twice as long."""
    latencies = {
        kind: {"p50": ms, "p90": ms, "p99": ms, "p99.9": ms, "max": 2 * ms, "n": n} for kind, ms in kinds.items()
    }
    return Outcome(Plan(0, LATENCY, "a", "a", LoadSettings()), valid=True, throughput=1.0, latencies=latencies)


@pytest.mark.parametrize(
    ("n", "known"),
    [(0, ["p50", "max"]), (367, ["p50", "max"]), (368, ["p50", "p99", "max"]), (3688, ["p50", "p99", "p99.9", "max"])],
)
def test_a_percentile_is_read_where_the_messages_carry_it(n: int, known: list[str]) -> None:
    """p99 from 368 messages on, p99.9 from 3,688; of the measures too, which all figures are made of."""
    outcome = trial(n, stored=5.0)
    names = ("p50", "p99", "p99.9", "max")
    assert known == [name for name in names if tails.reading(outcome, "stored", name) is not None]
    assert known == [name for name in names if f"stored_{name}" in measures([outcome])]


@pytest.mark.parametrize(
    ("percentile", "messages"),
    [("max", 1), ("p0.1", 1), ("p50", 1), ("p90", 1), ("p95", 72), ("p99", 368), ("p99.9", 3688), ("p99.99", 36887)],
)
def test_any_tail_has_its_number_of_messages(percentile: str, messages: int) -> None:
    """The fewest whose largest lies below the percentile in at most 2.5 of 100 trials; the middle needs one."""
    assert messages == tails.needed(percentile)
    assert (True, False) == (tails.carried(percentile, messages), tails.carried(percentile, messages - 1))
    if messages > 1:
        assert tails.share(percentile) ** messages <= 0.025 < tails.share(percentile) ** (messages - 1)


def test_what_is_asked_for_is_a_measure_like_the_usual_ones() -> None:
    """A percentile that a trial kept because it was asked for is read where the messages carry it."""
    outcome = trial(40_000, stored=5.0)
    outcome.latencies["stored"]["p99.99"] = 7.0
    assert [7.0] == measures([outcome])["stored_p99.99"]
    outcome.latencies["stored"]["n"] = 30_000
    assert "stored_p99.99" not in measures([outcome])


def test_what_was_not_measured_is_not_read() -> None:
    """A kind that a consumer does not record, and an older record without a count."""
    assert tails.reading(trial(9000, stored=1.0), "e2e", "p50") is None
    outcome = trial(9000, stored=1.0)
    del outcome.latencies["stored"]["n"]
    assert (1.0, None) == tuple(tails.reading(outcome, "stored", name) for name in ("p50", "p99"))


def test_the_tail_is_that_of_every_trial_and_kind() -> None:
    """One trial, or one kind, with too few messages makes it the maximum."""
    many, few = trial(400, stored=1.0, e2e=1.0), trial(300, stored=1.0, e2e=1.0)
    assert ("p99", "max", "max") == (
        tails.highest([many], "stored", "e2e"),
        tails.highest([many, few], "stored"),
        tails.highest([many], "stored", "internal"),
    )


@pytest.mark.parametrize(("n", "tail"), [(9000, "e2e p99"), (300, "e2e's maximum")])
def test_a_late_generator_is_held_against_the_tail_that_there_is(n: int, tail: str) -> None:
    """The warning names no percentile that the messages do not carry."""
    late = trial(n, stored=10.0, e2e=4.0, send_delay=1.0)
    assert [f"Trial 0 (a): more than 20 % of {tail} is load-generator delay."] == warnings([late])
