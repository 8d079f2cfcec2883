"""Standard mistakes, told once for each fit: what is far from scaled before it, a network that is dead behind it.

The thresholds are wide: standardised data with heavy tails, one-hot columns, bytes divided by 255 and lengths in
centimetres pass; bytes as they are, years, and prices in full don't. Sources: see `fastmlp.errors.TrainingWarning`.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import TrainingWarning
from fastmlp.inference import activations
from fastmlp.layers import Activation, BatchNorm, Dense, Dropout, LayerNorm
from fastmlp.optimizers import Optimizer
from fastmlp.training.sampling import few_rows, largest, sample_inputs, sample_targets, spread

if TYPE_CHECKING:
    from fastmlp.history import History
    from fastmlp.network import Network
    from fastmlp.optimizers import WholeSetMethod
    from fastmlp.training.samples import TrainingData

LARGE = 100.0
"""A quarter of a column's numbers beyond this: it isn't scaled."""
HARDLY = 0.99
"""A loss that is still above this share of its first value has hardly fallen."""
ENOUGH_EPOCHS = 3
"""To tell whether it falls."""

_PACKAGE = str(Path(__file__).parents[1])


def warn(message: str) -> None:
    """A `TrainingWarning` that points at the line that called this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TrainingWarning, stacklevel=level)


def warn_of_scales(network: Network, data: TrainingData, optimizer: Optimizer | WholeSetMethod) -> None:
    """Where inputs or targets are far from scaled, and it matters."""
    inputs = sample_inputs(network, data.X)
    if largest(inputs) > LARGE and scales_matter(network, optimizer):  # one look is enough for most
        sizes = np.quantile(np.abs(inputs), 0.75, axis=0)
        column = int(sizes.argmax())
        if sizes[column] > LARGE:
            where = f"column {column} of X" if data.X.starts is None else "X"
            scale = "Input(scale=1/255)" if data.X.dtype == np.uint8 else "Input(shift=mean, scale=1/deviation)"
            warn(
                f"{where} reaches the first layer with numbers as large as {sizes[column]:.3g}, which makes learning "
                f"slow or impossible: standardise the columns, or begin the network with {scale}"
            )
    if network.output == "identity" and not data.targets.is_class and isinstance(optimizer, Optimizer):
        targets = sample_targets(data.targets)
        if targets is not None and largest(targets) > LARGE:
            size = float(np.quantile(np.abs(targets), 0.75, axis=0).max())
            if size > LARGE:
                warn(
                    f"y has numbers as large as {size:.3g}, which takes outputs near 0 long to reach: train on "
                    "(y - mean) / deviation, and scale predictions back"
                )


def differ(rows: NDArray[np.uint8]) -> bool:
    """Whether a few of the rows differ, by their bytes."""
    some = rows[spread(len(rows))]
    return bool((some != some[0]).any())


def scales_matter(network: Network, optimizer: Optimizer | WholeSetMethod) -> bool:
    """No where a norm comes first, and hardly to quasi-Newton steps on a linear network."""
    first = next(layer for layer in network.layers if not isinstance(layer, Dropout))
    linear = all(isinstance(layer, Dropout) for layer in network.layers[:-1])
    return not isinstance(first, (BatchNorm, LayerNorm)) and (not linear or isinstance(optimizer, Optimizer))


def warn_of_dead(network: Network, data: TrainingData, history: History) -> None:
    """Where the loss has hardly fallen, as units or a whole network answer the same to every row."""
    losses = history["loss"]
    if len(losses) < ENOUGH_EPOCHS or losses[-1] < HARDLY * losses[0] or len(data.X) < 2:
        return
    rows = few_rows(data.X)
    if rows.starts is None and not differ(rows.data):
        return
    outputs = activations(network, rows, 1)
    for number, layer in enumerate(network.layers):
        relu = isinstance(layer, (Dense, Activation)) and layer.activation == "relu"
        if relu and not outputs[number].any():
            warn(
                f"layer {number} is dead: its relu units are 0 for every row looked at, so nothing below it learns; "
                "initialize() and train with a smaller learning rate, scaled inputs, or leaky_relu"
            )
            return
    if differ(data.targets.rows.data) and not np.ptp(outputs[-1], axis=0).any():
        warn(
            "the network gives the same outputs for every row looked at, and the loss hasn't fallen: its units are "
            "saturated; initialize() and train with a smaller learning rate or scaled inputs"
        )
