"""Predictions and losses."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.workspace import Pass
from cnn_core.passes.batches import Source

def predict(
    over: Pass,
    X: Source,
    out: NDArray[Any],
    first: int,
    stop: int,
) -> None: ...
def activations(
    over: Pass,
    X: Source,
    out: NDArray[Any],
    first: int,
    stop: int,
) -> None: ...
def evaluate(
    over: Pass,
    X: Source,
    y: Source,
    weights: NDArray[np.float64] | None,
    first: int,
    stop: int,
) -> None: ...
