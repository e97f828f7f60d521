"""docs/run.schema.json: every key of run.json with its unit. `python -m sentinel.lab.run.schema` writes it.

Made from the types in `run_data` and in the experiments' own sections; a key is described by the docstring behind it.
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
from dataclasses import is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints, is_typeddict

import msgspec

from sentinel.lab import registry
from sentinel.lab.run.run_data import FORMAT, KNOWN, OLDEST, RunData
from sentinel.model.ledger import ConsumerLedger, SenderLedger

if TYPE_CHECKING:
    from collections.abc import Iterable

PATH = Path(__file__).parents[3] / "docs" / "run.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
REF = "#/$defs/{name}"
LEDGERS = {"sender": SenderLedger, "consumer": ConsumerLedger}
"""Keys of a trial that hold a ledger, or nothing."""


def schema() -> dict[str, Any]:
    """The JSON Schema of run.json, format `FORMAT`."""
    own = own_sections()
    types = _with_parts([RunData, *own.values(), *LEDGERS.values()])
    references, parts = msgspec.json.schema_components(types, ref_template=REF)
    refs = dict(zip(types, references, strict=True))
    for kind, ref in refs.items():
        _describe(parts[ref["$ref"].rpartition("/")[2]], documented(kind))
    for key, ledger in LEDGERS.items():
        parts["Outcome"]["properties"][key] |= refs[ledger]
    for kind in own.values():
        _without_known(parts[refs[kind]["$ref"].rpartition("/")[2]])
    whole = parts.pop("RunData")
    del whole["properties"]["own"]
    # What the sections of one experiment hold depends on whose record it is.
    whole["allOf"] = [
        {"if": {"properties": {"notebook": {"const": name}}}, "then": refs[kind]} for name, kind in own.items()
    ]
    whole["properties"]["format"] |= {"minimum": OLDEST, "maximum": FORMAT}
    whole["required"] = ["format", *whole["required"]]
    return {"$schema": DIALECT, **whole, "$defs": parts}


def own_sections() -> dict[str, type]:
    """The sections that records of the lab's own experiments hold beyond those of every record.

    Returns:
        The struct of its sections by the experiment's name; experiments without such sections are left out.
    """
    kinds = {name: registry.experiment(name).sections() for name in registry.names()}
    return {name: kind for name, kind in kinds.items() if kind and kind.__module__.startswith("sentinel.")}


def documented(kind: type) -> dict[str, str]:
    """The docstrings behind the fields of a class and of its bases.

    Args:
        kind: A class whose source can be read.

    Returns:
        Texts by field; fields without a docstring are left out.
    """
    own = [base for base in reversed(kind.__mro__) if base.__module__.startswith("sentinel.")]
    return {name: text for base in own for name, text in _documented(base).items()}


def _documented(kind: type) -> dict[str, str]:
    (tree,) = ast.parse(inspect.getsource(kind)).body
    lines = tree.body if isinstance(tree, ast.ClassDef) else []
    return {
        field.target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(lines)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


def text() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _with_parts(kinds: Iterable[type]) -> list[type]:
    """These types, and all that their fields are made of."""
    collected: list[type] = []
    todo = list(kinds)
    while todo:
        kind = todo.pop()
        if kind not in collected:
            collected.append(kind)
            todo += [part for hint in get_type_hints(kind).values() for part in _classes(hint)]
    return collected


def _classes(hint: Any) -> list[type]:
    """The structs, dataclasses and typed dictionaries that a type is made of."""
    if is_dataclass(hint) or is_typeddict(hint) or (isinstance(hint, type) and issubclass(hint, msgspec.Struct)):
        return [hint]
    return [part for argument in get_args(hint) for part in _classes(argument)]


def _without_known(part: dict[str, Any]) -> None:
    """Take the keys of every record out of an experiment's own, which reads some of them beside its sections."""
    part["properties"] = {name: key for name, key in part["properties"].items() if name not in KNOWN}


def _describe(part: dict[str, Any], expected_text: dict[str, str]) -> None:
    """Put the docstrings of a class to its keys, or to the places of one that is kept as an array."""
    keys = part["properties"] if "properties" in part else dict(zip(expected_text, part["prefixItems"], strict=True))
    for name, key in keys.items():
        if name in expected_text:
            key["description"] = expected_text[name]


def main() -> None:
    """Write the file."""
    PATH.write_text(text(), encoding="utf-8")
    print(f"{PATH} is new")


if __name__ == "__main__":
    main()
