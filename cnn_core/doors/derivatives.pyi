"""Gradients returned to the caller."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.workspace import Pass
from cnn_core.passes.batches import Source

def gradient(
    over: Pass,
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    gradients: NDArray[Any],
    alpha: float,
    behaviour: Any,
    first: int,
    stop: int,
) -> None: ...
def sample_gradients(
    over: Pass,
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    gradients__out: NDArray[Any],
    first: int,
    stop: int,
) -> None: ...
