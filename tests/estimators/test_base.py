"""The estimators inside scikit-learn's tools, and their additions to scikit-learn's own."""

# ruff: noqa: E402

import contextlib
import pickle
import subprocess
import sys
from copy import deepcopy

import numpy as np
import pytest
from scipy import sparse

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import fastmlp as fm

X, Y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
WORDS = np.array(["setosa", "versicolor", "virginica"])[Y]
L_X = np.random.default_rng(1).normal(size=(120, 8))
L_Y = (L_X[:, :4] + L_X[:, 4:] > 0).astype(int)
NUMBERS = X[:, 0] * 2 + X[:, 1] ** 2
QUICK = {"hidden_layer_sizes": (8,), "max_iter": 30, "learning_rate_init": 0.02, "random_state": 0}
BOTH = [("MLPClassifier", Y), ("MLPRegressor", NUMBERS)]
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_checks_pass_without_exception(kind):
    results = check_estimator(getattr(fm, kind)(), on_fail=None, on_skip=None)
    assert len(results) > 50
    assert [(r["check_name"], r["exception"]) for r in results if r["status"] not in ("passed", "skipped")] == []


@pytest.mark.parametrize("kind, y", BOTH)
def test_coefs_are_views_that_predictions_see(kind, y):
    model = getattr(fm, kind)(**QUICK).fit(X, y)
    assert all(np.shares_memory(a, model.network_.params) for a in model.coefs_ + model.intercepts_)
    model.coefs_[-1][:] = 0
    model.intercepts_[-1][:] = 0.0
    outputs = model.predict_proba(X) if kind == "MLPClassifier" else model.predict(X)
    np.testing.assert_allclose(outputs, 1 / 3 if kind == "MLPClassifier" else 0)


def test_arrays_assigned_to_coefs_are_copied_into_the_network():
    model = fm.MLPRegressor(**QUICK).fit(X, NUMBERS)
    expected = model.predict(X)
    zeros, kept = np.zeros_like(model.coefs_[1]), model.coefs_[1].copy()
    model.coefs_[1] = zeros
    np.testing.assert_allclose(model.predict(X), model.intercepts_[1][0])
    model.coefs_ = [model.coefs_[0], kept]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), expected)
    np.testing.assert_array_equal(model.predict(X), expected)
    assert np.shares_memory(model.coefs_[1], model.network_.params)
    model.coefs_ = model.coefs_[:1]
    with pytest.raises(ValueError, match="coefs_ must have 2 arrays, one for each layer, got 1"):
        model.predict(X)


def test_partial_fit_starts_from_weights_set_by_hand():
    fitted = fm.MLPRegressor(**QUICK).fit(X, NUMBERS)
    fresh = fm.MLPRegressor(**QUICK)
    fresh.coefs_, fresh.intercepts_ = fitted.coefs_, fitted.intercepts_
    fresh.partial_fit(X, NUMBERS)
    assert fresh.loss_curve_[0] < 1.5 * fitted.loss_ and not np.shares_memory(fresh.coefs_[0], fitted.coefs_[0])


@pytest.mark.parametrize("copying", [lambda m: pickle.loads(pickle.dumps(m)), deepcopy], ids=["pickle", "deepcopy"])
def test_copies_predict_and_train_on_the_same(copying):
    model = fm.MLPClassifier(**QUICK).fit(X, WORDS)
    twin = copying(model)
    np.testing.assert_array_equal(twin.predict_proba(X), model.predict_proba(X))
    for each in (model, twin):
        each.partial_fit(X, WORDS)
    np.testing.assert_array_equal(twin.coefs_[0], model.coefs_[0])
    assert not np.shares_memory(twin.coefs_[0], model.coefs_[0])


def test_classes_may_be_strings_and_one_class_is_enough():
    model = fm.MLPClassifier(**QUICK).fit(X, WORDS)
    assert list(model.classes_) == ["setosa", "versicolor", "virginica"] and model.score(X, WORDS) > 0.9
    assert model.predict_proba(X).shape == (150, 3) and model.out_activation_ == "softmax"
    alone = fm.MLPClassifier(**QUICK).fit(X, np.full(150, "one"))
    assert set(alone.predict(X)) == {"one"}


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix], ids=["dense", "sparse"])
def test_several_labels_by_fit_and_by_partial_fit(make):
    y = make(L_Y)
    model = fm.MLPClassifier(hidden_layer_sizes=(30,), learning_rate_init=0.02, random_state=0).fit(L_X, y)
    predicted = model.predict(L_X)
    assert sparse.issparse(predicted) == sparse.issparse(y) and model.out_activation_ == "logistic"
    assert model.score(L_X, y) > 0.9 and model.predict_proba(L_X).shape == (120, 4)
    by_parts = fm.MLPClassifier(hidden_layer_sizes=(30,), learning_rate_init=0.02, random_state=0)
    for _ in range(200):
        by_parts.partial_fit(L_X, y)
    assert by_parts.score(L_X, y) > 0.9
    only_first = make(np.c_[np.ones((5, 1)), np.zeros((5, 3))].astype(int))
    by_parts.partial_fit(L_X[:5], only_first)  # some labels do not occur here
    with pytest.raises(ValueError, match="y must have 4 columns, one for each label, got 3"):
        by_parts.partial_fit(L_X, L_Y[:, :3])


@pytest.mark.parametrize("kind, y", [*BOTH, ("MLPClassifier", (L_Y[:, :2], L_X))], ids=["classes", "numbers", "labels"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_warm_starts_of_one_epoch_are_one_long_fit(kind, y, solver):
    rows, y = (X, y) if isinstance(y, np.ndarray) else (y[1], y[0])
    arguments = {"solver": solver, "hidden_layer_sizes": (6,), "random_state": 0, "shuffle": False, "batch_size": 20}
    long = getattr(fm, kind)(max_iter=12, **arguments).fit(rows, y)
    steps = getattr(fm, kind)(max_iter=1, warm_start=True, **arguments)
    for _ in range(12):
        steps.fit(rows, y)
    np.testing.assert_array_equal(steps.coefs_[0], long.coefs_[0])
    assert steps.loss_curve_ == long.loss_curve_ and steps.n_iter_ == 1 and steps.t_ == long.t_


def test_a_warm_start_keeps_the_network():
    model = fm.MLPClassifier(warm_start=True, **QUICK).fit(X, Y)
    first = model.coefs_[0]
    model.fit(X, Y)
    assert np.shares_memory(model.coefs_[0], first)
    model.set_params(hidden_layer_sizes=(5,))
    with pytest.raises(ValueError, match="warm_start and partial_fit must keep the layers of the fitted network"):
        model.fit(X, Y)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array])
@pytest.mark.parametrize("kind, y", BOTH)
def test_sparse_rows_give_the_same_as_dense_rows(make, kind, y):
    dense = np.where(X > 0.5, X, 0)
    models = [getattr(fm, kind)(**QUICK).fit(rows, y) for rows in (dense, make(dense))]
    np.testing.assert_allclose(models[0].coefs_[0], models[1].coefs_[0], atol=1e-9)
    np.testing.assert_allclose(models[0].predict(make(dense)), models[0].predict(dense), atol=1e-9)


@pytest.mark.parametrize("given, rows, expected", [
    ("float32", 150, "float32"), ("uint8", 150, "float32"), ("float64", 150, "float64"), ("int64", 150, "float64"),
    ("float64", 2001, "float32"), ("float64", 2000, "float64"),
])  # fmt: skip
def test_the_dtype_follows_the_data_and_the_number_of_rows(given, rows, expected):
    wide = np.resize(X * 40 + 100, (rows, 4)).astype(given)
    model = fm.MLPRegressor(**{**QUICK, "max_iter": 1, "alpha": 0}).fit(
        wide / 1 if given == "float64" else wide, wide[:, 0]
    )
    assert {a.dtype.name for a in model.coefs_ + model.intercepts_} == {expected}
    for dtype in ("float32", np.float64):
        assert clone(model).set_params(dtype=dtype).fit(wide, wide[:, 0]).coefs_[0].dtype == dtype
    assert (
        fm.MLPRegressor(solver="lbfgs", max_iter=1).fit(wide.astype("float64"), wide[:, 0]).network_.dtype == "float64"
    )


@pytest.mark.filterwarnings("ignore:delta_grad == 0.0")  # SciPy's, at the minimum
def test_a_minimum_of_predictions_is_found_whatever_the_dtype_of_training():
    """2001 rows are trained in float32, where the optimizers' differences of 1e-8 would vanish."""
    optimize = pytest.importorskip("scipy.optimize")
    for rows in (2000, 2001):
        inputs = np.random.default_rng(0).uniform(-1, 1, (rows, 2))
        model = fm.MLPRegressor(hidden_layer_sizes=(4,), activation="softplus", max_iter=1)
        model.fit(inputs, inputs[:, 0])
        assert model.network_.dtype == ("float32" if rows == 2001 else "float64")
        model.coefs_[0][:] = [[1, -1, 0, 0], [0, 0, 1, -1]]  # two bowls, with the minimum at (1/2, -1/4)
        model.intercepts_[0][:] = -0.5, 0.5, 0.25, -0.25
        model.coefs_[1][:] = 1
        for method in ("BFGS", "L-BFGS-B", "SLSQP", "trust-constr"):
            found = optimize.minimize(lambda x, model=model: float(model.predict(x[None])[0]), [0, 0], method=method)
            np.testing.assert_allclose(found.x, [0.5, -0.25], atol=1e-3, err_msg=method)


@pytest.mark.parametrize("offset, deviation", [(1.7e9, 300.0), (1e8, 5.0)])
def test_targets_far_from_zero_keep_their_differences_through_a_transformer(offset, deviation):
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPRegressor

    inputs = np.random.default_rng(0).uniform(-1, 1, (2001, 2))
    y = offset + deviation * np.sin(3 * inputs[:, 0]) * inputs[:, 1]
    settings = {"hidden_layer_sizes": (16,), "max_iter": 15, "learning_rate_init": 0.02, "random_state": 0}
    fitted = [
        TransformedTargetRegressor(kind(**settings), transformer=StandardScaler()).fit(inputs, y)
        for kind in (fm.MLPRegressor, MLPRegressor)
    ]
    ours, theirs = (model.score(inputs, y) for model in fitted)
    assert fitted[0].regressor_.network_.dtype == "float32"
    assert ours > theirs - 0.05
    assert len(np.unique(fitted[0].predict(inputs))) == len(np.unique(fitted[1].predict(inputs))) == 2001


@pytest.mark.parametrize("arguments", [
    {"learning_rate_init": 0.02}, {"solver": "lbfgs"}, {"learning_rate_init": 0.02, "early_stopping": True},
    {"learning_rate_init": 0.02, "early_stopping": True, "scoring": "neg_mean_squared_error"},
], ids=str)  # fmt: skip
def test_a_target_scale_does_what_scikit_learns_transformer_does(arguments):
    from sklearn.compose import TransformedTargetRegressor

    inputs = np.random.default_rng(0).uniform(-1, 1, (300, 2))
    y = 1e8 + 5 * np.sin(3 * inputs[:, 0]) * inputs[:, 1]
    settings = {"hidden_layer_sizes": (16,), "max_iter": 30, "random_state": 0}
    model = fm.MLPRegressor(**settings, **arguments, target_scale="standard").fit(inputs, y)
    if not arguments.get("early_stopping"):
        outside = TransformedTargetRegressor(fm.MLPRegressor(**settings, **arguments), transformer=StandardScaler())
        np.testing.assert_allclose(model.predict(inputs), outside.fit(inputs, y).predict(inputs), rtol=1e-8)
    assert model.score(inputs, y) > 0.5
    twin = clone(model).set_params(target_scale=(1e8, 0.5)).fit(inputs, y)
    assert pickle.loads(pickle.dumps(twin)).predict(inputs).tolist() == twin.predict(inputs).tolist()


def test_a_target_scale_is_kept_by_later_fits_or_the_change_is_refused():
    model = fm.MLPRegressor(**QUICK, target_scale="standard")
    with pytest.raises(ValueError, match="must be a pair .* for partial_fit, which never has all of y"):
        model.partial_fit(X, NUMBERS)
    model.fit(X, NUMBERS).partial_fit(X, NUMBERS)
    with pytest.raises(ValueError, match="must keep the target_scale of the fitted network"):
        model.set_params(target_scale=(0.0, 2.0)).partial_fit(X, NUMBERS)
    with pytest.raises(ValueError, match="scikit-learn has no target_scale"):
        model.to_sklearn()


@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_probabilities_come_from_the_scores(kind, dtype):
    special = pytest.importorskip("scipy.special")
    y = {"binary": Y == 0, "multiclass": Y, "multilabel": np.eye(3, dtype=int)[Y]}[kind]
    model = fm.MLPClassifier((4,), max_iter=1, dtype=dtype, random_state=0).fit(X, y)
    model.coefs_[-1][:] *= 100  # probabilities round to 0 and 1
    hidden = np.maximum(X @ model.coefs_[0].astype(float) + model.intercepts_[0], 0)
    scores = hidden @ model.coefs_[1].astype(float) + model.intercepts_[1]
    if kind == "multiclass":
        expected = special.log_softmax(scores.astype(np.longdouble), axis=1)
    else:
        expected = special.log_expit(np.hstack([-scores, scores]) if kind == "binary" else scores)
    logs = model.predict_log_proba(X)
    assert logs.dtype == "float64" and np.isfinite(logs).all()
    np.testing.assert_allclose(logs, expected, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(np.exp(logs), model.predict_proba(X), rtol=1e-9, atol=1e-15)
    if kind != "multilabel":
        assert (logs < 0).all() and len(np.unique(logs.max(axis=1))) == len(np.unique(scores, axis=0))  # no ties
    assert model.predict_log_proba(X.astype("float32")).dtype == "float32"


@pytest.mark.parametrize("given, expected", [
    ("float64", "float64"), ("float32", "float32"), ("int64", "float32"), ("uint8", "float32"), ("bool", "float32"),
])  # fmt: skip
@pytest.mark.parametrize("wrapped", [np.asarray, sparse.csr_array, "frame", np.ndarray.tolist])
def test_predictions_have_the_precision_of_X(given, expected, wrapped):
    if wrapped == "frame":
        wrapped = pytest.importorskip("pandas").DataFrame
    rows = wrapped(np.abs(X).round().astype(given))
    number = fm.MLPRegressor(**QUICK, dtype="float32").fit(X, NUMBERS)
    label = fm.MLPClassifier(**QUICK, dtype="float32").fit(X, Y)
    if isinstance(rows, list) and given in ("float32", "float64"):
        expected = "float64"
    for got in (number.predict(rows), label.predict_proba(rows), label.predict_log_proba(rows)):
        assert got.dtype == expected


def test_uint8_is_read_without_a_copy():
    images = np.random.default_rng(0).integers(0, 256, (500, 400), dtype=np.uint8)
    import tracemalloc

    model = fm.MLPRegressor(hidden_layer_sizes=(4,), max_iter=1, learning_rate_init=1e-5)
    tracemalloc.start()
    try:
        model.fit(images, images[:, 0])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500 * 400 * 4, "a float copy of the images was made"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_column_names_of_data_frames_are_kept(library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({name: X[:, i] for i, name in enumerate("abcd")})
    model = make_pipeline(StandardScaler().set_output(transform=library), fm.MLPClassifier(**QUICK))
    model.fit(frame, frames.Series(WORDS))
    assert list(model[-1].feature_names_in_) == list("abcd") and model.score(frame, WORDS) > 0.9
    other = frames.DataFrame({name: X[:, i] for i, name in enumerate("abdc")})
    with pytest.raises(ValueError, match="feature names should match"):
        model[-1].predict(other)


def test_a_grid_search_on_threads_gives_the_same_as_a_serial_one():
    search = {"alpha": [1e-4, 1.0], "hidden_layer_sizes": [(4,), (8,)]}
    from joblib import parallel_config

    scores = []
    for backend, n_jobs in (("sequential", 1), ("threading", 2)):
        with parallel_config(backend):
            found = GridSearchCV(fm.MLPClassifier(random_state=0, max_iter=20), search, cv=3, n_jobs=n_jobs).fit(X, Y)
            scores.append(found.cv_results_["mean_test_score"])
            assert np.isfinite(cross_val_score(found.best_estimator_, X, Y, cv=3, n_jobs=n_jobs)).all()
    np.testing.assert_array_equal(*scores)


def test_a_fit_in_a_joblib_worker_uses_one_thread():
    from joblib import Parallel, delayed, parallel_config

    from fastmlp.estimators.fitting import count_threads

    with parallel_config("threading"):
        assert Parallel(n_jobs=2)(delayed(count_threads)(None) for _ in range(2)) == [1, 1]
    assert count_threads(None) is None and count_threads(3) == 3 and count_threads(-1) >= 1


def test_weights_are_routed():
    from sklearn import config_context

    weights = np.where(Y == 2, 1.0, 1e-6)
    with config_context(enable_metadata_routing=True):
        model = fm.MLPClassifier(**QUICK).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        pipeline.fit(X, Y, sample_weight=weights)
    assert (pipeline.predict(X) == 2).mean() > 0.9
    assert model.set_params(max_iter=1).fit(X, Y, weights).score(X, Y, weights) != model.score(X, Y)


def test_class_weights_act_as_sample_weights():
    by_class = {0: 0.2, 1: 3.0, 2: 1.0}
    given = fm.MLPClassifier(class_weight=by_class, **QUICK).fit(X, Y)
    spelled = fm.MLPClassifier(**QUICK).fit(X, Y, [by_class[y] for y in Y])
    np.testing.assert_array_equal(given.coefs_[0], spelled.coefs_[0])
    few = np.r_[np.flatnonzero(Y < 2), np.flatnonzero(Y == 2)[:4]]
    balanced = fm.MLPClassifier(class_weight="balanced", **QUICK).fit(X[few], Y[few])
    weights = 104 / (3 * np.array([50, 50, 4]))
    spelled = fm.MLPClassifier(**QUICK).fit(X[few], Y[few], weights[Y[few]])
    np.testing.assert_allclose(balanced.coefs_[0], spelled.coefs_[0], atol=1e-12)
    with pytest.raises(ValueError, match="class_weight='balanced' needs all of y"):
        fm.MLPClassifier(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


def test_early_stopping_with_a_given_validation_set():
    train, held_out = np.arange(0, 150, 2), np.arange(1, 150, 2)
    model = fm.MLPClassifier(early_stopping=True, n_iter_no_change=4, **{**QUICK, "max_iter": 300})
    model.fit(X[train], WORDS[train], X_val=X[held_out], y_val=WORDS[held_out])
    assert model.n_iter_ < 300 and len(model.validation_scores_) == len(model.validation_loss_curve_) == model.n_iter_
    assert model.score(X[held_out], WORDS[held_out]) == pytest.approx(model.best_validation_score_)
    assert model.t_ == 75 * model.n_iter_, "no row was taken from the training"
    watched = fm.MLPClassifier(**QUICK).fit(
        X[train], Y[train], X_val=X[held_out], y_val=Y[held_out], sample_weight_val=np.ones(75)
    )
    assert len(watched.validation_scores_) == watched.n_iter_ == 30 and watched.best_loss_ is not None


@pytest.mark.parametrize("scoring", ["loss", "roc_auc_ovr", "f1_macro", lambda model, X, y: -model.loss_or_zero(X)])
def test_early_stopping_by_any_score(scoring):
    fm.MLPClassifier.loss_or_zero = lambda self, X: float(self.predict_proba(X)[:, 0].mean())
    try:
        model = fm.MLPClassifier(early_stopping=True, scoring=scoring, n_iter_no_change=3, **QUICK).fit(X, WORDS)
    finally:
        del fm.MLPClassifier.loss_or_zero
    assert len(model.validation_scores_) == model.n_iter_ and model.best_validation_score_ == max(
        model.validation_scores_
    )
    if scoring == "loss":
        np.testing.assert_allclose(model.validation_scores_, np.negative(model.validation_loss_curve_))


def test_the_best_weights_are_restored_only_when_asked_for():
    parts = {"X_val": X[1::2], "y_val": Y[1::2]}
    arguments = {**QUICK, "learning_rate_init": 0.3, "max_iter": 25, "scoring": "loss"}
    best = fm.MLPClassifier(restore_best=True, **arguments).fit(X[::2], Y[::2], **parts)
    last = fm.MLPClassifier(**arguments).fit(X[::2], Y[::2], **parts)
    assert best.validation_scores_ == last.validation_scores_
    outcomes = [-model.network_.evaluate(X[1::2], Y[1::2])["loss"] for model in (best, last)]
    assert outcomes[0] == pytest.approx(max(best.validation_scores_))
    assert outcomes[1] == pytest.approx(last.validation_scores_[-1])


def test_the_network_has_the_layers_asked_for():
    model = fm.MLPClassifier(
        hidden_layer_sizes=(6, 5), activation=["gelu", "logistic"], dropout=[0.0, 0.3], batch_norm=True, max_iter=2
    ).fit(X, Y)
    kinds = [type(layer).__name__ for layer in model.network_.layers]
    assert kinds == ["Dense", "BatchNorm", "Activation", "Dense", "BatchNorm", "Activation", "Dropout", "Dense"]
    assert [layer.activation for layer in model.network_.layers if isinstance(layer, fm.Activation)] == [
        "gelu",
        "sigmoid",
    ]
    assert model.n_layers_ == 4 and model.network_.layers[-2] == fm.Dropout(0.3)


@pytest.mark.parametrize("arguments", [
    {"optimizer": fm.AdamW(0.02)}, {"optimizer": "nadam", "max_iter": 300}, {"schedule": fm.Cosine(0.03, 90)},
    {"init": "he_normal"},
    {"schedule": lambda step: 0.02, "solver": "sgd"}, {"dropout": 0.1}, {"batch_norm": True}, {"activation": "elu"},
    {"loss": "squared_error"}, {"clip_norm": 0.5}, {"n_jobs": 1},
    {"loss": fm.Loss("cross_entropy", label_smoothing=0.1)},
    {"optimizer": fm.Rprop(), "batch_size": 150}, {"optimizer": fm.LBFGS()}, {"hidden_layer_sizes": ()},
])  # fmt: skip
def test_everything_beyond_scikit_learn_learns_and_clones(arguments):
    rate = {} if {"optimizer", "schedule"} & arguments.keys() else {"learning_rate_init": QUICK["learning_rate_init"]}
    quick = {name: value for name, value in QUICK.items() if name != "learning_rate_init"} | rate
    model = fm.MLPClassifier(**{**quick, "max_iter": 80, **arguments})
    assert clone(model).fit(X, Y).score(X, Y) > 0.9
    assert model.get_params()["tol"] == 1e-4


def test_lbfgs_as_an_optimizer_has_a_curve_and_callbacks():
    seen = []
    model = fm.MLPClassifier(
        (8,), optimizer=fm.LBFGS(memory=5), max_iter=30, random_state=0, early_stopping=True, tol=0
    )
    model.set_params(callbacks=[lambda run: seen.append(run.epoch)]).fit(X, Y)
    assert len(model.loss_curve_) == len(model.validation_scores_) == len(seen) == model.n_iter_ > 3
    assert model.score(X, Y) > 0.9 and not hasattr(model, "partial_fit")


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "mse", fm.Loss("quantile", q=0.9)])
def test_losses_of_a_regression(loss):
    noisy = NUMBERS + np.random.default_rng(0).normal(size=150)
    model = fm.MLPRegressor(loss, hidden_layer_sizes=(), max_iter=400, learning_rate_init=0.03, tol=0).fit(X, noisy)
    above = (noisy > model.predict(X)).mean()
    assert model.network_.loss == (fm.Loss(loss) if isinstance(loss, str) else loss)
    assert 0.05 < above < 0.15 if isinstance(loss, fm.Loss) else 0.3 < above < 0.7


def test_callbacks_see_every_epoch_and_can_stop_the_fit():
    seen = []

    def stop_at_five(run):
        seen.append(run.history.last("val_score"))
        if run.epoch == 4:
            run.stop("enough")

    model = fm.MLPClassifier(callbacks=[stop_at_five], **QUICK).fit(X, Y, X_val=X, y_val=Y)
    assert model.n_iter_ == 5 and seen == model.validation_scores_


def test_an_interrupted_fit_keeps_its_weights():
    def interrupt(run):
        if run.epoch == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = fm.MLPClassifier(callbacks=interrupt, **QUICK).fit(X, Y)
    assert model.n_iter_ == 3 and model.predict(X).shape == (150,)


def test_a_diverging_fit_raises_or_ends_with_the_best_weights():
    wild = {"solver": "sgd", "learning_rate_init": 1e3, "activation": "identity", "max_iter": 20, "random_state": 0}
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        fm.MLPRegressor(**wild).fit(X * 100, NUMBERS)
    with pytest.warns(ConvergenceWarning, match="Training ended early"):
        model = fm.MLPRegressor(early_stopping=True, **wild).fit(X * 100, NUMBERS)
    assert np.isnan(model.validation_scores_[-1]) and np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("refused, arguments", [
    ({"X": X * np.nan, "y": Y}, {}), ({"X": X, "y": Y[:-1]}, {}), ({"X": X[:, :2], "y": Y / 7}, {}),
    ({"X": X[:, :2], "y": Y, "sample_weight": -np.ones(150)}, {}), ({"X": X[:, :3], "y": Y}, {"alpha": -1}),
    ({"X": X[:, :3], "y": Y, "X_val": X}, {}), ({"X": X[:, :2], "y": Y}, {"dropout": 1.0}),
    ({"X": X[:, :2], "y": Y, "X_val": X, "y_val": Y}, {}), ({"X": X[:, :2], "y": Y}, {"scoring": "rock_auc"}),
])  # fmt: skip
def test_a_rejected_fit_changes_nothing(refused, arguments):
    model = fm.MLPClassifier(**QUICK).fit(X, Y)
    before, expected = dict(vars(model)), model.predict_proba(X)
    model.set_params(**arguments)
    with pytest.raises((ValueError, TypeError)):
        model.fit(**refused)
    after = dict(vars(model))
    assert {k for k in before if before[k] is not after[k]} <= set(arguments) and set(before) == set(after)
    np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_messages_are_scikit_learns():
    with pytest.raises(NotFittedError):
        fm.MLPClassifier().predict(X)
    with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 4 features as input"):
        fm.MLPClassifier(**QUICK).fit(X, Y).predict(X[:, :3])
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        fm.MLPClassifier().partial_fit(X, Y)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        fm.MLPRegressor(**QUICK).fit(X, NUMBERS[:, None])
    with pytest.warns(UserWarning, match="Got `batch_size` larger than sample size"):
        fm.MLPRegressor(batch_size=500, **QUICK).fit(X, NUMBERS)
    with pytest.warns(ConvergenceWarning, match="Maximum iterations .2. reached"):
        fm.MLPRegressor(max_iter=2).fit(X, NUMBERS)


NUMBER = QUICK | {"max_iter": 2}


@pytest.mark.parametrize(("fit", "message"), [
    (lambda: fm.MLPClassifier(early_stopping=True).partial_fit(X, Y, classes=[0, 1, 2]), "does not support early_stop"),
    (lambda: fm.MLPClassifier(**NUMBER).fit(X, Y, np.zeros(150)), "non-zero number|must have a nonzero weight"),
    (lambda: fm.MLPClassifier(**NUMBER).fit(X, np.c_[Y, Y]), "Multioutput target data is not supported"),
    (lambda: fm.MLPClassifier(**NUMBER).partial_fit(L_X, L_Y, classes=[0, 1]), "must name the 4 columns of y"),
    (lambda: fm.MLPClassifier(**NUMBER).fit(X, Y).partial_fit(X, Y, classes=[0, 1]), "not the same as on last call"),
    (lambda: fm.MLPClassifier(**NUMBER).fit(X, Y).partial_fit(X, Y + 1), "classes not in `self.classes_`"),
    (lambda: fm.MLPClassifier(**NUMBER).fit(L_X, Y[:120]).partial_fit(L_X, L_Y), "y is multilabel-indicator, but"),
    (lambda: fm.MLPClassifier(**NUMBER).fit(L_X, L_Y).partial_fit(L_X, L_Y[:, :3]), "4 columns, one for each label"),
    (lambda: fm.MLPRegressor(**NUMBER).fit(X, X).partial_fit(X, NUMBERS), "y must have 4 columns, one for each output"),
    (lambda: fm.MLPRegressor(early_stopping=True, validation_fraction=0.001).fit(X, NUMBERS), "set is too small"),
])  # fmt: skip
def test_errors_name_targets_and_weights_that_do_not_fit(fit, message):
    with pytest.raises(ValueError, match=message):
        fit()


def test_assigned_weights_must_have_the_right_shape():
    model = fm.MLPRegressor(**NUMBER).fit(X, NUMBERS)
    model.coefs_ = [np.zeros((4, 9)), np.zeros((8, 1))]
    with pytest.raises(ValueError, match=r"coefs_\[0\] must have shape \(4, 8\), got \(4, 9\)"):
        model.predict(X)


def test_both_kinds_of_weights_are_multiplied():
    weight = np.where(np.arange(150) % 2, 1.0, 3.0)
    both = fm.MLPClassifier(class_weight={0: 1, 1: 2, 2: 5}, **QUICK).fit(X, Y, weight)
    one = fm.MLPClassifier(**QUICK).fit(X, Y, weight * np.array([1, 2, 5])[Y])
    np.testing.assert_array_equal(both.coefs_[0], one.coefs_[0])


def test_verbose_output(capsys):
    fm.MLPClassifier(early_stopping=True, n_iter_no_change=2, verbose=True, tol=1.0, **QUICK).fit(X, Y)
    told = capsys.readouterr().out
    assert told.startswith("Iteration 1, loss = ") and "Validation score: 0." in told
    assert told.endswith("did not improve more than tol=1.000000 for 2 consecutive epochs. Stopping.\n")
    fm.MLPRegressor(solver="sgd", learning_rate="adaptive", tol=10.0, n_iter_no_change=1, verbose=True,
                    **QUICK | {"max_iter": 60}).fit(X, NUMBERS)  # fmt: skip
    told = capsys.readouterr().out
    assert "Setting learning rate to 0.004000\n" in told and told.endswith("Learning rate too small. Stopping.\n")
    with pytest.warns(UserWarning, match="learning_rate_init=.* has no effect with solver='lbfgs'"):
        fm.MLPRegressor(solver="lbfgs", verbose=True, **QUICK).fit(X, NUMBERS)
    assert "Iteration 30, loss = " in capsys.readouterr().out


def test_listing_the_names_does_not_import_scikit_learn():
    code = """
import sys, fastmlp as fm
print("sklearn" in sys.modules, "MLPClassifier" in dir(fm), "MLPClassifier" in fm.__all__)
print(fm.MLPClassifier.__module__, fm.MLPRegressor is fm.estimators.MLPRegressor)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout == "False True True\nfastmlp.estimators.classifier True\n"


def test_without_scikit_learn_the_error_names_the_extra():
    code = "import sys; sys.modules['sklearn'] = None; import fastmlp as fm; fm.Network([1, 1]); fm.MLPClassifier"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "the estimators need scikit-learn; install it with: pip install 'fastmlp[sklearn]'" in run.stderr


@pytest.mark.parametrize("wrong", [None, "x", 0, fm.Network([9, 2]), fm.Network([4, 9, 9]), fm.Network([1, 1])])
def test_another_network_put_into_an_estimator_is_an_error_and_no_crash(wrong):
    X = np.random.default_rng(0).normal(size=(30, 4))
    model = fm.MLPRegressor(hidden_layer_sizes=(3,), max_iter=200, solver="lbfgs", random_state=0).fit(X, X[:, 0])
    before = model.predict(X)
    own, model.network_ = model.network_, wrong
    for call in (lambda: model.predict(X), lambda: model.fit(X, X[:, 0])):
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            call()
    model.network_ = own
    assert np.isfinite(model.predict(X)).all() and before.shape == model.predict(X).shape


@pytest.mark.parametrize("settings", [{}, {"batch_norm": True}, {"dropout": 0.2}])
def test_frozen_layers_stay_as_they_are_in_partial_fit_and_in_a_warm_fit(settings):
    model = fm.MLPClassifier(**QUICK | {"hidden_layer_sizes": (8, 5), "warm_start": True} | settings).fit(X, Y)
    model.network_.freeze(0)
    first, last = model.coefs_[0].copy(), model.coefs_[-1].copy()
    for train in (model.partial_fit, model.fit):
        train(X, Y)
        np.testing.assert_array_equal(model.coefs_[0], first)
        assert (model.coefs_[-1] != last).any()
    model.network_.unfreeze(0)
    assert (model.fit(X, Y).coefs_[0] != first).any()
