"""Data frames and series of pandas, polars and pyarrow, read column by column.

NumPy makes objects of a frame whose columns differ in kind (a float beside a bool) or may have gaps. Here each column
becomes numbers by itself, with NaN where a value is missing. The libraries are recognised by their methods and never
imported.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray


def frame_as_array(argument: str, values: object) -> NDArray[Any] | None:
    """The numbers of a frame (n_rows, n_columns) or of a series (n_rows,); None if the values are neither.

    The dtype is the common one of the columns. Raises ``TypeError`` with the column's name for anything but numbers.
    """
    columns = _columns_of(values)
    if columns is not None:
        return _side_by_side(argument, values, columns)
    kind = type(values)
    if all(hasattr(kind, name) for name in ("iloc", "dtype")) or all(
        hasattr(kind, name) for name in ("null_count", "to_numpy")
    ):
        return _numbers(argument, "", values)
    return None


def column_names(values: object) -> list[Any] | None:
    """Names of the columns of a frame; None for anything else."""
    columns = _columns_of(values)
    return None if columns is None else [name for name, _ in columns]


def _columns_of(values: Any) -> list[tuple[Any, Any]] | None:
    """Names and columns of a frame of pandas, polars or pyarrow; None for anything else."""
    kind = type(values)
    if hasattr(kind, "iloc") and hasattr(kind, "columns"):
        return [(name, values.iloc[:, j]) for j, name in enumerate(values.columns)]
    if hasattr(kind, "get_columns"):
        return list(zip(values.columns, values.get_columns(), strict=True))
    if hasattr(kind, "column_names") and hasattr(kind, "itercolumns"):
        return list(zip(values.column_names, values.itercolumns(), strict=True))
    return None


def _side_by_side(argument: str, frame: Any, columns: list[tuple[Any, Any]]) -> NDArray[Any]:
    dtypes = {getattr(column, "dtype", None) for _, column in columns}
    if len(dtypes) == 1 and isinstance(dtype := dtypes.pop(), np.dtype) and dtype.kind in "biuf":
        return np.asarray(frame)  # one block of memory
    arrays = [_numbers(argument, f" in column {name!r:.60}", column) for name, column in columns]
    out = np.empty((len(frame), len(arrays)), np.result_type(*arrays) if arrays else np.float64)
    for j, array in enumerate(arrays):
        out[:, j] = array
    return out


def _numbers(argument: str, place: str, column: Any) -> NDArray[Any]:
    """The numbers of one column; NaN where there is none."""
    dtype = getattr(column, "dtype", getattr(column, "type", None))
    if hasattr(column, "iloc"):
        array = _of_pandas(column)
    else:
        array = None if str(dtype).startswith(("dictionary", "Categorical", "Enum")) else _of_others(column)
    if array is None or array.dtype.kind not in "biuf":
        hint = "; number the classes from 0" if argument.startswith("y") else "; encode categories as numbers first"
        raise TypeError(f"{argument} must hold numbers, got {dtype!s:.60}{place}{hint}")
    return array


def _of_pandas(series: Any) -> NDArray[Any] | None:
    dtype = series.dtype
    if isinstance(dtype, np.dtype):
        return np.asarray(series)
    if getattr(dtype, "kind", "O") not in "biuf":
        return None
    own = getattr(dtype, "numpy_dtype", getattr(dtype, "subtype", np.dtype(np.float64)))
    if not series.isna().any():
        return np.asarray(series.to_numpy(dtype=own))
    return np.asarray(series.to_numpy(dtype=own if own.kind == "f" else np.float64, na_value=np.nan))


def _of_others(column: Any) -> NDArray[Any] | None:
    """The numbers of a column of polars or pyarrow, which give objects for booleans with gaps and for decimals."""
    try:
        array = np.asarray(column.to_numpy())
    except ValueError:  # an array of pyarrow that cannot be viewed
        array = np.asarray(column.to_numpy(zero_copy_only=False))
    if array.dtype != object:
        return array
    if not all(value is None or isinstance(value, (Real, np.bool_)) or hasattr(value, "as_tuple") for value in array):
        return None
    return np.array([np.nan if value is None else float(value) for value in array])
