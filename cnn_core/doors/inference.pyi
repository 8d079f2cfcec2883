"""Predictions and losses."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Source

def predict(
    plan: dict[str, Any],
    layers: NDArray[Any],
    params: NDArray[Any],
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    sparse: NDArray[np.uint8] | None,
    X: Source,
    out: NDArray[Any],
    first: int,
    stop: int,
    n_threads: int,
) -> None: ...
def activations(
    plan: dict[str, Any],
    layers: NDArray[Any],
    params: NDArray[Any],
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    sparse: NDArray[np.uint8] | None,
    X: Source,
    out: NDArray[Any],
    first: int,
    stop: int,
    n_threads: int,
) -> None: ...
def evaluate(
    plan: dict[str, Any],
    layers: NDArray[Any],
    params: NDArray[Any],
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    sparse: NDArray[np.uint8] | None,
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    first: int,
    stop: int,
    n_threads: int,
) -> None: ...
