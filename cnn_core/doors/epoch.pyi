"""Training steps."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.workspace import Pass
from cnn_core.passes.batches import Source

class Epochs:
    def __init__(
        self,
        over: Pass,
        options: dict[str, bool | int],
        groups: NDArray[np.uint8],
        table: tuple[NDArray[np.uint8], NDArray[np.float64] | None],
        gradients: NDArray[Any] | None,
        state: NDArray[Any] | None,
        kept: tuple[NDArray[Any], NDArray[np.float64]],
        average: tuple[NDArray[Any], NDArray[np.float64]] | None,
        draws: tuple[np.random.BitGenerator, NDArray[np.int64] | None, int | None, int],
        records: NDArray[np.float64],
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
    def was_left(self) -> bool: ...
    @property
    def best(self) -> int: ...
