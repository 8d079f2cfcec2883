"""Results as text and data: the two tables on the terminal, and the records of the JSON file."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log

from .contenders import load
from .harness import Entry, Result

REFERENCE = "fastmlp"  # ratios are relative to this column
NOTHING = "-"


def number(value: float) -> str:
    """Three significant figures, with spaces between thousands.

    >>> number(0.3171), number(14.83), number(17234.0)
    ('0.317', '14.8', '17 200')
    """
    if value >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}".replace(",", " ")
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def as_table(rows: Sequence[Sequence[str]]) -> str:
    """Align cells: the first column on the left, the others on the right.

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


def share(result: Result, entry: Entry | None) -> str:
    """The share of the sgemm peak, in per cent."""
    value = None if entry is None else result.share(entry)
    return NOTHING if value is None else f"{number(100 * value)} %"


def cell(result: Result, name: str) -> str:
    """The best median of a contender, and its ratio to the reference if there is one."""
    entry, reference = result.best(name), result.best(REFERENCE)
    if entry is None:
        return NOTHING
    text = number(entry.quantile(0.5))
    if entry.stand_in:
        text = "~" + text
    if reference is None or name in (REFERENCE, "do_nothing"):
        return text
    return f"{text} ({number(entry.quantile(0.5) / reference.quantile(0.5))}x)"


def comparison(results: Sequence[Result], names: Sequence[str]) -> str:
    """A row per task, a column per contender."""
    rows = [["row, batch", *(load(name).TITLE for name in names)]]
    rows += [[result.task.label, *(cell(result, name) for name in names)] for result in results]
    return as_table(rows)


def details(results: Sequence[Result], threads: Sequence[int]) -> str:
    """fastmlp at each number of threads: time, share of the sgemm peak, memory; and that peak."""
    rows = [[REFERENCE]]
    for n in threads:
        rows[0] += [f"us, {n} thread{'s' * (n > 1)}", "of peak", "MB", "GFLOP/s"]
    for result in results:
        cells = [result.task.label]
        for n in threads:
            entry = next((e for e in result.entries if (e.contender, e.n_threads) == (REFERENCE, n)), None)
            cells += [
                NOTHING if entry is None else number(entry.quantile(0.5)),
                share(result, entry),
                NOTHING if entry is None or entry.memory_mb is None else f"{entry.memory_mb:.0f}",
                number(result.gflops[n]),
            ]
        rows.append(cells)
    return as_table(rows)


def lead(results: Sequence[Result]) -> float | None:
    """Time of the fastest peer relative to ours: geometric mean over the training rows; None if either is missing."""
    logs = []
    for result in results:
        peers = [e.quantile(0.5) for e in result.entries if e.contender not in (REFERENCE, "do_nothing")]
        ours = result.best(REFERENCE)
        if result.task.kind != "predict" and peers and ours is not None:
            logs.append(log(min(peers) / ours.quantile(0.5)))
    return exp(sum(logs) / len(logs)) if logs else None


def notes(results: Sequence[Result], threads: Sequence[int]) -> str:
    """What a reader needs to know to interpret the tables."""
    entries = [entry for result in results for entry in result.entries]
    text = [
        "Microseconds per training step, or per fit, set of fits, prediction or training where the row says so: "
        "median of interleaved repeats; in brackets, how many times as long as fastmlp.",
        f"Every contender runs on {' and on '.join(map(str, threads))} thread(s); its best figure counts.",
        "of peak: speed of the matrix products relative to the sgemm peak in this run at as many threads. "
        "MB: peak memory above imports and data.",
    ]
    ahead = lead(results)
    if ahead is not None:
        text.append(
            f"The fastest peer of each row takes {ahead:.2f} times as long (geometric mean over training rows)."
        )
    if any(entry.stand_in for entry in entries):
        text.append(
            "~: the library cannot express the case; the most similar one that it can is timed (see its adapter)."
        )
    spread = sorted(
        (e.quantile(0.75) - e.quantile(0.25)) / e.quantile(0.5) for e in entries if len(e.seconds) > 1
    )  # fmt: skip
    if spread:
        text.append(
            "Spread (interquartile range over median): "
            f"typically {spread[len(spread) // 2]:.1%}, at most {spread[-1]:.1%}."
        )
    slowest: dict[str, float] = {}
    for entry in entries:
        slowest[entry.title] = max(entry.warm_up_seconds, slowest.get(entry.title, 0.0))
    text.append(
        "Longest warm-up (compilation, not timed): "
        + ", ".join(f"{title} {number(seconds)} s" for title, seconds in slowest.items() if seconds >= 1)
        + "."
        if max(slowest.values(), default=0.0) >= 1
        else "Every warm-up took less than a second."
    )
    samples: dict[str, int] = {}
    for result in results:
        for entry in result.entries:
            if entry.rows is not None and entry.rows < result.task.case.n_samples:
                steps = entry.rows // result.task.case.batch_size
                samples[entry.title] = min(steps, samples.get(entry.title, steps))
    if samples:
        text.append(
            "Where an epoch takes too long, only its first steps are timed: "
            + ", ".join(f"{title} (from {steps} step(s))" for title, steps in samples.items())
            + "."
        )
    for reason in sorted({reason for result in results for reason in result.reasons.values()}):
        titles = sorted({load(name).TITLE for r in results for name, why in r.reasons.items() if why == reason})
        text.append(f"{NOTHING} for {', '.join(titles)}: {reason}.")
    return "\n".join(text)


def as_records(result: Result) -> list[dict[str, object]]:
    """A result as flat records, one for each contender and number of threads."""
    return [
        {
            "task": result.task.name,
            "label": result.task.label,
            "stands_for": result.task.stands_for,
            "contender": entry.contender,
            "title": entry.title,
            "threads": entry.n_threads,
            "us": entry.quantile(0.5),
            "us_lower_quartile": entry.quantile(0.25),
            "us_upper_quartile": entry.quantile(0.75),
            "repeats": len(entry.seconds),
            "units_per_repeat": entry.units,
            "rows_used": entry.rows,
            "stand_in": entry.stand_in,
            "warm_up_seconds": entry.warm_up_seconds,
            "memory_mb": entry.memory_mb,
            "limit_us": result.limit(entry.n_threads),
            "share_of_peak": result.share(entry),
            "sgemm_gflops": result.gflops[entry.n_threads],
        }
        for entry in result.entries
    ]
