"""The settings of a fit, without its samples, in one object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from fastmlp.callbacks.base import Callback, CallbackLike, make_callbacks
from fastmlp.checks.errors import shown
from fastmlp.checks.values import Value, check_flag, check_size, check_value
from fastmlp.machine.files import as_path
from fastmlp.optimizers import LBFGS, Optimizer, WholeSetMethod, make_optimizer
from fastmlp.training.gradient_door import changes_gradients
from fastmlp.training.recording import Metric, make_metrics


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """The arguments of `Network.fit` except the samples, checked on creation.

    Raises ``ValueError`` or ``TypeError`` that names the wrong argument.
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
    epochs_before: int | None = 0
    """Epochs done that belong to the same fit, for schedules that take their length from it. None: nobody knows how
    many there will be, so schedules must have a length."""

    loss_counts_rows: bool = False
    """With sample weights, record the mean of the batches' weighted mean losses, each counted by its number of rows.
    Otherwise record the weighted mean over the samples."""

    warns: bool = False
    """Whether to warn of common mistakes; the estimators give scikit-learn's warnings instead."""

    def __post_init__(self) -> None:
        check_size("epochs", self.epochs)
        check_size("batch_size", self.batch_size)
        check_flag("shuffle", self.shuffle)
        check_flag("warm_start", self.warm_start)
        check_flag("resume", self.resume)
        if self.n_threads is not None:
            check_size("n_threads", self.n_threads, 1024)
        check_value("alpha", self.alpha, low=0.0)
        if isinstance(self.optimizer, WholeSetMethod) and callable(self.alpha):
            name = type(self.optimizer).__name__
            raise TypeError(f"alpha must be a number for {name}, got a function of the step")
        self._check_steps()
        self._check_checkpoint()

    def _check_checkpoint(self) -> None:
        if self.checkpoint is None:
            for argument in ("checkpoint_every", "resume"):
                if getattr(self, argument):
                    raise ValueError(
                        f"{argument}={shown(getattr(self, argument))} needs checkpoint, the path of a file"
                    )
        elif isinstance(self.optimizer, LBFGS):
            raise ValueError("checkpoint cannot be used with LBFGS, as SciPy does not expose its state; leave it out")
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
        if isinstance(self.optimizer, Optimizer) and self.optimizer.uses_signs():
            for argument in ("clip_norm", "clip_value"):
                if getattr(self, argument) is not None:
                    raise ValueError(
                        f"{argument} has no effect with {type(self.optimizer).__name__}, whose steps depend on the "
                        f"signs of the gradient only; got {argument}={getattr(self, argument)!r:.60}, leave it out"
                    )
        if isinstance(self.optimizer, WholeSetMethod):
            for argument in ("clip_norm", "clip_value", "max_norm", "average", "accumulate"):
                value = getattr(self, argument)
                if value is not None and (argument, value) != ("accumulate", 1):
                    raise ValueError(
                        f"{argument} works only with an update rule, and {type(self.optimizer).__name__} computes its "
                        f"own steps; got {argument}={value!r:.60}, leave it out"
                    )
            for callback in filter(changes_gradients, self.callbacks):
                raise ValueError(
                    f"{type(callback).__name__}.on_gradient works only with an update rule, and "
                    f"{type(self.optimizer).__name__} computes its own steps"
                )

    def is_penalised(self) -> bool:
        """Whether a step may have an ``alpha`` above 0."""
        return callable(self.alpha) or self.alpha > 0

    def clips(self) -> bool:
        """Whether a step may clip its gradient."""
        return self.clip_norm is not None or self.clip_value is not None


def read_settings(
    *,
    optimizer: object,
    callbacks: Iterable[CallbackLike],
    metrics: Iterable[Any],
    checkpoint: str | PathLike[str] | None,
    **others: Any,
) -> FitSettings:
    """The settings for the arguments of `Network.fit`, of which some may be names or functions."""
    return FitSettings(
        optimizer=make_optimizer(optimizer),
        callbacks=make_callbacks(callbacks),
        metrics=make_metrics(metrics),
        checkpoint=None if checkpoint is None else as_path(checkpoint, "checkpoint"),
        **others,
    )
