"""Losses that predict a distribution: several outputs for each target. References are SciPy and closed forms."""

import pickle

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import r2_score
from twins import relative_error, shake

import fastmlp as fm

N, T = 24, 2
RNG = np.random.default_rng(8)
X = RNG.normal(size=(N, 3))
Y = RNG.normal(size=(N, T))
THERE = RNG.uniform(size=(N, T)) < 0.6
WEIGHT = RNG.uniform(0.5, 2.0, N)
HALF_LOG = np.log(2 * np.pi) / 2


def gaussian(beta=0.0, *between, dtype="float64", missing=False, n_targets=T):
    layers = [fm.Input(3), fm.Dense(6, "tanh"), *between, fm.Dense(2 * n_targets)]
    loss = fm.Loss("gaussian", beta=beta, missing=missing)
    return shake(fm.Network(layers, loss=loss, dtype=dtype, seed=0), np.random.default_rng(1))


def likelihoods(net, y=Y):
    """-log p of each target by SciPy, without the constant, and the variances."""
    outputs = net.predict(X).astype(float)
    n_targets = outputs.shape[1] // 2
    mean, deviation = outputs[:, :n_targets], np.exp(outputs[:, n_targets:] / 2)
    return -norm.logpdf(y, mean, deviation) - HALF_LOG, deviation**2


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
def test_the_loss_is_the_likelihood_of_scipy(beta, n_threads):
    net = gaussian(beta)
    each, variances = likelihoods(net)
    each = each * variances**beta
    assert net.evaluate(X, Y, n_threads=n_threads)["loss"] == pytest.approx(each.mean(), rel=1e-12)
    weighted = net.evaluate(X, Y, sample_weight=WEIGHT, n_threads=n_threads)["loss"]
    assert weighted == pytest.approx(np.average(each.mean(axis=1), weights=WEIGHT), rel=1e-12)
    cells = net.evaluate(X, Y, sample_weight=WEIGHT[:, None] * THERE)["loss"]
    assert cells == pytest.approx(np.average(each, weights=WEIGHT[:, None] * THERE), rel=1e-12)


@pytest.mark.parametrize("between", [(), (fm.BatchNorm(),), (fm.LayerNorm(),)], ids=repr)
@pytest.mark.parametrize("weight", [None, WEIGHT, WEIGHT[:, None] * THERE], ids=["none", "rows", "targets"])
def test_the_gradient_is_that_of_the_likelihood(between, weight):
    assert fm.check_gradients(gaussian(0.0, *between), X, Y, weight) < 1e-7


@pytest.mark.parametrize("beta", [0.25, 0.5, 1.0])
def test_beta_weighs_the_gradient_by_a_power_of_the_variance(beta):
    """At the scores: the plain gradient times v^beta."""
    plain, weighed = gaussian(0.0), gaussian(beta)
    _, variances = likelihoods(plain)
    factor = np.hstack([variances**beta] * 2)
    rows = [net.sample_gradients(X, Y)[:, -2 * T :] for net in (plain, weighed)]
    assert relative_error(rows[1], rows[0] * factor) < 1e-12


def test_a_network_without_inputs_finds_mean_and_variance():
    net = fm.Network([1, 4], loss="gaussian", dtype="float64", init="zeros")
    net.fit(np.zeros((N, 1)), Y, epochs=200, optimizer=fm.LBFGS(tolerance=1e-9))
    outputs = net.predict([[0.0]])[0]
    np.testing.assert_allclose(outputs[:T], Y.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(np.exp(outputs[T:]), Y.var(axis=0), rtol=1e-5)


@pytest.mark.parametrize("n_targets", [1, T])
def test_missing_targets_are_left_out(n_targets):
    y, there = Y[:, :n_targets], THERE[:, :n_targets]
    holes = np.where(there, y, np.nan)
    net = gaussian(missing=True, n_targets=n_targets)
    each, _ = likelihoods(net, y)
    assert net.evaluate(X, holes)["loss"] == pytest.approx(each[there].mean(), rel=1e-12)
    assert fm.check_gradients(net, X, holes) < 1e-7
    nets = [gaussian(missing=True, n_targets=n_targets) for _ in range(2)]
    nets[0].fit(X, holes, epochs=2, batch_size=5, shuffle=False)
    nets[1].fit(fm.Chunks([(X[:11], holes[:11]), (X[11:], holes[11:])]), epochs=2, batch_size=5, shuffle=False)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_overflows_and_what_is_out_of_range_comes_back(dtype, beta):
    net = fm.Network([1, 2], loss=fm.Loss("gaussian", beta=beta), dtype=dtype, init="zeros")
    for score in (-1e4, -500.0, -41.0, 41.0, 500.0, 1e4):
        net.params[:] = 0, 0, 0, score
        for y in ([0.0], [1.0], [-1e3]):
            loss, gradient = net.loss_and_flat_gradient([[0.0]], y)
            assert np.isfinite(loss)
            assert np.isfinite(gradient).all()
            limit = 40 if dtype == "float32" else 350
            if abs(score) > limit:
                assert gradient[-1] * score >= 0  # a step of descent goes back, or nowhere


def test_metrics_compare_the_means():
    net = gaussian()
    history = net.fit(X, Y, epochs=1, validation_data=(X, Y), metrics=["mean_absolute_error", "r2"])
    means = net.predict(X)[:, :T]
    assert history["val_mean_absolute_error"][0] == pytest.approx(np.abs(means - Y).mean(), rel=1e-12)


def test_it_is_saved_copied_and_pickled(tmp_path):
    net = gaussian(0.5)
    net.save(tmp_path / "net.safetensors")
    for twin in (fm.load(tmp_path / "net.safetensors"), net.copy(), pickle.loads(pickle.dumps(net))):
        assert (twin.loss, twin.n_targets) == (net.loss, T)
        np.testing.assert_array_equal(twin.predict(X), net.predict(X))


def test_the_estimator_predicts_mean_and_deviation(tmp_path):
    for y in (Y[:, 0], Y):
        model = fm.MLPRegressor("gaussian", (8,), solver="lbfgs", random_state=0, tol=1e-2, alpha=30.0)
        model.fit(X, y)
        mean, deviation = model.predict(X, return_std=True)
        outputs = model.network_.predict(X)
        n_targets = outputs.shape[1] // 2
        assert mean.shape == deviation.shape == y.shape
        np.testing.assert_array_equal(mean.reshape(N, -1), outputs[:, :n_targets])
        np.testing.assert_allclose(deviation.reshape(N, -1), np.exp(outputs[:, n_targets:] / 2), rtol=1e-12)
        np.testing.assert_array_equal(model.predict(X), mean)
        assert model.score(X, y) == pytest.approx(r2_score(y, mean), rel=1e-12)
        model.save(tmp_path / "model.safetensors")
        loaded = fm.MLPRegressor.load(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(loaded.predict(X, return_std=True)[1], deviation)
        with pytest.raises(ValueError, match="scikit-learn has no loss with several outputs for each target"):
            model.to_sklearn()
    stopping = fm.MLPRegressor("gaussian", (4,), early_stopping=True, random_state=0, max_iter=500)
    assert np.isfinite(stopping.fit(np.tile(X, (3, 1)), np.tile(Y, (3, 1))).validation_scores_).all()
    with pytest.raises(ValueError, match="return_std=True needs loss='gaussian', got 'squared_error'"):
        fm.MLPRegressor(hidden_layer_sizes=(), solver="lbfgs").fit(X, Y).predict(X, return_std=True)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="loss='gaussian' needs 2 outputs for each target, got 3 outputs"):
        fm.Network([3, 3], loss="gaussian")
    with pytest.raises(ValueError, match="loss='gaussian' needs the output activation identity, got 'tanh'"):
        fm.Network([3, 4], loss="gaussian", output="tanh")
    with pytest.raises(ValueError, match="y must have 2 columns, one for each 2 outputs, got shape"):
        gaussian().fit(X, np.hstack([Y, Y]))
    with pytest.raises(ValueError, match="beta must be"):
        fm.Loss("gaussian", beta=1.5)
    with pytest.raises(ValueError, match="LBFGS needs the gradient of the loss"):
        gaussian(0.5).fit(X, Y, optimizer=fm.LBFGS())
    with pytest.raises(ValueError, match="LevenbergMarquardt"):
        gaussian().fit(X, Y, optimizer=fm.LevenbergMarquardt())
