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
    """Read a table from a file, several files, or an object in memory."""
    options = Options(target, tuple(drop), header, delimiter, decimal, encoding, tuple(null), sheet, max_bytes)
    return open_table(connect(), source, options)


def open_table(connection: Any, source: Any, options: Options) -> Table:
    """The table that a source holds, read by the format that recognises it."""
    if isinstance(source, (str, os.PathLike)) and not query.recognises(source):
        source = open_files(source, options.max_bytes)
    for known in _FORMATS:
        if known.recognises(source):
            table: Table = known.read(connection, source, options)
            if options.lazy and isinstance(source, Files):
                table.files = source
            return table
    kinds = "the path of a file, a frame, an array with two dimensions, or a dict of columns"
    raise TypeError(f"source must be {kinds}, got {type(source).__name__}")
