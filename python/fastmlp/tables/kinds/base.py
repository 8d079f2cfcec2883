"""What every kind of column answers: its SQL, its features, and how its values become columns of a matrix."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import shown
from fastmlp.tables.kinds.column import Column

K = TypeVar("K", bound="Kind")
LEAST_DEVIATION = 0.4
"""A column for a category is divided by its deviation, but by no less than this: a rare one would be a huge input."""


class Kind(ABC):
    """A column as it was fitted: a frozen dataclass of plain values, so that it is plain JSON on disk."""

    word: ClassVar[str]

    @abstractmethod
    def expression(self, column: Column) -> str:
        """SQL of what `write` takes: a number, never NULL."""

    @abstractmethod
    def features(self, name: str) -> list[str]:
        """The names of the features, for a column of this name."""

    @abstractmethod
    def write(self, raw: NDArray[Any], out: NDArray[Any]) -> tuple[int, int]:
        """Fill the columns ``out`` (n_rows, n_features) from the raw values; the numbers of missing and unseen ones."""

    @property
    @abstractmethod
    def details(self) -> str:
        """What a person wants to know of it, in a few words."""

    def to_dict(self) -> dict[str, Any]:
        """The kind as JSON values."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

    @classmethod
    def from_dict(cls: type[K], saved: Mapping[str, Any]) -> K:
        """The kind from the result of `to_dict`; ``ValueError`` or ``TypeError`` for anything else."""
        expected = {field.name for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        if set(saved) != expected:
            raise ValueError(f"a column of kind {cls.word} has {shown(sorted(saved))}, expected {sorted(expected)}")
        kind = cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()})
        kind.check()
        return kind

    @abstractmethod
    def check(self) -> None:
        """Raise ``ValueError`` or ``TypeError`` for values that a fit can't have left."""


def indicators(rows: Sequence[int]) -> NDArray[np.float64]:
    """The features of categories with these numbers of rows: a row for each category, and one of zeros for none.

    A feature is 1 for its category and 0 for the others, less its mean, divided by its deviation or `LEAST_DEVIATION`.
    """
    share = np.asarray(rows, np.float64) / max(sum(rows), 1)
    centred = (np.eye(len(share)) - share) / np.maximum(np.sqrt(share * (1 - share)), LEAST_DEVIATION)
    return np.vstack([centred, np.zeros(len(share))])
