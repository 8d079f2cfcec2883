"""Estimators for scikit-learn (extra ``sklearn``): its multilayer perceptrons, trained by fastmlp.

    settings -> labels -> building -> rules -> watching -> fitting

    settings.py      the constructor's arguments, checked
    labels.py        classes to numbers that the core can read, and back
    building.py      a network from the settings, its weights drawn as scikit-learn draws them
    rules.py         scikit-learn's update rules in the core's terms
    watching.py      after every epoch: tolerance, validation score, best weights
    fitting.py       one fit with an update rule
    quasi_newton.py  one fit by L-BFGS
    conversion.py    from and to scikit-learn's own estimators
    storing.py       to and from a file
    base.py          what classifier.py and regressor.py share

Importing this package imports scikit-learn; ``fastmlp.MLPClassifier`` does so at its first use.
"""

from __future__ import annotations

try:
    import sklearn  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError("the estimators need scikit-learn; install it with: pip install 'fastmlp[sklearn]'") from error

from fastmlp.estimators.classifier import MLPClassifier
from fastmlp.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
