"""SIGTERM in the command line: the checkpoint and the model are written, then the process ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from fastmlp.machine.state_files import from_bytes

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no SIGTERM")
TRAIN = [sys.executable, "-W", "error", "-m", "fastmlp", "train", "--quiet", "--hidden", "64", "--schedule", "constant"]


def steps_in(checkpoint):
    try:
        return from_bytes(checkpoint.read_bytes())["training"]["position"]["n_steps"]
    except FileNotFoundError:
        return 0


def wait_for_steps(process, checkpoint):
    deadline = time.monotonic() + 60
    while steps_in(checkpoint) == 0:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)


def test_sigterm_writes_the_checkpoint_and_the_model_and_the_rest_is_resumed(tmp_path):
    def arguments(epochs, name):
        files = ["--checkpoint", tmp_path / f"{name}.ckpt", "--save", tmp_path / f"{name}.safetensors"]
        return [*TRAIN, "--epochs", str(epochs), *files, "--checkpoint-every", "0.05", "--resume"]

    process = subprocess.Popen(arguments(100_000, "killed"), stderr=subprocess.PIPE)
    wait_for_steps(process, tmp_path / "killed.ckpt")
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == (None, b"") and process.returncode == 143
    assert (tmp_path / "killed.safetensors").exists()
    state = from_bytes((tmp_path / "killed.ckpt").read_bytes())
    epochs = state["run"]["epoch"] + 3
    for name in ("killed", "whole"):
        subprocess.run(arguments(epochs, name), check=True, timeout=120)
    assert (tmp_path / "killed.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


@pytest.mark.parametrize("option", [["--resume"], ["--checkpoint-every", "5"]])
def test_what_needs_a_checkpoint_says_so(option):
    done = subprocess.run([*TRAIN, *option], capture_output=True, text=True)
    assert done.returncode == 2 and f"{option[0]} needs --checkpoint FILE" in done.stderr
