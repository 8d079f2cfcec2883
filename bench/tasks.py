"""What is timed: the rows of the table.

Most rows time training steps. The others time what a user waits for: a whole
``fit`` call, many small fits in a row or on a thread pool, a prediction, a training
to a given accuracy on the real MNIST digits. Each names its ``Case``; a contender
need not know which row it runs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from .cases import CASES, Array, Case, Problem, make_problem

FITS = 200  # fits in the row of many fits
TARGET = 0.98  # test accuracy to reach
SLOW = ("numpy_example", "pure_python", "do_nothing")  # only in rows that time single steps
MOST_IN_PURE_PYTHON = 1e9  # operations per step; with more, pure Python takes a minute or so


@dataclass(frozen=True)
class Task:
    """One row of the table.

    ``kind`` is the unit that is timed. ``steps``: a training step. ``fit``: a training
    of ``epochs`` epochs. ``fits``: ``FITS`` of them, one after another with one thread,
    else on a thread pool. ``predict``: the outputs for ``rows`` rows, uint8 if there is
    more than one. ``target``: a training of ``epochs`` epochs on MNIST, which must reach
    ``TARGET``.
    """

    name: str
    stands_for: str
    case: Case
    kind: Literal["steps", "fit", "fits", "predict", "target"] = "steps"
    epochs: int = 1
    rows: int = 0

    @property
    def label(self) -> str:
        """Label of the row: name and batch size."""
        return f"{self.case.name}, {self.case.batch_size}" if self.kind == "steps" else self.name

    @property
    def flop(self) -> int | None:
        """Floating-point operations of the matrix products of a unit; None if they cannot be the bottleneck."""
        if self.kind == "steps":
            return self.case.flop_per_step
        return self.rows * self.case.flop_per_row if self.rows > 1 else None

    def reason_against(self, contender: str, predicts: bool) -> str | None:
        """Why a contender has no cell in this row; None if it has one."""
        if self.kind == "predict" and not predicts:
            return "its prediction is not timed"
        if self.kind != "predict" and contender in SLOW:
            if self.kind != "steps":
                return "only its steps are timed"
            if contender == "pure_python" and self.case.flop_per_step > MOST_IN_PURE_PYTHON:
                return "a step would take a minute"
        return None

    def problem(self) -> Problem:
        """Data and initial weights."""
        return mnist(self.case)[0] if self.kind == "target" else make_problem(self.case)

    @property
    def input_bytes(self) -> int:
        """Size of the rows to predict and of the outputs, which are not part of the problem."""
        return self.rows * (self.case.widths[0] + 4 * self.case.widths[-1]) if self.rows > 1 else 0

    def inputs(self, problem: Problem) -> Array:
        """Rows to predict: one row of the problem, or uint8 ``(rows, n_in)`` like its images."""
        if self.rows == 1:
            return problem.X[:1]
        tile = (255 * problem.X[:1000]).astype(np.uint8)
        return np.resize(tile, (self.rows, tile.shape[1]))


def mnist(case: Case) -> tuple[Problem, Array, Array]:
    """The case on the real digits, float32 in [0, 1], with the test images and labels.

    Raises FileNotFoundError if the folder named by the environment variable FASTMLP_DATA does not have them.
    """
    from fastmlp import load_mnist

    folder = Path(os.environ.get("FASTMLP_DATA", "FASTMLP_DATA is not set"), "mnist")
    if not folder.is_dir():
        raise FileNotFoundError(f"no MNIST digits in {folder}")
    digits = load_mnist(folder)
    imitation = make_problem(case)  # for its weights and orders
    n = case.n_samples
    X, X_test = ((images / np.float32(255)).astype(np.float32) for images in (digits.X_train[:n], digits.X_test))
    return Problem(case, X, digits.y_train[:n], imitation.start, imitation.orders), X_test, digits.y_test


_BY_NAME = {case.name: case for case in CASES}
_modern = _BY_NAME["784-256-128-10"]
_nielsen = _BY_NAME["784-30-10"]
_small = partial(Case, batch_size=30, learning_rate=0.05, shuffle=True)

TASKS = (
    *(Task(case.name, case.stands_for, case) for case in CASES),
    *(
        Task(
            f"{case.name}-no-zeros",
            "the same where no pixel is 0",
            replace(case, name=f"{case.name} no zeros", zeros=0),
        )
        for case in (_nielsen, _modern)
    ),
    Task(
        "fit-iris",
        "a whole fit: 4-32-3, 150 rows, 200 epochs",
        _small("4-32-3", "", (4, 32, 3), "relu", "softmax", "cross_entropy", n_samples=150),
        "fit",
        epochs=200,
    ),
    Task(
        f"{FITS}-fits",
        f"{FITS} fits of 16-32-1, on 2 threads two at a time",
        _small("16-32-1", "", (16, 32, 1), "tanh", "identity", "squared_error", n_samples=300),
        "fits",
        epochs=10,
    ),
    Task("predict-1", "outputs of 784-30-10 for one float32 row", _nielsen, "predict", rows=1),
    Task("predict-60000", "outputs of 784-30-10 for 60 000 uint8 rows", _nielsen, "predict", rows=60_000),
    Task(
        "mnist-98",
        "784-256-128-10, 15 epochs: over 98 % of the test digits",
        Case(
            "784-256-128-10 on MNIST",
            "",
            _modern.widths,
            _modern.activation,
            _modern.output,
            _modern.loss,
            batch_size=100,
            n_samples=60_000,
            learning_rate=0.3,
            shuffle=True,
        ),
        "target",
        epochs=15,
    ),
)
