"""Settings of settings: ``optimizer__learning_rate`` in set_params, grids and pipelines."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X[:, 0] - X[:, 1] ** 2


def fitted(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not converged
        return model.fit(X, Y)


def regressor(**settings):
    return fm.MLPRegressor(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0} | settings)


@pytest.mark.parametrize(
    ("settings", "name", "value", "direct"),
    [
        ({"optimizer": fm.SGD()}, "optimizer__momentum", 0.5, {"optimizer": fm.SGD(momentum=0.5)}),
        ({"optimizer": "adamw"}, "optimizer__learning_rate", 0.1, {"optimizer": fm.AdamW(0.1)}),
        (
            {"optimizer": fm.Adam(fm.Exponential(0.1))}, "optimizer__learning_rate__every", 7,
            {"optimizer": fm.Adam(fm.Exponential(0.1, every=7))},
        ),
        ({"loss": fm.Loss("huber")}, "loss__delta", 0.2, {"loss": fm.Loss("huber", delta=0.2)}),
        ({"loss": "quantile"}, "loss__q", 0.9, {"loss": fm.Loss("quantile", q=0.9)}),
        ({"schedule": fm.Exponential(0.1)}, "schedule__every", 2, {"schedule": fm.Exponential(0.1, every=2)}),
        ({"init": fm.Normal()}, "init__std", 0.2, {"init": fm.Normal(0.2)}),
        (
            {"callbacks": fm.EarlyStopping(9, monitor="loss")}, "callbacks__patience", 1,
            {"callbacks": fm.EarlyStopping(1, monitor="loss")},
        ),
    ],
)  # fmt: skip
def test_a_setting_of_a_setting_trains_as_if_given_directly(settings, name, value, direct):
    changed = fitted(regressor(**settings).set_params(**{name: value}))
    assert changed.get_params()[name] == value
    np.testing.assert_array_equal(changed.network_.params, fitted(regressor(**direct)).network_.params)


def test_an_optimizer_shared_by_two_estimators_changes_for_one():
    shared = fm.Adam()
    one, other = regressor(optimizer=shared), regressor(optimizer=shared)
    one.set_params(optimizer__learning_rate=0.5)
    assert one.optimizer == fm.Adam(0.5) and other.optimizer is shared and shared == fm.Adam()
    assert clone(one).optimizer == fm.Adam(0.5) and clone(one).optimizer is not one.optimizer


def test_grids_reach_into_the_optimizer_of_a_pipeline():
    model = make_pipeline(StandardScaler(), TransformedTargetRegressor(regressor(optimizer=fm.AdamW())))
    name = "transformedtargetregressor__regressor__optimizer__learning_rate"
    search = fitted(GridSearchCV(model, {name: [1e-4, 1e-2, 0.3]}, cv=3))
    assert len(set(search.cv_results_["mean_test_score"])) == 3
    found = search.best_estimator_[-1].regressor_.optimizer
    assert found == fm.AdamW(search.best_params_[name])


def test_a_new_object_and_its_settings_in_one_call():
    model = regressor(optimizer="sgd").set_params(optimizer__learning_rate=0.2, optimizer=fm.RMSprop())
    assert model.optimizer == fm.RMSprop(0.2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"optimiser__learning_rate": 1}, "Invalid parameter 'optimiser'"),
        (
            {"optimizer__rate": 1},
            "Invalid parameter 'optimizer__rate': optimizer must be an object with settings, got N",
        ),
        ({"alpha__x": 1}, "Invalid parameter 'alpha__x': alpha must be an object"),
        ({"alphabet": 1}, "Invalid parameter 'alphabet'"),
    ],
)
def test_unknown_settings_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        regressor().set_params(**given)
    with pytest.raises(ValueError, match="Invalid parameter 'rate' for Adam"):
        regressor(optimizer=fm.Adam()).set_params(optimizer__rate=1)
