"""Tables larger than memory: read again for every epoch, and encoded chunk by chunk.

    parts of a table, in a new order for each epoch -> blocks of raw values -> `Encoding` -> chunks of a matrix

The encoder is fitted to a sample, the target by queries over its column. A fit of chunks reads in one thread; of the
processors, the database leaves one to the network. At once there are two or three chunks, a block, and what the
database needs to unpack a part.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_flag, check_size, check_value
from fastmlp.data.chunks import Chunks
from fastmlp.machine.files import MAX_BYTES
from fastmlp.machine.threads import available_threads
from fastmlp.tables.chunking import BLOCK_ROWS, Reader, Rows, stamps_of
from fastmlp.tables.database import connect
from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.features import Encoding
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table
from fastmlp.tables.table import Table
from fastmlp.tables.target import Target

MEMORY = 2**30
"""Default limit on the memory for reading, unless a part of the table needs more."""
SAMPLE_ROWS = 200_000
"""Rows that an encoder is fitted to."""
_CHUNK_BYTES = 24 * 2**20
"""Of a chunk, unless asked otherwise: an array of more than 32 MiB is new memory from the system each time, and filling
its pages takes a third of the time of reading."""
_CELL_BYTES = 16
"""What the database takes for a value of the sample, about."""
_STREAM_ROWS = 131_072
"""Rows of a block of `Table.stream`, at most."""
_GROUP_ROWS = 2**20
"""Rows of the largest row groups that are usual."""
_UNPACKED = 3
"""How many times a part is in the memory of a thread of the database: packed, unpacked, and on its way out."""


def scan_table(
    source: Any,
    target: str | int | Target | None = None,
    *,
    task: str | None = None,
    encoder: TableEncoder | None = None,
    validation: float = 0.0,
    shuffle: bool = True,
    seed: int = 0,
    buffer_rows: int | None = None,
    memory_limit: int | None = None,
    drop: Sequence[str | int] = (),
    header: bool | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    null: Sequence[str | int | float] = (),
    sheet: str | int | None = None,
    max_bytes: int = MAX_BYTES,
) -> ScannedTable:
    """Learn from a table without reading it into memory: ``net.fit(fm.scan_table("sales/*.parquet", "price"))``.

    Parameters
    ----------
    source : path or object
        As for `read_table`. Parquet is quickest; its row groups are read in a new order for each epoch.
    target : str, int or Target, optional
        The column to learn, by name or position; or the ``target`` of another scan, so that classes have the same
        numbers. Rows without it are left out, and rows of a class that the other scan had not. None: chunks are X
        alone, for `Network.predict`.
    task : {"classification", "regression"}, optional
        What the target is. Default: decided by its values.
    encoder : TableEncoder, optional
        One that is fitted is used as it is, such as that of another scan. Otherwise it is fitted here, to a sample of
        about 200 000 rows, fewer of wide tables. Default: ``TableEncoder()``.
    validation : float, default 0.0
        Share of the rows to hold out: they become the attribute ``validation``, and are in no sample.
    shuffle : bool, default True
        Whether each epoch of a fit reads the row groups of Parquet files in a new order. A fit shuffles the rows of a
        chunk besides, unless it is told not to.
    seed : int, default 0
        Decides that order, and which rows are held out. The same seed gives the same rows in the same order.
    buffer_rows : int, optional
        Rows of a chunk, at most as many as fit in an eighth of the memory; a fit shuffles the rows of a chunk. Default:
        about 24 MiB.
    memory_limit : int, optional
        Bytes that reading may take, without the network. Default: 1 GiB, or 64 bytes for each value of the largest row
        group if that is more.
    drop, header, delimiter, decimal, encoding, null, sheet, max_bytes
        As for `read_table`. Only what must be unpacked first, such as a zip file, counts towards ``max_bytes``.

    Returns
    -------
    ScannedTable
        `Chunks` for `Network.fit`, ``validation_data``, `Network.evaluate` and `Network.predict`, with the attributes
        ``encoder``, ``target``, ``n_features``, ``classes``, ``target_scale`` and ``validation``.

    Raises
    ------
    ValueError
        As for `read_table`; a target from which nothing can be learned; too little memory for the number of columns.
    MemoryError
        A row group does not fit in half of ``memory_limit``.

    Notes
    -----
    Text has no parts that can be read by themselves: each epoch reads it from start to end. If it is sorted by the
    target, or by time, write it as Parquet first. A file that changes during a fit is an error.

    Examples
    --------
    >>> import fastmlp as fm
    >>> size = np.linspace(1.0, 4.0, 200)
    >>> sales = {"size": size, "town": ["Ulm", "Bonn"] * 100, "price": 10.5 * size}
    >>> rows = fm.scan_table(sales, "price", validation=0.2)
    >>> rows
    ScannedTable(the table: 200 rows, 2 features, target 'price')
    >>> net = fm.Network([rows.n_features, 16, 1], target_scale=rows.target_scale, seed=0)
    >>> history = net.fit(rows, validation_data=rows.validation)
    >>> net.predict(fm.scan_table({"size": [2.5], "town": ["Ulm"]}, encoder=rows.encoder)).shape
    (1, 1)
    """
    check_value("validation", validation, low=0.0, high=1.0, high_open=True, schedule=False)
    check_flag("shuffle", shuffle)
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2^63 - 1, got {shown(seed)}")
    named = target.name if isinstance(target, Target) else target
    options = Options(named, drop, header, delimiter, decimal, encoding, null, sheet, max_bytes, lazy=True)
    connection = connect()
    table = open_table(connection, source, options)
    if isinstance(target, int):
        target = table.names[table.position(target, "target")]
    table = table.drop(drop)
    n_rows = len(table)
    part_bytes = _part_rows(table, n_rows) * 8 * len(table.names)
    limit = _memory(table, part_bytes, memory_limit)
    _limit_database(connection, limit // 2, part_bytes)
    if isinstance(target, (str, int)):
        target = Target.of(table, target, task=task)
    elif task is not None:
        raise ValueError(f"task={shown(task)} needs a target by name or position, got {shown(target)}")
    rows = Rows(validation, 1.0, seed)
    sample_rows = min(SAMPLE_ROWS, limit // 8 // (_CELL_BYTES * len(table.names)))
    sample = rows.share(min(1.0, sample_rows / max(n_rows, 1)))
    if encoder is None or not hasattr(encoder, "kinds_"):
        encoder = _fit(TableEncoder() if encoder is None else encoder, table, target, sample)
    encoded = Encoding(encoder.kinds_, encoder.null, table)
    row_bytes = encoded.n_features * np.dtype(encoder.dtype).itemsize + 8
    size = min(_chunk_rows(buffer_rows, limit // 8 // row_bytes, row_bytes), n_rows)
    stamps = stamps_of(() if table.files is None else table.files.paths)
    reader = Reader(table, encoder, encoded, target, rows, size, shuffle, stamps)
    scale = None if target is None else _scale(table, target, sample)
    if validation == 0:
        return ScannedTable(reader, n_rows, scale)
    held_out = replace(reader, rows=Rows(0.0, validation, seed), shuffles=False)
    return ScannedTable(reader, n_rows, scale, ScannedTable(held_out, n_rows, scale))


def _part_rows(table: Table, n_rows: int) -> int:
    """Rows of the largest part of a table, as the database holds it: at most as many as row groups usually have."""
    firsts = [*(part.first for part in table.parts), n_rows]
    return min(max(int(np.diff(firsts).max()), _STREAM_ROWS), _GROUP_ROWS)


def _memory(table: Table, part_bytes: int, asked: int | None) -> int:
    """The limit on memory, checked: a quarter of it must hold a block of raw values."""
    if asked is None:
        return max(MEMORY, 8 * part_bytes)
    least = 4 * _STREAM_ROWS * 8 * len(table.names)
    if check_size("memory_limit", asked, sys.maxsize) < least:
        raise ValueError(
            f"memory_limit={asked} is too little for the {len(table.names)} columns of {table.origin}; "
            f"at least {least} bytes are needed"
        )
    return asked


def _limit_database(connection: Any, n_bytes: int, part_bytes: int) -> None:
    """Limit the memory of a database, beyond what it holds already, and its threads: each unpacks a part."""
    (held,) = connection.execute("SELECT sum(memory_usage_bytes) FROM duckdb_memory()").fetchone()
    n_threads = min(available_threads() - 1, n_bytes // (_UNPACKED * part_bytes))
    connection.execute(f"SET memory_limit = '{held + n_bytes}B'; SET threads = {max(1, n_threads)}")


def _fit(encoder: TableEncoder, table: Table, target: Target | None, sample: Rows) -> TableEncoder:
    """Fit an encoder to a sample of rows, without the target."""
    learned = -1 if target is None else table.position(target.name, "target")
    with table.held([j for j in range(len(table.names)) if j != learned], sample.sql()) as held:
        return encoder.fit(held)


def _scale(table: Table, target: Target, sample: Rows) -> tuple[float, float] | None:
    """Mean, and 1 over the deviation, of targets that are numbers."""
    if target.classes_ is not None:
        return None
    y = target.encode(np.asarray(table.select({"y": target.expression(table)}, sample.sql())["y"]))
    y = y[~np.isnan(y)]
    return (float(y.mean()), 1 / (float(y.std()) or 1.0)) if len(y) else (0.0, 1.0)


def _chunk_rows(asked: int | None, most: int, row_bytes: int) -> int:
    """Rows of a chunk: as asked, or the most there is memory for, in whole blocks if it is more than one."""
    if asked is None:
        most = max(1, min(most, _CHUNK_BYTES // row_bytes))
        return most // BLOCK_ROWS * BLOCK_ROWS or most
    if check_size("buffer_rows", asked) > most:
        raise ValueError(f"buffer_rows={asked} is too much for an eighth of memory_limit, where {most} rows fit")
    return asked


class ScannedTable(Chunks):
    """Chunks of an encoded table, read again for each epoch: the result of `scan_table`.

    Attributes
    ----------
    encoder : TableEncoder
        What becomes of the columns.
    target : Target or None
        What is learned: classes or numbers.
    n_features : int
        Columns of X.
    classes : ndarray or None
        The labels by class number, if the targets are classes.
    n_rows : int
        Rows of the table, with those that are held out or have no target.
    buffer_rows : int
        Rows of a chunk; the last chunk of an epoch may be smaller.
    target_scale : (float, float) or None
        Mean and 1 / deviation of targets that are numbers, in a sample: what `Network` takes as ``target_scale``.
    validation : ScannedTable or None
        The rows held out from these, if ``validation_fraction`` was given.
    """

    def __init__(
        self,
        reader: Reader,
        n_rows: int,
        target_scale: tuple[float, float] | None,
        validation: ScannedTable | None = None,
    ) -> None:
        super().__init__(reader)
        self._reader = reader
        self.encoder = reader.encoder
        self.target = reader.target
        self.n_features = reader.encoding.n_features
        self.classes = None if reader.target is None else reader.target.classes_
        self.n_rows = n_rows
        self.target_scale = target_scale
        self.buffer_rows = reader.buffer_rows
        self.validation = validation

    def in_order(self) -> Iterator[Any]:
        """Return an iterator over the chunks in the order of the table's rows, as `Network.predict` reads them.

        Returns
        -------
        iterator
            Of ``(X, y)``, or ``(X,)`` without a target.
        """
        return self._reader.chunks(self._reader.table.parts)

    def __repr__(self) -> str:
        target = "no target" if self.target is None else f"target {shown(self.target.name)}"
        return f"ScannedTable({self._reader.table.origin}: {self.n_rows} rows, {self.n_features} features, {target})"
