"""From the options of ``train`` to a network and an optimizer; options left out get defaults that suit the data.

Tables have defaults of their own, in `fastmlp.tables.recipe`. The others were chosen on validation rows from the
bundled training digits, written by other people than the rows trained on. No test digits were used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.values import Value, check_value
from fastmlp.cli.sources import Problem
from fastmlp.model.layers import Dense, Dropout, Input, Layer
from fastmlp.model.loss_kinds import LOSSES
from fastmlp.model.losses import Loss
from fastmlp.network import Network
from fastmlp.optimizers import OPTIMIZERS, Optimizer, Rprop, WholeSetMethod
from fastmlp.schedules import Cosine, OneCycle
from fastmlp.tables.recipe import Recipe, recipe_for

LEARNING_RATES = {
    "sgd": 0.1,
    "rmsprop": 0.001,
    "adagrad": 0.02,
    "adam": 0.005,
    "adamw": 0.005,
    "nadam": 0.005,
    "rprop": 0.01,
}
CLASS_SMOOTHING = 0.1
_DIGITS = Recipe((256,), 0.2, "adam", 0.0, 32, 40)
"""The default for data that are no tables, with classes; without them, there is no dropout."""


@dataclass(frozen=True)
class Settings:
    """The options that define the network and its training, complete; ``label_smoothing`` None suits the loss."""

    hidden: tuple[int, ...]
    activation: str
    output: str | None
    loss: str | None
    dropout: float
    label_smoothing: float | None
    dtype: str
    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float | None
    schedule: str
    momentum: float | None
    weight_decay: float | None
    seed: int

    @classmethod
    def of(cls, problem: Problem, options: Mapping[str, Any]) -> Settings:
        """The options of ``train``; where they are None, defaults that suit the data."""
        is_class = problem.classes is not None
        recipe = _DIGITS if problem.encoder is None else recipe_for(problem.n_train, is_class)
        given = {name: value for name, value in options.items() if value is not None}
        optimizer = given.get("optimizer", recipe.optimizer)
        chosen: dict[str, Any] = {"hidden": recipe.hidden, "dropout": 0.0, "batch_size": recipe.batch_size}
        chosen |= {"epochs": recipe.epochs, "optimizer": optimizer}
        if is_class and _is_by_batches(optimizer):
            chosen["dropout"] = recipe.dropout
        if optimizer == recipe.optimizer and recipe.weight_decay:
            chosen["weight_decay"] = recipe.weight_decay
        return cls(**{**options, **chosen, **given})

    def loss_for(self, problem: Problem) -> Loss:
        """The loss asked for, or the default for the task; ``ValueError`` if it does not fit the task."""
        name = self._loss_name(problem)
        smoothing = self.label_smoothing
        if not LOSSES[name].classification:
            if smoothing:
                raise ValueError(f"--label-smoothing is for cross-entropies, not for {name}")
            return Loss(name)
        if smoothing is None:
            smoothing = CLASS_SMOOTHING if _is_by_batches(self.optimizer) else 0.0
        return Loss(name, label_smoothing=smoothing)

    def _loss_name(self, problem: Problem) -> str:
        if problem.classes is None:
            loss = self.loss or "squared_error"
            if LOSSES[loss].classification:
                raise ValueError(f"--loss {loss} is for classes, but the targets are numbers; see --task")
            return loss
        loss = self.loss or "cross_entropy"
        if not LOSSES[loss].targets.takes_classes:
            raise ValueError(f"--loss {loss} is for numbers, but the target is a class; see --task")
        if LOSSES[loss].targets.labels and len(problem.classes) != 2:
            raise ValueError(f"--loss {loss} is for two classes, got {len(problem.classes)}; use cross_entropy")
        return loss


def _is_by_batches(optimizer: str) -> bool:
    """Whether an optimizer updates by batches; the others need the same loss at every evaluation."""
    return issubclass(OPTIMIZERS[optimizer], Optimizer)


def make_network(problem: Problem, settings: Settings) -> Network:
    """A network with scaled inputs and targets, dropout after hidden layers, and an output for each class or number."""
    X = problem.train[0]
    loss = settings.loss_for(problem)
    layers: list[Input | Layer] = [_scaled_input(X) if problem.encoder is None else Input(problem.n_features)]
    for width in settings.hidden:
        layers.append(Dense(width, settings.activation))
        if settings.dropout > 0:
            layers.append(Dropout(settings.dropout))
    if problem.classes is not None:
        n_outputs = 1 if loss.spec.targets.labels else len(problem.classes)
    else:
        n_outputs = problem.n_targets
    layers.append(Dense(n_outputs))
    plain = problem.classes is None and (settings.output or loss.spec.default_output) == "identity"
    return Network(
        layers, output=settings.output, loss=loss, dtype=settings.dtype, seed=settings.seed,
        target_scale=problem.target_scale if plain and loss.scales_targets else None,
    )  # fmt: skip


def optimizer_for(settings: Settings, n_steps: int | None = None) -> Optimizer | WholeSetMethod:
    """The optimizer, with a learning-rate schedule as long as the training, or of ``n_steps`` updates."""
    kind: Any = OPTIMIZERS[settings.optimizer]
    options: dict[str, Any] = {}
    if settings.weight_decay is not None:
        options["weight_decay"] = settings.weight_decay
    if settings.momentum is not None:
        if settings.optimizer not in ("sgd", "rmsprop"):
            raise ValueError(f"--momentum is for sgd and rmsprop, not for {settings.optimizer}")
        options["momentum"] = settings.momentum
    if issubclass(kind, Optimizer):
        rate = LEARNING_RATES[settings.optimizer] if settings.learning_rate is None else settings.learning_rate
        check_value("--learning-rate", rate, low=0.0, low_open=True, schedule=False)
        options["learning_rate"] = rate if kind is Rprop else _scheduled(rate, settings.schedule, n_steps)
    elif settings.learning_rate is not None:
        raise ValueError(f"--learning-rate is not for {settings.optimizer}, which chooses its own steps")
    made: Optimizer | WholeSetMethod = kind(**options)
    return made


def _scaled_input(X: NDArray[Any]) -> Input:
    """Scale bytes to the range from 0 to 1, other columns to mean 0 and standard deviation 1."""
    if X.dtype == np.uint8:
        return Input(X.shape[1], scale=1 / max(int(X.max()), 1))
    return Input.standardized(X)


def _scheduled(rate: float, schedule: str, n_steps: int | None) -> Value:
    if schedule == "constant":
        return rate
    return OneCycle(rate, n_steps) if schedule == "one-cycle" else Cosine(rate, n_steps)
