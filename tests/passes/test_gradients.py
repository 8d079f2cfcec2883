"""Backpropagation against central differences and against the twin, for every activation, loss and kind of layer."""

import numpy as np
import pytest
from twins import HIDDEN, LEGAL_PAIRS, SINGLE, VARIANTS, make_loss, make_samples, relative_error, shake, twin_of

import fastmlp as fm

CASES = [("tanh", loss, output) for loss, output in LEGAL_PAIRS]
CASES += [(hidden, loss, spec.default_output) for loss, spec in SINGLE.items() for hidden in HIDDEN]


def make_case(variant, hidden, loss, output, dtype="float64"):
    """A network 3-4-[variant]-3 with its samples, far enough from all kinks."""
    rng = np.random.default_rng(20)
    layers = [fm.Input(3), fm.Dense(4, hidden), *VARIANTS[variant], fm.Dense(3, output)]
    net = shake(fm.Network(layers, loss=make_loss(loss), dtype=dtype, seed=21), rng)
    return net, *make_samples(loss, rng, 6, 3, 3)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("hidden", "loss", "output"), CASES)
def test_gradient_is_right(variant, hidden, loss, output):
    net, X, T, weight = make_case(variant, hidden, loss, output)
    before = net.params.copy(), net.statistics.copy()
    assert fm.check_gradients(net, X, T, sample_weight=weight) < 1e-7
    twin = twin_of(net)
    for reduction in ("mean", "sum"):
        value, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight, reduction=reduction)
        assert value == pytest.approx(twin.loss(X, T, weight, reduction), rel=1e-10)
        assert relative_error(gradient, twin.flat_gradient(X, T, weight, reduction)) < 1e-10
    np.testing.assert_array_equal(net.params, before[0])
    for name, array in net.named_arrays().items():
        if "running" in name:
            np.testing.assert_array_equal(array, 1.0 if name.endswith("variance") else 0.0)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("hidden", "loss", "output"), CASES)
def test_single_precision_agrees_with_double(variant, hidden, loss, output):
    net, X, T, weight = make_case(variant, hidden, loss, output, "float32")
    X, T = X.astype(np.float32), T.astype(np.float32)
    if loss == "cross_entropy":  # rounded rows no longer sum to 1 exactly; both networks see the same ones
        T /= T.sum(axis=1, keepdims=True)
    value, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight)
    double_value, double_gradient = net.astype("float64").loss_and_flat_gradient(X, T, sample_weight=weight)
    assert gradient.dtype == np.float32
    assert value == pytest.approx(double_value, rel=1e-4)
    assert relative_error(gradient, double_gradient) < 1e-4


def test_the_check_finds_a_wrong_gradient(monkeypatch):
    """One slope off by a millionth part of the largest is seen."""
    from fastmlp.passes import derivatives

    right = derivatives.loss_and_flat_gradient

    def wrong(*args, **kwargs):
        loss, gradient = right(*args, **kwargs)
        gradient[-1] += 1e-6 * np.abs(gradient).max()
        return loss, gradient

    net, X, T, weight = make_case("plain", "tanh", "mse", "identity")
    monkeypatch.setattr(derivatives, "loss_and_flat_gradient", wrong)
    assert fm.check_gradients(net, X, T, sample_weight=weight) > 1e-7


def test_the_check_takes_any_dtype_and_leaves_the_network_alone():
    net, X, T, weight = make_case("layer_norm", "sigmoid", "mse", "identity", "float32")
    before = net.params.copy()
    assert fm.check_gradients(net, X, T, sample_weight=weight) < 1e-7
    np.testing.assert_array_equal(net.params, before)
    assert net.dtype == np.float32


LAYER_NORM = (fm.LayerNorm(),)


def deep_net(loss="squared_error", norms=LAYER_NORM, output=None, seed=5):
    layers = [fm.Input(4, shift=0.5, scale=2.0), fm.Dense(6, "silu", bias=False), *norms, fm.Activation("mish")]
    layers += [fm.Dense(5, "leaky_relu", slope=0.2), fm.Dense(3, "elu", slope=0.5), fm.Dense(2, output)]
    return shake(fm.Network(layers, loss=loss, dtype="float64", seed=seed), np.random.default_rng(seed))


NORMS = {
    "layer_norm": LAYER_NORM,
    "batch_norm": (fm.BatchNorm(),),
    "both": (fm.BatchNorm(), fm.LayerNorm()),
    "two": (fm.BatchNorm(), fm.Dense(3), fm.BatchNorm(epsilon=0.1)),
    "below_a_norm": (fm.Dense(3, "gelu"), fm.Dropout(0.3), fm.BatchNorm()),
}


@pytest.mark.parametrize("norms", NORMS.values(), ids=NORMS)
def test_deep_networks_with_slopes_and_standing_alone_activations(norms):
    net, rng = deep_net(norms=norms), np.random.default_rng(6)
    X, T, weight = make_samples("squared_error", rng, 9, 4, 2)
    assert fm.check_gradients(net, X, T, sample_weight=weight) < 1e-7
    _, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight)
    assert relative_error(gradient, twin_of(net).flat_gradient(X, T, weight)) < 1e-10


@pytest.mark.parametrize("first", [fm.BatchNorm(), fm.LayerNorm(), fm.Dropout(0.5), fm.Activation("tanh")])
def test_any_layer_may_come_first_and_an_activation_last(first):
    layers = [fm.Input(3), first, fm.Dense(4, "tanh"), fm.BatchNorm(), fm.Dense(2), fm.Activation("softmax")]
    rng = np.random.default_rng(8)
    net = shake(fm.Network(layers, loss="cross_entropy", dtype="float64", seed=0), rng)
    X, T, weight = make_samples("cross_entropy", rng, 7, 3, 2)
    assert fm.check_gradients(net, X, T, sample_weight=weight) < 1e-7
    _, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight)
    assert relative_error(gradient, twin_of(net).flat_gradient(X, T, weight)) < 1e-10


def test_gradients_per_layer_are_the_pieces_of_the_flat_one():
    net, rng = deep_net(), np.random.default_rng(6)
    X, T, weight = make_samples("squared_error", rng, 9, 4, 2)
    loss, gradients = net.loss_and_gradients(X, T, sample_weight=weight)
    same_loss, flat = net.loss_and_flat_gradient(X, T, sample_weight=weight)
    assert loss == same_loss
    assert [dW.shape for dW, _ in gradients] == [(4, 6), (6, 5), (5, 3), (3, 2)]
    assert gradients[0][1] is None
    np.testing.assert_array_equal(np.concatenate([dW.ravel() for dW, _ in gradients]), flat[: 24 + 30 + 15 + 6])
    np.testing.assert_array_equal(gradients[-1][1], flat[-2:])


# --- One gradient for each row ---


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize(("loss", "output"), [("squared_error", "tanh"), ("cross_entropy", "softmax")])
def test_sample_gradients_are_each_rows_own_and_sum_to_the_whole(loss, output, n_threads):
    net, rng = deep_net(loss, output=output), np.random.default_rng(9)
    X, T, _ = make_samples(loss, rng, 700, 4, 2)
    rows = net.sample_gradients(X, T, n_threads=n_threads)
    assert rows.shape == (700, net.n_params)
    for i in (0, 1, 311, 699):
        _, one = net.loss_and_flat_gradient(X[i : i + 1], T[i : i + 1])
        np.testing.assert_allclose(rows[i], one, rtol=1e-12, atol=1e-14)
    _, whole = net.loss_and_flat_gradient(X, T, reduction="sum")
    assert relative_error(rows.sum(axis=0), whole) < 1e-12


def test_sample_gradients_equal_the_twin():
    net, rng = deep_net(), np.random.default_rng(10)
    X, T, _ = make_samples("squared_error", rng, 11, 4, 2)
    assert relative_error(net.sample_gradients(X, T), twin_of(net).sample_gradients(X, T)) < 1e-10


def test_sample_gradients_refuse_a_batch_norm():
    net = deep_net(norms=(fm.BatchNorm(),))
    with pytest.raises(ValueError, match="BatchNorm"):
        net.sample_gradients(np.ones((3, 4)), np.ones((3, 2)))


# --- The loss over a grid of parameters ---


def losses_by_hand(net, X, T, parameters, grids, **options):
    points = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1)
    losses, probe = np.empty(points.shape[:-1]), net.copy()
    for place in np.ndindex(losses.shape):
        probe.params[:] = net.params
        probe.params[list(parameters)] = points[place]
        losses[place], _ = probe.loss_and_gradients(X, T, **options)
    return losses


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("n_rows", [5, 1100])
@pytest.mark.parametrize(
    "parameters",
    [(0,), (40,), (1, 0), (2, 30), (70, 3), (-1,)],
    ids=["first_layer", "second_layer", "same_layer", "two_layers", "downwards", "bias"],
)
def test_cost_surface_equals_a_loop(parameters, n_rows, n_threads):
    net, rng = deep_net("mse"), np.random.default_rng(11)
    parameters = tuple(p % net.n_params for p in parameters)
    X, T, weight = make_samples("mse", rng, n_rows, 4, 2)
    grids = [np.linspace(-1.0, 1.5, n) for n in (5, 4)][: len(parameters)]
    before = net.params.copy()
    for options in ({"sample_weight": weight}, {"reduction": "sum"}):
        surface = net.cost_surface(X, T, parameters, grids, n_threads=n_threads, **options)
        expected = losses_by_hand(net, X, T, parameters, grids, **options)
        np.testing.assert_allclose(surface, expected, rtol=1e-12)
    np.testing.assert_array_equal(net.params, before)


def test_cost_surface_of_one_number_and_one_grid():
    net, rng = deep_net("mse"), np.random.default_rng(12)
    X, T, _ = make_samples("mse", rng, 3, 4, 2)
    grid = np.linspace(-1, 1, 7)
    np.testing.assert_array_equal(net.cost_surface(X, T, 4, grid), net.cost_surface(X, T, [4], [grid]))
