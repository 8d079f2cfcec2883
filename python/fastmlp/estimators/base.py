"""What classifier and regressor share: the steps of a fit, the fitted attributes, and predictions."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from cnn_core.machine.access import Access
from fastmlp.estimators import conversion, storing
from fastmlp.estimators.building import build_network, check_unchanged, choose_dtype, put_weights, views_of
from fastmlp.estimators.conflicts import check_conflicts
from fastmlp.estimators.fitting import Course, check_weights, split, unchanged_if_refused
from fastmlp.estimators.labels import Coding
from fastmlp.estimators.parameters import NestedParams
from fastmlp.estimators.quasi_newton import fit_to_all
from fastmlp.estimators.querying import DTYPES, SPARSE, checked_if_sparse, query
from fastmlp.estimators.rules import is_quasi_newton, records_epochs
from fastmlp.estimators.scoring import Samples
from fastmlp.estimators.settings import check_settings
from fastmlp.estimators.watching import Record
from fastmlp.model.losses import Loss
from fastmlp.network import Network
from fastmlp.passes.inference import predict

FITTED = itemgetter("network_", "_coding", "coefs_", "intercepts_", "_shown")
"""Attributes that belong together. One call reads them all: a fit in another thread sets them all at once."""


class BaseMLP(NestedParams, ABC):
    """A multilayer perceptron with scikit-learn's interface; see `MLPClassifier` and `MLPRegressor`."""

    network_: Network
    _coding: Any
    _numeric_y = False
    target_scale: Any = None

    @abstractmethod
    def _find_coding(self, y: Any, first: bool, incremental: bool, classes: Any) -> Coding:
        """Choose the coding of checked targets; ``ValueError`` if they do not fit."""

    @abstractmethod
    def _find_loss(self, coding: Any) -> Loss:
        """The loss of the network."""

    def _class_weights(self, y: Any, incremental: bool) -> NDArray[np.float64] | None:
        """Sample weights (n,) from the class weights."""
        return None

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, given: Any = None, incremental: bool = False,
        classes: Any = None,
    ) -> None:  # fmt: skip
        with self._one_fit(), unchanged_if_refused(self):
            check_settings(self)
            check_conflicts(self, None if given is None else "X_val", incremental)
            first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
            X, y = self._check_rows(X, y, reset=first)
            coding = self._find_coding(y, first, incremental, classes)
            samples = Samples(X, coding.encode(y), self._weights(X, y, sample_weight, incremental), y)
            random = check_random_state(self.random_state)
            network, loss = self._network(first, X, coding, random)
            samples, validation = self._validation(samples, given, coding, random, incremental)
            if first:
                network.rng = np.random.default_rng(random.randint(2**32, size=4, dtype=np.uint32))
            record = Record() if first or not hasattr(self, "_record") else deepcopy(self._record)
            course = None
            with network._access.to_train(bool(self.wait)):
                network.loss = loss
                if records_epochs(self):
                    n_epochs = 1 if incremental else int(self.max_iter)
                    course = Course(self, network, coding, record, samples, validation, n_epochs, not incremental)
                    course.run()
                    n_iter = course.watch.n_epochs
                    last_loss = record.loss_curve[-1] if record.loss_curve else math.nan
                else:
                    last_loss, n_iter = fit_to_all(self, network, samples)
            self._finish(network, coding, record, course is not None, loss_=last_loss, n_iter_=n_iter)
        if course is not None and not incremental:
            course.warn_of_the_end()

    def _check_rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = checked_if_sparse("X", X), checked_if_sparse("y", y)
        checked: tuple[Any, Any] = validate_data(
            self, X, y, accept_sparse=SPARSE, multi_output=True, dtype=DTYPES, reset=reset, y_numeric=self._numeric_y
        )
        return checked

    def _weights(self, X: Any, y: Any, sample_weight: Any, incremental: bool) -> NDArray[np.float64] | None:
        """The sample weights times the class weights of their rows."""
        weights, of_classes = check_weights(sample_weight, X), self._class_weights(y, incremental)
        if weights is None or of_classes is None:
            return weights if of_classes is None else of_classes
        return weights * of_classes

    def _network(self, first: bool, X: Any, coding: Coding, random: np.random.RandomState) -> tuple[Network, Loss]:
        """A new network, or the fitted one, and the loss to train it with."""
        loss = self._find_loss(coding)
        if not first and hasattr(self, "network_"):
            self._take_over_weights()
            check_unchanged(self, self.network_)
            return self.network_, loss
        dtype = choose_dtype(self.dtype, X, not is_quasi_newton(self))
        network = build_network(self, X.shape[1], coding.n_outputs, coding.output, loss, dtype, random)
        if not first:  # the user has set the weights
            put_weights(network, self.coefs_, self.intercepts_)
        return network, loss

    def _validation(
        self, samples: Samples, validation: Any, coding: Coding, random: np.random.RandomState, incremental: bool
    ) -> tuple[Samples, Samples | None]:
        """The training set and the validation set: the user's own, or a part of the samples."""
        if self.early_stopping and incremental:
            raise ValueError("partial_fit does not support early_stopping=True")
        if validation is not None:
            X, y = self._check_rows(validation[0], validation[1], reset=False)
            coding.check(y)
            return samples, Samples(X, coding.encode(y), check_weights(validation[2], X), y)
        if not (self.early_stopping and records_epochs(self)):
            return samples, None
        return split(samples, self.validation_fraction, random, coding.stratifies)

    def _finish(self, network: Network, coding: Coding, record: Record, by_epochs: bool, **more: Any) -> None:
        """Set the fitted attributes all at once, as another thread may be predicting."""
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
        """The network and its coding, after copying in arrays that the user has put into coefs_ or intercepts_."""
        network, coding, coefs, intercepts, shown = FITTED(vars(self))
        now = (*coefs, *intercepts)
        if len(now) != len(shown) or any(a is not b for a, b in zip(now, shown, strict=True)):
            put_weights(network, coefs, intercepts)
            self.__dict__.update(views_of(network))
        return network, coding

    @contextmanager
    def _one_fit(self) -> Iterator[None]:
        """``RuntimeError`` if a fit is running already: around this one, or in another thread unless this one waits."""
        access: Access = self.__dict__.setdefault("_access", Access())
        with access.to_train(bool(self.wait)):
            yield

    def _reading(self, network: Network) -> AbstractContextManager[Any]:
        """Inside, no other thread can train the network; entered in turn if this estimator waits."""
        return network._access.to_read(True) if self.wait else nullcontext()

    def _outputs(self, X: Any) -> tuple[NDArray[Any], Any]:
        """The network's outputs (n, n_outputs) for the user's rows, and the coding to decode them with."""
        check_is_fitted(self)
        network, coding = self._take_over_weights()
        with self._reading(network):
            if type(X) is np.ndarray and X.ndim == 2 and X.dtype in DTYPES and not hasattr(self, "feature_names_in_"):
                try:
                    return network.predict(X), coding
                except (ValueError, TypeError):
                    pass  # scikit-learn raises its own error below
            return predict(network, *query(self, network, X)), coding

    @classmethod
    def from_sklearn(cls, fitted: Any) -> Any:
        """Convert a fitted estimator of scikit-learn; the result predicts the same.

        Parameters
        ----------
        fitted : sklearn.neural_network.MLPClassifier or sklearn.neural_network.MLPRegressor
            The class of the same name as this one.

        Returns
        -------
        MLPClassifier or MLPRegressor
            With copies of its arguments, weights, curves and scores, but not of the optimizer state.

        Raises
        ------
        TypeError, sklearn.exceptions.NotFittedError
            If ``fitted`` is anything else, or not fitted.
        """
        return conversion.from_sklearn(cls, fitted)

    def to_sklearn(self) -> Any:
        """Convert to scikit-learn's estimator of the same name; the result predicts the same.

        Returns
        -------
        sklearn.neural_network.MLPClassifier or sklearn.neural_network.MLPRegressor
            With copies of the arguments it knows, the weights, curves and scores, but not of the optimizer state.

        Raises
        ------
        ValueError, sklearn.exceptions.NotFittedError
            If scikit-learn lacks the activation, different activations in one network, or batch norm; before a fit.
        """
        return conversion.to_sklearn(self)

    def save(self, path: str | os.PathLike[str], *, allow_nan: bool = False) -> None:
        """Write the fitted estimator to a safetensors file, atomically; `load` reads it.

        Parameters
        ----------
        path : str or path
            An existing file is replaced.
        allow_nan : bool, default False
            Whether weights may be NaN or infinite.

        Raises
        ------
        ValueError, OSError, sklearn.exceptions.NotFittedError
            As for `Network.save`; also if classes are not numbers, booleans or strings, and before a fit.

        Notes
        -----
        The file has the network with the optimizer state, the arguments, classes, feature names, curves and scores: a
        loaded estimator predicts and trains on to the same bits. Arguments that are code (a function, a callback, a
        RandomState) and the settings of scikit-learn's metadata routing are left out. `fastmlp.load` and the command
        ``fastmlp predict`` read the network from the same file.
        """
        storing.save_estimator(self, path, allow_nan)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, allow_nan: bool = False) -> Any:
        """Read a fitted estimator that `save` has written. Nothing in the file is ever executed.

        Parameters
        ----------
        path : str or path
        allow_nan : bool, default False
            Whether weights may be NaN or infinite.

        Returns
        -------
        MLPClassifier or MLPRegressor

        Raises
        ------
        ValueError, OSError
            If the file has another estimator or only a network, is damaged, inconsistent or of a newer format, or
            cannot be opened.

        Warns
        -----
        UserWarning
            Names the arguments that `save` has left out; they have their defaults.
        """
        return storing.load_estimator(cls, path, allow_nan)

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy, without the views of the network: `__setstate__` makes new ones."""
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
