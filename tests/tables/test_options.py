"""Options: checked once, and never silently ignored."""

import pytest

from fastmlp.tables.options import Options


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"drop": "id"}, TypeError, r"drop must be a sequence such as \['id'\], got 'id'"),
        ({"null": -200}, TypeError, r"null must be a sequence such as \[-200\], got -200"),
        ({"null": [None]}, TypeError, "null must hold texts or numbers"),
        ({"target": 1.5}, TypeError, "by text or by position, got 1.5"),
        ({"drop": [True]}, TypeError, "by text or by position, got True"),
        ({"header": "yes"}, TypeError, "header must be True, False or None, got 'yes'"),
        ({"delimiter": ",,"}, ValueError, "delimiter must be one character"),
        ({"delimiter": '"'}, ValueError, "delimiter must be one character"),
        ({"decimal": ";"}, ValueError, "decimal must be '.' or ',', got ';'"),
        ({"decimal": ",", "delimiter": ","}, ValueError, "must not both be ','"),
        ({"encoding": "klingon"}, ValueError, "encoding='klingon' is unknown"),
        ({"encoding": 8}, ValueError, "encoding=8 is unknown"),
        ({"max_bytes": 0}, ValueError, "max_bytes"),
    ],
)
def test_what_is_wrong_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        Options(**arguments)


def test_names_are_what_was_typed_as_text():
    assert Options(target="y", drop=["id", 3]).names == ("y", "id")
    assert Options(target=-1).names == ()


@pytest.mark.parametrize("argument", ["header", "delimiter", "decimal", "encoding", "null", "sheet"])
def test_an_option_that_says_nothing_about_a_source_is_refused(argument):
    value = {"header": False, "delimiter": ";", "decimal": ",", "encoding": "utf-8", "null": [1], "sheet": "2024"}[
        argument
    ]
    options = Options(**{argument: value})
    options.only("t", "a table", argument)
    with pytest.raises(ValueError, match=f"{argument}=.* does not apply: t is a table"):
        options.only("t", "a table")
