"""Layers as descriptions: every setting is checked where it is written down."""

import dataclasses

import numpy as np
import pytest
from labels import short

import fastmlp as fm
from fastmlp.checks.values import check_size

nan, inf = np.nan, np.inf

BAD = [
    (fm.Input, (None,), TypeError, "n_features must be a whole number, got None"),
    (fm.Input, (0,), ValueError, "n_features must be between 1 and 2147483647, got 0"),
    (fm.Input, (-3,), ValueError, "n_features must be between 1 and 2147483647, got -3"),
    (fm.Input, (2.5,), TypeError, "n_features must be a whole number, got 2.5"),
    (fm.Input, (True,), TypeError, "n_features must be a whole number, got True"),
    (fm.Input, ("2",), TypeError, "n_features must be a whole number, got '2'"),
    (fm.Input, (2**31,), ValueError, "n_features must be between 1 and 2147483647, got 2147483648"),
    (fm.Input, (2, "a"), TypeError, "shift must hold numbers, got strings"),
    (fm.Input, (2, None), TypeError, "shift must be an array of numbers, got NoneType"),
    (fm.Input, (2, [1, 2, 3]), ValueError, "shift must be one number or have shape (2,), got (3,)"),
    (fm.Input, (2, [1]), ValueError, "shift must be one number or have shape (2,), got (1,)"),
    (fm.Input, (2, [[1], [2]]), ValueError, "shift must be one number or have shape (2,), got (2, 1)"),
    (fm.Input, (2, [[1], [2, 3]]), ValueError, "shift must be an array with rows of equal length"),
    (fm.Input, (2, [None, 1]), TypeError, "shift must hold numbers, got None in row 0"),
    (fm.Input, (2, 0, nan), ValueError, "scale must be finite, got nan"),
    (fm.Input, (2, 0, [1, inf]), ValueError, "scale must be finite, got inf in row 1"),
    (fm.Input, (2, 0, 1j), TypeError, "scale must hold numbers, got dtype complex128"),
    (fm.Input.standardized, (None,), TypeError, "X must be an array of numbers, got NoneType"),
    (fm.Input.standardized, ([1, 2],), ValueError, "X must have 2 dimensions, got shape (2,)"),
    (fm.Input.standardized, ([[]],), ValueError, "X must not be empty, got shape (1, 0)"),
    (fm.Input.standardized, ([["a"]],), TypeError, "X must hold numbers, got strings"),
    (fm.Input.standardized, ([[0, 1], [nan, 1]],), ValueError, "X must be finite, got nan in row 1, column 0"),
    (fm.Input.standardized, ([[1, 1e308], [0, -1e308]],), ValueError, "squares fit in float64, got larger ones in col"),
    (fm.Dense, (0,), ValueError, "units must be between 1 and 2147483647, got 0"),
    (fm.Dense, (None,), TypeError, "units must be a whole number, got None"),
    (fm.Dense, (1.0,), TypeError, "units must be a whole number, got 1.0"),
    (fm.Dense, (2**40,), ValueError, "units must be between 1 and 2147483647, got 1099511627776"),
    (fm.Dense, (3, "rellu"), ValueError, "activation='rellu' is unknown; did you mean 'relu'? Known: elu, exp"),
    (fm.Dense, (3, 5), TypeError, "activation must be a name, got int"),
    (fm.Dense, (3, "relu", None), TypeError, "bias must be True or False, got None"),
    (fm.Dense, (3, "relu", 1), TypeError, "bias must be True or False, got 1"),
    (fm.Dense, (3, "relu", True, "he_norml"), ValueError, "init='he_norml' is unknown; did you mean 'he_normal'?"),
    (fm.Dense, (3, "relu", True, 5), TypeError, "init must be a name, Normal or Uniform, got int"),
    (fm.Dense, (3, "elu", True, None, -1), ValueError, "slope must be a finite number with 0.0 <= slope, got -1"),
    (fm.Dense, (3, "elu", True, None, nan), ValueError, "slope must be a finite number with 0.0 <= slope, got nan"),
    (fm.Dense, (3, "elu", True, None, "a"), TypeError, "slope must be a number, got str"),
    (fm.Dense, (3, "elu", True, None, 10**400), ValueError, "slope must be a finite number with 0.0 <= slope, got 1"),
    (fm.Activation, (None,), TypeError, "activation must be a name, got NoneType"),
    (fm.Activation, ("sigmod",), ValueError, "activation='sigmod' is unknown; did you mean 'sigmoid'?"),
    (fm.Activation, ("elu", inf), ValueError, "slope must be a finite number with 0.0 <= slope, got inf"),
    (fm.Dropout, (1.0,), ValueError, "rate must be a finite number with 0.0 <= rate < 1.0, got 1.0"),
    (fm.Dropout, (-0.1,), ValueError, "rate must be a finite number with 0.0 <= rate < 1.0, got -0.1"),
    (fm.Dropout, (nan,), ValueError, "rate must be a finite number with 0.0 <= rate < 1.0, got nan"),
    (fm.Dropout, (None,), TypeError, "rate must be a number or a function of the step, got NoneType"),
    (fm.Dropout, (True,), TypeError, "rate must be a number or a function of the step, got bool"),
    (fm.BatchNorm, (2,), ValueError, "momentum must be a finite number with 0.0 <= momentum <= 1.0, got 2"),
    (fm.BatchNorm, ("a",), TypeError, "momentum must be a number, got str"),
    (fm.BatchNorm, (0.9, 0), ValueError, "epsilon must be a finite number with 0.0 < epsilon, got 0"),
    (fm.LayerNorm, (0,), ValueError, "epsilon must be a finite number with 0.0 < epsilon, got 0"),
    (fm.LayerNorm, (inf,), ValueError, "epsilon must be a finite number with 0.0 < epsilon, got inf"),
    (fm.LayerNorm, ([1],), TypeError, "epsilon must be a number, got list"),
]


@pytest.mark.parametrize(("layer", "given", "error", "words"), BAD, ids=short)
def test_bad_settings(layer, given, error, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        layer(*given)
    assert caught.type is error, caught.value
    assert words in str(caught.value)


@pytest.mark.parametrize("value", [1, np.int64(1), np.uint8(1), 2**31 - 1])
def test_whole_numbers_of_any_kind_are_sizes(value):
    assert check_size("size", value) == int(value)
    assert type(check_size("size", value)) is int


def test_layers_are_frozen():
    for layer in (fm.Input(2), fm.Dense(3), fm.Dropout(), fm.BatchNorm(), fm.LayerNorm(), fm.Activation("relu")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(layer, dataclasses.fields(layer)[0].name, 1)
    with pytest.raises(ValueError, match="read-only"):
        fm.Input(2, shift=[1.0, 2.0]).scale[0] = 3


def test_input_copies_what_it_is_given():
    shift = np.array([1.0, 2.0])
    layer = fm.Input(2, shift=shift)
    shift[:] = 7
    assert layer.shift.tolist() == [1.0, 2.0] and layer.scale.tolist() == [1.0, 1.0]


def test_one_number_for_all_columns_takes_no_memory():
    layer = fm.Input(2**31 - 1, shift=3, scale=0.5)
    assert layer.shift.shape == layer.scale.shape == (2**31 - 1,)
    assert layer.shift[-1] == 3.0 and layer.scale[-1] == 0.5 and layer.is_scaled
    assert not fm.Input(2**31 - 1).is_scaled


@pytest.mark.parametrize(
    ("given", "scaled"),
    [
        ({}, False),
        ({"shift": 0, "scale": True}, False),
        ({"shift": [0, 0, 1]}, True),
        ({"scale": [1, 1, 0.5]}, True),
        ({"shift": np.zeros(3), "scale": np.ones(3)}, False),
    ],
)
def test_is_scaled(given, scaled):
    assert fm.Input(3, **given).is_scaled is scaled


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int16])
def test_the_network_sees_shifted_and_scaled_columns(dtype):
    X = np.array([[10, 20], [30, 45], [0, 7]], dtype=dtype)
    shift, scale, rtol = np.array([5.0, 1.5]), np.array([0.25, 2.0]), 1e-6 if dtype == np.float32 else 1e-12
    scaled = fm.Network([fm.Input(2, shift, scale), 3, 1], dtype="float64", seed=0)
    plain = fm.Network([2, 3, 1], dtype="float64", seed=0)
    np.testing.assert_allclose(scaled.predict(X), plain.predict((X - shift) * scale), rtol=rtol)


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_standardized_columns_have_mean_0_and_deviation_1(dtype):
    X = np.random.default_rng(0).integers(0, 256, size=(3000, 4)).astype(dtype)  # more rows than one block
    layer = fm.Input.standardized(X)
    Z = (X - layer.shift) * layer.scale
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(Z.std(axis=0), 1, rtol=1e-12)


def test_a_constant_column_becomes_0():
    """The mean of equal numbers may be off by a bit, and must not be taken for a deviation."""
    layer = fm.Input.standardized(np.full((3, 2), [0.1, 5.0]))
    np.testing.assert_array_equal(layer.scale, 1.0)
    np.testing.assert_allclose(layer.shift, [0.1, 5.0])


ONE_ROW = {
    "fit of one row": lambda net, X, y: net.fit(X[:1], y[:1]),
    "fit in batches of one": lambda net, X, y: net.fit(X, y, batch_size=1),
    "fit of one row by chunks": lambda net, X, y: net.fit(fm.Chunks([(X[:1], y[:1])])),
    "train_on_batch": lambda net, X, y: net.train_on_batch(X[:1], y[:1]),
    "gradient": lambda net, X, y: net.gradient(X[:1], y[:1]),
}


@pytest.mark.parametrize("entry", ONE_ROW)
def test_a_batch_norm_is_not_trained_on_single_rows(entry):
    X, y = np.random.default_rng(0).normal(size=(8, 3)), np.zeros(8)
    net = fm.Network([3, 4, fm.BatchNorm(), 1], seed=0)
    before = net.params.tobytes(), net.statistics.tobytes(), net.rng.bit_generator.state
    with pytest.raises(ValueError, match=r"must (be|have) at least 2 .*BatchNorm, got 1, .* use LayerNorm, or freeze"):
        ONE_ROW[entry](net, X, y)
    assert before == (net.params.tobytes(), net.statistics.tobytes(), net.rng.bit_generator.state)
    net.freeze(1)
    ONE_ROW[entry](net, X, y)


def test_reprs_can_be_read_back():
    for layer in (
        fm.Dense(3), fm.Dense(3, "elu", bias=False, init="he_normal", slope=0.5), fm.Dropout(0.25),
        fm.BatchNorm(0.5, 1e-3), fm.LayerNorm(), fm.Activation("leaky_relu", 0.1),
    ):  # fmt: skip
        assert eval(repr(layer), vars(fm)) == layer
    assert repr(fm.Dense(3, "elu", bias=False)) == "Dense(units=3, activation='elu', bias=False)"


NO_SLOPE = "slope=0.3 needs activation='leaky_relu' or activation='elu', got "


@pytest.mark.parametrize(
    ("make", "got"),
    [
        (lambda: fm.Dense(8, "relu", slope=0.3), "'relu'"),
        (lambda: fm.Dense(8, "linear", slope=0.3), "'identity'"),
        (lambda: fm.Activation("tanh", 0.3), "'tanh'"),
        (lambda: fm.Dense(8, "selu", slope=0.3, parametric=True), "'selu'"),
        (lambda: fm.Dense(8, "elu", slope=0.3).set_params(activation="silu"), "'silu'"),
        (lambda: dataclasses.replace(fm.Activation("elu", 0.3), activation="gelu"), "'gelu'"),
        (lambda: fm.Network([3, fm.Dense(8, slope=0.3), 2]), "None"),
        (lambda: fm.Network([3, fm.Dense(2, slope=0.3)], loss="cross_entropy"), "'softmax'"),
    ],
    ids=short,
)
def test_a_slope_that_the_activation_does_not_use_is_refused(make, got):
    with pytest.raises(ValueError, match=f"^{NO_SLOPE}{got}$"):
        make()


def test_a_slope_may_be_for_the_output_activation_that_the_network_gives():
    X = np.array([[-1.0], [2.0]])
    net = fm.Network([1, fm.Dense(1, bias=False, slope=0.25)], output="leaky_relu", dtype="float64")
    net.params[:] = 1
    np.testing.assert_array_equal(net.predict(X), [[-0.25], [2.0]])
