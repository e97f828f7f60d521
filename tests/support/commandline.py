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


def assert_one_line(said: Result, value: str, remedy: str) -> None:
    """One line on stderr, that names the value and says what to do."""
    assert said.code != 0
    assert said.out == ""
    assert [""] == said.err.split("\n")[1:], said.err
    assert said.err.startswith("error: ")
    assert value in said.err
    assert remedy in said.err
