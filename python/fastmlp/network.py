"""Network: the face of the package, a table of contents of what can be done with a model.

What a network is comes from `model.Model`, its ways to train from `training.Trainable`. Each method checks its
arguments and hands over to a module of `passes` or `persistence`, imported at first use.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmlp.data.inputs import check_inputs
from fastmlp.data.samples import check_samples
from fastmlp.training.trainable import Trainable


class Network(Trainable):
    """A multilayer perceptron.

    Parameters
    ----------
    layers : sequence
        Short form, widths: ``[784, 30, 10]``. Long form, layers: ``[Input(784), Dense(30, "relu"), Dense(10)]``. The
        two may mix: ``[Input(784, scale=1/255), 30, 10]``.
    activation : str, default "relu"
        Of the hidden layers that were given as widths.
    output : str, optional
        Activation of the last layer. None: what the loss asks for (softmax, sigmoid, exp, else identity).
    loss : str or Loss, default "squared_error"
        A name of `fastmlp.model.losses` or a `Loss` with settings.
    init : str or initializer, default "glorot_uniform"
        Initial weights of dense layers that name none themselves.
    bias : bool, default True
        Whether layers given as widths have biases.
    dtype : {"float32", "float64"}, default "float32"
        Of parameters and arithmetic.
    seed : int, optional
        Fixes initial weights, shuffling and dropout. None: fresh ones each time.

    Attributes
    ----------
    params : ndarray (n_params,)
        All parameters, writable: first every weight matrix, then biases and norms.
    weights : list of ndarray (n_in, n_out)
        Writable views of the dense layers' weights.
    biases : list of ndarray (n_out,) or None
        Writable views of their biases; None for a layer without.
    rng : numpy.random.Generator
        Where the orders of samples and the dropout masks come from: the same seed gives the same orders whatever the
        layers are.
    optimizer_state : OptimizerState or None
        What ``fit(warm_start=True)`` and `train_on_batch` left, to go on from; set it to None to begin afresh.

    Raises
    ------
    ValueError, TypeError
        Unknown names, sizes that are no positive whole numbers, a loss that does not fit the output.
    MemoryError
        More parameters than memory holds.

    Notes
    -----
    Threads may share a network to read it: `predict`, `evaluate`, `save`, copies and gradients, any number at once,
    give what each alone would. While one thread trains or changes it, all of these raise ``RuntimeError`` in the
    others, as does a second `fit`; the thread that trains may read it in its callbacks. A thread that wants to train,
    or to predict while another trains, takes a network of its own, made by `copy` before. What is written into
    ``params`` or the views of it can't be told, and isn't refused.

    Examples
    --------
    >>> import numpy as np
    >>> import fastmlp as fm
    >>> net = fm.Network([2, 8, 1], activation="tanh", loss="binary_cross_entropy", seed=0)
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array([0, 1, 1, 0])
    >>> history = net.fit(X, y, epochs=200, batch_size=4, optimizer=fm.Adam(0.05))
    >>> net.predict(X).round().ravel()
    array([0., 1., 1., 0.], dtype=float32)
    """

    def predict(self, X: ArrayLike, *, n_threads: int | None = None) -> NDArray[Any]:
        """Outputs (n_samples, n_outputs): probabilities of a classifier, values of a regression.

        Raises ``ValueError`` or ``TypeError`` for an X that does not fit.
        """
        if (
            (n_threads is None or (type(n_threads) is int and n_threads == 1))
            and type(X) is np.ndarray
            and X.dtype == self.dtype
        ):
            if self._predictor is None:
                from fastmlp.passes.inference import make_predictor

                self._predictor = make_predictor(self)
            quick: NDArray[Any] | None = self._predictor(X)  # None where this is no prediction of a few rows
            if quick is not None:
                return quick
        from fastmlp.passes import inference

        return inference.predict(self, check_inputs(self, X), n_threads)

    def evaluate(
        self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None, n_threads: int | None = None
    ) -> dict[str, float]:
        """``{"loss": mean loss}``, and ``"accuracy"`` where y names classes (several binary labels count together).

        Raises ``ValueError`` or ``TypeError`` for arguments that do not fit.
        """
        from fastmlp.passes import inference

        rows, targets, weights, _ = check_samples(self, X, y, sample_weight)
        return inference.measure(self, rows, targets, weights, n_threads)

    def loss_and_gradients(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        n_threads: int | None = None,
    ) -> tuple[float, list[tuple[NDArray[Any], NDArray[Any] | None]]]:
        """Loss of all samples as one batch, and its gradient: ``(dW, db or None)`` for each dense layer.

        ``reduction`` is "mean" or "sum". Batch norms use this batch; dropout is off.
        """
        loss, gradient = self.loss_and_flat_gradient(
            X, y, sample_weight=sample_weight, reduction=reduction, n_threads=n_threads
        )
        return loss, list(zip(*self.per_dense(gradient), strict=True))

    def loss_and_flat_gradient(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        dropout_seed: int | None = None,
        n_threads: int | None = None,
    ) -> tuple[float, NDArray[Any]]:
        """As `loss_and_gradients`, with the gradient (n_params,) in the order of ``params``.

        ``dropout_seed`` turns dropout on, with the mask of that number.
        """
        from fastmlp.passes import derivatives

        rows, targets, weights, _ = check_samples(self, X, y, sample_weight)
        return derivatives.loss_and_flat_gradient(self, rows, targets, weights, reduction, n_threads, dropout_seed)

    def sample_gradients(self, X: ArrayLike, y: ArrayLike, *, n_threads: int | None = None) -> NDArray[Any]:
        """Gradients (n_samples, n_params) of each sample's own loss, in the order of ``params``; dropout is off.

        Raises ``ValueError`` for a network with `BatchNorm`, where samples have none of their own.
        """
        from fastmlp.passes import derivatives

        rows, targets, _, _ = check_samples(self, X, y)
        return derivatives.sample_gradients(self, rows, targets, n_threads)

    def input_gradients(self, X: ArrayLike, *, n_threads: int | None = None) -> NDArray[Any]:
        """How the outputs change with the inputs: their Jacobian at each row.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
        n_threads : int, optional
            None: as many as the work is worth.

        Returns
        -------
        ndarray (n_samples, n_outputs, n_features)
            d ``predict(X)[i, k]`` / d ``X[i, j]`` at ``[i, k, j]``: behind the output's activation, and with respect
            to X as it is given, before `Input` scales it. Of the network's dtype, and dense for a sparse X too.
            Dropout is off, batch norms use their running statistics.

        Raises
        ------
        ValueError, TypeError
            For an X that does not fit.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([fm.Input(2, scale=[1.0, 10.0]), 1], dtype="float64")
        >>> net.weights[0][:] = [[3.0], [0.5]]
        >>> net.input_gradients([[0.0, 0.0]])
        array([[[3., 5.]]])
        """
        from fastmlp.passes import derivatives

        return derivatives.input_gradients(self, check_inputs(self, X), n_threads)

    def activations(self, X: ArrayLike, *, n_threads: int | None = None) -> list[NDArray[Any]]:
        """What every layer gives for X, as in `predict`: dropout is off, batch norms use their running statistics.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
        n_threads : int, optional
            None: as many as the work is worth.

        Returns
        -------
        list of ndarray (n_samples, units)
            One for each of ``net.layers``, behind its activation; the last one is ``predict(X)``. They share one
            block of memory.

        Raises
        ------
        ValueError, TypeError
            For an X that does not fit.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([4, 3, fm.Dropout(0.5), 2], seed=0)
        >>> [outputs.shape for outputs in net.activations([[1.0, 2.0, 3.0, 4.0]])]
        [(1, 3), (1, 3), (1, 2)]
        """
        from fastmlp.passes import inference

        return inference.activations(self, check_inputs(self, X), n_threads)

    def cost_surface(
        self,
        X: ArrayLike,
        y: ArrayLike,
        parameters: int | Sequence[int],
        grids: ArrayLike | Sequence[ArrayLike],
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        n_threads: int | None = None,
    ) -> NDArray[np.float64]:
        """Loss over a grid of values of one or two parameters, all others as they are.

        Parameters
        ----------
        parameters : int or sequence of one or two int
            Places in ``params``.
        grids : sequence of array_like (n,)
            The values that each takes.

        Returns
        -------
        ndarray (n_0,) or (n_0, n_1)

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], bias=False, dtype="float64")
        >>> net.cost_surface([[2.0]], [4.0], [0], [[0.0, 1.0, 2.0]])
        array([8., 2., 0.])
        """
        from fastmlp.passes import derivatives

        rows, targets, weights, _ = check_samples(self, X, y, sample_weight)
        return derivatives.cost_surface(self, rows, targets, weights, parameters, grids, reduction, n_threads)

    def save(self, path: str | Path, *, allow_nan: bool = False) -> None:
        """Write the network to a safetensors file, all at once or not at all; see `fastmlp.load`.

        Momenta in ``optimizer_state`` are written too. Raises ``ValueError`` for NaN and infinity unless ``allow_nan``,
        and for what can't be written down: a `CustomLoss`, a function as a rate, an initialiser of one's own.
        """
        from fastmlp.persistence.models import save

        save(self, path, allow_nan=allow_nan)

    def __repr__(self) -> str:
        layers = (*self.layers[:-1], self.layers[-1].with_activation(self.output))
        parts = [str(self.n_features), *(layer.summary() for layer in layers)]
        return f"Network({' -> '.join(parts)}; loss {self.loss.name}, {self.n_params} parameters, {self.dtype})"


def load(path: str | os.PathLike[str], *, allow_nan: bool = False) -> Network:
    """Read a network from a file that `Network.save`, an estimator's ``save`` or ``fastmlp train --save`` wrote.

    The file is checked in full; nothing in it is ever executed, and memory is taken only in proportion to its size.

    Parameters
    ----------
    path : str or path
        A regular file.
    allow_nan : bool, default False
        Whether NaN and infinity in its arrays are taken as they are.

    Raises
    ------
    ValueError
        The file is not such a model, or damaged, or inconsistent, or of a newer format, or holds NaN or infinity; the
        path is named.
    OSError
        The file can't be opened.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.load("digits.safetensors").predict(images)  # doctest: +SKIP
    """
    return load_with_extra(path, allow_nan=allow_nan)[0]


def load_with_extra(path: str | os.PathLike[str], *, allow_nan: bool = False) -> tuple[Network, dict[str, Any]]:
    """As `load`, with the dictionary that was saved beside the network (empty if there was none)."""
    from fastmlp.persistence.models import read_model

    saved = read_model(path, Network, allow_nan)
    return saved.network, saved.extra
