"""The comparison on public tables: folds, errors, and both sides on a small file."""

import numpy as np
import pytest

from fastmlp.bench.tables import by_hand, by_itself, error, folds


def test_each_row_is_tested_once_by_a_network_that_has_not_seen_it():
    parts = list(folds(103))
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(103))
    for train, test in parts:
        assert sorted([*train, *test]) == list(range(103))


def test_errors():
    assert error(np.array([0, 1, 1]), np.array([0, 1, 0]), is_class=True) == 2 / 4
    y = np.array([1.0, 2.0, 3.0])
    assert error(y, y + 2, is_class=False) == pytest.approx(2 / y.std())


@pytest.mark.parametrize("is_class", [True, False])
def test_both_sides_predict_the_same_rows_of_a_file(is_class, tmp_path):
    pytest.importorskip("sklearn")
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("duckdb")
    from fastmlp.bench.by_hand import ByHand

    rng = np.random.default_rng(0)
    x = rng.normal(size=120)
    y = np.where(x > 0, "up", "down").astype(object) if is_class else 3 * x
    frame = pandas.DataFrame({"id": [f"n{i}" for i in range(120)], "x": x, "z": rng.normal(size=120), "y": y})
    frame.loc[[5, 77], "y"] = None
    frame.to_csv(tmp_path / "small.csv", index=False)
    table = ByHand(pandas.read_csv, "y", is_class, left_out="id")
    truth, predicted = by_hand(tmp_path / "small.csv", table, 0)
    truth_too, predicted_too = by_itself(tmp_path / "small.csv", table, 0)
    assert len(truth) == len(truth_too) == 118
    assert error(truth, predicted, is_class) < 0.2 and error(truth_too, predicted_too, is_class) < 0.2
    same = np.unique(truth, return_inverse=True)[1] if is_class else truth
    np.testing.assert_allclose(same, truth_too)
