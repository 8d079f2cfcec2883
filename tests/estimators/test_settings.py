"""Constructor arguments: every valid combination trains; `fit` rejects an invalid argument by name."""

import inspect
import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn")
from sklearn import neural_network

import fastmlp as fm
from fastmlp.model.activations import ACTIVATIONS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
Y = np.arange(12) % 2
KINDS = ["MLPClassifier", "MLPRegressor"]
HIDDEN = ["logistic", *(name for name, spec in ACTIVATIONS.items() if not spec.output_only)]

REFUSED = [
    ({"hidden_layer_sizes": 0}, "hidden_layer_sizes must be > 0, got \\[0\\]"),
    ({"hidden_layer_sizes": (3, -1)}, "hidden_layer_sizes must be > 0, got \\[3, -1\\]"),
    ({"hidden_layer_sizes": 2.5}, "'hidden_layer_sizes' parameter of .* must be an int or an array-like of ints"),
    ({"hidden_layer_sizes": "8"}, "'hidden_layer_sizes' parameter .* Got '8' instead"),
    ({"activation": "rellu"}, "'activation' parameter of .* must be a str among {.*'relu'.*}.* Got 'rellu' instead"),
    ({"activation": "softmax"}, "'activation' parameter"),
    ({"activation": ["relu"], "hidden_layer_sizes": (3, 2)}, "one value or one for each of the 2 hidden layers"),
    ({"activation": 3}, "'activation' parameter"),
    ({"solver": "newton"}, "The 'solver' parameter of .* must be a str among {'lbfgs', 'sgd', 'adam'}. Got 'newton'"),
    ({"alpha": -1}, "The 'alpha' parameter of .* must be a float in the range \\[0.0, inf\\). Got -1 instead"),
    ({"alpha": "1"}, "'alpha' parameter"), ({"alpha": True}, "'alpha' parameter"),
    ({"alpha": math.nan}, "'alpha' parameter"), ({"batch_size": 0}, "'auto'} or an int in the range \\[1, inf\\)"),
    ({"batch_size": "all"}, "'batch_size' parameter"), ({"batch_size": 2.0}, "'batch_size' parameter"),
    ({"learning_rate": "fast"}, "'constant', 'invscaling', 'adaptive'"),
    ({"learning_rate_init": 0}, "must be a float in the range \\(0.0, inf\\)"),
    ({"power_t": -0.1}, "'power_t' parameter"), ({"max_iter": 0}, "'max_iter' parameter"),
    ({"max_iter": True}, "'max_iter' parameter"), ({"shuffle": 1}, "The 'shuffle' parameter of .* must be a bool"),
    ({"tol": -1e-9}, "'tol' parameter"), ({"verbose": -1}, "'verbose' parameter"),
    ({"warm_start": None}, "'warm_start' parameter"), ({"momentum": 1.1}, "range \\[0.0, 1.0\\]. Got 1.1"),
    ({"nesterovs_momentum": "yes"}, "'nesterovs_momentum' parameter"),
    ({"early_stopping": "loss"}, "'early_stopping' parameter"), ({"validation_fraction": 1.0}, "\\[0.0, 1.0\\)"),
    ({"beta_1": 1.0}, "'beta_1' parameter"), ({"beta_2": -0.1}, "'beta_2' parameter"),
    ({"epsilon": 0.0}, "'epsilon' parameter"), ({"n_iter_no_change": 0}, "an int in the range \\[1, inf\\) or inf"),
    ({"n_iter_no_change": 1.5}, "'n_iter_no_change' parameter"), ({"max_fun": 0}, "'max_fun' parameter"),
    ({"loss": "hinge"}, "The 'loss' parameter of .* Got 'hinge' instead"), ({"loss": 3}, "'loss' parameter"),
    ({"dropout": 1.0}, "The 'dropout' parameter of .* must be a float in the range \\[0.0, 1.0\\)"),
    ({"dropout": [0.1, 0.1]}, "one value or one for each of the 1 hidden layers"), ({"dropout": True}, "'dropout'"),
    ({"batch_norm": 1}, "'batch_norm' parameter"), ({"init": "big"}, "init='big' is unknown"),
    ({"optimizer": "adamm"}, "The 'optimizer' parameter of .* must be an optimizer such as fastmlp.AdamW"),
    ({"optimizer": fm.Adam}, "'optimizer' parameter"), ({"schedule": 0.1}, "'schedule' parameter .* a callable"),
    ({"schedule": fm.Cosine(0.1, 9), "optimizer": "adam"}, "schedule=Cosine.* has no effect with optimizer='adam'"),
    ({"schedule": fm.Cosine(0.1, 9), "learning_rate": "adaptive"}, "schedule replaces learning_rate"),
    ({"clip_norm": 0}, "'clip_norm' parameter"), ({"scoring": 5}, "'scoring' parameter"),
    ({"scoring": "rock_auc"}, "rock_auc"), ({"restore_best": "yes"}, "'restore_best' parameter"),
    ({"callbacks": 5}, "callbacks must be a list of Callback objects"), ({"n_jobs": 0}, "an int other than 0 or None"),
    ({"dtype": "float16"}, "The 'dtype' parameter of .* must be 'float32', 'float64' or None"),
    ({"solver": "lbfgs", "batch_norm": True}, "batch_norm needs mini-batches, and solver='lbfgs' uses all rows"),
    ({"solver": "lbfgs", "dropout": 0.5}, "dropout needs mini-batches, and solver='lbfgs' uses all rows at once"),
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("arguments, message", REFUSED, ids=[str(a) for a, _ in REFUSED])
def test_invalid_arguments_are_rejected_by_name(kind, arguments, message):
    model = getattr(fm, kind)(**arguments)  # nothing is checked here, as in scikit-learn
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(X, Y)
    assert not hasattr(model, "network_") and not hasattr(model, "n_features_in_")


@pytest.mark.parametrize("kind", KINDS)
def test_names_order_and_defaults_are_scikit_learns(kind):
    ours, theirs = (inspect.signature(getattr(module, kind)).parameters for module in (fm, neural_network))
    assert set(theirs) <= set(ours)
    for name, parameter in theirs.items():
        assert ours[name].default == parameter.default, name
        assert ours[name].kind == parameter.kind, name
    shared = [name for name in ours if name in theirs]
    if "loss" in theirs or kind == "MLPClassifier":
        assert shared == list(theirs)


@pytest.mark.parametrize("kind", KINDS)
def test_every_argument_is_documented_once_in_the_order_of_the_constructor(kind):
    _, parameters, attributes, examples = re.split(r"\n\n(?=\w+\n---)", getattr(fm, kind).__doc__)
    assert re.findall(r"^(\w+) : ", parameters, re.M) == list(inspect.signature(getattr(fm, kind)).parameters)
    names = re.findall(r"^(\w+) : ", attributes, re.M)
    assert len(names) == len(set(names)) and {"coefs_", "loss_", "out_activation_"} <= set(names)
    assert ("classes_" in names) == (kind == "MLPClassifier") and ">>> import fastmlp" in examples


def test_a_regressor_rejects_a_classification_loss():
    with pytest.raises(ValueError, match="must be a regression loss, such as 'squared_error'"):
        fm.MLPRegressor("cross_entropy").fit(X, Y)


def sizes():
    return st.lists(st.integers(1, 5), min_size=0, max_size=3)


@st.composite
def legal_arguments(draw):
    hidden = draw(sizes())
    each = st.one_of(
        st.sampled_from(HIDDEN), st.lists(st.sampled_from(HIDDEN), min_size=len(hidden), max_size=len(hidden))
    )
    arguments = {
        "hidden_layer_sizes": hidden,
        "activation": draw(each),
        "solver": draw(st.sampled_from(["lbfgs", "sgd", "adam"])),
        "alpha": draw(st.floats(0, 10)),
        "batch_size": draw(st.one_of(st.just("auto"), st.integers(1, 12))),
        "learning_rate": draw(st.sampled_from(["constant", "invscaling", "adaptive"])),
        "learning_rate_init": draw(st.floats(1e-6, 0.01)),
        "power_t": draw(st.floats(0, 2)),
        "max_iter": draw(st.integers(1, 4)),
        "shuffle": draw(st.booleans()),
        "random_state": draw(st.one_of(st.none(), st.integers(0, 2**32 - 1))),
        "tol": draw(st.floats(0, 1)),
        "momentum": draw(st.floats(0, 1)),
        "nesterovs_momentum": draw(st.booleans()),
        "early_stopping": draw(st.booleans()),
        "validation_fraction": draw(st.floats(0.2, 0.5)),
        "beta_1": draw(st.floats(0, 0.99)),
        "beta_2": draw(st.floats(0, 0.999)),
        "epsilon": draw(st.floats(1e-8, 1)),
        "n_iter_no_change": draw(st.one_of(st.just(math.inf), st.integers(1, 3))),
        "max_fun": draw(st.integers(1, 100)),
        "init": draw(st.sampled_from([None, "he_normal", fm.Uniform(-0.1, 0.1)])),
        "scoring": draw(st.sampled_from([None, "loss"])),
        "restore_best": draw(st.sampled_from([None, True, False])),
        "n_jobs": draw(st.sampled_from([None, 1, 2, -1])),
        "dtype": draw(st.sampled_from([None, "float32", np.float64])),
    }
    if arguments["solver"] != "lbfgs":
        arguments["dropout"] = draw(st.floats(0, 0.9))
        arguments["batch_norm"] = draw(st.booleans())
    return arguments


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(arguments=legal_arguments())
def test_every_valid_combination_trains(kind, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = getattr(fm, kind)(**arguments).fit(X, Y)
        except ValueError as error:
            # `test_settings_walk` has all such pairs; a batch of one row has no deviation.
            assert re.search("has no effect with|batch_size must be at least 2 to train a BatchNorm", str(error))
            return
        assert np.isfinite(model.predict(X)).all() and np.isfinite(model.loss_)
        assert 0 <= model.n_iter_ <= arguments["max_iter"]
        if arguments["solver"] != "lbfgs":
            assert len(model.loss_curve_) == model.n_iter_ and model.loss_ == model.loss_curve_[-1]
            assert (model.validation_scores_ is not None) == arguments["early_stopping"]
    assert [a.shape[1] for a in model.coefs_[:-1]] == arguments["hidden_layer_sizes"]
