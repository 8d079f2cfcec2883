"""The structure of a network as plain JSON values, and back.

The description has everything except the arrays: layers, loss, output, dtype, initialisers and the state of the random
generator. It may come from an untrusted file: `build` checks all of it and raises ``ValueError`` or ``TypeError``.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from fastmlp.checks.values import check_size
from fastmlp.model.custom_loss import CustomLoss
from fastmlp.model.fields import expected_fields, fields_to_save
from fastmlp.model.initializers import INITIALIZERS, Initializer, Normal, Uniform
from fastmlp.model.layers import LAYERS, Input, Layer
from fastmlp.model.losses import Loss
from fastmlp.model.model import M, Model
from fastmlp.model.target_scale import STANDARD
from fastmlp.persistence.plain_values import SCHEDULES, from_plain, to_plain

MOST_LAYERS = 10_000
"""Limit on the layers of a file: those without parameters take so little space that it could have millions."""

_DISTRIBUTIONS: dict[str, type[Normal] | type[Uniform]] = {"Normal": Normal, "Uniform": Uniform}
_LATER = {"target_scale"}
"""Keys that only newer files have, and only if the network needs them."""
_KEYS = ("n_features", "layers", "output", "loss", "init", "dtype", "generator")


def describe(network: Model) -> dict[str, Any]:
    """Describe a network with dictionaries, lists, text and numbers.

    Raises ``ValueError`` for what a file cannot hold: a custom loss, a function instead of a number, a custom
    initialiser.

    Examples
    --------
    >>> import fastmlp as fm
    >>> describe(fm.Network([2, 3, 1], seed=0))["layers"][0]
    {'kind': 'Dense', 'units': 3, 'activation': 'relu', 'bias': True, 'init': None, 'slope': None}
    """
    if len(network.layers) > MOST_LAYERS:
        raise ValueError(f"a network to save must have at most {MOST_LAYERS} layers, got {len(network.layers)}")
    if isinstance(network.loss, CustomLoss):
        raise ValueError(
            "a CustomLoss is a function, which can't be saved; first give the network a built-in loss, "
            "such as net.loss = fm.Loss('squared_error'), and set the CustomLoss again after loading"
        )
    if is_function(network.loss.label_smoothing):
        raise ValueError(
            "label_smoothing is a function of the step, which can't be saved; "
            "first give the network a loss with a constant, such as net.loss = fm.Loss('cross_entropy')"
        )
    generator = network.rng.bit_generator.state
    if generator["bit_generator"] != "PCG64":
        raise ValueError(f"a generator of {generator['bit_generator']} can't be saved; only NumPy's PCG64 can")
    later = {"target_scale": STANDARD} if network.awaits_targets() else {}
    return later | {
        "n_features": network.n_features,
        "layers": [_describe_layer(layer) for layer in network.layers],
        "output": network.output,
        "loss": _plain(fields_to_save(network.loss)),
        "init": _describe_initializer(network.init),
        "dtype": network.dtype.name,
        "generator": generator,
    }


def build(
    description: Any, kind: type[M], shift: Any = 0.0, scale: Any = 1.0, target_scale: tuple[Any, Any] | None = None
) -> M:
    """Make a network of class ``kind`` from a description, with these scalings and new initial parameters.

    Raises ``ValueError`` or ``TypeError`` unless the description has the form that `describe` gives.
    """
    n_features, layers, output, loss, init = read_description(description)
    network = kind(
        [Input(n_features, shift, scale), *layers],
        output=output,
        loss=loss,
        init=init,
        dtype=description["dtype"],
        target_scale=description.get("target_scale") if target_scale is None else target_scale,
    )
    try:
        network.rng.bit_generator.state = description["generator"]
    except (KeyError, ValueError, TypeError, OverflowError, AttributeError) as error:
        raise ValueError(f"generator must be a state of PCG64 ({error!r:.100})") from None
    return network


def read_description(description: Any) -> tuple[int, tuple[Layer, ...], str, Loss, str | Initializer]:
    """Width of the input, layers, output, loss and initialiser; needs no more memory than the description."""
    later = _LATER & set(description) if isinstance(description, dict) else ()
    _check_keys("a network", description, (*_KEYS, *later))
    if not isinstance(description["layers"], list) or len(description["layers"]) > MOST_LAYERS:
        raise ValueError(f"layers must be a list of at most {MOST_LAYERS}")
    if description["dtype"] not in ("float32", "float64"):
        raise ValueError(f"dtype must be 'float32' or 'float64', got {description['dtype']!r:.50}")
    if not isinstance(description["output"], str):
        raise TypeError(f"output must be a name, got {type(description['output']).__name__}")
    loss, last = description["loss"], len(description["layers"]) - 1
    _check_keys("a loss", loss, expected_fields(Loss, loss))
    return (
        check_size("n_features", description["n_features"]),
        tuple(
            _build_layer(layer, description["output"] if i == last else "identity")
            for i, layer in enumerate(description["layers"])
        ),
        description["output"],
        Loss.from_saved(loss | _written(loss, "label_smoothing") | _written(loss, "q")),
        _build_initializer(description["init"]),
    )


def is_function(value: object) -> bool:
    """Whether a setting is the user's own function, which no file can hold; the package's schedules can be saved."""
    return callable(value) and not isinstance(value, tuple(SCHEDULES.values()))


def _plain_fields(specification: Any) -> dict[str, Any]:
    """The fields of a frozen dataclass as JSON values; initialisers become their names."""
    return _plain({field.name: getattr(specification, field.name) for field in dataclasses.fields(specification)})


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _describe_initializer(value) if name == "init" and value is not None else to_plain(value)
        for name, value in fields.items()
    }


def _describe_layer(layer: Layer) -> dict[str, Any]:
    if is_function(layer.dropout_rate):
        raise ValueError(
            "the rate of a Dropout is a function of the step, which can't be saved; "
            "copy the params to a network whose rates are numbers, and save that"
        )
    return {"kind": type(layer).__name__, **_plain(layer.to_dict())}


def _describe_initializer(init: Any) -> Any:
    if isinstance(init, str):
        return init
    name = next((name for name, known in INITIALIZERS.items() if known == init), None)
    if name is not None:
        return name
    if type(init).__name__ not in _DISTRIBUTIONS:
        raise ValueError(
            f"the initialiser {init!r} can't be saved; these can: {', '.join(INITIALIZERS)}, Normal, Uniform"
        )
    return {"kind": type(init).__name__, **_plain_fields(init)}


def _build_layer(description: Any, unnamed: str) -> Layer:
    kind = LAYERS[_kind("a layer", description, LAYERS)]
    _check_keys("a layer", description, ["kind", *expected_fields(kind, description)])
    fields = {name: value for name, value in description.items() if name != "kind"}
    if fields.get("init") is not None:
        fields["init"] = _build_initializer(fields["init"])
    return kind.from_saved(fields | _written(fields, "rate"), unnamed)


def _written(fields: dict[str, Any], name: str) -> dict[str, Any]:
    """The field of this name as what it describes, a schedule or several numbers, if it describes something."""
    given = fields.get(name)
    return {name: from_plain(given)} if isinstance(given, dict) else {}


def _build_initializer(description: Any) -> str | Initializer:
    if isinstance(description, str):
        if description not in INITIALIZERS:
            raise ValueError(f"init={description!r:.50} is unknown")
        return description
    kind = _DISTRIBUTIONS[_kind("an initialiser", description, _DISTRIBUTIONS)]
    _check_keys("an initialiser", description, ["kind", *(field.name for field in dataclasses.fields(kind))])
    return kind(**{name: value for name, value in description.items() if name != "kind"})


def _kind(what: str, description: Any, known: dict[str, Any]) -> str:
    kind = description.get("kind") if isinstance(description, dict) else None
    if not isinstance(kind, str) or kind not in known:
        raise ValueError(f"{what} must have one of the kinds {', '.join(known)}, got {kind!r:.50}")
    return kind


def _check_keys(what: str, description: Any, keys: Any) -> None:
    """Raise ``ValueError`` unless the description is a dictionary with exactly these keys."""
    if not isinstance(description, dict) or set(description) != set(keys):
        got = sorted(map(str, description)) if isinstance(description, dict) else type(description).__name__
        raise ValueError(f"the description of {what} must have {', '.join(keys)}, got {got!s:.200}")
