"""Tables: names, types, queries and blocks of rows."""

import gzip

import numpy as np
import pytest

from fastmlp.tables.reading import read_csv, read_table


@pytest.fixture
def fruit(tmp_path):
    path = tmp_path / "fruit.csv"
    path.write_text(" grams ,colour,grams\n150,red,1\nNA,?,2\n170,green,3\n")
    return read_table(path)


def test_names_are_stripped_and_told_apart(fruit):
    assert fruit.names == ("grams", "colour", "grams_1")
    assert fruit.types == ("BIGINT", "VARCHAR", "BIGINT")
    assert len(fruit) == 3


def test_a_position_is_a_name_or_a_number(fruit):
    assert [fruit.position(key) for key in ("colour", 0, -1)] == [1, 0, 2]
    with pytest.raises(ValueError, match="color"):
        fruit.position("color")
    with pytest.raises(ValueError, match="counted from 0"):
        fruit.position(3)
    with pytest.raises(TypeError, match="by text or by position"):
        fruit.position(1.0)


def test_values_missing_are_masked(fruit):
    values = fruit.select({"grams": "c0", "colour": "c1"})
    assert values["grams"].tolist() == [150, None, 170]
    assert values["colour"].tolist() == ["red", None, "green"]


def test_parameters_are_bound(fruit):
    evil = "'; DROP TABLE held; --"
    found = fruit.select({"n": "count(*)", "evil": "count(*) FILTER (c1 = ?)"}, "WHERE c1 <> ?", [evil, evil])
    assert (found["n"][0], found["evil"][0]) == (2, 0)
    assert len(fruit) == 3


def test_a_stream_gives_the_rows_in_order_in_blocks():
    table = read_table({"x": np.arange(300_000.0), "k": np.arange(300_000) % 7})
    blocks = list(table.stream({"x": "c0::FLOAT", "k": "c1::TINYINT"}))
    assert len(blocks) > 1
    assert np.concatenate([block["x"] for block in blocks]).tolist() == list(range(300_000))
    assert blocks[0]["k"].dtype == np.int8
    assert np.concatenate([block["k"] for block in blocks]).tolist() == [i % 7 for i in range(300_000)]


def test_texts_become_codes(fruit):
    evil = "'; DROP TABLE held; --"
    assert fruit.enum(["red", evil]) == fruit.enum(("red", evil)) != fruit.enum(["green"])
    codes = fruit.select({"code": f"enum_code(try_cast(c1 AS {fruit.enum(['green', evil, 'red'])}))"})
    assert codes["code"].tolist() == [2, None, 0]


def test_a_small_packed_file_cannot_unfold_without_end(tmp_path):
    path = tmp_path / "zeros.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"a,b\n" + b"0,0\n" * 1_000_000)
    assert path.stat().st_size < 10_000
    with pytest.raises(ValueError, match=r"zeros.csv.gz: .* more than max_bytes=100000"):
        read_table(path, max_bytes=100_000)


def test_columns_as_arrays():
    table = read_table({
        "n": np.ma.masked_array([1, 2], [False, True]),
        "k": [3, 4],
        "x": [0.5, None],
        "t": ["a", None],
        "b": [True, False],
        "d": np.array(["2020-01-31", "NaT"], dtype="datetime64[s]"),
    })  # fmt: skip
    assert table["n"].dtype == float and table["n"][0] == 1 and np.isnan(table["n"][1])
    assert table["k"].tolist() == [3, 4] and table["k"].dtype.kind == "i"
    assert table["x"][0] == 0.5 and np.isnan(table["x"][1])
    assert table["t"].tolist() == ["a", None]
    assert table["b"].tolist() == [True, False] and table["b"].dtype == bool
    assert table["d"].dtype.kind == "M" and np.isnat(table["d"]).tolist() == [False, True]
    assert table[-1].dtype == table["d"].dtype
    assert list(table.to_dict()) == list(table.names)
    with pytest.raises(ValueError, match="column='z' is unknown"):
        table["z"]


def test_a_table_without_some_columns(fruit):
    assert fruit.drop(["colour"]).names == ("grams", "grams_1")
    assert fruit.drop([0, -1])["colour"].tolist() == ["red", None, "green"]
    assert fruit.drop([]).names == fruit.names
    with pytest.raises(ValueError, match="must leave one"):
        fruit.drop([0, 1, 2])
    with pytest.raises(ValueError, match="color"):
        fruit.drop(["color"])


@pytest.mark.parametrize("names", [("grams", "colour"), ('"; DROP TABLE held; --', "Grösse\n")])
def test_other_libraries_take_the_rows_with_their_names(names):
    import polars as pl
    import pyarrow as pa

    table = read_table({names[0]: np.array([150, 120]), names[1]: np.array(["red", None], dtype=object)})
    expected = {name.strip(): values for name, values in zip(names, [[150, 120], ["red", None]], strict=True)}
    assert pl.DataFrame(table).to_dict(as_series=False) == expected
    assert pa.table(table).to_pydict() == expected
    assert read_table(pa.table(table)).names == table.names


def test_a_table_shows_its_first_rows(fruit):
    assert str(fruit).splitlines() == [
        "grams  colour  grams_1", "150    red     1", "               2", "170    green   3", "3 rows, 3 columns",
    ]  # fmt: skip
    wide = read_table({f"x{j}": np.arange(9.0) for j in range(30)})
    assert [len(line.split()) for line in str(wide).splitlines()] == [8] * 6 + [4]
    assert repr(wide) == "Table(the table: 9 rows, 30 columns)"


def test_columns_to_drop_are_dropped(tmp_path):
    path = tmp_path / "fruit.csv"
    path.write_text("0,1\n150,2\n120,3\n")
    assert read_table(path).names == ("column_0", "column_1")
    assert read_table(path, drop=["0"]).names == ("1",)
    assert read_csv(path, drop=[-1], header=True).names == ("0",)


@pytest.mark.parametrize("read", [read_table, read_csv])
def test_a_table_takes_no_more_memory_than_allowed(tmp_path, read):
    path = tmp_path / "ones.csv"
    path.write_text("a,b,c,d,e,f,g,h\n" + "1,2,3,4,5,6,7,8\n" * 6_000_000)
    with pytest.raises(MemoryError, match="ones.csv.*fm.scan_table"):
        read(path, max_bytes=2**28)
