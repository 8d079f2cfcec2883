"""Compare the speed of two builds of fastmlp: ``python bench/builds.py OLD_PYTHON NEW_PYTHON``.

Each argument is the Python of an environment in which a build is installed. The speed of a
shared machine varies by tens of per cent within a second, and two processes of the same build
differ by a few per cent, because their memory is at different addresses. So

- every round starts a fresh process of each build, see ``one_build.py``;
- within a round they take turns, with blocks of a few milliseconds: old new, new old, ...
  The ratio of two neighbouring blocks counts, since the machine hardly changes between them;
- the blocks of a task run the same number of loops in every process;
- tasks on one thread are timed in processor time, so other processes do not count. Waiting
  does not count either. Tasks on two threads need a quiet machine.

Compare a build with itself to see how far a ratio can be trusted.
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
TURNS = 200  # per round


@dataclass(frozen=True)
class Task:
    """A task for both builds. ``kind`` is as in ``tasks.py``; ``train_on_batch`` uses all rows as its batch."""

    name: str
    case: Case
    kind: Literal["steps", "fit", "predict", "train_on_batch"] = "steps"
    epochs: int = 1
    n_threads: int = 1


_CASE = {case.name: case for case in CASES} | {task.name: task.case for task in TASKS if task.kind != "steps"}
# Few rows, because the place of many rows in the caches differs between processes.
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
    """The parent's handle on the process of one build."""

    def __init__(self, python: Path, folder: str) -> None:
        self.python = python
        # -I, so that neither this folder nor PYTHONPATH provides another fastmlp.
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
            raise click.ClickException(f"the process of {self.python} ended with exit code {self.process.wait()}")
        return json.loads(answer)

    def close(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.communicate()


def measure(task: Task, pythons: tuple[Path, Path], rounds: int) -> tuple[Array, tuple[str, str]]:
    """Microseconds per unit ``(2, rounds, TURNS)``, old and new, and the path of each build."""
    problem = make_problem(task.case)
    start = np.concatenate([part.ravel() for layer in zip(*problem.start, strict=True) for part in layer])
    asked = {**asdict(task.case), "kind": task.kind, "epochs": task.epochs, "n_threads": task.n_threads, "loops": 0}
    figures = np.empty((2, rounds, TURNS))
    with TemporaryDirectory() as folder:
        np.savez(Path(folder, "data.npz"), X=problem.X, y=problem.y, start=start)
        for r in range(-1, rounds):  # an extra first round finds the number of loops
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
    """A row of the table: microseconds of each build, their ratio, the ratio in pairs and its standard error."""

    old: float
    new: float
    ratio: float
    in_pairs: float
    error: float

    def cells(self, name: str) -> list[str]:
        """The cells of the row."""
        ratios = (self.ratio, self.in_pairs, self.error)
        return [name, number(self.old), number(self.new), *(f"{value:.3f}" for value in ratios)]


def summarize(figures: Array) -> Summary:
    """Medians over all blocks, and the median over the rounds of their median ratio of neighbouring blocks.

    ``figures`` come from `measure`. The standard error of that median is estimated from the quartiles of the rounds.

    >>> summarize(np.array([[[2.0, 4.0, 2.0]], [[3.0, 6.0, 1.0]]]))
    Summary(old=2.0, new=3.0, ratio=1.5, in_pairs=1.5, error=0.0)
    """
    old, new = (float(np.median(each)) for each in figures)
    low, middle, high = np.quantile(np.median(figures[1] / figures[0], axis=1), [0.25, 0.5, 0.75])
    error = 0.93 * (high - low) / figures.shape[1] ** 0.5  # 1.253 standard deviations of 0.741 interquartile ranges
    return Summary(old, new, new / old, float(middle), float(error))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rounds", default=15, show_default=True, type=click.IntRange(1), help="Processes per build.")
@click.option("--only", type=click.Choice([task.name for task in BUILD_TASKS]), help="Run only this task.")
def main(old: Path, new: Path, rounds: int, only: str | None) -> None:
    """Time the build installed for the Python OLD and the one for NEW, in turns.

    Prints the median microseconds of each, the ratio of these medians, and the median ratio of neighbouring blocks with
    its standard error. Trust the ratio in pairs.
    """
    # Not resolved, because the link in its bin folder is what selects an environment.
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
