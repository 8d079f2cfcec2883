"""Reading that takes long is shown on a terminal, and nowhere else."""

import io
import sys

import pytest

from fastmlp.cli.waiting import shown_reading
from fastmlp.tables import database


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "quiet", "expected"),
    [(Terminal(), False, "\r\x1b[KReading a.csv: 0 %\r\x1b[KReading a.csv: 42 %\r\x1b[K"), (Terminal(), True, ""),
     (io.StringIO(), False, "")],
)  # fmt: skip
def test_progress_is_for_terminals(stream, quiet, expected, monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream)
    with shown_reading("a.csv", quiet=quiet):
        watcher = database._watcher.get()
        for share in (0.0, 0.42):
            if watcher is not None:
                watcher(share)
    assert stream.getvalue() == expected
    assert database._watcher.get() is None


def test_quick_reading_leaves_no_trace(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with shown_reading("a.csv"):
        database.run(database.connect(), "SELECT 1")
    assert sys.stderr.getvalue() == ""
