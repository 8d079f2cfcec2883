"""Parquet: a file, several, or a folder of them, whose subfolders such as ``year=2024`` are a column too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastmlp.machine.files import too_large
from fastmlp.tables.database import errors_as_values
from fastmlp.tables.formats import row_groups
from fastmlp.tables.options import Options
from fastmlp.tables.table import Part, Table, table_of
from fastmlp.tables.unpacking import Files

_BYTES = 8  # of a value in the database: more for a text, less for a truth value


def recognises(source: object) -> bool:
    """Whether these are Parquet files, or a folder with some."""
    return isinstance(source, Files) and (source.head.startswith(b"PAR1") or bool(_inside(source)))


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the rows of all files, whose columns are put together by name."""
    options.only(source.name, "Parquet", "null")
    paths = _inside(source) or [str(path) for path in source.paths]
    query = "SELECT * FROM read_parquet(?, union_by_name=true, hive_partitioning=true)"
    parameters: list[Any] = [paths]
    parts: list[Part] = []
    with errors_as_values(source.name):
        if options.lazy:
            parts = row_groups.parts_of(connection, query, paths)
        else:
            _check_size(connection, source, paths, options.max_bytes)
    if parts:
        query, parameters = f"{query} {row_groups.ROWS}", row_groups.all_rows(paths)
    return table_of(connection, query, parameters, source.name, null=options.null, lazy=options.lazy, parts=parts)


def _inside(source: Files) -> list[str]:
    """The Parquet files in a folder and the folders in it; none if the source is no folder."""
    if not source.paths[0].is_dir():
        return []
    found = (path.relative_to(source.paths[0]) for path in source.paths[0].rglob("*.parquet") if path.is_file())
    return sorted(str(source.paths[0] / path) for path in found if not path.as_posix().startswith((".", "_")))


def _check_size(connection: Any, source: Files, paths: list[str], max_bytes: int) -> None:
    """Refuse what unpacks to more than ``max_bytes``: some bytes of Parquet may stand for billions of equal values."""
    query = "SELECT sum(num_rows)::UBIGINT FROM parquet_file_metadata(?)"
    n_rows = connection.execute(query, [paths]).fetchall()[0][0] or 0
    query = "SELECT count(DISTINCT path_in_schema), sum(total_uncompressed_size)::UBIGINT FROM parquet_metadata(?)"
    ((n_columns, n_bytes),) = connection.execute(query, [paths]).fetchall()
    n_bytes = max(n_bytes or 0, n_rows * n_columns * _BYTES)
    if n_bytes > max_bytes:
        raise too_large(Path(source.name), f"its {n_rows} rows take {n_bytes} bytes", max_bytes)
