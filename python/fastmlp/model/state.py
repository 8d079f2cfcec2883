"""Copies of what training changes, and the optimizer's state, from which training can go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST_STEPS = 2**53
"""Steps are counted in whole numbers that a float can hold."""


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


def check_state(state: object, n_params: int, n_statistics: int, dtype: np.dtype[Any]) -> None:
    """Raise ``TypeError`` or ``ValueError`` unless a network of this size can have this optimizer state, or None."""
    if state is None:
        return
    if not isinstance(state, OptimizerState):
        raise TypeError(f"optimizer_state must be an OptimizerState or None, got {type(state).__name__}")
    if not isinstance(state.rule, str):
        raise TypeError(f"optimizer_state.rule must be a str, got {type(state.rule).__name__}")
    _check_count("optimizer_state.n_steps", state.n_steps)
    if state.mask_seed is not None:
        _check_count("optimizer_state.mask_seed", state.mask_seed, 2**64)
    if state.vectors is not None:
        slots = state.vectors.shape[0] if isinstance(state.vectors, np.ndarray) and state.vectors.ndim == 2 else 1
        _check_array("optimizer_state.vectors", state.vectors, (slots, n_params), dtype)
    if state.average is None:
        return
    if not isinstance(state.average, AverageState):
        raise TypeError(f"optimizer_state.average must be an AverageState or None, got {type(state.average).__name__}")
    _check_count("optimizer_state.average.n_steps", state.average.n_steps)
    for name in ("path", "average"):
        snapshot = getattr(state.average, name)
        check_snapshot(f"optimizer_state.average.{name}", snapshot, n_params, n_statistics, dtype)


def check_snapshot(name: str, snapshot: object, n_params: int, n_statistics: int, dtype: np.dtype[Any]) -> None:
    """Raise ``TypeError`` or ``ValueError`` unless it is a snapshot of a network of this size."""
    if not isinstance(snapshot, Snapshot):
        raise TypeError(f"{name} must be a Snapshot, got {type(snapshot).__name__}")
    _check_array(f"{name}.params", snapshot.params, (n_params,), dtype)
    _check_array(f"{name}.statistics", snapshot.statistics, (n_statistics,), np.dtype(np.float64))


def _check_count(name: str, value: object, limit: int = MOST_STEPS) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {value!r:.60}")
    if not 0 <= value < limit:
        raise ValueError(f"{name} must be from 0 to {limit - 1}, got {value!r:.60}")


def _check_array(name: str, value: object, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if not isinstance(value, np.ndarray) or value.dtype != dtype or value.shape != shape:
        got = f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise ValueError(f"{name} must be an array of {dtype} of shape {shape}, got {got}")
    if not (value.flags.c_contiguous and value.flags.writeable):
        raise ValueError(f"{name} must be a writable, C-contiguous array")
