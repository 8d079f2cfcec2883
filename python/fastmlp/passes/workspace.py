"""Memory for passes: the buffers of a tile for each thread, and the layer table for one pass."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnn_core.doors.workspace import CORRECT, LOSS, Pass, list_bytes, partials_width
from fastmlp.data.inputs import InputForm
from fastmlp.machine.memory import aligned_empty
from fastmlp.model.layout import Layout
from fastmlp.model.losses import Loss

TILE_BYTES = 512 * 1024
"""Limit for the buffers of one tile, so that they fit in the second-level cache."""


MIN_TILE_ROWS, MAX_TILE_ROWS = 256, 512
"""Fewer rows make the BLAS slow, more gain nothing."""


def splits_rows(layout: Layout, n_threads: int, batch_size: int) -> bool:
    """Whether it is faster to split the rows of the weights among threads than to add up one gradient per thread.

    The first costs reading the other threads' part of the batch's buffers, the second reading their gradients.
    """
    return n_threads > 1 and layout.shares_parameters and 2 * layout.n_params > batch_size * layout.n_columns


class Workspace(NamedTuple):
    """Memory for passes over batches of up to ``n_batch`` rows by ``n_threads`` threads."""

    plan: dict[str, Any]
    constants: NDArray[np.float64]
    """Those of the network's layers."""
    work: NDArray[Any]
    sparse: NDArray[np.uint8] | None
    """Lists of nonzero numbers, for a first layer that leaves out zeros."""
    partials: NDArray[np.float64]
    n_threads: int
    tile_rows: int
    """Rows that pass through the network together."""
    door: Any = None
    """Called by the core for a loss written in Python."""

    def over(self, table: NDArray[Any], params: NDArray[Any], statistics: NDArray[np.float64]) -> Pass:
        """The core's `Pass` for these layers and parameters. It uses these arrays, not copies."""
        return Pass(
            self.plan, table.view(np.uint8), params, statistics, self.constants, self.work, self.partials, self.sparse,
            self.n_threads,
        )  # fmt: skip

    @property
    def losses(self) -> NDArray[np.float64]:
        """Summed loss of each thread's rows, (n_threads,)."""
        return self.partials[:, LOSS]

    @property
    def totals(self) -> tuple[float, float]:
        """Summed loss, and total weight of the correctly classified rows, over all threads."""
        loss, correct = self.partials[:, LOSS : CORRECT + 1].sum(axis=0).tolist()
        return loss, correct

    def check(self) -> None:
        """Raise the error of a loss written in Python, if it failed in the last pass."""
        if self.door is not None:
            self.door.check()


def make_workspace(
    layout: Layout,
    loss: Loss,
    dtype: np.dtype[Any],
    n_batch: int,
    n_threads: int,
    *,
    training: bool,
    tile_rows: int | None = None,
    form: InputForm = InputForm.ROWS,
    by_rows: bool = False,
    more_columns: int = 0,
    n_weight: int = 1,
) -> Workspace:
    """Allocate the buffers of a pass: one tile for each thread, or the whole batch.

    The whole batch is for ``by_rows`` and for training with layers that use it. ``more_columns`` come last, and after
    them the weights of a row if there are several, ``n_weight``.
    """
    door = loss.make_door()
    if door is not None and training:
        tile_rows = tile_rows or n_batch  # one call for each batch
    n_columns = layout.n_columns + (0 if form is InputForm.LISTS else layout.n_features) + more_columns
    row_weight = layout.n_columns - 2
    if n_weight > 1:
        row_weight, n_columns = n_columns, n_columns + n_weight
    if tile_rows is None:
        fitting = TILE_BYTES // (n_columns * dtype.itemsize)
        most = min(MAX_TILE_ROWS, max(MIN_TILE_ROWS, fitting))
        n_tiles = -(-n_batch // (most * n_threads)) * n_threads
        tile_rows = -(-n_batch // n_tiles)
    keeps_batch = by_rows or (training and layout.uses_batch)
    capacity = n_batch if keeps_batch else tile_rows * n_threads
    capacity = -(-capacity // 16) * 16  # every buffer begins on a 64-byte boundary
    plan = {
        "loss": loss.spec.code,
        "loss_parameter": loss.parameter,
        "levels": loss.form.levels_address,
        "custom": 0 if door is None else id(door),
        "capacity": capacity,
        "tile_rows": tile_rows,
        "keeps_batch": keeps_batch,
        "target": layout.target,
        "n_target": layout.n_targets,
        "row_weight": row_weight,
        "n_weight": n_weight,
        "row_loss": layout.n_columns - 1,
    }
    partials = np.zeros((n_threads, partials_width(layout.widest_of_batch)))
    sparse = None
    if form is not InputForm.ROWS:
        packed_columns = layout.n_features if form is InputForm.PACKED else 0
        sparse = aligned_empty(list_bytes(capacity, n_threads, packed_columns), np.dtype(np.uint8))
    work = aligned_empty(n_columns * capacity, dtype)
    return Workspace(plan, layout.constants, work, sparse, partials, n_threads, tile_rows, door)


def table_to_the_inputs(layout: Layout, form: InputForm) -> NDArray[Any]:
    """The layer table with a delta below every layer, for passes back to the inputs.

    The first layer's delta uses ``n_features`` more columns of the workspace.
    """
    table = layout.table.copy()
    table["delta_below"][1:] = table["delta"][:-1]
    table["delta_below"][0] = layout.n_columns + (0 if form is InputForm.LISTS else layout.n_features)
    return table
