"""Pictures of training and of networks, drawn with matplotlib (extra ``plot``).

Every function draws on the ``ax`` it is given, or makes a figure of its own, and returns what it drew: the
Axes, or the Figure where there are several axes. Nothing here calls ``show`` and no setting of matplotlib
is changed. Matplotlib itself is imported when the first picture is drawn; ImportError names the extra when
it is missing.

A figure made here is a plain ``matplotlib.figure.Figure``: no window, nothing to close, so a loop may draw
thousands. ``fm.plots.cost_curve(...).figure.savefig("cost.png")`` works for an Axes and for a Figure alike.
Only in a notebook and after ``pyplot.ion()`` does pyplot make the figure, so that it shows there as any
other does. A script that wants a window passes its own ``ax``.

    canvas.py      figures, one style, checks of what comes in
    training.py    how training went: history, learning_curve, confusion_matrix
    network.py     what a network is: cost_curve, cost_surface, activation, first_layer
"""

from fastmlp.plots.network import activation, cost_curve, cost_surface, first_layer
from fastmlp.plots.training import confusion_matrix, history, learning_curve

__all__ = [
    "activation",
    "confusion_matrix",
    "cost_curve",
    "cost_surface",
    "first_layer",
    "history",
    "learning_curve",
]
