"""Settings that do nothing beside others: refused, or where scikit-learn takes both, told by a warning.

scikit-learn ignores, say, ``momentum`` with ``solver="adam"``. Grids rely on that, so such a pair of its own settings
is a warning here. A pair with a setting that only fastmlp has is an error.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from fastmlp.estimators.rules import carried_settings, is_quasi_newton, records_epochs

OWN = frozenset({"optimizer", "schedule", "clip_norm", "restore_best", "callbacks", "progress", "scoring"})
"""Settings that scikit-learn does not have."""
OF_SOLVERS = (
    "solver", "learning_rate", "learning_rate_init", "power_t", "momentum", "nesterovs_momentum", "beta_1", "beta_2",
    "epsilon", "max_fun", "schedule",
)  # fmt: skip
"""What ``optimizer`` replaces."""

Acts = Callable[[Any], bool]


def _solver(*names: str) -> Acts:
    return lambda estimator: estimator.solver in names


_BY_EPOCHS: tuple[Acts, str] = records_epochs, "solver"
NEEDS: dict[str, tuple[tuple[Acts, str], ...]] = {
    "learning_rate": ((_solver("sgd"), "solver"),),
    "learning_rate_init": ((_solver("sgd", "adam"), "solver"), (lambda made: made.schedule is None, "schedule")),
    "power_t": ((_solver("sgd"), "solver"), (lambda made: made.learning_rate == "invscaling", "learning_rate")),
    "momentum": ((_solver("sgd"), "solver"),),
    "nesterovs_momentum": ((_solver("sgd"), "solver"), (lambda made: made.momentum > 0, "momentum")),
    "beta_1": ((_solver("adam"), "solver"),),
    "beta_2": ((_solver("adam"), "solver"),),
    "epsilon": ((_solver("adam"), "solver"),),
    "max_fun": ((_solver("lbfgs"), "solver"),),
    "schedule": ((_solver("sgd", "adam"), "solver"),),
}
"""For settings of a solver: whether each acts, and beside which other setting it does not."""
ALWAYS_NEEDED: dict[str, tuple[tuple[Acts, str], ...]] = {
    "early_stopping": (_BY_EPOCHS,),
    "n_iter_no_change": (_BY_EPOCHS,),
    "restore_best": (_BY_EPOCHS,),
    "callbacks": (_BY_EPOCHS,),
    "progress": (_BY_EPOCHS,),
    "clip_norm": (_BY_EPOCHS,),
}
"""The same for settings that an ``optimizer`` does not replace."""
OF_VALIDATION = ("validation_fraction", "scoring")
"""What needs a validation set."""


@lru_cache
def defaults_of(kind: Any) -> dict[str, Any]:
    """The default of each argument of a class."""
    return {name: each.default for name, each in inspect.signature(kind).parameters.items()}


def is_set(estimator: Any, name: str) -> bool:
    """Whether a setting differs from its default."""
    kind: Any = type(estimator)
    default, value = defaults_of(kind)[name], getattr(estimator, name)
    if isinstance(value, (list, tuple)) and not len(value):
        return bool(default)
    return value is not default and not (type(value) is type(default) and value == default)


def idle_settings(estimator: Any, validates: bool) -> Iterator[tuple[str, str]]:
    """Each setting that does nothing, and the setting beside which it does not act."""
    if estimator.optimizer is not None:
        carried = carried_settings(estimator)
        yield from ((name, "optimizer") for name in OF_SOLVERS if is_set(estimator, name) and name not in carried)
    needs = ALWAYS_NEEDED if estimator.optimizer is not None else NEEDS | ALWAYS_NEEDED
    for name, conditions in needs.items():
        if is_set(estimator, name):
            yield from ((name, other) for acts, other in conditions if not acts(estimator))
    if is_set(estimator, "batch_size") and is_quasi_newton(estimator):
        yield "batch_size", "solver" if estimator.optimizer is None else "optimizer"
    for name in OF_VALIDATION:
        if is_set(estimator, name) and not validates:
            yield name, "early_stopping" if records_epochs(estimator) else "solver"


def check_conflicts(estimator: Any, validation: str | None, incremental: bool) -> None:
    """Raise ``ValueError`` for a setting that does nothing, or warn if scikit-learn takes it too.

    ``validation`` is the argument of `fit` that brings a validation set, if any. ``incremental``: for `partial_fit`,
    which never has one.
    """
    validates = incremental or bool(estimator.early_stopping) or validation is not None
    if validation is not None and not records_epochs(estimator):
        raise ValueError(f"{validation} has no effect with solver={estimator.solver!r}; use optimizer=fastmlp.LBFGS()")
    if validation is not None and is_set(estimator, "validation_fraction"):
        raise ValueError(
            f"validation_fraction={estimator.validation_fraction!r} has no effect with {validation}; leave one out"
        )
    for name, other in idle_settings(estimator, validates):
        shown = " has no effect with ".join(f"{each}={getattr(estimator, each)!r:.60}" for each in (name, other))
        if other == "optimizer":
            raise ValueError(f"{shown}; set it in an optimizer object, such as optimizer=fastmlp.AdamW(...)")
        if {name, other} & OWN:
            raise ValueError(f"{shown}; leave it out or change {other}")
        warnings.warn(shown, stacklevel=4)
