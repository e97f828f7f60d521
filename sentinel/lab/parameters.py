"""The notebooks' parameters: what each may be, checked before anything starts.

papermill guesses types and only warns of unknown names; here a wrong name or value is an error that says what is
allowed.
`check` is called twice on purpose: by the runner, before a notebook is executed, and by the notebook itself, which may
have been started by plain papermill or by hand.
"""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

from sentinel.consumer.configurations import CONFIGURATIONS, OPTIMISED, ablation, parse
from sentinel.errors import SettingsError
from sentinel.lab.stack import KINDS
from sentinel.settings import CODEC_NAMES, TRANSPORTS, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

S = TypeVar("S", bound="Shared")

INJECTED = "# Parameters\n"
"""How the cell begins that papermill inserts behind a notebook's parameters."""
PLAIN = (bool, int, float, str)
"""Types of what a person may have meant as a parameter's value."""


@dataclass(frozen=True)
class Shared:
    """What every notebook can be told; defaults are the notebooks'."""

    WORKERS: int = 16
    STACK: str = "auto"

    @property
    def names(self) -> list[str]:
        """Names of the configurations, in order; the last is compared with the first."""
        raise NotImplementedError


@dataclass(frozen=True)
class Common(Shared):
    """What every notebook that measures can be told."""

    REPEATS: int = 3
    CODEC: str = "json"
    BATCH_SIZE: int = 5000
    SEED: int = 1

    @property
    def limit_seconds(self) -> float:
        """Seconds that each measurement of a limit takes."""
        return 0.8


@dataclass(frozen=True)
class Draining(Common):
    """Of notebooks that drain full streams."""

    MESSAGES: int = 20_000
    MEMRAY: bool = True


@dataclass(frozen=True)
class Paced(Common):
    """Of notebooks that offer a load."""

    DURATION: float = 10.0
    TRANSPORT: str = "stream"

    @property
    def limit_seconds(self) -> float:
        """See Common; a run of short trials needs no long limits."""
        return min(super().limit_seconds, self.DURATION / 5)


@dataclass(frozen=True)
class Chosen(Common):
    """Of notebooks whose configurations can be chosen."""

    CONFIGURATIONS: str = "baseline,client-batching,optimised"

    @property
    def names(self) -> list[str]:
        """See Common."""
        return [parse(name).name for name in self.CONFIGURATIONS.split(",")]


@dataclass(frozen=True)
class Benchmark(Chosen, Draining, Paced):
    """The parameters of benchmark.ipynb."""

    RATE: float = 1000.0
    HEADLINE_RATE: float = 25_000.0
    PYSPY: bool = True


@dataclass(frozen=True)
class Ablation(Draining):
    """The parameters of ablation.ipynb."""

    @property
    def names(self) -> list[str]:
        """`baseline`, every step to `optimised`, and `optimised` without each choice; `optimised` is the last."""
        return ablation()


@dataclass(frozen=True)
class Sweep(Chosen, Paced):
    """The parameters of sweep.ipynb."""

    WORKERS: int = 128
    DURATION: float = 5.0
    RATES: str = ""
    START: float = 250.0
    FACTOR: float = 2.0
    P99_STORED_MS: float = 50.0


@dataclass(frozen=True)
class Live(Shared):
    """The parameters of live.ipynb."""

    SECONDS: float = 30.0
    LOAD: bool = True
    RATE: float = 1000.0
    INTERVAL: float = 1.0
    WINDOW: float = 60.0
    TRANSPORT: str = "stream"

    @property
    def names(self) -> list[str]:
        """See Shared."""
        return [OPTIMISED.name]


@dataclass(frozen=True)
class Rule:
    """How a parameter's value is read, and what is allowed, in words."""

    read: Callable[[Any], Any]
    allowed: str


def _whole(low: int, high: int) -> Rule:
    def read(value: Any) -> int:
        number = float(str(value))  # papermill makes a float of 1e4
        if not (low <= number <= high and number.is_integer()):
            raise ValueError
        return int(number)

    return Rule(read, f"a whole number from {low:,} to {high:,}")


def _number(low: float, high: float) -> Rule:
    def read(value: Any) -> float:
        number = float(str(value).replace("_", ""))
        if isinstance(value, bool) or not low <= number <= high:
            raise ValueError
        return number

    return Rule(read, f"a number from {low:,g} to {high:,.0f}")


def _choice(*choices: str) -> Rule:
    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError
        return str(value)

    return Rule(read, f"one of {', '.join(choices)}")


def _duration(low: float, high: float, examples: str) -> Rule:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not low <= (seconds := parse_duration(value)) <= high:
            raise ValueError
        return seconds

    return Rule(read, f"seconds from {low:g} to {high:,.0f}, as {examples}")


def _configurations(value: Any) -> str:
    names = [parse(name).name for name in str(value).split(",")]
    if len(set(names)) != len(names):
        raise ValueError
    return ",".join(name.replace(",", ";") for name in names)


def _rates(value: Any) -> str:
    rates = [float(rate) for rate in str(value).split(",")] if value else []
    if any(not 1 <= rate <= 10_000_000 for rate in rates) or rates != sorted(set(rates)):
        raise ValueError
    return ",".join(f"{rate:g}" if rate < 1000 else f"{rate:.0f}" for rate in rates)


def _yes_or_no(value: Any) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]


RULES: Mapping[str, Rule] = {
    "WORKERS": _whole(1, 10_000),
    "DURATION": _duration(1, 86_400, '10, "120s" or "2m"'),
    "RATE": _number(1, 10_000_000),
    "HEADLINE_RATE": _number(1, 10_000_000),
    "REPEATS": _whole(1, 100),
    "MESSAGES": _whole(1000, 100_000_000),
    "CONFIGURATIONS": Rule(
        _configurations,
        f"different names out of {', '.join(CONFIGURATIONS)}, joined by commas; optimised;decode=json.loads switches an"
        " axis",
    ),
    "TRANSPORT": _choice(*TRANSPORTS),
    "CODEC": _choice(*CODEC_NAMES),
    "BATCH_SIZE": _whole(1, 100_000),
    "STACK": _choice(*KINDS),
    "RATES": Rule(_rates, "rising rates in msg/s joined by commas, such as 10000,25000, or nothing"),
    "START": _number(1, 10_000_000),
    "FACTOR": _number(1.05, 10),
    "P99_STORED_MS": _number(0.1, 60_000),
    "SECONDS": _duration(1, 86_400, '30, "120s" or "1h"'),
    "LOAD": Rule(_yes_or_no, "True or False"),
    "INTERVAL": _duration(0.2, 60, '1, "500ms" or "2s"'),
    "WINDOW": _duration(5, 600, '60, "90s" or "5m"'),
    "MEMRAY": Rule(_yes_or_no, "True or False"),
    "PYSPY": Rule(_yes_or_no, "True or False"),
    "SEED": _whole(0, 2**31 - 1),
}


def check(values: Mapping[str, Any], parameters: type[S]) -> S:
    """The `parameters` among `values` (upper-case names; others, such as a notebook's variables, are passed over).

    A name that papermill set is a parameter in any spelling, and so is a parameter's name in other letters, with a
    plain value.

    Raises:
        SettingsError: an unknown name, or a value that is not allowed.
    """
    names = [f.name for f in fields(parameters)]
    meant = {name for name, value in values.items() if name.upper() in names and isinstance(value, PLAIN)}
    meant |= set(_injected(values.get("In")))
    meant |= {name for name in values if name.isupper() and not name.startswith("_")}
    return parameters(**converted({name: values.get(name) for name in values if name in meant}, names))


def _injected(history: Any) -> list[str]:
    """Names that papermill's own cell sets, as IPython's history of inputs has it; the latest counts."""
    cells = [cell for cell in history or [] if str(cell).startswith(INJECTED)]
    try:
        lines = ast.parse(cells[-1]).body if cells else []
    except SyntaxError:  # somebody edited it, and IPython has said so
        return []
    targets = [target for line in lines if isinstance(line, ast.Assign) for target in line.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def converted(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The values, each read by its rule; `names` are those that there are.

    Raises:
        SettingsError: a name that is not among them, or a value that is not allowed.
    """
    known = [name for name in RULES if name in set(names)]
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name.upper(), known, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise SettingsError(f"{name} is not a parameter{hint}: there are {', '.join(known)}")
    return {name: read(name, value) for name, value in given.items()}


def read(name: str, value: Any) -> Any:
    """One parameter's value, converted.

    Raises:
        SettingsError: it is not allowed; the message names parameter, value and what is.
    """
    try:
        return RULES[name].read(value)
    except (ValueError, KeyError, TypeError, OverflowError, SettingsError):
        raise SettingsError(f"{name}={value!r} is not allowed: expected {RULES[name].allowed}") from None


def from_words(words: Iterable[str], names: Iterable[str]) -> dict[str, Any]:
    """`NAME=VALUE` words of a command line, checked and converted; `names` are the notebook's parameters.

    Raises:
        SettingsError: a word without `=`, an unknown name, or a value that is not allowed.
    """
    pairs: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise SettingsError(f"{word!r} is not a parameter: expected NAME=VALUE, such as WORKERS=128")
        pairs[name] = value
    return converted(pairs, names)
