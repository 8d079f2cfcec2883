"""The one place that computes sizes and offsets: parameters, statistics, constants, buffers of the workspace.

The parameters are one flat vector. What decays comes first: the weights, layer by layer, each row-major (n_in, n_out).
The rest follows, layer by layer: biases, gains and shifts of norms, scales of columns, shares of parametric
activations.

The workspace is one flat vector too. A buffer of width n takes n of its columns, that is n * capacity numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.types import STRUCTS
from fastmlp.checks.values import BLAS_LIMIT
from fastmlp.model.activations import activation_name
from fastmlp.model.layers import Input, Layer, Parameter
from fastmlp.model.losses import Loss

LAYER_DTYPE, GROUP_DTYPE = (np.asarray(STRUCTS[name]).dtype for name in ("LayerSpec", "Group"))
_OFFSETS = ("weight", "bias", "gain", "statistics", "constants", "scores", "delta_below")  # -1 if the layer has none
_BLANK = dict.fromkeys(LAYER_DTYPE.names or (), 0) | dict.fromkeys(_OFFSETS, -1)


@dataclass(frozen=True)
class Segment:
    """A named part of the parameter vector, or of the statistics.

    Attributes
    ----------
    name : str
    layer : int
        Index of the layer in ``network.layers``.
    row : int
        Row of the core's table.
    offset : int
        Index of the first element.
    shape : tuple of int
    """

    name: str
    layer: int
    row: int
    offset: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        """Index after the last element."""
        return self.offset + math.prod(self.shape)

    def view(self, vector: NDArray[Any]) -> NDArray[Any]:
        """A view of this part of a vector, in the segment's shape."""
        return vector[self.offset : self.stop].reshape(self.shape)


@dataclass(frozen=True)
class Layout:
    """A network's tables for the core, and the names of the parts of its vectors.

    Attributes
    ----------
    table : structured ndarray (n_rows,)
        The core's layers. Every layer with parameters learns here, as derivatives need it; see `for_training`.
    groups : structured ndarray
        Parts of the parameter vector with equal factors.
    constants : ndarray of float64 (n_constants,)
        The constants of all layers, read-only.
    stages : tuple of Layer
        One for each row of the table.
    ends : tuple of int
        Last row of the table for each layer in ``network.layers``.
    segments, statistics : tuple of Segment
    parameters : tuple of Parameter
        One for each segment: the layer's answer.
    n_params, n_statistics, n_features : int
    n_columns : int
        Columns of the workspace, without the inputs.
    target, n_targets : int
        First column of the targets, and their number.
    flops_per_row : int
        Multiplications and additions of the forward and backward pass of one row.
    uses_batch : bool
        Whether any layer depends on the whole batch in training.
    widest_of_batch : int
        Width of the widest such layer.
    shares_parameters : bool
        Whether threads can divide up the parameters of every layer.
    """

    table: NDArray[Any]
    groups: NDArray[Any]
    constants: NDArray[np.float64]
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
    n_targets: int
    flops_per_row: int
    uses_batch: bool
    widest_of_batch: int
    shares_parameters: bool

    def per_parameter(self, factor: str) -> NDArray[np.float64]:
        """One of the groups' factors, repeated for each parameter: (n_params,)."""
        return np.repeat(self.groups[factor], self.groups["length"])

    def effort(self, n_rows: int, *, backward: bool = True) -> float:
        """Estimate the cost of rows in multiplications, to choose the first chunk before there is a measurement.

        Each number that is read, activated or written counts as twenty.
        """
        products = self.flops_per_row if backward else self.flops_per_row // 2
        return n_rows * float(products + 20 * (self.n_columns + self.n_features))

    @cached_property
    def learns(self) -> bool:
        """Whether any layer is not frozen."""
        return bool(self.groups["learning_rate_factor"].any())

    @cached_property
    def learns_evenly(self) -> bool:
        """Whether all layers that learn have the optimizer's own learning rate."""
        factors = self.groups["learning_rate_factor"]
        return bool(((factors == 1) | (factors == 0)).all())

    @cached_property
    def trains_on_batch(self) -> bool:
        """Whether any layer that is not frozen uses the whole batch."""
        return any(stage.uses_batch and not stage.is_frozen for stage in self.stages)

    def least_rows(self, batch_size: int) -> int:
        """The fewest rows of an epoch's last batch: fewer are part of the batch before.

        Half a batch, and at least two, for layers that use the whole batch: their statistics of a few rows are noise.
        """
        return max(2, -(-batch_size // 2)) if self.trains_on_batch else 1

    def find(self, layer: int, name: str) -> Segment | None:
        """The segment with that name in that layer, or None."""
        for segment in self.segments:
            if segment.layer == layer and segment.name == name:
                return segment
        return None

    def for_training(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Table and groups for training: frozen layers get no update, and the backward pass ends at the lowest layer
        that learns.
        """
        frozen = [stage.is_frozen for stage in self.stages]
        if not any(frozen):
            return self.table, self.groups
        table = self.table.copy()
        table["learns"][frozen] = table["whole_batch"][frozen] = 0
        table["delta_below"][: np.argmax(table["learns"]) + 1] = -1
        return table, self.groups[self.groups["learning_rate_factor"] > 0]


def output_activation(layers: tuple[Layer, ...], output: str | None, loss: Loss) -> str:
    """The last layer's activation: its own, else ``output``, else the default of the loss."""
    last = layers[-1]
    if not last.ends_networks:
        raise ValueError(f"the last layer must be Dense or Activation, got {type(last).__name__}")
    own = last.activation_name
    if output is not None:
        output = activation_name(output, "output")
        if own is not None and own != output:
            raise ValueError(f"output={output!r} contradicts the last layer's activation={own!r}")
    name = own or output or loss.default_output
    loss.check_output(name)
    return name


def make_layout(inputs: Input, layers: tuple[Layer, ...], output: str, loss: Loss) -> Layout:
    """Compute the layout from the layers, the activation of the last one, and the loss, which sets the targets."""
    stages: list[Layer] = []
    numbers: list[int] = []
    for i, layer in enumerate((*layers[:-1], layers[-1].with_activation(output))):
        layer.check_place(i == len(layers) - 1)
        stages += layer.stages()
        numbers += [i] * (len(stages) - len(numbers))
    rows = _place_widths(inputs, stages)
    segments, parameters, n_params = _place_parameters(stages, numbers, rows)
    statistics, n_statistics = _place_statistics(stages, numbers, rows)
    constants = _place_constants(stages, rows)
    n_targets = loss.n_targets(rows[-1]["n_out"])
    rows[-1]["group"] = loss.outputs_per_target
    n_columns = _place_buffers(stages, rows, n_targets)
    table = np.array([tuple(row.values()) for row in rows], dtype=LAYER_DTYPE)
    products = [stage.n_multiplications(row["n_in"], row["n_out"]) for stage, row in zip(stages, rows, strict=True)]
    return Layout(
        table=table,
        groups=_make_groups(stages, segments, parameters),
        constants=constants,
        stages=tuple(stages),
        ends=tuple(len(numbers) - 1 - numbers[::-1].index(i) for i in range(len(layers))),
        segments=segments,
        statistics=statistics,
        parameters=parameters,
        n_params=n_params,
        n_statistics=n_statistics,
        n_features=inputs.n_features,
        n_columns=n_columns,
        target=n_columns - 2 - n_targets,
        n_targets=n_targets,
        flops_per_row=sum(
            (4 if row["delta_below"] < 0 else 6) * count for row, count in zip(rows, products, strict=True)
        ),
        uses_batch=any(stage.uses_batch for stage in stages),
        widest_of_batch=max((row["n_out"] for row in rows if row["whole_batch"]), default=0),
        shares_parameters=all(stage.shares_parameters for stage in stages),
    )


def _place_widths(inputs: Input, stages: Iterable[Layer]) -> list[dict[str, Any]]:
    """Make a row of the table for each stage, with its widths and the stage's own numbers."""
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
    """Segments, layer by layer, and the number of parameters. What decays gets the first offsets, without gaps."""
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
                    raise ValueError(f"layer {numbers[at]} has {sizes} parameters, too many for any memory")
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


def _place_constants(stages: list[Layer], rows: list[dict[str, Any]]) -> NDArray[np.float64]:
    """The constants of all stages, one after the other."""
    every: list[Any] = [()]
    offset = 0
    for stage, row in zip(stages, rows, strict=True):
        constants = stage.constants()
        if len(constants):
            row["constants"] = offset
            every.append(constants)
            offset += len(constants)
    joined: NDArray[np.float64] = np.concatenate(every, dtype=np.float64)
    joined.flags.writeable = False
    return joined


def _place_buffers(stages: list[Layer], rows: list[dict[str, Any]], n_targets: int) -> int:
    """Give each stage's buffers their columns of the workspace; return the number of columns without the inputs."""
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
    n_columns: int = column + n_targets + 2  # targets, weights and losses of the rows
    rows[0]["input"] = n_columns  # inputs come last, since a sparse matrix needs no buffer for them
    return n_columns


def _make_groups(stages: list[Layer], segments: Iterable[Segment], parameters: Iterable[Parameter]) -> NDArray[Any]:
    """Parts of the parameters with equal factors. Frozen ones have learning rate 0 and no decay."""
    stretches: list[list[Any]] = []
    by_offset = sorted(zip(segments, parameters, strict=True), key=lambda pair: pair[0].offset)
    for segment, parameter in by_offset:
        learns = not stages[segment.row].is_frozen
        factors = [learns * float(parameter.learning_rate_factor), float(learns and parameter.decays), 1.0]
        if not stretches or stretches[-1][2:] != factors:
            stretches.append([segment.offset, 0, *factors])
        stretches[-1][1] = segment.stop - stretches[-1][0]
    return np.array([tuple(stretch) for stretch in stretches], dtype=GROUP_DTYPE)
