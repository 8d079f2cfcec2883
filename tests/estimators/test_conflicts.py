"""Settings that do nothing beside others: what is refused, what is a warning, and what acts.

`test_settings_walk` tries all pairs; here are the sentences, and an optimizer by name.
"""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = X[:, 0] - X[:, 1] ** 2
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def regressor(**settings):
    return fm.MLPRegressor(**{"hidden_layer_sizes": (4,), "max_iter": 3, "random_state": 0} | settings)


def test_a_grid_over_the_rate_of_an_optimizer_by_name_is_no_grid_of_equals():
    search = GridSearchCV(regressor(optimizer="adamw"), {"learning_rate_init": [1e-4, 1e-2, 0.3]}, cv=3).fit(X, Y)
    assert len(set(search.cv_results_["mean_test_score"])) == 3


@pytest.mark.parametrize("name, settings, same", [
    ("adamw", {"learning_rate_init": 0.05, "beta_1": 0.5}, fm.AdamW(0.05, beta_1=0.5)),
    ("nadam", {"beta_2": 0.5, "epsilon": 0.1}, fm.NAdam(beta_2=0.5, epsilon=0.1)),
    ("rmsprop", {"learning_rate_init": 0.05}, fm.RMSprop(0.05)),
    ("sgd", {}, fm.SGD()),
])  # fmt: skip
def test_settings_of_an_optimizer_by_name_are_those_of_the_object(name, settings, same):
    by_name, by_object = regressor(optimizer=name, **settings).fit(X, Y), regressor(optimizer=same).fit(X, Y)
    np.testing.assert_array_equal(by_name.network_.params, by_object.network_.params)


@pytest.mark.parametrize("settings, words", [
    ({"optimizer": fm.AdamW(), "learning_rate_init": 0.1}, "learning_rate_init=0.1 has no effect with optimizer=AdamW"),
    ({"optimizer": "sgd", "momentum": 0.5}, "momentum=0.5 has no effect with optimizer='sgd'; set it in an optimizer"),
    ({"optimizer": "adam", "solver": "sgd"}, "solver='sgd' has no effect with optimizer='adam'"),
    ({"optimizer": "adam", "max_fun": 9}, "max_fun=9 has no effect with optimizer='adam'"),
    ({"solver": "lbfgs", "clip_norm": 1.0}, "clip_norm=1.0 has no effect with solver='lbfgs'"),
    ({"solver": "lbfgs", "schedule": fm.Constant(0.1)}, "schedule=.* has no effect with solver='lbfgs'"),
    ({"solver": "lbfgs", "callbacks": [print]}, "callbacks=.* has no effect with solver='lbfgs'"),
    ({"scoring": "r2"}, "scoring='r2' has no effect with early_stopping=False"),
    ({"optimizer": fm.LBFGS(), "batch_size": 9}, "batch_size=9 has no effect with optimizer=LBFGS"),
])  # fmt: skip
def test_what_only_fastmlp_has_is_refused_with_both_named(settings, words):
    with pytest.raises(ValueError, match=words):
        regressor(**settings).fit(X, Y)


@pytest.mark.parametrize("settings, words", [
    ({"momentum": 0.5}, "momentum=0.5 has no effect with solver='adam'"),
    ({"solver": "sgd", "beta_1": 0.5}, "beta_1=0.5 has no effect with solver='sgd'"),
    ({"solver": "sgd", "power_t": 0.1}, "power_t=0.1 has no effect with learning_rate='constant'"),
    ({"validation_fraction": 0.2}, "validation_fraction=0.2 has no effect with early_stopping=False"),
    ({"solver": "lbfgs", "early_stopping": True}, "early_stopping=True has no effect with solver='lbfgs'"),
])  # fmt: skip
def test_what_scikit_learn_ignores_is_a_warning(settings, words):
    with pytest.warns(UserWarning, match=words) as told:
        regressor(**settings).fit(X, Y)
    assert {each.filename for each in told if each.category is not ConvergenceWarning} == {__file__}


def test_settings_that_all_act_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        regressor(solver="sgd", learning_rate="invscaling", power_t=0.3, momentum=0.3, callbacks=[]).fit(X, Y)
        regressor(early_stopping=True, validation_fraction=0.2, scoring="r2", beta_1=0.8).fit(X, Y)
        regressor(validation_fraction=0.1, learning_rate_init=0.001, momentum=0.9).fit(X, Y)


def test_a_scorer_without_weights_is_named_before_anything_trains():
    def error(estimator, X, y):
        return -abs(estimator.predict(X) - y).mean()

    seen = []
    model = regressor(early_stopping=True, scoring=error, callbacks=[seen.append])
    with pytest.raises(ValueError, match="scoring=.* must take sample_weight, as the validation set has weights"):
        model.fit(X, Y, sample_weight=np.ones(40))
    assert not seen
