"""Calls from inside a team of threads: a loss in Python that uses other networks, and other OpenMP teams."""

import ctypes
import threading

import numpy as np
import pytest
from twins import relative_error

import fastmlp as fm
from cnn_core.machine.team import has_threads, may_have_team

RNG = np.random.default_rng(0)
N = 600
X = RNG.normal(size=(N, 4))
Y = X[:, :3] * X[:, 1:]
X_INNER, Y_INNER = RNG.normal(size=(530, 3)), RNG.normal(size=(530, 2))
THREADS = (1, 2, 3)


def squares(y_true, scores):
    error = scores - y_true
    return 0.5 * (error**2).sum(axis=1), error


def student(loss):
    layers = [fm.Input(4), fm.Dense(30, "tanh"), fm.BatchNorm(), fm.Dense(3)]
    return fm.Network(layers, loss=loss, dtype="float64", seed=0)


def critic():
    return fm.Network([3, fm.Dense(9, "tanh"), 2], dtype="float64", seed=5)


def flat(results):
    """One vector of all numbers in a result."""
    if isinstance(results, dict):
        results = list(results.values())
    if isinstance(results, (list, tuple)):
        return np.concatenate([flat(result) for result in results])
    return np.array(results, dtype=np.float64).ravel()


def trained(**settings):
    def use(net, n_threads):
        history = net.fit(X_INNER, Y_INNER, epochs=1, n_threads=n_threads, **settings)
        return history["loss"], net.params

    return use


def one_batch(net, n_threads):
    return net.train_on_batch(X_INNER, Y_INNER), net.params


def by_hand(net, n_threads):
    net.apply_gradient(net.gradient(X_INNER, Y_INNER, n_threads=n_threads))
    return net.params


USES = {
    "predict": lambda net, n: net.predict(X_INNER, n_threads=n),
    "predict few": lambda net, n: net.predict(X_INNER[:2], n_threads=n),
    "evaluate": lambda net, n: net.evaluate(X_INNER, Y_INNER, n_threads=n),
    "gradient": lambda net, n: net.loss_and_flat_gradient(X_INNER, Y_INNER, n_threads=n),
    "input_gradients": lambda net, n: net.input_gradients(X_INNER, n_threads=n),
    "sample_gradients": lambda net, n: net.sample_gradients(X_INNER, Y_INNER, n_threads=n),
    "activations": lambda net, n: net.activations(X_INNER, n_threads=n),
    "cost_surface": lambda net, n: net.cost_surface(
        X_INNER, Y_INNER, [0, 30], [[0.0, 1.0, 2.0], [0.5, 1.0]], n_threads=n
    ),
    "train_on_batch": one_batch,
    "fit": trained(batch_size=400),
    "gradient and update": by_hand,
    "lbfgs": trained(optimizer=fm.LBFGS()),
    "levenberg_marquardt": trained(optimizer=fm.LevenbergMarquardt()),
}
CALLS = {
    "fit": lambda net, n: (net.fit(X, Y, epochs=1, batch_size=300, n_threads=n)["loss"], net.params),
    "fit by lbfgs": lambda net, n: net.fit(X, Y, epochs=1, optimizer="lbfgs", n_threads=n)["loss"],
    "evaluate": lambda net, n: net.evaluate(X, Y, n_threads=n),
    "loss_and_flat_gradient": lambda net, n: net.loss_and_flat_gradient(X, Y, n_threads=n),
    "sample_gradients": lambda net, n: net.sample_gradients(X[:3], Y[:3], n_threads=n),
    "cost_surface": lambda net, n: net.cost_surface(X, Y, [0], [0.0, 1.0, 2.0], n_threads=n),
}


@pytest.mark.parametrize("use", USES)
def test_inside_a_loss_another_network_gives_the_bits_it_gives_alone(use):
    alone = {inner: flat(USES[use](critic(), inner)) for inner in THREADS}
    found = []

    def loss(y_true, scores):
        found.extend((inner, flat(USES[use](critic(), inner))) for inner in THREADS)
        return squares(y_true, scores)

    for name, call in CALLS.items():
        for outer in THREADS if name == "fit" else (2,):  # only a fit has a team when it calls the loss
            nets = [student(fm.CustomLoss(function)) for function in (loss, squares)]
            if name in ("sample_gradients", "fit by lbfgs"):  # not for a BatchNorm
                nets = [fm.Network([4, 3], loss=net.loss, dtype="float64", seed=0) for net in nets]
            results = [flat(call(net, outer)) for net in nets]
            np.testing.assert_array_equal(*results, err_msg=f"{name} on {outer} threads")
    assert found
    for inner, result in found:
        np.testing.assert_array_equal(result, alone[inner])


@pytest.mark.parametrize("outer", THREADS)
@pytest.mark.parametrize("inner", [*THREADS, None])
def test_an_adversarial_loss_is_that_of_its_formula_in_numpy(outer, inner):
    """Loss and gradient by a critic: its output and its input gradient."""
    judge = fm.Network([3, fm.Dense(9, "tanh"), 1], dtype="float64", seed=5)
    (W1, W2), (b1, b2) = judge.weights, judge.biases

    def by_network(y_true, scores):
        return judge.predict(scores, n_threads=inner)[:, 0], judge.input_gradients(scores, n_threads=inner)[:, 0]

    def by_formula(y_true, scores):
        hidden = np.tanh(scores @ W1 + b1)
        return (hidden @ W2 + b2)[:, 0], ((1 - hidden**2) * W2[:, 0]) @ W1.T

    nets = [student(fm.CustomLoss(function)) for function in (by_network, by_formula)]
    losses = [net.fit(X, Y, epochs=2, batch_size=200, optimizer="adam", n_threads=outer)["loss"] for net in nets]
    np.testing.assert_allclose(*losses, rtol=1e-10)
    assert relative_error(nets[0].params, nets[1].params) < 1e-9


def test_a_wide_network_whose_threads_share_rows_may_call_another_too():
    """Here the team splits each weight matrix, and meets again after the loss."""
    wide, results = (40, fm.Dense(300, "tanh"), 3), []
    rows, alone = RNG.normal(size=(64, 40)), critic().predict(X_INNER, n_threads=2)

    def loss(y_true, scores):
        np.testing.assert_array_equal(critic().predict(X_INNER, n_threads=2), alone)
        return squares(y_true, scores)

    for function in (loss, squares):
        net = fm.Network(wide, loss=fm.CustomLoss(function), dtype="float64", seed=0)
        net.fit(rows, Y[:64], epochs=2, batch_size=16, n_threads=2)
        results.append(net.params)
    np.testing.assert_array_equal(*results)


def test_a_callback_that_sees_gradients_may_use_another_network():
    class Judged(fm.Callback):
        def on_gradient(self, run, gradient):
            np.testing.assert_array_equal(USES["fit"](critic(), 2)[1], alone)

    alone, results = USES["fit"](critic(), 2)[1], []
    for callbacks in ([Judged()], []):
        net = student("squared_error")
        net.fit(X, Y, epochs=1, batch_size=300, n_threads=2, callbacks=callbacks)
        results.append(net.params)
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("n_threads", THREADS)
def test_a_loss_is_called_by_the_callers_thread_in_the_order_of_the_rows(n_threads):
    """So a loss with a state of its own, such as a critic that it trains, gives the same at every number of threads."""
    calls, targets = [], np.linspace(0, 1, 3000).reshape(-1, 1)

    def loss(y_true, scores):
        calls.append((threading.get_ident(), y_true[0, 0]))
        return squares(y_true, scores)

    net = fm.Network([4, 300, 1], loss=fm.CustomLoss(loss), dtype="float64", seed=0)
    many = np.tile(X, (5, 1))
    for call in (
        lambda: net.fit(many, targets, epochs=1, batch_size=900, shuffle=False, n_threads=n_threads),
        lambda: net.evaluate(many, targets, n_threads=n_threads),
        lambda: net.sample_gradients(many[:5], targets[:5], n_threads=n_threads),
    ):
        call()
        assert {ident for ident, _ in calls} == {threading.get_ident()}
        firsts = [first for _, first in calls]
        assert len(firsts) > 2 and firsts == sorted(firsts)
        calls.clear()


@pytest.mark.skipif(not has_threads(), reason="the core was built without OpenMP")
@pytest.mark.parametrize("use", USES)
def test_inside_the_team_of_another_library_a_call_has_one_thread(use):
    """OpenMP allows no team inside it: members would meet at barriers of a size that nobody granted."""
    openmp = ctypes.CDLL("libgomp.so.1")
    alone, found, levels = flat(USES[use](critic(), 1)), [], openmp.omp_get_max_active_levels()

    @ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    def work(_):
        found.append((may_have_team(), flat(USES[use](critic(), 2))))

    if use == "train_on_batch":  # it chooses for itself
        alone = flat(USES[use](critic(), None))
    openmp.GOMP_parallel(work, None, 2, 0)
    assert [may for may, _ in found] == [False, False]
    for _, result in found:
        np.testing.assert_array_equal(result, alone)
    assert may_have_team() and openmp.omp_get_max_active_levels() == levels
