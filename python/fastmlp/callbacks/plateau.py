"""Lower the learning rate when nothing improves."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.callbacks.base import OwnState, Run
from fastmlp.callbacks.monitors import Monitor
from fastmlp.checks.saved import saved_number, saved_whole
from fastmlp.checks.values import check_size, check_value
from fastmlp.optimizers import Rprop, WholeSetMethod


class Plateau(OwnState):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without improvement.

    The factor applies to the current fit only, from the next epoch on, and multiplies the optimizer's schedule if it
    has one. ``history["learning_rate"]`` shows the result.

    Parameters
    ----------
    factor : float, default 0.5
        Between 0 and 1.
    patience : int, default 5
        Epochs without improvement before the learning rate falls, counted again after each fall.
    min_delta : float, default 0.0
        A change must be larger than this to count as an improvement.
    floor : float, default 0.0
        Lower limit for the learning rate of the first update of an epoch.
    monitor : str, optional
        A name in the history. Default: ``"val_loss"`` with validation data, else ``"loss"``.
    mode : {"auto", "min", "max"}, default "auto"
        As in `EarlyStopping`.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges. When the fit begins, for a monitor that is not recorded or whose
        direction is not known, and for `LBFGS`, `LevenbergMarquardt` and `Rprop`, which have no learning rate.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([1, 1], init="zeros")
    >>> fit = net.fit([[0.0]], [0.0], epochs=6, optimizer=fm.SGD(0.8), callbacks=[Plateau(patience=2, floor=0.3)])
    >>> fit["learning_rate"].tolist()
    [0.8, 0.8, 0.8, 0.4, 0.4, 0.3]
    """

    def __init__(
        self,
        factor: float = 0.5,
        patience: int = 5,
        min_delta: float = 0.0,
        floor: float = 0.0,
        monitor: str | None = None,
        mode: str = "auto",
    ) -> None:
        check_value("factor", factor, low=0.0, high=1.0, low_open=True, high_open=True, schedule=False)
        check_value("min_delta", min_delta, low=0.0, schedule=False)
        check_value("floor", floor, low=0.0, schedule=False)
        self._monitor = Monitor(monitor, mode)
        self.factor = factor
        self.patience = check_size("patience", patience)
        self.min_delta = min_delta
        self.floor = floor
        self.monitor = monitor
        self.mode = mode

    def on_fit_begin(self, run: Run) -> None:
        """Forget any earlier fit; ``ValueError`` for an unknown monitor or an optimizer without a learning rate."""
        if isinstance(run.optimizer, (WholeSetMethod, Rprop)):
            raise ValueError(f"Plateau needs an optimizer with a learning rate, got {type(run.optimizer).__name__}")
        self._monitor.more_is_better(run)
        self._best = -np.inf
        self._since = 0

    def on_epoch_end(self, run: Run) -> None:
        """Count the epochs without improvement, and lower the learning rate after too many."""
        score = self._monitor.score(run)
        if score > self._best + self.min_delta:
            self._best, self._since = score, 0
            return
        self._since += 1
        if self._since >= self.patience:
            self._since = 0
            rate = run.history.last("learning_rate")
            if rate > self.floor:
                run.learning_rate_factor *= max(self.factor, self.floor / rate)

    def state_dict(self) -> dict[str, Any]:
        """The best score so far, and the epochs since then."""
        return {"best": self._best, "since": self._since}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the best score and the count."""
        self._best = saved_number(state, "best", finite=False)
        self._since = saved_whole(state, "since", 0, self.patience)
