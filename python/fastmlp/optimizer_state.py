"""What an optimizer leaves with the network, so that training can go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from fastmlp.network import Network
    from fastmlp.optimizers import Optimizer


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

    def astype(self, dtype: np.dtype[Any]) -> OptimizerState:
        """An independent copy in a dtype."""
        return OptimizerState(self.rule, None if self.vectors is None else self.vectors.astype(dtype), self.n_steps)

    def fits(self, fresh: OptimizerState) -> bool:
        """Whether the rule of a fresh state can go on from here: one of the same name and as many momenta."""
        if self.rule != fresh.rule or self.vectors is None or fresh.vectors is None:
            return self.rule == fresh.rule and self.vectors is fresh.vectors
        return self.vectors.shape == fresh.vectors.shape and self.vectors.dtype == fresh.vectors.dtype


def state_to_begin_with(network: Network, optimizer: Optimizer, warm_start: bool) -> OptimizerState:
    """The state that the network kept, if it is asked for and fits this optimizer; else a fresh one."""
    fresh = OptimizerState(type(optimizer).__name__, optimizer.initial_state(network.n_params, network.dtype))
    kept = network.optimizer_state if warm_start else None
    return kept if kept is not None and kept.fits(fresh) else fresh
