"""A stand-in for InfluxDB 3, written from its documentation and source: the server itself cannot be had here.

A write waits for the next flush of the log (`no_sync` does not); a body with a bad line is refused whole, and the
answer names the first (with `accept_partial=true` the good lines are written); /ping wants the token; a query needs a
bound in time. `/api/v2/write` always waits, and answers 400 to whatever is wrong.
"""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING

from support.servers import Answer, Asked, ScriptedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LINE = re.compile(rb"(?P<series>[^ ]+) (?P<fields>[^ ]+) (?P<time>\d{19})")
LARGEST = 10 * 2**20
"""Bytes of a body."""
TOKEN = "t0k3n"


def bad_host(line: bytes) -> str:
    """What is wrong with a line; empty if nothing is. A host called `bad` stands for a conflict with the schema."""
    if b"host=bad" in line:
        return "invalid column type for column 'cpu', expected iox::column_type::field::float, got string"
    return "" if LINE.fullmatch(line) else "Could not parse entire line"


class InfluxDB3(ScriptedStore):
    """The server, which flushes its log every `flush` seconds; the real one's default is 1."""

    def __init__(self, flush: float = 0.2) -> None:
        self.wrong: Callable[[bytes], str] = bad_host
        self.misnumbers = 0
        """Added to the number of a line that it names."""
        self.broken: Answer | None = None
        """While set, the answer to every write."""
        self.points: dict[tuple[bytes, bytes], bytes] = {}
        """Series and time to fields."""
        self.asked: list[Asked] = []
        """Writes of points, refused ones included."""
        self.waiting = self.most_waiting = 0
        """Writes that wait for a flush: now, and at most so far."""
        self.flushing = True
        self._flush = flush
        self._flushes = 0
        self._changed = threading.Condition()
        self._over = threading.Event()
        threading.Thread(target=self._flush_log, daemon=True).start()
        super().__init__()

    def _flush_log(self) -> None:
        while not self._over.wait(self._flush):
            with self._changed:
                self._flushes += self.flushing
                self._changed.notify_all()

    def close(self) -> None:
        """End it; what waits for a flush is refused."""
        self._over.set()
        with self._changed:
            self._changed.notify_all()
        super().close()

    def answer(self, asked: Asked) -> Answer:
        """What is said to one request."""
        if asked.headers.get("authorization") not in {f"Token {TOKEN}", f"Bearer {TOKEN}"}:
            return Answer(401)
        if asked.path == "/ping":
            return Answer(200, b'{"version":"3.10.0","revision":"0000000","process_id":"x"}')
        if asked.path == "/query":
            return self._query(asked.query["q"])
        if asked.path not in {"/api/v3/write_lp", "/api/v2/write"}:
            return Answer(404, b"not found")
        return self._write(asked, v3=asked.path == "/api/v3/write_lp")

    def _query(self, text: str) -> Answer:
        if "time > now() - " not in text:
            words = "Query would exceed file limit of 432 parquet files. Please specify a smaller time range"
            return Answer(200, json.dumps({"results": [{"statement_id": 0, "error": words}]}).encode())
        run = re.search("run = '([^']*)'", text)
        with self._changed:
            count = sum(not run or b"run=%b" % run[1].encode() in series for series, _ in self.points)
        series = [{"name": "system_stats", "columns": ["time", "count"], "values": [[0, count]]}] if count else []
        return Answer(200, json.dumps({"results": [{"statement_id": 0, "series": series}]}).encode())

    def _write(self, asked: Asked, *, v3: bool) -> Answer:
        lines = [line for line in asked.body.split(b"\n") if line and not line.startswith(b"#")]
        if not lines:
            return Answer(400, b"incoming write was empty")
        with self._changed:
            self.asked.append(asked)
        if self.broken:
            return self.broken
        if len(asked.body) > LARGEST:
            return Answer(413, b"max request size (10485760 bytes) exceeded")
        wrong = [(number, line, words) for number, line in enumerate(lines, 1) if (words := self.wrong(line))]
        partial = v3 and asked.query.get("accept_partial", "true") == "true"
        if not wrong or partial:
            bad = {number for number, _, _ in wrong}
            self._keep([line for number, line in enumerate(lines, 1) if number not in bad])
            if asked.query.get("no_sync") != "true" and not self._flushed():
                return Answer(500, b"shutting down")
        return self._refusal(wrong, v3=v3, partial=partial) if wrong else Answer()

    def _refusal(self, wrong: list[tuple[int, bytes, str]], *, v3: bool, partial: bool) -> Answer:
        if not v3:
            words = "write buffer error: parsing for line protocol failed"
            return Answer(400, json.dumps({"code": "invalid", "message": words}).encode())
        named = [
            {
                "original_line": line.decode(),
                "line_number": number + self.misnumbers,
                "error_message": words,
            }
            for number, line, words in wrong
        ]
        if partial:
            return Answer(400, json.dumps({"error": "partial write of line protocol occurred", "data": named}).encode())
        return Answer(400, json.dumps({"error": "line protocol parsing error", "data": named[0]}).encode())

    def _keep(self, lines: Iterable[bytes]) -> None:
        with self._changed:
            for line in lines:
                series, fields, at = line.rsplit(b" ", 2)
                self.points[series, at] = fields

    def _flushed(self) -> bool:
        """Wait for the next flush; False if there is none any more."""
        with self._changed:
            due = self._flushes + 1
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
            self._changed.wait_for(lambda: self._flushes >= due or self._over.is_set())
            self.waiting -= 1
            return self._flushes >= due
