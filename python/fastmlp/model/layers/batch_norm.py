"""Batch normalisation: columns brought to mean 0 and deviation 1 over a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnn_core.types import Kind
from fastmlp.checks.values import check_value
from fastmlp.model.layers.base import LATER, check_learning
from fastmlp.model.layers.norm import Norm


@dataclass(frozen=True, repr=False)
class BatchNorm(Norm):
    """Each column brought to mean 0 and deviation 1 over the batch, then ``gain * x + shift``.

    Prediction uses running statistics.

    Parameters
    ----------
    momentum : float, default 0.9
        From 0 to 1; the share of the running statistics that a batch leaves in place.
    epsilon : float, default 1e-5
        Above 0; added to the variance.
    trainable : bool, default True
        False: frozen. It uses its running statistics in training too, and leaves them as they are.
    learning_rate_factor : float, default 1.0
        Above 0; the learning rate of gain and shift is this times the optimizer's.

    Raises
    ------
    ValueError, TypeError
        Numbers outside their range.

    Notes
    -----
    Source: Ioffe and Szegedy, ICML 2015.

    Examples
    --------
    >>> BatchNorm()
    BatchNorm(momentum=0.9, epsilon=1e-05)
    """

    kind: ClassVar[int] = Kind.BATCH_NORM
    always_shown: ClassVar[tuple[str, ...]] = ("momentum", "epsilon")
    uses_batch: ClassVar[bool] = True
    statistics: ClassVar[dict[str, float]] = {"running_mean": 0.0, "running_variance": 1.0}
    n_statistics: ClassVar[int] = 4
    """The batch's own mean and 1 / deviation too."""

    momentum: float = 0.9
    epsilon: float = 1e-5
    trainable: bool = field(default=True, metadata=LATER)
    learning_rate_factor: float = field(default=1.0, metadata=LATER)

    def __post_init__(self) -> None:
        check_value("momentum", self.momentum, low=0.0, high=1.0, schedule=False)
        check_value("epsilon", self.epsilon, low=0.0, low_open=True, schedule=False)
        check_learning(self.trainable, self.learning_rate_factor)

    def row(self) -> dict[str, Any]:
        """Momentum and epsilon."""
        return {"momentum": self.momentum, "epsilon": self.epsilon}
