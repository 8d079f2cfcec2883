"""Data frames and series: each column becomes numbers by itself, and errors name the column.

Expected values come from the columns' own lists of Python numbers.
"""

import datetime
import decimal

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.checks.arrays import as_array, as_rows
from fastmlp.checks.frames import column_names, frame_as_array

nan = float("nan")
COLUMNS = {"size": [1.5, 2.5, -3.0, 4.0], "count": [3, 4, 5, 6], "red": [True, False, False, True]}
TABLE = np.array([COLUMNS["size"], COLUMNS["count"], COLUMNS["red"]], dtype=float).T
Y = [0.5, 1.0, 2.0, 3.5]


class Series:
    """The little of a pandas series that is used, with a column of any dtype."""

    iloc = dtype = None

    def __init__(self, values, dtype):
        self._values, self.dtype = values, dtype

    def isna(self):
        return np.array([value is None for value in self._values])

    def to_numpy(self, dtype, na_value=None):
        return np.array([na_value if value is None else value for value in self._values], dtype=dtype)

    def __array__(self, dtype=None, copy=None):
        return np.array(self._values, dtype=self.dtype if isinstance(self.dtype, np.dtype) else object)

    def __len__(self):
        return len(self._values)


class Frame:
    """The little of a pandas data frame that is used."""

    def __init__(self, **columns):
        self._columns = list(columns.values())
        self.columns = list(columns)

    columns = None

    @property
    def iloc(self):
        return self

    def __array__(self, dtype=None, copy=None):
        return np.array([np.asarray(column) for column in self._columns]).T

    def __getitem__(self, at):
        return self._columns[at[1]]

    def __len__(self):
        return len(self._columns[0])


class Int64:
    kind, numpy_dtype = "i", np.dtype("int64")


class Boolean:
    kind, numpy_dtype = "b", np.dtype("bool")


class Category:
    kind = "O"

    def __str__(self):
        return "category"


def plain(**more):
    return Frame(
        size=Series(COLUMNS["size"], np.dtype("float64")), count=Series(COLUMNS["count"], Int64()),
        red=Series(COLUMNS["red"], np.dtype("bool")), **more,
    )  # fmt: skip


def pandas_frame(**more):
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(COLUMNS | more)


def frames():
    """Frames of every library that is installed, and of kinds of columns, all with the numbers of TABLE."""
    yield "a frame with the methods of pandas", plain()
    try:
        import pandas as pd

        base = pd.DataFrame(COLUMNS)
        yield "pandas: bool beside float", base
        yield "pandas: nullable", base.astype({"size": "Float64", "count": "Int64", "red": "boolean"})
        yield "pandas: small", base.astype({"size": "float32", "count": "int8"})
        yield "pandas: sparse", base.astype({"size": pd.SparseDtype("float64", 0.0), "red": pd.SparseDtype("bool")})
        yield "pandas: one block", base.astype("float64")
        yield "pandas: every second row", pd.concat([base, base]).sort_index(kind="stable").iloc[::2]
        twice = base.copy()
        twice.columns = ["a", "a", "b"]
        yield "pandas: names twice", twice
        import pyarrow

        yield "pandas: of pyarrow", base.convert_dtypes(dtype_backend="pyarrow")
        yield "pyarrow", pyarrow.table(COLUMNS)
        yield "pyarrow: a batch", pyarrow.record_batch(COLUMNS)
        yield "pyarrow: decimals", pyarrow.table(COLUMNS | {"count": [decimal.Decimal(n) for n in COLUMNS["count"]]})
    except ImportError:
        pass
    try:
        import polars

        yield "polars", polars.DataFrame(COLUMNS)
        yield "polars: small", polars.DataFrame(COLUMNS).with_columns(polars.col("count").cast(polars.Int8))
    except ImportError:
        pass


@pytest.mark.parametrize("name, frame", [pytest.param(*each, id=each[0]) for each in frames()])
def test_frames_whose_columns_differ_in_kind_mean_their_numbers(name, frame):
    np.testing.assert_array_equal(frame_as_array("X", frame), TABLE)
    net, twin = (fm.Network([3, 4, 1], seed=0, dtype="float64") for _ in range(2))
    assert net.predict(frame).astype(float).tolist() == twin.predict(TABLE.astype(net.predict(frame).dtype)).tolist()
    fit = {"epochs": 2, "batch_size": 2, "optimizer": fm.SGD(0.01)}
    net.fit(frame, Y, validation_data=(frame, Y), **fit)
    twin.fit(TABLE, Y, validation_data=(TABLE, Y), **fit)
    np.testing.assert_array_equal(net.params, twin.params)
    net.fit(fm.Chunks([(frame, Y)]), **fit)
    twin.fit(fm.Chunks([(TABLE, Y)]), **fit)
    np.testing.assert_array_equal(net.params, twin.params)
    assert net.evaluate(frame, Y) == twin.evaluate(TABLE, Y)
    scaling, expected = fm.Input.standardized(frame), fm.Input.standardized(TABLE)
    np.testing.assert_array_equal(scaling.shift, expected.shift)
    (X, _), _, _ = fm.train_validation_test_split(frame, Y, validation=0, test=0, shuffle=False)
    np.testing.assert_array_equal(X, TABLE)
    assert len(column_names(frame)) == 3


def test_the_dtype_is_the_smallest_that_holds_all_columns():
    floats, bools = Series([1.0, 2.0], np.dtype("float32")), Series([True, False], np.dtype("bool"))
    assert as_array("X", Frame(a=floats, b=bools)).dtype == np.float32
    assert as_array("X", Frame(a=bools, b=Series([True, False], Boolean()))).dtype == bool
    assert as_rows("X", Frame(a=bools, b=bools)).dtype == np.uint8
    assert as_rows("X", Frame(a=floats, b=Series([1, 2], Int64()))).dtype == np.float64


def missing():
    """Frames and series with something missing in row 2, and the column's name."""
    yield "a frame", plain(age=Series([1, 2, None, 4], Int64())), "'age'"
    yield "a series", Series([1, 2, None, 4], Int64()), None
    yield "booleans", Series([True, False, None, True], Boolean()), None
    try:
        import pandas as pd

        yield "pandas: NaN", pd.DataFrame(COLUMNS | {"age": [1.0, 2.0, nan, 4.0]}), "'age'"
        yield "pandas: one block", pd.DataFrame({"a": TABLE[:, 0], 7: [1.0, 2.0, nan, 4.0]}), "7"
        yield "pandas: NA", pd.DataFrame(COLUMNS | {"age": pd.array([1, 2, None, 4], dtype="Int64")}), "'age'"
        yield "pandas: NA of bool", pd.DataFrame(COLUMNS | {"b": pd.array([True, True, None, False])}), "'b'"
        yield "pandas: a series", pd.Series([1, 2, None, 4], dtype="Int64"), None
        yield "pandas: sparse", pd.DataFrame({"s": pd.arrays.SparseArray([1.0, 2.0, nan, 4.0])}), "'s'"
        import pyarrow

        yield "pyarrow", pyarrow.table(COLUMNS | {"age": [1, 2, None, 4]}), "'age'"
        yield "pyarrow: bool", pyarrow.table(COLUMNS | {"b": [True, True, None, False]}), "'b'"
        yield "pyarrow: an array", pyarrow.array([True, True, None, False]), None
    except ImportError:
        pass
    try:
        import polars

        yield "polars", polars.DataFrame(COLUMNS | {"age": [1, 2, None, 4]}), "'age'"
        yield "polars: bool", polars.DataFrame(COLUMNS | {"b": [True, True, None, False]}), "'b'"
        yield "polars: a series", polars.Series([1, 2, None, 4]), None
    except ImportError:
        pass


@pytest.mark.parametrize("name, values, column", [pytest.param(*each, id=each[0]) for each in missing()])
def test_a_missing_value_is_named_by_row_and_column(name, values, column):
    if column is None:
        with pytest.raises(ValueError, match=r"^y must be finite, got nan in row 2(; Loss.*)?$"):
            fm.Network([1, 1]).fit([[1.0]] * 4, values)
        with pytest.raises(ValueError, match=r"^sample_weight must be finite, got nan in row 2(; Loss.*)?$"):
            fm.Network([1, 1]).fit([[1.0]] * 4, Y, sample_weight=values)
        return
    n = len(column_names(values))
    net = fm.Network([n, 1])
    for call in (net.predict, lambda X: net.fit(X, Y), lambda X: net.evaluate(X, Y), fm.Input.standardized):
        with pytest.raises(ValueError, match=rf"^X must be finite, got nan in row 2, column {column}$"):
            call(values)
    with pytest.raises(
        ValueError, match=rf"^X of chunk 1 of epoch 1 must be finite, got nan in row 2, column {column}"
    ):
        net.fit(fm.Chunks([(values, Y)]))


def others():
    """Frames with a column that holds no numbers, and its name."""
    yield "a frame", plain(colour=Series([None] * 4, Category())), "colour", "category"
    yield "objects", plain(o=Series(["a", 1, 2, 3], np.dtype("O"))), "o", "object"
    try:
        import pandas as pd

        base = pd.DataFrame(COLUMNS)
        yield "pandas: categories", base.assign(colour=pd.Categorical(list("abab"))), "colour", "category"
        yield "pandas: categories that are numbers", base.assign(n=pd.Categorical([1, 2, 1, 2])), "n", "category"
        yield "pandas: texts", base.assign(t=list("abab")), "t", "str"
        yield "pandas: objects", base.assign(o=pd.Series([1, "a", 2, 3], dtype=object)), "o", "object"
        yield "pandas: dates", base.assign(d=pd.date_range("2026-01-01", periods=4)), "d", "datetime64"
        import pyarrow

        days = [datetime.date(2026, 1, n) for n in range(1, 5)]
        yield "pyarrow: texts", pyarrow.table(COLUMNS | {"t": list("abab")}), "t", "string"
        yield "pyarrow: dates", pyarrow.table(COLUMNS | {"d": days}), "d", "date32"
        yield "pyarrow: dictionary", pyarrow.table({"n": pyarrow.array([1, 2, 1, 2]).dictionary_encode()}), "n", "dict"
    except ImportError:
        pass
    try:
        import polars

        yield "polars: texts", polars.DataFrame(COLUMNS | {"t": list("abab")}), "t", "String"
        yield (
            "polars: categories",
            polars.DataFrame({"c": polars.Series(list("abab"), dtype=polars.Categorical)}),
            "c",
            "",
        )
    except ImportError:
        pass


@pytest.mark.parametrize("name, frame, column, dtype", [pytest.param(*each, id=each[0]) for each in others()])
def test_a_column_without_numbers_is_refused_by_name(name, frame, column, dtype):
    with pytest.raises(TypeError, match=rf"^X must hold numbers, got .*{dtype}.* in column '{column}'; encode"):
        fm.Network([len(column_names(frame)), 1]).fit(frame, Y)
    with pytest.raises(TypeError, match=rf"^X must hold numbers, got .*{dtype}.* in column '{column}'; encode"):
        fm.Input.standardized(frame)
    if dtype != "date32":  # pyarrow itself refuses to make one array of it
        (X, _), _, _ = fm.train_validation_test_split(frame, Y, validation=0, test=0)
        assert X.shape == (4, len(column_names(frame)))


def test_targets_and_weights_may_be_series_and_frames():
    X, y = TABLE, Series([0, 1, 2, 1], Int64())
    net, twin = (fm.Network([3, 3], seed=0) for _ in range(2))
    net.fit(X, y, epochs=2, sample_weight=Series([1.0, 2.0, 1.0, 1.0], np.dtype("float64")))
    twin.fit(X, [0, 1, 2, 1], epochs=2, sample_weight=[1.0, 2.0, 1.0, 1.0])
    np.testing.assert_array_equal(net.params, twin.params)
    assert net.evaluate(X, y) == twin.evaluate(X, [0, 1, 2, 1])
    wide = Frame(a=Series([1, 2, 3, 4], Int64()), b=Series([0.5, 1.5, 2.5, 3.5], np.dtype("float64")))
    net = fm.Network([3, 2], seed=0)
    assert net.evaluate(X, wide) == net.evaluate(X, np.column_stack([[1, 2, 3, 4], [0.5, 1.5, 2.5, 3.5]]))


def test_estimators_take_the_same_frames():
    pytest.importorskip("sklearn")
    frame = pandas_frame()
    model = fm.MLPRegressor(hidden_layer_sizes=(3,), solver="lbfgs", max_iter=50, random_state=0)
    expected = model.fit(TABLE, Y).predict(TABLE)
    np.testing.assert_allclose(model.fit(frame, Y).predict(frame), expected, rtol=1e-6)
    nullable = frame.astype({"size": "Float64", "count": "Int64", "red": "boolean"})
    np.testing.assert_allclose(model.fit(nullable, Y).predict(nullable), expected, rtol=1e-6)
