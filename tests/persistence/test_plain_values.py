"""persistence.plain_values: what is written down comes back equal and of the same type, and nothing else is made."""

import json
import math

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.optimizers import OPTIMIZERS
from fastmlp.persistence.plain_values import DESCRIPTIONS, SCHEDULES, from_plain, to_plain

VALUES = [
    None, True, 0, -3, 1.5, 0.1 + 0.2, "ä\n", [], [1, [2]], (), (3, "a", (4,)), {}, {0: 1.5, "a": [None], (1, 2): True},
    math.inf, -math.inf, fm.Loss("quantile", q=0.9), fm.Normal(0.3), fm.Uniform(-1.0, 2.0), fm.LBFGS(), fm.Rprop(),
    fm.Adam(fm.Warmup(5, fm.Cosine(0.1, n_steps=9)), weight_decay=fm.Exponential(0.1)), fm.LevenbergMarquardt(),
    (fm.StepDecay(0.1), fm.OneCycle(0.2, 10), fm.Constant(0.3), fm.CosineRestarts(0.1, 4), fm.CosLog4(0.1, 50)),
]  # fmt: skip


def there_and_back(value):
    return from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_come_back_as_they_were(value):
    back = there_and_back(value)
    assert back == value and type(back) is type(value)


def test_a_loss_that_an_older_version_wrote_comes_back_without_settings_of_others():
    written = {"kind": "Loss", "name": "mse", "delta": 2.0, "q": 0.9, "label_smoothing": 0.1, "missing": True}
    assert from_plain(written) == fm.Loss("mse", missing=True)
    assert from_plain(written | {"name": "huber"}) == fm.Loss("huber", delta=2.0, missing=True)
    with pytest.raises(ValueError, match="delta must be"):
        from_plain(written | {"delta": -2.0})


def test_nan_comes_back():
    assert math.isnan(there_and_back(math.nan))


def test_every_schedule_and_optimizer_has_its_place():
    assert set(SCHEDULES) == {
        "StepDecay", "Exponential", "Cosine", "OneCycle", "Constant", "CosineRestarts", "Warmup", "CosLog4",
        "InverseScaling",
    }  # fmt: skip
    assert set(OPTIMIZERS.values()) <= set(DESCRIPTIONS.values())


def test_numbers_of_numpy_become_those_of_python():
    assert there_and_back(np.float32(0.5)) == 0.5 and type(there_and_back(np.int64(3))) is int
    assert there_and_back(np.array([3, 4])) == [3, 4]
    assert [there_and_back(dtype) for dtype in (np.float32, np.dtype("f8"), "float32")] == [
        "float32", "float64", "float32",
    ]  # fmt: skip


class OwnLoss(fm.Loss):
    pass


@pytest.mark.parametrize(
    "value", [len, lambda step: 0.1, object(), {1, 2}, 1j, b"x", np.random.RandomState(0), OwnLoss("mse"), [print]]
)
def test_code_and_objects_of_others_are_refused(value):
    with pytest.raises(
        ValueError, match="can't be saved; numbers, text, and fastmlp's losses, schedules and optimizers"
    ):
        to_plain(value)


@pytest.mark.parametrize(
    "plain",
    [
        {"kind": "eval", "items": []}, {"kind": []}, {}, {"kind": "float", "value": "1e5"}, {"kind": "tuple"},
        {"kind": "dict", "items": 3}, {"kind": "dict", "items": [[[], 1]]}, {"kind": "dict", "items": [[1]]},
        {"kind": "Loss", "name": "mse", "code": 1}, {"kind": "Loss"}, {"kind": "Loss", "name": 3},
        {"kind": "Warmup", "steps": -1, "then": 0.1}, {"kind": "Adam", "learning_rate": "fast"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_never_written_is_refused(plain):
    with pytest.raises((ValueError, TypeError)):
        from_plain(plain)
