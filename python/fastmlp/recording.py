"""What the history gets of every epoch: what training gives, and what validation measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastmlp.history import History
from fastmlp.inference import measure
from fastmlp.training_data import TrainingData

if TYPE_CHECKING:
    from fastmlp.network import Network


def recorded_names(data: TrainingData) -> tuple[str, ...]:
    """The names that the history will have."""
    names = ("loss", "seconds", "learning_rate")
    if data.validation is None:
        return names
    return (*names, "val_loss", "val_accuracy") if data.validation[1].is_class else (*names, "val_loss")


def record(
    network: Network, data: TrainingData, history: History, n_threads: int | None, **values: list[float]
) -> None:
    """Add epochs to the history, with the validation loss and accuracy of the weights as they are now."""
    if data.validation is not None:
        X_val, y_val = data.validation
        measured = measure(network, X_val, y_val, None, n_threads)
        values |= {f"val_{name}": [value] for name, value in measured.items()}
    history.extend(**values)
