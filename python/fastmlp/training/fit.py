"""fit(): data -> batches -> core epochs -> history.

The core trains in chunks of about 50 ms: a part of a long epoch, or many short ones. It shuffles, and ends with the
first epoch that isn't finite. Between chunks Python looks for Ctrl-C and records the epochs that are finished. Where
something wants to look in after every epoch, a validation or a callback, no chunk goes beyond the end of one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from fastmlp.callbacks.base import Callback, Run
from fastmlp.callbacks.progress import ProgressBar, wants_bar
from fastmlp.history import History
from fastmlp.optimizers import LBFGS, LevenbergMarquardt, Optimizer
from fastmlp.threads import single_threaded_blas_for
from fastmlp.training.chunks import Chunks
from fastmlp.training.recording import check_metrics, record, recorded_names
from fastmlp.training.samples import TrainingData, check_training_data
from fastmlp.training.settings import FitSettings
from fastmlp.training.streaming import Stream, fit_stream
from fastmlp.training.trainer import Trainer

if TYPE_CHECKING:
    from fastmlp.network import Network


def fit(
    network: Network,
    X: ArrayLike | Chunks,
    y: ArrayLike | None,
    validation_data: tuple[ArrayLike, ArrayLike] | None,
    sample_weight: ArrayLike | None,
    class_weight: object,
    settings: FitSettings,
) -> History:
    """See `Network.fit`."""
    recorded: tuple[str, ...] = ()
    train: Callable[[Run, tuple[Callback, ...], ProgressBar | None], None]
    if isinstance(X, Chunks):
        stream = Stream(network, X, y, sample_weight, validation_data, class_weight, settings)
        validation, rows_at_once, train = stream.validation, stream.trainer.batch_size, partial(fit_stream, stream)
    else:
        data = check_training_data(network, X, y, sample_weight, validation_data, class_weight)
        validation = data.validation
        if isinstance(settings.optimizer, Optimizer):
            one_by_one = bool(settings.callbacks) or validation is not None  # what wants to look in after every epoch
            trainer = Trainer(network, data, settings, one_by_one)
            rows_at_once, train = trainer.batch_size, partial(fit_epochs, trainer)
        else:
            recorded = whole_set_records(network, data, settings)
            rows_at_once, train = len(data.X), partial(fit_whole_set, data, settings)
    check_metrics(settings.metrics, network, validation)
    recorded = (*recorded_names(validation, settings.metrics), *recorded)
    bar = ProgressBar(delay=0.0 if settings.progress else 1.0) if wants_bar(settings.progress) else None
    hooks = settings.callbacks if bar is None else (*settings.callbacks, bar)
    run = Run(network, History(), settings.epochs, recorded, optimizer=settings.optimizer)
    with single_threaded_blas_for(network.layout.flops_per_row * rows_at_once):
        for hook in hooks:
            hook.on_fit_begin(run)
        try:
            train(run, hooks, bar)
        except KeyboardInterrupt:
            run.stop("interrupted")
        finally:
            for hook in hooks:
                hook.on_fit_end(run)
    run.history.stop_reason = run.stop_reason or "epochs"
    return run.history


def fit_epochs(trainer: Trainer, run: Run, hooks: tuple[Callback, ...], bar: ProgressBar | None) -> None:
    """Epoch after epoch, until all are done or a callback stops them."""
    trainer.begin()
    start = time.perf_counter()
    try:
        while run.epoch + 1 < run.n_epochs and not run.stop_reason:
            n_steps = trainer.run()
            if bar is not None:
                bar.advance(n_steps / trainer.n_batches)
            with trainer.shown():
                for hook in hooks:
                    hook.on_progress(run)
                if record_finished(run, trainer, start):
                    for hook in hooks:
                        hook.on_epoch_end(run)
                    trainer.multiply_learning_rate(run.learning_rate_factor)
            trainer.check()
        trainer.check_params()
    except KeyboardInterrupt:
        if not trainer.one_by_one:  # the chunk in which Ctrl-C came was trained to its end
            record_finished(run, trainer, start)
        trainer.check()
        raise
    finally:
        trainer.end()


def whole_set_records(network: Network, data: TrainingData, settings: FitSettings) -> tuple[str, ...]:
    """The names that a method which sees all samples at once records besides; it is asked whether it can."""
    if not isinstance(settings.optimizer, LevenbergMarquardt):
        return ()
    from fastmlp.training.levenberg_marquardt import check_least_squares

    check_least_squares(network, data, settings.optimizer)
    return ("damping",)


def fit_whole_set(
    data: TrainingData, settings: FitSettings, run: Run, hooks: tuple[Callback, ...], bar: ProgressBar | None
) -> None:
    """By a method that sees all samples at once; an epoch is one of its steps. It leaves no state."""
    if settings.warm_start:
        run.network.optimizer_state = None
    if isinstance(settings.optimizer, LBFGS):
        from fastmlp.training.lbfgs import fit_lbfgs

        fit_lbfgs(run, data, settings, hooks)
    else:
        from fastmlp.training.levenberg_marquardt import fit_levenberg_marquardt

        fit_levenberg_marquardt(run, data, settings, hooks)


def record_finished(run: Run, trainer: Trainer, start: float) -> int:
    """Record the epochs finished since the last time, and return how many; their times are evenly spread."""
    losses, rates = trainer.finished(run.epoch + 1)
    n_epochs = len(losses)
    if n_epochs == 0:
        return 0
    before = run.history.last("seconds") if run.epoch >= 0 else 0.0
    each = (time.perf_counter() - start - before) / n_epochs
    run.epoch += n_epochs
    record(
        run, trainer.data.validation, trainer.settings.metrics, trainer.workspace.n_threads,
        loss=losses, seconds=[before + each * (i + 1) for i in range(n_epochs)], learning_rate=rates,
    )  # fmt: skip
    return n_epochs
