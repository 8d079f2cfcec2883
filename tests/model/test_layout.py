"""The layout: order of the flat vector, views, alignment, groups, and a workspace that does not grow with the data."""

from itertools import pairwise

import numpy as np
import pytest
from twins import VARIANTS, make_samples, shake

import fastmlp as fm
from fastmlp.machine.memory import aligned_empty
from fastmlp.passes.workspace import MAX_TILE_ROWS, make_workspace

LAYERS = [fm.Input(3), fm.Dense(4, "gelu"), fm.BatchNorm(), fm.Dropout(0.1), fm.Dense(5, bias=False), fm.LayerNorm(),
          fm.Dense(2)]  # fmt: skip


def make_net(**options):
    return fm.Network(LAYERS, seed=0, **options)


def test_weights_come_first_then_biases_and_norms_layer_by_layer():
    layout = make_net().layout
    assert [(s.layer, s.name, s.offset, s.shape) for s in sorted(layout.segments, key=lambda s: s.offset)] == [
        (0, "weight", 0, (3, 4)),
        (3, "weight", 12, (4, 5)),
        (5, "weight", 32, (5, 2)),
        (0, "bias", 42, (4,)),
        (1, "gain", 46, (4,)),
        (1, "shift", 50, (4,)),
        (4, "gain", 54, (5,)),
        (4, "shift", 59, (5,)),
        (5, "bias", 64, (2,)),
    ]
    assert layout.n_params == 66
    assert [(s.name, s.shape) for s in layout.statistics] == [("running_mean", (4,)), ("running_variance", (4,))]


def test_views_are_views_in_row_major_order():
    net = make_net(dtype="float64")
    net.params[:] = np.arange(66)
    np.testing.assert_array_equal(net.weights[1], np.arange(12, 32).reshape(4, 5))
    np.testing.assert_array_equal(net.biases[2], [64, 65])
    assert net.biases[1] is None
    net.weights[2][1, 0] = -1
    net.biases[0][3] = -2
    net.named_arrays()["4.shift"][0] = -3
    assert np.flatnonzero(net.params < 0).tolist() == [34, 45, 59]
    assert net.params[[34, 45, 59]].tolist() == [-1, -2, -3]
    for view in (*net.weights, net.biases[0], net.params):
        assert np.shares_memory(view, net.params)
        assert view.flags.c_contiguous


def test_every_parameter_has_one_name():
    net = make_net()
    seen = np.zeros(66, dtype=int)
    for segment in net.layout.segments:
        seen[segment.offset : segment.stop] += 1
    assert (seen == 1).all()
    assert set(net.named_arrays()) >= {"0.weight", "0.bias", "1.running_mean", "1.running_variance", "4.gain"}


def test_only_the_weights_are_in_the_decaying_group():
    groups = make_net().layout.groups
    assert groups["start"].tolist() == [0, 42]
    assert groups["length"].tolist() == [42, 24]
    assert groups["decay_factor"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors_begin_on_64_byte_boundaries(dtype):
    for n in (1, 7, 1000):
        vector = aligned_empty(n, np.dtype(dtype))
        assert vector.ctypes.data % 64 == 0
        assert vector.shape == (n,)
        assert vector.dtype == dtype
    assert make_net(dtype=dtype).params.ctypes.data % 64 == 0


def test_delta_goes_no_further_than_somebody_wants_it():
    layers = [fm.Input(3), fm.Dropout(0.1), fm.Activation("tanh"), fm.Dense(4), fm.Dense(2)]
    assert (fm.Network(layers).layout.table["delta_below"] >= 0).tolist() == [False, False, False, True]


def test_scores_are_kept_only_where_the_derivative_needs_them():
    scores = make_net().layout.table["scores"]
    assert (scores >= 0).tolist() == [True] + [False] * 5


def buffers(layout):
    """(first, one behind the last) column of each buffer but the inputs, a shared one once."""
    spans = set()
    for row in layout.table:
        for name in ("output", "scores", "delta"):
            if row[name] >= 0:
                spans.add((int(row[name]), int(row[name] + row["n_out"])))
    spans.add((layout.target, layout.target + int(layout.table["n_out"][-1])))
    return sorted(spans)


def test_buffers_lie_side_by_side():
    layout = make_net().layout
    spans = buffers(layout)
    assert spans[0][0] == 0
    assert all(one[1] == other[0] for one, other in pairwise(spans))
    assert spans[-1][1] + 2 == layout.n_columns == layout.table["input"][0]
    assert (layout.table["input"][1:] == layout.table["output"][:-1]).all()


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_workspace_does_not_grow_with_the_batch(n_threads):
    net = fm.Network([784, 30, 10])
    n_columns = net.layout.n_columns + 784

    def workspace(n_batch):
        return make_workspace(net.layout, net.loss, net.dtype, n_batch, n_threads, training=True)

    for n_batch in (1, 100, 511, 5000, 10**6):
        space = workspace(n_batch)
        assert 1 <= space.tile_rows <= MAX_TILE_ROWS
        assert int(space.plan["capacity"]) >= space.tile_rows * n_threads
        assert space.work.size == n_columns * int(space.plan["capacity"])
        assert space.work.ctypes.data % 64 == 0
        assert space.partials.shape[0] == n_threads
    assert workspace(10**6).work.nbytes <= n_threads * MAX_TILE_ROWS * n_columns * 4 + 64 * 1024
    assert workspace(10**6).work.nbytes < 8 * 2**20


def test_a_batch_norm_keeps_the_whole_batch_in_training_alone():
    net = make_net()
    training, other = (
        make_workspace(net.layout, net.loss, net.dtype, 10_000, 2, training=flag) for flag in (True, False)
    )
    assert int(training.plan["capacity"]) >= 10_000
    assert int(other.plan["capacity"]) < 2000


def results_of_everything(variant, n_threads):
    """What a network makes of weighted, labelled, ragged batches, in one vector."""
    X, _, weight = make_samples("mse", np.random.default_rng(3), 70, 4, 3)
    labels = np.arange(70) % 3
    layers = [fm.Input(4), fm.Dense(16, "gelu"), *VARIANTS[variant], fm.Dense(12, "silu", bias=False), fm.Dense(3)]
    net = shake(fm.Network(layers, loss="cross_entropy", dtype="float64", seed=0), np.random.default_rng(4))
    options = {"sample_weight": weight, "n_threads": n_threads}
    found = [net.loss_and_flat_gradient(X, labels, **options)[1]]
    found += [net.cost_surface(X, labels, [0, 5], [[0.0, 1.0]] * 2, **options).ravel()]
    if variant != "batch_norm":
        found += [net.sample_gradients(X, labels, n_threads=n_threads).ravel()]
    for optimizer in (fm.SGD(0.1), fm.Adam(0.01)):
        history = net.fit(X, labels, epochs=2, batch_size=32, optimizer=optimizer, **options)
        found += [net.params.copy(), history["loss"], net.predict(X, n_threads=n_threads).ravel()]
    return np.concatenate([*found, list(net.evaluate(X, labels, **options).values())])


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("variant", VARIANTS)
def test_memory_is_written_before_it_is_read(variant, n_threads, monkeypatch):
    """Nothing changes when all that NumPy leaves uninitialised begins as NaN (every byte 0xff)."""
    expected = results_of_everything(variant, n_threads)
    empty = np.empty

    def dirty(*args, **kwargs):
        array = empty(*args, **kwargs)
        if array.size:
            array.reshape(-1).view(np.uint8)[:] = 0xFF
        return array

    monkeypatch.setattr(np, "empty", dirty)
    np.testing.assert_array_equal(results_of_everything(variant, n_threads), expected)
    assert np.isfinite(expected).all()


def test_absurd_sizes_are_refused():
    with pytest.raises(ValueError, match="between 1 and 2147483647"):
        fm.Network([2**31, 1])
    with pytest.raises(ValueError, match="too many for any memory"):
        fm.Network([2**31 - 1, 2**31 - 1])


def test_only_layers_that_learn_have_a_learning_rate():
    net = fm.Network([4, fm.Dense(3), fm.Dense(3, learning_rate_factor=0.5), 2], seed=0)
    assert net.layout.learns and not net.layout.learns_evenly
    net.freeze(1)
    assert net.layout.learns and net.layout.learns_evenly
    net.freeze(0, 2)
    assert not net.layout.learns
