"""What a network is: its layers, one vector with all parameters, and everything else that training changes.

A model is passive. It can be copied, pickled and frozen; the modules above it predict, train and write to disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnn_core.machine.access import Access
from cnn_core.passes.batches import first_nonfinite
from fastmlp.model.construction import allocate, check_dtype, check_scaling, read_layers, seed_sequence, with_trainable
from fastmlp.model.guarded import Guarded
from fastmlp.model.initializers import Initializer, make_initializer
from fastmlp.model.layers import Input, Layer
from fastmlp.model.layout import make_layout, output_activation
from fastmlp.model.losses import Loss, make_loss
from fastmlp.model.state import Snapshot
from fastmlp.model.target_scale import TargetScale, check_scalable, check_target_scale, make_target_scale

M = TypeVar("M", bound="Model")


class Model(Guarded):
    """Layers, parameters, running statistics, loss, random generator and optimizer state of a network.

    `fastmlp.Network` documents the parameters and attributes, and adds the methods that use them.
    """

    _loss: Loss
    _target_scale: TargetScale | str | None = None
    # Prepared calls for passes and training: made on first use, never copied, since they hold addresses.
    _predictor: Any = None
    _batch_trainer: Any = None

    def __new__(cls: type[M], *arguments: Any, **named: Any) -> M:
        """Give every network its own access guard, also one that is copied or unpickled."""
        model: M = super().__new__(cls)
        model._access = Access()
        return model

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
        target_scale: object = None,
    ) -> None:
        self._loss = make_loss(loss)
        self.dtype = check_dtype(dtype)
        self.input, self.layers = read_layers(layers, activation, bias)
        self.output = output_activation(self.layers, output, self.loss)
        self.layout = make_layout(self.input, self.layers, self.output, self.loss)
        self.loss.check_n_outputs(self.n_outputs)
        self.init = make_initializer(init)
        self._seeds = seed_sequence(seed)
        check_scaling(self.input, self.dtype)
        self._target_scale = check_target_scale(target_scale, self.loss, self.n_outputs, self.dtype)
        self.rng = np.random.default_rng(self._seeds.spawn(1)[0])
        self._params = allocate(self.layout.n_params, self.dtype)
        self._statistics = np.zeros(self.layout.n_statistics)[:]
        self.initialize()

    def initialize(self) -> None:
        """Draw new initial parameters, and reset the running statistics and the optimizer's state.

        Each dense layer has its own random stream, so changing one layer does not change what the others draw.

        Raises
        ------
        ValueError
            If ``init`` gives weights too large for the dtype.
        """
        with self._access.changing:
            drawing = [i for i, layer in enumerate(self.layers) if layer.draws]
            streams = dict(zip(drawing, map(np.random.default_rng, self._seeds.spawn(len(drawing))), strict=True))
            with np.errstate(over="ignore"):
                for segment, parameter in zip(self.layout.segments, self.layout.parameters, strict=True):
                    stage = self.layout.stages[segment.row]
                    segment.view(self._params)[:] = stage.initial(parameter, self.init, streams.get(segment.layer))
            if not self.is_finite():
                raise ValueError(f"init must give weights that fit in {self.dtype}, got larger ones")
            for segment in self.layout.statistics:
                segment.view(self.statistics)[:] = self.layout.stages[segment.row].statistics[segment.name]
            self.optimizer_state = None

    def freeze(self, *numbers: int) -> None:
        """Freeze layers: training does not change them until `unfreeze`.

        ``net.layers`` then has them with ``trainable=False``. Parameters and the optimizer's state stay the same.

        Parameters
        ----------
        *numbers : int
            Indices in ``net.layers``, where 0 is the first layer after the input and -1 the last one.

        Raises
        ------
        TypeError
            If a number is not an int.
        ValueError
            If there is no number, no layer with that index, or nothing to freeze in that layer.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([4, 8, 8, 1], seed=0)
        >>> net.freeze(0, 1)
        >>> net
        Network(4 -> 8 relu (frozen) -> 8 relu (frozen) -> 1 identity; loss squared_error, 121 parameters, float32)
        """
        with self._access.changing:
            layers = with_trainable(self.layers, numbers, False)
            self._change(layers=layers, layout=make_layout(self.input, layers, self.output, self.loss))

    def unfreeze(self, *numbers: int) -> None:
        """Let frozen layers learn again.

        Parameters
        ----------
        *numbers : int
            Indices in ``net.layers``; none: all layers.

        Raises
        ------
        TypeError, ValueError
            As `freeze`.
        """
        every = [i for i, layer in enumerate(self.layers) if layer.has_parameters]
        with self._access.changing:
            layers = with_trainable(self.layers, numbers or every, True)
            self._change(layers=layers, layout=make_layout(self.input, layers, self.output, self.loss))

    @property
    def loss(self) -> Loss:
        """The loss; assign another one that fits the output activation and the number of outputs, or its name."""
        return self._loss

    @loss.setter
    def loss(self, loss: str | Loss) -> None:
        checked = make_loss(loss)
        checked.check_output(self.output)
        checked.check_n_outputs(self.n_outputs)
        if self._target_scale is not None:
            check_scalable(checked, self.n_outputs)
            n_targets = checked.n_targets(self.n_outputs)
            if n_targets != self.n_targets:
                raise ValueError(f"loss must take {self.n_targets} targets, those of target_scale, got {n_targets}")
        with self._access.changing:
            if checked.n_targets(self.n_outputs) != self.n_targets:
                self._change(layout=make_layout(self.input, self.layers, self.output, checked))
            self._loss = checked

    @property
    def target_scale(self) -> TargetScale | None:
        """Shift and scale of the targets; None if there are none, or if the first fit is to settle them."""
        return self._target_scale if isinstance(self._target_scale, TargetScale) else None

    def scales_targets(self) -> bool:
        """Whether the targets have a scale, or will have one after the first fit."""
        return self._target_scale is not None

    def awaits_targets(self) -> bool:
        """Whether the first fit is to settle the scale of the targets."""
        return isinstance(self._target_scale, str)

    def settle(self, target_scale: TargetScale | str) -> None:
        """Set the scale of the targets, or let the next fit do it."""
        with self._access.changing:
            self._target_scale = target_scale
            self._predictor = self._batch_trainer = None

    @property
    def n_features(self) -> int:
        """Columns of X."""
        return self.input.n_features

    @property
    def n_outputs(self) -> int:
        """Columns of what `predict` returns."""
        return int(self.layout.table["n_out"][-1])

    @property
    def n_targets(self) -> int:
        """Columns of y: as many as ``n_outputs``, unless the loss takes another number."""
        return self.layout.n_targets

    @property
    def n_params(self) -> int:
        """Length of ``params``."""
        return self.layout.n_params

    @property
    def weights(self) -> list[NDArray[Any]]:
        """Weight matrices (n_in, n_out) of the dense layers, as writable views."""
        return [s.view(self.params) for s in self.layout.segments if s.name == "weight"]

    @property
    def biases(self) -> list[NDArray[Any] | None]:
        """Biases (n_out,) of the dense layers, as writable views; None for a layer without biases."""
        return self.per_dense(self.params)[1]

    def per_dense(self, vector: NDArray[Any]) -> tuple[list[NDArray[Any]], list[NDArray[Any] | None]]:
        """Find the dense layers' weights and biases in a vector.

        Parameters
        ----------
        vector : ndarray (n_params,)
            In the order of ``params``: a gradient, for instance.

        Returns
        -------
        weights : list of ndarray (n_in, n_out)
        biases : list of ndarray (n_out,) or None
            All are views of ``vector``.
        """
        weights: list[NDArray[Any]] = []
        biases: list[NDArray[Any] | None] = []
        for weight in self.layout.segments:
            if weight.name == "weight":
                bias = self.layout.find(weight.layer, "bias")
                weights.append(weight.view(vector))
                biases.append(None if bias is None else bias.view(vector))
        return weights, biases

    def named_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all parameters and running statistics by name, as writable views.

        Returns
        -------
        dict of str to ndarray
            The names are those in a saved file, such as ``"0.weight"``: the layer's index in ``net.layers``, a dot, and
            the array's name.
        """
        named = {f"{s.layer}.{s.name}": s.view(self.params) for s in self.layout.segments}
        return named | {f"{s.layer}.{s.name}": s.view(self.statistics) for s in self.layout.statistics}

    def snapshot(self, into: Snapshot | None = None) -> Snapshot:
        """Copy parameters and running statistics.

        Parameters
        ----------
        into : Snapshot, optional
            An older snapshot of this network, to overwrite. Default: a new one.

        Returns
        -------
        Snapshot
        """
        with self._access.reading:
            if into is None:
                return Snapshot(self.params.copy(), self.statistics.copy())
            into.params[:] = self.params
            into.statistics[:] = self.statistics
            return into

    def restore(self, snapshot: Snapshot) -> None:
        """Set parameters and running statistics to those of a snapshot of this network."""
        with self._access.changing:
            self.params[:] = snapshot.params
            self.statistics[:] = snapshot.statistics

    def holds(self, snapshot: Snapshot) -> bool:
        """Whether parameters and running statistics equal those of the snapshot."""
        return np.array_equal(self.params, snapshot.params) and np.array_equal(self.statistics, snapshot.statistics)

    def is_finite(self) -> bool:
        """Whether no parameter is NaN or infinite."""
        return bool(first_nonfinite(self._params) < 0)

    def astype(self: M, dtype: Any) -> M:
        """Return an independent copy in another dtype.

        Parameters
        ----------
        dtype : {"float32", "float64"}

        Returns
        -------
        Network
            With the same parameters, statistics, optimizer state and generator state.

        Raises
        ------
        TypeError, ValueError
            If ``dtype`` is not one of these, or too small for the input's shift or scale.
        RuntimeError
            Another thread trains or changes this network.

        Examples
        --------
        >>> import fastmlp as fm
        >>> fm.Network([2, 1], seed=0).astype("float64").params.dtype
        dtype('float64')
        """
        twin = type(self).__new__(type(self))
        with self._access.reading:
            dtype = check_dtype(dtype)
            check_scaling(self.input, dtype)
            scale = self._target_scale
            if isinstance(scale, TargetScale):
                scale = make_target_scale(*scale, dtype)
            params = allocate(self.n_params, dtype)
            params[:] = self._params
            twin.__setstate__(self.__getstate__() | {"_params": params, "_statistics": self._statistics.copy()})
            state = self.optimizer_state
            state = None if state is None else state.astype(dtype)
            twin._change(dtype=dtype, _target_scale=scale, _optimizer_state=state)
            twin._seeds = deepcopy(self._seeds)
            twin.rng = np.random.default_rng()
            twin.rng.bit_generator.state = self.rng.bit_generator.state
        return twin

    def copy(self: M) -> M:
        """Return an independent network with the same parameters, statistics, optimizer state and generator state.

        Returns
        -------
        Network

        Raises
        ------
        RuntimeError
            Another thread trains or changes this network.

        Examples
        --------
        >>> import fastmlp as fm
        >>> net = fm.Network([2, 1], seed=0)
        >>> twin = net.copy()
        >>> loss = net.train_on_batch([[0.0, 1.0]], [1.0])
        >>> bool((net.params == twin.params).all())
        False
        """
        return self.astype(self.dtype)

    def __copy__(self: M) -> M:
        """As `copy`: two networks that share their parameters would not share a guard."""
        return self.copy()
