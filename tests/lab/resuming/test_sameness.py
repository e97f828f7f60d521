"""What must be the same before and after an interruption is named with both values."""

from __future__ import annotations

import pytest

from sentinel.errors import RunError
from sentinel.lab.resuming import sameness


def test_the_same_is_let_pass() -> None:
    """Equal values of any depth, and those that are unknown on both sides."""
    values = {"stack": {"bus": "Redis 7", "reason": None}, "names": ["a", "b"]}
    sameness.require("x", values, {"names": ["a", "b"], "stack": dict(values["stack"])})


def test_a_difference_is_named_with_both_values() -> None:
    """The first is named by its path, and the others are counted."""
    before = {"stack": {"bus": "Redis 7.0.15", "store": "InfluxDB 1.6.7"}}
    now = {"stack": {"bus": "Redis 7.2.0", "store": None}}
    expected = r"run x cannot be resumed: stack.bus was 'Redis 7.0.15', and is 'Redis 7.2.0' now, and 1 more\. Trials"
    with pytest.raises(RunError, match=expected):
        sameness.require("x", before, now)


def test_what_is_there_on_one_side_only_is_a_difference() -> None:
    """A package that is gone, or a side that has come."""
    with pytest.raises(RunError, match=r"machine\.packages\.redis was '6\.4\.0', and is None now"):
        sameness.require("x", {"machine": {"packages": {"redis": "6.4.0"}}}, {"machine": {"packages": {}}})
