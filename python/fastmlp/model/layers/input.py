"""Input: how many columns X has, and how the network sees them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.arrays import as_numbers
from fastmlp.checks.values import check_size

_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Input:
    """The columns of X, each seen by the network as ``(x - shift) * scale``.

    Data keep the dtype they came in; the scaling is part of the network and is saved with it.

    Parameters
    ----------
    n_features : int
        Columns of X.
    shift, scale : float or array_like (n_features,), default 0 and 1
        Finite numbers.

    Raises
    ------
    TypeError, ValueError
        A size that is not a positive whole number, numbers of the wrong shape, NaN or infinity.

    Examples
    --------
    >>> Input(784, scale=1 / 255).n_features
    784
    """

    n_features: int
    shift: ArrayLike = 0.0
    scale: ArrayLike = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_features", check_size("n_features", self.n_features))
        for argument in ("shift", "scale"):
            numbers = as_numbers(argument, getattr(self, argument)).astype(np.float64)
            if numbers.ndim and numbers.shape != (self.n_features,):
                raise ValueError(
                    f"{argument} must be one number or have shape ({self.n_features},), got {numbers.shape}"
                )
            # One number for all columns takes the memory of one number, however many columns there are.
            strides = numbers.strides if numbers.ndim else (0,)
            column = np.ndarray((self.n_features,), np.float64, numbers, strides=strides)
            column.flags.writeable = False
            object.__setattr__(self, argument, column)

    @classmethod
    def standardized(cls, X: ArrayLike) -> Input:
        """An input that gives the columns of X mean 0 and deviation 1 (constant columns become 0).

        Examples
        --------
        >>> layer = Input.standardized([[0.0, 5.0], [2.0, 5.0]])
        >>> layer.shift.tolist(), layer.scale.tolist()
        ([1.0, 5.0], [1.0, 1.0])
        """
        array = as_numbers("X", X, ndim=2)
        squares = np.zeros(array.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            mean = array.mean(axis=0, dtype=np.float64)
            for first in range(0, len(array), _BLOCK):  # in blocks, so that no float copy of the data is made
                squares += ((array[first : first + _BLOCK] - mean) ** 2).sum(axis=0)
        deviation = np.sqrt(squares / len(array))
        if not np.isfinite(deviation).all():
            column = int(np.argmin(np.isfinite(deviation)))
            raise ValueError(f"X must not hold numbers whose squares are beyond float64, got them in column {column}")
        # A rounded mean gives a constant column a small deviation, so that alone doesn't show whether it varies.
        varies = (array.max(axis=0) > array.min(axis=0)) & (deviation > np.finfo(np.float64).tiny)
        return cls(array.shape[1], mean, 1 / np.where(varies, deviation, 1.0))

    @cached_property
    def is_scaled(self) -> bool:
        """Whether the network sees anything else than x itself."""
        return bool(distinct(self.shift).any() or (distinct(self.scale) != 1).any())


def distinct(column: ArrayLike) -> NDArray[np.float64]:
    """The column's numbers, once where it is one number repeated in place."""
    numbers: NDArray[np.float64] = np.asarray(column)
    return numbers[:1] if numbers.strides == (0,) else numbers
