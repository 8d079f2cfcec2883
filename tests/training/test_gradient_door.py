"""Callbacks that see the whole gradient of each step, and may change it before the update."""

import threading

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 6)), RNG.normal(size=(50, 2))


class Seen(fm.Callback):
    """Keeps a copy of what it sees."""

    def __init__(self):
        self.gradients = []

    def on_gradient(self, run, gradient):
        assert gradient.shape == (run.network.n_params,) and gradient.dtype == run.network.dtype
        assert gradient.flags.writeable and threading.current_thread() is threading.main_thread()
        self.gradients.append(gradient.copy())


class Halved(fm.Callback):
    def on_gradient(self, run, gradient):
        gradient *= 0.5


def network(*layers, dtype="float64", seed=1):
    return fm.Network([6, *(layers or (12,)), 2], activation="tanh", loss="mse", dtype=dtype, seed=seed)


CASES = {
    "one_tile": (network, {"n_threads": 1}),
    "tiles": (network, {"n_threads": 2}),
    "rows": (lambda: network(300, 200), {"n_threads": 2}),
    "batch_norm": (lambda: network(12, fm.BatchNorm()), {"n_threads": 2}),
    "float32": (lambda: network(dtype="float32"), {}),
    "accumulate": (network, {"accumulate": 2}),
    "weights": (network, {"sample_weight": RNG.uniform(size=50)}),
    "average": (network, {"average": 0.9}),
    "max_norm": (network, {"max_norm": 0.5}),
}


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.Adam(0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize("case", CASES)
def test_looking_changes_nothing_but_rounding(case, optimizer):
    make, settings = CASES[case]
    settings = {"epochs": 3, "batch_size": 10, "optimizer": optimizer} | settings
    seen, looked, plain = Seen(), make(), make()
    history = looked.fit(X, Y, callbacks=seen, **settings)
    expected = plain.fit(X, Y, **settings)
    tolerance = 1e-4 if looked.dtype == np.float32 else 1e-9
    np.testing.assert_allclose(looked.params, plain.params, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=tolerance)
    assert len(seen.gradients) == (9 if case == "accumulate" else 15)


def test_it_is_the_gradient_of_the_batch_with_its_penalty():
    net, seen = network(), Seen()
    before = net.params.copy()
    net.fit(X, Y, epochs=1, batch_size=50, alpha=3.0, clip_norm=1e-3, optimizer=fm.SGD(0.1), callbacks=seen)
    twin = network()
    twin.params = before
    expected = twin.loss_and_flat_gradient(X, Y)[1]
    expected += 3.0 / 50 * before * twin.layout.per_parameter("decay_factor")
    np.testing.assert_allclose(seen.gradients[0], expected, rtol=1e-10, atol=1e-14)
    assert np.linalg.norm(net.params - before) == pytest.approx(0.1 * 1e-3)  # clipping comes after


@pytest.mark.parametrize("case", ["one_tile", "tiles", "rows"])
def test_what_a_callback_changes_is_what_the_update_gets(case):
    make, settings = CASES[case]
    halved, slower = make(), make()
    halved.fit(X, Y, epochs=2, batch_size=10, optimizer=fm.SGD(0.1), callbacks=Halved(), **settings)
    slower.fit(X, Y, epochs=2, batch_size=10, optimizer=fm.SGD(0.05), **settings)
    np.testing.assert_allclose(halved.params, slower.params, rtol=1e-9, atol=1e-12)


def test_several_callbacks_see_it_in_turn():
    seen, net = Seen(), network()
    first = Seen()
    net.fit(X, Y, epochs=1, batch_size=50, callbacks=[first, Halved(), seen])
    np.testing.assert_array_equal(seen.gradients[0], 0.5 * first.gradients[0])


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_is_raised_with_the_network_as_after_the_step_before(n_threads):
    class Fails(Seen):
        def on_gradient(self, run, gradient):
            super().on_gradient(run, gradient)
            if len(self.gradients) == 4:
                raise LookupError("the fourth")

    net, twin = network(), network()
    with pytest.raises(LookupError, match="the fourth"):
        net.fit(X, Y, epochs=2, batch_size=10, shuffle=False, callbacks=Fails(), n_threads=n_threads)
    seen = Seen()
    twin.fit(X[:30], Y[:30], epochs=1, batch_size=10, shuffle=False, callbacks=seen, n_threads=n_threads)
    assert len(seen.gradients) == 3
    np.testing.assert_array_equal(net.params, twin.params)
    net.fit(X, Y, epochs=1)


def test_nan_from_a_callback_is_a_fit_that_diverged():
    class Ruins(fm.Callback):
        def on_gradient(self, run, gradient):
            gradient[0] = np.nan

    with pytest.raises(fm.DivergedError):
        network().fit(X, Y, epochs=3, callbacks=Ruins())


@pytest.mark.parametrize("optimizer", [fm.LBFGS(), fm.LevenbergMarquardt()], ids=["lbfgs", "levenberg_marquardt"])
def test_methods_with_steps_of_their_own_refuse_it(optimizer):
    with pytest.raises(ValueError, match=r"Halved.on_gradient works only with an update rule, and"):
        network().fit(X, Y, optimizer=optimizer, callbacks=Halved())


def test_chunks_and_a_resumed_fit_go_through_it(tmp_path):
    seen = Seen()
    network().fit(fm.Chunks([(X, Y)]), epochs=2, batch_size=10, callbacks=seen)
    assert len(seen.gradients) == 10
    path = tmp_path / "fit"
    settings = {"batch_size": 10, "checkpoint": path, "optimizer": fm.Adam(0.01)}
    net, whole = network(), network()
    net.fit(X, Y, epochs=2, callbacks=Halved(), **settings)
    with pytest.raises(ValueError, match="callbacks that see gradients"):
        network().fit(X, Y, epochs=4, resume=True, **settings)
    net = network()
    net.fit(X, Y, epochs=4, resume=True, callbacks=Halved(), **settings)
    whole.fit(X, Y, epochs=4, batch_size=10, optimizer=fm.Adam(0.01), callbacks=Halved())
    np.testing.assert_array_equal(net.params, whole.params)


def test_a_callback_without_it_costs_nothing():
    net = network()
    calls = []
    net.fit(X, Y, epochs=2, batch_size=10, optimizer=fm.SGD(0.1), callbacks=lambda run: calls.append(run.epoch))
    plain = network()
    plain.fit(X, Y, epochs=2, batch_size=10, optimizer=fm.SGD(0.1))
    np.testing.assert_array_equal(net.params, plain.params)  # the fused way, to the bit
    assert calls == [0, 1]
