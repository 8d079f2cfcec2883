"""MLPRegressor: scikit-learn's interface with more settings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.documentation import with_shared_documentation
from fastmlp.estimators.labels import Numbers
from fastmlp.estimators.querying import DTYPES, SPARSE
from fastmlp.estimators.rules import has_epochs
from fastmlp.estimators.scoring import mean_r2_of_observed
from fastmlp.estimators.settings import invalid, loss_named
from fastmlp.estimators.validation import validation_set
from fastmlp.model.losses import Loss, make_loss


def _squeezed(columns: NDArray[Any]) -> NDArray[Any]:
    """(n,) from a single column."""
    return columns[:, 0] if columns.shape[1] == 1 else columns


@with_shared_documentation
class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron for regression: scikit-learn's ``MLPRegressor``, trained by fastmlp.

    One target or several. The guide lists the differences from scikit-learn.

    Parameters
    ----------
    loss : str or Loss, default "squared_error"
        "squared_error", "poisson" (with an exponential output) or another loss of fastmlp, such as
        ``fm.Loss("quantile", q=0.9)`` or "gaussian", which predicts a standard deviation too.
    target_scale : "standard" or (shift, scale), optional
        The network learns ``(y - shift) * scale``; predictions and scores are in the units of y, losses are not.
        "standard": mean 0 and standard deviation 1 in `fit`; `partial_fit` needs a pair, as it never has all of y.
    scoring : str or callable, optional
        Validation score: "loss", the name of a scikit-learn scorer, or a function of estimator, X, y. None: R^2.

    Attributes
    ----------
    out_activation_ : str
        Activation of the outputs, from the loss: "exp" for "poisson", "identity" for the other losses by name.

    Examples
    --------
    >>> import fastmlp as fm
    >>> model = fm.MLPRegressor(hidden_layer_sizes=(8,), activation="tanh", solver="lbfgs", alpha=1e-6, random_state=0)
    >>> model.fit([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 4.0, 9.0]).predict([[2.0]]).round(2)
    array([4.])
    """

    _numeric_y = True

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: Any = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        init: Any = None,
        optimizer: Any = None,
        schedule: Any = None,
        clip_norm: float | None = None,
        scoring: Any = None,
        restore_best: bool | None = None,
        callbacks: Any = (),
        progress: bool = False,
        n_jobs: int | None = None,
        dtype: Any = None,
        wait: bool = False,
        target_scale: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.loss = loss
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.init = init
        self.optimizer = optimizer
        self.schedule = schedule
        self.clip_norm = clip_norm
        self.scoring = scoring
        self.restore_best = restore_best
        self.callbacks = callbacks
        self.progress = progress
        self.n_jobs = n_jobs
        self.dtype = dtype
        self.wait = wait
        self.target_scale = target_scale

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None, *, X_val: Any = None,
        y_val: Any = None, sample_weight_val: Any = None,
    ) -> MLPRegressor:  # fmt: skip
        """Train the network.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            float64, float32 and uint8 arrays with contiguous rows, and CSR matrices, are read without a copy.
        y : array_like (n_samples,) or (n_samples, n_outputs)
            Numbers that the loss allows.
        sample_weight : array_like (n_samples,), optional
            The loss of a batch is the weighted mean. None: all weights are 1.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Deprecated, as a `Pipeline` does not transform it: use ``X_val`` and ``y_val``.
        X_val, y_val : like X and y, optional
            Validation set, scored after every epoch. With ``early_stopping`` it replaces the split. In a ``Pipeline``
            with ``transform_input=["X_val"]`` the steps before transform X_val too.
        sample_weight_val : array_like (n_validation_samples,), optional
            Weights of the validation set.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If an argument of the constructor or of this method is invalid; the estimator is unchanged. Also if the loss
            becomes NaN or infinite. The messages follow scikit-learn's.
        RuntimeError
            If a fit of this estimator or its network is running, in another thread or around this call.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` is reached before training has converged.
        FutureWarning
            For ``validation_data``.
        """
        self._fit(X, y, sample_weight, validation_set(validation_data, X_val, y_val, sample_weight_val))
        return self

    @available_if(has_epochs)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch on these rows, from the weights and the optimizer state of the last call.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        self

        Raises
        ------
        AttributeError
            With L-BFGS, which needs all rows at once.
        ValueError, TypeError, RuntimeError
            As for `fit`; also with ``early_stopping``.
        """
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predict numbers.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
        return_std : bool, default False
            With ``loss="gaussian"``: return the standard deviations too, as ``GaussianProcessRegressor`` does.

        Returns
        -------
        ndarray (n_samples,) or (n_samples, n_outputs)
            One column for each output; without the second axis if there is one output. With ``loss="gaussian"``, the
            means, one column for each target. In the dtype of X if that is float32 or float64, else in the network's;
            computed in the wider of the two.
        ndarray of the same shape
            The standard deviations, only with ``return_std``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before the first fit.
        ValueError, TypeError
            If X does not fit, or ``return_std`` is set with another loss than "gaussian".
        RuntimeError
            If another thread is training the network.
        """
        outputs, _ = self._outputs(X)
        loss: Loss = self.network_.loss
        deviations = loss.form.deviations(outputs)
        if deviations is None:
            if return_std:
                raise ValueError(f"return_std=True needs loss='gaussian', got {loss.name!r}")
            return _squeezed(outputs)
        means = _squeezed(loss.form.estimates(outputs))
        return (means, _squeezed(deviations)) if return_std else means

    def _check_rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        if self._takes_missing():
            of_y = {"ensure_2d": False, "dtype": "numeric", "ensure_all_finite": "allow-nan"}
            of_X = {"accept_sparse": SPARSE, "dtype": DTYPES, "estimator": self}
            X, y = validate_data(self, X, y, reset=reset, validate_separately=(of_X, of_y))
            check_consistent_length(X, y)
        else:
            X, y = super()._check_rows(X, y, reset)
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _find_coding(self, y: Any, first: bool, incremental: bool, classes: Any) -> Numbers:
        if not first and hasattr(self, "_coding"):
            known: Numbers = self._coding
            known.check(y)
            return known
        if incremental and isinstance(self.target_scale, str):
            raise ValueError("target_scale must be a pair (shift, scale) for partial_fit, which never has all of y")
        loss = self._find_loss(None)
        return Numbers(1 if y.ndim == 1 else y.shape[1], loss.default_output, loss.outputs_per_target)

    def _takes_missing(self) -> bool:
        return isinstance(self.loss, Loss) and self.loss.missing

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R^2 of the predictions, averaged over the columns of y.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
        y : array_like (n_samples,) or (n_samples, n_outputs)
            With ``missing=True`` of the loss, NaN is left out: each column counts by the rows that have it.
        sample_weight : array_like (n_samples,), optional

        Returns
        -------
        float
            1 is perfect, 0 is as good as always predicting the mean.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError, TypeError, RuntimeError
            As `predict`.
        """
        if not (self._takes_missing() or (hasattr(self, "network_") and self.network_.loss.outputs_per_target > 1)):
            return float(super().score(X, y, sample_weight))
        X, y = self._check_rows(X, y, reset=False)
        outputs, _ = self._outputs(X)
        predicted = self.network_.loss.form.estimates(outputs)
        weights = None if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return mean_r2_of_observed(y.reshape(predicted.shape), predicted, weights)

    def _find_loss(self, coding: Any) -> Loss:
        loss = make_loss(loss_named(self))
        if loss.spec.classification:
            raise invalid(self, "loss", "a regression loss, such as 'squared_error'")
        return loss

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
