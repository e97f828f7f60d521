"""What a benchmark's trials say, in numbers: medians per configuration, ratios, verdict. Pure; the report words it.

Only valid trials count. Everything here can be recomputed from the outcomes in run.json.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sentinel.lab import compare
from sentinel.lab.outcome import AGAIN, CAPACITY, LATENCY, MEMORY, PROFILE, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sentinel.lab.parameters import Benchmark

ORIGINAL = {
    "source": "SentinelStream (Go), its published results",
    "rate": "25,000+",
    "internal_p99": "< 1",
    "e2e_p99": "6–9",
    "reduction": "58",
}
"""The bar: published, not measured here. Latencies in ms, reduction in percent of allocated bytes."""

Columns = dict[str, dict[str, list[float]]]
"""Column of the table → measure → one value a trial."""
HEADLINE = "headline"
LATE = 0.2
"""Share of an e2e percentile from which the generator's own lateness is worth a warning."""
SPREAD = 0.25
"""Spread of repeats, (max - min) ÷ median, from which it is worth a warning."""
STEAL = 2.0
"""Percent of the machine's time taken by other guests, from which it is worth a warning."""


def measures(outcomes: Iterable[Outcome]) -> dict[str, list[float]]:
    """Every measure's values over the valid trials of one group: name → one value a trial."""
    values: dict[str, list[float]] = {}
    for outcome in outcomes:
        for name, value in _of_trial(outcome).items():
            values.setdefault(name, []).append(value)
    return values


def _of_trial(outcome: Outcome) -> dict[str, float]:
    if not outcome.valid or outcome.plan.kind == PROFILE:
        return {}
    if outcome.plan.kind == MEMORY:
        kept = ("bytes_per_message", "allocations_per_message")
        return {name: outcome.memory[name] for name in kept if name in outcome.memory}
    found: dict[str, float | None] = {"cpu_us": outcome.cpu_us, "peak_rss_mb": outcome.peak_rss_mb}
    if outcome.plan.kind == CAPACITY:
        found = {f"capacity_{name}": value for name, value in found.items()} | {"capacity": outcome.throughput}
    else:
        found |= {"throughput": outcome.throughput, "lost": outcome.lost}
        for kind, percentiles in outcome.latencies.items():
            found |= {f"{kind}_{name}": percentiles.get(name) for name in ("p50", "p90", "p99", "p99.9", "max")}
    return {name: value for name, value in found.items() if value is not None}


def columns(names: Sequence[str], outcomes: Sequence[Outcome]) -> Columns:
    """Values by column of the table: every configuration's, and the headline's."""
    found = {}
    for name in names:
        mine = [o for o in outcomes if o.plan.label == name and o.plan.group != HEADLINE]
        found[name] = measures(mine)
    found[HEADLINE] = measures(o for o in outcomes if o.plan.group == HEADLINE)
    return found


def of_benchmark(p: Benchmark, outcomes: Sequence[Outcome], doubts: Sequence[str], rate: float) -> dict[str, Any]:
    """`summary`, `ratios`, `verdict`, `noise` and `warnings` of run.json; `rate` is that of the latency trials."""
    values = columns(p.names, outcomes)
    last, first = values[p.names[-1]], values[p.names[0]]
    again = measures(o for o in outcomes if o.plan.label == p.names[-1] + AGAIN)
    noise = {name: compare.noise(last.get(name, []), again[name]) for name in again}
    names = sorted({*last, *first})
    ratios = {n: asdict(compare.ratio(last.get(n, []), first.get(n, []), p.SEED)) for n in names}
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
        "ratios": {name: {k: _finite(v) for k, v in r.items()} for name, r in ratios.items()},
        "noise": {"band": noise.get("capacity", compare.BAND), "again": again.get("capacity", [])},
        "verdict": verdict(p, values, noise, outcomes, rate),
        "warnings": [*doubts, *warnings(outcomes)],
    }


def _finite(value: float) -> float | None:
    return value if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - NaN differs from itself


def verdict(
    p: Benchmark, values: Columns, noise: dict[str, float], outcomes: Sequence[Outcome], rate: float
) -> list[str]:
    """The answer, in sentences made from the data."""
    new, old = p.names[-1], p.names[0]
    said = [validity(outcomes)]
    if new != old:
        judged = {
            "capacity": f"Capacity of {new}",
            "capacity_cpu_us": f"CPU per message of {new}",
            "stored_p99": f"Latency to the store's acknowledgement (p99, {rate:,.0f} msg/s) of {new}",
        }
        for name, what in judged.items():
            ratio = compare.ratio(values[new].get(name, []), values[old].get(name, []), p.SEED)
            said.append(_judged(what, ratio, noise.get(name), old, higher=name == "capacity"))
        said.append(_memory(values, new, old))
    said.append(_headline(p, values[HEADLINE], new, outcomes))
    return [sentence for sentence in said if sentence]


def validity(outcomes: Sequence[Outcome], otherwise: str = "are left out of all figures") -> str:
    """How many ledgers add up, or which do not; `otherwise`: what then becomes of those trials."""
    # Where py-spy failed, and took the consumer along, there is no ledger to judge; `warnings` has it.
    outcomes = [o for o in outcomes if o.plan.kind != PROFILE or o.consumer]
    bad = [o for o in outcomes if not o.valid]
    if not outcomes:
        return "No trial was carried out."
    if not bad:
        return f"All {len(outcomes)} ledgers add up, and the store's own count agrees with every one of them."
    numbers = ", ".join(str(o.plan.number) for o in bad)
    return f"{len(bad)} of {len(outcomes)} trials are invalid (number {numbers}) and {otherwise}."


def _judged(what: str, ratio: compare.Ratio, noise: float | None, old: str, *, higher: bool = False) -> str:
    band = compare.BAND if noise is None else noise
    words = compare.verdict(ratio, band, higher_is_better=higher)
    beyond = compare.beyond(band, measured=noise is not None)
    if words == "cannot tell":
        return f"{what}: cannot tell whether it differs from {old}'s ({ratio}; {beyond})."
    if words == "no difference":
        return f"{what}: no difference from {old}'s beyond the noise ({ratio}; {beyond})."
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
    bar = "beyond" if less > float(ORIGINAL["reduction"]) else "short of"
    change = f"{abs(less):.1f} % {'less' if less >= 0 else 'more'}"
    return (
        f"{new} allocates {after:,.0f} bytes per message against {before:,.0f} with {old}: {change},"
        f" {bar} the {ORIGINAL['reduction']} % that SentinelStream published (memray, one trial each)."
    )


def _headline(p: Benchmark, measured: dict[str, list[float]], name: str, outcomes: Sequence[Outcome]) -> str:
    trials = [o for o in outcomes if o.plan.group == HEADLINE and o.valid]
    if not trials or "e2e_p99" not in measured:
        return f"At {p.HEADLINE_RATE:,.0f} msg/s: no valid trial of {name}, so no answer."
    median = {key: statistics.median(v) for key, v in measured.items()}
    held = sum(o.sustained for o in trials)
    lost = sum(o.lost for o in trials)
    figures = (
        f"internal p99 {median['internal_p99']:.2f} ms, e2e p99 {median['e2e_p99']:.1f} ms,"
        f" stored p99 {median['stored_p99']:.1f} ms"
    )
    kept = "sustained it" if held == len(trials) else f"sustained it in {held} of {len(trials)} trials"
    bar = _against_original(median) if p.HEADLINE_RATE >= 25_000 else ""
    return f"At {p.HEADLINE_RATE:,.0f} msg/s {name} {kept}, lost {lost:,} messages: {figures}.{bar}"


def _against_original(median: dict[str, float]) -> str:
    met = [median["internal_p99"] < 1.0, median["e2e_p99"] < 9.0]
    how = {2: "Both published p99 figures are met", 1: "One of the two published p99 figures is met"}
    return f" {how.get(sum(met), 'Neither published p99 figure is met')} (internal < 1 ms, e2e 6–9 ms)."


def warnings(outcomes: Sequence[Outcome]) -> list[str]:
    """What speaks against trusting these trials, in sentences with numbers."""
    tests: list[tuple[Callable[[Outcome], bool], str]] = [
        (lambda o: not o.valid, "invalid: " + "; ".join(p for o in outcomes for p in o.problems)[:600]),
        (
            lambda o: not o.sustained,
            "the consumer did not sustain the offered load; its latencies are those of a queue",
        ),
        (lambda o: o.steal > STEAL, f"more than {STEAL:.0f} % of the machine's time went to other guests"),
        (_generator_late, f"the generator's own lateness is over {100 * LATE:.0f} % of e2e p99: partly about itself"),
    ]
    found = []
    for test, words in tests:
        if named := [f"{o.plan.number} ({o.plan.label})" for o in outcomes if test(o)]:
            found.append(f"Trial {', '.join(named)}: {words}.")
    return found + [words for o in outcomes for words in _own_warnings(o)] + _unsteady(outcomes)


def _own_warnings(outcome: Outcome) -> list[str]:
    return [f"Trial {outcome.plan.number} ({outcome.plan.label}): {words}." for words in outcome.warnings]


def _generator_late(outcome: Outcome) -> bool:
    if outcome.plan.kind != LATENCY or not outcome.latencies:
        return False
    late, e2e = (outcome.latencies[kind].get("p99", 0.0) for kind in ("send_delay", "e2e"))
    return late > LATE * e2e


def _unsteady(outcomes: Sequence[Outcome]) -> list[str]:
    found = []
    for label in dict.fromkeys(o.plan.label for o in outcomes):
        values = measures(o for o in outcomes if o.plan.label == label and o.plan.kind == CAPACITY).get("capacity", [])
        middle = statistics.median(values) if len(values) >= 2 else 0.0
        if middle and (spread := (max(values) - min(values)) / middle) > SPREAD:
            found.append(
                f"Capacity of {label} varies by {100 * spread:.0f} % between repeats"
                f" ({min(values):,.0f} to {max(values):,.0f} msg/s): more REPEATS or a quieter machine would help."
            )
    return found
