"""Input: how many columns X has, and how the network scales them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.arrays import as_numbers, as_rows
from fastmlp.checks.parameters import HasParams
from fastmlp.checks.values import check_size
from fastmlp.model.standardizing import standardizing


@dataclass(frozen=True, eq=False)
class Input(HasParams):
    """The columns of X, which the network scales to ``(x - shift) * scale``.

    The scaling is part of the network and is saved with it. The data keep their dtype. Every call refuses an X
    with a number that overflows the network's dtype when scaled, with ``ValueError``.

    Parameters
    ----------
    n_features : int
        Number of columns of X.
    shift : float or array_like (n_features,), default 0.0
        Finite numbers, one for all columns or one for each.
    scale : float or array_like (n_features,), default 1.0
        Finite numbers, one for all columns or one for each.

    Raises
    ------
    TypeError
        If ``n_features`` is not a whole number, or ``shift`` or ``scale`` not numbers.
    ValueError
        If ``n_features`` is not positive, or ``shift`` or ``scale`` has the wrong shape, NaN or infinity.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([fm.Input(784, scale=1 / 255), 30, 10], loss="cross_entropy")
    >>> net.n_features
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
            # One number for all columns takes the memory of one number.
            strides = numbers.strides if numbers.ndim else (0,)
            column = np.ndarray((self.n_features,), np.float64, numbers, strides=strides)
            column.flags.writeable = False
            object.__setattr__(self, argument, column)

    @classmethod
    def standardized(cls, X: ArrayLike) -> Input:
        """Make an input that scales the columns of X to mean 0 and standard deviation 1.

        Parameters
        ----------
        X : array_like (n_samples, n_features)
            The training data.

        Returns
        -------
        Input
            It turns constant columns into 0. As in scikit-learn's StandardScaler, a column that varies by no more than
            the rounding noise of its mean is constant: ones that differ in the last bit, for instance.

        Raises
        ------
        TypeError, ValueError
            If X is not a table of finite numbers, or squares of its numbers overflow float64.

        Examples
        --------
        >>> import fastmlp as fm
        >>> layer = fm.Input.standardized([[0.0, 5.0], [2.0, 5.0]])
        >>> layer.shift.tolist(), layer.scale.tolist()
        ([1.0, 5.0], [1.0, 1.0])
        """
        array = as_rows("X", X, ndim=2)
        return cls(array.shape[1], *standardizing("X", array))

    @cached_property
    def is_scaled(self) -> bool:
        """Whether the scaling changes anything."""
        return bool(distinct(self.shift).any() or (distinct(self.scale) != 1).any())

    @cached_property
    def sizes(self) -> tuple[float, float]:
        """The largest absolute shift and scale."""
        return float(np.abs(distinct(self.shift)).max()), float(np.abs(distinct(self.scale)).max())


def distinct(column: ArrayLike) -> NDArray[np.float64]:
    """The numbers of a column, or only the first if all are one number repeated without copies."""
    numbers: NDArray[np.float64] = np.asarray(column)
    return numbers[:1] if numbers.strides == (0,) else numbers
