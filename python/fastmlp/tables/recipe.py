"""The default network for a table and its training: one rule, by the number of rows and the task.

Chosen by validation parts of thirty public tables, of 101 to 45 211 rows; ``bench/tables.py`` tells what it is worth.
More rows were not tried.
"""

from __future__ import annotations

import math
from typing import NamedTuple

_STEPS = 1500
"""Fewest updates. Fewer leave small tables underfitted; more bring noisy ones nothing."""
_DECAY_ROWS = 300
"""With numbers to predict, weight decay is this over the rows, between 0.1 and 1: the fewer rows, the more."""
_LARGE = 50_000
"""Rows from which batches are larger and passes fewer."""


class Recipe(NamedTuple):
    """A network and its training, by what their arguments are called."""

    hidden: tuple[int, ...]
    dropout: float
    optimizer: str
    weight_decay: float
    batch_size: int
    epochs: int


def recipe_for(n_rows: int, is_class: bool) -> Recipe:
    """The default for a table of this many training rows.

    Parameters
    ----------
    n_rows : int
        At least 1.
    is_class : bool
        Whether the target is a class; otherwise it is a number.

    Returns
    -------
    Recipe

    Examples
    --------
    >>> recipe_for(300, True).epochs, recipe_for(10_000, True).epochs, recipe_for(1_000_000, True).epochs
    (150, 40, 5)
    """
    is_large = n_rows > _LARGE
    batch_size = 256 if is_large else 32
    epochs = max(5, 40 * _LARGE // n_rows) if is_large else max(40, math.ceil(_STEPS / math.ceil(n_rows / batch_size)))
    if is_class:
        return Recipe((128, 128, 128), 0.2, "adamw", 0.3, batch_size, epochs)
    return Recipe((128, 128, 128), 0.0, "adamw", min(1.0, max(0.1, _DECAY_ROWS / n_rows)), batch_size, epochs)
