"""What users ask of the gradients and of the loss surface: arguments, shapes, and how the answers fit together."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from labels import short
from scipy.sparse import csr_array
from twins import HIDDEN, VARIANTS, relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.model.activations import ACTIVATIONS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 2))
Y = np.sin(X.sum(axis=1))
nan = np.nan


def network(**settings):
    return fm.Network([2, 3, 1], **({"activation": "tanh", "dtype": "float64", "seed": 0} | settings))


def state(net):
    return net.params.tobytes(), net.statistics.tobytes(), net.rng.bit_generator.state


CALLS = {
    "gradients": lambda net, **given: net.loss_and_gradients(X, Y, **given),
    "flat": lambda net, **given: net.loss_and_flat_gradient(X, Y, **given),
    "samples": lambda net, **given: net.sample_gradients(X, Y, **given),
    "surface": lambda net, **given: net.cost_surface(X, Y, **({"parameters": [0], "grids": [[0.0]]} | given)),
    "check": lambda net, **given: fm.check_gradients(net, X, Y, **given),
    "inputs": lambda net, **given: net.input_gradients(**({"X": X} | given)),
    "activations": lambda net, **given: net.activations(**({"X": X} | given)),
}

BAD = [
    ("gradients", {"reduction": "men"}, ValueError, "reduction='men' is unknown; did you mean 'mean'? Known: "),
    ("gradients", {"reduction": None}, ValueError, "reduction=None is unknown. Known: mean, sum"),
    ("gradients", {"n_threads": 0}, ValueError, "n_threads must be between 1 and 1024, got 0"),
    ("flat", {"reduction": 1}, ValueError, "reduction=1 is unknown. Known: mean, sum"),
    ("flat", {"n_threads": 1.5}, TypeError, "n_threads must be a whole number, got 1.5"),
    ("flat", {"dropout_seed": -1}, ValueError, "dropout_seed must be "),
    ("flat", {"dropout_seed": 2**64}, ValueError, "dropout_seed must be "),
    ("flat", {"dropout_seed": 1.5}, TypeError, "dropout_seed must be "),
    ("flat", {"dropout_seed": "a"}, TypeError, "dropout_seed must be "),
    ("flat", {"dropout_seed": True}, TypeError, "dropout_seed must be "),
    ("samples", {"n_threads": -1}, ValueError, "n_threads must be between 1 and 1024, got -1"),
    ("surface", {"reduction": "x"}, ValueError, "reduction='x' is unknown"),
    ("surface", {"n_threads": "a"}, TypeError, "n_threads must be a whole number, got 'a'"),
    ("surface", {"parameters": None}, ValueError, "parameters must be one or two indices in params, got None"),
    ("surface", {"parameters": []}, ValueError, "parameters must be one or two indices in params, got []"),
    ("surface", {"parameters": [0, 1, 2]}, ValueError, "parameters must be one or two indices in params"),
    ("surface", {"parameters": [0.5]}, ValueError, "parameters must be one or two indices in params, got [0.5]"),
    ("surface", {"parameters": [True]}, ValueError, "parameters must be one or two indices in params, got [True]"),
    ("surface", {"parameters": ["a"]}, ValueError, "parameters must be one or two indices in params, got ['a']"),
    ("surface", {"parameters": [10**30]}, ValueError, "parameters must be one or two indices in params"),
    ("surface", {"parameters": [[0], [1, 2]]}, ValueError, "parameters must be one or two indices in params"),
    ("surface", {"grids": []}, ValueError, "grids must not be empty, got shape (0,)"),
    ("surface", {"parameters": [0, 1], "grids": []}, ValueError, "grids must be 2 one-dimensional arrays, got 0"),
    ("surface", {"parameters": [-1]}, ValueError, "parameters must lie between 0 and 12, got -1"),
    ("surface", {"parameters": [13]}, ValueError, "parameters must lie between 0 and 12, got 13"),
    ("surface", {"parameters": [3, 3], "grids": [[0.0], [0.0]]}, ValueError, "parameters must differ, got [3, 3]"),
    ("surface", {"grids": None}, TypeError, "grids must "),
    ("surface", {"grids": []}, ValueError, "grids must not be empty"),
    ("surface", {"grids": [[]]}, ValueError, "grids must not be empty, got shape (0,)"),
    ("surface", {"grids": [[0.0, nan]]}, ValueError, "grids must be finite, got nan in row 1"),
    ("surface", {"grids": [["a"]]}, TypeError, "grids must hold numbers, got strings"),
    ("surface", {"grids": [[[0.0]]]}, ValueError, "grids must have 1 dimension, got shape (1, 1)"),
    ("surface", {"grids": [[0.0], [1.0]]}, ValueError, "grids must be 1 one-dimensional array, got 2"),
    ("surface", {"parameters": [0, 1]}, ValueError, "grids must be 2 one-dimensional arrays, got 1"),
    ("surface", {"grids": {"a": 1}}, TypeError, "grids must "),
    (
        "surface",
        {"parameters": [0, 1], "grids": [np.zeros(10**7), np.zeros(10**7)]},
        ValueError,
        "grids must have at most 1000000000 points in all, got 100000000000000",
    ),
    ("inputs", {"n_threads": 0}, ValueError, "n_threads must be between 1 and 1024, got 0"),
    ("inputs", {"X": X[:, :1]}, ValueError, "X must have 2 columns"),
    ("inputs", {"X": [[0.0, nan]]}, ValueError, "X must be finite, got nan in row 0, column 1"),
    ("activations", {"n_threads": "a"}, TypeError, "n_threads must be a whole number, got 'a'"),
    ("activations", {"X": X[0]}, ValueError, "X must have 2 dimensions, got shape (2,)"),
    ("check", {"step": 0}, ValueError, "step must be a finite number with 0.0 < step, got 0"),
    ("check", {"step": -1e-4}, ValueError, "step must be a finite number with 0.0 < step, got -0.0001"),
    ("check", {"step": nan}, ValueError, "step must be a finite number with 0.0 < step, got nan"),
    ("check", {"step": "a"}, TypeError, "step must be a number, got str"),
]


@pytest.mark.parametrize(("call", "given", "error", "words"), BAD, ids=short)
def test_bad_arguments(call, given, error, words):
    net = network()
    before = state(net)
    with pytest.raises((ValueError, TypeError)) as caught:
        CALLS[call](net, **given)
    assert caught.type is error, caught.value
    assert words in str(caught.value)
    assert state(net) == before


@pytest.mark.parametrize("given", [None, "net", fm.Network])
def test_check_gradients_wants_a_network(given):
    with pytest.raises(TypeError, match="network must be a Network, got "):
        fm.check_gradients(given, X, Y)


def test_a_grid_beyond_float32_is_refused():
    with pytest.raises(ValueError, match="grids .*float32"):
        network(dtype="float32").cost_surface(X, Y, [0], [[0.0, 1e300]])


def test_all_leave_the_network_as_it_was():
    for layers in ([2, 3, 1], [2, fm.Dropout(0.5), 3, fm.LayerNorm(), 1]):
        net = fm.Network(layers, seed=0)
        before = state(net)
        for call in CALLS.values():
            call(net)
        net.loss_and_flat_gradient(X, Y, dropout_seed=3)
        assert state(net) == before


def test_batch_norm_keeps_its_running_statistics():
    net = fm.Network([2, 3, fm.BatchNorm(), 1], seed=0)
    net.fit(X, Y, epochs=2)
    before = {name: array.copy() for name, array in net.named_arrays().items()}
    expected = net.predict(X)
    net.loss_and_gradients(X, Y)
    net.cost_surface(X, Y, [0], [[0.0, 1.0]])
    fm.check_gradients(net, X, Y)
    for name, array in net.named_arrays().items():
        np.testing.assert_array_equal(array, before[name])
    np.testing.assert_array_equal(net.predict(X), expected)


def test_gradients_come_by_layer_in_the_shapes_of_the_weights():
    net = fm.Network([2, fm.Dense(3, "tanh", bias=False), fm.LayerNorm(), fm.Dense(1)], dtype="float64", seed=0)
    loss, gradients = net.loss_and_gradients(X, Y)
    flat_loss, flat = net.loss_and_flat_gradient(X, Y)
    assert loss == flat_loss == pytest.approx(net.evaluate(X, Y)["loss"], rel=1e-12)
    (dW1, db1), (dW2, db2) = gradients
    assert dW1.shape == (2, 3) and db1 is None and dW2.shape == (3, 1) and db2.shape == (1,)
    np.testing.assert_array_equal(np.concatenate([dW1.ravel(), dW2.ravel()]), flat[:9])
    assert flat.shape == (net.n_params,) and flat.dtype == net.dtype


def test_sum_is_mean_times_the_weights():
    net, weights = network(), RNG.uniform(0.5, 2.0, size=7)
    for given, total in ((None, 7), (weights, weights.sum())):
        mean_loss, mean = net.loss_and_flat_gradient(X, Y, sample_weight=given)
        sum_loss, gradient = net.loss_and_flat_gradient(X, Y, sample_weight=given, reduction="sum")
        assert sum_loss == pytest.approx(total * mean_loss, rel=1e-12)
        np.testing.assert_allclose(gradient, total * mean, rtol=1e-10)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_sample_gradients_are_those_of_each_row_alone(n_threads):
    net = network()
    rows = net.sample_gradients(X, Y, n_threads=n_threads)
    assert rows.shape == (7, 13) and rows.dtype == np.float64
    for i in range(7):
        np.testing.assert_allclose(rows[i], net.loss_and_flat_gradient(X[i : i + 1], Y[i : i + 1])[1], rtol=1e-12)
    np.testing.assert_allclose(rows.mean(axis=0), net.loss_and_flat_gradient(X, Y)[1], rtol=1e-10)


def test_sample_gradients_need_rows_that_stand_alone():
    net = fm.Network([2, fm.BatchNorm(), 1], seed=0)
    with pytest.raises(ValueError, match="needs a network without BatchNorm"):
        net.sample_gradients(X, Y)


def test_dropout_is_on_with_a_seed_alone():
    net = fm.Network([2, 50, fm.Dropout(0.5), 1], dtype="float64", seed=0)
    plain = net.loss_and_flat_gradient(X, Y)
    assert plain[0] == pytest.approx(net.evaluate(X, Y)["loss"], rel=1e-12)
    first, again = (net.loss_and_flat_gradient(X, Y, dropout_seed=3) for _ in range(2))
    other, zero = (net.loss_and_flat_gradient(X, Y, dropout_seed=seed) for seed in (2**63, 0))
    np.testing.assert_array_equal(first[1], again[1])
    assert len({plain[0], first[0], other[0], zero[0]}) == 4


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("n_threads", [None, 1, 2])
def test_surface_is_the_loss_at_each_point(reduction, n_threads):
    net, weights = network(), RNG.uniform(0.5, 2.0, size=7)
    first, second = np.linspace(-2, 2, 5), np.linspace(0, 1, 3)
    surface = net.cost_surface(
        X, Y, (1, 12), (first, second), sample_weight=weights, reduction=reduction, n_threads=n_threads
    )
    assert surface.shape == (5, 3) and surface.dtype == np.float64
    moved = net.copy()
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            moved.params[1], moved.params[12] = one, other
            loss = moved.loss_and_flat_gradient(X, Y, sample_weight=weights, reduction=reduction)[0]
            assert surface[i, j] == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize(
    ("parameters", "grids"),
    [
        (4, [0.0, 1.0]),
        ([4], [[0.0, 1.0]]),
        ([4], np.array([0, 1])),
        (np.array([4]), ((0, 1),)),
        (np.int64(4), range(2)),
    ],
)
def test_one_parameter_may_come_in_any_form(parameters, grids):
    net = network()
    expected = net.cost_surface(X, Y, [4], [np.array([0.0, 1.0])])
    assert expected.shape == (2,)
    np.testing.assert_array_equal(net.cost_surface(X, Y, parameters, grids), expected)


def test_check_gradients_finds_a_wrong_gradient(monkeypatch):
    from fastmlp.passes import derivatives

    assert fm.check_gradients(network(), X, Y) < 1e-8
    right = derivatives.loss_and_flat_gradient

    def wrong(*args, **kwargs):
        loss, gradient = right(*args, **kwargs)
        gradient[7] *= 1.01
        return loss, gradient

    monkeypatch.setattr(derivatives, "loss_and_flat_gradient", wrong)
    assert fm.check_gradients(network(), X, Y) > 1e-4


# --- With respect to the inputs ---


def differences(net, X, h=1e-4):
    """The same by five points of `predict`, (n, n_outputs, n_features)."""
    columns = []
    for e in h * np.eye(X.shape[1]):
        two, one, minus_one, minus_two = (net.predict(X + k * e) for k in (2, 1, -1, -2))
        columns.append((8 * (one - minus_one) - (two - minus_two)) / (12 * h))
    return np.stack(columns, axis=2)


def trained(layers, output, dtype="float64"):
    """Far from its start, running statistics too."""
    net = fm.Network(layers, output=output, dtype=dtype, seed=1)
    shake(net, np.random.default_rng(1))
    for name, array in net.named_arrays().items():
        if "running" in name:
            array[:] = np.random.default_rng(2).uniform(0.5, 2.0, size=array.shape)
    twin = twin_of(net)
    for i, layer in enumerate(layer for layer in twin.layers if layer["kind"] == "batch_norm"):
        named = [s.view(net.statistics) for s in net.layout.statistics]
        layer["mean"], layer["var"] = named[2 * i].copy(), named[2 * i + 1].copy()
    return net, twin


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    ("hidden", "output"), [(name, "identity") for name in HIDDEN] + [("tanh", name) for name in ACTIVATIONS]
)
def test_input_gradients_are_right(hidden, output, variant):
    inputs = fm.Input(3, shift=[0.5, 0.0, -0.2], scale=[1.0, 3.0, 0.5])
    net, twin = trained([inputs, fm.Dense(4, hidden), *VARIANTS[variant], fm.Dense(5, "silu"), fm.Dense(2)], output)
    X = np.random.default_rng(3).normal(size=(6, 3))
    got = net.input_gradients(X)
    assert got.shape == (6, 2, 3) and got.dtype == np.float64
    assert relative_error(got, twin.input_gradients(X)) < 1e-12
    assert relative_error(got, differences(net, X)) < 1e-7
    single = net.astype("float32").input_gradients(X.astype(np.float32))
    assert single.dtype == np.float32 and relative_error(single, got) < 1e-4


NORM = fm.BatchNorm(epsilon=0.01)
STACKS = {
    "norm_first": [NORM, fm.Dense(4, "tanh"), fm.Dense(2)],
    "norms_first": [NORM, fm.LayerNorm(), fm.Dense(2)],
    "activation_first": [fm.Activation("tanh"), fm.Dense(4, "gelu"), NORM, fm.Dense(2)],
    "dropout_first": [fm.Dropout(0.5), fm.Dense(4, "mish"), NORM, fm.Dense(2), fm.Activation("softmax")],
    "norms_in_a_row": [fm.Dense(4, "tanh"), NORM, NORM, fm.LayerNorm(), fm.Activation("elu"), fm.Dense(2)],
    "nothing_hidden": [fm.Dense(2, "sigmoid")],
}


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("layers", STACKS.values(), ids=STACKS)
def test_any_stack_of_layers_has_input_gradients_and_activations(layers, n_threads):
    net, twin = trained([fm.Input(3, scale=2.0), *layers], None)
    X = np.random.default_rng(4).normal(size=(1100, 3))
    gradients = net.input_gradients(X, n_threads=n_threads)
    assert relative_error(gradients, twin.input_gradients(X)) < 1e-11
    outputs = net.activations(X, n_threads=n_threads)
    assert len(outputs) == len(net.layers)
    for got, expected in zip(outputs, twin.layer_outputs(X), strict=True):
        assert got.flags.c_contiguous and relative_error(got, expected) < 1e-12
    np.testing.assert_array_equal(outputs[-1], net.predict(X, n_threads=n_threads))


@hypothesis.given(
    n=st.integers(1, 70),
    widths=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    n_threads=st.integers(1, 3),
    dtype=st.sampled_from(["uint8", "float32", "float64"]),
)
@hypothesis.settings(max_examples=40)
def test_derivatives_of_the_outputs_in_every_shape(n, widths, n_threads, dtype):
    net = fm.Network(widths, activation="tanh", output="softmax", dtype="float64", seed=0)
    twin, X = twin_of(net), np.random.default_rng(n).integers(0, 3, size=(n, widths[0])).astype(dtype)
    expected = twin.input_gradients(X)
    scale = max(np.abs(expected).max(), 1e-3)
    tolerance = 1e-6 if dtype == "float32" else 1e-10  # the results have the dtype of X
    np.testing.assert_allclose(net.input_gradients(X, n_threads=n_threads), expected, rtol=0, atol=tolerance * scale)
    for got, layer in zip(net.activations(X, n_threads=n_threads), twin.layer_outputs(X), strict=True):
        np.testing.assert_allclose(got, layer, rtol=tolerance, atol=tolerance / 100)


def test_sparse_rows_and_rows_that_are_mostly_zeros_give_the_same():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(200, 80)) * (rng.uniform(size=(200, 80)) < 0.1)
    net = fm.Network(
        [fm.Input(80, scale=rng.uniform(0.5, 2, size=80)), 6, 3], activation="tanh", dtype="float64", seed=0
    )
    expected = twin_of(net).input_gradients(X)
    for given in (X, csr_array(X)):
        gradients = net.input_gradients(given)
        assert isinstance(gradients, np.ndarray) and relative_error(gradients, expected) < 1e-11
        for got, layer in zip(net.activations(given), twin_of(net).layer_outputs(X), strict=True):
            assert relative_error(got, layer) < 1e-11


@pytest.mark.parametrize("norm", [fm.BatchNorm(), fm.LayerNorm()], ids=["batch_norm", "layer_norm"])
def test_a_surface_over_the_gain_of_a_norm(norm):
    net = fm.Network([2, fm.Dense(3, "tanh"), norm, fm.Dense(1)], dtype="float64", seed=0)
    gain = next(segment.offset for segment in net.layout.segments if segment.name == "gain")
    weight, values = 1, np.array([0.5, 1.0, 2.0])
    expected = np.empty((3, 2))
    for i, value in enumerate(values):
        for j in range(2):
            net.params[[gain, weight]] = value, j
            expected[i, j] = net.evaluate(X, Y)["loss"]
    np.testing.assert_allclose(net.cost_surface(X, Y, [gain, weight], [values, [0.0, 1.0]]), expected, rtol=1e-12)


def test_the_step_of_the_check_may_be_a_number_of_any_kind():
    net = fm.Network([1, 1], bias=False, seed=0)
    errors = [fm.check_gradients(net, [[1.0]], [2.0], step=step) for step in (np.uint8(1), 1.0)]
    assert errors[0] == errors[1]
