"""train_on_batch(): one update at a time, for data that come one batch at a time.

A small network's update takes microseconds, and to set up a fit takes a hundred of them. So the memory of the last
batch stays with the network, and serves the next one if that has as many rows and goes the same way.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastmlp.checks.values import Schedule
from fastmlp.data.inputs import input_form
from fastmlp.data.samples import TrainingData, check_training_data
from fastmlp.machine.threads import choose_threads, single_threaded_blas_for
from fastmlp.model.model import Model
from fastmlp.optimizers import Optimizer, make_optimizer
from fastmlp.training.settings import FitSettings
from fastmlp.training.trainer import Trainer

LOOK_AHEAD = 256
"""Hyper-values are worked out for so many batches at once, unless a function is asked that may answer differently by
the time of the batch."""


class BatchTrainer:
    """A trainer without end, whose every epoch is one batch of new samples."""

    def __init__(self, network: Model, data: TrainingData, optimizer: Optimizer) -> None:
        rates = (layer.dropout_rate for layer in network.layers)
        values = (*vars(optimizer).values(), network.loss.label_smoothing, *rates)
        asks = any(callable(value) and not isinstance(value, Schedule) for value in values)
        settings = FitSettings(batch_size=len(data.X), optimizer=optimizer, shuffle=False, warm_start=True)
        self.trainer = Trainer(
            network, data, settings, one_by_one=True, endless=True, look_ahead=1 if asks else LOOK_AHEAD
        )
        self.form = input_form(network, data.X)
        self.loss = network.loss
        self.layout = network.layout
        self.flops = network.layout.flops_per_row * len(data.X)
        state = self.trainer.state
        self.trainer.begin(mask_seed=state.mask_seed, first_mask=state.n_steps)
        state.mask_seed = self.trainer.core.position()[0]

    def fits(self, data: TrainingData, optimizer: Optimizer) -> bool:
        """Whether it would be made just so for this batch, and the state is where it has left it."""
        trainer, network = self.trainer, self.trainer.network
        return (
            trainer.batch_size == len(data.X)
            and (trainer.optimizer is optimizer or trainer.optimizer == optimizer)
            and type(trainer.optimizer) is type(optimizer)
            and network.optimizer_state is trainer.state
            and trainer.state.n_steps == trainer.first_step + trainer.core.n_steps
            and network.loss is self.loss
            and network.layout is self.layout
            and input_form(network, data.X) is self.form
            and choose_threads(None, network.layout.flops_per_row, len(data.X)) == trainer.workspace.n_threads
        )

    def _checked_step(self) -> None:
        try:
            self.trainer.checked_step()
        except BaseException:
            self.trainer.end()
            raise

    def step(self, data: TrainingData) -> float:
        """One update; the loss before it. ``DivergedError`` if it isn't finite, with everything as it was."""
        trainer = self.trainer
        trainer.refill(trainer.core.n_steps)
        trainer.take(data)
        with single_threaded_blas_for(self.flops):
            if not trainer.doors:
                trainer.core.run(1)
            else:
                self._checked_step()
        trainer.end()
        if not trainer.core.is_finite:
            place = "the loss of this batch or a parameter behind it is not finite"
            kept = "The network is as it was before the batch; the optimizer begins afresh"
            raise trainer.diverged(place, None, None, kept=kept)
        return float(trainer.records[0, 0])


def train_on_batch(
    network: Model,
    X: ArrayLike,
    y: ArrayLike,
    optimizer: object,
    sample_weight: ArrayLike | None,
    class_weight: object,
) -> float:
    """See `Network.train_on_batch`."""
    with network._access.training:
        rule = make_optimizer(optimizer)
        if not isinstance(rule, Optimizer):
            raise ValueError(f"optimizer must be one that updates by batches, got {rule!r}, which needs all samples")
        data = check_training_data(network, X, y, sample_weight, class_weight=class_weight)
        ready: BatchTrainer | None = network._batch_trainer
        if ready is None or not ready.fits(data, rule):
            ready = network._batch_trainer = BatchTrainer(network, data, rule)
        return ready.step(data)
