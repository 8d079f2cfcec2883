"""What may look in on a fit after every epoch, and stop it.

A callback is any function of a `Run`, called after each epoch, or a `Callback` with methods of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastmlp.errors import unknown_name
from fastmlp.history import History
from fastmlp.layers import check_size
from fastmlp.values import check_value

if TYPE_CHECKING:
    from fastmlp.network import Network
    from fastmlp.parameters import Snapshot


@dataclass
class Run:
    """A fit in progress, as callbacks see it.

    Attributes
    ----------
    network : Network
    history : History
        Its newest entries are this epoch's.
    n_epochs : int
        Epochs asked for.
    recorded : tuple of str
        The names that the history will have.
    epoch : int
        Index of the epoch just finished.
    stop_reason : str or None
        Set by `stop`.
    """

    network: Network
    history: History
    n_epochs: int
    recorded: tuple[str, ...] = ()
    epoch: int = -1
    stop_reason: str | None = None

    def stop(self, reason: str) -> None:
        """End the fit after this epoch, for this reason."""
        self.stop_reason = reason


class Callback:
    """Base for callbacks that want more than the end of each epoch."""

    def on_fit_begin(self, run: Run) -> None:
        """Before the first epoch."""

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch, its history recorded."""

    def on_fit_end(self, run: Run) -> None:
        """After the last epoch, also when the fit was interrupted."""


CallbackLike: TypeAlias = Callback | Callable[[Run], Any]


class _Function(Callback):
    def __init__(self, function: Callable[[Run], Any]) -> None:
        self._function = function

    def on_epoch_end(self, run: Run) -> None:
        self._function(run)


def make_callbacks(callbacks: Iterable[CallbackLike]) -> tuple[Callback, ...]:
    """Callbacks from callbacks and plain functions; one alone needs no list."""
    if isinstance(callbacks, Callback) or callable(callbacks):
        callbacks = (callbacks,)
    if isinstance(callbacks, str) or not isinstance(callbacks, Iterable):
        raise TypeError(f"callbacks must be a list of Callback objects or functions of a Run, got {callbacks!r}")
    made = []
    for callback in callbacks:
        if isinstance(callback, Callback):
            made.append(callback)
        elif callable(callback) and not isinstance(callback, type):
            made.append(_Function(callback))
        else:
            raise TypeError(f"callbacks must be Callback objects or functions of a Run, got {callback!r}")
    return tuple(made)


def _check_monitor(monitor: object) -> None:
    if not isinstance(monitor, str):
        raise TypeError(f"monitor must be a name of the history such as 'val_loss', got {monitor!r}")


def _monitored(run: Run, monitor: str | None) -> str:
    """The name of what is watched; by default the validation loss where there is one.

    Before the first epoch only a missing validation can be told: callbacks may record what they like.
    """
    known = {*run.recorded, *run.history}
    name = monitor if monitor is not None else ("val_loss" if "val_loss" in known else "loss")
    if known and name.startswith("val_") and not any(other.startswith("val_") for other in known):
        raise ValueError(f"monitor={name!r} needs validation_data, and this fit has none")
    if run.epoch >= 0 and name not in known:
        raise unknown_name("monitor", name, known)
    return name


class EarlyStopping(Callback):
    """Stop when nothing has improved for ``patience`` epochs, and go back to the best weights.

    Parameters
    ----------
    patience : int, default 10
        Epochs without improvement that are borne.
    monitor : str, optional
        A name of the history; None: ``"val_loss"`` where there is validation data, else ``"loss"``. Names with
        "accuracy" are better when larger.
    min_delta : float, default 0.0
        A smaller change is no improvement.
    restore_best : bool, default True
        Whether the network ends with the weights of the best epoch.

    Source: Prechelt, "Early stopping, but when?", 1998.

    Examples
    --------
    >>> EarlyStopping(patience=5, monitor="val_accuracy").patience
    5
    """

    def __init__(
        self, patience: int = 10, monitor: str | None = None, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        if monitor is not None:
            _check_monitor(monitor)
        if not isinstance(restore_best, (bool, np.bool_)):
            raise TypeError(f"restore_best must be True or False, got {restore_best!r}")
        check_value("min_delta", min_delta, low=0.0, schedule=False)
        self.patience = check_size("patience", patience)
        self.monitor = monitor
        self.min_delta = min_delta
        self.restore_best = restore_best

    def on_fit_begin(self, run: Run) -> None:
        """Forget any earlier fit; ``ValueError`` for a monitor that this one doesn't record."""
        _monitored(run, self.monitor)
        self._best_score = -np.inf
        self._best_epoch = -1
        self._best: Snapshot | None = None

    def on_epoch_end(self, run: Run) -> None:
        """Keep the weights if they are the best so far; stop if they have not been for too long."""
        name = _monitored(run, self.monitor)
        value = run.history.last(name)
        score = value if "accuracy" in name else -value
        if score > self._best_score + (self.min_delta if self._best_epoch >= 0 else 0.0):
            self._best_score, self._best_epoch = score, run.epoch
            if self.restore_best:
                self._best = run.network.snapshot(self._best)
        elif run.epoch - self._best_epoch >= self.patience:
            run.stop(f"{name} has not improved for {self.patience} epoch{'s' if self.patience > 1 else ''}")

    def on_fit_end(self, run: Run) -> None:
        """Restore the best weights."""
        if self._best is not None:
            run.network.restore(self._best)
            run.history.best_epoch = self._best_epoch


class Tolerance(Callback):
    """Stop when what is monitored changes by less than ``epsilon`` from one epoch to the next.

    Parameters
    ----------
    epsilon : float, default 1e-4
        Absolute change.
    patience : int, default 1
        For so many epochs in a row.
    monitor : str, default "loss"
        A name of the history.

    Examples
    --------
    >>> Tolerance(1e-6).epsilon
    1e-06
    """

    def __init__(self, epsilon: float = 1e-4, patience: int = 1, monitor: str = "loss") -> None:
        check_value("epsilon", epsilon, low=0.0, low_open=True, schedule=False)
        _check_monitor(monitor)
        self.epsilon = epsilon
        self.patience = check_size("patience", patience)
        self.monitor = monitor

    def on_fit_begin(self, run: Run) -> None:
        """Forget any earlier fit; ``ValueError`` for a monitor that this one doesn't record."""
        _monitored(run, self.monitor)
        self._last = np.inf
        self._still = 0

    def on_epoch_end(self, run: Run) -> None:
        """Compare with the epoch before."""
        name = _monitored(run, self.monitor)
        value = run.history.last(name)
        self._still = self._still + 1 if abs(value - self._last) < self.epsilon else 0
        self._last = value
        if self._still >= self.patience:
            run.stop(f"{name} changed by less than {self.epsilon:g}")
