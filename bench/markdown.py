"""Turn a result file into the table of the README: ``python bench/markdown.py results.json``.

Every contender at its best number of threads. Times are in microseconds; in brackets, how many times as long as
fastmlp.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from fastmlp.bench.picture import REFERENCE, panels
from fastmlp.bench.report import NOTHING, number

COLUMNS = ("fastmlp", "jax", "torch_compile", "torch_eager", "scikit_learn", "numpy_batch", "pure_python")


def cell(record: dict[str, Any] | None, ours: float) -> str:
    """A time, marked if it is that of a similar case, and its ratio to ours."""
    if record is None:
        return NOTHING
    text = ("~" if record["stand_in"] else "") + number(record["us"])
    return f"**{text}**" if record["contender"] == REFERENCE else f"{text} ({number(record['us'] / ours)}x)"


def table(report: dict[str, Any]) -> str:
    """The table, in Markdown."""
    rows = panels(report)
    titles = {record["contender"]: record["title"] for records in rows.values() for record in records}
    columns = [name for name in COLUMNS if name in titles]
    lines = [
        "| row, batch | " + " | ".join(titles[name] for name in columns) + " | share of sgemm peak, 1 / 2 threads |",
        "| --- |" + " ---: |" * (len(columns) + 1),
    ]
    for label, records in rows.items():
        by_name = {record["contender"]: record for record in records}
        ours = by_name[REFERENCE]["us"]
        cells = [cell(by_name.get(name), ours) for name in columns]
        lines.append(f"| {label} | {' | '.join(cells)} | {shares(report, label)} |")
    return "\n".join(lines)


def shares(report: dict[str, Any], label: str) -> str:
    """fastmlp's share of the sgemm peak at each number of threads."""
    ours = [r for r in report["figures"] if (r["contender"], r["label"]) == (REFERENCE, label)]
    if any(record["share_of_peak"] is None for record in ours):
        return NOTHING
    return " / ".join(f"{record['share_of_peak']:.2f}" for record in sorted(ours, key=lambda record: record["threads"]))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("results", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def main(results: Path) -> None:
    """Print the result file RESULTS as a table in Markdown."""
    click.echo(table(json.loads(results.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
