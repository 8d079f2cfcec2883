"""Learning curves: the rows that each network sees, the errors, and invalid arguments."""

from __future__ import annotations

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(7)
X = RNG.normal(size=(60, 3))
Y = (X[:, 0] > X[:, 1]).astype(np.int64)
VALIDATION = (RNG.normal(size=(20, 3)), RNG.integers(0, 2, 20))
LINE = X @ [1.0, -2.0, 0.5]
LINE_VALIDATION = (VALIDATION[0], VALIDATION[0] @ [1.0, -2.0, 0.5])


def classifier(seed):
    return fm.Network([3, 4, 2], loss="cross_entropy", seed=seed)


def regression(seed):
    return fm.Network([3, 1], loss="squared_error", dtype="float64", seed=seed)


def recorder(make_network):
    """A factory, and the (seed, X, y) of every fit of its networks."""
    fits = []

    def make(seed):
        network = make_network(seed)
        fit = network.fit

        def recording_fit(X, y, **options):
            fits.append((seed, np.array(X), np.array(y)))
            return fit(X, y, **options)

        network.fit = recording_fit
        return network

    return make, fits


def test_errors_are_one_minus_accuracy_of_a_network_trained_on_those_rows():
    make, fits = recorder(classifier)
    curve = fm.learning_curve(make, X, Y, VALIDATION, [10, 40], epochs=3, seed=5)
    assert isinstance(curve, fm.LearningCurve)
    assert curve.metric == "error rate"
    assert curve.train_sizes.tolist() == [10, 40]
    for i, (seed, rows, labels) in enumerate(fits):
        network = classifier(seed)
        network.fit(rows, labels, epochs=3)
        assert curve.train_error[i] == 1 - network.evaluate(rows, labels)["accuracy"]
        assert curve.validation_error[i] == 1 - network.evaluate(*VALIDATION)["accuracy"]
    assert not curve.train_error_std.any() and not curve.validation_error_std.any()


def test_errors_of_a_regression_are_the_loss():
    curve = fm.learning_curve(
        regression, X, LINE, LINE_VALIDATION, [5, 50], epochs=200, batch_size=5, optimizer=fm.SGD(0.05)
    )
    assert curve.metric == "squared_error"
    assert curve.validation_error[1] < 1e-6


def test_rows_are_random_different_and_nested_within_a_repeat():
    make, fits = recorder(regression)
    fm.learning_curve(make, X, LINE, LINE_VALIDATION, [10, 30, 60], repeats=2, seed=3, epochs=1)
    assert [seed for seed, _, _ in fits] == [3, 3, 3, 4, 4, 4]
    rows = [{tuple(row) for row in chosen} for _, chosen, _ in fits]
    assert [len(chosen) for chosen in rows] == [10, 30, 60, 10, 30, 60]
    assert rows[0] < rows[1] < rows[2] == {tuple(row) for row in X}
    assert rows[0] != {tuple(row) for row in X[:10]}
    assert rows[0] != rows[3]
    for _, chosen, targets in fits:
        np.testing.assert_allclose(chosen @ [1.0, -2.0, 0.5], targets)


def test_means_and_deviations_are_over_the_repeats():
    options = {"epochs": 2, "n_threads": 1}
    make, fits = recorder(classifier)
    curve = fm.learning_curve(make, X, Y, VALIDATION, [20], repeats=3, **options)
    errors = []
    for seed, rows, labels in fits:
        network = classifier(seed)
        network.fit(rows, labels, **options)
        errors.append(1 - network.evaluate(*VALIDATION)["accuracy"])
    assert len(set(errors)) > 1
    assert curve.validation_error[0] == pytest.approx(np.mean(errors), abs=1e-15)
    assert curve.validation_error_std[0] == pytest.approx(np.std(errors), abs=1e-15)


def test_same_seed_same_curve_and_data_untouched():
    before = X.copy(), Y.copy()
    one, other = (
        fm.learning_curve(classifier, X, Y, VALIDATION, [10, 60], repeats=2, seed=1, epochs=2) for _ in range(2)
    )
    for name in ("train_error", "validation_error", "train_error_std", "validation_error_std"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(Y, before[1])


def test_lists_will_do_and_the_curve_says_what_it_is():
    data = X.tolist(), Y.tolist(), (VALIDATION[0].tolist(), VALIDATION[1].tolist())
    curve = fm.learning_curve(classifier, *data, np.array([5, 60]), epochs=1)
    assert repr(curve).startswith("LearningCurve(5 to 60 rows: validation error rate 0.")
    with pytest.raises(AttributeError):
        curve.metric = "loss"


def test_its_picture():
    pytest.importorskip("matplotlib")
    curve = fm.learning_curve(classifier, X, Y, VALIDATION, [10, 60], repeats=2, epochs=1)
    lines = {line.get_label(): line.get_ydata() for line in fm.plots.learning_curve(curve).lines}
    np.testing.assert_array_equal(lines["validation"], curve.validation_error)


NETWORK = classifier(0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"make_network": NETWORK}, TypeError, "make_network must be a function of a seed, got Network"),
        ({"make_network": lambda seed: None}, TypeError, "make_network must return a Network, got NoneType"),
        ({"make_network": lambda seed: NETWORK}, ValueError, "make_network must return a new network"),
        ({"X": X[:, :2]}, ValueError, "X must have 3 columns, got 2"),
        ({"y": Y[:-1]}, ValueError, "X and y must have the same number of rows, got 60 and 59"),
        ({"y": Y + 1}, ValueError, "y must be class numbers from 0 to 1, got 2"),
        ({"validation_data": None}, TypeError, r"validation_data must be a pair \(X, y\), got NoneType"),
        ({"validation_data": (X,)}, TypeError, r"validation_data must be a pair \(X, y\)"),
        ({"validation_data": (X[:, :2], Y)}, ValueError, "X of validation_data must have 3 columns, got 2"),
        ({"train_sizes": []}, ValueError, "train_sizes must be a sequence of numbers of rows"),
        ({"train_sizes": 10}, ValueError, "train_sizes must be a sequence of numbers of rows, got 10"),
        ({"train_sizes": [0.1, 0.5]}, TypeError, "train_sizes must be whole numbers of rows"),
        ({"train_sizes": [0, 10]}, ValueError, "train_sizes must increase and lie between 1 and 60"),
        ({"train_sizes": [10, 61]}, ValueError, "train_sizes must increase and lie between 1 and 60"),
        ({"train_sizes": [10, 10]}, ValueError, "train_sizes must increase"),
        ({"repeats": 0}, ValueError, "repeats must be between 1 and"),
        ({"repeats": 1.5}, TypeError, "repeats must be a whole number, got "),
        ({"seed": -1}, ValueError, "seed must be 0 or more, got -1"),
        ({"seed": None}, TypeError, "seed must be a whole number, got NoneType"),
        ({"sample_weight": np.ones(60)}, TypeError, "sample_weight cannot be used with learning_curve"),
        ({"epoch": 3}, TypeError, "epoch"),
        ({"epochs": 0}, ValueError, "epochs must be between 1 and"),
    ],
)
def test_refuses(change, error, message):
    arguments = {
        "make_network": classifier,
        "X": X,
        "y": Y,
        "validation_data": VALIDATION,
        "train_sizes": [10, 60],
        **change,
    }
    with pytest.raises(error, match=message):
        fm.learning_curve(**arguments)


def test_a_shared_network_is_refused_before_it_is_trained():
    shared = classifier(0)
    before = shared.params.copy()
    with pytest.raises(ValueError, match="make_network must return a new network"):
        fm.learning_curve(lambda seed: shared, X, Y, VALIDATION, [10], epochs=1)
    assert (shared.params == before).all()


def test_losses_of_all_sizes_have_the_same_unit():
    X, y = np.arange(20.0).reshape(-1, 1), np.arange(20.0)
    with pytest.raises(ValueError, match=r"make_network must give target_scale=\(shift, scale\), so that losses"):
        fm.learning_curve(
            lambda seed: fm.Network([1, 1], target_scale="standard", seed=seed), X, y, (X, y), [5, 10], epochs=1
        )
