"""What every kind of column answers: its SQL, its features, and how its values become columns of a matrix."""

from __future__ import annotations

import dataclasses
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from numpy.typing import NDArray

from fastmlp.checks.errors import shown
from fastmlp.tables.kinds.column import Column

K = TypeVar("K", bound="Kind")
STEP = 0.5
"""The feature of a category where it is there; 0 elsewhere. Two categories are then about as far from each other as the
quartiles of a number: networks learn rare ones by heart if they are larger."""


class Kind(ABC):
    """A column as it was fitted: a frozen dataclass of plain values, so that it is plain JSON on disk."""

    word: ClassVar[str]
    missing_raw: ClassVar[float] = math.nan

    @abstractmethod
    def expression(self, column: Column) -> str:
        """SQL of what `write` takes: a number, never NULL; for missing values, ``missing_raw``."""

    @abstractmethod
    def raw(self, value: Any) -> float | None:
        """The same for a value of Python that is not missing; None if only the database can tell."""

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


def as_text(value: Any) -> str | None:
    """A value of Python as text, the same as `Column.text`; None if it may differ.

    >>> as_text(3.0), as_text(True), as_text("x")
    ('3', 'true', 'x')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else None
    return str(value) if isinstance(value, (str, int)) else None
