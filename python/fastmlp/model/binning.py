"""Edges of bins at quantiles of a column."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def quantile_edges(numbers: NDArray[Any], n_bins: int) -> NDArray[Any]:
    """Return the edges of up to ``n_bins`` bins, which all are values of the column, in increasing order.

    A column with few distinct values has an edge at each of them. Otherwise there are ``n_bins`` bins: each value that
    alone fills a bin has one edge, and the other edges are at quantiles of the rest.

    Parameters
    ----------
    numbers : ndarray (n,)
        Finite.
    n_bins : int

    Returns
    -------
    ndarray (n_edges,)
        One edge for a constant column.

    Notes
    -----
    Frequent values apart from the rest: as in LightGBM (Ke et al., NeurIPS 2017).

    Examples
    --------
    >>> quantile_edges(np.arange(101.0), 4).tolist()
    [0.0, 25.0, 50.0, 75.0, 100.0]
    >>> quantile_edges(np.append(np.zeros(1000), np.arange(1.0, 102.0)), 5).tolist()
    [0.0, 1.0, 26.0, 51.0, 76.0, 101.0]
    """
    values, counts = np.unique(numbers, return_counts=True)
    n_edges = n_bins + 1
    if len(values) <= n_edges:
        return values
    heavy = np.zeros(len(values), dtype=np.bool_)
    while True:
        n_left = n_edges - int(heavy.sum())
        more = ~heavy & (counts * (n_left - 1) >= counts[~heavy].sum())
        if not more.any():
            break
        heavy |= more
    n_up_to = np.cumsum(counts[~heavy])
    places = np.searchsorted(n_up_to, np.linspace(0, 1, n_left) * n_up_to[-1])
    return np.union1d(values[heavy], values[~heavy][np.minimum(places, len(n_up_to) - 1)])
