"""Missing targets: a network learns as if each output saw only the rows that have its target."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV
from twins import SINGLE, make_samples, relative_error, shake

import fastmlp as fm

N, N_OUT = 24, 3
RNG = np.random.default_rng(4)
THERE = RNG.uniform(size=(N, N_OUT)) < 0.5
THERE[3] = False  # a row without any target
WEIGHT = RNG.uniform(0.5, 2.0, N)
NAMES = [name for name, spec in SINGLE.items() if spec.weighs_targets]


def network(name, n_out=N_OUT, missing=True, dtype="float64"):
    loss = fm.Loss(name, missing=missing)
    net = fm.Network([4, fm.Dense(6, "tanh"), n_out], loss=loss, dtype=dtype, seed=0)
    return shake(net, np.random.default_rng(1))


def samples(name, n_out=N_OUT):
    """X, complete targets, and the same with NaN."""
    X, T, _ = make_samples(name, np.random.default_rng(2), N, 4, n_out)
    return X, T, np.where(THERE[:, :n_out], T, np.nan)


def test_the_loss_is_that_of_numpy_with_a_mask():
    X, T, holes = samples("mse")
    squares = (network("mse").predict(X) - T) ** 2
    assert network("mse").evaluate(X, holes)["loss"] == pytest.approx(squares[THERE].mean(), rel=1e-12)
    weighted = (WEIGHT[:, None] * squares)[THERE].sum() / np.broadcast_to(WEIGHT[:, None], THERE.shape)[THERE].sum()
    measured = network("mse").evaluate(X, holes, sample_weight=WEIGHT)["loss"]
    assert measured == pytest.approx(weighted, rel=1e-12)
    half_sums = N_OUT * squares[THERE].mean() / 2  # as if the missing ones had the mean error
    assert network("squared_error").evaluate(X, holes)["loss"] == pytest.approx(half_sums, rel=1e-12)


@pytest.mark.parametrize("n_out", [1, N_OUT])
@pytest.mark.parametrize("name", NAMES)
def test_every_way_equals_weights_of_zero_with_any_number_in_the_holes(name, n_out):
    """The complete loss takes the true targets there, so their values do not matter."""
    X, T, holes = samples(name, n_out)
    there = THERE[:, :n_out].astype(float)
    weight = there[:, 0] if n_out == 1 else there
    ways = {
        "fit": lambda net, y, **w: net.fit(X, y, epochs=2, batch_size=7, validation_data=(X, y), **w)["loss"],
        "batch": lambda net, y, **w: net.train_on_batch(X, y, **w),
        "gradient": lambda net, y, **w: net.gradient(X, y, **w),
        "flat": lambda net, y, **w: net.loss_and_flat_gradient(X, y, reduction="sum", **w)[1],
        "surface": lambda net, y, **w: net.cost_surface(X, y, 0, [0.1, 0.2], **w),
        "evaluate": lambda net, y, **w: net.evaluate(X, y, **w)["loss"],
        "lbfgs": lambda net, y, **w: net.fit(X, y, epochs=2, optimizer=fm.LBFGS(), **w)["loss"],
    }
    if SINGLE[name].share_of_squares is not None:
        ways["levenberg"] = lambda net, y, **w: net.fit(X, y, epochs=2, optimizer=fm.LevenbergMarquardt(), **w)["loss"]
    for way in ways.values():
        one, other = network(name, n_out), network(name, n_out, missing=False)
        np.testing.assert_allclose(way(one, holes), way(other, T, sample_weight=weight), rtol=1e-9, atol=1e-12)
        assert relative_error(one.params, other.params) < 1e-9
    one = network(name, n_out)
    rows = one.sample_gradients(X, holes)
    flat = one.loss_and_flat_gradient(X, holes, reduction="sum")[1]
    assert relative_error(rows.sum(axis=0), flat) < 1e-9
    assert not rows[3].any()
    assert fm.check_gradients(one, X[:8], holes[:8]) < 1e-6


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_linear_network_finds_the_regression_of_each_column_over_its_rows(dtype, n_threads):
    X, T, holes = samples("mse")
    net = fm.Network([4, N_OUT], loss=fm.Loss("mse", missing=True), dtype=dtype, seed=0)
    net.fit(X, holes, epochs=1500, batch_size=N, optimizer=fm.SGD(0.3), n_threads=n_threads)
    design = np.column_stack([X, np.ones(N)])
    for k in range(N_OUT):
        rows = THERE[:, k]
        solution = np.linalg.lstsq(design[rows], T[rows, k], rcond=None)[0]
        np.testing.assert_allclose(np.append(net.weights[0][:, k], net.biases[0][k]), solution, atol=1e-3)


@given(cuts=st.lists(st.integers(4, N - 1), max_size=3, unique=True), complete=st.booleans())
def test_chunks_are_the_same_to_the_bit(cuts, complete):
    X, T, holes = samples("huber")
    y = holes.copy()
    if complete:
        y[:4] = T[:4]  # nothing is missing in the first rows
    edges = [0, 4, *sorted(set(cuts) - {4}), N]
    y[edges[:-1]] = T[edges[:-1]]
    chunks = [(X[a:b], y[a:b], WEIGHT[a:b]) for a, b in pairwise(edges)]
    nets = [network("huber") for _ in range(2)]
    nets[0].fit(X, y, sample_weight=WEIGHT, epochs=2, batch_size=5, shuffle=False)
    nets[1].fit(fm.Chunks(chunks), epochs=2, batch_size=5, shuffle=False, validation_data=fm.Chunks(chunks))
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


@pytest.mark.parametrize("chunked", [False, True])
def test_metrics_leave_out_missing_targets_as_scikit_learn_column_by_column(chunked):
    X, T, holes = samples("mse")
    seen = []

    def own(y_true, y_pred):
        seen.append((y_true, y_pred))
        return 0.0

    validation = fm.Chunks([(X[:9], holes[:9]), (X[9:], holes[9:])]) if chunked else (X, holes)
    names = ["mean_absolute_error", "root_mean_square_error", "r2", own]
    net = network("mse")
    history = net.fit(X, holes, epochs=1, validation_data=validation, metrics=names)
    predicted = net.predict(X)
    for name, reference in zip(names, (mean_absolute_error, root_mean_squared_error, r2_score), strict=False):
        columns = [reference(T[rows, k], predicted[rows, k]) for k, rows in enumerate(THERE.T)]
        assert history[f"val_{name}"][0] == pytest.approx(np.mean(columns), rel=1e-6)
    np.testing.assert_array_equal(seen[0][0], holes)
    assert seen[0][1].shape == holes.shape


def test_the_accuracy_counts_the_labels_that_are_there():
    net = fm.Network([2, 2], loss=fm.Loss("binary_cross_entropy", missing=True), init="zeros", dtype="float64")
    net.biases[0][:] = 1, -1  # predicts 1 and 0
    y = np.array([[1, 0], [1, np.nan], [0, 1], [np.nan, np.nan]])
    assert net.evaluate(np.zeros((4, 2)), y)["accuracy"] == pytest.approx(1.5 / 2.5)  # the second row counts by half
    binary = fm.Network([2, 1], loss=fm.Loss("binary_cross_entropy", missing=True), init="zeros", dtype="float64")
    binary.biases[0][:] = 1
    history = binary.fit(
        np.zeros((4, 2)), [1, 0, np.nan, 1], epochs=1, optimizer=fm.SGD(1e-9),
        validation_data=(np.zeros((4, 2)), [1, 0, np.nan, 1]), metrics=["balanced_accuracy"],
    )  # fmt: skip
    assert history["val_accuracy"][0] == pytest.approx(2 / 3)
    assert history["val_balanced_accuracy"][0] == pytest.approx(1 / 2)


def test_balanced_class_weights_count_the_labels_that_are_there():
    X = RNG.normal(size=(N, 4))
    T = (RNG.uniform(size=(N, N_OUT)) < 0.3).astype(float)
    holes = np.where(THERE, T, np.nan)
    weight = np.zeros((N, N_OUT))
    for k, rows in enumerate(THERE.T):
        share = np.where(T[:, k] == 1, T[rows, k].mean(), 1 - T[rows, k].mean())
        weight[rows, k] = 0.5 / share[rows]
    net = network("binary_cross_entropy")
    expected = net.loss_and_flat_gradient(X, T, sample_weight=weight)[1] if (weight >= 0).all() else None
    net = network("binary_cross_entropy")
    assert relative_error(net.gradient(X, holes, class_weight="balanced"), expected) < 1e-9
    assert relative_error(net.gradient(X, holes, class_weight=["balanced"] * 3), expected) < 1e-9


def test_estimators_train_predict_and_score():
    X, T, holes = samples("mse")
    model = fm.MLPRegressor(
        fm.Loss("mse", missing=True), (), solver="lbfgs", alpha=0.0, max_iter=500, tol=1e-9, random_state=0
    )
    model.fit(X, holes)
    design = np.column_stack([X, np.ones(N)])
    for k, rows in enumerate(THERE.T):
        solution = np.linalg.lstsq(design[rows], T[rows, k], rcond=None)[0]
        np.testing.assert_allclose(np.append(model.coefs_[0][:, k], model.intercepts_[0][k]), solution, atol=1e-3)
    scores = [r2_score(T[rows, k], model.predict(X)[rows, k]) for k, rows in enumerate(THERE.T)]
    assert model.score(X, holes) == pytest.approx(np.mean(scores), rel=1e-9)
    assert model.score(X, T) == pytest.approx(r2_score(T, model.predict(X)), rel=1e-9)
    one = fm.MLPRegressor(fm.Loss("huber", missing=True), (4,), max_iter=3, random_state=0, tol=0.0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        one.fit(X, holes[:, 0], X_val=X, y_val=holes[:, 0])
    assert np.isfinite(one.validation_scores_).all()
    assert one.predict(X).shape == (N,)
    grid = GridSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2).fit(np.vstack([X] * 3), np.vstack([holes] * 3))
    assert np.isfinite(grid.cv_results_["mean_test_score"]).all()
    with pytest.raises(ValueError, match="contains NaN"):
        fm.MLPRegressor().fit(X, holes)
    with pytest.raises(ValueError, match="NaN"):
        fm.MLPRegressor(fm.Loss("mse", missing=True)).fit(np.where(THERE[:, :1], X, np.nan), holes)


def test_it_is_saved_copied_and_pickled(tmp_path):
    X, _, holes = samples("mse")
    net = network("mse")
    net.save(tmp_path / "net.safetensors")
    for twin in (fm.load(tmp_path / "net.safetensors"), net.copy(), pickle.loads(pickle.dumps(net))):
        assert twin.loss == net.loss == fm.Loss("mse", missing=True)
        assert twin.evaluate(X, holes) == net.evaluate(X, holes)
    plain = network("mse", missing=False)
    plain.save(tmp_path / "plain.safetensors")
    assert b"missing" not in (tmp_path / "plain.safetensors").read_bytes()  # earlier versions can read it


def test_a_fit_with_holes_resumes_to_the_bit(tmp_path):
    X, _, holes = samples("mse")
    nets = [network("mse") for _ in range(2)]
    nets[0].fit(X, holes, epochs=6, batch_size=5)
    nets[1].fit(X, holes, epochs=3, batch_size=5, checkpoint=tmp_path / "c")
    nets[1] = network("mse")
    nets[1].fit(X, holes, epochs=6, batch_size=5, checkpoint=tmp_path / "c", resume=True)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.full((N, N_OUT), np.nan), "y must have at least one target that is not missing, got only NaN"),
        (np.where(THERE, np.inf, np.nan), "y must be finite, got inf in row"),
        (np.where(np.arange(N) % 2, 1.0, np.nan), "y must have 3 columns if targets are missing, got one"),
        (np.full((N, 2), np.nan) + np.eye(N, 2), "at least one target|3 columns"),
    ],
    ids=["all", "infinity", "class numbers", "columns"],
)
def test_what_is_not_a_hole_is_refused(y, words):
    with pytest.raises(ValueError, match=words):
        network("mse").fit(samples("mse")[0], y)


def test_nan_without_the_setting_is_refused_and_the_message_tells_of_it():
    X, _, holes = samples("mse")
    hint = r"y must be finite, got nan in row \d+, column \d; Loss\(..., missing=True\) leaves out missing targets"
    with pytest.raises(ValueError, match=hint):
        network("mse", missing=False).fit(X, holes)
    with pytest.raises(ValueError, match="y must be finite, got nan in row 0, column 0$"):
        fm.Network([4, 3], loss="cross_entropy").fit(X, np.full((N, 3), np.nan))
    with pytest.raises(ValueError, match="sample_weight of the targets that are there must not be all 0"):
        network("mse").fit(X, holes, sample_weight=np.eye(N)[3])
    with pytest.raises(ValueError, match="missing=True needs a loss with a term for each target, got 'cross_entropy'"):
        fm.Loss("cross_entropy", missing=True)
    with pytest.raises(TypeError, match="missing must be True or False, got 1"):
        fm.Loss("mse", missing=1)
