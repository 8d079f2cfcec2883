"""Layers that are frozen or learn at a rate of their own, against the twin, and as descriptions."""

import numpy as np
import pytest
import reference_training
from hypothesis import given, settings
from hypothesis import strategies as st
from labels import short
from step_cases import RULES, WAYS, WEIGHT, X, Y
from twins import relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.training import trainer as trainers

ORDER = np.arange(50)
LEARNING = st.sampled_from([{}, {"trainable": False}, {"learning_rate_factor": 0.3}, {"learning_rate_factor": 2.5}])


def network(first=None, middle=None, last=None, *, between=(), dtype="float64", bias=True):
    layers = [
        fm.Input(7), fm.Dense(19, "tanh", bias=bias, **(first or {})), *between,
        fm.Dense(5, "sigmoid", bias=bias, **(middle or {})), fm.Dense(2, bias=bias, **(last or {})),
    ]  # fmt: skip
    return shake(fm.Network(layers, dtype=dtype, seed=0), np.random.default_rng(1))


def factors_of(net):
    """(n_params,): what multiplies the learning rate of each parameter, by the names of the arrays."""
    marks = np.zeros(net.n_params)
    marked = fm.Network([net.input, *net.layers], dtype="float64", output=net.output, loss=net.loss)
    for name, array in marked.named_arrays().items():
        layer = net.layers[int(name.split(".")[0])]
        if "running" not in name:
            array[:] = layer.learning_rate_factor if layer.trainable else 0.0
    marks[:] = marked.params
    return marks


def compare(net, optimizer, hyper, batch_size=16, epochs=2, n_threads=None, **options):
    twin, factors = twin_of(net), factors_of(net)
    before = net.params.copy()
    shared = {"sample_weight": WEIGHT, **options}
    history = net.fit(
        X, Y, epochs=epochs, batch_size=batch_size, optimizer=optimizer, shuffle=False, n_threads=n_threads, **shared
    )
    losses = reference_training.train(twin, X, Y, [ORDER] * epochs, batch_size, factors=factors, **shared, **hyper)
    np.testing.assert_array_equal(net.params[factors == 0], before[factors == 0])
    statistics = [array for name, array in net.named_arrays().items() if "running" in name]
    if statistics:
        assert relative_error(np.concatenate(statistics), reference_training.running(twin)) < 1e-8
    return relative_error(net.params, twin.flat()), relative_error(history["loss"], losses)


FROZEN, SLOW = {"trainable": False}, {"learning_rate_factor": 0.3}
CHOICES = [(FROZEN, {}, {}), ({}, FROZEN, {}), (FROZEN, FROZEN, SLOW), (SLOW, {}, FROZEN), ({}, SLOW, {})]


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("way", WAYS)
def test_every_rule_and_every_way_learn_like_the_twin(way, name, n_threads, monkeypatch):
    monkeypatch.setattr(trainers, "splits_rows", WAYS[way])
    for choice in CHOICES:
        assert max(compare(network(*choice), *RULES[name], n_threads=n_threads, alpha=0.7)) < 1e-9, choice


@settings(max_examples=60)
@given(
    first=LEARNING,
    middle=LEARNING,
    norm=LEARNING,
    second_norm=LEARNING,
    last=LEARNING,
    kinds=st.sampled_from(
        [(), (fm.BatchNorm,), (fm.LayerNorm,), (fm.BatchNorm, fm.BatchNorm), (fm.LayerNorm, fm.BatchNorm)]
    ),
    rule=st.sampled_from(["sgd", "decay", "momentum", "adamw"]),
    batch_size=st.integers(2, 50),
    n_threads=st.integers(1, 3),
    options=st.sampled_from([{}, {"alpha": 0.5}, {"clip_norm": 0.2}, {"max_norm": 0.7}, {"accumulate": 2}]),
)
def test_any_choice_of_layers(first, middle, norm, second_norm, last, kinds, rule, batch_size, n_threads, options):
    between = [kind(epsilon=0.1, **given) for kind, given in zip(kinds, (norm, second_norm), strict=False)]
    between = [part for layer in between for part in (fm.Activation("elu"), layer)]
    net = network(first, middle, last, between=between)
    if not factors_of(net).any():
        with pytest.raises(ValueError, match="the network must have a layer that learns"):
            net.fit(X, Y)
        return
    optimizer, hyper = RULES[rule]
    errors = compare(net, optimizer, hyper, batch_size, epochs=1, n_threads=n_threads, **options)
    assert max(errors) < 1e-6


@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.Adam()], ids=["direct", "gradient"])
@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_default_factors_change_no_bit(optimizer, n_threads):
    nets = [network(dtype="float32"), network({"trainable": True}, {"learning_rate_factor": 1}, dtype="float32")]
    for net in nets:
        net.fit(X, Y, epochs=2, batch_size=16, optimizer=optimizer, n_threads=n_threads)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_a_frozen_first_layer_of_sparse_inputs(way, sparse, monkeypatch):
    import scipy.sparse

    monkeypatch.setattr(trainers, "splits_rows", WAYS[way])
    rng = np.random.default_rng(3)
    wide = np.where(rng.random((50, 150)) < 0.1, rng.normal(size=(50, 150)), 0.0)
    net = shake(fm.Network([fm.Input(150), fm.Dense(9, "tanh", trainable=False), 2], dtype="float64"), rng)
    twin, factors = twin_of(net), factors_of(net)
    data = scipy.sparse.csr_array(wide) if sparse else wide
    net.fit(data, Y, epochs=2, batch_size=16, optimizer=fm.SGD(0.1), shuffle=False, n_threads=2)
    reference_training.train(twin, wide, Y, [ORDER] * 2, 16, lr=0.1, factors=factors)
    assert relative_error(net.params, twin.flat()) < 1e-10


def test_a_network_of_a_few_weights_keeps_its_frozen_layer():
    for choice in ({"trainable": False}, {"learning_rate_factor": 0.5}):
        layers = [7, fm.Dense(3, "tanh", **choice), 2]
        net = shake(fm.Network(layers, dtype="float64", seed=0), np.random.default_rng(1))
        twin, factors = twin_of(net), factors_of(net)
        net.fit(X, Y, epochs=2, batch_size=4, optimizer=fm.SGD(0.05), shuffle=False)
        reference_training.train(twin, X, Y, [ORDER] * 2, 4, lr=0.05, factors=factors)
        assert relative_error(net.params, twin.flat()) < 1e-10


def test_dropout_below_a_frozen_layer_goes_on():
    nets = [network(FROZEN, between=[fm.Dropout(rate)]) for rate in (0.0, 0.5, 0.5)]
    losses = [net.fit(X, Y, epochs=1, batch_size=50)["loss"][0] for net in nets]
    assert losses[0] == network().evaluate(X, Y)["loss"]
    assert losses[1] == losses[2] != losses[0]


@pytest.mark.parametrize("optimizer", [fm.LBFGS(), fm.LevenbergMarquardt()], ids=["lbfgs", "levenberg_marquardt"])
def test_methods_of_the_whole_set_leave_frozen_layers_and_their_penalty(optimizer):
    net = network(FROZEN)
    before, factors = net.params.copy(), factors_of(net)
    history = net.fit(X, Y, epochs=20, optimizer=optimizer, alpha=0.1)
    np.testing.assert_array_equal(net.params[factors == 0], before[factors == 0])
    squares = sum((W**2).sum() for W in net.weights[1:])
    expected = net.evaluate(X, Y)["loss"] + 0.1 / 100 * squares
    assert history["loss"][-1] == pytest.approx(expected, rel=1e-9)
    assert history["loss"][-1] < 0.95 * history["loss"][0]


def test_batches_leave_frozen_layers_and_see_when_they_learn_again():
    net, other = network(FROZEN), network(FROZEN)
    before = net.weights[0].copy()
    net.train_on_batch(X, Y)
    np.testing.assert_array_equal(net.weights[0], before)
    net.unfreeze(0)
    net.train_on_batch(X, Y)
    assert not np.array_equal(net.weights[0], before)
    other.fit(X, Y, epochs=1, batch_size=50, warm_start=True)
    other.unfreeze()
    other.fit(X, Y, epochs=1, batch_size=50, warm_start=True)
    assert relative_error(net.params, other.params) < 1e-12


def test_gradients_are_those_of_all_layers():
    frozen, free = network(FROZEN, {}, FROZEN), network()
    np.testing.assert_array_equal(frozen.loss_and_flat_gradient(X, Y)[1], free.loss_and_flat_gradient(X, Y)[1])


def test_freezing_by_number_keeps_everything_else():
    net = network(between=[fm.BatchNorm(), fm.Dropout(0.1)])
    params, layers = net.params.copy(), net.layers
    net.freeze(0, -1)
    assert [getattr(layer, "trainable", None) for layer in net.layers] == [False, True, None, True, False]
    np.testing.assert_array_equal(net.params, params)
    copied = net.copy()
    net.unfreeze(0)
    assert [getattr(layer, "trainable", None) for layer in net.layers] == [True, True, None, True, False]
    net.unfreeze()
    assert net.layers == layers
    assert not copied.layers[0].trainable


def test_layers_say_what_was_chosen():
    assert repr(fm.Dense(3, trainable=False)) == "Dense(units=3, trainable=False)"
    assert repr(fm.BatchNorm()) == "BatchNorm(momentum=0.9, epsilon=1e-05)"
    assert repr(fm.LayerNorm(learning_rate_factor=2.0)) == "LayerNorm(epsilon=1e-05, learning_rate_factor=2.0)"
    for layer in (fm.Dense(3, trainable=False, learning_rate_factor=0.1), fm.BatchNorm(0.8, trainable=False)):
        assert eval(repr(layer), vars(fm)) == layer
    assert "19 tanh (frozen) -> 5 sigmoid" in repr(network(FROZEN))


@pytest.mark.parametrize("choice", CHOICES)
def test_a_saved_network_keeps_the_choice(choice, tmp_path):
    net = network(*choice, between=[fm.BatchNorm(trainable=False), fm.LayerNorm(learning_rate_factor=0.5)])
    net.save(tmp_path / "net.safetensors")
    loaded = fm.load(tmp_path / "net.safetensors")
    assert loaded.layers == net.layers
    for each in (net, loaded):
        each.fit(X, Y, epochs=1, batch_size=16)
    np.testing.assert_array_equal(loaded.params, net.params)


def test_a_network_of_free_layers_is_described_as_before():
    from fastmlp.persistence.description import describe

    layers = describe(network(between=[fm.BatchNorm(), fm.LayerNorm()]))["layers"]
    assert not any("trainable" in layer or "learning_rate_factor" in layer for layer in layers)


KINDS = [lambda **given: fm.Dense(3, **given), fm.BatchNorm, fm.LayerNorm]
BAD = [
    ({"trainable": 1}, TypeError, "trainable must be True or False, got 1"),
    ({"trainable": None}, TypeError, "trainable must be True or False, got None"),
    ({"learning_rate_factor": 0.0}, ValueError, "learning_rate_factor must be a finite number with 0.0 < "),
    ({"learning_rate_factor": np.inf}, ValueError, "learning_rate_factor must be a finite number with 0.0 < "),
    ({"learning_rate_factor": "1"}, TypeError, "learning_rate_factor must be a number, got str"),
    ({"learning_rate_factor": lambda step: 1.0}, TypeError, "learning_rate_factor must be a number, got function"),
]


@pytest.mark.parametrize(("given", "error", "words"), BAD, ids=short)
@pytest.mark.parametrize("kind", KINDS, ids=["Dense", "BatchNorm", "LayerNorm"])
def test_bad_settings_are_refused(kind, given, error, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        kind(**given)
    assert caught.type is error
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("numbers", "error", "words"),
    [
        ((), ValueError, "numbers must have at least one index of a layer, got none"),
        ((4,), ValueError, "numbers must be indices of layers, from 0 to 3, got 4"),
        ((-5,), ValueError, "numbers must be indices of layers, from 0 to 3, got -5"),
        ((1,), ValueError, "layer 1 has no parameters to freeze: Dropout(rate=0.1)"),
        ((0, 1.0), TypeError, "numbers must be whole numbers, the indices of layers, got 1.0"),
        ((True,), TypeError, "numbers must be whole numbers, the indices of layers, got True"),
    ],
)
def test_bad_numbers_are_refused(numbers, error, words):
    net = network(between=[fm.Dropout(0.1)])
    layers = net.layers
    with pytest.raises((ValueError, TypeError)) as caught:
        net.freeze(*numbers)
    assert caught.type is error
    assert words in str(caught.value)
    assert net.layers is layers


@pytest.mark.parametrize("how", ["fit", "train_on_batch", "lbfgs"])
def test_a_network_that_can_learn_nothing_is_refused(how):
    net = network(FROZEN, FROZEN, FROZEN)
    before, state = net.params.copy(), net.rng.bit_generator.state
    with pytest.raises(ValueError, match="the network must have a layer that learns, got only frozen ones"):
        net.train_on_batch(X, Y) if how == "train_on_batch" else net.fit(X, Y, optimizer=None if how == "fit" else how)
    np.testing.assert_array_equal(net.params, before)
    assert net.rng.bit_generator.state == state
