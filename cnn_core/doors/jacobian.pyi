"""Derivatives of the outputs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.workspace import Pass
from cnn_core.passes.batches import Source

def input_gradients(
    over: Pass,
    X: Source,
    out: NDArray[Any],
    first: int,
    stop: int,
) -> None: ...
def normal_equations(
    over: Pass,
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    rows: NDArray[np.float64],
    products: NDArray[np.float64],
    first: int,
    stop: int,
) -> None: ...
