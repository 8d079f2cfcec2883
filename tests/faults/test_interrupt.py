"""Ctrl-C in a real process at random moments of a long call: it returns soon, and the network is usable."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LONG = os.environ.get("FASTMLP_LONG") == "1"
CASES = [
    "fit", "fit_tiny", "validation", "lbfgs", "levenberg_marquardt", "chunks", "evaluate", "loss_and_gradients",
    "cost_surface_of_many",
]  # fmt: skip
if LONG:
    CASES += [
        "fit_threads", "fit_average", "metrics", "custom_loss", "predict", "activations", "sample_gradients",
        "input_gradients", "cost_surface", "check",
    ]  # fmt: skip
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def start(case, n_times):
    command = [sys.executable, str(Path(__file__).with_name("interrupted.py")), case, str(n_times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def seconds_to_return(case, n_times):
    """Seconds from the signal to the line after the call, for several calls."""
    rng, taken = random.Random(case), []
    with start(case, n_times) as child:
        for _ in range(n_times):
            assert child.stdout.readline() == "go\n"
            time.sleep(rng.uniform(0.02, 1.0 if LONG else 0.3))
            sent = time.monotonic()
            child.send_signal(signal.SIGINT)
            returned, state = child.stdout.readline().split()
            assert state == "usable"
            taken.append(float(returned) - sent)
    assert child.returncode == 0
    return sorted(taken)


@pytest.mark.parametrize("case", CASES)
def test_ctrl_c_returns_soon_with_a_usable_network(case):
    """The promise is 0.2 s; a busy machine may take longer."""
    n_times = 20 if LONG else 5 if case == "fit" else 1
    taken = seconds_to_return(case, n_times)
    if LONG:
        print(f"{case:22} median {taken[n_times // 2] * 1e3:4.0f} ms, worst {taken[-1] * 1e3:4.0f} ms")
    assert taken[n_times // 2] < (0.2 if LONG else 0.6)


def test_a_source_that_hangs_holds_neither_the_fit_nor_the_interpreter():
    with start("hanging_source", 1) as child:
        assert child.stdout.readline() == "go\n"
        time.sleep(0.2)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        returned, state = child.stdout.readline().split()
        assert state == "usable"
        assert float(returned) - sent < 0.6
        child.wait(timeout=10)  # the source would sleep for ten minutes
        assert child.returncode == 0
