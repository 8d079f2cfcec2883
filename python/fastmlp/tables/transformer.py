"""What scikit-learn asks of a transformer, without scikit-learn: settings by name, tags, frames as output."""

from __future__ import annotations

import sys
from abc import abstractmethod
from typing import Any, TypeVar

from numpy.typing import NDArray

from fastmlp.checks.errors import unknown_name
from fastmlp.checks.parameters import constructor_arguments

Self = TypeVar("Self", bound="Transformer")
_CONTAINERS = ("default", "pandas", "polars")


class Transformer:
    """Base of a transformer whose constructor keeps its arguments as they are."""

    _container: str | None = None

    @abstractmethod
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the features, in the order of the columns of the matrix."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name.

        Parameters
        ----------
        deep : bool, default True
            Makes no difference: no setting has settings.

        Returns
        -------
        dict
        """
        return {name: getattr(self, name) for name in constructor_arguments(type(self))}

    def set_params(self: Self, **params: Any) -> Self:
        """Change settings.

        Parameters
        ----------
        **params
            Settings by name.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For an unknown name.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise unknown_name(f"parameter of {type(self).__name__}", name, known)
        vars(self).update(params)
        return self

    def set_output(self: Self, *, transform: str | None = None) -> Self:
        """Choose what `transform` returns.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, optional
            An array, or a frame with the names of the features. None changes nothing.

        Returns
        -------
        self
        """
        if transform is not None:
            if transform not in _CONTAINERS:
                raise unknown_name("transform", transform, _CONTAINERS)
            self._container = transform
        return self

    def _contained(self, matrix: NDArray[Any], X: Any) -> Any:
        """The matrix as `set_output` or scikit-learn's configuration asks; a frame of pandas has the index of ``X``."""
        known = sys.modules.get("sklearn")
        container = self._container or (known.get_config()["transform_output"] if known else "default")
        if container == "pandas":
            import pandas as pd

            index = X.index if isinstance(X, pd.DataFrame) else None
            return pd.DataFrame(matrix, columns=self.get_feature_names_out(), index=index)
        if container == "polars":
            import polars as pl

            return pl.DataFrame(matrix, schema=self.get_feature_names_out().tolist())
        return matrix

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None, target_tags=TargetTags(required=False), transformer_tags=TransformerTags(),
            input_tags=InputTags(string=True, categorical=True, allow_nan=True),
        )  # fmt: skip

    def __repr__(self) -> str:
        defaults = type(self)().get_params()
        shown = [f"{name}={value!r:.60}" for name, value in self.get_params().items() if value != defaults[name]]
        return f"{type(self).__name__}({', '.join(shown)})"
