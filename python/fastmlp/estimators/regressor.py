"""MLPRegressor: scikit-learn's arguments and attributes, and more."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.labels import Numbers
from fastmlp.estimators.rules import has_epochs
from fastmlp.estimators.settings import invalid, loss_named
from fastmlp.model.losses import Loss, make_loss


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron that predicts numbers: scikit-learn's ``MLPRegressor``, trained by fastmlp.

    One target or several. See the guide for what differs from scikit-learn.

    Parameters
    ----------
    loss : str or Loss, default "squared_error"
        "squared_error", "poisson" (with an exponential output) or another loss of fastmlp, such as
        ``fm.Loss("quantile", q=0.9)``.
    hidden_layer_sizes : int or sequence of int, default (100,)
        Units of the hidden layers; empty for none.
    activation : str or sequence of str, default "relu"
        "identity", "logistic", "tanh", "relu" or another name of `fastmlp.model.activations`; a list has one for each
        layer.
    solver : {"adam", "sgd", "lbfgs"}, default "adam"
        The update rule, with scikit-learn's formulas (Kingma and Ba, ICLR 2015; Polyak 1964; Liu and Nocedal 1989).
    alpha : float, default 1e-4
        L2 penalty: a batch of n rows (or of summed weight n) adds alpha / (2 n) * the sum of squared weights.
    batch_size : int or "auto", default "auto"
        Rows of a batch; "auto" is the smaller of 200 and all.
    learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
        Of "sgd": ``learning_rate_init`` throughout; divided by (rows seen + 1) ** ``power_t`` after every epoch; or
        divided by 5 where the fit would have stopped, down to 1e-6.
    learning_rate_init : float, default 1e-3
        Of "sgd" and "adam".
    power_t : float, default 0.5
        See ``learning_rate``.
    max_iter : int, default 200
        Epochs at most, or iterations of L-BFGS.
    shuffle : bool, default True
        A new order of the rows in every epoch.
    random_state : int, RandomState or None
        Fixes weights, the split for validation, orders and dropout.
    tol : float, default 1e-4
        An epoch counts as still if it doesn't better the best loss, or validation score, by so much.
    verbose : bool or int, default False
        Print every epoch.
    warm_start : bool, default False
        `fit` goes on from weights and momenta of the last one.
    momentum : float, default 0.9
        Of "sgd"; with ``nesterovs_momentum`` (default True) in Nesterov's form.
    early_stopping : bool, default False
        Stop by a validation score instead of the training loss, and put the best weights back. The rows are
        ``validation_data`` of `fit`, or the share ``validation_fraction`` (default 0.1) of the samples.
    beta_1, beta_2, epsilon : float, default 0.9, 0.999, 1e-8
        Of "adam".
    n_iter_no_change : int or inf, default 10
        More still epochs than that in a row end the fit.
    max_fun : int, default 15000
        Evaluations of L-BFGS at most.
    dropout : float, schedule or sequence of them, default 0.0
        Share of each hidden layer's units left out at a step.
    batch_norm : bool, default False
        A `BatchNorm` between every hidden layer's sums and its activation.
    init : str or initializer, optional
        None: as scikit-learn draws, number for number; else as in `Network`.
    optimizer : str or optimizer, optional
        In the place of ``solver`` and its numbers.
    schedule : callable, optional
        Step -> learning rate of "sgd" or "adam".
    clip_norm : float, optional
        A gradient longer than this is made as long.
    scoring : str or callable, optional
        Of the validation: "loss", the name of a scikit-learn scorer, or a function of estimator, X, y. None: R^2.
    restore_best : bool, optional
        Whether the best weights come back, by score, or by loss where there is no validation. None: with
        ``early_stopping``.
    callbacks : sequence, default ()
        As for `Network.fit`.
    progress : bool, default False
        Show a bar.
    n_jobs : int, optional
        Threads of a fit. None: as many as a batch is worth, one within a worker of joblib; -1: all.
    dtype : {"float32", "float64"}, optional
        None: float32 for float32 and uint8 data, and for more than 2000 rows of float64 taken in batches; else float64.

    Attributes
    ----------
    network_ : Network
        The fitted network.
    coefs_, intercepts_ : lists of ndarray (n_in, n_out) and (n_out,)
        Writable views of its parameters.
    loss_, best_loss_ : float
        Of the last epoch, and the smallest; ``best_loss_`` is None with ``early_stopping``.
    loss_curve_ : list of float
        One number per epoch.
    validation_scores_, validation_loss_curve_ : lists of float, or None without validation
        One number per epoch.
    best_validation_score_ : float or None
        The largest.
    n_iter_, t_ : int
        Epochs of the last fit; rows trained on in all.
    n_layers_, n_outputs_, n_features_in_ : int
        Sizes, the input counted as a layer.
    feature_names_in_ : ndarray of str
        Where X was a frame.
    out_activation_ : str
        "softmax", "logistic", "identity", "exp".

    Raises
    ------
    ValueError, TypeError
        By `fit`: arguments and data that don't fit, in scikit-learn's words; the estimator is as it was. Also for a
        loss that stopped being finite.

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
        outputs, _ = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _check_rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = super()._check_rows(X, y, reset)
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _find_coding(self, y: Any, first: bool, incremental: bool, classes: Any) -> Numbers:
        if not first and hasattr(self, "_coding"):
            known: Numbers = self._coding
            known.check(y)
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
