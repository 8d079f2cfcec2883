"""How the columns of a table become numbers, as a value that can be stored.

``read_csv`` returns a ``TableEncoding`` with every table. Passed to ``read_csv``
again, it encodes another file (test data, or rows to predict) into the same
features. It can be converted to plain dictionaries and back, to store it with a
network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = ("numeric", "text", "integer")
_INTEGER = re.compile(r"-?[0-9]{1,16}")  # as many digits as float64 represents exactly


@dataclass(frozen=True)
class ColumnEncoding:
    """One column of the file.

    ``kind`` is ``"numeric"`` (the number itself), ``"text"`` (one of
    ``categories``) or, for a target only, ``"integer"`` (a whole number that is
    one of ``categories``). ``position`` counts the columns of the file from 0.
    """

    name: str
    position: int
    kind: str
    categories: tuple[str, ...] = ()

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features of this column: its own name, or one per category.

        >>> ColumnEncoding("colour", 0, "text", ("blue", "red")).feature_names
        ('colour=blue', 'colour=red')
        """
        if self.kind == "numeric":
            return (self.name,)
        return tuple(f"{self.name}={category}" for category in self.categories)


@dataclass(frozen=True)
class TableEncoding:
    """The input columns in the order of the features, the target (``None`` without one), the width of the file."""

    columns: tuple[ColumnEncoding, ...]
    target: ColumnEncoding | None
    n_columns: int

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all features, in the order of the columns of ``X``."""
        return tuple(name for column in self.columns for name in column.feature_names)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes; ``None`` if the target is a number or absent."""
        return self.target.categories if self.target and self.target.kind != "numeric" else None

    def to_dict(self) -> dict[str, Any]:
        """Return the encoding as dictionaries, lists, strings and integers, ready for JSON.

        >>> encoding = TableEncoding((ColumnEncoding("age", 0, "numeric"),), None, 1)
        >>> TableEncoding.from_dict(encoding.to_dict()) == encoding
        True
        """
        return {
            "columns": [_column_to_dict(column) for column in self.columns],
            "target": None if self.target is None else _column_to_dict(self.target),
            "n_columns": self.n_columns,
        }

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> TableEncoding:
        """Build the encoding from the result of ``to_dict``; ``ValueError`` for anything else."""
        try:
            columns = tuple(_column_from_dict(column) for column in description["columns"])
            target, n_columns = description["target"], description["n_columns"]
            encoding = cls(columns, None if target is None else _column_from_dict(target), n_columns)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"description is not that of a table encoding ({error!r})") from None
        everything = [*encoding.columns, *([encoding.target] if encoding.target else [])]
        if not encoding.columns or type(n_columns) is not int:
            raise ValueError("description of a table encoding needs columns, and an integer n_columns")
        if any(column.kind == "integer" for column in encoding.columns):
            raise ValueError("description has an input column of kind 'integer'; only a target can have it")
        for key in ("name", "position"):
            if len({getattr(column, key) for column in everything}) != len(everything):
                raise ValueError(f"description has two columns with the same {key}")
        if not all(0 <= column.position < n_columns for column in everything):
            raise ValueError(f"description has a column outside its {n_columns} columns")
        return encoding


def _column_to_dict(column: ColumnEncoding) -> dict[str, Any]:
    return {
        "name": column.name,
        "position": column.position,
        "kind": column.kind,
        "categories": list(column.categories),
    }


def _column_from_dict(description: Mapping[str, Any]) -> ColumnEncoding:
    column = ColumnEncoding(
        description["name"],
        description["position"],
        description["kind"],
        tuple(description["categories"]),
    )
    strings = (column.name, *column.categories)
    if not all(isinstance(text, str) for text in strings) or type(column.position) is not int:
        raise ValueError(f"column {column.name!r}: expected text as name and categories, integer position")
    if column.kind not in KINDS or bool(column.categories) != (column.kind != "numeric"):
        raise ValueError(
            f"column {column.name!r} has kind {column.kind!r} and {len(column.categories)} categories; "
            f"expected a kind of {', '.join(KINDS)}, and categories unless it is numeric"
        )
    if column.kind == "integer" and not all(_INTEGER.fullmatch(category) for category in column.categories):
        raise ValueError(f"column {column.name!r} has kind 'integer', but its categories are not whole numbers")
    if len(set(column.categories)) != len(column.categories):
        raise ValueError(f"column {column.name!r} has the same category twice")
    return column
