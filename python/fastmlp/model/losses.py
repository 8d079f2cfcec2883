"""Losses by name, with the output activations that each allows.

The loss of one row (o: outputs, t: targets, e = o - t, k counts the outputs):

=====================  =========================================  ===============================
squared_error          1/2 sum_k e_k^2                            any output
mse                    mean_k e_k^2                               any output
absolute_error         mean_k abs(e_k)                            any output
huber                  mean_k e^2/2 within delta, linear outside  any output
quantile               mean_k max(-q e, (1 - q) e)                any output; several q: increasing
poisson                mean_k o_k - t_k log o_k                   exp, softplus
cross_entropy          -sum_k t_k log o_k                         softmax
binary_cross_entropy   -sum_k t_k log o_k + (1-t_k) log(1-o_k)    sigmoid
gaussian               mean_k ((t - m)^2 / v + log v) / 2         identity
=====================  =========================================  ===============================

The outputs of gaussian are the means m of all targets, then their log-variances log v. With Q quantiles, output t Q + j
is quantile j of target t, and k counts all outputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import numpy as np

from fastmlp.checks.errors import shown
from fastmlp.checks.names import known_name
from fastmlp.checks.parameters import HasParams
from fastmlp.checks.values import Value, check_value
from fastmlp.model.fields import LATER
from fastmlp.model.loss_kinds import LOSSES, LossSpec, users_of
from fastmlp.model.loss_names import OTHER_NAMES, SYNONYMS
from fastmlp.model.output_forms import OneEstimate
from fastmlp.model.quantiles import checked_quantiles


@dataclass(frozen=True)
class Loss(HasParams):
    """A loss with settings. ``loss="huber"`` means ``loss=Loss("huber")``, with the defaults.

    Parameters
    ----------
    name : str
        "squared_error", "mse", "absolute_error", "huber", "quantile", "poisson", "cross_entropy",
        "binary_cross_entropy" or "gaussian". The formulas are in `fastmlp.model.losses`. Names of other libraries with
        the same meaning, such as "mae" or "categorical_crossentropy", are replaced by these.
    delta : float, default 1.0
        For huber: errors larger than this count linearly. Above 0.
    q : float or sequence of float, default 0.5
        For quantile: the quantile to predict, between 0 and 1, both excluded. A strictly increasing sequence of Q
        predicts Q quantiles of each target that never cross: output ``t * Q + j`` is quantile j of target t. The output
        activation is "increasing": in each group of Q, the first output is its score, and each other one adds the
        softplus of its own. The loss is the mean over all outputs.
    label_smoothing : float or function of the step, default 0.0
        For the cross-entropies: share of each target that is spread evenly over the classes, in training only. From 0
        to below 1, or a schedule (`fastmlp.schedules`).
    missing : bool, default False
        True: NaN in y leaves out that target, in the loss, its gradient, the accuracy and the metrics. A row may lack
        all its targets. Not for cross_entropy, whose targets are one class.
    beta : float, default 0.0
        For gaussian: each target's term is multiplied by its variance to the power of beta, which the gradient takes
        for a constant. From 0, the likelihood itself, to 1, which fits the means as mse does; 0.5 is usual where the
        likelihood alone fits the means too slowly.

    Raises
    ------
    TypeError
        If ``name`` is not a string, or a setting has the wrong type.
    ValueError
        If ``name`` is unknown, a setting is out of range or of another loss, or the loss cannot leave out targets.

    Notes
    -----
    gaussian is the negative log-likelihood of a normal distribution, without its constant ``log(2 pi) / 2``. A network
    for T targets has 2 T outputs: first the means, then the log-variances. The loss takes a log-variance of more than
    40 (350 in float64) for that, in size.

    Sources: label smoothing, Szegedy et al., CVPR 2016; beta, Seitzer et al., ICLR 2022.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.Network([4, 8, 1], loss=fm.Loss("quantile", q=0.9)).loss.q
    0.9
    >>> fm.Network([4, 8, 3], loss=fm.Loss("quantile", q=[0.1, 0.5, 0.9]))
    Network(4 -> 8 relu -> 3 increasing; loss quantile, 67 parameters, float32)
    """

    name: str
    delta: float = 1.0
    q: float | Sequence[float] = 0.5
    label_smoothing: Value = 0.0
    missing: bool = field(default=False, kw_only=True, metadata=LATER)
    beta: float = field(default=0.0, kw_only=True, metadata=LATER)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(f"loss must be a name or a Loss, got {type(self.name).__name__}")
        object.__setattr__(self, "name", known_name("loss", self.name, LOSSES, SYNONYMS, OTHER_NAMES))
        check_value("delta", self.delta, low=0.0, low_open=True, schedule=False)
        object.__setattr__(self, "q", checked_quantiles(self.q))
        check_value("label_smoothing", self.label_smoothing, low=0.0, high=1.0, high_open=True)
        check_value("beta", self.beta, low=0.0, high=1.0, schedule=False)
        for setting in self.idle({each.name: getattr(self, each.name) for each in fields(Loss)}):
            users = " or ".join(f"loss={name!r}" for name in users_of(setting))
            raise ValueError(f"{setting}={shown(getattr(self, setting))} needs {users}, got {self.name!r}")
        if not isinstance(self.missing, (bool, np.bool_)):
            raise TypeError(f"missing must be True or False, got {shown(self.missing)}")
        if self.missing and not self.spec.weighs_targets:
            raise ValueError(
                f"missing=True needs a loss with a term for each target, got {self.name!r}; give rows without a class "
                "the sample_weight 0"
            )

    @classmethod
    def idle(cls, given: Mapping[str, Any]) -> list[str]:
        """The settings among these that are not the default, and that the loss of this ``name`` does not use."""
        used = LOSSES[given["name"]].settings
        others = [each for each in fields(Loss) if each.name not in ("name", "missing", *used)]
        return [each.name for each in others if given.get(each.name, each.default) != each.default]

    @classmethod
    def from_saved(cls, given: Mapping[str, Any]) -> Loss:
        """A loss from the fields in a file, without those that have no effect: older versions took and wrote them."""
        kept = dict(given)
        if isinstance(kept.get("name"), str) and kept["name"] in LOSSES:
            for setting in cls.idle(kept):
                cls(users_of(setting)[0], **{setting: kept.pop(setting)})  # it must be a possible value
        return cls(**kept)

    @property
    def spec(self) -> LossSpec:
        """The row of the table."""
        return LOSSES[self.name]

    @property
    def parameter(self) -> float:
        """The one setting that the core needs; 0 if it needs none."""
        setting = self.spec.setting
        value = 0.0 if setting is None else getattr(self, setting)
        return float(value[0] if isinstance(value, tuple) else value)

    @cached_property
    def form(self) -> OneEstimate:
        """What the outputs say of each target."""
        setting = self.spec.setting
        return self.spec.form(None if setting is None else getattr(self, setting))

    @property
    def scales_targets(self) -> bool:
        """Whether targets may have any scale, so that a network can learn scaled ones."""
        return self.spec.targets.low == -math.inf

    def n_targets(self, n_outputs: int) -> int:
        """Number of targets of each row, for a network with this many outputs."""
        return n_outputs // self.outputs_per_target

    @property
    def outputs_per_target(self) -> int:
        """Number of outputs for each target."""
        return self.form.per_target

    @property
    def default_output(self) -> str:
        """The output activation if none is given."""
        return self.form.output or self.spec.default_output

    @property
    def columns_in_words(self) -> str:
        """What the columns of y are, for an error message."""
        per = self.outputs_per_target
        return "one for each output" if per == 1 else f"one for each {per} outputs"

    calls_python: ClassVar[bool] = False
    """Whether the core must call a Python function for it."""

    def make_door(self) -> Any:
        """The object that the core calls for a loss written in Python; None for a built-in loss."""
        return None

    def check_output(self, output: str) -> None:
        """Raise ``ValueError`` unless the loss allows this output activation."""
        needed = self.form.output
        outputs = self.spec.outputs if needed is None else (needed,)
        if output == "increasing" and needed != output:
            raise ValueError(
                f"output='increasing' is for loss=Loss('quantile', q=...) with several quantiles, got {self.name!r}"
            )
        if outputs is not None and output not in outputs:
            raise ValueError(f"loss={self.name!r} needs the output activation {' or '.join(outputs)}, got {output!r}")

    def check_n_outputs(self, n_outputs: int) -> None:
        """Raise ``ValueError`` if there are too few outputs for the loss."""
        if n_outputs % self.outputs_per_target:
            raise ValueError(
                f"loss={self.name!r} needs {self.outputs_per_target} outputs for each target, got {n_outputs} outputs"
            )
        if self.spec.targets.shares and n_outputs == 1:
            raise ValueError(
                f"loss={self.name!r} needs one output for each class, at least 2, got 1; "
                "with one output, use 'binary_cross_entropy'"
            )


def make_loss(loss: str | Loss) -> Loss:
    """Turn a name or a `Loss` into a `Loss`; ``ValueError`` or ``TypeError`` for anything else."""
    if isinstance(loss, str):
        return _named(loss)
    return loss if isinstance(loss, Loss) else Loss(loss)


@lru_cache
def _named(name: str) -> Loss:
    return Loss(name)
