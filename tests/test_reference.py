"""Tests of the twin (tests/reference.py) itself: central differences, hand values and closed forms.

Nothing here imports fastmlp. The package is compared to the twin, so the twin must be right first.
"""

import numpy as np
import pytest
import reference as ref
from reference_training import numerical_gradient
from scipy import special

HIDDEN = sorted(set(ref.ACTIVATIONS) - {"softmax", "exp"})
POINTS = np.array([-6.0, -2.5, -1.0, -0.3, 0.2, 0.7, 1.9, 5.0])
MATCHING = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "poisson": "exp"}
OTHER_LOSSES = ("squared_error", "mse", "absolute_error", "huber", "quantile")
LEGAL_PAIRS = [*MATCHING.items(), ("poisson", "softplus")]
LEGAL_PAIRS += [(loss, output) for loss in OTHER_LOSSES for output in ref.ACTIVATIONS]
OPTIONS = {
    "huber": {"delta": 0.4},
    "quantile": {"q": 0.2},
    "cross_entropy": {"label_smoothing": 0.1},
    "binary_cross_entropy": {"label_smoothing": 0.1},
}


def make_net(rng, loss, output, hidden="tanh", between=(), **options):
    W1, W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 3))
    layers = [("dense", W1, rng.normal(size=4), hidden), *between, ("dense", W2, rng.normal(size=3), output)]
    return ref.Net(layers, loss, **OPTIONS.get(loss, {}), **options)


def make_data(rng, loss, n=7):
    X = rng.normal(size=(n, 3))
    if "cross_entropy" in loss:
        return X, rng.dirichlet(np.ones(3), size=n)
    return X, rng.integers(0, 4, size=(n, 3)).astype(float) if loss == "poisson" else rng.normal(size=(n, 3))


def numerical(net, X, T, *args):
    def loss_at(w):
        net.set_flat(w)
        return net.loss(X, T, *args)

    w = net.flat()
    gradient = numerical_gradient(loss_at, w)
    net.set_flat(w)
    return gradient


def assert_gradient_is_right(net, X, T, *args):
    analytic, central = net.flat_gradient(X, T, *args), numerical(net, X, T, *args)
    error = np.linalg.norm(analytic - central) / (np.linalg.norm(analytic) + np.linalg.norm(central))
    assert error < 1e-8


# --- Activations ---


@pytest.mark.parametrize("name", ref.DERIVATIVES)
def test_derivative_is_the_slope_of_the_activation(name):
    f, h = ref.ACTIVATIONS[name], 1e-5
    slope = (f(POINTS + h) - f(POINTS - h)) / (2 * h)
    np.testing.assert_allclose(ref.DERIVATIVES[name](POINTS), slope, rtol=1e-8, atol=1e-9)


def test_softmax_backward_is_the_transposed_jacobian():
    rng = np.random.default_rng(0)
    z, g = rng.normal(size=(2, 4)), rng.normal(size=(2, 4))
    p = ref.ACTIVATIONS["softmax"](z)
    expected = [(np.diag(row) - np.outer(row, row)).T @ gr for row, gr in zip(p, g, strict=True)]
    np.testing.assert_allclose(ref.activation_backward("softmax", z, g), expected, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "z", "value"),
    [
        ("sigmoid", np.log(3.0), 0.75),
        ("tanh", np.log(2.0), 0.6),
        ("relu", -2.0, 0.0),
        ("leaky_relu", -2.0, -0.02),
        ("elu", -np.log(2.0), -0.5),
        ("selu", 2.0, 2.10140197471),
        ("selu", -np.log(2.0), -0.87904967042),  # -lambda alpha / 2
        ("softplus", np.log(2.0), np.log(3.0)),
        ("silu", np.log(3.0), 0.75 * np.log(3.0)),
        ("gelu", 1.0, 0.8413447460685429),  # the normal distribution function at 1
        ("gelu", -1.0, -0.15865525393145707),
        ("mish", 0.0, 0.0),
        ("mish", np.log(np.e - 1.0), np.log(np.e - 1.0) * np.tanh(1.0)),  # softplus = 1
        ("exp", 1.0, np.e),
    ],
)
def test_activation_hand_values(name, z, value):
    assert ref.ACTIVATIONS[name](np.array([z]))[0] == pytest.approx(value, rel=1e-10, abs=1e-16)


def test_selu_keeps_mean_zero_and_variance_one():
    """Its two constants are defined by this fixed point, for standard normal z."""
    z = np.linspace(-12.0, 12.0, 240_001)
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    f = ref.ACTIVATIONS["selu"](z)
    assert f @ density == pytest.approx(0.0, abs=1e-7)
    assert f**2 @ density == pytest.approx(1.0, abs=1e-7)


@pytest.mark.parametrize("name", HIDDEN)
def test_activations_are_stable_in_the_tails(name):
    z = np.array([-1e4, -800.0, -40.0, 40.0, 800.0, 1e4])
    assert np.isfinite(ref.ACTIVATIONS[name](z)).all()
    slope = ref.DERIVATIVES[name](z)
    assert np.isfinite(slope).all()
    if name in ("relu", "elu", "selu", "softplus", "silu", "gelu", "mish"):
        one = ref.LAMBDA if name == "selu" else 1.0
        np.testing.assert_allclose(slope, [0, 0, 0, one, one, one], atol=1e-14)


def test_scores_losses_are_stable_in_the_tails():
    z, t = np.array([[1e4, -1e4, 0.0]]), np.array([[0.0, 1.0, 0.0]])
    assert ref.LOSSES["cross_entropy"](z, t) == pytest.approx([2e4])
    assert ref.LOSSES["binary_cross_entropy"](z, t) == pytest.approx([2e4 + np.log(2.0)])
    np.testing.assert_array_equal(ref.LOSS_GRADIENTS["cross_entropy"](z, t), [[1, -1, 0]])
    np.testing.assert_allclose(ref.LOSS_GRADIENTS["binary_cross_entropy"](z, t), [[1, -1, 0.5]])


# --- Losses ---


@pytest.mark.parametrize(
    ("loss", "options", "value"),
    [
        ("squared_error", {}, 0.5 * (0.25 + 4.0)),
        ("mse", {}, (0.25 + 4.0) / 2),
        ("absolute_error", {}, (0.5 + 2.0) / 2),
        ("huber", {}, (0.125 + 1.5) / 2),
        ("huber", {"delta": 0.25}, (0.25 * 0.375 + 0.25 * 1.875) / 2),
        ("quantile", {}, (0.25 + 1.0) / 2),
        ("quantile", {"q": 0.9}, (0.1 * 0.5 + 0.9 * 2.0) / 2),
        ("poisson", {}, (1.5 - np.log(1.5) + 1.0) / 2),
    ],
)
def test_loss_hand_values(loss, options, value):
    yhat, t = np.array([[1.5, 1.0]]), np.array([[1.0, 3.0]])  # residuals +0.5 and -2
    np.testing.assert_allclose(ref.LOSSES[loss](yhat, t, **options), [value], rtol=1e-14)


def test_losses_against_scipy():
    rng = np.random.default_rng(1)
    z, t = rng.normal(size=(5, 3)), rng.dirichlet(np.ones(3), size=5)
    p, s = special.softmax(z, axis=1), special.expit(z)
    kl = special.rel_entr(t, p).sum(axis=1) + special.entr(t).sum(axis=1)
    np.testing.assert_allclose(ref.LOSSES["cross_entropy"](z, t), kl)
    bce = -(special.xlogy(t, s) + special.xlog1py(1 - t, -s)).sum(axis=1)
    np.testing.assert_allclose(ref.LOSSES["binary_cross_entropy"](z, t), bce)
    np.testing.assert_allclose(ref.LOSSES["huber"](z, t, delta=0.7), special.huber(0.7, z - t).mean(axis=1))
    scores, rates = ref.LOSSES["poisson_from_scores"](z, t), ref.LOSSES["poisson"](np.exp(z), t)
    np.testing.assert_allclose(scores, rates)


def test_label_smoothing_spreads_eps_over_the_classes():
    z, t = np.array([[0.4, -1.0, 2.0, 0.1]]), ref.one_hot([2], 4)
    smoothed = np.array([[0.05, 0.05, 0.85, 0.05]])
    np.testing.assert_allclose(
        ref.LOSSES["cross_entropy"](z, t, label_smoothing=0.2), ref.LOSSES["cross_entropy"](z, smoothed)
    )
    halves = np.array([[0.1, 0.1, 0.9, 0.1]])
    np.testing.assert_allclose(
        ref.LOSSES["binary_cross_entropy"](z, t, label_smoothing=0.2),
        ref.LOSSES["binary_cross_entropy"](z, halves),
    )


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_cross_entropies_refuse_other_outputs(loss):
    with pytest.raises(ValueError, match="does not go with the output tanh"):
        ref.Net([("dense", np.ones((2, 2)), None, "tanh")], loss)


def test_targets_of_another_shape_are_refused():
    net = ref.Net([("dense", np.ones((2, 1)), None, "identity")])
    with pytest.raises(ValueError, match=r"targets have shape \(3,\), outputs \(3, 1\)"):
        net.loss(np.ones((3, 2)), np.ones(3))


def test_softmax_with_cross_entropy_has_delta_o_minus_t():
    rng = np.random.default_rng(10)
    z, t = rng.normal(size=(4, 3)), ref.one_hot([0, 2, 1, 1], 3)
    o = ref.ACTIVATIONS["softmax"](z)
    np.testing.assert_allclose(ref.LOSS_GRADIENTS["cross_entropy"](z, t), o - t, atol=1e-15)
    through_softmax = ref.activation_backward("softmax", z, -t / o)
    np.testing.assert_allclose(through_softmax, o - t, atol=1e-15)


# --- Backpropagation against central differences ---


@pytest.mark.parametrize(("loss", "output"), LEGAL_PAIRS)
def test_gradient_of_every_loss_and_output(loss, output):
    rng = np.random.default_rng(2)
    net = make_net(rng, loss, output)
    X, T = make_data(rng, loss)
    assert_gradient_is_right(net, X, T, rng.uniform(0.5, 2.0, size=7), "mean")
    assert_gradient_is_right(net, X, T, None, "sum")


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("loss", [*OTHER_LOSSES, *MATCHING])
def test_gradient_of_every_hidden_activation(loss, hidden):
    rng = np.random.default_rng(3)
    net = make_net(rng, loss, MATCHING.get(loss, "identity"), hidden)
    assert_gradient_is_right(net, *make_data(rng, loss), rng.uniform(0.5, 2.0, size=7))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", ["batch_norm", "layer_norm", "dropout", "activation"])
@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy", "huber"])
def test_gradient_through_other_layers(kind, loss, training):
    rng = np.random.default_rng(4)
    layer = {"dropout": (0.25, rng.integers(0, 2, size=(7, 4))), "activation": ("silu",)}
    values = layer.get(kind, (rng.uniform(0.5, 2.0, size=4), rng.normal(size=4), 1e-3))
    net = make_net(rng, loss, MATCHING.get(loss, "tanh"), "identity", [(kind, *values)], shift=0.5, scale=2.0)
    X, T = make_data(rng, loss)
    net.update_running(X)
    assert_gradient_is_right(net, X, T, rng.uniform(0.5, 2.0, size=7), "mean", training)


@pytest.mark.parametrize("training", [True, False])
def test_sample_gradients_sum_to_the_gradient(training):
    rng = np.random.default_rng(5)
    norm = ("batch_norm", np.ones(4), np.zeros(4), 1e-3)
    net = make_net(rng, "squared_error", "identity", between=[norm])
    X, T = make_data(rng, "squared_error")
    w = rng.uniform(0.5, 2.0, size=7)
    rows = net.sample_gradients(X, T, training)
    np.testing.assert_allclose(w @ rows, net.flat_gradient(X, T, w, "sum", training), atol=1e-12)
    if not training:  # without batch statistics a row depends only on its own sample
        np.testing.assert_allclose(rows[3], net.flat_gradient(X[3:4], T[3:4], None, "sum", False), atol=1e-13)


def test_gradients_and_flat_order_agree():
    rng = np.random.default_rng(6)
    norm = ("layer_norm", np.full(4, 1.5), np.full(4, 0.5), 1e-5)
    net = make_net(rng, "mse", "identity", between=[norm])
    X, T = make_data(rng, "mse")
    (dW1, db1), (dgain, dshift), (dW2, db2) = net.gradients(X, T)
    flat = np.concatenate([a.ravel() for a in (dW1, dW2, db1, dgain, dshift, db2)])
    np.testing.assert_array_equal(net.flat_gradient(X, T), flat)
    np.testing.assert_array_equal(net.decay_mask(), [1.0] * 24 + [0.0] * 15)
    np.testing.assert_array_equal(net.flat()[28:36], [1.5] * 4 + [0.5] * 4)
    w = rng.normal(size=39)
    net.set_flat(w)
    np.testing.assert_array_equal(net.flat(), w)
    assert ref.Net([("dense", np.ones((2, 1)), None, "relu")]).gradients(X[:, :2], T[:, :1])[0][1] is None


# --- Forward of the layers by hand ---


def test_batch_norm_by_hand():
    X = np.array([[1.0], [3.0]])
    net = ref.Net([("batch_norm", [2.0], [10.0], 1.0)])
    step = 2.0 / np.sqrt(2.0)  # biased variance 1, eps 1, gain 2
    np.testing.assert_allclose(net.forward(X, training=True), [[10 - step], [10 + step]])
    np.testing.assert_allclose(net.forward(X), 10 + 2 * X / np.sqrt(2.0))  # running mean 0, variance 1
    net.update_running(X)  # batch mean 2, unbiased variance 2
    np.testing.assert_allclose(net.layers[0]["mean"], [0.2])
    np.testing.assert_allclose(net.layers[0]["var"], [0.9 + 0.2])
    np.testing.assert_allclose(net.forward(X), 10 + 2 * (X - 0.2) / np.sqrt(2.1))


def test_layer_norm_by_hand():
    net = ref.Net([("layer_norm", [1.0, 2.0], [0.0, 1.0], 3.0)])
    X = np.array([[1.0, 3.0], [5.0, 5.0]])
    np.testing.assert_allclose(net.forward(X), [[-0.5, 2.0], [0.0, 1.0]])
    np.testing.assert_array_equal(net.forward(X), net.forward(X, training=True))


def test_dropout_and_input_scaling_by_hand():
    net = ref.Net([("dropout", 0.75, np.array([[1, 0], [0, 1]]))], shift=[1.0, 0.0], scale=[2.0, 0.5])
    X = np.array([[3, 8], [5, 4]], dtype=np.uint8)
    np.testing.assert_array_equal(net.forward(X), [[4, 4], [8, 2]])
    np.testing.assert_array_equal(net.forward(X, training=True), [[16, 0], [0, 8]])


def test_weighted_reductions():
    net = ref.Net([("dense", [[1.0]], None, "identity")], "mse")
    X, T, w = np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1)), np.array([1.0, 0.0, 2.0])
    assert net.loss(X, T) == pytest.approx(14 / 3)
    assert net.loss(X, T, w) == pytest.approx(19 / 3)
    assert net.loss(X, T, w, "sum") == pytest.approx(19)
