"""Plots of training and of networks, with matplotlib (extra ``plot``).

Each function draws on ``ax`` if one is given, else on a new figure, and returns the Axes, or the Figure if it has
several axes. No function calls ``show`` or changes the settings of matplotlib. Matplotlib is imported with the first
plot; if it is missing, ImportError names the extra.

A new figure is a plain ``matplotlib.figure.Figure``: it has no window and need not be closed, so a loop may draw
thousands. ``fm.plots.cost_curve(...).figure.savefig("cost.png")`` works for an Axes and for a Figure. In a notebook,
and after ``pyplot.ion()``, pyplot makes the figure, so that it shows like any other. To get a window from a script,
pass an ``ax`` of your own.

    canvas.py      new figures, the common style, checks of arguments
    training.py    how training went: history, learning_curve
    classes.py     predicted classes: confusion_matrix, calibration_curve
    numbers.py     predicted numbers: predicted, residuals
    columns.py     what the columns are worth: column_importance
    network.py     what a network is like: cost_curve, cost_surface, activation, first_layer
"""

from fastmlp.plots.classes import calibration_curve, confusion_matrix
from fastmlp.plots.columns import column_importance
from fastmlp.plots.network import activation, cost_curve, cost_surface, first_layer
from fastmlp.plots.numbers import predicted, residuals
from fastmlp.plots.training import history, learning_curve

__all__ = [
    "activation",
    "calibration_curve",
    "column_importance",
    "confusion_matrix",
    "cost_curve",
    "cost_surface",
    "first_layer",
    "history",
    "learning_curve",
    "predicted",
    "residuals",
]
