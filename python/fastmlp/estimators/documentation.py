"""The parameters and attributes that `MLPClassifier` and `MLPRegressor` share, documented once.

`with_shared_documentation` fills them into the docstring of a class, where `help` and notebooks find them. The
docstring in the source lists only what is the class's own.
"""

from __future__ import annotations

import re
from inspect import cleandoc, signature
from typing import Any, TypeVar

Estimator = TypeVar("Estimator", bound=type[Any])

PARAMETERS = """
hidden_layer_sizes : int or sequence of int, default (100,)
    Units of each hidden layer; an empty sequence for no hidden layer.
activation : str or sequence of str, default "relu"
    Activation of the hidden layers: "identity", "logistic", "tanh", "relu" or another name of
    `fastmlp.model.activations`. A sequence has one name for each layer.
solver : {"adam", "sgd", "lbfgs"}, default "adam"
    Optimizer, with scikit-learn's formulas: Adam (Kingma and Ba, ICLR 2015), gradient descent with momentum (Polyak,
    1964) or L-BFGS (Liu and Nocedal, 1989).
alpha : float, default 1e-4
    Strength of the L2 penalty. A batch of n rows (with sample weights: of total weight n) adds alpha / (2 n) times the
    sum of squared weights to the loss.
batch_size : int or "auto", default "auto"
    Rows of a mini-batch; "auto" is min(200, n_samples). L-BFGS uses all rows at once. With ``batch_norm``, at least 2,
    and a rest of fewer than half a batch is part of the last one.
learning_rate : {"constant", "invscaling", "adaptive"}, default "constant"
    Learning rate of "sgd". "constant" keeps ``learning_rate_init``. "invscaling" divides it after every epoch by
    (rows seen + 1) ** ``power_t``. "adaptive" divides the rate by 5, down to 1e-6, each time training would stop.
learning_rate_init : float, default 1e-3
    Initial learning rate of "sgd" and "adam", and of an ``optimizer`` by name whose own default is the same.
power_t : float, default 0.5
    Exponent of "invscaling".
max_iter : int, default 200
    Maximum number of epochs, or of L-BFGS iterations.
shuffle : bool, default True
    Whether to shuffle the rows in every epoch.
random_state : int, RandomState or None, default None
    Seed of the initial weights, the validation split, shuffling and dropout.
tol : float, default 1e-4
    An epoch counts as an improvement if the training loss, or with ``early_stopping`` the validation score, beats the
    best one so far by at least this much. For "lbfgs" the tolerance of the gradient.
verbose : bool or int, default False
    Whether to print the loss, and the validation score if there is one, after every epoch.
warm_start : bool, default False
    Whether `fit` continues with the weights and the optimizer state of the last fit.
momentum : float, default 0.9
    Momentum of "sgd".
nesterovs_momentum : bool, default True
    Whether "sgd" uses Nesterov's momentum.
early_stopping : bool, default False
    Whether to stop by the validation score instead of the training loss, and to restore the best weights. The
    validation set is ``X_val`` of `fit`, or else a random part of the training rows.
validation_fraction : float, default 0.1
    Size of that part, as a fraction of the rows.
beta_1 : float, default 0.9
    Decay rate of the first moment in "adam".
beta_2 : float, default 0.999
    Decay rate of the second moment in "adam".
epsilon : float, default 1e-8
    Added to the denominator of "adam".
n_iter_no_change : int or inf, default 10
    Training stops after more than this many epochs in a row without improvement.
max_fun : int, default 15000
    Maximum number of loss evaluations of L-BFGS.
dropout : float, schedule or sequence of them, default 0.0
    Dropout rate of the hidden layers. A sequence has one rate for each layer.
batch_norm : bool, default False
    Whether to put a `BatchNorm` before the activation of each hidden layer.
init : str or initializer, optional
    Initial weights, as in `Network`. None: the same numbers as scikit-learn draws.
optimizer : str or optimizer, optional
    An optimizer of fastmlp. It replaces ``solver`` and its settings. By name, it takes those of the settings that it
    has with the same default: for "adam", "adamw" and "nadam" ``learning_rate_init``, ``beta_1``, ``beta_2`` and
    ``epsilon``.
schedule : callable, optional
    Learning rate of "sgd" or "adam" as a function of the step. It replaces ``learning_rate``. Schedules of fastmlp
    without a number of steps are as long as ``max_iter`` epochs; ``partial_fit`` needs the number.
clip_norm : float, optional
    Gradient clipping: gradients with a larger norm are scaled down to it.
restore_best : bool, optional
    Whether to restore the weights with the best validation score, or with the smallest training loss if there is no
    validation set. None: only with ``early_stopping``.
callbacks : sequence, default ()
    Callbacks, as for `Network.fit`.
progress : bool, default False
    Whether to show a progress bar.
n_jobs : int, optional
    Number of threads of a fit; -1 for all cores. None: chosen by the size of a batch, and 1 inside a joblib worker.
dtype : {"float32", "float64"}, optional
    Of the parameters, and of the arithmetic in training; predictions of float64 X are computed in float64. None:
    float32 for X in float32 or uint8, and for more than 2000 rows of float64 trained in mini-batches; otherwise
    float64.
wait : bool, default False
    Whether fits and predictions wait while another thread trains this estimator or predicts with it, instead of raising
    ``RuntimeError``. They wait in line: a fit goes before predictions that come later.
"""

ATTRIBUTES = """
network_ : Network
    The fitted network.
coefs_ : list of ndarray (n_in, n_out)
    Weights of each layer, as writable views of the network's parameters.
intercepts_ : list of ndarray (n_out,)
    Biases of each layer, as writable views.
loss_ : float
    Training loss of the last epoch.
best_loss_ : float or None
    Smallest training loss; None with ``early_stopping``. Missing with ``solver="lbfgs"``, like the next four.
loss_curve_ : list of float
    Training loss of every epoch.
validation_scores_ : list of float, or None
    Validation score of every epoch; None without a validation set.
validation_loss_curve_ : list of float, or None
    Validation loss of every epoch; None without a validation set.
best_validation_score_ : float or None
    Largest validation score; None without a validation set.
n_iter_ : int
    Epochs, or L-BFGS iterations, of the last fit.
t_ : int
    Rows seen in training over all epochs.
n_layers_ : int
    Number of layers, with the input layer.
n_outputs_ : int
    Number of outputs.
n_features_in_ : int
    Number of columns of X.
feature_names_in_ : ndarray (n_features_in_,) of str
    Column names of X; only if X was a data frame with string names.
"""


def with_shared_documentation(estimator: Estimator) -> Estimator:
    """Fill the shared parameters and attributes into the docstring of a class; a class decorator.

    Parameters get the order of the constructor. Shared attributes come before the class's own.
    """
    if estimator.__doc__ is not None:  # python -OO drops docstrings
        text = _filled(cleandoc(estimator.__doc__), "Parameters", PARAMETERS, list(signature(estimator).parameters))
        estimator.__doc__ = _filled(text, "Attributes", ATTRIBUTES)
    return estimator


def _filled(text: str, title: str, shared: str, order: list[str] | None = None) -> str:
    """The docstring with the shared entries in the section with this title, sorted by name if there is an order."""
    heading = f"{title}\n{'-' * len(title)}\n"
    before, _, rest = text.partition(heading)
    own, gap, after = rest.partition("\n\n")
    entries = re.split(r"\n(?=\S)", f"{shared.strip()}\n{own}")
    if order is not None:
        entries.sort(key=lambda entry: order.index(entry.split(" : ")[0]))
    return before + heading + "\n".join(entries) + gap + after
