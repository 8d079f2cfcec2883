"""The validation set of an estimator's fit: X_val, y_val, sample_weight_val, also through a pipeline."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
import sklearn
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

import fastmlp as fm

RNG = np.random.default_rng(0)
X = RNG.normal(50.0, 30.0, size=(120, 3))
Y = X[:, 0] / 30 - (X[:, 1] / 30) ** 2
X_VAL, Y_VAL, WEIGHT = X[80:], Y[80:], np.arange(1.0, 41.0)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
new = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 7)
routes = pytest.mark.skipif(not new, reason="transform_input needs scikit-learn 1.6, X_val of the reference 1.7")


def regressor(**settings):
    return fm.MLPRegressor(**{"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 0, "tol": 0} | settings)


def test_loss_and_score_are_weighted_as_scikit_learn_weighs_them():
    from sklearn.metrics import mean_squared_error, r2_score

    model = regressor(max_iter=1).fit(X[:80], Y[:80], X_val=X_VAL, y_val=Y_VAL, sample_weight_val=WEIGHT)
    predicted = model.predict(X_VAL)
    assert model.validation_scores_ == pytest.approx([r2_score(Y_VAL, predicted, sample_weight=WEIGHT)], rel=1e-9)
    expected = mean_squared_error(Y_VAL, predicted, sample_weight=WEIGHT) / 2
    assert model.validation_loss_curve_ == pytest.approx([expected], rel=1e-9)


@routes
@pytest.mark.parametrize("kind", [fm.MLPRegressor, HistGradientBoostingRegressor])
def test_the_steps_of_a_pipeline_transform_the_validation_rows(kind):
    """Fitted through a pipeline, both see what they see when the user scales by hand."""
    settings = {"random_state": 0, "early_stopping": True, "max_iter": 20, "tol": 1e-7}
    with sklearn.config_context(enable_metadata_routing=True):
        model = kind(**settings).set_fit_request(X_val=True, y_val=True)
        pipe = Pipeline([("scale", StandardScaler()), ("model", model)], transform_input=["X_val"])
        pipe.fit(X[:80], Y[:80], X_val=X_VAL, y_val=Y_VAL)
    scale = StandardScaler().fit(X[:80])
    alone = kind(**settings).fit(scale.transform(X[:80]), Y[:80], X_val=scale.transform(X_VAL), y_val=Y_VAL)
    scores = "validation_scores_" if kind is fm.MLPRegressor else "validation_score_"
    np.testing.assert_array_equal(getattr(pipe[-1], scores), getattr(alone, scores))
    assert pipe[-1].n_iter_ == alone.n_iter_


def test_the_old_argument_still_works_and_warns_of_pipelines():
    new = regressor().fit(X[:80], Y[:80], X_val=X_VAL, y_val=Y_VAL, sample_weight_val=WEIGHT)
    with pytest.warns(
        FutureWarning, match="a Pipeline passes it on without transforming it; use X_val and y_val"
    ) as told:
        old = regressor().fit(X[:80], Y[:80], validation_data=(X_VAL, Y_VAL, WEIGHT))
    assert old.validation_scores_ == new.validation_scores_ and told[0].filename == __file__


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"X_val": X_VAL}, "X_val needs y_val, and it is missing"),
        ({"y_val": Y_VAL}, "y_val needs X_val, and it is missing"),
        ({"sample_weight_val": WEIGHT}, "sample_weight_val needs X_val, and it is missing"),
        ({"X_val": X_VAL, "y_val": Y_VAL, "validation_data": (X_VAL, Y_VAL)}, "cannot be used with X_val"),
        ({"validation_data": (X_VAL,)}, "validation_data must be a pair"),
        ({"X_val": X_VAL[:, :2], "y_val": Y_VAL}, "X has 2 features"),
        ({"X_val": X_VAL, "y_val": Y_VAL[:5]}, "inconsistent numbers of samples"),
        ({"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": WEIGHT[:5]}, "sample_weight"),
    ],
)
def test_an_incomplete_validation_set_is_refused(given, words):
    model = regressor()
    with pytest.raises(ValueError, match=words), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model.fit(X, Y, **given)
    assert not hasattr(model, "network_")


def test_without_epochs_there_is_nothing_to_validate():
    with pytest.raises(ValueError, match="X_val has no effect with solver='lbfgs'"):
        regressor(solver="lbfgs").fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    with pytest.raises(ValueError, match="validation_fraction=0.3 has no effect with X_val"):
        regressor(early_stopping=True, validation_fraction=0.3).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
