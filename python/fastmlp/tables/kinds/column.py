"""One column of a table, as the kinds see it: its values as SQL, and as arrays when a kind is fitted to them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable
from fastmlp.tables.database import column as sql_name
from fastmlp.tables.kinds.texts import NUMBER_STYLES, date_format, number_style
from fastmlp.tables.table import Table

MOST_LISTED = 1000
"""Different texts of a column that are looked at: the commonest."""


class Commonest(NamedTuple):
    """The commonest values of a column as texts, with their numbers of rows; how many there are, and rows with one."""

    texts: list[str]
    counts: NDArray[np.int64]
    distinct: int
    present: int


class Column:
    """A column of a table. A value is missing if it is NULL, or one of the texts ``null``."""

    def __init__(self, table: Table, position: int, null: Sequence[str] = ()) -> None:
        self.table = table
        self.name = table.names[position]
        self.type = table.types[position]
        self.is_text = self.type.startswith(("VARCHAR", "ENUM"))
        self.is_moment = self.type.startswith(("DATE", "TIME"))
        self.value = sql_name(position)
        if null:
            self.value = f"CASE WHEN try_cast({self.text} AS {table.enum(null)}) IS NULL THEN {self.value} END"

    @property
    def text(self) -> str:
        """SQL of the value as text, the same for a number whatever its type."""
        if self.type in ("FLOAT", "DOUBLE"):
            whole = f"try_cast({self.value} AS BIGINT)"
            return f"CASE WHEN {self.value} = {whole} THEN {whole}::VARCHAR ELSE ({self.value})::VARCHAR END"
        return f"({self.value})::VARCHAR"

    def number(self, style: str = "") -> str:
        """SQL of the value as DOUBLE; texts are read in this style, and are missing if they do not fit."""
        if self.is_text:
            return NUMBER_STYLES[style or "1,234.5"].sql(f"({self.value})::VARCHAR")
        return self._none("numbers") if self.is_moment else f"({self.value})::DOUBLE"

    def days(self, format: str = "") -> str:
        """SQL of the days since 1970 as DOUBLE; texts are read in this format, and are missing if they do not fit."""
        if self.is_text:
            text = f"({self.value})::VARCHAR"
            moment = f"try_strptime({text}, '{format}')" if format else f"try_cast({text} AS TIMESTAMP)"
            return f"epoch({moment}) / 86400"
        return f"epoch({self.value}) / 86400" if self.is_moment else self._none("dates")

    def _none(self, fitted: str) -> str:
        """SQL for a column of other values than in the fit: all must be missing."""
        if self.table.select({"n": f"count({self.value})"})["n"][0]:
            raise ValueError(
                f"{self.table.origin}: column {printable(self.name, 60)!r} holds values of type {self.type}, "
                f"but held {fitted} when the encoder was fitted"
            )
        return "NULL::DOUBLE"

    @functools.cached_property
    def commonest(self) -> Commonest:
        """The column's values as texts, the commonest first."""
        found = self.table.select(
            {"t": self.text, "n": "count(*)", "d": "count(*) OVER ()", "p": "(sum(count(*)) OVER ())::BIGINT"},
            f"WHERE {self.value} IS NOT NULL GROUP BY t ORDER BY n DESC, t LIMIT {MOST_LISTED}",
        )
        counts = np.asarray(found["n"], np.int64)
        total = (int(found["d"][0]), int(found["p"][0])) if len(counts) else (0, 0)
        return Commonest([str(text) for text in found["t"]], counts, *total)

    @functools.cached_property
    def style(self) -> str | None:
        """How the column's texts write numbers; None if they do not."""
        return number_style(self.commonest.texts, self.commonest.counts) if self.type == "VARCHAR" else None

    @functools.cached_property
    def format(self) -> str | None:
        """How the column's texts write dates or times; None if they do not."""
        if self.type != "VARCHAR" or self.style is not None:
            return None
        return date_format(self.commonest.texts, self.commonest.counts)

    @functools.cached_property
    def days_in_order(self) -> NDArray[np.float64] | None:
        """The dates that there are as days since 1970; None for a column of something else."""
        return self._in_order(self.days(self.format or "")) if self.is_moment or self.format is not None else None

    @functools.cached_property
    def numbers_in_order(self) -> NDArray[np.float64] | None:
        """The numbers that there are; None for a column of something else."""
        are_numbers = self.type != "BOOLEAN" and not (self.is_text or self.is_moment)
        return self._in_order(self.number(self.style or "")) if are_numbers or self.style is not None else None

    def _in_order(self, expression: str) -> NDArray[np.float64]:
        values = np.asarray(self.table.select({"v": f"coalesce({expression}, 'nan'::DOUBLE)"})["v"], np.float64)
        return np.sort(values[~np.isnan(values)])
