"""The fit of ``fastmlp train``, and the signals that may end it early."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastmlp.callbacks.stopping import EarlyStopping
from fastmlp.cli.defaults import Settings, optimizer_for
from fastmlp.cli.sources import Problem
from fastmlp.history import History
from fastmlp.network import Network


class Terminated:
    """Whether SIGTERM has arrived."""

    came = False


@contextmanager
def sigterm_as_interrupt() -> Iterator[Terminated]:
    """A context in which SIGTERM ends a fit like Ctrl-C; only in the main thread, where Python handles signals."""
    terminated = Terminated()
    if threading.current_thread() is not threading.main_thread():
        yield terminated
        return

    def interrupt(number: int, frame: Any) -> None:
        terminated.came = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, before)


def fit(
    network: Network,
    problem: Problem,
    settings: Settings,
    patience: int | None,
    threads: int | None,
    progress: bool,
    checkpoint: Path | None,
    checkpoint_every: float | None,
    resume: bool,
) -> History:
    """Train on the training rows, and watch the validation rows."""
    X, y = problem.train
    n_steps = None if problem.n_streamed is None else settings.epochs * -(-problem.n_streamed // settings.batch_size)
    return network.fit(
        X, y, epochs=settings.epochs, batch_size=settings.batch_size, optimizer=optimizer_for(settings, n_steps),
        validation_data=problem.validation, callbacks=[EarlyStopping(patience)] if patience else (), n_threads=threads,
        progress=progress, checkpoint=checkpoint, checkpoint_every=checkpoint_every, resume=resume,
    )  # fmt: skip
