"""Two CPU profiles against each other: shares, what sampling alone makes, and a static picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from sentinel.lab.presentation.style import LESS, MORE, MUTED
from sentinel.lab.profiling import difference, memory, stacks
from sentinel.lab.profiling.difference import chance

RUN = "Consumer.run (sentinel/consumer/consumer.py:{line})"
ENCODE, BATCH = (
    "LineEncoder.__call__ (sentinel/model/lineprotocol.py:{line})",
    "Batcher.add (sentinel/batching.py:{line})",
)
SVG = "{http://www.w3.org/2000/svg}"


def folded(line: int, encode: int, batch: int, other: int = 500) -> stacks.Folded:
    """Stacks of a version whose functions begin in that line."""
    run = RUN.format(line=line)
    lines = [(ENCODE, encode), (BATCH, batch), ("poll (redis/x.py:{line})", other)]
    return stacks.parsed("".join(f"{run};{name.format(line=line)} {n}\n" for name, n in lines if n))


OLD, NEW = folded(10, 100, 400), folded(20, 400, 100)


def test_functions_are_the_same_whatever_line_they_stand_in() -> None:
    """Lines and moved modules make no change; the largest change comes first."""
    changes = difference.functions(stacks.summary(OLD), stacks.summary(NEW))
    shares = {change.name: (change.old, change.new) for change in changes}
    assert (0.1, 0.4) == shares["LineEncoder.__call__ (sentinel/model/lineprotocol.py)"]
    assert (0.4, 0.1) == shares["Batcher.add (sentinel/consumer/batching.py)"]
    assert "poll (redis/x.py)" == changes[-1].name
    assert (0.1, 0.4) == next(s[1:] for s in difference.stages(*map(stacks.summary, (OLD, NEW))) if s.name == "encode")


def test_chance_is_wider_of_fewer_samples() -> None:
    """Of equal profiles shares lie apart by about two standard errors at most; of none there is nothing to say."""
    assert 0.0438 == pytest.approx(chance((0.5, 0.5), (1000, 1000)), rel=0.01)
    assert chance((0.5, 0.5), (100, 100)) > chance((0.5, 0.5), (1000, 1000))
    assert 0.0 == chance((0.0, 0.0), (10, 10))


def boxes(text: str) -> dict[str, tuple[str, float]]:
    """Colour and width of every frame, by the beginning of its tooltip."""
    collected = {}
    for group in ET.fromstring(text).iter(f"{SVG}g"):
        title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        assert title is not None
        assert rect is not None
        collected[(title.text or "").partition(" (")[0]] = rect.get("fill", ""), float(rect.get("width", "nan"))
    return collected


def test_more_is_red_less_is_blue_and_noise_is_grey() -> None:
    """A frame is as wide as the mean of its shares; the uppermost holds all samples of both."""
    drawn = boxes(difference.svg(OLD, NEW, "optimised", ("A", "B")))
    assert (MORE, LESS, MUTED, MUTED) == tuple(
        drawn[name][0] for name in ("LineEncoder.__call__", "Batcher.add", "poll", "Consumer.run")
    )
    assert drawn["LineEncoder.__call__"][1] == pytest.approx(drawn["Consumer.run"][1] / 4, abs=0.1)


def test_what_is_gone_and_what_is_new_are_both_drawn() -> None:
    """A function of one version alone has half its share as its width, and its tooltip both shares."""
    text = difference.svg(folded(1, 500, 0), folded(1, 0, 500), "<optimised>", ("A", "B"))
    assert {"LineEncoder.__call__", "Batcher.add"} <= boxes(text).keys()
    assert "A 50.0 %, B 0.0 % of the samples" in text
    assert "<optimised>" not in text
    assert ["http://www.w3.org/2000/svg"] == re.findall(r"\w+://[^\"' ]+", text)


def test_places_of_allocation_lose_their_lines() -> None:
    """Lines of one function are one place; a place that has none stays, and a moved module is named as it is now."""
    actual = memory.by_function(
        {"f:a/b.py:1": 1.0, "f:a/b.py:2": 2.0, "g:sentinel/batching.py:3": 4.0, "<unknown>": 8.0}
    )
    assert {"f:a/b.py": 3.0, "g:sentinel/consumer/batching.py": 4.0, "<unknown>": 8.0} == actual
