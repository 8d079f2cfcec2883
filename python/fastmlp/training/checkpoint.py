"""Checkpoints: the state of a fit on disk, from which another process can continue to the same result.

A checkpoint holds everything that the rest of the fit depends on: parameters and running statistics, the optimizer's
momenta, the order of the samples and its generator, the position in the epoch, the history, the best weights, and the
states of callbacks. It also identifies the fit (`fingerprint`), so that no other fit continues from it.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable
from fastmlp.checks.saved import saved_number, saved_whole
from fastmlp.machine.files import remove_unfinished
from fastmlp.machine.state_files import StateFile
from fastmlp.model.model import Model
from fastmlp.training.fingerprint import check_same, has_state

if TYPE_CHECKING:
    from fastmlp.callbacks.base import Callback, Run

FORMAT = 1
"""Version of the checkpoint's contents; other versions are rejected."""
SECONDS = 10.0
"""Default time between checkpoints."""
SHARE = 0.01
"""Largest share of the time to spend on writing; above it, checkpoints are written less often."""

_FORM = {"format": int, "fit": dict, "run": dict, "history": dict, "callbacks": list, "training": dict}


_ALWAYS = ("loss", "seconds", "learning_rate")
"""Columns of every history."""


class Checkpoint:
    """The checkpoint of one fit: reads the old one, and writes new ones when they are due.

    Attributes
    ----------
    training : dict or None
        State of training in the checkpoint that was read; None if there is none.

    Raises
    ------
    FileExistsError
        If there is a checkpoint and ``resume`` is False.
    ValueError
        If the checkpoint is damaged, and the one before it too.
    """

    def __init__(self, path: Path, every: float | None, resume: bool) -> None:
        self._file = StateFile(path)
        self._every = every
        if not resume and self._file.exists():
            raise FileExistsError(
                f"checkpoint={str(path)!r} exists: pass resume=True to continue from it, or remove it and "
                f"{path.name}.previous to start over"
            )
        self._saved = self._file.read(_check_form) if resume else None
        self.training: dict[str, Any] | None = None if self._saved is None else self._saved["training"]

    def check(self, fit: Mapping[str, str], n_epochs: int) -> None:
        """Raise ``ValueError`` if the checkpoint is of another fit."""
        self._fit = dict(fit)
        if self._saved is None:
            return
        try:
            check_same(self._saved["fit"], self._fit)
            n_done = saved_whole(self._saved["run"], "epoch", -1) + 1
            if n_done > n_epochs:
                raise ValueError(f"the checkpoint has {n_done} epochs, more than epochs={n_epochs}")
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"{self._file.path} cannot be resumed: {printable(str(error), 2000)}") from None

    @contextmanager
    def keeping(self, network: Model) -> Iterator[None]:
        """Restore the network if a checkpoint is rejected, even after a part of it was loaded."""
        if self._saved is None:
            yield
            return
        params, generator, state = network.snapshot(), network.rng.bit_generator.state, network.optimizer_state
        state = None if state is None else state.astype(network.dtype)
        try:
            yield
        except ValueError:
            if self._saved is not None:
                network.restore(params)
                network.rng.bit_generator.state = generator
                network.optimizer_state = state
            raise

    def begin(
        self,
        run: Run,
        callbacks: tuple[Callback, ...],
        state: Callable[[], dict[str, Any]],
        load: Callable[[dict[str, Any], int], None],
    ) -> None:
        """Load the checkpoint that was read; without one, write the first, which shows that the disk has room.

        ``state()`` returns the state of training; ``load(state, n_done)`` sets it, after n_done epochs. Raises
        ``ValueError`` for an impossible state, ``TypeError`` if a callback's state cannot be written, and ``OSError``
        if the disk fails.
        """
        self._run, self._callbacks, self._state = run, tuple(filter(has_state, callbacks)), state
        remove_unfinished(self._file.path)
        if self._saved is None:
            self._write()
        else:
            try:
                load(self._saved["training"], saved_whole(self._saved["run"], "epoch", -1, run.n_epochs - 1) + 1)
                _load_run(run, self._callbacks, self._saved)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
                raise ValueError(f"{self._file.path} cannot be resumed: {printable(str(error), 300)}") from None
            self._saved = None
            self._cost = 0.0
            self._last = time.perf_counter()

    def write_if_due(self) -> None:
        """Write a checkpoint if it is time."""
        pause = max(SECONDS, self._cost / SHARE) if self._every is None else self._every
        if time.perf_counter() - self._last >= pause:
            self.write()

    def write(self) -> None:
        """Write a checkpoint; if the disk fails or memory runs out, warn and keep the last one."""
        try:
            self._write()
        except (OSError, MemoryError) as error:
            warnings.warn(
                f"no checkpoint could be written ({error}); training continues, and {self._file.path} is unchanged",
                RuntimeWarning,
                stacklevel=2,
            )
            self._last = time.perf_counter()

    def _write(self) -> None:
        start = time.perf_counter()
        run = self._run
        self._file.write(
            {
                "format": FORMAT,
                "fit": self._fit,
                "run": {
                    "epoch": run.epoch,
                    "stop_reason": None if run.is_paused else run.stop_reason,
                    "learning_rate_factor": run.learning_rate_factor,
                    "seconds": run.seconds(),
                },
                "history": run.history.state_dict(),
                "callbacks": [callback.state_dict() for callback in self._callbacks],
                "training": self._state(),
            }
        )
        self._last = time.perf_counter()
        self._cost = self._last - start


def _check_form(state: dict[str, Any]) -> None:
    """Raise ``ValueError`` unless the state has the parts of a checkpoint of this format."""
    version = state.get("format")
    if version != FORMAT:
        raise ValueError(f"it has format {version!r:.20}, not {FORMAT}")
    for name, kind in _FORM.items():
        if not isinstance(state.get(name), kind):
            raise ValueError(f"its part {name!r} is missing or not a {kind.__name__}")


def _load_run(run: Run, callbacks: tuple[Callback, ...], saved: Mapping[str, Any]) -> None:
    """Restore the history, the run and the callbacks."""
    state = saved["run"]
    epoch, factor = saved_whole(state, "epoch", -1), saved_number(state, "learning_rate_factor")
    seconds, reason = saved_number(state, "seconds", 0.0), state["stop_reason"]
    if not isinstance(reason, (str, type(None))):
        raise ValueError(f"stop_reason is {printable(repr(reason), 60)}, expected text")
    columns = {name: np.asarray(values, np.float64) for name, values in saved["history"].items()}
    shapes = [columns.get(name, np.empty(0)).shape for name in _ALWAYS]
    if shapes != [(epoch + 1,)] * len(_ALWAYS) or any(
        values.ndim != 1 for values in columns.values()
    ):  # callbacks may add columns
        raise ValueError(f"its history does not have {epoch + 1} epochs")
    for callback, each in zip(callbacks, saved["callbacks"], strict=True):
        callback.load_state_dict(each)
    run.history.load_state_dict(columns, epoch + 1)
    run.epoch, run.learning_rate_factor, run.stop_reason = epoch, factor, reason
    run.began(seconds)


def check_alike(saved: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    """Raise ``ValueError`` unless the saved arrays have the names, shapes and dtypes of this fit."""
    if set(saved) != set(arrays):
        raise ValueError(f"it has the arrays {', '.join(sorted(saved))}; expected {', '.join(sorted(arrays))}")
    for name, array in arrays.items():
        got = saved[name]
        if not isinstance(got, np.ndarray) or (got.shape, got.dtype) != (array.shape, array.dtype):
            raise ValueError(f"the array {name} does not have shape {array.shape} and dtype {array.dtype}")
