"""Cosine annealing that starts again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastmlp.checks.errors import shown
from fastmlp.checks.values import Schedule, check_size, check_value
from fastmlp.schedules.length import WithLength

DEFAULT_CYCLES = 4
"""Cycles in a fit, if neither their number nor their length is given."""
MOST_PARTS = 1e9
"""The first cycle is at least this part of the fit."""
FOR_EVER = 1e30
"""A cycle longer than the one before by this factor has no end: no fit has as many steps."""


@dataclass(frozen=True)
class CosineRestarts(WithLength):
    """Cosine annealing with warm restarts (SGDR).

    Each cycle is half a cosine from ``initial`` to ``final``. The first lasts ``n_steps`` steps, every later one
    ``factor`` times as long as the one before.

    Parameters
    ----------
    initial : float
        Value at the start of each cycle, above 0.
    n_steps : int, optional
        Steps of the first cycle. Default: ``n_cycles`` cycles take the whole fit, and its last step has the value
        ``final``.
    factor : float, default 1.0
        1 or more.
    final : float, default 0.0
        0 or more.
    n_cycles : int, optional
        Number of cycles; after them the value stays ``final``. Default: without an end, or 4 cycles if there is no
        ``n_steps``.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges, or if the cycles grow so fast that the first would be a billionth of a fit.

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
    n_steps: float | None = None
    factor: float = 1.0
    final: float = 0.0
    n_cycles: int | None = None

    def __post_init__(self) -> None:
        check_value("initial", self.initial, low=0.0, low_open=True, schedule=False)
        self._check_length()
        check_value("factor", self.factor, low=1.0, schedule=False)
        check_value("final", self.final, low=0.0, schedule=False)
        if self.n_cycles is not None:
            check_size("n_cycles", self.n_cycles)
        if self.n_steps is None and self._parts() > MOST_PARTS:
            raise ValueError(
                f"factor={shown(self.factor)} and n_cycles={shown(self.n_cycles)} make the first cycle too short a "
                "part of any fit; lower one of them, or give n_steps"
            )

    def _parts(self) -> float:
        """All cycles together, in lengths of the first one."""
        n_cycles, factor = self.n_cycles or DEFAULT_CYCLES, float(self.factor)
        if factor == 1:
            return float(n_cycles)
        with np.errstate(over="ignore"):
            return float((np.power(factor, n_cycles) - 1) / (factor - 1))

    def _of_length(self, length: int) -> Schedule:
        """The same schedule, whose last cycle ends at this step."""
        return replace(self, n_steps=length / self._parts(), n_cycles=self.n_cycles or DEFAULT_CYCLES)

    def _start(self, cycle: Any) -> Any:
        """First step of a cycle: the sum of the lengths of all cycles before it."""
        factor = self._growth()
        return self._length() * (np.power(factor, cycle) - 1) / (factor - 1)

    def _growth(self) -> float:
        """``factor``, or less where its powers would overflow."""
        return min(float(self.factor), FOR_EVER)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        step, n_steps, factor = np.asarray(step, dtype=np.float64), self._length(), self._growth()
        if factor == 1:
            cycle = np.floor(step / n_steps)
            done = step / n_steps % 1.0
        else:
            cycle = np.floor(np.log1p(step / n_steps * (factor - 1)) / np.log(factor))
            cycle = cycle + (step >= self._start(cycle + 1))  # rounding may leave the logarithm just short
            length = n_steps * np.power(factor, cycle)
            done = np.clip((step - self._start(cycle)) / length, 0.0, 1.0)
        if self.n_cycles is not None:
            done = np.where(cycle < self.n_cycles, done, 1.0)
        return self.final + (self.initial - self.final) * (1 + np.cos(math.pi * done)) / 2
