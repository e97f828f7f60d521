"""One kept-alive HTTP connection. The only home of http.client.

`request` is http.client's own. `post` sends head and body in one piece and reads the usual answer, a 204 with nothing
after its head, by itself; any other answer is left to http.client. A request costs the consumer less CPU this way.
"""

from __future__ import annotations

import http.client
import io
import socket
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD_BYTES = 16 * 1024
"""Longest head of an answer."""
ONE_PIECE = 64 * 1024
"""Bytes up to which a body is copied behind its head: one packet for the server to wake up for instead of two."""
MOST_UNPACKED = 16 * 1024 * 1024
"""Bytes that a packed body may become; what is beyond is left out."""
_HEAD_END = b"\r\n\r\n"


class Response(NamedTuple):
    """An answer with its body read."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; empty for a 204 to a `post`."""
    body: bytes


class HttpConnection:
    """A connection to one server, made when first needed and again after an error; not to be shared by threads.

    Both ways to ask raise OSError or http.client.HTTPException where no whole answer comes, and leave it closed.

    Args:
        scheme: `http` or `https`.
        host: Name or address.
        port: None takes the scheme's own.
        timeout: Seconds without an answer after which the server counts as away.
        headers: Sent with every request.
    """

    ERRORS = (OSError, http.client.HTTPException)

    def __init__(self, scheme: str, host: str, port: int | None, timeout: float, headers: Mapping[str, str]) -> None:
        kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
        # Without a port: the scheme's own, as influxdb-client has it.
        self._connection = kind(host, port, timeout=timeout)
        self.port = self._connection.port
        self._headers = dict(headers)
        self._heads: dict[str, bytes] = {}
        self._buffer = bytearray(HEAD_BYTES)
        self._cut_off = False

    def request(self, method: str, target: str, body: bytes | None = None) -> Response:
        """Make one request by http.client, whatever the status of its answer.

        Args:
            method: of HTTP.
            target: path and query.
            body: to send; None: none.
        """
        try:
            self._connection.request(method, target, body=body, headers=self._headers)
            return _whole(self._connection.getresponse())
        except self.ERRORS:
            self._connection.close()
            raise

    def post(self, target: str, body: bytes) -> Response:
        """POST a body; quick where the answer is a bare 204.

        Args:
            target: path and query.
            body: to send.
        """
        try:
            if self._connection.sock is None:
                self._connect()
            connection: socket.socket = self._connection.sock
            head = b"%bContent-Length: %d%b" % (self._head(target), len(body), _HEAD_END)
            if len(body) <= ONE_PIECE:
                connection.sendall(head + body)
            else:
                connection.sendall(head)
                connection.sendall(body)
            return self._answer(connection)
        except self.ERRORS:
            self._connection.close()
            raise

    def _connect(self) -> None:
        self._connection.connect()
        if self._cut_off:
            raise ConnectionAbortedError("given up")

    def _head(self, target: str) -> bytes:
        """All but the length, as http.client writes it; made once a target."""
        if target not in self._heads:
            template, recorder = (
                type(self._connection)(self._connection.host, self._connection.port),
                _RequestRecorder(),
            )
            template.sock = recorder
            template.putrequest("POST", target)
            for name, value in self._headers.items():
                template.putheader(name, value)
            template.endheaders()
            self._heads[target] = recorder.written.removesuffix(b"\r\n")
        return self._heads[target]

    def _answer(self, connection: socket.socket) -> Response:
        buffer, filled, end = self._buffer, 0, -1
        while end < 0:
            count = connection.recv_into(memoryview(buffer)[filled:])
            if not count:
                raise http.client.RemoteDisconnected(f"no whole head of an answer, only {filled} bytes")
            end = buffer.find(_HEAD_END, max(0, filled - 3), filled + count)
            filled += count
        if (
            buffer.startswith(b"HTTP/1.1 204 ")
            and filled == end + 4
            and b"connection: close" not in buffer[:end].lower()
        ):
            return Response(204, {}, b"")
        answer = http.client.HTTPResponse(_Replay(bytes(buffer[:filled]), connection), method="POST")  # type: ignore[arg-type]
        answer.begin()
        response = _whole(answer)
        if answer.will_close:
            self._connection.close()
        return response

    def cut_off(self) -> None:
        """Let the `post` under way, and every later one, fail at once. From another thread."""
        self._cut_off = True
        if (connection := self._connection.sock) is not None:
            with suppress(OSError):  # it broke by itself
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; it may be used again."""
        self._connection.close()


def _whole(answer: http.client.HTTPResponse) -> Response:
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Response(answer.status, headers, _unpacked(answer.read(), headers.get("content-encoding", "")))


def _unpacked(body: bytes, encoding: str) -> bytes:
    """The body as text; a proxy may have packed it, although we ask for none of that."""
    if encoding.lower() in ("gzip", "x-gzip", "deflate"):
        with suppress(zlib.error):
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(body, MOST_UNPACKED)
    return body


class _RequestRecorder:
    """Takes down what http.client would send."""

    written = b""

    def sendall(self, data: bytes) -> None:
        self.written += data


class _Replay(io.RawIOBase):
    """A socket for http.client to read from, whose first bytes were read already."""

    def __init__(self, first: bytes, connection: socket.socket) -> None:
        self._first = first
        self._socket = connection

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self._first:
            return self._socket.recv_into(buffer)
        count = min(len(self._first), len(buffer))
        buffer[:count], self._first = self._first[:count], self._first[count:]
        return count
