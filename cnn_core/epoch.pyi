"""Training steps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.batches import Source

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
    sparse: NDArray[np.uint8] | None,
    X: Source,
    y: Source,
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
