"""Shared by the numeric tests: cases from the package's own tables, and the twin of any network.

The cases come from ``ACTIVATIONS`` and ``LOSSES``, so a new row in either is tested automatically.
"""

import numpy as np
import reference as ref

import fastmlp as fm
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.loss_kinds import LOSSES

HIDDEN = [name for name, spec in ACTIVATIONS.items() if not spec.output_only]
SINGLE = {loss: spec for loss, spec in LOSSES.items() if fm.Loss(loss).outputs_per_target == 1}
"""The losses with one output for each target; the others are tested in model/test_distributions.py."""
LEGAL_PAIRS = [(loss, out) for loss, spec in SINGLE.items() for out in spec.outputs or ACTIVATIONS]
SETTINGS = {"huber": {"delta": 0.4}, "quantile": {"q": 0.2}}
VARIANTS = {
    "plain": (),
    "dropout": (fm.Dropout(0.5),),
    "batch_norm": (fm.BatchNorm(epsilon=1e-2),),
    "layer_norm": (fm.LayerNorm(epsilon=1e-2),),
    "parametric": (fm.Activation("silu", parametric=True),),
    "scaling": (fm.Scaling(1.0),),
}
KINDS = {
    fm.Dense: "dense",
    fm.Activation: "activation",
    fm.Dropout: "dropout",
    fm.BatchNorm: "batch_norm",
    fm.LayerNorm: "layer_norm",
    fm.Scaling: "scaling",
    fm.PiecewiseLinear: "piecewise_linear",
}


def make_loss(name, **settings):
    """The loss; if it has settings, they differ from the defaults."""
    return fm.Loss(name, **SETTINGS.get(name, {}), **settings)


def make_samples(loss, rng, n, n_in, n_out):
    """X (n, n_in), valid targets for the loss (n, n_out), sample weights (n,)."""
    X, weight = rng.normal(size=(n, n_in)), rng.uniform(0.5, 2.0, size=n)
    if loss == "cross_entropy":
        return X, rng.dirichlet(np.ones(n_out), size=n), weight
    if loss == "binary_cross_entropy":
        return X, rng.uniform(size=(n, n_out)), weight
    if loss == "poisson":
        return X, rng.integers(0, 4, size=(n, n_out)).astype(float), weight
    return X, rng.normal(size=(n, n_out)), weight


def shake(net, rng):
    """Set every parameter to a random number, biases not to 0, gains and scales not to 1; return the network.

    This keeps a test away from kinks even if the package's initial weights change.
    """
    for name, array in net.named_arrays().items():
        if name.endswith("weight"):
            array[:] = rng.normal(size=array.shape) / np.sqrt(len(array))
        elif name.endswith(("bias", "shift", "gain", "blend", "scale")):
            array[:] = name.endswith(("gain", "blend", "scale")) + 0.3 * rng.normal(size=array.shape)
    return net


def _twin_layers(net, i, layer, arrays):
    """The twin's layers for this layer; a parametric activation becomes a layer of its own."""
    own = _twin_layer(net, i, layer, arrays)
    if not getattr(layer, "parametric", False):
        return [own]
    learned = "parametric", arrays[f"{i}.blend"], own[-1]
    return [learned] if own[0] == "activation" else [(*own[:-1], "identity"), learned]


def _twin_layer(net, i, layer, arrays):
    kind = KINDS[type(layer)]
    if kind == "dropout":
        return kind, layer.rate, None
    if kind == "scaling":
        return kind, arrays[f"{i}.scale"]
    if kind == "piecewise_linear":
        return kind, layer.edges, layer.plain, layer.weight
    if kind in ("batch_norm", "layer_norm"):
        return kind, arrays[f"{i}.gain"], arrays[f"{i}.shift"], layer.epsilon
    name = layer.activation or (net.output if i == len(net.layers) - 1 else "identity")
    name = name if layer.slope is None else (name, layer.slope)
    return (kind, name) if kind == "activation" else (kind, arrays[f"{i}.weight"], arrays.get(f"{i}.bias"), name)


def twin_of(net):
    """The reference network with the same layers, parameters and loss."""
    arrays = net.named_arrays()
    layers = [part for i, layer in enumerate(net.layers) for part in _twin_layers(net, i, layer, arrays)]
    used = {"huber": ["delta"], "quantile": ["q"]}
    options = {name: getattr(net.loss, name) for name in used.get(net.loss.name, ())}
    if "cross_entropy" in net.loss.name and net.loss.label_smoothing:
        options["label_smoothing"] = net.loss.label_smoothing
    momenta = [layer.momentum for layer in net.layers if isinstance(layer, fm.BatchNorm)]
    running = 1 - momenta[0] if momenta else 0.1
    twin = ref.Net(layers, net.loss.name, shift=net.input.shift, scale=net.input.scale, running=running, **options)
    norms = [layer for layer in net.layers if isinstance(layer, fm.BatchNorm)]
    for layer, norm in zip((layer for layer in twin.layers if layer["kind"] == "batch_norm"), norms, strict=True):
        layer["frozen"] = not norm.trainable
    return twin


def relative_error(got, expected):
    """Largest difference, relative to the largest element."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    assert got.shape == expected.shape
    return np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-300)
