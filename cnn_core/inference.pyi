"""Predictions and losses."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def predict(
    plan: NDArray[Any],
    layers: NDArray[Any],
    params: NDArray[Any],
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    X: NDArray[np.uint8],
    X_dtype: int,
    shift: NDArray[np.uint8] | None,
    scale: NDArray[np.uint8] | None,
    out: NDArray[Any],
    n_threads: int,
) -> None: ...
def evaluate(
    plan: NDArray[Any],
    layers: NDArray[Any],
    params: NDArray[Any],
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    X: NDArray[np.uint8],
    X_dtype: int,
    shift: NDArray[np.uint8] | None,
    scale: NDArray[np.uint8] | None,
    y: NDArray[np.uint8],
    y_dtype: int,
    weights: NDArray[np.float64] | None,
    n_threads: int,
) -> None: ...
