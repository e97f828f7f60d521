"""The pipeline's settings: frozen records with working defaults, each field with its unit."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sentinel.environment import environment
from sentinel.errors import SettingsError
from sentinel.model.texts import host_name, require_header, require_utf8

if TYPE_CHECKING:
    from collections.abc import Mapping

TRANSPORTS = ("pubsub", "stream")
CODEC_NAMES = ("json", "binary")
BURSTS, CLOSED = "bursts", "closed"
"""The load that comes in bursts; and that whose senders wait for Redis: the others' times are fixed beforehand."""
LOOPS = ("constant", "poisson", BURSTS, "ramp", CLOSED)
LEAST_FIELDS, MOST_FIELDS, MOST_TAGS, MOST_SOURCES = 2, 200, 20, 1_000_000
BINARY_HOLDS = f"expected json, since the binary layout holds {LEAST_FIELDS} numbers and no tags"
DURABLE, NO_SYNC = DURABILITIES = ("durable", "no_sync")

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(ms|s|m|h)?\s*")
_SECONDS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(value: float | str, name: str = "duration") -> float:
    """Seconds from `10`, `2.5`, `"120s"`, `"2m"`, `"1h"` or `"500ms"`.

    Args:
        value: a number of seconds, or a number with a unit.
        name: of the parameter, for the error.

    Raises:
        SettingsError: the value is not a positive duration.
    """
    match = _DURATION.fullmatch(str(value))
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds < math.inf:
        raise SettingsError(f'{name}={value!r} is not a duration: give seconds such as 10, or "90s", "2m", "1h"')
    return seconds


def shown(url: str) -> str:
    """The URL without user, password and query, in any of which a secret may stand."""
    scheme, slashes, rest = url.partition("://") if "://" in url else ("", "", url)
    before, _, host = rest.rpartition("@")
    if "?" in before:  # a password with a `?`, or a query with an `@`: where the host stands is anybody's guess
        return f"{scheme}{slashes}(hidden)"
    return f"{scheme}{slashes}{host.partition('?')[0]}"


@dataclass(frozen=True)
class BusSettings:
    """Which Redis (or Valkey), and the names used on it."""

    url: str = field(default="redis://127.0.0.1:6379/0", repr=False)
    channel: str = "metrics"
    """Pub/Sub channel; the original SentinelStream publishes here."""
    stream: str = "metrics"
    """Key of the stream. A channel and a key of one name do not meet in Redis."""
    group: str = "sentinel"
    dead_letters: str = "metrics:dead"
    """Stream of rejected messages: fields `payload` (for what the store refused: its line), `reason`, `detail`."""

    def __post_init__(self) -> None:
        require_utf8(REDIS_URL=self.url, key=self.stream, channel=self.channel)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> BusSettings:
        """The defaults, with `REDIS_URL` where it is set.

        Args:
            env: the environment to read; this process's by default.
        """
        env = environment() if env is None else env
        return cls(url=env.get("REDIS_URL") or cls.url)

    def keyed(self, key: str) -> BusSettings:
        """The same Redis, with channel and stream named `key` and dead letters beside them."""
        return replace(self, channel=key, stream=key, dead_letters=f"{key}:dead")


@dataclass(frozen=True)
class StoreSettings:
    """Which line-protocol store, and where in it points go."""

    url: str = field(default="http://127.0.0.1:8086", repr=False)
    token: str = field(default="", repr=False)
    org: str = "sentinel"
    bucket: str = "sentinel"
    """Bucket (2.x, 3) or database (1.x)."""
    timeout: float = 10.0
    """Seconds until a request without an answer counts as failed."""
    durability: str = ""
    """Of InfluxDB 3: `durable`, a write is acknowledged once it is in the write-ahead log, or `no_sync`, before. Empty:
    `durable` there, and whatever another store does."""

    def __post_init__(self) -> None:
        if self.durability and self.durability not in DURABILITIES:
            raise SettingsError(f"INFLUX_DURABILITY={self.durability!r}: expected {' or '.join(DURABILITIES)}")
        require_utf8(INFLUX_URL=self.url, INFLUX_ORG=self.org, INFLUX_BUCKET=self.bucket)
        require_header(INFLUX_TOKEN=self.token)

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> StoreSettings:
        """The defaults, with `INFLUX_URL`, `_TOKEN`, `_ORG`, `_BUCKET` and `_DURABILITY` where they are set.

        Args:
            env: the environment to read; this process's by default.

        Raises:
            SettingsError: a value that cannot be sent, or no such durability.
        """
        env = environment() if env is None else env
        return cls(
            url=env.get("INFLUX_URL") or cls.url,
            token=env.get("INFLUX_TOKEN", "").strip(),  # a file's last newline came along
            org=env.get("INFLUX_ORG") or cls.org,
            bucket=env.get("INFLUX_BUCKET") or cls.bucket,
            durability=env.get("INFLUX_DURABILITY", ""),
        )


@dataclass(frozen=True)
class ConsumerSettings:
    """How one consumer reads, batches, writes and ends."""

    transport: str = "stream"
    name: str = field(default_factory=host_name)
    """This consumer's name in the group. Two running at once on one host each need their own."""
    run: str = ""
    """Tag `run` for messages that carry none."""
    batch_size: int = 5000
    """Most points in one write."""
    linger: float = 0.005
    """Seconds between two whole reads of a socket, and so between two requests, under a light load: each then brings
    more, which saves CPU. After a silence nothing waits. 0: as soon as there is something."""
    max_age: float | None = None
    """Seconds that a batch waits for more although the writer is free; while the writer is busy it grows anyway. None:
    none where reads linger, else 1 ms, and only where that saves requests without holding up a light load
    (`batching.AGE`, `batching.WAITING`)."""
    flush_interval: float = 1.0
    """Seconds between two writes of influxdb-client's batching WriteApi (its own default)."""
    queue_batches: int = 4
    """Batches that may wait for the writer; when full, reading stops (policy: block)."""
    read_count: int = 1000
    """Most messages taken from the stream in one read."""
    deadline: float = 20.0
    """Seconds that draining may take after the first stop signal."""
    idle: float = 0.2
    """Seconds without a message after which the bus counts as empty (`--until-empty`)."""
    measured: bool = True
    """Whether to record latencies and follow sequence numbers."""
    claim_idle: float = 30.0
    """Seconds a message may stay with another consumer, unacknowledged, before it is taken over."""
    host: str = field(default_factory=host_name)
    """Where it runs, for its reports on itself."""
    health: float = 0.0
    """Seconds between two reports on itself to the store; 0: none, as a consumer that is measured wants it."""
    heartbeat: str = ""
    """File to touch while messages move, or empty."""

    def __post_init__(self) -> None:
        require_utf8(name=self.name, run=self.run, host=self.host)


@dataclass(frozen=True)
class LoadSettings:
    """What the load generator plays."""

    transport: str = "stream"
    """`stream` or `pubsub`."""
    codec: str = "json"
    """How a message is encoded."""
    workers: int = 16
    """Senders: in a closed loop each waits for Redis before it sends again. Each is a source, unless `sources` says how
    many there are."""
    rate: float = 1000.0
    """Messages per second over all sources together (open loop)."""
    duration: float = 10.0
    """Seconds of schedule."""
    count: int = 0
    """If set: send just so many messages as fast as Redis takes them (fills a stream), ignoring rate and duration."""
    loop: str = "constant"
    """Open loops, whose times are fixed beforehand: `constant`, `poisson`, `bursts` and `ramp` (see `load.schedule`).
    `closed` is the original's: each sender waits for Redis, then sends again."""
    connections: int = 1
    """Sockets to Redis per process; the sources are spread over them."""
    tick: float = 0.0005
    """Seconds between wake-ups; all that fell due meanwhile leaves in one send per connection."""
    grace: float = 2.0
    """Seconds past the schedule's end in which late messages are still sent; the rest is `unsent`."""
    seed: int = 1
    """Of all that is drawn by lot."""
    first_source: int = 0
    """Number of the first source: lets several processes share the sources."""
    replay: str = ""
    """Path of a recording that is played in place of made-up messages: its sources and its spacing, at `rate`."""
    sources: int = 0
    """Sources, each with its own sequence numbers; 0: one for each worker."""
    fields: int = LEAST_FIELDS
    """Numbers in a message, cpu and mem among them."""
    tags: int = 0
    """Tags in a message, besides its source."""

    @property
    def emitters(self) -> int:
        """How many sources there are."""
        return self.sources or self.workers


@dataclass(frozen=True)
class AgentSettings:
    """What the agent samples, and how it survives an absent Redis."""

    transport: str = "stream"
    interval: float = 2.0
    """Seconds between samples."""
    buffer: int = 10_000
    """Samples kept while Redis is away; when full the oldest is dropped and counted."""
    host: str = field(default_factory=host_name)
    health: float = 10.0
    """Seconds between two messages about itself; 0: none."""
    host_proc: str = ""
    """Where the host's /proc is mounted, if the agent runs in a container."""
    host_root: str = "/"
    """Anything on the host's root file system."""
    heartbeat: str = ""
    """File to touch whenever samples were sent, or empty."""

    def __post_init__(self) -> None:
        require_utf8(host=self.host)
