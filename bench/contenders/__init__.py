"""The contenders, one module each, all with the same names:

    TITLE       the heading of its column
    COMPUTES    False only for the baseline that trains nothing
    PARALLEL    False if more threads cannot help
    prepare(problem, n_threads) -> train

``prepare`` is not timed. It converts the data, allocates and compiles.
``train(epochs)`` is timed. It starts from ``problem.start``, goes through the
batches of ``problem`` ``epochs`` times with one optimizer step per batch, and
returns the final weights. Batches come in the order of ``problem.batches``; if the
case is shuffled, a library may shuffle in its own way instead. It is called many
times and must do the same work each time. A module may also have

    prepare_predict(problem, X, n_threads) -> predict
        for cases that time predictions: ``predict()`` returns the outputs of the
        initial network for ``X``, which is float32, or uint8 in units of 1/255
    stand_in(case) -> case
        if the library cannot express a case: the most similar case that it can,
        with the same amount of work

To add a contender, write its module and add its name to ``NAMES``. A module whose
library is not installed raises ImportError on import; the table then leaves out
that column and says so.
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
PLAIN = ("fastmlp", "numpy_batch", "numpy_example", "pure_python", "do_nothing")  # need no other library
TILE = 1000  # rows of a large prediction that go through all layers before the next ones


class Contender(Protocol):
    """What every module in this folder provides."""

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
    """The case that a contender trains: the given one, or a similar one that it can express."""
    stand_in = getattr(contender, "stand_in", None)
    return stand_in(case) if stand_in else case
