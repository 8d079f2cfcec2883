"""Whole numbers that are about equally frequent: the number, and a feature for each value."""

import numpy as np
import pandas as pd

from fastmlp.tables.encoder import TableEncoder

CODES = [1] * 400 + [2] * 300 + [3] * 480 + [4] * 250


def test_number_and_features_of_values():
    encoder = TableEncoder().fit(pd.DataFrame({"c": CODES}))
    X = encoder.transform(pd.DataFrame({"c": [1, 2, 3, 4, 5, None]}))
    assert encoder.get_feature_names_out().tolist() == ["c", "c=1", "c=2", "c=3", "c=4"]
    assert (np.diff(X[:5, 0]) > 0).all() and X[5, 0] == 0
    np.testing.assert_array_equal(X[:, 1:], np.eye(5, 4)[[0, 1, 2, 3, 4, 4]] / 2)


def test_what_is_no_code():
    n = np.arange(1200)
    uneven = np.minimum(n % 4, 2) + (n % 7 > 4)
    columns = {"two": n % 2, "many": n % 5, "halves": n % 4 / 2, "gap": n % 3 * 2, "uneven": uneven, "code": n % 3}
    found = {name: kind for name, kind, *_ in TableEncoder().fit(pd.DataFrame(columns)).explain()}
    assert found.pop("code") == "whole-number code"
    assert set(found.values()) == {"number"}
