"""Mean and scale that give columns mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 1024
_EPS = float(np.finfo(np.float64).eps)


def standardizing(
    argument: str, array: NDArray[Any], there: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean and 1 / deviation of each column, in float64; the scale of a constant column is 1.

    A column whose deviation is not above the rounding noise of its mean is constant too, by the bound of scikit-learn's
    StandardScaler: of float64 for every dtype, since the numbers of an array are exact and all arithmetic is float64.

    Parameters
    ----------
    argument : str
        Name of the array in errors.
    array : ndarray (n, n_columns)
    there : ndarray of bool (n, n_columns), optional
        Which numbers count; default all.

    Raises
    ------
    ValueError
        If squares of the numbers overflow float64.

    Notes
    -----
    Source of the bound: Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983.
    """
    every = True if there is None else there
    n = np.float64(len(array)) if there is None else np.maximum(there.sum(axis=0), 1).astype(np.float64)
    squares, rest = np.zeros(array.shape[1]), np.zeros(array.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        mean = array.sum(axis=0, dtype=np.float64, where=every) / n
        for first in range(0, len(array), _BLOCK):  # in blocks, to avoid a float copy of all data
            block = slice(first, first + _BLOCK)
            distances = array[block] - mean
            some = True if there is None else there[block]
            rest += distances.sum(axis=0, where=some)
            squares += (distances**2).sum(axis=0, where=some)
        variance = np.maximum(squares - rest**2 / n, 0) / n  # less the error of the mean
        noise = n * _EPS * variance + (n * mean * _EPS) ** 2
    deviation = np.sqrt(variance)
    if not np.isfinite(deviation).all():
        column = int(np.argmin(np.isfinite(deviation)))
        raise ValueError(
            f"{argument} must hold numbers whose squares fit in float64, got larger ones in column {column}"
        )
    return mean, 1 / np.where((variance > noise) & (deviation > np.finfo(np.float64).tiny), deviation, 1.0)
