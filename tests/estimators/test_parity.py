"""The estimators compute what scikit-learn's compute: same random_state, same weights, same loss curves."""

# ruff: noqa: E402

import warnings

import numpy as np
import pytest

sklearn = pytest.importorskip("sklearn")
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning

import fastmlp as fm

N = 330  # 50 rows per batch: the last batch is smaller
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, 7))
NUMBERS = np.sin(X[:, 0]) + X[:, 1] ** 2 / 3
CLASSES = RNG.integers(0, 4, N)
LABELS = (RNG.random((N, 3)) < 0.4).astype(int)
WEIGHTS = RNG.uniform(0.1, 3.0, N)
TARGETS = {
    "two classes": ("MLPClassifier", CLASSES % 2),
    "four classes": ("MLPClassifier", CLASSES),
    "three labels": ("MLPClassifier", LABELS),
    "numbers": ("MLPRegressor", NUMBERS),
}
SOLVERS = {
    "plain": {"solver": "sgd", "momentum": 0.0},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.2, "power_t": 0.3},
    "invscaling without nesterov": {
        "solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.2, "nesterovs_momentum": False,
    },
    "adaptive": {
        "solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.02, "n_iter_no_change": 1,
    },
    "adam": {"solver": "adam", "epsilon": 1e-3, "beta_1": 0.8, "beta_2": 0.95},
    "adam as it is": {"solver": "adam"},
}  # fmt: skip
SHARED = {"hidden_layer_sizes": (9, 5), "batch_size": 50, "shuffle": False, "random_state": 3, "alpha": 0.5}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
knows_weights = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 7)


def pair(name, **arguments):
    return getattr(fm, name)(**arguments), getattr(neural_network, name)(**arguments)


def assert_same_weights(ours, theirs, tolerance=1e-10):
    for one, other in zip(ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)


@pytest.mark.parametrize("weighted", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_loss_curves_and_weights_agree_over_twenty_epochs(solver, targets, weighted):
    if weighted and not knows_weights:
        pytest.skip("this scikit-learn takes no sample weights")
    name, y = TARGETS[targets]
    arguments = {**SHARED, "activation": "tanh", "max_iter": 20, "n_iter_no_change": 20, **SOLVERS[solver]}
    fits = [model.fit(X, y, *([WEIGHTS] if weighted else [])) for model in pair(name, **arguments)]
    curves = [model.loss_curve_ for model in fits]
    assert len(curves[0]) == len(curves[1]) == 20
    np.testing.assert_allclose(curves[0], curves[1], rtol=0, atol=1e-10)
    assert_same_weights(*fits)
    assert fits[0].t_ == fits[1].t_ and fits[0].n_iter_ == fits[1].n_iter_
    assert fits[0].best_loss_ == pytest.approx(fits[1].best_loss_, abs=1e-10)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("targets", TARGETS)
def test_every_activation_trains_as_in_scikit_learn(activation, targets):
    name, y = TARGETS[targets]
    ours, theirs = (model.fit(X, y) for model in pair(name, activation=activation, max_iter=3, **SHARED))
    assert_same_weights(ours, theirs)
    assert ours.out_activation_ == theirs.out_activation_ and ours.n_outputs_ == theirs.n_outputs_


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.filterwarnings("ignore:scipy.optimize.*`iprint`:DeprecationWarning")  # in scikit-learn 1.6
def test_lbfgs_takes_the_same_steps(targets):
    name, y = TARGETS[targets]
    shared = SHARED | {"batch_size": "auto"}
    ours, theirs = (model.fit(X, y) for model in pair(name, solver="lbfgs", max_iter=15, **shared))
    assert ours.loss_ == pytest.approx(theirs.loss_, abs=1e-9)
    assert ours.n_iter_ == theirs.n_iter_
    assert_same_weights(ours, theirs, 1e-6)
    assert not hasattr(ours, "loss_curve_")


@pytest.mark.parametrize("name, y", [TARGETS["two classes"], TARGETS["four classes"], TARGETS["numbers"]])
def test_early_stopping_splits_scores_and_stops_alike(name, y):
    arguments = {**SHARED, "max_iter": 150, "early_stopping": True, "n_iter_no_change": 3, "learning_rate_init": 0.02}
    ours, theirs = (model.fit(X, y) for model in pair(name, **arguments))
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, atol=1e-9)
    assert ours.best_validation_score_ == pytest.approx(theirs.best_validation_score_, abs=1e-9)
    assert ours.n_iter_ == theirs.n_iter_ < 150 and ours.best_loss_ is theirs.best_loss_ is None
    assert_same_weights(ours, theirs, 1e-8)


def test_the_weighted_validation_score_is_scikit_learns():
    if not knows_weights:
        pytest.skip("this scikit-learn takes no sample weights")
    arguments = {**SHARED, "max_iter": 12, "early_stopping": True, "n_iter_no_change": 20}
    for targets in TARGETS.values():
        ours, theirs = (model.fit(X, targets[1], WEIGHTS) for model in pair(targets[0], **arguments))
        np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, atol=1e-9)


@pytest.mark.parametrize("solver", [name for name in SOLVERS if name != "adaptive"])
def test_partial_fit_continues_as_in_scikit_learn(solver):
    ours, theirs = pair("MLPClassifier", **{**SHARED, "activation": "tanh", **SOLVERS[solver]})
    for start in (0, 110, 220, 0):
        rows = slice(start, start + 110)
        ours.partial_fit(X[rows], CLASSES[rows], classes=range(4))
        theirs.partial_fit(X[rows], CLASSES[rows], classes=range(4))
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=0, atol=1e-10)
    assert_same_weights(ours, theirs)
    assert ours.t_ == theirs.t_ == 440


def test_the_poisson_gradient_is_scikit_learns_and_its_loss_lacks_a_constant():
    if not knows_weights:
        pytest.skip("this scikit-learn has no poisson loss")
    counts = RNG.poisson(np.exp(X[:, 0] / 2))
    ours, theirs = (model.fit(X, counts) for model in pair("MLPRegressor", loss="poisson", max_iter=10, **SHARED))
    assert_same_weights(ours, theirs)
    differences = np.subtract(theirs.loss_curve_, ours.loss_curve_)
    np.testing.assert_allclose(differences, differences[0], atol=1e-10)


def test_the_loss_sums_over_outputs_where_scikit_learn_takes_the_mean():
    y = np.c_[NUMBERS, X[:, 2]]
    ours, theirs = (model.fit(X, y) for model in pair("MLPRegressor", max_iter=10, **{**SHARED, "alpha": 0.0}))
    assert_same_weights(ours, theirs)
    np.testing.assert_allclose(ours.loss_curve_, 2 * np.array(theirs.loss_curve_), rtol=1e-9)


@pytest.mark.parametrize("targets", TARGETS)
@pytest.mark.parametrize("activation", ["logistic", "relu"])
def test_conversion_both_ways_predicts_the_same(targets, activation):
    name, y = TARGETS[targets]
    theirs = pair(name, activation=activation, max_iter=4, hidden_layer_sizes=(6, 4))[1].fit(X, y)
    ours = getattr(fm, name).from_sklearn(theirs)
    again = ours.to_sklearn()
    method = "predict_proba" if name == "MLPClassifier" else "predict"
    expected = getattr(theirs, method)(X)
    np.testing.assert_allclose(getattr(ours, method)(X), expected, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(getattr(again, method)(X), expected)
    if name == "MLPClassifier":
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert again.get_params() == theirs.get_params() and ours.loss_curve_ == theirs.loss_curve_
    for model in (ours, again):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.partial_fit(X, y)
    assert not np.array_equal(ours.coefs_[0], theirs.coefs_[0]), "theirs are copies"


def test_conversion_keeps_string_classes_and_feature_names():
    pd = pytest.importorskip("pandas")
    frame, words = pd.DataFrame(X, columns=list("abcdefg")), np.array(["no", "yes"])[CLASSES % 2]
    theirs = neural_network.MLPClassifier(max_iter=3).fit(frame, words)
    ours = fm.MLPClassifier.from_sklearn(theirs)
    np.testing.assert_array_equal(ours.predict(frame), theirs.predict(frame))
    np.testing.assert_array_equal(ours.to_sklearn().predict(frame), theirs.predict(frame))
    assert list(ours.feature_names_in_) == list("abcdefg")


@pytest.mark.parametrize("arguments, message", [
    ({"activation": "gelu"}, "to_sklearn needs the same activation in all layers, one of .* got \\['gelu'\\]"),
    ({"activation": ["tanh", "relu"]}, "got \\['relu', 'tanh'\\]"),
    ({"batch_norm": True}, "scikit-learn has no batch_norm"),
])  # fmt: skip
def test_to_sklearn_rejects_what_scikit_learn_lacks(arguments, message):
    model = fm.MLPClassifier(hidden_layer_sizes=(4, 3), max_iter=2, **arguments).fit(X, CLASSES)
    with pytest.raises(ValueError, match=message):
        model.to_sklearn()


def test_from_sklearn_needs_the_class_of_the_same_name():
    with pytest.raises(TypeError, match="fitted must be a fitted MLPRegressor of scikit-learn, got MLPClassifier"):
        fm.MLPRegressor.from_sklearn(neural_network.MLPClassifier())
