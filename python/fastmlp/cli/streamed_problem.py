"""Tables that are read anew for every epoch, because they do not fit in memory."""

from __future__ import annotations

import os
from glob import glob
from pathlib import Path

import numpy as np

from fastmlp.cli.sources import Problem
from fastmlp.cli.table_options import Reading
from fastmlp.cli.table_problem import Asked, Columns, arguments_of, columns_line, name_of, test_part
from fastmlp.data.splits import Part
from fastmlp.tables.database import connect
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table
from fastmlp.tables.scan import ScannedTable, scan_table

_HELD_ROWS = 200_000
"""Rows set aside for testing and validation at most, since these are kept in memory."""
_SHARE = 16
"""Files of more than this part of the memory are read anew: a table takes several times the size of its file."""


def is_large(path: str) -> bool:
    """Whether the files may not fit in memory as a table."""
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return False
    files = [Path(path)] if Path(path).is_file() else [Path(name) for name in glob(path, recursive=True)]
    files += [file for folder in files if folder.is_dir() for file in folder.rglob("*")]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return sum(file.stat().st_size for file in files if file.is_file()) > memory / _SHARE


def streamed_problem(
    path: str, columns: Columns, reading: Reading, test_path: str | None, test: float, validation: float, dtype: str
) -> Problem:
    """Find the target, fit the encoder to a sample, and keep some rows for testing and validation in memory."""
    if path == "-":
        raise ValueError("--stream reads a table several times, which standard input can't be")
    arguments = arguments_of(columns, reading)
    asked = Asked(open_table(connect(), path, Options(**arguments, lazy=True)), columns, reading.null, dtype)
    n_rows = len(asked.table)
    shares = np.array([0 if test_path else test, validation])
    if shares.sum() >= 1:
        raise ValueError("--test-fraction and --validation-fraction leave no rows for training")
    held = min(float(shares.sum()), _HELD_ROWS / n_rows)
    asked.encoder.drop = ()  # the scan leaves the columns out
    rows = scan_table(path, encoder=asked.encoder, validation=held, **arguments | {"target": asked.target})
    judged_by, chosen_by = (None, None) if rows.validation is None else _parts(rows.validation, shares)
    n_held = sum(len(part[0]) for part in (judged_by, chosen_by) if part is not None)
    if test_path is not None:
        judged_by, _, _ = test_part(test_path, arguments, rows.encoder, asked.target)
    facts = {
        "Columns": columns_line(rows.encoder, asked.target),
        "Target": asked.target.notice,
        "Reading": "anew for every epoch; --no-stream reads the table into memory",
    }
    name = name_of(path)
    return Problem(
        name, (rows, None), chosen_by, judged_by, asked.target, rows.encoder, facts, n_streamed=n_rows - n_held
    )


def _parts(held: ScannedTable, shares: np.ndarray) -> list[Part | None]:
    """The rows held out, in parts of these shares."""
    X, y = (np.concatenate(arrays) for arrays in zip(*held.in_order(), strict=True))
    order = np.random.default_rng(0).permutation(len(X))
    n = round(len(X) * shares[0] / shares.sum())
    return [(X[rows], y[rows]) if len(rows) else None for rows in (order[:n], order[n:])]
