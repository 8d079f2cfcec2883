"""Results of four published courses on backpropagation, reproduced through the public interface.

A: Neural Networks Demystified (S. Welch), parts 3 and 4. B: Grokking Deep Learning (A. Trask), chapter 6.
C: Robot Vision (University of Central Florida), lecture 17; its digit recognition (C11) is in test_published_mnist.py.
Figures are compared to their last printed digit. The formulas are written out again here, in NumPy.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erf

import fastmlp as fm
from fastmlp.model import activations

# --- A: hours slept and studied, and the score of a test ---

HOURS = np.array([[3, 5], [5, 1], [10, 2]]) / [10, 5]
SCORE = np.array([[0.75], [0.82], [0.93]])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    return np.exp(-z) / (1 + np.exp(-z)) ** 2


def study_network(seed=0):
    return fm.Network(
        [2, 3, 1], activation="sigmoid", output="sigmoid", bias=False, init="normal", dtype="float64", seed=seed
    )


def study_cost(W1, W2):
    return 0.5 * np.sum((SCORE - sigmoid(sigmoid(HOURS @ W1) @ W2)) ** 2)


def cost(net):
    return net.loss_and_gradients(HOURS, SCORE, reduction="sum")[0]


@pytest.mark.parametrize("seed", range(3))
def test_a1_a4_cost_and_gradients_are_the_formulas(seed):
    net = study_network(seed)
    W1, W2 = net.weights
    assert net.biases == [None, None] and net.n_params == 9
    z2 = HOURS @ W1
    z3 = sigmoid(z2) @ W2
    d3 = -(SCORE - sigmoid(z3)) * sigmoid_prime(z3)
    d2 = (d3 @ W2.T) * sigmoid_prime(z2)
    J, ((dW1, _), (dW2, _)) = net.loss_and_gradients(HOURS, SCORE, reduction="sum")
    assert pytest.approx(study_cost(W1, W2), rel=1e-13) == J
    np.testing.assert_allclose(net.predict(HOURS), sigmoid(z3), rtol=1e-13)
    np.testing.assert_allclose(dW2, sigmoid(z2).T @ d3, rtol=1e-11)
    np.testing.assert_allclose(dW1, HOURS.T @ d2, rtol=1e-11)


def test_a2_cost_over_one_weight_and_its_picture():
    pytest.importorskip("matplotlib")
    net = study_network()
    before = net.params.copy()
    grid = np.linspace(-5, 5, 1000)
    costs = net.cost_surface(HOURS, SCORE, [0], [grid], reduction="sum")
    assert (net.params == before).all()
    W1, W2 = (w.copy() for w in net.weights)
    for value, found in zip(grid, costs, strict=True):
        W1[0, 0] = value
        assert found == pytest.approx(study_cost(W1, W2), rel=1e-12)
    (curve, lowest) = fm.plots.cost_curve(grid, costs, name="W1[0,0]").lines
    np.testing.assert_array_equal(curve.get_ydata(), costs)
    assert lowest.get_ydata() == costs.min()


def test_a3_cost_over_two_weights_a_million_times_and_its_picture():
    pytest.importorskip("matplotlib")
    net = study_network()
    grid = np.linspace(-5, 5, 1000)
    costs = net.cost_surface(HOURS, SCORE, [0, 1], [grid, grid], reduction="sum")
    assert costs.shape == (1000, 1000)
    W1, W2 = (w.copy() for w in net.weights)
    for i, j in [(0, 0), (0, 999), (999, 0), *np.random.default_rng(0).integers(0, 1000, (200, 2))]:
        W1[0, :2] = grid[i], grid[j]
        assert costs[i, j] == pytest.approx(study_cost(W1, W2), rel=1e-12)
    label = fm.plots.cost_surface(grid[::20], grid[::20], costs[::20, ::20], kind="3d").get_legend().texts[0]
    assert f"minimum {costs[::20, ::20].min():.4g}" in label.get_text()


@pytest.mark.parametrize("seed", range(5))
def test_a5_uphill_raises_the_cost_and_downhill_lowers_it(seed):
    net = study_network(seed)
    start, costs = net.params.copy(), [cost(net)]
    for scalar in (3, -3):
        _, gradients = net.loss_and_gradients(HOURS, SCORE, reduction="sum")
        for W, (dW, _) in zip(net.weights, gradients, strict=True):
            W += scalar * dW
        costs.append(cost(net))
    assert costs[1] > costs[0] and costs[1] > costs[2]  # published: 0.00816 -> 0.00954 -> 0.00792
    net.params[:] = start
    gradient = net.loss_and_flat_gradient(HOURS, SCORE, reduction="sum")[1]
    net.fit(HOURS, SCORE, epochs=1, batch_size=3, optimizer=fm.SGD(3 * 3))  # a fit divides by the 3 samples
    np.testing.assert_allclose(net.params, start - 3 * gradient, rtol=1e-12)
    assert cost(net) < costs[0]


def test_a6_numerical_gradients_agree():
    net = study_network()
    assert fm.check_gradients(net, HOURS, SCORE) < 1e-8
    gradient = net.loss_and_flat_gradient(HOURS, SCORE, reduction="sum")[1]
    numeric = np.empty(net.n_params)
    for i, start in enumerate(net.params.copy()):
        low, high = net.cost_surface(HOURS, SCORE, [i], [[start - 1e-4, start + 1e-4]], reduction="sum")
        numeric[i] = (high - low) / 2e-4
    assert np.linalg.norm(gradient - numeric) / np.linalg.norm(gradient + numeric) < 1e-8


@pytest.mark.parametrize("seed", range(10))
def test_a8_a_quasi_newton_method_needs_fewer_than_100_evaluations(seed):
    net, start = study_network(seed), study_network(seed)
    history = net.fit(HOURS, SCORE, epochs=200, optimizer=fm.LBFGS())
    evaluations = history["evaluations"].sum()
    assert history.n_epochs <= evaluations < 100  # brute force: 10^27
    assert "CONVERGENCE" in history.stop_reason
    assert study_cost(*net.weights) < 1e-8 < study_cost(*start.weights)


def softplus(z):
    return np.log1p(np.exp(z))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
FORMULAS = {
    "identity": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * np.expm1(z)),
    "softplus": softplus,
    "silu": lambda z: z * sigmoid(z),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "mish": lambda z: z * np.tanh(softplus(z)),
    "exp": np.exp,
}
DERIVATIVES = {  # those in the lecture (C1)
    "sigmoid": sigmoid_prime,
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "relu": lambda z: (z > 0) * 1.0,
    "softplus": sigmoid,
}
Z = np.linspace(-5, 5, 1000)  # without 0, where some have a kink


def test_a7_there_is_a_formula_for_every_activation():
    assert set(FORMULAS) == set(activations.ACTIVATIONS) - {"softmax"}


@pytest.mark.parametrize("name", FORMULAS)
def test_a7_c1_curve_and_derivative(name):
    f, h = FORMULAS[name], 1e-3
    numeric = (f(Z - 2 * h) - 8 * f(Z - h) + 8 * f(Z + h) - f(Z + 2 * h)) / (12 * h)
    np.testing.assert_allclose(activations.activate(name, Z), f(Z), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(activations.derivative(name, Z), numeric, rtol=1e-9, atol=1e-10)
    if name in DERIVATIVES:
        np.testing.assert_allclose(activations.derivative(name, Z), DERIVATIVES[name](Z), rtol=1e-12)


def test_a7_picture_of_every_activation():
    pytest.importorskip("matplotlib")
    panels = {ax.get_title(): ax for ax in fm.plots.activation().axes}
    assert set(panels) == set(FORMULAS) - {"exp"}
    for name, ax in panels.items():
        curve = ax.lines[0]
        np.testing.assert_allclose(curve.get_ydata(), FORMULAS[name](curve.get_xdata()), atol=1e-14)


# --- B: streetlights ---

LIGHTS = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]])
WALK = np.array([0, 1, 0, 1, 1, 0])
PUZZLE, PUZZLE_WALK = LIGHTS[:4], np.array([1, 1, 0, 0])  # no single light agrees with walking


def one_unit():
    net = fm.Network([3, 1], bias=False, dtype="float64")
    net.weights[0][:, 0] = 0.5, 0.48, -0.7
    return net


def two_layers(activation):
    random = np.random.RandomState(1)
    net = fm.Network([3, 4, 1], activation=activation, bias=False, dtype="float64")
    net.weights[0][:] = 2 * random.random_sample((3, 4)) - 1
    net.weights[1][:] = 2 * random.random_sample((4, 1)) - 1
    return net


def as_printed(value):
    """Twelve significant digits, as printed by Python 2."""
    return f"{value:.12g}"


def errors_of(net, X, y, **options):
    """The error of each pass as in the chapter: a sum without the factor 1/2."""
    return 2 * len(X) * net.fit(X, y, shuffle=False, **options)["loss"]


def test_b1_b3_one_unit_sees_the_middle_light():
    net = one_unit()
    errors = errors_of(net, LIGHTS, WALK, epochs=40, batch_size=1, optimizer=fm.SGD(0.1))
    published = "2.6561231104 0.962870177672 0.000614343567483 0.000533736773285"
    assert " ".join(map(as_printed, errors[[0, 1, -2, -1]])) == published
    np.testing.assert_allclose(net.params, [0, 1, 0], atol=0.02)


@pytest.mark.parametrize("batch_size", [6, 2, 1])
def test_b2_full_mini_and_single_batches_learn(batch_size):
    net = one_unit()
    errors = errors_of(net, LIGHTS, WALK, epochs=200, batch_size=batch_size, optimizer=fm.SGD(0.1))
    assert errors[0] > 0.1 and errors[-1] < 0.01
    np.testing.assert_allclose(net.params, [0, 1, 0], atol=0.05)


def test_b4_up_and_down_pressure():
    net = fm.Network([3, 1], bias=False, dtype="float64")
    net.params[:] = 0.25  # every prediction lies between 0 and 1
    gradients = net.sample_gradients(LIGHTS, WALK)
    table = [[-1, 0, -1], [0, 1, 1], [0, 0, -1], [1, 1, 1], [0, 1, 1], [-1, 0, -1]]
    np.testing.assert_array_equal(np.sign(-gradients), table)
    np.testing.assert_allclose(gradients, (LIGHTS @ net.params - WALK)[:, None] * LIGHTS, atol=1e-15)
    whole = net.loss_and_flat_gradient(LIGHTS, WALK, reduction="sum")[1]
    np.testing.assert_allclose(gradients.sum(axis=0), whole, atol=1e-15)


def test_b5_two_linear_layers_cannot_learn_the_puzzle_and_relu_can():
    assert np.abs(np.corrcoef(PUZZLE.T[:2], PUZZLE_WALK)[2, :2]).max() < 1e-12
    floor = np.linalg.lstsq(PUZZLE, PUZZLE_WALK, rcond=None)[1][0] / 2
    left = {}
    for activation in ("identity", "relu"):
        net = two_layers(activation)
        net.fit(PUZZLE, PUZZLE_WALK, epochs=1000, batch_size=1, shuffle=False, optimizer=fm.SGD(0.1))
        left[activation] = 4 * net.evaluate(PUZZLE, PUZZLE_WALK)["loss"]
    assert left["identity"] > floor * (1 - 1e-9) > 0.49
    assert left["relu"] < 1e-6


def test_b6_errors_of_two_layers():
    net = two_layers("relu")
    errors = errors_of(net, PUZZLE, PUZZLE_WALK, epochs=60, batch_size=1, optimizer=fm.SGD(0.2))
    published = "0.634231159844 0.358384076763 0.0830183113303 0.0064670549571 0.000329266900075 1.50556226651e-05"
    assert " ".join(map(as_printed, errors[9::10])) == published


def mislabelled_digits():
    """A few digits, nearly a third of them mislabelled: made for overfitting."""
    digits, rng = fm.load_digits(), np.random.default_rng(0)
    X, y = digits.X_train[:300], digits.y_train[:300]
    return X, np.where(rng.random(300) < 0.3, rng.integers(0, 10, 300), y), (digits.X_test, digits.y_test)


def fit_mislabelled(seed=0, hidden=(50,), decay=None, **options):
    X, y, test = mislabelled_digits()
    net = fm.Network([fm.Input(64, scale=1 / 16), *hidden, 10], loss="cross_entropy", seed=seed)
    optimizer = fm.SGD(0.2, **(decay or {}))
    history = net.fit(X, y, epochs=100, batch_size=20, optimizer=optimizer, validation_data=test, **options)
    return net, history, (net.evaluate(X, y)["accuracy"], net.evaluate(*test)["accuracy"])


def mean_accuracy(**remedy):
    """Training and test accuracy, averaged over four seeds, since single seeds differ by several per cent."""
    return np.mean([fit_mislabelled(seed, **remedy)[2] for seed in range(4)], axis=0)


@pytest.fixture(scope="module")
def overfitted():
    return mean_accuracy()


@pytest.mark.parametrize(
    "remedy",
    [
        {"decay": {"weight_decay": 0.01}},
        {"decay": {"l1_decay": 0.002}},
        {"hidden": (50, fm.Dropout(0.5))},
        {"callbacks": [fm.EarlyStopping(5)]},
    ],
    ids=["L2", "L1", "dropout", "early stopping"],
)
def test_b7_regularisation_lessens_overfitting(remedy, overfitted):
    train, test = overfitted
    assert train > 0.93 and test < 0.73
    remedied_train, remedied_test = mean_accuracy(**remedy)
    assert remedied_train < train and remedied_test > test + 0.05


def test_b7_early_stopping_returns_to_the_best_weights():
    net, history, _ = fit_mislabelled(callbacks=[fm.EarlyStopping(5)])
    assert history.n_epochs < 100 and "val_loss" in history.stop_reason
    assert net.evaluate(*mislabelled_digits()[2])["loss"] == pytest.approx(history["val_loss"].min(), rel=1e-6)
    assert history.best_epoch == history["val_loss"].argmin() == history.n_epochs - 6


# --- C: the lecture ---


def constant(outputs, **options):
    """A network with these outputs for the input 0, set as scores in its biases."""
    net = fm.Network([1, len(outputs)], dtype="float64", **options)
    net.biases[0][:] = outputs
    return net


def loss_at(net, target):
    return net.evaluate([[0.0]], np.asarray([target]))["loss"]


def test_c2_softmax():
    net = constant([1.2, 0.3], loss="cross_entropy")
    assert net.predict([[0.0]]).round(2).tolist() == [[0.71, 0.29]]


def test_c3_losses():
    for y, label, published in (([0.4, 0.4, 0.2], 1, 0.92), ([0.1, 0.2, 0.7], 2, 0.36)):
        net = constant(np.log(y), loss="cross_entropy")
        assert round(loss_at(net, label), 2) == published
        assert loss_at(net, np.eye(3)[label]) == pytest.approx(-np.log(y[label]), rel=1e-12)
    net = constant([np.log(0.8 / 0.2)], loss="binary_cross_entropy")
    assert loss_at(net, 1) == pytest.approx(-np.log(0.8), rel=1e-12)
    assert loss_at(net, 0) == pytest.approx(-np.log(0.2), rel=1e-12)
    y, d = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.0, 2.5])
    assert loss_at(constant(y, loss="mse"), d) == pytest.approx(np.mean((y - d) ** 2), rel=1e-12)
    assert loss_at(constant(y, loss="squared_error"), d) == pytest.approx(np.sum((y - d) ** 2) / 2, rel=1e-12)


def test_c4_c5_worked_example():
    net = fm.Network([2, 2, 1], activation="tanh", output="sigmoid", bias=False, dtype="float64")
    net.weights[0][:] = [[0.3, -0.3], [-0.4, 0.6]]
    net.weights[1][:] = [[0.9], [0.3]]
    x, target = np.array([[1.1, 0.4]]), np.array([[1.0]])
    hidden = fm.Network([2, fm.Dense(2, "tanh", bias=False)], dtype="float64")
    hidden.weights[0][:] = net.weights[0]
    y2 = net.predict(x)
    np.testing.assert_allclose(x @ net.weights[0], [[0.17, -0.09]], atol=1e-14)
    np.testing.assert_allclose(hidden.predict(x), [[0.1683, -0.0897]], rtol=0, atol=1e-4)
    np.testing.assert_allclose(np.log(y2 / (1 - y2)), [[0.1246]], rtol=0, atol=1e-4)
    np.testing.assert_allclose(y2, [[0.5311]], rtol=0, atol=1e-4)
    _, ((dW1, _), (dW2, _)) = net.loss_and_gradients(x, target)
    np.testing.assert_allclose((y2 - 1) * y2 * (1 - y2), [[-0.1167]], rtol=0, atol=1e-4)
    np.testing.assert_allclose(dW2, [[-0.01966], [0.010481]], rtol=0, atol=1e-5)
    np.testing.assert_allclose(dW1[0] / x[0, 0], [-0.1021, -0.0347], rtol=0, atol=1e-4)
    np.testing.assert_allclose(dW1, [[-0.1123, -0.0382], [-0.0408, -0.0139]], rtol=0, atol=1e-4)


def test_c6_softmax_with_cross_entropy_has_the_delta_o_minus_t():
    net = constant([1.2, 0.3, -0.5], loss="cross_entropy")
    _, ((_, db),) = net.loss_and_gradients([[0.0]], [1])
    np.testing.assert_allclose(db, net.predict([[0.0]])[0] - [0, 1, 0], atol=1e-15)


def test_c7_c10_training_runs_until_the_loss_stands_still():
    digits = fm.load_digits()
    net = fm.Network([fm.Input(64, scale=1 / 16), 16, 10], loss="cross_entropy", seed=0)
    history = net.fit(digits.X_train, digits.y_train, epochs=200, callbacks=[fm.Tolerance(1e-3)])
    change = np.abs(np.diff(history["loss"]))
    assert history.n_epochs < 200 and "loss changed by less than 0.001" in history.stop_reason
    assert change[-1] < 1e-3 and (change[:-1] >= 1e-3).all()
    assert net.evaluate(digits.X_test, digits.y_test)["accuracy"] > 0.9


def checkable(seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(8, 4)), rng.integers(0, 3, 8)


@pytest.mark.parametrize("init", ["glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_normal",
                                  "normal", "uniform", fm.Normal(0.3), fm.Uniform(-0.2, 0.2)], ids=str)  # fmt: skip
def test_c8_initialisations(init):
    net = fm.Network([4, 5, 3], activation="tanh", loss="cross_entropy", init=init, seed=0)
    assert fm.check_gradients(net, *checkable()) < 1e-8


@pytest.mark.parametrize("norm", [fm.BatchNorm(), fm.LayerNorm()], ids=["batch", "layer"])
def test_c8_normalisation(norm):
    layers = [4, fm.Dense(6), norm, fm.Activation("tanh"), fm.Dense(3)]
    net = fm.Network(layers, loss="cross_entropy", seed=0)
    assert fm.check_gradients(net, *checkable()) < 1e-7
    X, labels = checkable()
    history = net.fit(X, labels, epochs=200, optimizer=fm.RMSprop(0.01))
    assert history["loss"][-1] < 0.2 < history["loss"][0]


def test_c8_rmsprop():
    net = fm.Network([4, 5, 3], activation="tanh", loss="cross_entropy", dtype="float64", seed=0)
    X, labels = checkable()
    w, s = net.params.copy(), np.zeros(net.n_params)
    twin = net.copy()
    for _ in range(3):
        twin.params[:] = w
        g = twin.loss_and_flat_gradient(X, labels)[1]
        s = 0.8 * s + 0.2 * g**2
        w -= 0.05 * g / (np.sqrt(s) + 1e-8)
    net.fit(X, labels, epochs=3, batch_size=8, shuffle=False, optimizer=fm.RMSprop(0.05, rho=0.8, epsilon=1e-8))
    np.testing.assert_allclose(net.params, w, rtol=1e-10)


def test_c9_split_and_learning_curve():
    pytest.importorskip("matplotlib")
    digits = fm.load_digits()
    parts = fm.train_validation_test_split(digits.X_train, digits.y_train, validation=0.2, test=0.2, seed=0)
    assert sum(len(X) for X, _ in parts) == len(digits.X_train)
    (X, y), validation, (X_test, y_test) = parts
    assert len(X_test) == len(y_test) == pytest.approx(0.2 * len(digits.X_train), abs=1)
    assert np.concatenate([X, validation[0], X_test]).sum(axis=0).tolist() == digits.X_train.sum(axis=0).tolist()
    curve = fm.learning_curve(
        lambda seed: fm.Network([fm.Input(64, scale=1 / 16), 30, 10], loss="cross_entropy", seed=seed),
        X, y, validation, [50, 200, 1000], repeats=2, epochs=20, optimizer=fm.Adam(0.01),
    )  # fmt: skip
    assert (np.diff(curve.validation_error) < 0).all()
    gap = curve.validation_error - curve.train_error
    assert gap[0] > 0.05 > gap[-1]
    assert fm.plots.learning_curve(curve).get_xscale() == "log"
