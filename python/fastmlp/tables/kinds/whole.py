"""Whole numbers that go round or are codes, such as hours and months: the number, and a feature for each value.

They are told by their frequencies, which are about equal. Counts and marks, which are rare at the ends, do better as
numbers alone, and so does anything with few rows for each value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.saved import saved_number
from fastmlp.tables.kinds.base import STEP
from fastmlp.tables.kinds.column import Column
from fastmlp.tables.kinds.number import Number, robust

MOST_CODES = 60
ROWS_OF_CODE = 300
"""Fewest rows for each value, on average."""
RAREST_CODE = 0.5
"""Fewest rows of the rarest value, as a share of those of the commonest; the 31st comes in seven months of twelve."""


@dataclass(frozen=True)
class Code(Number):
    """A column of whole numbers without a gap, three at least, about equally frequent."""

    word: ClassVar[str] = "whole-number code"
    values: tuple[float, ...] = ()

    @classmethod
    def fit(cls, column: Column, rows: int) -> Code | None:
        """The codes of a column; None unless it has few whole numbers."""
        numbers = column.numbers_in_order
        if numbers is None or len(numbers) == 0:
            return None
        n = float(numbers[-1]) - float(numbers[0]) + 1
        if not 3 <= n <= min(MOST_CODES, rows / ROWS_OF_CODE):
            return None
        values, counts = np.unique(numbers, return_counts=True)
        if len(values) != n or (values != np.trunc(values)).any() or min(counts) < RAREST_CODE * max(counts):
            return None
        return cls(*robust(numbers), rows - len(numbers), column.style or "", values=tuple(values.tolist()))

    def features(self, name: str) -> list[str]:
        return super().features(name) + [f"{name}={value:.0f}" for value in self.values]

    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> tuple[int, int]:
        n = len(self.values)
        out[:, -n:] = STEP * (raw[:, None] == self.values)
        return super().write(raw, out[:, :-n])

    @property
    def details(self) -> str:
        return f"{len(self.values)} values: {', '.join(f'{value:.0f}' for value in self.values)}; {super().details}"

    def check(self) -> None:
        super().check()
        if not isinstance(self.values, tuple) or not 0 < len(self.values) <= MOST_CODES:
            raise TypeError(f"values must be a list of at most {MOST_CODES}")
        for value in self.values:
            saved_number({"value": value}, "value")
        if sorted(set(self.values)) != list(self.values):
            raise ValueError("values must be in order")
