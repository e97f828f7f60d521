"""Which bus and store the lab uses, and starting them: `STACK=auto|external|docker|native|embedded`.

One file per kind, each with `missing()` (what it lacks, in words, or "") and `stack()` (a context manager). servers.py
holds what they share, store.py is the embedded store's own program. `auto` takes the first kind that lacks nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sentinel.errors import SettingsError, StackError
from sentinel.lab.stack import docker, embedded, external, native
from sentinel.lab.stack.stack import LAB_BUCKET, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor

__all__ = ["KINDS", "LAB_BUCKET", "Stack", "choose", "ensure", "start"]

KINDS = ("auto", "external", "docker", "native", "embedded")

# The order is the order in which `auto` asks.
_MODULES = {"external": external, "docker": docker, "native": native, "embedded": embedded}
_PROBES: Mapping[str, Callable[[], str]] = {kind: module.missing for kind, module in _MODULES.items()}
_AUTO_PROBES: Mapping[str, Callable[[], str]] = {**_PROBES, "docker": docker.not_at_hand}


def choose(kind: str, probes: Mapping[str, Callable[[], str]] | None = None) -> tuple[str, str]:
    """The kind of stack to start.

    No probe is asked after the first whose kind lacks nothing. `auto` fetches nothing: a measurement should not begin
    with a download that nobody asked for, nor fail for want of a network.

    Args:
        kind: One of `KINDS`.
        probes: By kind, what tells in words what the kind lacks, or ""; in the order in which `auto` asks. None takes
            the lab's own.

    Returns:
        The kind, and why `auto` chose it; "" where a kind was asked for.

    Raises:
        SettingsError: there is no such kind, or only half of an external stack is given.
        StackError: the kind asked for, or for `auto` every kind, lacks something.
    """
    if kind not in KINDS:
        raise SettingsError(f"STACK={kind!r} is no kind of stack: choose one of {', '.join(KINDS)}")
    if kind != "auto":
        if lack := (probes or _PROBES)[kind]():
            raise StackError(f"the {kind} stack is not available: {lack}")
        return kind, ""
    lacks: list[str] = []
    for name, missing in (probes or _AUTO_PROBES).items():
        if not (lack := missing()):
            return name, "; ".join([*lacks, f"{name}: available"])
        lacks.append(f"{name}: {lack}")
    raise StackError("no stack is available: " + "; ".join(lacks))


def ensure(kind: str) -> None:
    """Make sure, before anything is started, that a stack of this kind can be had.

    Args:
        kind: One of `KINDS`.

    Raises:
        SettingsError, StackError: see `choose`.
        BusError, StoreError: an external bus or store does not answer.
    """
    if choose(kind)[0] == "external":
        external.ask()


@contextmanager
def start(kind: str, directory: Path, supervisor: Supervisor) -> Iterator[Stack]:
    """A stack that answers; its own servers end with the block, or with the lab.

    Args:
        kind: One of `KINDS`.
        directory: Data and logs go below it; afterwards the logs remain.
        supervisor: Starts its processes.

    Raises:
        SettingsError: see `choose`.
        StackError: the stack is not available or did not start.
        BusError: an external bus does not answer.
        StoreError: an external store does not answer, or does not let us prepare the bucket.
    """
    chosen, reason = choose(kind)
    with _MODULES[chosen].stack(directory.absolute(), supervisor) as stack:
        yield replace(stack, reason=reason)
