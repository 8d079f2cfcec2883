"""Numbers: scaled by median and quartiles, softly clipped, missing ones at the median with a feature that says so.

The soft clip leaves little of numbers that are far out. Where there are some, the scaled number is a feature, too.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.saved import saved_number, saved_whole
from fastmlp.tables.kinds.base import Kind
from fastmlp.tables.kinds.column import Column
from fastmlp.tables.kinds.texts import NUMBER_STYLES

FARTHEST = 1e6
"""Scaled numbers are cut here, far beyond where the soft clip ends at 3; so infinity is a large number."""
FAR = 10.0
"""A column with scaled numbers beyond this has a feature without the clip."""


@dataclass(frozen=True)
class Number(Kind):
    """A column of numbers, or of texts that are numbers in this ``style``.

    If some are far out, ``reach`` is the farthest scaled number and ``spread`` the standard deviation; else they are 0.
    """

    word: ClassVar[str] = "number"
    centre: float
    scale: float
    missing: int
    style: str = ""
    reach: float = 0.0
    spread: float = 0.0

    @classmethod
    def fit(cls, column: Column, rows: int) -> Number | None:
        """The scaling of a column of numbers; None for other columns."""
        numbers = column.numbers_in_order
        if numbers is None:
            return None
        centre, scale = robust(numbers)
        z = _scaled(numbers[np.isfinite(numbers)], centre, scale)
        reach, spread = (float(abs(z).max()), float(z.std())) if len(z) and max(-z[0], z[-1]) > FAR else (0.0, 0.0)
        return cls(centre, scale, rows - len(numbers), column.style or "", reach, spread)

    def expression(self, column: Column) -> str:
        return f"coalesce({column.number(self.style)}, 'nan'::DOUBLE)"

    def raw(self, value: Any) -> float | None:
        if isinstance(value, str):
            return NUMBER_STYLES[self.style or "1,234.5"].number(value)
        return float(value) if isinstance(value, (bool, int, float)) else None

    def features(self, name: str) -> list[str]:
        return [name] + [f"{name} unclipped"] * (self.reach > 0) + [f"{name}=(missing)"] * (self.missing > 0)

    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> tuple[int, int]:
        gone = np.isnan(raw)
        z = _scaled(raw, self.centre, self.scale)
        z[gone] = 0.0
        out[:, 0] = z / np.sqrt(1 + z * z / 9)
        if self.reach:
            out[:, 1] = np.clip(z, -self.reach, self.reach) / self.spread
        if self.missing:
            out[:, 1 + (self.reach > 0)] = gone
        return int(np.count_nonzero(gone)), 0

    @property
    def details(self) -> str:
        far = f", {self.reach:.3g} scales out at most" if self.reach else ""
        missing = f", {self.missing} missing" if self.missing else ""
        return f"centre {self.centre:.6g}, scale {1 / self.scale:.6g}{far}{missing}"

    def check(self) -> None:
        saved_number(vars(self), "centre")
        if saved_number(vars(self), "scale", 0.0) == 0:
            raise ValueError("scale is 0, expected a number above 0")
        saved_whole(vars(self), "missing")
        reach, spread = (saved_number(vars(self), name, 0.0) for name in ("reach", "spread"))
        if max(reach, spread) > FARTHEST or reach > FARTHEST * spread:
            raise ValueError(f"reach is {reach:g} and spread is {spread:g}; reach must be at most {FARTHEST:g} of each")
        if self.style not in ("", *NUMBER_STYLES):
            raise ValueError("style is unknown")


def _scaled(numbers: NDArray[np.float64], centre: float, scale: float) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.clip((numbers - centre) * scale, -FARTHEST, FARTHEST)


def robust(ordered: NDArray[np.float64]) -> tuple[float, float]:
    """Centre and scale of numbers in order: the median, and one over the distance of the quartiles.

    If these are equal, the distance of the quartiles of the other values counts, or the range. Two values become -0.5
    and 0.5.

    >>> robust(np.array([0.0, 1.0, 2.0, 3.0, 4.0])), robust(np.array([0.0, 0.0, 0.0, 10.0]))
    ((2.0, 0.5), (5.0, 0.1))
    """
    finite = ordered[np.isfinite(ordered)]
    if len(finite) == 0:
        return 0.0, 1.0
    low, centre, high = np.quantile(finite, [0.25, 0.5, 0.75]).tolist()
    first, last = float(finite[0]), float(finite[-1])
    if np.all((finite == first) | (finite == last)):
        low, centre, high = first, first / 2 + last / 2, last
    elif low == high:
        low, high = np.quantile(finite[finite != centre], [0.25, 0.75]).tolist()
    if low == high:
        low, high = first / 2, last / 2
    half = high / 2 - low / 2  # the whole may overflow
    return centre, min(0.5 / half, sys.float_info.max) if half > 0 else 1.0
