"""A number of the history that a callback watches: which one, and whether more of it is better."""

from __future__ import annotations

from fastmlp.callbacks.base import Run
from fastmlp.checks.errors import unknown_name

LARGER_IS_BETTER = frozenset({"accuracy", "auc", "f1", "precision", "r2", "recall", "score"})
"""Words in the name of a number that is better when larger."""


class Monitor:
    """What is watched, as a score that is better when larger.

    ``name`` is a name of the history; None: the validation loss where there is one, else the loss. ``mode`` is "min"
    or "max"; "auto": "max" where a word of the name is one of `LARGER_IS_BETTER`.
    """

    def __init__(self, name: str | None, mode: str) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"monitor must be a name of the history such as 'val_loss', got {name!r}")
        if mode not in ("auto", "min", "max"):
            raise unknown_name("mode", mode, ("auto", "min", "max"))
        self.given = name
        self.mode = mode

    def name(self, run: Run) -> str:
        """The name of what is watched in this fit.

        Raises ``ValueError`` where it isn't recorded; before the first epoch only a missing validation can be told,
        as callbacks may record what they like.
        """
        known = {*run.recorded, *run.history}
        name = self.given if self.given is not None else ("val_loss" if "val_loss" in known else "loss")
        if known and name.startswith("val_") and not any(other.startswith("val_") for other in known):
            raise ValueError(f"monitor={name!r} needs validation_data, and this fit has none")
        if run.epoch >= 0 and name not in known:
            raise unknown_name("monitor", name, known)
        return name

    def score(self, run: Run) -> float:
        """The newest number, its sign such that more is better; NaN is better than nothing else."""
        name = self.name(run)
        rises = self.mode == "max" or (self.mode == "auto" and not LARGER_IS_BETTER.isdisjoint(name.split("_")))
        value = run.history.last(name)
        return value if rises else -value


def epochs(n: int) -> str:
    """``"1 epoch"``, ``"5 epochs"``."""
    return f"{n} epoch{'' if n == 1 else 's'}"
