"""Why a fit diverged: the likely cause, looked for when it is too late, and what to change.

Sources of what is looked at: LeCun et al., "Efficient BackProp", 1998 (learning rates, scaled inputs and targets,
momentum); Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013 (clipping).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.losses import Loss
from fastmlp.training.sampling import largest, sample_inputs, sample_targets

if TYPE_CHECKING:
    from fastmlp.network import Network
    from fastmlp.training.samples import TrainingData

LARGE = 30.0
"""Inputs and targets of this size are a likely cause: scaled ones rarely exceed 5."""
LONG_MEMORY = 0.95
"""A momentum from which on steps may grow to twenty times their size."""


def likely_cause(
    network: Network,
    data: TrainingData,
    losses: Sequence[float] = (),
    learning_rate: float | None = None,
    momentum: float = 0.0,
) -> str:
    """Cause and remedy. ``losses``: of the epochs so far; ``learning_rate``: of the last step, if there is one."""
    inputs = largest(sample_inputs(network, data.X))
    if inputs > LARGE:
        return (
            f"Likely cause: inputs that are not scaled, up to {inputs:.3g} as the first layer sees them; standardise "
            "the columns, or let Input(shift=..., scale=...) do it"
        )
    targets = sample_targets(data.targets)
    size = 0.0 if targets is None else largest(targets)
    if size > LARGE and network.output != "exp":
        return f"Likely cause: targets that are not scaled, up to {size:.3g}; standardise y, and scale predictions back"
    if learning_rate is None:
        return (
            "Likely cause: initial weights that are too large, or numbers near the end of the dtype's range; try "
            "init='glorot_uniform', or dtype='float64'"
        ) + _of_function(network.loss)
    remedy = f"try {learning_rate / 10:.2g}, or clip_norm=1.0"
    if network.output == "exp":
        return (
            "Likely cause: the output exp(score), which overflows where one step is too long; a smaller learning rate: "
            f"{remedy}"
        )
    if momentum >= LONG_MEMORY:
        return (
            f"Likely cause: the learning rate {learning_rate:.3g} is too large for the momentum {momentum:.3g}, which "
            f"makes steps up to {1 / max(1 - momentum, 1e-9):.3g} times as long; a smaller momentum or learning rate: "
            f"{remedy}"
        )
    text = f"Likely cause: a learning rate that is too large, {learning_rate:.3g}"
    if len(losses) > 1 and losses[-1] > min(losses):
        n = len(losses) - 1 - int(np.argmin(losses))
        text += f", as the loss rose from {min(losses):.3g} to {losses[-1]:.3g} in the last {n} epoch{'s' * (n > 1)}"
    return f"{text}; {remedy}" + _of_function(network.loss)


def _of_function(loss: Loss) -> str:
    """What else may be at fault where the loss is the user's own."""
    if loss.name != "custom":
        return ""
    return ". The loss is a function of yours: fm.check_gradients tells whether losses and gradient belong together"
