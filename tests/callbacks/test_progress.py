"""The progress bar: on a terminal after a second, on request at once, in a pipe never."""

import os
import struct
import subprocess
import sys

import pytest

from fastmlp.callbacks.progress import summary, wants_bar
from fastmlp.history import History

FIT = """
import sys, time
import numpy as np
import fastmlp as fm

def wait(run):
    time.sleep(float(sys.argv[2]) / run.n_epochs)

net = fm.Network([2, 3, 1], seed=0)
callbacks = [wait] if float(sys.argv[2]) else []
progress = {"None": None, "True": True, "False": False}[sys.argv[1]]
net.fit(np.zeros((4, 2)), np.ones(4), epochs=6, callbacks=callbacks, progress=progress,
        validation_data=(np.zeros((4, 2)), np.ones(4)))
print("done")
"""


def in_pipe(progress, seconds):
    """What the fit writes to an error stream that is a pipe."""
    command = [sys.executable, "-c", FIT, progress, str(seconds)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "done\n"
    return result.stderr


def on_terminal(progress, seconds):
    """What the fit writes to an error stream that is a terminal."""
    pty = pytest.importorskip("pty")
    import fcntl
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    command = [sys.executable, "-c", FIT, progress, str(seconds)]
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:  # Linux says so when the other side is closed
                break
            if not piece:
                break
            written += piece
    os.close(ours)
    assert process.returncode == 0, written
    return written.decode()


def test_nothing_is_written_to_a_pipe():
    assert in_pipe("None", 1.3) == ""
    assert in_pipe("False", 0) == ""


def test_on_request_the_bar_is_written_anywhere_and_at_once():
    written = in_pipe("True", 0)
    assert "100%" in written and "6/6 epochs" in written and "val loss" in written


def test_on_a_terminal_it_comes_by_itself_when_a_fit_lasts():
    written = on_terminal("None", 1.6)
    assert "100%" in written and "6/6 epochs" in written
    assert " 0/6 epochs" not in written and " 2/6 epochs" not in written  # the first second went by without a bar


def test_on_a_terminal_a_short_fit_writes_nothing():
    assert on_terminal("None", 0) == ""
    assert on_terminal("False", 1.3) == ""


@pytest.mark.parametrize("given", ["yes", 1, 0.5, []])
def test_the_wish_must_be_one(given):
    with pytest.raises(TypeError, match="progress must be True, False or None, got "):
        wants_bar(given)


def test_no_stream_is_nobody_watching(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert wants_bar(None) is False
    assert wants_bar(True) is True


def test_a_notebook_is_watched(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    assert wants_bar(None) is True
    assert wants_bar(False) is False


def test_summary_names_what_there_is():
    history = History()
    history.add(loss=0.12345, seconds=3.0)
    assert summary(history) == "loss 0.1235" or summary(history) == "loss 0.1234"
    history.add(loss=0.1, val_loss=0.25, val_accuracy=0.9375)
    assert summary(history) == "loss 0.1, val loss 0.25, val accuracy 0.9375"
