"""Attributes of a model that the core relies on: read-only, or checked when they are set.

The core follows addresses into parameters and statistics, with sizes from the layout. So these are allocated once, and
what users get are views: resizing or reshaping a view, or changing its dtype, does nothing to the arrays themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.machine.access import Access
from fastmlp.checks.arrays import as_numbers
from fastmlp.model.layout import Layout
from fastmlp.model.state import OptimizerState, check_state

READ_ONLY = {
    "dtype": "astype() makes a copy in another dtype",
    "input": "make a network with another Input, and assign its params",
    "layers": "make another network; freeze() and unfreeze() choose the layers that learn",
    "output": "make a network with another output",
    "init": "make a network with another init",
    "layout": "it follows from the layers",
}
"""Attributes that cannot be set, and what to do instead."""
OWN = ("_access", "_predictor", "_batch_trainer")
"""Attributes that copies and pickles do not have: a guard, and prepared calls, which hold addresses."""


class Guarded:
    """Parameters, statistics, generator and optimizer state of a model, and its fixed attributes."""

    dtype: np.dtype[Any]
    layout: Layout
    rng: np.random.Generator
    _params: NDArray[Any]
    _statistics: NDArray[np.float64]
    _access: Access
    _optimizer_state: OptimizerState | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name in READ_ONLY and hasattr(self, name):  # not __dict__: once asked for, it makes all attributes slower
            raise AttributeError(f"{name} of a network cannot be set: {READ_ONLY[name]}")
        if name == "rng" and not isinstance(value, np.random.Generator):
            raise TypeError(f"rng must be a numpy.random.Generator, got {type(value).__name__}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        if name in READ_ONLY or name in ("rng", *OWN) or name.startswith("_"):
            raise AttributeError(f"{name} of a network cannot be deleted")
        object.__delattr__(self, name)

    def _change(self, **attributes: Any) -> None:
        """Set attributes that users cannot set."""
        self.__dict__.update(attributes)

    @property
    def params(self) -> NDArray[Any]:
        """All parameters, (n_params,): a view to write into; or assign an array of the same shape, which is copied."""
        return self._params.view()

    @params.setter
    def params(self, values: ArrayLike) -> None:
        numbers = as_numbers("params", values, ndim=1)
        if len(numbers) != len(self._params):
            raise ValueError(f"params must have {len(self._params)} elements, got {len(numbers)}")
        with self._access.changing:
            self._params[:] = numbers

    @property
    def statistics(self) -> NDArray[np.float64]:
        """Running statistics, (n_statistics,): a view; or assign an array of the same shape, which is copied."""
        return self._statistics.view()

    @statistics.setter
    def statistics(self, values: ArrayLike) -> None:
        n = len(self._statistics)
        numbers = as_numbers("statistics", values, ndim=1) if n or np.size(values) else np.zeros(0)
        if len(numbers) != n:
            raise ValueError(f"statistics must have {n} elements, got {len(numbers)}")
        with self._access.changing:
            self._statistics[:] = numbers

    @property
    def optimizer_state(self) -> OptimizerState | None:
        """The optimizer's state, from which training can go on; assign None to start without one."""
        return self._optimizer_state

    @optimizer_state.setter
    def optimizer_state(self, state: OptimizerState | None) -> None:
        if state is not self._optimizer_state:
            check_state(state, len(self._params), len(self._statistics), self.dtype)
        with self._access.changing:
            self._optimizer_state = state

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: all but the access guard, and the predictor and batch trainer, which hold addresses."""
        with self._access.reading:
            return {name: value for name, value in self.__dict__.items() if name not in OWN}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if "statistics" in state:  # from a pickle of an earlier version
            state["_statistics"] = state.pop("statistics")
        # Views, which cannot be resized: NumPy resizes only arrays that own their memory.
        state |= {name: np.ascontiguousarray(state[name])[:] for name in ("_params", "_statistics")}
        self.__dict__.update(state)
