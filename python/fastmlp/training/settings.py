"""What a fit is told beside its samples, in one object that travels to whatever trains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastmlp.callbacks.base import Callback
from fastmlp.checks.values import Value, check_size, check_value
from fastmlp.optimizers import LBFGS, Optimizer, WholeSetMethod
from fastmlp.training.gradient_door import changes_gradients
from fastmlp.training.recording import Metric


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
    clip_norm: Value | None = None
    clip_value: Value | None = None
    max_norm: Value | None = None
    accumulate: int = 1
    average: float | None = None
    checkpoint: Path | None = None
    checkpoint_every: float | None = None
    resume: bool = False
    loss_counts_rows: bool = False
    """Of weighted samples: the recorded loss is the mean over the batches of their weighted mean losses, each counted
    as often as it has rows. Else, and without weights, it is the weighted mean over the samples."""

    warns: bool = False
    """Of the standard mistakes; scikit-learn's estimators say what scikit-learn says."""

    def __post_init__(self) -> None:
        check_size("epochs", self.epochs)
        check_size("batch_size", self.batch_size)
        for argument in ("shuffle", "warm_start", "resume"):
            flag = getattr(self, argument)
            if not isinstance(flag, (bool, np.bool_)):
                raise TypeError(f"{argument} must be True or False, got {flag!r}")
        if self.n_threads is not None:
            check_size("n_threads", self.n_threads, 1024)
        check_value("alpha", self.alpha, low=0.0)
        if isinstance(self.optimizer, WholeSetMethod) and callable(self.alpha):
            name = type(self.optimizer).__name__
            raise TypeError(f"alpha must be a number for {name}, which has no steps, got a function of the step")
        self._check_steps()
        self._check_checkpoint()

    def _check_checkpoint(self) -> None:
        if self.checkpoint is None:
            for argument in ("checkpoint_every", "resume"):
                if getattr(self, argument):
                    raise ValueError(f"{argument}={getattr(self, argument)!r} needs a checkpoint, the path of its file")
        elif isinstance(self.optimizer, LBFGS):
            raise ValueError("checkpoint can't be kept with LBFGS: SciPy doesn't give away where it stands")
        if self.checkpoint_every is not None:
            check_value("checkpoint_every", self.checkpoint_every, low=0.0, schedule=False)

    def _check_steps(self) -> None:
        """The settings that change what a step does."""
        for argument in ("clip_norm", "clip_value", "max_norm"):
            if getattr(self, argument) is not None:
                check_value(argument, getattr(self, argument), low=0.0, low_open=True)
        if self.average is not None:
            check_value("average", self.average, low=0.0, high=1.0, schedule=False)
        check_size("accumulate", self.accumulate)
        if isinstance(self.optimizer, WholeSetMethod):
            for argument in ("clip_norm", "clip_value", "max_norm", "average", "accumulate"):
                value = getattr(self, argument)
                if value is not None and (argument, value) != ("accumulate", 1):
                    raise ValueError(
                        f"{argument} changes the step of an update rule, and {type(self.optimizer).__name__} makes "
                        f"steps of its own; got {argument}={value!r:.60}"
                    )
            for callback in filter(changes_gradients, self.callbacks):
                raise ValueError(
                    f"{type(callback).__name__}.on_gradient sees the gradient of an update rule's step, and "
                    f"{type(self.optimizer).__name__} makes steps of its own"
                )

    def is_penalised(self) -> bool:
        """Whether some step may have an ``alpha`` above 0."""
        return callable(self.alpha) or self.alpha > 0

    def clips(self) -> bool:
        """Whether some step may bound its gradient."""
        return self.clip_norm is not None or self.clip_value is not None
