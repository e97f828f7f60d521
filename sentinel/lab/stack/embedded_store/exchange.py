"""One request and its response, as the embedded store's server reads and sends them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY_LIMIT = 25_000_000
"""Most bytes of a body, packed or unpacked: InfluxDB 1.x's `max-body-size`."""


class HttpError(Exception):
    """A request that cannot be served; the connection lives on.

    Args:
        status: The response's, from 400 on.
        message: What is wrong with the request; the client is sent it as `error`.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Request(NamedTuple):
    """One request, read whole."""

    method: str
    path: str
    parameters: Mapping[str, str]
    """From the URL; of a name given twice the last counts."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class Response(NamedTuple):
    """A status, and what is sent as JSON."""

    status: int
    content: Any = None


@lru_cache(maxsize=1024)
def parameters(query: str) -> Mapping[str, str]:
    """Parameters of a URL or a form; what was read is kept, as a client's write URL never changes and parsing is slow.

    Args:
        query: What follows the question mark, or a form's body, still percent-encoded.

    Returns:
        Values by name, decoded; of a name given twice the last counts, and one without a value has an empty text.
    """
    return dict(parse_qsl(query, keep_blank_values=True))
