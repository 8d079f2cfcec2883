"""Estimators for scikit-learn (extra ``sklearn``): its multilayer perceptrons, trained by fastmlp.

    settings -> labels -> building -> rules -> watching -> fitting

    settings.py       checks of the constructor's arguments
    parameters.py     settings of an optimizer, a loss or a schedule by name
    labels.py         coding of the targets as numbers, and back
    building.py       a network from the arguments, with the same initial weights as scikit-learn's
    rules.py          scikit-learn's update rules in the core's terms
    watching.py       after every epoch: convergence, validation score, best weights
    validation.py     the validation set of a fit
    fitting.py        one fit in mini-batches
    quasi_newton.py   one fit by L-BFGS
    conversion.py     from and to scikit-learn's own estimators
    storing.py        save and load
    documentation.py  the parameters that classifier.py and regressor.py share
    base.py           the code that they share

Importing this package imports scikit-learn; ``fastmlp.MLPClassifier`` does so on first use.
"""

from __future__ import annotations

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError("the estimators need scikit-learn; install it with: pip install 'fastmlp[sklearn]'") from error

from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
