"""Plots of a network: its cost over one or two weights, its activations, its first layer as images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.errors import shown, unknown_name
from fastmlp.plots.canvas import BLUE, DOT, RING, VERMILLION, finish, fit_shape, increasing, new_figure, numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def cost_curve(
    grid: ArrayLike,
    costs: ArrayLike,
    *,
    name: str = "weight",
    current: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the cost over one weight and mark the lowest point of the grid.

    Parameters
    ----------
    grid : array_like (n,)
        Values of the weight, increasing.
    costs : array_like (n,)
        Cost at each of them.
    name : str, default "weight"
        Name of the weight, for the axis.
    current : float, optional
        The present value of the weight, to be marked.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        For shapes that do not fit, a grid that does not increase, and NaN.
    TypeError
        For values that are not numbers.

    Examples
    --------
    >>> cost_curve([-1.0, 0.0, 1.0], [2.0, 0.5, 1.0], name="W1[0,0]").get_xlabel()
    'W1[0,0]'
    """
    x = increasing("grid", grid)
    y = numbers("costs", costs, 1)
    fit_shape("costs", y, "grid", x.shape)
    now = None if current is None else float(numbers("current", current, 0))
    ax = new_figure(6, 4).subplots() if ax is None else ax
    ax.plot(x, y, color=BLUE, linewidth=2)
    if now is not None:
        ax.axvline(now, color=VERMILLION, linewidth=1.5, linestyle="--", label=f"now at {now:.4g}")
    lowest = int(np.argmin(y))
    ax.plot(x[lowest], y[lowest], label=f"minimum {y[lowest]:.4g} at {x[lowest]:.4g}", **RING)
    return finish(ax, name, "cost", legend=True)


def cost_surface(
    grid_0: ArrayLike,
    grid_1: ArrayLike,
    costs: ArrayLike,
    *,
    names: tuple[str, str] = ("W1[0,0]", "W1[0,1]"),
    kind: Literal["contour", "3d"] = "contour",
    ax: Axes | None = None,
) -> Axes:
    """Draw the cost over two weights, as filled contours or as a surface, and mark the lowest point of the grid.

    Parameters
    ----------
    grid_0, grid_1 : array_like (n_0,) and (n_1,)
        Values of the two weights, increasing, at least two each.
    costs : array_like (n_0, n_1)
        ``costs[i, j]`` is the cost at ``grid_0[i]`` and ``grid_1[j]``.
    names : pair of str, default ("W1[0,0]", "W1[0,1]")
        Names of the weights, for the axes.
    kind : {"contour", "3d"}, default "contour"
    ax : matplotlib Axes, optional
        Where to draw; for ``kind="3d"`` it must have ``projection="3d"``. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        For shapes that do not fit, grids that do not increase, NaN, an unknown ``kind``, and an ``ax`` of the wrong
        projection.
    TypeError
        For values that are not numbers.

    Examples
    --------
    >>> cost_surface([0, 1], [0, 1, 2], [[3, 2, 1], [2, 1, 2]]).get_ylabel()
    'W1[0,1]'
    """
    if kind not in ("contour", "3d"):
        raise unknown_name("kind", kind, ("contour", "3d"))
    if isinstance(names, str) or len(names) != 2:
        raise ValueError(f"names must be two names, got {shown(names)}")
    x, y = increasing("grid_0", grid_0, at_least=2), increasing("grid_1", grid_1, at_least=2)
    z = numbers("costs", costs, 2)
    fit_shape("costs", z, "grid_0 and grid_1", (x.size, y.size))
    if ax is None:
        ax = new_figure(6, 4).add_subplot(projection="3d" if kind == "3d" else None)
    if (ax.name == "3d") != (kind == "3d"):
        raise ValueError(f"ax must fit kind={kind!r}, got axes of projection {shown(ax.name)}")
    i, j = (int(k) for k in np.unravel_index(np.argmin(z), z.shape))
    label = f"minimum {z[i, j]:.4g} at ({x[i]:.4g}, {y[j]:.4g})"
    if kind == "contour":
        from matplotlib.ticker import MaxNLocator

        low, high = float(z.min()), float(z.max())
        largest = max(abs(low), abs(high))
        if high - low <= 1e-9 * largest:  # even a flat surface needs increasing levels
            high = low + (largest or 1.0)
        filled = ax.contourf(x, y, z.T, levels=np.linspace(low, high, 21), cmap="viridis")
        ax.plot(x[i], y[j], label=label, **DOT)
        ax.figure.colorbar(filled, ax=ax, label="cost", ticks=MaxNLocator(6))
        return finish(ax, *names, legend=True, grid=False)
    smooth = {"rcount": 100, "ccount": 100, "cmap": "viridis", "antialiased": False}
    surface: Any = ax  # an Axes3D, which has methods that Axes lacks
    filled = surface.plot_surface(*np.meshgrid(x, y, indexing="ij"), z, **smooth)
    surface.plot([x[i]], [y[j]], [z[i, j]], label=label, **{**DOT, "clip_on": True})
    surface.locator_params(nbins=5)
    surface.figure.colorbar(filled, ax=ax, label="cost", shrink=0.7, pad=0.12)
    return finish(ax, *names, legend=True)


@overload
def activation(names: str, *, z: tuple[float, float] = ..., ax: Axes | None = None) -> Axes: ...
@overload
def activation(
    names: list[str] | tuple[str, ...] | None = None, *, z: tuple[float, float] = ..., ax: None = None
) -> Figure: ...
def activation(
    names: str | list[str] | tuple[str, ...] | None = None,
    *,
    z: tuple[float, float] = (-5.0, 5.0),
    ax: Axes | None = None,
) -> Axes | Figure:
    """Draw activations f(z) and their derivatives f'(z).

    Parameters
    ----------
    names : str, list or tuple of str, optional
        One activation, or several. Default: every activation that hidden layers can have.
    z : pair of float, default (-5.0, 5.0)
        Range to draw, low and high.
    ax : matplotlib Axes, optional
        Where to draw a single activation. Default: a new figure.

    Returns
    -------
    matplotlib Axes or Figure
        Axes for a single name; otherwise a Figure with a small plot for each activation, on common axes.

    Raises
    ------
    ValueError
        For an unknown name; for softmax, which has no curve because it works on whole rows; for an empty list; and for
        an ``ax`` with several names.

    Examples
    --------
    >>> activation("sigmoid").get_title()
    'sigmoid'
    """
    from fastmlp.model import activations

    low, high = increasing("z", z, at_least=2)[[0, -1]]
    values = np.linspace(low, high, 1001)
    if names is None:
        names = [name for name, spec in activations.ACTIVATIONS.items() if not spec.output_only]
    chosen = [names] if isinstance(names, str) else list(names)
    curves = [(name, activations.activate(name, values), activations.derivative(name, values)) for name in chosen]
    if isinstance(names, str):
        ax = new_figure(6, 4).subplots() if ax is None else ax
        _curve_and_slope(ax, values, *curves[0])
        return finish(ax, "z", "", legend=True)

    if not chosen or ax is not None:
        raise ValueError(
            f"names must hold at least one activation, and only a single one with ax, got names={shown(names)}"
        )
    columns = _columns(len(chosen), 1.5)
    rows = -(-len(chosen) // columns)
    figure = new_figure(max(4, 1.9 * columns), 1 + 1.6 * rows, returned=True)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, curve in zip(panels, curves, strict=False):
        _curve_and_slope(panel, values, *curve)
        finish(panel, "", "").tick_params(labelbottom=True)
    for unused in panels[len(chosen) :]:
        unused.remove()
    figure.supxlabel("z", fontsize=10)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


def _curve_and_slope(
    ax: Axes, z: NDArray[np.float64], name: str, value: NDArray[np.float64], slope: NDArray[np.float64]
) -> None:
    ax.plot(z, value, color=BLUE, linewidth=2, label="f(z)")
    ax.plot(z, slope, color=VERMILLION, linewidth=1.5, linestyle="--", label="f'(z)")
    ax.set_title(name, fontsize=10)


def first_layer(
    net_or_weights: Any,
    shape: tuple[int, int] = (28, 28),
    *,
    n: int | None = None,
    columns: int | None = None,
) -> Figure:
    """Draw the incoming weights of each unit of the first layer as an image: red above zero, blue below.

    All images share one colour scale, symmetric about zero.

    Parameters
    ----------
    net_or_weights : Network or array_like (n_in, n_units)
        A network, whose ``weights[0]`` is drawn, or weights.
    shape : pair of int, default (28, 28)
        Height and width of an input image; their product is n_in.
    n : int, optional
        Number of units to draw, from the first. Default: all.
    columns : int, optional
        Images per row. Default: a grid about three wide to two high.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    ValueError
        For shapes that do not fit, and ``n`` or ``columns`` out of range.
    TypeError
        For ``n`` or ``columns`` that are not whole numbers.

    Examples
    --------
    >>> figure = first_layer([[1.0, -2.0], [0.5, 0.0], [0.0, 1.0], [2.0, 0.25]], shape=(2, 2))
    >>> figure.axes[0].images[0].get_clim()
    (-2.0, 2.0)
    """
    layers = getattr(net_or_weights, "weights", None)
    weights = numbers("net_or_weights", net_or_weights if layers is None else layers[0], 2)
    height, width = shape if np.shape(shape) == (2,) else (0, 0)
    if height < 1 or width < 1 or height * width != weights.shape[0]:
        raise ValueError(f"shape must be (height, width) with {weights.shape[0]} pixels in all, got {shape}")
    n = _count("n", n, weights.shape[1], default=weights.shape[1])
    columns = _count("columns", columns, n, default=_columns(n, 1.5 * height / width))
    rows = -(-n // columns)

    edge = max(1, round(width / 14))  # of each image, in pixels
    tiles = np.full((rows * columns, height + edge, width + edge), np.nan)
    tiles[:n, :height, :width] = weights[:, :n].T.reshape(n, height, width)
    wall = tiles.reshape(rows, columns, *tiles.shape[1:]).swapaxes(1, 2).reshape(rows * (height + edge), -1)
    limit = float(np.abs(weights[:, :n]).max()) or 1.0
    figure = new_figure(7, min(10.0, max(1.5, 5.9 * wall.shape[0] / wall.shape[1])), returned=True)
    ax = figure.subplots()
    image = ax.imshow(wall[:-edge, :-edge], cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    ax.set_axis_off()
    figure.colorbar(image, ax=ax, label="weight")
    return figure


def _count(name: str, value: int | None, most: int, *, default: int) -> int:
    """Check that ``value`` is a whole number from 1 to ``most``; None gives ``default``."""
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be a whole number, got {type(value).__name__}")
    if not 1 <= value <= most:
        raise ValueError(f"{name} must be from 1 to {most}, got {value}")
    return int(value)


def _columns(n: int, aspect: float) -> int:
    """The number of columns near ``aspect`` times the rows that leaves the fewest cells empty."""
    ideal = (n * aspect) ** 0.5
    near = range(max(1, int(0.75 * ideal)), min(n, int(1.25 * ideal) + 1) + 1)
    return min(near, key=lambda columns: (-n % columns, abs(columns - ideal)))
