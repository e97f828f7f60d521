"""What a run about linger says: ratios by round, the knee, and a whole run on the embedded stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.executions import checkout, sentinel

from sentinel.errors import SettingsError
from sentinel.lab.experiments.linger.answer import phrases
from sentinel.lab.experiments.linger.parameters import Linger
from sentinel.lab.experiments.linger.record import Record
from sentinel.lab.experiments.linger.summary import answered
from sentinel.lab.experiments.linger.trials import rounds
from sentinel.lab.parameters import converted
from sentinel.lab.run import run as records
from sentinel.lab.run.trial_record import Outcome, Plan

if TYPE_CHECKING:
    from pathlib import Path

COSTS = {0.0: (100.0, 2.0), 1.0: (50.0, 3.0), 5.0: (25.0, 6.0), 20.0: (20.0, 21.0)}
"""CPU (µs a message) and stored p99 (ms) by linger (ms): a curve with its knee at 5 ms."""
P = Linger(LINGERS="0,1,5,20", RATES="1000,5000", REPEATS=6)


def outcome(plan: Plan) -> Outcome:
    """A valid trial on the curve, with a drift that all trials of a round share."""
    cpu, p99 = COSTS[1000 * (plan.linger or 0.0)]
    drift = 1 + plan.repeat / 10
    stored = {"n": 2000, "p50": p99 / 2 * drift, "p99": p99 * drift}
    return Outcome(plan, valid=True, cpu_us=cpu * drift, latencies={"stored": stored})


def test_the_knee_is_where_waiting_stops_to_pay() -> None:
    """The point furthest below the line between the ends is the knee; the drift of a round does not count."""
    answer = answered(P, [outcome(plan) for plan in rounds(P)])
    assert answer.knee is not None
    assert (5.0, 6, 6) == (answer.knee.linger, answer.knee.agreed, answer.knee.rounds)
    (point,) = (p for p in answer.points if (p.rate, p.linger) == (1000, 5))
    assert (0.25, 0.25, 0.25) == pytest.approx((point.cpu.value, point.cpu.low, point.cpu.high))
    assert str(phrases(answer)[0]).startswith("The knee is at 5 ms, as the consumer does by itself: ")


def test_a_missing_linger_leaves_no_knee() -> None:
    """Without one valid trial of a linger there is no knee, and its points are not there; nothing is made up."""
    trials = [outcome(plan) for plan in rounds(P)]
    for o in trials:
        o.valid = (o.plan.label, o.plan.group) != ("1 ms", "5000")
    answer = answered(P, trials)
    assert answer.knee is None
    assert 7 == len(answer.points)
    assert str(phrases(answer)[0]).startswith("No knee was found")


@pytest.mark.parametrize(
    ("name", "value"), [("LINGERS", "5"), ("LINGERS", "5,1"), ("LINGERS", "0,x"), ("RATES", "0"), ("RATES", "")]
)
def test_what_is_no_rising_list_is_refused(name: str, value: str) -> None:
    """One line names the parameter, the value and what is expected."""
    with pytest.raises(SettingsError, match=f"{name}='{value}' is not allowed: expected .*rising"):
        converted({name: value}, Linger.rules())


@pytest.mark.timeout(120)
def test_a_run_has_its_figure_and_its_record(tmp_path: Path) -> None:
    """Two lingers under one load, one round: exit code 0, every message accounted for, a figure, no knee."""
    words = ["STACK=embedded", "LINGERS=0,5", "RATES=500", "REPEATS=1", "DURATION=1", "WORKERS=4"]
    done = sentinel(checkout(tmp_path), "run", "linger", *words, timeout=110)
    assert 0 == done.returncode, done.stderr
    (run,) = records.find(tmp_path)
    answer = run.sections(Record).answer
    assert answer is not None
    assert ([0.0, 5.0], [True, True]) == ([p.linger for p in answer.points], [o.valid for o in run.data.trials])
    page = run.report.read_text(encoding="utf-8")
    assert 'alt="CPU a message over stored p99' in page
    assert "No knee was found" in page
