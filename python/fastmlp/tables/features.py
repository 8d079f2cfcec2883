"""Features of the rows of one table, from a fitted encoder."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from fastmlp.checks.errors import some_names
from fastmlp.tables.few_rows import FewRows, raw_values
from fastmlp.tables.kinds.base import Kind
from fastmlp.tables.kinds.column import Column
from fastmlp.tables.table import Table


class Notes(NamedTuple):
    """What an encoding met: rows, and by column the values missing and those that the fit had not seen."""

    rows: int
    missing: Counter[str]
    unseen: Counter[str]


class Encoding:
    """A fitted encoder at work on one table: what to ask of it, and its blocks as rows of a matrix."""

    def __init__(self, kinds: Mapping[str, Kind], null: Sequence[str | float], table: Table | FewRows) -> None:
        columns = ((name, kind, len(kind.features(name))) for name, kind in kinds.items())
        self._columns = [column for column in columns if column[2]]
        lost = [name for name, _, _ in self._columns if name not in table.names]
        if lost:
            raise ValueError(f"{table.origin} lacks the columns {some_names(lost)}; it has {some_names(table.names)}")
        self._table: Any = table
        self._null = null_texts(null)
        self.n_features = sum(width for _, _, width in self._columns)
        self.notes = Notes(0, Counter(), Counter())

    @functools.cached_property
    def expressions(self) -> dict[str, str]:
        """What to ask of the table, by the name that `write` takes it under."""
        names = self._table.names
        return {
            f"x{j}": kind.expression(Column(self._table, names.index(name), self._null))
            for j, (name, kind, _) in enumerate(self._columns)
        }

    def block_of(self, few: FewRows) -> dict[str, NDArray[Any]] | None:
        """The same values of a few rows; None if only the database can tell them."""
        block = {}
        for j, (name, kind, _) in enumerate(self._columns):
            raw = raw_values(kind, few.columns[few.names.index(name)], self._null)
            if raw is None:
                return None
            block[f"x{j}"] = raw
        return block

    def write(self, block: Mapping[str, NDArray[Any]], out: NDArray[Any]) -> None:
        """Fill rows of the matrix from a block of values of the expressions, and count."""
        start = 0
        missing, unseen = self.notes.missing, self.notes.unseen
        for j, (name, kind, width) in enumerate(self._columns):
            n_missing, n_unseen = kind.write(block[f"x{j}"], out[:, start : start + width])
            missing.update({name: n_missing} if n_missing else {})
            unseen.update({name: n_unseen} if n_unseen else {})
            start += width
        self.notes = Notes(self.notes.rows + len(out), missing, unseen)


def null_texts(null: Sequence[str | float]) -> list[str]:
    """The texts of values that mean "missing", a number without needless decimals."""
    return [str(int(value)) if isinstance(value, float) and value.is_integer() else str(value) for value in null]
