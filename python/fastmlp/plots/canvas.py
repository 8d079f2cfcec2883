"""What all plots share: new figures, one style, and checks of arguments.

The colours of Okabe and Ito (2008) are safe for colour-blind readers: blue is training (or the curve itself),
vermillion is validation (or what the curve is compared with). The style is set on the artists, never in ``rcParams``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILLION = "#0072B2", "#D55E00"
RING: dict[str, Any] = {  # marks a point without hiding the curve
    "linestyle": "none",
    "marker": "o",
    "markersize": 9,
    "markerfacecolor": "none",
    "markeredgecolor": "black",
    "markeredgewidth": 1.5,
    "zorder": 5,
    "clip_on": False,
}
DOT: dict[str, Any] = {**RING, "markersize": 7, "markerfacecolor": "white"}  # marks a point on a coloured surface


def new_figure(width: float, height: float, *, returned: bool = False) -> Figure:
    """An empty figure of ``width`` x ``height`` inches; ``returned``: whether the plot returns the Figure itself.

    Raises ImportError if matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError as error:
        raise ImportError("fastmlp.plots needs matplotlib: pip install 'fastmlp[plot]'") from error
    style: dict[str, Any] = {
        "figsize": (width, height),
        "dpi": 150,
        "layout": ConstrainedLayoutEngine(w_pad=0.08, h_pad=0.08),
    }
    notebook = "ipykernel" in sys.modules
    if not notebook and not matplotlib.is_interactive():
        return Figure(**style)
    from matplotlib import pyplot

    figure = pyplot.figure(**style)
    if notebook and returned:  # a notebook shows a returned Figure: pyplot would show it again
        pyplot.close(figure)
    return figure


def finish(
    ax: Axes, xlabel: str, ylabel: str, *, title: str | None = None, legend: bool = False, grid: bool = True
) -> Axes:
    """Set the labels and the common style of ``ax``, and return it."""
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if title:
        ax.set_title(title, fontsize=11)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color("0.5")
    ax.tick_params(color="0.5", labelsize=9)
    if grid:
        ax.grid(True, color="0.92", linewidth=0.8)
        ax.set_axisbelow(True)
    if legend:
        ax.legend(fontsize=9, edgecolor="none", framealpha=0.85)
    return ax


def percent() -> Any:
    """Ticks for shares: 0.8 as "80 %"."""
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(xmax=1, symbol=" %")


def grouped(axis: Any) -> None:
    """Few ticks, with a space between thousands: 200000 as "200 000"."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(6))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}".replace(",", " ")))


def numbers(name: str, value: ArrayLike, ndim: int, *, finite: bool = True) -> NDArray[np.float64]:
    """Convert to a float64 array of ``ndim`` dimensions; it must not be empty, or hold NaN unless ``finite=False``."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(
            f"{name} must be an array of numbers, got {type(value).__name__}, which cannot be converted"
        ) from None
    if array.ndim != ndim or array.size == 0:
        raise ValueError(f"{name} must have {ndim} dimensions and not be empty, got shape {array.shape}")
    if finite and not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite, got {array[where]} at index {where}")
    return array


def increasing(name: str, value: ArrayLike, *, at_least: int = 1) -> NDArray[np.float64]:
    """Convert to a 1-d array of ``at_least`` numbers or more, each larger than the one before."""
    array = numbers(name, value, 1)
    if array.size < at_least or (np.diff(array) <= 0).any():
        raise ValueError(
            f"{name} must be {at_least} or more increasing values, got {np.array2string(array, threshold=6)}"
        )
    return array


def fit_shape(name: str, array: NDArray[np.float64], other: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless ``array`` has the ``shape`` that fits the argument ``other``."""
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape} to fit {other}, got {array.shape}")
