"""The row groups of Parquet files: parts of a table, each of which a query can read without the others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from fastmlp.tables.table import Part

ROWS = "WHERE filename BETWEEN ? AND ? AND file_row_number BETWEEN ? AND ?"
"""Follows ``SELECT * FROM read_parquet(?)``; the parameters are those of `all_rows`, or of a part."""
COLUMNS = ("filename", "file_row_number")
"""What `ROWS` asks the database for; files with a column of such a name have no parts."""
LEAST_ROWS = 100_000
"""Smaller row groups are read with those that follow: a query costs some milliseconds."""
_END = 2**62


def all_rows(paths: Sequence[str]) -> list[Any]:
    """The parameters for all rows of files in the order of their names."""
    return [list(paths), paths[0], paths[-1], 0, _END]


def parts_of(connection: Any, query: str, paths: Sequence[str]) -> list[Part]:
    """Row groups of files in the order of their names: one or more of a file, or all of several small files.

    None if the files have columns of the names that ``query`` would need for a part.
    """
    if {name.lower() for name in connection.sql(query, params=[list(paths)]).columns} & {*COLUMNS}:
        return []
    query = "SELECT DISTINCT file_name, row_group_id, row_group_num_rows FROM parquet_metadata(?) ORDER BY ALL"
    found = connection.execute(query, [list(paths)]).fetchall()
    parts = []
    first, low, n_rows, n_before = "", 0, 0, 0  # of the part that is not complete yet
    for path, groups in groupby(found, key=lambda group: group[0]):
        first, end = first or path, 0
        for *_, size in groups:
            end, n_rows = end + size, n_rows + size
            if n_rows >= LEAST_ROWS and first == path:
                parts.append(Part(n_before, [list(paths), path, path, low, end - 1]))
                n_before, low, n_rows = n_before + n_rows, end, 0
        if n_rows and (low or n_rows >= LEAST_ROWS):
            parts.append(Part(n_before, [list(paths), first, path, low, _END]))
            n_before, n_rows = n_before + n_rows, 0
        first, low = (first, low) if n_rows else ("", 0)
    return [*parts, Part(n_before, [list(paths), first, paths[-1], 0, _END])] if n_rows else parts
