"""The ``bench`` command: ``fastmlp bench``, or ``python bench/run.py`` in a checkout."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from .contenders import NAMES, PLAIN, load
from .harness import Result, measure
from .machine import describe, n_cores
from .report import as_records, comparison, details, notes
from .tasks import TASKS
from .timing import DisagreementError

REPEATS, BUDGET = 7, 0.2  # with --all; otherwise
FEW_REPEATS, SMALL_BUDGET = 3, 0.1


def installed(names: Sequence[str]) -> list[str]:
    """The contenders whose libraries are installed; prints which are left out."""
    there = []
    for name in names:
        try:
            load(name)
        except ImportError as error:
            click.echo(f"{name} is left out: {error}", err=True)
        else:
            there.append(name)
    return there


@click.command("bench", context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--case",
    "task_names",
    multiple=True,
    type=click.Choice([task.name for task in TASKS]),
    help="Run only this row; may be repeated.",
)
@click.option(
    "--contender",
    "contender_names",
    multiple=True,
    type=click.Choice(NAMES),
    help="Run only this contender; may be repeated.",
)
@click.option(
    "--threads",
    multiple=True,
    type=click.IntRange(1, 1024),
    help="Threads for every contender; if repeated, the best figure counts.  [default: 1; 1 and 2 with --all]",
)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help="Run every installed contender, on 1 and on 2 threads, with more and longer repeats, and the row on MNIST (if "
    "the environment variable FASTMLP_DATA names its folder). Takes a quarter of an hour.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the figures, with a description of the machine, to this file.",
)
@click.option(
    "--picture",
    "picture_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also plot the figures to this PNG or SVG file (needs matplotlib).",
)
def bench(
    task_names: tuple[str, ...],
    contender_names: tuple[str, ...],
    threads: tuple[int, ...],
    everything: bool,
    json_file: Path | None,
    picture_file: Path | None,
) -> None:
    """Compare the speed of fastmlp with other ways to train the same networks.

    Every contender starts from the same weights and uses the same batches. Before it
    is timed, its result is checked. Without options, only the contenders that need no
    other library run, without the row on MNIST: about a minute.
    """
    names = installed([name for name in NAMES if name in (contender_names or (NAMES if everything else PLAIN))])
    if not names:
        raise click.ClickException("none of these contenders is installed")
    threads = tuple(sorted(set(threads))) or ((1, 2) if everything and n_cores() > 1 else (1,))
    repeats, budget = (REPEATS, BUDGET) if everything else (FEW_REPEATS, SMALL_BUDGET)
    tasks = [task for task in TASKS if not task_names or task.name in task_names]
    if not task_names:
        if everything and "FASTMLP_DATA" not in os.environ:
            click.echo("FASTMLP_DATA is not set: the row on MNIST is left out", err=True)
        if not everything or "FASTMLP_DATA" not in os.environ:
            tasks = [task for task in tasks if task.kind != "target"]
    machine = describe()
    click.echo(f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}")
    results: list[Result] = []
    report: dict[str, Any] = {"machine": machine, "figures": []}
    for task in tasks:
        click.echo(f"  {task.label}: {task.stands_for} ...", err=True)
        try:
            results.append(measure(task, names, threads, repeats, budget))
        except (DisagreementError, FileNotFoundError) as error:
            raise click.ClickException(str(error)) from error
        report["figures"] += as_records(results[-1])
        if json_file is not None:  # after every row, so that an interruption loses little
            json_file.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    click.echo(f"\n{comparison(results, names)}\n")
    if "fastmlp" in names:
        click.echo(f"{details(results, threads)}\n")
    click.echo(notes(results, threads))
    if picture_file is not None:
        from .picture import draw

        draw(report).savefig(picture_file)


def main() -> None:
    """Run the command; ``bench/run.py`` calls this."""
    bench(prog_name="bench/run.py")
