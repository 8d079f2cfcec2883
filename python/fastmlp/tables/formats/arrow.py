"""Arrow: files (Feather) and streams, compressed or not.

They are read by nanoarrow, which comes with the extra ``tables``; by pyarrow, if it is installed, where nanoarrow
cannot: compressed columns of categories, and newer types such as the texts of polars.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, BinaryIO

from fastmlp.checks.errors import printable
from fastmlp.machine.files import too_large
from fastmlp.tables.database import errors_as_values
from fastmlp.tables.formats.arrow_messages import MAGIC, facts_of
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table, table_of
from fastmlp.tables.unpacking import Files

_STREAM = b"\xff\xff\xff\xff"
_OLD = b"FEA1"
_BYTES = 8  # of a value in the database: more for a text, less for a truth value
_HELP = "install pyarrow, or write it with plain columns, uncompressed, or as Parquet"


def recognises(source: object) -> bool:
    """Whether these are Arrow files or streams."""
    return isinstance(source, Files) and source.head.startswith((MAGIC, _STREAM, _OLD))


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the rows of all files, whose columns are put together by name.

    Raises ``ValueError`` if a file is damaged, or only pyarrow could read it and is not installed.
    """
    options.only(source.name, "Arrow", "null")
    if source.head.startswith(_OLD):
        raise ValueError(f"{source.name} is of Feather's first version; write it again as Feather or Parquet")
    with contextlib.ExitStack() as stack, errors_as_values(source.name):
        for i, path in enumerate(source.paths):
            file = stack.enter_context(open(path, "rb"))
            origin = source.name if len(source.paths) == 1 else printable(str(path), 200)
            connection.register(f"file{i}", _stream(file, origin, options.max_bytes))
            stack.callback(connection.unregister, f"file{i}")
        query = " UNION ALL BY NAME ".join(f"SELECT * FROM file{i}" for i in range(len(source.paths)))
        return table_of(connection, query, [], source.name, null=options.null)


def _stream(file: BinaryIO, origin: str, max_bytes: int) -> Any:
    """The batches of a file, by the library that can read them."""
    import nanoarrow

    is_file = file.read(len(MAGIC)) == MAGIC
    begin = len(MAGIC) if is_file else 0
    try:
        facts = facts_of(file, begin)
        file.seek(begin)
        stream = nanoarrow.ArrayStream.from_readable(file)
        n_columns, readable = stream.schema.n_fields, not facts.packed_dictionaries
    except (ValueError, RuntimeError) as error:
        if "not yet supported" not in str(error):
            advice = "; if it is right, write it as Parquet" if is_file else ""
            raise ValueError(f"{origin} is damaged: {printable(str(error), 200)}{advice}") from None
        n_columns, readable = 1, False
    n_bytes = max(facts.n_bytes, facts.n_rows * n_columns * _BYTES)
    if n_bytes > max_bytes:
        raise too_large(Path(origin), f"its {facts.n_rows} rows take {n_bytes} bytes", max_bytes)
    return stream if readable else _by_pyarrow(file, is_file, origin)


def _by_pyarrow(file: BinaryIO, is_file: bool, origin: str) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise ValueError(f"{origin} holds what nanoarrow cannot read; {_HELP}") from None
    file.seek(0)
    try:
        reader = pyarrow.ipc.open_file(file) if is_file else pyarrow.ipc.open_stream(file)
        table = reader.read_all()
        table.validate(full=True)
    except Exception as error:  # pyarrow has errors of many kinds
        raise ValueError(f"{origin} is damaged: {printable(str(error), 200)}") from None
    return table
