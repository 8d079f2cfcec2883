"""What L-BFGS and Levenberg-Marquardt cannot train, and settings that do nothing with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fastmlp.model.model import Model
from fastmlp.training.settings import FitSettings

if TYPE_CHECKING:
    from fastmlp.data.samples import TrainingData


def check_whole_set(network: Model, data: TrainingData, settings: FitSettings) -> None:
    """Raise ``ValueError`` unless the method can train the network, and each setting acts."""
    name = type(settings.optimizer).__name__
    n_rows, default = len(data.X), FitSettings.__dataclass_fields__["batch_size"].default
    if settings.batch_size not in (default, n_rows) and settings.batch_size < n_rows:
        raise ValueError(
            f"batch_size={settings.batch_size} has no effect with {name}, which uses all {n_rows} rows at once; leave "
            "it out"
        )
    check_one_function(network, name)


def check_one_function(network: Model, name: str) -> None:
    """Raise ``ValueError`` unless the loss in training is the same function of the parameters at every evaluation.

    ``name`` is that of the method, for the message.
    """
    for layer in network.layers:
        rate = layer.dropout_rate
        if layer.uses_batch or (layer.is_random and (callable(rate) or rate > 0)):
            raise ValueError(
                f"{name} cannot train a network with {type(layer).__name__}: "
                "it needs the same function of each row at every evaluation"
            )
    smoothing = network.loss.label_smoothing if network.loss.spec.classification else 0.0
    if callable(smoothing) or smoothing > 0:
        raise ValueError(f"label_smoothing={smoothing!r:.60} has no effect with {name}; leave one of the two out")
    if not np.isin(network.layout.groups["learning_rate_factor"], (0.0, 1.0)).all():
        raise ValueError(f"learning_rate_factor of layers has no effect with {name}, which has no learning rate")
