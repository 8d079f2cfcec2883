"""A table as it was read: columns by name, each with the type that its values have in common."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable, unknown_name
from fastmlp.tables.database import column, errors_as_values, run
from fastmlp.tables.types import Nulls, plain_columns, type_name
from fastmlp.tables.unpacking import Files

_SHOWN_ROWS, _SHOWN_COLUMNS = 5, 8
_NUMBERS = itertools.count()  # of types, whose names are shared by all tables of a database


class Part(NamedTuple):
    """Consecutive rows of a table: the number of rows before them, and the parameters of the query that gives them."""

    first: int
    parameters: Sequence[Any]


class Table:
    """Columns by name, held by an embedded database, or read anew from their files by every query.

    Made by `read_table`; also the form in which `TableEncoder` takes frames. Inside the database the columns are
    called ``c0``, ``c1``, ...

    ``table["price"]`` is an array of the values of a column; ``len(table)`` is the number of rows.

    Attributes
    ----------
    names : tuple of str
        Names of the columns, as the file gives them, without blanks around them.
    types : tuple of str
        DuckDB's types of the columns, such as ``"BIGINT"``, ``"DOUBLE"``, ``"VARCHAR"``, ``"DATE"``. Texts that the
        source declares to be categories are ``"ENUM"``.
    origin : str
        The file, or what else the table comes from; messages begin with it.
    parts : tuple of Part
        Consecutive rows that can be read by themselves, together all rows; often one part is all there is.
    files : Files or None
        What it is read from by every query. Copies of unpacked files last as long as this.
    """

    def __init__(
        self,
        connection: Any,
        query: str,
        parameters: Sequence[Any],
        names: Sequence[str],
        origin: str,
        parts: Sequence[Part] = (),
    ) -> None:
        self.names = tuple(names)
        self.origin = origin
        self.files: Files | None = None
        self._connection = connection
        self._parameters = list(parameters)
        self.parts = tuple(parts) or (Part(0, self._parameters),)
        self._enums: dict[tuple[str, ...], str] = {}
        columns = ", ".join(column(j) for j in range(len(names)))
        self._rows = f"({query}) AS source({columns})"
        with errors_as_values(origin):
            described = self._cursor().execute(f"DESCRIBE SELECT * FROM {self._rows}", self._parameters).fetchall()
        self.types = tuple(type_name(row[1]) for row in described)

    def _cursor(self) -> Any:
        """A connection of its own for every query: one with an open result takes no other."""
        return self._connection.cursor()

    def enum(self, texts: Sequence[str]) -> str:
        """The name of an ENUM type with these texts, by which a query turns texts into small integers."""
        key = tuple(texts)
        if key not in self._enums:
            cursor, name = self._cursor(), f"texts{next(_NUMBERS)}"
            cursor.register("texts", {"text": np.array(key, dtype=object)})
            cursor.execute(f"CREATE TYPE {name} AS ENUM (SELECT text FROM texts)")
            self._enums[key] = name
        return self._enums[key]

    def take(self, rows: NDArray[np.intp]) -> Table:
        """The rows at these positions, as a table in memory; in which order is not said."""
        cursor, name = self._cursor(), f"held{next(_NUMBERS)}"
        cursor.register("picked", {"row": rows})
        columns = ", ".join(column(j) for j in range(len(self.names)))
        numbered = f"SELECT *, row_number() OVER () - 1 AS row FROM {self._rows}"
        query = f"CREATE TABLE {name} AS SELECT {columns} FROM ({numbered}) WHERE row IN (SELECT row FROM picked)"
        with errors_as_values(self.origin):
            cursor.execute(query, self._parameters)
        return Table(self._connection, f"SELECT * FROM {name}", (), self.names, self.origin)

    def __len__(self) -> int:
        return int(self.select({"n": "count(*)"})["n"][0])

    def __getitem__(self, name: str | int) -> NDArray[Any]:
        """The values of a column; where one is missing, NaN, NaT or None."""
        values = self.select({"value": column(self.position(name))})["value"]
        if not np.ma.isMaskedArray(values):
            return np.asarray(values)
        kind = values.dtype.kind
        if kind in "iu" and values.mask.any():
            values = values.astype(np.float64)
        if kind in "iuf":
            return np.asarray(values.filled(np.nan) if values.dtype.kind == "f" else values.data)
        if kind in "mM":
            return np.asarray(values.filled(np.array("NaT", values.dtype)))
        plain = np.asarray(values.data) if kind == "O" or not values.mask.any() else values.data.astype(object)
        plain[np.ma.getmaskarray(values)] = None
        return plain

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """All columns by name, as arrays: ``pandas.DataFrame(table.to_dict())``."""
        return {name: self[name] for name in self.names}

    def drop(self, columns: Sequence[str | int]) -> Table:
        """The same rows without some columns, by name or position."""
        gone = {self.position(key, "columns") for key in columns}
        kept = [j for j in range(len(self.names)) if j not in gone]
        if not kept:
            raise ValueError(f"columns must leave one, got all {len(self.names)} of {self.origin}")
        query = f"SELECT {', '.join(map(column, kept))} FROM {self._rows}"
        names = [self.names[j] for j in kept]
        table = Table(self._connection, query, self._parameters, names, self.origin, self.parts)
        table.files = self.files
        return table

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """The rows for other libraries: ``polars.DataFrame(table)``, ``pyarrow.table(table)``."""
        import nanoarrow

        query, values = self._query({column(j): column(j) for j in range(len(self.names))}, "", ())
        with errors_as_values(self.origin):
            stream = nanoarrow.c_array_stream(self._cursor().sql(query, params=values))
            inside = stream.get_schema()
            named = [child.modify(name=name) for child, name in zip(inside.children, self.names, strict=True)]
            rows = type(stream).from_c_arrays(list(stream), inside.modify(children=named), validate=False)
        return rows.__arrow_c_stream__(requested_schema)

    def position(self, key: str | int, argument: str = "column") -> int:
        """The position of the column with this name or position; negative positions count from the end."""
        if isinstance(key, str):
            if key not in self.names:
                raise unknown_name(argument, key, self.names)
            return self.names.index(key)
        if isinstance(key, bool) or not isinstance(key, int):
            raise TypeError(f"{argument} must name a column by text or by position, got {key!r:.60}")
        if not -len(self.names) <= key < len(self.names):
            raise ValueError(f"{argument}={key} is not a column; {self.origin} has {len(self.names)}, counted from 0")
        return key % len(self.names)

    def select(self, expressions: Mapping[str, str], rest: str = "", parameters: Sequence[Any] = ()) -> dict[str, Any]:
        """Values of SQL expressions over ``c0``, ``c1``, ...: an array for each, masked if values are missing.

        ``rest`` follows the table's name, such as ``"WHERE c1 IS NULL"`` or ``"GROUP BY c1"``; ``parameters`` are those
        of ``expressions`` and then of ``rest``.
        """
        query, values = self._query(expressions, rest, parameters)
        with errors_as_values(self.origin):
            cursor = self._cursor()
            asked = cursor.execute(query, values) if self.files is None else run(cursor, query, values)
            result: dict[str, Any] = asked.fetchnumpy()
        return result

    def stream(
        self, expressions: Mapping[str, str], rest: str = "", part: Part | None = None
    ) -> Generator[dict[str, NDArray[Any]], None, None]:
        """Like `select`, in blocks of rows as the database makes them; values must be numbers, none missing.

        ``part``: one of ``parts``, to read no more than its rows.
        """
        import nanoarrow

        query, values = self._query(expressions, rest, (), part)
        cursor = self._cursor()
        with errors_as_values(self.origin):
            for block in nanoarrow.ArrayStream(cursor.sql(query, params=values)):
                yield {key: _numbers(block.child(j)) for j, key in enumerate(expressions)}

    @contextlib.contextmanager
    def held(self, columns: Sequence[int], rest: str) -> Iterator[Table]:
        """Some columns of the rows that ``rest`` leaves, as a table in memory for as long as the context lasts."""
        query, values = self._query({column(k): column(j) for k, j in enumerate(columns)}, rest, ())
        name, cursor = f"held{next(_NUMBERS)}", self._cursor()
        with errors_as_values(self.origin):
            cursor.execute(f"CREATE TABLE {name} AS {query}", values)
        try:
            yield Table(self._connection, f"SELECT * FROM {name}", (), [self.names[j] for j in columns], self.origin)
        finally:
            cursor.execute(f"DROP TABLE {name}")

    def _query(
        self, expressions: Mapping[str, str], rest: str, parameters: Sequence[Any], part: Part | None = None
    ) -> tuple[str, list[Any]]:
        wanted = ", ".join(f"{expression} AS {key}" for key, expression in expressions.items())
        return f"WITH rows AS (SELECT * FROM {self._rows}) SELECT {wanted} FROM rows {rest}", [
            *(self._parameters if part is None else part.parameters),
            *parameters,
        ]

    def __repr__(self) -> str:
        return f"Table({printable(self.origin, 60)}: {len(self)} rows, {len(self.names)} columns)"

    def __str__(self) -> str:
        """The first rows of the first columns."""
        shown = {column(j): f"{column(j)}::VARCHAR" for j in range(min(len(self.names), _SHOWN_COLUMNS))}
        columns = zip(self.names, self.select(shown, f"LIMIT {_SHOWN_ROWS}").values(), strict=False)
        texts = [[printable(text or "", 20) for text in (name, *values.tolist())] for name, values in columns]
        widths = [max(map(len, column)) for column in texts]
        rows = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in zip(*texts, strict=True)]
        return "\n".join([*rows, f"{len(self)} rows, {len(self.names)} columns"])


def _numbers(column: Any) -> NDArray[Any]:
    """The values of an Arrow column of numbers, without a copy."""
    return np.asarray(column.buffers[1])[column.offset : column.offset + len(column)]


def table_of(
    connection: Any,
    query: str,
    parameters: Sequence[Any],
    origin: str,
    *,
    names: Sequence[str] | None = None,
    null: Nulls = (),
    texts: str = "{}",
    lazy: bool = False,
    parts: Sequence[Part] = (),
) -> Table:
    """All rows of a query, read into memory; or a table that runs the query again for every question, if ``lazy``.

    Columns become columns of plain types (see the module ``types``). ``names`` are those of the columns of the query,
    where the database knows others; ``null`` are further texts and numbers that stand for a missing value, ``texts`` is
    the SQL that every text goes through. A lazy table may have ``parts``: the same query with other parameters gives
    the rows of one.
    """
    with errors_as_values(origin):
        found = connection.sql(query, params=list(parameters))
        raw = zip(names or found.columns, found.types, strict=True)
        columns = [
            made for j, (name, type_) in enumerate(raw) for made in plain_columns(name, type_, column(j), null, texts)
        ]
        given = ", ".join(column(j) for j in range(len(found.types)))
        wanted = ", ".join(f"{plain.expression} AS {column(j)}" for j, plain in enumerate(columns))
        query = f"SELECT {wanted} FROM ({query}) AS raw({given})"
        bound = [value for plain in columns for value in plain.parameters]
        parameters = [*bound, *parameters]
        parts = [Part(part.first, [*bound, *part.parameters]) for part in parts]
        if not lazy:
            connection.execute(f"CREATE TABLE held AS {query}", parameters)
            query, parameters, parts = "SELECT * FROM held", [], []
    return Table(connection, query, parameters, unique_names([plain.name.strip() for plain in columns]), origin, parts)


def unique_names(names: Sequence[str]) -> list[str]:
    """Names told apart by a number: a, a -> a, a_1."""
    taken: set[str] = set()
    result = []
    for name in names:
        free, n = name, 0
        while free in taken:
            n += 1
            free = f"{name}_{n}"
        taken.add(free)
        result.append(free)
    return result
