"""The three matrix products, seen through linear networks: every shape, on both sides of each border between two ways.

Without activations, X W1 W2 is the way forward; the gradients X.T D and X.T (D W2.T) are the way back.
"""

import numpy as np
import pytest

import fastmlp as fm

# rows, inputs, hidden, outputs. The way back multiplies (rows, outputs) by (outputs, hidden).
SHAPES = [
    (1, 1, 1, 1),
    (1, 256, 1, 1),
    (1, 257, 1, 1),
    (256, 1, 1, 1),
    (257, 1, 1, 1),
    (1, 1, 300, 1),
    (4, 8, 8, 8),
    (5, 8, 8, 8),
    (3, 5, 17, 2),
    (3, 5, 18, 2),
    (7, 33, 65, 3),
    (64, 10, 100, 1),
    (129, 31, 2, 67),
    (1, 300, 200, 100),
    (600, 3, 2, 5),
    # plain loops (up to 256 multiplications), the BLAS (under 4 columns), single numbers, quarters of vectors
    (85, 1, 3, 1),
    (86, 1, 3, 1),
    (30, 3, 4, 7),
    (30, 7, 5, 4),
    # tiles of 12, 6, 4, 2 and 1 rows; one vector of 16 or 8 columns, two of them, one column more
    (11, 7, 16, 8),
    (13, 9, 17, 15),
    (25, 12, 31, 33),
    (31, 6, 32, 47),
    # laying the weights out anew: sums of 4 times the rows, and one more; pieces of 128; more than a million
    (5, 2, 40, 20),
    (5, 2, 40, 21),
    (40, 2, 41, 127),
    (40, 2, 43, 128),
    (40, 2, 45, 131),
    (70, 2, 65, 257),
    (5, 2, 512, 391),
    # more than half a million weights: the BLAS again
    (14, 3, 800, 700),
    # column sums: up to 32 numbers, 16 rows side by side, more columns than are summed at a time
    (16, 2, 2, 3),
    (15, 3, 32, 33),
    (16, 3, 33, 32),
    (31, 2, 10, 1),
    (33, 2, 513, 4),
]


def linear_net(n_in, n_hidden, n_out, dtype, bias=True):
    net = fm.Network([n_in, n_hidden, n_out], activation="identity", bias=bias, dtype=dtype, init="normal", seed=0)
    for b in net.biases if bias else ():
        b[:] = np.random.default_rng(1).normal(size=b.shape)
    return net, *(W.astype(float) for W in net.weights)


def close(got, expected, dtype, terms, size=None):
    """Within the rounding of a sum of so many terms, relative to its largest element.

    Where numbers cancel, as in y - t, `size` is the same sum over absolute values.
    """
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape
    largest = np.abs(expected if size is None else size).max()
    assert np.abs(got - expected).max() <= 4 * np.finfo(dtype).eps * terms * max(largest, 1e-3)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "n_in", "n_hidden", "n_out"), SHAPES)
def test_products_of_every_shape(n, n_in, n_hidden, n_out, dtype, bias):
    net, W1, W2 = linear_net(n_in, n_hidden, n_out, dtype, bias)
    b1, b2 = (b.astype(float) if bias else 0.0 for b in net.biases)
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, n_in)).astype(dtype)
    H = X.astype(float) @ W1 + b1
    Y = H @ W2 + b2
    terms = n_in + n_hidden
    close(net.predict(X), Y, dtype, terms)
    T = rng.normal(size=(n, n_out)).astype(dtype)
    _, ((dW1, db1), (dW2, db2)) = net.loss_and_gradients(X, T, reduction="sum")
    D = Y - T
    size = np.abs(H) @ np.abs(W2) + np.abs(b2) + np.abs(T)
    size_below = size @ np.abs(W2.T)
    terms += n + n_out
    close(dW2, H.T @ D, dtype, terms, np.abs(H.T) @ size)
    close(dW1, X.T.astype(float) @ (D @ W2.T), dtype, terms, np.abs(X.T) @ size_below)
    if bias:
        close(db2, D.sum(axis=0), dtype, terms, size.sum(axis=0))
        close(db1, (D @ W2.T).sum(axis=0), dtype, terms, size_below.sum(axis=0))
    else:
        assert db1 is None
        assert db2 is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("n", "n_in", "n_hidden", "n_out"), SHAPES)
def test_the_product_that_is_the_update(n, n_in, n_hidden, n_out, dtype):
    """Plain descent lets the product add to the weights themselves; the lower layer sees the weights of before."""
    net, W1, W2 = linear_net(n_in, n_hidden, n_out, dtype, bias=False)
    rng = np.random.default_rng(n)
    X, T = rng.normal(size=(n, n_in)).astype(dtype), rng.normal(size=(n, n_out)).astype(dtype)
    rate = 0.5 / (n_in + n_hidden)
    net.fit(X, T, epochs=1, batch_size=n, optimizer=fm.SGD(rate, weight_decay=0.2), shuffle=False)
    H = X.astype(float) @ W1
    D = (H @ W2 - T) / n
    shrink, terms = 1 - rate * 0.2, n_in + n_hidden + n_out + n
    new_W1, new_W2 = net.weights
    close(new_W2, shrink * W2 - rate * (H.T @ D), dtype, terms)
    close(new_W1, shrink * W1 - rate * (X.T.astype(float) @ (D @ W2.T)), dtype, terms)
