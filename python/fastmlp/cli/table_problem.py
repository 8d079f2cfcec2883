"""From a table to a problem: its target, its columns as a matrix, and the rows of each part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable, some_names
from fastmlp.cli import report
from fastmlp.cli.sources import Problem, split_rows
from fastmlp.cli.table_options import Reading
from fastmlp.data.splits import Part
from fastmlp.tables.database import connect
from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.features import Notes
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table
from fastmlp.tables.table import Table
from fastmlp.tables.target import Target

_SHOWN = 6  # columns named in a line


@dataclass(frozen=True)
class Columns:
    """What the person said about the columns, by name or position."""

    target: str | int | None = None
    drop: tuple[str | int, ...] = ()
    use: tuple[str | int, ...] = ()
    categorical: tuple[str | int, ...] = ()
    task: str | None = None
    log: bool = False


class Asked:
    """A table with what the person said of it: its target, and an encoder that is not fitted yet."""

    def __init__(self, table: Table, columns: Columns, null: Sequence[str], dtype: str) -> None:
        def known(argument: str, keys: Iterable[str | int]) -> list[str]:
            return [known_name(table, key, argument) for key in keys]

        (key,) = known("target", [-1 if columns.target is None else columns.target])
        if len(table.names) == 1:
            raise ValueError(f"{table.origin} has no column but the target {printable(key, 60)!r}")
        self.table = table
        self.target = Target.of(table, key, task=columns.task, log=columns.log)
        self.encoder = TableEncoder(
            categorical=known("categorical", columns.categorical), drop=known("drop", columns.drop),
            keep=known("keep", columns.use), null=list(null), dtype=dtype,
        )  # fmt: skip


def arguments_of(columns: Columns, reading: Reading) -> dict[str, Any]:
    """The fields of `Options`."""
    return {"target": columns.target, "drop": columns.drop, **reading.arguments()}


def problem_of_table(
    path: str, columns: Columns, reading: Reading, test_path: str | None, test: float, validation: float, dtype: str
) -> Problem:
    """Read a table, and set rows aside for testing unless they come from a file of their own."""
    arguments = arguments_of(columns, reading)
    asked = Asked(open_table(connect(), path, Options(**arguments)), columns, reading.null, dtype)
    table, target, encoder = asked.table, asked.target, asked.encoder
    encoder.drop = [*encoder.drop, target.name]
    y, rows = rows_with_target(table, target)
    (of_train, y_train), *parts = split_rows(rows, y, target, 0 if test_path else test, validation)
    encoder.fit(table.take(of_train))
    X, notes = encoder.encode(table)
    chosen_by, judged_by = (None if part is None else (X[part[0]], part[1]) for part in parts)
    lost = len(table) - len(rows)
    if test_path is not None:
        judged_by, test_notes, test_lost = test_part(test_path, arguments, encoder, target)
        notes = Notes(
            notes.rows + test_notes.rows, notes.missing + test_notes.missing, notes.unseen + test_notes.unseen
        )
        lost += test_lost
    facts = {"Columns": columns_line(encoder, target), "Missing": missing_line(notes), "Target": target.notice}
    if lost:
        facts["Rows"] = f"{report.plural(lost, 'row')} without a target that is known left out"
    return Problem(name_of(path), (X[of_train], y_train), chosen_by, judged_by, target, encoder, facts)


def known_name(table: Table, key: str | int, argument: str) -> str:
    """The name of a column; digits are a name if there is a column of that name, else a position."""
    return str(key) if str(key) in table.names else table.names[table.position(key, argument)]


def rows_with_target(table: Table, target: Target) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The targets that are known, and the positions of their rows."""
    y = target.read(table)
    rows = np.flatnonzero(np.isfinite(y) if target.classes_ is None else y >= 0)
    if not len(rows):
        raise ValueError(f"{table.origin}: no row has a known target {target.name!r:.60}")
    return y[rows], rows


def test_part(path: str, arguments: dict[str, Any], encoder: TableEncoder, target: Target) -> tuple[Part, Notes, int]:
    """The rows of a test file, what was filled in them, and how many have no target."""
    table = open_table(connect(), path, Options(**arguments))
    if target.name not in table.names:
        raise ValueError(f"--test {table.origin} lacks the target {printable(target.name, 60)!r}")
    y, rows = rows_with_target(table, target)
    X, notes = encoder.encode(table)
    return (X[rows], y), notes, len(table) - len(rows)


def name_of(path: str) -> str:
    """What to call the data: the name of a file, or the beginning of a query."""
    return "standard input" if path == "-" else printable((len(path) < 1000 and Path(path).name) or path, 60)


def columns_line(encoder: TableEncoder, target: Target) -> str:
    """How many columns of each kind there are, and which are set aside."""
    facts = [column for column in encoder.explain() if column.name != target.name]
    counts = Counter(column.kind for column in facts if column.features)
    plurals = {"category": "categories"}
    kinds = [report.plural(n, kind, plurals.get(kind)) for kind, n in counts.most_common()]
    width = sum(len(column.features) for column in facts)
    aside = [f"{printable(column.name, 40)} ({column.details})" for column in facts if not column.features]
    more = f"; set aside: {some_names(aside, _SHOWN)}" if aside else ""
    return f"{', '.join(kinds)} -> {report.plural(width, 'input')}{more}"


def missing_line(notes: Notes) -> str:
    """How many values were missing, and in which columns."""
    total = sum(notes.missing.values())
    if not total:
        return ""
    names = [f"{name} {report.count(n)}" for name, n in notes.missing.most_common()]
    return f"{report.plural(total, 'missing value')} filled ({some_names(names, _SHOWN)})"
