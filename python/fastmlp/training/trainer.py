"""The memory of one fit with an update rule, and its calls of the core."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.epoch import Epochs
from fastmlp.checks.errors import DivergedError, shown
from fastmlp.data.inputs import input_form, input_source, target_source
from fastmlp.data.samples import TrainingData, check_batch_rows
from fastmlp.data.weights import for_core, width_of
from fastmlp.machine.calls import address, check_all
from fastmlp.machine.threads import choose_threads
from fastmlp.model.model import Model
from fastmlp.model.state import OptimizerState, Snapshot, check_state
from fastmlp.optimizers import Optimizer, Rprop
from fastmlp.passes.pace import Pace, count_batches
from fastmlp.passes.workspace import make_workspace, splits_rows
from fastmlp.training.advice import likely_cause
from fastmlp.training.averaging import MovingAverage
from fastmlp.training.gradient_door import gradient_door
from fastmlp.training.settings import FitSettings
from fastmlp.training.step_table import Hyperparameters, dropout_rates

if TYPE_CHECKING:
    from fastmlp.callbacks.base import Run
    from fastmlp.history import History

STEPS_AHEAD = 4096
"""Number of steps whose hyperparameters are computed at once, so that short epochs share the cost."""
STEP_EFFORT, PARAMETER_EFFORT = 2000, 30
"""Cost of a step beyond its rows, fixed and per parameter, in multiplications; sets the size of the first chunk."""
_KEPT = "The network holds the weights of the best finite epoch"


class Trainer:
    """The memory of one fit with an update rule; trains chunk by chunk.

    The core reads the hyperparameters of step s from row s of `table`, and writes loss and learning rate of epoch e to
    row e of `records`, both modulo the number of rows.
    """

    def __init__(
        self,
        network: Model,
        data: TrainingData,
        settings: FitSettings,
        one_by_one: bool,
        *,
        endless: bool = False,
        most_samples: int = 0,
        look_ahead: int = STEPS_AHEAD,
    ) -> None:
        """``endless``: no limit on epochs; ``most_samples``: the largest number of samples that `take` will get."""
        optimizer = settings.optimizer
        assert isinstance(optimizer, Optimizer)
        self.network = network
        self.data = data
        self.settings = settings
        self.optimizer = optimizer
        n_samples, layout = max(len(data.X), most_samples), network.layout
        self.batch_size = min(settings.batch_size * settings.accumulate, n_samples)  # of a step
        # Only layers that use the whole batch give other results for its parts.
        part_rows = min(settings.batch_size, n_samples) if layout.uses_batch else self.batch_size
        self.least_rows = layout.least_rows(part_rows)
        check_batch_rows(network, len(data.X), settings.batch_size)
        self.n_batches = self.count_batches(n_samples)
        if optimizer.needs_all_samples() and self.n_batches > 1:
            raise ValueError(
                f"batch_size must be at least the number of samples, {n_samples}, for {shown(optimizer)}, "
                f"which compares their loss between steps; got {settings.batch_size}"
            )
        self.n_epochs = sys.maxsize // self.n_batches if endless else settings.epochs
        self.endless = endless
        self.one_by_one = one_by_one
        self.look_ahead = look_ahead
        self.rate_factor = 1.0
        self.given = Hyperparameters(settings, optimizer, network.loss, layout.stages, network.dtype)
        self.changes = self.given.change()
        self.before: Snapshot | None = None  # the network before a step that calls Python
        self.undone = False  # whether that step failed and was undone
        self.has_diverged = False
        threads = choose_threads(settings.n_threads, layout.flops_per_row, part_rows)
        form = input_form(network, data.X)
        self.by_rows = splits_rows(layout, threads, self.batch_size) and not optimizer.needs_all_samples()
        most_rows = part_rows + (self.least_rows - 1 if part_rows < n_samples else 0)
        self.workspace = make_workspace(
            layout, network.loss, network.dtype, most_rows, threads,
            training=True, form=form, by_rows=self.by_rows, n_weight=width_of(data.weights),
        )  # fmt: skip
        one_tile = threads == 1 and self.workspace.tile_rows >= self.batch_size
        self.layers, self.groups = layout.for_training()
        self.gradient_door = gradient_door(settings.callbacks)
        whole_gradient = settings.clips() or self.gradient_door is not None
        self.direct = (
            optimizer.is_plain() and (one_tile or self.by_rows) and layout.learns_evenly and not whole_gradient
        )
        self.doors = tuple(door for door in (self.workspace.door, self.gradient_door) if door is not None)
        self.options = {
            "batch_size": self.batch_size,
            "rule": optimizer.rule,
            "nesterov": optimizer.nesterov,
            "penalised": settings.is_penalised(),
            "direct": self.direct,
            "by_rows": self.by_rows,
            "counts_rows": settings.loss_counts_rows,
            "whole_gradient": whole_gradient,
            "clips": settings.clips(),
            "call_out": address(self.gradient_door),
            "limits_columns": settings.max_norm is not None,
            "part_rows": part_rows,
            "least_rows": self.least_rows,
            "full_rows": min(settings.batch_size, len(data.X)),
        }
        self.state = state_to_begin_with(network, optimizer, settings.warm_start)
        self.average = None if settings.average is None else MovingAverage(network, self.state.average)
        self.first_step = self.state.n_steps
        n_gradients = 0 if self.direct else 1 if self.by_rows else threads
        self.gradients = np.zeros((n_gradients, layout.n_params), dtype=network.dtype) if n_gradients else None
        effort = layout.effort(self.batch_size) + STEP_EFFORT + PARAMETER_EFFORT * layout.n_params
        self.pace = Pace(1 if endless else self.n_batches, effort)
        self.take_lengths(0 if endless or settings.epochs_before is None else self.n_epochs * self.n_batches)
        self.table, self.rates = self._steps_ahead(0)  # a bad schedule raises before anything changes
        self.learning_rates = self.table["learning_rate"].copy()
        self.records = np.empty((1 if one_by_one else min(self.n_epochs, STEPS_AHEAD), 2))
        shuffle = settings.shuffle and part_rows < n_samples  # the order within one batch has no effect
        self.order = np.arange(n_samples) if shuffle else None
        self.n_ordered = len(data.X)  # number of samples in the order

    def count_batches(self, n_samples: int) -> int:
        """Number of batches of an epoch of ``n_samples``."""
        return count_batches(n_samples, self.batch_size, self.least_rows)

    def take_lengths(self, n_steps: int) -> None:
        """Let this fit's schedules without a length end after its ``n_steps`` steps; 0 if nobody knows their number.

        Raises ``ValueError`` or ``TypeError`` if such a schedule ends with an impossible value.
        """
        self.n_planned = n_steps
        self.hyperparameters = self.given
        if n_steps and self.changes and self.given.need_length():
            before = (self.settings.epochs_before or 0) * self.n_batches
            self.hyperparameters = self.given.over(self.first_step - before, before + n_steps)
            last = np.array([self.first_step + n_steps - 1])
            self.hyperparameters.table(last, 0)
            dropout_rates(self.hyperparameters.stages, last)

    def _steps_ahead(self, start: int) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Hyperparameters of the steps from `start` on, and the dropout rates (n_steps, n_layers) if they change."""
        ahead = self.look_ahead if self.changes else 1  # one row is enough for all steps
        stop = min(start + ahead, self.n_epochs * self.n_batches)
        numbers = np.arange(self.first_step + start, self.first_step + stop)
        averaged = 0 if self.average is None else self.average.n_before + start
        table = self.hyperparameters.table(numbers, averaged)
        return table, dropout_rates(self.hyperparameters.stages, numbers)

    def fill_table(self, start: int) -> None:
        """Write the hyperparameters of the steps from `start` on into the table that the core reads."""
        ahead, rates = self._steps_ahead(start)
        self.table[: len(ahead)] = ahead
        if self.rates is not None and rates is not None:
            self.rates[: len(ahead)] = rates
        self.learning_rates = self.table["learning_rate"].copy()
        self.table["learning_rate"] *= self.rate_factor

    def multiply_learning_rate(self, factor: float) -> None:
        """Multiply the optimizer's learning rate by this factor from now on."""
        if factor != self.rate_factor:
            self.rate_factor = factor
            self.table["learning_rate"] = self.learning_rates * factor

    def begin(self, run: Run | None = None, *, mask_seed: int | None = None, first_mask: int = 0) -> None:
        """Give the core all arrays; it copies the network, and draws the seed of the dropout masks.

        With ``mask_seed``, the masks continue from number ``first_mask`` of that seed. ``run`` is for `on_gradient`.
        """
        network = self.network
        if self.gradient_door is not None and run is not None:
            self.gradient_door.run = run
        self.kept = Snapshot(np.empty((2, network.n_params), network.dtype), np.empty((2, len(network.statistics))))
        if network._access.was_left():
            network.rng = with_lock_of_its_own(network.rng)
        bit_generator = network.rng.bit_generator
        self.lock = nullcontext() if self.order is None else bit_generator.lock
        if self.average is not None:
            self.average.begin()
        over = self.workspace.over(self.layers, network._params, network._statistics)
        table = self.table.view(np.uint8), self.rates
        with bit_generator.lock:
            self.core = Epochs(
                over, self.options, self.groups.view(np.uint8), table, self.gradients, self.state.vectors, self.kept,
                None if self.average is None else self.average.values,
                (bit_generator, self.order, mask_seed, first_mask), self.records,
            )  # fmt: skip
        self.take(self.data)
        if self.average is not None:
            self.average.follow()

    def take(self, data: TrainingData) -> None:
        """Give the core the samples: at the start, or after an epoch, any number that there is room for."""
        network = self.network
        X, y = input_source(network, data.X), target_source(network, data.targets)
        if self.order is not None and len(data.X) != self.n_ordered:
            self.order[: len(data.X)] = np.arange(len(data.X))
        self.data, self.n_ordered = data, len(data.X)
        self.core.begin(X, y, for_core(data.weights), self.weight_of(data) or 1.0)

    def weight_of(self, data: TrainingData) -> float:
        """The divisor of the recorded loss, which is summed over all samples."""
        return float(len(data.X)) if self.settings.loss_counts_rows else data.weight()

    def refill(self, done: int) -> None:
        """Fill the table for the next steps once the first ``done`` steps have used it up."""
        if self.changes and done and done % len(self.table) == 0:
            self.fill_table(done)

    def run(self) -> int:
        """Train for about 50 ms, a part of an epoch or whole ones; return the number of steps."""
        done, n_rows = self.core.n_steps, len(self.records)
        epoch = done // self.n_batches
        last_epoch = min(epoch - epoch % n_rows + n_rows, self.n_epochs)
        return self.advance(last_epoch * self.n_batches - done)

    def advance(self, most: int) -> int:
        """Train for about 50 ms and at most ``most`` steps; return the number of steps."""
        done, n_table = self.core.n_steps, len(self.table)
        self.refill(done)
        if self.doors:
            return self.checked_step()
        n_steps = self.pace.n_steps(done, min(n_table - done % n_table, most) if self.changes else most)
        start = time.perf_counter()
        with self.lock:
            self.core.run(n_steps)
        self.pace.took(n_steps, time.perf_counter() - start)
        return n_steps

    def checked_step(self) -> int:
        """Do one step that calls Python functions; if one fails, restore the network and raise its error."""
        self.before = self.network.snapshot(self.before)
        averages = None if self.average is None else self.average.copy()
        try:
            with self.lock:
                self.core.run(1)
            if self.core.was_left:
                raise RuntimeError(
                    "a fit with several threads cannot go on in a process that its loss or on_gradient forked; end "
                    "that process inside the function, or fit with n_threads=1"
                )
            check_all(self.doors)
        except BaseException:
            self.network.restore(self.before)
            if self.average is not None and averages is not None:
                self.average.put(averages)
            self.undone = True
            raise
        return 1

    def finished(self, first: int) -> tuple[list[float], list[float]]:
        """Losses and learning rates of the epochs finished since number ``first``."""
        row = first % len(self.records)
        losses, rates = self.records[row : row + self.core.n_epochs - first].T.tolist()
        return losses, rates

    def check(self, history: History) -> None:
        """If the loss or a parameter is not finite, restore the best epoch and raise ``DivergedError``."""
        if not self.core.is_finite and not self.undone:
            batch = ((self.core.n_steps - 1) % self.n_batches + 1) * self.settings.accumulate
            epoch = self.core.n_epochs
            place = f"the loss stopped being finite by batch {batch} of the epoch with index {epoch}"
            raise self.diverged(place, epoch, batch, history)

    def check_params(self, run: Run) -> None:
        """As `check`, for the parameters at the end of a fit: the last step does not show in a loss."""
        if not self.network.is_finite():
            epoch = run.epoch + (self.core.first > 0)
            place = f"the parameters stopped being finite in the last step, of the epoch with index {epoch}"
            raise self.diverged(place, epoch, None, run.history)

    def diverged(
        self, place: str, epoch: int | None, batch: int | None, history: History | None = None, kept: str = _KEPT
    ) -> DivergedError:
        """Restore the best epoch, and return the error with place, likely cause and remedy."""
        self.restore()
        losses = history["loss"].tolist() if history is not None and "loss" in history else []
        momentum = getattr(self.optimizer, "momentum", 0.0)
        rate = None
        if not isinstance(self.optimizer, Rprop):
            rate = float(self.table["learning_rate"][max(self.core.n_steps - 1, 0) % len(self.table)])
        cause = likely_cause(self.network, self.data, losses, rate, 0.0 if callable(momentum) else float(momentum))
        return DivergedError(f"{place}. {cause}. {kept}", epoch, batch)

    def restore(self) -> None:
        """Restore the network after the best epoch that was followed by a finite one, or before the first."""
        self.has_diverged = True
        self.network.restore(Snapshot(*(copies[self.core.best] for copies in self.kept)))

    def shown(self) -> AbstractContextManager[None]:
        """Inside, the network holds what it would hold at the end of the fit: the averages, if there are any."""
        return nullcontext() if self.average is None else self.average.shown()

    def end(self) -> None:
        """Leave the averages and the optimizer's state in the network, if asked for; no state if the fit diverged."""
        finite = self.core.is_finite and not self.has_diverged
        if finite or self.undone:
            self.state.average = None if self.average is None else self.average.end(self.core.n_steps)
        if self.settings.warm_start:
            self.state.n_steps = self.first_step + self.core.n_steps
            left = self.state if finite else None
            if self.network.optimizer_state is not left:
                self.network.optimizer_state = left


def with_lock_of_its_own(rng: np.random.Generator) -> np.random.Generator:
    """A copy of the generator with a new lock, as a thread that no longer exists may hold the old one."""
    bit_generator = type(rng.bit_generator)()
    bit_generator.state = rng.bit_generator.state
    return np.random.Generator(bit_generator)


def state_to_begin_with(network: Model, optimizer: Optimizer, warm_start: bool) -> OptimizerState:
    """The network's optimizer state, if asked for and if it fits this optimizer; else a new one."""
    fresh = OptimizerState(type(optimizer).__name__, optimizer.initial_state(network.n_params, network.dtype))
    if isinstance(optimizer, Rprop) and fresh.vectors is not None:  # no learning rate, but first step sizes
        fresh.vectors[1] *= network.layout.per_parameter("learning_rate_factor")
    kept = network.optimizer_state if warm_start else None
    check_state(kept, network.n_params, network.layout.n_statistics, network.dtype)  # it may have been changed in place
    return kept if kept is not None and kept.fits(fresh) else fresh
