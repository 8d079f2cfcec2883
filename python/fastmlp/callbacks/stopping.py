"""Callbacks that end a fit: early stopping, a tolerance, a time limit."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fastmlp.callbacks.base import OwnState, Run
from fastmlp.callbacks.monitors import Monitor, epochs
from fastmlp.checks.errors import shown, unknown_name
from fastmlp.checks.saved import saved_number, saved_whole
from fastmlp.checks.values import check_size, check_value
from fastmlp.model.state import Snapshot, check_snapshot


class EarlyStopping(OwnState):
    """Early stopping: end the fit when nothing has improved for a while, and restore the best weights.

    Parameters
    ----------
    patience : int, default 10
        Epochs without improvement before stopping.
    monitor : str, optional
        A name in the history. Default: ``"val_loss"`` with validation data, else ``"loss"``.
    min_delta : float, default 0.0
        A change must be larger than this to count as an improvement.
    restore_best : bool, default True
        Whether the network ends with the weights of the best epoch.
    mode : {"auto", "min", "max"}, default "auto"
        Whether less ("min") or more ("max") is better. "auto" knows it for losses and the metrics of
        `fastmlp.metrics`, for numbers named auc, f1, precision, recall or score, and for metrics with an attribute
        ``greater_is_better``; it needs "min" or "max" for all others.
    keep : {"first", "last"}, default "first"
        Which of several equally good epochs counts as the best. An epoch that is better by less than ``min_delta``
        counts as equal for "first"; for "last" it need only be at least as good. The fit stops at the same time.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges; when the fit begins, for a monitor that is not recorded, or whose direction
        is not known.

    Notes
    -----
    Source: Prechelt, "Early stopping, but when?", 1998.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([1, 1], init="zeros")
    >>> stopping = EarlyStopping(patience=3, monitor="loss")
    >>> net.fit([[0.0]], [0.0], epochs=100, callbacks=[stopping]).stop_reason
    'loss has not improved for 3 epochs'
    """

    def __init__(
        self,
        patience: int = 10,
        monitor: str | None = None,
        min_delta: float = 0.0,
        restore_best: bool = True,
        mode: str = "auto",
        keep: str = "first",
    ) -> None:
        self._monitor = Monitor(monitor, mode)
        if not isinstance(restore_best, (bool, np.bool_)):
            raise TypeError(f"restore_best must be True or False, got {shown(restore_best)}")
        check_value("min_delta", min_delta, low=0.0, schedule=False)
        if keep not in ("first", "last"):
            raise unknown_name("keep", keep, ("first", "last"))
        self.patience = check_size("patience", patience)
        self.monitor = monitor
        self.min_delta = min_delta
        self.restore_best = restore_best
        self.mode = mode
        self.keep = keep

    def on_fit_begin(self, run: Run) -> None:
        """Forget any earlier fit; ``ValueError`` for a monitor that is not recorded, or has no known direction."""
        self._monitor.more_is_better(run)
        self._to_beat = -np.inf
        self._improved = -1
        self._best_score = -np.inf
        self._best_epoch = -1
        self._best: Snapshot | None = None
        network = run.network
        self._form = network.n_params, network.layout.n_statistics, network.dtype  # of a snapshot

    def on_epoch_end(self, run: Run) -> None:
        """Keep the weights if they are the best so far; stop once patience runs out."""
        score = self._monitor.score(run)
        improves = score > self._to_beat + self.min_delta
        if improves:
            self._to_beat, self._improved = score, run.epoch
        if improves or (self.keep == "last" and score >= self._best_score > -np.inf):
            self._best_score, self._best_epoch = score, run.epoch
            if self.restore_best:
                self._best = run.network.snapshot(self._best)
        if run.epoch - self._improved >= self.patience:
            run.stop(f"{self._monitor.name(run)} has not improved for {epochs(self.patience)}")

    def state_dict(self) -> dict[str, Any]:
        """The best scores and epochs so far, and the best weights."""
        best = None if self._best is None else self._best._asdict()
        scores = {"to_beat": self._to_beat, "improved": self._improved, "best_score": self._best_score}
        return {**scores, "best_epoch": self._best_epoch, "best": best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the scores, epochs and weights."""
        self._to_beat = saved_number(state, "to_beat", finite=False)
        self._best_score = saved_number(state, "best_score", finite=False)
        self._improved, self._best_epoch = (saved_whole(state, name, -1) for name in ("improved", "best_epoch"))
        best = None if state["best"] is None else Snapshot(**state["best"])
        if best is not None:
            check_snapshot("best", best, *self._form)
        self._best = best

    def on_fit_end(self, run: Run) -> None:
        """Restore the best weights."""
        if self._best is not None:
            run.network.restore(self._best)
            run.history.best_epoch = self._best_epoch


class Tolerance(OwnState):
    """Stop when a number changes by less than ``epsilon`` from one epoch to the next.

    The network keeps the weights of the last epoch. Use `EarlyStopping` to stop when nothing improves, or to restore
    the best weights.

    Parameters
    ----------
    epsilon : float, default 1e-4
        Absolute change, above 0.
    patience : int, default 1
        Number of epochs in a row that must change less than this.
    monitor : str, default "loss"
        A name in the history.

    Raises
    ------
    ValueError, TypeError
        For arguments outside their ranges; when the fit begins, for a monitor that is not recorded.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([1, 1], init="zeros")
    >>> net.fit([[0.0]], [0.0], epochs=100, callbacks=[Tolerance(1e-6)]).stop_reason
    'loss changed by less than 1e-06'
    """

    def __init__(self, epsilon: float = 1e-4, patience: int = 1, monitor: str = "loss") -> None:
        check_value("epsilon", epsilon, low=0.0, low_open=True, schedule=False)
        if monitor is None:
            raise TypeError("monitor must be a name in the history such as 'val_loss', got None")
        self._monitor = Monitor(monitor, "auto")
        self.epsilon = epsilon
        self.patience = check_size("patience", patience)
        self.monitor = monitor

    def on_fit_begin(self, run: Run) -> None:
        """Forget any earlier fit; ``ValueError`` for a monitor that is not recorded."""
        self._monitor.name(run)
        self._last = np.inf
        self._still = 0

    def on_epoch_end(self, run: Run) -> None:
        """Compare with the previous epoch."""
        value = self._monitor.value(run)
        self._still = self._still + 1 if abs(value - self._last) < self.epsilon else 0
        self._last = value
        if self._still >= self.patience:
            run.stop(f"{self._monitor.name(run)} changed by less than {self.epsilon:g}")

    def state_dict(self) -> dict[str, Any]:
        """The last number, and the epochs without change."""
        return {"last": self._last, "still": self._still}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the last number and the count."""
        self._last = saved_number(state, "last", finite=False)
        self._still = saved_whole(state, "still", 0, self.patience)


class TimeLimit(OwnState):
    """Stop after ``seconds``, even within an epoch.

    The clock is checked about every 50 ms, between batches; with `LBFGS` and `LevenbergMarquardt`, after each step. An
    epoch that is cut short is not in the history. A fit that resumes from a checkpoint gets the full time again.

    Parameters
    ----------
    seconds : float
        Above 0.

    Raises
    ------
    ValueError, TypeError
        For ``seconds`` that are not a number above 0.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([1, 1], seed=0)
    >>> net.fit([[1.0]], [1.0], epochs=10**9, callbacks=[TimeLimit(0.1)]).stop_reason
    'time limit of 0.1 s'
    """

    def __init__(self, seconds: float) -> None:
        check_value("seconds", seconds, low=0.0, low_open=True, schedule=False)
        self.seconds = seconds

    def on_fit_begin(self, run: Run) -> None:
        """Start the clock."""
        self._end = time.perf_counter() + self.seconds

    def on_progress(self, run: Run) -> None:
        """Check the clock."""
        if time.perf_counter() >= self._end:
            run.pause(f"time limit of {self.seconds:g} s")

    def on_epoch_end(self, run: Run) -> None:
        """Check the clock."""
        self.on_progress(run)
