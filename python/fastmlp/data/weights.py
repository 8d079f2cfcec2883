"""Weights of samples: one for each row, or one for each of its targets.

The weight of a row is the mean of its targets' weights: that makes weights of all ones the same as none.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.arrays import as_numbers, counted
from fastmlp.model.losses import Loss

Weights: TypeAlias = "NDArray[np.float64] | None"
"""float64 (n,), one for each row; (n, n_targets), one for each target; or None, all 1."""

WEIGHT_RANGE = 1e-30, 1e30
"""Limits of the largest sample weight: it, its inverse and sums over any data set fit in float32."""


def check_weights(sample_weight: ArrayLike | None, n_rows: int, argument: str = "sample_weight") -> NDArray[Any] | None:
    """Check the weights of rows: finite, none negative, the largest in `WEIGHT_RANGE`. Return float64 (n_rows,)."""
    if sample_weight is None:
        return None
    return _checked(as_numbers(argument, sample_weight, ndim=1), n_rows, argument)


def check_sample_weights(
    sample_weight: ArrayLike | None, n_rows: int, n_targets: int, loss: Loss, argument: str = "sample_weight"
) -> NDArray[Any] | None:
    """Check the weights of rows (n_rows,), or of targets (n_rows, n_targets) if the loss takes such."""
    if sample_weight is None:
        return None
    weights = as_numbers(argument, sample_weight, ndim=1 if n_targets == 1 else None)
    if weights.ndim == 1:
        return _checked(weights, n_rows, argument)
    if not loss.spec.weighs_targets:
        raise ValueError(
            f"{argument} must have one weight for each row with loss={loss.name!r}, which has no "
            f"separate loss for each target, got shape {weights.shape}"
        )
    if weights.ndim != 2 or weights.shape[1] != n_targets:
        raise ValueError(
            f"{argument} must have one weight for each row, or {counted(n_targets, 'column')}, one for each target, "
            f"got shape {weights.shape}"
        )
    return _checked(weights, n_rows, argument)


def _checked(weights: NDArray[Any], n_rows: int, argument: str) -> NDArray[np.float64]:
    if len(weights) != n_rows:
        raise ValueError(
            f"{argument} must have {counted(n_rows, 'element')}, one for each row of X, got {len(weights)}"
        )
    checked = weights.astype(np.float64)
    if checked.min() < 0:
        row = np.unravel_index(checked.argmin(), checked.shape)[0]
        raise ValueError(f"{argument} must not be negative, got {checked.min()} in row {row}")
    largest = checked.max()
    if largest == 0:
        raise ValueError(f"{argument} must not be all 0")
    if not WEIGHT_RANGE[0] <= largest <= WEIGHT_RANGE[1]:
        low, high = WEIGHT_RANGE
        raise ValueError(f"{argument} must have a maximum between {low:g} and {high:g}, got {largest:g}")
    return checked


def times(weights: Weights, others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The product of weights of rows or targets with others of rows or targets."""
    if weights is None:
        return others
    if weights.ndim == others.ndim:
        return weights * others
    return weights[:, None] * others if weights.ndim == 1 else weights * others[:, None]


def width_of(weights: Weights) -> int:
    """Weights of each row."""
    return 1 if weights is None or weights.ndim == 1 else int(weights.shape[1])


def as_wide(weights: Weights, n_rows: int, width: int) -> NDArray[np.float64]:
    """The same weights with this many for each row; (n_rows,) if that is 1."""
    if weights is None:
        weights = np.ones(n_rows)
    if width_of(weights) == width:
        return weights
    return np.repeat(weights[:, None], width, axis=1)


def total_weight(weights: Weights, n_rows: int) -> float:
    """The divisor that turns a summed loss into a mean: the summed weight of the rows, or their number."""
    return float(n_rows) if weights is None else float(weights.sum()) / width_of(weights)


def for_core(weights: Weights) -> Weights:
    """The weights in the form that the core takes: one array (n * width,), without a copy."""
    return None if weights is None else weights.reshape(-1)
