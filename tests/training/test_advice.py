"""Standard mistakes are told, once and to the line that made them; what is no mistake isn't."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 5))
Y = X[:, 0] * X[:, 1]
BYTES = RNG.integers(0, 256, size=(300, 5)).astype(np.uint8)


def told(net, X, y, **options):
    """The warnings of a fit, and where they point."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        net.fit(X, y, **{"epochs": 1} | options)
    assert all(each.category is fm.TrainingWarning for each in caught)
    assert all(Path(each.filename) == Path(__file__) for each in caught)
    return [str(each.message) for each in caught]


def net(first=None, **options):
    return fm.Network([first or 5, 8, 1], seed=0, **options)


UNSCALED = {
    "bytes": BYTES,
    "bytes as floats": BYTES.astype(np.float32),
    "a column in the thousands": X * [1, 1, 5000, 1, 1],
    "years": np.column_stack([X[:, 1:], RNG.integers(1990, 2024, size=300)]),
    "a sparse matrix": scipy.sparse.csr_array(np.where(X > 0, 1000 * X, 0)),
    "few rows": 1000 * X[:3],
    "negative": -np.abs(1000 * X),
}


@pytest.mark.parametrize("X", UNSCALED.values(), ids=UNSCALED)
@pytest.mark.parametrize("optimizer", [fm.Adam(1e-9), fm.LBFGS()])
def test_inputs_far_from_scaled_are_told_once(X, optimizer):
    messages = told(net(), X, Y[: X.shape[0]], optimizer=optimizer)
    assert len(messages) == 1
    assert "X reaches the first layer with numbers as large as" in messages[0]
    assert "standardise the columns" in messages[0]


def test_the_column_and_the_remedy_are_named():
    (message,) = told(net(), UNSCALED["a column in the thousands"], Y, optimizer=fm.SGD(1e-12))
    assert "column 2 of X" in message and "Input(shift=mean, scale=1/deviation)" in message
    (message,) = told(net(), BYTES, Y, optimizer=fm.SGD(1e-12))
    assert "Input(scale=1/255)" in message


CENTIMETRES = RNG.uniform(0.1, 7.9, size=(300, 5))
NO_MISTAKE = {
    "standardised": X,
    "heavy tails": RNG.standard_t(1.2, size=(300, 5)).clip(-1e4, 1e4),
    "centimetres": CENTIMETRES,
    "one-hot": np.eye(5)[RNG.integers(0, 5, size=300)],
    "ages": np.column_stack([X[:, 1:], RNG.integers(18, 90, size=300)]),
    "one outlier": np.concatenate([X[:299], [[1e6] * 5]]),
    "a sparse matrix": scipy.sparse.csr_array(np.where(X > 0, X, 0)),
}


@pytest.mark.parametrize("X", NO_MISTAKE.values(), ids=NO_MISTAKE)
def test_nothing_is_told_of_what_is_no_mistake(X):
    assert told(net(), X, Y, optimizer=fm.SGD(1e-12)) == []


def test_nothing_is_told_where_inputs_are_scaled_further_on():
    assert told(net(fm.Input(5, scale=1 / 255)), BYTES, Y) == []
    assert told(net(fm.Input(5, shift=127.0, scale=0.01)), BYTES, Y) == []
    for norm in (fm.BatchNorm(), fm.LayerNorm()):
        assert told(fm.Network([5, norm, 8, 1], seed=0), BYTES, Y) == []
        assert told(fm.Network([5, fm.Dropout(0.1), norm, 8, 1], seed=0), BYTES, Y) == []
    assert len(told(fm.Network([5, 8, fm.BatchNorm(), 1], seed=0), BYTES, Y)) == 1


def test_scales_hardly_matter_to_quasi_newton_steps_on_a_linear_network():
    linear = fm.Network([5, 1], seed=0, dtype="float64")
    assert told(linear, BYTES, 1000 * Y, optimizer=fm.LevenbergMarquardt()) == []
    assert len(told(linear, BYTES, Y, optimizer=fm.SGD(1e-12))) == 1


def test_targets_far_from_scaled_are_told():
    (message,) = told(net(), X, 5000 + Y)
    assert "y has numbers as large as 5e+03" in message and "scale predictions back" in message
    assert len(told(net(), BYTES, 5000 + Y, optimizer=fm.SGD(1e-12))) == 2
    assert told(net(), X, 20 * Y) == []
    assert told(net(), X, np.where(np.arange(300) == 7, 1e6, Y), optimizer=fm.SGD(1e-12)) == []
    assert told(net(loss="poisson"), X, RNG.poisson(500, size=300), optimizer=fm.SGD(1e-12)) == []
    assert told(fm.Network([5, 3], loss="cross_entropy", seed=0), X, RNG.integers(0, 3, size=300)) == []


def test_chunks_are_looked_at_too():
    assert len(told(net(), fm.Chunks([(BYTES, Y)]), None, epochs=3, optimizer=fm.SGD(1e-12))) == 1
    assert told(net(), fm.Chunks([(X, Y)]), None, epochs=3) == []


def test_learning_curves_point_at_their_caller():
    with pytest.warns(fm.TrainingWarning, match="column") as caught:
        fm.learning_curve(lambda seed: fm.Network([5, 1], seed=seed), 1000 * X, Y, (1000 * X, Y), [20], epochs=1)
    assert {Path(each.filename) for each in caught} == {Path(__file__)}


def test_train_on_batch_and_the_estimators_say_nothing():
    """The one is called too often, the others say what scikit-learn says."""
    pytest.importorskip("sklearn")
    with warnings.catch_warnings():
        warnings.simplefilter("error", fm.TrainingWarning)
        net().train_on_batch(BYTES, Y)
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", fm.TrainingWarning)
        fm.MLPRegressor(max_iter=3).fit(BYTES, 5000 + Y)


def dead():
    network = fm.Network([5, 8, 6, 1], seed=0)
    network.biases[1][:] = -1e3
    return network


def test_a_dead_layer_is_told_of():
    (message,) = told(dead(), X, Y, epochs=5, optimizer=fm.SGD(1e-6))
    assert message.startswith("layer 1 is dead: its relu units are 0 for every row looked at")
    assert "smaller learning rate" in message


def test_a_network_that_answers_the_same_to_every_row_is_told_of():
    network = fm.Network([5, 8, 1], activation="tanh", seed=0)
    network.biases[0][:] = 1e3
    (message,) = told(network, X, Y - Y.mean(), epochs=5, optimizer=fm.SGD(1e-6))
    assert "same outputs for every row" in message and "saturated" in message


def test_nothing_is_told_of_networks_that_live():
    learns, network = net(), net()
    assert told(learns, X, Y, epochs=30, optimizer=fm.Adam(0.01)) == []
    assert told(network, X, Y, epochs=5, optimizer=fm.SGD(1e-12)) == []  # it learns nothing, and yet its units live
    assert told(dead(), X, Y, epochs=2, optimizer=fm.SGD(1e-6)) == []  # too early to tell
    constant = fm.Network([5, 8, 1], activation="tanh", seed=0)
    constant.params[:] = 0
    assert told(constant, X, np.zeros(300), epochs=5) == []  # as it should
    assert told(fm.Network([5, 1], init="zeros"), X[:1], Y[:1], epochs=5, optimizer=fm.SGD(1e-12)) == []


def test_a_good_fit_pays_nothing(monkeypatch):
    def fail(*arguments):
        raise AssertionError("looked at a network whose loss has fallen")

    monkeypatch.setattr("fastmlp.training.advice.activations", fail)
    net().fit(X, Y, epochs=20, optimizer=fm.Adam(0.01))
