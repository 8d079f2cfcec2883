"""The rows to predict, checked as scikit-learn does, and the precision that they ask for."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from fastmlp.checks.sparse_matrices import as_csr, check_sparse, is_sparse
from fastmlp.data.inputs import Precision, check_query
from fastmlp.data.rows import Rows
from fastmlp.model.model import Model

DTYPES = (np.float64, np.float32, np.uint8)
"""Dtypes of X that are read as they are; any other becomes float64."""
SPARSE = ("csr", "csc")


def query(estimator: Any, network: Model, X: Any) -> tuple[Rows, int | None, Precision]:
    """Checked rows, the number of threads (None: the default), and the precision that the user's X asks for."""
    checked = validate_data(estimator, checked_if_sparse("X", X), accept_sparse=SPARSE, dtype=DTYPES, reset=False)
    rows, precision = check_query(network, checked, given_dtype(X))
    return rows, None, precision


def checked_if_sparse(argument: str, values: Any) -> Any:
    """The values; sparse ones checked first, since scikit-learn follows their indices unchecked, and in CSR or CSC."""
    if not is_sparse(values):
        return values
    if getattr(values, "format", "") not in SPARSE:
        return as_csr(argument, values)
    check_sparse(argument, values)
    return values


def given_dtype(X: Any) -> np.dtype[Any] | None:
    """The dtype of the user's numbers, which scikit-learn's check would make float64; None if there is no single one.

    >>> given_dtype([[1, 2]]), given_dtype([[1, 2.5]])
    (dtype('int64'), dtype('float64'))
    """
    dtypes = list(X.dtypes) if hasattr(X, "dtypes") else [X.dtype if hasattr(X, "dtype") else np.asarray(X).dtype]
    try:
        dtype = np.result_type(*(getattr(each, "numpy_dtype", each) for each in dtypes))
    except TypeError:  # a column of a type that NumPy does not have
        return None
    return dtype if dtype.kind in "biuf" else None
