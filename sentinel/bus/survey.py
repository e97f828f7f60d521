"""A look at Redis that leaves nothing behind: who answers, what this user may do, its clock and its policy.

A right is tried by a command that cannot be carried out, such as XADD with an id that is none: Redis looks at the
rights first, and then refuses the id. PUBLISH has no such form; it is queued in a transaction that is then discarded.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import NoPermissionError, ResponseError

from sentinel.bus import policy
from sentinel.bus.link import client
from sentinel.bus.refusals import ADVICE, code, mapped, words
from sentinel.errors import BusError
from sentinel.operations.findings import BAD, GOOD, WARNING, Finding, clock
from sentinel.settings import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import redis

    from sentinel.settings import BusSettings

PATIENCE = 2.0
"""Seconds for a connection or an answer."""
NO_ID = "no-id"
UNTRIED = "PUBLISH cannot be tried without MULTI and without sending a message"


def look(settings: BusSettings, transport: str, programs: tuple[str, ...]) -> Iterator[Finding]:
    """Look at a Redis as the programs would use it.

    Args:
        settings: the Redis, its stream and its channel.
        transport: `pubsub` or `stream`.
        programs: whose rights matter, of `consume` and `send`.

    Returns:
        Findings, one by one; where Redis is away, that is the last.
    """
    options = {"protocol": 2, "retry": None}  # RESP3 would answer SUBSCRIBE out of turn
    connection = client(settings, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, **options)
    with connection as redis_client:
        try:
            with mapped(settings.url):
                yield _server(redis_client, settings)
                yield from _state(redis_client)
                for program in programs:
                    yield from _rights(redis_client, settings, transport, program)
                if transport == "stream":
                    yield from _types(redis_client, settings)
        except BusError as error:
            yield Finding(BAD, "bus", str(error))


def _asked(ask: Callable[..., Any], *words: str) -> Any:
    """The answer; None where this user may not ask."""
    try:
        return ask(*words)
    except ResponseError as error:
        if isinstance(error, NoPermissionError) or "unknown command" in str(error):
            return None
        raise


def _server(redis_client: redis.Redis, settings: BusSettings) -> Finding:
    before = time.monotonic()
    _asked(redis_client.ping)
    took = time.monotonic() - before
    info = _asked(redis_client.info, "server") or {}
    user = _asked(redis_client.acl_whoami)
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {info.get('redis_version', '')}"
    as_user = f" as user {user!r}" if user else ""
    return Finding(GOOD, "bus", f"{name.strip()} at {shown(settings.url)} answers in {took * 1e3:.2g} ms{as_user}")


def _state(redis_client: redis.Redis) -> Iterator[Finding]:
    info = {name: _asked(redis_client.info, name) for name in ("replication", "memory", "persistence")}
    if (info["replication"] or {}).get("role") == "slave":
        yield Finding(BAD, "role", "a replica: it takes no messages", ADVICE["READONLY"])
    if info["memory"]:
        yield policy.memory(info["memory"])
    if info["persistence"]:
        save = (_asked(redis_client.config_get, "save") or {}).get("save")
        yield policy.persistence(info["persistence"], save)
    yield from _clock(redis_client)
    if not all(info.values()):
        yield Finding(
            WARNING,
            "memory, persistence",
            "not known: this user may not ask INFO",
            "grant +info, or ask as another user",
        )


def _clock(redis_client: redis.Redis) -> Iterator[Finding]:
    before = time.time()
    answer: Any = _asked(redis_client.time)
    after = time.time()
    if answer is None:
        yield Finding(WARNING, "Redis's clock", "not known: this user may not ask TIME", "grant +time")
        return
    seconds, microseconds = answer
    yield clock("Redis's clock", seconds + microseconds / 1e6 - (before + after) / 2, (after - before) / 2)


# Rights --------------------------------------------------------------------------------------------------------------


class Attempt(NamedTuple):
    """A command that shows whether there is a right to it, and does nothing."""

    on: str
    """The key or channel that it names."""
    command: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.command[0].lower()} on {self.on!r}"


def _rights(redis_client: redis.Redis, settings: BusSettings, transport: str, program: str) -> Iterator[Finding]:
    subject = f"rights to {program}"
    needs = _sends(settings, transport) if program == "send" else _reads(redis_client, settings, transport)
    missing, refused = _lacking(redis_client, needs)
    less, _ = _lacking(redis_client, _keeps_house(settings, transport) if program == "consume" else [])
    if missing:
        yield Finding(BAD, subject, f"none for {', '.join(missing)}", ADVICE["NOPERM"])
    elif refused:
        yield Finding(BAD, subject, *refused)
    elif less:
        yield Finding(WARNING, subject, f"none for {', '.join(less)}: it does less without", ADVICE["NOPERM"])
    elif program == "send" and transport == "pubsub" and _lacking(redis_client, [Attempt("", ("MULTI",))])[0]:
        yield Finding(WARNING, subject, UNTRIED, "grant +multi for the check")
    else:
        yield Finding(GOOD, subject, f"all, {transport} {settings.stream!r}")


def _sends(settings: BusSettings, transport: str) -> list[Attempt]:
    if transport == "pubsub":
        return [Attempt(settings.channel, ("PUBLISH", settings.channel, ""))]
    return [Attempt(settings.stream, ("XADD", settings.stream, NO_ID, "d", ""))]


def _reads(redis_client: redis.Redis, settings: BusSettings, transport: str) -> list[Attempt]:
    """What a consumer cannot do without; to make the group only where there is none."""
    if transport == "pubsub":
        return [Attempt(settings.channel, ("SUBSCRIBE", settings.channel))]
    key, group = settings.stream, settings.group
    read = Attempt(key, ("XREADGROUP", "GROUP", group, "check", "COUNT", "1", "STREAMS", key, NO_ID))
    needs = [read, Attempt(key, ("XACK", key, group, NO_ID))]
    answer = _tried(redis_client, read.command)
    if answer is not None and code(answer) == "NOGROUP":
        needs.append(Attempt(key, ("XGROUP", "CREATE", key, group, NO_ID)))
    return needs


def _keeps_house(settings: BusSettings, transport: str) -> list[Attempt]:
    """Without what a consumer does less."""
    key, group, dead = settings.stream, settings.group, settings.dead_letters
    letter = Attempt(dead, ("XADD", dead, NO_ID, "payload", ""))
    if transport == "pubsub":
        return [letter]
    commands = [
        ("MULTI",),
        ("XINFO", "GROUPS", key),
        ("XPENDING", key, group),
        ("XTRIM", key, "MAXLEN", NO_ID),
        ("XCLAIM", key, group, "check", "0", NO_ID),
    ]
    return [letter, *(Attempt(key, command) for command in commands)]


def _lacking(redis_client: redis.Redis, needs: Sequence[Attempt]) -> tuple[list[str], tuple[str, str] | None]:
    """Those that this user has no right to; and a refusal that every user would meet, with what to do about it."""
    missing, refused = [], None
    for need in needs:
        answer = _tried(redis_client, need.command)
        if answer is None:
            continue
        if isinstance(answer, NoPermissionError) or code(answer) == "NOPERM":
            missing.append(str(need))
        elif code(answer) in ADVICE:
            refused = (words(answer), ADVICE[code(answer)])
    return missing, refused


def _tried(redis_client: redis.Redis, command: tuple[str, ...]) -> ResponseError | None:
    """The refusal, on a connection with which a transaction or a subscription ends."""
    connection: Any = redis_client.connection_pool.get_connection()
    try:
        if command[0] == "PUBLISH" and not _queues(connection):
            return None
        connection.send_command(*command)
        connection.read_response()
    except ResponseError as error:
        return error
    finally:
        connection.disconnect()
        redis_client.connection_pool.release(connection)
    return None


def _queues(connection: Any) -> bool:
    """Whether what follows is only queued: never a message that somebody receives."""
    connection.send_command("MULTI")
    try:
        return bool(connection.read_response() == b"OK")
    except ResponseError:
        return False


def _types(redis_client: redis.Redis, settings: BusSettings) -> Iterator[Finding]:
    """Keys of our names that are no streams."""
    for key in (settings.stream, settings.dead_letters):
        kind = _asked(redis_client.type, key)
        if kind not in {None, b"none", b"stream"}:
            yield Finding(BAD, f"key {key!r}", f"a {kind.decode()}, no stream", ADVICE["WRONGTYPE"])
