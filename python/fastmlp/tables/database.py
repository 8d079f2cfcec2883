"""The embedded database that reads tables: DuckDB, in memory, one connection a table.

Names of columns and texts of files never become part of a query. Columns are called ``c0``, ``c1``, ... inside the
database; paths and values are bound as parameters.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

from fastmlp.checks.errors import printable

_WAIT = 0.1  # seconds between looks at a query that runs
_QUIET = 1.0  # seconds before its progress is told
_watcher: ContextVar[Callable[[float], object] | None] = ContextVar("watcher", default=None)
_INSTALL = "reading tables needs DuckDB 2.0 or newer, on Python 3.11 or newer: pip install 'fastmlp[tables]'"


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
        DuckDB is not installed, or older than 2.0; the message says how to install it.
    """
    try:
        import duckdb
    except ImportError:
        raise ImportError(_INSTALL) from None
    if int(duckdb.__version__.split(".")[0]) < 2:  # it takes masked values of arrays for numbers, without a word
        raise ImportError(f"{_INSTALL}; got DuckDB {duckdb.__version__}")
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


def run(connection: Any, query: str, parameters: Sequence[Any] = ()) -> Any:
    """Run a query that may take long, such that Ctrl-C ends it at once, and who is `watching` sees its progress."""
    if threading.current_thread() is not threading.main_thread():
        return connection.execute(query, parameters)
    watcher = _watcher.get()
    if watcher is not None:
        connection.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    done = threading.Event()
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            connection.execute(query, parameters)
        except BaseException as error:
            outcome.append(error)
        finally:
            done.set()

    threading.Thread(target=work, name="query").start()
    waited = 0.0
    try:
        while not done.wait(_WAIT):
            waited += _WAIT
            if watcher is not None and waited > _QUIET:
                watcher(max(connection.query_progress(), 0.0) / 100)
    except BaseException:
        connection.interrupt()
        done.wait()
        raise
    if outcome:
        raise outcome[0]
    return connection


@contextlib.contextmanager
def watching(watcher: Callable[[float], object]) -> Iterator[None]:
    """Tell ``watcher`` several times a second how much of a query is done, from 0 to 1, once it has taken a second.

    >>> with watching(lambda share: print(f"{share:.0%}")):
    ...     _ = run(connect(), "SELECT 1")  # too quick to be seen
    """
    before = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(before)


@contextlib.contextmanager
def errors_as_values(origin: str) -> Iterator[None]:
    """Turn DuckDB's errors into ``ValueError`` (or ``MemoryError``) that begins with the file's name."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise MemoryError(
            f"{origin} needs more memory than allowed; raise max_bytes, or memory_limit of fm.scan_table"
        ) from None
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # what the database makes of Ctrl-C
            raise KeyboardInterrupt from None
        if "nanobind" not in str(error):
            raise
        raise ValueError(f"{origin} is damaged: a name in it is not UTF-8") from None
    except duckdb.Error as error:
        first = next(iter(str(error).splitlines()), "")  # what follows is advice about SQL
        raise ValueError(f"{origin}: {printable(first, 500)}") from None
