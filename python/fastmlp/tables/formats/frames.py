"""Tables that the program has in memory: frames of pandas, polars or pyarrow, arrays, dicts of columns, lists of rows.

Whatever gives its columns by the Arrow PyCapsule interface is read through it. The others are columns of NumPy or of
pandas; an object column gets one type for all its values. No library is imported: a frame has brought its own.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import sys
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable, some_names
from fastmlp.tables.database import column, errors_as_values
from fastmlp.tables.options import Options
from fastmlp.tables.table import Table, table_of
from fastmlp.tables.types import Nulls

ORIGIN = "the table"
"""What messages call a table that has no file."""

_BY_DUCKDB = ("StringDtype", "ArrowDtype")


class NamedColumn(NamedTuple):
    """A column with its name: of several with one name, a dict would keep the last."""

    name: str
    values: Any


def recognises(source: object) -> bool:
    """Whether this is an object with columns."""
    return _is_pandas(source) or _has_arrow(source) or isinstance(source, (Mapping, np.ndarray, list))


def read(connection: Any, source: Any, options: Options) -> Table:
    """Copy the columns into the database."""
    options.only(ORIGIN, "in memory", "null")
    return table_from(connection, source, ORIGIN, options.null)


def table_from(connection: Any, source: Any, origin: str, null: Nulls) -> Table:
    """The same for what another format has read from a file, which messages name; or for a list of named columns."""
    names, frame = _named_columns(source, origin)
    if not names:
        raise ValueError(f"{origin} has no columns")
    with errors_as_values(origin):
        connection.register("frame", frame)
        try:
            return table_of(connection, "SELECT * FROM frame", [], origin, names=names, null=null)
        finally:
            connection.unregister("frame")


def _is_pandas(source: object) -> bool:
    return hasattr(type(source), "iloc") and hasattr(type(source), "columns")


def _has_arrow(source: object) -> bool:
    return hasattr(type(source), "__arrow_c_stream__") or hasattr(type(source), "__arrow_c_array__")


def _named_columns(source: Any, origin: str) -> tuple[list[str], Any]:
    """Names of columns, and an object that DuckDB reads."""
    if _has_arrow(source) and not _is_pandas(source):
        return _of_arrow(source, origin)
    found = _of_pandas(source, origin) if _is_pandas(source) else _of_arrays(source, origin)
    names = [str(name) for name, _ in found]
    columns = [_of_one_type(values, name, origin) for name, (_, values) in zip(names, found, strict=True)]
    if len({len(values) for values in columns}) > 1:
        lengths = [f"{name}: {len(values)}" for name, values in zip(names, columns, strict=True)]
        raise ValueError(f"{origin}: columns must be of one length, got {some_names(lengths, 5)}")
    if _is_pandas(source):
        # pandas would turn whole numbers with gaps into floats
        frame = {column(j): _none_for_gaps(v) if np.ma.isMaskedArray(v) else v for j, v in enumerate(columns)}
        return names, sys.modules["pandas"].DataFrame(frame)
    return names, {column(j): values for j, values in enumerate(columns)}


def _of_arrow(source: Any, origin: str) -> tuple[list[str], Any]:
    """Names of columns, and their stream: for a frame of polars itself, DuckDB would want pyarrow."""
    import nanoarrow

    if type(source).__module__.startswith("polars") and hasattr(source, "dtypes"):
        polars = sys.modules["polars"]
        if polars.Object in source.dtypes:
            raise TypeError(f"{origin} must hold numbers, texts or dates, got a column of Python objects")
        source = source.cast({polars.Null: polars.String})  # DuckDB 2.0 refuses a column of Null from polars
    try:
        stream = nanoarrow.ArrayStream(source)
        is_table = stream.schema.type == nanoarrow.Type.STRUCT
        names = [field.name for field in stream.schema.fields]
    except RuntimeError as error:  # a type that Arrow does not have, such as polars' Int128
        raise TypeError(f"{origin}: {printable(str(error), 200)}") from None
    if not is_table:
        raise ValueError(f"{origin} must have rows and columns, got one column of {type(source).__name__}")
    return names, stream


def _of_pandas(frame: Any, origin: str) -> list[tuple[Any, Any]]:
    """Columns of a frame: arrays, or series of the types that DuckDB reads by itself; the index is left out."""
    if frame.columns.nlevels > 1:
        raise ValueError(
            f"{origin}: each column must have one name, got a MultiIndex of {frame.columns.nlevels} levels"
        )
    return [(name, _of_series(frame.iloc[:, j])) for j, name in enumerate(frame.columns)]


def _of_series(series: Any) -> Any:
    kind = type(series.dtype).__name__
    if kind == "CategoricalDtype":
        texts = [str(value) for value in series.cat.categories]
        if not texts or len(set(texts)) < len(texts):
            return series.to_numpy(dtype=object)
        return series.cat.rename_categories(texts).reset_index(drop=True)
    if kind == "DatetimeTZDtype":
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    elif kind == "PeriodDtype":
        series = series.dt.to_timestamp()
    elif not isinstance(series.dtype, np.dtype) and (kind in _BY_DUCKDB or hasattr(series.dtype, "numpy_dtype")):
        return series.reset_index(drop=True)
    return series.to_numpy()


def _of_arrays(source: Any, origin: str) -> list[tuple[Any, Any]]:
    """Columns of a mapping, of a structured or 2-D array, of a list of rows or of named columns."""
    if isinstance(source, list) and source and all(isinstance(item, NamedColumn) for item in source):
        return [(name, _array(values)) for name, values in source]
    if isinstance(source, list) and source and all(isinstance(row, Mapping) for row in source):
        names = dict.fromkeys(name for row in source for name in row)
        source = {name: [row.get(name) for row in source] for name in names}
    if isinstance(source, Mapping):
        return [(name, _array(values)) for name, values in source.items()]
    array = np.array(source, dtype=object) if isinstance(source, list) else source
    if array.dtype.names:
        return [(name, array[name]) for name in array.dtype.names]
    if array.ndim != 2:
        raise ValueError(f"{origin} must have rows and columns, got an array of shape {array.shape}")
    return [(f"column_{j}", array[:, j]) for j in range(array.shape[1])]


def _array(values: Any) -> NDArray[Any]:
    """An array of the values; of a list, one of objects, since NumPy would turn 1 into "1" beside a text."""
    if isinstance(values, (list, tuple)):
        return np.fromiter(values, dtype=object, count=len(values))
    if hasattr(type(values), "iloc") and not isinstance(values.dtype, np.dtype):  # a series with pandas' own gaps
        values = values.to_numpy(dtype=object)
    return np.asanyarray(values)


def _of_one_type(values: Any, name: str, origin: str) -> Any:
    """An array that DuckDB reads, with the same values in one type; a series as it is."""
    if not isinstance(values, np.ndarray):
        return values
    where = f"{origin}: column {printable(name, 60)!r}"
    if values.ndim != 1:
        raise ValueError(f"{where} must have one value a row, got an array of shape {values.shape}")
    kind = values.dtype.kind
    if kind in "biuf":
        return values.astype(np.float64 if values.dtype.itemsize > 8 else values.dtype.newbyteorder("="), copy=False)
    if kind in "mM":
        return values.astype(f"{kind}8[us]")
    if kind not in "OSUT":
        raise TypeError(f"{where} must hold numbers, texts or dates, got {printable(str(values.dtype))}")
    return _of_objects(_none_for_gaps(values))


def _of_objects(values: NDArray[Any]) -> NDArray[Any]:
    """Objects as an array of the type that suits all of them; texts if none does. Missing ones are masked."""
    types = set(map(type, values))
    if str in types and types <= {str, float, type(None)}:
        return values  # DuckDB knows NaN and None for missing
    present = np.array([not _is_missing(value) for value in values], dtype=bool)
    if not present.any():
        return np.full(len(values), None)
    made = _made(values[present])
    result = np.ma.MaskedArray(np.zeros(len(values), made.dtype), ~present)
    result[present] = made
    return result


def _is_missing(value: Any) -> bool:
    if isinstance(value, Real):
        return bool(value != value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _none_for_gaps(values: NDArray[Any]) -> NDArray[Any]:
    """The values as objects, with None where an array is masked."""
    objects = np.array(values, dtype=object)
    if isinstance(values, np.ma.MaskedArray):
        objects[np.ma.getmaskarray(values)] = None
    return objects


def _made(values: NDArray[Any]) -> NDArray[Any]:
    """An array of one type with the same values."""
    types = set(map(type, values))
    for accepted, make in _MAKERS:
        if all(issubclass(kind, accepted) for kind in types):
            with contextlib.suppress(OverflowError, ValueError):
                return make(values)
    return np.array([str(value) for value in values], dtype=object)


def _stamps(values: NDArray[Any]) -> NDArray[Any]:
    """Dates with times, in UTC if they have a zone."""
    utc = datetime.timezone.utc
    zoned = [
        value.astimezone(utc).replace(tzinfo=None) if getattr(value, "tzinfo", None) else value for value in values
    ]
    return np.array(zoned, dtype="M8[us]")


_MAKERS: tuple[tuple[tuple[type, ...], Callable[[NDArray[Any]], NDArray[Any]]], ...] = (
    ((bool, np.bool_), lambda values: values.astype(bool)),
    ((Integral, np.bool_), lambda values: values.astype(np.int64)),
    ((Real, decimal.Decimal, np.bool_), lambda values: values.astype(np.float64)),
    ((datetime.datetime, np.datetime64), _stamps),
    ((datetime.date,), np.array),
    ((datetime.date, np.datetime64), _stamps),
    ((datetime.time,), np.array),
    ((datetime.timedelta, np.timedelta64), lambda values: values.astype("m8[us]")),
    ((bytes,), lambda values: np.array([value.decode() for value in values], dtype=object)),
)
"""Types of values, and how an array is made of them; the first that suits all is taken."""
