"""`sentinel check`: whether Redis and the store will do, one line for each thing that was looked at."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from sentinel.operations.findings import BAD, GOOD, WARNING
from sentinel.options import key_option, transport_option
from sentinel.runtime import text_table
from sentinel.runtime.logs import printable
from sentinel.settings import BusSettings, StoreSettings

if TYPE_CHECKING:
    from sentinel.operations.findings import Finding

MARKS = {GOOD: "✓", WARNING: "!", BAD: "✗"}
PLAIN = {GOOD: "ok", WARNING: "! ", BAD: "X "}
"""Where the terminal's encoding has no ticks."""
PROGRAMS = {"consume": ("consume",), "send": ("send",), "all": ("consume", "send")}


@click.command()
@key_option
@transport_option
@click.option(
    "--program",
    type=click.Choice(list(PROGRAMS)),
    default="all",
    help="Whose rights on Redis REDIS_URL's user must have: consume, or send (agent, load).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
@click.pass_context
def check(context: click.Context, key: str, transport: str, program: str, as_json: bool) -> None:
    """Look whether Redis and the store can be reached and will do; leaves nothing behind. Exits 1 where one will not.

    Rights, versions, clocks, Redis's memory and persistence, the store's retention and field types: ✓ is in order, ! is
    worth knowing, ✗ is in the way, each with what to do.
    """
    from sentinel.bus import survey as of_bus
    from sentinel.store import survey as of_store

    findings = [
        *of_bus.look(BusSettings.from_env().keyed(key), transport, PROGRAMS[program]),
        *of_store.look(StoreSettings.from_env()),
    ]
    if as_json:
        click.echo(json.dumps([finding._asdict() for finding in findings], indent=1, ensure_ascii=False))
    else:
        click.echo("\n".join(_line(finding) for finding in findings))
    context.exit(1 if any(finding.state == BAD for finding in findings) else 0)


def _line(finding: Finding) -> str:
    marks = MARKS if _can_show("".join(MARKS.values())) else PLAIN
    remedy = f" → {finding.remedy}" if finding.remedy else ""
    text = printable(f"{marks[finding.state]} {finding.subject}: {finding.found}{remedy}")
    # A line each for programs; on a terminal what belongs to a mark stands to the right of it.
    return text_table.note(text, text_table.columns(elsewhere=sys.maxsize), indent="  ")


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
