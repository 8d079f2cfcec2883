"""Network: the class that users see, with one method for each thing a model can do.

`model.Model` holds the state, and `training.Trainable` adds the training methods. Each method here checks its arguments
and calls a module of `passes` or `persistence`, imported on first use.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray
from numpy.typing import ArrayLike, NDArray

from fastmlp.checks.values import check_flag
from fastmlp.data.chunks import Chunks
from fastmlp.data.inputs import check_query
from fastmlp.data.samples import check_given, check_left_out, check_samples
from fastmlp.training.trainable import Trainable


class Network(Trainable):
    """A multilayer perceptron.

    Parameters
    ----------
    layers : sequence
        Widths, ``[784, 30, 10]``, or layers, ``[Input(784), Dense(30, "relu"), Dense(10)]``. The two can be mixed:
        ``[Input(784, scale=1/255), 30, 10]``.
    activation : str, default "relu"
        Activation of the hidden layers that are given as widths.
    output : str, optional
        Activation of the last layer. Default: the one that the loss needs (softmax, sigmoid, exp, else identity).
    loss : str or Loss, default "squared_error"
        A name from `fastmlp.model.losses`, or a `Loss` with settings.
    init : str or initializer, default "glorot_uniform"
        Initial weights of the dense layers that do not set their own.
    bias : bool, default True
        Whether the layers that are given as widths have biases.
    dtype : {"float32", "float64"}, default "float32"
        Type of the parameters, and of the arithmetic in training. Predictions of float64 X are computed in float64.
    seed : int, optional
        Makes initial weights, shuffling and dropout reproducible. Default: different ones each time.
    target_scale : "standard" or (shift, scale), optional
        The network learns ``(y - shift) * scale``: for targets that are far from 0 or large. `predict`,
        `input_gradients` and the last of `activations` are in the units of y, and so are metrics; losses and gradients
        are those of the scaled targets. shift and scale are numbers or arrays (n_targets,). "standard": the first `fit`
        scales the targets it gets to mean 0 and standard deviation 1, and later fits keep that. For losses of values,
        not counts, classes or labels.

    Attributes
    ----------
    params : ndarray (n_params,)
        All parameters, as a writable view: first all weight matrices, then biases and norms.
    statistics : ndarray (n_statistics,)
        Running statistics of batch norms, as a writable view.
    dtype, input, layers, output, init
        As given; read-only.
    weights : list of ndarray (n_in, n_out)
        Weights of the dense layers, as writable views.
    biases : list of ndarray (n_out,) or None
        Biases of the dense layers, as writable views; None for a layer without biases.
    n_features, n_outputs, n_targets : int
        Columns of X, of what `predict` returns, and of y: one target for each output, unless the loss takes another
        number.
    rng : numpy.random.Generator
        Draws the order of the samples and the dropout masks. The same seed gives the same order for any layers.
    target_scale : TargetScale or None
        Shift and scale of the targets, arrays (n_targets,) of float64. None without one, and until the first fit has
        settled "standard".
    optimizer_state : OptimizerState or None
        State left by ``fit(warm_start=True)`` and `train_on_batch`, from which training continues. Set it to None to
        start without one.

    Raises
    ------
    ValueError, TypeError
        If a name is unknown, a size is not a positive int, or the loss does not fit the output.
    MemoryError
        If there is not enough memory for the parameters.

    Notes
    -----
    Reading a network is thread-safe: any number of threads can call `predict`, `evaluate`, `save`, `copy` and the
    gradient methods at once. While one thread trains or changes the network, these calls and a second `fit` raise
    ``RuntimeError`` in other threads; the training thread itself can read the network in its callbacks. To train, or to
    predict while another thread trains, give the thread its own network, made by `copy` beforehand. Direct writes to
    ``params`` or to its views cannot be detected and are not guarded.

    With ``wait=True``, calls that train, predict, measure or compute gradients wait for their turn instead of raising.
    They wait in line, so a call that trains goes before predictions that come later. Calls without ``wait`` don't stand
    in line. A callback or a loss never waits for the call that it belongs to.

    Examples
    --------
    >>> import numpy as np
    >>> import fastmlp as fm
    >>> net = fm.Network([2, 8, 1], activation="tanh", loss="binary_cross_entropy", seed=0)
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array([0, 1, 1, 0])
    >>> history = net.fit(X, y, epochs=200, batch_size=4, optimizer=fm.Adam(0.05))
    >>> net.predict(X).round().ravel()
    array([0., 1., 1., 0.])
    """

    def predict(self, X: ArrayLike | Chunks, *, n_threads: int | None = None, wait: bool = False) -> NDArray[Any]:
        """Predict the outputs for rows of inputs.

        Dropout is off, and batch norms use their running statistics.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features), or Chunks
            Finite numbers. Of `Chunks`, y and weights are not used and may be left out.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while other threads use the network, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        ndarray (n_samples, n_outputs)
            Probabilities from a classifier, values from a regression. In the dtype of X if that is float32 or float64,
            else in the network's; computed in the wider of the two.

        Raises
        ------
        ValueError, TypeError
            If X does not fit the network; of `Chunks`, the message names the chunk.
        RuntimeError
            If another thread is training or changing the network, unless ``wait`` is True; or if the source of `Chunks`
            failed.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([2, 1], dtype="float64")
        >>> net.params = [1.0, 2.0, 0.5]
        >>> net.predict([[1.0, 1.0], [0.0, 2.0]])
        array([[3.5],
               [4.5]])
        """
        if (  # cheap tests, as a row takes half a microsecond
            type(X) is ndarray
            and X.dtype is self.dtype
            and wait is False
            and (n_threads is None or (type(n_threads) is int and n_threads == 1))
        ):
            predictor = self._predictor
            if predictor is None:
                from fastmlp.passes.inference import make_predictor

                predictor = self._predictor = make_predictor(self)
            quick: NDArray[Any] | None = predictor(X)  # None if X is not a few rows that it can take
            if quick is not None:
                return quick
        if wait is not False:
            with self._access.to_read(check_flag("wait", wait)):
                return self.predict(X, n_threads=n_threads)
        if isinstance(X, Chunks):
            from fastmlp.passes import chunked

            return chunked.predict(self, X, partial(self._predict, n_threads))
        return self._predict(n_threads, X)

    def _predict(self, n_threads: int | None, X: ArrayLike, argument: str = "X") -> NDArray[Any]:
        from fastmlp.passes import inference

        rows, precision = check_query(self, X, argument=argument)
        return inference.predict(self, rows, n_threads, precision)

    def evaluate(
        self,
        X: ArrayLike | Chunks,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        n_threads: int | None = None,
        wait: bool = False,
    ) -> dict[str, float]:
        """Measure the mean loss, and the accuracy of a classifier.

        Dropout is off, and batch norms use their running statistics. Penalties and label smoothing are not included.
        The arithmetic has the network's dtype, as in training, whatever the dtype of X.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features), or Chunks
            Finite numbers. `Chunks` bring their own y and weights. Their sums are added up chunk by chunk, so the last
            digits may differ from those of one array.
        y : array_like (n_samples,) or (n_samples, n_targets), optional
            Targets, as in `fit`. Left out for `Chunks`.
        sample_weight : array_like (n_samples,) or (n_samples, n_targets), optional
            Weights of the samples, or of their targets as in `fit`, in both means. Left out for `Chunks`.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while other threads use the network, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        dict of str to float
            ``"loss"``, and ``"accuracy"`` if y names classes. With several binary labels, a row counts as correct if
            all its labels are.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the network; of `Chunks`, the message names the chunk.
        RuntimeError
            If another thread is training or changing the network, unless ``wait`` is True; or if the source of `Chunks`
            failed.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> net.evaluate([[1.0], [2.0]], [2.0, 4.0])
        {'loss': 5.0}
        """
        if wait is not False:
            with self._access.to_read(check_flag("wait", wait)):
                return self.evaluate(X, y, sample_weight=sample_weight, n_threads=n_threads)
        if isinstance(X, Chunks):
            from fastmlp.passes import chunked

            check_left_out(y, sample_weight)
            return chunked.evaluate(self, X, n_threads)
        from fastmlp.passes import inference

        rows, targets, weights, _ = check_samples(self, X, check_given(y), sample_weight)
        return inference.measure(self, rows, targets, weights, n_threads)

    def loss_and_gradients(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        reduction: str = "mean",
        n_threads: int | None = None,
        wait: bool = False,
    ) -> tuple[float, list[tuple[NDArray[Any], NDArray[Any] | None]]]:
        """Compute the loss of all samples as one batch, and its gradient for each dense layer.

        Dropout is off, and batch norms use the statistics of this batch. The network does not change.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            Finite numbers.
        y : array_like (n_samples,) or (n_samples, n_targets)
            Targets, as in `fit`.
        sample_weight : array_like (n_samples,) or (n_samples, n_targets), optional
            Weights of the samples, or of their targets as in `fit`.
        reduction : {"mean", "sum"}, default "mean"
            Whether the loss is the (weighted) mean or sum over the samples.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while another thread trains, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        loss : float
        gradients : list of tuple (dW, db)
            One tuple for each dense layer: dW of shape (n_in, n_out), and db of shape (n_out,) or None.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the network.
        RuntimeError
            If another thread is training or changing the network, unless ``wait`` is True.

        See Also
        --------
        loss_and_flat_gradient : The gradient of all parameters in one array.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> loss, [(dW, db)] = net.loss_and_gradients([[2.0]], [3.0])
        >>> loss, dW, db
        (4.5, array([[-6.]]), array([-3.]))
        """
        loss, gradient = self.loss_and_flat_gradient(
            X, y, sample_weight=sample_weight, reduction=reduction, n_threads=n_threads, wait=wait
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
        wait: bool = False,
    ) -> tuple[float, NDArray[Any]]:
        """Compute the loss of all samples as one batch, and its gradient in one array.

        Batch norms use the statistics of this batch. The network does not change.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            Finite numbers.
        y : array_like (n_samples,) or (n_samples, n_targets)
            Targets, as in `fit`.
        sample_weight : array_like (n_samples,) or (n_samples, n_targets), optional
            Weights of the samples, or of their targets as in `fit`.
        reduction : {"mean", "sum"}, default "mean"
            Whether the loss is the (weighted) mean or sum over the samples.
        dropout_seed : int, optional
            From 0 to 2**64 - 1: turn dropout on, with the mask drawn from this seed. Default: dropout is off.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while another thread trains, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        loss : float
        gradient : ndarray (n_params,)
            In the order of ``params`` and in the network's dtype.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the network.
        RuntimeError
            If another thread is training or changing the network, unless ``wait`` is True.

        See Also
        --------
        gradient : The gradient as a training step uses it.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> net.loss_and_flat_gradient([[2.0]], [3.0])
        (4.5, array([-6., -3.]))
        """
        from fastmlp.passes import derivatives

        rows, targets, weights, _ = check_samples(self, X, y, sample_weight)
        with self._access.to_read(check_flag("wait", wait)):
            return derivatives.loss_and_flat_gradient(self, rows, targets, weights, reduction, n_threads, dropout_seed)

    def sample_gradients(
        self, X: ArrayLike, y: ArrayLike, *, n_threads: int | None = None, wait: bool = False
    ) -> NDArray[Any]:
        """Compute the gradient of each sample's loss separately.

        Dropout is off.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            Finite numbers.
        y : array_like (n_samples,) or (n_samples, n_targets)
            Targets, as in `fit`.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while another thread trains, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        ndarray (n_samples, n_params)
            One gradient per row, in the order of ``params`` and in the network's dtype.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the network, or the network has a `BatchNorm`: then the gradient of a sample
            depends on the batch.
        RuntimeError
            If another thread is training or changing the network, unless ``wait`` is True.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> net.sample_gradients([[2.0], [1.0]], [3.0, 1.0])
        array([[-6., -3.],
               [-1., -1.]])
        """
        from fastmlp.passes import derivatives

        rows, targets, weights, _ = check_samples(self, X, y)
        with self._access.to_read(check_flag("wait", wait)):
            return derivatives.sample_gradients(self, rows, targets, weights, n_threads)

    def input_gradients(self, X: ArrayLike, *, n_threads: int | None = None, wait: bool = False) -> NDArray[Any]:
        """Compute the derivatives of the outputs with respect to the inputs: the Jacobian at each row.

        Dropout is off, and batch norms use their running statistics.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            Finite numbers.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while another thread trains, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        ndarray (n_samples, n_outputs, n_features)
            At ``[i, k, j]`` is d ``predict(X)[i, k]`` / d ``X[i, j]``: after the output's activation, and with respect
            to the original X, before `Input` scales it. Dense even if X is sparse. Dtype and
            precision are those of `predict`.

        Raises
        ------
        ValueError, TypeError
            If X does not fit the network.
        RuntimeError
            If another thread is training or changing the network, unless ``wait`` is True.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([fm.Input(2, scale=[1.0, 10.0]), 1], dtype="float64")
        >>> net.weights[0][:] = [[3.0], [0.5]]
        >>> net.input_gradients([[0.0, 0.0]])
        array([[[3., 5.]]])
        """
        from fastmlp.passes import derivatives

        rows, precision = check_query(self, X)
        with self._access.to_read(check_flag("wait", wait)):
            return derivatives.input_gradients(self, rows, n_threads, precision)

    def activations(self, X: ArrayLike, *, n_threads: int | None = None, wait: bool = False) -> list[NDArray[Any]]:
        """Compute the outputs of every layer.

        As in `predict`, dropout is off, and batch norms use their running statistics.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            Finite numbers.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while another thread trains, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        list of ndarray (n_samples, units)
            One array for each of ``net.layers``, after its activation; the last one is ``predict(X)``, and all have
            its dtype. They are views of one block of memory.

        Raises
        ------
        ValueError, TypeError
            If X does not fit the network.
        RuntimeError
            If another thread is training or changing the network, unless ``wait`` is True.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([4, 3, fm.Dropout(0.5), 2], seed=0)
        >>> [outputs.shape for outputs in net.activations([[1.0, 2.0, 3.0, 4.0]])]
        [(1, 3), (1, 3), (1, 2)]
        """
        from fastmlp.passes import inference

        rows, precision = check_query(self, X)
        with self._access.to_read(check_flag("wait", wait)):
            return inference.activations(self, rows, n_threads, precision)

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
        wait: bool = False,
    ) -> NDArray[np.float64]:
        """Compute the loss over a grid of values of one or two parameters; the others keep their values.

        Parameters
        ----------
        X : array_like (n_samples, n_features)
            Finite numbers; a sparse matrix is not accepted.
        y : array_like (n_samples,) or (n_samples, n_targets)
            Targets, as in `fit`.
        parameters : int or sequence of one or two int
            Indices in ``params``.
        grids : sequence of array_like (n,)
            The values of each parameter, one array per parameter. At most 10**9 points in all.
        sample_weight : array_like (n_samples,) or (n_samples, n_targets), optional
            Weights of the samples, or of their targets as in `fit`.
        reduction : {"mean", "sum"}, default "mean"
            Whether the loss is the (weighted) mean or sum over the samples.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while another thread trains, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        ndarray of float64, (n_0,) or (n_0, n_1)
            The losses, for n_0 values of the first parameter and n_1 of the second. The network does not change.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the network, or X is sparse.
        RuntimeError
            If another thread is training or changing the network, unless ``wait`` is True.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], bias=False, dtype="float64")
        >>> net.cost_surface([[2.0]], [4.0], [0], [[0.0, 1.0, 2.0]])
        array([8., 2., 0.])
        """
        from fastmlp.passes import derivatives

        rows, targets, weights, _ = check_samples(self, X, y, sample_weight)
        with self._access.to_read(check_flag("wait", wait)):
            return derivatives.cost_surface(self, rows, targets, weights, parameters, grids, reduction, n_threads)

    def save(self, path: str | Path, *, allow_nan: bool = False) -> None:
        """Write the network to a safetensors file.

        The write is atomic: after a failure, an older file at ``path`` is unchanged. ``optimizer_state`` is saved too.

        Parameters
        ----------
        path : str or path
            File to create or replace.
        allow_nan : bool, default False
            Whether to write NaN and infinity, instead of raising ``ValueError``.

        Raises
        ------
        ValueError
            If the network holds NaN or infinity, or a part that cannot be written to a file: a `CustomLoss`, a function
            as a rate, or an initializer of your own.
        OSError
            If the file cannot be written.
        RuntimeError
            If another thread is training or changing the network.

        See Also
        --------
        fastmlp.load : Read the file.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import fastmlp as fm
        >>> net = fm.Network([2, 3, 1], seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "net.safetensors"
        ...     net.save(path)
        ...     twin = fm.load(path)
        >>> bool((twin.params == net.params).all())
        True
        """
        from fastmlp.persistence.models import save

        save(self, path, allow_nan=allow_nan)

    def __repr__(self) -> str:
        layers = (*self.layers[:-1], self.layers[-1].with_activation(self.output))
        parts = [str(self.n_features), *(layer.summary() for layer in layers)]
        scaled = "" if self._target_scale is None else " of scaled targets"
        return f"Network({' -> '.join(parts)}; loss {self.loss.name}{scaled}, {self.n_params} parameters, {self.dtype})"


def load(path: str | os.PathLike[str], *, allow_nan: bool = False) -> Network:
    """Read a network from a file written by `Network.save`, an estimator's ``save`` or ``fastmlp train --save``.

    The whole file is checked. Nothing in it is executed, and the memory used is proportional to its size.

    Parameters
    ----------
    path : str or path
        A regular file.
    allow_nan : bool, default False
        Whether to accept NaN and infinity in its arrays, instead of raising ``ValueError``.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If the file is not a saved model, is damaged, inconsistent or of a newer format, or holds NaN or infinity. The
        message names the path.
    OSError
        If the file cannot be opened.

    Examples
    --------
    >>> import fastmlp as fm
    >>> fm.load("digits.safetensors").predict(images)  # doctest: +SKIP
    """
    return load_with_extra(path, allow_nan=allow_nan)[0]


def load_with_extra(path: str | os.PathLike[str], *, allow_nan: bool = False) -> tuple[Network, dict[str, Any]]:
    """As `load`, but also return the dictionary that was saved with the network (empty if there was none)."""
    from fastmlp.persistence.models import read_model

    saved = read_model(path, Network, allow_nan)
    return saved.network, saved.extra
