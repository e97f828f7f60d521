"""What must be the same before and after an interruption, so that trials on both sides can be compared. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MACHINE = ("cpu_model", "cpu_count_logical", "architecture", "python", "packages")
"""What of a machine decides how fast the pipeline is, and is no fault of the moment."""
STACK = ("kind", "bus", "store", "write_path", "description")


def require(run_id: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on where something differs.

    Args:
        run_id: The run's.
        before: What was so when it was interrupted: values and mappings of values by name.
        now: The same of now.

    Raises:
        RunError: a value differs; the message names the first that does, with both values, and how many there are.
    """
    if not (differing := list(_differing("", before, now))):
        return
    more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
    raise RunError(
        f"run {run_id} cannot be resumed: {differing[0]}{more}. Trials before and after could not be compared: start"
        " it anew"
    )


def chosen(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Some of these values by name; None stands for those that are not known."""
    return {name: values.get(name) for name in names}


def _differing(path: str, before: Any, now: Any) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for name in {**before, **now}:
            yield from _differing(f"{path}.{name}" if path else name, before.get(name), now.get(name))
    elif before != now:
        yield f"{path} was {before!r}, and is {now!r} now"
