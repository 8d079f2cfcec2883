"""Settings of an object by name, as scikit-learn asks for them: for grids, Optuna and `sklearn.clone`."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from typing import Any, TypeVar

Self = TypeVar("Self", bound="HasParams")


class HasParams:
    """Base class of what is made from settings: optimizers, losses, schedules, layers, initializers and callbacks.

    Each argument of the constructor is an attribute of the same name.
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings.

        Parameters
        ----------
        deep : bool, default True
            Whether to add the settings of settings, as ``<name>__<setting>``.

        Returns
        -------
        dict
            Values by name.

        Examples
        --------
        >>> import fastmlp as fm
        >>> fm.SGD(fm.Exponential(0.1)).get_params()["learning_rate__rate"]
        0.96
        """
        settings = {name: getattr(self, name) for name in constructor_arguments(type(self))}
        if deep:
            for name, value in list(settings.items()):
                if isinstance(value, HasParams):
                    settings |= {f"{name}__{inner}": each for inner, each in value.get_params().items()}
        return settings

    def set_params(self: Self, **params: Any) -> Self:
        """Return a copy with other settings; the object itself does not change, as others may share it.

        Parameters
        ----------
        **params
            Settings by name; ``<name>__<setting>`` for a setting of a setting.

        Returns
        -------
        object of the same class

        Raises
        ------
        ValueError, TypeError
            For an unknown name, or a value that the constructor refuses.

        Examples
        --------
        >>> import fastmlp as fm
        >>> fm.SGD(fm.Exponential(0.1)).set_params(momentum=0.9, learning_rate__rate=0.5).learning_rate
        Exponential(initial=0.1, rate=0.5, every=1000)
        """
        settings = self.get_params(deep=False)
        for name in params:
            if name.partition("__")[0] not in settings:
                kind = type(self).__name__
                raise ValueError(f"Invalid parameter {name!r} for {kind}. Valid parameters are: {list(settings)!r}.")
        return type(self)(**settings | with_nested(settings, params))

    def __sklearn_clone__(self: Self) -> Self:
        return copy.deepcopy(self)


def with_nested(current: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """The new values by name: those given, and of ``<name>__<setting>`` a changed copy of the value there is.

    Raises ``ValueError`` if that value has no settings.
    """
    plain = {name: value for name, value in params.items() if "__" not in name}
    inner: dict[str, dict[str, Any]] = {}
    for name, value in params.items():
        outer, nested, rest = name.partition("__")
        if nested:
            inner.setdefault(outer, {})[rest] = value
    for outer, settings in inner.items():
        owner = plain.get(outer, current[outer])
        if not hasattr(owner, "set_params"):
            name = f"{outer}__{next(iter(settings))}"
            raise ValueError(f"Invalid parameter {name!r}: {outer} must be an object with settings, got {owner!r:.60}.")
        plain[outer] = owner.set_params(**settings)
    return plain


def constructor_arguments(kind: type[Any]) -> tuple[str, ...]:
    """The names of the constructor's arguments."""
    return tuple(inspect.signature(kind).parameters)
