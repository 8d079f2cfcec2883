"""Few whole numbers: the number, and a feature for each frequent value."""

import numpy as np
import pandas as pd

from fastmlp.tables.encoder import TableEncoder

CODES = [1] * 10 + [2] * 7 + [4] * 8 + [9]


def test_number_and_features_of_frequent_values():
    encoder = TableEncoder().fit(pd.DataFrame({"c": CODES}))
    X = encoder.transform(pd.DataFrame({"c": [1, 2, 3, 4, 9, None]}))
    assert encoder.get_feature_names_out().tolist() == ["c", "c=1", "c=2", "c=4"]
    assert (np.diff(X[:5, 0]) > 0).all() and X[5, 0] == 0
    assert (X[:, 1:] > 0).tolist() == np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [0] * 3, [0] * 3]).tolist()


def test_what_is_no_code():
    n = np.arange(60)
    table = pd.DataFrame({"two": n % 2, "many": n % 11, "halves": n % 4 / 2, "code": n % 3})
    found = {name: kind for name, kind, *_ in TableEncoder().fit(table).explain()}
    assert found == {"two": "number", "many": "number", "halves": "number", "code": "whole-number code"}
