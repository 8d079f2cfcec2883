"""Categories: a feature for each, rare ones together, missing ones by themselves; or one code for a lookup table."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import some_names
from fastmlp.checks.saved import saved_whole
from fastmlp.tables.kinds.base import STEP, Kind, as_text
from fastmlp.tables.kinds.column import MOST_LISTED, Column

RAREST = (5, 0.001)
"""Categories with fewer rows than this, or than this share of all rows, are taken together."""
_BOOLEANS = [{"no", "yes"}, {"n", "y"}, {"false", "true"}, {"f", "t"}, {"0", "1"}]


@dataclass(frozen=True)
class Category(Kind):
    """A column of categories: the first ``kept`` of ``values`` have their own feature, the other ones a common one."""

    word: ClassVar[str] = "category"
    missing_raw: ClassVar[float] = 0
    values: tuple[str, ...]
    kept: int
    others: int
    missing: int
    coded: bool

    @classmethod
    def fit(cls, column: Column, rows: int, coded: bool = False, most: int = 100) -> Category:
        """The categories of a column and what becomes of them."""
        texts, counts, _, present = column.commonest
        enough = counts >= max(RAREST[0], RAREST[1] * rows)
        kept = len(texts) if len(texts) <= 2 else min(int(np.count_nonzero(enough)), most)
        order = sorted(range(kept), key=lambda i: texts[i]) + list(range(kept, len(texts)))
        return cls(
            tuple(texts[i] for i in order), kept,
            present - int(counts[:kept].sum()), rows - present, coded,
        )  # fmt: skip

    @functools.cached_property
    def levels(self) -> list[str]:
        """The names of what is told apart: the values kept, the others, missing."""
        extra = ["(other)"] * (self.others > 0) + ["(missing)"] * (self.missing > 0)
        return [*self.values[: self.kept], *extra]

    @functools.cached_property
    def _rows_of_features(self) -> NDArray[np.float64]:
        """The features of each code in the database: missing, unseen, then those of ``values``."""
        n, gone = len(self.levels), self.kept + (self.others > 0)
        other = self.kept if self.others else n
        levels = [gone if self.missing else n, other, *range(self.kept), *[other] * (len(self.values) - self.kept)]
        if n == 2:
            features = np.array([[-STEP], [STEP], [0.0]])
        elif self.coded:
            features = np.append(np.arange(1.0, n + 1), 0.0)[:, None]
        else:
            features = STEP * np.eye(n + 1, n)
        return features[levels]

    @functools.cached_property
    def _codes(self) -> dict[str, int]:
        return {text: code for code, text in enumerate(self.values, 2)}

    def expression(self, column: Column) -> str:
        code = f"coalesce(enum_code(try_cast({column.text} AS {column.table.enum(self.values)}))::INTEGER + 2, 1)"
        return f"CASE WHEN {column.value} IS NULL THEN 0 ELSE {code} END"

    def raw(self, value: Any) -> float | None:
        text = as_text(value)
        return None if text is None else self._codes.get(text, 1)

    def features(self, name: str) -> list[str]:
        if len(self.levels) == 2:
            return [f"{name}={self.levels[1]}"]
        return [name] if self.coded else [f"{name}={level}" for level in self.levels]

    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> tuple[int, int]:
        out[...] = self._rows_of_features.take(raw, axis=0)  # twice as fast as by brackets
        return int(np.count_nonzero(raw == 0)), int(np.count_nonzero(raw == 1))

    @property
    def details(self) -> str:
        return f"{len(self.values)} values: {some_names(self.values, 4)}" + (
            f", {self.missing} missing" if self.missing else ""
        )

    def check(self) -> None:
        if not isinstance(self.values, tuple) or len(self.values) > MOST_LISTED:
            raise TypeError(f"values must be a list of at most {MOST_LISTED}")
        if not all(isinstance(value, str) for value in self.values) or len(set(self.values)) != len(self.values):
            raise ValueError("values must be different texts")
        "".join(self.values).encode()  # raises UnicodeEncodeError, a ValueError, for half a surrogate pair
        if type(self.coded) is not bool:
            raise TypeError("coded must be true or false")
        saved_whole(vars(self), "kept", 0, len(self.values))
        saved_whole(vars(self), "others", int(self.kept < len(self.values)))
        saved_whole(vars(self), "missing")
        if not self.levels:
            raise ValueError("a category needs values")
