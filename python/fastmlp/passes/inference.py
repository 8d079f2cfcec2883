"""Forward only: predictions, and loss and accuracy of labelled samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.inference import activations as core_activations
from cnn_core.doors.inference import evaluate as core_evaluate
from cnn_core.doors.inference import predict as core_predict
from cnn_core.doors.predictor import Predictor
from cnn_core.passes.batches import Dtype
from fastmlp.data.inputs import DENSITY, InputForm, input_form, input_source, may_leave_out_zeros, target_source
from fastmlp.data.rows import Rows, Targets
from fastmlp.machine.threads import choose_threads, single_threaded_blas_for
from fastmlp.model.model import Model
from fastmlp.passes.workspace import make_workspace

FEW_ROWS = 16
"""Up to so many rows a prediction takes the short way."""


def make_predictor(network: Model) -> Predictor:
    """The short way for a few rows of the network's own dtype; it sees every later change of the parameters."""
    form = InputForm.PACKED if may_leave_out_zeros(network) else InputForm.ROWS
    workspace = make_workspace(network.layout, network.loss, network.dtype, FEW_ROWS, 1, training=False, form=form)
    row = np.zeros((1, network.n_features), dtype=network.dtype)
    rows = Rows(row.view(np.uint8), Dtype.FLOAT64 if network.dtype == np.float64 else Dtype.FLOAT32)
    return Predictor(
        workspace.plan, network.layout.table, network.params.view(np.uint8), network.statistics,
        workspace.work.view(np.uint8), workspace.partials, workspace.sparse, input_source(network, rows),
        network._access, np.empty, network.dtype, network.dtype == np.float64, DENSITY,
    )  # fmt: skip


def predict(network: Model, X: Rows, n_threads: int | None) -> NDArray[Any]:
    """Outputs (n, n_outputs) for checked rows."""
    layout = network.layout
    threads = choose_threads(n_threads, layout.flops_per_row // 2, len(X))
    workspace = make_workspace(
        layout, network.loss, network.dtype, len(X), threads, training=False, form=input_form(network, X)
    )
    out = np.empty((len(X), network.n_outputs), dtype=network.dtype)
    with single_threaded_blas_for(layout.flops_per_row * len(X)):
        source = input_source(network, X)
        for first, stop in workspace.pieces(len(X), layout.effort(workspace.tile_rows, backward=False)):
            core_predict(
                workspace.plan, layout.table, network.params, network.statistics, workspace.work, workspace.partials,
                workspace.sparse, source, out, first, stop, threads,
            )  # fmt: skip
    return out


def activations(network: Model, X: Rows, n_threads: int | None) -> list[NDArray[Any]]:
    """Outputs (n, units) of every layer of the user's for checked rows."""
    layout = network.layout
    threads = choose_threads(n_threads, layout.flops_per_row // 2, len(X))
    workspace = make_workspace(
        layout, network.loss, network.dtype, len(X), threads, training=False, form=input_form(network, X)
    )
    ends = len(X) * np.cumsum(layout.table["n_out"])
    out = np.empty(int(ends[-1]), dtype=network.dtype)
    with single_threaded_blas_for(layout.flops_per_row * len(X)):
        source = input_source(network, X)
        for first, stop in workspace.pieces(len(X), layout.effort(workspace.tile_rows, backward=False)):
            core_activations(
                workspace.plan, layout.table, network.params, network.statistics, workspace.work, workspace.partials,
                workspace.sparse, source, out, first, stop, threads,
            )  # fmt: skip
    stages = np.split(out, ends[:-1])
    return [stages[end].reshape(len(X), -1) for end in layout.ends]


def measure(
    network: Model, X: Rows, targets: Targets, weights: NDArray[np.float64] | None, n_threads: int | None
) -> dict[str, float]:
    """Mean loss, and accuracy where the targets name classes, of checked samples."""
    layout = network.layout
    threads = choose_threads(n_threads, layout.flops_per_row // 2, len(X))
    workspace = make_workspace(
        layout, network.loss, network.dtype, len(X), threads, training=False, form=input_form(network, X)
    )
    with single_threaded_blas_for(layout.flops_per_row * len(X)):
        sources = input_source(network, X), target_source(network, targets)
        for first, stop in workspace.pieces(len(X), layout.effort(workspace.tile_rows, backward=False)):
            core_evaluate(
                workspace.plan, layout.table, network.params, network.statistics, workspace.work, workspace.partials,
                workspace.sparse, *sources, weights, first, stop, threads,
            )  # fmt: skip
            workspace.check()
    total = len(X) if weights is None else weights.sum()
    loss, correct = workspace.partials[:, :2].sum(axis=0) / total
    measured = {"loss": float(loss)}
    if targets.is_class:
        measured["accuracy"] = float(correct)
    return measured
