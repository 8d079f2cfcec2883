"""The layers of a network, one file for each kind.

A network is ``[Input, ...]``; each layer takes its input width from the layer before it. `base` has the questions that
each kind answers, `model.layout` computes sizes and offsets from the answers.
"""

from fastmlp.model.layers.activation import Activation
from fastmlp.model.layers.base import Layer, Parameter
from fastmlp.model.layers.batch_norm import BatchNorm
from fastmlp.model.layers.dense import Dense
from fastmlp.model.layers.dropout import Dropout
from fastmlp.model.layers.input import Input, distinct
from fastmlp.model.layers.layer_norm import LayerNorm
from fastmlp.model.layers.piecewise_linear import PiecewiseLinear
from fastmlp.model.layers.scaling import Scaling

LAYERS: dict[str, type[Layer]] = {
    kind.__name__: kind for kind in (Dense, Activation, Dropout, BatchNorm, LayerNorm, Scaling, PiecewiseLinear)
}
"""The kinds of layers, by their names in files."""

__all__ = [
    "LAYERS", "Activation", "BatchNorm", "Dense", "Dropout", "Input", "Layer", "LayerNorm", "Parameter",
    "PiecewiseLinear", "Scaling", "distinct",
]  # fmt: skip
