"""As much of an HTTP/1.1 server as a store on the loopback needs: kept-alive connections, one thread for each.

The standard library's own handler reads headers with the email package, which is slow, and answers
in several sends. This server knows nothing of what is served: a function from Request to Response does. Exceptions of
that function become a 500 and a traceback on stderr; they never end the server.
"""

from __future__ import annotations

import errno
import json
import socket
import socketserver
import sys
import threading
import time
import traceback
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from sentinel.errors import StackError
from sentinel.lab.stack.embedded_store.exchange import BODY_LIMIT, HttpError, Request, Response, parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DRAIN_LIMIT = 8 * BODY_LIMIT
_LINE_LIMIT = 65536
_MOST_HEADERS = 100
_PATIENCE = 5.0
"""Seconds that stopping waits for requests in flight."""


class _BadRequestError(HttpError):
    """A request after which the connection makes no sense."""


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens from construction; serves inside a `with` block, whose end finishes what is in flight.

    Args:
        host: Address to listen on.
        port: 0 takes a free one; `url` tells which.
        headers: Sent with every response.
        answer: Called for every request, from one thread a connection; an `HttpError` keeps its status, any other
            exception becomes a 500.

    Raises:
        StackError: the address cannot be listened on.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, headers: Mapping[str, str], answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.common = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.stopping = False
        self._clients: dict[socket.socket, threading.Thread] = {}
        try:
            super().__init__((host, port), _Connection)
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            why = "something else listens there: stop it, or give" if taken else f"{error}: give"
            raise StackError(
                f"cannot listen on http://{host}:{port}: {why} another port (0 finds a free one)"
            ) from error
        self.url = f"http://{host}:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._acceptor = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, name="accept")
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._acceptor.join()
        self.server_close()
        self.stopping = True
        deadline = time.monotonic() + _PATIENCE
        clients = dict(self._clients)
        for client in clients:
            with suppress(OSError):
                # Idle and slow clients read as ended; what has arrived whole is still answered.
                client.shutdown(socket.SHUT_RD)
        for thread in clients.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread for a new connection; always from the accepting thread, so none is missed at the end.

        Overrides ThreadingMixIn's.
        """
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self._clients[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """See TCPServer: a connection has ended."""
        self._clients.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """See TCPServer: a client that went away is no error here; anything else is logged."""
        del request
        if not isinstance(sys.exception(), OSError):
            _log(f"connection from {client_address[0]} lost")


class _Connection(socketserver.StreamRequestHandler):
    """One client: requests in, responses out, until either side has had enough."""

    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        alive = True
        while alive:
            try:
                request = self._read()
            except _BadRequestError as error:
                self._send(Response(error.status, {"error": str(error)}), alive=False)
                return
            if request is None:
                return
            response = self._answer(request)
            alive = _keep_alive(request) and not self.server.stopping
            self._send(response, alive=alive, head=request.method == "HEAD")

    def _answer(self, request: Request) -> Response:
        try:
            return self.server.answer(request)
        except Exception as error:  # noqa: BLE001 (whatever it is, the server lives on)
            _log(f"{request.method} {request.path} failed")
            return Response(500, {"error": f"{type(error).__name__}: {error}"})

    def _read(self) -> Request | None:
        """The next request, or None where the client has ended."""
        line = self.rfile.readline(_LINE_LIMIT)
        if not line.endswith(b"\n"):
            return None
        method, target, version = _request_line(line)
        headers = self._headers()
        headers[":version"] = version
        body = self._body(headers)
        path, _, query = target.partition("?")
        return None if body is None else Request(method, unquote(path), parameters(query), headers, body)

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MOST_HEADERS):
            line = self.rfile.readline(_LINE_LIMIT)
            if line in {b"\r\n", b"\n"}:
                return headers
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not line.endswith(b"\n"):
                raise _BadRequestError(400, "a header line is malformed or too long")
            headers[name.strip().lower()] = value.strip()
        raise _BadRequestError(431, "too many headers")

    def _body(self, headers: dict[str, str]) -> bytes | None:
        """As many bytes as were announced, or None where the client ended before."""
        if "transfer-encoding" in headers:
            raise _BadRequestError(411, "chunked bodies are not taken here: send Content-Length")
        announced = headers.get("content-length", "0")
        if not (announced.isascii() and announced.isdigit() and len(announced) < 16):
            raise _BadRequestError(400, f"Content-Length {announced!r} is not a number of bytes")
        length = int(announced)
        if length > BODY_LIMIT:
            self._drain(length)
            raise _BadRequestError(413, "Request Entity Too Large")
        if headers.get("expect", "").lower() == "100-continue":
            self.request.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(length) if length else b""
        return body if len(body) == length else None

    def _drain(self, length: int) -> None:
        """Read a refused body to its end: closing on unread data would reset the connection and lose the answer."""
        left = min(length, _DRAIN_LIMIT)
        while left > 0 and (piece := self.rfile.read(min(left, _LINE_LIMIT))):
            left -= len(piece)

    def _send(self, response: Response, *, alive: bool, head: bool = False) -> None:
        """All of a response in one send."""
        status = HTTPStatus(response.status)
        closing = "" if alive else "Connection: close\r\n"
        lines = f"HTTP/1.1 {status.value} {status.phrase}\r\n{self.server.common}{closing}"
        if response.content is None:
            self.request.sendall(f"{lines}\r\n".encode())
            return
        content = b"" if head else json.dumps(response.content, separators=(",", ":")).encode() + b"\n"
        described = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        self.request.sendall(f"{lines}{described}\r\n".encode() + content)


def _request_line(line: bytes) -> tuple[str, str, str]:
    words = line.decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise _BadRequestError(400, "the first line is not that of an HTTP/1.1 request")
    return words[0], words[1], words[2]


def _keep_alive(request: Request) -> bool:
    asked = request.headers.get("connection", "").lower()
    return "keep-alive" in asked if request.headers[":version"] == "HTTP/1.0" else "close" not in asked


def _log(what: str) -> None:
    """One message on stderr, with the exception being handled."""
    print(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} embedded store: {what}\n{traceback.format_exc()}", file=sys.stderr)
