"""Tables as version 0.1 encoded them, for the models that it saved: numbers as they are, a column for each text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import some_names
from fastmlp.network import Network
from fastmlp.tables.explanation import ColumnFacts, Explanation
from fastmlp.tables.features import Notes
from fastmlp.tables.table import Table
from fastmlp.tables.target import Target


class EarlierEncoder:
    """Input columns by name, each with its texts, or none if it holds numbers; a missing number becomes the mean."""

    null: tuple[str, ...] = ()

    def __init__(self, columns: dict[str, tuple[str, ...]], means: NDArray[Any]) -> None:
        self.columns = columns
        self.means = means

    @classmethod
    def from_dict(cls, saved: Any, network: Network) -> EarlierEncoder:
        """The encoder from what a model file holds; ``ValueError`` for anything else."""
        columns = [_column(column) for column in _list(saved, "columns")]
        return cls(dict(columns), np.broadcast_to(network.input.shift, network.n_features))

    def source_columns(self) -> list[str]:
        """For each feature, the name of its column."""
        return [name for name, texts in self.columns.items() for _ in texts or (name,)]

    def explain(self) -> Explanation:
        """What became of each column."""
        return Explanation(
            ColumnFacts(name, "category" if texts else "number", some_names(texts), texts or (name,))
            for name, texts in self.columns.items()
        )

    def encode(self, table: Table) -> tuple[NDArray[Any], Notes]:
        """The features of rows, and what was missing or unseen in them."""
        lost = [name for name in self.columns if name not in table.names]
        if lost:
            raise ValueError(f"{table.origin} lacks the columns {some_names(lost)}; it has {some_names(table.names)}")
        notes, blocks = Notes(len(table), Counter(), Counter()), []
        for name, texts in self.columns.items():
            target = Target(name, np.array(texts, dtype=object) if texts else None)
            values = target.read(table)
            gone = values == -1 if texts else np.isnan(values)
            if texts:
                blocks.append((values[:, None] == np.arange(len(texts))).astype(np.float64))
                notes.unseen.update({name: int((values == -2).sum())})
            else:
                mean = self.means[sum(block.shape[1] for block in blocks)]
                blocks.append(np.where(gone, mean, values)[:, None])
            notes.missing.update({name: int(gone.sum())})
        return np.hstack(blocks), Notes(notes.rows, +notes.missing, +notes.unseen)


def earlier_target(saved: Any, classes: list[str] | None) -> Target:
    """The target that a model of version 0.1 describes; without a name if the table had none."""
    column = saved.get("target") if isinstance(saved, Mapping) else None
    name = "" if column is None else _column(column)[0]
    return Target(name, None if classes is None else np.array(classes, dtype=object))


def _list(saved: Any, key: str) -> list[Any]:
    values = saved.get(key) if isinstance(saved, Mapping) else None
    if not isinstance(values, list) or not values:
        raise ValueError(f"its description of a table has no {key}")
    return values


def _column(saved: Any) -> tuple[str, tuple[str, ...]]:
    """Name and texts of a column."""
    name = saved.get("name") if isinstance(saved, Mapping) else None
    texts = saved.get("categories") if isinstance(saved, Mapping) else None
    if not isinstance(name, str) or not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("its description of a table has a damaged column")
    if len(set(texts)) != len(texts):
        raise ValueError("its description of a table has a category twice")
    return name, tuple(texts)
