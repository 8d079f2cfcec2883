"""What a fit is told beside its samples, in one object that travels to whatever trains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastmlp.callbacks import Callback
from fastmlp.layers import check_size
from fastmlp.optimizers import Optimizer, WholeSetMethod
from fastmlp.recording import Metric
from fastmlp.values import Value, check_value


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """The arguments of `Network.fit` that don't name samples, checked as they enter.

    Raises ``ValueError`` or ``TypeError`` naming the one that is wrong.
    """

    optimizer: Optimizer | WholeSetMethod
    epochs: int = 10
    batch_size: int = 32
    callbacks: tuple[Callback, ...] = ()
    metrics: tuple[Metric, ...] = ()
    shuffle: bool = True
    n_threads: int | None = None
    progress: bool | None = None
    alpha: Value = 0.0
    warm_start: bool = False

    def __post_init__(self) -> None:
        check_size("epochs", self.epochs)
        check_size("batch_size", self.batch_size)
        for argument in ("shuffle", "warm_start"):
            flag = getattr(self, argument)
            if not isinstance(flag, (bool, np.bool_)):
                raise TypeError(f"{argument} must be True or False, got {flag!r}")
        if self.n_threads is not None:
            check_size("n_threads", self.n_threads, 1024)
        check_value("alpha", self.alpha, low=0.0)
        if isinstance(self.optimizer, WholeSetMethod) and callable(self.alpha):
            name = type(self.optimizer).__name__
            raise TypeError(f"alpha must be a number for {name}, which has no steps, got a function of the step")

    def is_penalised(self) -> bool:
        """Whether some step may have an ``alpha`` above 0."""
        return callable(self.alpha) or self.alpha > 0
