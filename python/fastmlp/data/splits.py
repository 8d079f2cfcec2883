"""Split rows into training, validation and test sets."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.errors import shown
from fastmlp.checks.frames import frame_as_array
from fastmlp.checks.values import check_value

Part: TypeAlias = tuple[NDArray[Any], NDArray[Any]]
"""X and y of the same rows."""


def train_validation_test_split(
    X: ArrayLike,
    y: ArrayLike,
    *,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    stratify: bool = False,
    shuffle: bool = True,
) -> tuple[Part, Part, Part]:
    """Split rows into training, validation and test sets; every row is in exactly one of them.

    Parameters
    ----------
    X : array_like (n, ...)
        Inputs; their dtype is kept. Data frames of numbers become arrays.
    y : array_like (n,) or (n, n_outputs)
        Targets.
    validation, test : float or int, default 0.2
        A fraction of all rows (a float below 1, rounded to whole rows, at least one) or a number of rows (an int).
        With 0, that set is empty.
    seed : int, default 0
        The same seed gives the same split.
    stratify : bool, default False
        True: keep the shares of the classes in y (n,) in every set, up to rounding.
    shuffle : bool, default True
        False: the rows keep their order, training first, test last (for time series).

    Returns
    -------
    ((X_train, y_train), (X_validation, y_validation), (X_test, y_test))
        Copies of the rows.

    Raises
    ------
    ValueError
        X and y that differ in length or have no rows; sizes outside their range, or that leave no rows for training;
        a two-dimensional y with ``stratify``.
    TypeError
        An argument of the wrong type.

    Examples
    --------
    >>> X, y = np.arange(20).reshape(10, 2), np.arange(10)
    >>> train, validation, test = train_validation_test_split(X, y, validation=0.1, test=3)
    >>> [len(part[0]) for part in (train, validation, test)]
    [6, 1, 3]
    """
    inputs, targets = _rows("X", X), _rows("y", y)
    n_rows = len(inputs)
    if len(targets) != n_rows:
        raise ValueError(f"X and y must have the same number of rows, got {n_rows} and {len(targets)}")
    n_validation = _part_size("validation", validation, n_rows)
    n_test = _part_size("test", test, n_rows)
    if n_validation + n_test >= n_rows:
        raise ValueError(
            f"validation and test take {n_validation} and {n_test} of {n_rows} rows, which leaves none for training"
        )
    if stratify and targets.ndim != 1:
        raise ValueError(f"y must have one dimension for stratify=True, got shape {targets.shape}")
    try:
        rng = np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise type(error)(f"seed must be a whole number from 0, got {shown(seed)}") from error
    order = rng.permutation(n_rows) if shuffle else np.arange(n_rows)
    if stratify:
        order = order[np.argsort(targets[order], kind="stable")]
        rest, of_test = _spread(order, n_test)
        parts: list[NDArray[np.intp]] = [*_spread(rest, n_validation), of_test]
        parts = [rng.permutation(part) if shuffle else np.sort(part) for part in parts]
    else:
        parts = np.split(order, [n_rows - n_validation - n_test, n_rows - n_test])
    train, chosen_by, judged_by = ((inputs[part], targets[part]) for part in parts)
    return train, chosen_by, judged_by


def _rows(argument: str, values: ArrayLike) -> NDArray[Any]:
    if hasattr(values, "toarray"):
        raise TypeError(f"{argument} is a sparse matrix; expected a dense array")
    try:
        array = _with_numbers(argument, values)
    except ValueError as error:
        raise ValueError(f"{argument} must be an array with rows of equal length: {error}") from error
    if array.ndim == 0 or array.size == 0:
        raise ValueError(f"{argument} must have rows, got shape {array.shape}")
    return array


def _with_numbers(argument: str, values: ArrayLike) -> NDArray[Any]:
    """Numbers if the values are a data frame or series of numbers, where NumPy may see objects; else as NumPy sees."""
    try:
        frame = frame_as_array(argument, values)
    except TypeError:  # it has texts, which a split may keep
        frame = None
    return np.asarray(values) if frame is None else frame


def _part_size(argument: str, part: float, n_rows: int) -> int:
    """Number of rows of a set, from a fraction or a number."""
    check_value(argument, part, low=0.0, schedule=False)
    if isinstance(part, (int, np.integer)):
        return int(part)
    if part >= 1:
        raise ValueError(f"{argument} must be a fraction below 1 or a whole number of rows, got {shown(part)}")
    return max(round(part * n_rows), 1) if part > 0 else 0


def _spread(order: NDArray[np.intp], n_taken: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Take rows at even distances from rows sorted by class; returns (the rest, those taken)."""
    taken = np.zeros(len(order), dtype=bool)
    if n_taken:
        taken[((np.arange(n_taken) + 0.5) * len(order) / n_taken).astype(np.intp)] = True
    return order[~taken], order[taken]
