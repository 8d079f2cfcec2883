"""Parquet files."""

from __future__ import annotations

from typing import Any

from fastmlp.tables.database import errors_as_values
from fastmlp.tables.formats import row_groups
from fastmlp.tables.options import Options
from fastmlp.tables.table import Part, Table, table_of
from fastmlp.tables.unpacking import Files


def recognises(source: object) -> bool:
    """Whether these are Parquet files."""
    return isinstance(source, Files) and source.head.startswith(b"PAR1")


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the rows of one or more files."""
    options.only(source.name, "Parquet", "null")
    paths = [str(path) for path in source.paths]
    query = "SELECT * FROM read_parquet(?)"
    parameters: list[Any] = [paths]
    parts: list[Part] = []
    if options.lazy:
        with errors_as_values(source.name):
            parts = row_groups.parts_of(connection, query, paths)
    if parts:
        query, parameters = f"{query} {row_groups.ROWS}", row_groups.all_rows(paths)
    return table_of(connection, query, parameters, source.name, null=options.null, lazy=options.lazy, parts=parts)
