"""Rprop: steps by the sign of the gradient alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.steps.updates import Update
from fastmlp.checks.errors import shown
from fastmlp.checks.values import Value, check_value
from fastmlp.optimizers.base import Optimizer


@dataclass(frozen=True)
class Rprop(Optimizer):
    """Rprop: a step size for each weight, which depends only on the sign of its gradient; for full batches.

    While the gradient of a weight keeps its sign, its step size is multiplied by 1.2, up to 50. When the sign changes,
    the weight has passed a minimum: its step size is halved, down to 1e-6, and it skips a step.

    Parameters
    ----------
    learning_rate : float, default 0.01
        Initial step size of every weight, above 0.
    weight_decay, l1_decay : float or function of the step, default 0.0
        L2 and L1 penalty, added to the gradient as ``weight_decay * w + l1_decay * sign(w)``.
    backtrack : bool, default False
        True: if the loss has risen too, the last step of the weight is undone. A batch must then hold all samples. The
        loss compared is that of ``history``: with the penalty of ``alpha``, without the two decays above.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges.

    Notes
    -----
    Sources: Riedmiller and Braun 1993. The variants are iRprop- and, with ``backtrack``, iRprop+ of Igel and Huesken
    2000.

    Examples
    --------
    >>> Rprop(backtrack=True).backtrack
    True
    """

    learning_rate: float = 0.01
    weight_decay: Value = 0.0
    l1_decay: Value = 0.0
    backtrack: bool = False
    rule: ClassVar[int] = Update.RPROP

    def __post_init__(self) -> None:
        self._check_shared()
        check_value("learning_rate", self.learning_rate, low=0.0, low_open=True, schedule=False)
        if not isinstance(self.backtrack, (bool, np.bool_)):
            raise TypeError(f"backtrack must be True or False, got {shown(self.backtrack)}")
        if self.backtrack:
            object.__setattr__(self, "rule", Update.RPROP_PLUS)

    def initial_state(self, n_params: int, dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """Last gradient (0) and step sizes; with ``backtrack`` a third row, which starts with the last loss."""
        state = np.zeros((3 if self.backtrack else 2, n_params), dtype=dtype)
        state[1] = self.learning_rate
        return state

    def uses_signs(self) -> bool:
        """True without decays."""
        return self.weight_decay == 0 and self.l1_decay == 0

    def needs_all_samples(self) -> bool:
        """True with ``backtrack``."""
        return self.backtrack
