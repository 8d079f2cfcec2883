"""Weights of single targets: every term of a loss is multiplied by its own, and a batch is divided by their mean.

The twin is a network of NumPy: the loss of each output alone is a network with that output, weighted by rows.
"""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from twins import SINGLE, VARIANTS, make_loss, make_samples, relative_error, shake, twin_of

import fastmlp as fm

N, N_OUT = 24, 3
NAMES = [name for name, spec in SINGLE.items() if spec.weighs_targets]
SUMS = ("squared_error", "binary_cross_entropy")
RNG = np.random.default_rng(4)
WEIGHT = RNG.uniform(0.5, 2.0, (N, N_OUT)) * (RNG.uniform(size=(N, N_OUT)) < 0.7)


def network(name, *between, n_out=N_OUT, dtype="float64"):
    layers = [fm.Input(4), fm.Dense(6, "tanh"), *between, fm.Dense(n_out)]
    return shake(fm.Network(layers, loss=make_loss(name), dtype=dtype, seed=0), np.random.default_rng(1))


def one_output(net, k):
    """The same network with output k alone."""
    layers = [*net.layers[:-1], fm.Dense(1)]
    one = fm.Network([fm.Input(4), *layers], loss=net.loss, output=net.output, dtype=net.dtype)
    for name, array in one.named_arrays().items():
        own = net.named_arrays()[name]
        array[:] = own if own.shape == array.shape else own[..., [k]]
    return one


def expected(net, X, T, weight):
    """Loss and gradient by array name: the sum over the outputs, each a network of NumPy weighted by rows."""
    share = 1.0 if net.loss.name in SUMS else 1 / T.shape[1]
    total = weight.mean(axis=1).sum()
    loss, gradients = 0.0, {name: np.zeros(array.shape) for name, array in net.named_arrays().items()}
    for k in range(T.shape[1]):
        one = one_output(net, k)
        twin = twin_of(one)
        loss += share * twin.loss(X, T[:, [k]], weight[:, k], "sum") / total
        flat = twin.flat_gradient(X, T[:, [k]], weight[:, k], "sum")
        for segment in one.layout.segments:
            part = share * segment.view(flat) / total
            whole = gradients[f"{segment.layer}.{segment.name}"]
            if part.shape == whole.shape:
                whole += part
            else:
                whole[..., k] += part[..., 0]
    parts = [gradients[f"{s.layer}.{s.name}"].ravel() for s in sorted(net.layout.segments, key=lambda s: s.offset)]
    return loss, np.concatenate(parts)


def samples(name):
    X, T, _ = make_samples(name, np.random.default_rng(2), N, 4, N_OUT)
    return X, T


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("variant", ["plain", "layer_norm"])
@pytest.mark.parametrize("name", NAMES)
def test_loss_and_gradient_are_those_of_the_outputs_one_by_one(name, variant, n_threads):
    net, (X, T) = network(name, *VARIANTS[variant]), samples(name)
    loss, gradient = expected(net, X, T, WEIGHT)
    measured = net.loss_and_flat_gradient(X, T, sample_weight=WEIGHT, n_threads=n_threads)
    assert measured[0] == pytest.approx(loss, rel=1e-10)
    assert relative_error(measured[1], gradient) < 1e-9
    assert net.evaluate(X, T, sample_weight=WEIGHT, n_threads=n_threads)["loss"] == pytest.approx(loss, rel=1e-10)
    total = WEIGHT.mean(axis=1).sum()
    summed, _ = net.loss_and_flat_gradient(X, T, sample_weight=WEIGHT, reduction="sum")
    assert summed == pytest.approx(loss * total, rel=1e-10)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_gradient_is_that_of_the_loss(name, variant):
    net, (X, T) = network(name, *VARIANTS[variant]), samples(name)
    assert fm.check_gradients(net, X[:10], T[:10], WEIGHT[:10]) < 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_weights_of_rows_for_each_target_are_the_same_as_weights_of_rows(name, dtype):
    X, T = samples(name)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for weight in (None, WEIGHT.sum(axis=1)):
        wide = np.ones((N, N_OUT)) if weight is None else np.repeat(weight[:, None], N_OUT, axis=1)
        nets = [network(name, dtype=dtype) for _ in range(2)]
        for net, each in zip(nets, (weight, wide), strict=True):
            net.fit(X, T, epochs=3, batch_size=7, sample_weight=each, optimizer=fm.SGD(0.05))
        assert relative_error(nets[1].params, nets[0].params) < tolerance
        measured = [net.evaluate(X, T, sample_weight=each) for net, each in zip(nets, (weight, wide), strict=True)]
        for key in measured[0]:
            assert measured[1][key] == pytest.approx(measured[0][key], rel=10 * tolerance)


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("options", [{}, {"accumulate": 2}, {"optimizer": fm.Adam(0.01), "alpha": 0.1}], ids=repr)
def test_steps_in_batches_divide_by_the_mean_weight_of_their_rows(options, n_threads):
    """Two batches, each one step of gradient descent by the twin's gradient; the last rule only agrees with itself."""
    net, (X, T) = network("mse"), samples("mse")
    start = net.copy()
    options = {"optimizer": fm.SGD(0.1)} | options
    net.fit(X, T, epochs=1, batch_size=12, shuffle=False, sample_weight=WEIGHT, n_threads=n_threads, **options)
    if "alpha" in options:
        start.fit(X, T, epochs=1, batch_size=12, shuffle=False, sample_weight=WEIGHT, n_threads=1, **options)
    else:
        for rows in [slice(None)] if "accumulate" in options else [slice(0, 12), slice(12, 24)]:
            start.params[:] -= 0.1 * expected(start, X[rows], T[rows], WEIGHT[rows])[1]
    assert relative_error(net.params, start.params) < 1e-10


@pytest.mark.parametrize("optimizer", [fm.LBFGS(), fm.LevenbergMarquardt()], ids=repr)
def test_whole_set_methods_reach_the_weighted_least_squares(optimizer):
    """A linear network: each output is a weighted regression of its own."""
    X, T = samples("mse")
    net = fm.Network([4, 3], loss="mse", dtype="float64", seed=0)
    net.fit(X, T, epochs=200, optimizer=optimizer, sample_weight=WEIGHT)
    design = np.column_stack([X, np.ones(N)])
    for k in range(N_OUT):
        root = np.sqrt(WEIGHT[:, [k]])
        solution = np.linalg.lstsq(root * design, root[:, 0] * T[:, k], rcond=None)[0]
        np.testing.assert_allclose(np.append(net.weights[0][:, k], net.biases[0][k]), solution, atol=1e-5)


def test_every_other_door_takes_them():
    net, (X, T) = network("mse"), samples("mse")
    loss, gradient = expected(net, X, T, WEIGHT)
    assert relative_error(net.gradient(X, T, sample_weight=WEIGHT), gradient) < 1e-9
    grids = [[net.params[0]], [net.params[1]]]
    assert net.cost_surface(X, T, [0, 1], grids, sample_weight=WEIGHT)[0, 0] == pytest.approx(loss, rel=1e-10)
    twin = net.copy()
    assert net.train_on_batch(X, T, optimizer=fm.SGD(0.1), sample_weight=WEIGHT) == pytest.approx(loss, rel=1e-10)
    net.train_on_batch(X, T, optimizer=fm.SGD(0.1))  # the memory of the last batch has another width
    twin.fit(X, T, epochs=1, batch_size=N, optimizer=fm.SGD(0.1), sample_weight=WEIGHT)
    twin.fit(X, T, epochs=1, batch_size=N, optimizer=fm.SGD(0.1))
    np.testing.assert_array_equal(net.params, twin.params)


@given(cuts=st.lists(st.integers(1, N - 1), max_size=3, unique=True), bare=st.booleans())
def test_chunks_are_the_same_to_the_bit(cuts, bare):
    X, T = samples("huber")
    weight = WEIGHT.copy()
    edges = [0, *sorted(cuts), N]
    chunks = [(X[a:b], T[a:b], weight[a:b]) for a, b in pairwise(edges)]
    if bare and len(chunks) > 1:  # without weights in a later chunk
        weight[edges[-2] :] = 1
        chunks[-1] = chunks[-1][:2]
    nets = [network("huber") for _ in range(2)]
    nets[0].fit(X, T, sample_weight=weight, epochs=2, batch_size=5, shuffle=False)
    nets[1].fit(fm.Chunks(chunks), epochs=2, batch_size=5, shuffle=False)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


def test_the_accuracy_counts_labels_with_a_weight():
    net = fm.Network([2, 2], loss="binary_cross_entropy", init="zeros", dtype="float64")
    net.biases[0][:] = 1, -1  # predicts 1 and 0
    X, T = np.zeros((3, 2)), np.array([[1, 0], [1, 1], [0, 1]])
    assert net.evaluate(X, T)["accuracy"] == pytest.approx(1 / 3)
    weight = np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]])  # the second row is right where it counts, by half
    assert net.evaluate(X, T, sample_weight=weight)["accuracy"] == pytest.approx(1.5 / 2.5)


WRONG = [
    ("mse", np.ones((N, 2)), ValueError, r"one weight for each row, or 3 columns, one for each target, got .*24, 2"),
    ("mse", np.ones((N, N_OUT, 1)), ValueError, "one weight for each row, or 3 columns"),
    ("mse", np.ones((N - 1, N_OUT)), ValueError, "sample_weight must have 24 elements"),
    ("mse", np.zeros((N, N_OUT)), ValueError, "sample_weight must not be all 0"),
    ("mse", -np.eye(N, N_OUT, -1), ValueError, "sample_weight must not be negative, got -1.0 in row 1"),
    ("mse", np.full((N, N_OUT), np.nan), ValueError, "sample_weight must be finite, got nan in row 0, column 0"),
    ("cross_entropy", np.ones((N, N_OUT)), ValueError, "one weight for each row with loss='cross_entropy'"),
    (fm.CustomLoss(lambda t, z: ((z - t).sum(axis=1), 1 + 0 * z)), np.ones((N, N_OUT)), ValueError, "loss='custom'"),
]


@pytest.mark.parametrize(("loss", "weight", "error", "words"), WRONG, ids=[words[:30] for *_, words in WRONG])
def test_wrong_weights_are_refused(loss, weight, error, words):
    net = fm.Network([4, N_OUT], loss=loss, seed=0)
    X, T = samples(loss if isinstance(loss, str) else "mse")
    for use in (net.fit, net.evaluate, net.train_on_batch):
        with pytest.raises(error, match=words):
            use(X, T, sample_weight=weight)


def test_a_later_chunk_with_more_weights_than_the_first_is_refused():
    X, T = samples("mse")
    chunks = fm.Chunks([(X, T), (X, T, WEIGHT)])
    with pytest.raises(TypeError, match="sample_weight of chunk 2 of epoch 1 must have one weight for each row"):
        network("mse").fit(chunks, epochs=1)
