"""fit() of chunks: while the core trains on one block of rows, a thread reads and checks the next.

For the core, every block is an epoch with its own order of rows; here the blocks add up to the epochs of the history.
At most one block is read ahead, so memory holds two blocks for any size of the data. A fit that resumes from a
checkpoint reads the source of the epoch again and skips the blocks that are done.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from typing import Any

from fastmlp.callbacks.base import Callback, Run
from fastmlp.callbacks.progress import ProgressBar
from fastmlp.checks.errors import shown
from fastmlp.checks.saved import saved_number, saved_whole
from fastmlp.data.chunks import Blocks, Chunks
from fastmlp.data.inputs import check_settled
from fastmlp.data.samples import TrainingData, check_batch_rows, check_left_out, check_that_it_learns
from fastmlp.data.validation import ValidationLike, check_validation
from fastmlp.machine.worker import Worker
from fastmlp.model.model import Model
from fastmlp.optimizers import Optimizer
from fastmlp.training.checkpoint import Checkpoint
from fastmlp.training.recording import record
from fastmlp.training.resuming import put_there, state_of
from fastmlp.training.settings import FitSettings
from fastmlp.training.trainer import Trainer


@dataclass(frozen=True)
class Tally:
    """Progress of a fit of chunks.

    Attributes
    ----------
    epoch : int
        Number of the current epoch, from 1.
    n_blocks : int
        Blocks of this epoch that are done.
    loss, weight : float
        Sums over the rows of these blocks.
    learning_rate : float
        Learning rate of the epoch's first step.
    n_rows, n_rows_before : int
        Rows in these blocks, and in the epoch before.
    n_all_blocks : int
        Blocks done since training began.
    """

    epoch: int = 1
    n_blocks: int = 0
    loss: float = 0.0
    weight: float = 0.0
    learning_rate: float = 0.0
    n_rows: int = 0
    n_rows_before: int = 0
    n_all_blocks: int = 0

    def with_block(self, trainer: Trainer) -> Tally:
        """The tally after the trainer's block."""
        loss, rate = (float(number) for number in trainer.records[0])
        weight = trainer.weight_of(trainer.data)
        return replace(
            self,
            n_blocks=self.n_blocks + 1,
            loss=self.loss + loss * weight,
            weight=self.weight + weight,
            learning_rate=self.learning_rate if self.n_blocks else rate,
            n_rows=self.n_rows + len(trainer.data.X),
            n_all_blocks=self.n_all_blocks + 1,
        )

    def next_epoch(self) -> Tally:
        """The tally at the start of the next epoch."""
        return Tally(self.epoch + 1, n_rows_before=self.n_rows, n_all_blocks=self.n_all_blocks)


def read_tally(training: dict[str, Any] | None) -> Tally:
    """The tally from a checkpoint, or a new one."""
    if training is None:
        return Tally()
    saved = training.get("tally")
    if not isinstance(saved, dict):
        raise ValueError("the checkpoint is not from a fit of Chunks")
    try:
        numbers: dict[str, Any] = {
            name: saved_whole(saved, name) if type(fresh) is int else saved_number(saved, name)
            for name, fresh in asdict(Tally()).items()
        }
        tally = Tally(**numbers)
        saved_whole(saved, "epoch", 1)
    except ValueError as error:
        raise ValueError(f"the checkpoint cannot be resumed: {error}") from None
    if tally.n_blocks > tally.n_all_blocks or tally.n_rows < tally.n_blocks:
        raise ValueError(f"the checkpoint has {tally.n_blocks} blocks of {tally.n_rows} rows")
    return tally


class Stream:
    """Reads blocks for a trainer. The first is read, and all arguments checked, before anything changes."""

    def __init__(
        self,
        network: Model,
        chunks: Chunks,
        y: object,
        sample_weight: object,
        validation_data: ValidationLike | None,
        class_weight: object,
        settings: FitSettings,
        training: dict[str, Any] | None = None,
    ) -> None:
        check_that_it_learns(network)
        check_left_out(y, sample_weight)
        check_settled(network)
        if not isinstance(settings.optimizer, Optimizer) or settings.optimizer.needs_all_samples():
            raise ValueError(
                f"optimizer must be one that updates by batches for Chunks, got {shown(settings.optimizer)}"
            )
        if isinstance(class_weight, str):
            raise ValueError(f"class_weight must be a dict for Chunks, never all in memory, got {shown(class_weight)}")
        self.validation = check_validation(network, validation_data)
        self.tally = read_tally(training)
        blocks = Blocks(network, chunks, settings.epochs, settings.batch_size * settings.accumulate, class_weight)
        data = self._pass_over(blocks)
        self.block_sizes = blocks.enough, blocks.most
        self.trainer = Trainer(network, data, settings, one_by_one=True, endless=True, most_samples=blocks.most)
        self._worker: Worker[tuple[TrainingData | None, bool]] = Worker("fastmlp-chunks")

    def _pass_over(self, blocks: Blocks) -> TrainingData:
        """Skip to the first block that is not done, and return it, or the last block if all are done."""
        self._blocks = blocks.cut(min(self.tally.epoch, blocks.n_epochs))
        last = None
        for _ in range(self.tally.n_blocks):
            last = next(self._blocks)
            if last is None:
                raise ValueError("the source has fewer rows in an epoch than it had when the checkpoint was written")
        self._first = next(self._blocks)
        data = self._first or last
        assert data is not None  # an epoch has at least one block
        self._is_over = self.tally.epoch > blocks.n_epochs
        return data

    def __iter__(self) -> Iterator[TrainingData | None]:
        """All blocks, each read by another thread while the one before is in use; call `close` afterwards."""
        block, self._first = self._first, None  # so that it can be freed like the others
        more = not self._is_over
        while more:
            ahead: Future[tuple[TrainingData | None, bool]] = self._worker.submit(self._next)
            yield block
            block, more = self._worker.result(ahead)

    def close(self, wait: bool) -> None:
        """Stop reading; ``wait``: let the source finish the current block first."""
        self._worker.close(wait)
        if wait:
            self._blocks.close()

    def _next(self) -> tuple[TrainingData | None, bool]:
        """The next block, and whether there was one."""
        for block in self._blocks:
            return block, True
        return None, False

    def state_dict(self) -> dict[str, Any]:
        """The state of training, for a checkpoint."""
        return {"tally": asdict(self.tally), **state_of(self.trainer)}

    def load_state_dict(self, state: dict[str, Any], n_done: int) -> None:
        """Continue from a state after ``n_done`` epochs; ``ValueError`` if it is impossible."""
        if self.tally.epoch != n_done + 1:
            raise ValueError(f"epoch is {self.tally.epoch}, but its history has {n_done} epochs")
        n_blocks = saved_whole(state["position"], "n_epochs")
        if not self.tally.n_all_blocks <= n_blocks <= self.tally.n_all_blocks + 1:
            raise ValueError(f"n_all_blocks is {self.tally.n_all_blocks}, for {n_blocks} blocks")
        put_there(self.trainer, state, n_done)

    def has_begun(self) -> bool:
        """Whether the trainer has started a block that is not in the tally yet."""
        return self.trainer.core.n_epochs > self.tally.n_all_blocks or self.trainer.core.first > 0


def fit_stream(
    stream: Stream, run: Run, hooks: tuple[Callback, ...], bar: ProgressBar | None, checkpoint: Checkpoint | None
) -> None:
    """Train on block after block, until all epochs are done or a callback stops the fit."""
    trainer = stream.trainer
    trainer.begin(run)
    settled = True  # false until tally, history and callbacks are up to date with the network
    wait = True
    try:
        if checkpoint is not None:
            checkpoint.begin(run, trainer.settings.callbacks, stream.state_dict, stream.load_state_dict)
            trainer.multiply_learning_rate(run.learning_rate_factor)
        has_begun = stream.has_begun()
        if has_begun and trainer.n_ordered != len(trainer.data.X):
            raise ValueError("the source gives other chunks than when the checkpoint was written")
        for block in stream:
            settled = block is not None
            if block is None:
                finish_epoch(stream, run, hooks)
                settled = True
            elif not run.stop_reason:
                if not has_begun:
                    check_batch_rows(trainer.network, len(block.X), trainer.settings.batch_size)
                    trainer.take(block)
                train_block(stream, run, hooks, checkpoint)
                if bar is not None and stream.tally.n_rows <= stream.tally.n_rows_before:
                    bar.advance(len(block.X) / stream.tally.n_rows_before)
            has_begun = False
            if run.stop_reason:
                break
            if checkpoint is not None:
                checkpoint.write_if_due()
        trainer.check_params(run)
        if checkpoint is not None:
            checkpoint.write()
    except KeyboardInterrupt:
        wait = False
        trainer.check_params(run)
        if checkpoint is not None and settled:
            checkpoint.write()
        raise
    finally:
        trainer.end()
        stream.close(wait)


def finish_epoch(stream: Stream, run: Run, hooks: tuple[Callback, ...]) -> None:
    """Record the epoch and run the callbacks."""
    trainer, tally = stream.trainer, stream.tally
    run.epoch += 1
    with trainer.shown():
        record(
            run, stream.validation, trainer.settings.metrics, trainer.workspace.n_threads,
            loss=[tally.loss / (tally.weight or 1.0)], seconds=[run.seconds()], learning_rate=[tally.learning_rate],
        )  # fmt: skip
        for hook in hooks:
            hook.on_epoch_end(run)
    trainer.multiply_learning_rate(run.learning_rate_factor)
    stream.tally = tally.next_epoch()


def train_block(stream: Stream, run: Run, hooks: tuple[Callback, ...], checkpoint: Checkpoint | None) -> None:
    """Train on the remaining batches of a block, unless a callback stops the fit."""
    trainer = stream.trainer
    while trainer.core.n_epochs == stream.tally.n_all_blocks and not run.stop_reason:
        trainer.advance(trainer.count_batches(len(trainer.data.X) - trainer.core.first))
        if not trainer.core.is_finite:
            epoch, tally = run.epoch + 1, stream.tally
            batches = trainer.count_batches(tally.n_rows + (trainer.core.first or len(trainer.data.X)))
            batch = batches * trainer.settings.accumulate
            place = f"the loss stopped being finite by batch {batch} of the epoch with index {epoch}"
            kept = "The network holds the weights from before these rows"
            raise trainer.diverged(place, epoch, batch, run.history, kept)
        with trainer.shown():
            for hook in hooks:
                hook.on_progress(run)
        if checkpoint is not None and trainer.core.n_epochs == stream.tally.n_all_blocks:
            checkpoint.write_if_due()
    if trainer.core.n_epochs > stream.tally.n_all_blocks:
        stream.tally = stream.tally.with_block(trainer)
