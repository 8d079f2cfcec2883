"""The epochs of a fit, chunk by chunk.

The core trains in chunks of about 50 ms: a part of a long epoch, or many short ones. It shuffles, and stops at the
first epoch that is not finite. Between chunks Python checks for Ctrl-C and records the finished epochs. If validation
or callbacks run after every epoch, no chunk goes past the end of an epoch.
"""

from __future__ import annotations

from functools import partial

from fastmlp.callbacks.base import Callback, Run
from fastmlp.callbacks.progress import ProgressBar
from fastmlp.training.checkpoint import Checkpoint
from fastmlp.training.recording import record
from fastmlp.training.resuming import put_there, state_of
from fastmlp.training.trainer import Trainer


def fit_epochs(
    trainer: Trainer, run: Run, hooks: tuple[Callback, ...], bar: ProgressBar | None, checkpoint: Checkpoint | None
) -> None:
    """Train until all epochs are done or a callback stops the fit."""
    trainer.begin(run)
    settled = True  # false until history and callbacks are up to date with the network
    try:
        if checkpoint is not None:
            checkpoint.begin(run, trainer.settings.callbacks, partial(state_of, trainer), partial(put_there, trainer))
            trainer.multiply_learning_rate(run.learning_rate_factor)
        unrecorded = trainer.core.n_epochs > run.epoch + 1  # by a fit that was interrupted
        while unrecorded or (run.epoch + 1 < run.n_epochs and not run.stop_reason):
            n_steps = 0 if unrecorded else trainer.run()
            unrecorded = False
            if bar is not None:
                bar.advance(n_steps / trainer.n_batches)
            settled = False
            look_in(trainer, run, hooks)
            settled = True
            trainer.check(run.history)
            if checkpoint is not None:
                checkpoint.write_if_due()
        trainer.check_params(run)
        if checkpoint is not None:
            checkpoint.write()
    except KeyboardInterrupt:
        if not trainer.one_by_one:  # Ctrl-C came during a chunk, which was trained to its end
            record_finished(run, trainer)
        trainer.check(run.history)
        if checkpoint is not None and settled:
            checkpoint.write()
        raise
    finally:
        trainer.end()


def look_in(trainer: Trainer, run: Run, hooks: tuple[Callback, ...]) -> None:
    """Record the epochs and run the callbacks."""
    with trainer.shown():
        for hook in hooks:
            hook.on_progress(run)
        if record_finished(run, trainer):
            for hook in hooks:
                hook.on_epoch_end(run)
            trainer.multiply_learning_rate(run.learning_rate_factor)


def record_finished(run: Run, trainer: Trainer) -> int:
    """Record the newly finished epochs, with evenly spread times, and return their number."""
    losses, rates = trainer.finished(run.epoch + 1)
    n_epochs = len(losses)
    if n_epochs == 0:
        return 0
    before = run.history.last("seconds") if run.epoch >= 0 else 0.0
    each = (run.seconds() - before) / n_epochs
    record(
        run, trainer.data.validation, trainer.settings.metrics, trainer.workspace.n_threads,
        loss=losses, seconds=[before + each * (i + 1) for i in range(n_epochs)], learning_rate=rates,
    )  # fmt: skip
    run.epoch += n_epochs  # only now, as Ctrl-C may interrupt the validation
    return n_epochs
