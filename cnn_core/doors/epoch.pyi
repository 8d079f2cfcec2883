"""Training steps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Source

def has_threads() -> bool: ...

class Epochs:
    def __init__(
        self,
        plan: dict[str, Any],
        layers: NDArray[np.uint8],
        groups: NDArray[np.uint8],
        steps: NDArray[np.uint8],
        dropout_rates: NDArray[np.float64] | None,
        params: NDArray[np.uint8],
        gradients: NDArray[np.uint8] | None,
        state: NDArray[np.uint8] | None,
        statistics: NDArray[np.float64],
        work: NDArray[np.uint8],
        partials: NDArray[np.float64],
        sparse: NDArray[np.uint8] | None,
        copies: NDArray[np.uint8],
        kept_statistics: NDArray[np.float64],
        average: NDArray[np.uint8] | None,
        average_statistics: NDArray[np.float64] | None,
        bit_generator: np.random.BitGenerator,
        order: NDArray[np.int64] | None,
        records: NDArray[np.float64],
        batch_size: int,
        rule: int,
        nesterov: bool,
        options: dict[str, bool | int],
        penalised: bool,
        n_threads: int,
        double_precision: bool,
        mask_seed: int | None,
        first_mask: int,
        /,
    ) -> None: ...
    def begin(
        self, X: Source, y: Source, weights: NDArray[np.float64] | None, weight_of_all: float, /
    ) -> None: ...
    def run(self, n_steps: int) -> None: ...
    def position(self) -> tuple[int, int, int, int, float, float, int]: ...
    def go_to(
        self, seed: int, n_steps: int, n_epochs: int, first: int, best_loss: float, newest_loss: float, newest: int, /
    ) -> None: ...
    @property
    def n_steps(self) -> int: ...
    @property
    def first(self) -> int: ...
    @property
    def n_epochs(self) -> int: ...
    @property
    def is_finite(self) -> bool: ...
    @property
    def best(self) -> int: ...
