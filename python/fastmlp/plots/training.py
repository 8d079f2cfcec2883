"""Plots of how training went: losses per epoch, errors over the number of training rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastmlp.history import History
from fastmlp.plots.canvas import (
    BLUE,
    DOT,
    RING,
    VERMILLION,
    finish,
    fit_shape,
    increasing,
    new_figure,
    numbers,
    percent,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class HistoryLike(Protocol):
    """What `history` needs: ``"loss" in h`` and ``h["loss"]``, such as a dict of lists."""

    def __getitem__(self, key: str, /) -> Any: ...
    def __contains__(self, key: Any, /) -> bool: ...


def history(
    history: HistoryLike,
    *,
    ax: Axes | None = None,
    log: bool = False,
    title: str | None = None,
    loss: str = "loss",
) -> Figure | Axes:
    """Draw the training and validation loss of every epoch, and mark the lowest and the one whose weights are kept.

    The lowest is that of ``val_loss``, or of ``loss`` without validation data. Values that are not finite are left out.

    Parameters
    ----------
    history : History or dict
        With ``loss`` and optionally ``val_loss`` and ``val_accuracy``, a number per epoch each. A `History` also tells
        which epoch's weights are kept: its ``best_epoch``, or the last.
    ax : matplotlib Axes, optional
        Where to draw the losses. Default: a new figure, with ``val_accuracy`` below the losses if there is one.
    log : bool, default False
        Whether the axis of the loss is logarithmic.
    title : str, optional
    loss : str, default "loss"
        Label of the axis of the losses, such as ``"loss in scaled units"``.

    Returns
    -------
    matplotlib Figure or Axes
        The new figure, or ``ax``.

    Raises
    ------
    ValueError
        If "loss" is missing, lengths differ, no value is finite, or a loss is not above zero with ``log``.

    Examples
    --------
    >>> figure = history(
    ...     {"loss": [0.9, 0.5, 0.4], "val_loss": [0.8, 0.6, 0.7], "val_accuracy": [0.7, 0.8, 0.8]}
    ... )
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['loss', 'validation accuracy']
    """
    curves = _curves(history, log)
    key = "val_loss" if "val_loss" in curves else "loss"
    best = int(np.nanargmin(curves[key]))
    kept = _kept(history, curves[key])
    figure, accuracy_ax = None, None
    if ax is None:
        figure = new_figure(6, 4, returned=True)
        if "val_accuracy" in curves:
            ax, accuracy_ax = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        else:
            ax = figure.subplots()
    _epochs(ax, curves["loss"], color=BLUE, label="training")
    if "val_loss" in curves:
        _epochs(ax, curves["val_loss"], color=VERMILLION, label="validation")
    both = "lowest and kept" if kept == best else "lowest"
    ax.plot(best + 1, curves[key][best], label=f"{both}: epoch {best + 1}, {curves[key][best]:.4g}", **RING)
    if kept not in (None, best):
        ax.plot(kept + 1, curves[key][kept], label=f"kept: epoch {kept + 1}, {curves[key][kept]:.4g}", **DOT)
    if log:
        ax.set_yscale("log")
    finish(ax, "epoch" if accuracy_ax is None else "", loss, title=title, legend=True)
    if accuracy_ax is not None:
        accuracy, shown = curves["val_accuracy"], best if kept is None else kept
        _epochs(accuracy_ax, accuracy, color=VERMILLION)
        marked = bool(np.isfinite(accuracy[shown]))
        if marked:
            label = f"epoch {shown + 1}: {100 * accuracy[shown]:.2f} %"
            accuracy_ax.plot(shown + 1, accuracy[shown], label=label, **(RING if shown == best else DOT))
        accuracy_ax.yaxis.set_major_formatter(percent())
        finish(accuracy_ax, "epoch", "validation accuracy", legend=marked)
        accuracy_ax.figure.align_ylabels()
    return ax if figure is None else figure


def _kept(history: HistoryLike, losses: NDArray[np.float64]) -> Any:
    """The epoch whose weights are kept; None if that is not known, or has no loss to mark."""
    if not isinstance(history, History):
        return None
    kept = len(losses) - 1 if history.best_epoch is None else history.best_epoch
    return kept if np.isfinite(losses[kept]) else None


def _curves(history: HistoryLike, log: bool) -> dict[str, NDArray[np.float64]]:
    """The curves to draw, checked; values that are not finite become NaN."""
    if "loss" not in history:
        raise ValueError("history must have the key 'loss' with one number per epoch, got none")
    curves: dict[str, NDArray[np.float64]] = {}
    for key in ("loss", "val_loss", "val_accuracy"):
        if key in history:
            name = f"history[{key!r}]"
            values = numbers(name, history[key], 1, finite=False)
            fit_shape(name, values, "history['loss']", np.shape(history["loss"]))
            if not np.isfinite(values).any():
                raise ValueError(f"{name} must hold a finite number, got none in {values.size} epochs")
            if log and key != "val_accuracy" and (values <= 0).any():
                raise ValueError(f"log=True needs losses above zero, got {name} = {np.nanmin(values):g}")
            curves[key] = np.where(np.isfinite(values), values, np.nan)
    return curves


def _epochs(ax: Axes, values: NDArray[np.float64], **style: Any) -> None:
    """Draw a curve over the epochs 1, 2, ...; few epochs get dots, so that even a single one is visible."""
    from matplotlib.ticker import MaxNLocator

    known = np.flatnonzero(~np.isnan(values))
    ax.plot(known + 1, values[known], linewidth=2, marker="o" if known.size <= 20 else "", markersize=4, **style)
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))


def learning_curve(curve: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the training and validation error over the number of training rows, on a logarithmic axis.

    Parameters
    ----------
    curve : LearningCurve or object with the same attributes
        ``train_sizes``, ``train_error`` and ``validation_error``, all (n,). If it also has ``train_error_std`` and
        ``validation_error_std``, bands show one standard deviation.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        For shapes that do not fit, sizes that are not above zero or do not increase, and NaN.
    TypeError
        For values that are not numbers.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> curve = SimpleNamespace(
    ...     train_sizes=[100, 1000], train_error=[0.01, 0.03], validation_error=[0.3, 0.2]
    ... )
    >>> learning_curve(curve).get_xscale()
    'log'
    """
    sizes = increasing("curve.train_sizes", curve.train_sizes)
    if sizes[0] <= 0:
        raise ValueError(f"curve.train_sizes must be above zero, got {sizes[0]:g}")
    errors: dict[str, NDArray[np.float64]] = {}
    for key in ("train_error", "validation_error", "train_error_std", "validation_error_std"):
        value = getattr(curve, key, None)
        if value is not None:
            errors[key] = numbers(f"curve.{key}", value, 1)
            fit_shape(f"curve.{key}", errors[key], "curve.train_sizes", sizes.shape)
        elif not key.endswith("_std"):
            raise ValueError(f"curve must have {key}, one number per training size, got none")

    ax = new_figure(6, 4).subplots() if ax is None else ax
    for key, label, color in (
        ("train_error", "training", BLUE),
        ("validation_error", "validation", VERMILLION),
    ):
        ax.plot(sizes, errors[key], color=color, linewidth=2, marker="o", markersize=4, label=label)
        if f"{key}_std" in errors:
            low, high = errors[key] - errors[f"{key}_std"], errors[key] + errors[f"{key}_std"]
            ax.fill_between(sizes, low, high, color=color, alpha=0.18, linewidth=0)
    ax.set_xscale("log")
    ticks = [sizes[-1]]  # the sizes themselves, as many as fit side by side
    for size in sizes[-2::-1]:
        if np.log(ticks[-1] / size) >= np.log(sizes[-1] / sizes[0]) / 9:
            ticks.append(size)
    ax.set_xticks(ticks, [f"{size:,.0f}" for size in ticks])
    ax.set_xticks([], minor=True)
    return finish(ax, "training rows", "error", legend=True)
