"""How much the core does in one call: which batches of a fit, which tiles of a pass without training.

A call that took long would keep Ctrl-C waiting. So the core is called for about 50 ms at a time, and Python looks in
between. Results are the same to the bit, wherever the cuts are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator


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


SMALL = 1e8
"""Multiplications that one call may take on any machine: about 10 ms."""


def in_pieces(n_tiles: int, n_threads: int, effort: float) -> Iterable[tuple[int, int]]:
    """Stretches ``(first, stop)`` of tiles that take about 50 ms each; ``effort``: multiplications of a tile.

    All but the last have a tile for each thread, so that none has to wait.

    >>> list(in_pieces(10, 2, 1e3)), next(iter(in_pieces(10, 2, 1e9)))
    ([(0, 10)], (0, 2))
    """
    return ((0, n_tiles),) if effort * n_tiles <= SMALL else _paced(n_tiles, n_threads, effort)


def _paced(n_tiles: int, n_threads: int, effort: float) -> Iterator[tuple[int, int]]:
    """As many at a time as the last ones' time makes advisable."""
    n_rounds = -(-n_tiles // n_threads)
    pace = Pace(n_rounds, effort * n_threads)
    done = 0
    while done < n_rounds:
        n = pace.n_steps(done, n_rounds - done)
        start = time.perf_counter()
        yield done * n_threads, min((done + n) * n_threads, n_tiles)
        pace.took(n, time.perf_counter() - start)
        done += n
