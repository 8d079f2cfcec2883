"""Network: layers, the parameters behind them, and what can be asked of both.

Its flat vector with the named views comes from `parameters`, its ways to train from `learner`. What it can do is
written in other modules (`training`, `inference`, `derivatives`, `persistence`), imported when they are first needed;
the methods check their arguments and hand over.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnn_core.machine.access import Access
from fastmlp.data.inputs import check_inputs
from fastmlp.data.rows import Rows, Targets, check_targets, check_weights
from fastmlp.model.construction import allocate, check_dtype, check_scaling, read_layers, seed_sequence, with_trainable
from fastmlp.model.initializers import Initializer, make_initializer
from fastmlp.model.layers import Input, Layer
from fastmlp.model.layout import Layout, make_layout, output_activation
from fastmlp.model.losses import Loss, make_loss
from fastmlp.model.parameters import Parameters
from fastmlp.training.trainable import Learner

if TYPE_CHECKING:
    from cnn_core.doors.predictor import Predictor


class Network(Parameters, Learner):
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

    _predictor: Predictor | None = None

    def __new__(cls, *arguments: Any, **named: Any) -> Network:
        """A copy too, and what comes out of a pickle, is a network with an access of its own."""
        network = super().__new__(cls)
        network._access = Access()
        return network

    def __init__(
        self,
        layers: Sequence[int | Input | Layer],
        *,
        activation: str = "relu",
        output: str | None = None,
        loss: str | Loss = "squared_error",
        init: str | Initializer = "glorot_uniform",
        bias: bool = True,
        dtype: Any = "float32",
        seed: int | None = None,
    ) -> None:
        self.loss = make_loss(loss)
        self.dtype = check_dtype(dtype)
        self.input, self.layers = read_layers(layers, activation, bias)
        self.output = output_activation(self.layers, output, self.loss)
        self.layout: Layout = make_layout(self.input, self.layers, self.output)
        if self.loss.name == "cross_entropy" and self.n_outputs == 1:
            raise ValueError(
                "loss='cross_entropy' needs an output for each class, at least 2; "
                "with one output use 'binary_cross_entropy'"
            )
        self.init = make_initializer(init)
        self._seeds = seed_sequence(seed)
        check_scaling(self.input, self.dtype)
        self.rng = np.random.default_rng(self._seeds.spawn(1)[0])
        self._params = allocate(self.layout.n_params, self.dtype)
        self.statistics = np.zeros(self.layout.n_statistics)
        self.initialize()

    def initialize(self) -> None:
        """Draw new initial parameters, and forget running statistics and the optimizer's state.

        Every dense layer draws from a stream of its own, so that a change in one leaves the others as they were.
        """
        with self._access.changing:
            drawing = [i for i, layer in enumerate(self.layers) if layer.draws]
            streams = dict(zip(drawing, map(np.random.default_rng, self._seeds.spawn(len(drawing))), strict=True))
            with np.errstate(over="ignore"):
                for segment, parameter in zip(self.layout.segments, self.layout.parameters, strict=True):
                    stage = self.layout.stages[segment.row]
                    segment.view(self._params)[:] = stage.initial(parameter, self.init, streams.get(segment.layer))
            if not self.is_finite():
                raise ValueError(f"init gives weights beyond {self.dtype}")
            for segment in self.layout.statistics:
                segment.view(self.statistics)[:] = self.layout.stages[segment.row].statistics[segment.name]
            self.optimizer_state = None

    def freeze(self, *numbers: int) -> None:
        """Freeze layers by their numbers in ``layers``: training leaves them as they are, until `unfreeze`.

        The layers are described anew with ``trainable=False``; parameters and the optimizer's state stay. Raises
        ``ValueError`` or ``TypeError`` for a number of no layer, and for a layer without parameters.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([4, 8, 8, 1], seed=0)
        >>> net.freeze(0, 1)
        >>> net
        Network(4 -> 8 relu (frozen) -> 8 relu (frozen) -> 1 identity; loss squared_error, 121 parameters, float32)
        """
        with self._access.changing:
            self.layers = with_trainable(self.layers, numbers, False)
            self.layout = make_layout(self.input, self.layers, self.output)

    def unfreeze(self, *numbers: int) -> None:
        """Let frozen layers learn again; without a number all of them. Raises as `freeze` does."""
        every = [i for i, layer in enumerate(self.layers) if layer.has_parameters]
        with self._access.changing:
            self.layers = with_trainable(self.layers, numbers or every, True)
            self.layout = make_layout(self.input, self.layers, self.output)

    @property
    def n_features(self) -> int:
        """Columns of X."""
        return self.input.n_features

    @property
    def n_outputs(self) -> int:
        """Columns of what `predict` returns."""
        return int(self.layout.table["n_out"][-1])

    def astype(self, dtype: Any) -> Network:
        """A copy with the same parameters in another dtype."""
        twin = Network.__new__(Network)
        with self._access.reading:
            twin.__dict__.update(self.__getstate__())
            twin.dtype = check_dtype(dtype)
            check_scaling(self.input, twin.dtype)
            twin._params = allocate(self.n_params, twin.dtype)
            twin._params[:] = self._params
            twin.statistics = self.statistics.copy()
            twin.optimizer_state = None if self.optimizer_state is None else self.optimizer_state.astype(twin.dtype)
            twin._seeds = deepcopy(self._seeds)
            twin.rng = np.random.default_rng()
            twin.rng.bit_generator.state = self.rng.bit_generator.state
        return twin

    def __getstate__(self) -> dict[str, Any]:
        """For pickle and copy: everything but the predictor and the trainer of batches, which know addresses."""
        own = ("_access", "_predictor", "_batch_trainer")
        with self._access.reading:
            return {name: value for name, value in self.__dict__.items() if name not in own}

    def copy(self) -> Network:
        """An independent network with the same parameters, optimizer state and generator state."""
        return self.astype(self.dtype)

    def check_samples(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None, place: str = ""
    ) -> tuple[Rows, Targets, NDArray[np.float64] | None]:
        """X, y and weights as the core takes them; ``ValueError`` or ``TypeError`` for what doesn't fit.

        ``place`` stands behind the arguments' names in errors.
        """
        rows = check_inputs(self, X, f"X{place}")
        targets = check_targets(y, len(rows), self.n_outputs, self.loss, self.dtype, f"y{place}")
        return rows, targets, check_weights(sample_weight, len(rows), f"sample_weight{place}")

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
            quick = self._predictor(X)  # None where this is no prediction of a few rows
            if quick is not None:
                return quick
        from fastmlp.passes import inference

        with self._access.reading:
            return inference.predict(self, check_inputs(self, X), n_threads)

    def evaluate(
        self, X: ArrayLike, y: ArrayLike, *, sample_weight: ArrayLike | None = None, n_threads: int | None = None
    ) -> dict[str, float]:
        """``{"loss": mean loss}``, and ``"accuracy"`` where y names classes (several binary labels count together).

        Raises ``ValueError`` or ``TypeError`` for arguments that do not fit.
        """
        from fastmlp.passes import inference

        rows, targets, weights = self.check_samples(X, y, sample_weight)
        with self._access.reading:
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

        rows, targets, weights = self.check_samples(X, y, sample_weight)
        with self._access.reading:
            return derivatives.loss_and_flat_gradient(self, rows, targets, weights, reduction, n_threads, dropout_seed)

    def sample_gradients(self, X: ArrayLike, y: ArrayLike, *, n_threads: int | None = None) -> NDArray[Any]:
        """Gradients (n_samples, n_params) of each sample's own loss, in the order of ``params``; dropout is off.

        Raises ``ValueError`` for a network with `BatchNorm`, where samples have none of their own.
        """
        from fastmlp.passes import derivatives

        rows, targets, _ = self.check_samples(X, y)
        with self._access.reading:
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

        with self._access.reading:
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

        with self._access.reading:
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

        rows, targets, weights = self.check_samples(X, y, sample_weight)
        with self._access.reading:
            return derivatives.cost_surface(self, rows, targets, weights, parameters, grids, reduction, n_threads)

    def save(self, path: str | Path, *, allow_nan: bool = False) -> None:
        """Write the network to a safetensors file, all at once or not at all; see `fastmlp.load`.

        Momenta in ``optimizer_state`` are written too. Raises ``ValueError`` for NaN and infinity unless ``allow_nan``,
        and for what can't be written down: a `CustomLoss`, a function as a rate, an initialiser of one's own.
        """
        from fastmlp.persistence.models import save

        with self._access.reading:
            save(self, path, allow_nan=allow_nan)

    def __repr__(self) -> str:
        layers = (*self.layers[:-1], self.layers[-1].with_activation(self.output))
        parts = [str(self.n_features), *(layer.summary() for layer in layers)]
        return f"Network({' -> '.join(parts)}; loss {self.loss.name}, {self.n_params} parameters, {self.dtype})"
