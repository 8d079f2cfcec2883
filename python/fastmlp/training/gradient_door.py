"""Passes the gradient of each step from the core to the callbacks that use it."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmlp.callbacks.base import Callback, Run
from fastmlp.machine.calls import Door


def changes_gradients(callback: Callback) -> bool:
    """Whether the callback defines ``on_gradient``."""
    return type(callback).on_gradient is not Callback.on_gradient


class GradientDoor(Door):
    """Called by the core with the whole gradient of each step.

    Attributes
    ----------
    run : Run
        Passed to the callbacks; set before the first step.
    """

    run: Run

    def __init__(self, callbacks: tuple[Callback, ...]) -> None:
        self._callbacks = callbacks

    def __call__(self, gradient: Any) -> None:
        """Call each callback with the gradient (n_params,), writable."""
        array = np.asarray(gradient)
        for callback in self._callbacks:
            callback.on_gradient(self.run, array)


def gradient_door(callbacks: tuple[Callback, ...]) -> GradientDoor | None:
    """The door to the callbacks with ``on_gradient``; None if there is none."""
    wanting = tuple(filter(changes_gradients, callbacks))
    return GradientDoor(wanting) if wanting else None
