"""What became of the columns of a table, for a person to read."""

from __future__ import annotations

from typing import NamedTuple

from fastmlp.checks.errors import printable


class ColumnFacts(NamedTuple):
    """What became of a column."""

    name: str
    kind: str
    details: str
    features: tuple[str, ...]


class Explanation(tuple[ColumnFacts, ...]):
    """Facts of all columns; printed as a table."""

    def __str__(self) -> str:
        rows = [("column", "kind", "features", "details")]
        rows += [
            (printable(name, 30), kind, str(len(features)), printable(details, 90))
            for name, kind, details, features in self
        ]
        widths = [max(len(row[j]) for row in rows) for j in range(3)]
        return "\n".join("  ".join([*(row[j].ljust(widths[j]) for j in range(3)), row[3]]).rstrip() for row in rows)
