"""Folded stacks, as py-spy samples them, made into numbers: which stage of the consumer, which functions. Pure.

A sample belongs to the first rule of `RULES` that any of its frames meets, wherever the frame stands: what a library
does is charged to the stage that called it, and what it calls back (to acknowledge, to record) is not charged to it.
Left out are samples outside the work (imports, connecting, the end) and threads that only wait.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sentinel.errors import TrialError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sentinel.lab.run.trial_record import Profile

STAGES = ("receive", "decode", "encode", "batch", "write", "acknowledge", "record", "other")
"""In the order in which a message passes them; `other` is the consumer's own loop and what no rule knows."""
OTHER = STAGES[-1]
KEPT = 60
"""Functions kept per profile, by their own share."""


class Frame(NamedTuple):
    """One line of a stack."""

    function: str
    """Qualified, such as `Batcher.add`."""
    module: str
    """Path from the package on, such as `sentinel/consumer/batching.py`."""
    text: str
    """As it stood in the stack, with its line."""

    @property
    def names(self) -> list[str]:
        """The parts of the qualified name."""
        return [RENAMED.get(part, part) for part in self.function.split(".")]


class Rule(NamedTuple):
    """Which frames name a stage."""

    stage: str
    module: str
    """How the module's path begins."""
    names: frozenset[str] = frozenset()
    """Parts of the function's qualified name, of which one must be there; any function does if there are none."""

    def meets(self, frame: Frame) -> bool:
        """Whether the frame names the stage."""
        return frame.module.startswith(self.module) and (not self.names or not self.names.isdisjoint(frame.names))


RECORDING = ("consumer/measuring/", "model/histogram.py", "runtime/record.py")
RULES = (
    Rule("acknowledge", "sentinel/consumer/acknowledgement.py", frozenset({"give", "finish"})),
    Rule("acknowledge", "sentinel/bus/", frozenset({"acknowledge", "_acknowledgement", "maintain"})),
    *(Rule("record", f"sentinel/{name}") for name in RECORDING),
    Rule("encode", "sentinel/model/lineprotocol.py"),
    Rule("encode", "sentinel/model/sample.py", frozenset({"columns"})),
    Rule("encode", "sentinel/store/influxdb_client.py", frozenset({"PointEncoder"})),
    Rule("encode", "influxdb_client/client/write/point.py"),
    *(Rule("decode", f"sentinel/{name}.py") for name in ("model/codecs", "model/plausible")),
    Rule("batch", "sentinel/consumer/batching.py"),
    Rule("receive", "sentinel/bus/"),
    *(Rule("write", f"sentinel/{name}/") for name in ("consumer/writing", "store")),
    Rule("write", "influxdb_client/"),
    Rule("write", "reactivex/"),  # the threads of influxdb-client's batching
)
"""The one place that knows where a stage lives; the first rule that any frame of a stack meets decides."""

MOVED = {
    "sentinel/sink.py": "sentinel/store/client.py",
    "sentinel/influx.py": "sentinel/store/influxdb_client.py",
    "sentinel/httplink.py": "sentinel/store/http.py",
    "sentinel/sample.py": "sentinel/model/sample.py",
    "sentinel/codecs.py": "sentinel/model/codecs.py",
    "sentinel/lineprotocol.py": "sentinel/model/lineprotocol.py",
    "sentinel/latency.py": "sentinel/model/histogram.py",
    "sentinel/record.py": "sentinel/runtime/record.py",
    "sentinel/batching.py": "sentinel/consumer/batching.py",
    "sentinel/consumer.py": "sentinel/consumer/consumer.py",
    "sentinel/delivery.py": "sentinel/consumer/writing/delivery.py",
    "sentinel/measure.py": "sentinel/consumer/measuring/measurement.py",
    "sentinel/sequences.py": "sentinel/consumer/measuring/sequences.py",
    "sentinel/trace.py": "sentinel/consumer/measuring/trace.py",
    "sentinel/writers.py": "sentinel/consumer/writing/writers.py",
}
"""Where modules named in the stacks of earlier runs lie now."""
RENAMED = {"tend": "maintain"}
"""Functions that rules name, by their names in the stacks of earlier runs."""

CONSUMER = "sentinel/consumer/consumer.py"
OUTSIDE = {"__init__", "<module>"}
"""Functions of the consumer's module that work on no message, nor does what they call."""
WAITING = {
    "threading.py": {"wait", "join", "_wait_for_tstate_lock"},
    "concurrent/futures/thread.py": {"_worker"},
    "selectors.py": {"select"},
    "sentinel/runtime/signals.py": {"_listen"},
}
"""Innermost frames of threads that wait; py-spy takes some of them for running, having just stopped them itself."""

_FRAME = re.compile(r"(?P<function>.*?) \((?P<module>.*?)(?::\d+)?\)")

Folded = list[tuple[list[Frame], int]]
"""Stacks, outermost frame first, with the number of samples of each."""


@dataclass(frozen=True)
class Breakdown:
    """Where a configuration's CPU goes."""

    samples: int
    shares: Mapping[str, float]
    """Of each of `STAGES`; their sum is one."""
    cpu_us: float | None
    """Of one message, measured where nothing was profiled; None if it was not."""

    def us(self, stage: str) -> float | None:
        """Microseconds per message of one stage; None where the CPU per message is not known.

        Args:
            stage: One of `STAGES`.
        """
        return None if self.cpu_us is None else self.shares[stage] * self.cpu_us


def parsed(text: str) -> Folded:
    """Parse folded stacks.

    Args:
        text: Lines of `outermost;…;innermost count`.

    Raises:
        TrialError: a line is not of that form.
    """
    stacks: Folded = []
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        if not count.isdecimal():
            raise TrialError(f"not a folded stack: {line[:200]!r}; expected frames joined by ; and a count")
        stacks.append(([frame_of(part) for part in stack.split(";") if part], int(count)))
    return stacks


def frame_of(text: str) -> Frame:
    """One frame of a stack, its module where that lies now.

    Args:
        text: `function (module:line)`; what is not of that form is a function without a module.
    """
    match = _FRAME.fullmatch(text)
    if not match:
        return Frame(text, "", text)
    return Frame(match["function"], MOVED.get(match["module"], match["module"]), text)


def working(stacks: Folded) -> Folded:
    """The stacks that are at work on messages."""
    return [(frames, count) for frames, count in stacks if _works(frames)]


def _works(frames: list[Frame]) -> bool:
    if not frames or frames[-1].names[-1] in WAITING.get(frames[-1].module, ()):
        return False
    own = {frame.names[-1] for frame in frames if frame.module == CONSUMER}
    in_thread = "_bootstrap" in frames[0].names
    return in_thread or (bool(own) and own.isdisjoint(OUTSIDE))


def stage_of(frames: Iterable[Frame]) -> str:
    """The stage of a stack that is at work.

    Args:
        frames: In any order.

    Returns:
        One of `STAGES`.
    """
    kept = list(frames)
    return next((rule.stage for rule in RULES if any(map(rule.meets, kept))), OTHER)


def summary(stacks: Folded) -> Profile:
    """Samples at work and left out, samples by stage, and of the functions at the top their own and total samples.

    Args:
        stacks: All stacks of a trial, at work or not.

    Raises:
        TrialError: no sample is at work.
    """
    stages, own, total = Counter(dict.fromkeys(STAGES, 0)), Counter[str](), Counter[str]()
    kept = working(stacks)
    for frames, count in kept:
        stages[stage_of(frames)] += count
        own[frames[-1].text] += count
        total.update(dict.fromkeys({frame.text for frame in frames}, count))
    samples, everything = stages.total(), sum(count for _, count in stacks)
    if not samples:
        raise TrialError(f"none of {everything:,} samples met the consumer at work: the trial was too short")
    functions = {name: [count, total[name]] for name, count in own.most_common(KEPT)}
    return {"samples": samples, "left_out": everything - samples, "stages": dict(stages), "functions": functions}


def breakdown(profile: Mapping[str, Any], cpu_us: float | None) -> Breakdown:
    """A profile as shares of its samples.

    Args:
        profile: See `summary`.
        cpu_us: CPU of one message, µs, measured where nothing was profiled; None where it was not.
    """
    samples = profile["samples"]
    return Breakdown(samples, {stage: profile["stages"].get(stage, 0) / samples for stage in STAGES}, cpu_us)
