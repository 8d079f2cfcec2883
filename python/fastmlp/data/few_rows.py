"""A few rows of the samples, as the first layer and the loss see them: to inspect, not to train on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Dtype
from fastmlp.data.rows import Rows, Targets
from fastmlp.model.model import Model

N_ROWS = 64
"""Largest number of rows."""


def spread(n: int) -> slice:
    """A slice of at most `N_ROWS` of n rows: the first one and others at equal distances."""
    return slice(0, None, -(-n // N_ROWS))


def sample_inputs(network: Model, X: Rows) -> NDArray[Any]:
    """Scaled inputs (k, n_features); for a sparse matrix the nonzero numbers (k, 1) of the same rows."""
    inputs = network.input
    if X.starts is not None:
        at = [slice(X.starts[i], X.starts[i + 1]) for i in range(*spread(len(X)).indices(len(X)))]
        numbers = X.data.view(X.dtype)
        return np.concatenate([numbers[rows] for rows in at])
    sample: NDArray[Any] = X.data[spread(len(X))].view(X.dtype)
    if inputs.is_scaled:
        sample = (sample.astype(np.float64) - np.asarray(inputs.shift)) * np.asarray(inputs.scale)
    return sample


def few_rows(X: Rows) -> Rows:
    """The same rows for the network to read; for a sparse matrix the first `N_ROWS`."""
    if X.starts is not None:
        return Rows(X.data, X.code, X.starts[: N_ROWS + 1], X.columns)
    return Rows(np.ascontiguousarray(X.data[spread(len(X))]), X.code)


def sample_targets(targets: Targets) -> NDArray[Any] | None:
    """Targets (k, n_targets); None if they are class numbers."""
    rows = targets.rows
    if rows.code == Dtype.LABEL:
        return None
    sample: NDArray[Any] = rows.data[spread(len(rows))].view(rows.dtype)
    return sample


def largest(values: NDArray[Any]) -> float:
    """The largest absolute value; 0 if there are no values."""
    if not values.size:
        return 0.0
    top = float(np.maximum.reduce(values, axis=None))
    return top if values.dtype.kind == "u" else max(top, -float(np.minimum.reduce(values, axis=None)))
