"""Streetlights: learn from a pattern of three lights whether people walk.

Read it with chapter 6 of "Grokking Deep Learning" (Andrew Trask): one unit that learns, the pressure of each example on
each weight, a puzzle that needs a hidden layer, and overfitting.

    python examples/streetlights.py --output pictures
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import fastmlp as fm

LIGHTS = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 1]])
WALK = np.array([0, 1, 0, 1, 1, 0])


def title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}")


def row(what: object, published: object = "", here: object = "") -> None:
    print(f"{what:<34}{published:>22}{here:>26}")


def listed(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.2f}" for number in np.ravel(numbers))


def one_unit() -> fm.Network:
    """Three weights, no bias, identity output, and the chapter's initial weights."""
    net = fm.Network([3, 1], bias=False, dtype="float64")
    net.weights[0][:, 0] = 0.5, 0.48, -0.7
    return net


def two_layers(activation: str) -> fm.Network:
    """Three inputs, four hidden units, one output; random weights drawn as in the chapter."""
    random = np.random.RandomState(1)
    net = fm.Network([3, 4, 1], activation=activation, bias=False, dtype="float64")
    net.weights[0][:] = 2 * random.random_sample((3, 4)) - 1
    net.weights[1][:] = 2 * random.random_sample((4, 1)) - 1
    return net


def errors(history: fm.History, n_samples: int) -> np.ndarray:
    """The chapter's error of each pass: a sum over the samples, without the factor 1/2 of squared_error."""
    return 2 * n_samples * history["loss"]


def main(output: Path) -> None:
    output.mkdir(parents=True, exist_ok=True)
    pictures = []

    def save(picture, name: str) -> None:
        picture.figure.savefig(output / name)
        pictures.append(name)

    title("One unit, one example at a time")
    net = one_unit()
    history = net.fit(LIGHTS, WALK, epochs=40, batch_size=1, shuffle=False, optimizer=fm.SGD(0.1))
    error = errors(history, 6)
    row("error of pass", "published", "here")
    for i, published in ((0, 2.6561231104), (1, 0.962870177672), (38, 0.000614343567483), (39, 0.000533736773285)):
        row(i + 1, f"{published:.12g}", f"{error[i]:.12g}")  # 12 digits, as printed in the book
    row("weights: the middle light decides", "about 0, 1, 0", listed(net.params))
    save(fm.plots.history(history, log=True), "one_unit.png")

    title("Full, mini-batch and stochastic gradient descent")
    # A step uses the mean over a batch: the larger the batch, the fewer steps per pass.
    row("samples per step", "published", "here: passes to 0.01")
    for batch_size in (6, 2, 1):
        history = one_unit().fit(LIGHTS, WALK, epochs=300, batch_size=batch_size, shuffle=False, optimizer=fm.SGD(0.1))
        row(batch_size, "all learn", int(np.argmax(errors(history, 6) < 0.01)) + 1)

    title("Up and down pressure")
    # Each example pushes each weight against its own gradient; a light that is off does not push.
    net = fm.Network([3, 1], bias=False, dtype="float64")
    net.params[:] = 0.25  # every prediction is between 0 and 1
    pressure = -net.sample_gradients(LIGHTS, WALK)
    print("lights    walk   left  middle   right")
    for lights, walk, push in zip(LIGHTS, WALK, pressure, strict=True):
        signs = "".join(f"{'-' if p < 0 else '+' if p > 0 else '0':>7}" for p in push)
        print(f"{' '.join(map(str, lights)):<10}{walk:^4}{signs}")
    print("sum of the pushes:  " + "".join(f"{p:>8.2f}" for p in pressure.sum(axis=0)))

    title("A puzzle: no single light predicts walking")
    # Left or middle, but not both. Layers with nothing nonlinear between them are still linear.
    puzzle, puzzle_walk = LIGHTS[:4], np.array([1, 1, 0, 0])
    correlation = np.corrcoef(puzzle.T[:2], puzzle_walk)[2, :2]
    row("correlation of left and middle", "none", listed(correlation))
    linear, relu = two_layers("identity"), two_layers("relu")
    for net in (linear, relu):
        history = net.fit(puzzle, puzzle_walk, epochs=60, batch_size=1, shuffle=False, optimizer=fm.SGD(0.2))
    row("predictions of two linear layers", "cannot learn", listed(linear.predict(puzzle)))
    row("with relu between them", "1, 1, 0, 0", listed(relu.predict(puzzle)))

    title("Backpropagation through two layers")
    error = errors(history, 4)
    row("error of pass", "published", "here")
    figures = (0.634231159844, 0.358384076763, 0.0830183113303, 0.0064670549571, 0.000329266900075, 1.50556226651e-05)
    for number, published in zip(range(10, 61, 10), figures, strict=True):
        row(number, f"{published:.12g}", f"{error[number - 1]:.12g}")
    save(fm.plots.history(history, log=True), "two_layers.png")

    title("Overfitting, and four remedies")
    # 300 bundled digits; nearly a third get a random label. A network that learns those labels learns noise.
    # How much a remedy helps also depends on the initial weights: each row is the mean of four seeds.
    digits, rng = fm.load_digits(), np.random.default_rng(0)
    X, test = digits.X_train[:300], (digits.X_test, digits.y_test)
    y = np.where(rng.random(300) < 0.3, rng.integers(0, 10, 300), digits.y_train[:300])
    row("", "training accuracy", "test accuracy")
    for remedy, hidden, decay, callbacks in (
        ("none", [50], {}, []),
        ("L2: weight_decay=0.01", [50], {"weight_decay": 0.01}, []),
        ("L1: l1_decay=0.002", [50], {"l1_decay": 0.002}, []),
        ("Dropout(0.5)", [50, fm.Dropout(0.5)], {}, []),
        ("EarlyStopping(5)", [50], {}, [fm.EarlyStopping(5)]),
    ):
        shares = []
        for seed in range(4):
            net = fm.Network([fm.Input(64, scale=1 / 16), *hidden, 10], loss="cross_entropy", seed=seed)
            history = net.fit(
                X, y, epochs=100, batch_size=20, optimizer=fm.SGD(0.2, **decay),
                validation_data=test, callbacks=callbacks,
            )  # fmt: skip
            shares.append([net.evaluate(*data)["accuracy"] for data in ((X, y), test)])
        row(remedy, *(f"{100 * share:.1f} %" for share in np.mean(shares, axis=0)))
        if remedy == "none":
            save(fm.plots.history(history), "overfitting.png")

    print(f"\nPictures: {', '.join(pictures)} in {output.resolve()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Streetlights: from one unit to a hidden layer.")
    parser.add_argument("--output", type=Path, default=Path(), help="folder for the pictures (default: this one)")
    main(parser.parse_args().output)
