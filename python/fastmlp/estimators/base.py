"""What classifier and regressor share: the way of a fit, the attributes it leaves, and predictions."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from cnn_core.machine.access import Access
from fastmlp.data import rows as data
from fastmlp.estimators import conversion, storing
from fastmlp.estimators.building import build_network, choose_dtype, hidden_layers, put_weights, views_of
from fastmlp.estimators.fitting import Course, split
from fastmlp.estimators.labels import Coding
from fastmlp.estimators.quasi_newton import fit_to_all
from fastmlp.estimators.rules import is_quasi_newton, records_epochs
from fastmlp.estimators.scoring import Samples
from fastmlp.estimators.settings import check_settings
from fastmlp.estimators.watching import Record
from fastmlp.model.losses import Loss
from fastmlp.network import Network

DTYPES = (np.float64, np.float32, np.uint8)
"""Of X: read as they are; anything else becomes float64."""
SPARSE = ("csr", "csc")
FITTED = itemgetter("network_", "_coding", "coefs_", "intercepts_", "_shown")
"""What belongs together: read in one call, as a fit in another thread sets all at once."""


class BaseMLP(BaseEstimator, ABC):  # type: ignore[misc]
    """A multilayer perceptron with the ways of scikit-learn; see `MLPClassifier` and `MLPRegressor`."""

    network_: Network
    _coding: Any
    _numeric_y = False

    @abstractmethod
    def _find_coding(self, y: Any, first: bool, incremental: bool, classes: Any) -> Coding:
        """How checked targets are to be coded; ``ValueError`` for targets that don't fit."""

    @abstractmethod
    def _find_loss(self, coding: Any) -> Loss:
        """The loss in the engine's terms."""

    def _class_weights(self, y: Any, incremental: bool) -> NDArray[np.float64] | None:
        """Weights (n,) that the classes give to the samples."""
        return None

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, validation_data: Any = None, incremental: bool = False,
        classes: Any = None,
    ) -> None:  # fmt: skip
        with self._one_fit(), unchanged_if_refused(self):
            check_settings(self)
            first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
            X, y = self._check_rows(X, y, reset=first)
            coding = self._find_coding(y, first, incremental, classes)
            samples = Samples(X, coding.encode(y), self._weights(X, y, sample_weight, incremental), y)
            random = check_random_state(self.random_state)
            network, loss = self._network(first, X, coding, random)
            samples, validation = self._validation(samples, validation_data, coding, random, incremental)
            if first:
                network.rng = np.random.default_rng(random.randint(2**32, size=4, dtype=np.uint32))
            record = Record() if first or not hasattr(self, "_record") else deepcopy(self._record)
            course = None
            with network._access.training:
                network.loss = loss
                if records_epochs(self):
                    n_epochs = 1 if incremental else int(self.max_iter)
                    course = Course(self, network, coding, record, samples, validation, n_epochs)
                    course.run()
                    n_iter = course.watch.n_epochs
                    last_loss = record.loss_curve[-1] if record.loss_curve else math.nan
                else:
                    last_loss, n_iter = fit_to_all(self, network, samples)
            self._finish(network, coding, record, course is not None, loss_=last_loss, n_iter_=n_iter)
        if course is not None and not incremental:
            course.warn_of_the_end()

    def _check_rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        checked: tuple[Any, Any] = validate_data(
            self, X, y, accept_sparse=SPARSE, multi_output=True, dtype=DTYPES, reset=reset, y_numeric=self._numeric_y
        )
        return checked

    def _weights(self, X: Any, y: Any, sample_weight: Any, incremental: bool) -> NDArray[np.float64] | None:
        """Sample weights and those of the classes, multiplied."""
        weights, of_classes = check_weights(sample_weight, X), self._class_weights(y, incremental)
        if weights is None or of_classes is None:
            return weights if of_classes is None else of_classes
        return weights * of_classes

    def _network(self, first: bool, X: Any, coding: Coding, random: np.random.RandomState) -> tuple[Network, Loss]:
        """A new network, or the one there is, and the loss to train it by."""
        loss = self._find_loss(coding)
        if not first and hasattr(self, "network_"):
            self._take_over_weights()
            if list(self.network_.layers[:-1]) != hidden_layers(self):
                raise ValueError(
                    "a fit that goes on needs the layers that the network has; hidden_layer_sizes, activation, dropout "
                    f"or batch_norm have changed since: {self.network_!r}"
                )
            return self.network_, loss
        dtype = choose_dtype(self.dtype, X, not is_quasi_newton(self))
        network = build_network(self, X.shape[1], coding.n_outputs, coding.output, loss, dtype, random)
        if not first:  # weights that were set by hand
            put_weights(network, self.coefs_, self.intercepts_)
        return network, loss

    def _validation(
        self, samples: Samples, validation_data: Any, coding: Coding, random: np.random.RandomState, incremental: bool
    ) -> tuple[Samples, Samples | None]:
        """What to train on and what to validate with: the user's own rows, or some of the samples."""
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if validation_data is not None:
            if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
                expected = "a pair (X, y) or a triple (X, y, sample_weight)"
                raise ValueError(f"validation_data must be {expected}, got {type(validation_data).__name__}")
            X, y = self._check_rows(validation_data[0], validation_data[1], reset=False)
            coding.check(y)
            weights = check_weights(validation_data[2] if len(validation_data) == 3 else None, X)
            return samples, Samples(X, coding.encode(y), weights, y)
        if not (self.early_stopping and records_epochs(self)):
            return samples, None
        return split(samples, self.validation_fraction, random, coding.stratifies)

    def _finish(self, network: Network, coding: Coding, record: Record, by_epochs: bool, **more: Any) -> None:
        """Set the attributes that a fit leaves, all at once: another thread may be predicting."""
        left = {
            "network_": network,
            "_coding": coding,
            **coding.attributes,
            "n_layers_": len(network.weights) + 1,
            "t_": record.t,
            "_record": record,
            "_no_improvement_count": record.still,
            **views_of(network),
            **more,
        }
        if by_epochs:
            validated = bool(record.validation_scores)
            left |= {
                "loss_curve_": record.loss_curve,
                "best_loss_": None if self.early_stopping else record.best_loss,
                "validation_scores_": record.validation_scores if validated else None,
                "validation_loss_curve_": record.validation_losses if validated else None,
                "best_validation_score_": record.best_score if validated else None,
            }
        self.__dict__.update(left)

    def _take_over_weights(self) -> tuple[Network, Any]:
        """The network and its coding, when arrays that the user put into coefs_ or intercepts_ are in the network."""
        network, coding, coefs, intercepts, shown = FITTED(vars(self))
        now = (*coefs, *intercepts)
        if len(now) != len(shown) or any(a is not b for a, b in zip(now, shown, strict=True)):
            put_weights(network, coefs, intercepts)
            self.__dict__.update(views_of(network))
        return network, coding

    @contextmanager
    def _one_fit(self) -> Iterator[None]:
        """``RuntimeError`` for a fit while another one runs: in another thread, or around this one."""
        access: Access = self.__dict__.setdefault("_access", Access())
        with access.training:
            yield

    def _outputs(self, X: Any) -> tuple[NDArray[Any], Any]:
        """The network's outputs (n, n_outputs) for rows as the user gives them, and the coding that goes with them."""
        check_is_fitted(self)
        network, coding = self._take_over_weights()
        if type(X) is np.ndarray and X.ndim == 2 and X.dtype in DTYPES and not hasattr(self, "feature_names_in_"):
            try:
                return network.predict(X), coding
            except (ValueError, TypeError):
                pass  # scikit-learn finds the words below
        X = validate_data(self, X, accept_sparse=SPARSE, dtype=DTYPES, reset=False)
        return network.predict(X), coding

    @classmethod
    def from_sklearn(cls, fitted: Any) -> Any:
        """An estimator with the arguments, weights and history of scikit-learn's fitted one; it predicts the same.

        Raises ``TypeError`` for anything else than scikit-learn's class of this name.
        """
        return conversion.from_sklearn(cls, fitted)

    def to_sklearn(self) -> Any:
        """scikit-learn's estimator of this name with these arguments, weights and history; it predicts the same.

        Raises ``ValueError`` for what scikit-learn hasn't: other activations or one for each layer, batch norms.
        """
        return conversion.to_sklearn(self)

    def save(self, path: str | os.PathLike[str], *, allow_nan: bool = False) -> None:
        """Write the fitted estimator to a safetensors file, all at once or not at all; `load` gives it back.

        Kept are the network with the optimizer's momenta, the arguments, classes, feature names and the record of the
        fits, so that predictions, warm starts and `partial_fit` go on as here, to the bit. An argument that is code (a
        function, a callback, a RandomState) is left out, and so is what scikit-learn's metadata routing was told.
        `fastmlp.load` reads the network alone, and the command ``fastmlp predict`` takes the file too.

        Parameters
        ----------
        path : str or path
            An existing file is replaced.
        allow_nan : bool, default False
            Whether weights of NaN or infinity may be written.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            There is nothing to write yet.
        ValueError
            As for `Network.save`; classes that are neither numbers nor texts.
        OSError
            The file can't be written.
        """
        storing.save_estimator(self, path, allow_nan)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, allow_nan: bool = False) -> Any:
        """The estimator that `save` wrote, as fitted as it was; nothing in the file is ever executed.

        Warns of arguments that the file could not hold: their defaults stand there.

        Raises
        ------
        ValueError
            The file holds another estimator or a network alone, or is damaged, inconsistent or of a newer format.
        OSError
            The file can't be opened.
        """
        return storing.load_estimator(cls, path, allow_nan)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: the views of the network are made anew behind it."""
        if "network_" in vars(self):
            self._take_over_weights()
        state: dict[str, Any] = super().__getstate__().copy()
        state.pop("_access", None)
        if "network_" in state:
            for name in ("coefs_", "intercepts_", "_shown"):
                del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "network_" in vars(self):
            if not self.network_.params.flags.writeable:  # it came from a memory map
                self.network_ = self.network_.copy()
            self.__dict__.update(views_of(self.network_))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.non_deterministic = False
        return tags


@contextmanager
def unchanged_if_refused(estimator: BaseMLP) -> Iterator[None]:
    """A fit that is refused leaves the estimator as it was."""
    before = vars(estimator).copy()
    try:
        yield
    except Exception:
        for name in vars(estimator).keys() - before.keys():
            del estimator.__dict__[name]
        estimator.__dict__.update(before)
        raise


def check_weights(sample_weight: Any, X: Any) -> NDArray[np.float64] | None:
    """Sample weights (n,) in float64; ``ValueError`` if all are zero."""
    if sample_weight is None:
        return None
    weights: NDArray[np.float64] = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if not weights.any():
        raise ValueError("sample_weight must hold a weight that is not zero; all are zero")
    return data.check_weights(weights, len(weights))
