"""The state of a trainer for a checkpoint, and setting a trainer of the same fit to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.saved import MOST, saved_number, saved_whole
from fastmlp.training.checkpoint import check_alike
from fastmlp.training.trainer import Trainer

POSITION = ("seed", "n_steps", "n_epochs", "first", "best_loss", "newest_loss", "newest")
"""The names of the values of `Epochs.position`, in order."""


def state_of(trainer: Trainer) -> dict[str, Any]:
    """Everything that the rest of the fit depends on."""
    return {
        "position": dict(zip(POSITION, trainer.core.position(), strict=True)),
        "first_step": trainer.first_step,
        "n_planned": trainer.n_planned,
        "n_averaged_before": 0 if trainer.average is None else trainer.average.n_before,
        "learning_rate_factor": trainer.rate_factor,
        "n_samples": trainer.n_ordered,
        "generator": trainer.network.rng.bit_generator.state,
        "arrays": arrays_of(trainer, trainer.core.n_epochs),
    }


def put_there(trainer: Trainer, state: dict[str, Any], n_done: int) -> None:
    """Set a trainer that has begun to a saved state; ``ValueError`` if the state is impossible.

    ``n_done``: the number of epochs in the history. Everything is checked before anything changes, as the core checks
    nothing.
    """
    position = read_position(trainer, state["position"], n_done)
    arrays, saved = arrays_of(trainer, position["n_epochs"]), state["arrays"]
    check_alike(saved, arrays)
    n_samples, here = saved_whole(state, "n_samples", 1), len(trainer.data.X)
    if n_samples != here and (position["first"] > 0 or not trainer.endless):
        raise ValueError(f"its batches are from {n_samples} samples, and this fit has {here}")
    if n_samples == here and "order" in arrays and (np.sort(saved["order"][:here]) != np.arange(here)).any():
        raise ValueError("it has no valid order of the samples")
    if not all(np.isfinite(saved[name]).all() for name in ("params", "statistics")):
        raise ValueError("its parameters are not finite")
    for segment in trainer.network.layout.statistics:
        if segment.name == "running_variance" and (segment.view(saved["statistics"]) < 0).any():
            raise ValueError("it has a running variance below 0")
    first_step = saved_whole(state, "first_step")
    n_before = saved_whole(state, "n_averaged_before", 0, MOST if trainer.average is not None else 0)
    if first_step != trainer.first_step and not trainer.settings.warm_start:
        raise ValueError(f"first_step is {first_step}, expected {trainer.first_step}")
    n_planned = saved_whole(state, "n_planned")
    if (n_planned == 0) != (trainer.n_planned == 0) or n_planned % trainer.n_batches:
        raise ValueError(f"n_planned is {n_planned}, expected some epochs of {trainer.n_batches} steps")
    factor = saved_number(state, "learning_rate_factor")
    try:
        trainer.network.rng.bit_generator.state = state["generator"]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"it has no valid state of the network's random generator ({error!r:.60})") from None
    for name, array in arrays.items():
        array[:] = saved[name]
    trainer.first_step, trainer.rate_factor, trainer.n_ordered = first_step, factor, n_samples
    trainer.take_lengths(n_planned)
    if trainer.average is not None:
        trainer.average.n_before = n_before
    trainer.core.go_to(*position.values())
    done = trainer.core.n_steps
    if done < trainer.n_epochs * trainer.n_batches:
        trainer.fill_table(done - done % len(trainer.table) if trainer.changes else 0)


def arrays_of(trainer: Trainer, n_epochs: int) -> dict[str, NDArray[Any]]:
    """The arrays that change from step to step, after ``n_epochs`` epochs."""
    network = trainer.network
    arrays = {
        "params": network.params,
        "statistics": network.statistics,
        "kept_params": trainer.kept.params,
        "kept_statistics": trainer.kept.statistics,
        "record": trainer.records[n_epochs % len(trainer.records)],
        "losses": trainer.workspace.losses,
    }
    if trainer.state.vectors is not None:
        arrays["vectors"] = trainer.state.vectors
    if trainer.order is not None:
        arrays["order"] = trainer.order
    if trainer.average is not None:
        arrays |= {f"average_{name}": array for name, array in trainer.average.values._asdict().items()}
    return arrays


def read_position(trainer: Trainer, saved: dict[str, Any], n_done: int) -> dict[str, Any]:
    """The position in the order of `POSITION`; ``ValueError`` for one that the core cannot have."""
    position: dict[str, Any] = {
        "seed": saved_whole(saved, "seed", 0, 2**63 - 1),
        "n_steps": saved_whole(saved, "n_steps"),
        "n_epochs": saved_whole(saved, "n_epochs"),
        "first": saved_whole(saved, "first"),
        "best_loss": saved_number(saved, "best_loss", finite=False),
        "newest_loss": saved_number(saved, "newest_loss", finite=False),
        "newest": saved_whole(saved, "newest", 0, 1),
    }
    n_samples, first, n_epochs = len(trainer.data.X), position["first"], position["n_epochs"]
    if first >= n_samples or first % trainer.batch_size:
        raise ValueError(f"no batch begins at row {first} of {n_samples}")
    if trainer.endless:  # an epoch of the core is a block, with any number of batches
        if position["n_steps"] < n_epochs:
            raise ValueError(f"n_steps is {position['n_steps']}, for {n_epochs} blocks")
        return position
    if not n_done <= n_epochs <= min(n_done + 1, trainer.n_epochs):
        raise ValueError(f"n_epochs is {n_epochs}, but its history has {n_done}")
    n_steps = n_epochs * trainer.n_batches + first // trainer.batch_size
    if position["n_steps"] != n_steps or first // trainer.batch_size >= trainer.n_batches:
        raise ValueError(f"n_steps is {position['n_steps']}, expected {n_steps}")
    return position
