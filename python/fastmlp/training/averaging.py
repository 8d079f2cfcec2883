"""The moving average of a network's parameters, which the network holds during validation and callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastmlp.model.model import Model
from fastmlp.model.state import AverageState, Snapshot


class MovingAverage:
    """Averages of parameters and running statistics, updated by the core.

    While the core trains, the network holds the parameters being trained. The average of an earlier fit continues if
    the network still holds it.
    """

    def __init__(self, network: Model, kept: AverageState | None) -> None:
        self.network = network
        goes_on = kept is not None and network.holds(kept.average)
        self._kept = kept if goes_on else None
        self.n_before = kept.n_steps if kept is not None and goes_on else 0

    def begin(self) -> None:
        """Allocate everything up front."""
        self.values, self._path = self.network.snapshot(), self.network.snapshot()

    def follow(self) -> None:
        """Give the network the parameters being trained."""
        if self._kept is not None:
            self.network.restore(self._kept.path)

    def copy(self) -> Snapshot:
        """A copy of the averages."""
        return Snapshot(self.values.params.copy(), self.values.statistics.copy())

    def put(self, averages: Snapshot) -> None:
        """Restore the averages from a copy."""
        self.values.params[:] = averages.params
        self.values.statistics[:] = averages.statistics

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Let the network hold the averages, for validation and callbacks, and keep what these change."""
        self.network.snapshot(self._path)
        try:
            self.network.restore(self.values)
            yield
        finally:
            self.network.snapshot(self.values)
            self.network.restore(self._path)

    def end(self, n_steps: int) -> AverageState:
        """Leave the averages in the network, and return what a later fit needs to continue."""
        self.network.snapshot(self._path)
        self.network.restore(self.values)
        return AverageState(self._path, self.values, self.n_before + n_steps)
