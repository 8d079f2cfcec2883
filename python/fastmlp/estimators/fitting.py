"""One fit in mini-batches, epoch by epoch, as in scikit-learn's stochastic solvers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from joblib.parallel import effective_n_jobs, get_active_backend
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import _check_sample_weight

from fastmlp.callbacks.base import make_callbacks
from fastmlp.checks.errors import DivergedError
from fastmlp.checks.values import Value
from fastmlp.data.weights import check_weights as check_row_weights
from fastmlp.estimators.rules import EpochRate, is_quasi_newton, make_rule
from fastmlp.estimators.scoring import Samples, Score
from fastmlp.estimators.watching import Record, Watch
from fastmlp.model.model import Model
from fastmlp.passes.pace import count_batches
from fastmlp.training.fit import train
from fastmlp.training.settings import FitSettings

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


@contextmanager
def unchanged_if_refused(estimator: Any) -> Iterator[None]:
    """Restore the estimator's attributes if its fit raises an error."""
    before = vars(estimator).copy()
    try:
        yield
    except Exception:
        for name in vars(estimator).keys() - before.keys():
            del estimator.__dict__[name]
        estimator.__dict__.update(before)
        raise


def count_threads(n_jobs: int | None) -> int | None:
    """Number of threads of a fit; None lets the training choose, but inside a joblib worker it is 1."""
    if n_jobs is None:
        return 1 if get_active_backend()[0].nesting_level else None
    return int(effective_n_jobs(n_jobs)) if n_jobs < 0 else int(n_jobs)


def check_weights(sample_weight: Any, X: Any) -> NDArray[np.float64] | None:
    """Sample weights (n,) in float64; ``ValueError`` if all are zero."""
    if sample_weight is None:
        return None
    weights: NDArray[np.float64] = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if not weights.any():
        raise ValueError("sample_weight must have a nonzero weight; all are zero")
    return check_row_weights(weights, len(weights))


def split(samples: Samples, fraction: float, random: np.random.RandomState, stratify: bool) -> tuple[Samples, Samples]:
    """Split into training and validation set, with the same random numbers as scikit-learn."""
    arrays = [array for array in samples if array is not None]
    parts = train_test_split(
        *arrays,
        random_state=random,
        test_size=fraction,
        stratify=np.where(samples.targets, "True", "False") if stratify else None,
    )
    taken, left = parts[0::2], parts[1::2]
    if taken[0].shape[0] == 0 or left[0].shape[0] < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    if samples.weights is None:
        return Samples(taken[0], taken[1], None, taken[2]), Samples(left[0], left[1], None, left[2])
    return Samples(*taken), Samples(*left)


def clip_batch_size(batch_size: int | str, n_samples: int) -> int:
    """Rows of a mini-batch; "auto" is min(200, n_samples)."""
    if isinstance(batch_size, str):
        return min(200, n_samples)
    if batch_size > n_samples:
        warnings.warn("Got `batch_size` larger than sample size. It is going to be clipped", stacklevel=5)
    return min(int(batch_size), n_samples)


class Course:
    """One fit: network, data and settings.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    network : Model
    coding : Coding
        Of the targets. The estimator gets it only at the end of the fit.
    record : Record
        Of the earlier fits that this one continues.
    samples : Samples
        Training set.
    validation : Samples, optional
        Validation set.
    n_epochs : int
        Maximum number of epochs.
    is_planned : bool
        Whether these are all epochs of the fit, so that schedules may take their length from it.
    """

    def __init__(
        self, estimator: Any, network: Model, coding: Any, record: Record, samples: Samples,
        validation: Samples | None, n_epochs: int, is_planned: bool,
    ) -> None:  # fmt: skip
        self.estimator = estimator
        self.network = network
        self.record = record
        self.samples = samples
        self.n_epochs = n_epochs
        self.is_planned = is_planned
        self.n_samples = samples.X.shape[0]
        given = self.n_samples if is_quasi_newton(estimator) else estimator.batch_size
        self.batch_size = clip_batch_size(given, self.n_samples)
        self.n_threads = count_threads(estimator.n_jobs)
        self.callbacks = make_callbacks(estimator.callbacks)
        self.by_policy = estimator.optimizer is None and estimator.schedule is None
        stops_by_score = bool(estimator.early_stopping)
        score = None
        if validation is not None:
            score = Score(estimator, network, coding, validation, self.n_threads)
        self.watch = Watch(
            record, estimator.tol, estimator.n_iter_no_change, score, stops_by_score,
            stops_by_score if estimator.restore_best is None else bool(estimator.restore_best),
            self.by_policy and estimator.solver == "sgd" and estimator.learning_rate == "adaptive",
            int(estimator.verbose), self.n_samples,
        )  # fmt: skip
        self.stopped = False
        if stops_by_score and record.validation_scores:  # the current weights are the best so far
            self.watch.best = network.snapshot()
        if math.isnan(record.rate):
            record.rate = record.rate_of_last_step = float(estimator.learning_rate_init)

    def rate(self) -> Value:
        """The learning rate from the current step on: a number or a schedule."""
        estimator, record = self.estimator, self.record
        if estimator.schedule is not None:
            schedule: Value = estimator.schedule
            return schedule
        invscaling = estimator.solver == "sgd" and estimator.learning_rate == "invscaling"
        if not invscaling and record.rate == record.rate_of_last_step:
            return record.rate
        state = self.network.optimizer_state
        return EpochRate(
            record.rate_of_last_step, record.rate, 0 if state is None else state.n_steps,
            count_batches(self.n_samples, self.batch_size, self.network.layout.least_rows(self.batch_size)),
            self.n_samples, record.t,
            float(estimator.learning_rate_init), float(estimator.power_t) if invscaling else None,
        )  # fmt: skip

    def run(self) -> None:
        """Train, then restore the best weights if they were kept."""
        try:
            while self._train(self.n_epochs - self.watch.n_epochs):
                pass
        except DivergedError as error:
            self._diverged(error)
        self.watch.restore(self.network)

    def _train(self, n_epochs: int) -> bool:
        """Train with one learning rate or schedule; return whether to continue with a smaller rate."""
        watch, estimator, record = self.watch, self.estimator, self.record
        rate = self.rate()
        watch.has_smaller_rate = False
        settings = FitSettings(
            optimizer=make_rule(estimator, rate), epochs=n_epochs, batch_size=self.batch_size,
            callbacks=(watch, *self.callbacks), shuffle=bool(estimator.shuffle), n_threads=self.n_threads,
            progress=bool(estimator.progress), alpha=float(estimator.alpha), warm_start=True,
            clip_norm=estimator.clip_norm, loss_counts_rows=True,
            epochs_before=self.watch.n_epochs if self.is_planned else None,
        )  # fmt: skip
        X, targets, weights, _ = self.samples
        history = train(self.network, X, targets, None, weights, None, settings)
        if history.stop_reason == "interrupted":
            warnings.warn("Training interrupted by user.", stacklevel=6)
            return False
        record.rate_of_last_step = float(history["learning_rate"][-1]) if self.by_policy else record.rate
        if isinstance(rate, EpochRate) and rate.power is not None:
            record.rate = float(rate.after(record.t))
        self.stopped = history.stop_reason != "epochs"
        return watch.has_smaller_rate and watch.n_epochs < self.n_epochs

    def _diverged(self, error: DivergedError) -> None:
        """As in scikit-learn: raise an error; with ``early_stopping`` record NaN, warn and keep the best weights."""
        if not self.estimator.early_stopping:
            raise ValueError(NOT_FINITE) from error
        self.record.loss_curve.append(math.nan)
        self.record.validation_scores.append(math.nan)
        self.record.validation_losses.append(math.nan)
        self.watch.n_epochs += 1
        self.stopped = True
        warnings.warn(f"Training ended early: {error}", ConvergenceWarning, stacklevel=6)

    def warn_of_the_end(self) -> None:
        """scikit-learn's warning if the fit has used all epochs without converging."""
        if self.watch.n_epochs == self.n_epochs and not self.stopped:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.n_epochs}) reached and the optimization hasn't "
                "converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )
