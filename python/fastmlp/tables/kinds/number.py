"""Numbers: scaled by median and quartiles, softly clipped, missing ones at the median with a feature that says so."""

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


@dataclass(frozen=True)
class Number(Kind):
    """A column of numbers, or of texts that are numbers in this ``style``."""

    word: ClassVar[str] = "number"
    centre: float
    scale: float
    missing: int
    style: str = ""

    @classmethod
    def fit(cls, column: Column, rows: int) -> Number | None:
        """The scaling of a column of numbers; None for other columns."""
        numbers = column.numbers_in_order
        return None if numbers is None else cls(*robust(numbers), rows - len(numbers), column.style or "")

    def expression(self, column: Column) -> str:
        return f"coalesce({column.number(self.style)}, 'nan'::DOUBLE)"

    def raw(self, value: Any) -> float | None:
        if isinstance(value, str):
            return NUMBER_STYLES[self.style or "1,234.5"].number(value)
        return float(value) if isinstance(value, (bool, int, float)) else None

    def features(self, name: str) -> list[str]:
        return [name] + ([f"{name}=(missing)"] if self.missing else [])

    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> tuple[int, int]:
        gone = np.isnan(raw)
        out[:, 0] = self.scaled(raw, gone)
        if self.missing:
            out[:, 1] = gone
        return int(np.count_nonzero(gone)), 0

    def scaled(self, raw: NDArray[Any], gone: NDArray[np.bool_]) -> NDArray[np.float64]:
        """The numbers scaled and softly clipped, between -3 and 3; 0 where they are missing."""
        with np.errstate(over="ignore"):
            z = (raw - self.centre) * self.scale
        z[gone] = 0.0
        np.clip(z, -FARTHEST, FARTHEST, out=z)
        return np.asarray(z / np.sqrt(1 + z * z / 9))

    @property
    def details(self) -> str:
        return f"centre {self.centre:.6g}, scale {1 / self.scale:.6g}" + (
            f", {self.missing} missing" if self.missing else ""
        )

    def check(self) -> None:
        saved_number(vars(self), "centre")
        if saved_number(vars(self), "scale", 0.0) == 0:
            raise ValueError("scale is 0, expected a number above 0")
        saved_whole(vars(self), "missing")
        if self.style not in ("", *NUMBER_STYLES):
            raise ValueError("style is unknown")


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
