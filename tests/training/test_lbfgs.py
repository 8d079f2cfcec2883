"""L-BFGS over all samples: its epochs, and how often it computes the loss."""

import numpy as np
import pytest
from scipy.optimize import minimize
from twins import twin_of

import fastmlp as fm

X = np.random.default_rng(0).normal(size=(40, 3))
Y = np.sin(X.sum(axis=1, keepdims=True))


def network(**settings):
    return fm.Network([3, 5, 1], **({"activation": "tanh", "dtype": "float64", "seed": 0} | settings))


def test_lbfgs_has_an_epoch_for_each_iteration_and_says_why_it_ended():
    net = network()
    history = net.fit(X, Y, epochs=500, optimizer=fm.LBFGS(tolerance=1e-3), validation_data=(X, Y))
    assert history.n_epochs < 500 and history.stop_reason.startswith("L-BFGS: ")
    assert (np.diff(history["loss"]) <= 0).all()
    np.testing.assert_allclose(history["loss"], history["val_loss"], rtol=1e-12)
    assert net.evaluate(X, Y)["loss"] == pytest.approx(history["loss"][-1], rel=1e-12)
    _, gradient = net.loss_and_flat_gradient(X, Y)
    assert np.abs(gradient).max() <= 1e-3
    assert network().fit(X, Y, epochs=3, optimizer="lbfgs").n_epochs == 3


class Counted:
    """Half the mean squared error of one output, and the number of calls."""

    def __init__(self):
        self.calls = 0

    def __call__(self, targets, scores):
        self.calls += 1
        return (scores - targets)[:, 0] ** 2 / 2, scores - targets


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_the_loss_is_computed_as_often_as_scipy_asks_and_the_history_says_how_often(alpha):
    counted, twin = Counted(), twin_of(network())
    decay = alpha / len(X) * twin.decay_mask()

    def objective(w):
        twin.set_flat(w)
        return twin.loss(X, Y) + decay @ w**2 / 2, twin.flat_gradient(X, Y) + decay * w

    options = {"maxiter": 30, "maxcor": 10, "ftol": 0.0, "gtol": 1e-6, "maxfun": 600}
    expected = minimize(objective, twin.flat(), jac=True, method="L-BFGS-B", options=options)
    net = network(loss=fm.CustomLoss(counted))
    history = net.fit(X, Y, epochs=30, optimizer=fm.LBFGS(), alpha=alpha)
    assert counted.calls == history["evaluations"].sum() == expected.nfev > history.n_epochs == 30
    assert (history["evaluations"] >= 1).all()
    assert history["loss"][-1] == pytest.approx(expected.fun, rel=1e-6)


def test_callbacks_may_monitor_the_evaluations_and_change_the_weights():
    seen = []

    def disturb(run):
        run.network.params[:] = 0
        seen.append(run.history.last("evaluations"))

    stop = fm.EarlyStopping(3, monitor="evaluations", mode="max", restore_best=False)
    net, undisturbed = network(), network()
    history = net.fit(X, Y, epochs=20, optimizer=fm.LBFGS(), callbacks=[disturb, stop])
    expected = undisturbed.fit(X, Y, epochs=history.n_epochs, optimizer=fm.LBFGS())
    np.testing.assert_array_equal(history["loss"], expected["loss"])
    np.testing.assert_array_equal(seen, expected["evaluations"])
