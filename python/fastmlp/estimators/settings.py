"""Checks of the constructor's arguments at the start of a fit; ``__init__`` and ``set_params`` check nothing.

The messages are scikit-learn's: "The 'alpha' parameter of MLPClassifier must be ... Got -1 instead."
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring

from fastmlp.estimators.rules import is_quasi_newton
from fastmlp.model.losses import Loss
from fastmlp.optimizers import OPTIMIZERS, make_optimizer

ACTIVATION_NAMES = {"logistic": "sigmoid"}
"""Activations with another name in scikit-learn: from its name to ours."""

Rule = tuple[Callable[[Any], bool], str]


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def _one_of(*names: str) -> Rule:
    listed = ", ".join(f"'{name}'" for name in names)
    return (lambda value: isinstance(value, str) and value in names), f"a str among {{{listed}}}"


def _whole(low: int) -> Rule:
    return (lambda value: _is_whole(value) and value >= low), f"an int in the range [{low}, inf)"


def _number(low: float, high: float, left: str, right: str) -> Rule:
    """A number in an interval: "[" and "]" include the bound, "(" and ")" exclude it."""

    def holds(value: Any) -> bool:
        if not _is_number(value):
            return False
        above = value >= low if left == "[" else value > low
        below = value <= high if right == "]" else value < high
        return bool(above and below)

    return holds, f"a float in the range {left}{low}, {high}{right}"


def _either(first: Rule, second: Rule) -> Rule:
    return (lambda value: first[0](value) or second[0](value)), f"{first[1]} or {second[1]}"


_BOOLEAN: Rule = (lambda value: isinstance(value, (bool, np.bool_))), "a bool"
_NONE: Rule = (lambda value: value is None), "None"
_CALLABLE: Rule = callable, "a callable"
_OPTIMIZER: Rule = (
    lambda value: _is_optimizer(value),
    f"an optimizer such as fastmlp.AdamW(), a str among {{{', '.join(map(repr, OPTIMIZERS))}}}",
)

RULES: dict[str, Rule] = {
    "solver": _one_of("lbfgs", "sgd", "adam"),
    "alpha": _number(0.0, math.inf, "[", ")"),
    "batch_size": _either(_one_of("auto"), _whole(1)),
    "learning_rate": _one_of("constant", "invscaling", "adaptive"),
    "learning_rate_init": _number(0.0, math.inf, "(", ")"),
    "power_t": _number(0.0, math.inf, "[", ")"),
    "max_iter": _whole(1),
    "shuffle": _BOOLEAN,
    "tol": _number(0.0, math.inf, "[", ")"),
    "verbose": _either(_BOOLEAN, _whole(0)),
    "warm_start": _BOOLEAN,
    "momentum": _number(0.0, 1.0, "[", "]"),
    "nesterovs_momentum": _BOOLEAN,
    "early_stopping": _BOOLEAN,
    "validation_fraction": _number(0.0, 1.0, "[", ")"),
    "beta_1": _number(0.0, 1.0, "[", ")"),
    "beta_2": _number(0.0, 1.0, "[", ")"),
    "epsilon": _number(0.0, math.inf, "(", ")"),
    "n_iter_no_change": _either(_whole(1), (lambda value: _is_number(value) and value == math.inf, "inf")),
    "max_fun": _whole(1),
    "batch_norm": _BOOLEAN,
    "optimizer": _either(_OPTIMIZER, _NONE),
    "schedule": _either(_CALLABLE, _NONE),
    "clip_norm": _either(_number(0.0, math.inf, "(", ")"), _NONE),
    "scoring": _either((lambda value: isinstance(value, str), "a str"), _either(_CALLABLE, _NONE)),
    "restore_best": _either(_BOOLEAN, _NONE),
    "dtype": (
        lambda value: value is None or (isinstance(value, (str, type, np.dtype)) and _is_float(value)),
        "'float32', 'float64' or None",
    ),
    "wait": _BOOLEAN,
    "n_jobs": _either((lambda value: _is_whole(value) and value != 0, "an int other than 0"), _NONE),
}  # fmt: skip


def _is_optimizer(value: Any) -> bool:
    try:
        return value is not None and make_optimizer(value) is not None
    except (TypeError, ValueError):
        return False


def _is_float(value: Any) -> bool:
    try:
        return np.dtype(value) in (np.float32, np.float64)
    except TypeError:
        return False


def invalid(estimator: object, name: str, expected: str) -> ValueError:
    """The error for an argument that is not as expected."""
    got = getattr(estimator, name)
    return ValueError(
        f"The {name!r} parameter of {type(estimator).__name__} must be {expected}. Got {got!r:.200} instead."
    )


def check_settings(estimator: Any) -> None:
    """Raise ``ValueError`` for the first invalid argument."""
    for name, (holds, expected) in RULES.items():
        if not holds(getattr(estimator, name)):
            raise invalid(estimator, name, expected)
    if estimator.schedule is not None and estimator.learning_rate != "constant":
        raise ValueError(f"schedule replaces learning_rate={estimator.learning_rate!r}; pass only one of the two")
    if estimator.scoring not in (None, "loss"):
        check_scoring(estimator, estimator.scoring)
    hidden_sizes(estimator)
    hidden_activations(estimator)
    dropped = any(callable(rate) or rate > 0 for rate in dropout_rates(estimator))
    for name, asked in (("batch_norm", estimator.batch_norm), ("dropout", dropped)):
        if asked and is_quasi_newton(estimator):
            by = "solver='lbfgs'" if estimator.optimizer is None else f"optimizer={estimator.optimizer!r:.60}"
            raise ValueError(f"{name} needs mini-batches, and {by} uses all rows at once; leave one of the two out")


def hidden_sizes(estimator: Any) -> list[int]:
    """Number of units of each hidden layer."""
    given = estimator.hidden_layer_sizes
    sizes = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    if not all(_is_whole(size) for size in sizes):
        raise invalid(estimator, "hidden_layer_sizes", "an int or an array-like of ints")
    if any(size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def _for_each_layer(estimator: Any, name: str, kind: type) -> list[Any]:
    """One value for each hidden layer, from a single value or a list."""
    given, n_layers = getattr(estimator, name), len(hidden_sizes(estimator))
    if isinstance(given, kind):
        return [given] * n_layers
    values = list(given) if isinstance(given, Iterable) else []
    if len(values) != n_layers or not all(isinstance(value, kind) for value in values):
        raise invalid(estimator, name, f"one value or one for each of the {n_layers} hidden layers")
    return values


def hidden_activations(estimator: Any) -> list[str]:
    """fastmlp's name of each hidden layer's activation."""
    from fastmlp.model.activations import ACTIVATIONS, SYNONYMS, activation_name

    known = {name for name, spec in ACTIVATIONS.items() if not spec.output_only} | set(ACTIVATION_NAMES)
    accepted = known | {name for name, meant in SYNONYMS.items() if meant in known}
    names = _for_each_layer(estimator, "activation", str)
    for name in names or [estimator.activation]:
        if isinstance(name, str) and name not in accepted:
            listed = ", ".join(map(repr, sorted(known)))
            raise invalid(estimator, "activation", f"a str among {{{listed}}}, or a list of one for each hidden layer")
    return [activation_name(name) for name in names]


def dropout_rates(estimator: Any) -> list[Any]:
    """Dropout rate of each hidden layer: a number or a schedule."""
    given = estimator.dropout
    if callable(given):
        return [given] * len(hidden_sizes(estimator))
    rates = _for_each_layer(estimator, "dropout", Real)
    for rate in rates:
        if not callable(rate) and (isinstance(rate, bool) or not 0 <= rate < 1):
            raise invalid(estimator, "dropout", "a float in the range [0.0, 1.0), or one for each hidden layer")
    return rates


def loss_named(estimator: Any, synonyms: Iterable[str] = ()) -> Loss | str:
    """The loss of fastmlp, or its name; ``synonyms`` are further names that are allowed."""
    from fastmlp.model.loss_kinds import LOSSES
    from fastmlp.model.loss_names import SYNONYMS

    given = estimator.loss
    if isinstance(given, str) and (given in LOSSES or given in SYNONYMS or given in synonyms):
        return given
    if not hasattr(given, "spec"):
        listed = ", ".join(map(repr, [*synonyms, *LOSSES]))
        raise invalid(estimator, "loss", f"a str among {{{listed}}} or a loss of fastmlp")
    loss: Loss = given
    return loss
