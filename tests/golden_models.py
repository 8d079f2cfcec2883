"""The models in tests/golden: small files of each format version, with their predictions when they were written.

The files never change: later versions must read them. The first release with a new format version writes files for it:
``python tests/golden_models.py tests/golden/format-2``.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np

import fastmlp as fm

GOLDEN = Path(__file__).parent / "golden"
X = np.random.default_rng(11).normal(1.0, 2.0, (24, 4)).round(3)
CLASSES = np.arange(24) % 3
TABLE = "size,colour,fruit\n" + "".join(
    f"{10 + i % 7},{('red', 'green', 'brown')[i % 3]},{('apple', 'pear', 'kiwi')[i % 3]}\n" for i in range(24)
)


def networks(dtype):
    """Networks with every kind of layer, losses, scalings, initialisers, scheduled rates, momenta and averages."""
    options = {"dtype": dtype, "seed": 2}
    yield "plain", fm.Network([4, 5, 3], loss="cross_entropy", **options)
    layers = [
        fm.Input.standardized(X), fm.Dense(6, bias=False, init=fm.Uniform(-0.3, 0.4)), fm.BatchNorm(0.8, 1e-3),
        fm.Activation("leaky_relu", 0.2), fm.Dropout(0.3), fm.Dense(5, "elu", slope=0.5, trainable=False),
        fm.LayerNorm(1e-4, learning_rate_factor=0.5), fm.Dropout(fm.Cosine(0.2, n_steps=50)), 3,
    ]  # fmt: skip
    smoothing = fm.Loss("cross_entropy", label_smoothing=fm.Constant(0.1))
    yield "every-layer", fm.Network(layers, loss=smoothing, init=fm.Normal(0.4), **options)
    yield "poisson", fm.Network([fm.Input(4, scale=0.5), 5, 1], loss="poisson", activation="tanh", **options)


def fill(folder):
    """Write every model and ``expected.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for dtype in ("float32", "float64"):
        for name, network in networks(dtype):
            y = CLASSES if network.n_outputs == 3 else CLASSES.astype(float)
            network.fit(
                X, y, epochs=3, batch_size=8, optimizer=fm.Adam(0.02), warm_start=name != "poisson", average=0.9
            )
            file = f"{name}-{dtype}.safetensors"
            network.save(folder / file)
            expected[file] = described(network) | {"predicted": network.predict(X).tolist()}
    texts = np.array(["ant", "bee", "cat"])[CLASSES]
    several = np.stack([X[:, 0] > 0, X[:, 1] > 1], axis=1).astype(int)
    brief = {"hidden_layer_sizes": (5,), "max_iter": 4, "random_state": 0}
    for name, estimator, y in (
        ("classifier", fm.MLPClassifier(**brief, class_weight={"ant": 2.0, "bee": 1.0, "cat": 1.0}), texts),
        ("labels", fm.MLPClassifier(**brief, solver="sgd", learning_rate="adaptive", batch_norm=True), several),
        ("regressor", fm.MLPRegressor(**brief, optimizer=fm.AdamW(fm.Cosine(0.01, n_steps=99))), X[:, 0] ** 2),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.fit(X, y)
        file = f"{name}.safetensors"
        estimator.save(folder / file)
        expected[file] = described(estimator.network_) | {
            "class": type(estimator).__name__,
            "predicted": getattr(estimator, "predict_proba", estimator.predict)(X).tolist(),
            "loss_curve": estimator.loss_curve_,
        }
    expected["table.safetensors"] = command_line(folder)
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")


def command_line(folder):
    """A model of ``fastmlp train`` on a table with column names, and the predictions of ``fastmlp predict``."""
    (folder / "table.csv").write_text(TABLE, encoding="utf-8")
    model = folder / "table.safetensors"
    run("train", folder / "table.csv", "--hidden", "5", "--epochs", "3", "--save", model, "--quiet")
    return described(fm.load(model)) | {"printed": run("predict", model, folder / "table.csv").splitlines()}


def run(*arguments):
    from click.testing import CliRunner

    from fastmlp.cli import main

    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.stdout


def described(network):
    """What must not change: the repr of the layers, and the parameters to the bit."""
    return {
        "layers": [repr(layer) for layer in network.layers],
        "params": hashlib.sha256(network.params.tobytes()).hexdigest(),
    }


if __name__ == "__main__":
    fill(Path(sys.argv[1]))
