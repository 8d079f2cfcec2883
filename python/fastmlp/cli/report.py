"""Results as text for people: aligned, with spaces between thousands, no wider than the terminal."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks.errors import printable
from fastmlp.metrics import RegressionErrors
from fastmlp.network import Network

MOST_IN_MATRIX = 20
_WIDEST = 100
_N_CONFUSIONS = 10


def count(number: float) -> str:
    """A whole number with a space between thousands.

    >>> count(1797), count(588154.2)
    ('1 797', '588 154')
    """
    return f"{number:,.0f}".replace(",", " ")


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """A number with its noun.

    >>> plural(1, "class", "classes"), plural(3823, "row")
    ('1 class', '3 823 rows')
    """
    return f"{count(number)} {noun if number == 1 else nouns or noun + 's'}"


def rounded(number: float, digits: int = 2) -> str:
    """A number rounded to ``digits`` significant figures, without an exponent unless it is tiny.

    >>> rounded(1934.0), rounded(87.2), rounded(3.14), rounded(40457.3, 4)
    ('1 900', '87', '3.1', '40 460')
    """
    short = f"{number:.{digits}g}"
    return count(float(short)) if abs(number) >= 10 ** (digits - 1) and "e" in short else short


def duration(seconds: float) -> str:
    """Seconds in the unit a person would choose, to two figures.

    >>> duration(0.2618), duration(75.0), duration(9000.0), duration(3e6)
    ('0.26 s', '75 s', '2.5 hours', '35 days')
    """
    for unit, size, largest in (("s", 1.0, 100.0), ("minutes", 60.0, 100.0), ("hours", 3600.0, 48.0)):
        if seconds < largest * size:
            return f"{rounded(seconds / size)} {unit}"
    return f"{rounded(seconds / 86400)} days"


def network_line(network: Network) -> str:
    """The layers on one line, from input to output."""
    layers = (*network.layers[:-1], network.layers[-1].with_activation(network.output))
    return " -> ".join([str(network.n_features), *(layer.label() for layer in layers)])


def confusion_text(counts: NDArray[np.int64], classes: Sequence[str], width: int | None = None) -> str:
    """Which classes were mistaken for which: a matrix if it is no wider than ``width``, else the most frequent ones.

    The default width is that of the terminal.

    >>> print(confusion_text(np.array([[9, 1], [0, 4]]), ["cat", "dog"]))
    Confusion matrix (a row for each true class, a column for each predicted one)
           cat  dog    right
      cat    9    1   90.0 %
      dog    .    4  100.0 %
    """
    width = shutil.get_terminal_size((_WIDEST, 24)).columns if width is None else width
    if len(classes) <= MOST_IN_MATRIX:
        names = [printable(name) for name in classes]
        numbers = [f"({i})" for i in range(1, len(names) + 1)]
        numbered = [f"{number} {name}" for number, name in zip(numbers, names, strict=True)]
        for left, heads in ((names, names), (numbered, numbers)):
            lines = _matrix(counts, left, heads)
            if len(lines[0]) <= width:
                return "\n".join(
                    ["Confusion matrix (a row for each true class, a column for each predicted one)", *lines]
                )
    return _most_frequent(counts, classes)


def _matrix(counts: NDArray[np.int64], names: Sequence[str], heads: Sequence[str]) -> list[str]:
    """The lines of the matrix, all equally long."""
    cells = [[count(n) if n else "." for n in row] for row in counts]
    widths = [max(len(head), *(len(row[j]) for row in cells)) for j, head in enumerate(heads)]
    left = max(map(len, names))
    lines = []
    for name, row, right in zip(["", *names], [heads, *cells], ["right", *_shares(counts)], strict=True):
        fields = "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"  {name:<{left}}  {fields}  {right:>7}")
    return lines


def _shares(counts: NDArray[np.int64]) -> list[str]:
    """Per cent of each true class predicted correctly; empty for a class without rows."""
    return [f"{100 * row[i] / row.sum():.1f} %" if row.sum() else "" for i, row in enumerate(counts)]


def _most_frequent(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(wrong, axis=None, kind="stable")[::-1][:_N_CONFUSIONS]
    pairs = [divmod(int(i), len(classes)) for i in order if wrong.flat[i]]
    if not pairs:
        return "No class was mistaken for another."
    width = max(len(count(wrong[pair])) for pair in pairs)
    lines = [f"Most frequent confusions of {len(classes)} classes"]
    for i, j in pairs:
        lines.append(f"  {count(wrong[i, j]):>{width}} x  {printable(classes[i])} mistaken for {printable(classes[j])}")
    return "\n".join(lines)


def class_line(part: str, counts: NDArray[np.int64], classes: Sequence[str] = ()) -> str:
    """The accuracy on one line, beside that of always naming the commonest class, if the classes are given.

    >>> class_line("Test", np.array([[9, 1], [0, 10]]))
    'Test accuracy 95.00 % (1 of 20 wrong)'
    >>> class_line("Test", np.array([[5, 1], [2, 12]]), ["yes", "no"])
    "Test accuracy 85.00 % (3 of 20 wrong; always 'no' would be 70.00 %)"
    """
    right, total = int(np.trace(counts)), int(counts.sum())
    commonest = counts.sum(axis=1)
    wrong = f"{count(total - right)} of {count(total)} wrong"
    if classes:
        wrong += f"; always {printable(classes[commonest.argmax()])!r} would be {_share(commonest.max() / total)}"
    return f"{part} accuracy {_share(right / total)} ({wrong})"


def _share(share: float) -> str:
    return f"{100 * share:.2f} %"


def error_lines(part: str, errors: RegressionErrors, unit: str | None) -> str:
    """The errors of a regression, one per line.

    >>> print(error_lines("Test", RegressionErrors(0.5, 0.75, 0.9), None))
    Test error
      mean absolute     0.5
      root mean square  0.75
      R^2               0.9000  (1: perfect, 0: as good as the mean)
    """
    of = f" of {unit!r}" if unit else ""
    return "\n".join(
        [
            f"{part} error{of}",
            f"  mean absolute     {rounded(errors.mean_absolute, 4)}",
            f"  root mean square  {rounded(errors.root_mean_square, 4)}",
            f"  R^2               {errors.r2:.4f}  (1: perfect, 0: as good as the mean)",
        ]
    )


def names_line(names: Sequence[Any], most: int = 20) -> str:
    """The first ``most`` names, separated by commas."""
    more = f", ... ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(printable(str(name), 60) for name in names[:most]) + more
