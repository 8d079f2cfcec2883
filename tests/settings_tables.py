"""The settings of networks, fits and estimators, each with a value that is not its default; for `settings_walk`.

A new argument of `Network`, `Network.fit` or an estimator needs a line here: `test_settings_walk` finds it missing.
"""

import contextlib
import inspect
import io
import tempfile
import warnings
from pathlib import Path

import numpy as np
from settings_walk import Outcome, Walk, option

import fastmlp as fm
from fastmlp.model.state import OptimizerState

RNG = np.random.default_rng(0)
X = RNG.normal(size=(70, 3))
Y = np.arange(70) * 7 % 3
WEIGHT = 1.0 + np.arange(70) % 4
VALIDATION = RNG.normal(size=(5, 3)), np.arange(5) % 3


def half(y_true, y_pred):
    """A metric."""
    return 0.5


def mark(run):
    """A callback."""
    run.history.add(mark=1.0)


def say(run):
    """Another."""
    print("epoch", run.epoch)


def spoil(run):
    """A callback after which the loss is never as small again."""
    if run.epoch == 2:
        run.network.params += 3.0


def dense(**settings):
    """Layers as objects, with settings of the hidden one."""
    return [3, fm.Dense(4, "relu", **settings), 3]


LAYERS = [
    option("layers", lambda: [3, 4, fm.Dropout(0.5), 3], "a Dropout layer", words=["Dropout", "dropout"]),
    option("layers", lambda: [3, 4, fm.BatchNorm(), 3], "a BatchNorm layer", words=["BatchNorm"]),
    option("layers", lambda: [3, 4, fm.LayerNorm(), 3], "a LayerNorm layer", words=["LayerNorm"]),
    option("layers", dense, "hidden layers as Dense objects", words=["layers"], silent="a width says the same"),
    option(
        "layers", lambda: dense(trainable=False), "Dense(trainable=False)", words=["layers"], needs={"layers": dense}
    ),
    option(
        "layers", lambda: dense(learning_rate_factor=0.5), "Dense(learning_rate_factor=0.5)",
        words=["layers", "learning_rate_factor"], needs={"layers": dense},
    ),
    option(
        "layers", lambda: dense(parametric=True), "Dense(parametric=True)", words=["layers"], needs={"layers": dense}
    ),
    option("layers", lambda: [fm.Input(3, scale=2.0), 4, 3], "Input(scale=2.0)", words=["Input"]),
]  # fmt: skip
CONSTRUCTION = [
    *LAYERS,
    option("activation", "tanh"),
    option("output", "sigmoid"),
    option("loss", "cross_entropy"),
    option("loss", lambda: fm.Loss("cross_entropy", label_smoothing=0.2), "label_smoothing=0.2",
           words=["label_smoothing", "cross_entropy"], needs={"loss": lambda: "cross_entropy"}),
    option("init", "he_normal"),
    option("bias", False),
    option("dtype", "float64", seen="kinds"),
    option("seed", 1),
    option("target_scale", (0.5, 2.0), "target_scale", words=["target_scale", "values of a regression"],
           needs={"y": lambda: np.eye(3)[Y]}),
]  # fmt: skip
FIT = [
    option("X", lambda: fm.Chunks(lambda: [(X[:37], Y[:37]), (X[37:], Y[37:])]), "X=Chunks(...)", words=["Chunks"],
           needs={"y": lambda: None}),
    option("y", lambda: 2 - Y, "y", silent="the samples"),
    option("epochs", 1),
    option("batch_size", 5),
    option("optimizer", lambda: fm.SGD(0.1, momentum=0.5), "optimizer=SGD(...)", words=["SGD"]),
    option("optimizer", lambda: fm.Rprop(), "optimizer=Rprop()", words=["Rprop"]),
    option("optimizer", lambda: fm.Rprop(backtrack=True), "optimizer=Rprop(backtrack=True)", words=["Rprop"],
           needs={"batch_size": lambda: 70}),
    option("optimizer", lambda: fm.LBFGS(), "optimizer=LBFGS()", words=["LBFGS"]),
    option("optimizer", lambda: fm.LevenbergMarquardt(), "optimizer=LevenbergMarquardt()",
           words=["LevenbergMarquardt"]),
    option("shuffle", False),
    option("validation_data", lambda: VALIDATION, "validation_data", seen="names"),
    option("sample_weight", lambda: WEIGHT, "sample_weight"),
    option("callbacks", lambda: [mark], "callbacks", seen="names"),
    option("n_threads", 2, silent="it may change the last bits, and the time"),
    option("progress", True, seen="printed"),
    option("alpha", 30.0),
    option("warm_start", True, seen="state"),
    option("class_weight", lambda: {0: 1.0, 1: 3.0, 2: 2.0}, "class_weight"),
    option("metrics", lambda: [half], "metrics", seen="names",
           needs={"validation_data": lambda: (VALIDATION[0], np.eye(3)[VALIDATION[1]])}),
    option("clip_norm", 0.005),
    option("clip_value", 0.01),
    option("max_norm", 0.1),
    option("accumulate", 2),
    option("average", 0.9),
    option("checkpoint", lambda: "state", "checkpoint", seen="files"),
    option("checkpoint_every", 0.0, words=["checkpoint"],
           needs={"checkpoint": lambda: "state"}, silent="how often the file is written"),
    option("wait", True, silent="it matters only while another thread uses the network"),
    option("resume", True, words=["checkpoint"],
           needs={"checkpoint": lambda: "state"}, silent="it acts on a file that an earlier fit left"),
]  # fmt: skip
NETWORK_DEFAULTS = {"layers": [3, 4, 3], "seed": 0}
FIT_DEFAULTS = {"epochs": 3, "optimizer": "adam", "n_threads": 1, "progress": False}


def run_network(settings):
    """Train a network with these arguments of `Network` and of `Network.fit`."""
    construction = {each.setting for each in CONSTRUCTION}
    made = NETWORK_DEFAULTS | {name: value for name, value in settings.items() if name in construction}
    given = {"X": X, "y": Y} | FIT_DEFAULTS
    given |= {name: value for name, value in settings.items() if name not in construction}
    with tempfile.TemporaryDirectory() as folder, quiet() as (printed, told):
        if "checkpoint" in given:
            given["checkpoint"] = Path(folder) / given["checkpoint"]
        try:
            net = fm.Network(**made)
            net.optimizer_state = OptimizerState("SGD", None, 3)  # as an earlier fit may have left it
            history = net.fit(given.pop("X"), given.pop("y"), **given)
        except (ValueError, TypeError) as error:
            return Outcome(error=str(error))
        state, names = net.optimizer_state, sorted(path.name for path in Path(folder).iterdir())
    return Outcome(
        {
            "weights": net.params.tobytes() + net.statistics.tobytes(),
            "kinds": (net.dtype, net.predict(X).shape),
            "history": {name: values.tolist() for name, values in history.items() if name != "seconds"},
            "names": list(history),
            "state": state if state is None else (state.rule, state.n_steps, state.vectors is None),
            "files": names,
            "printed": printed.getvalue(),
        },
        warnings=tuple(str(each.message) for each in told),
    )


@contextlib.contextmanager
def quiet():
    """What is printed, and the warnings."""
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
        warnings.catch_warnings(record=True) as told,
    ):
        warnings.simplefilter("always")
        yield printed, told


SGD, LBFGS = {"solver": lambda: "sgd"}, {"solver": lambda: "lbfgs"}
STOPPING = {"early_stopping": lambda: True}


HELD = {"X_val": lambda: VALIDATION[0], "y_val": lambda: VALIDATION[1]}


def estimator_options(kind):
    """The options of an estimator's constructor and of its ``fit``."""
    from sklearn.metrics import mean_absolute_error

    def error(estimator, X, y):
        return -mean_absolute_error(y, estimator.predict(X))

    own = {
        "MLPClassifier": [
            option("class_weight", lambda: {0: 1.0, 1: 3.0, 2: 2.0}, "class_weight"),
            option("loss", "squared_error"),
            option("loss", lambda: fm.Loss("cross_entropy", label_smoothing=0.3), "label_smoothing=0.3",
                   words=["label_smoothing"]),
        ],
        "MLPRegressor": [option("loss", "huber"), option("target_scale", (0.5, 2.0), "target_scale")],
    }  # fmt: skip
    return [
        *own[kind],
        option("hidden_layer_sizes", (5, 3)),
        option("activation", "tanh"),
        option("solver", "sgd"),
        option("solver", "lbfgs"),
        option("alpha", 30.0),
        option("batch_size", 5),
        option("learning_rate", "invscaling", needs=SGD),
        option("learning_rate", "adaptive", needs=SGD | {"tol": lambda: 10.0, "n_iter_no_change": lambda: 1}),
        option("learning_rate_init", 0.02),
        option("power_t", 0.3, needs=SGD | {"learning_rate": lambda: "invscaling"}),
        option("max_iter", 6, seen="epochs"),
        option("shuffle", False, needs={"batch_size": lambda: 5}),
        option("random_state", 1),
        option("tol", 10.0, needs={"n_iter_no_change": lambda: 3}, seen="epochs"),
        option("verbose", True, seen="printed"),
        option("warm_start", True, needs={"again": lambda: True}, seen="weights curve"),
        option("momentum", 0.3, needs=SGD),
        option("nesterovs_momentum", False, needs=SGD),
        option("early_stopping", True, seen="scores best"),
        option("validation_fraction", 0.4, needs=STOPPING),
        option("beta_1", 0.5),
        option("beta_2", 0.5),
        option("epsilon", 0.1),
        option("n_iter_no_change", 1, needs={"tol": lambda: 10.0}, seen="epochs"),
        option("max_fun", 2, needs=LBFGS),
        option("dropout", 0.4),
        option("batch_norm", True),
        option("init", "he_normal"),
        option("optimizer", lambda: fm.AdamW(0.05), "optimizer=AdamW(...)", words=["optimizer"]),
        option("optimizer", "rmsprop"),
        option("optimizer", "sgd"),
        option("optimizer", lambda: fm.LBFGS(), "optimizer=LBFGS()", words=["optimizer", "LBFGS"]),
        option("schedule", lambda: fm.Constant(0.05), "schedule"),
        option("clip_norm", 0.005),
        option("scoring", lambda: error, "scoring", seen="scores", needs=STOPPING),
        option("restore_best", True, needs={"callbacks": lambda: [spoil]}),
        option("callbacks", lambda: [say], "callbacks", seen="printed"),
        option("progress", True, seen="printed"),
        option("n_jobs", 2, silent="it may change the last bits, and the time"),
        option("dtype", "float32", seen="kinds"),
        option("X", lambda: X * 2, "X", silent="the samples"),
        option("y", lambda: 2 - Y, "y", silent="the samples"),
        option("sample_weight", lambda: WEIGHT, "sample_weight"),
        option("wait", True, silent="it matters only while another thread uses the network"),
        option("X_val", lambda: VALIDATION[0] * 2, "X_val", seen="losses", needs=HELD),
        option("y_val", lambda: 2 - VALIDATION[1], "y_val", seen="losses", needs=HELD, words=["y_val", "X_val"]),
        option("sample_weight_val", lambda: WEIGHT[:5], "sample_weight_val", seen="losses", needs=HELD,
               words=["sample_weight_val", "X_val"]),
        option("validation_data", lambda: VALIDATION, "validation_data", seen="losses",
               words=["validation_data", "X_val"]),
    ]  # fmt: skip


def run_estimator(kind):
    """What fits an estimator of this kind twice."""
    names = set(inspect.signature(getattr(fm, kind).fit).parameters)

    def run(settings):
        again = settings.pop("again", False)
        given = {"X": X, "y": Y} | {name: value for name, value in settings.items() if name in names}
        made = {"hidden_layer_sizes": (4,), "max_iter": 8, "random_state": 0, "n_jobs": 1}
        made |= {name: value for name, value in settings.items() if name not in names}
        with quiet() as (printed, told):
            try:
                model = getattr(fm, kind)(**made).fit(**given)
                epochs, scores = model.n_iter_, list(getattr(model, "validation_scores_", None) or [])
                if again:
                    model.fit(**given)
            except (ValueError, TypeError) as error:
                return Outcome(error=str(error))
        return Outcome(
            {
                "weights": model.network_.params.tobytes() + model.network_.statistics.tobytes(),
                "kinds": (model.network_.dtype, model.network_.layers),
                "epochs": epochs,
                "best": getattr(model, "best_loss_", None),
                "curve": list(getattr(model, "loss_curve_", [])),
                "scores": scores,
                "losses": list(getattr(model, "validation_loss_curve_", None) or []),
                "printed": printed.getvalue(),
            },
            warnings=tuple(str(each.message) for each in told),
        )

    return run


def estimator_walk(kind):
    """The walk over an estimator's settings; for the classifier those that the regressor lacks, beside all others."""
    return Walk(estimator_options(kind), run_estimator(kind), ESTIMATOR_IDLE, OWN[kind])


OWN = {"MLPClassifier": ("class_weight", "loss"), "MLPRegressor": ()}
EARLIER = "the fit ends before that"
BEST = "the best weights are those that are there anyway"
ESTIMATOR_IDLE = (
    {("max_iter=6", each): EARLIER for each in ("tol=10.0", "n_iter_no_change=1", "max_fun=2")}
    | {("max_fun=2", each): EARLIER for each in ("tol=10.0", "n_iter_no_change=1")}
    | {("restore_best=True", each): BEST for each in ("early_stopping=True", "validation_fraction=0.4", "scoring")}
    | {("restore_best=True", "optimizer=LBFGS()"): BEST, ("learning_rate='adaptive'", "restore_best=True"): BEST}
)
"""Pairs in which a setting rightly changes nothing, and why."""
WHOLE = ("optimizer=LBFGS()", "optimizer=LevenbergMarquardt()", "optimizer=Rprop(backtrack=True)")
NETWORK = Walk(
    [*CONSTRUCTION, *FIT],
    run_network,
    idle={("shuffle=False", each): "nothing is shuffled where a batch holds all samples" for each in WHOLE}
    | {("accumulate=2", WHOLE[2]): "there is one batch in an epoch"}
    | {("activation='tanh'", each.shown): "it is the default for layers given as widths" for each in LAYERS[3:7]},
)


def all_walks():
    """The walks by name."""
    return {"Network": NETWORK} | {kind: estimator_walk(kind) for kind in ("MLPRegressor", "MLPClassifier")}
