"""How good predictions are: shares and counts of right classes, sizes of errors.

Labels are whole numbers from 0. Where labels are asked for, what `Network.predict` returns will do as well: rows of
probabilities stand for the most probable class, a single column of probabilities for class 1 above one half.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.arrays import as_numbers
from fastmlp.checks.values import check_size

_MOST_CLASSES = 10_000  # a confusion matrix of these is 800 MB; more is a mistake


class RegressionErrors(NamedTuple):
    """Errors of predicted numbers, in the unit of the targets; ``r2`` has none.

    ``r2`` is 1 - (sum of squared errors) / (sum of squares around the mean): 1 is perfect, 0 is as good as always
    predicting the mean. It is NaN where all targets of every column are the same.
    """

    mean_absolute: float
    root_mean_square: float
    r2: float


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of rows whose class is right, from 0 to 1.

    Parameters
    ----------
    y_true, y_pred : array_like
        Labels (n,), or probabilities (n, n_classes) or (n, 1).

    Raises
    ------
    ValueError, TypeError
        Empty, of unequal length, NaN, negative or broken labels, more than two dimensions, no numbers.

    Examples
    --------
    >>> accuracy([0, 1, 2, 2], [0, 1, 2, 1])
    0.75
    >>> accuracy([0, 1], [[0.9, 0.1], [0.2, 0.8]])
    1.0
    """
    true, predicted = _label_pair(y_true, y_pred)
    return float((true == predicted).mean())


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int | None = None) -> NDArray[np.int64]:
    """Counts (n_classes, n_classes): how often each true class (row) was predicted as each class (column).

    Parameters
    ----------
    y_true, y_pred : array_like
        Labels (n,), or probabilities (n, n_classes) or (n, 1).
    n_classes : int, optional
        None: as many as labels and probabilities show.

    Raises
    ------
    ValueError, TypeError
        As `accuracy`, and for a label of ``n_classes`` or more.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    """
    true, predicted = _label_pair(y_true, y_pred)
    if n_classes is None:
        columns = (np.shape(rows)[1] for rows in (y_true, y_pred) if np.ndim(rows) == 2)
        n_classes = max(int(true.max()) + 1, int(predicted.max()) + 1, *columns)
    n_classes = check_size("n_classes", n_classes, _MOST_CLASSES)
    for argument, labels in (("y_true", true), ("y_pred", predicted)):
        if labels.max() >= n_classes:
            row = int(np.argmax(labels >= n_classes))
            raise ValueError(f"{argument} must be below n_classes={n_classes}, got {labels[row]} in row {row}")
    counts = np.bincount(true * n_classes + predicted, minlength=n_classes * n_classes)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def regression_errors(y_true: ArrayLike, y_pred: ArrayLike) -> RegressionErrors:
    """Mean absolute error, root mean square error and R^2 of predicted numbers.

    Parameters
    ----------
    y_true, y_pred : array_like (n,) or (n, n_outputs)
        A single column counts as (n,). Errors are means over all numbers.

    Raises
    ------
    ValueError, TypeError
        Empty, of different shapes, NaN, no numbers.

    Examples
    --------
    >>> regression_errors([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    RegressionErrors(mean_absolute=0.3333333333333333, root_mean_square=0.5773502691896257, r2=0.5)
    """
    true, predicted = (_columns(name, values) for name, values in (("y_true", y_true), ("y_pred", y_pred)))
    if true.shape != predicted.shape:
        raise ValueError(f"y_true and y_pred must have the same shape, got {np.shape(y_true)} and {np.shape(y_pred)}")
    errors = predicted - true
    squares = float(np.square(errors).sum())
    constant = bool((true == true[0]).all())
    r2 = float("nan") if constant else 1 - squares / float(np.square(true - true.mean(axis=0)).sum())
    return RegressionErrors(float(np.abs(errors).mean()), float(np.sqrt(squares / errors.size)), r2)


def balanced_accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean over the classes that occur in ``y_true`` of the share of their rows that is right.

    Takes and raises what `accuracy` does. Source: Brodersen et al., ICPR 2010.

    Examples
    --------
    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    counts = confusion_matrix(y_true, y_pred)
    rows = counts.sum(axis=1)
    return float((np.diag(counts)[rows > 0] / rows[rows > 0]).mean())


def macro_f1(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean over the classes that occur at all of ``2 tp / (2 tp + fp + fn)``.

    Takes and raises what `accuracy` does. Source: van Rijsbergen, "Information retrieval", 1979.

    Examples
    --------
    >>> macro_f1([0, 0, 1, 1], [0, 0, 1, 0])
    0.7333333333333334
    """
    counts = confusion_matrix(y_true, y_pred)
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return float((2 * np.diag(counts)[both > 0] / both[both > 0]).mean())


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """``regression_errors(y_true, y_pred).mean_absolute``."""
    return regression_errors(y_true, y_pred).mean_absolute


def root_mean_square_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """``regression_errors(y_true, y_pred).root_mean_square``."""
    return regression_errors(y_true, y_pred).root_mean_square


def r2(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """``regression_errors(y_true, y_pred).r2``."""
    return regression_errors(y_true, y_pred).r2


CLASS_METRICS = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy, "macro_f1": macro_f1}
"""What `Network.fit` knows by name where the targets name classes."""
METRICS = CLASS_METRICS | {
    "mean_absolute_error": mean_absolute_error,
    "root_mean_square_error": root_mean_square_error,
    "r2": r2,
}
"""All that it knows by name."""


def as_labels(argument: str, values: ArrayLike) -> NDArray[np.int64]:
    """Labels (n,) from labels or probabilities; ``ValueError`` or ``TypeError`` that names ``argument``."""
    array = as_numbers(argument, values)
    if array.ndim > 2:
        raise ValueError(f"{argument} must be labels (n,) or probabilities (n, n_classes), got shape {array.shape}")
    if array.ndim == 2 and array.shape[1] > 1:
        most_probable: NDArray[np.int64] = array.argmax(axis=1).astype(np.int64)
        return most_probable
    is_column, array = array.ndim == 2, array.reshape(-1)
    whole = array == np.floor(array)
    if is_column and not whole.all() and array.min() >= 0 and array.max() <= 1:
        return (array > 0.5).astype(np.int64)
    wrong = ~whole | (array < 0) | (array >= 2**31)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{argument} must hold whole class numbers from 0, got {array[row]:g} in row {row}")
    return array.astype(np.int64)


def _label_pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    true, predicted = as_labels("y_true", y_true), as_labels("y_pred", y_pred)
    if len(true) != len(predicted):
        raise ValueError(f"y_true and y_pred must have the same length, got {len(true)} and {len(predicted)}")
    return true, predicted


def _columns(argument: str, values: ArrayLike) -> NDArray[Any]:
    array = as_numbers(argument, values)
    if array.ndim not in (1, 2):
        raise ValueError(f"{argument} must have shape (n,) or (n, n_outputs), got {array.shape}")
    return array.reshape(len(array), -1).astype(np.float64)
