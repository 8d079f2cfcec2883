"""The one place where sizes and offsets are computed: parameters, statistics, workspace.

Parameters are one flat vector: the weights of all dense layers, one after another, each row-major (n_in, n_out); then
biases, and gains and shifts of norms, layer by layer. So everything that decays is one stretch.

The workspace is one flat vector too. A buffer of width n takes n columns of it, that is n * capacity numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.types import Kind
from fastmlp.checks.values import BLAS_LIMIT
from fastmlp.model.activations import ActivationSpec, activation_spec
from fastmlp.model.groups import make_groups
from fastmlp.model.layers import Activation, BatchNorm, Dense, Dropout, Input, Layer, LayerNorm
from fastmlp.model.losses import Loss

LAYER_DTYPE = np.dtype(
    [(name, np.int64) for name in ("kind", "activation", "n_in", "n_out", "weight", "bias", "statistics")]
    + [(name, np.int64) for name in ("input", "output", "scores", "delta", "delta_below", "trainable")]
    + [(name, np.float64) for name in ("slope", "rate", "epsilon", "momentum")]
)
_NONE = ("weight", "bias", "statistics", "scores", "delta_below")  # offsets that are -1 where there is no such thing


@dataclass(frozen=True)
class Segment:
    """A named stretch of the parameter vector (or of the statistics) and its shape."""

    name: str
    layer: int
    offset: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        """Offset behind the last element."""
        return self.offset + math.prod(self.shape)

    def view(self, vector: NDArray[Any]) -> NDArray[Any]:
        """The stretch of a vector of this layout, in its shape."""
        return vector[self.offset : self.stop].reshape(self.shape)


@dataclass(frozen=True)
class Layout:
    """A network's tables for the core, and the names of its stretches."""

    table: NDArray[Any]
    groups: NDArray[Any]
    n_features: int
    segments: tuple[Segment, ...]
    statistics: tuple[Segment, ...]
    n_params: int
    n_statistics: int
    n_columns: int
    target: int
    widest_norm: int
    has_batch_norm: bool
    dense_alone_learns: bool
    """No norms."""
    flops_per_row: int = field(default=0)
    """Multiplications and additions of one row's forward and backward pass."""

    def per_parameter(self, factor: str) -> NDArray[np.float64]:
        """A factor of the groups, (n_params,)."""
        return np.repeat(self.groups[factor], self.groups["length"])

    def effort(self, n_rows: int, *, backward: bool = True) -> float:
        """What rows cost on their way through the network, in multiplications. A number that is read, activated or
        written counts as twenty: by this a first chunk is cut, before there is a measurement.
        """
        products = self.flops_per_row if backward else self.flops_per_row // 2
        return n_rows * float(products + 20 * (self.n_columns + self.n_features))

    def find(self, layer: int, name: str) -> Segment | None:
        """The stretch of that name in that layer."""
        for segment in self.segments:
            if segment.layer == layer and segment.name.endswith(name):
                return segment
        return None


def _activation_of(layer: Layer, last: bool, output: str) -> tuple[str, ActivationSpec]:
    name = layer.activation if isinstance(layer, (Dense, Activation)) else "identity"
    if name is None:
        name = output if last else "identity"
    spec = activation_spec(name)
    if spec.output_only and not last:
        raise ValueError(f"activation={name!r} may only stand at the output of the network")
    return name, spec


def output_activation(layers: tuple[Layer, ...], output: str | None, loss: Loss) -> str:
    """The last layer's activation: its own, else the one asked for, else the one that the loss wants."""
    last = layers[-1]
    if not isinstance(last, (Dense, Activation)):
        raise ValueError(f"the last layer must be Dense or Activation, got {type(last).__name__}")
    if output is not None:
        activation_spec(output, "output")
        if last.activation is not None and last.activation != output:
            raise ValueError(f"output={output!r} contradicts the last layer's activation={last.activation!r}")
    name = last.activation or output or loss.spec.default_output
    loss.check_output(name)
    return name


_KINDS = {
    Dense: int(Kind.DENSE),
    Activation: int(Kind.ACTIVATION),
    Dropout: int(Kind.DROPOUT),
    BatchNorm: int(Kind.BATCH_NORM),
    LayerNorm: int(Kind.LAYER_NORM),
}
_NORMS = (BatchNorm, LayerNorm)


def make_layout(inputs: Input, layers: tuple[Layer, ...], output: str) -> Layout:
    """Offsets of everything, from the layers and the activation of the output."""
    rows: list[dict[str, Any]] = [dict.fromkeys(LAYER_DTYPE.names or (), 0) | dict.fromkeys(_NONE, -1) for _ in layers]
    n_params = _place_parameters(inputs, layers, rows)
    segments: list[Segment] = []
    statistics: list[Segment] = []
    column = 0
    n_statistics = 0
    trainable_below = False
    for i, (layer, row) in enumerate(zip(layers, rows, strict=True)):
        n_in, n_out = row["n_in"], row["n_out"]
        _, spec = _activation_of(layer, i == len(layers) - 1, output)
        row["activation"] = spec.code
        slope = getattr(layer, "slope", None)
        row["slope"] = spec.slope if slope is None else slope
        row["rate"] = layer.first_rate if isinstance(layer, Dropout) else 0.0
        row["epsilon"] = getattr(layer, "epsilon", 0.0)
        row["momentum"] = getattr(layer, "momentum", 0.0)
        row["trainable"] = 1  # to derivatives all layers are; see training_table
        row["input"] = rows[i - 1]["output"] if i else -1
        row["output"] = column
        row["delta"] = column + n_out
        column += 2 * n_out
        if spec.needs_scores:
            row["scores"] = column
            column += n_out
        if trainable_below:
            row["delta_below"] = rows[i - 1]["delta"]
        trainable_below = trainable_below or isinstance(layer, (Dense, *_NORMS))
        if isinstance(layer, Dense):
            segments.append(Segment("weight", i, row["weight"], (n_in, n_out)))
            if layer.bias:
                segments.append(Segment("bias", i, row["bias"], (n_out,)))
        elif isinstance(layer, _NORMS):
            segments.append(Segment("gain", i, row["weight"], (n_out,)))
            segments.append(Segment("shift", i, row["bias"], (n_out,)))
        if isinstance(layer, BatchNorm):
            row["statistics"] = n_statistics
            statistics.append(Segment("running_mean", i, n_statistics, (n_out,)))
            statistics.append(Segment("running_variance", i, n_statistics + n_out, (n_out,)))
            n_statistics += 4 * n_out  # the batch's own mean and 1 / deviation come behind
    n_columns = column + rows[-1]["n_out"] + 2  # targets, weights and losses of the rows
    rows[0]["input"] = n_columns  # inputs come last: those of a sparse matrix need no buffer
    norm_widths = [row["n_out"] for row in rows if row["kind"] == _KINDS[BatchNorm]]
    return Layout(
        table=np.array([tuple(row.values()) for row in rows], dtype=LAYER_DTYPE),
        groups=make_groups(layers, segments),
        n_features=inputs.n_features,
        segments=tuple(segments),
        statistics=tuple(statistics),
        n_params=n_params,
        n_statistics=n_statistics,
        n_columns=n_columns,
        target=column,
        widest_norm=max(norm_widths, default=0),
        has_batch_norm=bool(norm_widths),
        dense_alone_learns=not any(isinstance(layer, _NORMS) for layer in layers),
        flops_per_row=sum(
            (4 if row["delta_below"] < 0 else 6) * row["n_in"] * row["n_out"]
            for row in rows
            if row["kind"] == _KINDS[Dense]
        ),
    )


def _place_parameters(inputs: Input, layers: tuple[Layer, ...], rows: list[dict[str, Any]]) -> int:
    """Fill kinds, widths and parameter offsets; return the number of parameters."""
    width, offset = inputs.n_features, 0
    for i, (layer, row) in enumerate(zip(layers, rows, strict=True)):
        row["kind"] = _KINDS[type(layer)]
        row["n_in"] = width
        width = layer.units if isinstance(layer, Dense) else width
        row["n_out"] = width
        if isinstance(layer, Dense):
            row["weight"] = offset
            offset += row["n_in"] * width
            if offset > 64 * BLAS_LIMIT:
                raise ValueError(f"layer {i} is {row['n_in']} x {width}: too large for any memory")
    for layer, row in zip(layers, rows, strict=True):
        if isinstance(layer, Dense) and layer.bias:
            row["bias"] = offset
            offset += row["n_out"]
        elif isinstance(layer, _NORMS):
            row["weight"], row["bias"] = offset, offset + row["n_out"]
            offset += 2 * row["n_out"]
    return offset
