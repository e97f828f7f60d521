"""Redis's refusals and redis-py's errors as ours, with what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hiredis
from redis.exceptions import RedisError, ResponseError

from sentinel.bus.receiving.bounds import TooLongError
from sentinel.errors import BusError, BusRefusedError
from sentinel.settings import shown

if TYPE_CHECKING:
    from redis.client import Pipeline

CLUSTER = "it is a node of a cluster, which is not supported: REDIS_URL must name a Redis or Valkey that stands alone"
ADVICE = {
    "NOPERM": "grant it with ACL SETUSER: README lists the rights that each program needs",
    "OOM": "its maxmemory is used up: raise it, or let a consumer empty the stream",
    "MISCONF": "it cannot save to its disk: see its log",
    "READONLY": "it is a replica: does REDIS_URL name the primary?",
    "WRONGTYPE": "another program has a key of this name: choose another with --key",
    "NOAUTH": "REDIS_URL must hold a password: redis://user:password@host:port",
    "WRONGPASS": "are user and password in REDIS_URL right?",
    "LOADING": "it reads its data from disk, which passes",
    **dict.fromkeys(("MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT", "TRYAGAIN"), CLUSTER),
}
"""What to do about a refusal, by its code."""


def code(refusal: RedisError) -> str:
    """The first word of Redis's answer, such as `NOPERM`."""
    return refusal.status_code or str(refusal).partition(" ")[0]


def words(refusal: RedisError) -> str:
    """Redis's answer as it came: redis-py takes the code off some."""
    return f"{refusal.status_code} {refusal}" if refusal.status_code else str(refusal)


def refused(refusal: RedisError, url: str, key: str) -> str:
    """One line on a refusal: who refuses, in its own words, and what to do.

    Args:
        refusal: Redis's answer.
        url: of the Redis; its secrets are not shown.
        key: the key that the command was about; empty: none.
    """
    advice = f" ({ADVICE[code(refusal)]})" if code(refusal) in ADVICE else ""
    about = f" for the key {key!r}" if key and code(refusal) == "WRONGTYPE" else ""
    return f"Redis at {shown(url)}: {words(refusal)}{about}{advice}"


def checked(reply: Any) -> Any:
    """Return a reply that is no refusal.

    Raises:
        ResponseError: the reply is a refusal.
    """
    if isinstance(reply, hiredis.ReplyError):
        raise ResponseError(str(reply))
    return reply


class mapped:  # noqa: N801 - used as a function
    """A context that driver errors leave as BusError, with the address and what to do.

    A class, since every read passes through, and a generator costs more (docs/measurements.md: context).

    Args:
        url: of the Redis; its secrets are not shown.
        key: the key that commands are about; empty: none.

    Raises:
        BusRefusedError: Redis refused.
        BusError: Redis is away, or its answer cannot be used.
    """

    __slots__ = ("_key", "_url")

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ResponseError):
            raise BusRefusedError(refused(error, self._url, self._key), code(error)) from error
        if isinstance(error, RedisError) and error.status_code:  # it is running: no password, too many clients, loading
            raise BusError(refused(error, self._url, self._key)) from error
        if isinstance(error, TooLongError):
            raise BusError(f"Redis at {shown(self._url)}: {error}") from error
        if isinstance(error, (RedisError, OSError, EOFError)):
            text = error or type(error).__name__
            raise BusError(
                f"Redis at {shown(self._url)}: {text} (is it running, and does REDIS_URL name it?)"
            ) from error


def replies(pipeline: Pipeline) -> list[Any]:
    """Execute a pipeline and return all replies.

    Raises:
        ResponseError: the first refusal, as Redis worded it: redis-py's own words would quote the payload.
    """
    answers = pipeline.execute(raise_on_error=False)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers
