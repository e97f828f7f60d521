"""What a Redis does when its memory is full, and what outlives its end; as INFO tells it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from sentinel.bus.link import client
from sentinel.bus.refusals import mapped
from sentinel.errors import BusError
from sentinel.operations.findings import BAD, GOOD, WARNING, Finding
from sentinel.settings import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.settings import BusSettings

LITTLE = 0.9
"""Share of maxmemory in use from which on little is left."""
EVICTS = "it removes keys when its memory is full, the stream with all that is unread among them"
KEEP = "CONFIG SET maxmemory-policy noeviction"

log = logging.getLogger(__name__)


def warn(settings: BusSettings) -> None:
    """Log one warning where this Redis may evict the stream; log nothing where it does not say."""
    try:
        with mapped(settings.url), client(settings, retry=None, socket_timeout=2, socket_connect_timeout=2) as redis:
            policy = redis.info("memory").get("maxmemory_policy", "")
    except BusError:
        return  # no right to ask, or away, which reading will say
    if policy.startswith("allkeys"):
        log.warning("Redis at %s has maxmemory-policy %s: %s; %s", shown(settings.url), policy, EVICTS, KEEP)


def memory(info: Mapping[str, Any]) -> Finding:
    """What Redis does when its memory is full.

    Args:
        info: section `memory` of INFO.
    """
    most, used, policy = int(info.get("maxmemory", 0)), int(info["used_memory"]), info.get("maxmemory_policy", "?")
    words = f"{_mib(used)} of {_mib(most)} used, {policy}" if most else f"{_mib(used)} used, no maxmemory, {policy}"
    if policy.startswith("allkeys"):
        return Finding(WARNING, "memory", f"{words}: {EVICTS}", KEEP)
    if not most:
        return Finding(
            WARNING, "memory", f"{words}: while no consumer reads, it grows until the machine ends it", "set maxmemory"
        )
    if used >= most:
        return Finding(BAD, "memory", f"{words}: it refuses every message", "raise maxmemory, or run a consumer")
    if used > LITTLE * most:
        return Finding(WARNING, "memory", f"{words}: little is left", "raise maxmemory, or run a consumer")
    return Finding(GOOD, "memory", words)


def persistence(info: Mapping[str, Any], save: str | None) -> Finding:
    """What outlives Redis's end.

    Args:
        info: section `persistence` of INFO.
        save: the setting `save`; None: not known.
    """
    if info.get("aof_last_write_status", "ok") != "ok" or info.get("rdb_last_bgsave_status", "ok") != "ok":
        return Finding(BAD, "persistence", "the last save failed: it may refuse every message", "see its log and disk")
    if info.get("aof_enabled"):
        return Finding(GOOD, "persistence", "append-only file: a crash costs what appendfsync had not yet written")
    if save == "":
        return Finding(
            WARNING, "persistence", "off: its end costs all messages that are unread", "CONFIG SET appendonly yes"
        )
    return Finding(
        WARNING,
        "persistence",
        "no append-only file: a crash costs all messages since the last snapshot, if it makes any",
        "CONFIG SET appendonly yes",
    )


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f} MiB"
