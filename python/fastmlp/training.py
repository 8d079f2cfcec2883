"""fit(): data -> batches -> core epochs -> history.

The core trains in chunks of about 50 ms: a part of a long epoch, or many short ones. It shuffles, and ends with the
first epoch that isn't finite. Between chunks Python looks for Ctrl-C and records the epochs that are finished. Where
something wants to look in after every epoch, a validation or a callback, no chunk goes beyond the end of one.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.epoch import Epochs
from fastmlp.batches import Chunks, count_batches
from fastmlp.callbacks import CallbackLike, Run, make_callbacks
from fastmlp.class_weights import weights_of_classes
from fastmlp.data import Rows, Targets, check_targets
from fastmlp.errors import DivergedError
from fastmlp.history import History
from fastmlp.inference import measure
from fastmlp.inputs import check_inputs, input_form, input_source, target_source
from fastmlp.layers import check_size
from fastmlp.layout import make_workspace, splits_rows
from fastmlp.network import Snapshot
from fastmlp.optimizer_state import state_to_begin_with
from fastmlp.optimizers import LBFGS, LevenbergMarquardt, Optimizer, make_optimizer
from fastmlp.progress import ProgressBar, wants_bar
from fastmlp.threads import choose_threads, single_threaded_blas_for
from fastmlp.values import Value, check_value, values_at

if TYPE_CHECKING:
    from fastmlp.network import Network


class TrainingData(NamedTuple):
    """Checked samples of a fit, and of its validation."""

    X: Rows
    targets: Targets
    weights: NDArray[np.float64] | None
    validation: tuple[Rows, Targets] | None


def check_training_data(
    network: Network,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    validation_data: tuple[ArrayLike, ArrayLike] | None = None,
    class_weight: object = None,
) -> TrainingData:
    """Everything that `fit` is given, checked before anything changes."""
    rows, targets, weights = network.check_samples(X, y, sample_weight)
    weights = weights_of_classes(class_weight, targets, network.n_outputs, weights)
    validation = None
    if validation_data is not None:
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) != 2:
            kind = type(validation_data).__name__
            size = f" of {len(validation_data)}" if isinstance(validation_data, (tuple, list)) else ""
            raise TypeError(f"validation_data must be a pair (X, y), got {kind}{size}")
        X_val = check_inputs(network, validation_data[0], "X of validation_data")
        y_val = check_targets(
            validation_data[1], len(X_val), network.n_outputs, network.loss, network.dtype, "y of validation_data"
        )
        validation = X_val, y_val
    return TrainingData(rows, targets, weights, validation)


STEPS_AHEAD = 4096
"""Hyper-values are worked out for so many steps at once: short epochs share the cost."""


class Trainer:
    """The memory of one fit with an update rule, and its way through the epochs, chunk by chunk.

    The core reads the hyper-values of step s in row s of `table` and writes loss and learning rate of epoch e into row
    e of `records`, both modulo the number of rows.
    """

    def __init__(
        self,
        network: Network,
        data: TrainingData,
        optimizer: Optimizer,
        n_epochs: int,
        batch_size: int,
        shuffle: bool,
        n_threads: int | None,
        one_by_one: bool,
        alpha: Value = 0.0,
        warm_start: bool = False,
        look_ahead: int = STEPS_AHEAD,
    ) -> None:
        self.network = network
        self.data = data
        self.optimizer = optimizer
        n_samples, layout = len(data.X), network.layout
        self.batch_size = min(batch_size, n_samples)
        self.n_batches = count_batches(n_samples, self.batch_size)
        if optimizer.needs_all_samples() and self.n_batches > 1:
            raise ValueError(
                f"batch_size must be at least the number of samples, {n_samples}, for {optimizer!r}, "
                f"which compares their loss from step to step; got {batch_size}"
            )
        self.n_epochs = n_epochs
        self.one_by_one = one_by_one
        self.alpha = alpha
        self.warm_start = warm_start
        self.look_ahead = look_ahead
        threads = choose_threads(n_threads, layout.flops_per_row, self.batch_size)
        form = input_form(network, data.X)
        self.by_rows = splits_rows(layout, threads, self.batch_size) and not optimizer.needs_all_samples()
        self.workspace = make_workspace(
            layout, network.loss, network.dtype, self.batch_size, threads,
            training=True, form=form, by_rows=self.by_rows,
        )  # fmt: skip
        one_tile = threads == 1 and self.workspace.tile_rows >= self.batch_size
        self.direct = optimizer.is_plain() and (one_tile or self.by_rows)
        self.state = state_to_begin_with(network, optimizer, warm_start)
        self.first_step = self.state.n_steps
        n_gradients = 0 if self.direct else 1 if self.by_rows else threads
        self.gradients = np.empty((n_gradients, layout.n_params), dtype=network.dtype) if n_gradients else None
        self.chunks = Chunks(self.n_batches, layout.flops_per_row * self.batch_size)
        self.table = self._steps_ahead(0)  # a schedule that gives no number raises before anything has changed
        self.records = np.empty((1 if one_by_one else min(n_epochs, STEPS_AHEAD), 2))
        shuffle = shuffle and self.batch_size < n_samples  # the order within one batch changes nothing
        self.order = np.arange(n_samples) if shuffle else None

    def _steps_ahead(self, start: int) -> NDArray[Any]:
        """Hyper-values of the steps from `start` on."""
        numbers = self.first_step + np.arange(start, min(start + self.look_ahead, self.n_epochs * self.n_batches))
        table = self.optimizer.steps(numbers)
        table["label_smoothing"] = values_at(self.network.loss.label_smoothing, numbers, "label_smoothing")
        table["alpha"] = values_at(self.alpha, numbers, "alpha")
        return table

    def _steps_change(self) -> bool:
        """Whether the table has to be made anew when it is used up."""
        scheduled = callable(self.network.loss.label_smoothing) or callable(self.alpha)
        return scheduled or not self.optimizer.is_constant()

    def begin(self) -> None:
        """Tell the core where everything is; it draws the seed of the dropout masks and copies the network."""
        network, workspace = self.network, self.workspace
        self.kept = Snapshot(np.empty((2, network.n_params), network.dtype), np.empty((2, len(network.statistics))))
        bit_generator = network.rng.bit_generator
        self.lock = nullcontext() if self.order is None else bit_generator.lock
        with bit_generator.lock:
            self.core = Epochs(
                workspace.plan, network.layout.table.view(np.uint8), network.layout.groups.view(np.uint8),
                self.table.view(np.uint8),
                network.params.view(np.uint8), as_bytes(self.gradients), as_bytes(self.state.vectors),
                network.statistics, workspace.work.view(np.uint8), workspace.partials, workspace.sparse,
                self.kept.params.view(np.uint8), self.kept.statistics,
                bit_generator, self.order, self.records, self.batch_size,
                self.optimizer.rule, self.optimizer.nesterov, self.direct,
                callable(self.alpha) or self.alpha > 0, self.by_rows, workspace.n_threads, network.dtype == np.float64,
            )  # fmt: skip
        self.take(self.data)

    def take(self, data: TrainingData) -> None:
        """Tell the core where the samples are: at first, or behind an epoch, as many as before."""
        self.data, network = data, self.network
        X, y = input_source(network, data.X), target_source(network, data.targets)
        self.core.begin(X, y, data.weights, len(data.X) if data.weights is None else data.weights.sum())

    def refill(self, done: int) -> None:
        """The table of steps anew, where the first ``done`` steps have used it up."""
        if done and done % len(self.table) == 0 and self._steps_change():
            ahead = self._steps_ahead(done)
            self.table[: len(ahead)] = ahead

    def run(self) -> int:
        """A chunk of about 50 ms, a part of an epoch or some whole ones; the number of its steps."""
        done, n_table, n_rows = self.core.n_steps, len(self.table), len(self.records)
        self.refill(done)
        epoch = done // self.n_batches
        last_epoch = min(epoch - epoch % n_rows + n_rows, self.n_epochs)
        n_steps = self.chunks.n_steps(done, min(n_table - done % n_table, last_epoch * self.n_batches - done))
        start = time.perf_counter()
        with self.lock:
            self.core.run(n_steps)
        self.chunks.took(n_steps, time.perf_counter() - start)
        return n_steps

    def finished(self, first: int) -> tuple[list[float], list[float]]:
        """Losses and learning rates of the epochs finished since number ``first``."""
        row = first % len(self.records)
        losses, rates = self.records[row : row + self.core.n_epochs - first].T.tolist()
        return losses, rates

    def check(self) -> None:
        """``DivergedError`` if the loss or a parameter isn't finite; the network goes back to the best epoch."""
        if not self.core.is_finite:
            self.restore()
            raise DivergedError(
                f"the loss stopped being finite by batch {(self.core.n_steps - 1) % self.n_batches + 1} of the epoch; "
                "try a smaller learning rate or scaled inputs. The network holds the weights of the best finite epoch"
            )

    def restore(self) -> None:
        """The network as it was behind the best epoch that has proved itself, or before the first."""
        self.network.restore(Snapshot(*(copies[self.core.best] for copies in self.kept)))

    def keep_state(self) -> None:
        """Leave the optimizer's state with the network, if it is asked for; none of a fit that diverged."""
        if self.warm_start:
            self.state.n_steps = self.first_step + self.core.n_steps
            self.network.optimizer_state = self.state if self.core.is_finite else None


def as_bytes(array: NDArray[Any] | None) -> NDArray[np.uint8] | None:
    """The bytes of an array, in its rows."""
    return None if array is None else array.view(np.uint8)


def record(
    network: Network, data: TrainingData, history: History, n_threads: int | None, **values: list[float]
) -> None:
    """Add epochs to the history, with the validation loss and accuracy of the weights as they are now."""
    if data.validation is not None:
        X_val, y_val = data.validation
        measured = measure(network, X_val, y_val, None, n_threads)
        values |= {f"val_{name}": [value] for name, value in measured.items()}
    history.extend(**values)


def fit(
    network: Network,
    X: ArrayLike,
    y: ArrayLike,
    epochs: int,
    batch_size: int,
    optimizer: object,
    shuffle: bool,
    validation_data: tuple[ArrayLike, ArrayLike] | None,
    sample_weight: ArrayLike | None,
    callbacks: Iterable[CallbackLike],
    n_threads: int | None,
    progress: bool | None,
    alpha: Value,
    warm_start: bool,
    class_weight: object,
) -> History:
    """See `Network.fit`."""
    n_epochs, batch_size = check_size("epochs", epochs), check_size("batch_size", batch_size)
    rule = make_optimizer(optimizer)
    hooks = make_callbacks(callbacks)
    for argument, flag in (("shuffle", shuffle), ("warm_start", warm_start)):
        if not isinstance(flag, (bool, np.bool_)):
            raise TypeError(f"{argument} must be True or False, got {flag!r}")
    if n_threads is not None:
        check_size("n_threads", n_threads, 1024)
    check_value("alpha", alpha, low=0.0)
    if not isinstance(rule, Optimizer) and callable(alpha):
        name = type(rule).__name__
        raise TypeError(f"alpha must be a number for {name}, which has no steps, got a function of the step")
    data = check_training_data(network, X, y, sample_weight, validation_data, class_weight)
    bar = ProgressBar(delay=0.0 if progress else 1.0) if wants_bar(progress) else None
    trainer = None
    if isinstance(rule, Optimizer):
        one_by_one = bool(hooks) or data.validation is not None  # what wants to look in after every epoch
        trainer = Trainer(
            network, data, rule, n_epochs, batch_size, shuffle, n_threads, one_by_one, alpha, bool(warm_start)
        )
    recorded = ["loss", "seconds", "learning_rate"]
    if isinstance(rule, LevenbergMarquardt):
        from fastmlp.levenberg_marquardt import check_least_squares

        check_least_squares(network, data, rule)
        recorded.append("damping")
    if data.validation is not None:
        recorded += ["val_loss", "val_accuracy"] if data.validation[1].is_class else ["val_loss"]
    run = Run(network, History(), n_epochs, tuple(recorded))
    hooks = (*hooks, bar) if bar is not None else hooks
    in_one_pass = min(batch_size, len(data.X)) if trainer is not None else len(data.X)
    with single_threaded_blas_for(network.layout.flops_per_row * in_one_pass):
        for hook in hooks:
            hook.on_fit_begin(run)
        try:
            if trainer is not None:
                fit_epochs(run, data, trainer, hooks, bar)
            else:
                network.optimizer_state = None if warm_start else network.optimizer_state
                fit_whole(run, data, rule, hooks, n_threads, alpha)
        except KeyboardInterrupt:
            run.stop("interrupted")
        finally:
            for hook in hooks:
                hook.on_fit_end(run)
    run.history.stop_reason = run.stop_reason or "epochs"
    return run.history


def fit_epochs(run: Run, data: TrainingData, trainer: Trainer, hooks: tuple[Any, ...], bar: ProgressBar | None) -> None:
    """Epoch after epoch, until all are done or a callback stops them."""
    trainer.begin()
    start = time.perf_counter()
    try:
        while run.epoch + 1 < run.n_epochs and not run.stop_reason:
            n_steps = trainer.run()
            if bar is not None:
                bar.advance(n_steps / trainer.n_batches)
            if record_finished(run, data, trainer, start):
                for hook in hooks:
                    hook.on_epoch_end(run)
            trainer.check()
    except KeyboardInterrupt:
        if not trainer.one_by_one:  # the chunk in which Ctrl-C came was trained to its end
            record_finished(run, data, trainer, start)
        trainer.check()
        raise
    finally:
        trainer.keep_state()


def fit_whole(
    run: Run, data: TrainingData, rule: object, hooks: tuple[Any, ...], n_threads: int | None, alpha: Any
) -> None:
    """By a method that sees all samples at once and finds its own steps; an epoch is one of them."""
    if isinstance(rule, LBFGS):
        from fastmlp.lbfgs import fit_lbfgs

        fit_lbfgs(run, data, rule, hooks, n_threads, alpha)
    elif isinstance(rule, LevenbergMarquardt):
        from fastmlp.levenberg_marquardt import fit_levenberg_marquardt

        fit_levenberg_marquardt(run, data, rule, hooks, n_threads, alpha)


def record_finished(run: Run, data: TrainingData, trainer: Trainer, start: float) -> int:
    """Record the epochs finished since the last time, and return how many; their times are evenly spread."""
    losses, rates = trainer.finished(run.epoch + 1)
    n_epochs = len(losses)
    if n_epochs == 0:
        return 0
    before = run.history.last("seconds") if run.epoch >= 0 else 0.0
    each = (time.perf_counter() - start - before) / n_epochs
    run.epoch += n_epochs
    record(
        run.network, data, run.history, trainer.workspace.n_threads,
        loss=losses, seconds=[before + each * (i + 1) for i in range(n_epochs)], learning_rate=rates,
    )  # fmt: skip
    return n_epochs
