"""MLPRegressor: scikit-learn's arguments and attributes, and more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.classifier import has_epochs
from fastmlp.estimators.settings import invalid, loss_named
from fastmlp.losses import Loss, make_loss


@dataclass(frozen=True)
class Numbers:
    """Targets that are numbers already: one column or several."""

    n_outputs: int
    output: str
    stratifies: bool = False

    @property
    def attributes(self) -> dict[str, Any]:
        """What a fitted estimator says of its outputs."""
        return {"n_outputs_": self.n_outputs, "out_activation_": self.output}

    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        """y (n,) or (n, n_outputs) as it is."""
        n_columns = 1 if y.ndim == 1 else y.shape[1]
        if n_columns != self.n_outputs:
            raise ValueError(f"y must have {self.n_outputs} columns, one for each output, got {n_columns}")
        return y


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers: scikit-learn's ``MLPRegressor``, trained by fastmlp."""

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

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> MLPRegressor:
        """Train.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            float64, float32 and uint8 arrays in row order and CSR matrices are read as they are.
        y : array_like (n_samples,) or (n_samples, n_outputs)
            Numbers that the loss is defined for.
        sample_weight : array_like (n_samples,), optional
            A batch's loss is its weighted mean.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Scored after every epoch; with ``early_stopping`` in the place of a share of the samples.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight, validation_data)
        return self

    @available_if(has_epochs)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """One epoch over these rows, from where the last call left weights and optimizer.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.

        Returns
        -------
        self
        """
        self._fit(X, y, sample_weight, incremental=True)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Numbers (n_samples,), or (n_samples, n_outputs) where there are several outputs."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _check_rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = super()._check_rows(X, y, reset)
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _find_coding(self, y: Any, first: bool, incremental: bool, classes: Any) -> Numbers:
        if not first and hasattr(self, "_coding"):
            known: Numbers = self._coding
            return known
        loss = self._find_loss(None)
        return Numbers(1 if y.ndim == 1 else y.shape[1], loss.spec.default_output)

    def _find_loss(self, coding: Any) -> Loss:
        loss = make_loss(loss_named(self))
        if loss.spec.classification:
            raise invalid(self, "loss", "a loss for numbers, such as 'squared_error'")
        return loss

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
