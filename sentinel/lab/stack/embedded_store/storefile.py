"""The embedded store's data: one SQLite file, written by one connection under a lock, read by another.

InfluxDB's meaning: a point is (series, time), and writing it again unites the fields, the new value winning. A write
is on disk (WAL, synchronous=FULL) when `write` returns. A lock on the directory keeps other processes out, because
the names are kept in memory.
"""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

from sentinel.errors import StackError
from sentinel.lab.stack.embedded_store.catalog import SCHEMA, Catalog, NoDatabaseError
from sentinel.lab.stack.embedded_store.linefields import merge_fields, split_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sentinel.lab.stack.embedded_store.catalog import Pair
    from sentinel.lab.stack.embedded_store.influxql import Count, SelectAll, Where
    from sentinel.lab.stack.embedded_store.linereader import Columns

_FORMAT = 1  # 1: first
# By series first: a count by tag then reads that run's points only, for a little more work per point written.
_POINTS = """
CREATE TABLE points(series INTEGER, time INTEGER, shape INTEGER NOT NULL, fields BLOB NOT NULL,
    PRIMARY KEY(series, time)) WITHOUT ROWID;
"""
# Python is called only where a point meets an older one with other fields; a redelivered point writes nothing.
_UPSERT = """
INSERT INTO points(series, shape, time, fields) VALUES (?, ?, ?, ?) ON CONFLICT(series, time) DO UPDATE SET
    shape = iif(shape = excluded.shape, shape, merged_shape(fields, excluded.fields)),
    fields = iif(shape = excluded.shape, excluded.fields, merged(fields, excluded.fields))
WHERE fields <> excluded.fields
"""
_ALL = "SELECT series, time, fields FROM points WHERE series IN ({}) ORDER BY time, series"
# A look at the end of each series: a reader asks many times a second.
_NEWEST = """
SELECT series, time, fields FROM ({}) AS meant JOIN points ON series = meant.id
    AND time = (SELECT max(time) FROM points WHERE series = meant.id) ORDER BY time DESC, series LIMIT 1
"""


class Refused(NamedTuple):
    """Points of a write that were left out, and why the first of them was."""

    dropped: int = 0
    reason: str = ""


class Row(NamedTuple):
    """One stored point; values are still text."""

    time: int
    tags: dict[bytes, bytes]
    fields: dict[bytes, bytes]


class StoreFile:
    """Databases of points in a directory.

    Args:
        directory: Holds `points.db`; made if it is not there.

    Raises:
        StackError: the directory cannot be written, is in use, or holds something else.
    """

    def __init__(self, directory: Path) -> None:
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        try:
            with ExitStack() as opened:
                _hold(directory, opened)
                self._writer = _connect(directory / "points.db", opened)
                self._reader = _connect(directory / "points.db", opened)
                _prepare(self._writer, directory)
                self._catalog = Catalog(self._writer)
                self._opened = opened.pop_all()
        except (OSError, sqlite3.Error) as error:
            advice = "name a directory that can be written"
            raise StackError(f"cannot keep the embedded store's data in {directory}: {error}; {advice}") from error

    def close(self) -> None:
        """Wait for reads and writes that go on, then close the file."""
        with self._writing, self._reading:
            self._opened.close()

    def databases(self) -> list[str]:
        """The databases' names, sorted."""
        with self._writing:
            return sorted(self._catalog.databases)

    def create(self, name: str) -> None:
        """Make sure that a database of that name exists."""
        with self._writing, self._transaction():
            self._catalog.create(name)

    def drop(self, name: str) -> None:
        """Delete a database and its points; a name that no database has is no error, as in InfluxDB."""
        with self._writing, self._transaction():
            if name in self._catalog.databases:
                of_home = "(SELECT id FROM series WHERE database = ?)"
                number = self._catalog.find(name).number
                self._writer.execute(f"DELETE FROM points WHERE series IN {of_home}", (number,))  # noqa: S608
                self._catalog.drop(name)

    def write(self, database: str, points: Columns) -> Refused:
        """Store all points but those that InfluxDB would drop; they are on disk when this returns.

        Args:
            database: Its name.
            points: What `linereader.read_lines` made of a body.

        Raises:
            NoDatabaseError: the database was never created.
        """
        with self._writing:
            home = self._catalog.find(database)
            if not points.keys:
                return Refused()
            pairs = list(zip(points.keys, points.shapes, strict=True))
            with self._transaction():
                refused = self._catalog.place(home, pairs)
                rows: Iterable[tuple[Pair, int, bytes]] = zip(pairs, points.times, points.fields, strict=True)
                if refused:
                    rows = [row for row in rows if row[0] not in refused]
                placed = home.placed
                self._writer.executemany(_UPSERT, [(*placed[pair], time, text) for pair, time, text in rows])
        return Refused(sum(pair in refused for pair in pairs), *list(refused.values())[:1]) if refused else Refused()

    def count(self, database: str, query: Count) -> int:
        """How many points of the measurement hold the field.

        Args:
            database: Its name.
            query: Measurement and field, and the values that tags must have.

        Raises:
            NoDatabaseError: the database was never created.
        """
        series, values = _series_of(query.measurement, query.where)
        shapes = "SELECT shape FROM shape_fields WHERE name = ?"
        sql = f"SELECT count(*) FROM points WHERE series IN ({series}) AND shape IN ({shapes})"  # noqa: S608
        with self._snapshot(database) as number:
            return int(self._reader.execute(sql, (number, *values, query.field.encode())).fetchone()[0])

    def select(self, database: str, query: SelectAll) -> list[Row]:
        """Points of the measurement, in order of time and series, or the newest alone.

        Args:
            database: Its name.
            query: The measurement, and the values that tags must have.

        Raises:
            NoDatabaseError: the database was never created.
        """
        series, values = _series_of(query.measurement, query.where)
        sql = (_NEWEST if query.newest else _ALL).format(series)
        with self._snapshot(database) as number:
            rows = self._reader.execute(sql, (number, *values)).fetchall()
            tags_of = "SELECT name, value FROM tags WHERE series = ?"
            tags = {key: dict(self._reader.execute(tags_of, (key,)).fetchall()) for key in {row[0] for row in rows}}
        return [Row(time, tags[key], split_fields(text)) for key, time, text in rows]

    def names(self, database: str, measurement: str) -> list[str]:
        """Names of all fields and tags of a measurement, sorted.

        Args:
            database: Its name.
            measurement: Its name, unescaped.

        Raises:
            NoDatabaseError: the database was never created.
        """
        sql = (
            "SELECT name FROM fields WHERE database = ?1 AND measurement = ?2 UNION SELECT tags.name FROM tags "
            "JOIN series ON series.id = tags.series WHERE database = ?1 AND measurement = ?2"
        )
        with self._snapshot(database) as number:
            rows = self._reader.execute(sql, (number, measurement.encode())).fetchall()
        return sorted(name.decode(errors="replace") for (name,) in rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing, in the file and in memory."""
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._catalog.save_shapes()
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            self._catalog.load()
            raise

    @contextmanager
    def _snapshot(self, database: str) -> Iterator[int]:
        """One state of the file to read, given the database's number; writers are not kept waiting."""
        with self._reading:
            self._reader.execute("BEGIN")
            try:
                rows = self._reader.execute("SELECT id FROM databases WHERE name = ?", (database,)).fetchone()
                if not rows:
                    raise NoDatabaseError(database)
                yield rows[0]
            finally:
                self._reader.execute("ROLLBACK")


def _hold(directory: Path, opened: ExitStack) -> None:
    """Make the directory this process's own."""
    directory.mkdir(parents=True, exist_ok=True)
    guard = opened.enter_context((directory / "store.lock").open("w", encoding="utf-8"))
    try:
        fcntl.flock(guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StackError(f"another embedded store is using {directory}: stop it, or name another directory") from error


def _connect(path: Path, opened: ExitStack) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    opened.callback(connection.close)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _prepare(connection: sqlite3.Connection, directory: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in {0, _FORMAT}:
        raise StackError(f"{directory} holds store format {version}, this is {_FORMAT}: name another directory")
    if not version:
        connection.executescript(f"BEGIN; {SCHEMA} {_POINTS} PRAGMA user_version = {_FORMAT}; COMMIT")
    connection.create_function("merged", 2, merge_fields, deterministic=True)


def _series_of(measurement: str, where: Where) -> tuple[str, list[bytes]]:
    """A subquery for the series meant, after the database's number, and its values."""
    sql, values = "SELECT id FROM series WHERE database = ? AND measurement = ?", [measurement.encode()]
    for tag, value in where:
        sql += " AND id IN (SELECT series FROM tags WHERE name = ? AND value = ?)"
        values += [tag.encode(), value.encode()]
    return sql, values
