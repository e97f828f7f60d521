"""The store's connection: `post` asks what http.client asks, and takes whatever answer HTTP allows."""

from __future__ import annotations

import gzip
import http.client
import socket
import threading
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.store.http import HEAD_BYTES, MOST_UNPACKED, ONE_PIECE, HttpConnection, Response

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BARE = b"HTTP/1.1 204 No Content\r\nX-Influxdb-Version: 1.6.7\r\nDate: now\r\n\r\n"


class Scribe:
    """A server that takes down requests, and answers each with the next of its answers: pieces, sent one by one.

    An empty last piece closes the connection.
    """

    def __init__(self) -> None:
        self.answers: list[list[bytes]] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self._links: list[HttpConnection] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def link(self, **headers: str) -> HttpConnection:
        """A connection to here."""
        self._links.append(HttpConnection("http", "127.0.0.1", self.port, 5.0, headers))
        return self._links[-1]

    def _serve(self) -> None:
        try:
            while True:
                connection, _ = self._server.accept()
                self.connections += 1
                with connection, suppress(ConnectionError):
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._converse(connection)
        except OSError:
            return  # closed

    def _converse(self, connection: socket.socket) -> None:
        while request := _request(connection):
            self.requests.append(request)
            for piece in self.answers.pop(0):
                if not piece:
                    return
                connection.sendall(piece)

    def close(self) -> None:
        """Take no more connections, and end those there are."""
        for link in self._links:
            link.close()
        self._server.close()


def _request(connection: socket.socket) -> bytes:
    """One whole request with its body; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return b""
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(1 << 20)
    return head + b"\r\n\r\n" + body


@pytest.fixture
def scribe() -> Iterator[Scribe]:
    """The server."""
    server = Scribe()
    yield server
    server.close()


def pieces(answer: bytes, sizes: Iterable[int]) -> list[bytes]:
    """An answer cut into pieces of these sizes, and the rest."""
    cut, start = [], 0
    for size in sizes:
        cut.append(answer[start : start + size])
        start += size
    return [piece for piece in [*cut, answer[start:]] if piece]


@pytest.mark.parametrize("size", [0, 1, 1000, ONE_PIECE, ONE_PIECE + 1, 3_000_000])
def test_a_post_asks_what_http_client_would(scribe: Scribe, size: int) -> None:
    """The same request line, headers and body, of whatever size; over one connection."""
    body = (b"m f=1 %d\n" * (size // 9 + 1))[:size]
    scribe.answers = [[BARE], [BARE]]
    link = scribe.link(Authorization="Token t0k3n")
    target = "/api/v2/write?org=our+org&bucket=b%2Fc&precision=ns"
    assert Response(204, {}, b"") == link.post(target, body)
    assert link.request("POST", target, body).status == 204
    quick, plain = (request.partition(b"\r\n\r\n") for request in scribe.requests)
    assert quick[2] == plain[2] == body
    assert quick[0].split(b"\r\n")[0] == plain[0].split(b"\r\n")[0]
    assert sorted(quick[0].split(b"\r\n")) == sorted(plain[0].split(b"\r\n"))
    assert scribe.connections == 1


ANSWERS = [
    (BARE, Response(204, {}, b"")),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello", (200, b"hello")),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", (200, b"hello")),
    (b'HTTP/1.1 400 Bad Request\r\nContent-Length: 13\r\n\r\n{"error":"x"}', (400, b'{"error":"x"}')),
    (b"HTTP/1.1 503 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", (503, b"")),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + BARE, (204, b"")),
]


@pytest.mark.parametrize(("answer", "expected"), ANSWERS, ids=["bare", "length", "chunked", "400", "503", "100"])
@settings(deadline=None, max_examples=15, derandomize=True)
@given(sizes=st.lists(st.integers(1, 40), max_size=6))
def test_an_answer_is_understood_however_it_is_cut(
    answer: bytes, expected: tuple[int, bytes], sizes: list[int]
) -> None:
    """Status and body, and the next answer on the same connection after it, in pieces of any size."""
    scribe = Scribe()
    scribe.answers = [pieces(answer, sizes), [BARE]]
    link = scribe.link()
    got = link.post("/write?db=x", b"m f=1 1")
    assert (expected[0], expected[-1]) == (got.status, got.body)
    assert link.post("/write?db=x", b"m f=1 2").status == 204
    scribe.close()
    assert scribe.connections == 1


PAGE = b"<html>" + b"Sign in " * 100
PACKED = [
    ("gzip", gzip.compress(PAGE, mtime=0), PAGE),
    ("GZIP", gzip.compress(PAGE, mtime=0), PAGE),
    ("deflate", zlib.compress(PAGE), PAGE),
    ("gzip", b"none at all", b"none at all"),
    ("gzip", gzip.compress(PAGE, mtime=0)[:-9], PAGE),
    ("gzip", gzip.compress(bytes(3 * MOST_UNPACKED)), bytes(MOST_UNPACKED)),
    ("br", b"\x0b", b"\x0b"),
    ("identity", PAGE, PAGE),
]


@pytest.mark.parametrize(("encoding", "body", "text"), PACKED)
def test_a_packed_body_is_read_as_text(scribe: Scribe, encoding: str, body: bytes, text: bytes) -> None:
    """Nobody asks for gzip, but proxies send it; what does not unpack stays as it is, and a bomb is cut."""
    head = f"HTTP/1.1 502 Bad\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    scribe.answers = [[head + body], [head + body]]
    link = scribe.link()
    assert text == link.post("/write", b"").body
    assert text == link.request("GET", "/ping").body


def test_headers_of_an_answer_are_known_by_lower_case_name(scribe: Scribe) -> None:
    """What a caller must heed, such as Retry-After, is there."""
    scribe.answers = [[b"HTTP/1.1 429 Slow\r\nRETRY-After: 7\r\nContent-Length: 0\r\n\r\n"]]
    assert scribe.link().post("/write", b"").headers["retry-after"] == "7"


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", b"HTTP/1.0 200 OK\r\n\r\nup to the end"]
)
def test_a_server_that_ends_the_connection_is_asked_over_a_new_one(scribe: Scribe, answer: bytes) -> None:
    """`Connection: close`, in any case of letters, or a body without a length: the next post connects anew."""
    scribe.answers = [[answer, b""], [BARE]]
    link = scribe.link()
    assert link.post("/write", b"1").status in (200, 204)
    assert link.post("/write", b"2").status == 204
    assert scribe.connections == 2


@pytest.mark.parametrize(
    "answer",
    [[b""], [b"HTTP/1.1 204 No Con", b""], [b"no HTTP at all\r\n\r\n"], [b"HTTP/1.1 204 N" + b"o" * HEAD_BYTES]],
)
def test_no_whole_answer_is_an_error_and_the_link_works_again(scribe: Scribe, answer: list[bytes]) -> None:
    """A connection that breaks, garbage, or a head without end: never taken for a 2xx."""
    scribe.answers = [answer, [BARE]]
    link = scribe.link()
    with pytest.raises(HttpConnection.ERRORS):
        link.post("/write", b"1")
    assert link.post("/write", b"2").status == 204
    assert scribe.connections == 2


def test_a_header_cannot_be_smuggled_in() -> None:
    """A token with a line break is refused, as http.client does, before anything is sent."""
    link = HttpConnection("http", "127.0.0.1", 1, 1.0, {"Authorization": "Token a\r\nX: y"})
    with pytest.raises(ValueError, match="Invalid header value"):
        link._head("/write")
    with pytest.raises(http.client.InvalidURL):
        HttpConnection("http", "127.0.0.1", 1, 1.0, {})._head("/write db=x")
