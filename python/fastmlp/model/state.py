"""Copies of what training changes, and the optimizer's state, from which training can go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Snapshot(NamedTuple):
    """A copy of what training changes in a network; see `Network.snapshot`.

    Attributes
    ----------
    params : ndarray (n_params,)
        Parameters, of the network's dtype.
    statistics : ndarray of float64 (n_statistics,)
        Running statistics.
    """

    params: NDArray[Any]
    statistics: NDArray[np.float64]


@dataclass(slots=True)
class AverageState:
    """What ``fit(average=..., warm_start=True)`` needs to go on.

    Attributes
    ----------
    path : Snapshot
        Parameters and running statistics after the last step.
    average : Snapshot
        Their moving averages; the network uses these.
    n_steps : int
        Number of steps in the average.
    """

    path: Snapshot
    average: Snapshot
    n_steps: int

    def astype(self, dtype: np.dtype[Any]) -> AverageState:
        """Return an independent copy in the dtype."""
        copies = [Snapshot(each.params.astype(dtype), each.statistics.copy()) for each in (self.path, self.average)]
        return AverageState(copies[0], copies[1], self.n_steps)


@dataclass(slots=True)
class OptimizerState:
    """The state of an optimizer: ``net.optimizer_state`` after ``fit(warm_start=True)`` or `train_on_batch`.

    Attributes
    ----------
    rule : str
        Name of the optimizer's class.
    vectors : ndarray (n_slots, n_params) or None
        The optimizer's momenta, of the network's dtype; None if it keeps none.
    n_steps : int, default 0
        Updates so far. Schedules and Adam's bias correction go on from this step.
    average : AverageState or None, default None
        The averages of a fit with ``average``.
    mask_seed : int or None, default None
        Seed of the dropout masks of `train_on_batch`, drawn in its first call. A fit draws its own seed.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([2, 1], seed=0)
    >>> loss = net.train_on_batch([[0.0, 1.0]], [1.0])
    >>> net.optimizer_state.rule, net.optimizer_state.vectors.shape, net.optimizer_state.n_steps
    ('Adam', (2, 3), 1)
    """

    rule: str
    vectors: NDArray[Any] | None
    n_steps: int = 0
    average: AverageState | None = None
    mask_seed: int | None = None

    def astype(self, dtype: np.dtype[Any]) -> OptimizerState:
        """Return an independent copy in the dtype, "float32" or "float64"."""
        vectors = None if self.vectors is None else self.vectors.astype(dtype)
        average = None if self.average is None else self.average.astype(dtype)
        return OptimizerState(self.rule, vectors, self.n_steps, average, self.mask_seed)

    def fits(self, fresh: OptimizerState) -> bool:
        """Whether the optimizer with this fresh state can go on from here: same rule, and momenta of the same shape."""
        if self.rule != fresh.rule or self.vectors is None or fresh.vectors is None:
            return self.rule == fresh.rule and self.vectors is fresh.vectors
        return self.vectors.shape == fresh.vectors.shape and self.vectors.dtype == fresh.vectors.dtype
