"""Losses over a grid of parameters."""

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.workspace import Pass
from cnn_core.passes.batches import Source

def loss_surface(
    over: Pass,
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    axes: dict[str, int],
    grid_0: NDArray[np.float64],
    grid_1: NDArray[np.float64],
    losses__out: NDArray[np.float64],
    first: int,
    stop: int,
) -> None: ...
