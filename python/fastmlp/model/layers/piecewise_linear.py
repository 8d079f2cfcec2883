"""Piecewise-linear encoding of columns: one number for each bin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.types import Kind
from fastmlp.checks.arrays import as_numbers, as_rows
from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_flag, check_size, check_value
from fastmlp.model.binning import quantile_edges
from fastmlp.model.layers.base import Layer
from fastmlp.model.layers.input import Input

NARROWEST, LARGEST, HEAVIEST = 1e-30, 1e30, 1e6
"""Limits on the width of a bin, the size of an edge and the weight, with which the arithmetic fits in float32."""


@dataclass(frozen=True, repr=False)
class PiecewiseLinear(Layer):
    """Piecewise-linear encoding: a number for each bin of a column, next to the column itself.

    For a column x with edges e_0 < ... < e_b, bin k gives

        ``f * (clamp((x - e_k) / (e_{k+1} - e_k), 0, 1) - 1/2)``        with ``f = 2 * weight / sqrt(b)``

    so the next layer can learn any function of the column that is linear inside each bin. It learns nothing itself;
    `quantiles` chooses the edges. It is usually the first layer of a network for tables.

    Parameters
    ----------
    edges : sequence of array_like or None
        For each column, at least two increasing numbers, or None for a column that only passes unchanged. They are
        edges of what the layer gets, after the scaling of `Input`.
    plain : bool, default True
        Whether columns with bins also pass unchanged.
    weight : float, default 1.0
        The size of a column's numbers together: the root of the sum of their squares is about ``weight``, as it is for
        a column with mean 0 and deviation ``weight``. Above 0.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If edges are not finite or do not increase, or ``weight`` is out of range. When the network is made: if
        ``edges`` has another length than the layer gets columns.

    Notes
    -----
    The outputs are the columns that pass, then the bins, column by column. The derivative at an edge is that of the bin
    below it. Edges are part of the layer: they are saved with it, and training does not change them.

    Source: Gorishniy, Rubachev and Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS
    2022; without their shift by 1/2 and weight.

    Examples
    --------
    >>> import fastmlp as fm
    >>> layer = fm.PiecewiseLinear([[0, 1, 3], None])
    >>> layer
    PiecewiseLinear(2 columns, 2 bins)
    >>> net = fm.Network([2, layer, 8, 1], seed=0)
    >>> net.activations([[2.0, 5.0]])[0].round(3).tolist()
    [[2.0, 5.0, 0.707, 0.0]]
    """

    kind: ClassVar[int] = Kind.PIECEWISE_LINEAR

    edges: Sequence[ArrayLike | None]
    plain: bool = True
    weight: float = 1.0

    def __post_init__(self) -> None:
        if isinstance(self.edges, (str, bytes)) or not isinstance(self.edges, Iterable):
            raise TypeError(f"edges must be a sequence with edges or None for each column, got {shown(self.edges)}")
        checked = tuple(_checked(f"edges[{i}]", given) for i, given in enumerate(self.edges))
        if not checked:
            raise ValueError("edges must have an entry for each column, got none")
        object.__setattr__(self, "edges", checked)
        check_flag("plain", self.plain)
        check_value("weight", self.weight, low=0.0, low_open=True, high=HEAVIEST, schedule=False)

    @classmethod
    def quantiles(
        cls,
        X: ArrayLike,
        n_bins: int = 32,
        *,
        columns: Sequence[int] | None = None,
        inputs: Input | None = None,
        plain: bool = True,
        weight: float = 1.0,
    ) -> PiecewiseLinear:
        """Make a layer with edges at quantiles of the columns of X.

        A column with few distinct values has an edge at each of them. A value that alone fills a bin has one edge, and
        the quantiles are those of the rest. Columns with fewer than three distinct values pass unchanged.

        Parameters
        ----------
        X : array_like (n_samples, n_features)
            The training data.
        n_bins : int, default 32
            The most bins that a column has, at least 2.
        columns : sequence of int, optional
            Indices of the columns that have bins; the others pass unchanged. Default: all columns.
        inputs : Input, optional
            The input of the network, if it scales X: the edges are then those of scaled columns.
        plain, weight
            As for the class.

        Returns
        -------
        PiecewiseLinear

        Raises
        ------
        TypeError, ValueError
            If X is not a table of finite numbers of at most 1e30 in size, or another argument is invalid.

        Examples
        --------
        >>> import fastmlp as fm
        >>> X = [[i, i % 2] for i in range(101)]
        >>> fm.PiecewiseLinear.quantiles(X, n_bins=4).edges
        ((0.0, 25.0, 50.0, 75.0, 100.0), None)
        """
        array = as_rows("X", X, ndim=2)
        n_columns = array.shape[1]
        if check_size("n_bins", n_bins) < 2:
            raise ValueError("n_bins must be at least 2, got 1")
        if inputs is not None and (not isinstance(inputs, Input) or inputs.n_features != n_columns):
            raise ValueError(f"inputs must be an Input of the {n_columns} columns of X, got {shown(inputs)}")
        chosen = range(n_columns) if columns is None else _indices(columns, n_columns)
        edges: list[ArrayLike | None] = [None] * n_columns
        for j in chosen:
            numbers = array[:, j].astype(np.float64)
            if inputs is not None:
                numbers = (numbers - np.asarray(inputs.shift)[j]) * np.asarray(inputs.scale)[j]
            found = quantile_edges(numbers, n_bins)
            if len(found) > 2:
                edges[j] = _apart(found)
        return cls(edges, plain, weight)

    @property
    def normalises(self) -> bool:
        """Whether all columns have bins, and none passes."""
        return not self._passing

    def width(self, n_in: int) -> int:
        """The columns that pass, and all bins."""
        if len(self.edges) != n_in:
            raise ValueError(
                f"edges of PiecewiseLinear must have an entry for each of the {n_in} columns that it gets, "
                f"got {len(self.edges)}"
            )
        return len(self._passing) + self._n_bins

    def constants(self) -> NDArray[np.float64]:
        """How many columns pass, and these; then for each block its column, number of bins, factor, edges, rates."""
        numbers: list[Any] = [[len(self._passing)], self._passing]
        for i, given in enumerate(self.edges):
            if given is not None:
                edges = np.array(given, np.float64)
                n_bins = len(edges) - 1
                numbers += [[i, n_bins, 2 * self.weight / math.sqrt(n_bins)], edges, 1 / np.diff(edges)]
        joined: NDArray[np.float64] = np.concatenate(numbers, dtype=np.float64)
        return joined

    def to_dict(self) -> dict[str, Any]:
        """The fields, with lists of edges."""
        edges = [None if given is None else [*map(float, np.asarray(given))] for given in self.edges]
        return {"edges": edges, "plain": self.plain, "weight": self.weight}

    @property
    def _passing(self) -> list[int]:
        """The columns that pass unchanged."""
        return [i for i, given in enumerate(self.edges) if self.plain or given is None]

    @property
    def _n_bins(self) -> int:
        return sum(np.size(given) - 1 for given in self.edges if given is not None)

    def __repr__(self) -> str:
        more = ("" if self.plain else ", plain=False") + ("" if self.weight == 1 else f", weight={self.weight!r}")
        return f"PiecewiseLinear({len(self.edges)} columns, {self._n_bins} bins{more})"


def _checked(argument: str, given: object) -> tuple[float, ...] | None:
    """The edges of a column, or None; ``ValueError`` or ``TypeError`` if they can't be."""
    if given is None:
        return None
    edges = as_numbers(argument, given, ndim=1).astype(np.float64)
    if len(edges) < 2:
        raise ValueError(f"{argument} must have at least two edges, or be None, got {shown(edges.tolist())}")
    if np.abs(edges).max() > LARGEST:
        raise ValueError(f"{argument} must be at most {LARGEST:g} in size, got {shown(edges.tolist())}")
    narrow = np.flatnonzero(np.diff(edges) < NARROWEST)
    if len(narrow):
        pair = edges[narrow[0] : narrow[0] + 2].tolist()
        raise ValueError(f"{argument} must increase, by at least {NARROWEST:g}, got {pair[0]!r} before {pair[1]!r}")
    return tuple(edges.tolist())


def _apart(edges: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The edges without those too close to the one before; None if only one is left."""
    kept = edges[np.append(True, np.diff(edges) >= NARROWEST)]
    return kept if len(kept) > 1 else None


def _indices(columns: Sequence[int], n_columns: int) -> set[int]:
    """The columns, each once; ``ValueError`` or ``TypeError`` for what is no index."""
    for column in columns:
        if isinstance(column, (bool, np.bool_)) or not isinstance(column, (int, np.integer)):
            raise TypeError(f"columns must be whole numbers, got {shown(column)}")
        if not 0 <= column < n_columns:
            raise ValueError(f"columns must be indices of columns of X, from 0 to {n_columns - 1}, got {column}")
    return set(map(int, columns))
