"""train_on_batch(): single updates, for data that arrive one batch at a time.

An update of a small network takes microseconds, and setting up a fit about a hundred of them. So the network keeps the
memory of the last batch and reuses it if the next batch has the same size and settings.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from fastmlp.checks.errors import shown
from fastmlp.checks.values import Schedule, check_flag
from fastmlp.data.inputs import check_settled, input_form
from fastmlp.data.samples import TrainingData, check_training_data
from fastmlp.data.weights import width_of
from fastmlp.machine.threads import choose_threads, single_threaded_blas_for
from fastmlp.model.model import Model
from fastmlp.optimizers import Optimizer, make_optimizer
from fastmlp.training.settings import FitSettings
from fastmlp.training.trainer import Trainer

LOOK_AHEAD = 256
"""Number of batches whose hyperparameters are computed at once, unless one is a function that may change its result."""


class BatchTrainer:
    """A trainer without an end, in which every epoch is one batch of new samples."""

    def __init__(self, network: Model, data: TrainingData, optimizer: Optimizer) -> None:
        rates = (layer.dropout_rate for layer in network.layers)
        values = (*vars(optimizer).values(), network.loss.label_smoothing, *rates)
        asks = any(callable(value) and not isinstance(value, Schedule) for value in values)
        settings = FitSettings(batch_size=len(data.X), optimizer=optimizer, shuffle=False, warm_start=True)
        self.trainer = Trainer(
            network, data, settings, one_by_one=True, endless=True, look_ahead=1 if asks else LOOK_AHEAD
        )
        self.form = input_form(network, data.X)
        self.vectors = self.trainer.state.vectors
        self.loss = network.loss
        self.layout = network.layout
        self.flops = network.layout.flops_per_row * len(data.X)
        state = self.trainer.state
        self.trainer.begin(mask_seed=state.mask_seed, first_mask=state.n_steps)
        state.mask_seed = self.trainer.core.position()[0]

    def fits(self, data: TrainingData, optimizer: Optimizer) -> bool:
        """Whether a new one for this batch would be the same, and nothing else has changed the state since."""
        trainer, network = self.trainer, self.trainer.network
        return (
            trainer.batch_size == len(data.X)
            and trainer.workspace.plan["n_weight"] == width_of(data.weights)
            and (trainer.optimizer is optimizer or trainer.optimizer == optimizer)
            and type(trainer.optimizer) is type(optimizer)
            and network.optimizer_state is trainer.state
            and trainer.state.vectors is self.vectors
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
        """Update once and return the loss before it; ``DivergedError``, with nothing changed, if it is not finite."""
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
            place = "the loss of this batch or a parameter after it is not finite"
            kept = "The network is unchanged; the optimizer starts without a state"
            raise trainer.diverged(place, None, None, kept=kept)
        return float(trainer.records[0, 0])


def train_on_batch(
    network: Model,
    X: ArrayLike,
    y: ArrayLike,
    optimizer: object,
    sample_weight: ArrayLike | None,
    class_weight: object,
    wait: bool,
) -> float:
    """See `Network.train_on_batch`."""
    with network._access.to_train(check_flag("wait", wait)):
        rule = make_optimizer(optimizer)
        if not isinstance(rule, Optimizer):
            raise ValueError(
                f"optimizer must be one that updates by batches, got {shown(rule)}, which needs all samples"
            )
        data = check_training_data(network, X, y, sample_weight, class_weight=class_weight)
        check_settled(network)
        ready: BatchTrainer | None = network._batch_trainer
        if ready is None or not ready.fits(data, rule):
            ready = network._batch_trainer = BatchTrainer(network, data, rule)
        return ready.step(data)
