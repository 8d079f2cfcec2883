"""A small network computed by hand, and how to train one.

Read it with lecture 17, "Deep learning II", of Robot Vision (University of Central Florida): activations, softmax,
losses, one forward and one backward pass in numbers, training, and how much data it needs.

    python examples/worked_example.py --output pictures
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import fastmlp as fm
from fastmlp.model.activations import activate, derivative


def title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def row(what: object, published: object = "", here: object = "") -> None:
    print(f"{what:<46}{published:>22}{here:>26}")


def listed(numbers, digits: int = 4) -> str:
    return ", ".join(f"{number:.{digits}f}" for number in np.ravel(numbers))


def scores(z: list[float], loss: str) -> fm.Network:
    """A network whose scores for the input 0 are z: its biases."""
    net = fm.Network([1, len(z)], loss=loss, dtype="float64")
    net.biases[0][:] = z
    return net


def main(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    pictures = []

    def save(picture, name: str) -> None:
        picture.figure.savefig(output / name)
        pictures.append(name)

    title("Activations and their derivatives, at z = 0.5")
    z = 0.5
    sigmoid = activate("sigmoid", z)
    row("derivative of", "formula", "here")
    for name, formula, value in (
        ("sigmoid: f (1 - f)", sigmoid * (1 - sigmoid), derivative("sigmoid", z)),
        ("tanh: 1 - f^2", 1 - np.tanh(z) ** 2, derivative("tanh", z)),
        ("relu: 1 above zero", 1.0, derivative("relu", z)),
        ("softplus log(1 + e^z): the sigmoid", sigmoid, derivative("softplus", z)),
    ):
        row(name, f"{formula:.6f}", f"{value:.6f}")
    save(fm.plots.activation(["sigmoid", "tanh", "relu", "softplus"]), "activations.png")

    title("Softmax: scores become probabilities")
    row("", "published", "here")
    row("softmax of 1.2, 0.3", "0.71, 0.29", listed(scores([1.2, 0.3], "cross_entropy").predict([[0.0]]), 2))

    title("Losses")
    row("", "published", "here")
    for y, label, published in (([0.4, 0.4, 0.2], 1, 0.92), ([0.1, 0.2, 0.7], 2, 0.36)):
        loss = scores(np.log(y), "cross_entropy").evaluate([[0.0]], [label])["loss"]
        row(f"cross-entropy of {listed(y, 1)}, true class {label}", published, f"{loss:.2f}")
    row("", "formula", "here")
    loss = scores([np.log(0.8 / 0.2)], "binary_cross_entropy").evaluate([[0.0]], [1])["loss"]
    row("binary cross-entropy of 0.8, true class 1", f"{-np.log(0.8):.4f}", f"{loss:.4f}")
    y, d = np.array([0.5, -1.0, 2.0]), np.array([[1.0, 0.0, 2.5]])
    for name, formula in (("mse", np.mean((y - d) ** 2)), ("squared_error", np.sum((y - d) ** 2) / 2)):
        loss = scores(y, name).evaluate([[0.0]], d)["loss"]
        row(f"{name} of 0.5, -1, 2, target 1, 0, 2.5", f"{formula:.4f}", f"{loss:.4f}")

    title("Worked example, forward")
    # Two inputs, two tanh units, one logistic unit, no biases; the target is 1.
    x, target = np.array([[1.1, 0.4]]), np.array([[1.0]])
    net = fm.Network([2, 2, 1], activation="tanh", output="sigmoid", bias=False, dtype="float64")
    net.weights[0][:] = [[0.3, -0.3], [-0.4, 0.6]]
    net.weights[1][:] = [[0.9], [0.3]]
    z1 = x @ net.weights[0]
    y1 = activate("tanh", z1)
    z2 = y1 @ net.weights[1]
    y2 = net.predict(x)
    row("", "published", "here")  # the lecture truncates some numbers instead of rounding
    row("z1, scores of the hidden units", "0.17, -0.09", listed(z1, 2))
    row("y1 = tanh(z1)", "0.1683, -0.0897", listed(y1))
    row("z2, score of the output", "0.1246", listed(z2))
    row("y2, the prediction", "0.5311", listed(y2))

    title("Worked example, backward")
    _, ((dW1, _), (dW2, _)) = net.loss_and_gradients(x, target)
    row("", "published", "here")
    row("dL/dz2 = (y2 - 1) y2 (1 - y2)", "-0.1167", listed((y2 - target) * y2 * (1 - y2)))
    row("dL/dW2 = y1' dz2", "-0.01966, 0.010481", listed(dW2, 6))
    row("dL/dz1 = (dz2 W2') (1 - y1^2)", "-0.1021, -0.0347", listed(dW1[0] / x[0, 0]))
    row("dL/dW1 = x' dz1, first input", "-0.1123, -0.0382", listed(dW1[0]))
    row("dL/dW1 = x' dz1, second input", "-0.0408, -0.0139", listed(dW1[1]))

    title("Softmax with cross-entropy: the delta is o - t")
    net = scores([1.2, 0.3], "cross_entropy")
    _, ((_, delta),) = net.loss_and_gradients([[0.0]], [0])
    row("", "o - t", "here")
    row("o = 0.71, 0.29 and t = 1, 0", listed(net.predict([[0.0]])[0] - [1, 0]), listed(delta))

    title("Numerical check of initialisers and batch normalisation")
    rng = np.random.default_rng(0)
    few = rng.normal(size=(8, 4)), rng.integers(0, 3, 8)
    row("", "wanted", "largest relative error")
    for name, layers, init in (
        ("glorot_uniform initialisation", [4, 6, 3], "glorot_uniform"),
        ("he_normal initialisation", [4, 6, 3], "he_normal"),
        ("batch normalisation", [4, fm.Dense(6), fm.BatchNorm(), fm.Activation("tanh"), 3], "glorot_uniform"),
    ):
        net = fm.Network(layers, activation="tanh", loss="cross_entropy", init=init, seed=0)
        row(name, "below 1e-7", f"{fm.check_gradients(net, *few):.0e}")

    title("The training loop, until the loss stops changing")
    # Train on the training rows, choose with the validation rows, and measure the final choice on the test rows.
    digits = fm.load_digits()
    train, validation, test = fm.train_validation_test_split(
        digits.X_train, digits.y_train, validation=0.2, test=0.2, seed=0
    )
    print(f"{len(train[0])} training rows, {len(validation[0])} validation rows, {len(test[0])} test rows")

    def digit_network(seed: int, hidden: int = 30) -> fm.Network:
        return fm.Network([fm.Input(64, scale=1 / 16), hidden, 10], loss="cross_entropy", seed=seed)

    print(f"{'':<16}{'epochs':>8}{'validation':>14}{'test':>12}   stopped because")
    for optimizer in (fm.SGD(0.1), fm.SGD(0.1, momentum=0.9), fm.RMSprop(0.005)):
        net = digit_network(seed=0)
        history = net.fit(
            *train, epochs=300, batch_size=20, optimizer=optimizer,
            validation_data=validation, callbacks=[fm.Tolerance(1e-3)],
        )  # fmt: skip
        name = type(optimizer).__name__ + (" momentum" if getattr(optimizer, "momentum", 0) else "")
        shares = [100 * net.evaluate(*part)["accuracy"] for part in (validation, test)]
        print(f"{name:<16}{history.n_epochs:>8}{shares[0]:>12.1f} %{shares[1]:>10.1f} %   {history.stop_reason}")
    save(fm.plots.history(history), "training.png")

    title("Bias, variance, and the amount of training data")

    # Thirty units memorise a few rows and fail on others: that is variance, and more rows cure it. Three units are too
    # few for ten digits: that is bias. More rows bring both errors together, but several times as high as with thirty.
    def tiny_network(seed: int) -> fm.Network:
        return digit_network(seed, hidden=3)

    wide, tiny = (
        fm.learning_curve(
            make_network, *train, validation, [20, 50, 100, 200, 500, 1000, len(train[0])],
            repeats=3, epochs=40, batch_size=20, optimizer=fm.RMSprop(0.005),
        )
        for make_network in (digit_network, tiny_network)
    )  # fmt: skip
    print(f"{'':>10}{'errors with 30 hidden units':>36}{'with 3 hidden units':>32}")
    print(f"{'rows':>10}" + f"{'training':>18}{'validation':>14}" * 2)
    for i, size in enumerate(wide.train_sizes):
        errors = (wide.train_error[i], wide.validation_error[i], tiny.train_error[i], tiny.validation_error[i])
        print(f"{size:>10}" + "{:>16.1f} %{:>12.1f} %{:>16.1f} %{:>12.1f} %".format(*(100 * e for e in errors)))
    save(fm.plots.learning_curve(wide), "learning_curve_30_units.png")
    save(fm.plots.learning_curve(tiny), "learning_curve_3_units.png")

    print(f"\nPictures: {', '.join(pictures)} in {output.resolve()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A small network computed by hand, and how to train one.")
    parser.add_argument("--output", type=Path, default=Path(), help="folder for the pictures (default: this one)")
    main(parser.parse_args().output)
