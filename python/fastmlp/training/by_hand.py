"""A training step in two parts, `gradient` and `apply_gradient`, for training loops written in Python.

`fit` and `train_on_batch` do both in one call of the core.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.doors import updating
from fastmlp.checks.arrays import as_numbers, check_fits
from fastmlp.checks.errors import DivergedError, shown
from fastmlp.checks.values import check_flag, values_at
from fastmlp.data.inputs import check_settled
from fastmlp.data.samples import TrainingData, check_batch_rows, check_training_data
from fastmlp.model.model import Model
from fastmlp.optimizers import Optimizer, make_optimizer
from fastmlp.passes.derivatives import Behaviour, batch_gradient
from fastmlp.training.step_table import dropout_rates
from fastmlp.training.trainer import state_to_begin_with


def gradient(
    model: Model,
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    class_weight: object,
    n_threads: int | None,
    wait: bool,
) -> NDArray[Any]:
    """See `Network.gradient`."""
    with model._access.to_train(check_flag("wait", wait)):
        data = check_training_data(model, X, y, sample_weight, class_weight=class_weight)
        check_settled(model)
        statistics = model.statistics.copy()
        try:
            return training_gradient(model, data, n_threads)
        except BaseException:  # a loss written in Python failed after the batch norms had taken their step
            model.statistics[:] = statistics
            raise


def training_gradient(model: Model, data: TrainingData, n_threads: int | None) -> NDArray[Any]:
    """The gradient (n_params,) of checked samples, as the next training step computes it."""
    check_batch_rows(model, len(data.X), len(data.X))
    step = np.array([0 if model.optimizer_state is None else model.optimizer_state.n_steps])
    table, _ = model.layout.for_training()
    rates = dropout_rates(model.layout.stages, step)
    if rates is not None:
        table = table.copy()
        table["rate"] = rates[0]
    behaviour: Behaviour = {
        "drops": bool((table["rate"] > 0).any()),
        "dropout_key": 0,
        "label_smoothing": float(np.ravel(values_at(model.loss.label_smoothing, step, "label_smoothing"))[0]),
        "keep_running": True,
    }
    if behaviour["drops"]:
        behaviour["dropout_key"] = int(model.rng.integers(2**63))
    by = data.weight() or 1.0
    return batch_gradient(model, data.X, data.targets, data.weights, by, n_threads, behaviour, table)[1]


def apply_gradient(model: Model, gradient: ArrayLike, optimizer: object, wait: bool) -> None:
    """See `Network.apply_gradient`."""
    rule = make_optimizer(optimizer)
    if not isinstance(rule, Optimizer) or rule.needs_all_samples():
        raise ValueError(f"optimizer must be one that needs only the gradient, got {shown(rule)}")
    numbers = as_numbers("gradient", gradient, ndim=1)
    if len(numbers) != model.n_params:
        raise ValueError(f"gradient must have {model.n_params} elements, as params has, got {len(numbers)}")
    check_fits("gradient", numbers, model.dtype)
    with model._access.to_train(check_flag("wait", wait)):
        _update(model, rule, numbers.astype(model.dtype))  # a copy, as decays are added to it


def _update(model: Model, rule: Optimizer, gradient: NDArray[Any]) -> None:
    """Update once; ``DivergedError``, with the old parameters restored, if one is not finite after it."""
    before = model.snapshot()
    state = state_to_begin_with(model, rule, warm_start=True)
    step = rule.steps_in(model.dtype, np.array([state.n_steps]))
    _, groups = model.layout.for_training()
    updating.apply_gradient(
        model.params, groups.view(np.uint8), step.view(np.uint8), rule.rule, rule.nesterov, gradient, state.vectors
    )
    if not model.is_finite():
        model.restore(before)
        model.optimizer_state = None
        raise DivergedError(
            "a parameter is not finite after this update. The network is unchanged; the optimizer starts without a "
            f"state. Likely cause: a learning rate that is too large, {step['learning_rate'][0]:.3g}, or a gradient "
            "that needs clipping"
        )
    state.n_steps += 1
    state.average = None  # as in `train_on_batch`: it averages other parameters
    model.optimizer_state = state
