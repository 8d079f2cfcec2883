"""fastmlp.data.readers.table_encoding: to plain dictionaries and back, and what is refused on the way."""

import json

import pytest

from fastmlp.data.readers.table_encoding import ColumnEncoding, TableEncoding

ENCODING = TableEncoding(
    (ColumnEncoding("age", 0, "numeric"), ColumnEncoding("colour", 2, "text", ("blue", "red"))),
    ColumnEncoding("grade", 1, "integer", ("1", "2", "5")),
    4,
)


def test_names_follow_the_columns():
    assert ENCODING.feature_names == ("age", "colour=blue", "colour=red")
    assert ENCODING.classes == ("1", "2", "5")
    assert TableEncoding(ENCODING.columns, None, 4).classes is None
    assert TableEncoding(ENCODING.columns, ColumnEncoding("price", 1, "numeric"), 4).classes is None


@pytest.mark.parametrize("target", [ENCODING.target, None])
def test_json_round_trip(target):
    encoding = TableEncoding(ENCODING.columns, target, 4)
    assert TableEncoding.from_dict(json.loads(json.dumps(encoding.to_dict()))) == encoding


def test_an_encoding_cannot_be_changed():
    with pytest.raises(AttributeError):
        ENCODING.n_columns = 3
    with pytest.raises(AttributeError):
        ENCODING.columns[0].name = "years"


def changed(path, value):
    """The description of ``ENCODING`` with one entry replaced."""
    description = ENCODING.to_dict()
    *parents, last = path
    place = description
    for key in parents:
        place = place[key]
    place[last] = value
    return description


@pytest.mark.parametrize(
    "description",
    [
        None,
        [],
        {},
        {"columns": [], "target": None, "n_columns": 2},
        changed(["columns"], [1]),
        changed(["columns"], 5),
        changed(["target"], "grade"),
        changed(["columns"], []),
        changed(["n_columns"], "4"),
        changed(["n_columns"], 2),
        changed(["columns", 0, "name"], 3),
        changed(["columns", 0, "name"], "colour"),
        changed(["columns", 0, "position"], 2),
        changed(["columns", 0, "position"], -1),
        changed(["columns", 0, "position"], 0.0),
        changed(["columns", 0, "kind"], "number"),
        changed(["columns", 0, "kind"], "text"),
        changed(["columns", 1, "kind"], "numeric"),
        changed(["columns", 1, "kind"], "integer"),
        changed(["columns", 1, "categories"], ["red", "red"]),
        changed(["columns", 1, "categories"], [1, 2]),
        changed(["columns", 1, "categories"], None),
        changed(["target", "name"], "age"),
        changed(["target", "categories"], ["1", "many"]),
    ],
)
def test_other_descriptions_are_value_errors(description):
    with pytest.raises(ValueError, match="description|column '?"):
        TableEncoding.from_dict(description)
