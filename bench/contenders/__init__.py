"""Who trains the cases.

One module per contender, each with the same names:

    TITLE       the heading of its column
    COMPUTES    False only for the baseline that trains nothing
    PARALLEL    False where more threads cannot help
    prepare(problem, n_threads) -> train

``prepare`` is not timed: there a contender puts the data into its own form,
allocates, compiles. ``train(epochs)`` is timed: it starts from
``problem.start``, walks the batches of ``problem`` ``epochs`` times, takes one
optimizer step per batch, and returns the final weights. Batches come in the
order that ``problem.batches`` tells; where the case is shuffled, a library that
shuffles by itself may do so instead. It is called again and again and must do
the same work each time. A module may also have

    prepare_predict(problem, X, n_threads) -> predict
        for the cases that time predictions: ``predict()`` returns the outputs of the
        initial network for ``X``, float32, or uint8 that stands for multiples of 1/255
    stand_in(case) -> case
        where the library cannot express a case: the nearest case that it can, whose
        work is as much

To add a contender, write its module and put its name in ``NAMES``. A module
whose library is not installed raises ImportError when it is imported; the
table then leaves that column out and says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol, cast

from ..cases import Case, Parameters, Problem

Train = Callable[[int], Parameters]
Predict = Callable[[], Any]

# columns, left to right
NAMES = (
    "fastmlp",
    "jax",
    "torch_compile",
    "torch_eager",
    "scikit_learn",
    "numpy_batch",
    "numpy_example",
    "pure_python",
    "do_nothing",
)
PLAIN = ("fastmlp", "numpy_batch", "numpy_example", "pure_python", "do_nothing")  # need no further library
TILE = 1000  # rows of a large prediction that are taken through all layers before the next ones


class Contender(Protocol):
    """What every module in this folder offers."""

    TITLE: str
    COMPUTES: bool
    PARALLEL: bool

    def prepare(self, problem: Problem, n_threads: int) -> Train:
        """Get ready to train; see the top of this file."""


def load(name: str) -> Contender:
    """Import a contender by its name.

    >>> load("do_nothing").TITLE
    'do nothing'
    """
    return cast(Contender, importlib.import_module(f".{name}", __name__))


def case_of(contender: Contender, case: Case) -> Case:
    """The case that a contender trains: the one given, or its stand-in for it."""
    stand_in = getattr(contender, "stand_in", None)
    return stand_in(case) if stand_in else case
