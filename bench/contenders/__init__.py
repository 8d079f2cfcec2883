"""Who trains the cases.

One module per contender, each with the same three names:

    TITLE       the heading of its column
    COMPUTES    False only for the baseline that trains nothing
    prepare(problem, n_threads) -> train

``prepare`` is not timed: there a contender puts the data into its own form,
allocates, compiles. ``train(epochs)`` is timed: it starts from
``problem.start``, walks the batches of ``problem`` in order ``epochs`` times,
takes one optimizer step per batch, and returns the final weights. It is called
again and again and must do the same work each time.

To add a contender, write its module and put its name in ``NAMES``. A module
whose library is not installed raises ImportError when it is imported; the
table then leaves that column out and says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Protocol, cast

from ..cases import Parameters, Problem

Train = Callable[[int], Parameters]

NAMES = ("fastmlp", "numpy_batch", "numpy_example", "pure_python", "do_nothing")  # columns, left to right


class Contender(Protocol):
    """What every module in this folder offers."""

    TITLE: str
    COMPUTES: bool

    def prepare(self, problem: Problem, n_threads: int) -> Train:
        """Get ready to train; see the top of this file."""


def load(name: str) -> Contender:
    """Import a contender by its name.

    >>> load("do_nothing").TITLE
    'do nothing'
    """
    return cast(Contender, importlib.import_module(f".{name}", __name__))
