"""The twin is checked by itself: central differences, hand values, closed forms and published figures.

Nothing here imports fastmlp. What the package must equal (tests/reference.py) has to be right first.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import reference as ref
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
    gradient = ref.numerical_gradient(loss_at, w)
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
    """Its two constants are defined by this fixed point for standard normal z."""
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
    assert ref.LOSSES["binary_cross_entropy"](z, t) == pytest.approx([(2e4 + np.log(2.0)) / 3])
    np.testing.assert_array_equal(ref.LOSS_GRADIENTS["cross_entropy"](z, t), [[1, -1, 0]])
    np.testing.assert_allclose(ref.LOSS_GRADIENTS["binary_cross_entropy"](z, t), [[1 / 3, -1 / 3, 1 / 6]])


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
    bce = -(special.xlogy(t, s) + special.xlog1py(1 - t, -s)).mean(axis=1)
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
    if not training:  # without batch statistics a row depends on its own sample alone
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


# --- Update rules ---


def path(rule, gradients, w0=1.0, **hyper):
    """Return w after each step for one weight and a given sequence of gradients."""
    w, state, seen = np.array([w0]), {}, []
    for g in gradients:
        w = ref.RULES[rule](w, np.array([g]), state, **hyper)
        seen.append(w[0])
    return seen


@pytest.mark.parametrize(
    ("rule", "hyper", "gradients", "expected"),
    [
        ("sgd", {"lr": 0.1}, [2, -1], [0.8, 0.9]),
        ("sgd", {"lr": 0.1, "momentum": 0.5}, [2, -1, 0], [0.8, 0.8, 0.8]),  # v = 2, 0, 0
        ("sgd", {"lr": 0.1, "momentum": 0.5, "nesterov": True}, [2, -1], [0.7, 0.8]),  # steps 3, -1
        ("sgd", {"lr": 0.1, "weight_decay": 0.5, "l1_decay": 0.25}, [2], [0.725]),  # g = 2 + .5 + .25
        ("sgd", {"w0": -2.0, "lr": 0.1, "weight_decay": 0.5, "l1_decay": 0.25}, [2], [-2.075]),
        ("sgd", {"lr": 0.1, "weight_decay": 0.5, "l1_decay": 0.25, "decay": 0.0}, [2], [0.8]),
        ("rmsprop", {"lr": 0.1, "rho": 0.75, "eps": 1.0}, [2, 2], [0.9, 1 - 0.1 - 0.2 / (np.sqrt(1.75) + 1)]),
        ("rmsprop", {"lr": 0.1, "rho": 0.75, "eps": 1.0, "momentum": 0.5}, [2, 0], [0.9, 0.85]),
        ("adagrad", {"lr": 0.1, "eps": 1.0}, [3, 4], [1 - 0.3 / 4, 1 - 0.3 / 4 - 0.4 / 6]),
        ("adagrad", {"lr": 0.1, "eps": 1.0, "initial": 16.0}, [3], [1 - 0.3 / 6]),
        ("adam", {"lr": 0.1, "eps": 1.0}, [3], [1 - 0.1 * 3 / 4]),
        ("adam", {"lr": 0.1, "b1": 0.5, "b2": 0.75, "eps": 0.0}, [2, 0],
         [0.9, 0.9 - 0.1 * (2 / 3) / np.sqrt(12 / 7)]),
        ("adam", {"lr": 0.1, "eps": 1.0, "weight_decay": 1.0}, [2], [1 - 0.1 * 3 / 4]),
        ("adamw", {"lr": 0.1, "eps": 1.0, "weight_decay": 1.0}, [3], [0.9 - 0.1 * 3 / 4]),
        ("adamw", {"lr": 0.1, "eps": 1.0, "weight_decay": 1.0, "decay": 0.0}, [3], [1 - 0.1 * 3 / 4]),
        # step sizes .01, .012, then taken back to .006 without a step, .006, .0072
        ("rprop", {}, [5, 0.1, -3, -3, -3], [0.99, 0.978, 0.978, 0.984, 0.9912]),
        ("rprop", {"lr": 1.0, "step_max": 1.5}, [1, 1, 1, 1], [0.0, -1.2, -2.64, -4.14]),
        ("rprop", {"lr": 1.0, "step_min": 0.8}, [1, -1, -1], [0.0, 0.0, 0.8]),
    ],
)  # fmt: skip
def test_update_rules_by_hand(rule, hyper, gradients, expected):
    np.testing.assert_allclose(path(rule, gradients, **hyper), expected, rtol=1e-13, atol=1e-15)


def test_update_rules_on_a_constant_gradient():
    """With constant g every moment has a closed form, and so has the path."""
    g, lr, t = -2.0, 0.01, np.arange(1, 21)

    def walk(steps):
        return 1.0 - lr * np.cumsum(steps)

    np.testing.assert_allclose(path("sgd", [g] * 20, lr=lr, momentum=0.9), walk(g * (1 - 0.9**t) / 0.1))
    np.testing.assert_allclose(path("rmsprop", [g] * 20, lr=lr, eps=0.0), walk(-1 / np.sqrt(1 - 0.9**t)))
    np.testing.assert_allclose(path("adagrad", [g] * 20, lr=lr, eps=0.0), walk(-1 / np.sqrt(t)))
    np.testing.assert_allclose(path("adam", [g] * 20, lr=lr, eps=0.0), walk(-np.ones(20)))
    mu = 0.9 * (1 - 0.5 * 0.96 ** (np.arange(1, 22) * 0.004))
    product = np.cumprod(mu)  # product[:-1] is mu_1..mu_t, product[1:] has mu_{t+1} as well
    steps = (1 - mu[:-1]) / (1 - product[:-1]) + mu[1:] * (1 - 0.9**t) / (1 - product[1:])
    np.testing.assert_allclose(path("nadam", [g] * 20, lr=lr, eps=0.0), walk(-steps))


def test_adamw_without_decay_is_adam_and_decay_shrinks_geometrically():
    gradients = [1.0, -2.0, 0.5]
    assert path("adamw", gradients, weight_decay=0.0) == path("adam", gradients)
    np.testing.assert_allclose(path("adamw", [0.0] * 3, lr=0.1, weight_decay=0.5), 0.95 ** np.arange(1, 4))


# --- Training ---


def test_train_takes_ragged_weighted_batches_in_order():
    X, T = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [0.0], [2.0]])
    sample_weight = np.array([1.0, 3.0, 2.0])
    net = ref.Net([("dense", [[0.0]], None, "identity")])
    losses = ref.train(net, X, T, [[2, 0, 1]], 2, lr=0.1, sample_weight=sample_weight)
    w1 = 0.1 * (2 * 3 * 2 + 1 * 1 * 1) / 3  # rows 2 and 0 first, at w = 0
    w2 = w1 - 0.1 * 2 * (2 * w1)  # then row 1 alone: its weight cancels
    np.testing.assert_allclose(net.flat(), [w2])
    np.testing.assert_allclose(losses, [(2 * 2.0 + 1 * 0.5 + 3 * 0.5 * (2 * w1) ** 2) / 6])


def test_train_reads_schedules_masks_and_running_statistics_at_each_step():
    rng = np.random.default_rng(7)
    norm = ("batch_norm", np.ones(4), np.zeros(4), 1e-3)
    net = make_net(rng, "squared_error", "identity", between=[norm, ("dropout", 0.5, None)])
    X, T = make_data(rng, "squared_error")
    seen = []

    def drop_all(step, rows):
        seen.append((step, list(rows)))
        net.layers[3]["mask"] = np.zeros((len(rows), 4))

    before = net.flat()
    ref.train(net, X, T, [np.arange(7)] * 2, 4, "adam", lr=lambda step: 0.1 * (step == 3), on_step=drop_all)
    assert seen == [(0, [0, 1, 2, 3]), (1, [4, 5, 6]), (2, [0, 1, 2, 3]), (3, [4, 5, 6])]
    changed = net.flat() != before
    assert changed.nonzero()[0].tolist() == [36, 37, 38]  # all units dropped: only the last biases learn
    assert not np.allclose(net.layers[2]["mean"], 0.0)


@pytest.mark.parametrize("rule", ref.RULES)
def test_every_rule_lowers_the_loss(rule):
    rng = np.random.default_rng(8)
    net = make_net(rng, "cross_entropy", "softmax")
    X, T = make_data(rng, "cross_entropy", n=20)
    losses = ref.train(net, X, T, [np.arange(20)] * 60, 20, rule, lr=0.02)
    assert losses[-1] < losses[0] - 0.02


# --- Published figures (SEEDS.md) that need no package ---


def study_hours():
    X = np.array([[3.0, 5.0], [5.0, 1.0], [10.0, 2.0]])
    y = np.array([[0.75], [0.82], [0.93]])
    rng = np.random.default_rng(9)
    W1, W2 = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
    return X / X.max(axis=0), y, W1, W2


def test_study_hours_formulas():
    X, y, W1, W2 = study_hours()
    net = ref.Net([("dense", W1, None, "sigmoid"), ("dense", W2, None, "sigmoid")])
    z2 = X @ W1
    a2 = 1 / (1 + np.exp(-z2))
    z3 = a2 @ W2
    yhat = 1 / (1 + np.exp(-z3))
    d3 = -(y - yhat) * np.exp(-z3) / (1 + np.exp(-z3)) ** 2
    d2 = (d3 @ W2.T) * np.exp(-z2) / (1 + np.exp(-z2)) ** 2
    np.testing.assert_allclose(net.forward(X), yhat, rtol=1e-14)
    assert net.loss(X, y, reduction="sum") == pytest.approx(0.5 * ((y - yhat) ** 2).sum(), rel=1e-14)
    (dW1, _), (dW2, _) = net.gradients(X, y, reduction="sum")
    np.testing.assert_allclose(dW1, X.T @ d2, rtol=1e-12)
    np.testing.assert_allclose(dW2, a2.T @ d3, rtol=1e-12)
    assert_gradient_is_right(net, X, y, None, "sum")


def test_study_hours_uphill_and_downhill():
    X, y, W1, W2 = study_hours()
    net = ref.Net([("dense", W1, None, "sigmoid"), ("dense", W2, None, "sigmoid")])
    w, g, costs = net.flat(), net.flat_gradient(X, y, None, "sum"), []
    for step in (-3.0, 0.0, 3.0):
        net.set_flat(w + step * g)
        costs.append(net.loss(X, y, None, "sum"))
    assert costs[0] < costs[1] < costs[2]


LIGHTS = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]])
WALK = np.array([[0], [1], [0], [1], [1], [0]])


def streetlight_net():
    return ref.Net([("dense", [[0.5], [0.48], [-0.7]], None, "identity")])


def test_streetlights_one_unit_to_the_last_printed_digit():
    net = streetlight_net()
    errors = 2 * 6 * ref.train(net, LIGHTS, WALK, [np.arange(6)] * 40, 1, lr=0.1)
    printed = [f"{errors[i]:.12g}" for i in (0, 1, 38, 39)]
    assert printed == ["2.6561231104", "0.962870177672", "0.000614343567483", "0.000533736773285"]
    np.testing.assert_allclose(net.flat(), [0, 1, 0], atol=0.03)


@pytest.mark.parametrize("batch_size", [6, 2, 1])
def test_streetlights_by_every_batch_size(batch_size):
    errors = 12 * ref.train(streetlight_net(), LIGHTS, WALK, [np.arange(6)] * 200, batch_size, lr=0.1)
    assert errors[-1] < 0.01


def test_streetlights_hidden_layer_to_the_last_printed_digit():
    rng = np.random.RandomState(1)
    W1, W2 = 2 * rng.random_sample((3, 4)) - 1, 2 * rng.random_sample((4, 1)) - 1
    X, y = LIGHTS[:4], np.array([[1], [1], [0], [0]])
    net = ref.Net([("dense", W1, None, "relu"), ("dense", W2, None, "identity")])
    errors = 2 * 4 * ref.train(net, X, y, [np.arange(4)] * 60, 1, lr=0.2)
    assert [f"{e:.12g}" for e in errors[9::10]] == [
        "0.634231159844",
        "0.358384076763",
        "0.0830183113303",
        "0.0064670549571",
        "0.000329266900075",
        "1.50556226651e-05",
    ]
    linear = ref.Net([("dense", W1, None, "identity"), ("dense", W2, None, "identity")])
    assert (
        ref.train(linear, X, y, [np.arange(4)] * 200, 1, lr=0.05)[-1] * 8 > 0.5
    )  # no correlation, no learning


def test_lecture_softmax_and_cross_entropies():
    np.testing.assert_allclose(ref.ACTIVATIONS["softmax"](np.array([[1.2, 0.3]])), [[0.71, 0.29]], atol=0.005)
    y = np.array([[0.4, 0.4, 0.2], [0.1, 0.2, 0.7]])  # targets: class 1, class 2
    losses = ref.LOSSES["cross_entropy"](np.log(y), ref.one_hot([1, 2], 3))
    np.testing.assert_array_equal(np.round(losses, 2), [0.92, 0.36])


def test_lecture_worked_example():
    x, target = np.array([[1.1, 0.4]]), np.array([[1.0]])
    net = ref.Net(
        [
            ("dense", [[0.3, -0.3], [-0.4, 0.6]], None, "tanh"),
            ("dense", [[0.9], [0.3]], None, "sigmoid"),
        ]
    )
    _, z1, y1, z2, y2 = net._inputs(x, training=False)
    (dW1, _), (dW2, _) = net.gradients(x, target)
    printed = 1e-4  # four digits, of which some are cut and some rounded
    np.testing.assert_allclose(z1, [[0.17, -0.09]], atol=1e-15)
    np.testing.assert_allclose(y1, [[0.1683, -0.0897]], atol=printed)
    np.testing.assert_allclose(z2, [[0.1246]], atol=printed)
    np.testing.assert_allclose(y2, [[0.5311]], atol=printed)
    np.testing.assert_allclose(dW2 / y1.T, [[-0.1167]] * 2, atol=printed)  # dz2
    np.testing.assert_allclose(dW2, [[-0.01966], [0.010481]], atol=1e-5)
    np.testing.assert_allclose(dW1 / x.T, [[-0.1021, -0.0347]] * 2, atol=printed)  # dz1
    np.testing.assert_allclose(dW1, [[-0.1123, -0.0382], [-0.0408, -0.0139]], atol=printed)


def test_lecture_softmax_with_cross_entropy_has_delta_o_minus_t():
    rng = np.random.default_rng(10)
    z, t = rng.normal(size=(4, 3)), ref.one_hot([0, 2, 1, 1], 3)
    o = ref.ACTIVATIONS["softmax"](z)
    np.testing.assert_allclose(ref.LOSS_GRADIENTS["cross_entropy"](z, t), o - t, atol=1e-15)
    through_softmax = ref.activation_backward("softmax", z, -t / o)
    np.testing.assert_allclose(through_softmax, o - t, atol=1e-15)


def test_numerical_gradient_of_a_cubic():
    w = np.array([1.0, -2.0, 0.5])
    gradient = ref.numerical_gradient(lambda v: float((v**3).sum()), w)
    np.testing.assert_allclose(gradient, 3 * w**2, atol=1e-9)


def test_lecture_training_loop_lowers_the_loss_every_epoch():
    X, y, W1, W2 = study_hours()
    net = ref.Net([("dense", W1, np.zeros(3), "sigmoid"), ("dense", W2, np.zeros(1), "sigmoid")])
    losses = ref.train(net, X, y, [np.arange(3)] * 30, 3, lr=0.5)
    assert all(later < earlier for earlier, later in pairwise(losses))
