"""What an optimizer leaves with the network, so that training can go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Snapshot(NamedTuple):
    """Copies of everything that training changes in a network."""

    params: NDArray[Any]
    statistics: NDArray[np.float64]


@dataclass(slots=True)
class AverageState:
    """What ``fit(average=..., warm_start=True)`` needs to go on.

    Attributes
    ----------
    path : Snapshot
        Parameters and running statistics behind the last step.
    average : Snapshot
        Their moving averages, which the network took.
    n_steps : int
        Steps in the average.
    """

    path: Snapshot
    average: Snapshot
    n_steps: int

    def astype(self, dtype: np.dtype[Any]) -> AverageState:
        """An independent copy in a dtype."""
        copies = [Snapshot(each.params.astype(dtype), each.statistics.copy()) for each in (self.path, self.average)]
        return AverageState(copies[0], copies[1], self.n_steps)


@dataclass(slots=True)
class OptimizerState:
    """Where a rule stands: ``network.optimizer_state`` after ``fit(warm_start=True)`` and ``train_on_batch``.

    Attributes
    ----------
    rule : str
        Name of the optimizer's class.
    vectors : ndarray (n_slots, n_params) or None
        The rule's momenta, of the network's dtype; None for a rule that keeps none.
    n_steps : int
        Updates made so far: the step that schedules and the corrections of Adam see next.
    average : AverageState or None
        Of a fit with ``average``.
    mask_seed : int or None
        Of the dropout masks of ``train_on_batch``; None before its first call, which draws it. A fit draws its own.

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
        """An independent copy in a dtype."""
        vectors = None if self.vectors is None else self.vectors.astype(dtype)
        average = None if self.average is None else self.average.astype(dtype)
        return OptimizerState(self.rule, vectors, self.n_steps, average, self.mask_seed)

    def fits(self, fresh: OptimizerState) -> bool:
        """Whether the rule of a fresh state can go on from here: one of the same name and as many momenta."""
        if self.rule != fresh.rule or self.vectors is None or fresh.vectors is None:
            return self.rule == fresh.rule and self.vectors is fresh.vectors
        return self.vectors.shape == fresh.vectors.shape and self.vectors.dtype == fresh.vectors.dtype
