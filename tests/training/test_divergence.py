"""Why a fit diverged: place, likely cause and remedy in the error, for every way to train."""

import pickle

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.data.samples import check_training_data
from fastmlp.training.advice import likely_cause

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 4))
Y = X[:, 0] * X[:, 1]
pytestmark = pytest.mark.filterwarnings("ignore::fastmlp.TrainingWarning")  # what they tell is what it comes of


def net(**options):
    return fm.Network([4, 8, 1], **{"seed": 0} | options)


def cause(network, X=X, y=Y, *arguments):
    return likely_cause(network, check_training_data(network, X, y, None), *arguments)


def test_causes_in_the_order_of_their_likelihood():
    assert "inputs that are not scaled, up to 4e+03" in cause(net(), np.full((5, 4), 4000.0), 1e6 * Y[:5])
    assert "up to 255 as" in cause(net(), np.full((5, 4), 255, dtype=np.uint8), Y[:5])
    scaled = fm.Network([fm.Input(4, scale=1 / 255), 8, 1])
    assert "inputs" not in cause(scaled, np.full((5, 4), 255, dtype=np.uint8), Y[:5], (), 0.1)
    assert "targets that are not scaled, up to 1e+06; standardise y" in cause(net(), X, np.full(100, -1e6))
    assert "exp(score), which overflows" in cause(net(loss="poisson"), X, np.full(100, 40.0), (), 0.1)
    text = cause(net(), X, Y, (), 0.2, 0.99)
    assert "learning rate 0.2 is too large for the momentum 0.99, which makes steps up to 100 times" in text
    text = cause(net(), X, Y, (3.0, 0.5, 2.0, 7e4), 0.2, 0.9)
    assert "a learning rate that is too large, 0.2, as the loss rose from 0.5 to 7e+04 in the last 2 epochs" in text
    assert "try 0.02, or clip_norm=1.0" in text
    assert "rose" not in cause(net(), X, Y, (3.0, 0.5), 0.2)
    assert "initial weights that are too large" in cause(net(), X, Y)
    custom = net(loss=fm.CustomLoss(lambda t, z: (z[:, 0], z)))
    assert "fm.check_gradients" in cause(custom, X, Y, (), 0.1) and "fm.check_gradients" in cause(custom)


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


@pytest.mark.parametrize("callbacks", [[], [lambda run: None]], ids=["many epochs at once", "one by one"])
@pytest.mark.parametrize("average", [None, 0.9])
def test_epoch_and_batch_of_a_fit(callbacks, average):
    error = diverges(net(), X, Y, epochs=9, batch_size=20, optimizer=rises(17), callbacks=callbacks, average=average)
    assert error.epoch == 3  # of 5 batches each
    assert error.batch in (4, 5)
    assert f"by batch {error.batch} of the epoch with index 3. Likely cause: a learning rate that" in str(error)
    assert "The network holds the weights of the best finite epoch" in str(error)


def test_the_last_step_of_a_fit():
    optimizer = fm.SGD(lambda step: 1e-3 if step < 14 else 1e60)
    error = diverges(net(), X, Y, epochs=3, batch_size=20, optimizer=optimizer)
    assert error.epoch == 2
    assert "stopped being finite" in str(error)


def test_epoch_and_batch_of_chunks():
    blocks = fm.Chunks([(X[:60], Y[:60]), (X[60:], Y[60:])])
    error = diverges(net(), blocks, epochs=9, batch_size=20, optimizer=rises(12))
    assert (error.epoch, error.batch) in ((2, 3), (2, 4), (2, 5))
    assert "from before the rows in question" in str(error)


def test_train_on_batch():
    network = net()
    before = network.params.copy()
    with pytest.raises(fm.DivergedError, match="the loss of this batch or a parameter") as caught:
        network.train_on_batch(1e30 * X, Y, optimizer=fm.SGD(1e9))
    assert (caught.value.epoch, caught.value.batch) == (None, None)
    assert "inputs that are not scaled" in str(caught.value)
    np.testing.assert_array_equal(network.params, before)


@pytest.mark.parametrize("optimizer", [fm.LBFGS(), fm.LevenbergMarquardt()])
def test_methods_that_see_all_samples(optimizer):
    error = diverges(net(dtype="float64"), X, 1e200 * Y, epochs=3, optimizer=optimizer)
    assert (error.epoch, error.batch) == (0, None)
    assert "targets that are not scaled" in str(error) and "index 0" in str(error)


def test_a_loss_written_in_python():
    def squares(targets, scores):
        return ((scores - targets) ** 2).sum(axis=1), 2 * (scores - targets)

    network = net(loss=fm.CustomLoss(squares), dtype="float64")
    error = diverges(network, X, Y, epochs=9, batch_size=20, optimizer=fm.SGD(lambda step: 1e-3 if step < 7 else 1e300))
    assert error.epoch == 1
    assert "fm.check_gradients" in str(error)
