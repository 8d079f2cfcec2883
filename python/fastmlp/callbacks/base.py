"""What a callback is: any function of a `Run`, called after each epoch, or a `Callback` with several methods.

Callbacks may stop the fit.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import NDArray

from fastmlp.checks.errors import shown
from fastmlp.checks.parameters import HasParams
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
        Its last entries belong to the epoch just finished.
    n_epochs : int
        Number of epochs planned.
    recorded : tuple of str
        Names that the history will contain.
    epoch : int
        Index from 0 of the epoch just finished; -1 before the first.
    stop_reason : str or None
        Set by `stop` and `pause`.
    optimizer : optimizer or None
        The optimizer of the fit.
    learning_rate_factor : float
        Multiplies the learning rate from the next epoch on; a callback may change it.
    is_paused : bool
        Whether a fit that resumes from the checkpoint goes on in spite of ``stop_reason``.
    directions : mapping of str to bool
        Whether more is better, by the names of the metrics that say so with ``greater_is_better``.

    Examples
    --------
    >>> import fastmlp as fm
    >>> def stop_at_three(run):
    ...     if run.epoch == 2:
    ...         run.stop("three epochs are enough")
    >>> net = fm.Network([1, 1], seed=0)
    >>> net.fit([[1.0]], [1.0], epochs=10, callbacks=[stop_at_three]).stop_reason
    'three epochs are enough'
    """

    network: Any  # a Network, whose type this lower module must not import
    history: History
    n_epochs: int
    recorded: tuple[str, ...] = ()
    epoch: int = -1
    stop_reason: str | None = None
    optimizer: Optimizer | WholeSetMethod | None = None
    learning_rate_factor: float = 1.0
    is_paused: bool = False
    directions: Mapping[str, bool] = field(default_factory=dict)
    _start: float = 0.0

    def stop(self, reason: str) -> None:
        """End the fit after this epoch, or at once if called between batches.

        Parameters
        ----------
        reason : str
            What ``history.stop_reason`` will say.
        """
        self.stop_reason = reason

    def pause(self, reason: str) -> None:
        """End the fit like `stop`, but let a fit that resumes from the checkpoint go on.

        Parameters
        ----------
        reason : str
            What ``history.stop_reason`` will say.
        """
        self.stop_reason, self.is_paused = reason, True

    def began(self, seconds: float = 0.0) -> None:
        """Start the clock, at the seconds that a resumed fit has already taken."""
        self._start = time.perf_counter() - seconds

    def seconds(self) -> float:
        """Seconds that the fit has taken, not counting the time between an interruption and its resumption."""
        return time.perf_counter() - self._start


class Callback:
    """Base class for callbacks that need more than the end of each epoch.

    Override any of the methods; all do nothing by default. Each ``on_...`` method gets the `Run`.

    What a callback remembers from epoch to epoch belongs to one fit: reset it in ``on_fit_begin``, so that one object
    can serve one fit after the other. If fits in several threads shall share one object, let `for_fit` return a copy
    for each, as the callbacks of this package do. After the fit, the object has the attributes of the copy.

    Examples
    --------
    >>> import fastmlp as fm
    >>> class Report(fm.Callback):
    ...     def on_fit_end(self, run):
    ...         print("epochs:", run.epoch + 1)
    >>> net = fm.Network([1, 1], seed=0)
    >>> history = net.fit([[1.0]], [1.0], epochs=3, callbacks=[Report()])
    epochs: 3
    """

    def for_fit(self) -> Callback:
        """The object whose methods one fit calls; by default this one.

        Returns
        -------
        Callback
            ``copy.copy(self)`` if the callback keeps a state that fits in several threads must not share. At the end
            of the fit, the attributes of the copy are written back, those of the last fit to end.
        """
        return self

    def on_fit_begin(self, run: Run) -> None:
        """Called before the first epoch."""

    def on_progress(self, run: Run) -> None:
        """Called about every 50 ms, between batches or epochs; never with LBFGS or LevenbergMarquardt."""

    def on_gradient(self, run: Run, gradient: NDArray[Any]) -> None:
        """Called before each update with the gradient of the step; never with LBFGS or LevenbergMarquardt.

        It costs a Python call and a copy of the network per step, but only if a callback defines it. If it raises, the
        network stays as it was after the previous step.

        Parameters
        ----------
        run : Run
        gradient : ndarray (n_params,)
            In the dtype of the network and the order of ``params``; may be changed in place. It includes the penalty of
            ``alpha``; clipping and the decays of the optimizer come later.
        """

    def on_epoch_end(self, run: Run) -> None:
        """Called after each epoch, once its numbers are in the history."""

    def on_fit_end(self, run: Run) -> None:
        """Called after the last epoch, also if the fit was interrupted."""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint must store for this callback.

        A callback that remembers something from epoch to epoch returns it here and restores it in `load_state_dict`.
        A resumed fit then equals one that was never interrupted.

        Returns
        -------
        dict
            Numbers, text and arrays by name, and dicts and lists of these.
        """
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; called after `on_fit_begin`.

        Parameters
        ----------
        state : dict
            Comes from a file: raise an error if it cannot be right.
        """


class OwnState(HasParams, Callback):
    """Base class of this package's callbacks: each fit has a copy of its own, and the settings have names."""

    def for_fit(self) -> Callback:
        """A copy."""
        return copy(self)


CallbackLike: TypeAlias = Callback | Callable[[Run], Any]


class _Function(Callback):
    def __init__(self, function: Callable[[Run], Any]) -> None:
        self._function = function

    def on_epoch_end(self, run: Run) -> None:
        self._function(run)


def make_callbacks(callbacks: Iterable[CallbackLike]) -> tuple[Callback, ...]:
    """Turn callbacks and plain functions into callbacks; a single one needs no list."""
    if isinstance(callbacks, Callback) or callable(callbacks):
        callbacks = (callbacks,)
    if isinstance(callbacks, str) or not isinstance(callbacks, (tuple, Iterable)):  # a tuple is the quick case
        raise TypeError(f"callbacks must be a list of Callback objects or functions of a Run, got {shown(callbacks)}")
    made = []
    for callback in callbacks:
        if isinstance(callback, Callback):
            made.append(callback)
        elif callable(callback) and not isinstance(callback, type):
            made.append(_Function(callback))
        else:
            raise TypeError(f"callbacks must be Callback objects or functions of a Run, got {shown(callback)}")
    return tuple(made)
