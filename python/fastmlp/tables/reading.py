"""From a source to a table: the first format that recognises it reads it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from fastmlp.machine.files import MAX_BYTES
from fastmlp.tables.database import connect
from fastmlp.tables.formats import arff, arrow, excel, frames, json, orange, parquet, query, text
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table
from fastmlp.tables.unpacking import Files, open_files

_LEAST_MEMORY = 2**28
"""Bytes that the database may take at least: readers have buffers of a fixed size."""
_FORMATS: tuple[ModuleType, ...] = (query, frames, parquet, arrow, excel, json, arff, orange, text)
"""In the order in which they are asked. Each has ``recognises(source)`` and ``read(connection, source, options)``;
``source`` is a `Files` or an object. Delimited text comes last: it is what no other format knows."""


def read_table(
    source: Any,
    *,
    target: str | int | None = None,
    drop: Sequence[str | int] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    null: Sequence[str | int | float] = (),
    sheet: str | int | None = None,
    max_bytes: int = MAX_BYTES,
) -> Table:
    """Read a table from a file, several files, or an object in memory.

    Parameters
    ----------
    source : path or object
        A file, a pattern such as ``"sales/*.csv"``, or ``"-"`` for standard input; or a frame, a dict of columns, an
        array with two dimensions.
    target : str or int, optional
        The column that will be predicted: if the first row of a file has this name, it is a header.
    drop : sequence of str or int, default ()
        Columns to leave out, by name or position; their names tell a header too.
    header : bool, optional
        Whether the first row names the columns. Default: decided by the rows.
    delimiter : str, optional
        What is between the fields of a text file. Default: what cuts all rows alike.
    decimal : {".", ","}, optional
        Decimal mark of a text file. Default: decided by the values.
    encoding : str, optional
        Of a text file, such as ``"latin-1"``. Default: detected.
    null : sequence of str or number, default ()
        Values that mean "missing", besides blanks, ``NA``, ``?``, ``-`` and the like.
    sheet : str or int, optional
        Sheet of a workbook. Default: the first.
    max_bytes : int, default 4 GiB
        Limit on what a file may hold or unpack to, and on the memory of the table, if it is more than 256 MiB.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        A file that is damaged, too large, without rows, or with rows of different lengths; an option that says nothing
        about this source.
    TypeError
        A source of no known type.
    MemoryError
        The table takes more than ``max_bytes``; `scan_table` reads it without holding it.
    OSError
        The file cannot be opened.
    ImportError
        DuckDB is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fruit.csv"
    >>> _ = path.write_text("grams,fruit\\n150,apple\\n?,banana\\n")
    >>> table = read_table(path)
    >>> table.names, table.types, len(table)
    (('grams', 'fruit'), ('BIGINT', 'VARCHAR'), 2)
    """
    options = Options(target, tuple(drop), header, delimiter, decimal, encoding, tuple(null), sheet, max_bytes)
    return open_table(connect(), source, options).drop(drop)


def read_csv(
    path: str | os.PathLike[str],
    *,
    target: str | int | None = None,
    drop: Sequence[str | int] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    null: Sequence[str | int | float] = (),
    max_bytes: int = MAX_BYTES,
) -> Table:
    """Read a table from delimited text, packed or not: `read_table` for files that are nothing else.

    Parameters
    ----------
    path : path
        A file, a pattern such as ``"sales/*.csv"``, or ``"-"`` for standard input.
    target, drop, header, delimiter, decimal, encoding, null, max_bytes
        As for `read_table`.

    Returns
    -------
    Table

    Raises
    ------
    ValueError, OSError, ImportError
        As for `read_table`.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "fruit.txt"
    >>> _ = path.write_text("2,5;apple\\n3,25;banana\\n")
    >>> read_csv(path).names
    ('column_0', 'column_1')
    """
    options = Options(target, tuple(drop), header, delimiter, decimal, encoding, tuple(null), None, max_bytes)
    return text.read(connect(max(max_bytes, _LEAST_MEMORY)), open_files(path, max_bytes), options).drop(drop)


def open_table(connection: Any, source: Any, options: Options) -> Table:
    """The table that a source holds, read by the format that recognises it."""
    if isinstance(source, (str, os.PathLike)):
        if not options.lazy:
            connection.execute(f"SET memory_limit = '{max(options.max_bytes, _LEAST_MEMORY)}B'")
        if not query.recognises(source):
            source = open_files(source, options.max_bytes)
    for known in _FORMATS:
        if known.recognises(source):
            table: Table = known.read(connection, source, options)
            if options.lazy and isinstance(source, Files):
                table.files = source
            return table
    kinds = "the path of a file, a frame, an array with two dimensions, or a dict of columns"
    raise TypeError(f"source must be {kinds}, got {type(source).__name__}")
