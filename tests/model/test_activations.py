"""Every activation and its derivative against the twin: accuracy on a fine grid, near 0 and in the tails."""

import numpy as np
import pytest
import reference as ref
from twins import HIDDEN

import fastmlp as fm
from fastmlp.model.activations import ACTIVATIONS, activate, activation_spec, derivative

ELEMENTWISE = [name for name in ACTIVATIONS if name != "softmax"]
POWERS = 10.0 ** -np.arange(1, 301, 13)
GRID = np.concatenate([np.linspace(-30.0, 30.0, 6001), POWERS, -POWERS])
TAILS = np.array([-1e4, -1e3, -745.0, -709.0, -100.0, -88.0, -40.0, 40.0, 88.0, 100.0, 709.0, 745.0, 1e3, 1e4])


def test_the_twin_knows_every_activation():
    assert set(ref.ACTIVATIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_values_are_right_to_the_last_digits(name):
    """A few units in the last place, times the condition number z f'(z) / f(z) of the function."""
    expected, slope = ref.ACTIVATIONS[name](GRID), ref.DERIVATIVES[name](GRID)
    condition = np.abs(np.divide(GRID * slope, expected, out=np.ones_like(GRID), where=expected != 0))
    allowed = 4e-16 * (3 + condition) * np.abs(expected)
    assert (np.abs(activate(name, GRID) - expected) <= allowed).all()


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_derivatives_are_right_to_the_last_digits(name):
    np.testing.assert_allclose(derivative(name, GRID), ref.DERIVATIVES[name](GRID), rtol=1e-14, atol=5e-15)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_derivative_is_the_slope(name):
    z, h = np.array([-6.1, -2.5, -0.7, -0.01, 0.01, 0.4, 3.3, 9.2]), 1e-4
    moved = [activate(name, z + k * h) for k in (-2, -1, 1, 2)]
    slope = (moved[0] - 8 * moved[1] + 8 * moved[2] - moved[3]) / (12 * h)
    np.testing.assert_allclose(derivative(name, z), slope, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_single_precision_is_right_to_the_last_digits(name):
    z = GRID.astype(np.float32)
    net = fm.Network([fm.Input(1), fm.Dense(1, name, bias=False)], dtype="float32")
    net.params[:] = 1
    expected = ref.ACTIVATIONS[name](z.astype(float))
    np.testing.assert_allclose(net.predict(z[:, None])[:, 0], expected, rtol=3 * 2.0**-23, atol=2.0**-126)


@pytest.mark.parametrize("name", HIDDEN)
def test_single_precision_derivative(name):
    """Behind a unit with weight 1 and an error of 1, the gradient of the bias is f'."""
    z = np.linspace(-9.0, 9.0, 301).astype(np.float32)[:, None]
    net = fm.Network([fm.Input(1), fm.Dense(1, name), fm.Dense(1, bias=False)], dtype="float32")
    net.params[:] = [1, 1, 0]
    slope = net.sample_gradients(z, net.predict(z) - 1)[:, 2]
    np.testing.assert_allclose(slope, ref.DERIVATIVES[name](z[:, 0].astype(float)), rtol=3e-6, atol=2e-6)


@pytest.mark.parametrize("name", HIDDEN)
def test_tails(name):
    """The twin's formulas are exact there; the core's exp is clamped, which must not show."""
    np.testing.assert_allclose(activate(name, TAILS), ref.ACTIVATIONS[name](TAILS), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(derivative(name, TAILS), ref.DERIVATIVES[name](TAILS), rtol=1e-14, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax(dtype):
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(size=(50, 5)) * 4, [[1e4, 1e4, -1e4, 0, 1e4], [-1e4] * 5]]).astype(dtype)
    net = fm.Network([fm.Input(5), fm.Dense(5, "softmax", bias=False)], dtype=dtype)
    net.weights[0][:] = np.eye(5)
    p = net.predict(z)
    np.testing.assert_allclose(
        p, ref.ACTIVATIONS["softmax"](z.astype(float)), rtol=1e-6 if dtype == "float32" else 1e-14, atol=1e-37
    )
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_nan_stays_one(name, dtype):
    """Training that went astray must show."""
    net = fm.Network([fm.Input(1), fm.Dense(2, name)], dtype=dtype)
    net.params[:] = np.nan
    assert np.isnan(net.predict([[1.0]])).all()


def test_slope_of_leaky_relu_and_elu_can_be_chosen():
    z = np.array([[-2.0], [-0.5], [1.5]])
    for name, slope in (("leaky_relu", 0.25), ("elu", 2.0)):
        net = fm.Network([fm.Input(1), fm.Dense(1, name, bias=False, slope=slope)], dtype="float64")
        net.params[:] = 1
        np.testing.assert_allclose(net.predict(z), ref.ACTIVATIONS[name](z, slope), rtol=1e-15)


def test_shapes_and_the_input_are_kept():
    z = np.array([[-1.0, 2.0], [0.5, -3.0]])
    before = z.copy()
    for f in (activate, derivative):
        assert f("elu", z).shape == (2, 2)
        assert f("tanh", 0.5).shape == ()
        assert f("tanh", []).shape == (0,)
    np.testing.assert_array_equal(z, before)
    np.testing.assert_array_equal(activate("leaky_relu", z.T), activate("leaky_relu", z).T)


@pytest.mark.parametrize("name", ["relu", "leaky_relu"])
def test_a_kink_has_the_slope_from_the_left(name):
    assert derivative(name, [0.0])[0] == ref.DERIVATIVES[name](0.0)


@pytest.mark.parametrize(
    ("name", "z", "message"),
    [
        ("rellu", 0.0, "did you mean 'relu'"),
        ("softmax", 0.0, "whole row"),
        ("tanh", np.nan, "finite"),
        ("tanh", [1.0, np.inf], "finite"),
    ],
)
def test_bad_arguments(name, z, message):
    for f in (activate, derivative):
        with pytest.raises(ValueError, match=message):
            f(name, z)


def test_a_name_is_needed():
    with pytest.raises(TypeError, match="activation must be a name, got int"):
        activation_spec(3)


@pytest.mark.parametrize("name", [n for n, s in ACTIVATIONS.items() if s.output_only])
def test_output_only_activations_are_refused_inside(name):
    with pytest.raises(ValueError, match="output"):
        fm.Network([fm.Input(2), fm.Dense(3, name), fm.Dense(1)])
