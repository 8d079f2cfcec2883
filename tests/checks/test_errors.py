"""Errors: one sentence that names the argument, what was got and what was expected."""

import numpy as np
import pytest
from labels import short

import fastmlp as fm
from fastmlp.checks.errors import unknown_name

nan, inf = np.nan, np.inf


@pytest.mark.parametrize(
    ("got", "text"),
    [
        ("rellu", "name='rellu' is unknown; did you mean 'relu'? Known: relu, tanh"),
        ("RELU", "name='RELU' is unknown; did you mean 'relu'? Known: relu, tanh"),
        ("quux", "name='quux' is unknown. Known: relu, tanh"),
        (None, "name=None is unknown. Known: relu, tanh"),
        (["relu"], "name=['relu'] is unknown; did you mean 'relu'? Known: relu, tanh"),
    ],
)
def test_unknown_name(got, text):
    error = unknown_name("name", got, {"tanh": 1, "relu": 2})
    assert type(error) is ValueError and str(error) == text


def test_a_diverged_fit_is_an_arithmetic_error():
    assert issubclass(fm.DivergedError, ArithmeticError)
    assert not issubclass(fm.DivergedError, (ValueError, TypeError))


RATES = [
    (-1, ValueError, "must be a finite number with 0.0 <"),
    (nan, ValueError, "must be a finite number with 0.0 <"),
    (inf, ValueError, "must be a finite number with 0.0 <"),
    (10**400, ValueError, "must be a finite number with 0.0 <"),
    (None, TypeError, "must be a number"),
    ("0.1", TypeError, "must be a number"),
    (True, TypeError, "must be a number"),
    ([0.1], TypeError, "must be a number"),
    (1j, TypeError, "must be a number"),
]
RULES = [fm.SGD, fm.RMSprop, fm.Adagrad, fm.Adam, fm.AdamW, fm.NAdam, fm.Rprop]


@pytest.mark.parametrize(("value", "error", "words"), RATES, ids=short)
@pytest.mark.parametrize("argument", ["learning_rate", "weight_decay", "l1_decay"])
@pytest.mark.parametrize("rule", RULES)
def test_bad_rates_of_every_optimizer(rule, argument, value, error, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        rule(**{argument: value})
    assert caught.type is error, caught.value
    assert str(caught.value).startswith(f"{argument} {words}")


BAD_SETTINGS = [
    (fm.SGD, {"momentum": 1}, ValueError, "momentum must be a finite number with 0.0 <= momentum < 1.0, got 1"),
    (fm.SGD, {"momentum": -0.1}, ValueError, "momentum must be a finite number with 0.0 <= momentum < 1.0, got -0.1"),
    (fm.SGD, {"momentum": None}, TypeError, "momentum must be a number or a function of the step, got NoneType"),
    (fm.SGD, {"nesterov": True}, ValueError, "nesterov=True needs a momentum above 0"),
    (fm.SGD, {"momentum": 0.9, "nesterov": "yes"}, TypeError, "nesterov must be True or False, got 'yes'"),
    (fm.RMSprop, {"rho": 1}, ValueError, "rho must be a finite number with 0.0 <= rho < 1.0, got 1"),
    (fm.RMSprop, {"epsilon": 0}, ValueError, "epsilon must be a finite number with 0.0 < epsilon, got 0"),
    (fm.RMSprop, {"momentum": 1.5}, ValueError, "momentum must be a finite number with 0.0 <= momentum < 1.0"),
    (fm.Adagrad, {"epsilon": -1}, ValueError, "epsilon must be a finite number with 0.0 < epsilon, got -1"),
    (fm.Adam, {"beta_1": 1}, ValueError, "beta_1 must be a finite number with 0.0 <= beta_1 < 1.0, got 1"),
    (fm.Adam, {"beta_2": nan}, ValueError, "beta_2 must be a finite number with 0.0 <= beta_2 < 1.0, got nan"),
    (fm.AdamW, {"beta_2": lambda step: 0.9}, TypeError, "beta_2 must be a number, got function"),
    (fm.NAdam, {"epsilon": 0}, ValueError, "epsilon must be a finite number with 0.0 < epsilon, got 0"),
    (fm.Rprop, {"learning_rate": 0}, ValueError, "learning_rate must be a finite number with 0.0 < learning_rate"),
    (fm.Rprop, {"learning_rate": lambda step: 1}, TypeError, "learning_rate must be a number, got function"),
    (fm.LBFGS, {"tolerance": -1}, ValueError, "tolerance must be a finite number with 0.0 <= tolerance, got -1"),
    (fm.LBFGS, {"memory": 0}, ValueError, "memory must be between 1 and 2147483647, got 0"),
    (fm.LBFGS, {"memory": 2.5}, TypeError, "memory must be a whole number, got 2.5"),
    (fm.LBFGS, {"max_evaluations": 0}, ValueError, "max_evaluations must be between 1 and 2147483647, got 0"),
    (fm.LBFGS, {"max_evaluations": "a"}, TypeError, "max_evaluations must be a whole number, got 'a'"),
    (fm.LBFGS, {"weight_decay": -1}, ValueError, "weight_decay must be a finite number with 0.0 <= weight_decay"),
    (fm.Loss, {"name": None}, TypeError, "loss must be a name or a Loss, got NoneType"),
    (fm.Loss, {"name": "hubert"}, ValueError, "loss='hubert' is unknown; did you mean 'huber'?"),
    (fm.Loss, {"name": "huber", "delta": 0}, ValueError, "delta must be a finite number with 0.0 < delta, got 0"),
    (fm.Loss, {"name": "quantile", "q": 1}, ValueError, "q must be a finite number with 0.0 < q < 1.0, got 1"),
    (fm.Loss, {"name": "quantile", "q": "a"}, TypeError, "q must be a number, got str"),
    (fm.Loss, {"name": "cross_entropy", "label_smoothing": 1}, ValueError, "0.0 <= label_smoothing < 1.0, got 1"),
    (fm.Normal, {"std": -1}, ValueError, "std must be a finite number with 0.0 <= std, got -1"),
    (fm.Normal, {"std": None}, TypeError, "std must be a number, got NoneType"),
    (fm.Uniform, {"low": 1, "high": 0}, ValueError, "low must not exceed high, got low=1 and high=0"),
    (fm.Uniform, {"low": nan}, ValueError, "low must be a finite number"),
    (fm.Uniform, {"low": -1e308, "high": 1e308}, ValueError, "high - low must be a finite number"),
    (fm.Cosine, {"initial": 0.1, "n_steps": 0}, ValueError, "n_steps must be a finite number with 0.0 < n_steps"),
    (fm.StepDecay, {"initial": -1}, ValueError, "initial must be a finite number with 0.0 < initial, got -1"),
    (fm.Exponential, {"initial": "a"}, TypeError, "initial must be a number, got str"),
    (fm.OneCycle, {"peak": 1, "n_steps": 9, "warmup": 1}, ValueError, "0.0 < warmup < 1.0, got 1"),
]


@pytest.mark.parametrize(("description", "given", "error", "words"), BAD_SETTINGS, ids=short)
def test_bad_settings_of_optimizers_losses_initialisers_and_schedules(description, given, error, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        description(**given)
    assert caught.type is error, caught.value
    assert words in str(caught.value)


LONG = [0.25] * 20_000


@pytest.mark.parametrize(
    "call",
    [
        lambda: fm.Network(LONG), lambda: fm.Network(range(0)), lambda: fm.Network([4, {"x": LONG}, 1]),
        lambda: fm.Network([4, 1], seed=-(10**4000)), lambda: fm.Network([4, 1], seed=-(10**5000)),
        lambda: fm.Network([4, 1], dtype="f" * 9000), lambda: fm.SGD(10**4000), lambda: fm.SGD(10**5000),
        lambda: fm.SGD(0.1, nesterov=LONG), lambda: fm.Dense(3, bias=LONG), lambda: fm.EarlyStopping(restore_best=LONG),
        lambda: fm.Network([4, 1]).fit([[0.0] * 4], [0.0], callbacks=[LONG]),
        lambda: fm.Network([4, 1]).fit([[0.0] * 4], [0.0], optimizer=LONG),
        lambda: fm.Network([4, 1]).fit([[0.0] * 4], [0.0], progress=LONG),
        lambda: fm.train_validation_test_split([[1.0]] * 9, [1.0] * 9, seed="s" * 9000),
    ],
)  # fmt: skip
def test_a_value_of_any_length_is_quoted_in_a_short_sentence(call):
    with pytest.raises((ValueError, TypeError)) as error:
        call()
    assert len(str(error.value)) < 400 and str(error.value).isprintable()


class Endless(float):
    """A number that writes itself at great length."""

    def __repr__(self):
        return "9" * 8000


X, Y = np.ones((4, 2)), np.ones(4)
QUOTES = {
    "Loss(beta=)": lambda: fm.Loss("mse", beta=Endless(0.5)),
    "Loss(missing=)": lambda: fm.Loss("gaussian", missing="y" * 8000),
    "target_scale": lambda: fm.Network([2, 1], target_scale="y" * 8000),
    "train_on_batch": lambda: fm.Network([2, 1]).train_on_batch(
        X, Y, optimizer=fm.LevenbergMarquardt(damping=Endless(1))
    ),
    "fit(batch_size=)": lambda: fm.Network([2, 1]).fit(
        X, Y, batch_size=2, optimizer=fm.Rprop(Endless(0.1), backtrack=True)
    ),
    "fit(checkpoint_every=)": lambda: fm.Network([2, 1]).fit(X, Y, checkpoint_every=Endless(1)),
    "CosineRestarts": lambda: fm.CosineRestarts(0.1, factor=Endless(1e300), n_cycles=9),
    "Cosine": lambda: fm.Cosine(Endless(0.1))(1),
    "Warmup": lambda: fm.Warmup(Endless(0.1))(1),
    "Activation": lambda: fm.Activation("relu", parametric_learning_rate_factor=Endless(2)),
    "freeze": lambda: fm.Network([2, 1]).freeze("9" * 8000),
    "plots.cost_surface": lambda: fm.plots.cost_surface([0, 1], [0, 1], np.eye(2), names="y" * 8000),
    "plots.activation": lambda: fm.plots.activation(["relu"] * 2000, ax=object()),
    "plots.confusion_matrix": lambda: fm.plots.confusion_matrix((["y" * 8000], ["b"]), classes=["b"]),
}


@pytest.mark.parametrize("call", QUOTES)
def test_no_value_makes_a_message_of_a_page(call):
    if call.startswith("plots"):
        pytest.importorskip("matplotlib")
    with pytest.raises((ValueError, TypeError)) as caught:
        QUOTES[call]()
    assert len(str(caught.value)) < 400, str(caught.value)[:300]
