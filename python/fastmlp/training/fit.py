"""fit(): data -> batches -> core epochs -> history.

It chooses how to train: by epochs, by chunks, or by a method that uses all samples at once. Callbacks, the checkpoint
and the end of the fit, also after an interruption, are the same for all and handled here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from numpy.typing import ArrayLike

from fastmlp.callbacks.base import Callback, Run
from fastmlp.callbacks.progress import ProgressBar, wants_bar
from fastmlp.checks.values import check_flag
from fastmlp.data.chunks import Chunks
from fastmlp.data.samples import TrainingData, Validation, check_training_data
from fastmlp.data.validation import ValidationLike, check_validation
from fastmlp.history import History
from fastmlp.machine.threads import single_threaded_blas_for
from fastmlp.model.model import Model
from fastmlp.optimizers import LBFGS, LevenbergMarquardt, Optimizer
from fastmlp.training.advice import ENOUGH_EPOCHS, warn_of_dead, warn_of_scales
from fastmlp.training.checkpoint import Checkpoint
from fastmlp.training.epochs import fit_epochs
from fastmlp.training.fingerprint import data_fingerprint, fingerprint, parts_of, rows_fingerprint
from fastmlp.training.recording import check_metrics, directions, recorded_names
from fastmlp.training.settings import FitSettings
from fastmlp.training.streaming import Stream, fit_stream
from fastmlp.training.target_scaling import check_targets_scale, settling
from fastmlp.training.trainer import Trainer
from fastmlp.training.whole_set import check_whole_set


class Way(NamedTuple):
    """A way to train, with all arguments checked.

    ``train(run, hooks, bar, checkpoint)`` trains, ``identity()`` returns the fingerprint for a checkpoint, and
    ``samples()`` those in use.
    """

    train: Callable[[Run, tuple[Callback, ...], ProgressBar | None, Checkpoint | None], None]
    identity: Callable[[], dict[str, str]]
    samples: Callable[[], TrainingData]
    validation: Validation | None
    rows_at_once: int
    recorded: tuple[str, ...] = ()


def fit(
    network: Model,
    X: ArrayLike | Chunks,
    y: ArrayLike | None,
    validation_data: ValidationLike | None,
    sample_weight: ArrayLike | None,
    class_weight: object,
    settings: FitSettings,
    wait: bool = False,
) -> History:
    """See `Network.fit`."""
    with network._access.to_train(check_flag("wait", wait)):
        return train(network, X, y, validation_data, sample_weight, class_weight, settings)


def train(
    network: Model,
    X: ArrayLike | Chunks,
    y: ArrayLike | None,
    validation_data: ValidationLike | None,
    sample_weight: ArrayLike | None,
    class_weight: object,
    settings: FitSettings,
) -> History:
    """As `fit`, for a caller that already holds ``network._access.training``, such as for several fits in a row."""
    given = settings.callbacks
    if given:
        settings = replace(settings, callbacks=tuple(callback.for_fit() for callback in given))
    checkpoint = None
    if settings.checkpoint is not None:
        checkpoint = Checkpoint(settings.checkpoint, settings.checkpoint_every, settings.resume)
    if isinstance(X, Chunks):
        training = None if checkpoint is None else checkpoint.training
        stream = Stream(network, X, y, sample_weight, validation_data, class_weight, settings, training)
        way = by_chunks(stream)
    else:
        data = check_training_data(network, X, y, sample_weight, class_weight)
        if validation_data is not None:
            data = data._replace(validation=check_validation(network, validation_data))
        way = (by_epochs if isinstance(settings.optimizer, Optimizer) else by_all_samples)(network, data, settings)
    with settling(network, way.samples().targets) if network.awaits_targets() else nullcontext():
        check_metrics(settings.metrics, network, way.validation)
        if checkpoint is not None:
            checkpoint.check(way.identity(), settings.epochs)
        if settings.warns:
            warn_of_scales(network, way.samples(), settings.optimizer)
        if network.scales_targets():
            check_targets_scale(network, way.samples().targets)
            if way.validation is not None:
                check_targets_scale(network, way.validation.targets, "y of validation_data")
    recorded = (*recorded_names(way.validation, settings.metrics), *way.recorded)
    bar = ProgressBar(delay=0.0 if settings.progress else 1.0) if wants_bar(settings.progress) else None
    hooks = settings.callbacks if bar is None else (*settings.callbacks, bar)
    watched = directions(settings.metrics)
    run = Run(network, History(), settings.epochs, recorded, optimizer=settings.optimizer, directions=watched)
    with single_threaded_blas_for(network.layout.flops_per_row * way.rows_at_once):
        for hook in hooks:
            hook.on_fit_begin(run)
        run.began()
        with nullcontext() if checkpoint is None else checkpoint.keeping(network):
            try:
                way.train(run, hooks, bar, checkpoint)
            except KeyboardInterrupt:
                run.pause("interrupted")
            finally:
                for hook in hooks:
                    hook.on_fit_end(run)
                for callback, own in zip(given, settings.callbacks, strict=True):
                    if own is not callback:
                        vars(callback).update(vars(own))
    run.history.stop_reason = run.stop_reason or "epochs"
    if settings.warns and run.history.n_epochs >= ENOUGH_EPOCHS:
        warn_of_dead(network, way.samples(), run.history)
    return run.history


def by_epochs(network: Model, data: TrainingData, settings: FitSettings) -> Way:
    """By an update rule, with all samples in memory."""
    one_by_one = bool(settings.callbacks) or data.validation is not None  # these run after every epoch
    trainer = Trainer(network, data, settings, one_by_one)

    def identity() -> dict[str, str]:
        return fingerprint(network, settings, data, trainer.workspace.n_threads) | data_fingerprint(data)

    return Way(partial(fit_epochs, trainer), identity, lambda: data, data.validation, trainer.batch_size)


def by_chunks(stream: Stream) -> Way:
    """By an update rule, over samples that come in chunks."""
    trainer = stream.trainer

    def identity() -> dict[str, str]:
        n_threads, sizes = trainer.workspace.n_threads, stream.block_sizes
        fit = fingerprint(trainer.network, trainer.settings, trainer.data, n_threads, **{"rows of a block": sizes})
        return fit | rows_fingerprint(parts_of(stream.validation))

    return Way(partial(fit_stream, stream), identity, lambda: trainer.data, stream.validation, trainer.batch_size)


def by_all_samples(network: Model, data: TrainingData, settings: FitSettings) -> Way:
    """By a method that uses all samples at once; an epoch is one of its steps. It leaves no state."""

    def identity() -> dict[str, str]:
        return fingerprint(network, settings, data, settings.n_threads) | data_fingerprint(data)

    check_whole_set(network, data, settings)
    recorded: tuple[str, ...] = ("evaluations",)
    if isinstance(settings.optimizer, LevenbergMarquardt):
        from fastmlp.training.levenberg_marquardt import check_least_squares

        check_least_squares(network, data, settings.optimizer)
        recorded += ("damping",)

    def train(run: Run, hooks: tuple[Callback, ...], bar: ProgressBar | None, checkpoint: Checkpoint | None) -> None:
        if settings.warm_start:
            network.optimizer_state = None
        if isinstance(settings.optimizer, LBFGS):
            from fastmlp.training.lbfgs import fit_lbfgs

            fit_lbfgs(run, data, settings, hooks)
        else:
            from fastmlp.training.levenberg_marquardt import fit_levenberg_marquardt

            fit_levenberg_marquardt(run, data, settings, hooks, checkpoint)

    return Way(train, identity, lambda: data, data.validation, len(data.X), recorded)
