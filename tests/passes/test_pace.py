"""Batches: rows gathered from any dtype and scaled on the way, orders and seeds, data left as they are.

Last comes the whole of training at random sizes against the twin.
"""

import weakref

import numpy as np
import pytest
import reference_training
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import make_samples, relative_error, shake, twin_of

import fastmlp as fm
from cnn_core.passes.batches import Dtype, Source
from fastmlp.passes.pace import Pace, count_batches, in_pieces

pytestmark = pytest.mark.filterwarnings(
    "ignore::fastmlp.TrainingWarning"
)  # bytes and long columns as they are: these tests are of arithmetic
PIXELS = np.random.default_rng(0).integers(0, 256, size=(700, 5)).astype(np.uint8)
TARGETS = np.random.default_rng(1).normal(size=(700, 2))
SHIFT, SCALE = np.array([0.0, 128.0, 17.5, -3.0, 255.0]), np.array([1 / 255, 0.01, -0.5, 0.0, 2.0])


def scaled_net(dtype="float64", **scaling):
    return fm.Network([fm.Input(5, **scaling), fm.Dense(4, "tanh"), fm.Dense(2)], dtype=dtype, seed=2)


def everything(net, X, T, **fit):
    """What a network makes of its inputs, in one vector."""
    before = net.loss_and_flat_gradient(X, T)[1], net.sample_gradients(X, T).ravel()
    net.fit(X, T, epochs=2, batch_size=64, optimizer=fm.SGD(0.01), **fit)
    predicted = net.predict(np.asarray(X, dtype=net.dtype))
    return np.concatenate([*before, net.params, predicted.ravel(), [net.evaluate(X, T)["loss"]]])


# --- Inputs ---


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("X_dtype", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scaling_inside_equals_scaling_by_hand(dtype, X_dtype, n_threads):
    X = PIXELS.astype(X_dtype)
    by_hand = (PIXELS - SHIFT) * SCALE
    inside = everything(scaled_net(dtype, shift=SHIFT, scale=SCALE), X, TARGETS, n_threads=n_threads)
    outside = everything(scaled_net(dtype), by_hand, TARGETS, n_threads=n_threads)
    assert relative_error(inside, outside) < (1e-13 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("X_dtype", ["uint8", "float32", "float64", "int64", "float16", ">f8", ">f4", "uint16"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_dtype_of_the_same_numbers_gives_the_same_bits(dtype, X_dtype):
    expected = everything(scaled_net(dtype, scale=1 / 16), PIXELS, TARGETS)
    np.testing.assert_array_equal(
        everything(scaled_net(dtype, scale=1 / 16), PIXELS.astype(X_dtype), TARGETS), expected
    )


def test_booleans_are_0_and_1():
    X = PIXELS > 127
    np.testing.assert_array_equal(
        everything(scaled_net(), X, TARGETS), everything(scaled_net(), X.astype(float), TARGETS)
    )


def test_one_shift_and_scale_serve_all_columns():
    expected = everything(scaled_net(shift=np.full(5, 100.0), scale=np.full(5, 0.01)), PIXELS, TARGETS)
    np.testing.assert_array_equal(everything(scaled_net(shift=100.0, scale=0.01), PIXELS, TARGETS), expected)


def test_large_numbers_are_shifted_before_they_are_rounded():
    """A time of day in seconds since 1970 has no digits left in float32; its difference to the mean has."""
    rng = np.random.default_rng(3)
    X = 1.7e9 + rng.uniform(-500.0, 500.0, size=(40, 1))
    layer = fm.Input.standardized(X)
    net = fm.Network([layer, fm.Dense(1, bias=False)], dtype="float32")
    net.params[:] = 1
    np.testing.assert_allclose(net.predict(X), (X - X.mean()) / X.std(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "rearranged",
    [np.asfortranarray, lambda a: np.repeat(a, 2, axis=0)[::2], lambda a: a[::-1][::-1], lambda a: a.tolist()],
    ids=["fortran", "every_other_row", "reversed_twice", "lists"],
)
def test_the_arrangement_in_memory_does_not_matter(rearranged):
    expected = everything(scaled_net(), PIXELS, TARGETS)
    np.testing.assert_array_equal(everything(scaled_net(), rearranged(PIXELS), rearranged(TARGETS)), expected)


@pytest.mark.parametrize("X_dtype", ["uint8", "float32", "float64"])
def test_data_are_only_read(X_dtype):
    X, T, weight = PIXELS.astype(X_dtype), TARGETS.copy(), np.linspace(0.5, 1.5, 700)
    for array in (X, T, weight):
        array.setflags(write=False)
    copies = X.copy(), T.copy(), weight.copy()
    net = scaled_net(shift=SHIFT, scale=SCALE)
    net.fit(X, T, epochs=2, sample_weight=weight, validation_data=(X, T), n_threads=2)
    net.fit(X, T, epochs=2, optimizer="lbfgs", sample_weight=weight)
    net.predict(X)
    net.evaluate(X, T, sample_weight=weight)
    net.sample_gradients(X, T)
    net.cost_surface(X, T, [0], [[0.0, 1.0]], sample_weight=weight)
    fm.check_gradients(net, X[:3], T[:3], sample_weight=weight[:3])
    for array, copy in zip((X, T, weight), copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("T_dtype", ["uint8", "float32", "float64", "int32"])
def test_targets_of_every_dtype(T_dtype):
    T = PIXELS[:, :2] % 7
    expected = everything(scaled_net(scale=1 / 255), PIXELS, T.astype(float))
    np.testing.assert_array_equal(everything(scaled_net(scale=1 / 255), PIXELS, T.astype(T_dtype)), expected)


# --- Orders ---


def make_fit(seed=0, shuffle=True, batch_size=16, X=None, T=None, **options):
    net = fm.Network([5, 4, 2], activation="tanh", dtype="float64", seed=seed)
    X, T = PIXELS[:100] / 255 if X is None else X, TARGETS[:100] if T is None else T
    options = {"optimizer": fm.SGD(0.1)} | options
    return net, net.fit(X, T, epochs=4, batch_size=batch_size, shuffle=shuffle, **options)


def test_a_source_keeps_its_rows_alive_and_no_longer_than_itself():
    rows = np.zeros((2, 8), dtype=np.uint8)
    alive = weakref.ref(rows)
    source = Source(rows, Dtype.UINT8, 8)
    del rows
    assert alive() is not None
    del source
    assert alive() is None


def test_the_seed_fixes_the_order():
    (first, history), (second, other_history) = make_fit(seed=4), make_fit(seed=4)
    np.testing.assert_array_equal(first.params, second.params)
    np.testing.assert_array_equal(history["loss"], other_history["loss"])
    third, _ = make_fit(seed=4, shuffle=False)
    assert (third.params != first.params).any()


def test_two_networks_with_the_same_weights_and_other_seeds_take_other_orders():
    nets = [fm.Network([5, 2], init="zeros", dtype="float64", seed=seed) for seed in (0, 1)]
    for net in nets:
        net.fit(PIXELS[:100] / 255, TARGETS[:100], epochs=1, batch_size=10, optimizer=fm.SGD(0.1))
    assert (nets[0].params != nets[1].params).any()


def test_shuffled_training_equals_the_twin_in_the_same_orders():
    """The generator gives the seed of the masks, then a permutation of the last epoch's order for each epoch."""
    net = fm.Network([5, 4, 2], activation="tanh", dtype="float64", seed=5)
    twin, rng, orders = twin_of(net), net.copy().rng, []
    rng.integers(2**63)
    order = np.arange(100)
    for _ in range(3):
        rng.shuffle(order)
        orders.append(order.copy())
    weight = np.linspace(0.1, 2.0, 100)
    X = PIXELS[:100] / 255
    history = net.fit(X, TARGETS[:100], epochs=3, batch_size=16, optimizer=fm.SGD(0.1), sample_weight=weight)
    losses = reference_training.train(twin, X, TARGETS[:100], orders, 16, lr=0.1, sample_weight=weight)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-11)
    assert relative_error(net.params, twin.flat()) < 1e-11


def test_a_full_batch_does_not_depend_on_the_order():
    (one, _), (other, _) = make_fit(batch_size=100), make_fit(batch_size=100, shuffle=False)
    assert relative_error(one.params, other.params) < 1e-12
    back, _ = make_fit(batch_size=100, shuffle=False, X=PIXELS[:100][::-1] / 255, T=TARGETS[:100][::-1])
    assert relative_error(back.params, other.params) < 1e-12


def test_each_epoch_is_a_permutation():
    """A linear unit that adds up targets sees every row once: its sum of gradients is the same in each epoch."""
    net = fm.Network([1, 1], bias=False, loss="absolute_error", dtype="float64", seed=0)
    net.params[:] = 1e6
    X, rows = 2.0 ** np.arange(30)[:, None], []
    net.fit(
        X, np.zeros(30), epochs=3, batch_size=1, optimizer=fm.SGD(1e-9),
        callbacks=[lambda run: rows.append(run.network.params[0])],
    )  # fmt: skip
    np.testing.assert_allclose(np.diff([1e6, *rows]), -1e-9 * (2.0**30 - 1), rtol=1e-7)


def test_a_batch_larger_than_the_data_is_all_of_them():
    np.testing.assert_array_equal(make_fit(batch_size=10**6)[0].params, make_fit(batch_size=100)[0].params)


@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize("n", [2, 3, 64, 65, 1000])
def test_orders_are_those_of_numpy_and_so_is_what_is_left_of_the_generator(n, one_by_one):
    """w <- w / 2 + y / 2 at every step: the bits of w spell the targets of the last fifty."""
    targets = np.random.default_rng(n).integers(0, 2, size=n).astype(float)
    net = fm.Network([1, 1], bias=False, dtype="float64", init="zeros", seed=n)
    rng, order, w = net.copy().rng, np.arange(n), 0.0
    rng.integers(2**63)
    for _ in range(5):
        rng.shuffle(order)
        for target in targets[order]:
            w += 0.5 * (target - w)
    callbacks = [lambda run: None] if one_by_one else []
    net.fit(np.ones((n, 1)), targets, epochs=5, batch_size=1, optimizer=fm.SGD(0.5), callbacks=callbacks)
    assert net.params[0] == pytest.approx(w, rel=1e-14)
    assert net.rng.bit_generator.state == rng.bit_generator.state


def test_any_of_numpys_bit_generators_will_do():
    orders = []
    for make in (np.random.MT19937, np.random.Philox, np.random.SFC64):
        net, rng = fm.Network([1, 1], seed=0), np.random.Generator(make(3))
        net.rng = np.random.Generator(make(3))
        net.fit(np.ones((40, 1)), np.arange(40.0), epochs=2, batch_size=1, optimizer=fm.SGD(0.1))
        rng.integers(2**63)
        order = np.arange(40)
        for _ in range(2):
            rng.shuffle(order)
        assert net.rng.random() == rng.random()
        orders.append(order.tolist())
    assert orders[0] != orders[1] != orders[2]


# --- Pace ---


@pytest.mark.parametrize(("n", "size", "count"), [(10, 5, 2), (11, 5, 3), (1, 5, 1), (5, 1, 5)])
def test_count_batches(n, size, count):
    assert count_batches(n, size) == count


@pytest.mark.parametrize("n_batches", [1, 2, 63])
@pytest.mark.parametrize("seconds_per_step", [1e-6, 0.02, 3.0])
def test_a_chunk_is_a_part_of_an_epoch_or_ends_with_one(n_batches, seconds_per_step):
    pace, done, sizes = Pace(n_batches, flops_per_batch=1e6), 0, []
    while done < 300 * n_batches:
        n_steps = pace.n_steps(done, 300 * n_batches - done)
        assert n_steps >= 1
        assert done % n_batches + n_steps < n_batches or (done + n_steps) % n_batches == 0
        pace.took(n_steps, n_steps * seconds_per_step)
        sizes.append(n_steps)
        done += n_steps
    assert done == 300 * n_batches
    if seconds_per_step == 1e-6:
        assert max(sizes) > 100 * n_batches  # many short epochs in one


def test_chunks_learn_how_long_a_batch_takes():
    pace = Pace(1000, flops_per_batch=1e5, seconds=0.05)
    pace.took(100, 100 * 1e-3)
    assert pace.n_steps(0, 10**6) == 50
    assert pace.n_steps(990, 10**6) == 10  # what is left of the epoch
    assert pace.n_steps(0, 7) == 7  # what the caller can take
    pace.took(1, 10.0)
    assert pace.n_steps(0, 10**6) == 1


# --- Training at random sizes ---


@settings(max_examples=60, derandomize=True, database=None)
@given(
    widths=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    n=st.integers(1, 90),
    batch_size=st.integers(1, 100),
    dtype=st.sampled_from(["float32", "float64"]),
    n_threads=st.integers(1, 2),
    bias=st.booleans(),
    weighted=st.booleans(),
    optimizer=st.sampled_from([(fm.SGD(0.05, weight_decay=0.1), {"lr": 0.05, "weight_decay": 0.1}),
                               (fm.SGD(0.05, momentum=0.5), {"lr": 0.05, "momentum": 0.5}),
                               (fm.Adam(0.01, epsilon=0.1), {"rule": "adam", "lr": 0.01, "eps": 0.1})]),
    seed=st.integers(0, 1000),
)  # fmt: skip
def test_two_epochs_of_any_network_equal_the_twin(
    widths, n, batch_size, dtype, n_threads, bias, weighted, optimizer, seed
):
    rng = np.random.default_rng(seed)
    net = fm.Network(widths, activation="tanh", loss="mse", bias=bias, dtype=dtype, seed=seed)
    shake(net, rng)
    X, T, weight = make_samples("mse", rng, n, widths[0], widths[-1])
    weight, twin = weight if weighted else None, twin_of(net)
    history = net.fit(
        X, T, epochs=2, batch_size=batch_size, optimizer=optimizer[0], shuffle=False, sample_weight=weight,
        n_threads=n_threads,
    )  # fmt: skip
    orders = [np.arange(n)] * 2
    losses = reference_training.train(twin, X, T, orders, batch_size, **optimizer[1], sample_weight=weight)
    tolerance = 1e-10 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(history["loss"], losses, rtol=tolerance)
    assert relative_error(net.params, twin.flat()) < tolerance
    assert relative_error(net.predict(X), twin.forward(X)) < tolerance


# --- Pieces ---


@pytest.mark.parametrize(("n_tiles", "n_threads"), [(1, 1), (7, 1), (7, 2), (8, 2), (3, 5), (1000, 3)])
@pytest.mark.parametrize("effort", [0.0, 1e5, 1e12])
def test_pieces_cover_all_tiles_once_and_keep_the_threads_together(n_tiles, n_threads, effort):
    pieces = list(in_pieces(n_tiles, n_threads, effort))
    assert [first for first, _ in pieces] == [0, *(stop for _, stop in pieces[:-1])]
    assert pieces[-1][1] == n_tiles
    assert all((stop - first) % n_threads == 0 and stop > first for first, stop in pieces[:-1])
    if effort == 0.0:
        assert pieces == [(0, n_tiles)]  # as where batch norms need them all in one call
    if effort == 1e12:
        assert pieces[0] == (0, min(n_threads, n_tiles))


def passes(n_threads, loss="cross_entropy"):
    """What every door that may be called in pieces makes of several tiles, the last one ragged."""
    rng = np.random.default_rng(3)
    X, y, weight = rng.normal(size=(1511, 6)), rng.integers(0, 3, size=1511), rng.uniform(size=1511)
    net = fm.Network([6, 9, fm.Dropout(0.3), 7, 3], activation="tanh", loss=loss, seed=0)
    threads = {"n_threads": n_threads}
    gradient = net.loss_and_flat_gradient(X, y, sample_weight=weight, dropout_seed=1, **threads)
    surfaces = [
        net.cost_surface(X[:n], y[:n], indices, [np.linspace(-1, 1, k) for k in sizes], **threads)
        for n, indices, sizes in [(20, [0, 60], (5, 40)), (20, [3], (300,)), (1511, [3, 60], (3, 2)), (1511, [3], (4,))]
    ]
    least = fm.Network([6, 4, 1], activation="tanh", seed=0)
    quasi = least.copy()
    least.fit(X, X[:, 0] * X[:, 1], epochs=3, optimizer=fm.LevenbergMarquardt(), sample_weight=weight, **threads)
    quasi.fit(X, X[:, 0] * X[:, 1], epochs=3, optimizer=fm.LBFGS(), sample_weight=weight, **threads)
    return [
        net.predict(X, **threads),
        *net.activations(X, **threads),
        *net.evaluate(X, y, sample_weight=weight, **threads).values(),
        *gradient,
        net.input_gradients(X, **threads),
        net.sample_gradients(X, y, **threads),
        *surfaces,
        least.params,
        quasi.params,
    ]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_same_bits_however_a_pass_is_cut_into_calls(n_threads, monkeypatch):
    whole = passes(n_threads)
    calls = []

    def cut(pace, n_steps):
        calls.append(n_steps)
        return 1 + len(calls) % 2

    monkeypatch.setattr(Pace, "_bounded", cut)
    monkeypatch.setattr("fastmlp.passes.pace.SMALL", -1.0)
    for cut_up, at_once in zip(passes(n_threads), whole, strict=True):
        np.testing.assert_array_equal(cut_up, at_once)
    assert len(calls) > 200
