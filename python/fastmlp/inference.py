"""Forward only: predictions, and loss and accuracy of labelled samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnn_core.inference import evaluate as core_evaluate
from cnn_core.inference import predict as core_predict
from fastmlp.data import Rows, Targets
from fastmlp.layout import make_workspace
from fastmlp.threads import choose_threads, single_threaded_blas_for

if TYPE_CHECKING:
    from fastmlp.network import Network


def predict(network: Network, X: Rows, n_threads: int | None) -> NDArray[Any]:
    """Outputs (n, n_outputs) for checked rows."""
    layout = network.layout
    threads = choose_threads(n_threads, layout.flops_per_row // 2, len(X))
    workspace = make_workspace(layout, network.loss, network.dtype, len(X), threads, training=False)
    out = np.empty((len(X), network.n_outputs), dtype=network.dtype)
    shift, scale = network.scaling(X)
    with single_threaded_blas_for(layout.flops_per_row * len(X)):
        core_predict(
            workspace.plan, layout.table, network.params, network.statistics, workspace.work, workspace.partials,
            X.data, X.code, shift, scale, out, threads,
        )  # fmt: skip
    return out


def measure(
    network: Network, X: Rows, targets: Targets, weights: NDArray[np.float64] | None, n_threads: int | None
) -> dict[str, float]:
    """Mean loss, and accuracy where the targets name classes, of checked samples."""
    layout = network.layout
    threads = choose_threads(n_threads, layout.flops_per_row // 2, len(X))
    workspace = make_workspace(layout, network.loss, network.dtype, len(X), threads, training=False)
    shift, scale = network.scaling(X)
    with single_threaded_blas_for(layout.flops_per_row * len(X)):
        core_evaluate(
            workspace.plan, layout.table, network.params, network.statistics, workspace.work, workspace.partials,
            X.data, X.code, shift, scale, targets.rows.data, targets.rows.code, weights, threads,
        )  # fmt: skip
    total = len(X) if weights is None else weights.sum()
    loss, correct = workspace.partials[:, :2].sum(axis=0) / total
    measured = {"loss": float(loss)}
    if targets.is_class:
        measured["accuracy"] = float(correct)
    return measured
