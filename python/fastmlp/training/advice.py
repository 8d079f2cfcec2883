"""Common mistakes: warn once per fit (unscaled data before training, dead units after), and say why a fit diverged.

The thresholds are wide: standardised data with heavy tails, one-hot columns, bytes divided by 255 and lengths in
centimetres pass; raw bytes, years and full prices do not. Sources: see `fastmlp.TrainingWarning`; for divergence LeCun
et al., "Efficient BackProp", 1998 (learning rates, scaled inputs and targets, momentum), and Pascanu, Mikolov and
Bengio, "On the difficulty of training recurrent neural networks", 2013 (clipping).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import TrainingWarning
from fastmlp.data.few_rows import few_rows, largest, sample_inputs, sample_targets, spread
from fastmlp.model.custom_loss import CustomLoss
from fastmlp.model.losses import Loss
from fastmlp.model.model import Model
from fastmlp.optimizers import Optimizer
from fastmlp.passes.inference import activations

if TYPE_CHECKING:
    from fastmlp.data.samples import TrainingData
    from fastmlp.history import History
    from fastmlp.optimizers import WholeSetMethod

UNSCALED = 100.0
"""A column is unscaled if a quarter of its numbers are larger than this."""
HARDLY = 0.99
"""A loss above this share of its first value has hardly fallen."""
ENOUGH_EPOCHS = 3
"""Epochs needed to see whether the loss falls."""

_PACKAGE = str(Path(__file__).parents[1])


def warn(message: str) -> None:
    """Issue a `TrainingWarning` that points at the line that called this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TrainingWarning, stacklevel=level)


def warn_of_scales(network: Model, data: TrainingData, optimizer: Optimizer | WholeSetMethod) -> None:
    """Warn if inputs or targets are far from scaled, and it matters."""
    inputs = sample_inputs(network, data.X)
    if largest(inputs) > UNSCALED and scales_matter(network, optimizer):  # enough for most data
        sizes = np.quantile(np.abs(inputs), 0.75, axis=0)
        column = int(sizes.argmax())
        if sizes[column] > UNSCALED:
            where = f"column {column} of X" if data.X.starts is None else "X"
            scale = "Input(scale=1/255)" if data.X.dtype == np.uint8 else "Input(shift=mean, scale=1/deviation)"
            warn(
                f"{where} reaches the first layer with numbers as large as {sizes[column]:.3g}, which makes learning "
                f"slow or impossible: standardise the columns, or start the network with {scale}"
            )
    plain = network.output == "identity" and network.target_scale is None
    if plain and not data.targets.is_class and isinstance(optimizer, Optimizer):
        targets = sample_targets(data.targets)
        if targets is not None and largest(targets) > UNSCALED:
            size = float(np.quantile(np.abs(targets), 0.75, axis=0).max())
            if size > UNSCALED:
                warn(
                    f"y has numbers as large as {size:.3g}, which outputs near 0 take long to reach: give the network "
                    "target_scale='standard', or train on (y - mean) / deviation, and scale predictions back"
                )


def differ(rows: NDArray[np.uint8]) -> bool:
    """Whether the bytes of a few rows differ."""
    some = rows[spread(len(rows))]
    return bool((some != some[0]).any())


def scales_matter(network: Model, optimizer: Optimizer | WholeSetMethod) -> bool:
    """False if the first layer is a norm, or for quasi-Newton steps on a linear network, which hardly need scaling."""
    first = next(layer for layer in network.layers if not layer.is_random)
    linear = all(layer.is_random for layer in network.layers[:-1])
    return not first.normalises and (not linear or isinstance(optimizer, Optimizer))


def warn_of_dead(network: Model, data: TrainingData, history: History) -> None:
    """Warn if the loss has hardly fallen because units, or the whole network, give the same output for every row."""
    losses = history["loss"]
    if len(losses) < ENOUGH_EPOCHS or losses[-1] < HARDLY * losses[0] or len(data.X) < 2:
        return
    rows = few_rows(data.X)
    if rows.starts is None and not differ(rows.data):
        return
    outputs = activations(network, rows, 1)
    for number, layer in enumerate(network.layers):
        if layer.activation_name == "relu" and not outputs[number].any():
            warn(
                f"layer {number} is dead: its relu units are 0 for every row checked, so the layers below it do not "
                "learn; call initialize() and train with a smaller learning rate, scaled inputs, or leaky_relu"
            )
            return
    if differ(data.targets.rows.data) and not np.ptp(outputs[-1], axis=0).any():
        warn(
            "the network gives the same outputs for every row checked, and the loss has not fallen: its units are "
            "saturated; call initialize() and train with a smaller learning rate or scaled inputs"
        )


SUSPECT = 30.0
"""Inputs and targets of this size are a likely cause: scaled ones rarely exceed 5."""


LONG_MEMORY = 0.95
"""From this momentum on, steps may grow to twenty times their size."""


def likely_cause(
    network: Model,
    data: TrainingData,
    losses: Sequence[float] = (),
    learning_rate: float | None = None,
    momentum: float = 0.0,
) -> str:
    """Likely cause and remedy. ``losses`` of the epochs so far; ``learning_rate`` of the last step, if it has one."""
    inputs = largest(sample_inputs(network, data.X))
    if inputs > SUSPECT:
        return (
            f"Likely cause: inputs that are not scaled, up to {inputs:.3g} as the first layer sees them; standardise "
            "the columns, or use Input(shift=..., scale=...)"
        )
    targets = None if network.target_scale is not None else sample_targets(data.targets)
    size = 0.0 if targets is None else largest(targets)
    if size > SUSPECT and network.output != "exp":
        return f"Likely cause: targets that are not scaled, up to {size:.3g}; standardise y, and scale predictions back"
    if learning_rate is None:
        return (
            "Likely cause: initial weights that are too large, or numbers near the limit of the dtype; try "
            "init='glorot_uniform', or dtype='float64'"
        ) + _of_function(network.loss)
    remedy = f"try {learning_rate / 10:.2g}, or clip_norm=1.0"
    if network.output == "exp":
        return (
            "Likely cause: the output exp(score), which overflows after one step that is too large; use a smaller "
            f"learning rate: {remedy}"
        )
    if momentum >= LONG_MEMORY:
        return (
            f"Likely cause: the learning rate {learning_rate:.3g} is too large for the momentum {momentum:.3g}, which "
            f"makes steps up to {1 / max(1 - momentum, 1e-9):.3g} times as large; use a smaller momentum or "
            f"learning rate: {remedy}"
        )
    text = f"Likely cause: a learning rate that is too large, {learning_rate:.3g}"
    if len(losses) > 1 and losses[-1] > min(losses):
        n = len(losses) - 1 - int(np.argmin(losses))
        text += f", as the loss rose from {min(losses):.3g} to {losses[-1]:.3g} in the last {n} epoch{'s' * (n > 1)}"
    return f"{text}; {remedy}" + _of_function(network.loss)


def _of_function(loss: Loss) -> str:
    """What else can be wrong if the loss is a `CustomLoss`."""
    if not isinstance(loss, CustomLoss):
        return ""
    return ". The loss is your own function: check its gradient with fm.check_gradients"
