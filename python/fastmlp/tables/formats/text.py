"""Delimited text in any usual dialect, read by the database with arguments that leave it nothing to guess.

What the database cannot read (blanks as delimiters, lines quoted as a whole, other encodings) becomes a temporary file
that it can. Types are those of the first rows; if a later value does not fit, those of all rows.
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
from fastmlp.tables.database import column, errors_as_values, run
from fastmlp.tables.dialect import Dialect, cut, find_dialect
from fastmlp.tables.encodings import as_utf8, find_encoding, is_utf8
from fastmlp.tables.inference import EMPTY, TEXT, Hope, infer
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table, unique_names
from fastmlp.tables.types import MISSING, numbers
from fastmlp.tables.unpacking import Files

_HEAD = 1 << 16  # bytes in which the dialect shows, unless lines are very long
_LONGEST_HEAD = 1 << 23
_FEWEST_LINES = 5
_SAMPLE = 8192  # rows
_AT_ONCE = 256  # questions in a query: the time to plan one grows with their square
_MOST_COLUMNS = 100_000
_PIECE = 1 << 20
_END = "\x1eend"  # after the last line, to see whether it is part of a field
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
    folder = next((path for path in source.paths if path.is_dir()), None)
    if folder is not None:
        raise ValueError(
            f"{source.name} is a folder; name the files in it, such as {printable(f'{folder}/*.csv', 200)}"
        )
    n_bytes = sum(path.stat().st_size for path in source.paths)
    if n_bytes > options.max_bytes and not options.lazy:
        raise too_large(Path(source.name), f"has {n_bytes} bytes", options.max_bytes)
    with errors_as_values(source.name):
        return _Reading(connection, source, options).table()


@dataclass(frozen=True)
class _Part:
    """A file as the database reads it."""

    path: Path
    dialect: Dialect

    def query(self, places: dict[str, int], types: Sequence[str], nulls: Sequence[str]) -> tuple[str, list[Any]]:
        """The query for its rows and the values to bind; ``places`` are those of its columns in the table."""
        columns = {
            (f"blank{k}" if name is None else column(places[name])): "VARCHAR" if name is None else types[places[name]]
            for k, name in enumerate(self.dialect.names)
        }
        arguments = {
            "columns": columns,
            "delim": self.dialect.delimiter,
            "quote": self.dialect.quote,
            "escape": self.dialect.escape,
            "decimal_separator": self.dialect.decimal,
            "skip": self.dialect.skip,
            "nullstr": list(nulls),
        }
        wanted = ", ".join(key for key in columns if not key.startswith("blank"))
        fixed = "header=false, auto_detect=false, compression='none', strict_mode=true"
        bound = ", ".join(f"{argument}=?" for argument in arguments)
        return f"SELECT {wanted} FROM read_csv(?, {fixed}, {bound})", [str(self.path), *arguments.values()]


class _LookAgainError(Exception):
    """What was found in the first rows does not hold for all."""


class _Reading:
    """One reading of a source: it looks again at what did not fit."""

    def __init__(self, connection: Any, source: Files, options: Options) -> None:
        self.connection = connection
        self.source = source
        self.options = options
        self.nulls = sorted({*MISSING, *map(str, options.null)})
        self.codes = numbers(options.null)
        self.looked_at_all = False
        self.rewritten = False
        self.unfit: set[int] = set()  # columns that are texts after all
        self.prepare()

    def prepare(self) -> None:
        """Find the dialects, and make of each file one that the database can read."""
        parts = [self.part(path) for path in self.source.paths]
        self.decimal = "," if any(part.dialect.decimal == "," for part in parts) else "."
        self.parts = [replace(part, dialect=replace(part.dialect, decimal=self.decimal)) for part in parts]
        self.names = list(dict.fromkeys(name for part in parts for name in part.dialect.names if name is not None))

    def part(self, path: Path) -> _Part:
        """One of the files."""
        head, whole = _head(path)
        encoding = self.options.encoding or find_encoding(head, self.source.name)
        if encoding == "utf-8" and self.rewritten and not is_utf8(path):
            encoding = "cp1252"
        if self.options.encoding or encoding != "utf-8":
            path = self.source.write(as_utf8(path, encoding, self.source.name))
            head, whole = _head(path)
        dialect = find_dialect(head.decode("utf-8-sig", "ignore"), self.options, whole)
        if not dialect.names:
            raise ValueError(f"{self.source.name} has no rows")
        if len(dialect.names) > _MOST_COLUMNS:
            raise ValueError(f"{self.source.name} has {len(dialect.names)} columns; expected {_MOST_COLUMNS} at most")
        names = iter(unique_names([name for name in dialect.names if name is not None]))
        dialect = replace(dialect, names=tuple(name and next(names) for name in dialect.names))
        if self.rewritten or not dialect.is_common:
            path = self.source.write(_rewritten(path, dialect, self.source.name))
            dialect = Dialect(",", decimal=dialect.decimal, names=dialect.names)
        return _Part(path, dialect)

    def table(self) -> Table:
        """Read until everything fits."""
        import duckdb

        while True:
            try:
                return self.attempt()
            except _LookAgainError:
                self.looked_at_all = True
            except duckdb.ConversionException as error:
                unfit = _UNFIT.search(str(error))
                if unfit is None:
                    raise
                if self.looked_at_all:
                    self.unfit.add(int(unfit[1]))
                self.looked_at_all = True
            except duckdb.InvalidInputException as error:
                if self.rewritten or _WIDTHS.search(str(error)):
                    raise self.refusal(str(error)) from None
                self.rewritten = True  # by Python's reader, which takes more; after a look at its encoding
                self.prepare()

    def attempt(self) -> Table:
        """Read as the types hoped for, and see whether the hopes hold."""
        hopes = self.hopes()
        padded = self.looked_at_all or any(part.dialect.padded for part in self.parts)
        query, parameters = self.rows([hope.read_as for hope in hopes], padded)
        if not self.options.lazy:
            run(self.connection, f"CREATE OR REPLACE TABLE held AS {query}", parameters)
            query, parameters = "SELECT * FROM held", []
        conditions = [hope.condition.format(column(j)) for j, hope in enumerate(hopes)]
        asked = ", ".join(["count(*)", *conditions])
        n_rows, *held = run(self.connection, f"SELECT {asked} FROM ({query})", parameters).fetchone()
        if not n_rows:
            raise ValueError(f"{self.source.name} has a header but no rows")
        wanted = [self.column(column(j), hope, holds) for j, (hope, holds) in enumerate(zip(hopes, held, strict=True))]
        bound = [value for _, values in wanted for value in values]
        query = f"SELECT {', '.join(expression for expression, _ in wanted)} FROM ({query})"
        return Table(self.connection, query, [*bound, *parameters], self.names, self.source.name)

    def hopes(self) -> list[Hope]:
        """What the columns seem to be, by the first rows or by all."""
        query, parameters = self.rows(["VARCHAR"] * len(self.names), padded=True)
        origin = f"({query})"
        if not self.looked_at_all:
            run(self.connection, f"CREATE OR REPLACE TABLE sample AS {query} LIMIT {_SAMPLE}", parameters)
            origin, parameters = "sample", []

        def counts(asked: Sequence[str]) -> Sequence[int]:
            size = len(asked) if self.looked_at_all else _AT_ONCE
            pieces = [", ".join(asked[i : i + size]) for i in range(0, len(asked), size)]
            found = [run(self.connection, f"SELECT {piece} FROM {origin}", parameters).fetchone() for piece in pieces]
            return tuple(itertools.chain(*found))

        hopes = infer(counts, len(self.names), self.decimal)
        self.connection.execute("DROP TABLE IF EXISTS sample")
        return [TEXT if j in self.unfit else hope for j, hope in enumerate(hopes)]

    def rows(self, types: Sequence[str], padded: bool) -> tuple[str, list[Any]]:
        """The query for the rows of all files; ``padded``: missing values may have blanks around them."""
        places = {name: j for j, name in enumerate(self.names)}
        around = ("", " ") if padded else ("",)  # not always: each further text to compare with takes time
        nulls = sorted({" ", *(before + text + after for text in self.nulls for before in around for after in around)})
        queries, parameters = zip(*(part.query(places, types, nulls) for part in self.parts), strict=True)
        return " UNION ALL BY NAME ".join(queries), list(itertools.chain(*parameters))

    def column(self, name: str, hope: Hope, holds: bool) -> tuple[str, list[Any]]:
        """The expression for a column as the table has it, and values to bind."""
        if hope is EMPTY and not holds and not self.looked_at_all:
            raise _LookAgainError
        if hope.read_as == "VARCHAR":
            trimmed = f"CASE WHEN list_contains(?, trim({name})) THEN NULL ELSE trim({name}) END"
            return (name, []) if holds else (trimmed, [self.nulls])
        value = hope.expression.format(name) if holds else name
        if self.codes and hope.read_as in ("DOUBLE", "BIGINT"):
            return f"CASE WHEN list_contains(?, {name}) THEN NULL ELSE {value} END", [self.codes]
        return value, []

    def refusal(self, message: str) -> ValueError:
        """The error for a file that cannot be read, made of the database's own."""
        line, widths = _LINE.search(message), _WIDTHS.search(message)
        place = f"{self.source.name}, line {line[1]}" if line else self.source.name
        text = f": {shown(line[2])}" if line else ""
        if widths:
            return _uneven(place, int(widths[2]), int(widths[1]), self.parts[0].dialect.delimiter, text)
        if "unterminated quote" in message:
            return ValueError(f"{place}: a quote is not closed, or more follows it before the delimiter{text}")
        return ValueError(f"{place}: {printable(message.splitlines()[0], 300)}{text}")


def _uneven(place: str, found: int, expected: int, delimiter: str, text: str) -> ValueError:
    return ValueError(
        f"{place} has {found} field{'s' * (found != 1)} where the others have {expected}{text}; "
        f"correct it, or say what is between the fields (now delimiter={delimiter!r})"
    )


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
    width, before = len(dialect.names), 0
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = cut(itertools.chain(file, [_END]), dialect)
        try:
            for before, fields in rows:
                if before < dialect.skip or fields == [_END]:
                    continue
                if fields[-1].endswith(_END):
                    raise ValueError(f"{origin}, line {before + 1}: a quote is not closed")
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
        except csv.Error as error:  # a field that is longer than Python's reader takes
            raise ValueError(f"{origin}, after line {before + 1}: a quote may never be closed ({error})") from None
    yield buffer.getvalue().encode()
