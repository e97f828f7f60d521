"""The head of a report: what was measured, on what and when. Pure: run.json in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from sentinel.lab import formatting
from sentinel.lab.offered import message_bytes, shape
from sentinel.lab.presentation import repeats
from sentinel.lab.presentation.tables import Cell, folded, table, tag, together
from sentinel.lab.replay import words
from sentinel.lab.report.answers import raw
from sentinel.lab.resuming.words import interrupted
from sentinel.lab.run import queries

if TYPE_CHECKING:
    from sentinel.lab.machine.facts import Git, Machine
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.run_data import RunData, StackData
    from sentinel.lab.run.trial_record import Settling, TrialLength

MOST_NAMED = 4
"""Configurations that the first sentence names one by one."""
EMBEDDED = "embedded store, not InfluxDB"


def heading(run: Run, load: str = "", lead: str = "") -> Markup:
    """The whole head; `load` says what was offered and `lead` what was done, where it was not a benchmark's."""
    d = run.data
    lead = lead or _lead(run)
    facts = {"Stack": _stack(d.stack)} if d.stack else {}
    if offered := load or _load(run):
        facts["Load"] = offered
    if recording := words.described(d):
        facts["Recording"] = recording
    facts |= (
        interrupted(d)
        | repetition(d)
        | {
            "Machine": _machine(d.machine),
            "Commit": _commit(d.machine.git or {}),
            "Date": f"{d.created[:16].replace('T', ' ')} UTC",
            "Run": run.id,
        }
    )
    rows = together([together([tag("dt", name), tag("dd", fact)]) for name, fact in facts.items()], "\n")
    parts = [tag("p", lead, class_="lead"), badge(run), tag("dl", rows, class_="facts")]
    return together([*parts, _fine_print(run)], "\n")


def badge(run: Run) -> Markup:
    """Says that the store was not InfluxDB; empty where it was."""
    embedded = run.data.stack is not None and run.data.stack.kind == "embedded"
    return tag("p", EMBEDDED, class_="badge") if embedded else Markup()


def _lead(run: Run) -> str:
    if not run.data.configurations:
        return "Nothing was measured for this page: it is about what is there already."
    names = queries.names(run)
    which = formatting.joined(names) if len(names) <= MOST_NAMED else f"from {names[0]} to {names[-1]}"
    measured = f"{formatting.counted(len(names), 'configuration')} of the consumer ({which})"
    return f"{measured} in {formatting.counted(len(run.data.trials), 'trial')}, each in fresh processes."


def _stack(stack: StackData) -> str:
    why = f" ({stack.reason})" if stack.reason else ""
    return f"{stack.kind}: {stack.description or stack.label}{why}"


def _load(run: Run) -> str:
    p = run.data.parameters
    if "RATE" not in p:  # nothing was offered
        return ""
    rates = [formatting.plain(rate) for rate in queries.rates(run).values()]
    return (
        f"{formatting.joined(rates)} msg/s{shape(run.data)} from {words.senders(run.data)} over"
        f" {p['TRANSPORT']}, {formatting.plain(p['DURATION'])} s after the warm-up,"
        f" {repeats.repeated(run, 'repeat')}"
    )


def repetition(d: RunData) -> dict[str, str]:
    """How the rounds ended where REPEATS was `auto`, and whether trials had the right length; empty without either."""
    facts = {}
    if d.settling:
        facts["Rounds"] = "; ".join(f"{group}: {_ended(ending)}" for group, ending in d.settling.items())
    if length := d.length:
        facts["Trial length"] = _length(length)
    return {name: fact for name, fact in facts.items() if fact}


def _ended(s: Settling) -> str:
    rounds = f"{formatting.counted(s.rounds, 'round')} in {formatting.plain(round(s.seconds))} s"
    if not s.ratios:
        return f"{rounds}, with no ratio to settle"
    if s.settled:
        return f"{rounds}, all settled ({s.note})"
    why = "all that a run takes" if s.full else f"its {formatting.plain(round(s.within))} s of WITHIN used up"
    return f"{rounds}, {why}, not all settled ({s.note})"


def _length(length: TrialLength) -> str:
    parts = []
    if length.seconds != length.given:
        parts.append(
            f"{formatting.plain(length.seconds)} s instead of DURATION={formatting.plain(length.given)}, since a pilot"
            f" said that {length.pilot}"
        )
    if length.trials:
        parts.append(f"the latency trials say that {length.trials}")
    return "; ".join(parts)


def _machine(machine: Machine) -> str:
    memory = f"{(machine.memory_bytes or 0) / 1e9:.0f} GB"
    cores = formatting.counted(machine.cpu_count_logical or 0, "core")
    system = f"{machine.os or ''} {machine.kernel or ''}"
    python = (machine.python or "") + (" (not optimised)" if machine.python_optimised is False else "")
    return ", ".join([machine.cpu_model or "unknown processor", cores, memory, system, python])


def _commit(git: Git) -> str:
    if not git:
        return "unknown: the code that ran is in no checkout"
    return f"{git['commit'][:12]}{', with changes that are not committed' if git.get('dirty') else ''}"


def _fine_print(run: Run) -> Markup:
    d, filed = run.data, raw.record(run)
    rows = [[name, Cell(str(value), raw=filed)] for name, value in d.parameters.items()]
    if size := message_bytes(d):
        rows.append(["MESSAGE_BYTES (measured)", Cell(formatting.figure(size), size, filed)])
    tables = [table(["Parameter", "Value"], rows)]
    if configurations := d.configurations:
        axes = list(next(iter(configurations.values())))
        rows = [[name, *chosen.values()] for name, chosen in configurations.items()]
        tables.append(table(["Configuration", *axes], rows, words=range(1, len(axes) + 1)))
    tables.append(table(["Package", "Version"], d.machine.packages.items()))
    return folded(f"Parameters, {'configurations ' if configurations else ''}and versions", *tables)
