"""The methods that train a network: `fit`, `train_on_batch`, `gradient` and `apply_gradient`.

Each collects its arguments and calls a module of the package `training`, imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import ArrayLike, NDArray

from fastmlp.model.model import Model

ClassWeight: TypeAlias = Mapping[int, float] | str | Sequence[Mapping[int, float] | str] | None
MetricLike: TypeAlias = str | Callable[[NDArray[Any], NDArray[Any]], float]

if TYPE_CHECKING:
    from fastmlp.callbacks.base import CallbackLike
    from fastmlp.checks.values import Value
    from fastmlp.data.chunks import Chunks
    from fastmlp.data.validation import ValidationLike
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
        validation_data: ValidationLike | None = None,
        sample_weight: ArrayLike | None = None,
        callbacks: Iterable[CallbackLike] = (),
        n_threads: int | None = None,
        progress: bool | None = None,
        alpha: Value = 0.0,
        warm_start: bool = False,
        class_weight: ClassWeight = None,
        metrics: Iterable[MetricLike] = (),
        clip_norm: Value | None = None,
        clip_value: Value | None = None,
        max_norm: Value | None = None,
        accumulate: int = 1,
        average: float | None = None,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every: float | None = None,
        resume: bool = False,
        wait: bool = False,
    ) -> History:
        """Train the network.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features), or Chunks
            Finite numbers. Arrays of uint8, float32 and float64, memory maps included, are read without a copy, also
            slices ``A[:, :-1]`` and ``A[::2]``; those in Fortran order or with columns in reverse are copied once.
            Data frames are read column by column; each must hold numbers or booleans.
            `Chunks` are for data larger than memory. They bring their own y and weights, and do not work with `LBFGS`,
            `LevenbergMarquardt` or ``class_weight="balanced"``.
        y : array_like, optional
            Class numbers (n_samples,) if there is one output per class; else targets (n_samples, n_targets), or
            (n_samples,) for a single one: one for each output, unless the loss takes another number. Left out for
            `Chunks`.
        epochs : int, default 10
            Passes over the samples.
        batch_size : int, default 32
            Samples per update, at most all of them. The last batch of an epoch may be smaller. With `BatchNorm`, at
            least 2, and a rest of fewer than half a batch is part of the last one.
        optimizer : optimizer or str, optional
            Default: ``Adam()``.
        shuffle : bool, default True
            Whether each epoch takes the samples in a new order, drawn from the network's generator. Not needed if one
            batch holds all samples. With `Chunks`, rows are shuffled within each chunk, except those in a batch that
            also has rows of the next chunk, and with `BatchNorm` the batch before.
        validation_data : (X, y), (X, y, sample_weight) or Chunks, optional
            Validation set, measured after every epoch. `Chunks` are read again each time, with their own weights; with
            ``metrics``, all their targets and predictions are kept in memory.
        sample_weight : array_like (n_samples,) or (n_samples, n_targets), optional
            Weights of the samples: the loss of a batch is its weighted mean. Left out for `Chunks`. Weights
            (n_samples, n_targets) are for single targets: each term of a row's loss is multiplied by its own, and the
            row counts with their mean. Not for cross_entropy and `CustomLoss`, whose rows have no such terms. A
            batch whose weights sum to 0, or in float32 to less than 1.2e-38, has no gradient.
        callbacks : iterable
            `Callback` objects, or functions that take a `Run`, called after every epoch.
        n_threads : int, optional
            Default: as many as the work of a batch is worth. The same number gives the same result to the bit.
        progress : bool, optional
            Whether to show a progress bar. Default: only in a terminal or notebook, and after one second.
        alpha : float or function of the step, default 0.0
            L2 penalty. A batch of n samples (or of total sample weight n) minimises its mean loss plus
            alpha / (2 n) times the sum of squares of all weights; biases and norms are not penalised. The penalty is
            part of the gradient for every optimizer, and part of ``history["loss"]`` but not of ``"val_loss"``. `LBFGS`
            and `LevenbergMarquardt` take a number only.
        warm_start : bool, default False
            True: continue from ``optimizer_state`` (momenta, and the step number of the schedules) and update it at the
            end, as if both fits were one, except that each draws its own order of samples, and that a schedule without
            a number of steps starts again and takes the length of this fit. The optimizer starts without
            a state if there is none, or if it belongs to another rule, and always with `LBFGS` and
            `LevenbergMarquardt`. A fit that diverges leaves no state.
        class_weight : dict, "balanced" or list of these, optional
            Weight of each class in y, such as ``{0: 1.0, 1: 5.0}``, multiplied by ``sample_weight``. "balanced" is
            ``n_samples / (n_classes * count)``. A list has one of these for each label of binary_cross_entropy;
            "balanced" is then meant for each label, unless every row has a single 1. Validation is not weighted.
        metrics : iterable of str or function
            Measured on the validation set after every epoch, and recorded as ``history["val_<name>"]``. Names from
            `fastmlp.metrics` (accuracy, balanced_accuracy, macro_f1, mean_absolute_error, root_mean_square_error, r2),
            or functions ``(y_true, y_pred) -> number``. y_pred is the result of `predict`, (n, n_outputs). y_true holds
            the class numbers (n,), or else the targets (n, n_targets), also for a single one. A function's attribute
            ``greater_is_better``, True or False, tells callbacks such as `EarlyStopping` which values are better.
        clip_norm : float or function of the step, optional
            Gradient clipping by norm, above 0: gradients with a larger norm, over all parameters, are scaled down to
            it. The gradient includes the penalty of ``alpha``, but not the optimizer's own weight decay.
        clip_value : float or function of the step, optional
            Gradient clipping by value, above 0: each element is limited to [-clip_value, clip_value], before
            ``clip_norm``.
        max_norm : float or function of the step, optional
            Above 0: after each step, a unit's incoming weights (a column of W, without the bias) with a larger norm are
            scaled down to it.
        accumulate : int, default 1
            Number of batches whose gradients are added up for one step, as if they were one batch. Unlike a larger
            ``batch_size``, this needs no more memory, and a `BatchNorm` takes the statistics of each batch separately.
        average : float, optional
            Decay of a moving average of the parameters and running statistics over the steps, from 0 to 1, usually 0.99
            to 0.9999. It is corrected for its start; 1 gives the plain mean. The network holds the averages at the end,
            and during validation and callbacks; ``history["loss"]`` is that of the parameters being trained.
        checkpoint : str or path, optional
            File that stores the whole state of the fit while it runs. The version before is kept as
            ``<name>.previous``. If the process dies, only the training since the last checkpoint is lost. Not for
            `LBFGS`. See docs/guide/checkpoints.md.
        checkpoint_every : float, optional
            Seconds between checkpoints; 0: as often as possible (about every 50 ms). Default: 10, or less often if
            writing would take more than 1 % of the time. One is always written at the start and one at the end.
        resume : bool, default False
            True: if the checkpoint exists, continue from it. The result is the same to the bit as without the
            interruption. It must be from the same fit; only ``epochs`` may be larger. Schedules that take their length
            from the fit keep that of the fit that began.
        wait : bool, default False
            True: wait while other threads use the network, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        History
            Losses and other values of each epoch.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit. The network is unchanged.
        RuntimeError
            If the network is in use: another thread is training or reading it, unless ``wait`` is True; or a callback
            of its own fit called this method.
        DivergedError
            If the loss or a parameter stopped being finite. The network holds the weights of the best finite epoch.
        FileExistsError
            If the checkpoint exists and ``resume`` is False.
        OSError
            If the first checkpoint cannot be written. Later failures are warnings, and training continues.

        Warns
        -----
        TrainingWarning
            If inputs or targets are far from scaled, or units are dead after training.
        RuntimeWarning
            If a later checkpoint cannot be written.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> X = [[-1.0], [0.0], [1.0]]
        >>> history = net.fit(X, [-1.0, 1.0, 3.0], epochs=100, batch_size=3, optimizer=fm.SGD(0.5))
        >>> net.params.round(3)
        array([2., 1.])
        >>> bool(history["loss"][-1] < 1e-6)
        True
        """
        from fastmlp.training.fit import fit
        from fastmlp.training.settings import read_settings

        settings = read_settings(
            optimizer=optimizer, epochs=epochs, batch_size=batch_size, shuffle=shuffle, callbacks=callbacks,
            metrics=metrics, n_threads=n_threads, progress=progress, alpha=alpha, warm_start=warm_start,
            clip_norm=clip_norm, clip_value=clip_value, max_norm=max_norm, accumulate=accumulate, average=average,
            checkpoint=checkpoint, checkpoint_every=checkpoint_every, resume=resume, warns=True,
        )  # fmt: skip
        return fit(self, X, y, validation_data, sample_weight, class_weight, settings, wait)

    def train_on_batch(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        optimizer: Any = None,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight = None,
        wait: bool = False,
    ) -> float:
        """Update the network once, with these samples as one batch.

        The optimizer continues from ``optimizer_state``, as in ``fit(warm_start=True)``. The two can alternate.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            Finite numbers.
        y : array_like (n_samples,) or (n_samples, n_targets)
            Targets, as in `fit`.
        optimizer : optimizer or str, optional
            Default: ``Adam()``. One with another rule than the last one starts without a state. Calls are fastest with
            the same optimizer and the same batch size.
        sample_weight : array_like (n_samples,) or (n_samples, n_targets), optional
            Weights of the samples, or of their targets as in `fit`.
        class_weight : dict, "balanced" or list of these, optional
            As in `fit`; "balanced" counts the samples of this batch.
        wait : bool, default False
            True: wait while other threads use the network, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        float
            The mean loss of the batch before the update.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or the optimizer is `LBFGS` or `LevenbergMarquardt`. The network is unchanged.
        RuntimeError
            If the network is in use: another thread is training or reading it, unless ``wait`` is True; or a callback
            of its own fit called this method.
        DivergedError
            If the loss or a parameter is not finite. The network is unchanged, except that ``optimizer_state`` is None.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> [net.train_on_batch([[1.0]], [2.0], optimizer=fm.SGD(0.25)) for _ in range(3)]
        [2.0, 0.5, 0.125]
        """
        from fastmlp.training import online

        return online.train_on_batch(self, X, y, optimizer, sample_weight, class_weight, wait)

    def gradient(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        sample_weight: ArrayLike | None = None,
        class_weight: ClassWeight = None,
        n_threads: int | None = None,
        wait: bool = False,
    ) -> NDArray[Any]:
        """Compute the gradient of these samples as one batch, as a training step does; for your own training loops.

        Dropout is on, with masks from the network's generator. Batch norms use the statistics of the batch and update
        their running statistics. Labels are smoothed, and frozen layers have gradient 0. `gradient` and then
        `apply_gradient` make the same step as `train_on_batch`.

        Parameters
        ----------
        X : array_like or sparse matrix (n_samples, n_features)
            Finite numbers.
        y : array_like (n_samples,) or (n_samples, n_targets)
            Targets, as in `fit`.
        sample_weight : array_like (n_samples,) or (n_samples, n_targets), optional
            Weights of the samples: the gradient is that of the weighted mean loss.
        class_weight : dict, "balanced" or list of these, optional
            As in `fit`; "balanced" counts the samples of this batch.
        n_threads : int, optional
            Default: as many as the work is worth.
        wait : bool, default False
            True: wait while other threads use the network, instead of raising ``RuntimeError``; see `Network`.

        Returns
        -------
        ndarray (n_params,)
            In the order of ``params`` and in the network's dtype.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit, or all layers are frozen.
        RuntimeError
            If the network is in use: another thread is training or reading it, unless ``wait`` is True; or a callback
            of its own fit called this method.

        See Also
        --------
        loss_and_flat_gradient : Loss and gradient without any change to the network.

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

        return by_hand.gradient(self, X, y, sample_weight, class_weight, n_threads, wait)

    def apply_gradient(self, gradient: ArrayLike, optimizer: Any = None, *, wait: bool = False) -> None:
        """Update the network once with a gradient of your own, such as a changed result of `gradient`.

        The optimizer continues from ``optimizer_state``, as in `train_on_batch`, and adds its weight decay to the
        gradient. Frozen layers do not change.

        Parameters
        ----------
        gradient : array_like (n_params,)
            Finite numbers, in the order of ``params``.
        optimizer : optimizer or str, optional
            Default: ``Adam()``. One with another rule than the last one starts without a state.
        wait : bool, default False
            True: wait while other threads use the network, instead of raising ``RuntimeError``; see `Network`.

        Raises
        ------
        ValueError, TypeError
            If the gradient has another shape or is not finite, or the optimizer needs more than a gradient (`LBFGS`,
            `LevenbergMarquardt`, ``Rprop(backtrack=True)``). The network is unchanged.
        RuntimeError
            If the network is in use: another thread is training or reading it, unless ``wait`` is True; or a callback
            of its own fit called this method.
        DivergedError
            If a parameter is not finite after the update. The network is unchanged, except that ``optimizer_state`` is
            None.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([1, 1], init="zeros", dtype="float64")
        >>> net.apply_gradient([-2.0, 1.0], fm.SGD(0.25))
        >>> net.params
        array([ 0.5 , -0.25])
        """
        from fastmlp.training import by_hand

        by_hand.apply_gradient(self, gradient, optimizer, wait)
