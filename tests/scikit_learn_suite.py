"""scikit-learn's own tests of its multilayer perceptrons, run with fastmlp's estimators.

A pytest plugin that replaces scikit-learn's classes before the tests import them:

    python -m pytest -p scikit_learn_suite --pyargs sklearn.neural_network.tests.test_mlp
"""

import sklearn.neural_network

import fastmlp

PRIVATE = {
    "test_gradient": "_loss_grad_lbfgs",
    "test_learning_rate_warmstart": "_optimizer",
    "test_adaptive_learning_rate": "_optimizer",
}
"""Tests that use a private name of scikit-learn's classes, and that name."""


def pytest_configure(config):
    sklearn.neural_network.MLPClassifier = fastmlp.MLPClassifier
    sklearn.neural_network.MLPRegressor = fastmlp.MLPRegressor


def pytest_collection_modifyitems(config, items):
    excluded = [item for item in items if item.originalname in PRIVATE]
    items[:] = [item for item in items if item not in excluded]
    config.hook.pytest_deselected(items=excluded)
