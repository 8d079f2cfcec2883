"""Few whole numbers, which may be codes: the number, and beside it a feature for each value."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.saved import saved_number, saved_whole
from fastmlp.tables.kinds.base import indicators
from fastmlp.tables.kinds.category import RAREST
from fastmlp.tables.kinds.column import Column
from fastmlp.tables.kinds.number import Number, robust

MOST_CODES = 10
"""Columns with more different whole numbers are numbers alone."""


@dataclass(frozen=True)
class Code(Number):
    """A column of few whole numbers, three at least; the frequent ones have a feature each."""

    word: ClassVar[str] = "whole-number code"
    values: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()

    @classmethod
    def fit(cls, column: Column, rows: int) -> Code | None:
        """The codes of a column; None unless it has few whole numbers."""
        numbers = column.numbers_in_order
        if numbers is None:
            return None
        values, counts = np.unique(numbers, return_counts=True)
        if not 3 <= len(values) <= MOST_CODES or (values != np.trunc(values)).any():
            return None
        enough = counts >= max(RAREST[0], RAREST[1] * rows)
        if np.count_nonzero(enough) < 2:
            return None
        return cls(
            *robust(numbers), rows - len(numbers), rows, column.style or "",
            tuple(values[enough].tolist()), tuple(counts[enough].tolist()),
        )  # fmt: skip

    @functools.cached_property
    def _rows_of_features(self) -> NDArray[np.float64]:
        return indicators([*self.counts, max(self.rows - sum(self.counts), 0)])[:, :-1]

    def features(self, name: str) -> list[str]:
        return super().features(name) + [f"{name}={value:.0f}" for value in self.values]

    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> tuple[int, int]:
        n = len(self.values)
        found = np.searchsorted(self.values, raw)
        found[np.asarray(self.values)[np.minimum(found, n - 1)] != raw] = n
        out[:, -n:] = self._rows_of_features[found]
        return super().write(raw, out[:, :-n])

    @property
    def details(self) -> str:
        return f"{len(self.values)} values: {', '.join(f'{value:.0f}' for value in self.values)}; {super().details}"

    def check(self) -> None:
        super().check()
        for name in ("values", "counts"):
            if not isinstance(getattr(self, name), tuple) or not 2 <= len(getattr(self, name)) <= MOST_CODES:
                raise TypeError(f"{name} must be a list of 2 to {MOST_CODES}")
        if len(self.values) != len(self.counts):
            raise ValueError("counts must be as many as values")
        for value, count in zip(self.values, self.counts, strict=True):
            saved_number({"value": value}, "value")
            saved_whole({"count": count}, "count", 1)
        if sorted(set(self.values)) != list(self.values):
            raise ValueError("values must be in order")
