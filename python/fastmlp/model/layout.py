"""The one place where sizes and offsets are computed: parameters, statistics, buffers of the workspace.

Parameters are one flat vector: first all that decays, the weights of one layer after another, each row-major
(n_in, n_out); then biases, and gains and shifts of norms, layer by layer.

The workspace is one flat vector too. A buffer of width n takes n columns of it, that is n * capacity numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.types import STRUCTS
from fastmlp.checks.values import BLAS_LIMIT
from fastmlp.model.activations import activation_spec
from fastmlp.model.layers import Input, Layer, Parameter
from fastmlp.model.losses import Loss

LAYER_DTYPE, GROUP_DTYPE = (np.asarray(STRUCTS[name]).dtype for name in ("LayerSpec", "Group"))
_OFFSETS = ("weight", "bias", "gain", "statistics", "scores", "delta_below")  # -1 where there is no such thing
_BLANK = dict.fromkeys(LAYER_DTYPE.names or (), 0) | dict.fromkeys(_OFFSETS, -1)


@dataclass(frozen=True)
class Segment:
    """A named stretch of the parameter vector (or of the statistics).

    Attributes
    ----------
    name : str
    layer : int
        Number of the user's layer.
    row : int
        Of the core's table.
    offset : int
    shape : tuple of int
    """

    name: str
    layer: int
    row: int
    offset: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        """Offset after the last element."""
        return self.offset + math.prod(self.shape)

    def view(self, vector: NDArray[Any]) -> NDArray[Any]:
        """The stretch of a vector of this layout, in its shape."""
        return vector[self.offset : self.stop].reshape(self.shape)


@dataclass(frozen=True)
class Layout:
    """A network's tables for the core, and the names of its stretches.

    Attributes
    ----------
    table : structured ndarray (n_rows,)
        The core's layers; as derivatives see them, where every layer with parameters learns.
    groups : structured ndarray
        Stretches of the parameters in which all factors are alike.
    stages : tuple of Layer
        One for each row of the table.
    ends : tuple of int
        The last row of each of the user's layers.
    segments, statistics : tuple of Segment
    parameters : tuple of Parameter
        What the layers say of the segments.
    n_params, n_statistics, n_features : int
    n_columns : int
        Of the workspace, without the inputs.
    target : int
        The first column of the targets.
    flops_per_row : int
        Multiplications and additions of one row's forward and backward pass.
    uses_batch : bool
        Whether some layer looks at the whole batch in training.
    widest_of_batch : int
        The widest of those layers.
    shares_parameters : bool
        Whether threads may share the parameters of every layer.
    """

    table: NDArray[Any]
    groups: NDArray[Any]
    stages: tuple[Layer, ...]
    ends: tuple[int, ...]
    segments: tuple[Segment, ...]
    statistics: tuple[Segment, ...]
    parameters: tuple[Parameter, ...]
    n_params: int
    n_statistics: int
    n_features: int
    n_columns: int
    target: int
    flops_per_row: int
    uses_batch: bool
    widest_of_batch: int
    shares_parameters: bool

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
            if segment.layer == layer and segment.name == name:
                return segment
        return None

    def for_training(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Table and groups as training sees them: without an update of what is frozen, and without a way back to where
        nothing learns.
        """
        frozen = [stage.is_frozen for stage in self.stages]
        if not any(frozen):
            return self.table, self.groups
        table = self.table.copy()
        table["learns"][frozen] = table["whole_batch"][frozen] = 0
        table["delta_below"][: np.argmax(table["learns"]) + 1] = -1
        return table, self.groups[self.groups["learning_rate_factor"] > 0]


def output_activation(layers: tuple[Layer, ...], output: str | None, loss: Loss) -> str:
    """The last layer's activation: its own, else the one asked for, else the one that the loss wants."""
    last = layers[-1]
    if not last.ends_networks:
        raise ValueError(f"the last layer must be Dense or Activation, got {type(last).__name__}")
    own = last.activation_name
    if output is not None:
        activation_spec(output, "output")
        if own is not None and own != output:
            raise ValueError(f"output={output!r} contradicts the last layer's activation={own!r}")
    name = own or output or loss.spec.default_output
    loss.check_output(name)
    return name


def make_layout(inputs: Input, layers: tuple[Layer, ...], output: str) -> Layout:
    """Offsets of everything, from the layers and the activation of the output."""
    stages: list[Layer] = []
    numbers: list[int] = []
    for i, layer in enumerate((*layers[:-1], layers[-1].with_activation(output))):
        layer.check_place(i == len(layers) - 1)
        stages += layer.stages()
        numbers += [i] * (len(stages) - len(numbers))
    rows = _place_widths(inputs, stages)
    segments, parameters, n_params = _place_parameters(stages, numbers, rows)
    statistics, n_statistics = _place_statistics(stages, numbers, rows)
    n_columns = _place_buffers(stages, rows)
    table = np.array([tuple(row.values()) for row in rows], dtype=LAYER_DTYPE)
    products = [stage.n_multiplications(row["n_in"], row["n_out"]) for stage, row in zip(stages, rows, strict=True)]
    return Layout(
        table=table,
        groups=_make_groups(stages, segments, parameters),
        stages=tuple(stages),
        ends=tuple(len(numbers) - 1 - numbers[::-1].index(i) for i in range(len(layers))),
        segments=segments,
        statistics=statistics,
        parameters=parameters,
        n_params=n_params,
        n_statistics=n_statistics,
        n_features=inputs.n_features,
        n_columns=n_columns,
        target=n_columns - 2 - rows[-1]["n_out"],
        flops_per_row=sum(
            (4 if row["delta_below"] < 0 else 6) * count for row, count in zip(rows, products, strict=True)
        ),
        uses_batch=any(stage.uses_batch for stage in stages),
        widest_of_batch=max((row["n_out"] for row in rows if row["whole_batch"]), default=0),
        shares_parameters=all(stage.shares_parameters for stage in stages),
    )


def _place_widths(inputs: Input, stages: Iterable[Layer]) -> list[dict[str, Any]]:
    """A row of the table for each stage, with its widths and what it says of itself."""
    rows: list[dict[str, Any]] = []
    width = inputs.n_features
    for stage in stages:
        row = _BLANK | {"kind": stage.kind, "n_in": width, "whole_batch": stage.uses_batch} | stage.row()
        row["n_out"] = width = stage.width(width)
        rows.append(row)
    return rows


def _place_parameters(
    stages: list[Layer], numbers: list[int], rows: list[dict[str, Any]]
) -> tuple[tuple[Segment, ...], tuple[Parameter, ...], int]:
    """Segments, layer by layer, and the number of parameters. What decays comes first, so that it is one stretch."""
    placed = [
        (parameter, at, row)
        for at, (stage, row) in enumerate(zip(stages, rows, strict=True))
        for parameter in stage.parameters(row["n_in"], row["n_out"])
    ]
    offset = 0
    for decays in (True, False):
        for parameter, at, row in placed:
            if parameter.decays is decays:
                row["learns"] = 1
                row[parameter.column] = offset
                offset += math.prod(parameter.shape)
                if offset > 64 * BLAS_LIMIT:
                    sizes = " x ".join(map(str, parameter.shape))
                    raise ValueError(f"layer {numbers[at]} is {sizes}: too large for any memory")
    segments = (
        Segment(parameter.name, numbers[at], at, row[parameter.column], parameter.shape)
        for parameter, at, row in placed
    )
    return tuple(segments), tuple(parameter for parameter, _, _ in placed), offset


def _place_statistics(
    stages: list[Layer], numbers: list[int], rows: list[dict[str, Any]]
) -> tuple[tuple[Segment, ...], int]:
    """Segments of the running statistics, and the number of all statistics."""
    segments: list[Segment] = []
    offset = 0
    for at, (stage, row) in enumerate(zip(stages, rows, strict=True)):
        width = row["n_out"]
        if stage.n_statistics:
            row["statistics"] = offset
        for i, name in enumerate(stage.statistics):
            segments.append(Segment(name, numbers[at], at, offset + i * width, (width,)))
        offset += stage.n_statistics * width
    return tuple(segments), offset


def _place_buffers(stages: list[Layer], rows: list[dict[str, Any]]) -> int:
    """Columns of the workspace for each stage's buffers; the number of columns without the inputs."""
    column = 0
    learns_below = False
    for i, (stage, row) in enumerate(zip(stages, rows, strict=True)):
        n_out = row["n_out"]
        row["input"] = rows[i - 1]["output"] if i else -1
        row["output"], row["delta"] = column, column + n_out
        column += 2 * n_out
        if stage.needs_scores:
            row["scores"] = column
            column += n_out
        if learns_below:
            row["delta_below"] = rows[i - 1]["delta"]
        learns_below = learns_below or row["learns"] == 1
    n_columns: int = column + rows[-1]["n_out"] + 2  # targets, weights and losses of the rows
    rows[0]["input"] = n_columns  # inputs come last: those of a sparse matrix need no buffer
    return n_columns


def _make_groups(stages: list[Layer], segments: Iterable[Segment], parameters: Iterable[Parameter]) -> NDArray[Any]:
    """Stretches in which all factors are alike: some decay, the rest doesn't; frozen ones don't and have rate 0."""
    stretches: list[list[Any]] = []
    by_offset = sorted(zip(segments, parameters, strict=True), key=lambda pair: pair[0].offset)
    for segment, parameter in by_offset:
        learns = not stages[segment.row].is_frozen
        factors = [learns * float(parameter.learning_rate_factor), float(learns and parameter.decays), 1.0]
        if not stretches or stretches[-1][2:] != factors:
            stretches.append([segment.offset, 0, *factors])
        stretches[-1][1] = segment.stop - stretches[-1][0]
    return np.array([tuple(stretch) for stretch in stretches], dtype=GROUP_DTYPE)
