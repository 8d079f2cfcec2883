"""Plot of how much a network relies on each column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fastmlp.checks.errors import printable
from fastmlp.plots.canvas import BLUE, finish, grouped, new_figure, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 40  # characters of a name


def column_importance(
    losses: Mapping[str, float],
    *,
    xlabel: str = "increase of the error when the column is shuffled",
    most: int = 20,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how much worse a network gets without the information of each column, the most important first.

    Parameters
    ----------
    losses : mapping of str to float
        For each column, how much the error rises when the values of the column are shuffled among the rows.
    xlabel : str
        What the numbers are.
    most : int, default 20
        Columns drawn at most.
    title : str, optional
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        Without columns, and for numbers that are not finite.
    TypeError
        For values that are not numbers.

    Notes
    -----
    Two columns that say the same share their importance: the network needs neither, as long as it has the other.

    Source: Breiman, "Random forests", 2001.

    Examples
    --------
    >>> ax = column_importance({"age": 0.02, "rooms": 0.11})
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['rooms', 'age']
    """
    values = numbers("losses", list(losses.values()), 1)
    order = np.argsort(-values, kind="stable")[:most]
    names = [printable(name, _LONGEST) for name in losses]
    ax = new_figure(6, 1.3 + 0.28 * len(order)).subplots() if ax is None else ax
    ax.barh(range(len(order)), values[order], color=BLUE, height=0.7)
    ax.set_yticks(range(len(order)), [names[i] for i in order])
    ax.invert_yaxis()
    ax.axvline(0, color="0.5", linewidth=0.8)
    ax.tick_params(axis="y", length=0)
    grouped(ax.xaxis)
    finish(ax, xlabel, "", title=title)
    ax.grid(False, axis="y")
    return ax
