"""Plots of predicted numbers: against the true ones, and what is left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.plots.canvas import BLUE, VERMILLION, finish, fit_shape, grouped, new_figure, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def predicted(
    y_true: ArrayLike, y_pred: ArrayLike, *, name: str = "", title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw predicted numbers against the true ones; on the diagonal, they agree.

    Parameters
    ----------
    y_true, y_pred : array_like (n,) or (n, 1)
    name : str, default ""
        What the numbers are, such as ``"price in EUR"``, for the labels of the axes.
    title : str, optional
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        For shapes that do not fit, and numbers that are not finite.
    TypeError
        For values that are not numbers.

    Examples
    --------
    >>> predicted([1.0, 2.0], [1.5, 2.0], name="price").get_xlabel()
    'true price'
    """
    true, guess = _pair(y_true, y_pred)
    ax = new_figure(5, 4.6).subplots() if ax is None else ax
    low, high = float(min(true.min(), guess.min())), float(max(true.max(), guess.max()))
    ax.plot([low, high], [low, high], color="0.6", linestyle="--", label="equal")
    _points(ax, true, guess)
    return finish(ax, f"true {name}".strip(), f"predicted {name}".strip(), title=title, legend=True)


def residuals(
    y_true: ArrayLike, y_pred: ArrayLike, *, name: str = "", title: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw what is left over, true minus predicted, over the predicted numbers.

    A band of even width around 0 is as it should be. A bend says that the network misses a pattern; a band that widens,
    that large numbers are less certain, as often with prices: the logarithm of the target may suit better.

    Parameters
    ----------
    y_true, y_pred : array_like (n,) or (n, 1)
    name : str, default ""
        What the numbers are, such as ``"price in EUR"``, for the labels of the axes.
    title : str, optional
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        For shapes that do not fit, and numbers that are not finite.
    TypeError
        For values that are not numbers.

    Examples
    --------
    >>> residuals([1.0, 2.0], [1.5, 2.0]).get_ylabel()
    'true minus predicted'
    """
    true, guess = _pair(y_true, y_pred)
    rest = true - guess
    ax = new_figure(6, 4).subplots() if ax is None else ax
    ax.axhline(0, color="0.6", linestyle="--")
    _points(ax, guess, rest)
    edges = np.array_split(np.argsort(guess, kind="stable"), min(12, max(1, len(guess) // 10)))
    if len(edges) > 2:
        middles = [(float(np.median(guess[rows])), float(rest[rows].mean())) for rows in edges]
        ax.plot(*zip(*middles, strict=True), color=VERMILLION, linewidth=2, label="mean")
    return finish(ax, f"predicted {name}".strip(), "true minus predicted", title=title, legend=len(edges) > 2)


def _pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as (n,), checked."""
    true, guess = (np.asarray(y) for y in (y_true, y_pred))
    true, guess = (y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y for y in (true, guess))
    true, guess = numbers("y_true", true, 1), numbers("y_pred", guess, 1)
    fit_shape("y_pred", guess, "y_true", true.shape)
    return true, guess


def _points(ax: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """A dot for each row; the more rows, the smaller and paler."""
    for axis in (ax.xaxis, ax.yaxis):
        grouped(axis)
    crowd = min(1.0, (100 / len(x)) ** 0.5)
    ax.plot(x, y, "o", color=BLUE, markersize=2 + 3 * crowd, alpha=0.25 + 0.55 * crowd, markeredgewidth=0,
            rasterized=len(x) > 5000)  # fmt: skip
