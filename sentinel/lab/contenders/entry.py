"""What must hold before a run with contenders begins: each is there, speaks what is asked for, and is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.errors import ContenderError
from sentinel.lab.contenders import catalog, program

if TYPE_CHECKING:
    from sentinel.lab.contenders.contender import Contender
    from sentinel.lab.parameters import Parameters


def contenders(parameters: Parameters) -> dict[str, Contender]:
    """The contenders that a run's parameters name, by name."""
    return catalog.among(getattr(parameters, "CONFIGURATIONS", ""))


def require(parameters: Parameters) -> None:
    """Make sure, before anything starts, that each contender speaks what is asked for; build it.

    Raises:
        ContenderError: one does not, cannot be built, or its program is missing; or messages would hold tags.
    """
    transports = {getattr(parameters, "TRANSPORT", "stream")}
    if hasattr(parameters, "MESSAGES"):
        transports.add("stream")  # capacities are drained from one
    named = contenders(parameters)
    if named and (tags := getattr(parameters, "TAGS", 0)):
        raise ContenderError(f"TAGS={tags}: {', '.join(named)} knows no tags (docs/contenders.md): expected TAGS=0")
    for contender in named.values():
        for transport in sorted(transports):
            contender.require(transport, getattr(parameters, "CODEC", "json"))
        program.build(contender)
