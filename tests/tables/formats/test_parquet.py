"""Parquet files: one or several, read into memory or anew for each query."""

import duckdb
import pytest

from fastmlp.tables.database import connect
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table, read_table


@pytest.fixture
def folder(tmp_path):
    duckdb.sql(f"COPY (SELECT 1 AS n, 'Ulm' AS town UNION ALL SELECT NULL, 'Bonn') TO '{tmp_path}/a.parquet'")
    duckdb.sql(f"COPY (SELECT 3 AS n, 'Köln' AS town) TO '{tmp_path}/b.parquet'")
    return tmp_path


@pytest.mark.parametrize("lazy", [False, True])
def test_rows_of_all_files(folder, lazy):
    table = open_table(connect(), f"{folder}/*.parquet", Options(lazy=lazy))
    assert (table.names, len(table)) == (("n", "town"), 3)
    assert table.select({"n": "c0", "town": "c1"})["n"].tolist() == [1, None, 3]
    duckdb.sql(f"COPY (SELECT 4 AS n, 'Trier' AS town) TO '{folder}/b.parquet'")
    assert table.select({"n": "c0"})["n"].tolist() == [1, None, 4 if lazy else 3]


def test_the_contents_tell_the_format(folder):
    (folder / "a.parquet").rename(folder / "a.csv")
    assert len(read_table(folder / "a.csv")) == 2


def test_options_for_text_are_refused(folder):
    with pytest.raises(ValueError, match=r"header=True does not apply: .*a\.parquet is Parquet"):
        read_table(folder / "a.parquet", header=True)


@pytest.mark.parametrize("lazy", [False, True])
def test_a_damaged_file_is_named(folder, lazy):
    (folder / "a.parquet").write_bytes((folder / "a.parquet").read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"a\.parquet"):
        open_table(connect(), folder / "a.parquet", Options(lazy=lazy))
