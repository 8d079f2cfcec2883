"""The Python interface: every public call with valid, almost valid and absurd arguments.

A call returns a value or raises a documented error; after an error the network is unchanged, to the bit. A MemoryError
is fine if an argument asks for more memory than the machine has.
"""

import pickle
import tempfile
import warnings
from pathlib import Path

import numpy as np
from fuzz.junk import GOOD, MAKERS, mostly, number, rows, thing
from fuzz.source import Source
from fuzz.watch import FoundError

import fastmlp as fm
from fastmlp.checks.values import values_at
from fastmlp.metrics import METRICS
from fastmlp.optimizers import OPTIMIZERS

ERRORS = (ValueError, TypeError, OSError, fm.DivergedError, MemoryError)
ACTIVATIONS = ("relu", "tanh", "sigmoid", "softmax", "leaky_relu", "elu", "gelu", "identity", None)
LOSSES = ("squared_error", "cross_entropy", "binary_cross_entropy", "poisson", "huber", "mse", "quantile")


class OwnError(ValueError):
    """Raised by a callback: the fit ends in its current state."""


LATER = (fm.DivergedError, OwnError)
"""Errors during a fit: the network keeps what it has learned."""


class Wheel(fm.Callback):
    """A callback that does something else at every call."""

    def __init__(self, source):
        self._acts = [source.below(12) for _ in range(3)]

    def on_epoch_end(self, run):
        act = self._acts[run.epoch % 3]
        if act == 0:
            run.stop("enough")
        elif act == 1:
            raise OwnError("a callback's own error")
        elif act == 2:
            run.network.params[0] = np.nan
        elif act == 3:
            run.learning_rate_factor = 0.5


def rate(source):
    return mostly(source, 0.1, number(source), fm.Cosine(0.1, 10), fm.Constant(0.2), lambda step: 0.05)


def layer(source):
    """A number of units or a layer."""
    kinds = (
        lambda: mostly(source, 3, 1, 5), lambda: fm.Dense(mostly(source, 3, 2), mostly(source, *ACTIVATIONS)),
        lambda: fm.Dropout(rate(source)), lambda: fm.BatchNorm(number(source), number(source)), fm.BatchNorm,
        lambda: fm.LayerNorm(number(source)), fm.LayerNorm,
        lambda: fm.Activation(mostly(source, "tanh", "elu"), number(source)),
        lambda: fm.Dense(3, init=mostly(source, fm.Normal(0.1), fm.Uniform(-1.0, number(source)), "he_normal")),
        lambda: fm.Dense(4, bias=False, trainable=mostly(source, False, True), learning_rate_factor=number(source)),
        lambda: fm.Scaling(number(source)), fm.Scaling,
        lambda: fm.PiecewiseLinear(mostly(source, [[0, 1], None, [0, 2], None], rows(source)), weight=number(source)),
        lambda: fm.Input(mostly(source, 4), number(source), rows(source)), lambda: thing(source),
    )  # fmt: skip
    return source.choice(kinds)()


def make_network(source):
    """A network with four inputs, or sometimes invalid arguments for one."""
    layers = [mostly(source, 4, fm.Input(4, scale=0.5), fm.Input.standardized(GOOD)) if source.below(8) else 4]
    layers += [layer(source) for _ in range(source.below(4))] + [mostly(source, 3, 1, 2)]
    return fm.Network(
        mostly(source, layers, layers, layers), activation=mostly(source, "relu", "tanh"),
        output=mostly(source, None, None, "identity", *ACTIVATIONS), init=mostly(source, "glorot_uniform", "normal"),
        loss=mostly(source, *LOSSES, fm.Loss("cross_entropy", label_smoothing=0.1)), bias=mostly(source, True, False),
        dtype=mostly(source, "float32", "float64"), seed=mostly(source, 0, 1),
    )  # fmt: skip


def plain_network(source):
    """A network that fits the valid rows."""
    layers = [
        [4, 3], [4, 5, 3], [4, 1],
        [fm.Input(4, scale=0.5), fm.Dense(5, bias=False), fm.BatchNorm(), fm.Dropout(0.3), 3],
        [fm.Input.standardized(GOOD), fm.Dense(6, "tanh"), fm.LayerNorm(), 2],
    ]  # fmt: skip
    chosen = source.choice(layers)
    loss = source.choice(LOSSES if chosen[-1] > 1 else tuple(name for name in LOSSES if name != "cross_entropy"))
    return fm.Network(chosen, loss=loss, dtype=source.choice(("float32", "float64")), seed=0)


def targets(source, network):
    """Something like y for six rows."""
    if not source.one_in(8):
        labels = np.arange(6) % max(network.n_outputs, 2)
        return (
            labels if network.n_outputs > 1 and "entropy" in network.loss.name else np.abs(GOOD[:, : network.n_outputs])
        )
    return rows(source)


def weights(source):
    return mostly(source, None, None, None, np.ones(6), np.arange(6.0), np.zeros(6), -np.ones(6), GOOD[:, 0])


def threads(source):
    return mostly(source, 1, 1, 1, None, 2) if source.below(3) else number(source)


def make_optimizer(source):
    """An optimizer with some of its settings."""
    kind = source.choice(list(OPTIMIZERS.values()))
    names = list(kind.__dataclass_fields__)
    chosen = {name: rate(source) for name in names if name not in ("memory", "rule") and source.below(4) == 1}
    return kind(**chosen)


def fit_options(source):
    """Some arguments of `fit`; with a time limit among the callbacks, since the number of epochs may be absurd."""
    makers = {
        "epochs": lambda: mostly(source, 2, 1, 3), "batch_size": lambda: mostly(source, 2, 3, 6, 100),
        "optimizer": lambda: mostly(source, make_optimizer(source), *OPTIMIZERS),
        "shuffle": lambda: mostly(source, False),
        "validation_data": lambda: mostly(source, (GOOD, np.arange(6) % 3), (GOOD, GOOD[:, :3]), (GOOD,)),
        "sample_weight": lambda: weights(source), "n_threads": lambda: threads(source), "progress": lambda: False,
        "alpha": lambda: rate(source), "warm_start": lambda: mostly(source, True),
        "class_weight": lambda: mostly(source, "balanced", {0: 1.0, 1: 2.0, 2: 0.5}, {0: number(source)}),
        "metrics": lambda: mostly(source, *METRICS, ["accuracy"], [lambda y, p: number(source)]),
        "clip_norm": lambda: rate(source), "clip_value": lambda: rate(source), "max_norm": lambda: rate(source),
        "accumulate": lambda: mostly(source, 2, 3), "average": lambda: mostly(source, 0.5, number(source)),
    }  # fmt: skip
    options = {name: make() for name, make in makers.items() if source.below(4) == 1}
    other = (
        [mostly(source, Wheel(source), fm.EarlyStopping(2), fm.Plateau(), fm.Tolerance())] if source.below(2) else []
    )
    return options | {"callbacks": [fm.TimeLimit(0.1), *other]}


def chunks(source):
    given = mostly(source, [(GOOD, np.arange(6) % 3)] * 2, [(GOOD, GOOD[:, :3])], lambda: iter([(GOOD, rows(source))]))
    return fm.Chunks(given)


def fit(source, network):
    if source.below(6) == 1:
        try:
            return network.fit(chunks(source), **fit_options(source))
        except (ValueError, TypeError) as error:  # of any chunk, even a later one
            raise OwnError(str(error)) from error
    X, y = rows(source), targets(source, network)
    if X is GOOD and source.one_in(3):  # an optimizer must end at the ends of the range too
        X = X * source.choice((1e-170, 1e18, 1e150, 1e154, 1e200))
    return network.fit(X, y, **fit_options(source))


def save_and_load(source, network):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        network.save(mostly(source, path, str(path)), allow_nan=mostly(source, False, True))
        fm.load(mostly(source, path), allow_nan=mostly(source, False, True))


METHODS = (
    fit,
    lambda s, net: net.predict(rows(s), n_threads=threads(s)),
    lambda s, net: net.evaluate(rows(s), targets(s, net), sample_weight=weights(s), n_threads=threads(s)),
    lambda s, net: net.loss_and_gradients(
        rows(s), targets(s, net), sample_weight=weights(s), reduction=mostly(s, "mean", "sum")
    ),
    lambda s, net: net.loss_and_flat_gradient(rows(s), targets(s, net), dropout_seed=mostly(s, None, 3, number(s))),
    lambda s, net: net.train_on_batch(
        rows(s), targets(s, net), optimizer=mostly(s, None, make_optimizer(s)), sample_weight=weights(s)
    ),
    lambda s, net: net.sample_gradients(rows(s), targets(s, net), n_threads=threads(s)),
    lambda s, net: net.input_gradients(rows(s), n_threads=threads(s)),
    lambda s, net: net.activations(rows(s), n_threads=threads(s)),
    lambda s, net: net.cost_surface(
        rows(s), targets(s, net), mostly(s, [0], [0, 1], number(s), [number(s)]),
        mostly(s, [[0.0, 1.0]], [GOOD[0], GOOD[1]])
    ),
    lambda s, net: net.freeze(mostly(s, 0, 1, number(s))),
    lambda s, net: net.unfreeze(mostly(s, 0, 1)),
    lambda s, net: net.astype(mostly(s, "float64", "float32")),
    lambda s, net: fm.check_gradients(net, rows(s), targets(s, net), step=mostly(s, 1e-4, number(s))),
    lambda s, net: pickle.loads(pickle.dumps(net.copy())).predict(GOOD),
    lambda s, net: fm.learning_curve(
        lambda seed: net.copy(), rows(s), targets(s, net), (GOOD, targets(s, net)), mostly(s, [2, 4]), epochs=1,
        repeats=s.choice((1, 2, 0, -1, None, 1.5)),
    ),
    save_and_load,
)  # fmt: skip

RATES = (fm.Constant, fm.CosLog4, fm.Cosine, fm.CosineRestarts, fm.Exponential, fm.InverseScaling, fm.OneCycle,
         fm.StepDecay, fm.Warmup)  # fmt: skip


def schedule(source):
    kind = source.choice(RATES)
    made = kind(
        *[mostly(source, 0.1, 5, number(source)) for _ in range(1 + source.below(len(kind.__dataclass_fields__)))]
    )
    made(source.below(1000))
    steps = source.below(1000) * 10 ** source.below(16) + np.arange(source.below(20))
    if not np.isfinite(values_at(made, steps)).all():
        raise FoundError(f"a schedule has values that are not finite: {made}")


def callback(source):
    kind = source.choice((fm.EarlyStopping, fm.Plateau, fm.TimeLimit, fm.Tolerance))
    kind(*[mostly(source, 2, 0.1, "val_loss", number(source)) for _ in range(source.below(4))])


def written(source):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / source.choice(("a.idx", "a.idx.gz"))
        fm.write_idx(mostly(source, path), rows(source))
        fm.read_idx(path)


FUNCTIONS = (
    make_network, schedule, callback, make_optimizer, written,
    lambda s: fm.CustomLoss(mostly(s, lambda y, p: (0.0, p)), mostly(s, "identity", "softmax")),
    lambda s: fm.accuracy(rows(s), rows(s)), lambda s: fm.confusion_matrix(rows(s), rows(s), mostly(s, None, 3)),
    lambda s: fm.confusion_matrix(np.arange(6) % 3, rows(s), s.choice((None, 3, 1, -1, 2.5, 2**40))),
    lambda s: METRICS[s.choice(list(METRICS))](rows(s), rows(s)),
    lambda s: fm.train_validation_test_split(
        rows(s), rows(s), validation=mostly(s, 0.2, 1, number(s)), test=mostly(s, 0.2, number(s)),
        seed=mostly(s, 0, number(s)), stratify=mostly(s, False, True), shuffle=mostly(s, True, False),
    ),
    lambda s: fm.Loss(mostly(s, *LOSSES), number(s), number(s), rate(s)),
    lambda s: fm.Input.standardized(rows(s)),
    lambda s: fm.read_csv(thing(s)), lambda s: fm.read_npz(thing(s)), lambda s: fm.read_idx(thing(s)),
    lambda s: fm.load(s.choice(MAKERS)()), lambda s: fm.load_mnist(s.choice(MAKERS[1:])()),
)  # fmt: skip


def state_of(network):
    """All state that a call could change."""
    names = ("layers", "output", "dtype")
    return (
        network.params.tobytes(), network.statistics.tobytes(), str(network.rng.bit_generator.state),
        pickle.dumps(network.optimizer_state), repr(network.loss), *[repr(getattr(network, name)) for name in names],
        network.layout.table.tobytes(),
    )  # fmt: skip


def run_function(data):
    """Call one of the functions or classes, or make any network."""
    source = Source(data)
    with_errors_known(lambda: source.choice(FUNCTIONS)(source))


def run_methods(data):
    """Make a few calls on one network."""
    source = Source(data)
    network = plain_network(source)
    for _ in range(1 + source.below(3)):
        before = state_of(network)
        method = source.choice(METHODS)
        error = with_errors_known(lambda method=method: method(source, network))
        if error is not None and not isinstance(error, LATER) and state_of(network) != before:
            raise FoundError(f"a call that failed changed the network: {METHODS.index(method)}")


def with_errors_known(call, errors=ERRORS):
    """The documented error that the call raised, or None if it returned; any other error propagates."""
    try:
        with np.errstate(all="ignore"):
            call()
    except errors as error:
        return error
    return None


ARGUMENTS = {
    "solver": ("adam", "sgd", "lbfgs"), "alpha": (0.0, 1.0), "batch_size": ("auto", 2, 100), "shuffle": (True, False),
    "learning_rate": ("constant", "adaptive", "invscaling"), "learning_rate_init": (0.1, 10.0), "tol": (0.0, 1.0),
    "activation": ("tanh", "logistic", ["gelu"], "identity"), "hidden_layer_sizes": ((), 2, [3, 2], (1,)),
    "early_stopping": (True,), "validation_fraction": (0.4,), "warm_start": (True,), "momentum": (0.0, 1.0),
    "nesterovs_momentum": (False,), "n_iter_no_change": (1, float("inf")), "dropout": (0.5, [0.1], fm.Constant(0.2)),
    "batch_norm": (True,), "init": ("he_normal", fm.Normal(0.1)), "optimizer": ("rprop", fm.LBFGS(), fm.NAdam()),
    "schedule": (fm.Cosine(0.1, 9),), "clip_norm": (0.1,), "scoring": ("loss", len), "restore_best": (True, False),
    "callbacks": ([fm.TimeLimit(1)], [print]), "n_jobs": (1, 2, -1), "dtype": ("float32", np.float64),
    "random_state": (0, None, np.random.RandomState(0)), "power_t": (0.0,), "beta_1": (0.0,), "epsilon": (1e-3,),
    "loss": ("huber", "log_loss", "poisson", fm.Loss("mse")), "class_weight": ("balanced", {0: 1.0}, {"a": 2.0}),
}  # fmt: skip
CLASSES = (
    np.array(["a", "b", "c"])[np.arange(6) % 3], np.arange(6) % 2, (GOOD[:, :2] > 0).astype(int), GOOD[:, 0] > 0,
    np.arange(6) % 3 - 1.0, np.array(["a", "\x1b", ""], dtype=object)[np.arange(6) % 3], np.zeros(6, int),
)  # fmt: skip
VALUES = (GOOD[:, 0], GOOD[:, :2], np.abs(GOOD[:, 0]), np.arange(6))


def run_estimators(data):
    """Call fit, partial_fit, predict, score, save and load of the estimators."""
    source = Source(data)
    kind = source.choice((fm.MLPClassifier, fm.MLPRegressor))
    arguments = {"max_iter": 2, "hidden_layer_sizes": (3,), "random_state": 0}
    names = [name for name in ARGUMENTS if name in kind._get_param_names()]
    for _ in range(source.below(4)):
        name = source.choice(names)
        arguments[name] = thing(source) if source.one_in(10) else source.choice(ARGUMENTS[name])
    y = source.choice(CLASSES if kind is fm.MLPClassifier else VALUES) if not source.one_in(10) else rows(source)

    def use():
        model = kind(**arguments)
        if hasattr(model, "partial_fit") and source.one_in(4):
            more = {"classes": np.unique(y)} if kind is fm.MLPClassifier else {}
            model.partial_fit(rows(source), y, **more)
        else:
            validation = {"X_val": GOOD, "y_val": y} if source.one_in(4) else {}
            model.fit(rows(source), y, sample_weight=weights(source), **validation)
        model.predict(rows(source))
        model.score(GOOD, y)
        with tempfile.TemporaryDirectory() as folder:
            model.save(Path(folder) / "model")
            twin = kind.load(Path(folder) / "model")
            if not np.array_equal(np.asarray(twin.predict(GOOD)), np.asarray(model.predict(GOOD))):
                raise FoundError("an estimator loaded predicts something else")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with_errors_known(use, (*ERRORS, OverflowError))  # scikit-learn's own, for integers too large for a float
