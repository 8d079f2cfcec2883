"""From a source to a table."""

from __future__ import annotations

import os
from typing import Any

from fastmlp.tables.database import connect
from fastmlp.tables.table import Table, table_of

_TYPES = ["BIGINT", "DOUBLE", "DATE", "TIME", "TIMESTAMP", "VARCHAR"]
_MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "?", "-"]


def read_table(source: Any) -> Table:
    """Read a text file, a frame, or a dict of arrays."""
    connection = connect()
    if isinstance(source, (str, os.PathLike)):
        query = "SELECT * FROM read_csv(?, auto_type_candidates=?, nullstr=?)"
        return table_of(connection, query, [os.fspath(source), _TYPES, _MISSING], str(source))
    connection.register("frame", source)
    return table_of(connection, "SELECT * FROM frame", [], "the table")
