"""Names: synonyms of other libraries mean the same here, and no hint is wrong for a name with another meaning."""

import re

import numpy as np
import pytest

import fastmlp as fm
from fastmlp import metrics, optimizers
from fastmlp.checks.names import known_name
from fastmlp.model import activations, initializers, losses
from fastmlp.training.recording import make_metrics

TABLES = {
    "loss": (losses, losses.LOSSES, lambda name: fm.Loss(name)),
    "activation": (activations, activations.ACTIVATIONS, lambda name: activations.activation_name(name)),
    "init": (initializers, initializers.INITIALIZERS, lambda name: initializers.make_initializer(name)),
    "optimizer": (optimizers, optimizers.OPTIMIZERS, optimizers.make_optimizer),
    "metrics": (metrics, metrics.METRICS, lambda name: make_metrics(name)),
}
EACH_SYNONYM = [(kind, name) for kind, (table, _, _) in TABLES.items() for name in table.SYNONYMS]
EACH_OTHER = [(kind, name) for kind, (table, _, _) in TABLES.items() for name in table.OTHER_NAMES]


@pytest.mark.parametrize(("kind", "name"), EACH_SYNONYM)
def test_a_synonym_means_the_same_as_the_name_in_the_table(kind, name):
    table, known, make = TABLES[kind]
    assert name not in known and make(name) == make(table.SYNONYMS[name])


@pytest.mark.parametrize(("kind", "name"), EACH_OTHER)
def test_a_name_with_another_meaning_gets_no_guess(kind, name):
    table, known, make = TABLES[kind]
    assert name not in known and name not in table.SYNONYMS
    with pytest.raises(ValueError, match=f"^{kind}='.*' is unknown") as caught:
        make(name)
    hint = str(caught.value).partition("is unknown")[2].partition(" Known:")[0]
    assert hint == (f"; {table.OTHER_NAMES[name]}." if table.OTHER_NAMES[name] else ".")
    assert set(re.findall(r"'(\w+)'", hint)) <= set(known)


@pytest.mark.parametrize(
    ("make", "stored"),
    [
        (lambda: fm.Network([2, 1], loss="mae").loss.name, "absolute_error"),
        (lambda: fm.Network([2, 3], loss="sparse_categorical_crossentropy").loss.name, "cross_entropy"),
        (lambda: fm.Network([2, 1], loss="bce").output, "sigmoid"),
        (lambda: fm.Network([2, 1], output="linear").output, "identity"),
        (lambda: fm.Network([2, 3, 1], activation="swish").layers[0].activation, "silu"),
        (lambda: fm.Activation("logistic").activation, "sigmoid"),
        (lambda: fm.Dense(2, init="xavier_normal").init, "glorot_normal"),
        (lambda: fm.CustomLoss(lambda y_true, scores: None, output="exponential").output, "exp"),
    ],
)
def test_the_name_of_the_table_is_kept(make, stored):
    assert make() == stored


def test_the_losses_are_those_of_numpy():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 3)), rng.uniform(0.1, 1, size=(20, 2))
    shares = Y / Y.sum(axis=1, keepdims=True)
    for name, targets, formula in (
        ("l1", Y, lambda o: np.abs(o - Y).mean()),
        ("mean_squared_error", Y, lambda o: ((o - Y) ** 2).mean()),
        ("categorical_crossentropy", shares, lambda o: -(shares * np.log(o)).sum(axis=1).mean()),
        ("binary_crossentropy", Y, lambda o: -(Y * np.log(o) + (1 - Y) * np.log(1 - o)).sum(axis=1).mean()),
        ("smooth_l1", Y, lambda o: np.where(abs(o - Y) < 1, (o - Y) ** 2 / 2, abs(o - Y) - 0.5).mean()),
    ):
        net = fm.Network([3, 2], loss=name, dtype="float64", seed=0)
        assert net.evaluate(X, targets)["loss"] == pytest.approx(formula(net.predict(X)), rel=1e-12), name


def test_a_misspelt_synonym_leads_to_the_name_that_it_means():
    with pytest.raises(ValueError, match="loss='mean_absolut_error' is unknown; did you mean 'absolute_error'"):
        fm.Loss("mean_absolut_error")
    with pytest.raises(ValueError, match="did you mean 'b'"):
        known_name("name", "aa", ["b"], {"aaa": "b"}, {})


def test_metrics_are_recorded_under_the_name_of_the_table():
    X, y = np.eye(3), np.arange(3.0)
    history = fm.Network([3, 1], seed=0).fit(X, y, epochs=1, validation_data=(X, y), metrics=["mae"])
    assert "val_mean_absolute_error" in history


def test_estimators_take_the_synonyms():
    pytest.importorskip("sklearn")
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20.0) % 3
    given = {"max_iter": 2, "solver": "adam", "optimizer": "adam_w", "init": "kaiming_normal", "activation": "swish"}
    with pytest.warns(Warning, match="Maximum iterations"):
        assert fm.MLPRegressor("mae", **given).fit(X, y).network_.loss.name == "absolute_error"
    with pytest.warns(Warning, match="Maximum iterations"):
        model = fm.MLPClassifier(loss="categorical_crossentropy", **given).fit(X, y)
    assert model.network_.loss.name == "cross_entropy" and model.network_.layers[0].activation == "silu"
