"""What all passes share: the guard for reading, threads, memory, the BLAS, and calls of the core of about 50 ms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.inputs import input_form
from fastmlp.data.rows import Rows
from fastmlp.machine.threads import choose_threads, single_threaded_blas_for
from fastmlp.model.model import Model
from fastmlp.passes.pace import in_pieces
from fastmlp.passes.workspace import Workspace, make_workspace


class Running:
    """Passes over ``n_rows`` samples; table, parameters and statistics default to those of the network.

    Attributes
    ----------
    workspace : Workspace
    core : Pass
        Network and workspace in the form that the core takes.
    """

    def __init__(
        self,
        network: Model,
        workspace: Workspace,
        n_rows: int,
        *,
        table: NDArray[Any] | None = None,
        params: NDArray[Any] | None = None,
        statistics: NDArray[np.float64] | None = None,
    ) -> None:
        self.workspace = workspace
        self.core = workspace.over(
            network.layout.table if table is None else table,
            network._params if params is None else params,
            network._statistics if statistics is None else statistics,
        )
        self._n_tiles = -(-n_rows // workspace.tile_rows)

    def call(self, door: Callable[..., None], effort: float, *arguments: Any) -> None:
        """Call ``door(core, *arguments, first, stop)`` for all tiles; ``effort``: multiplications of a tile.

        Raises the error of a loss written in Python.
        """
        for first, stop in in_pieces(self._n_tiles, self.workspace.n_threads, effort):
            door(self.core, *arguments, first, stop)
            self.workspace.check()


def threads_for(network: Model, n_threads: int | None, flops_per_row: int, n_rows: int, losses: bool) -> int:
    """As `choose_threads`; one if a pass computes ``losses`` in Python, which is called in the order of the rows."""
    threads = choose_threads(n_threads, flops_per_row, n_rows)
    return 1 if losses and network.loss.calls_python else threads


@contextmanager
def running(
    network: Model,
    X: Rows,
    n_threads: int | None,
    flops_per_row: int,
    *,
    training: bool = False,
    tile_rows: int | None = None,
    more_columns: int = 0,
    table: NDArray[Any] | None = None,
    copies_statistics: bool = False,
    dtype: np.dtype[Any] | None = None,
    losses: bool = False,
    n_weight: int = 1,
) -> Iterator[Running]:
    """A pass over checked rows, with a number of threads that suits ``flops_per_row``.

    Inside, no other thread can train or change the network, and the BLAS runs single-threaded in each of our threads.
    With ``copies_statistics`` the core writes to a copy of the network's statistics. ``dtype``: that of the arithmetic,
    default the network's. For another one the parameters are converted at each call, as they may have changed since the
    last one. ``losses`` says that the pass computes losses. Raises ``RuntimeError`` if another thread is training the
    network.
    """
    layout = network.layout
    dtype = network.dtype if dtype is None else dtype
    with network._access.reading, single_threaded_blas_for(layout.flops_per_row * len(X)):
        threads = threads_for(network, n_threads, flops_per_row, len(X), losses)
        workspace = make_workspace(
            layout, network.loss, dtype, len(X), threads,
            training=training, tile_rows=tile_rows, form=input_form(network, X), more_columns=more_columns,
            n_weight=n_weight,
        )  # fmt: skip
        statistics = network.statistics.copy() if copies_statistics else None
        params = None if dtype == network.dtype else network.params.astype(dtype)
        yield Running(network, workspace, len(X), table=table, params=params, statistics=statistics)
