"""`sentinel record`: record what passes on a bus; look at a recording, mask it, repair it."""

from __future__ import annotations

import re
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sentinel.options import Duration, key_option, transport_option
from sentinel.runtime import exit_report
from sentinel.runtime.signals import on_stop_signals
from sentinel.runtime.stop import StopSignal
from sentinel.settings import BusSettings

if TYPE_CHECKING:
    from sentinel.recording.format import Trailer
    from sentinel.recording.mask import Mask
    from sentinel.recording.recorder import Progress

PATIENCE = 5.0
"""Seconds that the last write may take after the first stop signal."""
UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
ENDINGS = {
    "bytes": "--bytes was reached",
    "duration": "--duration was over",
    "stop": "it was stopped",
    "disk": "the disk was full",
    "bus": "Redis refused",
    "mask": "the mask could not go on",
    "repair": "it was cut off, and repaired",
}
"""What ended a recording, in words."""


class Size(click.ParamType[int]):
    """Bytes, as `64MiB`, `10MB`, `100000`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Click's hook."""
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(value).lower())
        size = int(float(match[1]) * UNITS[match[2]]) if match and match[2] in UNITS else 0
        if size < 1:
            self.fail(f"{value!r} is no number of bytes: give 100000, 10MB or 64MiB", param, ctx)
        return size


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path), required=False)
@transport_option
@key_option
@click.option("--bytes", "most", type=Size(), default="64MiB", help="Bytes of messages at most; the file is smaller.")
@click.option("--duration", type=Duration(), default="60s", help="Length at most.")
@click.option("--mask", "masking", is_flag=True, help="Replace names and values; with OUT those of a recording.")
@click.option("--info", "asked", is_flag=True, help="Say what is in the recording FILE.")
@click.option("--repair", "repairing", is_flag=True, help="Write what is whole of FILE, which was cut off, to OUT.")
def record(file: Path, out: Path | None, masking: bool, asked: bool, repairing: bool, **options: Any) -> None:
    """Record what passes on a stream or channel into FILE, until --bytes, --duration or Ctrl-C, whichever comes first.

    Nothing is acknowledged, trimmed or sent. `sentinel load --replay FILE` plays it again, and so do benchmark and
    sweep with REPLAY=FILE.

    sentinel record --info FILE: what is in it. sentinel record --mask FILE OUT: a copy to share, in which hosts are
    host-0001…, other names random letters and values random numbers of as many digits.
    """
    if asked + repairing + masking > 1 or (out is None if repairing else out is not None and not masking):
        raise click.UsageError("expected FILE, --info FILE, --mask FILE, --mask FILE OUT or --repair FILE OUT")
    if asked:
        from sentinel.recording.info import described

        click.echo(described(file))
    elif out is not None:
        _rewritten(file, out, masking=masking)
    else:
        _recorded(file, **options, masking=masking)


def _rewritten(file: Path, out: Path, *, masking: bool) -> None:
    from sentinel.recording import rewriting

    trailer = rewriting.masked(file, out) if masking else rewriting.repaired(file, out)
    click.echo(_line("masked" if masking else "repaired", out, trailer))


def _recorded(file: Path, *, transport: str, key: str, most: int, duration: float, masking: bool) -> None:
    from sentinel.bus.receiving.observed import observe
    from sentinel.recording.format import Header
    from sentinel.recording.mask import Mask
    from sentinel.recording.recorder import Limits, Recorder
    from sentinel.recording.writer import Writer

    bus = BusSettings.from_env().keyed(key)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    mask: Mask | None = Mask() if masking else None
    header = Header(created, transport, "" if masking else bus.stream, masking)
    writer = Writer(file, header)
    try:
        source = observe(bus, transport)
    except BaseException:
        writer.discard()
        raise
    stop = StopSignal()
    on_stop_signals(stop, PATIENCE, exit_report.of_sender)
    with closing(source):
        trailer = Recorder(source, writer, Limits(most, duration), stop, mask).run(_progress(most, duration))
    if sys.stderr.isatty():
        click.echo(err=True)
    click.echo(_line("recorded", file, trailer))


def _progress(most: int, duration: float) -> Any:
    """A line on stderr that is written over, where that is a terminal."""

    def note(progress: Progress) -> None:
        text = (
            f"\r{progress.seconds:.0f} of {duration:.0f} s, {progress.messages:,} messages,"
            f" {_mib(progress.size)} of {_mib(most)}"
        )
        click.echo(text, err=True, nl=False)

    return note if sys.stderr.isatty() else lambda _: None


def _line(verb: str, file: Path, trailer: Trailer) -> str:
    parts = [f"{trailer.messages:,} messages ({_mib(trailer.size)}) in {trailer.length / 1e9:.1f} s"]
    parts.append(ENDINGS.get(trailer.ended, trailer.ended))
    if trailer.interruptions:
        parts.append(f"the bus was away {trailer.interruptions:,} times, {trailer.away / 1e9:.1f} s in all")
    if trailer.left_out:
        parts.append(f"{trailer.left_out:,} messages left out: too long, or of no form that can be masked")
    return f"{verb} {file}: {'; '.join(parts)}"


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
