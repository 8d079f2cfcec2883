"""Gradients and loss surfaces for the user, and a check of the gradients against finite differences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.doors import derivatives as _core
from cnn_core.doors.jacobian import input_gradients as core_input_gradients
from cnn_core.doors.surface import loss_surface
from fastmlp.checks.arrays import as_numbers
from fastmlp.checks.errors import shown, unknown_name
from fastmlp.checks.values import check_value
from fastmlp.data.inputs import Precision, input_form, input_source, own_precision, target_source
from fastmlp.data.rows import Rows, Targets
from fastmlp.data.samples import check_samples
from fastmlp.data.weights import Weights, for_core, total_weight, width_of
from fastmlp.machine.threads import single_threaded_blas
from fastmlp.model.model import Model
from fastmlp.passes.inference import rounded
from fastmlp.passes.pace import in_pieces
from fastmlp.passes.running import Running, running, threads_for
from fastmlp.passes.workspace import MAX_TILE_ROWS, Workspace, make_workspace, table_to_the_inputs


class Behaviour(TypedDict):
    """Settings for a batch: dropout and its mask's key, label smoothing, whether to update running statistics."""

    drops: bool
    dropout_key: int
    label_smoothing: float
    keep_running: bool


MAX_POINTS = 10**9
"""Largest number of points of a loss surface: 8 GB of losses."""


def divisor(reduction: str, n_rows: int, weights: Weights) -> float:
    """Divisor of a summed loss: 1 for "sum", the (weighted) number of rows for "mean"."""
    if reduction not in ("mean", "sum"):
        raise unknown_name("reduction", reduction, ("mean", "sum"))
    return 1.0 if reduction == "sum" else total_weight(weights, n_rows)


def loss_and_flat_gradient(
    network: Model,
    X: Rows,
    targets: Targets,
    weights: Weights,
    reduction: str,
    n_threads: int | None,
    dropout_seed: int | None = None,
) -> tuple[float, NDArray[Any]]:
    """Loss and gradient (n_params,) of checked samples as one batch, with the statistics of the batch."""
    by = divisor(reduction, len(X), weights)
    if dropout_seed is not None and (isinstance(dropout_seed, bool) or not isinstance(dropout_seed, (int, np.integer))):
        raise TypeError(f"dropout_seed must be a whole number or None, got {shown(dropout_seed)}")
    if dropout_seed is not None and not 0 <= dropout_seed < 2**64:
        raise ValueError(f"dropout_seed must be between 0 and 2**64 - 1, got {dropout_seed}")
    behaviour = Behaviour(
        drops=dropout_seed is not None, dropout_key=dropout_seed or 0, label_smoothing=0.0, keep_running=False
    )
    return batch_gradient(network, X, targets, weights, by, n_threads, behaviour)


def batch_gradient(
    network: Model,
    X: Rows,
    targets: Targets,
    weights: Weights,
    by: float,
    n_threads: int | None,
    behaviour: Behaviour,
    table: NDArray[Any] | None = None,
) -> tuple[float, NDArray[Any]]:
    """Summed loss of one batch and its gradient (n_params,), both divided by ``by``."""
    layout = network.layout
    # The core writes the batch's own statistics beside the running ones: to a copy, if the latter are not to change.
    copies = not behaviour["keep_running"]
    with running(
        network, X, n_threads, layout.flops_per_row, training=True, table=table, copies_statistics=copies, losses=True,
        n_weight=width_of(weights),
    ) as run:  # fmt: skip
        gradients = np.zeros((run.workspace.n_threads, layout.n_params), dtype=network.dtype)
        # Layers that use the whole batch need all tiles in one call.
        effort = 0.0 if layout.uses_batch else layout.effort(run.workspace.tile_rows)
        sources = input_source(network, X), target_source(network, targets)
        run.call(_core.gradient, effort, *sources, for_core(weights), gradients, 1 / by, behaviour)
    return float(run.workspace.losses.sum()) / by, gradients[0]


def sample_gradients(
    network: Model, X: Rows, targets: Targets, weights: Weights, n_threads: int | None
) -> NDArray[Any]:
    """One gradient per row, (n, n_params), of its weighted loss."""
    layout = network.layout
    if layout.uses_batch:
        raise ValueError("sample_gradients needs a network without BatchNorm, where a gradient depends on the batch")
    with running(
        network, X, n_threads, layout.flops_per_row, training=True, tile_rows=1, losses=True,
        n_weight=width_of(weights),
    ) as run:  # fmt: skip
        gradients = np.empty((len(X), layout.n_params), dtype=network.dtype)
        sources = input_source(network, X), target_source(network, targets)
        run.call(
            _core.sample_gradients, layout.effort(1) + 20.0 * layout.n_params, *sources, for_core(weights), gradients
        )
    return gradients


def input_gradients(network: Model, X: Rows, n_threads: int | None, precision: Precision | None = None) -> NDArray[Any]:
    """d outputs / d X, (n, n_outputs, n_features), of checked rows; ``precision`` defaults to the network's own."""
    work, result = precision or own_precision(network)
    layout, n_outputs = network.layout, network.n_outputs
    table = table_to_the_inputs(layout, input_form(network, X))
    with running(
        network, X, n_threads, layout.flops_per_row * n_outputs, table=table, more_columns=network.n_features,
        dtype=work,
    ) as run:  # fmt: skip
        out = np.empty((len(X), n_outputs, network.n_features), dtype=work)
        effort = layout.effort(run.workspace.tile_rows) * n_outputs
        run.call(core_input_gradients, effort, input_source(network, X, work), out)
    if network.input.is_scaled:
        out *= np.asarray(network.input.scale, dtype=work)
    if network.target_scale is not None:
        out *= network.target_scale.slopes(network.loss, n_outputs).astype(work)[:, None]
    return rounded(out, result)


def _check_grids(
    network: Model, parameters: int | Sequence[int], grids: ArrayLike | Sequence[ArrayLike]
) -> tuple[list[int], list[NDArray[np.float64]]]:
    try:
        indices = np.atleast_1d(np.asarray(parameters))
    except ValueError:
        indices = np.empty(0)  # a ragged list
    if indices.ndim != 1 or indices.dtype.kind not in "iu" or not 1 <= len(indices) <= 2:
        raise ValueError(f"parameters must be one or two indices in params, got {shown(parameters)}")
    if len(set(indices.tolist())) != len(indices):
        raise ValueError(f"parameters must differ, got {shown(parameters)}")
    for index in indices:
        if not 0 <= index < network.n_params:
            raise ValueError(f"parameters must lie between 0 and {network.n_params - 1}, got {index}")
    axes: list[Any] = list(grids) if isinstance(grids, (list, tuple, np.ndarray)) else [grids]
    if len(indices) == 1 and all(np.ndim(value) == 0 for value in axes):
        axes = [axes]  # a single parameter may have its values without a list around them
    if len(axes) != len(indices):
        arrays = "array" if len(indices) == 1 else "arrays"
        raise ValueError(f"grids must be {len(indices)} one-dimensional {arrays}, got {len(axes)}")
    checked = [as_numbers("grids", axis, ndim=1).astype(np.float64) for axis in axes]
    if max(np.abs(axis).max() for axis in checked) > np.finfo(network.dtype).max:
        raise ValueError(f"grids must hold numbers that fit in {network.dtype}, got larger ones")
    n_points = math.prod(map(len, checked))
    if n_points > MAX_POINTS:
        raise ValueError(f"grids must have at most {MAX_POINTS} points in all, got {n_points}")
    return indices.tolist(), checked


def cost_surface(
    network: Model,
    X: Rows,
    targets: Targets,
    weights: Weights,
    parameters: int | Sequence[int],
    grids: ArrayLike | Sequence[ArrayLike],
    reduction: str,
    n_threads: int | None,
) -> NDArray[np.float64]:
    """Losses of checked samples over the grids."""
    if X.starts is not None:
        raise ValueError("X must be dense for cost_surface, got a sparse matrix; pass X.toarray()")
    indices, axes = _check_grids(network, parameters, grids)
    by = divisor(reduction, len(X), weights)
    first, second = axes if len(axes) == 2 else (np.zeros(1), axes[0])
    # A few samples are repeated in a tile, so that several points of the grid are computed together.
    tile_rows = len(X) * max(1, MAX_TILE_ROWS // len(X)) if len(X) <= MAX_TILE_ROWS else None
    layout = network.layout
    with network._access.reading, single_threaded_blas:
        points = len(first) * len(second)
        worth = threads_for(network, n_threads, layout.flops_per_row // 2, points * len(X), losses=True)
        threads = min(worth, len(first))
        workspace = make_workspace(
            layout, network.loss, network.dtype, len(X) * threads, threads, training=False, tile_rows=tile_rows,
            n_weight=width_of(weights),
        )  # fmt: skip
        run = Running(network, workspace, len(X), params=np.tile(network.params, threads))
        out = np.zeros((len(first), len(second)))
        sources = input_source(network, X), target_source(network, targets)
        moved = _axes(network, indices)
        for rows, columns, tiles in _stretches(out.shape, workspace, len(X), layout.effort(len(X), backward=False)):
            piece = out[rows, columns].copy()
            loss_surface(run.core, *sources, for_core(weights), moved, first[rows], second[columns], piece, *tiles)
            out[rows, columns] = piece
            workspace.check()
    return (out if len(axes) == 2 else out[0]) / by


def _stretches(
    shape: tuple[int, ...], workspace: Workspace, n_rows: int, effort: float
) -> Iterator[tuple[slice, slice, tuple[int, int]]]:
    """Rows and columns of the grid, and tiles of the samples, for calls of the core of about 50 ms each.

    ``effort``: multiplications of a point. Points that share a tile stay together.
    """
    side_by_side = max(1, workspace.tile_rows // n_rows - 1)
    n_groups, n_tiles = -(-shape[1] // side_by_side), -(-n_rows // workspace.tile_rows)
    for top, bottom in in_pieces(shape[0], workspace.n_threads, effort * shape[1]):
        high = -(-(bottom - top) // workspace.n_threads)
        for left, right in in_pieces(n_groups, 1, effort * side_by_side * high):
            width = min((right - left) * side_by_side, shape[1])
            for tiles in in_pieces(n_tiles, 1, effort / n_tiles * width * high):
                yield slice(top, bottom), slice(left * side_by_side, right * side_by_side), tiles


def _axes(network: Model, indices: list[int]) -> dict[str, int]:
    """The parameters that change, and for the last one its layer in the table (-1: not a dense layer), row (-1: a bias)
    and column.
    """
    moved = {"index_0": indices[0], "index_1": indices[-1], "layer": -1, "row": 0, "column": 0}
    for segment in network.layout.segments:
        if segment.offset <= indices[-1] < segment.stop and segment.name in ("weight", "bias"):
            row, column = divmod(indices[-1] - segment.offset, segment.shape[-1])
            moved |= {"layer": segment.row, "row": row if segment.name == "weight" else -1, "column": column}
    return moved


def check_gradients(
    network: Model, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, step: float = 1e-4
) -> float:
    """Check backpropagation against finite differences of the loss.

    Parameters
    ----------
    network : Network
        Of any dtype; the check uses a float64 copy.
    X : array_like or sparse matrix (n_samples, n_features)
        Finite numbers; a few rows are enough.
    y : array_like (n_samples,) or (n_samples, n_targets)
        Targets, as in `Network.fit`.
    sample_weight : array_like (n_samples,) or (n_samples, n_targets), optional
        Weights of the samples, or of their targets as in `Network.fit`.
    step : float, default 1e-4
        Step h of the differences, above 0.

    Returns
    -------
    float
        The largest relative error; about 1e-10 for a correct gradient.

    Raises
    ------
    ValueError, TypeError
        If ``network`` is not a `Network`, or another argument does not fit.
    RuntimeError
        If another thread is training or changing the network.

    Notes
    -----
    For each parameter w, the losses at w +- h and w +- 2h give its derivative to order h^4. For each weight matrix,
    bias or norm vector, the largest absolute error is divided by the largest derivative in it; the largest of these
    ratios is returned. Arrays whose derivatives are all below 1e-9 of the network's largest one, such as a bias before
    a `BatchNorm`, are skipped. At a kink (relu at exactly 0) there is no derivative, and a large error is correct.

    Examples
    --------
    >>> import fastmlp as fm
    >>> net = fm.Network([2, 3, 1], activation="tanh", loss="squared_error", seed=0)
    >>> fm.check_gradients(net, [[0.1, 0.2], [0.3, -0.4]], [0.5, 0.6]) < 1e-8
    True
    """
    if not isinstance(network, Model):
        raise TypeError(f"network must be a Network, got {shown(network)}")
    check_value("step", step, low=0.0, low_open=True, schedule=False)
    step = float(step)
    twin = network.astype("float64")
    rows, targets, weights, _ = check_samples(twin, X, y, sample_weight)

    def loss() -> float:
        return loss_and_flat_gradient(twin, rows, targets, weights, "mean", 1)[0]

    _, gradient = loss_and_flat_gradient(twin, rows, targets, weights, "mean", 1)
    numeric = np.empty_like(gradient)
    for i, w in enumerate(twin.params.copy()):
        losses = []
        for move in (-2, -1, 1, 2):
            twin.params[i] = w + move * step
            losses.append(loss())
        twin.params[i] = w
        numeric[i] = (losses[0] - 8 * losses[1] + 8 * losses[2] - losses[3]) / (12 * step)
    worst = 0.0
    floor = 1e-9 * max(np.abs(gradient).max(), np.abs(numeric).max())
    for segment in twin.layout.segments:
        one, other = segment.view(gradient), segment.view(numeric)
        size = max(np.abs(one).max(), np.abs(other).max())
        error = np.abs(one - other).max()
        worst = max(worst, float(error / size) if size > floor else 0.0)
    return worst
