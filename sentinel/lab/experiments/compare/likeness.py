"""Whether two runs may be judged against each other: what differs, and what of that forbids it. Pure.

Machine, stack and load decide what a figure means; the lab's commit, Python and how often trials were repeated are
what people compare, or what an interval accounts for.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.lab.experiments.compare.record import Difference
from sentinel.lab.statistics.compare import BAND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sentinel.lab.machine.facts import Machine
    from sentinel.lab.run.run_data import RunData

INFORMS = {
    "REPEATS", "SETTLE", "WITHIN", "SEED", "MEMRAY", "PYSPY", "UNVERIFIED", "CONFIGURATIONS", "BASE", "HEAD", "MARGIN",
    "RATES", "START", "FACTOR", "PERCENTILES",
}  # fmt: skip
"""Parameters that change how often and what is measured, and not what a figure of it means. All others are the load."""
OFFERED = "Really offered to all, msg/s"
UNKNOWN = "not known"
DIGITS = 12
"""Of a commit's name."""


def differences(a: RunData, b: RunData, usual: Mapping[str, Any]) -> list[Difference]:
    """What is not the same in two runs, what forbids to judge them first.

    Args:
        a: The record of the one.
        b: That of the other.
        usual: Values of parameters that a record lacks since they came later.
    """
    pairs = [
        *_apart(_forbidding(a), _forbidding(b), forbids=True),
        *_parameters(a.parameters, b.parameters, usual),
        *_offered(a, b),
        *_apart(_informing(a.machine), _informing(b.machine), forbids=False),
    ]
    return sorted(pairs, key=lambda difference: not difference.forbids)


def _apart(a: Mapping[str, Any], b: Mapping[str, Any], *, forbids: bool) -> list[Difference]:
    names = dict.fromkeys([*a, *b])
    values = {name: (_text(a.get(name)), _text(b.get(name))) for name in names}
    return [Difference(name, *pair, forbids) for name, pair in values.items() if pair[0] != pair[1]]


def _text(value: Any) -> str:
    if value is None or value == "":
        return UNKNOWN
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return formatting.plain(value)
    return str(value)


def _forbidding(run: RunData) -> dict[str, Any]:
    stack, machine = run.stack, run.machine
    return {
        "CPU": machine.cpu_model,
        "Logical cores": machine.cpu_count_logical,
        "Physical cores": machine.cpu_count_physical,
        "Architecture": machine.architecture,
        "Kind of stack": stack and stack.kind,
        "Bus": stack and stack.bus,
        "Store": stack and stack.store,
        "Path that points are posted to": stack and stack.write_path,
        "A tap before the store": "yes" if run.contenders else "no",
    }


def _parameters(a: Mapping[str, Any], b: Mapping[str, Any], usual: Mapping[str, Any]) -> Iterable[Difference]:
    for name in dict.fromkeys([*a, *b]):
        values = [run.get(name, usual.get(name)) for run in (a, b)]
        if values[0] != values[1] and name != "STACK":  # which of them it came to stands above
            yield Difference(name, _text(values[0]), _text(values[1]), name not in INFORMS)


def _offered(a: RunData, b: RunData) -> list[Difference]:
    """The rate that was lowered to what the slowest configuration sustains, where the same was asked for."""
    rates = [run.rates.get("latency") for run in (a, b)]
    if rates[0] == rates[1] or a.parameters.get("RATE") != b.parameters.get("RATE"):
        return []
    same = all(rates) and same_load(rates[0] or 0.0, rates[1] or 0.0)
    but = "" if same else "CPU and latencies under it"
    return [Difference(OFFERED, _text(rates[0]), _text(rates[1]), forbids=False, but=but)]


def same_load(a: float, b: float) -> bool:
    """Whether two rates count as the same load: no further apart than what is of no practical interest.

    Args:
        a: msg/s.
        b: msg/s.
    """
    return a == b or (a > 0 < b and abs(math.log(a / b)) <= math.log1p(BAND))


def _informing(machine: Machine) -> dict[str, Any]:
    git = machine.git or {}
    commit = git.get("commit", "")[:DIGITS]
    optimised = {None: None, True: "yes", False: "no"}[machine.python_optimised]
    packages = {f"Package {name}": version for name, version in machine.packages.items()}
    return {
        "Lab's commit": f"{commit}{' and what is not committed' if git.get('dirty') else ''}",
        "Lab's version": machine.sentinel,
        "Python": machine.python,
        "Python compiled with optimisation": optimised,
        "Operating system": machine.os,
        "Kernel": machine.kernel,
        "Memory, bytes": machine.memory_bytes,
        **packages,
    }
