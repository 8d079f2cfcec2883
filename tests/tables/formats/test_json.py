"""JSON in the shapes that people and programs write."""

import json

import pandas as pd
import pytest
from table_values import columns

from fastmlp.tables.database import connect
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table, read_table

FRAME = pd.DataFrame({"n": [1, 2], "town": ["Ulm", None]})
EXPECTED = {"n": ("BIGINT", ["1", "2"]), "town": ("VARCHAR", ["Ulm", None])}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "towns.json"


@pytest.mark.parametrize("shape", ["records", "columns", "index", "split"])
@pytest.mark.parametrize("indent", [None, 2])
def test_what_pandas_writes(path, shape, indent):
    FRAME.to_json(path, orient=shape, indent=indent)
    assert columns(read_table(path)) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        '{"n":1,"town":"Ulm"}\n{"n":2,"town":null}\n',
        '{"n":1,"town":"Ulm"}{"n":2}',
        '{\n"n":1,"town":"Ulm"}\n\n{"n":2}\n',
        '\ufeff [ {"n":1,"town":"Ulm"},{"town":"?","n":2} ] ',
        '{"n":[1,2],"town":["Ulm",null]}',
        '{"count":2,"next":null,"results":[{"n":1,"town":"Ulm"},{"n":2}]}',
    ],
)
def test_other_shapes(path, text):
    path.write_text(text, encoding="utf-8")
    assert columns(read_table(path)) == EXPECTED


def test_one_object_is_one_row(path):
    path.write_text('{"n": 1, "size": {"w": 2.5, "h": {"cm": 3}}, "tags": ["a", "b"], "b": true, "d": "2024-05-06"}')
    assert columns(read_table(path)) == {
        "n": ("BIGINT", ["1"]), "size.w": ("DOUBLE", ["2.5"]), "size.h.cm": ("BIGINT", ["3"]),
        "tags": ("VARCHAR", ["[a, b]"]), "b": ("BOOLEAN", ["true"]), "d": ("DATE", ["2024-05-06"]),
    }  # fmt: skip


def test_arrays_of_arrays(path):
    path.write_text("[[1, null], [2.5, 7]]")
    assert columns(read_table(path)) == {"column_0": ("DOUBLE", ["1.0", "2.5"]), "column_1": ("BIGINT", [None, "7"])}


def test_types_and_names_are_those_of_all_rows(path):
    rows = [{"a": 1, "b": "7"}] * 30_000 + [{"a": 1.5, "b": 7, "c": 2}]
    path.write_text("\n".join(map(json.dumps, rows)))
    table = read_table(path)
    assert (table.names, table.types) == (("a", "b", "c"), ("DOUBLE", "VARCHAR", "BIGINT"))
    assert set(table.select({"b": "c1"})["b"]) == {"7"}


def test_many_columns_are_columns(path):
    path.write_text(json.dumps([{f"x{j}": j for j in range(500)}, {"x0": 1}]))
    assert len(read_table(path).names) == 500


def test_several_files_and_packed_ones(tmp_path):
    (tmp_path / "a.json").write_text('[{"n":1}]')
    (tmp_path / "b.json").write_text('[{"m":"x"}]')
    table = open_table(connect(), f"{tmp_path}/*.json", Options(lazy=True))
    assert columns(table) == {"n": ("BIGINT", ["1", None]), "m": ("VARCHAR", [None, "x"])}
    pd.DataFrame({"n": [1]}).to_json(tmp_path / "c.json.gz")
    assert columns(read_table(tmp_path / "c.json.gz")) == {"n": ("BIGINT", ["1"])}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"a":1}', "Malformed JSON"),
        ('[{"a":1},\n{"a":x}]', "Malformed JSON"),
        ('[{"a":1},5]', "must hold objects with names and values"),
        ("[]", "must hold objects"),
        ("{}", "must hold objects"),
        ('{"a":1,"a":2}', "duplicate key"),
        ('{"a":[1,2],"b":[1]}', "columns must be of one length"),
        ("[[1],[2,3]]", "must have rows and columns"),
        ('{"a":' * 100_000, "brackets"),
        ("[" * 100_000, "brackets"),
        ('[{"a":' * 1000 + "1" + "}]" * 1000, "maximum recursion depth"),
        ("\n".join(f'{{"x{i}":1}}' for i in range(6000)), "has 6000 columns"),
    ],
)
def test_what_is_refused(path, text, words):
    path.write_text(text)
    with pytest.raises(ValueError, match=words) as refused:
        read_table(path)
    assert str(refused.value).startswith(str(path)) and len(str(refused.value)) < 1000


def test_the_limit_counts_bytes(path):
    path.write_text(json.dumps([{"a": "x" * 100}] * 100))
    with pytest.raises(ValueError, match=r"towns\.json: has .* bytes, more than max_bytes=1000"):
        read_table(path, max_bytes=1000)
    path.write_text(json.dumps({"a": [1] * 1000}))
    with pytest.raises(ValueError, match=r"as one document, more than max_bytes=10000"):
        read_table(path, max_bytes=10_000)


def test_options_of_text_are_refused(path):
    path.write_text('[{"a":1}]')
    with pytest.raises(ValueError, match=r"header=True does not apply: .*towns\.json is JSON"):
        read_table(path, header=True)
