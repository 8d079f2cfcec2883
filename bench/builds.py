"""Time two builds of fastmlp against each other: ``python bench/builds.py OLD_PYTHON NEW_PYTHON``.

Each argument is the Python of an environment that has a build installed. The speed of a shared
machine swings by tens of percent within a second, and two processes of one build differ by
a few percent, because their memory lies elsewhere. So

- every round starts a fresh process of each build, see ``one_build.py``;
- within a round they take turns, a block of a few milliseconds each: old new, new old, ...
  A pair of neighbouring blocks meets nearly the same machine, and its ratio is what counts;
- a block of a task is as long in every process: the same number of loops;
- tasks on one thread are timed by the processor time that they use, so other processes do not
  count. What only waits doesn't count either. Tasks on two threads need a quiet machine.

The same build against itself shows how far a ratio can be trusted.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import click
import numpy as np

from fastmlp.bench.cases import CASES, Array, Case, make_problem
from fastmlp.bench.report import as_table, number
from fastmlp.bench.tasks import FITS, TASKS
from fastmlp.bench.worker import VARIABLES

CHILD = Path(__file__).with_name("one_build.py").absolute()
TURNS = 200  # of a round


@dataclass(frozen=True)
class Task:
    """What both builds do. ``kind`` is as in ``tasks.py``; ``train_on_batch`` takes all rows as its batch."""

    name: str
    case: Case
    kind: Literal["steps", "fit", "predict", "train_on_batch"] = "steps"
    epochs: int = 1
    n_threads: int = 1


_CASE = {case.name: case for case in CASES} | {task.name: task.case for task in TASKS if task.kind != "steps"}
# Few rows: where many of them lie in the caches differs from process to process.
_digits = replace(_CASE["784-30-10"], n_samples=200)
_modern = replace(_CASE["784-256-128-10"], n_samples=256)
_small = replace(_CASE[f"{FITS}-fits"], batch_size=32, n_samples=32, optimizer="adam", learning_rate=1e-3)

BUILD_TASKS = (
    Task("3-4-1", replace(_CASE["3-4-1"], activation="sigmoid", output="sigmoid", batch_size=4, n_samples=96)),
    Task("784-30-10", _digits),
    Task("16-64-64-1", replace(_CASE["16-64-64-1"], n_samples=1024)),
    Task("784-256-128-10", _modern),
    Task("784-256-128-10-by-2", _modern, n_threads=2),
    Task("fit-iris", _CASE["fit-iris"], "fit", epochs=20),
    Task("predict-1", _small, "predict"),
    Task("train_on_batch", _small, "train_on_batch"),
)


class Child:
    """The parent's end of a process of one build; ``start`` waits until it is warm."""

    def __init__(self, python: Path, folder: str) -> None:
        self.python = python
        # -I: neither this folder nor PYTHONPATH leads to another fastmlp.
        self.process = subprocess.Popen(
            [python, "-I", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **dict.fromkeys(VARIABLES, "1")},
            cwd=folder,
            text=True,
        )

    def ask(self, line: str = "") -> Any:
        """Send a line and wait for the answer."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            print(line, file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise click.ClickException(f"the process of {self.python} ended, exit code {self.process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def measure(task: Task, pythons: tuple[Path, Path], rounds: int) -> tuple[Array, tuple[str, str]]:
    """Microseconds per unit ``(2, rounds, TURNS)``, old and new, and where each build was imported from."""
    problem = make_problem(task.case)
    start = np.concatenate([part.ravel() for layer in zip(*problem.start, strict=True) for part in layer])
    asked = {**asdict(task.case), "kind": task.kind, "epochs": task.epochs, "n_threads": task.n_threads, "loops": 0}
    figures = np.empty((2, rounds, TURNS))
    with TemporaryDirectory() as folder:
        np.savez(Path(folder, "data.npz"), X=problem.X, y=problem.y, start=start)
        for r in range(-1, rounds):  # the round before the first finds the number of loops
            children = [Child(python, folder) for python in pythons]
            try:
                answers = [child.ask(json.dumps(asked)) for child in children]
                asked["loops"] = answers[0][0]
                for turn in range(TURNS if r >= 0 else 0):
                    for build in (0, 1) if (r + turn) % 2 == 0 else (1, 0):
                        figures[build, r, turn] = children[build].ask()
            finally:
                for child in children:
                    child.close()
    return figures, (answers[0][1], answers[1][1])


@dataclass(frozen=True)
class Summary:
    """A task's line: microseconds of each build, their ratio, the ratio in pairs of blocks and its standard error."""

    old: float
    new: float
    ratio: float
    in_pairs: float
    error: float

    def cells(self, name: str) -> list[str]:
        """For the table."""
        ratios = (self.ratio, self.in_pairs, self.error)
        return [name, number(self.old), number(self.new), *(f"{value:.3f}" for value in ratios)]


def summarize(figures: Array) -> Summary:
    """Medians over everything, and over the rounds the median of each one's median ratio of neighbours.

    ``figures`` are those of `measure`. The error is that of a median, as the quartiles of the rounds suggest.

    >>> summarize(np.array([[[2.0, 4.0, 2.0]], [[3.0, 6.0, 1.0]]]))
    Summary(old=2.0, new=3.0, ratio=1.5, in_pairs=1.5, error=0.0)
    """
    old, new = (float(np.median(each)) for each in figures)
    low, middle, high = np.quantile(np.median(figures[1] / figures[0], axis=1), [0.25, 0.5, 0.75])
    error = 0.93 * (high - low) / figures.shape[1] ** 0.5  # 1.253 standard deviations, each 0.741 of the quartiles' gap
    return Summary(old, new, new / old, float(middle), float(error))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1), help="Processes of each build.")
@click.option("--only", type=click.Choice([task.name for task in BUILD_TASKS]), help="This task only.")
def main(old: Path, new: Path, rounds: int, only: str | None) -> None:
    """Time the build that the Python OLD has and the one that NEW has, in turns.

    Shows the median microseconds of each, the ratio of these medians, and the median ratio of neighbouring blocks with
    its standard error. The ratio in pairs is the one to trust.
    """
    # Not resolved: the link in an environment's bin is what makes it that environment.
    pythons = old.absolute(), new.absolute()
    rows = [["task", "us old", "us new", "ratio", "in pairs", "error"]]
    for task in BUILD_TASKS:
        if only in (None, task.name):
            figures, places = measure(task, pythons, rounds)
            rows.append(summarize(figures).cells(task.name))
            click.echo("  ".join(rows[-1]), err=True)
    click.echo(f"old: {places[0]}\nnew: {places[1]}\n\n{as_table(rows)}")


if __name__ == "__main__":
    main()
