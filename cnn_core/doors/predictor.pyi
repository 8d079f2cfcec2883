"""Predictions for a few rows at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.workspace import Pass
from cnn_core.machine.access import Access
from cnn_core.passes.batches import Source

class Predictor:
    def __init__(
        self,
        over: Pass,
        X: Source,
        access: Access,
        empty: Callable[..., NDArray[Any]],
        dtype: np.dtype[Any],
        density: float,
        bound: float,
    ) -> None: ...
    def __call__(self, X: NDArray[Any]) -> NDArray[Any] | None: ...
