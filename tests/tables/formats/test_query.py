"""SQL queries: they see files, and can only read."""

import pytest
from table_values import columns

from fastmlp.tables.database import connect
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table, read_table


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("n,town\n1,Ulm\n2,Bonn\n-9,?\n")
    (tmp_path / "b.csv").write_text("n,town\n3,Trier\n")
    return tmp_path


@pytest.mark.parametrize("end", ["", ";", " -- towns", "\n;\n"])
def test_a_query_over_files(folder, end):
    table = read_table(f"select town, n * 2 as twice from '*.csv' where n > 1 order by n{end}")
    assert columns(table) == {"town": ("VARCHAR", ["Bonn", "Trier"]), "twice": ("BIGINT", ["4", "6"])}


def test_null_and_the_usual_texts_are_missing(folder):
    table = read_table("FROM 'a.csv'", null=[-9])
    assert columns(table) == {"n": ("BIGINT", ["1", "2", None]), "town": ("VARCHAR", ["Ulm", "Bonn", None])}


def test_a_lazy_query_runs_again(folder):
    table = open_table(connect(), "SELECT n FROM 'b.csv'", Options(lazy=True))
    (folder / "b.csv").write_text("n,town\n4,Trier\n")
    assert columns(table) == {"n": ("BIGINT", ["4"])}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("SELECT 1; SELECT 2", "one SELECT statement"),
        ("SELECT 1; COPY (SELECT 1) TO 'out.csv'", "one SELECT statement"),
        ("WITH x AS (COPY (SELECT 1) TO 'out.csv') SELECT * FROM x", "COPY"),
        ("SELECT (WITH x AS (COPY (SELECT 1) TO 'out.csv') SELECT * FROM x)", "COPY"),
        ("SELECT 1) AS x, (SELECT 2", "syntax error"),
        ("SELECT 1 /*", "comment"),
        ("SELECT m FROM 'a.csv'", '"m" not found'),
        ("SELECT * FROM 'none.csv'", "No files found"),
        ("SELECT * FROM folder", "does not exist"),
        ("SELECT * FROM 'https://localhost/x.csv'", "."),
        ("SELECT $1", "."),
    ],
)
def test_anything_else_is_refused(folder, query, words):
    with pytest.raises(ValueError, match=words) as refused:
        read_table(query)
    assert str(refused.value).startswith("the query ")
    assert sorted(path.name for path in folder.iterdir()) == ["a.csv", "b.csv"]


def test_a_file_with_such_a_name_is_a_file(folder):
    (folder / "select all.csv").write_text("a,b\n1,2\n")
    assert read_table("select all.csv").names == ("a", "b")


def test_options_of_text_belong_into_the_query(folder):
    with pytest.raises(ValueError, match=r"delimiter=';' does not apply: the query .* is SQL"):
        read_table("SELECT 1", delimiter=";")
