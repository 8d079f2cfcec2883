"""Derivatives of the outputs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Source

def input_gradients(
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
def normal_equations(
    plan: dict[str, Any],
    layers: NDArray[Any],
    params: NDArray[np.float64],
    statistics: NDArray[np.float64],
    work: NDArray[np.float64],
    partials: NDArray[np.float64],
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    rows: NDArray[np.float64],
    products: NDArray[np.float64],
    first: int,
    stop: int,
    n_threads: int,
) -> None: ...
