"""fastmlp.data.readers.tables: what becomes of the columns of a CSV file, and how bad fields are reported."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.readers import tables
from fastmlp.data.readers.table_encoding import TableEncoding
from fastmlp.data.readers.tables import read_csv

FRUIT = "grams,colour,fruit\n150,red,pear\n120,yellow,banana\n170,green,apple\n160,red,apple\n"


@pytest.fixture
def csv(tmp_path):
    """Write a text to a file and return its path."""

    def write(text, name="table.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_numbers_stay_texts_become_one_hot_and_the_target_labels(csv):
    table = read_csv(csv(FRUIT))
    assert table.feature_names == ("grams", "colour=green", "colour=red", "colour=yellow")
    expected = [[150, 0, 1, 0], [120, 0, 0, 1], [170, 1, 0, 0], [160, 0, 1, 0]]
    np.testing.assert_array_equal(table.X, expected)
    assert table.X.dtype == np.float64 and table.y.dtype == np.int64
    assert table.y.tolist() == [2, 1, 0, 0]
    assert table.classes == ("apple", "banana", "pear")
    assert table.target_name == "fruit"
    assert repr(table) == "Table(4 rows, 4 features, target 'fruit' with 3 classes)"


@pytest.mark.parametrize("target", ["grams", 0, -3])
def test_the_target_by_name_or_position(csv, target):
    table = read_csv(csv(FRUIT), target)
    assert table.target_name == "grams" and table.classes is None
    assert table.y.dtype == np.float64 and table.y.tolist() == [150, 120, 170, 160]
    assert table.X.shape == (4, 6) and table.feature_names[0] == "colour=green"
    assert repr(table) == "Table(4 rows, 6 features, target 'grams')"


def test_no_target(csv):
    table = read_csv(csv("a,b\n1,2\n3,4\n"), target=None)
    assert table.y is None and table.target_name is None and table.classes is None
    np.testing.assert_array_equal(table.X, [[1, 2], [3, 4]])
    assert repr(table) == "Table(2 rows, 2 features, no target)"


def test_without_a_header_columns_are_named_by_position(csv):
    for options in ({}, {"header": False}):
        table = read_csv(csv("1,x,0.5\n2,y,1.5\n"), **options)
        assert table.feature_names == ("column_0", "column_1=x", "column_1=y")
        assert table.target_name == "column_2" and table.y.tolist() == [0.5, 1.5]


def test_a_header_can_be_forced_either_way(csv):
    path = csv("size,kind\nbig,cat\nsmall,dog\n")
    assert read_csv(path, header=True).classes == ("cat", "dog")
    assert read_csv(path, header=False).classes == ("cat", "dog", "kind")
    assert read_csv(csv("2001,2002\n1,2\n"), header=True).feature_names == ("2001",)


def test_unnamed_columns_of_a_header_are_named_by_position(csv):
    assert read_csv(csv(",a,y\n0,1,2\n1,3,4\n")).feature_names == ("column_0", "a")


def test_whole_numbers_as_classes(csv):
    path = csv("a,quality\n1,10\n2,-3\n3,9\n4,10\n")
    assert read_csv(path).y.tolist() == [10, -3, 9, 10]
    assert read_csv(path, classification=False).y.dtype == np.float64
    table = read_csv(path, classification=True)
    assert table.classes == ("-3", "9", "10") and table.y.tolist() == [2, 0, 1, 2]
    assert table.y.dtype == np.int64


def test_categorical_and_drop(csv):
    path = csv("id,code,x,y\n7,2,0.1,1\n8,10,0.2,2\n9,2,0.3,3\n")
    table = read_csv(path, categorical=["code"], drop=[0])
    assert table.feature_names == ("code=10", "code=2", "x")
    np.testing.assert_array_equal(table.X, [[0, 1, 0.1], [1, 0, 0.2], [0, 1, 0.3]])
    mixed = read_csv(csv("code,y\nA,1\n5,2\n"), categorical=[0])
    assert mixed.feature_names == ("code=5", "code=A")


def test_dropped_columns_may_hold_anything(csv):
    table = read_csv(csv("a,note,y\n1,,1\n2,nan,2\n3,4,3\n"), drop=["note"])
    assert table.feature_names == ("a",)


def test_rows_beyond_a_block_are_read_the_same(csv, monkeypatch):
    text = "a,c,y\n" + "".join(f"{i},{'pqrs'[i % 4]},{i / 2}\n" for i in range(50))
    whole = read_csv(csv(text))
    monkeypatch.setattr(tables, "_BLOCK", 7)
    pieces = read_csv(csv(text))
    np.testing.assert_array_equal(whole.X, pieces.X)
    np.testing.assert_array_equal(whole.y, pieces.y)
    assert whole.X[:, 0].tolist() == list(range(50))
    with pytest.raises(ValueError, match=r"row 51 \(line 52\), column 'c': '3' is a number"):
        read_csv(csv(text + "1,3,1\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b,y\n1,2,3\n1,x,3\n", r"row 2 \(line 3\), column 'b': 'x' is text in a column of numbers"),
        ("a,b,y\n1,x,3\n1,2,3\n", r"row 2 \(line 3\), column 'b': '2' is a number in a column of text"),
        ("a,b,y\n1,2,3\n\n1,nan,3\n", r"row 2 \(line 4\), column 'b': 'nan' is not a finite number"),
        ("a,b,y\n1,2,3\n1,2,-Inf\n", r"row 2 \(line 3\), column 'y': '-Inf' is not a finite number"),
        ("a,b,y\n1,x,3\n1,NaN,3\n", r"row 2 \(line 3\), column 'b': 'NaN' is not a finite number"),
        ("a,b,y\n1,1e999,3\n", r"row 1 \(line 2\), column 'b': '1e999' is not a finite number"),
        ("1,2\n3,1_0\n", r"row 2 \(line 2\), column 'column_1': '1_0' is text"),
        ("a,b,y\n1,,3\n", r"1 field is blank: row 1 \(line 2\), column 'b'\."),
        (
            "a,b,y\n1, ,\n,2,3\n",
            r"3 fields are blank: row 1 .line 2., column 'b'; row 1 .*'y'; row 2 .*'a'\.",
        ),
        (
            "a,y\n" + ",1\n" * 10 + "1,1\n",
            r"10 fields are blank: row 1 .*row 5 \(line 6\), column 'a'; \.\.\.\.",
        ),
        ("a,b,y\n1,,3\n2,,4\n", "2 fields are blank"),
        ("a,b,y\n1,2\n", "line 2 has 2 fields, the lines before have 3"),
        ("a,a,y\n1,2,3\n", "the header names 'a' more than once"),
        ("", "has no rows"),
        ("\n\n", "has no rows"),
        ("y\n1\n", "has no input column left; its columns: 'y'"),
        ('a;y\n"1,5";2\n"2,5";3\n', r"column 'a' holds numbers with a decimal comma \(1,5\)"),
        (
            "a,y\n" + "".join(f"x{i},1\n" for i in range(1001)),
            "column 'a' has more than 1000 different texts",
        ),
    ],
)
def test_bad_fields_are_named_by_row_and_column(csv, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(csv(text))
    assert "table.csv" in str(caught.value)


def test_a_header_alone_has_no_rows(csv):
    with pytest.raises(ValueError, match="has a header but no rows"):
        read_csv(csv("a,b\n"), header=True)


def test_exactly_a_thousand_texts_are_allowed(csv):
    table = read_csv(csv("a,y\n" + "".join(f"x{i},1\n" for i in range(1000))))
    np.testing.assert_array_equal(table.X.sum(axis=0), np.ones(1000))


def test_a_one_hot_table_too_large_for_memory_is_refused(csv):
    with pytest.raises(ValueError, match="4 rows with 4 features need 128 bytes.*'colour' alone has 3 categories"):
        read_csv(csv(FRUIT), max_bytes=120)
    assert read_csv(csv(FRUIT), max_bytes=128).X.nbytes == 128


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"target": "fruits"}, ValueError, "target='fruits' is unknown; did you mean 'fruit'"),
        ({"target": 3}, ValueError, "target=3 is not a column; the file has 3"),
        ({"target": -4}, ValueError, "target=-4 is not a column"),
        ({"target": True}, TypeError, "target must name a column"),
        ({"target": 1.0}, TypeError, "target must name a column"),
        ({"drop": ["colours"]}, ValueError, "drop='colours' is unknown; did you mean 'colour'"),
        ({"drop": "colour"}, TypeError, "drop must be a sequence"),
        ({"categorical": [9]}, ValueError, "categorical=9 is not a column"),
        ({"drop": ["fruit"]}, ValueError, "target 'fruit' must not be in drop or categorical"),
        ({"categorical": [-1]}, ValueError, "target 'fruit' must not be in drop or categorical"),
        ({"drop": [0, 1]}, ValueError, "has no input column left"),
        ({"classification": False}, ValueError, "target 'fruit' is text; classification=False needs numbers"),
        ({"delimiter": ",,"}, ValueError, "delimiter must be one character, .*; got ',,'"),
        ({"delimiter": ""}, ValueError, "delimiter must be one character"),
        ({"delimiter": "\n"}, ValueError, "delimiter must be one character"),
        ({"encoding": {}}, TypeError, "encoding must be a TableEncoding, got dict"),
    ],
)
def test_wrong_arguments(csv, options, error, message):
    with pytest.raises(error, match=message):
        read_csv(csv(FRUIT), **options)


def test_classes_must_be_whole_and_not_too_many(csv):
    with pytest.raises(ValueError, match=r"row 2 \(line 3\), column 'y': 2.5 is not a whole number"):
        read_csv(csv("a,y\n1,1\n1,2.5\n"), classification=True)
    with pytest.raises(ValueError, match="target 'y' has 1001 different numbers; expected 1000 classes at most"):
        read_csv(csv("a,y\n" + "".join(f"1,{i}\n" for i in range(1001))), classification=True)


def test_wrong_types_and_missing_files(tmp_path):
    with pytest.raises(TypeError, match="path must be"):
        read_csv(None)
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "absent.csv")


# --- a second file with the columns of the first ---


def again(table):
    """The encoding of ``table`` after a journey through JSON."""
    return TableEncoding.from_dict(json.loads(json.dumps(table.encoding.to_dict())))


def test_a_second_file_gets_the_same_features_whatever_the_order_of_its_columns(csv):
    encoding = again(read_csv(csv(FRUIT)))
    second = read_csv(csv("fruit,new,colour,grams\napple,?,yellow,100\n"), encoding=encoding)
    np.testing.assert_array_equal(second.X, [[100, 0, 0, 1]])
    assert second.y.tolist() == [0] and second.classes == ("apple", "banana", "pear")
    assert second.encoding == encoding


def test_the_target_may_be_absent_from_the_second_file(csv):
    encoding = read_csv(csv(FRUIT)).encoding
    second = read_csv(csv("grams,colour\n100,red\n"), encoding=encoding)
    np.testing.assert_array_equal(second.X, [[100, 0, 1, 0]])
    assert second.y is None and second.classes == ("apple", "banana", "pear")
    assert repr(second) == "Table(1 rows, 4 features, no target)"


@pytest.mark.parametrize("target", [0, 1, 2])
def test_a_second_file_without_a_header_goes_by_position(csv, target):
    encoding = again(read_csv(csv(FRUIT), target))
    row = ["120", "yellow", "pear"]
    whole = read_csv(csv(",".join(row)), encoding=encoding)
    assert len(whole.y) == 1
    del row[target]
    np.testing.assert_array_equal(read_csv(csv(",".join(row)), encoding=encoding).X, whole.X)
    expected = {0: [0, 0, 1, 0, 0, 1], 1: [120, 0, 0, 1], 2: [120, 0, 0, 1]}[target]
    np.testing.assert_array_equal(whole.X, [expected])


def test_dropped_columns_count_for_positions(csv):
    encoding = read_csv(csv("1,x,2,7\n3,y,4,8\n"), drop=[0]).encoding
    np.testing.assert_array_equal(read_csv(csv("9,y,6\n"), encoding=encoding).X, [[0, 1, 6]])


def test_classes_keep_their_labels_in_the_second_file(csv):
    encoding = again(read_csv(csv("a,y\n1,3\n2,5\n3,8\n"), classification=True))
    assert read_csv(csv("a,y\n1,8\n2,5.0\n"), encoding=encoding).y.tolist() == [2, 1]
    with pytest.raises(ValueError, match=r"row 2 \(line 3\), column 'y': 4 is not one of the known classes"):
        read_csv(csv("a,y\n1,8\n2,4\n"), encoding=encoding)


def test_codes_stay_categories_in_the_second_file(csv):
    encoding = again(read_csv(csv("code,x,y\n1,1,1\n2,2,2\n"), categorical=["code"]))
    np.testing.assert_array_equal(read_csv(csv("code,x\n2,7\n"), encoding=encoding).X, [[0, 1, 7]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "grams,colour\n1,red\n2,blue\n",
            r"row 2 \(line 3\), column 'colour': 'blue' is not one of the known cat",
        ),
        ("grams,colour\n1,7\n", r"row 1 \(line 2\), column 'colour': '7' is not one of the known categories"),
        ("grams,colour\nheavy,red\n", r"row 1 \(line 2\), column 'grams': 'heavy' is text"),
        ("grams,colour,fruit\n1,red,kiwi\n", r"column 'fruit': 'kiwi' is not one of the known categories"),
        ("grams,color\n1,red\n", "lacks the columns 'colour'"),
        ("grams,colour\n1,\n", r"1 field is blank: row 1 \(line 2\), column 'colour'"),
        ("1,red,apple,7\n", "has 4 columns and no header; expected 2 or 3"),
        ("grams,grams,colour\n1,2,red\n", "names 'grams' more than once"),
        ("grams,colour\n", "has a header but no rows"),
    ],
)
def test_a_second_file_that_does_not_fit(csv, text, message):
    encoding = read_csv(csv(FRUIT)).encoding
    with pytest.raises(ValueError, match=message):
        read_csv(csv(text), encoding=encoding)


@pytest.mark.parametrize(
    "options", [{"target": "fruit"}, {"classification": True}, {"drop": [0]}, {"categorical": ["colour"]}]
)
def test_an_encoding_settles_the_other_arguments(csv, options):
    path = csv(FRUIT)
    with pytest.raises(ValueError, match="encoding already sets target"):
        read_csv(path, encoding=read_csv(path).encoding, **options)


# --- any table, any damage ---

words = st.text("abcxyz \u00e9", min_size=1, max_size=5).map(str.strip).filter(bool).map("w".__add__)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(rows=st.lists(st.tuples(numbers, words, numbers), min_size=1, max_size=30), packed=st.booleans())
@settings(max_examples=100)
def test_every_value_comes_back(tmp_path_factory, rows, packed):
    path = Path(tmp_path_factory.getbasetemp()) / "any.csv"
    contents = ("a,b,y\n" + "".join(f"{a!r},{b},{y!r}\n" for a, b, y in rows)).encode()
    path.write_bytes(gzip.compress(contents) if packed else contents)
    table = read_csv(path)
    assert table.X[:, 0].tolist() == [a for a, _, _ in rows]
    assert table.y.tolist() == [y for _, _, y in rows]
    names = [name.removeprefix("b=") for name in table.feature_names[1:]]
    assert names == sorted({b for _, b, _ in rows})
    assert [names[j] for j in table.X[:, 1:].argmax(axis=1)] == [b for _, b, _ in rows]
    np.testing.assert_array_equal(table.X[:, 1:].sum(axis=1), 1)


@given(contents=st.binary(max_size=60) | st.text('1a,;"\n\t .-', max_size=60).map(str.encode))
@settings(max_examples=300)
def test_any_bytes_give_a_finite_table_or_a_value_error(tmp_path_factory, contents):
    path = Path(tmp_path_factory.getbasetemp()) / "any_bytes.csv"
    path.write_bytes(contents)
    try:
        assert np.isfinite(read_csv(path).X).all()
    except ValueError as error:
        assert str(path) in str(error)


# --- real files ---


def real(name):
    path = Path(os.environ.get("FASTMLP_DATA", "absent")) / "tabular" / f"{name}.csv.gz"
    if not path.is_file():
        pytest.skip(f"no {name} in FASTMLP_DATA")
    return path


@pytest.mark.mnist
def test_adult():
    train = read_csv(real("adult_train"), target="income")
    assert len(train.X) == 32_561 and train.classes == ("<=50K", ">50K")
    assert np.bincount(train.y).tolist() == [32_561 - 7_841, 7_841]
    assert len(train.encoding.columns) == 14
    assert sum(column.kind == "numeric" for column in train.encoding.columns) == 6
    test = read_csv(real("adult_test"), encoding=again(train))
    assert test.X.shape == (16_281, train.X.shape[1]) and test.y.sum() == 3_846
    assert test.feature_names == train.feature_names


@pytest.mark.mnist
def test_california_housing_has_blanks():
    message = r"207 fields are blank: row 291 \(line 292\), column 'total_bedrooms'; row 342 "
    with pytest.raises(ValueError, match=message):
        read_csv(real("california_housing"), target="median_house_value")
    table = read_csv(real("california_housing"), target="median_house_value", drop=["total_bedrooms"])
    assert table.X.shape == (20_640, 7 + 5) and table.y.max() == 500_001


@pytest.mark.mnist
@pytest.mark.parametrize(
    ("name", "options", "shape", "counts"),
    [
        ("bank_marketing", {}, (45_211, 51), [45_211 - 5_289, 5_289]),
        ("letter_recognition", {"target": "letter"}, (20_000, 16), None),
        ("magic_gamma", {}, (19_020, 10), [12_332, 6_688]),
        ("credit_default", {"classification": True, "drop": ["ID"]}, (30_000, 23), [23_364, 6_636]),
        ("wine_quality_white", {"classification": True}, (4_898, 11), None),
        ("concrete_strength", {}, (1_030, 8), None),
    ],
)
def test_other_real_tables(name, options, shape, counts):
    table = read_csv(real(name), **options)
    assert table.X.shape == shape
    if counts:
        assert np.bincount(table.y).tolist() == counts


def test_more_rows_than_max_bytes_allows_are_refused_before_they_are_there(csv):
    path = csv("a,b,y\n" + "1,2,3\n" * 20_000)
    with pytest.raises(ValueError, match="at least 4095 rows of 2 columns need 65520 bytes, more than max_bytes=50000"):
        read_csv(path, max_bytes=50_000)
    assert read_csv(path, max_bytes=320_000).X.nbytes == 320_000
    for max_bytes in (0, 1.5, True, "4 GiB"):
        with pytest.raises((ValueError, TypeError), match="max_bytes must be"):
            read_csv(path, max_bytes=max_bytes)


def test_a_text_too_long_to_be_a_category_is_refused(csv):
    with pytest.raises(ValueError, match=r"row 2 \(line 3\), column 'a': a text of 1001 characters is too long"):
        read_csv(csv("a,y\n" + "x" * 1000 + ",1\n" + "y" * 1001 + ",2\n"))


def test_many_columns_are_read_in_blocks_and_their_names_are_compared_once_each(csv):
    n = 20_000
    path = csv(",".join(f"c{j}" for j in range(n)) + "\n" + (",".join(["0.25"] * n) + "\n") * 60)
    table = read_csv(path)
    assert table.X.shape == (60, n - 1) and (table.X == 0.25).all()
    with pytest.raises(ValueError, match="the header names 'a' more than once"):
        read_csv(csv(",".join(["a"] * n) + "\n" + ",".join(["1"] * n) + "\n"))


def test_names_from_a_file_send_nothing_to_the_terminal(csv):
    names = ",".join(f"\x1b[{i}m" for i in range(50))
    for options in ({"target": "y"}, {"drop": list(range(49))}, {"target": "\x1b[3m", "drop": ["\x1b[3m"]}):
        with pytest.raises(ValueError) as refused:
            read_csv(csv(names + "\n" + ",".join(["1"] * 50) + "\n"), header=True, **options)
        assert str(refused.value).isprintable() and len(str(refused.value)) < 1000
