"""Phrases: what decides is marked where a sentence is made, and the mark survives into the page and nowhere else."""

from __future__ import annotations

import pytest

from sentinel.lab.presentation.phrase import Phrase, Strong, joined, phrase
from sentinel.lab.presentation.tables import stressed


def test_a_phrase_keeps_the_marks_of_its_values() -> None:
    """A marked value stays marked, also within a phrase within a phrase; the whole text has no trace of it."""
    inner = phrase("{factor} [{low}, 9]", factor=Strong("5×"), low=4)
    outer = phrase("It is {word}: {inner}.", word=Strong("better"), inner=inner)
    assert "It is better: 5× [4, 9]." == str(outer) == f"{outer}"
    assert ["better", "5×"] == [part for part in outer if isinstance(part, Strong)]


def test_values_are_no_templates() -> None:
    """Braces in a name are text."""
    assert "a {b} c" == str(phrase("a {x} c", x="{b}"))


def test_a_value_that_is_missing_is_named() -> None:
    """A template without its value is an error of ours, seen at once."""
    with pytest.raises(KeyError, match="word"):
        phrase("It is {word}.")


def test_phrases_are_joined_with_their_marks() -> None:
    """Nothing in between before the first, and nothing of none."""
    assert Phrase([Strong("a"), ", ", "b"]) == joined(", ", [Strong("a"), "b"])
    assert isinstance(joined(", ", [Strong("a"), "b"])[0], Strong)
    assert Phrase() == joined(", ", [])


def test_the_page_sets_marks_in_bold_and_nothing_else() -> None:
    """Words are not searched: what is not marked is plain, markup is escaped, numbers stay with their units."""
    shown = stressed(phrase("better <b> is {word}, n = {n}", word=Strong("98.7 % less"), n=5))
    assert (
        "better &lt;b&gt; is <strong>98.7\N{NO-BREAK SPACE}% less</strong>, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}5"
        == shown
    )
