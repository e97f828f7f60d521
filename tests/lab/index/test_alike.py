"""Comparable runs: the same machine, stack and load, told by facts that neither a reboot nor an update changes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from support.histories import MACHINE, STACK
from support.records import record

from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.index.alike import LEFT_OUT, Kind, commonest, kind, originals

USUAL = asdict(Benchmark())


def kind_of(**sections: Any) -> Kind:
    """The kind of a benchmark with these sections."""
    return kind(record(**{"notebook": "benchmark", "machine": MACHINE, "stack": STACK} | sections), USUAL)


@pytest.mark.parametrize(
    "sections",
    [
        {"machine": MACHINE | {"kernel": "6.2", "python": "CPython 3.12", "packages": {}}},
        {"machine": MACHINE | {"memory_bytes": 8_000_500_000, "load_average": [1.0, 1.0, 1.0]}},
        {"machine": MACHINE | {"cpu_count_physical": 1, "git": {"commit": "1", "dirty": True, "changed": []}}},
        {"parameters": {"REPEATS": 9, "SEED": 3, "STACK": "native", "MEMRAY": False, "CONFIGURATIONS": "optimised"}},
        {"parameters": {"RATE": 1000}},
        {"parameters": USUAL},
    ],
)
def test_what_does_not_tell_runs_apart(sections: dict[str, Any]) -> None:
    """Updates, what differs from boot to boot, and parameters that change no figure; a default given is a default."""
    assert kind_of() == kind_of(**sections)


@pytest.mark.parametrize(
    ("sections", "clause"),
    [
        ({"machine": MACHINE | {"cpu_model": "Another"}}, "processor Another"),
        ({"machine": MACHINE | {"cpu_count_logical": 4}}, "cores 4 logical"),
        ({"machine": MACHINE | {"memory_bytes": 64_000_000_000}}, "memory 45 to 91 GiB"),
        ({"stack": STACK | {"bus": "Valkey 9"}}, "bus Valkey 9"),
        ({"stack": None}, "bus –"),
        ({"parameters": {"CODEC": "binary"}}, "CODEC binary"),
        ({"parameters": {"RATE": 2000.0}}, "RATE 2000"),
        ({"parameters": {"NEW": [1]}}, "NEW [1]"),
    ],
)
def test_what_tells_runs_apart(sections: dict[str, Any], clause: str) -> None:
    """Another machine, bus, store or load is another kind, and what differs is said."""
    assert clause in kind_of(**sections).differences(kind_of())


def test_the_commonest_kind_is_that_of_the_newest_where_several_are() -> None:
    """Most runs decide, then the newest."""
    first, second = kind_of(), kind_of(stack=None)
    assert second == commonest([("1", first), ("2", second), ("3", second)])
    assert first == commonest([("2", first), ("1", second)])
    assert commonest([]) is None


def test_a_copy_is_no_run_of_its_own() -> None:
    """The folder that has the record's own name holds the run, else the first that has it."""
    assert [False, True, True] == originals([("example", "a"), ("a", "a"), ("b", "b")])
    assert [True, False] == originals([("copy", "a"), ("copy 2", "a")])


def test_every_parameter_that_does_not_count_has_a_reason() -> None:
    """What is left out are parameters that there are."""
    names = {name for names in LEFT_OUT for name in names.split(", ")}
    assert names <= USUAL.keys()
