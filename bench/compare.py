"""Compare two result files: ``python bench/compare.py before.json after.json``.

A row fails if fastmlp became slower both by more than a share of the time and by
more than a number of microseconds. The share alone would fail a step of 0.3 us for
a tenth of a microsecond, the number alone a long training for noise. The exit code
is 1 if a row fails, or if a row of the first file is missing in the second.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click


def best(report: dict[str, Any], contender: str) -> dict[str, float]:
    """Microseconds of a contender on every row, at its best number of threads."""
    figures: dict[str, float] = {}
    for record in report["figures"]:
        if record["contender"] == contender:
            figures[record["task"]] = min(record["us"], figures.get(record["task"], record["us"]))
    return figures


def verdicts(
    before: dict[str, float], after: dict[str, float], relative: float, absolute: float
) -> list[tuple[str, str, bool]]:
    """For every row of ``before``: its name, the change, and whether that is a failure.

    >>> verdicts({"a": 100.0, "b": 0.3, "c": 5.0}, {"a": 130.0, "b": 0.4}, relative=0.1, absolute=1.0)
    [('a', '100 -> 130 us (+30.0 %)', True), ('b', '0.3 -> 0.4 us (+33.3 %)', False), ('c', 'missing', True)]
    """
    rows = []
    for name, old in before.items():
        new = after.get(name)
        if new is None:
            rows.append((name, "missing", True))
            continue
        slower = new > old * (1 + relative) and new > old + absolute
        rows.append((name, f"{old:.4g} -> {new:.4g} us ({100 * (new / old - 1):+.1f} %)", slower))
    return rows


def read(path: Path) -> dict[str, Any]:
    """Read a result file; anything else is an error message without a traceback."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise click.ClickException(f"{path} is not JSON: {error}") from error
    if not isinstance(report, dict) or "figures" not in report:
        raise click.ClickException(f"{path} has no figures; write it with bench/run.py --json")
    return report


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("before", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--relative", default=0.10, show_default=True, help="Tolerated slowdown as a share of the time before.")
@click.option("--absolute", default=0.10, show_default=True, help="Tolerated slowdown in microseconds.")
@click.option("--contender", default="fastmlp", show_default=True, help="Contender whose figures are compared.")
def compare(before: Path, after: Path, relative: float, absolute: float, contender: str) -> None:
    """Compare the result files BEFORE and AFTER; fail if AFTER is slower by more than both limits."""
    old, new = read(before), read(after)
    if old["machine"].get("processor") != new["machine"].get("processor"):
        click.echo("The files come from different processors.", err=True)
    figures = best(old, contender)
    if not figures:
        raise click.ClickException(f"{before} has no figures of {contender}")
    rows = verdicts(figures, best(new, contender), relative, absolute)
    for name, text, failed in rows:
        click.echo(f"{'FAILED' if failed else 'ok':6}  {name:18}  {text}")
    if any(failed for _, _, failed in rows):
        sys.exit(1)


if __name__ == "__main__":
    compare()
