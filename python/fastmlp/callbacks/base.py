"""What may look in on a fit after every epoch, and stop it.

A callback is any function of a `Run`, called after each epoch, or a `Callback` with methods of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import NDArray

from fastmlp.history import History

if TYPE_CHECKING:
    from fastmlp.optimizers import Optimizer, WholeSetMethod


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
        Set by `stop` and `pause`.
    optimizer : optimizer or None
        The one that trains.
    learning_rate_factor : float
        What the learning rate is multiplied by from the next epoch on; a callback may change it.
    is_paused : bool
        Whether a resumed fit is to go on in spite of the stop.
    """

    network: Any  # a Network; above this module, so that its type can't be named here
    history: History
    n_epochs: int
    recorded: tuple[str, ...] = ()
    epoch: int = -1
    stop_reason: str | None = None
    optimizer: Optimizer | WholeSetMethod | None = None
    learning_rate_factor: float = 1.0
    is_paused: bool = False
    _start: float = 0.0

    def stop(self, reason: str) -> None:
        """End the fit for this reason: after this epoch, or at once if called between batches."""
        self.stop_reason = reason

    def pause(self, reason: str) -> None:
        """As `stop`; but a fit that resumes from the checkpoint goes on."""
        self.stop_reason, self.is_paused = reason, True

    def began(self, seconds: float = 0.0) -> None:
        """The fit begins now, or goes on after so many seconds."""
        self._start = time.perf_counter() - seconds

    def seconds(self) -> float:
        """How long the fit has taken so far, without the time between an interruption and `began`."""
        return time.perf_counter() - self._start


class Callback:
    """Base for callbacks that want more than the end of each epoch."""

    def on_fit_begin(self, run: Run) -> None:
        """Before the first epoch."""

    def on_progress(self, run: Run) -> None:
        """About every 50 ms, between two batches or two epochs; not with LBFGS and LevenbergMarquardt."""

    def on_gradient(self, run: Run, gradient: NDArray[Any]) -> None:
        """Before each update, with the gradient (n_params,) of the step, to look at or to change in place.

        It is of the network's dtype, in the order of ``params``: the gradient of what the batch minimises, with the
        penalty of ``alpha``; clipping and the optimizer's decays come after. Not with LBFGS and LevenbergMarquardt. It
        costs a call of Python and a copy of the network for each step; if it raises, the network is as after the step
        before. Fits without a callback that has this method don't pay for it.
        """

    def on_epoch_end(self, run: Run) -> None:
        """After each epoch, its history recorded."""

    def on_fit_end(self, run: Run) -> None:
        """After the last epoch, also when the fit was interrupted."""

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps of this callback: numbers, text, arrays, dictionaries and lists of them, by name.

        A callback that remembers something from epoch to epoch returns it here and takes it back in
        `load_state_dict`; then a resumed fit is the same as one that was never interrupted.
        """
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned, after `on_fit_begin`; raise for what can't be right."""


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
