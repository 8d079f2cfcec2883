"""The state of an optimizer as JSON values and arrays, and back, so that a loaded network can continue training.

The momenta are "optimizer.vectors" (n_slots, n_params). A fit with ``average`` adds the parameters and running
statistics after the last step, "optimizer.path" and "optimizer.path_statistics"; the network itself has the averages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from fastmlp.model.model import Model
from fastmlp.model.state import AverageState, OptimizerState, Snapshot

_KEYS = {"rule", "n_steps", "n_slots", "n_averaged"}
_MOST_SLOTS = 16
_MOST_STEPS = 2**53


def describe_state(network: Model, state: OptimizerState) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Describe the state as JSON values, and its arrays by their names in a file.

    An average that is no longer in the network is left out, since training would not continue it.
    """
    average = state.average if state.average is not None and network.holds(state.average.average) else None
    arrays = {} if state.vectors is None else {"optimizer.vectors": state.vectors}
    if average is not None:
        arrays |= {"optimizer.path": average.path.params, "optimizer.path_statistics": average.path.statistics}
    description = {
        "rule": state.rule,
        "n_steps": int(state.n_steps),
        "n_slots": None if state.vectors is None else len(state.vectors),
        "n_averaged": None if average is None else int(average.n_steps),
    }
    if state.mask_seed is not None:
        description["mask_seed"] = state.mask_seed
    return description, arrays


def state_shapes(description: Any, n_params: int, n_statistics: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the state's arrays by name; ``ValueError`` unless the description is as `describe_state` gives it.

    Running statistics are float64, all other arrays have the network's dtype.
    """
    if not isinstance(description, dict) or set(description) - {"mask_seed"} != _KEYS:
        raise ValueError(f"the description of an optimizer must have {', '.join(sorted(_KEYS))}")
    if not isinstance(description["rule"], str):
        raise ValueError(f"rule must be the name of an optimizer, got {description['rule']!r:.50}")
    for name, most in (("n_steps", _MOST_STEPS), ("n_slots", _MOST_SLOTS), ("n_averaged", _MOST_STEPS)):
        value = description[name]
        if (value is None and name != "n_steps") or (type(value) is int and 0 <= value <= most):
            continue
        raise ValueError(f"{name} of an optimizer must be a whole number from 0 to {most}, got {value!r:.50}")
    seed = description.get("mask_seed", 0)
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise ValueError(f"mask_seed of an optimizer must be a whole number from 0 to 2**63 - 1, got {seed!r:.50}")
    shapes: dict[str, tuple[int, ...]] = {}
    if description["n_slots"] is not None:
        shapes["optimizer.vectors"] = (description["n_slots"], n_params)
    if description["n_averaged"] is not None:
        shapes |= {"optimizer.path": (n_params,), "optimizer.path_statistics": (n_statistics,)}
    return shapes


def build_state(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], network: Model) -> OptimizerState:
    """Make the state from its description and the file's arrays. The network must already have its own arrays."""
    average = None
    if description["n_averaged"] is not None:
        path = Snapshot(arrays["optimizer.path"], arrays["optimizer.path_statistics"])
        average = AverageState(path, network.snapshot(), description["n_averaged"])
    vectors, seed = arrays.get("optimizer.vectors"), description.get("mask_seed")
    return OptimizerState(description["rule"], vectors, description["n_steps"], average, seed)
