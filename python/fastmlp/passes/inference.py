"""Forward passes: predictions, and loss and accuracy of labelled samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.inference import activations as core_activations
from cnn_core.doors.inference import evaluate as core_evaluate
from cnn_core.doors.inference import predict as core_predict
from cnn_core.doors.predictor import Predictor
from cnn_core.passes.batches import Dtype
from fastmlp.data.inputs import (
    DENSITY,
    InputForm,
    Precision,
    input_source,
    may_leave_out_zeros,
    own_precision,
    target_source,
)
from fastmlp.data.overflow import inputs_bound
from fastmlp.data.rows import Rows, Targets
from fastmlp.data.samples import TrainingData
from fastmlp.data.weights import Weights, for_core, width_of
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.model import Model
from fastmlp.passes.running import Running, running
from fastmlp.passes.workspace import make_workspace

FEW_ROWS = 16
"""Up to this number of rows, predictions use the fast path."""


def make_predictor(network: Model) -> Callable[[Any], NDArray[Any] | None]:
    """The fast path for a few rows in the network's dtype; later changes of the parameters take effect.

    It returns None for rows that it does not take.
    """
    form = InputForm.PACKED if may_leave_out_zeros(network) else InputForm.ROWS
    workspace = make_workspace(network.layout, network.loss, network.dtype, FEW_ROWS, 1, training=False, form=form)
    row = np.zeros((1, network.n_features), dtype=network.dtype)
    rows = Rows(row.view(np.uint8), Dtype.FLOAT64 if network.dtype == np.float64 else Dtype.FLOAT32)
    core = workspace.over(network.layout.table, network.params, network.statistics)
    bound = inputs_bound(network.input, network.dtype, network.dtype)
    source = input_source(network, rows)
    predictor = Predictor(core, source, network._access, np.empty, network.dtype, DENSITY, bound)
    return predictor if network.target_scale is None else partial(_undone, network, predictor)


def _undone(network: Model, predictor: Predictor, X: Any) -> NDArray[Any] | None:
    """The predictor's outputs in the units of the targets."""
    out: NDArray[Any] | None = predictor(X)
    return None if out is None else rounded(in_units(network, out), network.dtype)


def predict(
    network: Model,
    X: Rows,
    n_threads: int | None,
    precision: Precision | None = None,
    table: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Outputs (n, n_outputs) for checked rows; ``precision`` defaults to the network's own, ``table`` to its layers."""
    work, result = precision or own_precision(network)
    with running(network, X, n_threads, network.layout.flops_per_row // 2, dtype=work, table=table) as run:
        out = np.empty((len(X), network.n_outputs), dtype=work)
        run.call(core_predict, forward_effort(network, run), input_source(network, X, work), out)
    return rounded(in_units(network, out), result)


def scores(network: Model, X: Rows, n_threads: int | None, precision: Precision | None = None) -> NDArray[Any]:
    """Outputs (n, n_outputs) of the last layer before its activation, for checked rows."""
    table = network.layout.table.copy()
    table["activation"][-1] = ACTIVATIONS["identity"].code
    return predict(network, X, n_threads, precision, table)


def activations(
    network: Model, X: Rows, n_threads: int | None, precision: Precision | None = None
) -> list[NDArray[Any]]:
    """Outputs (n, units) of each of ``network.layers`` for checked rows; as `predict`."""
    work, result = precision or own_precision(network)
    with running(network, X, n_threads, network.layout.flops_per_row // 2, dtype=work) as run:
        ends = len(X) * np.cumsum(network.layout.table["n_out"])
        out = np.empty(int(ends[-1]), dtype=work)
        run.call(core_activations, forward_effort(network, run), input_source(network, X, work), out)
    stages = np.split(rounded(out, result), ends[:-1])
    if network.target_scale is not None:
        last = out[-len(X) * network.n_outputs :].reshape(len(X), -1)
        stages[-1][:] = rounded(in_units(network, last), result).ravel()
    return [stages[end].reshape(len(X), -1) for end in network.layout.ends]


def in_units(network: Model, outputs: NDArray[Any]) -> NDArray[Any]:
    """Outputs (n, n_outputs) of the network in the units of the targets."""
    scaling = network.target_scale
    return outputs if scaling is None else scaling.undo(network.loss, outputs)


def rounded(out: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """The results of a pass in the dtype that the user gets; what is too large for it becomes infinite."""
    with np.errstate(over="ignore"):
        return out.astype(dtype, copy=False)


class Sums(NamedTuple):
    """Results of labelled samples, which may come in pieces.

    Attributes
    ----------
    loss, correct, weight : float
        Weighted sums of the losses and of the correct rows, and the sum of the weights.
    is_class : bool
        Whether the targets name classes.
    """

    loss: float = 0.0
    correct: float = 0.0
    weight: float = 0.0
    is_class: bool = False

    def with_piece(self, network: Model, piece: TrainingData, n_threads: int | None) -> Sums:
        """The sums with these checked samples."""
        X, targets, weights, _ = piece
        flops, width = network.layout.flops_per_row // 2, width_of(weights)
        with running(network, X, n_threads, flops, losses=True, n_weight=width) as run:
            sources = input_source(network, X), target_source(network, targets)
            run.call(core_evaluate, forward_effort(network, run), *sources, for_core(weights))
        loss, correct = run.workspace.totals
        return Sums(self.loss + loss, self.correct + correct, self.weight + piece.weight(), targets.is_class)

    def means(self) -> dict[str, float]:
        """Mean loss, and the accuracy if the targets name classes."""
        measured = {"loss": self.loss / self.weight}
        if self.is_class:
            measured["accuracy"] = self.correct / self.weight
        return measured


def measure(network: Model, X: Rows, targets: Targets, weights: Weights, n_threads: int | None) -> dict[str, float]:
    """Mean loss of checked samples, and accuracy if the targets name classes."""
    return Sums().with_piece(network, TrainingData(X, targets, weights), n_threads).means()


def forward_effort(network: Model, run: Running) -> float:
    """Multiplications of a tile's forward pass."""
    return network.layout.effort(run.workspace.tile_rows, backward=False)
