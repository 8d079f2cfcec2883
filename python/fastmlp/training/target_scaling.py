"""The scale of the targets, where the first fit is to find it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastmlp.data.inputs import check_scaled_targets, target_source
from fastmlp.data.rows import Targets
from fastmlp.model.model import Model
from fastmlp.model.target_scale import STANDARD, standard_scale


def check_targets_scale(network: Model, targets: Targets, argument: str = "y") -> None:
    """Raise ``ValueError`` if there is a scale of the targets, and they are class numbers, overflow, or it is not set.

    The scale may come from the targets of this fit, so only now can it be seen what overflows.
    """
    target_source(network, targets, argument)
    check_scaled_targets(network, targets, argument)


@contextmanager
def settling(network: Model, targets: Targets) -> Iterator[None]:
    """Settle ``target_scale="standard"`` by these targets, unless the fit is refused inside."""
    awaits = network.awaits_targets()
    if awaits and not targets.is_class:
        y = targets.rows.data.view(targets.rows.dtype)
        network.settle(standard_scale(y, targets.observed, network.dtype))
    try:
        yield
    except BaseException:
        if awaits:
            network.settle(STANDARD)
        raise
