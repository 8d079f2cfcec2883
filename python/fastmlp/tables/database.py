"""The embedded database that reads tables: DuckDB, in memory, one connection a table.

Names of columns and texts of files never become part of a query. Columns are called ``c0``, ``c1``, ... inside the
database; paths and values are bound as parameters.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from fastmlp.checks.errors import printable

_INSTALL = "reading tables needs DuckDB: pip install 'fastmlp[tables]'"


def connect(memory_limit: int | None = None) -> Any:
    """A new private database in memory, which neither writes to disk nor loads extensions.

    Parameters
    ----------
    memory_limit : int, optional
        Most bytes that the database may hold. Default: DuckDB's, four fifths of the machine's memory.

    Returns
    -------
    duckdb.DuckDBPyConnection

    Raises
    ------
    ImportError
        DuckDB is not installed; the message says how to install it.
    """
    try:
        import duckdb
    except ImportError:
        raise ImportError(_INSTALL) from None
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": "",
        "python_enable_replacements": False,  # a name in a query is never a variable of the program
    }
    if memory_limit is not None:
        config["memory_limit"] = f"{memory_limit}B"
    if hasattr(os, "sched_getaffinity"):
        config["threads"] = len(os.sched_getaffinity(0))
    return duckdb.connect(":memory:", config=config)


def column(position: int) -> str:
    """The name of a column inside the database.

    >>> column(2)
    'c2'
    """
    return f"c{position}"


@contextlib.contextmanager
def errors_as_values(origin: str) -> Iterator[None]:
    """Turn DuckDB's errors into ``ValueError`` (or ``MemoryError``) that begins with the file's name."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise MemoryError(f"{origin} needs more memory than allowed; raise max_bytes, or use fm.scan_table") from None
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except duckdb.Error as error:
        first = next(iter(str(error).splitlines()), "")  # what follows is advice about SQL
        raise ValueError(f"{origin}: {printable(first, 500)}") from None
