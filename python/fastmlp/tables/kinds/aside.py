"""Columns that are set aside, with the reason: nothing in them, or nothing that would hold for other rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.tables.kinds.base import Kind
from fastmlp.tables.kinds.column import Column, Commonest

FEWEST = 20
"""Columns of fewer rows are no identifiers: so few values may well all be different."""
_NAMED = re.compile(r"(?i:(.*[\W_])?(id|index|idx|key|uuid|nr|no|number|row))|.*[a-z](ID|Id)")


@dataclass(frozen=True)
class Aside(Kind):
    """A column that has no features."""

    word: ClassVar[str] = "set aside"
    reason: str

    @classmethod
    def fit(cls, column: Column, rows: int) -> Aside | None:
        """Why a column is set aside; None if it is not."""
        if column.days_in_order is not None:
            reason = _of_values(column.days_in_order, rows)
        elif column.numbers_in_order is not None:
            reason = _of_numbers(column.numbers_in_order, column.name, rows)
        else:
            reason = _of_texts(column.commonest, rows)
        return cls(reason) if reason else None

    def expression(self, column: Column) -> str:
        return "0"

    def raw(self, value: Any) -> float | None:
        return 0

    def features(self, name: str) -> list[str]:
        return []

    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> tuple[int, int]:
        return 0, 0

    @property
    def details(self) -> str:
        return self.reason

    def check(self) -> None:
        if not isinstance(self.reason, str):
            raise TypeError("reason must be a text")


def _of_values(ordered: NDArray[np.float64], rows: int) -> str | None:
    if len(ordered) == 0:
        return "empty"
    return "constant" if ordered[0] == ordered[-1] and len(ordered) == rows else None


def _of_numbers(ordered: NDArray[np.float64], name: str, rows: int) -> str | None:
    if len(ordered) < max(rows, FEWEST) or (ordered != np.trunc(ordered)).any() or (np.diff(ordered) == 0).any():
        return _of_values(ordered, rows)
    if ordered[0] >= 0 and ordered[-1] < 2 * rows:
        return "row number"
    return "identifier" if _NAMED.fullmatch(name) else None


def _of_texts(values: Commonest, rows: int) -> str | None:
    if values.present == 0:
        return "empty"
    if values.distinct == 1:
        return "constant" if values.present == rows else None
    if values.distinct <= FEWEST or 2 * values.distinct <= values.present:
        return None
    if values.present <= 0.99 * rows:
        return None  # whether there is one may say something
    return "identifier" if values.distinct >= 0.95 * values.present else "text of many values"
