"""The axes of the consumer's hot path, and their choices with all that the rest of the code asks about them.

Pure. A choice names what implements it as an object reference, `module:name`, as an entry point does: it is imported
when a consumer is built and not before (influxdb-client alone takes 0.4 s and 15 MB).
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sentinel.bus import Receiver
    from sentinel.consumer.writing.writers import Outlet, Writer
    from sentinel.model.codecs import Decoded
    from sentinel.model.sample import Columns, Sample
    from sentinel.settings import BusSettings, ConsumerSettings

    Decode = Callable[[Sequence[bytes]], Decoded]
    """The payloads of one read to samples."""
    Encode = Callable[[Sequence[Sample], Columns], Sequence[Any]]
    """Samples and their columns to points, one for one."""


@dataclass(frozen=True)
class Choice:
    """What can stand on one axis of a configuration."""

    AXIS: ClassVar[str]

    name: str
    about: str
    """In a few words."""
    implementation: str
    """Object reference, `module:name`."""

    def implemented(self, *arguments: Any) -> Any:
        """What implements it, called with the arguments where there are any.

        Raises:
            SettingsError: it, or a library that it needs, is not installed; the message names the choice.
        """
        try:
            implementation = pkgutil.resolve_name(self.implementation)
        except (ImportError, AttributeError, ValueError) as error:
            raise self._unavailable(error) from error
        try:
            return implementation(*arguments) if arguments else implementation
        except ImportError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> SettingsError:
        return SettingsError(f"{self.AXIS}={self.name} ({self.implementation}) cannot be loaded: {error}")


@dataclass(frozen=True)
class ReceiveChoice(Choice):
    """How messages come from the bus; implemented by a callable `(BusSettings, ConsumerSettings) -> Receiver`."""

    AXIS = "receive"

    whole_reads: bool = False
    """Whether a read takes all that the socket holds, and not one message."""

    def open(self, bus: BusSettings, settings: ConsumerSettings) -> Receiver:
        """A receiver that is subscribed, or in its group, when this returns.

        Raises:
            BusError: Redis cannot be reached.
            SettingsError: unknown transport, or as `implemented`.
        """
        receiver: Receiver = self.implemented(bus, settings)
        return receiver


@dataclass(frozen=True)
class DecodeChoice(Choice):
    """How payloads become samples; implemented by a callable `(payloads) -> Decoded`."""

    AXIS = "decode"

    def decoder(self) -> Decode:
        """The decoder.

        Raises:
            SettingsError: as `implemented`.
        """
        decode: Decode = self.implemented()
        return decode


@dataclass(frozen=True)
class PointChoice(Choice):
    """How samples become points; implemented by a callable `(run) -> Encode`."""

    AXIS = "point"

    object_per_point: bool = False
    """Whether each point is a Python object of many allocations: memray's captures of it are large."""

    def encoder(self, run: str) -> Encode:
        """An encoder that tags points with `run` where their message carries none.

        Raises:
            SettingsError: what implements it cannot be loaded.
        """
        encode: Encode = self.implemented(run)
        return encode


@dataclass(frozen=True)
class WriteChoice(Choice):
    """How points get to the store; implemented by a callable `(Outlet) -> Writer`."""

    AXIS = "write"

    whole_batches: bool = False
    """Whether it is given whole batches. If not, it batches by itself or not at all, and gets every message at once."""
    request_per_point: bool = False
    """Whether every point is a request of its own: trials give it fewer messages, and another limit of the store."""

    def open(self, outlet: Outlet) -> Writer:
        """A writer.

        Raises:
            SettingsError: as `implemented`.
        """
        writer: Writer = self.implemented(outlet)
        return writer


_CLIENT = "sentinel.consumer.writing.client"

REDIS_PY = ReceiveChoice("redis-py", "get_message or XREADGROUP COUNT 1", "sentinel.bus:open_redis_py")
SOCKET_READS = ReceiveChoice(
    "socket-reads", "whole reads through hiredis.Reader", "sentinel.bus:open_socket_reads", whole_reads=True
)
JSON_LOADS = DecodeChoice("json.loads", "the standard library", "sentinel.model.codecs:JSON_LOADS")
MSGSPEC = DecodeChoice("msgspec", "msgspec, a read at a time", "sentinel.model.codecs:MSGSPEC")
CLIENT_POINTS = PointChoice(
    "influxdb-client", "its Point objects", "sentinel.store.influxdb_client:PointEncoder", object_per_point=True
)
LINE_BYTES = PointChoice("line-bytes", "own line protocol", "sentinel.model.lineprotocol:LineEncoder")
CLIENT_SYNCHRONOUS = WriteChoice(
    "client-synchronous", "one request a point", f"{_CLIENT}:SynchronousWriter", request_per_point=True
)
CLIENT_BATCHING = WriteChoice("client-batching", "influxdb-client's WriteApi", f"{_CLIENT}:ClientBatchingWriter")
POST_BATCHES = WriteChoice(
    "post-batches", "own POSTs of whole batches", "sentinel.consumer.writing.writers:open_poster", whole_batches=True
)

AXES: Mapping[str, type[Choice]] = {c.AXIS: c for c in (ReceiveChoice, DecodeChoice, PointChoice, WriteChoice)}
"""Every axis by its name, in the order in which a message meets them."""
CHOICES: Mapping[str, Mapping[str, Choice]] = {
    axis: {choice.name: choice for choice in choices}
    for axis, choices in {
        "receive": (REDIS_PY, SOCKET_READS),
        "decode": (JSON_LOADS, MSGSPEC),
        "point": (CLIENT_POINTS, LINE_BYTES),
        "write": (CLIENT_SYNCHRONOUS, CLIENT_BATCHING, POST_BATCHES),
    }.items()
}
"""The pipeline's own choices by axis and name, plainest first; those of other packages come in by entry points."""
