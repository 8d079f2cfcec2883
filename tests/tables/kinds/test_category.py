"""Categories: features, rare ones, missing ones, unseen ones, codes."""

import numpy as np
import pandas as pd
import pytest

from fastmlp.tables.encoder import TableEncoder

COLOURS = ["red"] * 10 + ["blue"] * 6 + ["green"] * 5 + ["pink", "grey"] + [None] * 7


def fitted(**settings):
    return TableEncoder(dtype="float64", **settings).fit(pd.DataFrame({"colour": COLOURS}))


def test_the_twin_of_scikit_learn():
    encoders = pytest.importorskip("sklearn.preprocessing")
    values = np.random.default_rng(0).choice(["a", "b", "c", "d"], 300, p=[0.4, 0.35, 0.2, 0.05])
    encoded = TableEncoder(dtype="float64").fit_transform(pd.DataFrame({"v": values}))
    plain = encoders.OneHotEncoder(sparse_output=False).fit_transform(values[:, None])
    np.testing.assert_array_equal(encoded, plain / 2)


def test_rare_missing_and_unseen_ones():
    encoder = fitted()
    names = encoder.get_feature_names_out().tolist()
    assert names == ["colour=blue", "colour=green", "colour=red", "colour=(other)", "colour=(missing)"]
    X, notes = encoder.encode(pd.DataFrame({"colour": ["red", "pink", "mauve", None]}))
    np.testing.assert_array_equal(X, np.eye(5)[[2, 3, 3, 4]] / 2)
    assert notes.missing == {"colour": 1} and notes.unseen == {"colour": 1}


def test_without_rare_ones_an_unseen_one_has_no_feature():
    encoder = TableEncoder().fit(pd.DataFrame({"v": ["a", "b", "c"] * 5}))
    X, notes = encoder.encode(pd.DataFrame({"v": ["d", None]}))
    assert not X.any()
    assert (notes.unseen["v"], notes.missing["v"]) == (1, 1)


def test_two_values_are_one_feature():
    X = (
        TableEncoder()
        .fit(pd.DataFrame({"v": ["no", "yes", "no"]}))
        .transform(pd.DataFrame({"v": ["yes", "no", "perhaps", None]}))
    )
    assert X[:, 0].tolist() == [0.5, -0.5, 0, 0]


def test_codes_number_the_categories_from_one():
    encoder = fitted(categories="codes")
    X = encoder.transform(pd.DataFrame({"colour": ["blue", "green", "red", "grey", "mauve", None]}))
    assert X[:, 0].tolist() == [1, 2, 3, 4, 4, 5]
    assert encoder.get_feature_names_out().tolist() == ["colour"]


def test_the_commonest_have_features_where_there_are_too_many():
    encoder = fitted(max_categories=2)
    names = ["colour=blue", "colour=red", "colour=(other)", "colour=(missing)"]
    assert encoder.get_feature_names_out().tolist() == names


def test_a_number_is_the_same_category_whatever_its_type():
    encoder = TableEncoder(categorical=["v"]).fit(pd.DataFrame({"v": [1, 2, 3] * 5}))
    want = encoder.transform(pd.DataFrame({"v": [3, 1]}))
    for same in ([3.0, 1.0], ["3", "1"], np.array([3, 1], np.int8)):
        np.testing.assert_array_equal(encoder.transform(pd.DataFrame({"v": same})), want)
    assert np.argmax(want, axis=1).tolist() == [2, 0]
