"""The order of an epoch's samples, and which of them a chunk of batches takes."""

from __future__ import annotations

from collections.abc import Iterator

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
        self._limit = 4096  # steps: bounds the table of hyper-values
        self._n_steps = self._bounded(0.2 * seconds * 1e10 / max(flops_per_batch, 1.0))

    def _bounded(self, n_steps: float) -> int:
        return int(min(max(n_steps, 1.0), self._limit))

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """(first sample, one behind the last, number of batches) of each stretch of one epoch."""
        first = 0
        while first < self.n_samples:
            last = min(first + self._n_steps * self.batch_size, self.n_samples)
            yield first, last, count_batches(last - first, self.batch_size)
            first = last

    def took(self, n_steps: int, seconds: float) -> None:
        """Learn from the time that a stretch took."""
        if seconds > 0:
            self._n_steps = self._bounded(n_steps * self._seconds / seconds)
