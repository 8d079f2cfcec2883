"""Weights of classes: as if every sample of a class had been given that weight."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from labels import short
from sklearn.utils.class_weight import compute_class_weight
from twins import relative_error, shake, twin_of

import fastmlp as fm

RNG = np.random.default_rng(9)
X = RNG.normal(size=(30, 4))
LABELS = np.repeat([0, 1, 2], [5, 10, 15])
BINARY = (LABELS == 2).astype(int)
WEIGHT = {0: 2.0, 1: 0.5, 2: 3.0}
SAMPLE_WEIGHT = np.linspace(0.1, 2.0, 30)


def network(n_out=3, loss="cross_entropy", **settings):
    net = fm.Network([4, fm.Dense(5, "tanh"), n_out], loss=loss, dtype="float64", seed=0, **settings)
    return shake(net, np.random.default_rng(2))


def step_of(net, y, **settings):
    """Loss and gradient of one step of gradient descent over all samples."""
    before = net.params.copy()
    settings = {"epochs": 1, "batch_size": 30, "optimizer": fm.SGD(1.0)} | settings
    loss = net.fit(X, y, **settings)["loss"][0]
    return loss, before - net.params


CASES = {
    "labels": (network(), LABELS, np.eye(3)[LABELS]),
    "labels as floats in a column": (network(), LABELS[:, None].astype(float), np.eye(3)[LABELS]),
    "rows with a single 1": (network(), np.eye(3)[LABELS], np.eye(3)[LABELS]),
    "labels of a squared error": (network(loss="squared_error"), LABELS, np.eye(3)[LABELS]),
    "binary": (network(1, "binary_cross_entropy"), BINARY, BINARY[:, None].astype(float)),
    "binary, bool": (network(1, "binary_cross_entropy"), BINARY.astype(bool), BINARY[:, None].astype(float)),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("sample_weight", [None, SAMPLE_WEIGHT], ids=["", "sample_weight"])
@pytest.mark.parametrize("balanced", [False, True])
def test_loss_and_gradient_are_those_of_the_twin_with_weighted_samples(name, sample_weight, balanced):
    net, y, T = CASES[name]
    net = net.copy()
    labels = BINARY if "binary" in name else LABELS
    even = {0: 1.0, 1: 1.0} if "binary" in name else {0: 2.0, 1: 1.0, 2: 2 / 3}  # 15 and 15, or 5, 10, 15 samples
    by_class = even if balanced else WEIGHT
    weight = np.array([by_class[label] for label in labels]) * (1.0 if sample_weight is None else sample_weight)
    twin = twin_of(net)
    expected = twin.loss(X, T, weight, "mean"), twin.flat_gradient(X, T, weight, "mean")
    given_dict = {label: by_class[label] for label in set(labels.tolist())}
    loss, gradient = step_of(net, y, class_weight="balanced" if balanced else given_dict, sample_weight=sample_weight)
    assert loss == pytest.approx(expected[0], rel=1e-12)
    assert relative_error(gradient, expected[1]) < 1e-10


def test_every_way_of_training_takes_them():
    weight = np.array([WEIGHT[label] for label in LABELS])
    for train in (
        lambda net, **w: net.train_on_batch(X, LABELS, **w),
        lambda net, **w: net.fit(X, LABELS, epochs=2, batch_size=7, **w),
        lambda net, **w: net.fit(X, LABELS, epochs=2, optimizer="lbfgs", **w),
    ):
        one, other = network(), network()
        train(one, class_weight=WEIGHT)
        train(other, sample_weight=weight)
        assert one.params.tobytes() == other.params.tobytes()


def test_the_validation_is_not_weighted():
    net = network()
    history = net.fit(X, LABELS, epochs=1, class_weight=WEIGHT, validation_data=(X, LABELS))
    assert history["val_loss"][0] == net.evaluate(X, LABELS)["loss"]


@given(counts=st.lists(st.integers(0, 6), min_size=3, max_size=3).filter(any))
def test_balanced_gives_the_classes_that_are_there_the_same_say(counts):
    """With every output and weight 0, the gradient of the last biases is the share of each class taken from 1/3."""
    net = fm.Network([1, 3], loss="cross_entropy", init="zeros", dtype="float64")
    y = np.repeat([0, 1, 2], counts)
    net.fit(np.zeros((len(y), 1)), y, epochs=1, batch_size=99, class_weight="balanced", optimizer=fm.SGD(1.0))
    there = np.array(counts) > 0
    np.testing.assert_allclose(net.biases[0], there / there.sum() - 1 / 3, atol=1e-12)


@given(weights=st.lists(st.floats(0, 1e6), min_size=3, max_size=3).filter(lambda w: max(w) > 1e-6))
def test_any_weights(weights):
    net = network()
    twin = twin_of(net)
    weight = np.array(weights)[LABELS]
    expected = twin.flat_gradient(X, np.eye(3)[LABELS], weight, "mean")
    _, gradient = step_of(net, LABELS, class_weight=dict(enumerate(weights)))
    assert relative_error(gradient, expected) < 1e-8


ONE_CLASS_EACH = "class_weight needs a y with one class for each row (class numbers, 0 and 1, or rows with a sing"
BAD = [
    (
        network(),
        LABELS,
        "balance",
        TypeError,
        "class_weight must be a dict of class -> weight or 'balanced', or a lis",
    ),
    (network(), LABELS, [1, 2, 3], TypeError, "class_weight[0] must be a dict of class -> weight or 'balanced', got 1"),
    (network(), LABELS, np.ones(3), TypeError, "or a list of these, one for each label, got array"),
    (network(), LABELS, {0: 1.0}, ValueError, "class_weight must have a weight for each class of y, got none for 1, 2"),
    (network(), LABELS, {}, ValueError, "class_weight must have a weight for each class of y, got none for 0, 1, 2"),
    (network(), LABELS, WEIGHT | {3: 1.0}, ValueError, "class_weight must have only classes from 0 to 2, got 3"),
    (network(), LABELS, WEIGHT | {"a": 1.0}, ValueError, "class_weight must have only classes from 0 to 2, got 'a'"),
    (network(), LABELS, WEIGHT | {1: -1.0}, ValueError, "class_weight[1] must be a finite number with 0.0 <= class_w"),
    (network(), LABELS, WEIGHT | {1: np.nan}, ValueError, "class_weight[1] must be a finite number"),
    (network(), LABELS, WEIGHT | {1: "2"}, TypeError, "class_weight[1] must be a number, got str"),
    (network(), LABELS, dict.fromkeys(range(3), 0), ValueError, "class_weight of the rows must not be all 0"),
    (network(), LABELS, dict.fromkeys(range(3), 1e40), ValueError, "class_weight of the rows must have a maximum"),
    (network(), np.full((30, 3), 1 / 3), "balanced", ValueError, ONE_CLASS_EACH),
    (network(1, "binary_cross_entropy"), np.full(30, 0.5), "balanced", ValueError, "got several labels, probabilities"),
    (network(1, "squared_error"), BINARY, "balanced", ValueError, "regression in 1 column$"),
    (network(2, "squared_error"), np.eye(2)[LABELS % 2], WEIGHT, ValueError, "regression in 2 columns$"),
    (network(3, "squared_error"), np.eye(3)[LABELS], WEIGHT, ValueError, "regression in 3 columns$"),
]


@pytest.mark.parametrize(("net", "y", "class_weight", "error", "words"), BAD, ids=short)
def test_bad_weights_are_refused_before_anything_changes(net, y, class_weight, error, words):
    before = net.params.tobytes()
    with pytest.raises(error) as caught:
        net.fit(X, y, epochs=1, class_weight=class_weight)
    assert words in f"{caught.value}$"
    assert net.params.tobytes() == before


def test_both_weights_together_are_named():
    only_second = np.where(LABELS == 1, 1.0, 0.0)
    with pytest.raises(ValueError, match="sample_weight times class_weight must not be all 0"):
        network().fit(X, LABELS, class_weight=WEIGHT | {1: 0.0}, sample_weight=only_second)


def test_a_class_without_samples_needs_no_weight_and_ten_are_named():
    net = fm.Network([2, 15], loss="cross_entropy", seed=0)
    with pytest.raises(ValueError, match="each class of y, got none for 0, 1, 2, 3, 4, 5, 6, 7, 8, 9$"):
        net.fit(X[:12, :2], np.arange(12), class_weight={})
    with pytest.raises(ValueError, match="only classes from 0 to 14, got 20"):
        net.fit(X[:12, :2], np.arange(12), class_weight={20: 1.0, 30: 1.0})
    net.fit(X[:12, :2], np.arange(12), epochs=1, class_weight=dict.fromkeys(range(12), 1.0))


def test_two_classes_on_one_output_may_each_lack_samples():
    net = fm.Network([2, 1], loss="binary_cross_entropy", seed=0)
    net.fit(X[:4, :2], np.zeros(4), epochs=1, class_weight={0: 2.0, 1: 1.0})
    with pytest.raises(ValueError, match="only classes from 0 to 1, got 2"):
        net.fit(X[:4, :2], np.zeros(4), epochs=1, class_weight={0: 2.0, 2: 1.0})


TAGS = (np.random.default_rng(3).uniform(size=(30, 3)) < [0.2, 0.5, 0.9]).astype(float)
OF_TAGS = [{0: 1.0, 1: 4.0}, {0: 0.5, 1: 2.0}, {0: 3.0, 1: 0.0}]


def by_tag(weights):
    """Weights of the labels (30, 3) from those of the classes 0 and 1 of each label."""
    return np.column_stack([np.where(TAGS[:, k] == 1, of[1], of[0]) for k, of in enumerate(weights)])


@pytest.mark.parametrize("sample_weight", [None, SAMPLE_WEIGHT, by_tag(OF_TAGS)], ids=["", "rows", "labels"])
@pytest.mark.parametrize("class_weight", ["balanced", ["balanced"] * 3, OF_TAGS, (*OF_TAGS[:2], "balanced")], ids=repr)
def test_several_labels_have_class_weights_of_their_own(class_weight, sample_weight):
    """Balanced ones are those of scikit-learn for each label alone."""
    settings = ["balanced"] * 3 if class_weight == "balanced" else class_weight
    computed = [
        dict(enumerate(compute_class_weight("balanced", classes=np.arange(2), y=TAGS[:, k])))
        if one == "balanced"
        else one
        for k, one in enumerate(settings)
    ]
    weight = by_tag(computed)
    if sample_weight is not None:
        weight = weight * (sample_weight[:, None] if sample_weight.ndim == 1 else sample_weight)
    net = network(3, "binary_cross_entropy")
    expected = net.loss_and_flat_gradient(X, TAGS, sample_weight=weight)
    loss, gradient = step_of(net.copy(), TAGS, class_weight=class_weight, sample_weight=sample_weight)
    assert loss == pytest.approx(expected[0], rel=1e-12)
    assert relative_error(gradient, expected[1]) < 1e-10
    settings = {"class_weight": class_weight, "sample_weight": sample_weight}
    assert relative_error(net.gradient(X, TAGS, **settings), expected[1]) < 1e-10
    assert net.train_on_batch(X, TAGS, **settings) == pytest.approx(expected[0], rel=1e-12)


def test_a_list_for_one_label_is_its_dict_and_chunks_take_lists():
    nets = [network(1, "binary_cross_entropy") for _ in range(2)]
    for net, class_weight in zip(nets, (OF_TAGS[0], OF_TAGS[:1]), strict=True):
        net.fit(X, BINARY, epochs=2, class_weight=class_weight)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)
    nets = [network(3, "binary_cross_entropy") for _ in range(2)]
    nets[0].fit(X, TAGS, epochs=2, batch_size=10, shuffle=False, class_weight=OF_TAGS)
    chunks = fm.Chunks([(X[:20], TAGS[:20]), (X[20:], TAGS[20:])])
    nets[1].fit(chunks, epochs=2, batch_size=10, shuffle=False, class_weight=OF_TAGS)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


@pytest.mark.parametrize(
    ("net", "y", "class_weight", "words"),
    [
        (network(3, "binary_cross_entropy"), TAGS, {0: 1.0, 1: 2.0}, "a list with a dict for each of the 3 labels"),
        (network(3, "binary_cross_entropy"), TAGS, OF_TAGS[:2], "one dict for each label of y, 3, got 2"),
        (network(3, "binary_cross_entropy"), TAGS, [{}, *OF_TAGS[1:]], "class_weight[0] must have a weight for each c"),
        (network(3, "binary_cross_entropy"), TAGS / 2, OF_TAGS, "several labels, probabilities in 3 columns"),
        (network(3, "binary_cross_entropy"), LABELS, OF_TAGS, "class numbers"),
        (network(3, "cross_entropy"), np.eye(3)[LABELS], OF_TAGS, "class_weight as a list needs loss='binary_cross_en"),
    ],
    ids=short,
)
def test_bad_class_weights_of_labels_are_refused(net, y, class_weight, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        net.fit(X, y, epochs=1, class_weight=class_weight)
