"""Losses that predict a distribution: several outputs for each target. References are SciPy and closed forms."""

import pickle

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.base import clone
from sklearn.metrics import mean_pinball_loss, r2_score
from twins import relative_error, shake

import fastmlp as fm
from fastmlp.model.activations import activate, derivative

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
    with pytest.raises(ValueError, match="beta=0.5 needs loss='gaussian', got 'mse'"):
        fm.Loss("mse", beta=0.5)
    with pytest.raises(ValueError, match="LBFGS needs the gradient of the loss"):
        gaussian(0.5).fit(X, Y, optimizer=fm.LBFGS())
    with pytest.raises(ValueError, match="LevenbergMarquardt"):
        gaussian().fit(X, Y, optimizer=fm.LevenbergMarquardt())


# --- Several quantiles, which do not cross ---

LEVELS = (0.1, 0.5, 0.8)


def quantile(*between, levels=LEVELS, missing=False, n_targets=T, dtype="float64"):
    layers = [fm.Input(3), fm.Dense(6, "tanh"), *between, fm.Dense(len(levels) * n_targets)]
    loss = fm.Loss("quantile", q=levels, missing=missing)
    return shake(fm.Network(layers, loss=loss, dtype=dtype, seed=0), np.random.default_rng(1))


def pinballs(net, y=Y):
    """The pinball loss of each target and quantile by NumPy, (n, T, Q), from the outputs of the network."""
    error = net.predict(X).astype(float).reshape(len(X), -1, len(LEVELS)) - y[:, :, None]
    return np.maximum(-np.array(LEVELS) * error, (1 - np.array(LEVELS)) * error)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_loss_is_the_mean_pinball_loss(n_threads):
    net = quantile()
    each = pinballs(net)
    assert net.evaluate(X, Y, n_threads=n_threads)["loss"] == pytest.approx(each.mean(), rel=1e-12)
    by_scikit_learn = [
        mean_pinball_loss(Y[:, k], net.predict(X)[:, 3 * k + j], alpha=q)
        for k in range(T)
        for j, q in enumerate(LEVELS)
    ]
    assert each.mean() == pytest.approx(np.mean(by_scikit_learn), rel=1e-12)
    weight = WEIGHT[:, None] * THERE
    measured = net.evaluate(X, Y, sample_weight=weight, n_threads=n_threads)["loss"]
    assert measured == pytest.approx(np.average(each.mean(axis=2), weights=weight), rel=1e-12)


def test_outputs_are_a_first_quantile_and_positive_increments():
    net = quantile()
    scores = np.tanh(X @ net.weights[0] + net.biases[0]) @ net.weights[1] + net.biases[1]
    groups = scores.reshape(N, T, 3)
    groups[:, :, 1:] = np.logaddexp(0, groups[:, :, 1:])
    np.testing.assert_allclose(net.predict(X), groups.cumsum(axis=2).reshape(N, -1), rtol=1e-12)
    assert net.output == "increasing"


@pytest.mark.parametrize("between", [(), (fm.BatchNorm(),), (fm.LayerNorm(),)], ids=repr)
@pytest.mark.parametrize("weight", [None, WEIGHT, WEIGHT[:, None] * THERE], ids=["none", "rows", "targets"])
def test_the_gradient_is_that_of_the_pinball_loss(between, weight):
    assert fm.check_gradients(quantile(*between), X, Y, weight) < 1e-6


def test_the_derivatives_by_the_inputs_are_those_of_finite_differences():
    net, step = quantile(), 1e-5
    moved = np.stack([(net.predict(X + step * e) - net.predict(X - step * e)) / (2 * step) for e in np.eye(3)], axis=2)
    np.testing.assert_allclose(net.input_gradients(X), moved, atol=1e-8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_quantiles_never_cross_and_are_those_of_the_data(dtype):
    y = np.random.default_rng(3).gamma(2.0, size=(500, 1))
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    net = fm.Network([1, 5], loss=fm.Loss("quantile", q=levels), dtype=dtype, seed=0)
    net.fit(np.zeros((500, 1)), y, epochs=300, batch_size=500, optimizer=fm.Adam(fm.Cosine(0.05)))
    np.testing.assert_allclose(net.predict([[0.0]])[0], np.quantile(y, levels), atol=0.05)
    for scale in (1.0, 100.0, 1e4):
        net.params[:] = scale * np.random.default_rng(1).normal(size=net.n_params)
        assert (np.diff(net.predict(np.linspace(-3, 3, 50).reshape(-1, 1)), axis=1) >= 0).all()


@pytest.mark.parametrize("n_targets", [1, T])
def test_missing_targets_of_quantiles_are_left_out(n_targets):
    y, there = Y[:, :n_targets], THERE[:, :n_targets]
    net, holes = quantile(missing=True, n_targets=n_targets), np.where(there, y, np.nan)
    assert net.evaluate(X, holes)["loss"] == pytest.approx(pinballs(net, y)[there].mean(), rel=1e-12)
    assert fm.check_gradients(net, X, holes) < 1e-6


def test_quantiles_are_saved_copied_and_pickled(tmp_path):
    net = quantile()
    net.save(tmp_path / "net.safetensors")
    for twin in (fm.load(tmp_path / "net.safetensors"), net.copy(), pickle.loads(pickle.dumps(net))):
        assert (twin.loss, twin.n_targets, twin.output) == (net.loss, T, "increasing")
        np.testing.assert_array_equal(twin.predict(X), net.predict(X))
        assert twin.evaluate(X, Y) == net.evaluate(X, Y)
    assert fm.Loss("quantile", q=list(LEVELS)) == net.loss
    assert clone(fm.MLPRegressor(net.loss)).loss == net.loss


def test_quantiles_of_scaled_targets_are_in_the_units_of_y():
    plain = quantile()
    scale = [5.0, -3.0], [2.0, 0.1]
    scaled = fm.Network([3, *plain.layers], loss=plain.loss, dtype="float64", target_scale=scale)
    scaled.params[:] = plain.params
    expected = plain.predict(X).reshape(N, T, 3) / np.array([[2.0], [0.1]]) + np.array([[5.0], [-3.0]])
    np.testing.assert_allclose(scaled.predict(X), expected.reshape(N, -1), rtol=1e-12)


def test_one_quantile_in_a_sequence_is_that_quantile():
    nets = [fm.Network([3, 4, 2], loss=fm.Loss("quantile", q=q), seed=0) for q in (0.7, (0.7,), np.array([0.7]))]
    for net in nets:
        net.fit(X, Y, epochs=2)
        np.testing.assert_array_equal(net.params, nets[0].params)


def test_the_estimator_predicts_all_quantiles(tmp_path):
    for y in (Y[:, 0], Y):
        model = fm.MLPRegressor(fm.Loss("quantile", q=LEVELS), (4,), early_stopping=True, random_state=0, tol=1.0)
        model.fit(np.tile(X, (3, 1)), np.tile(y, (3,) + (1,) * (y.ndim - 1)))
        predicted = model.predict(X)
        assert predicted.shape == (N, 3 * (1 if y.ndim == 1 else T))
        assert model.score(X, y) == pytest.approx(r2_score(y, np.squeeze(predicted[:, 1::3])), rel=1e-9)
        model.save(tmp_path / "model.safetensors")
        np.testing.assert_array_equal(fm.MLPRegressor.load(tmp_path / "model.safetensors").predict(X), predicted)


@pytest.mark.parametrize(
    ("q", "error", "words"),
    [
        ((0.5, 0.1), ValueError, "q must be strictly increasing"),
        ((0.5, 0.5), ValueError, "q must be strictly increasing"),
        ((), ValueError, "q must have from 1 to 1000 quantiles, got 0"),
        ((0.1, 1.0), ValueError, r"q\[1\] must be"),
        ((0.1, "half"), TypeError, r"q\[1\] must be a number"),
        ([[0.1], [0.2]], TypeError, r"q\[0\] must be a number"),
    ],
    ids=repr,
)
def test_quantiles_that_are_none_are_refused(q, error, words):
    with pytest.raises(error, match=words):
        fm.Loss("quantile", q=q)


def test_networks_that_do_not_fit_quantiles_are_refused():
    loss = fm.Loss("quantile", q=LEVELS)
    with pytest.raises(ValueError, match="loss='quantile' needs 3 outputs for each target, got 4 outputs"):
        fm.Network([3, 4], loss=loss)
    with pytest.raises(ValueError, match="needs the output activation increasing, got 'identity'"):
        fm.Network([3, 3], loss=loss, output="identity")
    with pytest.raises(ValueError, match="output='increasing' is for loss=Loss"):
        fm.Network([3, 3], loss="quantile", output="increasing")
    with pytest.raises(ValueError, match="works only in the output layer"):
        fm.Network([3, fm.Dense(3, "increasing"), 3], loss=loss)
    for curve in (activate, derivative):
        with pytest.raises(ValueError, match="got 'increasing', which is a function of a whole row"):
            curve("increasing", [0.0])
