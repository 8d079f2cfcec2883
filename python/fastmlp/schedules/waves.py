"""Schedules with a length: a cosine, one cycle and four waves."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmlp.checks.values import check_positive, check_value
from fastmlp.schedules.length import WithLength


@dataclass(frozen=True)
class Cosine(WithLength):
    """Cosine annealing: half a cosine from ``initial`` to ``final`` over ``n_steps`` steps, then ``final``.

    Parameters
    ----------
    initial : float
        Value at step 0, above 0.
    n_steps : int, optional
        Default: as many as the fit has, so that its last step has the value ``final``.
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
    >>> schedule = Cosine(0.1, n_steps=100)
    >>> float(schedule(0)), round(float(schedule(50)), 6), float(schedule(1000))
    (0.1, 0.05, 0.0)
    """

    initial: float
    n_steps: float | None = None
    final: float = 0.0

    def __post_init__(self) -> None:
        check_positive(initial=self.initial)
        self._check_length()
        check_value("final", self.final, low=0.0, schedule=False)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        done = np.minimum(np.asarray(step) / self._length(), 1.0)
        return self.final + (self.initial - self.final) * (1 + np.cos(math.pi * done)) / 2


@dataclass(frozen=True)
class OneCycle(WithLength):
    """Rise in a straight line from ``peak / 25`` to ``peak``, then fall to 0 along a cosine.

    Parameters
    ----------
    peak : float
        Highest value, above 0.
    n_steps : int, optional
        Steps until 0 is reached. Default: the last step of the fit reaches it.
    warmup : float, default 0.3
        Share of ``n_steps`` spent rising, between 0 and 1.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Source: Smith and Topin, "Super-convergence", 2018.

    Examples
    --------
    >>> schedule = OneCycle(1.0, n_steps=100, warmup=0.3)
    >>> float(schedule(0)), float(schedule(30)), round(float(schedule(100)), 6)
    (0.04, 1.0, 0.0)
    """

    peak: float
    n_steps: float | None = None
    warmup: float = 0.3

    def __post_init__(self) -> None:
        check_positive(peak=self.peak)
        self._check_length()
        check_value("warmup", self.warmup, low=0.0, high=1.0, low_open=True, high_open=True, schedule=False)

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        done = np.minimum(np.asarray(step) / self._length(), 1.0)
        rising = self.peak * (0.04 + 0.96 * done / self.warmup)
        falling = self.peak * (1 + np.cos(math.pi * (done - self.warmup) / (1 - self.warmup))) / 2
        return np.where(done <= self.warmup, np.minimum(rising, self.peak), falling)


@dataclass(frozen=True)
class CosLog4(WithLength):
    """Four waves between 0 and ``peak``, each about twice as long as the one before, then 0.

    The value is ``peak / 2 * (1 - cos(2 pi log2(1 + 15 step / n_steps)))``: short waves at the start of training, a
    long one at the end.

    Parameters
    ----------
    peak : float
        Highest value, above 0.
    n_steps : int, optional
        Steps of the four waves together. Default: as many as the fit has.

    Raises
    ------
    ValueError, TypeError
        For an argument that is not a number above 0.

    Notes
    -----
    Source: coslog4 of RealMLP, Holzmueller, Grinsztajn and Steinwart, NeurIPS 2024.

    Examples
    --------
    >>> schedule = CosLog4(0.04, n_steps=150)
    >>> [round(float(schedule(step)), 3) for step in (0, 4, 10, 30, 70, 103, 150, 999)]
    [0.0, 0.04, 0.0, 0.0, 0.0, 0.04, 0.0, 0.0]
    """

    peak: float
    n_steps: float | None = None

    def __post_init__(self) -> None:
        check_positive(peak=self.peak)
        self._check_length()

    def __call__(self, step: Any) -> Any:
        """Value at the step(s)."""
        done = np.minimum(np.asarray(step) / self._length(), 1.0)
        return self.peak * (1 - np.cos(2 * math.pi * np.log2(1 + 15 * done))) / 2
