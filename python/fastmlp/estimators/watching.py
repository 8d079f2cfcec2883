"""The callback that runs after every epoch of a fit: convergence, validation score, best weights, printing.

The rules are scikit-learn's. An epoch brings no improvement if its loss is greater than the best loss minus ``tol``, or
its validation score is less than the best score plus ``tol``. More than ``n_iter_no_change`` such epochs in a row end
the fit. With the adaptive learning rate they divide the rate by 5 instead, until it is 1e-6 or less.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from fastmlp.callbacks.base import Callback, Run
from fastmlp.model.model import Model
from fastmlp.model.state import Snapshot

SMALLEST_RATE = 1e-6
"""The adaptive learning rate is not reduced any further from here."""


@dataclass
class Record:
    """The record of an estimator's fits, for its attributes and for warm starts.

    ``still`` counts epochs without improvement in a row, ``t`` rows seen. ``rate`` is the current learning rate,
    ``rate_of_last_step`` the one that the last step used.
    """

    loss_curve: list[float] = field(default_factory=list)
    best_loss: float = math.inf
    validation_scores: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best_score: float = -math.inf
    still: int = 0
    t: int = 0
    rate: float = math.nan
    rate_of_last_step: float = math.nan


class Watch(Callback):
    """Keeps the record, and stops the fit when it has converged.

    Parameters
    ----------
    record : Record
        Of earlier fits; it is continued.
    tol : float
        Smallest improvement that counts.
    n_iter_no_change : float
        Epochs without improvement before stopping.
    score : callable of a `Run`, optional
        Returns the current validation loss and score, ``{"loss": ..., "score": ...}``; a larger score is better.
    stops_by_score : bool
        Whether to stop by the score instead of the training loss.
    restore_best : bool
        Whether to keep the best weights for `restore`: by score if there is one, or else by training loss.
    is_adaptive : bool
        Whether to reduce the learning rate before stopping.
    verbose : int
        Whether to print every epoch.
    n_samples : int
        Rows of an epoch.
    """

    def __init__(
        self, record: Record, tol: float, n_iter_no_change: float, score: Callable[[Run], dict[str, float]] | None,
        stops_by_score: bool, restore_best: bool, is_adaptive: bool, verbose: int, n_samples: int,
    ) -> None:  # fmt: skip
        self.record = record
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.score = score
        self.stops_by_score = stops_by_score
        self.restore_best = restore_best
        self.is_adaptive = is_adaptive
        self.verbose = verbose
        self.n_samples = n_samples
        self.n_epochs = 0
        self.best: Snapshot | None = None
        self.has_smaller_rate = False

    def on_fit_begin(self, run: Run) -> None:
        """Add the validation values to the names that other callbacks may use."""
        if self.score is not None:
            run.recorded = (*run.recorded, "val_loss", "val_score")

    def on_epoch_end(self, run: Run) -> None:
        """Record the epoch; stop, or reduce the rate, after too many epochs without improvement."""
        record, loss = self.record, run.history.last("loss")
        self.n_epochs += 1
        record.loss_curve.append(loss)
        record.t += self.n_samples
        if self.verbose:
            print(f"Iteration {self.n_epochs}, loss = {loss:.8f}")
        by_score = self.score is not None and self._note_score(run, self.score(run))
        by_loss = not self.stops_by_score and self._note_loss(loss)
        if self.restore_best and (by_loss if self.score is None else by_score):
            self.best = run.network.snapshot(self.best)
        if record.still > self.n_iter_no_change:
            what = "Validation score" if self.stops_by_score else "Training loss"
            for_long = f"tol={self.tol:f} for {self.n_iter_no_change} consecutive epochs."
            self._give_up(run, f"{what} did not improve more than {for_long}")

    def _note_loss(self, loss: float) -> bool:
        record = self.record
        record.still = record.still + 1 if loss > record.best_loss - self.tol else 0
        better = loss < record.best_loss
        record.best_loss = min(record.best_loss, loss)
        return better

    def _note_score(self, run: Run, measured: dict[str, float]) -> bool:
        record, score = self.record, measured["score"]
        run.history.add(val_loss=measured["loss"], val_score=score)
        record.validation_scores.append(score)
        record.validation_losses.append(measured["loss"])
        if self.verbose:
            print(f"Validation score: {score:f}")
        if self.stops_by_score:
            record.still = record.still + 1 if score < record.best_score + self.tol else 0
        better = score > record.best_score
        record.best_score = score if better else record.best_score
        return better

    def _give_up(self, run: Run, message: str) -> None:
        run.stop(message)
        end = "Stopping."
        if self.is_adaptive and self.record.rate <= SMALLEST_RATE:
            end = "Learning rate too small. Stopping."
        elif self.is_adaptive:
            self.record.rate /= 5.0
            self.record.still = 0
            self.has_smaller_rate = True
            end = f"Setting learning rate to {self.record.rate:f}"
        if self.verbose:
            print(f"{message} {end}")

    def restore(self, network: Model) -> None:
        """Restore the best weights if they were kept."""
        if self.best is not None:
            network.restore(self.best)
