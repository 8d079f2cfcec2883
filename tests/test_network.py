"""The arguments of a network, its views, copies and snapshots."""

import subprocess
import sys

import numpy as np
import pytest
from labels import short

import fastmlp as fm

X = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
Y = np.array([0.1, 0.2, 0.3])
BIG = 2**31

BAD_LAYERS = [
    (None, TypeError, "layers must be a sequence of widths or layers, got None"),
    (5, TypeError, "layers must be a sequence of widths or layers, got 5"),
    ("784", TypeError, "layers must be a sequence of widths or layers, got '784'"),
    (np.array(3), TypeError, "layers must be a sequence of widths or layers, got array(3)"),
    ([], ValueError, "layers must have an input and at least one layer, got []"),
    ([5], ValueError, "layers must have an input and at least one layer, got [5]"),
    ([2, 0], ValueError, "layers[1] must be between 1 and 2147483647, got 0"),
    ([2, -1, 1], ValueError, "layers[1] must be between 1 and 2147483647, got -1"),
    ([0, 1], ValueError, "layers[0] must be between 1 and 2147483647, got 0"),
    ([2, True], TypeError, "layers[1] must be a width or a layer, got True"),
    ([True, 2], TypeError, "layers[0] must be a width or an Input, got True"),
    ([2, 3.0, 1], TypeError, "layers[1] must be a width or a layer, got 3.0"),
    ([2.0, 1], TypeError, "layers[0] must be a width or an Input, got 2.0"),
    ([2, "3"], TypeError, "layers[1] must be a width or a layer, got '3'"),
    ([2, None], TypeError, "layers[1] must be a width or a layer, got None"),
    ([2, [3]], TypeError, "layers[1] must be a width or a layer, got [3]"),
    ([2, fm.Dense], TypeError, "layers[1] must be a width or a layer, got <class"),
    ([fm.Dense(3), 1], TypeError, "layers[0] must be a width or an Input, got Dense(units=3)"),
    ([2, fm.Input(3)], TypeError, "layers[1] must be a width or a layer, got Input("),
    ([BIG, 3], ValueError, "layers[0] must be between 1 and 2147483647, got 2147483648"),
    ([2, BIG], ValueError, "layers[1] must be between 1 and 2147483647, got 2147483648"),
    ([2, 10**30], ValueError, "layers[1] must be between 1 and 2147483647, got 1000"),
    ([BIG - 1, BIG - 1], ValueError, "2147483647 x 2147483647 parameters, too many for any memory"),
    ([BIG - 1, 100], ValueError, "2147483647 x 100 parameters, too many for any memory"),
    ([2, fm.BatchNorm()], ValueError, "layers must have at least one Dense layer"),
    ([2, 3, fm.Dropout(0.5)], ValueError, "the last layer must be Dense or Activation, got Dropout"),
    ([2, fm.Dense(3, "softmax"), 1], ValueError, "activation='softmax' works only in the output layer"),
]

BAD_SETTINGS = [
    ({"activation": "rellu"}, ValueError, "activation='rellu' is unknown; did you mean 'relu'? Known: elu"),
    ({"activation": 3}, TypeError, "activation must be a name, got int"),
    ({"activation": "softmax"}, ValueError, "activation='softmax' works only in the output layer"),
    ({"output": "sigmod"}, ValueError, "output='sigmod' is unknown; did you mean 'sigmoid'?"),
    ({"output": 3}, TypeError, "output must be a name, got int"),
    ({"loss": "crosentropy"}, ValueError, "loss='crosentropy' is unknown; did you mean 'cross_entropy'?"),
    ({"loss": None}, TypeError, "loss must be a name or a Loss, got NoneType"),
    ({"loss": fm.Loss}, TypeError, "loss must be a name or a Loss, got type"),
    ({"loss": "cross_entropy"}, ValueError, "needs one output for each class, at least 2, got 1"),
    ({"loss": "poisson", "output": "relu"}, ValueError, "loss='poisson' needs the output activation exp or softplus"),
    ({"init": "glorot"}, ValueError, "init='glorot' is unknown; did you mean 'glorot_"),
    ({"init": None}, TypeError, "init must be a name, Normal or Uniform, got NoneType"),
    ({"init": np.zeros}, TypeError, "init must be a name, Normal or Uniform, got builtin"),
    ({"bias": None}, TypeError, "bias must be True or False, got None"),
    ({"bias": 1}, TypeError, "bias must be True or False, got 1"),
    ({"dtype": None}, TypeError, "dtype must be 'float32' or 'float64', got None"),
    ({"dtype": "float16"}, ValueError, "dtype must be 'float32' or 'float64', got 'float16'"),
    ({"dtype": int}, ValueError, "dtype must be 'float32' or 'float64', got <class 'int'>"),
    ({"dtype": "flaot32"}, TypeError, "dtype must be 'float32' or 'float64', got 'flaot32'"),
    ({"dtype": ">f4"}, ValueError, "dtype must be 'float32' or 'float64', got '>f4'"),
    ({"dtype": "(1,"}, TypeError, "dtype must be 'float32' or 'float64', got '(1,'"),
    ({"seed": -1}, ValueError, "seed must be a whole number >= 0 or None, got -1"),
    ({"seed": 1.5}, TypeError, "seed must be a whole number >= 0 or None, got 1.5"),
    ({"seed": "a"}, TypeError, "seed must be a whole number >= 0 or None, got 'a'"),
    ({"seed": True}, TypeError, "seed must be a whole number >= 0 or None, got True"),
    ({"init": fm.Normal(1e300)}, ValueError, "init must give weights that fit in float32, got larger ones"),
]


def state(net):
    return net.params.tobytes(), net.statistics.tobytes(), net.rng.bit_generator.state


@pytest.mark.parametrize(("layers", "error", "words"), BAD_LAYERS, ids=short)
def test_bad_layers(layers, error, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        fm.Network(layers)
    assert caught.type is error, caught.value
    assert words in str(caught.value)


@pytest.mark.parametrize(("given", "error", "words"), BAD_SETTINGS, ids=short)
def test_bad_settings(given, error, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        fm.Network([2, 3, 1], **given)
    assert caught.type is error, caught.value
    assert words in str(caught.value)


TOO_LARGE = """
import resource
import fastmlp as fm
resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, 8 * 2**30))
for layers in ([60_000, 200_000, 1], [fm.Input(2**31 - 1, scale=0.5), 8]):
    try:
        fm.Network(layers)
    except MemoryError as error:
        print(error)
"""


@pytest.mark.plain_build(reason="the address sanitizer reserves terabytes of addresses, and the test limits them")
def test_a_network_larger_than_memory_is_refused():
    """Under a memory limit, so that the test need not fill the machine."""
    pytest.importorskip("resource")
    result = subprocess.run([sys.executable, "-c", TOO_LARGE], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.splitlines() == [
        "layers need 12000400001 parameters, more than fit in memory",
        "layers need 17179869184 parameters, more than fit in memory",
    ]


@pytest.mark.parametrize("given", [{"activation": "rellu"}, {"bias": "no"}])
def test_settings_that_no_layer_uses_are_checked_all_the_same(given):
    with pytest.raises((ValueError, TypeError), match=next(iter(given))):
        fm.Network([2, fm.Dense(1)], **given)


@pytest.mark.parametrize("argument", ["shift", "scale"])
def test_a_scaling_beyond_float32_is_refused(argument):
    with pytest.raises(ValueError, match=f"{argument} .*float32"):
        fm.Network([fm.Input(2, **{argument: 1e300}), 1])
    fm.Network([fm.Input(2, **{argument: 1e300}), 1], dtype="float64")


def test_a_contradicting_output_is_refused_and_a_repeated_one_is_not():
    with pytest.raises(ValueError, match="output='sigmoid' contradicts the last layer's activation='relu'"):
        fm.Network([2, fm.Dense(1, "relu")], output="sigmoid")
    assert fm.Network([2, fm.Dense(1, "tanh")], output="tanh").output == "tanh"


@pytest.mark.parametrize(
    "layers",
    [
        [2, 3, 1],
        (2, 3, 1),
        np.array([2, 3, 1]),
        iter([2, 3, 1]),
        [fm.Input(2), fm.Dense(3, "relu"), fm.Dense(1)],
        [np.int64(2), np.uint8(3), fm.Dense(1, "identity")],
    ],
)
def test_short_and_long_form_make_the_same_network(layers):
    net = fm.Network(layers, seed=4)
    np.testing.assert_array_equal(net.params, fm.Network([2, 3, 1], seed=4).params)
    assert (net.n_features, net.n_outputs, net.n_params) == (2, 1, 13)
    assert repr(net) == "Network(2 -> 3 relu -> 1 identity; loss squared_error, 13 parameters, float32)"


@pytest.mark.parametrize(
    ("loss", "output"), [("squared_error", "identity"), ("poisson", "exp"), ("binary_cross_entropy", "sigmoid")]
)
def test_the_loss_picks_the_output(loss, output):
    assert fm.Network([2, 3, 1], loss=loss).output == output


def test_same_seed_same_weights_and_none_fresh_ones():
    assert state(fm.Network([2, 3, 1], seed=7)) == state(fm.Network([2, 3, 1], seed=7))
    assert not np.array_equal(fm.Network([2, 3, 1], seed=7).params, fm.Network([2, 3, 1], seed=8).params)
    assert not np.array_equal(fm.Network([2, 3, 1]).params, fm.Network([2, 3, 1]).params)


def test_params_are_all_weights_first_and_the_views_write_into_them():
    net = fm.Network([2, 3, fm.BatchNorm(), fm.Dense(1, bias=False), fm.Activation("tanh")], dtype="float64", seed=0)
    net.params[:] = np.arange(net.n_params)
    first, second = net.weights
    np.testing.assert_array_equal(first, [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(second, [[6], [7], [8]])
    np.testing.assert_array_equal(net.biases[0], [9, 10, 11])
    assert net.biases[1] is None
    np.testing.assert_array_equal(net.named_arrays()["1.gain"], [12, 13, 14])
    np.testing.assert_array_equal(net.named_arrays()["1.shift"], [15, 16, 17])
    first[1, 2] = -1.0
    net.biases[0][:] = 0.5
    assert net.params[5] == -1.0 and (net.params[9:12] == 0.5).all()
    assert net.params.ctypes.data % 64 == 0


def test_params_cannot_be_replaced_by_memory_of_another_size():
    """The core does not check the length of the vector: a shorter one would be read past its end."""
    net = fm.Network([2, 3, 1], seed=0)
    weights = net.weights[0]
    net.params = np.arange(13)
    assert net.params.dtype == np.float32 and net.params.ctypes.data % 64 == 0
    np.testing.assert_array_equal(weights, [[0, 1, 2], [3, 4, 5]])  # the old views still show the network
    for wrong in (np.zeros(12), np.zeros((13, 1)), np.full(13, np.nan), "abc", None):
        before = state(net)
        with pytest.raises((ValueError, TypeError), match="params"):
            net.params = wrong
        assert state(net) == before


def test_copies_share_nothing():
    net = fm.Network([2, 3, fm.BatchNorm(), 1], seed=0)
    before = state(net)
    twin = net.copy()
    assert state(twin) == before
    twin.fit(X, Y, epochs=2)
    assert state(net) == before
    net.fit(X, Y, epochs=2)
    assert state(net) == state(twin)


def test_astype_keeps_the_numbers():
    net = fm.Network([fm.Input(2, scale=0.1), 3, fm.BatchNorm(), 1], seed=0)
    net.fit(X, Y, epochs=1)
    double = net.astype("float64")
    assert double.dtype == np.float64 and net.dtype == np.float32
    np.testing.assert_array_equal(double.params, net.params)
    np.testing.assert_allclose(double.predict(X), net.predict(X), rtol=1e-5)
    for wrong in ("float16", None, 3):
        with pytest.raises((ValueError, TypeError), match="dtype must be 'float32' or 'float64'"):
            net.astype(wrong)


def test_a_snapshot_is_a_copy_that_can_be_written_again():
    net = fm.Network([2, 3, fm.BatchNorm(), 1], seed=0)
    snapshot = net.snapshot()
    before = net.params.copy(), net.statistics.copy()
    net.fit(X, Y, epochs=2, optimizer=fm.SGD(0.1))
    assert not np.array_equal(net.params, before[0]) and not np.array_equal(net.statistics, before[1])
    later = net.snapshot(net.snapshot(net.snapshot()))
    net.restore(snapshot)
    np.testing.assert_array_equal(net.params, before[0])
    np.testing.assert_array_equal(net.statistics, before[1])
    assert net.snapshot(later) is later
    np.testing.assert_array_equal(later.params, before[0])


def test_initialize_draws_anew_and_forgets_the_statistics():
    net = fm.Network([2, 3, fm.BatchNorm(), 1], seed=0)
    first = net.params.copy()
    net.fit(X, Y, epochs=2)
    net.initialize()
    named = net.named_arrays()
    assert not np.array_equal(named["0.weight"].ravel(), first[:6])
    assert (named["1.gain"] == 1).all() and (named["1.shift"] == 0).all()
    assert (named["1.running_mean"] == 0).all() and (named["1.running_variance"] == 1).all()


def test_is_finite():
    net = fm.Network([2, 3, 1], seed=0)
    assert net.is_finite()
    net.weights[1][2, 0] = np.nan
    assert not net.is_finite()


def test_everything_behind_X_and_y_is_named():
    with pytest.raises(TypeError, match="positional"):
        fm.Network([2, 3, 1], "relu")
    with pytest.raises(TypeError, match="positional"):
        fm.Network([2, 3, 1]).fit(X, Y, 5)
