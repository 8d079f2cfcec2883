"""How a network learns: `fit`, and `train_on_batch` for data that come one batch at a time.

The methods collect their arguments and hand over to the package `training`, imported when they are first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import ArrayLike, NDArray

from fastmlp.model.model import Model

MetricLike: TypeAlias = str | Callable[[NDArray[Any], NDArray[Any]], float]

if TYPE_CHECKING:
    from fastmlp.callbacks.base import CallbackLike
    from fastmlp.checks.values import Value
    from fastmlp.data.chunks import Chunks
    from fastmlp.history import History


class Trainable(Model):
    """A model with the methods that train it; base of `Network`."""

    def fit(
        self,
        X: ArrayLike | Chunks,
        y: ArrayLike | None = None,
        *,
        epochs: int = 10,
        batch_size: int = 32,
        optimizer: Any = None,
        shuffle: bool = True,
        validation_data: tuple[ArrayLike, ArrayLike] | None = None,
        sample_weight: ArrayLike | None = None,
        callbacks: Iterable[CallbackLike] = (),
        n_threads: int | None = None,
        progress: bool | None = None,
        alpha: Value = 0.0,
        warm_start: bool = False,
        class_weight: Mapping[int, float] | str | None = None,
        metrics: Iterable[MetricLike] = (),
        clip_norm: Value | None = None,
        clip_value: Value | None = None,
        max_norm: Value | None = None,
        accumulate: int = 1,
        average: float | None = None,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float | None = None,
        resume: bool = False,
    ) -> History:
        """Train.

        Parameters
        ----------
        X : array_like (n_samples, n_features) or Chunks
            uint8, float32 and float64 are read as they are, memory maps too; nothing is copied. `Chunks` bring data
            larger than memory, and their own y and weights; they take no `LBFGS` and no "balanced" weights.
        y : array_like
            (n_samples,) class numbers where there is one output per class; else (n_samples, n_outputs), or
            (n_samples,) for a single output.
        epochs : int, default 10
            Passes over the samples.
        batch_size : int, default 32
            Samples per update; at most all of them. The last batch of an epoch may be smaller.
        optimizer : optimizer or str, optional
            None: ``Adam()``.
        shuffle : bool, default True
            A new order for each epoch that begins, from the network's generator; a batch of all samples needs none.
            Of `Chunks`, the rows within a chunk are shuffled, but for those in a batch with rows of the next one.
        validation_data : pair (X, y), optional
            Measured after every epoch.
        sample_weight : array_like (n_samples,), optional
            A batch's loss is its weighted mean.
        callbacks : iterable
            `Callback` objects or functions of a `Run`, called after every epoch.
        n_threads : int, optional
            None: as many as the size of a batch is worth. The same number gives the same bits.
        progress : bool, optional
            None: a bar where somebody watches, for fits of more than a second.
        alpha : float or function of the step, default 0.0
            L2 penalty: a batch of n samples, or of summed sample weight n, minimises its mean loss
            + alpha / (2 n) * the sum of squares of all weights; biases and norms are left out. It joins the gradient
            whatever the optimizer, and ``history["loss"]`` includes it, ``"val_loss"`` doesn't. `LBFGS` and
            `LevenbergMarquardt` take a number.
        warm_start : bool, default False
            True: go on from ``optimizer_state``, momenta and step number of the schedules, and leave it there again;
            as if both fits had been one (but that each shuffles anew). Where it is of another rule than the optimizer
            or the network has none, and with `LBFGS` and `LevenbergMarquardt`, the optimizer begins afresh. A fit that
            diverges leaves none.
        class_weight : dict or "balanced", optional
            Weight of each class that y names, ``{0: 1.0, 1: 5.0}``, multiplied with ``sample_weight``; "balanced":
            ``n_samples / (n_classes * count)``. The validation isn't weighted.
        metrics : iterable of str or function
            Measured of the validation data after every epoch, and recorded as ``history["val_<name>"]``: names of
            `fastmlp.metrics` (accuracy, balanced_accuracy, macro_f1, mean_absolute_error, root_mean_square_error,
            r2), or functions ``(y_true, y_pred) -> number``. y_pred is what `predict` gives, (n, n_outputs); y_true
            the class numbers (n,), or else the targets (n, n_outputs), a single output too.
        clip_norm : float or function of the step, optional
            Above 0: a step's gradient that is longer is scaled back to this length, all parameters together. It is the
            gradient of what the batch minimises, with the penalty of ``alpha`` and without the decays of the optimizer.
        clip_value : float or function of the step, optional
            Above 0: each number of that gradient is brought between its negative and itself, before ``clip_norm``.
        max_norm : float or function of the step, optional
            Above 0: after each step a unit's incoming weights (a column of W, without the bias) that are longer are
            scaled back to this length.
        accumulate : int, default 1
            So many batches make one step: that of all their samples as one batch. They differ from a larger
            ``batch_size`` in the memory, and for a `BatchNorm`, whose statistics are those of each batch by itself.
        average : float, optional
            From 0 to 1, usually 0.99 to 0.9999: the decay of a moving average of parameters and running statistics
            along the steps, corrected for its start; 1 is their plain mean. The network holds the averages at the
            end, and whenever validation or a callback looks; ``history["loss"]`` is that of the path.
        checkpoint : path, optional
            A file that keeps everything about the fit while it runs; its last version stays beside it under
            ``<name>.previous``. A process that dies loses no more than what came after it. Not with `LBFGS`. See
            docs/guide/checkpoints.md.
        checkpoint_every : float, optional
            Seconds between checkpoints, 0 for as often as can be (about every 50 ms). None: 10, or so many more that
            writing them takes a hundredth of the time. One more is written at the beginning, and one at the end.
        resume : bool, default False
            True: go on from the checkpoint, of the same fit, where there is one; to the bit as if the fit had never
            been interrupted. Only ``epochs`` may be more than they were.

        Returns
        -------
        History

        Raises
        ------
        ValueError, TypeError
            For arguments that do not fit; the network is as it was.
        RuntimeError
            The network is in use: another thread trains it or reads it, or this is a callback of its own fit.
        DivergedError
            The loss stopped being finite; the network has the weights of the best finite epoch.

        Warns
        -----
        TrainingWarning
            Inputs or targets are far from scaled, or the network is dead.
        FileExistsError
            There is a checkpoint, and ``resume`` is False.
        OSError
            The first checkpoint can't be written. Later it is a warning, and training goes on.
        """
        from fastmlp.callbacks.base import make_callbacks
        from fastmlp.machine.files import as_path
        from fastmlp.optimizers import make_optimizer
        from fastmlp.training.fit import fit
        from fastmlp.training.recording import make_metrics
        from fastmlp.training.settings import FitSettings

        settings = FitSettings(
            optimizer=make_optimizer(optimizer), epochs=epochs, batch_size=batch_size, shuffle=shuffle,
            callbacks=make_callbacks(callbacks), metrics=make_metrics(metrics), n_threads=n_threads,
            progress=progress, alpha=alpha, warm_start=warm_start, clip_norm=clip_norm, clip_value=clip_value,
            max_norm=max_norm, accumulate=accumulate, average=average, warns=True,
            checkpoint=None if checkpoint is None else as_path(checkpoint, "checkpoint"),
            checkpoint_every=checkpoint_every, resume=resume,
        )  # fmt: skip
        return fit(self, X, y, validation_data, sample_weight, class_weight, settings)

    def train_on_batch(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        optimizer: Any = None,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | str | None = None,
    ) -> float:
        """One update by these samples as one batch; their mean loss before it.

        The optimizer goes on from ``optimizer_state``, as in ``fit(warm_start=True)``, which it may alternate with.

        Parameters
        ----------
        X, y, sample_weight, class_weight
            As in `fit`; a "balanced" weight is that among the samples of this batch.
        optimizer : optimizer or str, optional
            None: ``Adam()``. One of another rule than the last begins afresh. Calls are quickest with the same one
            and batches of one size.

        Returns
        -------
        float

        Raises
        ------
        ValueError, TypeError
            For arguments that do not fit, `LBFGS` and `LevenbergMarquardt` among them; the network is as it was.
        DivergedError
            The loss or a parameter isn't finite; the network is as it was, but for ``optimizer_state``, which is None.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> [net.train_on_batch([[1.0]], [2.0], optimizer=fm.SGD(0.25)) for _ in range(3)]
        [2.0, 0.5, 0.125]
        """
        from fastmlp.training import online

        return online.train_on_batch(self, X, y, optimizer, sample_weight, class_weight)

    def gradient(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        class_weight: Mapping[int, float] | str | None = None,
        n_threads: int | None = None,
    ) -> NDArray[Any]:
        """The gradient of these samples as one batch, as a step of training sees it; for loops of your own.

        Dropout is on, with masks from the network's generator; batch norms use the batch, and their running statistics
        take a step; labels are smoothed; frozen layers have 0. With `apply_gradient` this makes the step that
        `train_on_batch` makes. `loss_and_flat_gradient` is the one to look at a network without changing it.

        Parameters
        ----------
        X, y, sample_weight, class_weight
            As in `fit`; the gradient is that of the (weighted) mean loss.
        n_threads : int, optional
            None: as many as the work is worth.

        Returns
        -------
        ndarray (n_params,)
            Of the network's dtype, in the order of ``params``.

        Raises
        ------
        ValueError, TypeError
            For arguments that do not fit.
        RuntimeError
            Another thread uses the network.

        Examples
        --------
        A training loop with gradient noise (Neelakantan et al., 2015):

        >>> import numpy as np
        >>> import fastmlp as fm
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(200, 2))
        >>> y = X[:, 0] * X[:, 1]
        >>> net = fm.Network([2, 32, 1], activation="tanh", seed=0)
        >>> optimizer = fm.Adam(0.02)
        >>> for step in range(400):
        ...     rows = rng.integers(len(X), size=20)
        ...     gradient = net.gradient(X[rows], y[rows])
        ...     gradient += rng.normal(0, 0.01 / (1 + step) ** 0.55, size=gradient.shape)
        ...     net.apply_gradient(gradient, optimizer)
        >>> net.evaluate(X, y)["loss"] < 0.05
        True
        """
        from fastmlp.training import by_hand

        return by_hand.gradient(self, X, y, sample_weight, class_weight, n_threads)

    def apply_gradient(self, gradient: ArrayLike, optimizer: Any = None) -> None:
        """One update by a gradient of your own, such as one from `gradient` that you have changed.

        The optimizer continues from ``optimizer_state``, as in `train_on_batch`; its decays are added to the gradient.
        Frozen layers stay as they are.

        Parameters
        ----------
        gradient : array_like (n_params,)
            Finite numbers, in the order of ``params``.
        optimizer : optimizer or str, optional
            None: ``Adam()``. One of another rule than the last begins again.

        Raises
        ------
        ValueError, TypeError
            A gradient of another shape, NaN, an optimizer that needs more than a gradient (`LBFGS`,
            `LevenbergMarquardt`, ``Rprop(backtrack=True)``); the network is as it was.
        RuntimeError
            Another thread uses the network.
        DivergedError
            A parameter isn't finite after it; the network is as it was, but ``optimizer_state`` is None.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> net.apply_gradient([-2.0, 1.0], fm.SGD(0.25))
        >>> net.params
        array([ 0.5 , -0.25])
        """
        from fastmlp.training import by_hand

        by_hand.apply_gradient(self, gradient, optimizer)
