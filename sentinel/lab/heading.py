"""The head of a report: what was measured, on what, when, and what speaks against trusting it. Pure: run.json in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab import views, words
from sentinel.lab.tables import Markup, folded, items, table, tag, together

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.runs import Run

MOST_NAMED = 4
"""Configurations that the first sentence names one by one."""
EMBEDDED = "embedded store, not InfluxDB"


def heading(run: Run, load: str = "", lead: str = "") -> Markup:
    """The whole head; `load` says what was offered and `lead` what was done, where it was not a benchmark's."""
    d = run.data
    lead = lead or _lead(run)
    embedded = [tag("p", EMBEDDED, class_="badge")] if d["stack"]["kind"] == "embedded" else []
    facts = {"Stack": _stack(d["stack"]), "Load": load or _load(run), "Machine": _machine(d["machine"])}
    facts |= {
        "Commit": _commit(d["machine"].get("git") or {}),
        "Date": f"{d['created'][:16].replace('T', ' ')} UTC",
        "Run": run.id,
    }
    rows = together([together([tag("dt", name), tag("dd", fact)]) for name, fact in facts.items()], "\n")
    parts = [tag("p", lead, class_="lead"), *embedded, tag("dl", rows, class_="facts"), _warnings(d["warnings"])]
    return together([*parts, _fine_print(d)], "\n")


def _lead(run: Run) -> str:
    names = views.names(run)
    which = words.joined(names) if len(names) <= MOST_NAMED else f"from {names[0]} to {names[-1]}"
    measured = f"{words.counted(len(names), 'configuration')} of the consumer ({which})"
    return f"{measured} in {words.counted(len(run.data['trials']), 'trial')}, each in fresh processes."


def _stack(stack: Mapping[str, str]) -> str:
    why = f" ({stack['reason']})" if stack.get("reason") else ""
    return f"{stack['kind']}: {stack.get('description', stack['label'])}{why}"


def _load(run: Run) -> str:
    p, rates = run.data["parameters"], [words.plain(rate) for rate in views.rates(run).values()]
    return (
        f"{words.joined(rates)} msg/s from {words.counted(p['WORKERS'], 'worker')}, {p['CODEC']} over"
        f" {p['TRANSPORT']}, {words.plain(p['DURATION'])} s after the warm-up, {words.counted(p['REPEATS'], 'repeat')}"
    )


def _machine(machine: Mapping[str, Any]) -> str:
    memory = f"{machine.get('memory_bytes', 0) / 1e9:.0f} GB"
    cores = words.counted(machine.get("cpu_count_logical") or 0, "core")
    system = f"{machine.get('os', '')} {machine.get('kernel', '')}"
    python = machine.get("python", "") + ("" if machine.get("python_optimised", True) else " (not optimised)")
    return ", ".join([str(machine.get("cpu_model", "unknown processor")), cores, memory, system, python])


def _commit(git: Mapping[str, Any]) -> str:
    if not git:
        return "unknown: the code that ran is in no checkout"
    return f"{git['commit'][:12]}{', with changes that are not committed' if git.get('dirty') else ''}"


def _warnings(warnings: list[str]) -> Markup:
    if not warnings:
        return tag("p", "Nothing speaks against these measurements.", class_="calm")
    title = tag("p", f"{words.counted(len(warnings), 'point')} to keep in mind", class_="title")
    return tag("aside", together([title, items(warnings)]), class_="warnings")


def _fine_print(d: Mapping[str, Any]) -> Markup:
    axes = list(next(iter(d["configurations"].values())))
    versions = d["machine"].get("packages", {})
    return folded(
        "Parameters, configurations and versions",
        table(["Parameter", "Value"], d["parameters"].items()),
        table(
            ["Configuration", *axes],
            [[name, *chosen.values()] for name, chosen in d["configurations"].items()],
            words=range(1, len(axes) + 1),
        ),
        table(["Package", "Version"], versions.items()),
    )
