"""The table of losses: which targets and settings each takes, and which output activations it allows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cnn_core.passes.losses import Loss as LossCode
from fastmlp.model.output_forms import MeanAndVariance, OneEstimate, form_of_quantiles


@dataclass(frozen=True)
class TargetKind:
    """Which targets (n, n_targets) a loss takes.

    Attributes
    ----------
    takes_classes : bool
        Whether class numbers (n,) may replace one-hot rows, if there are several outputs.
    low, high : float
        Range of each number.
    labels : bool
        Whether each number is the probability of a label, independent of the others.
    shares : bool
        Whether a row has the probabilities of all classes, which sum to 1. Needs at least two outputs.
    """

    takes_classes: bool = False
    low: float = -math.inf
    high: float = math.inf
    labels: bool = False
    shares: bool = False

    def range_in_words(self) -> str:
        """What a target must do, for an error message; "" if any number is allowed."""
        if self.high < math.inf:
            return f"lie between {self.low:g} and {self.high:g}"
        return "" if self.low == -math.inf else "not be negative" if self.low == 0 else f"be at least {self.low:g}"


VALUES = TargetKind()
VALUES_OR_CLASSES = TargetKind(takes_classes=True)
COUNTS = TargetKind(low=0.0)
LABELS = TargetKind(takes_classes=True, low=0.0, high=1.0, labels=True)
CLASSES = TargetKind(takes_classes=True, low=0.0, high=1.0, shares=True)


@dataclass(frozen=True)
class LossSpec:
    """One row of the table.

    Attributes
    ----------
    code : int
        The core's code.
    default_output : str
        Default output activation.
    outputs : tuple of str or None
        Allowed output activations; None: any.
    targets : TargetKind
        Which targets the loss takes.
    setting : {"delta", "q", "beta"} or None
        The setting of `Loss` that the core needs.
    weighs_targets : bool
        Whether the loss of a row is a sum or mean over its targets, so that each can have a weight of its own.
    form : callable
        From the value of ``setting`` to what the outputs say of each target.
    share_of_squares : callable, optional
        For a loss that is c times the sum of squared errors: c as a function of the number of outputs.
    """

    code: int
    default_output: str = "identity"
    outputs: tuple[str, ...] | None = None
    targets: TargetKind = VALUES
    setting: str | None = None
    weighs_targets: bool = True
    form: Callable[[Any], OneEstimate] = OneEstimate
    share_of_squares: Callable[[int], float] | None = None

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings of `Loss` that it uses; ``missing`` has a rule of its own."""
        own = () if self.setting is None else (self.setting,)
        return (*own, "label_smoothing") if self.classification else own

    @property
    def classification(self) -> bool:
        """Whether the targets name classes or labels, so that there is an accuracy."""
        return self.targets.labels or self.targets.shares


LOSSES: dict[str, LossSpec] = {
    "squared_error": LossSpec(
        LossCode.SQUARED_ERROR, targets=VALUES_OR_CLASSES, share_of_squares=lambda n_outputs: 0.5
    ),
    "mse": LossSpec(LossCode.MSE, targets=VALUES_OR_CLASSES, share_of_squares=lambda n_outputs: 1.0 / n_outputs),
    "absolute_error": LossSpec(LossCode.ABSOLUTE_ERROR),
    "huber": LossSpec(LossCode.HUBER, setting="delta"),
    "quantile": LossSpec(LossCode.QUANTILE, setting="q", form=form_of_quantiles),
    "poisson": LossSpec(LossCode.POISSON, "exp", ("exp", "softplus"), COUNTS),
    "cross_entropy": LossSpec(LossCode.CROSS_ENTROPY, "softmax", ("softmax",), CLASSES, weighs_targets=False),
    "binary_cross_entropy": LossSpec(LossCode.BINARY_CROSS_ENTROPY, "sigmoid", ("sigmoid",), LABELS),
    "gaussian": LossSpec(LossCode.GAUSSIAN, outputs=("identity",), setting="beta", form=MeanAndVariance),
}


def users_of(setting: str) -> list[str]:
    """The names of the losses that use a setting.

    >>> users_of("delta")
    ['huber']
    """
    return [name for name, spec in LOSSES.items() if setting in spec.settings]
