"""L-BFGS and Levenberg-Marquardt refuse what they cannot train, and settings that would do nothing."""

import numpy as np
import pytest

import fastmlp as fm

X = np.random.default_rng(0).normal(size=(70, 3))
Y = np.arange(70) % 3
METHODS = [fm.LBFGS(), fm.LevenbergMarquardt()]


@pytest.mark.parametrize("optimizer", METHODS)
@pytest.mark.parametrize(
    "layers, settings, words",
    [
        ([3, 4, fm.Dropout(0.5), 3], {}, "cannot train a network with Dropout"),
        ([3, 4, fm.Dropout(fm.Constant(0.5)), 3], {}, "cannot train a network with Dropout"),
        ([3, 4, fm.BatchNorm(), 3], {}, "cannot train a network with BatchNorm"),
        (
            [3, fm.Dense(4, "relu", learning_rate_factor=2.0), 3],
            {},
            "learning_rate_factor of layers has no effect with",
        ),
        ([3, 4, 3], {"batch_size": 5}, "batch_size=5 has no effect with .*, which uses all 70 rows at once"),
    ],
)
def test_what_would_be_ignored_is_refused_and_nothing_changes(optimizer, layers, settings, words):
    net = fm.Network(layers, seed=0)
    before = net.params.copy()
    with pytest.raises(ValueError, match=words):
        net.fit(X, Y, optimizer=optimizer, **settings)
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("smoothing", [0.1, fm.Constant(0.1)])
def test_labels_are_not_left_sharp_in_silence(smoothing):
    net = fm.Network([3, 4, 3], loss=fm.Loss("cross_entropy", label_smoothing=smoothing), seed=0)
    with pytest.raises(ValueError, match="label_smoothing=.* has no effect with LBFGS"):
        net.fit(X, Y, optimizer=fm.LBFGS())
    pytest.importorskip("sklearn")
    model = fm.MLPClassifier((4,), solver="lbfgs", loss=fm.Loss("cross_entropy", label_smoothing=smoothing))
    with pytest.raises(ValueError, match="label_smoothing=.* has no effect with solver='lbfgs'"):
        model.fit(X, Y)


@pytest.mark.parametrize("optimizer", METHODS)
def test_what_changes_nothing_anyway_is_taken(optimizer):
    layers = [3, fm.Dense(4, "relu", trainable=False), fm.Dropout(0.0), 3]
    for batch_size in (32, 70, 500):
        net = fm.Network(layers, seed=0)
        assert net.fit(X, Y, optimizer=optimizer, epochs=2, batch_size=batch_size).n_epochs == 2


@pytest.mark.parametrize("argument", ["clip_norm", "clip_value"])
def test_clipping_is_refused_where_only_signs_count(argument):
    net = fm.Network([3, 4, 3], seed=0)
    with pytest.raises(ValueError, match=f"{argument} has no effect with Rprop, whose steps depend on the signs"):
        net.fit(X, Y, optimizer=fm.Rprop(), **{argument: 0.1})
    net.fit(X, Y, epochs=1, optimizer=fm.Rprop(weight_decay=0.1), **{argument: 0.1})  # what decays is added later
