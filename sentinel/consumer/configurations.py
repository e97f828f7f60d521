"""Configurations: frozen records of named choices for the consumer's hot path.

Each axis can be switched alone (`parse("optimised,decode=json.loads")`), which is what an ablation does.
A choice whose library is missing is an error when the consumer starts, never a silent fallback.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace

from sentinel.errors import SettingsError

CHOICES = {
    "receive": ("redis-py", "socket-reads"),
    "decode": ("json.loads", "msgspec"),
    "point": ("influxdb-client", "line-bytes"),
    "write": ("client-synchronous", "client-batching", "post-batches"),
}
"""Every axis and its choices, plainest first."""


@dataclass(frozen=True)
class Configuration:
    """One choice per axis."""

    name: str
    receive: str
    """`redis-py`: `get_message` / `XREADGROUP COUNT 1`. `socket-reads`: whole reads through `hiredis.Reader`."""
    decode: str
    point: str
    """`influxdb-client`: `Point` objects. `line-bytes`: our own line protocol."""
    write: str
    """`client-synchronous`: one request a point. `client-batching`: `WriteApi`. `post-batches`: own POSTs."""

    def __post_init__(self) -> None:
        for axis, allowed in CHOICES.items():
            choice = getattr(self, axis)
            if choice not in allowed:
                raise SettingsError(f"{axis}={choice!r} is not a choice: expected one of {', '.join(allowed)}")

    def axes(self) -> dict[str, str]:
        """Axis to choice, without the name."""
        return {axis: choice for axis, choice in asdict(self).items() if axis != "name"}


BASELINE = Configuration("baseline", "redis-py", "json.loads", "influxdb-client", "client-synchronous")
CLIENT_BATCHING = Configuration("client-batching", "redis-py", "json.loads", "influxdb-client", "client-batching")
OPTIMISED = Configuration("optimised", "socket-reads", "msgspec", "line-bytes", "post-batches")

CONFIGURATIONS = {c.name: c for c in (BASELINE, CLIENT_BATCHING, OPTIMISED)}

ORDER = ("write", "point", "decode", "receive")
"""The order in which an ablation switches the axes: from the store backwards."""


def parse(text: str) -> Configuration:
    """A configuration by name, with axes switched where asked: `optimised` or `baseline,decode=msgspec`.

    A semicolon divides as a comma does, for lists of configurations that are joined by commas.

    Raises:
        SettingsError: unknown name, axis or choice; the message lists what there is.
    """
    name, *switches = (part.strip() for part in re.split("[,;]", text))
    if name not in CONFIGURATIONS:
        raise SettingsError(f"configuration={name!r} is unknown: expected one of {', '.join(CONFIGURATIONS)}")
    configuration = CONFIGURATIONS[name]
    axes = [f.name for f in fields(Configuration) if f.name != "name"]
    for switch in switches:
        axis, _, choice = switch.partition("=")
        if axis not in axes:
            raise SettingsError(f"{switch!r} switches no axis: expected AXIS=CHOICE with one of {', '.join(axes)}")
        configuration = replace(configuration, **{axis: choice})
    return replace(configuration, name=",".join([name, *switches]))


def ablation() -> list[str]:
    """`baseline`, one axis more on the way to `optimised`, `optimised` with each axis switched back; `optimised` last.

    Axes in the order of `ORDER`; the step before the last and `optimised` without the last axis are the same.
    """
    choices = OPTIMISED.axes()
    switched = [f"{axis}={choices[axis]}" for axis in ORDER]
    steps = [",".join(["baseline", *switched[:n]]) for n in range(len(ORDER))]
    without = [f"optimised,{axis}={getattr(BASELINE, axis)}" for axis in ORDER[:-1]]
    return [*steps, *without, "optimised"]
