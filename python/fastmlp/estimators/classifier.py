"""MLPClassifier: scikit-learn's interface with more settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from fastmlp.estimators.base import BaseMLP
from fastmlp.estimators.documentation import with_shared_documentation
from fastmlp.estimators.labels import Labels, announced_labels, check_same, class_weights, find_labels
from fastmlp.estimators.querying import checked_if_sparse, query
from fastmlp.estimators.rules import has_epochs
from fastmlp.estimators.settings import loss_named
from fastmlp.estimators.validation import validation_set
from fastmlp.model.losses import Loss, make_loss
from fastmlp.passes.inference import scores

CROSS_ENTROPIES = ("log_loss", "cross_entropy", "binary_cross_entropy")
"""All mean the cross-entropy that fits the targets."""


@with_shared_documentation
class MLPClassifier(ClassifierMixin, BaseMLP):  # type: ignore[misc]
    """A multilayer perceptron for classification: scikit-learn's ``MLPClassifier``, trained by fastmlp.

    Two classes, several classes, or several labels for each row. The guide lists the differences from scikit-learn.

    Parameters
    ----------
    loss : str or Loss, default "log_loss"
        "log_loss", "cross_entropy" and "binary_cross_entropy" all mean the cross-entropy that fits the targets. Or
        another loss of fastmlp.
    class_weight : dict or "balanced", optional
        Weights of the classes, multiplied with the sample weights.
    scoring : str or callable, optional
        Validation score: "loss", the name of a scikit-learn scorer, or a function of estimator, X, y. None: accuracy.

    Attributes
    ----------
    out_activation_ : {"softmax", "logistic"}
        Activation of the outputs.
    classes_ : ndarray (n_classes,)
        Sorted classes; the columns of `predict_proba` have the same order.

    Examples
    --------
    >>> import fastmlp as fm
    >>> model = fm.MLPClassifier((8,), solver="lbfgs", random_state=1)
    >>> model.fit([[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "other", "other", "same"]).predict([[1, 0], [1, 1]])
    array(['other', 'same'], dtype='<U5')
    """

    def __init__(
        self,
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
        loss: Any = "log_loss",
        class_weight: Any = None,
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
        self.class_weight = class_weight
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

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None, *, X_val: Any = None,
        y_val: Any = None, sample_weight_val: Any = None,
    ) -> MLPClassifier:  # fmt: skip
        """Train the network.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            float64, float32 and uint8 arrays with contiguous rows, and CSR matrices, are read without a copy.
        y : array_like (n_samples,) or (n_samples, n_classes)
            Classes of any type; or an indicator matrix of 0 and 1, dense or sparse, for several labels in a row.
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
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Train for one epoch on these rows, from the weights and the optimizer state of the last call.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array_like (n_classes,), optional
            All classes of this and later calls. Required in the first call, unless y is an indicator matrix.

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
        self._fit(X, y, sample_weight, incremental=True, classes=classes)
        return self

    def predict(self, X: Any) -> Any:
        """Predict classes.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)

        Returns
        -------
        ndarray (n_samples,), or indicator matrix (n_samples, n_classes) of int64
            The most probable classes; for several labels 1 where the probability is above 0.5, as a CSR matrix if the
            training labels were sparse.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before the first fit.
        ValueError, TypeError
            If X does not fit.
        RuntimeError
            If another thread is training the network.
        """
        outputs, coding = self._outputs(X)
        return coding.decode(outputs)

    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)

        Returns
        -------
        ndarray (n_samples, n_classes)
            In the dtype of X if that is float32 or float64, else in the network's. Columns in the order of
            ``classes_``. Each row sums to 1, except with several labels.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before the first fit.
        ValueError, TypeError
            If X does not fit.
        RuntimeError
            If another thread is training the network.
        """
        outputs, coding = self._outputs(X)
        probabilities: NDArray[Any] = coding.probabilities(outputs)
        return probabilities

    def predict_log_proba(self, X: Any) -> NDArray[Any]:
        """Predict the logarithms of the probabilities: those of `predict_proba`, with the same arguments and errors.

        Returns
        -------
        ndarray (n_samples, n_classes)
            In the dtype of `predict_proba`. Computed from the scores before softmax or sigmoid, so finite and distinct
            also where a probability is rounded to 0 or 1. With several labels, those rounded to 1 are tied at 0, as in
            scikit-learn.
        """
        check_is_fitted(self)
        network, coding = self._take_over_weights()
        with self._reading(network):
            logs: NDArray[Any] = coding.log_probabilities(scores(network, *query(self, network, X)))
        return logs

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy of `predict`, as scikit-learn's classifiers do; ``ValueError`` for a malformed y."""
        return float(super().score(X, checked_if_sparse("y", y), sample_weight))

    def _check_rows(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = super()._check_rows(X, y, reset)
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _find_coding(self, y: Any, first: bool, incremental: bool, classes: Any) -> Labels:
        known: Labels | None = getattr(self, "_coding", None)
        if incremental and known is not None:
            if classes is not None and not np.array_equal(known.classes, np.unique(classes)):
                raise ValueError(
                    f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known.classes!r}"
                )
            known.check(y)
            return known
        if incremental:
            return announced_labels(y, classes)
        found = find_labels(y)
        if first or known is None:
            return found
        check_same(found, known)
        return known

    def _find_loss(self, coding: Labels) -> Loss:
        entropy = "cross_entropy" if coding.kind == "multiclass" else "binary_cross_entropy"
        given = loss_named(self, ("log_loss",))
        if given in CROSS_ENTROPIES:
            return make_loss(entropy)
        loss = make_loss(given)
        return replace(loss, name=entropy) if loss.name in CROSS_ENTROPIES else loss

    def _class_weights(self, y: Any, incremental: bool) -> NDArray[np.float64] | None:
        return class_weights(self.class_weight, y, incremental)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
