"""The boundary: X and y from the user are checked once and described to the core.

The core reads uint8, float32 and float64 inputs in place if the numbers of each row follow each other in memory: whole
arrays, and slices of their rows and columns. All others are copied once: other dtypes, columns in Fortran order, in
reverse, or every other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.passes.batches import Dtype, take_labels
from fastmlp.checks.arrays import DTYPE_CODES, check_finite, check_fits, counted, find_nonfinite, read_rows
from fastmlp.data.missing import Observed, read_targets
from fastmlp.data.overflow import check_scaled, inputs_bound
from fastmlp.model.layers import Input
from fastmlp.model.losses import Loss

_DTYPES = {code: dtype for dtype, code in DTYPE_CODES.items()} | {Dtype.LABEL: np.dtype(np.int32)}


@dataclass(slots=True)
class Rows:
    """Checked rows for the core: the bytes of an array with contiguous rows, and the code of its dtype.

    The rows may be at any distance from each other in memory, and may overlap. For a CSR matrix, ``data`` has the bytes
    of its numbers, ``starts`` the index of the first number of each row, and ``columns`` the column of each number.
    """

    data: NDArray[np.uint8]
    code: int
    starts: NDArray[np.int64] | None = None
    columns: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.data) if self.starts is None else len(self.starts) - 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the numbers."""
        return _DTYPES[self.code]


class Targets(NamedTuple):
    """Checked targets; ``is_class`` if they name classes, so that there is an accuracy.

    ``observed`` (n, n_targets) is False for a missing target, which is 0 in the rows; None: none may be missing.
    """

    rows: Rows
    is_class: bool
    observed: Observed | None = None

    def values(self) -> NDArray[Any]:
        """The numbers as the user gave them: (n,) class numbers, or (n, n_targets) with NaN for a missing target."""
        values: NDArray[Any] = self.rows.data.view(self.rows.dtype)
        if self.rows.code == Dtype.LABEL:
            return values[:, 0]
        if self.observed is None or self.observed.all():
            return values[:]
        return np.where(self.observed, values, np.nan).astype(values.dtype if values.dtype.kind == "f" else np.float64)


def _rows(array: NDArray[Any]) -> Rows:
    """Rows of a two-dimensional array with contiguous rows."""
    if array.strides[1] != array.itemsize:  # a single column, for which NumPy allows any stride
        array = np.lib.stride_tricks.as_strided(array, strides=(array.strides[0], array.itemsize))
    return Rows(array.view(np.uint8), DTYPE_CODES[array.dtype])


def check_dense(X: ArrayLike, inputs: Input, dtype: np.dtype[Any], argument: str = "X", origin: object = None) -> Rows:
    """Check a dense X: rows of finite numbers that fit in a pass's dtype, as they are and scaled.

    Errors have the names of columns of ``origin``, which X was made from.
    """
    array = read_rows(argument, X, ndim=2)
    origin = X if origin is None else origin
    bound = inputs_bound(inputs, array.dtype, dtype)
    within = array.dtype.kind == "f" and find_nonfinite(array, bound) < 0
    if not within:
        check_finite(argument, array, origin=origin)
    if array.shape[1] != inputs.n_features:
        raise ValueError(f"{argument} must have {counted(inputs.n_features, 'column')}, got {array.shape[1]}")
    check_fits(argument, array, dtype)
    if not within and bound < np.inf:
        check_scaled(argument, array, (inputs.shift, inputs.scale), dtype, "Input", origin)
    return _rows(array)


def check_targets(
    y: ArrayLike, n_rows: int, n_targets: int, loss: Loss, dtype: np.dtype[Any], argument: str = "y"
) -> Targets:
    """Check y: class labels if the loss takes them and has one target per class, else one number per target."""
    array, observed = read_targets(argument, y, loss)
    if array.ndim == 0:
        raise ValueError(f"{argument} must have one element for each row of X, got the single number {array}")
    if len(array) != n_rows:
        raise ValueError(f"X and {argument} must have the same number of rows, got {n_rows} and {len(array)}")
    if array.ndim == 2 and array.shape[1] == 1 and n_targets > 1:
        array = array[:, 0]
    if array.ndim == 1 and n_targets > 1:
        if observed is not None and not observed.all():
            raise ValueError(f"{argument} must have {counted(n_targets, 'column')} if targets are missing, got one")
        return Targets(_labels(array, n_targets, loss, argument), True)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != n_targets:
        raise _wrong_columns(argument, array, n_targets, loss)
    check_fits(argument, array, dtype)
    _check_range(array, loss, argument)
    if observed is not None:
        observed = observed.reshape(array.shape)
    return Targets(_rows(array), loss.spec.classification, observed)


def _wrong_columns(argument: str, array: NDArray[Any], n_targets: int, loss: Loss) -> ValueError:
    expected = f"{counted(n_targets, 'column')}, {loss.columns_in_words}"
    return ValueError(f"{argument} must have {expected}, got shape {array.shape}")


def _labels(array: NDArray[Any], n_targets: int, loss: Loss, argument: str) -> Rows:
    """Class numbers 0..n_targets-1 as int32; the core turns them into one-hot rows."""
    if not loss.spec.targets.takes_classes:
        raise _wrong_columns(argument, array, n_targets, loss)
    labels = np.empty((len(array), 1), dtype=np.int32)
    if not take_labels(array, n_targets, labels[:, 0]):
        raise _wrong_labels(argument, array, n_targets)
    return Rows(labels.view(np.uint8), Dtype.LABEL)


def _wrong_labels(argument: str, array: NDArray[Any], n_targets: int) -> ValueError:
    whole = array == np.floor(array)
    if not whole.all():
        row = int(np.argmin(whole))
        return ValueError(
            f"{argument} must be whole class numbers 0..{n_targets - 1} or have {n_targets} columns, "
            f"got {array[row]} in row {row}"
        )
    row = int(np.argmax((array < 0) | (array >= n_targets)))
    return ValueError(f"{argument} must be class numbers from 0 to {n_targets - 1}, got {array[row]:g} in row {row}")


def _check_range(array: NDArray[Any], loss: Loss, argument: str) -> None:
    """Raise ``ValueError`` unless the loss is defined for these targets."""
    kind = loss.spec.targets
    expected = kind.range_in_words()
    if not expected:
        return
    low, high = array.min(axis=1), array.max(axis=1)
    wrong = (low < kind.low) | (high > kind.high)
    if wrong.any():
        row = int(np.argmax(wrong))
        bad = low[row] if low[row] < kind.low else high[row]
        raise ValueError(f"{argument} must {expected} for loss={loss.name!r}, got {bad:g} in row {row}")
    if kind.shares:
        totals = array.sum(axis=1, dtype=np.float64)
        wrong = np.abs(totals - 1) > 1e-3
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"{argument} must have rows that sum to 1, got {totals[row]:g} in row {row}")
