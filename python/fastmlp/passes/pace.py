"""How much the core does in one call: which batches of a fit, or which tiles of another pass.

A long call would delay Ctrl-C. So each call of the core takes about 50 ms, and Python checks in between. Results are
the same to the bit, wherever the cuts are.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator


def count_batches(n_samples: int, batch_size: int, least_rows: int = 1) -> int:
    """Number of batches of an epoch; ``least_rows`` of the last one, fewer are part of the batch before.

    >>> count_batches(97, 32), count_batches(97, 32, 16), count_batches(5, 32, 16)
    (4, 3, 1)
    """
    return max(1, n_samples // batch_size + (n_samples % batch_size >= least_rows))


class Pace:
    """Cuts training into chunks of about ``seconds`` each, based on the time of the last one.

    Between chunks Python handles Ctrl-C, progress and divergence. A chunk is a part of an epoch, or ends with one.
    """

    def __init__(self, n_batches: int, flops_per_batch: float, seconds: float = 0.05) -> None:
        self.n_batches = n_batches
        self._seconds = seconds
        self._n_steps = self._bounded(0.2 * seconds * 1e10 / max(flops_per_batch, 1.0))

    def _bounded(self, n_steps: float) -> int:
        return int(min(max(n_steps, 1.0), 1e9))

    def n_steps(self, done: int, most: int) -> int:
        """Number of batches in the next chunk, at most ``most``, after ``done`` batches of the fit."""
        wanted = min(self._n_steps, most)
        left = self.n_batches - done % self.n_batches  # of the current epoch
        return wanted if wanted < left else wanted - (wanted - left) % self.n_batches

    def took(self, n_steps: int, seconds: float) -> None:
        """Adapt to the time that a chunk took."""
        if seconds > 0:
            self._n_steps = self._bounded(n_steps * self._seconds / seconds)


SMALL = 1e8
"""Multiplications that always fit in one call: about 10 ms."""


def in_pieces(n_tiles: int, n_threads: int, effort: float) -> Iterable[tuple[int, int]]:
    """Ranges ``(first, stop)`` of tiles that take about 50 ms each; ``effort``: multiplications of a tile.

    All but the last have at least one tile for each thread, so that no thread is idle.

    >>> list(in_pieces(10, 2, 1e3)), next(iter(in_pieces(10, 2, 1e9)))
    ([(0, 10)], (0, 2))
    """
    return ((0, n_tiles),) if effort * n_tiles <= SMALL else _paced(n_tiles, n_threads, effort)


def _paced(n_tiles: int, n_threads: int, effort: float) -> Iterator[tuple[int, int]]:
    """Ranges of tiles, sized by the time of the last one."""
    n_rounds = -(-n_tiles // n_threads)
    pace = Pace(n_rounds, effort * n_threads)
    done = 0
    while done < n_rounds:
        n = pace.n_steps(done, n_rounds - done)
        start = time.perf_counter()
        yield done * n_threads, min((done + n) * n_threads, n_tiles)
        pace.took(n, time.perf_counter() - start)
        done += n
