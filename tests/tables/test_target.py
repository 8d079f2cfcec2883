"""What a column to predict is taken for: classes or numbers, with labels that keep their names and types."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.tables.reading import read_table
from fastmlp.tables.target import MISSING, UNKNOWN, Target, are_codes
from fastmlp.tables.types import MISSING as NULLS

pd = pytest.importorskip("pandas")
RNG = np.random.default_rng(0)


def target_of(values, **options):
    return Target.of(read_table(pd.DataFrame({"x": 0.0, "y": values})), "y", **options)


def read(target, values):
    return target.read(read_table(pd.DataFrame({"y": values}))).tolist()


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["yes", "no", "yes"], ["no", "yes"]),
        ([True, False, True], [False, True]),
        ([0, 1, 1, 0], [0, 1]),
        ([2, 4, 4, 2], [2, 4]),
        ([0, 255] * 5, [0, 255]),
        ([0.0, 1.0, np.nan], [0.0, 1.0]),
        (np.repeat([1, 2, 3, 5, 6, 7], [70, 76, 17, 13, 9, 29]), [1, 2, 3, 5, 6, 7]),
        (RNG.permutation(np.repeat(np.arange(26), 30)), list(range(26))),
        (np.repeat(np.arange(1, 8), [2118, 2833, 357, 27, 95, 174, 205]), list(range(1, 8))),
    ],
)
def test_classes(values, classes):
    target = target_of(values)
    assert target.classes_.tolist() == classes
    assert [type(label) for label in target.classes_.tolist()] == [type(label) for label in classes]


@pytest.mark.parametrize(
    "values",
    [
        np.repeat(np.arange(3, 10), [20, 163, 1457, 2198, 880, 175, 5]),
        np.repeat(np.arange(9), [608, 209, 28, 16, 18, 5, 0, 0, 7]),
        RNG.poisson(10, 400),
        RNG.choice([50, 70, 90, 150, 270], 60),
        RNG.normal(size=30),
        np.arange(18, 65).repeat(RNG.integers(15, 70, 47)),
        [0.5, 1.5, 2.5] * 10,
        np.arange(5),
    ],
)
def test_numbers(values):
    target = target_of(values)
    assert target.classes_ is None
    np.testing.assert_array_equal(read(target, values), np.asarray(values, dtype=np.float64))


def test_the_task_overrules_the_values():
    assert target_of([0, 1, 1], task="regression").classes_ is None
    assert target_of([1.5, 2.5, 7.0], task="classification").classes_.tolist() == [1.5, 2.5, 7.0]
    assert target_of([0, 1, 1], log=True).classes_ is None
    with pytest.raises(ValueError, match=r"task='classes' is unknown"):
        target_of([0, 1], task="classes")


def test_codes_are_judged_by_significant_steps_only():
    assert not are_codes(range(7), [678, 118, 80, 5, 4, 5, 1])
    assert are_codes(range(7), [678, 118, 80, 5, 4, 50, 1])


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "bool", "object"])
def test_labels_keep_their_dtype_through_json(dtype):
    values = np.array(["b", "a", "b"] if dtype == "object" else [1, 0, 1], dtype=dtype)
    target = target_of(values)
    again = Target.from_dict(json.loads(json.dumps(target.to_dict())))
    assert again.classes_.dtype == target.classes_.dtype == dtype
    assert again.decode(np.array([1, 0])).tolist() == [values[0], values[1]]
    assert read(again, values) == [1, 0, 1]
    assert again.to_dict() == target.to_dict()


def test_missing_and_unknown_rows_are_told_apart():
    assert read(target_of(["a", "b", None]), ["b", None, "c"]) == [1, MISSING, UNKNOWN]
    assert read(target_of([1, 2]), [2, None, 3]) == [1, MISSING, UNKNOWN]
    assert read(target_of([1, 2]), ["1", None, "two"]) == [0, MISSING, UNKNOWN]
    assert read(target_of(["1", "2"]), [2, None, 3]) == [UNKNOWN, MISSING, UNKNOWN]  # 2.0 in pandas
    np.testing.assert_array_equal(read(target_of([0.5, 2, 7]), ["1.5", None, "x"]), [1.5, np.nan, np.nan])
    np.testing.assert_array_equal(read(target_of([0.5, 2, 7, np.inf]), [np.inf, 1]), [np.nan, 1])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0 ", exclude_categories=["Cs"])).filter(lambda x: x not in NULLS),
        min_size=2, unique=True,
    )
)  # fmt: skip
def test_any_texts_are_labels(texts):
    target = target_of(texts * 2)
    assert target.classes_.tolist() == sorted(texts)
    assert target.decode(target.read(read_table(pd.DataFrame({"y": texts})))).tolist() == texts


def test_texts_that_are_numbers_are_numbers_unless_they_are_codes():
    prices = ["$1,250", "$980.5", "$12,400", None, "$77"]
    target = target_of(prices)
    assert target.classes_ is None and target.style == "1,234.5"
    np.testing.assert_array_equal(read(target, prices), [1250, 980.5, 12400, np.nan, 77])
    np.testing.assert_array_equal(read(target, [5.5, 7, None, 8, 9]), [5.5, 7, np.nan, 8, 9])
    again = Target.from_dict(json.loads(json.dumps(target.to_dict())))
    np.testing.assert_array_equal(read(again, ["$2", "free"]), [2, np.nan])
    assert target_of(prices, log=True).log and target_of(["1,5", "2,25", "9,5"]).style == "1.234,5"
    assert target_of(prices, task="classification").classes_.tolist() == sorted(filter(None, prices))
    assert target_of(["0", "1", "1"]).classes_.tolist() == ["0", "1"]
    assert target_of(["10", "9", "8"] * 9).classes_.tolist() == ["10", "8", "9"]
    assert target_of(["0", "1", "1"], task="regression").classes_ is None


def test_logarithms_are_learned_and_undone():
    target = target_of([0.0, 10.0, 99.0], log=True)
    learned = target.read(read_table({"y": np.array([99.0, 0.0, -3.0])}))
    np.testing.assert_allclose(learned, [np.log(100), 0, np.nan])
    np.testing.assert_allclose(target.decode(learned), [99, 0, np.nan])
    assert Target.from_dict(target.to_dict()).log
    with pytest.raises(ValueError, match=r"goes down to -1; log=True"):
        target_of([-1.0, 3.5, 7], log=True)


def test_what_is_pointed_out():
    skewed = np.exp(RNG.normal(10, 1, 300))
    assert "log=True learns logarithms" in target_of(skewed).notice
    assert target_of(skewed, log=True).notice == ""
    assert target_of(RNG.normal(50, 3, 300)).notice == ""
    assert "task='classification'" in target_of(np.repeat(np.arange(3, 10), [20, 163, 1457, 2198, 880, 175, 5])).notice
    assert "task='regression'" in target_of([0, 1, 1]).notice
    assert target_of([0, 1, 1], task="classification").notice == ""
    coded = np.where(RNG.random(300) < 0.2, -200, RNG.normal(2, 1, 300))
    assert target_of(coded).notice.startswith("-200 is frequent and far from the other values; null=-200")


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([5, 5, 5], {}, "'y' is 5 in every row; there is nothing to learn"),
        (["a", "a", None], {}, "'y' is a in every row"),
        ([None, None], {}, "'y' is missing in all 2 rows"),
        ([], {}, "has no rows"),
        (["a", "b"], {"task": "regression"}, "'y' holds texts; task='regression' needs numbers"),
        ([True, False], {"log": True}, "'y' holds truth values; log=True needs numbers"),
        ([f"t{i}" for i in range(2000)], {}, "more than 1000 different values as classes; group them"),
        (range(2000), {"task": "classification"}, "more than 1000 .* task='regression' fits numbers"),
        (pd.date_range("2024-01-01", periods=3), {}, "holds values of type TIMESTAMP"),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(values, options, message):
    with pytest.raises(ValueError, match=message):
        target_of(values, **options)


@pytest.mark.parametrize(
    "description",
    [
        None, [], {}, {"name": "y"}, {"name": 1, "classes": None, "dtype": "float64", "log": False, "style": ""},
        {"name": "y", "classes": None, "dtype": "float64", "log": False, "style": "x"},
        {"name": "y", "classes": ["a", "b"], "dtype": "object", "log": True, "style": ""},
        *({"name": "y", "classes": labels, "dtype": dtype, "log": False, "style": ""} for labels, dtype in (
            (["a"], "object"), (["b", "a"], "object"), (["a", "a"], "object"), ([1, "a"], "object"), ("ab", "object"),
            ([[1], [2]], "int64"), ([1, 300], "int8"), ([0.5, 1], "int64"), ([0, True], "int64"),
            ([0.0, float("nan")], "float64"), ([1, 2], "V8"), ([1, 2], ["int8"]), ([0, 10**400], "float64"))),
    ],
)  # fmt: skip
def test_a_damaged_description_is_refused(description):
    with pytest.raises(ValueError, match="target"):
        Target.from_dict(description)
