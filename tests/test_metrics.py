"""fastmlp.metrics: examples counted by hand, and invalid arguments."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmlp as fm
from fastmlp.metrics import accuracy, as_labels, balanced_accuracy, confusion_matrix, macro_f1, regression_errors


def test_accuracy_of_labels_probabilities_and_a_single_column():
    assert accuracy([0, 1, 2, 2], [0, 1, 2, 1]) == 0.75
    assert accuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]]) == 0.5
    assert accuracy([[0.0, 1.0], [1.0, 0.0]], [1, 0]) == 1.0
    assert accuracy([1, 0, 1], [[0.9], [0.5], [0.4]]) == 2 / 3
    assert accuracy([[3], [4]], np.array([3, 5], dtype=np.uint8)) == 0.5


def test_accuracy_is_that_of_evaluate():
    digits = fm.load_digits()
    net = fm.Network([fm.Input(64, scale=1 / 16), 10], loss="cross_entropy", seed=0)
    net.fit(digits.X_train, digits.y_train, epochs=1)
    measured = net.evaluate(digits.X_test, digits.y_test)["accuracy"]
    assert accuracy(digits.y_test, net.predict(digits.X_test)) == pytest.approx(measured, abs=1e-12)


def test_confusion_matrix_has_true_classes_in_rows():
    counts = confusion_matrix([0, 1, 1, 2], [0, 2, 1, 2])
    assert counts.dtype == np.int64
    assert counts.tolist() == [[1, 0, 0], [0, 1, 1], [0, 0, 1]]


def test_confusion_matrix_counts_classes_that_never_occur():
    assert confusion_matrix([0, 1], [1, 1], n_classes=3).tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert confusion_matrix([0, 1], [[0.9, 0.1, 0.0], [0.9, 0.1, 0.0]]).shape == (3, 3)
    assert confusion_matrix([0, 0], [0, 0]).tolist() == [[2]]


def test_confusion_matrix_holds_many_rows():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 5, (2, 10_000))
    counts = confusion_matrix(true, predicted)
    assert counts.sum() == 10_000
    assert counts[3, 1] == ((true == 3) & (predicted == 1)).sum()
    assert np.trace(counts) / 10_000 == pytest.approx(accuracy(true, predicted))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_averages_over_classes_count_each_class_once(pairs):
    true, predicted = np.array(pairs).T
    recalls, f1 = [], []
    for label in range(5):
        right = ((true == label) & (predicted == label)).sum()
        if (true == label).any():
            recalls.append(right / (true == label).sum())
        if ((true == label) | (predicted == label)).any():
            f1.append(2 * right / ((true == label).sum() + (predicted == label).sum()))
    assert balanced_accuracy(true, predicted) == pytest.approx(np.mean(recalls), abs=1e-12)
    assert macro_f1(true, predicted) == pytest.approx(np.mean(f1), abs=1e-12)


def test_regression_errors_by_hand():
    errors = regression_errors([1.0, 2.0, 6.0], [[2.0], [2.0], [4.0]])
    assert errors.mean_absolute == pytest.approx(1.0)
    assert errors.root_mean_square == pytest.approx(math.sqrt(5 / 3))
    assert errors.r2 == pytest.approx(1 - 5 / 14)
    assert regression_errors([1.0, 3.0], [2.0, 2.0]).r2 == 0.0


def test_r2_of_a_constant_target_is_not_a_number():
    assert math.isnan(regression_errors([0.1, 0.1, 0.1], [0.1, 0.1, 0.2]).r2)


def test_r2_of_several_columns_takes_each_around_its_own_mean():
    y = np.array([[0.0, 100.0], [2.0, 102.0]])
    assert regression_errors(y, y + 1).r2 == 0.0


@pytest.mark.parametrize(
    ("y_true", "y_pred", "message"),
    [
        ([0, 1], [0], r"same length, got 2 and 1"),
        ([], [], r"y_true must not be empty"),
        ([0, -1], [0, 1], r"y_true must hold whole class numbers from 0, got -1 in row 1"),
        ([0, 1], [0.5, 1.0], r"y_pred must hold whole class numbers from 0, got 0.5 in row 0"),
        ([0, 1], [[0.5], [1.5]], r"y_pred must hold whole class numbers from 0, got 0.5 in row 0"),
        ([0, 1], [0.0, np.nan], r"y_pred must be finite, got nan in row 1"),
        ([0, 1], np.zeros((2, 1, 1)), r"y_pred must be labels"),
        ([0, 2**40], [0, 1], r"y_true must hold whole class numbers"),
    ],
)
def test_bad_labels_are_named(y_true, y_pred, message):
    for function in (accuracy, confusion_matrix):
        with pytest.raises(ValueError, match=message):
            function(y_true, y_pred)


def test_text_is_refused():
    with pytest.raises(TypeError, match="y_pred must hold numbers"):
        accuracy([0, 1], ["a", "b"])


def test_n_classes_is_checked():
    with pytest.raises(ValueError, match=r"y_pred must be below n_classes=2, got 2 in row 1"):
        confusion_matrix([0, 1], [0, 2], n_classes=2)
    with pytest.raises(TypeError, match="n_classes must be a whole number"):
        confusion_matrix([0], [0], n_classes=2.0)
    with pytest.raises(ValueError, match="n_classes must be between 1 and 10000"):
        confusion_matrix([0], [20_000])


def test_regression_shapes_are_checked():
    with pytest.raises(ValueError, match=r"same shape, got \(2,\) and \(3,\)"):
        regression_errors([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"y_pred must have shape"):
        regression_errors([1.0], [[[1.0]]])


def test_as_labels_breaks_ties_towards_the_first_class():
    assert as_labels("y", [[0.5, 0.5], [0.1, 0.9]]).tolist() == [0, 1]


def test_a_column_of_probabilities_is_1_above_a_half():
    assert as_labels("y", [[0.0], [0.5], [0.51], [1.0]]).tolist() == [0, 0, 1, 1]
    assert as_labels("y", [[0.25], [0.3]]).tolist() == [0, 0]
    for beyond in (1.5, -0.5):
        with pytest.raises(ValueError, match=f"y must hold whole class numbers from 0, got {beyond} in row 1"):
            as_labels("y", [[1.0], [beyond]])


def test_class_numbers_fit_into_31_bits():
    assert as_labels("y", [2**31 - 1, 2**30]).tolist() == [2**31 - 1, 2**30]
    with pytest.raises(ValueError, match="y must hold whole class numbers from 0, got .* in row 1"):
        as_labels("y", [0, 2**31])
