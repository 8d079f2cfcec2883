"""Optimizers as frozen descriptions: the update rule in the core, its hyperparameters and its state.

A hyperparameter is a number or a function of the step (`fastmlp.schedules`). In all rules but AdamW, ``weight_decay``
and ``l1_decay`` are added to the gradient: ``g + weight_decay * w + l1_decay * sign(w)``. Biases and the parameters of
normalisation layers do not decay.
"""

from __future__ import annotations

from fastmlp.checks.errors import shown
from fastmlp.checks.names import known_name
from fastmlp.optimizers.adam import Adam, AdamW, NAdam
from fastmlp.optimizers.adaptive import Adagrad, RMSprop
from fastmlp.optimizers.base import STEP_DTYPE, Optimizer, WholeSetMethod
from fastmlp.optimizers.rprop import Rprop
from fastmlp.optimizers.sgd import SGD
from fastmlp.optimizers.whole_set import LBFGS, LevenbergMarquardt

__all__ = [
    "LBFGS", "OPTIMIZERS", "SGD", "STEP_DTYPE", "Adagrad", "Adam", "AdamW", "LevenbergMarquardt", "NAdam", "Optimizer",
    "RMSprop", "Rprop", "WholeSetMethod", "make_optimizer",
]  # fmt: skip

OPTIMIZERS: dict[str, type[Optimizer] | type[WholeSetMethod]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": NAdam,
    "rprop": Rprop,
    "lbfgs": LBFGS,
    "levenberg_marquardt": LevenbergMarquardt,
}

SYNONYMS = {
    "gd": "sgd",
    "gradient_descent": "sgd",
    "rms_prop": "rmsprop",
    "ada_grad": "adagrad",
    "adam_w": "adamw",
    "l_bfgs": "lbfgs",
    "l-bfgs": "lbfgs",
    "lm": "levenberg_marquardt",
    "levenberg-marquardt": "levenberg_marquardt",
}
"""Names of the same optimizers in other libraries."""
OTHER_NAMES = (
    dict.fromkeys(("momentum", "nesterov", "nag"), "use SGD with a momentum")
    | {"l_bfgs_b": "did you mean 'lbfgs'", "bfgs": "'lbfgs' is the same method with less memory"}
    | dict.fromkeys(("irprop+", "irprop_plus", "rprop+", "rprop_plus"), "use Rprop(backtrack=True)")
    | dict.fromkeys(("adadelta", "adamax", "amsgrad", "adafactor", "ftrl", "lamb", "lion", "radam"), "")
)
"""Names of other methods, and what to use."""


def make_optimizer(optimizer: object) -> Optimizer | WholeSetMethod:
    """An optimizer from an optimizer, a name (with its defaults) or None (Adam)."""
    if optimizer is None:
        return Adam()
    if isinstance(optimizer, str):
        return OPTIMIZERS[known_name("optimizer", optimizer, OPTIMIZERS, SYNONYMS, OTHER_NAMES)]()
    if not isinstance(optimizer, (Optimizer, WholeSetMethod)):
        raise TypeError(f"optimizer must be a name or an optimizer such as fm.SGD(0.1), got {shown(optimizer)}")
    return optimizer
