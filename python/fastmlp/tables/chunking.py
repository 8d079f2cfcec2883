"""The rows of a table in chunks for a network, in an order of its own for each epoch.

parts of the table, shuffled -> blocks of raw values -> `Encoding` -> chunks of a matrix
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable
from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.features import Encoding
from fastmlp.tables.table import Part, Table
from fastmlp.tables.target import Target

BLOCK_ROWS = 8192
"""Rows that are encoded together, few enough for the cache of a core."""


@dataclass(frozen=True)
class Rows:
    """Rows of a table: those whose hash is in a range, always the same ones. The whole range has all rows."""

    low: float = 0.0
    high: float = 1.0
    seed: int = 0

    def share(self, share: float) -> Rows:
        """A share of these rows."""
        return Rows(self.low, self.low + share * (self.high - self.low), self.seed)

    def sql(self, first: int = 0) -> str:
        """What follows a query, whose first row has this number in the table, to get these rows."""
        if self.low <= 0 and self.high >= 1:
            return ""
        low, high = (min(int(end * 2.0**64), 2**64 - 1) for end in (self.low, self.high))
        row = f"hash({first} + row_number() OVER (), {self.seed})"
        return f"QUALIFY {row} >= {low}::UBIGINT AND {row} {'<' if self.high < 1 else '<='} {high}::UBIGINT"


@dataclass(frozen=True)
class Reader:
    """The source of a `ScannedTable`: gives the chunks of an epoch, from 0."""

    table: Table
    encoder: TableEncoder
    encoding: Encoding
    target: Target | None
    rows: Rows
    buffer_rows: int
    shuffles: bool
    stamps: Mapping[str, tuple[int, int]]
    expressions: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        expressions = dict(self.encoding.expressions)
        if self.target is not None:
            expressions["y"] = self.target.expression(self.table)
        object.__setattr__(self, "expressions", expressions)

    def __call__(self, epoch: int) -> Iterator[Any]:
        parts = self.table.parts
        order = (
            np.random.default_rng([self.rows.seed, epoch]).permutation(len(parts))
            if self.shuffles
            else range(len(parts))
        )
        return self.chunks([parts[i] for i in order])

    def chunks(self, parts: Sequence[Part]) -> Iterator[Any]:
        """The rows of these parts in chunks of `buffer_rows`, each with arrays of its own."""
        X, y = self._buffer()
        done = 0
        for block, targets in self._blocks(parts):
            start = 0
            while start < len(targets):
                stop = min(len(targets), start + BLOCK_ROWS, start + len(X) - done)
                end = done + stop - start
                self.encoding.write({key: values[start:stop] for key, values in block.items()}, X[done:end])
                y[done:end] = targets[start:stop]
                start, done = stop, end
                if done == len(X):
                    yield self._chunk(X, y)
                    X, y = self._buffer()
                    done = 0
        if done:
            yield self._chunk(X[:done], y[:done])

    def _buffer(self) -> tuple[NDArray[Any], NDArray[Any]]:
        has_classes = self.target is not None and self.target.classes_ is not None
        X = np.empty((self.buffer_rows, self.encoding.n_features), self.encoder.dtype)
        return X, np.empty(self.buffer_rows, np.int64 if has_classes else np.float64)

    def _chunk(self, X: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        return (X,) if self.target is None else (X, y)

    def _blocks(self, parts: Sequence[Part]) -> Iterator[tuple[dict[str, NDArray[Any]], NDArray[Any]]]:
        """Blocks of raw values and their targets, without the rows that have none."""
        for part in parts:
            check_stamps(self.stamps)
            try:
                for block in self.table.stream(self.expressions, self.rows.sql(part.first), part):
                    yield self._with_targets(block)
            except ValueError:
                check_stamps(self.stamps)
                raise
        check_stamps(self.stamps)

    def _with_targets(self, block: dict[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
        if self.target is None:
            return block, np.zeros(len(next(iter(block.values()))))
        targets = self.target.encode(block.pop("y"))
        known = targets >= 0 if targets.dtype.kind == "i" else ~np.isnan(targets)
        if known.all():
            return block, targets
        return {key: values[known] for key, values in block.items()}, targets[known]


def stamps_of(paths: Sequence[os.PathLike[str]]) -> dict[str, tuple[int, int]]:
    """Size and time of the last change of each file, by its path."""
    return {os.fspath(path): _stamp(os.fspath(path)) for path in paths}


def check_stamps(stamps: Mapping[str, tuple[int, int]]) -> None:
    """Raise ``ValueError`` if a file has changed: its rows would be others."""
    for path, stamp in stamps.items():
        if _stamp(path) != stamp:
            raise ValueError(f"{printable(path, 200)} has changed since it was scanned; scan it again")


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return -1, -1  # it is gone
    return status.st_size, status.st_mtime_ns
