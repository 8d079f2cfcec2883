"""The result of a reader of labelled samples."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray


class Dataset(NamedTuple):
    """Training and test data; a named tuple, so it can be unpacked.

    Attributes
    ----------
    X_train : ndarray (n, n_features)
        Inputs, in the dtype of the file.
    y_train : ndarray (n,) or (n, n_targets)
        Targets. None if `read_npz` read a file that has only inputs.
    X_test, y_test : ndarray or None
        The same for the test data. None if `read_npz` read a file without test data.

    Examples
    --------
    >>> import fastmlp as fm
    >>> X_train, y_train, X_test, y_test = fm.load_digits()
    """

    X_train: NDArray[Any]
    y_train: NDArray[Any]
    X_test: Any
    y_test: Any
