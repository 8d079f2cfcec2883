"""Published figures for MNIST: digit recognition of lecture 17 (C11), and M. Nielsen's book on the same networks.

784 pixels, 30 hidden sigmoids, 10 outputs, the first 50 000 training images, accuracy on the 10 000 test images.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from scipy.special import expit

import fastmlp as fm

pytestmark = pytest.mark.mnist


@pytest.fixture(scope="module")
def mnist():
    folder = os.environ.get("FASTMLP_DATA")
    if not folder:
        pytest.skip("FASTMLP_DATA does not name a folder of data sets")
    try:
        data = fm.load_mnist(folder)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return data._replace(X_train=data.X_train[:50_000], y_train=data.y_train[:50_000])


def digit_network(loss="squared_error", init="normal", **options):
    widths = [fm.Input(784, scale=1 / 255), 30, 10]
    return fm.Network(widths, activation="sigmoid", output="sigmoid", loss=loss, init=init, **options)


def test_c11_updates_are_those_of_plain_numpy(mnist):
    X, y = mnist.X_train[:5000], mnist.y_train[:5000]
    net = digit_network(dtype="float64", seed=3)
    (W1, W2), (b1, b2) = ([v.copy() for v in views] for views in (net.weights, net.biases))
    net.fit(X, y, epochs=1, batch_size=10, shuffle=False, optimizer=fm.SGD(3.0), n_threads=1)
    for rows in np.arange(5000).reshape(-1, 10):
        x = X[rows] / 255
        a = expit(x @ W1 + b1)
        o = expit(a @ W2 + b2)
        d2 = (o - np.eye(10)[y[rows]]) * o * (1 - o)
        d1 = (d2 @ W2.T) * a * (1 - a)
        for parameter, gradient in ((W2, a.T @ d2), (b2, d2.sum(0)), (W1, x.T @ d1), (b1, d1.sum(0))):
            parameter -= 3.0 / 10 * gradient
    for found, expected in zip([*net.weights, *net.biases], [W1, W2, b1, b2], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-8)


@pytest.mark.plain_build(reason="150 epochs of MNIST take minutes in a build with checks")
def test_c11_accuracy_of_thirty_epochs(mnist):
    accuracy = []
    for seed in range(5):
        history = digit_network(seed=seed).fit(
            mnist.X_train, mnist.y_train, epochs=30, batch_size=10, optimizer=fm.SGD(3.0),
            validation_data=(mnist.X_test, mnist.y_test), n_threads=1,
        )  # fmt: skip
        accuracy.append(history["val_accuracy"])
    assert np.mean(accuracy, axis=0)[-1] >= 0.946
    assert np.max(accuracy) >= 0.95  # published: 95.42 %, the best epoch of three runs


MANY_ROWS = pytest.mark.plain_build(reason="the short form does for a build with checks")


@pytest.mark.parametrize(("n_rows", "expected"), [(5000, 0.88), pytest.param(50_000, 0.95, marks=MANY_ROWS)])
def test_c11_cross_entropy_with_l2(mnist, n_rows, expected):
    """Published: 96.49 % at best after 30 epochs with lambda 5; here three epochs."""
    net = digit_network("binary_cross_entropy", "lecun_normal", seed=0)
    net.fit(
        mnist.X_train[:n_rows], mnist.y_train[:n_rows], epochs=3, batch_size=10,
        optimizer=fm.SGD(0.5, weight_decay=5 / 50_000), n_threads=1,
    )  # fmt: skip
    accuracy = net.evaluate(mnist.X_test, mnist.y_test)["accuracy"]
    assert accuracy == np.mean(net.predict(mnist.X_test).argmax(axis=1) == mnist.y_test)
    assert accuracy > expected
