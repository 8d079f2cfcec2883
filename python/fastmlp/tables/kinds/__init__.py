"""One kind of column a file: what it is known by, and what becomes of it. Nobody else asks which kind a column is.

column     a column as the kinds see it
texts      numbers and dates written as text
base       what every kind answers
number  whole  moment  category  aside
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastmlp.checks.errors import shown
from fastmlp.tables.kinds.aside import Aside
from fastmlp.tables.kinds.base import Kind
from fastmlp.tables.kinds.category import Category
from fastmlp.tables.kinds.column import Column
from fastmlp.tables.kinds.moment import Moment
from fastmlp.tables.kinds.number import Number
from fastmlp.tables.kinds.whole import Code

_KINDS: dict[str, type[Kind]] = {kind.word: kind for kind in (Aside, Code, Number, Moment, Category)}


def fit(column: Column, rows: int, as_category: bool, keep: bool, coded: bool, most: int) -> Kind:
    """The first kind that a column is of, fitted to it."""
    if not as_category:
        for kind in (Aside, Code, Number, Moment):
            found = kind.fit(column, rows)
            if found is not None and not (keep and isinstance(found, Aside)):
                return found
    elif column.commonest.present == 0:
        return Aside("empty")
    return Category.fit(column, rows, coded, most)


def to_dict(kind: Kind) -> dict[str, Any]:
    """A kind as JSON values."""
    return {"kind": kind.word, **kind.to_dict()}


def from_dict(saved: Any) -> Kind:
    """A kind from the result of `to_dict`; ``ValueError`` or ``TypeError`` for anything else."""
    word = saved.get("kind") if isinstance(saved, Mapping) else None
    if not isinstance(word, str) or word not in _KINDS:
        raise ValueError(f"a column has kind {shown(word)}, expected one of {', '.join(_KINDS)}")
    return _KINDS[word].from_dict({name: value for name, value in saved.items() if name != "kind"})
