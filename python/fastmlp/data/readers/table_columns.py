"""Convert the fields of a column to numbers, block by block; errors say where a field does not fit.

The first field decides whether a column is numeric or text; all others must be
of the same kind. Numbers become float64 and texts small integers, so the fields
need not stay in memory.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.readers.csv_source import as_number
from fastmlp.data.readers.table_encoding import ColumnEncoding

MAX_CATEGORIES = 1000  # a column with more is an identifier or free text, not a category
_LONGEST_CATEGORY = 1000  # characters
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_N_LISTED = 5  # blanks listed in an error


class Places:
    """The line of every row, to name a field in errors: row from 1, line as in an editor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = array("q")

    def describe(self, row: int, column: str) -> str:
        """Name the field of ``row`` (from 0) in ``column``."""
        return f"row {row + 1} (line {self.lines[row]}), column {column!r:.100}"


class ColumnReader:
    """Collects the values of one column.

    ``kind`` and ``categories`` are those of ``ColumnEncoding`` if they are known
    in advance; ``None`` means that the file decides.
    """

    __slots__ = (
        "_as_text",
        "_codes",
        "_fixed",
        "_parts",
        "_places",
        "blank_rows",
        "kind",
        "n_blank",
        "name",
        "position",
    )

    def __init__(
        self,
        places: Places,
        name: str,
        position: int,
        kind: str | None = None,
        categories: Sequence[str] | None = None,
    ) -> None:
        self.name = name
        self.position = position
        self.kind = kind
        self.blank_rows: list[int] = []
        self.n_blank = 0
        self._places = places
        self._as_text = kind == "text"  # asked for, so numbers are categories too
        self._fixed = categories is not None
        self._codes = {category: code for code, category in enumerate(categories or ())}
        self._parts: list[NDArray[np.float64]] = []

    def add(self, fields: Sequence[str], first_row: int) -> None:
        """Add the fields of the next rows; ``ValueError`` names the first that does not fit."""
        if "" in fields:
            blank = [first_row + i for i, field in enumerate(fields) if not field]
            self.n_blank += len(blank)
            self.blank_rows += blank[: _N_LISTED - len(self.blank_rows)]
        if self.kind is None:
            first = next((field for field in fields if field), None)
            if first is None:
                return
            self.kind = "text" if as_number(first) is None else "numeric"
        convert = self._text_codes if self.kind == "text" else self._numbers
        self._parts.append(np.array(convert(fields, first_row), dtype=np.float64))

    def _numbers(self, fields: Sequence[str], first_row: int) -> list[float]:
        numbers = []
        for row, field in enumerate(fields, first_row):
            number = as_number(field) if field else 0.0
            if number is None:
                raise self._error(row, f"{field!r:.100} is text in a column of numbers")
            if not math.isfinite(number):
                raise self._error(row, f"{field!r:.100} is not a finite number")
            numbers.append(number)
        return numbers

    def _text_codes(self, fields: Sequence[str], first_row: int) -> list[int]:
        codes = self._codes
        for row, field in enumerate(fields, first_row):
            if field and field not in codes:
                self._check_new_category(field, row)
                codes[field] = len(codes)
        return [codes[field] if field else 0 for field in fields]

    def _check_new_category(self, field: str, row: int) -> None:
        number = as_number(field)
        if number is not None and not math.isfinite(number):
            raise self._error(row, f"{field!r:.100} is not a finite number")
        if self._fixed:
            known = _some(list(self._codes))
            raise self._error(row, f"{field!r:.100} is not one of the known categories ({known})")
        if number is not None and not self._as_text:
            raise self._error(
                row, f"{field!r:.100} is a number in a column of text; name it in categorical to read both as text"
            )
        if len(field) > _LONGEST_CATEGORY:
            raise self._error(row, f"a text of {len(field)} characters is too long for a category; drop the column")
        if len(self._codes) == MAX_CATEGORIES:
            raise ValueError(
                f"{self._places.path}: column {self.name!r:.100} has more than {MAX_CATEGORIES} different texts; "
                "drop it, or group its values"
            )

    def _error(self, row: int, problem: str) -> ValueError:
        return ValueError(f"{self._places.path}: {self._places.describe(row, self.name)}: {problem}")

    def finished(self) -> tuple[ColumnEncoding, NDArray[np.float64]]:
        """Return the encoding and the values: numbers, or indices into the sorted categories."""
        values = np.concatenate(self._parts)
        if self.kind == "numeric":
            return ColumnEncoding(self.name, self.position, "numeric"), values
        if self.kind == "integer":
            return self._as_classes(values, list(self._codes))
        names = list(self._codes)
        if not self._fixed:
            if all(_DECIMAL_COMMA.fullmatch(name) for name in names):
                raise ValueError(
                    f"{self._places.path}: column {self.name!r:.100} holds numbers with a decimal comma "
                    f"({names[0]:.50}); write them with a decimal point"
                )
            rank = np.argsort(np.argsort(np.array(names, dtype=object))).astype(np.float64)
            names.sort()
            values = rank[values.astype(np.intp)]
        return ColumnEncoding(self.name, self.position, "text", tuple(names)), values

    def finished_classes(self) -> tuple[ColumnEncoding, NDArray[np.float64]]:
        """Like ``finished``, with the distinct whole numbers of a numeric column as its categories."""
        encoding, values = self.finished()
        if encoding.kind != "numeric":
            return encoding, values
        different = np.unique(values)
        fraction = different[(different % 1 != 0) | (abs(different) >= 2**53)]
        if len(fraction):
            row = int(np.argmax(values == fraction[0]))
            raise self._error(row, f"{fraction[0]:g} is not a whole number; expected classes in the target")
        if len(different) > MAX_CATEGORIES:
            raise ValueError(
                f"{self._places.path}: target {self.name!r:.100} has {len(different)} different numbers; "
                f"expected {MAX_CATEGORIES} classes at most"
            )
        return self._as_classes(values, [str(int(number)) for number in different])

    def _as_classes(self, values: NDArray[np.float64], names: list[str]) -> tuple[ColumnEncoding, NDArray[np.float64]]:
        """Replace every number by its index in ``names``."""
        codes = {float(name): code for code, name in enumerate(names)}
        found = np.array([codes.get(value, -1) for value in values.tolist()], dtype=np.float64)
        if found.min() < 0:
            row = int(np.argmin(found))
            raise self._error(row, f"{values[row]:g} is not one of the known classes ({_some(names)})")
        return ColumnEncoding(self.name, self.position, "integer", tuple(names)), found


def _some(names: Sequence[str]) -> str:
    """List the first few names."""
    return ", ".join(f"{name!r:.60}" for name in names[:8]) + (", ..." if len(names) > 8 else "")


def check_blanks(columns: Sequence[ColumnReader], places: Places) -> None:
    """Raise ``ValueError`` with the number of blank fields and where the first few are."""
    n_blank = sum(column.n_blank for column in columns)
    if n_blank == 0:
        return
    first = sorted((row, column.position, column.name) for column in columns for row in column.blank_rows)
    listed = "; ".join(places.describe(row, name) for row, _, name in first[:_N_LISTED])
    more = "; ..." if n_blank > _N_LISTED else ""
    fields = "field is" if n_blank == 1 else "fields are"
    raise ValueError(f"{places.path}: {n_blank} {fields} blank: {listed}{more}. Fill them, or drop their rows first")
