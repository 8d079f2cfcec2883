"""Parts of Parquet files: together they are all rows, each once, in order, and each can be read by itself."""

from itertools import chain

import duckdb
import numpy as np
import pytest

from fastmlp.tables.database import connect
from fastmlp.tables.formats import row_groups
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table


def written(folder, sizes, group=2048):
    """Files of so many rows, numbered through, in row groups of ``group`` rows."""
    first = 0
    for i, size in enumerate(sizes):
        rows = f"SELECT range AS i, range % 7 AS k FROM range({first}, {first + size})"
        duckdb.sql(f"COPY ({rows}) TO '{folder}/{i:02}.parquet' (FORMAT parquet, ROW_GROUP_SIZE {group})")
        first += size
    return open_table(connect(), f"{folder}/*.parquet", Options(lazy=True))


def rows_of(table, parts):
    return [np.concatenate([b["i"] for b in table.stream({"i": "c0"}, part=part)]).tolist() for part in parts]


@pytest.mark.parametrize("least", [1, 2048, 5000, 100_000])
@pytest.mark.parametrize(
    "sizes", [(10_000,), (3000, 3000), (10, 20, 10_000, 30, 40), (5, 5, 5), (2048, 0, 4096, 0)], ids=str
)
def test_the_parts_are_all_rows_in_order(tmp_path, monkeypatch, sizes, least):
    monkeypatch.setattr(row_groups, "LEAST_ROWS", least)
    table = written(tmp_path, sizes)
    found = rows_of(table, table.parts)
    assert [*chain(*found)] == list(range(sum(sizes))) == table.select({"i": "c0"})["i"].tolist()
    assert [part.first for part in table.parts] == [rows[0] for rows in found]
    if least == 1:
        assert max(map(len, found)) <= 2048
    if least == 100_000:
        assert len(found) == 1


def test_small_row_groups_are_read_together(tmp_path, monkeypatch):
    monkeypatch.setattr(row_groups, "LEAST_ROWS", 5000)
    table = written(tmp_path, (20_480, 10, 20, 10_240, 10))
    assert [len(rows) for rows in rows_of(table, table.parts)] == [6144, 6144, 6144, 2048, 10_270, 10]


@pytest.mark.parametrize("name", row_groups.COLUMNS)
def test_a_column_named_like_the_database_s_own_is_kept(tmp_path, name):
    duckdb.sql(f"COPY (SELECT range AS {name} FROM range(5000)) TO '{tmp_path}/a.parquet' (ROW_GROUP_SIZE 2048)")
    table = open_table(connect(), tmp_path / "a.parquet", Options(lazy=True))
    assert len(table.parts) == 1
    assert rows_of(table, table.parts) == [list(range(5000))]
