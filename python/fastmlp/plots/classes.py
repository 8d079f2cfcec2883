"""Plots of predicted classes: which are mistaken for which, and how far their probabilities can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.errors import shown
from fastmlp.checks.values import check_size
from fastmlp.plots.canvas import BLUE, finish, fit_shape, new_figure, numbers, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes


def confusion_matrix(
    matrix_or_pair: ArrayLike | tuple[ArrayLike, ArrayLike],
    *,
    classes: Sequence[Any] | None = None,
    normalize: bool = False,
    title: str | None = None,
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
    title : str, optional
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
    finish(
        ax, "predicted class", "true class (rows in per cent)" if normalize else "true class", title=title, grid=False
    )
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


def calibration_curve(
    y_true: ArrayLike,
    probabilities: ArrayLike,
    *,
    n_bins: int = 10,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how often predictions come true, over how probable the network said they were.

    With two classes, that is the second class and its probability; with more, the most probable class of each row. On
    the diagonal, a probability can be taken at its word. Below it, the network says too much.

    Parameters
    ----------
    y_true : array_like (n,)
        Labels 0, 1, ...
    probabilities : array_like (n, n_classes) or (n, 1)
        Predicted probabilities; (n, 1) is that of the second of two classes.
    n_bins : int, default 10
        Groups of rows with about equally many rows each.
    title : str, optional
    ax : matplotlib Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        For shapes that do not fit, labels that have no column, and probabilities outside 0 to 1.
    TypeError
        For values that are not numbers.

    Notes
    -----
    The bars are one standard error of a share. Source: Niculescu-Mizil and Caruana, "Predicting good probabilities with
    supervised learning", ICML 2005.

    Examples
    --------
    >>> ax = calibration_curve([0, 1, 1, 1], [[0.9], [0.8], [0.6], [0.9]], n_bins=2)
    >>> ax.get_ylabel()
    'share that came true'
    """
    p = numbers("probabilities", probabilities, 2)
    labels = numbers("y_true", y_true, 1)
    fit_shape("y_true", labels, "probabilities", p.shape[:1])
    n_classes = max(p.shape[1], 2)
    if (p < 0).any() or (p > 1 + 1e-6).any():
        raise ValueError(f"probabilities must be from 0 to 1, got {p.min():g} to {p.max():g}")
    if (labels < 0).any() or (labels >= n_classes).any() or (labels != np.floor(labels)).any():
        raise ValueError(f"y_true must be labels from 0 to {n_classes - 1}, got {labels.min():g} to {labels.max():g}")
    if n_classes == 2:
        said, true, what = p[:, -1], labels == 1, "probability of the second class"
    else:
        said, true, what = p.max(axis=1), labels == p.argmax(axis=1), "probability of the predicted class"
    groups = np.array_split(np.argsort(said, kind="stable"), min(check_size("n_bins", n_bins), len(said)))
    x = np.array([said[rows].mean() for rows in groups])
    y = np.array([true[rows].mean() for rows in groups])
    error = np.sqrt(y * (1 - y) / [len(rows) for rows in groups])
    ax = new_figure(5, 4.6).subplots() if ax is None else ax
    ax.plot([0, 1], [0, 1], color="0.6", linestyle="--", label="as said")
    ax.errorbar(x, y, yerr=error, color=BLUE, linewidth=2, marker="o", markersize=5, label="predictions")
    ax.set_xlim(0 if n_classes == 2 else max(0.0, x.min() - 0.05), 1.02)
    ax.set_ylim(min(0.0 if n_classes == 2 else 1.0, (y - error).min()) - 0.02, 1.02)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(percent())
    return finish(ax, what, "share that came true", title=title, legend=True)
