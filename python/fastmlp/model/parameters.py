"""The parameters of a network: one flat vector, named views into it, and copies of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.machine.access import Access
from cnn_core.passes.batches import first_nonfinite
from fastmlp.checks.arrays import as_numbers
from fastmlp.model.layers import Layer
from fastmlp.model.layout import Layout
from fastmlp.model.state import Snapshot


class Parameters:
    """Base of `Network`: the vector that all of its layers share, and the running statistics of batch norms."""

    layers: tuple[Layer, ...]
    layout: Layout
    statistics: NDArray[np.float64]
    _params: NDArray[Any]
    _access: Access

    @property
    def params(self) -> NDArray[Any]:
        """All parameters, (n_params,): write into it, or assign numbers of the same shape, which are copied."""
        return self._params

    @params.setter
    def params(self, values: ArrayLike) -> None:
        numbers = as_numbers("params", values, ndim=1)
        if len(numbers) != self.n_params:
            raise ValueError(f"params must have {self.n_params} elements, got {len(numbers)}")
        with self._access.changing:
            self._params[:] = numbers

    @property
    def n_params(self) -> int:
        """Length of ``params``."""
        return self.layout.n_params

    @property
    def weights(self) -> list[NDArray[Any]]:
        """Weight matrices (n_in, n_out) of the dense layers, as writable views."""
        return [s.view(self.params) for s in self.layout.segments if s.name == "weight"]

    @property
    def biases(self) -> list[NDArray[Any] | None]:
        """Biases (n_out,) of the dense layers as writable views; None for a layer without."""
        return self.per_dense(self.params)[1]

    def per_dense(self, vector: NDArray[Any]) -> tuple[list[NDArray[Any]], list[NDArray[Any] | None]]:
        """Views of weights and biases of the dense layers in a vector such as ``params`` or its gradient."""
        weights: list[NDArray[Any]] = []
        biases: list[NDArray[Any] | None] = []
        for weight in self.layout.segments:
            if weight.name == "weight":
                bias = self.layout.find(weight.layer, "bias")
                weights.append(weight.view(vector))
                biases.append(None if bias is None else bias.view(vector))
        return weights, biases

    def named_arrays(self) -> dict[str, NDArray[Any]]:
        """Every parameter and running statistic as a writable view, by a name such as ``"0.weight"``.

        The number is that of the layer behind the input.
        """
        named = {f"{s.layer}.{s.name}": s.view(self.params) for s in self.layout.segments}
        return named | {f"{s.layer}.{s.name}": s.view(self.statistics) for s in self.layout.statistics}

    def snapshot(self, into: Snapshot | None = None) -> Snapshot:
        """A copy of parameters and running statistics, in the memory of an older one if given."""
        with self._access.reading:
            if into is None:
                return Snapshot(self.params.copy(), self.statistics.copy())
            into.params[:] = self.params
            into.statistics[:] = self.statistics
            return into

    def restore(self, snapshot: Snapshot) -> None:
        """Take parameters and running statistics from a snapshot."""
        with self._access.changing:
            self.params[:] = snapshot.params
            self.statistics[:] = snapshot.statistics

    def is_finite(self) -> bool:
        """Whether no parameter is NaN or infinite."""
        return bool(first_nonfinite(self.params) < 0)
