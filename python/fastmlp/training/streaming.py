"""fit() of chunks: while the core trains on one block of rows, a thread reads and checks the next.

To the core every block is an epoch of its own, with rows in an order of its own; here they add up to the epochs of the
history. One block is ahead at most, so memory has two of them, whatever the size of the data.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike

from fastmlp.batches import count_batches
from fastmlp.callbacks.base import Callback, Run
from fastmlp.callbacks.progress import ProgressBar
from fastmlp.errors import DivergedError
from fastmlp.optimizers import Optimizer
from fastmlp.training.chunks import Blocks, Chunks
from fastmlp.training.recording import record
from fastmlp.training.samples import TrainingData, check_that_it_learns, check_validation
from fastmlp.training.settings import FitSettings
from fastmlp.training.trainer import Trainer

if TYPE_CHECKING:
    from fastmlp.network import Network


class Stream:
    """Blocks on their way to a trainer. The first is read, and all arguments checked, before anything changes."""

    def __init__(
        self,
        network: Network,
        chunks: Chunks,
        y: object,
        sample_weight: object,
        validation_data: tuple[ArrayLike, ArrayLike] | None,
        class_weight: object,
        settings: FitSettings,
    ) -> None:
        check_that_it_learns(network)
        for argument, value in (("y", y), ("sample_weight", sample_weight)):
            if value is not None:
                raise TypeError(f"{argument} must be left out where X is Chunks, which bring their own")
        if not isinstance(settings.optimizer, Optimizer) or settings.optimizer.needs_all_samples():
            raise ValueError(f"optimizer must be one that updates by batches for Chunks, got {settings.optimizer!r}")
        if isinstance(class_weight, str):
            raise ValueError(f"class_weight must be a dict for Chunks, which are never all there, got {class_weight!r}")
        self.validation = check_validation(network, validation_data)
        blocks = Blocks(network, chunks, settings.epochs, settings.batch_size * settings.accumulate, class_weight)
        self._blocks = blocks.cut()
        first = next(self._blocks)
        assert first is not None
        self._first: TrainingData | None = first
        self.trainer = Trainer(network, first, settings, one_by_one=True, endless=True, most_samples=blocks.most)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="fastmlp-chunks")

    def __iter__(self) -> Iterator[TrainingData | None]:
        """All blocks, each read by another thread while the one before it is in use; `close` is due afterwards."""
        block, self._first = self._first, None  # it isn't kept longer than another one
        more = True
        while more:
            ahead: Future[tuple[TrainingData | None, bool]] = self._pool.submit(self._next)
            yield block
            block, more = ahead.result()

    def close(self, wait: bool) -> None:
        """Give up what is still to come; ``wait`` for the source to finish what it is at."""
        self._pool.shutdown(wait=wait, cancel_futures=True)
        if wait:
            self._blocks.close()

    def _next(self) -> tuple[TrainingData | None, bool]:
        """The next block, and whether there was one."""
        for block in self._blocks:
            return block, True
        return None, False


def fit_stream(stream: Stream, run: Run, hooks: tuple[Callback, ...], bar: ProgressBar | None) -> None:
    """Block after block, until all epochs are done or a callback stops them."""
    trainer = stream.trainer
    trainer.begin()
    start = time.perf_counter()
    total = weight = rate = 0.0
    n_rows, n_rows_before = 0, 0
    wait = True
    try:
        for block in stream:
            if block is None:
                run.epoch += 1
                with trainer.shown():
                    record(
                        run, stream.validation, trainer.settings.metrics, trainer.workspace.n_threads,
                        loss=[total / (weight or 1.0)], seconds=[time.perf_counter() - start], learning_rate=[rate],
                    )  # fmt: skip
                    for hook in hooks:
                        hook.on_epoch_end(run)
                trainer.multiply_learning_rate(run.learning_rate_factor)
                n_rows_before, n_rows, total, weight = n_rows, 0, 0.0, 0.0
            else:
                train_block(run, trainer, block, hooks)
                rate = rate if n_rows else float(trainer.records[0, 1])
                n_rows += len(block.X)
                total += float(trainer.records[0, 0]) * trainer.weight_of(block)
                weight += trainer.weight_of(block)
                if bar is not None and n_rows <= n_rows_before:
                    bar.advance(len(block.X) / n_rows_before)
            if run.stop_reason:
                break
        trainer.check_params()
    except KeyboardInterrupt:
        wait = False
        trainer.check_params()
        raise
    finally:
        trainer.end()
        stream.close(wait)


def train_block(run: Run, trainer: Trainer, block: TrainingData, hooks: tuple[Callback, ...]) -> None:
    """All batches of a block, unless a callback stops between two of them."""
    trainer.take(block)
    n_batches = count_batches(len(block.X), trainer.batch_size)
    while n_batches and not run.stop_reason:
        n_batches -= trainer.advance(n_batches)
        if not trainer.core.is_finite:
            trainer.restore()
            raise DivergedError(
                f"the loss stopped being finite in epoch {run.epoch + 2}; try a smaller learning rate or scaled "
                "inputs. The network holds the weights from before the rows in question"
            )
        with trainer.shown():
            for hook in hooks:
                hook.on_progress(run)
