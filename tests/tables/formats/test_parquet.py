"""Parquet files: one or several, read into memory or anew for each query."""

import duckdb
import pytest
from table_values import columns

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


def test_a_folder_with_folders(tmp_path):
    for year in (2024, 2025):
        folder = tmp_path / f"sales/year={year}"
        folder.mkdir(parents=True)
        duckdb.sql(f"COPY (SELECT {year - 2000} AS n) TO '{folder}/part.parquet'")
    (tmp_path / "sales/_temporary").mkdir()
    (tmp_path / "sales/_temporary/part.parquet").write_bytes(b"not complete")
    for source in (tmp_path / "sales", f"{tmp_path}/sales/year*/*.parquet"):
        assert columns(read_table(source)) == {"n": ("INTEGER", ["24", "25"]), "year": ("BIGINT", ["2024", "2025"])}


def test_columns_are_put_together_by_name(tmp_path):
    duckdb.sql(f"COPY (SELECT 1 AS a) TO '{tmp_path}/a.parquet'")
    duckdb.sql(f"COPY (SELECT {{'x': 2.5, 'y': [1]}} AS b, 3 AS a) TO '{tmp_path}/b.parquet'")
    assert columns(read_table(f"{tmp_path}/*.parquet", null=[3])) == {
        "a": ("INTEGER", ["1", None]), "b.x": ("DOUBLE", [None, "2.5"]), "b.y": ("VARCHAR", [None, "[1]"])
    }  # fmt: skip


def test_a_few_bytes_that_stand_for_many_rows_are_refused(tmp_path):
    path = tmp_path / "many.parquet"
    duckdb.sql(f"COPY (SELECT 0 AS a FROM range(3_000_000)) TO '{path}'")
    assert path.stat().st_size < 100_000
    with pytest.raises(ValueError, match=r"many\.parquet: its 3000000 rows take 24000000 bytes, more than max_bytes=1"):
        read_table(path, max_bytes=10**7)
    assert len(read_table(path)) == 3_000_000
