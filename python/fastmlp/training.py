"""fit(): data -> batches -> core epochs -> history.

The core runs stretches of batches of about 50 ms; between them Python looks for Ctrl-C and for a loss that is no
longer finite, and between epochs it shuffles, validates, records and asks the callbacks.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.epoch import run_epoch
from fastmlp.batches import Chunks, count_batches, epoch_order
from fastmlp.callbacks import CallbackLike, Run, make_callbacks
from fastmlp.data import Rows, Targets, check_targets
from fastmlp.errors import DivergedError
from fastmlp.history import History
from fastmlp.inference import measure
from fastmlp.inputs import check_inputs, input_form, input_source, target_source
from fastmlp.layers import check_size
from fastmlp.layout import make_workspace
from fastmlp.optimizers import LBFGS, Optimizer, make_optimizer
from fastmlp.progress import ProgressBar, wants_bar
from fastmlp.threads import choose_threads, single_threaded_blas
from fastmlp.values import values_at

if TYPE_CHECKING:
    from fastmlp.network import Network


@dataclass(frozen=True)
class TrainingData:
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
    validation_data: tuple[ArrayLike, ArrayLike] | None,
) -> TrainingData:
    """Everything that `fit` is given, checked before anything changes."""
    rows, targets, weights = network.check_samples(X, y, sample_weight)
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
    """The memory and the loop of one fit with an update rule."""

    def __init__(
        self,
        network: Network,
        data: TrainingData,
        optimizer: Optimizer,
        n_epochs: int,
        batch_size: int,
        n_threads: int | None,
    ) -> None:
        self.network = network
        self.data = data
        self.optimizer = optimizer
        n_samples = len(data.X)
        batch_size = min(batch_size, n_samples)
        layout = network.layout
        threads = choose_threads(n_threads, layout.flops_per_row, batch_size)
        self.workspace = make_workspace(
            layout, network.loss, network.dtype, batch_size, threads, training=True, form=input_form(network, data.X)
        )
        one_tile = threads == 1 and self.workspace.tile_rows >= batch_size
        self.direct = optimizer.is_plain() and one_tile
        self.state = optimizer.initial_state(layout.n_params, network.dtype)
        n_gradients = 0 if self.direct else threads
        self.gradients = np.empty((n_gradients, layout.n_params), dtype=network.dtype) if n_gradients else None
        self.chunks = Chunks(n_samples, batch_size, layout.flops_per_row * batch_size)
        self.X, self.y = input_source(network, data.X), target_source(network, data.targets)
        self.n_steps = 0
        self.last_step = n_epochs * count_batches(n_samples, batch_size)
        self.seed = 0  # of the dropout masks; drawn when training begins
        # A schedule that gives no number raises here, before anything has changed.
        self.table, self.table_start = self._steps_ahead(0), 0
        total = n_samples if data.weights is None else data.weights.sum()
        self.total_weight = float(total)

    def _steps_ahead(self, start: int) -> NDArray[Any]:
        """Hyper-values of the steps from `start` on."""
        stop = min(start + STEPS_AHEAD, self.last_step)
        table = self.optimizer.steps(start, stop - start)
        smoothing = values_at(self.network.loss.label_smoothing, np.arange(start, stop), "label_smoothing")
        table["label_smoothing"] = smoothing
        return table

    def _steps(self, n_steps: int) -> NDArray[Any]:
        """Hyper-values of the next steps; fewer than asked for where the table ends."""
        if self.n_steps >= self.table_start + len(self.table):
            self.table, self.table_start = self._steps_ahead(self.n_steps), self.n_steps
        start = self.n_steps - self.table_start
        return self.table[start : start + n_steps]

    def run_epoch(self, order: NDArray[np.int64] | None, bar: ProgressBar | None) -> float:
        """One pass over the samples; the mean loss. ``DivergedError`` as soon as it isn't finite."""
        network, data, workspace, chunks = self.network, self.data, self.workspace, self.chunks
        workspace.partials[:, 0] = 0.0
        self.learning_rate = float(self._steps(1)[0]["learning_rate"])
        first = 0
        while first < chunks.n_samples:
            steps = self._steps(chunks.n_steps(first))
            n_steps = len(steps)
            last = min(first + n_steps * chunks.batch_size, chunks.n_samples)
            start = time.perf_counter()
            run_epoch(
                workspace.plan, network.layout.table, network.layout.groups, steps,
                network.params, self.gradients, self.state, network.statistics, workspace.work, workspace.partials,
                workspace.sparse, self.X, self.y, data.weights, order, first, last, chunks.batch_size,
                self.optimizer.rule, self.optimizer.nesterov, self.direct, self.seed, self.n_steps,
                workspace.n_threads,
            )  # fmt: skip
            chunks.took(n_steps, time.perf_counter() - start)
            self.n_steps += n_steps
            if not math.isfinite(workspace.partials[:, 0].sum()):
                raise _diverged(network, count_batches(last, chunks.batch_size))
            if bar is not None:
                bar.advance((last - first) / chunks.n_samples)
            first = last
        return float(workspace.partials[:, 0].sum()) / self.total_weight


def _diverged(network: Network, batch: int) -> DivergedError:
    return DivergedError(
        f"the loss stopped being finite by batch {batch} of the epoch; try a smaller learning rate or scaled inputs. "
        "The network holds the weights of the best finite epoch"
    )


def record(network: Network, data: TrainingData, history: History, n_threads: int | None, **values: float) -> None:
    """Add an epoch to the history, with the validation loss and accuracy of the weights as they are now."""
    if data.validation is not None:
        X_val, y_val = data.validation
        measured = measure(network, X_val, y_val, None, n_threads)
        values |= {f"val_{name}": value for name, value in measured.items()}
    history.add(**values)


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
) -> History:
    """See `Network.fit`."""
    n_epochs, batch_size = check_size("epochs", epochs), check_size("batch_size", batch_size)
    rule = make_optimizer(optimizer)
    hooks = make_callbacks(callbacks)
    if not isinstance(shuffle, (bool, np.bool_)):
        raise TypeError(f"shuffle must be True or False, got {shuffle!r}")
    if n_threads is not None:
        check_size("n_threads", n_threads, 1024)
    data = check_training_data(network, X, y, sample_weight, validation_data)
    bar = ProgressBar(delay=0.0 if progress else 1.0) if wants_bar(progress) else None
    trainer = None if isinstance(rule, LBFGS) else Trainer(network, data, rule, n_epochs, batch_size, n_threads)
    recorded = ["loss", "seconds", "learning_rate"]
    if data.validation is not None:
        recorded += ["val_loss", "val_accuracy"] if data.validation[1].is_class else ["val_loss"]
    run = Run(network, History(), n_epochs, tuple(recorded))
    hooks = (*hooks, bar) if bar is not None else hooks
    with single_threaded_blas:
        for hook in hooks:
            hook.on_fit_begin(run)
        try:
            if trainer is not None:
                fit_epochs(run, data, trainer, shuffle, hooks, bar)
            elif isinstance(rule, LBFGS):
                from fastmlp.lbfgs import fit_lbfgs

                fit_lbfgs(run, data, rule, hooks, n_threads)
        except KeyboardInterrupt:
            run.stop("interrupted")
        finally:
            for hook in hooks:
                hook.on_fit_end(run)
    run.history.stop_reason = run.stop_reason or "epochs"
    return run.history


def fit_epochs(
    run: Run, data: TrainingData, trainer: Trainer, shuffle: bool, hooks: tuple[Any, ...], bar: ProgressBar | None
) -> None:
    """Epoch after epoch, until all are done or a callback stops them."""
    network, history = run.network, run.history
    trainer.seed = int(network.rng.integers(2**63))
    shuffle = shuffle and trainer.chunks.batch_size < len(data.X)  # the order within one batch changes nothing
    rng = network.rng if shuffle else None
    order = np.arange(len(data.X)) if shuffle else None
    # The loss of an epoch says little of the weights at its end; they have proved themselves once the next is finite.
    best, best_loss = network.snapshot(), np.inf
    latest, latest_loss = network.snapshot(), np.inf
    start = time.perf_counter()
    try:
        for epoch in range(run.n_epochs):
            run.epoch = epoch
            loss = trainer.run_epoch(epoch_order(rng, order), bar)
            if not network.is_finite():
                raise _diverged(network, count_batches(len(data.X), trainer.chunks.batch_size))
            if latest_loss < best_loss:
                best, best_loss, latest = latest, latest_loss, best
            latest, latest_loss = network.snapshot(latest), loss
            record(
                network, data, history, trainer.workspace.n_threads,
                loss=loss, seconds=time.perf_counter() - start, learning_rate=trainer.learning_rate,
            )  # fmt: skip
            for hook in hooks:
                hook.on_epoch_end(run)
            if run.stop_reason:
                break
    except DivergedError:
        network.restore(best)
        raise
