"""Verifying a contender: every promise tried on a stack, in under a minute.

For each transport and codec that it speaks: a life for the golden set, some thousands of messages and a stop, and one
for poison. On a stream also two lives for redelivery: the first is killed while nothing it writes gets through.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sentinel.errors import TrialError
from sentinel.lab.contenders.program import PAST_THE_TAP
from sentinel.lab.contenders.verification import golden
from sentinel.lab.contenders.verification.checks import Check
from sentinel.lab.contenders.verification.life import SETTLE, Life, Place
from sentinel.model.codecs import CODECS
from sentinel.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sentinel.lab.contenders.contender import Contender
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

VOLUME = 3000
"""Messages of a load: one lost in a thousand is seen."""
STOPPED, STOP_AFTER = 2000, 0.15
"""Messages in whose midst it is stopped, and how many seconds after they were sent."""
QUIET = 1.0
"""Seconds in which a subscriber has read what was published."""
RETRIES = 2.5
"""Seconds without one more refused write after which it has given the refused ones up."""
APART = 0.03
"""Seconds between two poison messages: they come in different batches of most consumers."""
SOURCES = 7
LATE, STEP = 10 * 10**9, 1_000_003
"""ns by which the first message is late, and between two of them."""
FIRST, HELD = 10, 5.0
"""Messages stored before nothing gets through, and seconds that it may take to read of the others."""


def verify(
    contender: Contender,
    stack: Stack,
    folder: Path,
    supervisor: Supervisor,
    *,
    check: Callable[[], object] = lambda: None,
    note: Callable[[str], object] = lambda _: None,
) -> list[Check]:
    """Try every promise.

    Args:
        contender: Built already.
        stack: Bus and store.
        folder: Receives logs and records.
        supervisor: Supervises its processes.
        check: Called while something is waited for; what it raises ends the verification.
        note: Told what is tried now.

    Raises:
        StackError, BusError, StoreError: the stack does not answer.
    """
    place, relaxed = Place(stack, folder, supervisor, check), contender.relaxed
    collected = list[Check]()
    for spoken in contender.manifest.speaks:
        note(spoken)
        for promise, kept, detail in _tried(place, contender, spoken):
            collected.append(Check(promise, spoken, kept, detail, relaxed.get(promise, "")))
    return collected


Found = tuple[str, bool, str]
"""Promise, whether it was kept, and the first difference."""


def _tried(place: Place, contender: Contender, spoken: str) -> Iterator[Found]:
    try:
        for stage in STAGES:
            if stage is not redelivered or spoken.startswith("stream"):
                yield from stage(place, contender, spoken)
    except TrialError as error:
        yield "ready", False, " ".join(str(error).split())


def ordinary(place: Place, contender: Contender, spoken: str) -> Iterator[Found]:
    """Golden set, a load, and a stop in mid-flow."""
    with Life(place, contender, spoken) as life:
        life.await_ready()
        yield "ready", True, ""
        wanted = golden.messages(life.codec, life.run, time.time_ns())
        life.publish([item.payload for item in wanted])
        life.settled(len(wanted))
        if life.reads_back:
            yield _judged("values", golden.difference(wanted, life.rows()) or _dead(life))
        load = _load(life.codec, VOLUME, 0)
        life.publish(list(load.values()))
        held = life.settled(len(wanted) + VOLUME) - len(wanted)
        yield _judged("complete", _missing(life, load, held) or _dead(life) or _past_the_tap(life))
        stopped = _load(life.codec, STOPPED, VOLUME)
        life.publish(list(stopped.values()))
        time.sleep(QUIET if life.transport == "pubsub" else STOP_AFTER)
        alive = life.program.child.poll() is None
        life.program.stop()
        sent = len(wanted) + VOLUME + STOPPED
        yield _judged("once", _twice(life, sent))
        yield _judged("stop", _unstored(life, max(0, held) + len(wanted) + STOPPED) or _bad_end(life, alive=alive))
        killed = life.program.end.get("killed")
        yield _judged("grace", f"it was killed {contender.manifest.grace:g} s after SIGTERM" if killed else "")
        life.forget()


def _judged(promise: str, difference: str) -> Found:
    return promise, not difference, difference


def _dead(life: Life) -> str:
    return "" if life.program.child.poll() is None else f"it ended: {life.program.ending()}"


def _load(codec: str, count: int, first: int) -> dict[int, bytes]:
    """Messages of a load by the time of their point, ns; more than a millisecond apart, as some stores need them."""
    start, encode = time.time_ns() - LATE, CODECS[codec].encode
    moments = {start + n * STEP: n for n in range(first, first + count)}
    return {
        moment: encode(Sample(moment // 10**9, n % 100 / 4, 50.0, moment, source=1000 + n % SOURCES, seq=n))
        for moment, n in moments.items()
    }


def _missing(life: Life, load: dict[int, bytes], held: int) -> str:
    if held >= len(load):
        return ""
    stored = {row["time"] for row in life.rows()} if life.reads_back else set(load)
    lost = [payload for moment, payload in load.items() if moment not in stored]
    example = f"; the first that is missing: {lost[0][:150]!r}" if lost else ""
    return f"{max(held, 0):,} of {len(load):,} messages were stored{example}"


def _past_the_tap(life: Life) -> str:
    return "" if life.wire().points else f"it {PAST_THE_TAP}"


def _twice(life: Life, sent: int) -> str:
    """Whether more points were stored than messages sent, under whatever key."""
    distinct, _, _ = life.wire().distinct()
    points = max(distinct, life.stored())
    return f"{points:,} points were stored of {sent:,} messages" if points > sent else ""


def _unstored(life: Life, expected: int) -> str:
    """What of the messages it had read is in the store after its end."""
    left = life.depth()
    short = expected - left.unread - life.stored()
    pending = f"; {left.pending:,} are pending on the stream" if left.pending else ""
    return f"{short:,} messages were read and are not in the store{pending}" if short > 0 else ""


def _bad_end(life: Life, *, alive: bool) -> str:
    if not alive:
        return f"it ended by itself before: {life.program.ending()}"
    end = life.program.end
    return f"it ended with {life.program.ending()}" if end.get("code") and not end.get("killed") else ""


def poisoned(place: Place, contender: Contender, spoken: str) -> Iterator[Found]:
    """Poison, then sound messages."""
    with Life(place, contender, spoken) as life:
        life.await_ready()
        load = _load(life.codec, 20, 0)
        for payload in golden.poison(life.codec):
            life.publish([payload])
            time.sleep(APART)
        life.publish(list(load.values()))
        held = life.settled(len(load))
        short = _missing(life, load, held)
        values = [short and f"after poison {short}", _dead(life), "" if short else _insisting(life)]
        yield _judged("poison", "; ".join(filter(None, values)))
        life.forget()


def _insisting(life: Life) -> str:
    """Whether it sends the store again and again what that refuses."""
    end = time.monotonic() + SETTLE
    while (refused := life.wire().refused) and time.monotonic() < end:
        time.sleep(RETRIES)
        if life.wire().refused == refused:
            return ""
    return f"it sends the store what that refuses again and again: {refused:,} writes so far" if refused else ""


def redelivered(place: Place, contender: Contender, spoken: str) -> Iterator[Found]:
    """Killed while nothing that it writes gets through; its next life must store what it had read."""
    load = dict[int, bytes]()
    with Life(place, contender, spoken) as life:
        life.await_ready()
        load = _load(life.codec, VOLUME, 0)
        life.publish(list(load.values())[:FIRST])
        life.settled(FIRST)
        life.tap.hold()
        life.publish(list(load.values())[FIRST:])
        _await_read(life)
        life.program.kill()
    with Life(place, contender, spoken, after=life) as again:
        again.await_ready()
        held = again.settled(VOLUME)
        distinct = again.stored()
        values = _missing(again, load, held)
        if not values and distinct > VOLUME:
            values = f"{distinct:,} points were stored of {VOLUME:,} messages"
        yield _judged("redelivery", values)
        again.forget()


def _await_read(life: Life) -> None:
    """Give it the time to read, and to acknowledge what it has not stored, if that is its way."""
    end = time.monotonic() + HELD
    while life.depth().unread >= VOLUME - FIRST and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)


STAGES = (ordinary, poisoned, redelivered)
"""Lives in the order in which they are led; the last needs a stream."""
