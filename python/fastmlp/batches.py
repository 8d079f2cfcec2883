"""The order of an epoch's samples, and which of them a chunk of batches takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def epoch_order(rng: np.random.Generator | None, order: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Shuffle the order of the last epoch in place; without a generator samples come as they are."""
    if rng is not None and order is not None:
        rng.shuffle(order)
    return order


def count_batches(n_samples: int, batch_size: int) -> int:
    """Batches of an epoch, a ragged last one included."""
    return -(-n_samples // batch_size)


class Chunks:
    """Cuts epochs into stretches of batches that take about ``seconds`` each, by what the last one took.

    Between stretches Python gets its turn: Ctrl-C, progress, divergence.
    """

    def __init__(self, n_samples: int, batch_size: int, flops_per_batch: float, seconds: float = 0.05) -> None:
        self.n_samples = n_samples
        self.batch_size = batch_size
        self._seconds = seconds
        self._n_steps = self._bounded(0.2 * seconds * 1e10 / max(flops_per_batch, 1.0))

    def _bounded(self, n_steps: float) -> int:
        return int(min(max(n_steps, 1.0), 1e9))

    def n_steps(self, first: int) -> int:
        """Batches of the stretch that begins with sample number `first` of the epoch."""
        return min(self._n_steps, count_batches(self.n_samples - first, self.batch_size))

    def took(self, n_steps: int, seconds: float) -> None:
        """Learn from the time that a stretch took."""
        if seconds > 0:
            self._n_steps = self._bounded(n_steps * self._seconds / seconds)
