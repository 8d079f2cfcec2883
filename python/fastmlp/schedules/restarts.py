"""Cosine annealing that starts again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.checks.values import Schedule, check_positive, check_value


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Cosine annealing with warm restarts (SGDR).

    Each cycle is half a cosine from ``initial`` to ``final``. The first lasts ``n_steps`` steps, every later one
    ``factor`` times as long as the one before.

    Parameters
    ----------
    initial : float
        Value at the start of each cycle, above 0.
    n_steps : int
        Steps of the first cycle.
    factor : float, default 1.0
        1 or more.
    final : float, default 0.0
        0 or more.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Loshchilov and Hutter, "SGDR", ICLR 2017.

    Examples
    --------
    >>> schedule = CosineRestarts(0.1, n_steps=100, factor=2)
    >>> [round(float(schedule(step)), 6) for step in (0, 50, 100, 200, 299, 300)]
    [0.1, 0.05, 0.1, 0.05, 6e-06, 0.1]
    """

    initial: float
    n_steps: int
    factor: float = 1.0
    final: float = 0.0

    def __post_init__(self) -> None:
        check_positive(initial=self.initial, n_steps=self.n_steps)
        check_value("factor", self.factor, low=1.0, schedule=False)
        check_value("final", self.final, low=0.0, schedule=False)

    def _start(self, cycle: Any) -> Any:
        """First step of a cycle: the sum of the lengths of all cycles before it."""
        return self.n_steps * (np.power(float(self.factor), cycle) - 1) / (self.factor - 1)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        step = np.asarray(step, dtype=np.float64)
        if self.factor == 1:
            done = step / self.n_steps % 1.0
        else:
            cycle = np.floor(np.log1p(step / self.n_steps * (self.factor - 1)) / np.log(float(self.factor)))
            cycle = cycle + (step >= self._start(cycle + 1))  # rounding may leave the logarithm just short
            length = self.n_steps * np.power(float(self.factor), cycle)
            done = np.clip((step - self._start(cycle)) / length, 0.0, 1.0)
        return self.final + (self.initial - self.final) * (1 + np.cos(math.pi * done)) / 2
