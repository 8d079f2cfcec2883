"""Memory for passes: the buffers of a tile for each thread, and the table as one pass wants it."""

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
"""What the buffers of one tile should stay below, to live in the second-level cache."""


MIN_TILE_ROWS, MAX_TILE_ROWS = 256, 512
"""Fewer rows waste the BLAS, more win nothing."""


def splits_rows(layout: Layout, n_threads: int, batch_size: int) -> bool:
    """Whether threads had better share the rows of the weights than add up gradients of their own.

    The one costs reading the others' part of the batch's buffers, the other reading their gradients.
    """
    return n_threads > 1 and layout.shares_parameters and 2 * layout.n_params > batch_size * layout.n_columns


class Workspace(NamedTuple):
    """Memory for passes over batches of up to ``n_batch`` rows by ``n_threads`` threads."""

    plan: dict[str, Any]
    work: NDArray[Any]
    sparse: NDArray[np.uint8] | None
    """The lists of a first layer that leaves out zeros."""
    partials: NDArray[np.float64]
    n_threads: int
    tile_rows: int
    """Rows that go through the network together."""
    door: Any = None
    """What the core calls for a loss written in Python."""

    def over(self, table: NDArray[Any], params: NDArray[Any], statistics: NDArray[np.float64]) -> Pass:
        """What the core takes for passes with these layers and parameters. It uses these arrays, not copies."""
        return Pass(
            self.plan, table.view(np.uint8), params, statistics, self.work, self.partials, self.sparse, self.n_threads
        )

    @property
    def losses(self) -> NDArray[np.float64]:
        """The summed loss of each thread's rows, (n_threads,)."""
        return self.partials[:, LOSS]

    @property
    def correct(self) -> NDArray[np.float64]:
        """The weight of the rows of each thread whose class was right, (n_threads,)."""
        return self.partials[:, CORRECT]

    def check(self) -> None:
        """Raise what a loss written in Python led to in the last pass."""
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
) -> Workspace:
    """Allocate the buffers of a pass: one tile for each thread, or the whole batch where ``by_rows`` or, in
    training, a layer needs it. ``more_columns`` come behind all others.
    """
    door = loss.make_door()
    if door is not None and training:
        tile_rows = tile_rows or n_batch  # one call for each batch
    n_columns = layout.n_columns + (0 if form is InputForm.LISTS else layout.n_features) + more_columns
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
        "custom": 0 if door is None else id(door),
        "capacity": capacity,
        "tile_rows": tile_rows,
        "keeps_batch": keeps_batch,
        "target": layout.target,
        "row_weight": layout.n_columns - 2,
        "row_loss": layout.n_columns - 1,
    }
    partials = np.zeros((n_threads, partials_width(layout.widest_of_batch)))
    sparse = None
    if form is not InputForm.ROWS:
        packed_columns = layout.n_features if form is InputForm.PACKED else 0
        sparse = aligned_empty(list_bytes(capacity, n_threads, packed_columns), np.dtype(np.uint8))
    return Workspace(plan, aligned_empty(n_columns * capacity, dtype), sparse, partials, n_threads, tile_rows, door)


def table_to_the_inputs(layout: Layout, form: InputForm) -> NDArray[Any]:
    """The layer table with a delta below every layer, for passes back to the inputs.

    The first layer's takes as many more columns of the workspace as there are features.
    """
    table = layout.table.copy()
    table["delta_below"][1:] = table["delta"][:-1]
    table["delta_below"][0] = layout.n_columns + (0 if form is InputForm.LISTS else layout.n_features)
    return table
