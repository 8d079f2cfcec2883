"""Batch normalisation: scale each column to mean 0 and standard deviation 1 over the batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from cnn_core.types import Kind
from fastmlp.checks.values import check_value
from fastmlp.model.fields import LATER
from fastmlp.model.layers.base import check_learning
from fastmlp.model.layers.norm import Norm


@dataclass(frozen=True, repr=False)
class BatchNorm(Norm):
    """Batch normalisation: scale each column to mean 0 and deviation 1 over the batch, then ``gain * x + shift``.

    Prediction uses running statistics instead of those of the batch. Training needs batches of at least two rows.

    Parameters
    ----------
    momentum : float, default 0.9
        Share of the running statistics that stays after a full batch, from 0 to 1.
    epsilon : float, default 1e-5
        Added to the variance. Above 0.
    trainable : bool, default True
        False freezes the layer: training too uses the running statistics, and changes nothing in the layer.
    learning_rate_factor : float, default 1.0
        Multiplies the optimizer's learning rate for gain and shift. Above 0.

    Raises
    ------
    TypeError
        If an argument is not a number, or ``trainable`` not a bool.
    ValueError
        If a number is out of range.

    Notes
    -----
    After a batch of n rows, a share s of the running statistics stays, and 1 - s comes from the batch's mean and
    unbiased variance. s is ``momentum ** (n / batch_size)``, so every row counts the same. If fewer rows than half a
    batch are left over at the end of an epoch, they are part of the batch before: a batch has from 1/2 to 3/2
    ``batch_size`` rows.

    Source: Ioffe and Szegedy, ICML 2015; weighting by rows is our own.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.BatchNorm()
    BatchNorm(momentum=0.9, epsilon=1e-05)
    >>> fm.Network([4, fm.Dense(8), fm.BatchNorm(), fm.Activation("relu"), 1]).n_params
    65
    """

    kind: ClassVar[int] = Kind.BATCH_NORM
    always_shown: ClassVar[tuple[str, ...]] = ("momentum", "epsilon")
    uses_batch: ClassVar[bool] = True
    statistics: ClassVar[dict[str, float]] = {"running_mean": 0.0, "running_variance": 1.0}
    n_statistics: ClassVar[int] = 4
    """The running statistics, and the mean and 1 / deviation of the batch."""

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
