"""Configurations: frozen records of one choice per axis of the consumer's hot path, found by their names.

Each axis can be switched alone (`parse("optimised,decode=json.loads")`), which is what an ablation does.
Another package adds to them through the entry-point group `sentinel.configurations`: an entry `<name>` is a
`Configuration` of that name, an entry `<axis>.<name>` a choice of that name on that axis. So all can be listed without
importing one; a package is imported once its entry is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from sentinel.consumer import choices
from sentinel.consumer.choices import AXES, CHOICES, WriteChoice
from sentinel.errors import ExtensionError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.consumer.choices import Choice, DecodeChoice, PointChoice, ReceiveChoice

GROUP = "sentinel.configurations"
ORDER = tuple(reversed(list(AXES)))
"""The order in which an ablation switches the axes: from the store backwards."""


@dataclass(frozen=True)
class Configuration:
    """One choice per axis."""

    name: str
    receive: ReceiveChoice
    decode: DecodeChoice
    point: PointChoice
    write: WriteChoice

    def __post_init__(self) -> None:
        for axis, kind in AXES.items():
            if not isinstance(chosen := getattr(self, axis), kind):
                raise _no_choice(axis, chosen)

    def axes(self) -> dict[str, str]:
        """The name of the choice on each axis, as a run records it."""
        return {axis: getattr(self, axis).name for axis in AXES}


BASELINE = Configuration(
    "baseline", choices.REDIS_PY, choices.JSON_LOADS, choices.CLIENT_POINTS, choices.CLIENT_SYNCHRONOUS
)
CLIENT_BATCHING = replace(BASELINE, name="client-batching", write=choices.CLIENT_BATCHING)
OPTIMISED = Configuration("optimised", choices.SOCKET_READS, choices.MSGSPEC, choices.LINE_BYTES, choices.POST_BATCHES)

CONFIGURATIONS: Mapping[str, Configuration] = {c.name: c for c in (BASELINE, CLIENT_BATCHING, OPTIMISED)}
"""The pipeline's own; those of other packages come in by entry points."""


def names() -> list[str]:
    """The names of all configurations, other packages' last; none of these is imported."""
    return _listed(CONFIGURATIONS, [p.name for p in _entry_points() if p.name.partition(".")[0] not in AXES])


def is_known(name: str) -> bool:
    """Whether a name, with or without switches or a leg's mark behind it, is of one of these; none is imported."""
    return re.split("[,; ]", name)[0] in names()


def choice_names(axis: str) -> list[str]:
    """The names of all choices of an axis, likewise."""
    return _listed(CHOICES[axis], [p.name.partition(".")[2] for p in _entry_points() if p.name.startswith(f"{axis}.")])


def _listed(own: Mapping[str, Any], others: list[str]) -> list[str]:
    return [*own, *sorted({*others} - {*own})]


def axes_listed() -> str:
    """All choices of each axis, in words."""
    return ", ".join(f"{axis}={'|'.join(choice_names(axis))}" for axis in AXES)


def described() -> str:
    """All configurations and all choices of each axis, as a help text lists them."""
    return f"{', '.join(names())}. Axes may be switched, as in optimised,decode=json.loads: {axes_listed()}."


def parse(text: str) -> Configuration:
    """A configuration by name, with axes switched where asked: `optimised` or `baseline,decode=msgspec`.

    A semicolon divides as a comma does, for lists of configurations that are joined by commas.

    Raises:
        SettingsError: unknown name, axis or choice; the message lists what there is.
        ExtensionError: an entry point of that name cannot be loaded, or collides.
    """
    name, *switches = (part.strip() for part in re.split("[,;]", text))
    configuration: Configuration | None = _registered(name, name, CONFIGURATIONS, Configuration)
    if configuration is None:
        raise SettingsError(f"configuration={name!r} is unknown: expected one of {', '.join(names())}")
    for switch in switches:
        axis, _, chosen = switch.partition("=")
        if axis not in AXES:
            raise SettingsError(f"{switch!r} switches no axis: expected AXIS=CHOICE with one of {', '.join(AXES)}")
        changed: dict[str, Any] = {axis: choice(axis, chosen)}
        configuration = replace(configuration, **changed)
    return replace(configuration, name=",".join([name, *switches]))


def choice(axis: str, name: str) -> Choice:
    """The choice of that name on an axis.

    Raises:
        SettingsError: there is none of that name, or its entry point cannot be used.
    """
    registered: Choice | None = _registered(f"{axis}.{name}", name, CHOICES[axis], AXES[axis])
    if registered is None:
        raise _no_choice(axis, name)
    return registered


def request_per_point(axes: Mapping[str, str]) -> bool:
    """Whether every point was a request of its own, by the axes on record; not if nobody knows that choice any more."""
    try:
        writes = choice(WriteChoice.AXIS, axes.get(WriteChoice.AXIS, ""))
    except SettingsError:
        return False
    return isinstance(writes, WriteChoice) and writes.request_per_point


def _no_choice(axis: str, chosen: object) -> SettingsError:
    return SettingsError(f"{axis}={chosen!r} is not a choice: expected one of {', '.join(choice_names(axis))}")


def _registered(key: str, name: str, own: Mapping[str, Any], kind: type) -> Any:
    """What is registered under a name, here or by the entry point `key`; None if nothing is."""
    points = [point for point in _entry_points() if point.name == key]
    if len(points) + (name in own) > 1:
        raise ExtensionError(f"{_said(points[0])} collides with {_said(points[1]) if points[1:] else 'our own'}")
    return _loaded(points[0], name, kind) if points else own.get(name)


def _loaded(point: EntryPoint, name: str, kind: type) -> Any:
    try:
        loaded = point.load()
    except Exception as error:
        raise ExtensionError(f"{_said(point)} cannot be loaded: {error}") from error
    if not isinstance(loaded, kind) or getattr(loaded, "name", None) != name:
        raise ExtensionError(f"{_said(point)} is {loaded!r}: expected a {kind.__name__} named {name!r}")
    return loaded


def _said(point: EntryPoint) -> str:
    package = f" of {point.dist.name}" if point.dist else ""
    return f"entry point {point.name!r} ({point.value}){package} in the group {GROUP}"


@cache
def _entry_points() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def ablation() -> list[str]:
    """`baseline`, one axis more on the way to `optimised`, `optimised` with each axis switched back; `optimised` last.

    Axes in the order of `ORDER`; the step before the last and `optimised` without the last axis are the same.
    """
    old, new = BASELINE.axes(), OPTIMISED.axes()
    switched = [f"{axis}={new[axis]}" for axis in ORDER]
    steps = [",".join([BASELINE.name, *switched[:n]]) for n in range(len(ORDER))]
    without = [f"{OPTIMISED.name},{axis}={old[axis]}" for axis in ORDER[:-1]]
    return [*steps, *without, OPTIMISED.name]
