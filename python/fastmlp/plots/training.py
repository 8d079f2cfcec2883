"""Plots of how training went: losses per epoch, errors over the number of training rows, confused classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.errors import shown
from fastmlp.plots.canvas import BLUE, RING, VERMILLION, finish, fit_shape, increasing, new_figure, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class HistoryLike(Protocol):
    """What `history` needs: ``"loss" in h`` and ``h["loss"]``, such as a dict of lists."""

    def __getitem__(self, key: str, /) -> Any: ...
    def __contains__(self, key: Any, /) -> bool: ...


def history(history: HistoryLike, *, ax: Axes | None = None, log: bool = False) -> Figure | Axes:
    """Draw the training and validation loss of every epoch, and mark the best epoch.

    The best epoch has the lowest ``val_loss``, or the lowest ``loss`` without validation data. Values that are not
    finite are left out.

    Parameters
    ----------
    history : History or dict
        With ``loss`` and optionally ``val_loss`` and ``val_accuracy``, a number per epoch each.
    ax : matplotlib Axes, optional
        Where to draw the losses. Default: a new figure, with ``val_accuracy`` below the losses if there is one.
    log : bool, default False
        Whether the axis of the loss is logarithmic.

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
    ax.plot(best + 1, curves[key][best], label=f"best epoch {best + 1}: {curves[key][best]:.4g}", **RING)
    if log:
        ax.set_yscale("log")
    finish(ax, "epoch" if accuracy_ax is None else "", "loss", legend=True)
    if accuracy_ax is not None:
        from matplotlib.ticker import PercentFormatter

        accuracy = curves["val_accuracy"]
        _epochs(accuracy_ax, accuracy, color=VERMILLION)
        marked = bool(np.isfinite(accuracy[best]))
        if marked:
            label = f"epoch {best + 1}: {100 * accuracy[best]:.2f}%"
            accuracy_ax.plot(best + 1, accuracy[best], label=label, **RING)
        accuracy_ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
        finish(accuracy_ax, "epoch", "validation accuracy", legend=marked)
        accuracy_ax.figure.align_ylabels()
    return ax if figure is None else figure


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


def confusion_matrix(
    matrix_or_pair: ArrayLike | tuple[ArrayLike, ArrayLike],
    *,
    classes: Sequence[Any] | None = None,
    normalize: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw a confusion matrix: a row for each true class, a column for each predicted class, counts in the cells.

    Hits are blue and mistakes orange. Each colour has its own scale, so that a few mistakes stand out among many hits.

    Parameters
    ----------
    matrix_or_pair : array_like (n_classes, n_classes) or tuple (y_true, y_pred)
        Counts, or labels to count.
    classes : sequence, optional
        Names of the rows in order; integer labels are then indices into it. Default: the labels found, or 0, 1, ...
        for a matrix.
    normalize : bool, default False
        True: show per cent of each true class instead of counts.
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        For a matrix that is not square or has negative counts, labels of different lengths, and labels that are not in
        ``classes``.
    TypeError
        For values that are not numbers.

    Examples
    --------
    >>> ax = confusion_matrix((["cat", "dog", "dog"], ["cat", "dog", "cat"]))
    >>> [text.get_text() for text in ax.texts]
    ['1', '0', '1', '1']
    """
    if isinstance(matrix_or_pair, tuple):
        counts, classes = _count_labels(matrix_or_pair, classes)
    else:
        counts = numbers("matrix_or_pair", matrix_or_pair, 2)
        if counts.shape[0] != counts.shape[1] or (counts < 0).any():
            got = f"shape {counts.shape}, lowest count {counts.min():g}"
            raise ValueError(f"matrix_or_pair must be square with counts >= 0, got {got}")
    labels = [str(name) for name in (range(len(counts)) if classes is None else classes)]
    if len(labels) != len(counts):
        raise ValueError(f"classes must name {len(counts)} classes, got {len(labels)}")
    if normalize:
        of_class = counts.sum(axis=1, keepdims=True)
        counts = 100 * counts / np.where(of_class > 0, of_class, 1)
        cells = [[f"{value:.1f}" if value else "0" for value in row] for row in counts]
    else:
        cells = [[f"{value:.0f}" if value == round(value) else f"{value:.2f}" for value in row] for row in counts]

    n = len(counts)
    side = min(12.0, max(4.0, 0.42 * n + 1))
    ax = new_figure(side, side).subplots() if ax is None else ax
    colors = _shades(counts)
    ax.imshow(colors)
    box = ax.get_window_extent()
    points = 72 * min(box.width, box.height) / ax.figure.dpi / n  # side of a cell
    size = min(11.0, 0.5 * points, 1.3 * points / max(len(cell) for row in cells for cell in row))
    luminance = colors**2.2 @ (0.2126, 0.7152, 0.0722)  # below 0.25, white is easier to read than black
    for (i, j), value in np.ndenumerate(counts):
        ink = "0.72" if value == 0 else "white" if luminance[i, j] < 0.25 else "black"
        ax.text(j, i, cells[i][j], ha="center", va="center", color=ink, fontsize=size)
    slanted: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    ax.set_xticks(range(n), labels, **(slanted if 6 * max(map(len, labels)) > points else {}))
    ax.set_yticks(range(n), labels)
    finish(ax, "predicted class", "true class (rows in per cent)" if normalize else "true class", grid=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _count_labels(
    pair: tuple[ArrayLike, ...], classes: Sequence[Any] | None
) -> tuple[NDArray[np.float64], Sequence[Any]]:
    """Count (y_true, y_pred) in a matrix; returns it and the names of its rows."""
    if len(pair) != 2:
        raise ValueError(f"matrix_or_pair must be a matrix or a tuple (y_true, y_pred), got a tuple of {len(pair)}")
    y_true, y_pred = np.asarray(pair[0]), np.asarray(pair[1])
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or y_true.size == 0:
        shapes = f"{y_true.shape} and {y_pred.shape}"
        raise ValueError(f"matrix_or_pair must hold two 1-d arrays of equal length, not empty, got shapes {shapes}")
    found, codes = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    names = found.tolist() if classes is None else list(classes)
    counted = found.dtype.kind in "iu" and all(isinstance(name, str) for name in names)
    rows = list(range(len(names))) if counted else names
    unknown = [label for label in found.tolist() if label not in rows]
    if unknown:
        raise ValueError(f"classes must cover every label of matrix_or_pair, got the label {shown(unknown[0])} too")
    position = np.array([rows.index(label) for label in found.tolist()])[codes]
    counts = np.zeros((len(rows), len(rows)))
    np.add.at(counts, (position[: y_true.size], position[y_true.size :]), 1)
    return counts, names


def _shades(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """The colour of each cell, (n, n, 3): hits in blues, mistakes in oranges, zeros in white."""
    import matplotlib

    hit = np.eye(len(counts), dtype=bool)
    colors = np.ones((*counts.shape, 3))
    for kind, name, darkest in ((hit, "Blues", 0.85), (~hit, "Oranges", 0.6)):
        seen = kind & (counts > 0)
        if seen.any():
            shade = 0.1 + (darkest - 0.1) * counts[seen] / counts[seen].max()
            colors[seen] = matplotlib.colormaps[name](shade)[:, :3]
    return colors
