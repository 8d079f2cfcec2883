"""fastmlp.data.splits: every row once, sizes as asked, the same split from the same seed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from fastmlp.data.splits import train_validation_test_split


def numbered(n_rows):
    """Rows that carry their number, and targets that carry it too."""
    return np.arange(2 * n_rows, dtype=np.float32).reshape(n_rows, 2), np.arange(n_rows)


def sizes(parts):
    return [len(X) for X, _ in parts]


@given(
    n_rows=st.integers(4, 200),
    validation=st.one_of(st.floats(0, 0.3), st.integers(0, 1)),
    test=st.one_of(st.floats(0, 0.3), st.integers(0, 1)),
    seed=st.integers(0, 10),
    stratify=st.booleans(),
    shuffle=st.booleans(),
)
def test_every_row_is_in_exactly_one_part(n_rows, validation, test, seed, stratify, shuffle):
    X, y = numbered(n_rows)
    options = {"validation": validation, "test": test, "seed": seed, "stratify": stratify, "shuffle": shuffle}
    parts = train_validation_test_split(X, y, **options)
    assert sorted(np.concatenate([targets for _, targets in parts])) == y.tolist()
    for inputs, targets in parts:
        np.testing.assert_array_equal(inputs, X[targets])
        assert inputs.dtype == np.float32
    for part, asked in zip(parts[1:], (validation, test), strict=True):
        expected = asked if isinstance(asked, int) else max(round(asked * n_rows), 1) if asked else 0
        assert len(part[0]) == expected


def test_fractions_counts_and_zero():
    X, y = numbered(10)
    assert sizes(train_validation_test_split(X, y)) == [6, 2, 2]
    assert sizes(train_validation_test_split(X, y, validation=3, test=0)) == [7, 3, 0]
    assert sizes(train_validation_test_split(X, y, validation=0.01, test=0.0)) == [9, 1, 0]


def test_the_seed_decides():
    X, y = numbered(50)
    first, again, other = (train_validation_test_split(X, y, seed=seed)[2][1].tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert first != sorted(first)


def test_settings_have_names_and_the_seed_a_default():
    X, y = numbered(50)
    with pytest.raises(TypeError, match="positional"):
        train_validation_test_split(X, y, 0.2)
    given, default = train_validation_test_split(X, y, seed=0), train_validation_test_split(X, y)
    assert all(one[1].tolist() == two[1].tolist() for one, two in zip(given, default, strict=True))


def test_stratified_rows_are_taken_from_the_middle_of_even_stretches():
    """2 of 12 rows by class: the 4th and the 10th, so that a class at either end is not favoured."""
    X, y = np.arange(12), np.repeat([0, 1, 2, 3], 3)
    _, _, judged_by = train_validation_test_split(X, y, validation=0, test=2, stratify=True, shuffle=False)
    assert judged_by[1].tolist() == [1, 3]


def test_without_shuffling_rows_keep_their_order():
    X, y = numbered(10)
    parts = train_validation_test_split(X, y, validation=0.2, test=0.3, shuffle=False)
    assert [targets.tolist() for _, targets in parts] == [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]
    parts = train_validation_test_split(X, y % 2, validation=2, test=2, shuffle=False, stratify=True)
    assert all((np.diff(inputs[:, 0]) > 0).all() for inputs, _ in parts)


def test_stratified_parts_have_the_shares_of_the_classes():
    y = np.array(["rare"] * 10 + ["common"] * 90)
    X = np.arange(100).reshape(-1, 1)
    parts = train_validation_test_split(X, y, validation=0.3, test=0.2, stratify=True, seed=3)
    for (_, targets), expected in zip(parts, (5, 3, 2), strict=True):
        assert abs((targets == "rare").sum() - expected) <= 1
    assert sizes(parts) == [50, 30, 20]
    assert parts[0][1].tolist() != sorted(parts[0][1])


def test_parts_are_copies():
    X, y = numbered(10)
    train, _, _ = train_validation_test_split(X, y, shuffle=False)
    train[0][:] = -1
    assert X.min() == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"validation": 1.0}, ValueError, "validation must be a fraction below 1 or a whole number of rows, got 1.0"),
        ({"test": -1}, ValueError, "test must be a finite number"),
        ({"test": float("nan")}, ValueError, "test must be a finite number"),
        ({"test": "half"}, TypeError, "test must be a number, got str"),
        ({"test": True}, TypeError, "test must be a number, got bool"),
        ({"validation": 0.5, "test": 0.5}, ValueError, "take 5 and 5 of 10 rows, which leaves none for training"),
        ({"validation": 10, "test": 0}, ValueError, "which leaves none"),
        ({"seed": -1}, ValueError, "seed must be a whole number from 0, got -1"),
        ({"seed": "x"}, TypeError, "seed must be a whole number"),
    ],
)
def test_bad_options_are_named(options, error, message):
    X, y = numbered(10)
    with pytest.raises(error, match=message):
        train_validation_test_split(X, y, **options)


def test_bad_data_is_named():
    X, y = numbered(10)
    with pytest.raises(ValueError, match="same number of rows, got 10 and 9"):
        train_validation_test_split(X, y[:9])
    with pytest.raises(ValueError, match="X must have rows, got shape \\(\\)"):
        train_validation_test_split(5, y)
    with pytest.raises(ValueError, match="X must have rows"):
        train_validation_test_split([], [])
    with pytest.raises(ValueError, match="y must have one dimension for stratify=True"):
        train_validation_test_split(X, X, stratify=True)
    with pytest.raises(TypeError, match="X is a sparse matrix; expected a dense array"):
        train_validation_test_split(csr_array(X), y)
    with pytest.raises(ValueError, match="X must be an array with rows of equal length"):
        train_validation_test_split([[1], [1, 2]], [0, 1])
