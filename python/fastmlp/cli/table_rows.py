"""The rows of a table for a model: its inputs and targets, what was filled in them, and columns to copy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable, shown, some_names
from fastmlp.cli import report
from fastmlp.cli.models import Model
from fastmlp.cli.sources import plain
from fastmlp.cli.streamed_problem import is_large
from fastmlp.cli.table_options import Reading
from fastmlp.cli.table_problem import known_name
from fastmlp.tables.database import column, connect
from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.features import Encoding, Notes
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table

_SHOWN = 6  # columns named in the warning


class TableRows:
    """A table as a model needs it, read block by block if it is large."""

    def __init__(self, model: Model, path: str, reading: Reading) -> None:
        null = () if model.encoder is None else tuple(model.encoder.null)
        known = [] if model.encoder is None else list(dict.fromkeys(model.encoder.source_columns()))
        arguments = reading.arguments() | {"null": (*null, *reading.null), "drop": known}
        self.is_large = is_large(path)
        self.table = open_table(connect(), path, Options(**arguments, lazy=self.is_large))
        self.table.names = _without_target(self.table.names, model)
        self.model = model
        self.notes = Notes(0, Counter(), Counter())

    def blocks(self) -> Iterator[NDArray[Any]]:
        """The rows as matrices; what is missing or unknown in them is counted."""
        encoder = self.model.encoder
        if encoder is None:
            yield self._numbers()
        elif self.is_large and isinstance(encoder, TableEncoder):
            encoding = Encoding(encoder.kinds_, encoder.null, self.table)
            for block in self.table.stream(encoding.expressions):
                X = np.empty((len(next(iter(block.values()))), encoding.n_features), encoder.dtype)
                encoding.write(block, X)
                self.notes = encoding.notes
                yield X
        else:
            X, self.notes = encoder.encode(self.table)
            yield X

    def refuse_gaps(self) -> None:
        """Raise ``ValueError`` that names the first value that is missing or unknown, if there are any."""
        if self.notes.missing or self.notes.unseen:
            raise ValueError(f"{self._first_gap()}; without --strict, it is dealt with as in training")

    def _numbers(self) -> NDArray[Any]:
        """All columns as numbers, for a network that was not trained on a table by name."""
        values = self.table.select({f"x{j}": f"try_cast({column(j)} AS DOUBLE)" for j in range(len(self.table.names))})
        X = np.column_stack([np.ma.filled(np.ma.asarray(each, np.float64), np.nan) for each in values.values()])
        for row, j in np.argwhere(np.isnan(X))[:1]:
            raise ValueError(
                f"{self.table.origin}: row {row + 1}, column {self.table.names[j]!r:.60} is not a number, and "
                f"{self.model.path} was not trained on a table"
            )
        return X

    @property
    def warning(self) -> str:
        """How many values were missing or unknown; empty if none."""
        parts = [
            f"{report.plural(sum(counts.values()), noun, nouns)} ({_columns(counts)})"
            for noun, nouns, counts in (
                ("missing value", None, self.notes.missing),
                ("unknown category", "unknown categories", self.notes.unseen),
            )
            if counts
        ]
        return f"Warning: {' and '.join(parts)} dealt with as in training; --strict refuses them" if parts else ""

    def targets(self) -> NDArray[Any] | None:
        """The true targets, if the table has their column."""
        target = self.model.target
        return target.read(self.table) if target.name and target.name in self.table.names else None

    def names(self, keep: tuple[str | int, ...]) -> list[str]:
        """The names of columns to copy, which must be there."""
        return [known_name(self.table, key, "--keep") for key in keep]

    def texts(self, name: str) -> list[str]:
        """The values of a column as texts, blank where they are missing."""
        value = column(self.table.position(name))
        number = self.table.types[self.table.position(name)] in ("FLOAT", "DOUBLE")
        values = self.table.select({"value": value if number else f"{value}::VARCHAR"})["value"]
        gone = np.ma.getmaskarray(values)
        return ["" if missing else plain(each) for each, missing in zip(np.ma.getdata(values), gone, strict=True)]

    def _first_gap(self) -> str:
        """Where the first missing or unknown value is, found by halving."""
        encoder, low, high = self.model.encoder, 0, len(self.table)
        assert encoder is not None
        while high - low > 1:
            middle = (low + high) // 2
            _, notes = encoder.encode(self.table.take(np.arange(low, middle)))
            low, high = (low, middle) if notes.missing or notes.unseen else (middle, high)
        _, notes = encoder.encode(self.table.take(np.arange(low, high)))
        name = next(iter(notes.missing or notes.unseen))
        value = self.texts(name)[low]
        what = "is missing" if notes.missing else f"holds {shown(value, 60)}, which was not there in training"
        return f"{self.table.origin}: row {low + 1}, column {printable(name, 60)!r} {what}"


def _without_target(names: tuple[str, ...], model: Model) -> tuple[str, ...]:
    """Names by position for a table without header and target: those behind the target move up."""
    known = list(model.encoder.kinds_) if isinstance(model.encoder, TableEncoder) else []
    numbered = [f"column_{j}" for j in range(len(known))]
    if known != numbered or list(names) != numbered[:-1] or model.target.name not in known:
        return names
    return tuple(name for name in known if name != model.target.name)


def _columns(counts: Counter[str]) -> str:
    return some_names([f"{name} {report.count(n)}" for name, n in counts.most_common()], _SHOWN)
