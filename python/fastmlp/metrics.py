"""Metrics of predictions: accuracy, confusion matrix and F1 for classes, errors and R^2 for numbers.

Labels are whole numbers from 0. Functions of labels also take what `Network.predict` returns: a row of probabilities
counts as its most probable class, a single column of probabilities as class 1 above 0.5 and class 0 otherwise.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.arrays import as_numbers
from fastmlp.checks.values import check_size

_MOST_CLASSES = 10_000  # the confusion matrix then takes 800 MB; more is surely a mistake


class RegressionErrors(NamedTuple):
    """Errors of predicted numbers, as returned by `regression_errors`.

    Attributes
    ----------
    mean_absolute, root_mean_square : float
        In the unit of the targets.
    r2 : float
        1 - (sum of squared errors) / (sum of squares around the mean): 1 is perfect, 0 is as good as always predicting
        the mean. NaN if every column of the targets is constant.
    """

    mean_absolute: float
    root_mean_square: float
    r2: float


def accuracy(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Share of rows whose class is predicted correctly.

    Parameters
    ----------
    y_true, y_pred : array_like
        Labels (n,), or probabilities (n, n_classes) or (n, 1).

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        Arrays that are empty, differ in length or have more than two dimensions; labels that are NaN, negative or not
        whole.
    TypeError
        Values that are not numbers.

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
    """Count how often each true class was predicted as each class.

    Parameters
    ----------
    y_true, y_pred : array_like
        Labels (n,), or probabilities (n, n_classes) or (n, 1).
    n_classes : int, optional
        Default: the largest label + 1, or the number of columns of probabilities if that is larger.

    Returns
    -------
    ndarray (n_classes, n_classes) of int64
        A row for each true class, a column for each predicted class.

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
        (n, 1) counts as (n,).

    Returns
    -------
    RegressionErrors
        Means over all rows and outputs.

    Raises
    ------
    ValueError
        Arrays that are empty, differ in shape or hold NaN.
    TypeError
        Values that are not numbers.

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
    """Mean recall of the classes that occur in ``y_true``.

    Arguments and errors are those of `accuracy`. Source: Brodersen et al., ICPR 2010.

    Examples
    --------
    >>> balanced_accuracy([0, 0, 0, 1], [0, 0, 0, 0])
    0.5
    """
    counts = confusion_matrix(y_true, y_pred)
    rows = counts.sum(axis=1)
    return float((np.diag(counts)[rows > 0] / rows[rows > 0]).mean())


def macro_f1(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean of ``2 tp / (2 tp + fp + fn)`` over the classes that occur in either array.

    Arguments and errors are those of `accuracy`. Source: van Rijsbergen, "Information retrieval", 1979.

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
"""Metrics that `Network.fit` accepts by name if the targets are classes."""
METRICS = CLASS_METRICS | {
    "mean_absolute_error": mean_absolute_error,
    "root_mean_square_error": root_mean_square_error,
    "r2": r2,
}
"""All metrics that `Network.fit` accepts by name."""
SYNONYMS = {
    "acc": "accuracy",
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "f1_macro": "macro_f1",
    "mae": "mean_absolute_error",
    "rmse": "root_mean_square_error",
    "root_mean_squared_error": "root_mean_square_error",
    "r2_score": "r2",
    "r_squared": "r2",
}
"""Names of the same metrics in other libraries."""
OTHER_NAMES = (
    dict.fromkeys(("mse", "mean_squared_error"), "'root_mean_square_error' is its root")
    | dict.fromkeys(("f1", "f1_score"), "'macro_f1' is the mean over the classes; for another average pass a function")
    | dict.fromkeys(("auc", "roc_auc", "average_precision", "precision", "recall", "mape"), "pass a function instead")
)
"""Names of other metrics, and what to use."""


def as_labels(argument: str, values: ArrayLike) -> NDArray[np.int64]:
    """Labels (n,) from labels or probabilities; errors name ``argument``."""
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
