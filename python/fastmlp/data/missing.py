"""Missing targets: NaN in y leaves out that target, for a loss with ``missing=True``.

A missing target becomes 0 with weight 0, so the core needs to know nothing about it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.arrays import as_array, as_rows
from fastmlp.data.weights import Weights, times
from fastmlp.model.losses import Loss

Observed = NDArray[np.bool_]
"""Whether each target is there, of the shape of y."""


def read_targets(argument: str, y: ArrayLike, loss: Loss) -> tuple[NDArray[np.generic], Observed | None]:
    """y as numbers, with 0 for NaN, and which of them were there; None unless the loss has ``missing=True``."""
    if not loss.missing:
        hint = "; Loss(..., missing=True) leaves out missing targets" if loss.spec.weighs_targets else ""
        return as_rows(argument, y, if_nan=hint), None
    array = as_array(argument, y)
    if array.dtype.kind != "f":
        array = as_rows(argument, array)
        return array, np.ones(array.shape, dtype=bool)
    observed: Observed = ~np.isnan(array)
    if array.size and not observed.any():
        raise ValueError(f"{argument} must have at least one target that is not missing, got only NaN")
    return as_rows(argument, np.where(observed, array, array.dtype.type(0))), observed


def without_missing(weights: Weights, observed: Observed | None) -> Weights:
    """The weights times 0 for a missing target: (n,) if y has one column, else (n, n_targets)."""
    if observed is None:
        return weights
    each = observed.astype(np.float64)
    return times(weights, each[:, 0] if each.shape[1] == 1 else each)


def mean_over_columns(
    metric: Callable[[NDArray[np.generic], NDArray[np.generic]], float],
    y_true: NDArray[np.generic],
    y_pred: NDArray[np.generic],
) -> float:
    """A metric of each column of y (n, n_targets), over the rows where it is not NaN, averaged over the columns.

    As scikit-learn's uniform average. Columns where the metric is not defined count for nothing.
    """
    values = []
    for k, there in enumerate(~np.isnan(y_true).T):
        if there.any():
            values.append(float(metric(y_true[there][:, [k]], y_pred[there][:, [k]])))
    defined = [value for value in values if not np.isnan(value)]
    return sum(defined) / len(defined) if defined else float("nan")
