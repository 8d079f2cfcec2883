"""The examples, each run in its own process: printed numbers against published figures, and the pictures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastmlp as fm

pytest.importorskip("matplotlib")

EXAMPLES = Path(__file__).parents[1] / "examples"
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")


def run(name, output, *arguments, **environment):
    """Run an example and return its output by section; check that it writes exactly the pictures it announces."""
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name, *arguments, "--output", output],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    *_, last = done.stdout.strip().splitlines()
    announced = re.fullmatch(r"Pictures: (.*) in (.*)", last)
    assert Path(announced[2]) == output.resolve()
    assert sorted(announced[1].split(", ")) == sorted(picture.name for picture in output.iterdir())
    for picture in output.iterdir():
        assert picture.read_bytes().startswith(b"\x89PNG")
    parts = re.split(r"\n\n(.+)\n-+\n", "\n" + done.stdout)
    return dict(zip(parts[1::2], parts[2::2], strict=True)), parts[0]


def figures(section):
    """The numbers in the second and third columns of a section, by the text in the first column."""
    rows = {}
    for line in section.splitlines():
        columns = re.split(r"\s{2,}", line.strip())
        if len(columns) == 3:
            rows[columns[0]] = [[float(number) for number in NUMBER.findall(c)] for c in columns[1:]]
    return rows


def test_study_hours(tmp_path):
    told, _ = run("study_hours.py", tmp_path / "pictures")
    assert len(told) == 6
    (brute,) = (text for name, text in told.items() if name.startswith("Brute force"))
    assert "20.6 s" in brute and "0.016-0.07 s" in brute
    slopes = told["Backpropagation: the slope for every weight at once"]
    assert float(slopes.split()[-1]) < 1e-14
    published, here = np.array(
        list(figures(told["Is it really the slope? One step uphill, one step downhill"]).values())[-3:]
    )[:, :, 0].T
    np.testing.assert_array_equal(published, [0.00816, 0.00954, 0.00792])
    assert here[2] < here[0] < here[1]
    checks = list(figures(told["Numerical check of the gradients"]).values())
    assert len(checks) == 2 and all(here[0] < wanted[0] == 1e-8 for wanted, here in checks)
    assert told["Downhill to the minimum"].count("[0.75 0.82 0.93]") == 2
    ((most, evaluations),) = (here for here in figures(told["Downhill to the minimum"]).values())
    assert evaluations[0] < most[0] == 100
    assert len(list((tmp_path / "pictures").iterdir())) == 4


def test_streetlights(tmp_path):
    told, _ = run("streetlights.py", tmp_path)
    passes = 0
    for name in ("One unit, one example at a time", "Backpropagation through two layers"):
        for what, (published, here) in figures(told[name]).items():
            if what.isdigit():
                assert published == here  # to the last printed digit
                passes += 1
    assert passes == 10
    assert "1 0 1      0        -      0      -" in told["Up and down pressure"]
    puzzle = figures(told["A puzzle: no single light predicts walking"])
    np.testing.assert_allclose(*puzzle["with relu between them"], atol=0.01)
    remedies = figures(told["Overfitting, and four remedies"])
    (train, test), *others = ((a[-1], b[-1]) for a, b in remedies.values())
    assert len(others) == 4
    assert all(other[0] < train and other[1] > test + 5 for other in others)


def test_worked_example(tmp_path):
    told, _ = run("worked_example.py", tmp_path)
    compared = 0
    for text in list(told.values())[:6]:
        for what, (published, here) in figures(text).items():
            np.testing.assert_allclose(here, published, rtol=0, atol=1.01e-4, err_msg=what)
            compared += len(published)
    assert compared >= 25
    checks = figures(told["Numerical check of initialisers and batch normalisation"])
    assert len(checks) == 3 and all(here[0] < wanted[0] for wanted, here in checks.values())
    loop = told["The training loop, until the loss stops changing"]
    assert loop.count("loss changed by less than 0.001") == 3
    curve = [line.split() for line in told["Bias, variance, and the amount of training data"].splitlines()]
    first, last = ([float(n) for n in row if n != "%"] for row in (curve[2], curve[8]))
    assert first[2] > 20 > 5 > last[2]  # high variance, cured by more rows
    assert last[3] > 5 and last[4] - last[3] < 5  # high bias


def test_mnist_digits_without_mnist(tmp_path):
    told, before = run("mnist_digits.py", tmp_path / "out", tmp_path, "--epochs", "10", "--runs", "2")
    assert "MNIST is not available" in before and "bundled digits" in before
    assert "3823 training images, 1797 test images, 64 pixels each" in before
    assert not any("91.29" in text for text in told.values())
    assert re.findall(r"(?m)^ +(\d)  ", told["Other seeds"]) == ["0", "1"]


def test_mnist_digits_does_not_fail_without_a_network(tmp_path):
    nowhere = {"FASTMLP_DATA": "", "FASTMLP_CACHE": str(tmp_path), "FASTMLP_MNIST_MIRROR": "http://127.0.0.1:9/"}
    _, before = run("mnist_digits.py", tmp_path / "out", "--epochs", "1", "--runs", "1", **nowhere)
    assert "could not be downloaded" in before and "bundled digits" in before


@pytest.fixture
def small_mnist(tmp_path):
    """The bundled digits, enlarged and written in MNIST's format."""
    digits, folder = fm.load_digits(), tmp_path / "mnist"
    folder.mkdir()
    for name, X, y in (("train", digits.X_train, digits.y_train), ("t10k", digits.X_test, digits.y_test)):
        images = np.kron(X.reshape(-1, 8, 8), np.ones((3, 3), dtype=np.uint8)) * np.uint8(15)
        fm.write_idx(folder / f"{name}-images-idx3-ubyte", np.pad(images, ((0, 0), (2, 2), (2, 2))))
        fm.write_idx(folder / f"{name}-labels-idx1-ubyte", y.astype(np.uint8))
    return tmp_path


def test_mnist_digits_from_a_folder(small_mnist, tmp_path):
    told, before = run("mnist_digits.py", tmp_path / "out", small_mnist, "--epochs", "2", "--runs", "1")
    assert before.strip() == "3823 training images, 1797 test images, 784 pixels each"
    first = next(line for line in told["Epoch by epoch"].splitlines() if line.split()[0] == "1")
    assert "91.29 %" in first
    assert "95.42 % at epoch 28" in told["Other seeds"]


@pytest.mark.mnist
def test_mnist_digits(tmp_path):
    if not os.environ.get("FASTMLP_DATA"):
        pytest.skip("FASTMLP_DATA does not name a folder of data sets")
    told, before = run("mnist_digits.py", tmp_path, os.environ["FASTMLP_DATA"], "--epochs", "1", "--runs", "1")
    if "bundled" in before:
        pytest.skip("FASTMLP_DATA has no MNIST")
    assert "50000 training images, 10000 test images, 784 pixels each" in before
    first = next(line for line in told["Epoch by epoch"].splitlines() if line.split()[0] == "1")
    assert float(first.split()[4]) > 89
