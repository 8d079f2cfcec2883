"""Standard mistakes are told, once and to the line that made them; what is no mistake isn't."""

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import fastmlp as fm
from fastmlp.data.samples import check_training_data
from fastmlp.training.advice import likely_cause

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
    assert message.startswith("layer 1 is dead: its relu units are 0 for every row checked")
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


# --- Why a fit diverged: place, likely cause and remedy in the error, for every way to train ---

FEW_RNG = np.random.default_rng(0)
FEW_X = FEW_RNG.normal(size=(100, 4))
FEW_Y = FEW_X[:, 0] * FEW_X[:, 1]
UNWARNED = pytest.mark.filterwarnings("ignore::fastmlp.TrainingWarning")  # it warns of what the divergence comes from


def small(**options):
    return fm.Network([4, 8, 1], **{"seed": 0} | options)


def cause(network, X=FEW_X, y=FEW_Y, *arguments):
    return likely_cause(network, check_training_data(network, X, y, None), *arguments)


@UNWARNED
def test_causes_in_the_order_of_their_likelihood():
    assert "inputs that are not scaled, up to 4e+03" in cause(small(), np.full((5, 4), 4000.0), 1e6 * FEW_Y[:5])
    assert "up to 255 as" in cause(small(), np.full((5, 4), 255, dtype=np.uint8), FEW_Y[:5])
    scaled = fm.Network([fm.Input(4, scale=1 / 255), 8, 1])
    assert "inputs" not in cause(scaled, np.full((5, 4), 255, dtype=np.uint8), FEW_Y[:5], (), 0.1)
    assert "targets that are not scaled, up to 1e+06; standardise y" in cause(small(), FEW_X, np.full(100, -1e6))
    assert "exp(score), which overflows" in cause(small(loss="poisson"), FEW_X, np.full(100, 40.0), (), 0.1)
    text = cause(small(), FEW_X, FEW_Y, (), 0.2, 0.99)
    assert "learning rate 0.2 is too large for the momentum 0.99, which makes steps up to 100 times" in text
    text = cause(small(), FEW_X, FEW_Y, (3.0, 0.5, 2.0, 7e4), 0.2, 0.9)
    assert "a learning rate that is too large, 0.2, as the loss rose from 0.5 to 7e+04 in the last 2 epochs" in text
    assert "try 0.02, or clip_norm=1.0" in text
    assert "rose" not in cause(small(), FEW_X, FEW_Y, (3.0, 0.5), 0.2)
    assert "initial weights that are too large" in cause(small(), FEW_X, FEW_Y)
    custom = small(loss=fm.CustomLoss(lambda t, z: (z[:, 0], z)))
    assert "fm.check_gradients" in cause(custom, FEW_X, FEW_Y, (), 0.1) and "fm.check_gradients" in cause(custom)


def diverges(network, *arguments, **options):
    with pytest.raises(fm.DivergedError) as caught:
        network.fit(*arguments, **options)
    assert network.is_finite()
    error = caught.value
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.epoch, again.batch, type(again)) == (
        str(error),
        error.epoch,
        error.batch,
        fm.DivergedError,
    )
    return error


def rises(at):
    return fm.SGD(lambda step: 1e-3 if step < at else 1e30)


@UNWARNED
@pytest.mark.parametrize("callbacks", [[], [lambda run: None]], ids=["many epochs at once", "one by one"])
@pytest.mark.parametrize("average", [None, 0.9])
def test_epoch_and_batch_of_a_fit_that_diverges(callbacks, average):
    error = diverges(
        small(), FEW_X, FEW_Y, epochs=9, batch_size=20, optimizer=rises(17), callbacks=callbacks, average=average
    )
    assert error.epoch == 3  # of 5 batches each
    assert error.batch in (4, 5)
    assert f"by batch {error.batch} of the epoch with index 3. Likely cause: a learning rate that" in str(error)
    assert "The network holds the weights of the best finite epoch" in str(error)


@UNWARNED
def test_a_fit_that_diverges_in_its_last_step():
    optimizer = fm.SGD(lambda step: 1e-3 if step < 14 else 1e60)
    error = diverges(small(), FEW_X, FEW_Y, epochs=3, batch_size=20, optimizer=optimizer)
    assert error.epoch == 2
    assert "stopped being finite" in str(error)


@UNWARNED
def test_epoch_and_batch_of_chunks_that_diverge():
    blocks = fm.Chunks([(FEW_X[:60], FEW_Y[:60]), (FEW_X[60:], FEW_Y[60:])])
    error = diverges(small(), blocks, epochs=9, batch_size=20, optimizer=rises(12))
    assert (error.epoch, error.batch) in ((2, 3), (2, 4), (2, 5))
    assert "from before these rows" in str(error)


@UNWARNED
def test_a_batch_that_diverges():
    network = small()
    before = network.params.copy()
    with pytest.raises(fm.DivergedError, match="the loss of this batch or a parameter") as caught:
        network.train_on_batch(1e30 * FEW_X, FEW_Y, optimizer=fm.SGD(1e9))
    assert (caught.value.epoch, caught.value.batch) == (None, None)
    assert "inputs that are not scaled" in str(caught.value)
    np.testing.assert_array_equal(network.params, before)


@UNWARNED
@pytest.mark.parametrize("optimizer", [fm.LBFGS(), fm.LevenbergMarquardt()])
def test_methods_that_see_all_samples_diverge(optimizer):
    error = diverges(small(dtype="float64"), FEW_X, 1e200 * FEW_Y, epochs=3, optimizer=optimizer)
    assert (error.epoch, error.batch) == (0, None)
    assert "targets that are not scaled" in str(error) and "index 0" in str(error)


@UNWARNED
def test_a_loss_written_in_python_diverges():
    def squares(targets, scores):
        return ((scores - targets) ** 2).sum(axis=1), 2 * (scores - targets)

    network = small(loss=fm.CustomLoss(squares), dtype="float64")
    error = diverges(
        network, FEW_X, FEW_Y, epochs=9, batch_size=20, optimizer=fm.SGD(lambda step: 1e-3 if step < 7 else 1e300)
    )
    assert error.epoch == 1
    assert "fm.check_gradients" in str(error)
