"""Checks of SciPy's sparse matrices, before any compiled code follows their indices.

SciPy checks little when a matrix is made, nothing where it claims to be empty, and not at all when its arrays are
replaced or changed later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def is_sparse(X: object) -> bool:
    """Whether X is a sparse matrix. Only its class is asked, as properties of a malformed one raise errors."""
    kind = type(X)
    return kind is not np.ndarray and hasattr(kind, "tocsr") and hasattr(kind, "nnz")


def check_sparse(argument: str, X: Any) -> None:
    """Raise ``ValueError`` unless the indices of a sparse matrix lie inside its arrays and its shape.

    Formats that SciPy converts in Python are checked by `as_csr`, after the conversion.
    """
    check = _CHECKS.get(getattr(X, "format", ""))
    if check is None:
        return
    try:
        problem = check(X)
    except (AttributeError, TypeError, ValueError, IndexError) as error:  # a part is not an array
        problem = str(error)
    if problem:
        raise ValueError(f"{argument} is not a valid sparse matrix: {problem:.200}")


def as_csr(argument: str, X: Any) -> Any:
    """Convert to CSR, with valid indices; ``ValueError`` for a malformed matrix. A CSR matrix is returned as it is."""
    check_sparse(argument, X)
    try:
        csr = X.tocsr()
    except (AttributeError, TypeError, ValueError, IndexError, KeyError, OverflowError) as error:
        raise ValueError(f"{argument} is not a valid sparse matrix: {error!s:.200}") from error
    if getattr(csr, "format", "") != "csr":
        raise ValueError(f"{argument} is not a valid sparse matrix: its method tocsr returns a {type(csr).__name__}")
    if csr is not X:
        check_sparse(argument, csr)
    return csr


def _whole(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in "iu"


def _outside(name: str, indices: NDArray[Any], n: int) -> str:
    """The problem with indices that should be from 0 to n - 1; empty if there is none."""
    if not len(indices):
        return ""
    low, high = int(indices.min()), int(indices.max())
    wrong = low if low < 0 else high
    return f"{name} must be from 0 to {n - 1}, got {wrong}" if low < 0 or high >= n else ""


def _compressed(X: Any, n: int, n_inner: int) -> str:
    """The problem with n lists of indices below n_inner; empty if there is none."""
    starts, indices, data = X.indptr, X.indices, X.data
    if not (_whole(starts) and _whole(indices) and isinstance(data, np.ndarray)):
        return "indptr and indices must be one-dimensional arrays of whole numbers"
    if len(starts) != n + 1:
        return f"indptr must have {n + 1} elements, got {len(starts)}"
    if len(indices) != len(data):
        return f"indices and data must be of equal length, got {len(indices)} and {len(data)}"
    if starts[0] != 0:
        return f"indptr must start with 0, got {starts[0]}"
    if (starts[1:] < starts[:-1]).any():
        return f"indptr must not decrease, got a smaller number at {int(np.argmax(starts[1:] < starts[:-1])) + 1}"
    if starts[-1] > len(indices):
        return f"indptr must end with at most {len(indices)}, the length of indices, got {starts[-1]}"
    return _outside("indices", indices[: starts[-1]], n_inner)


def _flat(X: Any, n: int, n_inner: int) -> str:
    if X.data.ndim != 1:
        return f"data must have one dimension, got shape {X.data.shape}"
    return _compressed(X, n, n_inner)


def _csr(X: Any) -> str:
    return _flat(X, *X.shape)


def _csc(X: Any) -> str:
    return _flat(X, *X.shape[::-1])


def _bsr(X: Any) -> str:
    if X.data.ndim != 3:
        return f"data must have three dimensions, got shape {X.data.shape}"
    (n_rows, n_columns), (height, width) = X.shape, X.data.shape[1:]
    if height < 1 or width < 1 or n_rows % height or n_columns % width:
        return f"blocks of shape {(height, width)} must divide the shape {X.shape}"
    return _compressed(X, n_rows // height, n_columns // width)


def _coo(X: Any) -> str:
    data, axes = X.data, (X.row, X.col)
    if not (all(map(_whole, axes)) and isinstance(data, np.ndarray) and data.ndim == 1):
        return "row, col and data must be one-dimensional arrays, row and col of whole numbers"
    if not len(axes[0]) == len(axes[1]) == len(data):
        return f"row, col and data must be of equal length, got {len(axes[0])}, {len(axes[1])} and {len(data)}"
    problems = (_outside(name, axis, n) for name, axis, n in zip(("row", "col"), axes, X.shape, strict=True))
    return next(filter(None, problems), "")


def _dia(X: Any) -> str:
    if not (_whole(X.offsets) and isinstance(X.data, np.ndarray) and X.data.ndim == 2):
        return "offsets must be a one-dimensional array of whole numbers, and data a two-dimensional array"
    if len(X.offsets) != len(X.data):
        return f"offsets and data must be of equal length, got {len(X.offsets)} and {len(X.data)}"
    n_rows, n_columns = X.shape
    wrong = (X.offsets <= -n_rows) | (X.offsets >= n_columns)
    return f"offsets must be from {1 - n_rows} to {n_columns - 1}, got {X.offsets[wrong][0]}" if wrong.any() else ""


def _lil(X: Any) -> str:
    rows, data = X.rows, X.data
    if not len(rows) == len(data) == X.shape[0]:
        return f"rows and data must have {X.shape[0]} lists, got {len(rows)} and {len(data)}"
    lists = zip(rows, data, strict=True)
    if not all(type(row) is list and type(numbers) is list and len(row) == len(numbers) for row, numbers in lists):
        return "rows and data must hold lists of equal length"
    return ""


_CHECKS: dict[str, Callable[[Any], str]] = {
    "csr": _csr, "csc": _csc, "bsr": _bsr, "coo": _coo, "dia": _dia, "lil": _lil,
}  # fmt: skip
