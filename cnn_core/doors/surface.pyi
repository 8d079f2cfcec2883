"""Losses over a grid of parameters."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Source

def loss_surface(
    plan: dict[str, Any],
    layers: NDArray[Any],
    params: NDArray[Any],
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    index_0: int,
    index_1: int,
    layer: int,
    row: int,
    column: int,
    grid_0: NDArray[np.float64],
    grid_1: NDArray[np.float64],
    losses__out: NDArray[np.float64],
    first: int,
    stop: int,
    n_threads: int,
) -> None: ...
