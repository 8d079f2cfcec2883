"""get_params and set_params of optimizers, losses, schedules, layers, initializers and callbacks."""

import inspect
import pickle

import numpy as np
import pytest

import fastmlp as fm
from fastmlp import schedules
from fastmlp.checks.parameters import HasParams
from fastmlp.checks.values import Schedule
from fastmlp.optimizers import OPTIMIZERS


def log_cosh(y_true, scores):
    return np.log(np.cosh(scores - y_true)).sum(axis=1), np.tanh(scores - y_true)


REQUIRED = {"initial": 0.1, "n_steps": 9, "peak": 0.1, "value": 0.1, "steps": 3, "then": 0.1, "first": 4, "name": "mse",
            "function": log_cosh, "units": 3, "activation": "tanh", "n_features": 2, "seconds": 9.0,
            "edges": [[0.0, 1.0], None]}  # fmt: skip
KINDS = [
    *OPTIMIZERS.values(),
    *(kind for kind in vars(schedules).values() if inspect.isclass(kind) and issubclass(kind, Schedule)),
    fm.Loss, fm.CustomLoss, fm.Dense, fm.Dropout, fm.BatchNorm, fm.LayerNorm, fm.Activation, fm.Input, fm.Normal,
    fm.Uniform, fm.Scaling, fm.PiecewiseLinear, fm.EarlyStopping, fm.Plateau, fm.Tolerance, fm.TimeLimit,
]  # fmt: skip
KINDS = [kind for kind in KINDS if kind is not Schedule]


def made(kind):
    left_out = [name for name, each in inspect.signature(kind).parameters.items() if each.default in (each.empty, None)]
    return kind(**{name: REQUIRED[name] for name in left_out if name in REQUIRED})


def same(one, other):
    return pickle.dumps(vars(one)) == pickle.dumps(vars(other)) if not isinstance(one, fm.CustomLoss) else one == other


@pytest.mark.parametrize("kind", KINDS)
def test_settings_make_the_same_object_again(kind):
    thing = made(kind)
    settings = thing.get_params(deep=False)
    assert list(settings) == list(inspect.signature(kind).parameters)
    twin = thing.set_params(**settings)
    assert type(twin) is kind and twin is not thing and same(twin, thing) and same(kind(**settings), thing)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_setting_is_refused_with_the_known_ones(kind):
    with pytest.raises(ValueError, match=f"Invalid parameter 'momentun' for {kind.__name__}. Valid parameters are: "):
        made(kind).set_params(momentun=0.9)


def test_every_public_object_with_settings_is_in_the_list():
    public = {kind for kind in (getattr(fm, name) for name in fm.__all__) if inspect.isclass(kind)}
    assert {kind for kind in public if issubclass(kind, HasParams)} <= set(KINDS)


def test_a_changed_copy_leaves_the_object_as_it_was():
    shared = fm.SGD(fm.Exponential(0.1))
    changed = shared.set_params(momentum=0.5, learning_rate__rate=0.3)
    assert (changed.momentum, changed.learning_rate) == (0.5, fm.Exponential(0.1, rate=0.3))
    assert shared == fm.SGD(fm.Exponential(0.1))
    assert changed.get_params() == changed.get_params(deep=False) | {
        "learning_rate__initial": 0.1, "learning_rate__rate": 0.3, "learning_rate__every": 1000,
    }  # fmt: skip
    assert fm.Rprop(backtrack=True).set_params(backtrack=False) == fm.Rprop()
    assert fm.Rprop(backtrack=True).set_params(backtrack=False).rule == fm.Rprop.rule


def test_a_changed_copy_is_checked_as_any_other():
    with pytest.raises(ValueError, match="momentum must be a finite number"):
        fm.SGD().set_params(momentum=2.0)
    with pytest.raises(ValueError, match="'learning_rate__rate': learning_rate must be an object with settings, got 0"):
        fm.SGD().set_params(learning_rate__rate=0.3)


def test_scikit_learn_clones_them():
    clone = pytest.importorskip("sklearn.base").clone
    for kind in KINDS:
        thing = made(kind)
        assert clone(thing) is not thing and type(clone(thing)) is kind
        assert str(clone(thing).get_params()) == str(thing.get_params())
