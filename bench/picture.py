"""Draw a result file: one panel per row of the table, one bar per contender.

``python bench/picture.py results.json picture.svg``. A bar shows how many times as
long as fastmlp a contender takes, on a logarithmic axis common to all panels: to the
right of the line it is slower, to the left faster. The numbers are times. A dotted
line is the time of the matrix products alone, at the sgemm peak.
"""

from __future__ import annotations

import json
from math import ceil
from pathlib import Path
from typing import Any

import click

COLUMNS = 3
OURS, SLOWER, QUICKER = "#c2410c", "#64748b", "#0f766e"
REFERENCE = "fastmlp"
LEFT_OUT = ("do_nothing",)  # not a contender: it measures the cost of the harness


def panels(report: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The records of every row, each contender once (at its best number of threads), fastest first."""
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    for record in report["figures"]:
        if record["contender"] in LEFT_OUT:
            continue
        row = rows.setdefault(record["label"], {})
        if record["contender"] not in row or record["us"] < row[record["contender"]]["us"]:
            row[record["contender"]] = record
    return {label: sorted(row.values(), key=lambda record: float(record["us"])) for label, row in rows.items()}


def duration(us: float) -> str:
    """A time with a suitable unit.

    >>> duration(0.3171), duration(14.8), duration(17234.0), duration(2.4e6)
    ('0.32 us', '15 us', '17 ms', '2.4 s')
    """
    for factor, unit in ((1e6, "s"), (1e3, "ms"), (1.0, "us")):
        if us >= factor or unit == "us":
            value = float(f"{us / factor:.2g}")
            return f"{value:g} {unit}" if value < 100 else f"{value:.0f} {unit}"
    raise AssertionError


def ratios(records: list[dict[str, Any]]) -> list[float]:
    """Times relative to that of fastmlp, or to the fastest if fastmlp is missing."""
    reference = next((record["us"] for record in records if record["contender"] == REFERENCE), records[0]["us"])
    return [record["us"] / reference for record in records]


def draw(report: dict[str, Any]) -> Any:
    """Return the picture as a matplotlib ``Figure``.

    ``report`` is what ``bench/run.py --json`` writes. Raises ImportError if matplotlib is missing.
    """
    from matplotlib.figure import Figure

    rows = panels(report)
    n_lines = ceil(len(rows) / COLUMNS)
    most = max(len(records) for records in rows.values())
    figure = Figure(figsize=(12.0, n_lines * (0.75 + 0.22 * most) + 1.0), layout="constrained", dpi=110)
    axes = figure.subplots(n_lines, COLUMNS, squeeze=False).ravel()
    every = [ratio for records in rows.values() for ratio in ratios(records)]
    span = min(0.4, min(every) / 4), max(10.0, max(every)) * 60  # space for the numbers next to the bars
    for ax, (label, records) in zip(axes, rows.items(), strict=False):
        _panel(ax, label, records)
        ax.set_xlim(span)
    for ax in axes[len(rows) :]:
        ax.set_axis_off()
    machine = report["machine"]
    threads = sorted({record["threads"] for record in report["figures"]})
    counted = "On 1 thread." if threads == [1] else f"The best of {threads} threads; (2) means two."
    figure.suptitle("How many times as long as fastmlp (log scale), and the time of a step or call", size=13)
    figure.supxlabel(
        f"{machine['processor']}, {machine['cores']} cores. {counted}\n"
        "Dotted: matrix products at the sgemm peak. ~: a similar case, where the library cannot express this one.",
        size=8.5,
        color="#475569",
    )
    return figure


def _panel(ax: Any, label: str, records: list[dict[str, Any]]) -> None:
    places, values = range(len(records)), ratios(records)
    colours = [SLOWER if ratio >= 1 else QUICKER for ratio in values]
    ax.barh(places, [ratio - 1 for ratio in values], left=1, color=colours, height=0.7)
    ax.axvline(1, color=OURS, linewidth=1.5)
    for place, record, ratio in zip(places, records, values, strict=True):
        ours = record["contender"] == REFERENCE
        text = ("~" if record["stand_in"] else "") + duration(record["us"])
        text += f" ({record['threads']})" if record["threads"] > 1 else ""
        text += "" if ours else f", {ratio:.2g}x" if ratio < 99 else f", {ratio:.0f}x"
        style = {"weight": "bold", "color": OURS} if ours else {}
        ax.text(max(ratio, 1), place, f"  {text}", va="center", size=8, **style).set_in_layout(False)
        if ours:
            ax.plot(1, place, "D", color=OURS, markersize=5)
            if record["limit_us"] and record["limit_us"] > 0.2 * record["us"]:
                ax.axvline(record["limit_us"] / record["us"], color="#0f172a", linewidth=1, linestyle=":")
    ax.set_xscale("log")
    ax.set_yticks(places, [record["title"] for record in records], size=8.5)
    ax.invert_yaxis()
    ax.set_title(label, size=10, loc="left", weight="bold", pad=15)
    about = ax.text(0, 1.02, records[0]["stands_for"], transform=ax.transAxes, size=8, color="#475569", va="bottom")
    about.set_in_layout(False)  # a long text must not push the columns apart
    ax.tick_params(axis="x", which="both", bottom=False, labelsize=7.5, colors="#475569")
    ax.tick_params(axis="y", length=0)
    ax.set_xticks([1, 10, 100, 1000], ["1x", "10x", "100x", "1000x"], minor=False)
    ax.set_xticks([], minor=True)
    ax.grid(axis="x", color="#e2e8f0", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "bottom", "left"]].set_visible(False)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("results", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("picture", type=click.Path(dir_okay=False, path_type=Path))
def main(results: Path, picture: Path) -> None:
    """Draw the result file RESULTS as PICTURE, a PNG or SVG file."""
    draw(json.loads(results.read_text(encoding="utf-8"))).savefig(picture)


if __name__ == "__main__":
    main()
