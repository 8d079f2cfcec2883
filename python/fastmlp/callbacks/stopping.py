"""Callbacks that end a fit by themselves: nothing gets better any more, or the time is up."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fastmlp.callbacks.base import Callback, Run
from fastmlp.callbacks.monitors import Monitor, epochs
from fastmlp.checks.errors import unknown_name
from fastmlp.checks.values import check_size, check_value
from fastmlp.model.state import Snapshot


class EarlyStopping(Callback):
    """Stop when nothing has improved for ``patience`` epochs, and go back to the best weights.

    Parameters
    ----------
    patience : int, default 10
        Epochs without improvement that are borne.
    monitor : str, optional
        A name of the history; None: ``"val_loss"`` where there is validation data, else ``"loss"``.
    min_delta : float, default 0.0
        A smaller change is no improvement.
    restore_best : bool, default True
        Whether the network ends with the weights of the best epoch.
    mode : {"auto", "min", "max"}, default "auto"
        Whether less or more is better. "auto": more where the name has the word accuracy, r2, f1, precision, recall,
        auc or score in it, else less.
    keep : {"first", "last"}, default "first"
        Which epoch is the best one: the first of those that improved by ``min_delta``, or the last of those that are
        at least as good as the best so far. The count to ``patience`` is the same.

    Raises
    ------
    ValueError, TypeError
        For settings outside their range; when the fit begins, for a monitor that it doesn't record.

    Source: Prechelt, "Early stopping, but when?", 1998.

    Examples
    --------
    >>> EarlyStopping(patience=5, monitor="val_accuracy").patience
    5
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
            raise TypeError(f"restore_best must be True or False, got {restore_best!r}")
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
        """Forget any earlier fit; ``ValueError`` for a monitor that this one doesn't record."""
        self._monitor.name(run)
        self._to_beat = -np.inf
        self._improved = -1
        self._best_score = -np.inf
        self._best_epoch = -1
        self._best: Snapshot | None = None

    def on_epoch_end(self, run: Run) -> None:
        """Keep the weights if they are the best so far; stop if nothing has improved for too long."""
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
        """The best so far, its weights too."""
        best = None if self._best is None else self._best._asdict()
        scores = {"to_beat": self._to_beat, "improved": self._improved, "best_score": self._best_score}
        return {**scores, "best_epoch": self._best_epoch, "best": best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._to_beat, self._best_score = float(state["to_beat"]), float(state["best_score"])
        self._improved, self._best_epoch = int(state["improved"]), int(state["best_epoch"])
        self._best = None if state["best"] is None else Snapshot(**state["best"])

    def on_fit_end(self, run: Run) -> None:
        """Restore the best weights."""
        if self._best is not None:
            run.network.restore(self._best)
            run.history.best_epoch = self._best_epoch


class Tolerance(Callback):
    """Stop when what is monitored changes by less than ``epsilon`` from one epoch to the next.

    The weights stay those of the last epoch. To stop for want of a gain, or at the best weights, take `EarlyStopping`.

    Parameters
    ----------
    epsilon : float, default 1e-4
        Absolute change.
    patience : int, default 1
        For so many epochs in a row.
    monitor : str, default "loss"
        A name of the history.

    Raises
    ------
    ValueError, TypeError
        For settings outside their range; when the fit begins, for a monitor that it doesn't record.

    Examples
    --------
    >>> Tolerance(1e-6).epsilon
    1e-06
    """

    def __init__(self, epsilon: float = 1e-4, patience: int = 1, monitor: str = "loss") -> None:
        check_value("epsilon", epsilon, low=0.0, low_open=True, schedule=False)
        if monitor is None:
            raise TypeError("monitor must be a name of the history such as 'val_loss', got None")
        self._monitor = Monitor(monitor, "auto")
        self.epsilon = epsilon
        self.patience = check_size("patience", patience)
        self.monitor = monitor

    def on_fit_begin(self, run: Run) -> None:
        """Forget any earlier fit; ``ValueError`` for a monitor that this one doesn't record."""
        self._monitor.name(run)
        self._last = np.inf
        self._still = 0

    def on_epoch_end(self, run: Run) -> None:
        """Compare with the epoch before."""
        score = self._monitor.score(run)
        self._still = self._still + 1 if abs(score - self._last) < self.epsilon else 0
        self._last = score
        if self._still >= self.patience:
            run.stop(f"{self._monitor.name(run)} changed by less than {self.epsilon:g}")

    def state_dict(self) -> dict[str, Any]:
        """The last number, and for how long there was no change."""
        return {"last": self._last, "still": self._still}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._last, self._still = float(state["last"]), int(state["still"])


class TimeLimit(Callback):
    """Stop when the fit has taken ``seconds``, within a long epoch too (`LBFGS`, `LevenbergMarquardt`: after a step).

    Looked at about every 50 ms, between batches. An epoch that is cut short isn't in the history. A fit that resumes
    from a checkpoint goes on for as long again.

    Raises ``ValueError`` or ``TypeError`` unless ``seconds`` is a number above 0.

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
        """Look at the clock."""
        if time.perf_counter() >= self._end:
            run.pause(f"time limit of {self.seconds:g} s")

    def on_epoch_end(self, run: Run) -> None:
        """Look at the clock."""
        self.on_progress(run)
