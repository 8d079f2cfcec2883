"""What a reader of labelled samples gives."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray


class Dataset(NamedTuple):
    """Training and test data: ``X_*`` of shape (n, n_features), ``y_*`` of shape (n,) or (n, n_targets).

    ``X_test`` and ``y_test`` are ``None`` in a data set without test data
    (only ``read_npz`` returns such).

    >>> import fastmlp as fm
    >>> X_train, y_train, X_test, y_test = fm.load_digits()
    """

    X_train: NDArray[Any]
    y_train: NDArray[Any]
    X_test: Any
    y_test: Any
