"""docs/run.schema.json: in step with the types, a description with every key, and true of real runs."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from support.records import kept
from support.synthetic import made

from sentinel.lab import registry
from sentinel.lab.run import schema
from sentinel.lab.run.run import load

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SCHEMA: dict[str, Any] = json.loads(schema.PATH.read_text(encoding="utf-8"))
OLD = {
    "format": 1,
    "id": "20260101T000000Z-sweep-0000",
    "notebook": "sweep",
    "steps": [],
    "trials": [{"plan": {"number": 0, "kind": "latency", "label": "x", "configuration": "x", "load": {"rate": 1}}}],
}
"""A run of format 1 from before most keys."""


def faults(record: dict[str, Any]) -> list[str]:
    """Where a record is not as the schema says."""
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(record)]


def keys(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that a schema describes, at any depth, with what it says of it."""
    if isinstance(part, dict):
        yield from part.get("properties", {}).items()
    for below in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from keys(below)


def test_the_schema_is_in_step() -> None:
    """The file is what the types give: `python -m sentinel.lab.run.schema` after every change to them."""
    assert schema.text() == schema.PATH.read_text(encoding="utf-8")
    Draft202012Validator.check_schema(SCHEMA)


def test_every_key_is_described() -> None:
    """Nobody has to guess what a key means, or in which unit."""
    described = [
        name for part in SCHEMA["$defs"].values() for name, sentences in keys(part) if sentences.get("description")
    ]
    assert len(described) > 100
    parts = (SCHEMA, *SCHEMA["$defs"].values())
    named = [item for part in parts for item in part.get("properties", {}).items()]
    assert [] == [name for name, sentences in named if not sentences.get("description")]


@pytest.mark.parametrize("name", ["cpu_us", "steal", "memory_bytes", "started", "late_p99", "rate", "grace", "growth"])
def test_a_quantity_has_its_unit(name: str) -> None:
    """Times, rates, shares and sizes say in what they are counted."""
    parts = [part.get("properties", {}) for part in SCHEMA["$defs"].values()]
    sentences = next(part[name]["description"] for part in parts if name in part and "configuration" not in part)
    assert any(unit in sentences for unit in ("µs", "ms", "ns ", "msg/s", "percent", "bytes", "econd", "essages"))


@pytest.mark.parametrize("path", sorted((ROOT / "runs").glob("example*/run.json")), ids=lambda path: path.parent.name)
def test_the_examples_are_as_the_schema_says(path: Path) -> None:
    """The runs that the repository shows, written by an earlier version, and what this one would write of them."""
    assert [] == faults(json.loads(path.read_text(encoding="utf-8")))
    assert [] == faults(kept(load(path.parent.name, ROOT)))


def test_runs_of_format_1_are_as_the_schema_says(tmp_path: Path) -> None:
    """An old record that lacks most keys, and one made up now."""
    assert [] == faults(OLD)
    assert [] == faults(kept(made(tmp_path, repeats=1)))


@pytest.mark.parametrize(
    ("key", "value"),
    [("format", 3), ("format", "1"), ("id", None), ("trials", [{}]), ("steps", 3), ("machine", {"os": 3})],
)
def test_the_schema_refuses_what_the_lab_refuses(key: str, value: Any) -> None:
    """A value of the wrong type is a fault under its key, in sections of one experiment, too."""
    spoilt = copy.deepcopy(OLD) | {key: value}
    assert [fault for fault in faults(spoilt) if fault.startswith(f"$.{key}")]


def test_sections_of_every_experiment_are_described() -> None:
    """Whatever an experiment keeps beyond the sections of all is in the schema, for its own records alone."""
    named = {name for name in registry.names() if registry.experiment(name).sections()}
    assert named >= schema.own_sections().keys()
    assert named == {rule["if"]["properties"]["notebook"]["const"] for rule in SCHEMA["allOf"]}
    assert [] == faults(OLD | {"notebook": "benchmark", "steps": 3})
