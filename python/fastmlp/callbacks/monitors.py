"""The number of the history that a callback watches, and whether a larger one is better."""

from __future__ import annotations

from fastmlp.callbacks.base import Run
from fastmlp.checks.errors import shown, unknown_name
from fastmlp.metrics import SYNONYMS

LARGER_IS_BETTER = {
    "accuracy": True,
    "auc": True,
    "balanced_accuracy": True,
    "f1": True,
    "loss": False,
    "macro_f1": True,
    "mean_absolute_error": False,
    "precision": True,
    "r2": True,
    "recall": True,
    "root_mean_square_error": False,
    "score": True,
}
"""Whether more is better, by the whole name of a number, without ``val_``. Other names have no known direction."""


class Monitor:
    """The watched number as a score: larger is better.

    ``name`` is a name in the history; None means the validation loss if there is one, else the loss. ``mode`` is
    "min", "max" or "auto", which asks the metric of this name (its attribute ``greater_is_better``), then
    `LARGER_IS_BETTER`.
    """

    def __init__(self, name: str | None, mode: str) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"monitor must be a name in the history such as 'val_loss', got {shown(name)}")
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
        if name not in known:
            meant = SYNONYMS.get(name.removeprefix("val_"))
            name = f"val_{meant}" if f"val_{meant}" in known else name
        if run.epoch >= 0 and name not in known:
            raise unknown_name("monitor", name, known)
        return name

    def more_is_better(self, run: Run) -> bool:
        """Whether a larger number is better; ``ValueError`` if neither the mode, the metric nor the name says so."""
        if self.mode != "auto":
            self.name(run)
            return self.mode == "max"
        name = self.name(run)
        known = run.directions.get(name, LARGER_IS_BETTER.get(name.removeprefix("val_")))
        if known is not None:
            return known
        if run.recorded and name not in {*run.recorded, *run.history}:
            raise ValueError(
                f"{unknown_name('monitor', name, run.recorded)}; for a number that a callback records, pass mode='min' "
                "or mode='max'"
            )
        raise ValueError(
            f"monitor={name!r} needs mode='min' or mode='max', as nothing says whether less or more of it is better; a "
            "metric can say so with an attribute, function.greater_is_better = True or False"
        )

    def value(self, run: Run) -> float:
        """The newest number."""
        return run.history.last(self.name(run))

    def score(self, run: Run) -> float:
        """The newest number, negated if less is better; NaN never counts as an improvement."""
        value = self.value(run)
        return value if self.more_is_better(run) else -value


def epochs(n: int) -> str:
    """``"1 epoch"``, ``"5 epochs"``."""
    return f"{n} epoch{'' if n == 1 else 's'}"
