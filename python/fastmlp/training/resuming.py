"""The state of a trainer for a checkpoint, and setting a trainer of the same fit to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.training.checkpoint import check_alike
from fastmlp.training.trainer import Trainer

POSITION: dict[str, Callable[[Any], Any]] = {
    "seed": int, "n_steps": int, "n_epochs": int, "first": int, "best_loss": float, "newest_loss": float, "newest": int
}  # fmt: skip
"""The values of `Epochs.position`, in order."""


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


def put_there(trainer: Trainer, state: dict[str, Any]) -> None:
    """Set a trainer that has begun to a saved state; ``ValueError`` if the state is impossible.

    Everything is checked before anything changes, as the core checks nothing.
    """
    position = {name: number(state["position"][name]) for name, number in POSITION.items()}
    check_position(position, len(trainer.data.X), trainer.batch_size)
    arrays, saved = arrays_of(trainer, position["n_epochs"]), state["arrays"]
    check_alike(saved, arrays)
    n_samples, here = int(state["n_samples"]), len(trainer.data.X)
    if n_samples != here and (position["first"] > 0 or not trainer.endless):
        raise ValueError(f"its batches are from {n_samples} samples, and this fit has {here}")
    if n_samples == here and "order" in arrays and (np.sort(saved["order"][:here]) != np.arange(here)).any():
        raise ValueError("it has no valid order of the samples")
    first_step, n_before = int(state["first_step"]), int(state["n_averaged_before"])
    n_planned = int(state["n_planned"])
    if not 0 <= n_planned < 2**62 or (n_planned == 0) != (trainer.n_planned == 0):
        raise ValueError(f"n_planned is {n_planned}")
    factor = float(state["learning_rate_factor"])
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


def check_position(position: dict[str, Any], n_samples: int, batch_size: int) -> None:
    """Raise ``ValueError`` for a position that the core cannot have."""
    first = position["first"]
    if not 0 <= first < n_samples or first % batch_size:
        raise ValueError(f"no batch begins at row {first} of {n_samples}")
    for name, limit in (("seed", 2**63), ("n_steps", 2**62), ("n_epochs", 2**62), ("newest", 2)):
        if not 0 <= position[name] < limit:
            raise ValueError(f"{name} is {position[name]}")
