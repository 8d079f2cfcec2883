"""The moving average of a network's parameters in a fit, which the network holds whenever somebody looks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastmlp.model.model import Model
from fastmlp.model.state import AverageState, Snapshot


class MovingAverage:
    """Averages beside a network in training: parameters and running statistics, moved by the core.

    While the core trains, the network has the parameters of the path. An average that an earlier fit left goes on if
    the network still holds it.
    """

    def __init__(self, network: Model, kept: AverageState | None) -> None:
        self.network = network
        goes_on = kept is not None and network.holds(kept.average)
        self._kept = kept if goes_on else None
        self.n_before = kept.n_steps if kept is not None and goes_on else 0

    def begin(self) -> None:
        """Take all the memory that there will be need of."""
        self.values, self._path = self.network.snapshot(), self.network.snapshot()

    def follow(self) -> None:
        """From here on the network has the path's parameters."""
        if self._kept is not None:
            self.network.restore(self._kept.path)

    def copy(self) -> Snapshot:
        """The averages as they are now."""
        return Snapshot(self.values.params.copy(), self.values.statistics.copy())

    def put(self, averages: Snapshot) -> None:
        """Go back to a copy."""
        self.values.params[:] = averages.params
        self.values.statistics[:] = averages.statistics

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The network has the averages, for validation and callbacks; what these change stays changed."""
        self.network.snapshot(self._path)
        try:
            self.network.restore(self.values)
            yield
        finally:
            self.network.snapshot(self.values)
            self.network.restore(self._path)

    def end(self, n_steps: int) -> AverageState:
        """The network takes the averages; what a later fit needs to go on."""
        self.network.snapshot(self._path)
        self.network.restore(self.values)
        return AverageState(self._path, self.values, self.n_before + n_steps)
