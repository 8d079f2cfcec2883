"""A few rows in memory, read by Python: the database takes tens of milliseconds to be asked about a single row.

Only what is plain is read here: columns of one type of Python, in a frame, a dict, an array or a list of dicts.
Anything else is left to the database, and so are all errors. Both give the same features.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.tables.formats.frames import ORIGIN
from fastmlp.tables.kinds.base import Kind, as_text
from fastmlp.tables.types import MISSING

MOST_ROWS = 64


class FewRows(NamedTuple):
    """Names of columns, and the values of each."""

    names: tuple[str, ...]
    columns: tuple[list[Any], ...]
    origin: str = ORIGIN

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.columns[0])


def few_rows(source: Any) -> FewRows | None:
    """The columns of an object with few rows; None for anything else or unusual."""
    if hasattr(type(source), "iloc") and hasattr(type(source), "columns"):  # pandas
        columns = [(name, source.iloc[:, j]) for j, name in enumerate(source.columns)] if _are_few(source) else []
    elif hasattr(type(source), "get_columns"):  # polars
        columns = [(each.name, each.to_list()) for each in source.get_columns()] if _are_few(source) else []
    elif isinstance(source, np.ndarray):
        plain = source.ndim == 2 and source.dtype.kind in "biuf" and _are_few(source)
        columns = [(f"column_{j}", source[:, j]) for j in range(source.shape[1])] if plain else []
    elif isinstance(source, list) and _are_few(source) and all(isinstance(row, Mapping) for row in source):
        names = dict.fromkeys(name for row in source for name in row)
        columns = [(name, [row.get(name) for row in source]) for name in names]
    else:
        columns = list(source.items()) if isinstance(source, Mapping) else []
        if not all(isinstance(values, (list, np.ndarray)) and _are_few(values) for _, values in columns):
            return None
    found = tuple(values if isinstance(values, list) else values.tolist() for _, values in columns)
    usual = all(isinstance(name, str) and name == name.strip() for name, _ in columns)
    if not usual or not found or len({*(name for name, _ in columns)}) < len(found) or len({*map(len, found)}) > 1:
        return None
    return FewRows(tuple(name for name, _ in columns), found)


def _are_few(rows: Any) -> bool:
    return 0 < len(rows) <= MOST_ROWS


def raw_values(kind: Kind, values: list[Any], null: Collection[str]) -> NDArray[Any] | None:
    """What the database would give for these values of a column; None if they are unusual."""
    present = [value for value in values if value is not None]
    types = set(map(type, present))
    if not (types <= {int, float} or types in ({str}, {bool}, {date}) or all(issubclass(t, datetime) for t in types)):
        return None
    raw = []
    for value in values:
        text = value.strip(" ") if isinstance(value, str) else value
        if text is None or text != text or text in MISSING or (null and as_text(text) in null):
            raw.append(kind.missing_raw)
            continue
        found = kind.raw(text)
        if found is None:
            return None
        raw.append(found)
    return np.array(raw)
