"""The number of the history that a callback watches, and whether a larger one is better."""

from __future__ import annotations

from fastmlp.callbacks.base import Run
from fastmlp.checks.errors import unknown_name

LARGER_IS_BETTER = frozenset({"accuracy", "auc", "f1", "precision", "r2", "recall", "score"})
"""Words in the names of numbers for which larger is better."""


class Monitor:
    """The watched number as a score: larger is better.

    ``name`` is a name in the history; None means the validation loss if there is one, else the loss. ``mode`` is
    "min", "max" or "auto", which means "max" if a word of the name is in `LARGER_IS_BETTER`, else "min".
    """

    def __init__(self, name: str | None, mode: str) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"monitor must be a name in the history such as 'val_loss', got {name!r}")
        if mode not in ("auto", "min", "max"):
            raise unknown_name("mode", mode, ("auto", "min", "max"))
        self.given = name
        self.mode = mode

    def name(self, run: Run) -> str:
        """The name of the number watched in this fit; ``ValueError`` if it is not recorded.

        Before the first epoch only missing validation data is an error, since callbacks may add names of their own.
        """
        known = {*run.recorded, *run.history}
        name = self.given if self.given is not None else ("val_loss" if "val_loss" in known else "loss")
        if known and name.startswith("val_") and not any(other.startswith("val_") for other in known):
            raise ValueError(f"monitor={name!r} needs validation_data, and this fit has none")
        if run.epoch >= 0 and name not in known:
            raise unknown_name("monitor", name, known)
        return name

    def score(self, run: Run) -> float:
        """The newest number, negated if less is better; NaN never counts as an improvement."""
        name = self.name(run)
        rises = self.mode == "max" or (self.mode == "auto" and not LARGER_IS_BETTER.isdisjoint(name.split("_")))
        value = run.history.last(name)
        return value if rises else -value


def epochs(n: int) -> str:
    """``"1 epoch"``, ``"5 epochs"``."""
    return f"{n} epoch{'' if n == 1 else 's'}"
