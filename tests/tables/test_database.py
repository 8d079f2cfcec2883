"""The database: private, interruptible, and its errors are values."""

import os
import signal
import sys
import threading
import time

import pytest

from fastmlp.tables.database import connect, errors_as_values, run, watching

LONG = "SELECT count(*) FROM range(30000000) a(i), range(1000) b(j) WHERE hash(i + j) = 0"


def test_a_query_gives_its_rows():
    assert run(connect(), "SELECT ?::INT + 1", [2]).fetchone() == (3,)


def test_what_goes_wrong_is_raised_where_the_query_was_asked_for():
    with pytest.raises(ValueError, match="t.csv: .*no_such"), errors_as_values("t.csv"):
        run(connect(), "SELECT no_such")


def test_an_interrupt_ends_a_query(request):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    connection = connect()
    killer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    killer.start()
    with pytest.raises(KeyboardInterrupt), errors_as_values("t.csv"):
        run(connection, LONG)
    killer.join()
    assert run(connection, "SELECT 1").fetchone() == (1,)  # it leaves the connection as it was


def test_a_query_outside_the_main_thread_runs_there():
    found = []
    thread = threading.Thread(target=lambda: found.append(run(connect(), "SELECT 7").fetchone()))
    thread.start()
    thread.join()
    assert found == [(7,)]


def test_progress_is_told_to_who_watches():
    class Enough(Exception):
        pass

    told = []

    def watch(share):
        told.append(share)
        raise Enough

    start = time.monotonic()
    with pytest.raises(Enough), watching(watch):
        run(connect(), LONG)
    assert time.monotonic() - start > 1  # not before
    assert len(told) == 1 and 0 <= told[0] <= 1


def test_the_database_reads_no_variables_and_loads_nothing():
    rows = {"x": [1]}  # noqa: F841
    with pytest.raises(ValueError, match="rows"), errors_as_values("t"):
        connect().execute("SELECT * FROM rows")


def test_too_little_memory_is_a_memory_error():
    with pytest.raises(MemoryError, match="t needs more memory than allowed"), errors_as_values("t"):
        connect(10**7).execute("CREATE TABLE t AS SELECT i, i::VARCHAR || 'text' FROM range(10000000) r(i)")


def test_without_the_database_one_sentence_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ImportError, match=r"needs DuckDB 2.0 .* Python 3.11 .*: pip install 'fastmlp\[tables\]'$"):
        connect()


def test_an_old_database_is_refused(monkeypatch):
    monkeypatch.setattr("duckdb.__version__", "1.5.6")
    with pytest.raises(ImportError, match=r"needs DuckDB 2.0 .*; got DuckDB 1.5.6$"):
        connect()
