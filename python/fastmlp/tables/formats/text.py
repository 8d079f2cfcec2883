"""Delimited text."""

from __future__ import annotations

from typing import Any

from fastmlp.tables.options import Options
from fastmlp.tables.table import Table, table_of
from fastmlp.tables.unpacking import Files

_TYPES = ["BIGINT", "DOUBLE", "DATE", "TIME", "TIMESTAMP", "VARCHAR"]
_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?", "-"]


def recognises(source: object) -> bool:
    """Whether this is a file: text is what no other format knows."""
    return isinstance(source, Files)


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the rows of one or more files."""
    options.only(source.name, "delimited text", "header", "delimiter", "decimal", "encoding", "null")
    query = "SELECT * FROM read_csv(?, auto_type_candidates=?, nullstr=?)"
    parameters = [[str(path) for path in source.paths], _TYPES, _MISSING]
    return table_of(connection, query, parameters, source.name, lazy=options.lazy)
