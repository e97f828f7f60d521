"""The names in the embedded store: databases, fields and their types, series, shapes. On file, and whole in memory.

With the numbers of all names at hand a batch costs SQLite one statement per point and nothing else. What is new goes
into the caller's transaction; if that fails, `load` reads everything anew. Not thread-safe: the caller holds a lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.stack.embedded_store.linefields import KINDS, merge_fields, shape_of, split_shape
from sentinel.lab.stack.embedded_store.linekey import Key, read_key

if TYPE_CHECKING:
    import sqlite3

SCHEMA = """
CREATE TABLE databases(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE fields(database INTEGER, measurement BLOB, name BLOB, kind BLOB NOT NULL,
    PRIMARY KEY(database, measurement, name)) WITHOUT ROWID;
CREATE TABLE series(id INTEGER PRIMARY KEY, database INTEGER NOT NULL, measurement BLOB NOT NULL);
CREATE INDEX series_of ON series(database, measurement);
CREATE TABLE tags(series INTEGER, name BLOB, value BLOB NOT NULL, PRIMARY KEY(series, name)) WITHOUT ROWID;
CREATE TABLE shapes(id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE);
CREATE TABLE shape_fields(shape INTEGER, name BLOB, PRIMARY KEY(shape, name)) WITHOUT ROWID;
"""

Pair = tuple[bytes, bytes]
"""Key and shape of a line, as it was sent."""


class NoDatabaseError(LookupError):
    """There is no database of that name."""


class Database:
    """What is known by name in one database.

    Args:
        number: The database's id in the file.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.kinds: dict[tuple[bytes, bytes], bytes] = {}
        self.series: dict[Key, int] = {}
        self.placed: dict[Pair, tuple[int, int]] = {}
        """Series and shape numbers of the pairs met since the start."""


class Catalog:
    """All databases of one file.

    Args:
        connection: The writing connection to a file with the tables of `SCHEMA`; it gets the SQL function
            `merged_shape`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany
        connection.create_function("merged_shape", 2, self._merged_shape)
        self.load()

    def load(self) -> None:
        """Read all names from the file."""
        execute = self._execute
        self._new_shapes: list[tuple[int, bytes]] = []
        self._shapes: dict[bytes, int] = {text: number for number, text in execute("SELECT id, text FROM shapes")}
        self.databases: dict[str, Database] = {
            name: Database(number) for number, name in execute("SELECT id, name FROM databases")
        }
        numbered = {home.number: home for home in self.databases.values()}
        for number, measurement, name, kind in execute("SELECT database, measurement, name, kind FROM fields"):
            numbered[number].kinds[measurement, name] = kind
        tags: dict[int, list[tuple[bytes, bytes]]] = {}
        for series, name, value in execute("SELECT series, name, value FROM tags ORDER BY series, name"):
            tags.setdefault(series, []).append((name, value))
        for series, number, measurement in execute("SELECT id, database, measurement FROM series"):
            numbered[number].series[Key(measurement, tuple(tags.get(series, ())))] = series

    def find(self, name: str) -> Database:
        """The database of that name.

        Args:
            name: As it was created; case matters.

        Raises:
            NoDatabaseError: no database of that name was created.
        """
        if name not in self.databases:
            raise NoDatabaseError(name)
        return self.databases[name]

    def create(self, name: str) -> None:
        """Make sure that a database of that name exists.

        Args:
            name: As queries will give it; case matters.
        """
        if name not in self.databases:
            added = self._execute("INSERT INTO databases(name) VALUES (?)", (name,))
            self.databases[name] = Database(added.lastrowid or 0)

    def drop(self, name: str) -> None:
        """Forget a database; the caller deletes its points first.

        Args:
            name: Of a database that exists.

        Raises:
            KeyError: no database has that name.
        """
        home = self.databases.pop(name)
        self._execute("DELETE FROM tags WHERE series IN (SELECT id FROM series WHERE database = ?)", (home.number,))
        for table, column in (("series", "database"), ("fields", "database"), ("databases", "id")):
            self._execute(f"DELETE FROM {table} WHERE {column} = ?", (home.number,))  # noqa: S608 (names from here)

    def place(self, home: Database, pairs: list[Pair]) -> dict[Pair, str]:
        """Number every pair that is new, in order: the first point of a field sets its type.

        Args:
            home: The database of the points; `placed` has the numbers afterwards.
            pairs: Key and shape of each point.

        Returns:
            Pairs that are refused, each with InfluxDB's reason; empty where all are taken.
        """
        if home.placed.keys() >= set(pairs):
            return {}
        refused: dict[Pair, str] = {}
        for pair in dict.fromkeys(pairs):
            if pair not in home.placed:
                key, names = read_key(pair[0]), split_shape(pair[1])
                reason = _why_dropped(home, key, names)
                if reason:
                    refused[pair] = reason
                else:
                    self._add_fields(home, key.measurement, names)
                    home.placed[pair] = self._series(home, key), self._shape(pair[1])
        return refused

    def save_shapes(self) -> None:
        """Put the new shapes on file, at the end of a transaction."""
        if not self._new_shapes:
            return
        self._executemany("INSERT INTO shapes VALUES (?, ?)", self._new_shapes)
        rows = [(number, name) for number, text in self._new_shapes for name in split_shape(text)]
        self._executemany("INSERT INTO shape_fields VALUES (?, ?)", rows)
        self._new_shapes.clear()

    def _add_fields(self, home: Database, measurement: bytes, names: dict[bytes, bytes]) -> None:
        for name, kind in names.items():
            if (measurement, name) not in home.kinds:
                self._execute("INSERT INTO fields VALUES (?, ?, ?, ?)", (home.number, measurement, name, kind))
                home.kinds[measurement, name] = kind

    def _series(self, home: Database, key: Key) -> int:
        if key not in home.series:
            sql = "INSERT INTO series(database, measurement) VALUES (?, ?)"
            number = self._execute(sql, (home.number, key.measurement)).lastrowid or 0
            self._executemany("INSERT INTO tags VALUES (?, ?, ?)", [(number, *tag) for tag in key.tags])
            home.series[key] = number
        return home.series[key]

    def _shape(self, text: bytes) -> int:
        if text not in self._shapes:
            self._shapes[text] = len(self._shapes) + 1
            # Saved later: inside its own function SQLite must not be written to.
            self._new_shapes.append((self._shapes[text], text))
        return self._shapes[text]

    def _merged_shape(self, old: bytes, new: bytes) -> int:
        return self._shape(shape_of(merge_fields(old, new)))


def _why_dropped(home: Database, key: Key, names: dict[bytes, bytes]) -> str:
    """Why InfluxDB would drop such a point, in its words, or nothing."""
    where = f'on measurement "{_text(key.measurement)}" is'
    if any(name == b"time" for name, _ in key.tags):
        return f'invalid tag key: input tag "time" {where} invalid'
    if not names:
        return f'invalid field name: input field "time" {where} invalid'
    for name, kind in names.items():
        first = home.kinds.get((key.measurement, name), kind)
        if first != kind:
            types = f"type {KINDS[kind]}, already exists as type {KINDS[first]}"
            return f'field type conflict: input field "{_text(name)}" {where} {types}'
    return ""


def _text(name: bytes) -> str:
    return name.decode(errors="replace")
