"""Delimited text in any usual dialect, read by the database with arguments that leave it nothing to guess.

What the database cannot read (blanks as delimiters, lines quoted as a whole, other encodings) becomes a temporary file
that it can. Types are those of the first rows; if a later value does not fit, those of all rows. Numbers are read as
DOUBLE and times as TIMESTAMP, and become BIGINT and DATE where nothing is lost: the database itself would round 3.5
and cut off the time of day without a word.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fastmlp.checks.errors import printable, shown
from fastmlp.machine.files import too_large
from fastmlp.tables.database import column, errors_as_values
from fastmlp.tables.dialect import MISSING, Dialect, cut, find_dialect
from fastmlp.tables.encodings import as_utf8, find_encoding, is_utf8
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table, unique_names
from fastmlp.tables.unpacking import Files

_HEAD = 1 << 16  # bytes in which the dialect shows, unless lines are very long
_LONGEST_HEAD = 1 << 23
_FEWEST_LINES = 5
_SAMPLE = 20_480  # rows of which the types are found first
_EXACT = 10**15  # smaller whole numbers are exact as DOUBLE
_PIECE = 1 << 20
_NULLS = sorted(before + text + after for text in MISSING for before in ("", " ") for after in ("", " "))
_LINE = re.compile(r"CSV Error on Line: (\d+)\s*Original Line: ([^\n]*)")
_WIDTHS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")
_UNFIT = re.compile(r'Error when converting column "c(\d+)"')


def recognises(source: object) -> bool:
    """Whether this is a file: text is what no other format knows."""
    return isinstance(source, Files)


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the rows of one or more files, whose columns are put together by name.

    Raises ``ValueError`` if a file is not text, has no rows, or has a row of another length.
    """
    options.only(source.name, "delimited text", "header", "delimiter", "decimal", "encoding", "null")
    n_bytes = sum(path.stat().st_size for path in source.paths)
    if n_bytes > options.max_bytes and not options.lazy:
        raise too_large(Path(source.name), f"has {n_bytes} bytes", options.max_bytes)
    with errors_as_values(source.name):
        return _Reading(connection, source, options).table()


@dataclass(frozen=True)
class _Part:
    """A file that the database reads: its dialect, and which column of the table each field belongs to."""

    path: Path
    dialect: Dialect
    names: tuple[str | None, ...]

    def query(self, positions: dict[str, int], types: Sequence[str], nulls: Sequence[str]) -> tuple[str, list[Any]]:
        """The query for its rows, with the values to bind."""
        keys = [f"blank{j}" if name is None else column(positions[name]) for j, name in enumerate(self.names)]
        columns = {
            key: "VARCHAR" if name is None else types[positions[name]]
            for key, name in zip(keys, self.names, strict=True)
        }
        given = {
            "columns": columns,
            "delim": self.dialect.delimiter,
            "quote": self.dialect.quote,
            "escape": self.dialect.escape,
            "decimal_separator": self.dialect.decimal,
            "skip": self.dialect.skip,
            "nullstr": list(nulls),
        }
        wanted = ", ".join(key for key, name in zip(keys, self.names, strict=True) if name is not None)
        fixed = "header=false, auto_detect=false, compression='none', strict_mode=true"
        bound = ", ".join(f"{argument}=?" for argument in given)
        return f"SELECT {wanted} FROM read_csv(?, {fixed}, {bound})", [str(self.path), *given.values()]


class _Reading:
    """One reading of a source: it may take a second look, or a third, until everything fits."""

    def __init__(self, connection: Any, source: Files, options: Options) -> None:
        self.connection = connection
        self.source = source
        self.options = options
        self.nulls = sorted({*_NULLS, *map(str, options.null)})
        self.codes = [float(text) for text in map(str, options.null) if _is_number(text)]
        self.looked_at_all = False
        self.rewritten = False
        self.texts: set[int] = set()  # columns known to hold more than their type
        self.prepare()

    def prepare(self) -> None:
        """Find the dialects, and make of each file one that the database can read."""
        parts = [self.part(path) for path in self.source.paths]
        decimal = max(part.dialect.decimal == "," for part in parts)
        self.decimal = "," if decimal else "."
        self.parts = [replace(part, dialect=replace(part.dialect, decimal=self.decimal)) for part in parts]
        self.names = list(dict.fromkeys(name for part in parts for name in part.names if name is not None))
        self.positions = {name: j for j, name in enumerate(self.names)}

    def part(self, path: Path) -> _Part:
        head, whole = _head(path)
        encoding = self.options.encoding or find_encoding(head, self.source.name)
        if encoding == "utf-8" and self.rewritten and not is_utf8(path):
            encoding = "cp1252"
        if encoding != "utf-8":
            path = self.source.write(as_utf8(path, encoding, self.source.name))
            head, whole = _head(path)
        dialect = find_dialect(head.decode("utf-8-sig", "ignore"), self.options, whole)
        if not dialect.names:
            raise ValueError(f"{self.source.name} has no rows")
        if self.rewritten or not dialect.is_common:
            path = self.source.write(_rewritten(path, dialect, self.source.name))
            dialect = Dialect(",", decimal=dialect.decimal, names=dialect.names)
        given = iter(unique_names([name for name in dialect.names if name is not None]))
        return _Part(path, dialect, tuple(name if name is None else next(given) for name in dialect.names))

    def rows(self, types: Sequence[str]) -> tuple[str, list[Any]]:
        """The query for all rows, with values of these types."""
        queries, parameters = zip(*(part.query(self.positions, types, self.nulls) for part in self.parts), strict=True)
        return " UNION ALL BY NAME ".join(queries), list(itertools.chain(*parameters))

    def table(self) -> Table:
        """Read, and look again at what did not fit."""
        import duckdb

        while True:
            try:
                return self.attempt()
            except duckdb.ConversionException as error:
                unfit = _UNFIT.search(str(error))
                if unfit is None:
                    raise
                if self.looked_at_all:
                    self.texts.add(int(unfit[1]))
                self.looked_at_all = True
            except duckdb.InvalidInputException as error:
                if self.rewritten or _WIDTHS.search(str(error)):
                    raise self.refusal(str(error)) from None
                self.rewritten = True
                self.prepare()

    def attempt(self) -> Table:
        """Read with the types found in the first rows, or in all."""
        types = self.types()
        query, parameters = self.rows(types)
        if not self.options.lazy:
            self.connection.execute(f"CREATE OR REPLACE TABLE held AS {query}", parameters)
            query, parameters = "SELECT * FROM held", []
        facts = [_FACTS[type_].format(column(j)) for j, type_ in enumerate(types)]
        found = self.connection.execute(f"SELECT count(*), {', '.join(facts)} FROM ({query})", parameters).fetchone()
        if not found[0]:
            raise ValueError(f"{self.source.name} has a header but no rows")
        wanted, bound = [], []
        for j, (type_, fact) in enumerate(zip(types, found[1:], strict=True)):
            expression, values = self.exact(column(j), type_, fact)
            wanted.append(expression)
            bound += values
        query = f"SELECT {', '.join(wanted)} FROM ({query})"
        return Table(self.connection, query, [*bound, *parameters], self.names, self.source.name)

    def exact(self, name: str, type_: str, fact: object) -> tuple[str, list[Any]]:
        """The expression for a column as the table has it, and values to bind."""
        if type_ == "VARCHAR":
            trimmed = f"CASE WHEN list_contains(?, trim({name})) THEN NULL ELSE trim({name}) END"
            return (trimmed, [self.nulls]) if fact else (name, [])
        codes = self.codes if type_ in ("DOUBLE", "BIGINT") else []
        value = f"CASE WHEN list_contains(?, {name}) THEN NULL ELSE {name} END" if codes else name
        narrow = {"DOUBLE": "BIGINT", "TIMESTAMP": "DATE"}.get(type_) if fact is True else None
        return (f"({value})::{narrow}" if narrow else value), ([codes] if codes else [])

    def types(self) -> list[str]:
        """What the values of each column have in common, in the first rows or in all."""
        query, parameters = self.rows(["VARCHAR"] * len(self.names))
        if not self.looked_at_all:
            query = f"SELECT * FROM ({query}) LIMIT {_SAMPLE}"

        def counts(expressions: Sequence[str]) -> tuple[int, ...]:
            asked = ", ".join(["count(*)", *expressions])
            return tuple(self.connection.execute(f"SELECT {asked} FROM ({query})", parameters).fetchone()[1:])

        n = len(self.names)
        number = "try_cast({0} AS DOUBLE)"
        if self.decimal == ",":
            number = "CASE WHEN contains({0}, '.') THEN NULL ELSE try_cast(replace({0}, ',', '.') AS DOUBLE) END"
        asked = [f"count({column(j)})" for j in range(n)]
        asked += [f"count({number.format(column(j))})" for j in range(n)]
        asked += [f"coalesce(max(length({column(j)})), 0)" for j in range(n)]
        found = counts(asked)
        types = [
            "DOUBLE" if present == numbers > 0 else "VARCHAR"
            for present, numbers in zip(found[:n], found[n : 2 * n], strict=True)
        ]
        long = [j for j in range(n) if types[j] == "DOUBLE" and found[2 * n + j] > 15]
        texts = [j for j in range(n) if types[j] == "VARCHAR" and found[j]]
        asked = [f"count(*) FILTER (regexp_full_match({column(j)}, '\\s*[-+]?\\d{{1,18}}\\s*'))" for j in long]
        for type_ in ("TIMESTAMP", "TIME"):
            asked += [f"count(try_cast({column(j)} AS {type_}))" for j in texts]
        kinds = [("BIGINT", j) for j in long] + [(type_, j) for type_ in ("TIMESTAMP", "TIME") for j in texts]
        for (type_, j), fitting in zip(kinds, counts(asked), strict=True):
            if fitting == found[j] and types[j] in ("DOUBLE", "VARCHAR"):
                types[j] = type_
        return ["VARCHAR" if j in self.texts else type_ for j, type_ in enumerate(types)]

    def refusal(self, message: str) -> ValueError:
        """The error for a file that cannot be read, from the database's own."""
        line, widths = _LINE.search(message), _WIDTHS.search(message)
        place = f"{self.source.name}, line {line[1]}" if line else self.source.name
        text = f": {shown(line[2])}" if line else ""
        if widths:
            return _uneven(place, int(widths[2]), int(widths[1]), self.parts[0].dialect.delimiter, text)
        if "quote" in message.splitlines()[-1 if not line else 0] or "unterminated" in message:
            return ValueError(f"{place}: a quote is not closed, or something follows one{text}")
        return ValueError(f"{place}: {printable(message.splitlines()[0], 300)}{text}")


_FACTS = {
    "DOUBLE": f"coalesce(bool_and({{0}} = trunc({{0}}) AND abs({{0}}) < {_EXACT}), false)",
    "TIMESTAMP": "coalesce(bool_and({0} = date_trunc('day', {0})), false)",
    "VARCHAR": "coalesce(bool_or({0} <> trim({0})), false)",
    "BIGINT": "count({0})",
    "TIME": "count({0})",
}
"""What is asked of all values of a column: whether they are whole, are days, have blanks around them."""


def _uneven(place: str, found: int, expected: int, delimiter: str, text: str) -> ValueError:
    return ValueError(
        f"{place} has {found} fields, the others {expected}{text}; "
        f"correct it, or say what is between the fields, delimiter={delimiter!r} now"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _head(path: Path) -> tuple[bytes, bool]:
    """The beginning of a file, in which a few lines end, and whether that is all of it."""
    with open(path, "rb") as file:
        head = file.read(_HEAD)
        while len(head) < _LONGEST_HEAD and head.count(b"\n") + head.count(b"\r") < _FEWEST_LINES:
            more = file.read(len(head))
            if not more:
                break
            head += more
        return head, not file.read(1)


def _rewritten(path: Path, dialect: Dialect, origin: str) -> Iterator[bytes]:
    """The rows below the header, with commas."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    width = len(dialect.names)
    with open(path, encoding="utf-8-sig", errors="strict", newline="") as file:
        for before, fields in cut(file, dialect):
            if before < dialect.skip:
                continue
            if len(fields) == width + 1 and not fields[-1]:
                fields.pop()
            if len(fields) != width:
                text = f": {shown(dialect.delimiter.join(fields))}"
                raise _uneven(f"{origin}, line {before + 1}", len(fields), width, dialect.delimiter, text)
            writer.writerow(fields)
            if buffer.tell() > _PIECE:
                yield buffer.getvalue().encode()
                buffer.seek(0)
                buffer.truncate()
    yield buffer.getvalue().encode()
