"""Arrow: files (Feather) and streams, compressed or not, read by pyarrow.

nanoarrow 0.9 could read most of them, but a damaged file can end the process, and it takes compressed categories for
plain ones.
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
_CHECKED = "decode(encode({}))"  # DuckDB takes it for granted that texts of Arrow are UTF-8, and breaks if not
_INSTALL = "reading Arrow files needs pyarrow: pip install pyarrow"


def recognises(source: object) -> bool:
    """Whether these are Arrow files or streams."""
    return isinstance(source, Files) and source.head.startswith((MAGIC, _STREAM, _OLD))


def read(connection: Any, source: Files, options: Options) -> Table:
    """Read the rows of all files, whose columns are put together by name.

    Raises ``ValueError`` if a file is damaged, ``ImportError`` without pyarrow.
    """
    options.only(source.name, "Arrow", "null")
    if source.head.startswith(_OLD):
        raise ValueError(f"{source.name} is of Feather's first version; write it again as Feather or Parquet")
    with errors_as_values(source.name), contextlib.ExitStack() as stack:
        for i, path in enumerate(source.paths):
            origin = source.name if len(source.paths) == 1 else printable(str(path), 200)
            with open(path, "rb") as file:
                connection.register(f"file{i}", _table(file, origin, options.max_bytes))
            stack.callback(connection.unregister, f"file{i}")
        query = " UNION ALL BY NAME ".join(f"SELECT * FROM file{i}" for i in range(len(source.paths)))
        return table_of(connection, query, [], source.name, null=options.null, texts=_CHECKED)


def _table(file: BinaryIO, origin: str, max_bytes: int) -> Any:
    """The table in a file; every file is a stream behind its first bytes, which is what was looked at."""
    try:
        import pyarrow
    except ImportError:
        raise ImportError(_INSTALL) from None
    begin = len(MAGIC) if file.read(len(MAGIC)) == MAGIC else 0
    try:
        facts = facts_of(file, begin)
        file.seek(begin)
        with pyarrow.ipc.open_stream(file) as reader:
            n_bytes = max(facts.n_bytes, facts.n_rows * max(len(reader.schema), 1) * _BYTES)
            if n_bytes <= max_bytes:
                table = reader.read_all()
                table.validate(full=True)
                return table
    except Exception as error:  # pyarrow has errors of many kinds
        advice = "; if it is right, write it as Parquet" if begin else ""
        raise ValueError(f"{origin} is damaged: {printable(str(error), 200)}{advice}") from None
    raise too_large(Path(origin), f"its {facts.n_rows} rows take {n_bytes} bytes", max_bytes)
