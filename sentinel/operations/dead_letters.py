"""`sentinel dead-letters`: look at rejected messages, try them again, or remove them."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, deque
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import click

from sentinel.errors import SentinelError
from sentinel.options import Duration, key_option, transport_option
from sentinel.runtime import text_table
from sentinel.runtime.logs import printable
from sentinel.settings import BusSettings, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentinel.bus.dead_letters import DeadLetter, DeadLetterReader
    from sentinel.operations.replay import Replayed

UNCUT = 200
"""Columns of a line where no terminal says how many it has."""

reason_option = click.option("--reason", default=None, help="Only those rejected for this reason, such as store, json.")


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at rejected messages, try them again, or remove them.

    They are on the stream of the --key with :dead behind it. Each has a reason: json, type, value, size and time are
    the consumer's, store is the store's.
    """


@dead_letters.command("list")
@key_option
@reason_option
@click.option("--limit", type=click.IntRange(min=0), default=20, help="Letters shown; 0: the summary alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def list_letters(key: str, reason: str | None, limit: int, as_json: bool) -> None:
    """How many there are for which reason, and the newest of them, newest first."""
    bus = BusSettings.from_env().keyed(key)
    with _opened(bus) as box:
        counts: Counter[str] = Counter()
        newest: deque[DeadLetter] = deque(maxlen=limit)
        for page in _wanted(box, reason):
            counts.update(letter.reason for letter in page)
            newest += page
    letters = list(reversed(newest))
    if as_json:
        collected = {"key": bus.dead_letters, "letters": counts.total(), "reasons": dict(counts.most_common())}
        click.echo(json.dumps({**collected, "newest": [_to_dict(letter) for letter in letters]}, indent=1))
    else:
        click.echo("\n".join([*_summary(bus.dead_letters, counts), *_rows(letters)]))


@dead_letters.command()
@key_option
@transport_option
@reason_option
@click.option("--limit", type=click.IntRange(min=1), default=None, help="Try so many at most, the oldest first.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def replay(key: str, transport: str, reason: str | None, limit: int | None, dry_run: bool) -> None:
    """Try them again, oldest first: messages on the bus, lines that the store refused at the store.

    A letter is removed once Redis or the store has taken it. An interruption loses none; those under way are tried
    again by the next replay, and their points overwrite themselves. A payload that was cut is kept: it is not whole.
    """
    from sentinel.operations.replay import Replay

    bus = BusSettings.from_env().keyed(key)
    with _opened(bus) as box:
        total = min(limit or sys.maxsize, _count(box, reason))
        trial = Replay(box, StoreSettings.from_env(), transport, dry=dry_run)
        with closing(trial), _progress(total, "replaying") as note:
            try:
                trial.run(_first(_wanted(box, reason), total), note)
            except SentinelError as error:
                raise click.ClickException(f"{error}; until then {_replayed(trial.done, bus, transport)}") from None
    text = ("would have " if dry_run else "") + _replayed(trial.done, bus, transport)
    if trial.done.refused and not trial.done.written:
        raise click.ClickException(text)
    click.echo(text)


@dead_letters.command()
@key_option
@reason_option
@click.option("--older-than", type=Duration(), default=None, help="Only those rejected so long ago, such as 24h.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(key: str, reason: str | None, older_than: float | None, yes: bool) -> None:
    """Remove them for good, once confirmed."""
    bus = BusSettings.from_env().keyed(key)
    before = None if older_than is None else time.time() - older_than
    with _opened(bus) as box:
        total = _count(box, reason, before)
        if total and not yes:
            _confirm(f"Remove {_letters(total)} on {bus.dead_letters!r} for good?")
        removed = 0
        with _progress(total, "removing") as note:
            for page in _wanted(box, reason, before):
                box.remove(page)
                removed += len(page)
                note(len(page))
    click.echo(f"removed {_letters(removed)} from {bus.dead_letters!r}")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody is there to answer: --yes removes them without asking")
    click.confirm(question, abort=True)


@contextmanager
def _opened(bus: BusSettings) -> Iterator[DeadLetterReader]:
    from sentinel.bus.dead_letters import DeadLetterReader

    with closing(DeadLetterReader(bus)) as box:
        yield box


def _wanted(box: DeadLetterReader, reason: str | None, before: float | None = None) -> Iterator[list[DeadLetter]]:
    """The letters that match, by page."""
    for page in box.pages():
        wanted = [
            letter for letter in page if reason in {None, letter.reason} and (before is None or letter.at < before)
        ]
        if wanted:
            yield wanted


def _count(box: DeadLetterReader, reason: str | None, before: float | None = None) -> int:
    return sum(map(len, _wanted(box, reason, before)))


def _first(pages: Iterator[list[DeadLetter]], count: int) -> Iterator[list[DeadLetter]]:
    for page in pages:
        if count > 0:
            yield page[:count]
        count -= len(page)


@contextmanager
def _progress(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar on stderr, where that is a terminal."""
    if not (total and sys.stderr.isatty()):
        yield lambda _: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield bar.update


def _letters(count: int) -> str:
    return f"{count:,} dead letter{'s' * (count != 1)}"


def _summary(key: str, counts: Counter[str]) -> list[str]:
    if not counts:
        return [f"no dead letters on {key!r}"]
    reasons = [["", f"{count:,}", printable(reason)] for reason, count in counts.most_common()]
    return [f"{_letters(counts.total())} on {key!r}:", *text_table.table([], reasons, left={0, 2}, rule=False)]


def _rows(letters: Sequence[DeadLetter]) -> list[str]:
    """Two lines each, no wider than the terminal: when, why and what; in whose words."""
    columns = text_table.columns(elsewhere=UNCUT)
    rows = [""] if letters else []
    for letter in letters:
        head = f"{_when(letter.at)}  {letter.reason:<5} "
        rows += [_short(f"{head} {_readable(letter)}", columns), _short(f"{'':{len(head)}} {_words(letter)}", columns)]
    return rows


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(seconds))


def _readable(letter: DeadLetter) -> str:
    """The payload as text; bytes that are none in hexadecimal, with how many there are."""
    text = letter.payload.decode(errors="replace")
    if "�" in text or "\0" in text:
        text = f"{len(letter.payload):,} bytes {letter.payload[:32].hex(' ')}"
    return f"{text} (cut)" if letter.cut else text


def _words(letter: DeadLetter) -> str:
    """The detail, without what every answer of the store begins with."""
    return letter.detail.partition(" answered ")[2] or letter.detail


def _short(text: str, columns: int) -> str:
    return text_table.cut(printable(text.rstrip()), columns)


def _to_dict(letter: DeadLetter) -> dict[str, Any]:
    payload = letter.payload.decode(errors="backslashreplace")
    why = {"reason": letter.reason, "detail": letter.detail}
    return {"id": letter.id.decode(), "at": letter.at, **why, "payload": payload, "cut": letter.cut}


def _replayed(done: Replayed, bus: BusSettings, transport: str) -> str:
    where = f"stream {bus.stream!r}" if transport == "stream" else f"channel {bus.channel!r}"
    words = [f"replayed {done.sent:,} messages on {where} and {done.written:,} lines to the store"]
    if done.cut:
        words.append(f"kept {done.cut:,} whose payload was cut")
    if done.refused:
        words.append(f"kept {done.refused:,} that the store refuses still, the last with: {done.words}")
    return "; ".join(words)
