"""How each stretch of the parameters learns, and what training sees of layers that don't."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.model.layers import BatchNorm, Dense, Layer, LayerNorm

if TYPE_CHECKING:
    from fastmlp.model.layout import Layout, Segment

GROUP_DTYPE = np.dtype(
    [("start", np.int64), ("length", np.int64)]
    + [(name, np.float64) for name in ("learning_rate_factor", "decay_factor", "epsilon_factor")]
)


def make_groups(layers: tuple[Layer, ...], segments: Iterable[Segment]) -> NDArray[Any]:
    """Stretches in which all factors are alike: weights decay, the rest doesn't; frozen ones don't and have rate 0."""
    stretches: list[list[Any]] = []
    for segment in sorted(segments, key=lambda segment: segment.offset):
        layer = layers[segment.layer]
        assert isinstance(layer, (Dense, BatchNorm, LayerNorm))
        rate = float(layer.learning_rate_factor) if layer.trainable else 0.0
        factors = [rate, float(segment.name == "weight" and layer.trainable), 1.0]
        if not stretches or stretches[-1][2:] != factors:
            stretches.append([segment.offset, 0, *factors])
        stretches[-1][1] = segment.stop - stretches[-1][0]
    return np.array([tuple(stretch) for stretch in stretches], dtype=GROUP_DTYPE)


def training_tables(layout: Layout, layers: tuple[Layer, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Layers and groups as training sees them: without an update of what is frozen, and without a way back to where
    nothing learns.
    """
    trainable = [getattr(layer, "trainable", True) for layer in layers]
    if all(trainable):
        return layout.table, layout.groups
    learns = [isinstance(layer, (Dense, BatchNorm, LayerNorm)) and layer.trainable for layer in layers]
    table = layout.table.copy()
    table["trainable"] = trainable
    table["delta_below"][: np.argmax(learns) + 1] = -1
    return table, layout.groups[layout.groups["learning_rate_factor"] > 0]
