"""docs/reliability.md: every row of its tables names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "reliability.md"
ROWS = re.findall(r"^\| (?!What |--)(.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.M)


def functions_of(path):
    return {each.name for each in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(each, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "-", row[0])[:60])
def test_every_promise_has_its_test(row):
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", row[2])
    assert named, row
    for file, function in named:
        paths = [path for path in TESTS.rglob(Path(file).name) if path.as_posix().endswith(f"/{file}")]
        assert any(function in functions_of(path) for path in paths), f"{file}::{function}"


def test_the_tables_are_read():
    page = PAGE.read_text(encoding="utf-8")
    assert len(ROWS) == len(re.findall(r"^\| .+::test_", page, re.M)) >= 14
