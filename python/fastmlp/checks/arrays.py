"""Checks of arrays: numbers in a form that the core can read."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.passes.batches import Dtype, first_nonfinite, first_nonfinite_in_rows
from fastmlp.checks.frames import column_names, frame_as_array

DTYPE_CODES: dict[np.dtype[Any], int] = {
    np.dtype(np.uint8): Dtype.UINT8,
    np.dtype(np.float32): Dtype.FLOAT32,
    np.dtype(np.float64): Dtype.FLOAT64,
}


AT_ONCE = 2**24
"""Numbers checked in one call, before Python can react to Ctrl-C."""


def as_numbers(argument: str, values: object, ndim: int | None = None) -> NDArray[Any]:
    """Convert to a C-contiguous uint8, float32 or float64 array of native byte order; not empty, all finite."""
    array = np.asarray(_readable(argument, values, ndim), order="C")
    check_finite(argument, array, origin=values)
    return array


def as_rows(
    argument: str, values: object, ndim: int | None = None, if_nan: str = "", origin: object = None
) -> NDArray[Any]:
    """Convert as `as_numbers` does, but leave contiguous rows where they are, at any distance from each other.

    Slices of rows and columns, windows and memory maps of them are not copied. An error for NaN ends with ``if_nan``.
    ``origin``: what the values were made from, for the names of columns in errors; default: the values.
    """
    array = read_rows(argument, values, ndim)
    check_finite(argument, array, if_nan, values if origin is None else origin)
    return array


def read_rows(argument: str, values: object, ndim: int | None = None) -> NDArray[Any]:
    """As `as_rows`, but the numbers may be NaN or infinite."""
    array = _readable(argument, values, ndim)
    return array if has_contiguous_rows(array) and array.flags.aligned else array.copy(order="C")


def has_contiguous_rows(array: NDArray[Any]) -> bool:
    """Whether the numbers of each row follow each other in memory; the rows may be anywhere."""
    if array.flags.c_contiguous or array.ndim == 1:
        return True
    return array.ndim == 2 and (array.shape[1] == 1 or array.strides[1] == array.itemsize)


def _readable(argument: str, values: object, ndim: int | None) -> NDArray[Any]:
    """The values as an array of a dtype that the core can read; ``ValueError`` or ``TypeError`` if it cannot be."""
    array = as_array(argument, values)
    if array.dtype.kind not in "biuf":
        raise _not_numbers(argument, values, array)
    if ndim is not None and array.ndim != ndim:
        hint = ""
        if argument.startswith("X") and array.ndim == 1:
            hint = "; one row is X.reshape(1, -1), one column X.reshape(-1, 1)"
        elif argument.startswith("X") and array.ndim > 2:
            hint = "; flatten images with X.reshape(len(X), -1)"
        raise ValueError(f"{argument} must have {counted(ndim, 'dimension')}, got shape {array.shape}{hint}")
    if array.size == 0:
        raise ValueError(f"{argument} must not be empty, got shape {array.shape}")
    if array.dtype in DTYPE_CODES:
        return array
    nearest = _nearest(array.dtype)
    if array.dtype.kind != "f":
        return array.astype(nearest)
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite: an error later
        return array.astype(nearest)


def _nearest(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype that the core can read for numbers of this dtype."""
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind == "f" and (native := dtype.newbyteorder("=")) in DTYPE_CODES:
        return native
    return np.dtype(np.float32 if dtype.itemsize < 4 else np.float64)


def as_array(argument: str, values: object) -> NDArray[Any]:
    """Convert with NumPy, data frames column by column; sparse matrices, masked values and ragged rows are errors."""
    if type(values) is np.ndarray:
        return values
    frame = frame_as_array(argument, values)
    if frame is not None:
        return frame
    if hasattr(values, "toarray"):
        raise TypeError(f"{argument} is a sparse matrix; expected a dense array (its method toarray() makes one)")
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError(f"{argument} has masked values; fill them, or drop their rows")
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{argument} must be an array with rows of equal length") from error
    except (TypeError, RuntimeError) as error:
        raise TypeError(f"{argument} cannot be read as an array: {error}") from error


def _not_numbers(argument: str, values: object, array: NDArray[Any]) -> TypeError:
    """The error that says what the array holds instead of numbers, and for an object array where."""
    if array.dtype.kind in "US":
        hint = "; number the classes from 0" if argument.startswith("y") else ""
        return TypeError(f"{argument} must hold numbers, got strings{hint}")
    if array.ndim == 0 and array.dtype == object:
        return TypeError(f"{argument} must be an array of numbers, got {type(values).__name__}")
    if array.dtype == object:
        for at, element in enumerate(array.flat):
            if not isinstance(element, Real):
                return TypeError(f"{argument} must hold numbers, got {element!r:.60} in {place_in(array, at)}")
    return TypeError(f"{argument} must hold numbers, got dtype {array.dtype}")


def check_finite(argument: str, array: NDArray[Any], if_nan: str = "", origin: object = None) -> None:
    """Raise ``ValueError`` with row and column of the first NaN or infinity in an array with contiguous rows.

    If ``origin`` is a data frame, the error has its name of the column.
    """
    if array.dtype.kind != "f":
        return
    at = find_nonfinite(array)
    if at >= 0:
        place = f" in {place_in(array, at, column_names(origin))}" if array.ndim else ""
        raise ValueError(
            f"{argument} must be finite, got {array.flat[at]}{place}{if_nan if np.isnan(array.flat[at]) else ''}"
        )


def find_nonfinite(array: NDArray[Any], bound: float = np.inf) -> int:
    """Flat index of the first NaN, infinity or number larger in size than ``bound``, or -1. Nothing is copied."""
    if array.flags.c_contiguous:
        if array.size <= AT_ONCE:
            return first_nonfinite(array.reshape(-1), bound)
        return _first_found(first_nonfinite, array.reshape(-1), 1, bound)
    return _first_found(first_nonfinite_in_rows, array.reshape(len(array), -1), array[0].size, bound)


def _first_found(find: Callable[[NDArray[Any], float], int], rows: NDArray[Any], width: int, bound: float) -> int:
    """What ``find`` finds in rows of this width, a few at a time."""
    step = max(1, AT_ONCE // width)
    for start in range(0, len(rows), step):
        at = find(rows[start : start + step], bound)
        if at >= 0:
            return start * width + at
    return -1


def place_in(array: NDArray[Any], at: int, names: list[Any] | None = None) -> str:
    """Row and column of the element with flat index ``at``; the column's name if there are names."""
    index = np.unravel_index(at, array.shape)
    if array.ndim == 1:
        return f"row {index[0]}"
    return f"row {index[0]}, column {index[1]}" if names is None else f"row {index[0]}, column {names[index[1]]!r:.60}"


def counted(n: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is 1."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def check_fits(argument: str, array: NDArray[Any], dtype: np.dtype[Any]) -> None:
    """Raise ``ValueError`` if a finite array holds numbers too large for the network's dtype."""
    if dtype == np.float32 and array.dtype == np.float64 and array.size:
        limit = float(np.finfo(np.float32).max)
        if array.max() > limit or array.min() < -limit:
            raise ValueError(f"{argument} holds numbers too large for float32; scale it or use dtype='float64'")
