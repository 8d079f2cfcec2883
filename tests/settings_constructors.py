"""The settings of one layer, loss or optimizer, each with a value that is not its default; for `settings_walk`.

A new argument of one of these constructors needs a line here: `test_settings_walk` finds it missing.
"""

import numpy as np
from settings_walk import Outcome, Walk, option

import fastmlp as fm
from fastmlp.model.loss_kinds import LOSSES
from fastmlp.optimizers import OPTIMIZERS, WholeSetMethod

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
ONE_HOT = np.eye(4)[np.arange(40) * 7 % 4]
VALUES = np.sin(X @ [[1.0], [2.0], [-1.0]])
WITH_GAPS = np.where(RNG.random(ONE_HOT.shape) < 0.2, np.nan, ONE_HOT)


def outcome(make):
    """What a network is after it has been trained, or why the constructor refused the settings."""
    try:
        net = make()
    except (ValueError, TypeError) as error:
        return Outcome(error=str(error))
    return Outcome({"weights": net.params.tobytes() + net.statistics.tobytes() + net.predict(X).tobytes()})


def run_layer(kind, before, after, defaults):
    """What trains a network with a layer of this kind: as it is, and then once more with no layer frozen."""

    def train(settings):
        net = fm.Network([*before, kind(**defaults | settings), *after], seed=0)
        net.fit(X, ONE_HOT, epochs=1, n_threads=1, optimizer=fm.SGD(0.5))
        net.unfreeze()
        net.fit(X, ONE_HOT, epochs=1, n_threads=1, optimizer=fm.SGD(0.5))
        return net

    return lambda settings: outcome(lambda: train(settings))


def run_loss(settings):
    """Train a network with this loss."""

    def train():
        gaps = settings.pop("gaps", False)
        loss = fm.Loss(**{"name": "squared_error"} | settings)
        net = fm.Network([3, 4, 4], loss=loss, dtype="float64", seed=0)
        y = (WITH_GAPS if gaps else ONE_HOT)[:, : loss.n_targets(4)]
        net.fit(X, y, epochs=2, n_threads=1, optimizer=fm.SGD(0.1))
        return net

    return outcome(train)


def run_optimizer(kind):
    """What trains a network with this optimizer."""
    batches = {} if issubclass(kind, WholeSetMethod) else {"batch_size": len(X)}

    def train(settings):
        net = fm.Network([3, 4, 1], activation="tanh", dtype="float64", seed=0)
        net.fit(X, VALUES, epochs=15, n_threads=1, optimizer=kind(**settings), **batches)
        return net

    return lambda settings: outcome(lambda: train(settings))


def yes():
    """True, as the value of a setting and of what another needs."""
    return True


LEAKY, HUBER, QUANTILE, GAUSSIAN, LABELS = (
    lambda: "leaky_relu",
    lambda: "huber",
    lambda: "quantile",
    lambda: "gaussian",
    lambda: "binary_cross_entropy",
)
PARAMETRIC, MOMENTUM, LARGE = (lambda: True), (lambda: 0.5), (lambda: 1.0)
ACTIVATION = [
    option("activation", "tanh"),
    option("activation", "identity"),
    option("activation", LEAKY, "activation='leaky_relu'"),
    option("slope", 0.3, needs={"activation": LEAKY}),
    option("parametric", PARAMETRIC, "parametric=True"),
    option("parametric_learning_rate_factor", 0.5, needs={"parametric": PARAMETRIC}),
]
FROZEN = option("trainable", False)
FACTOR = option("learning_rate_factor", 0.5)
IDENTITY = {
    (each, "activation='identity'"): "a share of the identity is the identity"
    for each in ("parametric=True", "parametric_learning_rate_factor=0.5")
}
LAYER_WALKS = {
    "Dense": Walk(
        [option("units", 5), option("bias", False), option("init", "normal"), *ACTIVATION, FROZEN, FACTOR],
        run_layer(fm.Dense, [3], [4], {"units": 4, "activation": "relu"}),
        IDENTITY,
        over=True,
    ),
    "Activation": Walk(
        [*ACTIVATION, option("trainable", False, needs={"parametric": PARAMETRIC})],
        run_layer(fm.Activation, [3, fm.Dense(4)], [4], {"activation": "relu"}),
        IDENTITY | {("trainable=False", "activation='identity'"): "a share of the identity is the identity"},
        over=True,
    ),
    "Dropout": Walk([option("rate", 0.2)], run_layer(fm.Dropout, [3, 4], [4], {})),
    "BatchNorm": Walk(
        [option("momentum", 0.5), option("epsilon", 0.1), FROZEN, FACTOR], run_layer(fm.BatchNorm, [3, 4], [4], {})
    ),
    "LayerNorm": Walk([option("epsilon", 0.1), FROZEN, FACTOR], run_layer(fm.LayerNorm, [3, 4], [4], {})),
    "Scaling": Walk([FROZEN, FACTOR], run_layer(fm.Scaling, [3], [4, 4], {})),
    "PiecewiseLinear": Walk(
        [option("edges", [[-1.0, 0.0, 1.0], None, [0.0, 0.5]]), option("plain", False), option("weight", 2.0)],
        run_layer(fm.PiecewiseLinear, [3], [4, 4], {"edges": [[-1.0, 1.0], [0.0, 1.0], None]}),
    ),
    "Input": Walk(
        [option("n_features", 3, silent="the columns of X"), option("shift", 0.5), option("scale", 2.0)],
        run_layer(fm.Input, [], [4, 4], {"n_features": 3}),
    ),
}
OTHERS = sorted(set(LOSSES) - {"squared_error", "huber", "quantile", "gaussian", "binary_cross_entropy"})
LOSS_WALK = Walk(
    [
        *(option("name", name, words=[f"'{name}'"]) for name in OTHERS),
        option("name", HUBER, "name='huber'", words=["'huber'"]),
        option("name", QUANTILE, "name='quantile'", words=["'quantile'"]),
        option("name", GAUSSIAN, "name='gaussian'", words=["'gaussian'"]),
        option("name", LABELS, "name='binary_cross_entropy'", words=["'binary_cross_entropy'"]),
        option("delta", 0.3, needs={"name": HUBER}),
        option("q", 0.3, needs={"name": QUANTILE}),
        option("q", (0.2, 0.8), needs={"name": QUANTILE}),
        option("label_smoothing", 0.2, needs={"name": LABELS}),
        option("missing", True, needs={"gaps": yes}),
        option("beta", 0.5, needs={"name": GAUSSIAN}),
    ],
    run_loss,
    over=True,
)
RATE = option("learning_rate", 0.05)
DECAYS = [option("weight_decay", 0.3), option("l1_decay", 0.2)]
ADAM = [RATE, option("beta_1", 0.5), option("beta_2", 0.5), option("epsilon", 0.1), *DECAYS]
TOLERANCE = option("tolerance", 0.03)
OPTIMIZER_OPTIONS = {
    "SGD": [
        RATE, option("momentum", MOMENTUM, "momentum=0.5"), option("nesterov", True, needs={"momentum": MOMENTUM}),
        *DECAYS,
    ],
    "RMSprop": [RATE, option("rho", 0.5), option("momentum", 0.5), option("epsilon", 0.1), *DECAYS],
    "Adagrad": [RATE, option("epsilon", 0.1), *DECAYS],
    "Adam": ADAM,
    "AdamW": ADAM,
    "NAdam": ADAM,
    "Rprop": [
        option("learning_rate", 0.3), option("weight_decay", 0.3), option("l1_decay", 0.01),
        option("backtrack", True, needs={"learning_rate": LARGE}),
    ],
    "LBFGS": [TOLERANCE, option("memory", 2), option("max_evaluations", 1), option("weight_decay", 0.01)],
    "LevenbergMarquardt": [
        TOLERANCE, option("damping", 1.0), option("weight_decay", 0.01),
        option("max_params", 5000, silent="a fit refuses larger networks"),
    ],
}  # fmt: skip
OPTIMIZER_IDLE = {fm.LBFGS: {("max_evaluations=1", "tolerance=0.03"): "the fit ends before that"}}
OPTIMIZER_WALKS = {
    kind.__name__: Walk(OPTIMIZER_OPTIONS[kind.__name__], run_optimizer(kind), OPTIMIZER_IDLE.get(kind), over=True)
    for kind in OPTIMIZERS.values()
}
WALKS = LAYER_WALKS | {"Loss": LOSS_WALK} | OPTIMIZER_WALKS
"""The walks by the name of the class."""
