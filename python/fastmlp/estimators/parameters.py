"""Settings of an estimator's optimizer, loss, schedule and callback by name: ``optimizer__learning_rate``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.base import BaseEstimator

from fastmlp.checks.parameters import with_nested
from fastmlp.model.initializers import make_initializer
from fastmlp.model.losses import make_loss
from fastmlp.optimizers import make_optimizer

Self = TypeVar("Self", bound="NestedParams")

MAKERS: dict[str, Callable[[Any], Any]] = {
    "optimizer": make_optimizer, "loss": make_loss, "init": make_initializer
}  # fmt: skip
"""What makes an object of a setting that may also be a name."""


class NestedParams(BaseEstimator):  # type: ignore[misc]
    """An estimator whose settings may be objects with settings."""

    def set_params(self: Self, **params: Any) -> Self:
        """Change settings of this estimator.

        Parameters
        ----------
        **params
            Settings by name. ``optimizer__learning_rate`` is a setting of the optimizer: the estimator gets a changed
            copy of it, so that another estimator with the same optimizer keeps its own. An optimizer, loss or
            initializer given by name becomes an object.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            For an unknown name, or a value that the optimizer, loss, schedule, initializer or callback refuses.
        """
        known = self.get_params(deep=False)
        unknown = [name for name in params if "__" not in name or name.partition("__")[0] not in known]
        super().set_params(**{name: params[name] for name in unknown})
        nested = {name: value for name, value in params.items() if name not in unknown}
        current = self.get_params(deep=False)
        for name in {name.partition("__")[0] for name in nested} & MAKERS.keys():
            if isinstance(current[name], str):
                current[name] = MAKERS[name](current[name])
        self.__dict__.update(with_nested(current, nested))
        return self
