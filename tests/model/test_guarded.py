"""Public attributes of a network: read-only or checked, and views where the core follows addresses."""

import copy
import pickle

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.model.guarded import READ_ONLY
from fastmlp.model.state import AverageState, OptimizerState, Snapshot

rng = np.random.default_rng(3)
X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))


def network(dtype="float32"):
    return fm.Network([fm.Input(4, scale=0.5), 5, fm.BatchNorm(), 2], dtype=dtype, seed=0)


def works(net):
    """Every door of the core is used, and the outputs are finite."""
    X = np.zeros((30, net.n_features))
    Y = np.zeros((30, net.n_outputs))
    assert np.isfinite(net.predict(X[:1].astype(net.dtype))).all() and np.isfinite(net.predict(X)).all()
    net.evaluate(X, Y)
    net.fit(X, Y, epochs=1, batch_size=10, warm_start=True)
    net.train_on_batch(X, Y)
    net.loss_and_gradients(X, Y)


ODD = (None, 0, -1, 2**62, float("nan"), "", "relu", "float64", [], (), {}, np.zeros(0), np.zeros(9), fm.Input(10**5),
       (fm.Dense(10**6),), np.dtype("float64"), fm.Network([9, 9]).layout)  # fmt: skip


@pytest.mark.parametrize("name", sorted(READ_ONLY))
def test_what_the_core_relies_on_cannot_be_set_or_deleted(name):
    net = network()
    before = getattr(net, name)
    for value in (*ODD, before):
        with pytest.raises(AttributeError, match=rf"^{name} of a network cannot be set: \w"):
            setattr(net, name, value)
    with pytest.raises(AttributeError, match=rf"^{name} of a network cannot be deleted"):
        delattr(net, name)
    assert getattr(net, name) is before
    works(net)


def test_every_public_attribute_is_read_only_or_checked():
    names = [name for name in dir(network()) if name[0] != "_" and not callable(getattr(network(), name))]
    assert {"params", "statistics", "rng", "optimizer_state", "loss", "n_features", *READ_ONLY} <= set(names)
    for name in names:
        net = network()
        for value in ODD:
            if name == "optimizer_state" and value is None:
                continue
            with pytest.raises((AttributeError, ValueError, TypeError), match="."):
                setattr(net, name, value)
        with pytest.raises(AttributeError):
            delattr(net, name)
        works(net)


def test_statistics_and_params_are_copied_into_place():
    for name in ("params", "statistics"):
        net = network()
        values = np.arange(1.0, 1 + len(getattr(net, name)))
        view = getattr(net, name)
        setattr(net, name, values)
        np.testing.assert_array_equal(view, values.astype(view.dtype))
        for wrong in (values[:-1], np.append(values, 1.0), values[None], np.full_like(values, np.nan)):
            with pytest.raises(ValueError, match=rf"^{name} must"):
                setattr(net, name, wrong)
        np.testing.assert_array_equal(view, values.astype(view.dtype))
    plain = fm.Network([4, 2], seed=0)
    plain.statistics = []
    with pytest.raises(ValueError, match="^statistics must have 0 elements, got 1"):
        plain.statistics = [1.0]


COPIES = {
    "made": lambda net: net,
    "copied": lambda net: net.copy(),
    "copy.copy": copy.copy,
    "copy.deepcopy": copy.deepcopy,
    "unpickled": lambda net: pickle.loads(pickle.dumps(net)),
    "unpickled with its own memory": lambda net: pickle.loads(pickle.dumps(net, protocol=5)),
    "in another dtype": lambda net: net.astype("float64"),
}


@pytest.mark.parametrize("name", COPIES)
def test_tricks_in_place_do_not_reach_the_arrays_of_the_core(name):
    net = COPIES[name](network())
    works(net)  # the core has their addresses now
    for array in ("params", "statistics"):
        n = len(getattr(net, array))
        for resize in (
            lambda a: a.resize(0), lambda a: a.resize(0, refcheck=False), lambda a: a.base.resize(0),
            lambda a: a.resize(10**7, refcheck=False),
        ):  # fmt: skip
            with pytest.raises((ValueError, AttributeError)):
                resize(getattr(net, array))
        getattr(net, array).setflags(write=False)
        view = getattr(net, array)
        view.shape = (n, 1)
        assert getattr(net, array).shape == (n,)
    for weight in (*net.weights, *net.named_arrays().values()):
        with pytest.raises(ValueError):
            weight.resize((1, 1), refcheck=False)
    works(net)


def test_a_copy_by_the_standard_library_shares_nothing():
    net = network()
    net.train_on_batch(X, Y)
    for twin in (copy.copy(net), copy.deepcopy(net)):
        assert not np.shares_memory(twin.params, net.params)
        assert not np.shares_memory(twin.statistics, net.statistics)
        assert not np.shares_memory(twin.optimizer_state.vectors, net.optimizer_state.vectors)
        before = net.params.copy()
        twin.train_on_batch(X, Y)
        np.testing.assert_array_equal(net.params, before)
        net.fit(X, Y, epochs=1, callbacks=[lambda run, twin=twin: twin.predict(X)])  # its guard is its own


def test_a_pickle_of_an_earlier_version_is_read():
    net = network()
    old = net.__getstate__()
    old["statistics"] = old.pop("_statistics").copy()
    twin = fm.Network.__new__(fm.Network)
    twin.__setstate__(old)
    np.testing.assert_array_equal(twin.predict(X), net.predict(X))
    twin.statistics = twin.statistics + 1
    works(twin)


def states(net):
    """Impossible states of an optimizer, and what the error names."""
    n, vectors = net.n_params, np.zeros((2, net.n_params), np.float32)
    good = Snapshot(np.zeros(n, np.float32), np.zeros(len(net.statistics)))
    yield "Adam", "must be"
    yield OptimizerState(3, vectors), "rule"
    for wrong in (vectors[:, :-1], vectors[0], vectors.astype(float), vectors.tolist(), np.asfortranarray(vectors), 1):
        yield OptimizerState("Adam", wrong), "vectors"
    for wrong in (-1, 2**62, 0.5, "1", None, True, float("nan")):
        yield OptimizerState("Adam", vectors, wrong), "n_steps"
        yield OptimizerState("Adam", vectors, 1, AverageState(good, good, wrong)), "average.n_steps"
    for wrong in (-1, 2**64, 0.5, "1"):
        yield OptimizerState("Adam", vectors, 1, None, wrong), "mask_seed"
    yield OptimizerState("Adam", vectors, 1, good), "average"
    for wrong in (good._replace(params=np.zeros(3, np.float32)), good._replace(statistics=np.zeros(1)), None):
        yield OptimizerState("Adam", vectors, 1, AverageState(wrong, good, 1)), "average.path"
        yield OptimizerState("Adam", vectors, 1, AverageState(good, wrong, 1)), "average.average"


def test_an_optimizer_state_that_does_not_fit_is_refused_when_it_is_set_and_when_it_is_used():
    net = network()
    for state, named in states(net):
        with pytest.raises((ValueError, TypeError), match=rf"^optimizer_state.*{named}"):
            net.optimizer_state = state
        assert net.optimizer_state is None
        if not isinstance(state, OptimizerState):
            continue
        net.train_on_batch(X, Y)
        for name in ("rule", "vectors", "n_steps", "average", "mask_seed"):
            setattr(net.optimizer_state, name, getattr(state, name))
        before = net.params.copy()
        with pytest.raises((ValueError, TypeError), match=rf"^optimizer_state.*{named}"):
            net.fit(X, Y, epochs=1, warm_start=True)
        with pytest.raises((ValueError, TypeError), match=rf"^optimizer_state.*{named}"):
            net.train_on_batch(X, Y, optimizer=fm.SGD(0.1))
        np.testing.assert_array_equal(net.params, before)
        net.optimizer_state = None


def test_momenta_replaced_between_two_batches_are_used():
    net, twin = network(), network()
    for each in (net, twin):
        each.train_on_batch(X, Y)
    net.optimizer_state.vectors = np.zeros_like(net.optimizer_state.vectors)
    twin.optimizer_state = OptimizerState("Adam", np.zeros_like(net.optimizer_state.vectors), 1)
    for each in (net, twin):
        each.train_on_batch(X, Y)
    np.testing.assert_array_equal(net.params, twin.params)


def test_the_generator_must_be_one():
    net = network()
    for wrong in (None, 0, np.random.RandomState(0), np.random.PCG64(0), np.random):
        with pytest.raises(TypeError, match=r"^rng must be a numpy.random.Generator, got"):
            net.rng = wrong
    net.rng = np.random.default_rng(7)
    works(net)
