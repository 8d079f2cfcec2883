"""Gradients for the caller."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Source

def gradient(
    plan: dict[str, Any],
    layers: NDArray[Any],
    params: NDArray[Any],
    gradients: NDArray[Any],
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    sparse: NDArray[np.uint8] | None,
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    alpha: float,
    dropout_factor: float,
    dropout_key: int,
    first: int,
    stop: int,
    n_threads: int,
) -> None: ...
def sample_gradients(
    plan: dict[str, Any],
    layers: NDArray[Any],
    params: NDArray[Any],
    gradients__out: NDArray[Any],
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    sparse: NDArray[np.uint8] | None,
    X: Source,
    y: Source,
    first: int,
    stop: int,
    n_threads: int,
) -> None: ...
