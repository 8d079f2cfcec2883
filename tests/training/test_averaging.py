"""`average`: the network ends with a moving average of the path, which is that of a fit without it."""

import copy
import pickle

import numpy as np
import pytest
import reference_training
from hypothesis import given, settings
from hypothesis import strategies as st
from step_cases import RULES, WAYS, WEIGHT, X, Y, network
from twins import relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.training import trainer as trainers
from fastmlp.training.step_table import average_shares

ORDER = np.arange(50)


def everything(net):
    return net.params.tobytes(), net.statistics.tobytes()


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("way", WAYS)
def test_every_rule_and_every_way_average_like_the_twin(way, name, n_threads, monkeypatch):
    monkeypatch.setattr(trainers, "splits_rows", WAYS[way])
    net = network()
    twin, kept, (optimizer, hyper) = twin_of(net), {}, RULES[name]
    given = {"sample_weight": WEIGHT, "max_norm": 1.5} | ({} if name == "rprop" else {"clip_norm": 0.5})
    history = net.fit(
        X, Y, epochs=2, batch_size=16, optimizer=optimizer, shuffle=False, n_threads=n_threads, average=0.7, **given
    )
    losses = reference_training.train(twin, X, Y, [ORDER] * 2, 16, kept=kept, **given, **hyper)
    assert len(kept["path"]) == 8
    assert relative_error(net.params, reference_training.average_of(kept["path"], 0.7)) < 1e-10
    assert relative_error(history["loss"], losses) < 1e-10


@settings(max_examples=40)
@given(
    decay=st.sampled_from([0, 0.0, 1, 1.0]) | st.floats(0, 1),
    batch_size=st.integers(2, 50),
    epochs=st.integers(1, 4),
    n_threads=st.integers(1, 3),
    between=st.sampled_from([[fm.BatchNorm(epsilon=0.1)], [fm.LayerNorm(epsilon=0.1)], []]),
    dtype=st.sampled_from(["float32", "float64"]),
    looked_at=st.booleans(),
)
def test_any_decay(decay, batch_size, epochs, n_threads, between, dtype, looked_at):
    net = network(*between, dtype=dtype)
    twin, kept = twin_of(net), {}
    net.fit(
        X, Y, epochs=epochs, batch_size=batch_size, optimizer=fm.SGD(0.01), shuffle=False, n_threads=n_threads,
        average=decay, callbacks=[lambda run: None] if looked_at else [],
    )  # fmt: skip
    reference_training.train(twin, X, Y, [ORDER] * epochs, batch_size, kept=kept, lr=0.01)
    close = 1e-8 if dtype == "float64" else 2e-4
    assert relative_error(net.params, reference_training.average_of(kept["path"], decay)) < close
    statistics = [array for name, array in net.named_arrays().items() if "running" in name]
    if statistics:
        expected = reference_training.average_of(kept["running"], decay)
        assert relative_error(np.concatenate(statistics), expected) < close


@pytest.mark.parametrize("decay", [1e-9, 0.5, 0.999, 1 - 1e-12])
def test_shares_are_those_of_the_weighted_mean(decay):
    t = np.array([1, 2, 3, 1000])
    sums = [np.sum(decay ** np.arange(n)) for n in t]
    np.testing.assert_allclose(average_shares(decay, t), 1 / np.array(sums), rtol=1e-9)


def test_shares_go_on_beyond_the_table_of_steps():
    # 4200 steps on the spot, more than are worked out at once, and 200 on the way.
    net, kept = network(), {}
    twin = twin_of(net)
    start = twin.flat()
    rate = lambda step: 0.01 * (step >= 4200)  # noqa: E731
    net.fit(X, Y, epochs=88, batch_size=1, optimizer=fm.SGD(rate), shuffle=False, average=1.0)
    reference_training.train(twin, X, Y, [ORDER] * 4, 1, kept=kept, lr=0.01)
    assert relative_error(net.params, (4200 * start + np.sum(kept["path"], axis=0)) / 4400) < 1e-10


@pytest.mark.parametrize("between", [[], [fm.BatchNorm()]], ids=["plain", "batch_norm"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_path_is_that_of_a_fit_without_averages(between, n_threads):
    plain, averaged, watched = (network(*between, dtype="float32") for _ in range(3))
    given = {"epochs": 4, "batch_size": 16, "n_threads": n_threads, "warm_start": True}
    history = plain.fit(X, Y, **given)
    other = averaged.fit(X, Y, average=0.9, **given)
    watched.fit(X, Y, average=0.9, callbacks=[lambda run: None], validation_data=(X, Y), **given)
    path = averaged.optimizer_state.average.path
    assert (path.params.tobytes(), path.statistics.tobytes()) == everything(plain)
    np.testing.assert_array_equal(history["loss"], other["loss"])
    assert everything(watched) == everything(averaged) != everything(plain)


def test_validation_and_callbacks_see_the_averages():
    net = network(fm.BatchNorm())
    seen = []

    def look(run):
        assert run.history.last("val_loss") == run.network.evaluate(X, Y)["loss"]
        seen.append(run.network.snapshot())

    net.fit(X, Y, epochs=5, batch_size=16, average=0.9, validation_data=(X, Y), callbacks=[look])
    assert net.holds(seen[-1])
    for i, snapshot in enumerate(seen):
        fewer = network(fm.BatchNorm())
        fewer.fit(X, Y, epochs=i + 1, batch_size=16, average=0.9)
        assert fewer.holds(snapshot)


def test_early_stopping_goes_back_to_the_best_average():
    net, at = network(), []
    stopping = fm.EarlyStopping(patience=2)
    rate = lambda step: 0.05 if step < 12 else -0.1  # noqa: E731 (after three epochs it climbs)
    history = net.fit(
        X, Y, epochs=30, batch_size=16, optimizer=fm.SGD(rate), average=0.5, validation_data=(X, Y),
        callbacks=[stopping, lambda run: at.append(run.network.snapshot())],
    )  # fmt: skip
    assert 0 < history.best_epoch < len(at) - 1
    assert net.holds(at[history.best_epoch])
    assert net.evaluate(X, Y)["loss"] == history["val_loss"][history.best_epoch]


@pytest.mark.parametrize("callbacks", [[], [lambda run: None]], ids=["alone", "watched"])
def test_a_fit_that_diverges_holds_the_averages_of_the_best_epoch(callbacks):
    net, fewer = network(fm.BatchNorm()), network(fm.BatchNorm())
    with pytest.raises(fm.DivergedError):
        net.fit(
            X, Y, epochs=9, batch_size=50, optimizer=fm.SGD(lambda step: 0.01 if step < 4 else 1e300), average=0.5,
            warm_start=True, callbacks=callbacks,
        )  # fmt: skip
    fewer.fit(X, Y, epochs=4, batch_size=50, optimizer=fm.SGD(0.01), average=0.5)
    assert net.optimizer_state is None
    assert everything(net) == everything(fewer)


def test_a_fit_that_diverges_in_its_first_epoch_leaves_the_network():
    net = network(fm.BatchNorm())
    before = everything(net)
    with pytest.raises(fm.DivergedError):
        net.fit(X, Y, epochs=2, batch_size=50, optimizer=fm.SGD(1e300), average=0.5)
    assert everything(net) == before


@pytest.mark.parametrize("callbacks", [[], [lambda run: None]], ids=["alone", "watched"])
def test_a_last_step_to_infinity_leaves_the_averages_of_an_epoch_that_has_proved_itself(callbacks):
    # The loss of the last epoch is finite; the weights behind it aren't, and those before it may be to blame.
    net, fewer = network(dtype="float32"), network(dtype="float32")
    rate = lambda step: 0.01 if step < 4 else 1e300  # noqa: E731
    given = {"batch_size": 50, "average": 0.5, "callbacks": callbacks, "warm_start": True}
    with pytest.raises(fm.DivergedError):
        net.fit(X, Y, epochs=5, optimizer=fm.SGD(rate), **given)
    fewer.fit(X, Y, epochs=3, optimizer=fm.SGD(0.01), **given)
    assert everything(net) == everything(fewer)
    assert net.optimizer_state is None


@pytest.mark.parametrize("first", [0, 5])
def test_a_loss_that_fails_leaves_the_averages_before_its_step(first):
    calls = []

    def loss(y_true, outputs):
        calls.append(len(outputs))
        if len(calls) > first:
            raise ZeroDivisionError
        return ((outputs - y_true) ** 2).sum(axis=1) / 2, outputs - y_true

    layers = [7, fm.Dense(5, "tanh"), fm.BatchNorm(), fm.Dense(2)]
    nets = [fm.Network(layers, loss=kind, dtype="float64", seed=0) for kind in (fm.CustomLoss(loss), "squared_error")]
    given = {"batch_size": 50, "optimizer": fm.SGD(0.1), "average": 0.5, "warm_start": True}
    with pytest.raises(ZeroDivisionError):
        nets[0].fit(X, Y, epochs=9, **given)
    if first:
        nets[1].fit(X, Y, epochs=first, **given)
    assert relative_error(nets[0].params, nets[1].params) < 1e-12
    assert relative_error(nets[0].statistics[:10], nets[1].statistics[:10]) < 1e-12
    assert nets[0].optimizer_state is None


def test_chunks_have_averages_and_steps_of_several_batches_too():
    def chunks():
        yield X[:24], Y[:24]
        yield X[24:], Y[24:]

    seen = []
    nets = [network(fm.BatchNorm(epsilon=0.1)) for _ in range(2)]
    given = {"epochs": 2, "batch_size": 4, "accumulate": 3, "average": 0.9, "shuffle": False, "max_norm": 1.0}
    given |= {"validation_data": (X, Y), "callbacks": [lambda run: seen.append(run.network.params.copy())]}
    history = nets[0].fit(fm.Chunks(chunks), **given)
    other = nets[1].fit(X, Y, **given)
    assert relative_error(nets[0].params, nets[1].params) < 1e-10
    assert relative_error(nets[0].statistics, nets[1].statistics) < 1e-10
    assert relative_error(history["loss"], other["loss"]) < 1e-10
    np.testing.assert_array_equal(seen[1], nets[0].params)
    assert history["val_loss"][-1] == nets[0].evaluate(X, Y)["loss"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_fit_that_is_interrupted_holds_the_averages(error):
    def end(run):
        if run.epoch == 2:
            raise error

    net, fewer = network(), network()
    given = {"batch_size": 16, "average": 0.9, "warm_start": True}
    if error is KeyboardInterrupt:
        net.fit(X, Y, epochs=9, callbacks=[end], **given)
    else:
        with pytest.raises(error):
            net.fit(X, Y, epochs=9, callbacks=[end], **given)
    fewer.fit(X, Y, epochs=3, **given)
    assert everything(net) == everything(fewer)
    assert net.optimizer_state.average.n_steps == 12


@settings(max_examples=40)
@given(
    rule=st.sampled_from(sorted(RULES)),
    epochs=st.lists(st.integers(1, 4), min_size=2, max_size=3),
    decay=st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    dtype=st.sampled_from(["float32", "float64"]),
    between=st.sampled_from([[fm.BatchNorm()], []]),
    duplicate=st.sampled_from([lambda net: net, fm.Network.copy, copy.deepcopy]),
)
def test_fits_that_go_on_have_the_bits_of_one_fit(rule, epochs, decay, dtype, between, duplicate):
    given = {"batch_size": 16, "optimizer": RULES[rule][0], "shuffle": False, "average": decay, "warm_start": True}
    once, parts = network(*between, dtype=dtype), network(*between, dtype=dtype)
    whole = once.fit(X, Y, epochs=sum(epochs), **given)
    losses = []
    for n in epochs:
        losses += [*parts.fit(X, Y, epochs=n, **given)["loss"]]
        parts = duplicate(parts)
    np.testing.assert_array_equal(losses, whole["loss"])
    assert everything(parts) == everything(once)
    n_batches = 3 if between else 4  # the last two rows of 50 join a batch of a batch norm
    assert parts.optimizer_state.average.n_steps == sum(epochs) * n_batches


@pytest.mark.parametrize(
    "between",
    [
        lambda net: net.params.__imul__(0.5),
        lambda net: net.train_on_batch(X, Y),
        lambda net: net.fit(X, Y, epochs=1, warm_start=True),
    ],
    ids=["by hand", "a batch", "a fit without"],
)
def test_averages_begin_afresh_where_the_network_has_changed(between):
    net, fresh = network(), network()
    net.fit(X, Y, epochs=2, average=0.9, warm_start=True)
    between(net)
    fresh.params = net.params
    fresh.optimizer_state = copy.deepcopy(net.optimizer_state)
    fresh.optimizer_state.average = None
    for each in (net, fresh):
        each.fit(X, Y, epochs=2, shuffle=False, average=0.9, warm_start=True)
    assert everything(net) == everything(fresh)


def test_a_fit_without_warm_start_leaves_no_state():
    net = network()
    net.fit(X, Y, epochs=2, average=0.9)
    assert net.optimizer_state is None


def test_the_state_goes_through_pickle_and_to_another_dtype():
    net = network()
    net.fit(X, Y, epochs=2, average=0.9, warm_start=True)
    again, single = pickle.loads(pickle.dumps(net)), net.astype("float32")
    np.testing.assert_array_equal(again.optimizer_state.average.path.params, net.optimizer_state.average.path.params)
    assert single.optimizer_state.average.path.params.dtype == np.float32
    assert single.holds(single.optimizer_state.average.average)
    single.fit(X, Y, epochs=1, average=0.9, warm_start=True)
    assert single.optimizer_state.average.n_steps == 6


def test_a_network_of_a_few_weights_is_averaged_too():
    net = shake(fm.Network([7, 3, 2], activation="tanh", dtype="float64", seed=0), np.random.default_rng(1))
    twin, kept = twin_of(net), {}
    net.fit(X, Y, epochs=2, batch_size=4, optimizer=fm.SGD(0.05), shuffle=False, average=0.8)
    reference_training.train(twin, X, Y, [ORDER] * 2, 4, kept=kept, lr=0.05)
    assert relative_error(net.params, reference_training.average_of(kept["path"], 0.8)) < 1e-10
