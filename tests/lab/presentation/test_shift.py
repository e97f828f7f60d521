"""The shift in words: where the rounds agree, by how much, and where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from sentinel.lab.presentation import shift as words
from sentinel.lab.presentation.phrase import Strong
from sentinel.lab.statistics.rounds.shift import SHARES, Shift, shift
from sentinel.lab.statistics.sessions.tail import between
from sentinel.model.histogram import Recorder


def rounds(n: int, *factors: float, messages: int = 10**6, sd: float = 0.01) -> Shift:
    """The shift of n rounds whose ratio takes these values along the percentiles, each over as long a stretch."""
    along = np.repeat(factors, -(-len(SHARES) // len(factors)))[: len(SHARES)]
    noise = np.exp(sd * np.random.default_rng(1).standard_normal((n, len(SHARES))))
    return shift(along * noise, np.ones((n, len(SHARES))), messages)


def told(values: Shift) -> list[str]:
    """Its sentences."""
    return [str(item) for item in words.sentences({"stored": values}, "new", "old")]


@pytest.mark.parametrize(
    ("share", "name"),
    [(0.5, "p50"), (0.9, "p90"), (0.976286, "p97.6"), (0.99, "p99"), (0.997629, "p99.76"), (0.9999, "p99.99")],
)
def test_a_percentile_is_named_by_its_distance_to_the_end(share: float, name: str) -> None:
    """Two digits of what lies above, no needless zero."""
    assert name == words.percentile(share)


def test_rounds_that_agree_make_one_sentence() -> None:
    """From the first percentile to the last, with the range of the medians; the word is set off."""
    (sentence,) = words.sentences({"stored": rounds(8, 0.5)}, "new", "old")
    assert "Stored: from p50 to p99.99 new is lower than old (0.50×)." == str(sentence)
    assert ["lower"] == [part for part in sentence if isinstance(part, Strong)]


def test_what_differs_along_the_tail_is_told_in_its_order() -> None:
    """Lower, then equal, then higher: each stretch with its own ends."""
    (text,) = told(rounds(8, 0.5, 1.0, 2.0))
    assert "from p50 to p96.8 new is lower than old (0.50×" in text
    assert "; from p97.6 to p99.87 new and old are equal within 5 %; from p99.9 to p99.99 new is higher than" in text


def test_where_rounds_do_not_agree_it_is_said() -> None:
    """A tail of noise alone is no verdict."""
    noise = np.exp(np.random.default_rng(3).standard_normal((8, len(SHARES))))
    values = np.where(np.arange(len(SHARES)) < 20, 0.5, noise)
    (text,) = told(shift(values, np.ones_like(values), 10**6))
    assert text.startswith("Stored: from p50 to p99.76 new is lower than old (0.50×); beyond p99.76 the rounds do not")
    (nothing,) = told(shift(noise, np.ones_like(noise), 10**6))
    assert nothing.startswith("Stored: from p50 to p99.99 the rounds do not agree (medians ")


def test_a_lone_percentile_is_no_stretch() -> None:
    """The band is pointwise, so that one percentile in many stands out by chance."""
    noise = np.exp(np.random.default_rng(3).standard_normal((8, len(SHARES))))
    noise[:, 7] = 0.2
    (text,) = told(shift(noise, np.ones_like(noise), 10**6))
    assert "lower" not in text


def test_few_rounds_say_how_many_it_takes() -> None:
    """Of fewer than six there is no band of 95 %: what each of them shows is told, and that it is no certainty."""
    first, second = told(rounds(3, 0.5))
    assert "new is lower than old in each of 3 rounds (" in first
    assert "3 rounds cannot make a band of 95 %: that takes 6 that both sustain." == second
    assert "Stored: a single round shows 0.5" in told(rounds(1, 0.5))[0].replace("0.49×", "0.50×")
    assert "1 round cannot make" in told(rounds(1, 0.5))[1]


def test_the_caption_says_what_the_band_holds_and_why_the_axis_ends() -> None:
    """Pointwise, with its exact coverage and n; the trial with the fewest messages decides where the curves end."""
    text = words.caption({"stored": rounds(6, 0.5, messages=1000)}, "new", "old")
    assert "at any one percentile in 96.9 % of experiments (n = 6 rounds); it is pointwise" in text
    assert "The axis ends at p99.58, the last that the 1,000 messages of the trial with the fewest carry." in text
    both = {"stored": rounds(3, 0.5, messages=1000), "e2e": rounds(3, 0.5, messages=500)}
    assert "Stored ends at p99.58" in words.caption(both, "new", "old")
    assert "End to end ends at p99.25" in words.caption(both, "new", "old")
    assert "pointwise" not in words.caption(both, "new", "old")


def test_the_alt_text_has_the_ratios_on_the_axis() -> None:
    """Each with its band where there is one, then the sentences."""
    text = words.alt({"stored": rounds(6, 0.5, sd=0.0)}, "new", "old")
    assert "Stored (n = 6 rounds): p50 0.50× [0.50×, 0.50×]; p90 0.50×" in text
    assert "new is lower than old (0.50×)." in text
    assert "p50 0.50×; p90" in words.alt({"stored": rounds(2, 0.5, sd=0.0)}, "new", "old")


def sessions(n: int, factor: float) -> Shift:
    """The shift of two sessions of n trials each."""
    sides = [[Recorder() for _ in range(n)] for _ in range(2)]
    for side, scale in zip(sides, (factor, 1.0), strict=True):
        for trial, recorder in enumerate(side):
            recorder.record((np.linspace(1, 2, 5000) * 1e6 * scale * (1 + 0.001 * trial)).astype(np.int64))
    return between(*sides)


def test_two_sessions_are_never_said_to_share_rounds() -> None:
    """Neither sentence nor caption nor alt text speaks of rounds; of too few trials it is said how many it takes."""
    for values, expected in (
        (sessions(4, 2.0), "Stored: from p50 to p99.925 new is higher than old (2.00×)."),
        (sessions(3, 2.0), "new is higher than old in every pair of trials (2.00×)."),
        (sessions(1, 2.0), "Stored: trials too few for any band show 2.00× from p50"),
    ):
        panels = {"stored": values}
        text = " ".join([*told(values), words.alt(panels, "new", "old"), words.caption(panels, "new", "old")])
        assert expected in text
        assert "round" not in text.replace("no rounds are pairs", "")
    assert told(sessions(3, 2.0))[-1].endswith("cannot make a band of 95 %: that takes 4 of either.")
