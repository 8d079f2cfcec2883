"""Predictions for a few rows at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.machine.access import Access
from cnn_core.passes.batches import Source

class Predictor:
    def __init__(
        self,
        plan: dict[str, Any],
        layers: NDArray[Any],
        params: NDArray[np.uint8],
        statistics: NDArray[np.float64],
        work: NDArray[np.uint8],
        partials: NDArray[np.float64],
        sparse: NDArray[np.uint8] | None,
        X: Source,
        access: Access,
        empty: Callable[..., NDArray[Any]],
        dtype: np.dtype[Any],
        double_precision: bool,
        density: float,
    ) -> None: ...
    def __call__(self, X: NDArray[Any]) -> NDArray[Any] | None: ...
