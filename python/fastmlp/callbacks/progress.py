"""The progress bar. By default it shows on a terminal or in a notebook once a fit has run for a second."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from fastmlp.callbacks.base import Callback, Run
from fastmlp.checks.errors import shown
from fastmlp.history import History


def wants_bar(progress: bool | None) -> bool:
    """What the caller asked for; by default, whether this is a terminal or a notebook."""
    if isinstance(progress, (bool, np.bool_)):
        return bool(progress)
    if progress is not None:
        raise TypeError(f"progress must be True, False or None, got {shown(progress)}")
    in_notebook = "ipykernel" in sys.modules
    return in_notebook or bool(getattr(sys.stderr, "isatty", lambda: False)())


def summary(history: History) -> str:
    """The newest losses and accuracies, to print next to the bar."""
    names = {"loss": "loss", "val_loss": "val loss", "val_accuracy": "val accuracy"}
    return ", ".join(f"{label} {history.last(name):.4g}" for name, label in names.items() if name in history)


class ProgressBar(Callback):
    """A tqdm bar over the epochs, which also moves within long ones."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._bar: Any = None

    def on_fit_begin(self, run: Run) -> None:
        """Create the bar; it shows after the delay."""
        from tqdm.auto import tqdm

        form = "{desc}: {percentage:3.0f}%|{bar}| {n:.4g}/{total_fmt} epochs [{elapsed}<{remaining}{postfix}]"
        self._bar = tqdm(total=run.n_epochs, desc="fit", delay=self._delay, bar_format=form, leave=True)

    def advance(self, share: float) -> None:
        """Advance by a share of an epoch."""
        self._bar.update(share)

    def on_epoch_end(self, run: Run) -> None:
        """Advance to the end of the epoch, and show the newest losses."""
        self._bar.update(run.epoch + 1 - self._bar.n)
        self._bar.set_postfix_str(summary(run.history), refresh=False)

    def on_fit_end(self, run: Run) -> None:
        """Close the bar, which stays on the screen."""
        self._bar.close()
