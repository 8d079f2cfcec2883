"""The boundary: what a user may pass as X, y and weights, checked once and described to the core.

Nothing is copied that the core can read as it is: C-contiguous uint8, float32 and float64 inputs. Other numbers are
converted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.batches import Dtype, first_nonfinite
from fastmlp.losses import Loss

_CODES: dict[np.dtype[Any], int] = {
    np.dtype(np.uint8): Dtype.UINT8,
    np.dtype(np.float32): Dtype.FLOAT32,
    np.dtype(np.float64): Dtype.FLOAT64,
}
_DTYPES = {code: dtype for dtype, code in _CODES.items()} | {Dtype.LABEL: np.dtype(np.int32)}

WEIGHT_RANGE = 1e-30, 1e30
"""Where the largest sample weight must lie: float32 holds it, its inverse, and sums over any data set."""

AT_ONCE = 2**24
"""Numbers that are looked at before Python looks for Ctrl-C."""


@dataclass(slots=True)
class Rows:
    """Checked rows as the core takes them: the bytes of a C-contiguous array, and its dtype's code.

    Of a CSR matrix the bytes of its numbers; then ``starts`` says where each row's begin, ``columns`` where they stand.
    """

    data: NDArray[np.uint8]
    code: int
    starts: NDArray[np.int64] | None = None
    columns: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.data) if self.starts is None else len(self.starts) - 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers."""
        return _DTYPES[self.code]


class Targets(NamedTuple):
    """Checked targets; ``is_class`` where they name classes, so that an accuracy makes sense."""

    rows: Rows
    is_class: bool


def as_numbers(argument: str, values: object, ndim: int | None = None) -> NDArray[Any]:
    """A C-contiguous uint8, float32 or float64 array of native byte order, without NaN or infinity, not empty."""
    array = _as_array(argument, values)
    if array.dtype.kind not in "biuf":
        raise _not_numbers(argument, values, array)
    if ndim is not None and array.ndim != ndim:
        hint = ""
        if argument.startswith("X") and array.ndim == 1:
            hint = "; one row is X.reshape(1, -1), one column X.reshape(-1, 1)"
        elif argument.startswith("X") and array.ndim > 2:
            hint = "; flatten images with X.reshape(len(X), -1)"
        raise ValueError(f"{argument} must have {_count(ndim, 'dimension')}, got shape {array.shape}{hint}")
    if array.size == 0:
        raise ValueError(f"{argument} must not be empty, got shape {array.shape}")
    if array.dtype not in _CODES:
        with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite, and is refused below
            array = array.astype(_nearest(array.dtype))
    array = np.asarray(array, order="C")
    check_finite(argument, array)
    return array


def _nearest(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that the core knows for numbers of another one."""
    native = dtype.newbyteorder("=")
    if native in _CODES:
        return native
    if native.kind == "b":
        return np.dtype(np.uint8)
    return np.dtype(np.float32 if native.itemsize < 4 else np.float64)


def _as_array(argument: str, values: object) -> NDArray[Any]:
    """Whatever NumPy makes of the values; what it can't or shouldn't read is refused."""
    if hasattr(values, "toarray"):
        raise TypeError(f"{argument} is a sparse matrix; expected a dense array, which its method toarray() makes")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{argument} has masked values; fill them or leave their rows out")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{argument} must be an array with rows of equal length") from error
    except (TypeError, RuntimeError) as error:
        raise TypeError(f"{argument} can't be read as an array: {error}") from error


def _not_numbers(argument: str, values: object, array: NDArray[Any]) -> TypeError:
    """What the array holds instead of numbers; in an object array, the first such thing and where."""
    if array.dtype.kind in "US":
        hint = "; number the classes from 0" if argument.startswith("y") else ""
        return TypeError(f"{argument} must hold numbers, got strings{hint}")
    if array.ndim == 0 and array.dtype == object:
        return TypeError(f"{argument} must be an array of numbers, got {type(values).__name__}")
    if array.dtype == object:
        for at, element in enumerate(array.flat):
            if not isinstance(element, Real):
                return TypeError(f"{argument} must hold numbers, got {element!r:.60} in {_place(array, at)}")
    return TypeError(f"{argument} must hold numbers, got dtype {array.dtype}")


def check_finite(argument: str, array: NDArray[Any]) -> None:
    """Raise ``ValueError`` naming row and column of the first NaN or infinity of a C-contiguous array."""
    if array.dtype.kind != "f":
        return
    numbers = array.reshape(-1)
    for start in range(0, len(numbers), AT_ONCE):
        at = first_nonfinite(numbers[start : start + AT_ONCE])
        if at >= 0:
            place = f" in {_place(array, start + at)}" if array.ndim else ""
            raise ValueError(f"{argument} must be finite, got {numbers[start + at]}{place}")


def _place(array: NDArray[Any], at: int) -> str:
    """Where the element number ``at`` of an array with at least one dimension stands."""
    index = np.unravel_index(at, array.shape)
    return f"row {index[0]}" + (f", column {index[1]}" if array.ndim > 1 else "")


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _rows(array: NDArray[Any]) -> Rows:
    return Rows(array.reshape(len(array), -1).view(np.uint8), _CODES[array.dtype])


def check_dense(X: ArrayLike, n_features: int, dtype: np.dtype[Any], argument: str = "X") -> Rows:
    """X as rows of ``n_features`` finite numbers that the network's dtype can hold."""
    array = as_numbers(argument, X, ndim=2)
    if array.shape[1] != n_features:
        raise ValueError(f"{argument} must have {_count(n_features, 'column')}, got {array.shape[1]}")
    check_fits(argument, array, dtype)
    return _rows(array)


def check_fits(argument: str, array: NDArray[Any], dtype: np.dtype[Any]) -> None:
    """Raise ``ValueError`` if a finite array holds numbers that the network's dtype can't."""
    if dtype == np.float32 and array.dtype == np.float64 and array.size:
        limit = float(np.finfo(np.float32).max)
        if array.max() > limit or array.min() < -limit:
            raise ValueError(f"{argument} holds numbers beyond float32; scale it or use dtype='float64'")


def check_weights(sample_weight: ArrayLike | None, n_rows: int, argument: str = "sample_weight") -> NDArray[Any] | None:
    """Weights as float64 (n_rows,): finite, none negative, the largest in `WEIGHT_RANGE`."""
    if sample_weight is None:
        return None
    weights = as_numbers(argument, sample_weight, ndim=1).astype(np.float64)
    if len(weights) != n_rows:
        raise ValueError(f"{argument} must have {_count(n_rows, 'element')}, one for each row of X, got {len(weights)}")
    if weights.min() < 0:
        raise ValueError(f"{argument} must not be negative, got {weights.min()} in row {weights.argmin()}")
    largest = weights.max()
    if largest == 0:
        raise ValueError(f"{argument} must not be 0 everywhere")
    if not WEIGHT_RANGE[0] <= largest <= WEIGHT_RANGE[1]:
        low, high = WEIGHT_RANGE
        raise ValueError(f"{argument} must have its largest number between {low:g} and {high:g}, got {largest:g}")
    return weights


def check_targets(
    y: ArrayLike, n_rows: int, n_out: int, loss: Loss, dtype: np.dtype[Any], argument: str = "y"
) -> Targets:
    """y as the core takes it: class labels where there is one output per class, else one number per output."""
    array = as_numbers(argument, y)
    if array.ndim == 0:
        raise ValueError(f"{argument} must have an element for each row of X, got the single number {array}")
    if len(array) != n_rows:
        raise ValueError(f"X and {argument} must have the same number of rows, got {n_rows} and {len(array)}")
    if array.ndim == 2 and array.shape[1] == 1 and n_out > 1:
        array = array[:, 0]
    if array.ndim == 1 and n_out > 1:
        return Targets(_labels(array, n_out, loss, argument), True)
    if array.ndim == 1:
        array = array.reshape(-1, 1)
    if array.ndim != 2 or array.shape[1] != n_out:
        raise _wrong_columns(argument, array, n_out)
    check_fits(argument, array, dtype)
    _check_range(array, loss, argument)
    return Targets(_rows(array), loss.spec.classification)


def _wrong_columns(argument: str, array: NDArray[Any], n_out: int) -> ValueError:
    expected = f"{_count(n_out, 'column')}, one for each output"
    return ValueError(f"{argument} must have {expected}, got shape {array.shape}")


def _labels(array: NDArray[Any], n_out: int, loss: Loss, argument: str) -> Rows:
    """Class numbers 0..n_out-1 as int32; the core makes one-hot rows of them."""
    if loss.name in ("poisson", "quantile", "huber", "absolute_error"):
        raise _wrong_columns(argument, array, n_out)
    whole = array == np.floor(array)
    if not whole.all():
        row = int(np.argmin(whole))
        raise ValueError(
            f"{argument} must be whole class numbers 0..{n_out - 1} or have {n_out} columns, "
            f"got {array[row]} in row {row}"
        )
    wrong = (array < 0) | (array >= n_out)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{argument} must be class numbers from 0 to {n_out - 1}, got {array[row]:g} in row {row}")
    labels = np.ascontiguousarray(array, dtype=np.int32)
    return Rows(labels.reshape(-1, 1).view(np.uint8), Dtype.LABEL)


def _check_range(array: NDArray[Any], loss: Loss, argument: str) -> None:
    """Targets that the loss is defined for: probabilities, or counts."""
    if loss.name not in ("cross_entropy", "binary_cross_entropy", "poisson"):
        return
    low, high = array.min(axis=1), array.max(axis=1)
    top = np.inf if loss.name == "poisson" else 1.0
    wrong = (low < 0) | (high > top)
    if wrong.any():
        row = int(np.argmax(wrong))
        bad = low[row] if low[row] < 0 else high[row]
        expected = "not be negative" if loss.name == "poisson" else "lie between 0 and 1"
        raise ValueError(f"{argument} must {expected} for loss={loss.name!r}, got {bad:g} in row {row}")
    if loss.name == "cross_entropy":
        totals = array.sum(axis=1, dtype=np.float64)
        wrong = np.abs(totals - 1) > 1e-3
        if wrong.any():
            row = int(np.argmax(wrong))
            raise ValueError(f"{argument} must have rows that sum to 1, got {totals[row]:g} in row {row}")
