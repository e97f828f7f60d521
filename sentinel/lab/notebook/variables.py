"""The parameters among a notebook's variables, whoever set them: papermill, the notebook's own cell, or a person."""

from __future__ import annotations

import ast
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sentinel.environment import named_in_environment
from sentinel.lab.parameters import Parameters, converted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

S = TypeVar("S", bound=Parameters)

INJECTED = "# Parameters\n"
"""How the cell begins that papermill inserts behind a notebook's parameters."""
PLAIN = (bool, int, float, str)
"""Types of what a person may have meant as a parameter's value."""


def check(values: Mapping[str, Any], parameters: type[S]) -> S:
    """The parameters among a notebook's variables.

    A name that papermill set is a parameter in any spelling, and so is a parameter's name in other letters, with a
    plain value. Other variables are passed over.

    Args:
        values: The notebook's `globals()`.
        parameters: What may be set.

    Raises:
        SettingsError: an unknown name, or a value that is not allowed.
    """
    names = [f.name for f in fields(parameters)]
    meant = {name for name, value in values.items() if name.upper() in names and isinstance(value, PLAIN)}
    meant |= set(_injected(values.get("In")))
    meant |= {name for name in values if name.isupper() and not name.startswith("_")}
    given = {name: values.get(name) for name in values if name in meant}
    return parameters(**converted(given, parameters.rules()))


def around(names: Iterable[str], words: Iterable[str]) -> list[str]:
    """Parameters that the environment sets and no word of a command line does.

    Args:
        names: Parameters to look for.
        words: `NAME=VALUE`.

    Returns:
        More such words.
    """
    given = {word.partition("=")[0] for word in words}
    return [f"{name}={value}" for name, value in named_in_environment(names).items() if name not in given]


def _injected(history: Any) -> list[str]:
    """Names that papermill's own cell sets, as IPython's history of inputs has it; the latest counts."""
    cells = [cell for cell in history or [] if str(cell).startswith(INJECTED)]
    try:
        lines = ast.parse(cells[-1]).body if cells else []
    except SyntaxError:  # somebody edited it, and IPython has said so
        return []
    targets = [target for line in lines if isinstance(line, ast.Assign) for target in line.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]
