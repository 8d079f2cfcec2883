"""Tables read again for every epoch: the rows and the weights are those of the table in memory, in bounded memory."""

import threading

import duckdb
import numpy as np
import pandas as pd
import pytest

import fastmlp as fm
from fastmlp.data import chunks as chunks_module
from fastmlp.tables import scan
from fastmlp.tables.chunking import Rows
from fastmlp.tables.database import connect
from fastmlp.tables.formats import row_groups
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table, read_table

N = 10_000
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "size": RNG.normal(size=N),
        "town": RNG.choice(["Ulm", "Bonn", "Trier"], N),
        "sold": pd.date_range("2024-01-01", periods=N, freq="h"),
        "rooms": np.where(RNG.random(N) < 0.1, np.nan, RNG.integers(1, 30, N)),
        "price": np.arange(N) / 10,
        "grade": RNG.choice(["high", "low"], N),
    }
)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(row_groups, "LEAST_ROWS", 1)


@pytest.fixture
def parquet(tmp_path):
    return written(FRAME, tmp_path / "rows.parquet")


def written(frame, path):
    duckdb.from_df(frame).query("frame", f"COPY (SELECT * FROM frame) TO '{path}' (ROW_GROUP_SIZE 2048)")
    return path


def rows_of(chunks):
    return [np.concatenate(parts) for parts in zip(*chunks, strict=True)]


def network(rows, n_out=1, **settings):
    return fm.Network([rows.n_features, 8, n_out], target_scale=rows.target_scale, seed=0, **settings)


@pytest.mark.parametrize("kind", ["parquet", "csv", "frame"])
@pytest.mark.parametrize("buffer_rows", [None, 1000, 2048, 10_001])
def test_the_rows_are_those_of_the_table_in_memory(tmp_path, kind, buffer_rows):
    source = {"parquet": tmp_path / "rows.parquet", "csv": tmp_path / "rows.csv", "frame": FRAME}[kind]
    if kind == "parquet":
        written(FRAME, source)
    elif kind == "csv":
        FRAME.to_csv(source, index=False)
    rows = fm.scan_table(source, "price", shuffle=False, buffer_rows=buffer_rows)
    inputs = FRAME.drop(columns="price")
    encoder = fm.TableEncoder().fit(inputs)
    assert rows.encoder.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()
    chunks = list(rows.of_epoch(0))
    assert {len(X) for X, _ in chunks[:-1]} <= {rows.buffer_rows} and len(chunks[-1][0]) <= rows.buffer_rows <= N
    X, y = rows_of(chunks)
    np.testing.assert_array_equal(X, encoder.transform(inputs))
    np.testing.assert_array_equal(y, FRAME["price"])
    assert (X.dtype, rows.n_rows, rows.classes) == (np.float32, N, None)
    np.testing.assert_allclose(rows.target_scale, (y.mean(), 1 / y.std()))


def test_the_weights_are_those_of_a_fit_in_memory(parquet):
    rows = fm.scan_table(parquet, "price", shuffle=False, buffer_rows=1024)
    settings = {"epochs": 2, "batch_size": 64, "shuffle": False, "n_threads": 1}
    nets = [network(rows) for _ in range(2)]
    nets[0].fit(*rows_of(rows.of_epoch(0)), **settings)
    nets[1].fit(rows, **settings)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


def test_every_epoch_has_every_row_once_in_an_order_of_its_own(parquet):
    rows = fm.scan_table(parquet, "price", buffer_rows=1000)
    orders = [rows_of(rows.of_epoch(epoch))[1] for epoch in range(3)]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), FRAME["price"])
        assert (np.diff(order) < 0).any()
    assert not np.array_equal(orders[0], orders[1]) and not np.array_equal(orders[1], orders[2])
    again = fm.scan_table(parquet, "price", buffer_rows=3000)
    np.testing.assert_array_equal(rows_of(again.of_epoch(1))[1], orders[1])
    other = fm.scan_table(parquet, "price", seed=1)
    assert not np.array_equal(rows_of(other.of_epoch(1))[1], orders[1])


def test_predictions_are_in_the_order_of_the_table(parquet):
    rows = fm.scan_table(parquet, "price", buffer_rows=1000)
    net = network(rows)
    expected = net.predict(rows.encoder.transform(FRAME))
    np.testing.assert_allclose(net.predict(rows), expected, rtol=1e-5, atol=1e-6)
    without = fm.scan_table(parquet, encoder=rows.encoder, drop=["price"])
    assert [len(chunk) for chunk in without.of_epoch(0)] == [1]
    np.testing.assert_allclose(net.predict(without), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_some_rows_are_held_out(tmp_path, kind):
    source = tmp_path / f"rows.{kind}"
    FRAME.to_csv(source, index=False) if kind == "csv" else written(FRAME, source)
    rows = fm.scan_table(source, "price", validation=0.2)
    kept, held_out = (rows_of(each.of_epoch(1))[1] for each in (rows, rows.validation))
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held_out])), FRAME["price"])
    assert 0.17 * N < len(held_out) < 0.23 * N
    assert (np.diff(held_out) > 0).all() and abs(held_out.mean() - FRAME["price"].mean()) < 20
    np.testing.assert_array_equal(rows_of(rows.validation.of_epoch(7))[1], held_out)
    same, other = (fm.scan_table(source, "price", validation=0.2, seed=seed).validation for seed in (0, 1))
    np.testing.assert_array_equal(rows_of(same.of_epoch(0))[1], held_out)
    assert not np.array_equal(rows_of(other.of_epoch(0))[1], held_out)
    history = network(rows).fit(rows, validation_data=rows.validation, epochs=2)
    assert len(history["val_loss"]) == 2 and fm.scan_table(source, "price").validation is None


def test_the_sample_has_none_of_the_rows_held_out(tmp_path):
    held_out = rows_of(fm.scan_table(FRAME, "price", validation=0.1).validation.of_epoch(0))[1]
    frame = FRAME.assign(town=np.where(np.isin(FRAME["price"], held_out), "Mainz", FRAME["town"]))
    encoder = fm.scan_table(frame, "price", validation=0.1).encoder
    assert "town=Mainz" in fm.scan_table(frame, "price").encoder.get_feature_names_out()
    assert "town=Mainz" not in encoder.get_feature_names_out()


def test_rows_without_a_target_are_left_out(tmp_path):
    grade = FRAME["grade"].mask(RNG.random(N) < 0.3)
    rows = fm.scan_table(written(FRAME.assign(grade=grade), tmp_path / "a.parquet"), "grade", buffer_rows=777)
    assert rows.classes.tolist() == ["high", "low"] and rows.target_scale is None
    y = rows_of(rows.in_order())[1]
    assert y.dtype.kind == "i"
    np.testing.assert_array_equal(rows.classes[y], grade.dropna())
    other = FRAME.assign(grade=FRAME["grade"].replace("high", "higher"))
    scored = fm.scan_table(other, rows.target, encoder=rows.encoder)
    np.testing.assert_array_equal(rows_of(scored.in_order())[1], np.ones((other["grade"] == "low").sum()))
    net = network(rows, 2, loss="cross_entropy")
    net.fit(rows, epochs=1)
    assert net.evaluate(scored)["accuracy"] == net.evaluate(*rows_of(scored.in_order()))["accuracy"]


def test_the_task_may_be_given():
    frame = {"x": RNG.normal(size=60), "code": np.arange(60) % 3}
    assert fm.scan_table(frame, "code").classes.tolist() == [0, 1, 2]
    assert fm.scan_table(frame, "code", task="regression").classes is None
    with pytest.raises(ValueError, match="task='regression' needs a target"):
        fm.scan_table(frame, task="regression")


def test_an_encoder_is_fitted_once(parquet):
    encoder = fm.TableEncoder(drop=["town"], dtype="float64")
    rows = fm.scan_table(parquet, "price", encoder=encoder)
    assert rows.encoder is encoder and encoder.set_aside_ == {"town": "dropped"}
    assert next(rows.of_epoch(0))[0].dtype == np.float64
    kinds = encoder.kinds_
    assert fm.scan_table(FRAME[:100], "price", encoder=encoder).encoder.kinds_ is kinds
    with pytest.raises(ValueError, match="lacks the columns size"):
        fm.scan_table(FRAME[["price", "sold", "rooms"]], "price", encoder=encoder)


class Interrupt(fm.Callback):
    """Ctrl-C after a number of blocks."""

    def __init__(self, after):
        self.left = after

    def on_progress(self, run):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_a_fit_resumes_to_the_bit(parquet, tmp_path, monkeypatch):
    monkeypatch.setattr(chunks_module, "BLOCK_BYTES", 1)

    def fit(checkpoint, *interrupts):
        rows = fm.scan_table(parquet, "price", validation=0.1, buffer_rows=1000)
        net = network(rows)
        history = net.fit(
            rows, epochs=3, validation_data=rows.validation, checkpoint=checkpoint, resume=checkpoint.exists(),
            callbacks=interrupts,
        )  # fmt: skip
        return net, history

    whole, expected = fit(tmp_path / "whole")
    for after in (4, 9, 1):
        assert fit(tmp_path / "parts", Interrupt(after))[1].stop_reason == "interrupted"
    resumed, history = fit(tmp_path / "parts")
    np.testing.assert_array_equal(resumed.params, whole.params)
    assert history["val_loss"].tolist() == expected["val_loss"].tolist()


def test_nothing_reads_on_after_the_fit(parquet):
    rows = fm.scan_table(parquet, "price", buffer_rows=500)
    n_threads = threading.active_count()

    def fail(run):
        raise OSError("enough")

    with pytest.raises(OSError, match="enough"):
        network(rows).fit(rows, callbacks=[fail])
    chunks = rows.of_epoch(0)
    next(chunks)
    chunks.close()
    assert threading.active_count() == n_threads
    assert len(rows_of(rows.of_epoch(0))[1]) == N


@pytest.mark.parametrize("change", ["other rows", "gone"])
def test_a_file_that_changes_is_an_error(parquet, change):
    rows = fm.scan_table(parquet, "price")

    def after_the_first_epoch(run):
        parquet.unlink()
        if change == "other rows":
            written(FRAME[:5000], parquet)

    with pytest.raises(RuntimeError, match=r"epoch 2: ValueError\('.*rows.parquet has changed since it was scanned"):
        network(rows).fit(rows, epochs=5, callbacks=[after_the_first_epoch])


def test_a_file_damaged_in_the_middle_is_named(parquet):
    size = parquet.stat().st_size
    with open(parquet, "r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 8))
    with pytest.raises(ValueError, match="rows.parquet"):
        fm.scan_table(parquet, "price")


@pytest.mark.parametrize("text", ["", "a,b\n"])
def test_a_table_without_rows_is_refused(tmp_path, text):
    path = tmp_path / "empty.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"empty.csv has .*no rows"):
        fm.scan_table(path, "a")


def test_memory_bounds_the_chunks(parquet):
    rows = fm.scan_table(parquet, "price", memory_limit=32 * 2**20)
    assert rows.buffer_rows == N
    with pytest.raises(ValueError, match=r"buffer_rows=1000000 is too much for an eighth of memory_limit"):
        fm.scan_table(parquet, "price", memory_limit=32 * 2**20, buffer_rows=1_000_000)
    with pytest.raises(ValueError, match=r"memory_limit=1000 is too little for the 6 columns of .*; at least 25165824"):
        fm.scan_table(parquet, "price", memory_limit=1000)


def test_a_table_with_large_parts_gets_more_memory(parquet):
    table = open_table(connect(), parquet, Options(lazy=True))
    assert scan._part_rows(table, N) == 131_072 and scan._part_rows(table, 10**9) == 2**20
    assert scan._memory(table, 2**20, None) == 2**30 and scan._memory(table, 2**28, None) == 2**31


@pytest.mark.parametrize(("megabytes", "threads"), [(30, 1), (60, 2), (600, 3), (10, 1)])
def test_each_thread_of_the_database_has_memory_for_a_part(monkeypatch, megabytes, threads):
    monkeypatch.setattr(scan, "available_threads", lambda: 4)
    connection = connect()
    scan._limit_database(connection, megabytes * 10**6, 10**7)
    assert connection.execute("SELECT current_setting('threads')").fetchone() == (threads,)


def test_too_little_memory_is_an_error_that_says_so(tmp_path):
    duckdb.sql(f"COPY (SELECT {', '.join(f'random() AS x{j}' for j in range(22))} FROM range(600000)) "
               f"TO '{tmp_path}/large.parquet' (ROW_GROUP_SIZE 600000)")  # fmt: skip
    with pytest.raises(
        MemoryError, match=r"large.parquet needs more memory than allowed; .* memory_limit of fm.scan_tab"
    ):
        fm.scan_table(tmp_path / "large.parquet", "x0", memory_limit=100_000_000)


@pytest.mark.parametrize(
    ("most", "row_bytes", "rows"),
    [(100_000, 100, 98_304), (10**6, 256, 98_304), (10**6, 4096, 6144), (8192, 100, 8192), (5000, 100, 5000),
     (0, 100, 1)],
)  # fmt: skip
def test_chunks_are_whole_blocks_where_there_is_memory(most, row_bytes, rows):
    assert scan._chunk_rows(None, most, row_bytes) == rows


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"validation": 1.0}, ValueError, "validation must be a finite number with 0.0 <= validation < 1.0"),
        ({"shuffle": 1}, TypeError, "shuffle must be True or False"),
        ({"seed": -1}, ValueError, "seed must be a whole number"),
        ({"buffer_rows": 0}, ValueError, "buffer_rows must be between 1"),
        ({"target": "cost"}, ValueError, "cost"),
        ({"header": True}, ValueError, "header=True does not apply"),
    ],
)
def test_settings_are_checked(parquet, settings, error, message):
    with pytest.raises(error, match=message):
        fm.scan_table(parquet, **{"target": "price", **settings})


def test_shares_of_rows_are_nested_and_alike():
    table = read_table({"i": np.arange(20_000)})
    found = {
        share: {*table.select({"i": "c0"}, Rows(0.25, 1.0, 3).share(share).sql())["i"].tolist()}
        for share in (0.1, 0.5, 1.0)
    }
    assert found[0.1] < found[0.5] < found[1.0]
    assert [len(rows) / 15_000 for rows in found.values()] == pytest.approx([0.1, 0.5, 1.0], rel=0.1)
    later = table.select({"i": "c0"}, "WHERE c0 >= 5000 " + Rows(0.25, 1.0, 3).sql(5000))["i"].tolist()
    assert {*later} == {i for i in found[1.0] if i >= 5000}


def test_it_shows_what_it_is(parquet):
    rows = fm.scan_table(parquet, "grade")
    assert repr(rows) == f"ScannedTable({parquet}: 10000 rows, {rows.n_features} features, target 'grade')"


@pytest.mark.parametrize("target", ["y", 2, -1])
def test_columns_to_drop_are_not_learned_from(tmp_path, target):
    path = tmp_path / "rows.csv"
    path.write_text("a,b,y\n" + "".join(f"{i % 7},{i % 5},{i * 0.5}\n" for i in range(60)))
    rows = fm.scan_table(path, target, drop=[0])
    assert list(rows.encoder.kinds_) == ["b"]
    assert rows.target.name == "y"
