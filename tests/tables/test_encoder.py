"""The encoder: all columns of a table to a matrix, by name; settings; JSON; scikit-learn's ways."""

import json
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmlp as fm
from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.reading import read_table

FRAME = pd.DataFrame(
    {
        "key": np.arange(900) + 1,
        "size": np.linspace(0.5, 9, 900) ** 2,
        "colour": ["red", "blue", None] * 300,
        "day": pd.date_range("2024-01-30", periods=900, freq="2h"),
        "same": 1.0,
        "grade": [1, 2, 3] * 300,
    }
)


def test_it_is_a_public_name():
    assert fm.TableEncoder is TableEncoder


def test_columns_are_told_apart_and_explained():
    encoder = TableEncoder().fit(FRAME)
    found = {name: kind for name, kind, *_ in encoder.explain()}
    assert found == {
        "key": "set aside", "size": "number", "colour": "category", "day": "date", "same": "set aside",
        "grade": "whole-number code",
    }  # fmt: skip
    assert encoder.set_aside_ == {"key": "row number", "same": "constant"}
    lines = str(encoder.explain()).splitlines()
    assert len(lines) == 7 and lines[1].split() == ["key", "set", "aside", "0", "row", "number"]
    features = [name for column in encoder.explain() for name in column.features]
    assert features == encoder.get_feature_names_out().tolist()
    assert [name.partition("=")[0].partition(".")[0] for name in features] == encoder.source_columns()


def test_columns_are_found_by_name():
    encoder = TableEncoder().fit(FRAME)
    other = FRAME[FRAME.columns[::-1]].assign(more="x")
    np.testing.assert_array_equal(encoder.transform(other), encoder.transform(FRAME))


def test_missing_columns_are_named():
    encoder = TableEncoder().fit(FRAME)
    with pytest.raises(ValueError, match="lacks the columns size, day"):
        encoder.transform(FRAME.drop(columns=["size", "day", "key"]))


def test_columns_may_be_dropped_kept_or_made_categories():
    encoder = TableEncoder(drop=["size", -1], keep=["key"], categorical=["same"]).fit(FRAME)
    assert encoder.set_aside_ == {"size": "dropped", "grade": "dropped"}
    assert next(kind for _, kind, *_ in encoder.explain()) == "number"


def test_values_that_mean_missing():
    _, notes = TableEncoder(null=[-200, "none"]).fit(FRAME).encode(FRAME)
    assert notes.missing == {"colour": 300}
    table = {"a": [-200, 1, 5, 7], "b": [-200.0, 0.5, 0.7, 0.9], "c": ["none", "x", "y", "-200"]}
    table = pd.DataFrame(table)
    _, notes = TableEncoder(null=[-200, "none"]).fit(table).encode(table)
    assert notes.missing == {"a": 1, "b": 1, "c": 2}


def test_the_json_of_it_encodes_to_the_same_bits():
    encoder = TableEncoder(null=["red"], categories="codes").fit(FRAME)
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    assert again.to_dict() == encoder.to_dict()
    assert again.explain() == encoder.explain()
    np.testing.assert_array_equal(again.transform(FRAME), encoder.transform(FRAME))


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"categories": "onehot"}, "categories='onehot' is unknown"),
        ({"dtype": "float16"}, "dtype='float16' is unknown"),
        ({"max_categories": 0}, "max_categories must be between"),
        ({"drop": "key"}, "drop must be a list"),
        ({"drop": ["kee"]}, "did you mean 'key'"),
        ({"drop": ["size", "colour", "day", "grade"]}, "no column to learn from: key .row number., size .dropped."),
    ],
)
def test_settings_that_do_not_fit(settings, error):
    with pytest.raises((ValueError, TypeError), match=error):
        TableEncoder(**settings).fit(FRAME)


def test_before_a_fit():
    with pytest.raises(ValueError, match="not fitted"):
        TableEncoder().transform(FRAME)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_in_a_pipeline_of_scikit_learn():
    pipelines = pytest.importorskip("sklearn.pipeline")
    base = pytest.importorskip("sklearn.base")
    encoder = base.clone(TableEncoder(drop=["key"]))
    assert encoder.get_params()["drop"] == ["key"]
    assert repr(encoder.set_params(dtype="float64")) == "TableEncoder(drop=['key'], dtype='float64')"
    pipeline = pipelines.make_pipeline(encoder, fm.MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0))
    predicted = pipeline.fit(FRAME, FRAME["size"]).predict(FRAME[:7])
    assert predicted.shape == (7,) and np.isfinite(predicted).all()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_as_output(library):
    rows = FRAME.iloc[10:20]
    encoder = TableEncoder().fit(FRAME).set_output(transform=library)
    frame = encoder.transform(rows)
    assert type(frame).__module__.startswith(library)
    assert list(frame.columns) == encoder.get_feature_names_out().tolist()
    np.testing.assert_array_equal(frame.to_numpy(), encoder.encode(rows)[0])
    if library == "pandas":
        assert frame.index.equals(rows.index)


def test_beside_other_transformers_and_with_the_configuration_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn")
    compose = pytest.importorskip("sklearn.compose")
    parts = compose.ColumnTransformer(
        [("table", TableEncoder(), ["size", "colour"]), ("rest", "passthrough", ["grade"])]
    )
    with sklearn.config_context(transform_output="pandas"):
        frame = parts.fit_transform(FRAME)
    encoder = TableEncoder().fit(FRAME[["size", "colour"]])
    assert list(frame.columns) == [f"table__{name}" for name in encoder.get_feature_names_out()] + ["rest__grade"]
    np.testing.assert_array_equal(frame.iloc[:, :-1], encoder.transform(FRAME))


def test_the_checks_of_scikit_learn():
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    other = {
        "check_complex_data": "a TypeError of its own",
        "check_estimators_empty_data_messages": "says that the table has no columns",
        "check_fit2d_1sample": "says that all columns are constant",
        "check_fit2d_predict1d": "says that a table must have rows and columns",
        "check_transformer_data_not_an_array": "takes tables only, no objects that can be made an array",
        "check_transformer_preserve_dtypes": "the setting dtype decides",
    }
    with pytest.warns(UserWarning, match="does not inherit"):
        results = checks.check_estimator(TableEncoder(), expected_failed_checks=other, on_fail=None, on_skip=None)
    assert [each["check_name"] for each in results if each["status"] == "failed"] == []
    assert {each["check_name"] for each in results if each["status"] == "xfail"} <= set(other)
    assert sum(each["status"] == "passed" for each in results) > 30


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
COLUMNS = st.one_of(
    *(
        st.lists(st.one_of(st.none(), values), min_size=5, max_size=5)
        for values in (
            st.floats(),
            st.floats(width=32, allow_nan=False),
            st.integers(-(2**63), 2**63 - 1),
            st.integers(0, 3),
            st.booleans(),
            TEXT,
            st.sampled_from(["a", "b", "1", "2.0", "1,5", "3.4.2025", "", "NA", "'; --", "\U0001f600", "é" * 300]),
            st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)),
            st.dates(),
            st.times(),
        )
    )
)


@settings(max_examples=40)
@given(st.dictionaries(st.one_of(st.sampled_from(["a", "a=b", "a=(missing)"]), TEXT), COLUMNS, min_size=1, max_size=4))
def test_any_table(columns):
    columns = {name.strip(): values for name, values in columns.items()}
    encoder = TableEncoder(keep=list(columns)).fit(columns)
    X, notes = encoder.encode(columns)
    names = encoder.get_feature_names_out().tolist()
    assert X.shape == (5, len(names)) and len(set(names)) == len(names) == len(encoder.source_columns())
    assert np.isfinite(X).all() and (np.abs(X) <= 3).all()
    assert not notes.unseen
    np.testing.assert_allclose(encoder.encode(read_table(columns))[0], X, rtol=1e-5, atol=1e-6)
    again = TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict())))
    np.testing.assert_array_equal(again.transform(columns), X)
