"""How the core gets its inputs: where the rows are, how to scale them, and whether to skip zeros.

A first layer that is dense can take each row as a list of its nonzero numbers. Rows of a sparse matrix are such lists
already. Rows of an array with many zeros (images, one-hot columns) are packed into lists, tile by tile, if that is
faster than multiplying by the zeros.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.passes.batches import Dtype, Source, are_ascending, first_nonfinite
from cnn_core.products.sparse import has_kernels
from fastmlp.checks.arrays import as_array, check_fits
from fastmlp.checks.sparse_matrices import as_csr, is_sparse
from fastmlp.data.overflow import bound_of, check_scaled, overflow_error
from fastmlp.data.rows import Rows, Targets, check_dense
from fastmlp.model.layers import Input
from fastmlp.model.model import Model

DENSITY = 0.3
"""Largest share of nonzero numbers for which lists are faster: they cost about three times as much per number."""
SAMPLE = 64
"""Number of rows that the share is estimated from."""
WIDE = 64
"""Smallest number of columns for which lists pay off."""


class InputForm(Enum):
    """How the first layer takes its inputs."""

    ROWS = "as rows"
    PACKED = "rows of an array, packed into lists of nonzero numbers"
    LISTS = "rows of a sparse matrix, which are such lists"


class Precision(NamedTuple):
    """Dtypes of a prediction: that of the arithmetic, and that of the result."""

    work: np.dtype[Any]
    result: np.dtype[Any]


class Query(NamedTuple):
    """Checked rows to predict, and the precision that the user's X asks for."""

    X: Rows
    precision: Precision


def precision_for(given: np.dtype[Any], own: np.dtype[Any]) -> Precision:
    """The precision of predictions for an X of dtype ``given`` by a network of dtype ``own``.

    The result has the dtype of X if that is float32 or float64, else the network's. The arithmetic has the wider of
    the two. So finite differences and offsets of float64 inputs survive, whatever the network was trained in.
    """
    result = own
    if given.kind == "f" and given.itemsize >= 4:
        result = np.dtype(np.float32 if given.itemsize == 4 else np.float64)
    return Precision(np.promote_types(result, own), result)


def own_precision(network: Model) -> Precision:
    """The precision of everything but predictions for the user: the network's dtype.

    Predictions with ``target_scale`` are float64, as the shift may be far larger than the differences.
    """
    return Precision(network.dtype, network.dtype if network.target_scale is None else np.dtype(np.float64))


def check_query(network: Model, X: ArrayLike, given: np.dtype[Any] | None = None, argument: str = "X") -> Query:
    """Check X for a prediction; ``given``: the dtype to answer in the precision of, default that of X."""
    values: Any = X if is_sparse(X) else as_array(argument, X)
    precision = precision_for(values.dtype if given is None else given, network.dtype)
    given_X = values if values.dtype.kind in "biuf" else X  # for the error that names what it is
    return Query(check_inputs(network, given_X, argument, precision.work, X), precision)


def check_inputs(
    network: Model, X: ArrayLike, argument: str = "X", dtype: np.dtype[Any] | None = None, origin: object = None
) -> Rows:
    """Check X, an array or a SciPy sparse matrix, and return it as rows for a pass in ``dtype``.

    Default: the network's dtype. ``origin``: what X was made from, for errors.
    """
    dtype = network.dtype if dtype is None else dtype
    if not is_sparse(X):
        return check_dense(X, network.input, dtype, argument, origin)
    if not network.layers[0].takes_lists:
        raise ValueError(
            f"{argument} is sparse, which needs a first layer that is Dense, "
            f"got {type(network.layers[0]).__name__}; {argument}.toarray() makes it dense"
        )
    return _csr_rows(X, network.input, dtype, argument)


def _csr_rows(X: Any, inputs: Input, dtype: np.dtype[Any], argument: str) -> Rows:
    """Check a sparse X, scale it, and convert it to CSR and the pass's dtype, copying only what must change."""
    if X.ndim != 2 or X.shape[1] != inputs.n_features or X.shape[0] == 0:
        expected = f"at least one row and {inputs.n_features} columns"
        raise ValueError(f"{argument} must have {expected}, got shape {X.shape}")
    if X.dtype.kind not in "biuf":
        raise TypeError(f"{argument} must hold numbers, got dtype {X.dtype}")
    if np.any(inputs.shift):
        raise ValueError(
            f"{argument} is sparse, but the input's shift would make its zeros nonzero; use an Input without shift"
        )
    starts, columns, numbers = _lists_of(as_csr(argument, X))

    def place(at: int) -> str:
        return f"row {int(np.searchsorted(starts, at, side='right')) - 1}, column {columns[at]}"

    with np.errstate(over="ignore"):  # a long double too large for float64 becomes infinite: an error below
        numbers = numbers if numbers.dtype in (np.float32, np.float64) else numbers.astype(np.float64)
    at = first_nonfinite(numbers)
    if at >= 0:
        raise ValueError(f"{argument} must be finite, got {numbers[at]} in {place(at)}")
    check_fits(argument, numbers, dtype)
    values = np.asarray(numbers, dtype=dtype)
    if inputs.is_scaled:
        with np.errstate(over="ignore"):  # overflow is an error below
            values = (numbers * np.asarray(inputs.scale)[columns]).astype(dtype)
        at = first_nonfinite(values)
        if at >= 0:
            raise overflow_error(argument, numbers[at], place(at), dtype, "Input")
    return Rows(
        np.ascontiguousarray(values).reshape(-1, 1).view(np.uint8),
        Dtype.FLOAT64 if dtype == np.float64 else Dtype.FLOAT32,
        starts,
        columns,
    )


def _lists_of(X: Any) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[Any]]:
    """Starts of the rows, columns and numbers of a valid CSR matrix: columns ascend, duplicates are added up.

    SciPy's flags about the order are not trusted: they are out of date if the matrix was changed in place.
    """
    starts = np.ascontiguousarray(X.indptr, dtype=np.int64)
    columns = np.ascontiguousarray(X.indices[: starts[-1]], dtype=np.int32)
    numbers = np.ascontiguousarray(X.data[: starts[-1]])
    if are_ascending(starts, columns):
        return starts, columns, numbers
    from scipy.sparse import csr_array  # it slows down the import, and is rarely needed

    own = csr_array((numbers.astype(numbers.dtype.newbyteorder("=")), columns.copy(), starts.copy()), shape=X.shape)
    own.sum_duplicates()
    return _lists_of(own)


def input_source(network: Model, X: Rows, own: np.dtype[Any] | None = None) -> Source:
    """The rows and their scaling for the core; shift and scale are float64 if X is, else of the pass's dtype ``own``.

    Default: the network's dtype.
    """
    inputs = network.input
    if X.starts is not None or not inputs.is_scaled:
        return Source(X.data, X.code, network.n_features, None, None, X.starts, X.columns)
    dtype = np.float64 if X.code == Dtype.FLOAT64 else network.dtype if own is None else own
    shift, scale = (np.asarray(numbers).astype(dtype).view(np.uint8) for numbers in (inputs.shift, inputs.scale))
    return Source(X.data, X.code, network.n_features, shift, scale)


def target_source(network: Model, targets: Targets, argument: str = "y") -> Source:
    """The targets and their scaling for the core; shift and scale are float64 if y is, else of the network's dtype."""
    rows = targets.rows
    if not network.scales_targets():
        return Source(rows.data, rows.code, network.n_targets)
    scaling = network.target_scale
    if rows.code == Dtype.LABEL:
        raise ValueError(
            f"{argument} must have {network.n_targets} columns of numbers with target_scale, got class numbers"
        )
    if scaling is None:
        raise not_settled()
    dtype = np.float64 if rows.code == Dtype.FLOAT64 else network.dtype
    shift, scale = (numbers.astype(dtype).view(np.uint8) for numbers in scaling)
    return Source(rows.data, rows.code, network.n_targets, shift, scale)


def check_scaled_targets(network: Model, targets: Targets, argument: str = "y") -> None:
    """Raise ``ValueError`` if the scaled targets overflow the network's dtype."""
    rows, scaling = targets.rows, network.target_scale
    if scaling is None or rows.code == Dtype.LABEL:
        return
    sizes = float(np.abs(scaling.shift).max()), float(np.abs(scaling.scale).max())
    if bound_of(*sizes, rows.dtype, network.dtype) < np.inf:
        check_scaled(argument, rows.data.view(rows.dtype), scaling, network.dtype, "target_scale")


def check_settled(network: Model) -> None:
    """Raise ``ValueError`` if the scale of the targets is to come from a fit that has not been."""
    if network.awaits_targets():
        raise not_settled()


def not_settled() -> ValueError:
    """The error for a scale of the targets that no fit has settled."""
    return ValueError(
        "target_scale='standard' is settled by the first fit of arrays, and there was none; give the network "
        "target_scale=(mean of y, 1 / deviation of y)"
    )


def may_leave_out_zeros(network: Model) -> bool:
    """Whether the first layer can take arrays as lists, and would gain from many zeros."""
    wide = network.n_features >= WIDE and network.layers[0].takes_lists
    return wide and has_kernels() and not np.any(network.input.shift)


def input_form(network: Model, X: Rows) -> InputForm:
    """How the first layer takes these rows. For an array, the share of nonzero numbers in a sample decides."""
    if X.starts is not None:
        return InputForm.LISTS
    if len(X) < SAMPLE or not may_leave_out_zeros(network):
        return InputForm.ROWS
    sample = X.data[:: len(X) // SAMPLE].view(X.dtype)
    return InputForm.PACKED if np.count_nonzero(sample) <= DENSITY * sample.size else InputForm.ROWS
