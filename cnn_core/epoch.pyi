"""Training steps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

def has_threads() -> bool: ...
def run_epoch(
    plan: NDArray[Any],
    layers: NDArray[Any],
    groups: NDArray[Any],
    steps: NDArray[Any],
    params: NDArray[Any],
    gradients: NDArray[Any] | None,
    state: NDArray[Any] | None,
    statistics: NDArray[np.float64],
    work: NDArray[Any],
    partials: NDArray[np.float64],
    X: NDArray[np.uint8],
    X_dtype: int,
    shift: NDArray[np.uint8] | None,
    scale: NDArray[np.uint8] | None,
    y: NDArray[np.uint8],
    y_dtype: int,
    weights: NDArray[np.float64] | None,
    order: NDArray[np.int64] | None,
    first: int,
    last: int,
    batch_size: int,
    rule: int,
    nesterov: bool,
    direct: bool,
    seed: int,
    first_step: int,
    n_threads: int,
) -> None: ...
