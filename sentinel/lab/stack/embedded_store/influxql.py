"""The few InfluxQL statements that the pipeline and the lab send, parsed; and the JSON shapes of their answers. Pure.

CREATE DATABASE, DROP DATABASE, SHOW DATABASES, SELECT count(field) and SELECT *, with WHERE on tags (`tag = 'value'`,
joined by AND) and ORDER BY time DESC LIMIT 1, one statement a query. Whatever else InfluxQL can do is a QueryError in
InfluxDB's wording: a query is never half understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:\\.|[^"\\\n])+")|(?P<string>'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<word>[A-Za-z_]\w*)|(?P<number>\d+)|(?P<symbol>[()*=,;])|(?P<end>\Z)|(?P<other>\S))"""
)
_ESCAPES = {r"\n": "\n", r"\"": '"', r"\'": "'", "\\\\": "\\"}
_STATEMENTS = "SELECT, SHOW, CREATE, DROP"

Where = tuple[tuple[str, str], ...]
"""Tags and the value each must have."""


class QueryError(ValueError):
    """A query outside this subset of InfluxQL."""


@dataclass(frozen=True)
class CreateDatabase:
    """CREATE DATABASE name."""

    name: str


@dataclass(frozen=True)
class DropDatabase:
    """DROP DATABASE name."""

    name: str


@dataclass(frozen=True)
class ShowDatabases:
    """SHOW DATABASES."""


@dataclass(frozen=True)
class Count:
    """SELECT count(field) FROM measurement."""

    measurement: str
    field: str
    where: Where = ()


@dataclass(frozen=True)
class SelectAll:
    """SELECT * FROM measurement."""

    measurement: str
    where: Where = ()
    newest: bool = False
    """Whether the newest point alone is meant, not all."""


Statement = CreateDatabase | DropDatabase | ShowDatabases | Count | SelectAll


def parse(query: str) -> Statement:
    """Parse a query.

    Args:
        query: InfluxQL, one statement.

    Raises:
        QueryError: the text is not of the subset; the message is InfluxDB's.
    """
    parser = _Parser(query)
    statement = parser.statement()
    parser.skip(";")
    parser.expect("end", "end")
    return statement


def result(name: str = "", columns: list[str] | None = None, values: Any = ()) -> dict[str, Any]:
    """The entry of `results` in an answer; without values it has no series, as in InfluxDB.

    Args:
        name: Of the series, such as the measurement.
        columns: Names of the columns.
        values: Rows, a value a column.
    """
    if not values:
        return {"statement_id": 0}
    return {"statement_id": 0, "series": [{"name": name, "columns": columns, "values": values}]}


class _Parser:
    """Recursive descent over one query, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.advance()

    def advance(self) -> None:
        match = _TOKEN.match(self.text, self.position)
        assert match  # `other` and `end` leave nothing unmatched
        self.kind = match.lastgroup or ""
        self.value = match[self.kind]
        self.start = match.start(self.kind)
        self.position = match.end()

    def fail(self, expected: str) -> NoReturn:
        raise QueryError(f"found {self.value or 'EOF'}, expected {expected} at line 1, char {self.start + 1}")

    def skip(self, word: str) -> bool:
        """Past `word` if it comes next; keywords in any case."""
        matches = self.kind in {"word", "symbol"} and self.value.upper() == word
        if matches:
            self.advance()
        return matches

    def need(self, word: str) -> None:
        if not self.skip(word):
            self.fail(word)

    def expect(self, kind: str, expected: str) -> str:
        if self.kind != kind:
            self.fail(expected)
        value = self.value
        self.advance()
        return value

    def name(self) -> str:
        return self.expect("word", "identifier") if self.kind == "word" else _bare(self.expect("quoted", "identifier"))

    def statement(self) -> Statement:
        if self.skip("SELECT"):
            return self.select()
        if self.skip("SHOW"):
            self.need("DATABASES")
            return ShowDatabases()
        create = self.skip("CREATE")
        if not create and not self.skip("DROP"):
            self.fail(_STATEMENTS)
        self.need("DATABASE")
        return CreateDatabase(self.name()) if create else DropDatabase(self.name())

    def select(self) -> Count | SelectAll:
        if self.skip("*"):
            self.need("FROM")
            return SelectAll(self.name(), self.where(), self.newest())
        if not self.skip("COUNT"):
            self.fail("* or count(field)")
        self.need("(")
        field = self.name()
        self.need(")")
        self.need("FROM")
        return Count(self.name(), field, self.where())

    def where(self) -> Where:
        terms: list[tuple[str, str]] = []
        while self.skip("AND") if terms else self.skip("WHERE"):
            tag = self.name()
            self.need("=")
            terms.append((tag, _bare(self.expect("string", "string"))))
        return tuple(terms)

    def newest(self) -> bool:
        if not self.skip("ORDER"):
            return False
        for word in ("BY", "TIME", "DESC", "LIMIT"):
            self.need(word)
        if self.value != "1":
            self.fail("1")
        self.advance()
        return True


def _bare(quoted: str) -> str:
    return re.sub(r"\\.", lambda match: _ESCAPES.get(match[0], match[0]), quoted[1:-1])
