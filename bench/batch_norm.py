"""How much batch normalisation suffers from what is left over at the end of an epoch: every remainder of a batch.

    python bench/batch_norm.py

For 96 rows in batches of 32, and for 1 to 31 rows more, it trains the same network on rows of the same kind, and
measures the loss on the same validation rows, and the running variances against those of the training rows. The targets
have noise, so that the loss depends little on the few rows more. A remainder hurts if its ratio is far from 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import fastmlp as fm

BATCH, ROWS, FEATURES, NOISE = 32, 96, 5, 1.0


def rows_of(seed: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """n rows of the problem: X (n, 5) and y (n,)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, FEATURES))
    return X, X @ [1.0, -2.0, 0.5, 1.5, 0.0] + NOISE * rng.normal(size=n)


def train(remainder: int, seed: int, epochs: int) -> tuple[fm.Network, NDArray[np.float64]]:
    """The example network after a fit of 96 rows and ``remainder`` more, and X."""
    X, y = rows_of(seed, ROWS + BATCH)
    X, y = X[: ROWS + remainder], y[: ROWS + remainder]
    net = fm.Network([FEATURES, fm.Dense(32), fm.BatchNorm(), fm.Activation("relu"), 1], seed=seed)
    net.fit(X, y, epochs=epochs, batch_size=BATCH, optimizer=fm.Adam(0.003))
    return net, X


def validation_loss(remainder: int, seeds: range, epochs: int = 60) -> float:
    """Mean loss of the seeds' networks on the same validation rows."""
    X, y = rows_of(10**6, 5000)
    return float(np.mean([train(remainder, seed, epochs)[0].evaluate(X, y)["loss"] for seed in seeds]))


def variance_ratio(remainder: int, seeds: range, epochs: int = 20) -> float:
    """Running variances relative to the variances of the training rows, mean over columns and seeds."""
    ratios = []
    for seed in seeds:
        net, X = train(remainder, seed, epochs)
        before = net.activations(X)[0]
        ratios.append(float(np.mean(net.named_arrays()["1.running_variance"] / before.var(axis=0, ddof=1))))
    return float(np.mean(ratios))


def measure(remainders: Any = range(BATCH), n_seeds: int = 5) -> dict[int, tuple[float, float]]:
    """For each remainder the loss relative to that of remainder 0, and the variance ratio."""
    seeds = range(n_seeds)
    whole = validation_loss(0, seeds)
    return {r: (validation_loss(r, seeds) / whole, variance_ratio(r, seeds)) for r in remainders}


def main() -> None:
    """Print a line for each remainder, and the worst ones."""
    results = measure()
    print("remainder  loss / loss of 0  running variance / variance")
    for remainder, (loss, variance) in results.items():
        print(f"{remainder:9}  {loss:16.3f}  {variance:27.3f}")
    losses, variances = np.array(list(results.values())).T
    print(f"largest differences from 1: loss {abs(losses - 1).max():.3f}, variance {abs(variances - 1).max():.3f}")


if __name__ == "__main__":
    main()
