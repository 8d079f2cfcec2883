"""Tests of the twin's update rules and training loop: hand values and closed forms.

Nothing here imports fastmlp.
"""

import numpy as np
import pytest
import reference as ref
import reference_training as training


def path(rule, gradients, w0=1.0, **hyper):
    """Return one weight w after each step, for a given sequence of gradients."""
    w, state, seen = np.array([w0]), {}, []
    for g in gradients:
        w = training.RULES[rule](w, np.array([g]), state, **hyper)
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
        # step sizes .01, .012, then .006 without a step, .006, .0072
        ("rprop", {}, [5, 0.1, -3, -3, -3], [0.99, 0.978, 0.978, 0.984, 0.9912]),
        ("rprop", {"lr": 1.0, "step_max": 1.5}, [1, 1, 1, 1], [0.0, -1.2, -2.64, -4.14]),
        ("rprop", {"lr": 1.0, "step_min": 0.8}, [1, -1, -1], [0.0, 0.0, 0.8]),
    ],
)  # fmt: skip
def test_update_rules_by_hand(rule, hyper, gradients, expected):
    np.testing.assert_allclose(path(rule, gradients, **hyper), expected, rtol=1e-13, atol=1e-15)


def test_update_rules_on_a_constant_gradient():
    """With a constant g every moment has a closed form, and so does the path."""
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
    losses = training.train(net, X, T, [[2, 0, 1]], 2, lr=0.1, sample_weight=sample_weight)
    w1 = 0.1 * (2 * 3 * 2 + 1 * 1 * 1) / 3  # rows 2 and 0 first, at w = 0
    w2 = w1 - 0.1 * 2 * (2 * w1)  # then row 1 alone: its weight cancels
    np.testing.assert_allclose(net.flat(), [w2])
    np.testing.assert_allclose(losses, [(2 * 2.0 + 1 * 0.5 + 3 * 0.5 * (2 * w1) ** 2) / 6])


def test_train_reads_schedules_masks_and_running_statistics_at_each_step():
    rng = np.random.default_rng(7)
    norm = ("batch_norm", np.ones(4), np.zeros(4), 1e-3)
    first, last = (
        ("dense", rng.normal(size=(3, 4)), np.zeros(4), "tanh"),
        ("dense", rng.normal(size=(4, 3)), np.zeros(3), "identity"),
    )
    net = ref.Net([first, norm, ("dropout", 0.5, None), last])
    X, T = rng.normal(size=(7, 3)), rng.normal(size=(7, 3))
    seen = []

    def drop_all(step, rows):
        seen.append((step, list(rows)))
        net.layers[3]["mask"] = np.zeros((len(rows), 4))

    before = net.flat()
    training.train(net, X, T, [np.arange(7)] * 2, 4, "adam", lr=lambda step: 0.1 * (step == 3), on_step=drop_all)
    assert seen == [(0, [0, 1, 2, 3]), (1, [4, 5, 6]), (2, [0, 1, 2, 3]), (3, [4, 5, 6])]
    changed = net.flat() != before
    assert changed.nonzero()[0].tolist() == [36, 37, 38]  # all units dropped: only the last biases change
    assert not np.allclose(net.layers[2]["mean"], 0.0)


@pytest.mark.parametrize("rule", training.RULES)
def test_every_rule_lowers_the_loss(rule):
    rng = np.random.default_rng(8)
    W1, W2 = rng.normal(size=(3, 4)), rng.normal(size=(4, 3))
    net = ref.Net([("dense", W1, np.zeros(4), "tanh"), ("dense", W2, np.zeros(3), "softmax")], "cross_entropy")
    X, T = rng.normal(size=(20, 3)), rng.dirichlet(np.ones(3), size=20)
    losses = training.train(net, X, T, [np.arange(20)] * 60, 20, rule, lr=0.02)
    assert losses[-1] < losses[0] - 0.02


def test_adamw_decays_only_what_may_decay():
    """Neither decay changes parameters outside the mask."""
    w = training.RULES["adamw"](np.ones(2), np.zeros(2), {}, decay=np.array([1.0, 0.0]), l1_decay=1.0)
    assert w[0] < 1.0
    assert w[1] == 1.0


def test_published_path_of_a_small_network():
    """Grokking Deep Learning, chapter 6: errors after 10, 20, ... 60 passes, to the last printed digit."""
    rng = np.random.RandomState(1)
    W1, W2 = 2 * rng.random_sample((3, 4)) - 1, 2 * rng.random_sample((4, 1)) - 1
    X, y = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1]]), np.array([[1], [1], [0], [0]])
    net = ref.Net([("dense", W1, None, "relu"), ("dense", W2, None, "identity")])
    errors = 2 * 4 * training.train(net, X, y, [np.arange(4)] * 60, 1, lr=0.2)
    assert [f"{e:.12g}" for e in errors[9::10]] == [
        "0.634231159844",
        "0.358384076763",
        "0.0830183113303",
        "0.0064670549571",
        "0.000329266900075",
        "1.50556226651e-05",
    ]


def test_numerical_gradient_of_a_cubic():
    w = np.array([1.0, -2.0, 0.5])
    gradient = training.numerical_gradient(lambda v: float((v**3).sum()), w)
    np.testing.assert_allclose(gradient, 3 * w**2, atol=1e-9)


def test_clipping_by_hand():
    g = np.array([3.0, -4.0])
    np.testing.assert_array_equal(training.clip(g), g)
    np.testing.assert_allclose(training.clip(g, clip_norm=2.5), [1.5, -2.0])
    np.testing.assert_array_equal(training.clip(g, clip_norm=5.0), g)
    np.testing.assert_array_equal(training.clip(g, clip_value=3.5), [3.0, -3.5])
    np.testing.assert_allclose(training.clip(np.array([30.0, -4.0]), 2.5, 3.0), [2.5 / 2**0.5, -2.5 / 2**0.5])


def test_columns_are_limited_by_hand():
    W = np.array([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]])
    net = ref.Net([("dense", W, np.full(3, 9.0), "identity")])
    training.limit_columns(net, 2.0)
    np.testing.assert_allclose(net.layers[0]["W"], [[1.2, 0.3, 0.0], [1.6, 0.4, 0.0]])
    np.testing.assert_array_equal(net.layers[0]["b"], 9.0)


def test_averages_by_hand():
    path = [np.array([4.0]), np.array([2.0]), np.array([1.0])]
    assert training.average_of(path, 1.0) == pytest.approx(7 / 3)
    assert training.average_of(path, 0.5) == pytest.approx((1 + 1 + 1) / 1.75)
    assert training.average_of(path, 0.0) == 1.0


def linear():
    return ref.Net([("dense", np.array([[1.0]]), np.array([0.0]), "identity")])


def test_accumulated_batches_by_hand():
    # y = 1 x with targets 0: the gradient of a row is x^2 in W and x in b.
    X, T = np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1))
    net = linear()
    losses = training.train(net, X, T, [np.arange(3)], 1, lr=0.1, accumulate=2)
    first = np.array([1 - 0.1 * 2.5, -0.1 * 1.5])
    delta = 3 * first[0] + first[1]
    np.testing.assert_allclose(net.flat(), first - 0.1 * delta * np.array([3.0, 1.0]))
    np.testing.assert_allclose(losses, [(0.5 + 2 + delta**2 / 2) / 3])


def test_recorded_losses_by_rows_and_by_weight_by_hand():
    X, T, weight = np.array([[1.0], [2.0], [3.0]]), np.zeros((3, 1)), np.array([1.0, 3.0, 2.0])
    by_rows, by_weight = (
        training.train(linear(), X, T, [np.arange(3)], 2, lr=0.0, sample_weight=weight, counts_rows=flag)[0]
        for flag in (True, False)
    )
    assert by_rows == pytest.approx((2 * (0.5 * 1 + 2.0 * 3) / 4 + 4.5) / 3)
    assert by_weight == pytest.approx((0.5 * 1 + 2.0 * 3 + 4.5 * 2) / 6)


def test_factors_by_hand():
    X, T = np.array([[2.0]]), np.zeros((1, 1))
    for factors, expected in (([0.5, 2.0], [1 - 0.1 * 0.5 * 4, -0.1 * 2 * 2]), ([0.0, 1.0], [1.0, -0.2])):
        net = linear()
        training.train(net, X, T, [np.arange(1)], 1, lr=0.1, factors=np.array(factors), weight_decay=0.0)
        np.testing.assert_allclose(net.flat(), expected)


def test_a_frozen_batch_norm_by_hand():
    net = ref.Net([("batch_norm", np.array([2.0]), np.array([1.0]), 0.25), ("dense", np.eye(1), None, "identity")])
    net.layers[0] |= {"frozen": True, "mean": np.array([3.0]), "var": np.array([3.75])}
    X = np.array([[1.0], [5.0]])
    np.testing.assert_allclose(net.forward(X, training=True), [[0.0 - 1.0], [3.0]])
    net.update_running(X)
    assert net.layers[0]["mean"] == 3.0
