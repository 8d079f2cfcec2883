"""SIGKILL at any moment: a fit that resumes from its checkpoint writes the same file, to the bit.

``FASTMLP_LONG=1`` kills 200 times instead of 21. ``pytest -s`` shows when the kills came.
"""

import multiprocessing
import os
import signal
import time

import numpy as np
import pytest
from faults import victim

KILLS = 200 if os.environ.get("FASTMLP_LONG") else 21
pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")


@pytest.fixture(scope="module")
def start():
    """Start a victim, forked from a process that has all imports but has never trained."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["faults.victim", "safetensors.numpy", "fastmlp.training.fit"])

    def start(*arguments):
        process = context.Process(target=victim.run, args=arguments)
        process.start()
        return process

    return start


def finished(start, fit, folder):
    """Let a victim run to its end; return its time and its results."""
    begin = time.perf_counter()
    process = start(fit, folder)
    process.join(120)
    assert process.exitcode == 0
    return time.perf_counter() - begin, results(folder)


def results(folder):
    return [(folder / name).read_bytes() for name in ("final.safetensors", "history.json")]


@pytest.mark.plain_build(reason="forty fits take minutes in a build with checks, and call no kernel of their own")
@pytest.mark.parametrize("fit", victim.FITS)
def test_a_fit_killed_anywhere_ends_as_if_it_had_lived(fit, start, tmp_path):
    rng = np.random.default_rng(len(fit))
    (tmp_path / "whole").mkdir()
    finished(start, fit, tmp_path / "whole")  # the first run starts the fork server
    for file in (tmp_path / "whole").iterdir():
        file.unlink()
    seconds, expected = finished(start, fit, tmp_path / "whole")
    n_kills = n_inside_writes = n_runs = 0
    while n_kills < KILLS / len(victim.FITS):
        folder = tmp_path / f"run {n_runs}"
        folder.mkdir()
        n_runs += 1
        process = start(fit, folder)
        process.join(rng.uniform(0.0, seconds))
        process.kill()
        process.join(10)
        if process.exitcode == 0:  # it ended before the signal
            continue
        assert process.exitcode == -signal.SIGKILL
        n_kills += 1
        n_inside_writes += any(folder.glob(".run.ckpt.*.part"))
        assert finished(start, fit, folder)[1] == expected
        # A kill in the last save may leave the model's temporary file; those of checkpoints are removed.
        left = {name for name in os.listdir(folder) if not name.startswith(".final.safetensors.")}
        assert left == {"final.safetensors", "history.json", "run.ckpt", "run.ckpt.previous"}
    print(f"{fit}: {n_kills} kills within {seconds:.2f} s, {n_inside_writes} of them inside a write")


@pytest.mark.parametrize("call", range(1, 10))
def test_a_fit_killed_at_each_call_of_a_write(call, start, tmp_path):
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    expected = finished(start, "watched", tmp_path / "whole")[1]
    process = start("watched", tmp_path / "killed", call)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert finished(start, "watched", tmp_path / "killed")[1] == expected
