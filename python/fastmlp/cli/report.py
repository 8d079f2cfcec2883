"""Results as text for people: aligned, with spaces between thousands, at most about a hundred columns wide."""

from __future__ import annotations

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


def confusion_text(counts: NDArray[np.int64], classes: Sequence[str]) -> str:
    """Which classes were mistaken for which: a matrix for up to 20 classes, else the most frequent confusions.

    >>> print(confusion_text(np.array([[9, 1], [0, 4]]), ["cat", "dog"]))
    Confusion matrix (a row for each true class, a column for each predicted one)
           cat  dog    right
      cat    9    1   90.0 %
      dog    .    4  100.0 %
    """
    if len(classes) > MOST_IN_MATRIX:
        return _most_frequent(counts, classes)
    names = [printable(name) for name in classes]
    heads = names
    if 2 + max(map(len, names)) + sum(2 + max(len(name), 4) for name in names) > _WIDEST:
        heads = [f"({i})" for i in range(1, len(names) + 1)]
        names = [f"{head} {name}" for head, name in zip(heads, names, strict=True)]
    cells = [[count(n) if n else "." for n in row] for row in counts]
    widths = [max(len(head), *(len(row[j]) for row in cells)) for j, head in enumerate(heads)]
    left = max(map(len, names))
    lines = ["Confusion matrix (a row for each true class, a column for each predicted one)"]
    for name, row, right in zip(["", *names], [heads, *cells], ["right", *_shares(counts)], strict=True):
        fields = "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"  {name:<{left}}  {fields}  {right:>7}")
    return "\n".join(lines)


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


def class_line(part: str, counts: NDArray[np.int64]) -> str:
    """The accuracy on one line.

    >>> class_line("Test", np.array([[9, 1], [0, 10]]))
    'Test accuracy 95.00 % (1 of 20 wrong)'
    """
    right, total = int(np.trace(counts)), int(counts.sum())
    return f"{part} accuracy {100 * right / total:.2f} % ({count(total - right)} of {count(total)} wrong)"


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
