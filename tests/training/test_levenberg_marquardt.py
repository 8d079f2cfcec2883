"""Levenberg-Marquardt against the twin's plain form, and what a fit with it keeps to."""

import contextlib
import dataclasses
import os
import signal
import threading

import numpy as np
import pytest
import reference_least_squares
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import make_samples, relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.data.samples import check_training_data
from fastmlp.training.levenberg_marquardt import LeastSquares

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
Y = np.sin(X.sum(axis=1))

NETWORKS = {
    "one": [fm.Input(3), fm.Dense(5, "tanh"), fm.Dense(1)],
    "several": [fm.Input(3, shift=0.3, scale=[1.0, 2.0, 0.5]), fm.Dense(4, "silu"), fm.Dense(2)],
    "norm": [fm.Input(3), fm.Dense(4, "gelu", bias=False), fm.LayerNorm(epsilon=0.01), fm.Dense(2, "sigmoid")],
    "softmax": [fm.Input(3), fm.Activation("tanh"), fm.Dense(3, "elu"), fm.Dense(3, "softmax")],
}


def make_case(name, loss="squared_error", n=70):
    rng = np.random.default_rng(1)
    net = shake(fm.Network(NETWORKS[name], loss=loss, dtype="float64", seed=0), rng)
    return net, *make_samples(loss, rng, n, 3, net.n_outputs)


def regression(**kwargs):
    return fm.Network([3, 5, 1], **({"activation": "tanh", "dtype": "float64", "seed": 0} | kwargs))


def linearized(net, X, T, weight, n_threads=1):
    problem = LeastSquares(net, check_training_data(net, X, T, weight, None), 0.1, n_threads)
    problem.linearize()
    return problem


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("loss", ["squared_error", "mse"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_normal_equations_are_those_of_the_twins_jacobian(name, loss, n_threads):
    net, X, T, weight = make_case(name, loss)
    problem = linearized(net, X, T, weight, n_threads)
    twin = twin_of(net)
    J, decay = twin.jacobian(X), 0.1 * twin.decay_mask()
    factor = (1 if loss == "squared_error" else 2 / net.n_outputs) / weight.sum()
    A = factor * np.einsum("nkp,nkq,n->pq", J, J, weight) + np.diag(decay)
    assert relative_error(np.triu(problem.curvature), np.triu(A)) < 1e-12
    assert relative_error(problem.gradient, twin.flat_gradient(X, T, weight) + decay * twin.flat()) < 1e-10
    assert problem.loss == pytest.approx(twin.loss(X, T, weight) + decay @ twin.flat() ** 2 / 2, rel=1e-12)


def test_the_step_solves_the_damped_equations():
    problem = linearized(*make_case("several"))
    A = np.triu(problem.curvature) + np.triu(problem.curvature, 1).T
    for damping in (0.0, 1e-3, 10.0):
        expected = np.linalg.solve(A + damping * np.eye(len(A)), -problem.gradient)
        np.testing.assert_allclose(problem.step(damping), expected, rtol=1e-6)
    assert problem.step(-100.0) is None


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(
    ("loss", "weight_decay", "alpha"), [("squared_error", 0.0, 0.0), ("mse", 0.01, 0.0), ("mse", 0.01, 3.0)]
)
@pytest.mark.parametrize("name", NETWORKS)
def test_training_equals_the_twin(name, loss, weight_decay, alpha, n_threads):
    net, X, T, weight = make_case(name, loss)
    twin = twin_of(net)
    optimizer = fm.LevenbergMarquardt(damping=0.1, weight_decay=weight_decay)
    history = net.fit(X, T, epochs=6, optimizer=optimizer, sample_weight=weight, n_threads=n_threads, alpha=alpha)
    losses, dampings, tried = reference_least_squares.levenberg_marquardt(
        twin, X, T, 6, sample_weight=weight, weight_decay=weight_decay, alpha=alpha, damping=0.1
    )
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-7)
    np.testing.assert_allclose(history["damping"], dampings, rtol=1e-4)
    np.testing.assert_array_equal(history["evaluations"], tried)
    assert relative_error(net.params, twin.flat()) < 1e-5


def test_a_linear_network_is_solved_at_once():
    y = RNG.normal(size=60)
    net = fm.Network([3, 1], dtype="float64", seed=0)
    history = net.fit(X, y, epochs=50, optimizer=fm.LevenbergMarquardt(damping=1e-9, tolerance=1e-6))
    expected = np.linalg.lstsq(np.column_stack([X, np.ones(60)]), y, rcond=None)[0]
    np.testing.assert_allclose(net.params, expected, rtol=1e-6)
    assert history.n_epochs == 1
    assert history.stop_reason == "Levenberg-Marquardt: no element of the gradient exceeds 1e-06"
    assert np.abs(net.loss_and_flat_gradient(X, y)[1]).max() <= 1e-6


def test_a_sine_is_fitted_far_closer_than_by_adam():
    x = np.linspace(-3, 3, 100).reshape(-1, 1)
    nets = [fm.Network([1, 8, 1], activation="tanh", loss="mse", dtype="float64", seed=0) for _ in range(2)]
    nets[0].fit(x, np.sin(x), epochs=200, optimizer="levenberg_marquardt")
    nets[1].fit(x, np.sin(x), epochs=200, optimizer=fm.Adam(0.01))
    loss, adams = (net.evaluate(x, np.sin(x))["loss"] for net in nets)
    assert loss < 1e-4 and 10 * loss < adams


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_epoch_is_a_step_that_lowers_the_loss_of_the_weights_as_they_are_held(dtype):
    net = regression(dtype=dtype)
    start, seen = net.evaluate(X, Y)["loss"], []
    history = net.fit(
        X, Y, epochs=15, optimizer=fm.LevenbergMarquardt(), validation_data=(X, Y),
        callbacks=[lambda run: seen.append(run.network.astype("float64").evaluate(X, Y)["loss"])],
    )  # fmt: skip
    assert set(history) == {"loss", "seconds", "learning_rate", "damping", "evaluations", "val_loss"}
    assert history.n_epochs == 15 and history.stop_reason == "epochs"
    assert (np.diff([start, *history["loss"]]) < 0).all() and (np.diff(history["seconds"]) > 0).all()
    np.testing.assert_allclose(seen, history["loss"], rtol=1e-6 if dtype == "float32" else 1e-12)
    np.testing.assert_allclose(history["val_loss"], history["loss"], rtol=1e-5)
    assert net.dtype == dtype


def test_it_ends_where_no_step_lowers_the_loss():
    net = regression(dtype="float32")
    x = np.linspace(-1, 1, 20).reshape(-1, 1) * np.ones(3)
    history = net.fit(x, np.tanh(x[:, 0]), epochs=5000, optimizer=fm.LevenbergMarquardt(tolerance=0.0))
    assert history.stop_reason == "Levenberg-Marquardt: no step lowers the loss"
    assert history.n_epochs < 5000 and history["loss"][-1] < 1e-8


@given(
    damping=st.floats(1e-12, 1e12),
    tolerance=st.floats(0, 1e3),
    weight_decay=st.floats(0, 100),
    dtype=st.sampled_from(["float32", "float64"]),
)
@settings(max_examples=40)
def test_any_legal_settings_never_raise_what_is_minimised(damping, tolerance, weight_decay, dtype):
    net = regression(dtype=dtype)

    def objective():
        twin = net.astype("float64")
        return twin.evaluate(X, Y)["loss"] + weight_decay / 2 * sum((W**2).sum() for W in twin.weights)

    before = objective()
    optimizer = fm.LevenbergMarquardt(damping=damping, tolerance=tolerance, weight_decay=weight_decay)
    history = net.fit(X, Y.astype(dtype), epochs=4, optimizer=optimizer)
    assert objective() <= before * (1 + 1e-5)
    assert history.n_epochs == 4 or history.stop_reason.startswith("Levenberg-Marquardt: ")


@pytest.mark.parametrize("optimizer", ["levenberg_marquardt", "lbfgs"])
def test_sample_weights_count_as_repetitions(optimizer):
    counts = RNG.integers(0, 4, size=60)
    nets = [regression(), regression()]
    nets[0].fit(X, Y, epochs=5, optimizer=optimizer, sample_weight=counts, alpha=0.3)
    nets[1].fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts), epochs=5, optimizer=optimizer, alpha=0.3)
    np.testing.assert_allclose(nets[0].params, nets[1].params, rtol=1e-5)


@pytest.mark.parametrize("optimizer", [fm.LevenbergMarquardt(weight_decay=0.01), fm.LBFGS(weight_decay=0.01)])
def test_a_stretch_whose_learning_rate_is_0_stays_as_it_is(optimizer):
    """As if its parameters were constants: the others get where a network of them alone does."""
    y = X @ [1.0, -2.0, 0.5] + RNG.normal(size=60)
    net = fm.Network([3, 1], dtype="float64", seed=0)
    groups = np.array([(0, 1, 0, 1, 1), (1, 2, 1, 1, 1), (3, 1, 1, 0, 1)], dtype=net.layout.groups.dtype)
    net._change(layout=dataclasses.replace(net.layout, groups=groups))
    first = net.params[0]
    net.fit(X, y, epochs=60, optimizer=dataclasses.replace(optimizer, tolerance=1e-10))
    assert net.params[0] == first
    A = np.column_stack([X[:, 1:], np.ones(60)])
    expected = np.linalg.solve(A.T @ A / 60 + np.diag([0.01, 0.01, 0]), A.T @ (y - first * X[:, 0]) / 60)
    np.testing.assert_allclose(net.params[1:], expected, rtol=1e-7)


def test_a_callback_may_stop_it_and_change_the_network():
    net, losses = regression(), []

    def back_to_the_start(run):
        losses.append(run.history.last("loss"))
        run.network.params[:] = start
        if run.epoch == 3:
            run.stop("enough")

    start = net.params.copy()
    history = net.fit(X, Y, epochs=10, optimizer="levenberg_marquardt", callbacks=[back_to_the_start])
    assert history.stop_reason == "enough" and len(losses) == 4
    expected = regression().fit(X, Y, epochs=1, optimizer="levenberg_marquardt")["loss"][0]
    assert losses[0] == expected and max(losses) < regression().evaluate(X, Y)["loss"]


def test_early_stopping_restores_the_best_weights():
    net = regression()
    stopping = fm.EarlyStopping(patience=3)
    history = net.fit(
        X, Y, epochs=200, optimizer="levenberg_marquardt", callbacks=[stopping],
        validation_data=(RNG.normal(size=(30, 3)), np.zeros(30)),
    )  # fmt: skip
    assert history.n_epochs < 200
    assert history.best_epoch == np.argmin(history["val_loss"])


def test_ctrl_c_keeps_the_last_step():
    rows = RNG.normal(size=(40_000, 20))
    net = fm.Network([20, 20, 1], activation="tanh", seed=0)
    weights = [net.params.copy()]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        history = net.fit(
            rows, np.sin(rows.sum(axis=1)), epochs=1000, optimizer="levenberg_marquardt", n_threads=1,
            callbacks=[lambda run: weights.append(run.network.params.copy())],
        )  # fmt: skip
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert history.stop_reason == "interrupted"
    assert history.n_epochs == len(weights) - 1
    np.testing.assert_array_equal(net.params, weights[-1])


REFUSED = [
    ([3, 2], {"loss": "cross_entropy"}, {}, "needs the loss 'squared_error' or 'mse', a sum of squares; got 'cross_"),
    ([3, 4, fm.BatchNorm(), 1], {}, {}, "cannot train a network with BatchNorm"),
    ([3, 4, fm.Dropout(0.1), 1], {}, {}, "cannot train a network with Dropout"),
    ([3, 1000, 1], {}, {}, "this network has 5001 parameters and needs 0.4 GB, and max_params=4000 is the limit"),
    ([3, 4, 1], {}, {"max_params": 20}, "this network has 21 parameters"),
]


@pytest.mark.parametrize(("layers", "network", "optimizer", "words"), REFUSED)
def test_what_it_cannot_train_is_refused_before_anything_changes(layers, network, optimizer, words):
    net, begun = fm.Network(layers, seed=0, **network), []
    before = net.params.copy()

    class Begun(fm.Callback):
        def on_fit_begin(self, run):
            begun.append(run)

    targets = np.zeros(60, int) if "loss" in network else Y
    with pytest.raises(ValueError, match="LevenbergMarquardt") as caught:
        net.fit(X, targets, optimizer=fm.LevenbergMarquardt(**optimizer), callbacks=[Begun()])
    assert words in str(caught.value)
    assert begun == []
    np.testing.assert_array_equal(net.params, before)


def test_a_sparse_matrix_is_refused():
    from scipy.sparse import csr_array

    with pytest.raises(ValueError, match="LevenbergMarquardt needs a dense X"):
        regression().fit(csr_array(X), Y, optimizer="levenberg_marquardt")


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"damping": 0.0}, ValueError, "damping must be a finite number with 0.0 < damping, got 0.0"),
        ({"damping": lambda step: 1.0}, TypeError, "damping must be a number"),
        ({"tolerance": -1}, ValueError, "tolerance must be a finite number with 0.0 <= tolerance, got -1"),
        ({"max_params": 0}, ValueError, "max_params must be between 1 and 2147483647, got 0"),
        ({"weight_decay": np.nan}, ValueError, "weight_decay must be a finite number"),
    ],
)
def test_bad_settings(given, error, words):
    with pytest.raises(error) as caught:
        fm.LevenbergMarquardt(**given)
    assert words in str(caught.value)


def test_a_loss_that_is_not_finite_leaves_the_network_as_it_was():
    net = regression()
    before = net.params.copy()
    with pytest.raises(fm.DivergedError, match="not finite"):
        net.fit(X, Y * 1e200, epochs=3, optimizer="levenberg_marquardt")
    np.testing.assert_array_equal(net.params, before)


@pytest.fixture
def at_most_1000_trials(monkeypatch):
    """Fails where a search for a step goes on for ever."""
    trials, step = [], LeastSquares.step

    def counted(problem, damping):
        trials.append(damping)
        assert len(trials) < 1000
        return step(problem, damping)

    monkeypatch.setattr(LeastSquares, "step", counted)


@pytest.mark.filterwarnings("ignore::fastmlp.TrainingWarning")
@pytest.mark.parametrize("rule", [{}, {"damping": 1e300}, {"damping": 5e-324}, {"tolerance": 0.0}], ids=repr)
@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_at_the_ends_of_the_range_end_the_search_for_a_step(at_most_1000_trials, rule, activation, dtype):
    for x_size in (1e-170, 1.0, 1e18, 1e150, 1e154, 1e200):
        for y_size in (1e-170, 1.0, 1e18, 1e150, 1e170):
            net = regression(activation=activation, dtype=dtype)
            with contextlib.suppress(fm.DivergedError, ValueError):  # beyond the range of the dtype
                net.fit(X * x_size, Y * y_size, epochs=2, optimizer=fm.LevenbergMarquardt(**rule))
            assert net.is_finite()


@pytest.mark.filterwarnings("ignore::fastmlp.TrainingWarning")
def test_a_curvature_that_overflows_is_blamed_on_the_inputs(at_most_1000_trials):
    net = regression(activation="relu")
    before = net.params.copy()
    with pytest.raises(fm.DivergedError, match="curvature is not finite.*inputs that are not scaled"):
        net.fit(X * 1e154, Y, optimizer=fm.LevenbergMarquardt())
    np.testing.assert_array_equal(net.params, before)
