"""Which batches the core takes in one chunk."""

from __future__ import annotations


def count_batches(n_samples: int, batch_size: int) -> int:
    """Batches of an epoch, a ragged last one included."""
    return -(-n_samples // batch_size)


class Pace:
    """Cuts training into chunks that take about ``seconds`` each, by what the last one took.

    Between chunks Python gets its turn: Ctrl-C, progress, divergence. A chunk is a part of an epoch, or it ends
    with one.
    """

    def __init__(self, n_batches: int, flops_per_batch: float, seconds: float = 0.05) -> None:
        self.n_batches = n_batches
        self._seconds = seconds
        self._n_steps = self._bounded(0.2 * seconds * 1e10 / max(flops_per_batch, 1.0))

    def _bounded(self, n_steps: float) -> int:
        return int(min(max(n_steps, 1.0), 1e9))

    def n_steps(self, done: int, most: int) -> int:
        """Batches of the chunk that follows on the first ``done`` batches of the fit, ``most`` at the most."""
        wanted = min(self._n_steps, most)
        left = self.n_batches - done % self.n_batches  # of the epoch under way
        return wanted if wanted < left else wanted - (wanted - left) % self.n_batches

    def took(self, n_steps: int, seconds: float) -> None:
        """Learn from the time that a chunk took."""
        if seconds > 0:
            self._n_steps = self._bounded(n_steps * self._seconds / seconds)
