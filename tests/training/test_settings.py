"""What a fit can't take is refused by its name, before anything changes."""

import numpy as np
import pytest
from labels import short
from step_cases import X, Y, network

import fastmlp as fm

BOUNDS = [
    (bad, error, words.format(name))
    for name in ("clip_norm", "clip_value")
    for bad, error, words in (
        ({name: 0.0}, ValueError, "{0} must be a finite number with 0.0 < {0}, got 0.0"),
        ({name: -1}, ValueError, "{0} must be a finite number with 0.0 < {0}, got -1"),
        ({name: np.inf}, ValueError, "{0} must be a finite number with 0.0 < {0}, got inf"),
        ({name: "1"}, TypeError, "{0} must be a number or a function of the step, got str"),
        ({name: lambda step: 1.0 - step}, ValueError, "{0} at step 3 must be a finite number with 0.0 <"),
        ({name: lambda step: None}, TypeError, "{0} at step 0 must be a number, got NoneType"),
        ({name: 1.0, "optimizer": "lbfgs"}, ValueError, "{0} works only with an update rule, and LBFGS computes"),
    )
]
"""Of `clip_norm` and `clip_value`."""

BAD = [
    *BOUNDS,
    ({"clip_norm": fm.Cosine(1.0, 2)}, ValueError, "clip_norm at step 2 must be a finite number with 0.0 <"),
    ({"max_norm": 0.0}, ValueError, "max_norm must be a finite number with 0.0 < max_norm, got 0.0"),
    ({"max_norm": np.nan}, ValueError, "max_norm must be a finite number with 0.0 < max_norm, got nan"),
    ({"max_norm": [1.0]}, TypeError, "max_norm must be a number or a function of the step, got list"),
    ({"max_norm": lambda step: -1.0}, ValueError, "max_norm at step 0 must be a finite number with 0.0 < "),
    ({"max_norm": 1.0, "optimizer": "lbfgs"}, ValueError, "max_norm works only with an update rule, and LBFGS"),
    ({"accumulate": 0}, ValueError, "accumulate must be between 1 and"),
    ({"accumulate": 1.5}, TypeError, "accumulate must be a whole number, got 1.5"),
    ({"accumulate": True}, TypeError, "accumulate must be a whole number, got True"),
    ({"accumulate": None}, TypeError, "accumulate must be a whole number, got None"),
    ({"accumulate": 2, "optimizer": "lbfgs"}, ValueError, "accumulate works only with an update rule, and LBFGS"),
    ({"average": -0.1}, ValueError, "average must be a finite number with 0.0 <= average <= 1.0, got -0.1"),
    ({"average": 1.1}, ValueError, "average must be a finite number with 0.0 <= average <= 1.0, got 1.1"),
    ({"average": np.nan}, ValueError, "average must be a finite number with 0.0 <= average <= 1.0, got nan"),
    ({"average": True}, TypeError, "average must be a number, got bool"),
    ({"average": lambda step: 0.9}, TypeError, "average must be a number, got function"),
    ({"average": 0.9, "optimizer": "lbfgs"}, ValueError, "average works only with an update rule, and LBFGS"),
    ({"alpha": -1.0}, ValueError, "alpha must be a finite number with 0.0 <= alpha, got -1.0"),
    ({"alpha": np.nan}, ValueError, "alpha must be a finite number with 0.0 <= alpha, got nan"),
    ({"alpha": np.inf}, ValueError, "alpha must be a finite number with 0.0 <= alpha, got inf"),
    ({"alpha": "0.1"}, TypeError, "alpha must be a number or a function of the step, got str"),
    ({"alpha": None}, TypeError, "alpha must be a number or a function of the step, got NoneType"),
    ({"alpha": True}, TypeError, "alpha must be a number or a function of the step, got bool"),
    ({"alpha": lambda step: None}, TypeError, "alpha at step 0 must be a number, got NoneType"),
    ({"alpha": lambda step: np.inf}, ValueError, "alpha at step 0 must be a finite number, got inf"),
    ({"alpha": lambda step: 0.1, "optimizer": "lbfgs"}, TypeError, "alpha must be a number for LBFGS"),
    (
        {"alpha": lambda step: 0.1, "optimizer": "levenberg_marquardt"},
        TypeError,
        "alpha must be a number for LevenbergMarquardt",
    ),
]


@pytest.mark.parametrize(("given", "error", "words"), BAD, ids=short)
def test_bad_values_are_refused_before_anything_changes(given, error, words):
    net = network()
    before, state = net.params.copy(), net.rng.bit_generator.state
    with pytest.raises((ValueError, TypeError)) as caught:
        net.fit(X, Y, **({"epochs": 2} | given))
    assert caught.type is error, caught.value
    assert words in str(caught.value)
    np.testing.assert_array_equal(net.params, before)
    assert net.rng.bit_generator.state == state
