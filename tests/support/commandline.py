"""How a command of ours ended, as a shell sees it."""

from __future__ import annotations

from typing import NamedTuple

NOWHERE = {"REDIS_URL": "redis://127.0.0.1:1/0", "INFLUX_URL": "http://127.0.0.1:1"}
"""An environment in which neither Redis nor a store answers."""


class Result(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def assert_one_line(output: Result, value: str, remedy: str) -> None:
    """One line on stderr, that names the value and says what to do."""
    assert output.code != 0
    assert output.out == ""
    assert [""] == output.err.split("\n")[1:], output.err
    assert output.err.startswith("error: ")
    assert value in output.err
    assert remedy in output.err
