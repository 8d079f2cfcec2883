"""The ``bench`` command: every case, every contender, one table.

Figures are microseconds per training step (one mini-batch: forward, backward,
update). Behind each, in brackets, how many times as long as fastmlp it takes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from .cases import CASES
from .contenders import NAMES, load
from .machine import describe, n_cores
from .timing import CaseResult, DisagreementError, Entry, measure

REFERENCE = "fastmlp"  # the column that ratios are taken to


def number(value: float) -> str:
    """Three significant figures, thousands apart.

    >>> number(0.3171), number(14.83), number(17234.0)
    ('0.317', '14.8', '17 200')
    """
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}".replace(",", " ")
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def cell(entry: Entry, baseline: float | None) -> str:
    """Median microseconds, and the ratio to the reference column where there is one."""
    median = entry.quantile(0.5)
    if baseline is None or entry.contender in (REFERENCE, "do_nothing"):
        return number(median)
    return f"{number(median)} ({number(median / baseline)}x)"


def row(result: CaseResult) -> list[str]:
    """A result as the cells of its row."""
    medians = {entry.contender: entry.quantile(0.5) for entry in result.entries}
    cells = [cell(entry, medians.get(REFERENCE)) for entry in result.entries]
    return [result.case.label, number(result.limit), *cells]


def as_table(rows: Sequence[Sequence[str]]) -> str:
    """Align cells: the first column to the left, the others to the right.

    >>> print(as_table([["case", "us"], ["a", "10.5"]]))
    case    us
    a     10.5
    """
    widths = [max(len(cells[i]) for cells in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join([cells[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)])
        for cells in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def as_json(result: CaseResult) -> list[dict[str, object]]:
    """A result as flat records, one per contender."""
    return [
        {
            "case": result.case.name,
            "contender": entry.contender,
            "threads": result.n_threads,
            "us_per_step": entry.quantile(0.5),
            "us_lower_quartile": entry.quantile(0.25),
            "us_upper_quartile": entry.quantile(0.75),
            "repeats": len(entry.seconds_per_step),
            "steps_per_repeat": entry.epochs * entry.steps_per_epoch,
            "samples_used": entry.steps_per_epoch * result.case.batch_size,
            "warm_up_seconds": entry.warm_up_seconds,
            "limit_us": result.limit,
            "sgemm_gflops": result.gflops,
        }
        for entry in result.entries
    ]


def notes(results: Sequence[CaseResult]) -> str:
    """What a reader must know to trust the table."""
    entries = [entry for result in results for entry in result.entries if len(entry.seconds_per_step) > 1]
    spread = sorted((e.quantile(0.75) - e.quantile(0.25)) / e.quantile(0.5) for e in entries)
    gflops = sorted(result.gflops for result in results)
    text = [
        "Microseconds per step, median of interleaved repeats; (times as long as fastmlp).",
        "limit: the step's matrix products at the sgemm peak of this run, "
        f"{gflops[len(gflops) // 2]:.0f} GFLOP/s on {results[0].n_threads} thread(s).",
    ]
    if spread:
        text.append(
            f"Spread (quartiles over median): typically {spread[len(spread) // 2]:.1%}, at most {spread[-1]:.1%}."
        )
    samples: dict[str, list[int]] = {}
    for result in results:
        for entry in result.entries:
            if entry.steps_per_epoch * result.case.batch_size < result.n_samples:
                samples.setdefault(entry.title, []).append(entry.steps_per_epoch)
    if samples:
        text.append(
            "Where an epoch takes too long, its first steps stand for all: "
            + ", ".join(f"{title} (from {min(steps)} step(s))" for title, steps in samples.items())
            + "."
        )
    return "\n".join(text)


def installed(names: Sequence[str]) -> list[str]:
    """The contenders whose libraries are there; says which are left out."""
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
    "case_names",
    multiple=True,
    type=click.Choice([case.name for case in CASES]),
    help="Run this case only; may be given several times.",
)
@click.option(
    "--contender",
    "contender_names",
    multiple=True,
    type=click.Choice(NAMES),
    help="Run this contender only; may be given several times.",
)
@click.option(
    "--threads",
    default=1,
    show_default=True,
    type=click.IntRange(1, 1024),
    help="Threads for every contender and for the BLAS below it.",
)
@click.option("--quick", is_flag=True, help="Fewer and shorter repeats: a first impression.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the figures and the machine's description to this file.",
)
def bench(
    case_names: tuple[str, ...], contender_names: tuple[str, ...], threads: int, quick: bool, json_file: Path | None
) -> None:
    """Time fastmlp against other ways to train the same networks.

    Every contender starts from the same weights, walks the same batches in the same
    order, and is checked to reach the same loss before it is timed.
    """
    cases = [case for case in CASES if not case_names or case.name in case_names]
    names = installed([name for name in NAMES if not contender_names or name in contender_names])
    if not names:
        raise click.ClickException("none of the contenders asked for is installed")
    repeats, budget = (3, 0.05) if quick else (7, 0.2)
    machine = describe()
    click.echo(f"{machine['processor']}, {n_cores()} cores, Python {machine['python']}")
    results = []
    for case in cases:
        click.echo(f"  {case.label}: {case.stands_for} ...", err=True)
        try:
            results.append(measure(case, names, threads, repeats, budget))
        except DisagreementError as error:
            raise click.ClickException(str(error)) from error
    header = ["network, batch", "limit", *(load(name).TITLE for name in names)]
    click.echo("\n" + as_table([header, *map(row, results)]) + "\n")
    click.echo(notes(results))
    if json_file is not None:
        figures = [record for result in results for record in as_json(result)]
        json_file.write_text(json.dumps({"machine": machine, "figures": figures}, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run the command; ``bench/run.py`` calls this."""
    bench(prog_name="bench/run.py")
