"""What a benchmark's trials say, in numbers: medians per configuration, ratios, verdict. Pure; the report words it.

Only valid trials count. Everything here can be recomputed from the outcomes in run.json.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sentinel.lab.run.trial_record import CONTROL, HEADLINE, LATENCY, Outcome
from sentinel.lab.statistics import compare, published, regressions, tails
from sentinel.lab.statistics.measures import Columns, column, columns, comparable, measures
from sentinel.lab.statistics.reliability import validity, warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sentinel.lab.experiments.benchmark.parameters import Benchmark
    from sentinel.lab.statistics.compare import Ratio


def of_benchmark(
    p: Benchmark, outcomes: Sequence[Outcome], reliability_warnings: Sequence[str], rate: float
) -> dict[str, Any]:
    """`summary`, `ratios`, `verdict`, `noise` and `warnings` of run.json; `rate` is that of the latency trials."""
    values = columns(p.names, outcomes)
    last, first = (comparable(column(name, outcomes)) for name in (p.names[-1], p.names[0]))
    control = measures(o for o in outcomes if o.plan.label == p.names[-1] + CONTROL)
    noise = {name: compare.noise(last.get(name, []), control[name]) for name in control}
    ratios = {n: compare.ratio(last.get(n, []), first.get(n, []), p.SEED) for n in sorted({*last, *first})}
    return {
        "summary": {
            column: {name: statistics.median(v) for name, v in measured.items() if v}
            for column, measured in values.items()
        },
        "spread": {
            column: {name: [min(v), max(v), len(v)] for name, v in measured.items() if v}
            for column, measured in values.items()
        },
        "compared": [p.names[-1], p.names[0]],
        "ratios": {name: {k: _finite(v) for k, v in asdict(r).items()} for name, r in ratios.items()},
        "noise": {"band": noise.get("capacity", compare.BAND), "again": control.get("capacity", [])},
        "verdict": verdict(p, ratios, noise, outcomes, rate),
        "warnings": [*reliability_warnings, *warnings(outcomes)],
    }


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - NaN differs from itself


def verdict(
    p: Benchmark, ratios: Mapping[str, Ratio], noise: Mapping[str, float], outcomes: Sequence[Outcome], rate: float
) -> list[str]:
    """The answer, in sentences made from the data; `noise` floors by measure, `rate` of the common load, msg/s."""
    new, old = p.names[-1], p.names[0]
    sentences = [validity(outcomes)]
    if new != old:
        values = columns([new, old], outcomes)
        pair = _loaded(old, outcomes), _loaded(new, outcomes)
        sentences += [
            _judged(f"Capacity of {new}", ratios.get("capacity"), noise.get("capacity"), old, higher=True),
            _judged(f"CPU per message of {new}", ratios.get("capacity_cpu_us"), noise.get("capacity_cpu_us"), old),
            _latency(ratios, noise, pair, rate),
            _memory(values, new, old),
            regressions.sentence(ratios, noise, [*pair[0], *pair[1]], new, old),
        ]
    sentences.append(_headline(p, new, outcomes))
    return [sentence for sentence in sentences if sentence]


def _loaded(name: str, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """A column's valid trials under a paced load."""
    return [o for o in column(name, outcomes) if o.valid and o.plan.kind == LATENCY]


def _latency(
    ratios: Mapping[str, Ratio], noise: Mapping[str, float], pair: tuple[list[Outcome], list[Outcome]], rate: float
) -> str:
    """Latency to the store's acknowledgement, or which configuration did not sustain the load; `pair`: old, new."""
    old, new = (trials[0].plan.label if trials else "" for trials in pair)
    if not old or not new:
        return ""
    tail = tails.highest([*pair[0], *pair[1]], "stored")
    what = f"Latency to the store's acknowledgement ({tail}, {rate:,.0f} msg/s) of {new}"
    fell = [trials for trials in pair if not all(o.sustained for o in trials)]
    short = " and ".join(_short_of(trials, rate) for trials in fell)
    measure = f"stored_{tail}"
    if any(sum(o.sustained for o in trials) < min(2, len(trials)) for trials in fell):
        return f"{what}: not compared: {short}."
    left_out = f" Left out: {short}." if fell else ""
    return _judged(what, ratios.get(measure), noise.get(measure), old) + left_out


def _short_of(trials: Sequence[Outcome], rate: float) -> str:
    """`baseline did not sustain 600 msg/s in 2 of 3 trials`."""
    bad = sum(not o.sustained for o in trials)
    return f"{trials[0].plan.label} did not sustain {rate:,.0f} msg/s in {bad} of {len(trials)} trials"


def _judged(what: str, ratio: Ratio | None, noise: float | None, old: str, *, higher: bool = False) -> str:
    band, ratio = compare.BAND if noise is None else noise, ratio or compare.ratio([], [])
    words = compare.verdict(ratio, band, higher_is_better=higher)
    beyond = compare.beyond(band, measured=noise is not None)
    if words == "cannot tell":
        why = ", for run-to-run variation hides it" if compare.hidden(ratio, band) else ""
        return f"{what}: cannot tell whether it differs from {old}'s{why} ({ratio}; {beyond})."
    if words == "no difference":
        return f"{what}: no difference from {old}'s beyond the noise floor ({ratio}; {beyond})."
    return f"{what} is {words} than {old}'s: {ratio}, n = {ratio.n} each ({beyond})."


def reduction(values: Columns, new: str, old: str) -> float | None:
    """Percent by which `new` allocates fewer bytes per message than `old`; None if not measured."""
    after, before = (values[name].get("bytes_per_message") for name in (new, old))
    return 100 * (1 - after[0] / before[0]) if after and before else None


def _memory(values: Columns, new: str, old: str) -> str:
    less = reduction(values, new, old)
    if less is None:
        return ""
    before, after = values[old]["bytes_per_message"][0], values[new]["bytes_per_message"][0]
    bar = "beyond" if less > published.LEAST_REDUCTION else "short of"
    change = f"{abs(less):.1f} % {'less' if less >= 0 else 'more'}"
    return (
        f"{new} allocates {after:,.0f} bytes per message against {before:,.0f} with {old}: {change},"
        f" {bar} the {published.REDUCTION} % that SentinelStream published (memray, one trial each)."
    )


def _headline(p: Benchmark, name: str, outcomes: Sequence[Outcome]) -> str:
    rate, trials = f"{p.HEADLINE_RATE:,.0f} msg/s", _loaded(HEADLINE, outcomes)
    kept = [o for o in trials if o.sustained]
    lost = f"lost {sum(o.lost for o in trials):,} messages"
    if trials and not kept:
        return (
            f"{name} did not sustain {rate} in any of {len(trials)} trials, {lost}: its latencies are those of a"
            " growing queue, and not compared with what was published."
        )
    measured = measures(kept)
    if "e2e_max" not in measured:
        return f"At {rate}: no valid trial of {name}, so no answer."
    often = "" if len(kept) == len(trials) else f" in {len(kept)} of {len(trials)} trials"
    tail = tails.highest(kept, "e2e")
    median = {kind: statistics.median(measured[f"{kind}_{tail}"]) for kind in ("internal", "e2e", "stored")}
    figures = (
        f"internal {tail} {median['internal']:.2f} ms, e2e {tail} {median['e2e']:.1f} ms,"
        f" stored {tail} {median['stored']:.1f} ms"
    )
    bar = _against_original(median) if p.HEADLINE_RATE >= published.HIGHEST_RATE and tail == "p99" else ""
    return f"{name} sustained {rate}{often}, {lost}: {figures}.{bar}"


def _against_original(median: dict[str, float]) -> str:
    bars = {kind: published.LATENCIES[f"{kind}_p99"] for kind in ("internal", "e2e")}
    met = [bar.high is not None and median[kind] < bar.high for kind, bar in bars.items()]
    how = {2: "Both published p99 figures are met", 1: "One of the two published p99 figures is met"}
    verdict = how.get(sum(met), "Neither published p99 figure is met")
    return f" {verdict} (internal {bars['internal']} ms, e2e {bars['e2e']} ms)."
