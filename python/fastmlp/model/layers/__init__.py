"""Layers: what the user writes down, one file for each kind.

A network is ``[Input, ...]``; the sizes between layers follow from one another. What a kind answers is in `base`, sizes
and offsets come from `model.layout`.
"""

from fastmlp.model.layers.activation import Activation
from fastmlp.model.layers.base import Layer, Parameter
from fastmlp.model.layers.batch_norm import BatchNorm
from fastmlp.model.layers.dense import Dense
from fastmlp.model.layers.dropout import Dropout
from fastmlp.model.layers.input import Input, distinct
from fastmlp.model.layers.layer_norm import LayerNorm

LAYERS: dict[str, type[Layer]] = {kind.__name__: kind for kind in (Dense, Activation, Dropout, BatchNorm, LayerNorm)}
"""The kinds by the names that files have for them."""

__all__ = [
    "LAYERS", "Activation", "BatchNorm", "Dense", "Dropout", "Input", "Layer", "LayerNorm", "Parameter", "distinct"
]  # fmt: skip
