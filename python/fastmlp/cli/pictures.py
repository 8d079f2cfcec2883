"""The pictures of ``fastmlp train --plot``: one kind a function, named in front of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable, unknown_name
from fastmlp.cli import report
from fastmlp.cli.sources import Problem
from fastmlp.cli.writing import check_writable
from fastmlp.history import History
from fastmlp.metrics import as_labels, confusion_matrix
from fastmlp.network import Network

_ENDINGS = (".png", ".pdf", ".svg")
_MOST_ROWS, _SHUFFLES = 5000, 3  # for the importance of columns


@dataclass(frozen=True)
class Drawn:
    """What can be drawn: a trained network, how its training went, and the rows that judge it."""

    network: Network
    problem: Problem
    history: History

    @cached_property
    def part(self) -> tuple[str, NDArray[Any], NDArray[Any]]:
        """Name, inputs and targets of the test rows, or of the training rows if there are none."""
        if self.problem.test is None and self.problem.n_streamed is not None:
            raise ValueError("this --plot needs rows for testing; see --test-fraction and --test")
        name, part = ("test", self.problem.test) if self.problem.test is not None else ("training", self.problem.train)
        return name, *part

    @cached_property
    def outputs(self) -> NDArray[Any]:
        """What the network says of these rows."""
        return self.network.predict(self.part[1])

    @property
    def title(self) -> str:
        """The data, and which rows are drawn."""
        return f"{self.problem.name}: {report.plural(len(self.part[1]), self.part[0] + ' row')}"


def _losses(drawn: Drawn) -> Any:
    from fastmlp import plots

    loss = drawn.network.loss.name + (" of log(1 + y)" if drawn.problem.target.log else "")
    scaled = ", in scaled units" if drawn.network.target_scale is not None else ""
    return plots.history(drawn.history, title=f"Training on {drawn.problem.name}", loss=f"loss ({loss}{scaled})").figure


def _confusion(drawn: Drawn) -> Any:
    from fastmlp import plots

    classes = [printable(name) for name in drawn.problem.classes or ()]
    counts = confusion_matrix(drawn.part[2], as_labels("predictions", drawn.outputs), len(classes))
    return plots.confusion_matrix(counts, classes=classes, title=drawn.title).figure


def _calibration(drawn: Drawn) -> Any:
    from fastmlp import plots

    return plots.calibration_curve(drawn.part[2], drawn.outputs, title=drawn.title).figure


def _predicted(drawn: Drawn) -> Any:
    from fastmlp import plots

    return plots.predicted(*_numbers(drawn), name=_unit(drawn), title=drawn.title).figure


def _residuals(drawn: Drawn) -> Any:
    from fastmlp import plots

    return plots.residuals(*_numbers(drawn), name=_unit(drawn), title=drawn.title).figure


def _numbers(drawn: Drawn) -> tuple[NDArray[Any], NDArray[Any]]:
    decode = drawn.problem.target.decode
    return decode(drawn.part[2]), decode(drawn.outputs)


def _unit(drawn: Drawn) -> str:
    return printable(drawn.problem.target_name or "value", 40)


def _importance(drawn: Drawn) -> Any:
    """How much the error rises if the values of one column are shuffled among the rows."""
    from fastmlp import plots

    _, X, y = drawn.part
    generator = np.random.default_rng(0)
    rows = generator.permutation(len(X))[:_MOST_ROWS]
    X, y = X[rows], y[rows]
    network, columns = drawn.network, np.array(drawn.problem.encoder.source_columns())
    classes = drawn.problem.classes is not None

    def error(X: NDArray[Any]) -> float:
        outputs = network.predict(X)
        if classes:
            return 100 * float(np.mean(as_labels("predictions", outputs) != y))
        return float(
            np.sqrt(np.mean((drawn.problem.target.decode(outputs[:, 0]) - drawn.problem.target.decode(y)) ** 2))
        )

    rises, before = {}, error(X)
    for name in dict.fromkeys(columns.tolist()):
        mine, changed, after = columns == name, X.copy(), []
        for _ in range(_SHUFFLES):
            changed[:, mine] = X[generator.permutation(len(X))][:, mine]
            after.append(error(changed))
        rises[name] = float(np.mean(after)) - before
    unit = "percentage points" if classes else f"units of {_unit(drawn)}"
    what = "share of wrong answers" if classes else "root mean square error"
    xlabel = f"rise of the {what} when the column is shuffled\n({unit})"
    return plots.column_importance(rises, xlabel=xlabel, title=drawn.title).figure


class _Kind(NamedTuple):
    draw: Callable[[Drawn], Any]
    fits: Callable[[Problem], bool]
    needs: str


KINDS = {
    "losses": _Kind(_losses, lambda problem: True, ""),
    "confusion": _Kind(_confusion, lambda problem: problem.classes is not None, "classes"),
    "calibration": _Kind(_calibration, lambda problem: problem.classes is not None, "classes"),
    "predicted": _Kind(_predicted, lambda problem: _is_one_number(problem), "one number as target"),
    "residuals": _Kind(_residuals, lambda problem: _is_one_number(problem), "one number as target"),
    "importance": _Kind(_importance, lambda problem: problem.encoder is not None, "a table"),
}


def _is_one_number(problem: Problem) -> bool:
    return problem.classes is None and problem.n_targets == 1


class Picture(NamedTuple):
    """A kind of picture, and the file to write it to."""

    kind: str
    path: Path

    def check(self, problem: Problem) -> None:
        """Raise ``ValueError`` if the picture can't be drawn for this problem."""
        if not KINDS[self.kind].fits(problem):
            raise ValueError(f"--plot {self.kind}={self.path} needs {KINDS[self.kind].needs}")

    def write(self, drawn: Drawn) -> None:
        """Draw it into the file, whole or not at all."""
        from fastmlp.machine.files import replacing

        figure = KINDS[self.kind].draw(drawn)
        with replacing(self.path) as file:
            figure.savefig(file, format=self.path.suffix.lower().lstrip("."))


def pictures_of(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Picture, ...]:
    """The pictures asked for as ``FILE`` or ``KIND=FILE``, each in a file of its own that can be written."""
    pictures = []
    for value in values:
        kind, equals, name = value.partition("=")
        if equals and kind.isalpha() and kind not in KINDS:
            raise unknown_name("--plot", kind, KINDS)
        pictures.append(Picture(kind, Path(name)) if equals and kind in KINDS else Picture("losses", Path(value)))
    paths = [picture.path for picture in pictures]
    for picture in pictures:
        if paths.count(picture.path) > 1:
            raise ValueError(f"--plot names {picture.path} twice")
        if picture.path.suffix.lower() not in _ENDINGS:
            raise ValueError(f"--plot {picture.path}: expected a name that ends in {', '.join(_ENDINGS)}")
        if picture.path.is_dir():
            raise ValueError(f"--plot {picture.path} is a folder")
        check_writable("--plot", picture.path)
    if pictures and find_spec("matplotlib") is None:
        raise click.ClickException("--plot needs matplotlib: pip install 'fastmlp[plot]'")
    return tuple(pictures)
