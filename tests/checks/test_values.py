"""fastmlp.checks.values: numbers and schedules, checked when they are given and where they are asked."""

import math

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.checks.values import check_value, check_values, values_at

STEPS = np.array([3, 4, 5])


def test_a_number_a_schedule_and_a_function_give_values():
    assert values_at(2, STEPS) == 2.0 and type(values_at(2, STEPS)) is float
    assert values_at(fm.Constant(0.5), STEPS).tolist() == [0.5] * 3
    assert values_at(lambda step: 2 * step, STEPS).tolist() == [6.0, 8.0, 10.0]


@pytest.mark.parametrize(("answer", "error", "got"), [
    ("half", TypeError, "must be a number, got str"), (math.nan, ValueError, "must be a finite number, got nan"),
    (fm.Constant(1.0), TypeError, "must be a number, got Constant"), (True, TypeError, "must be a number, got bool"),
])  # fmt: skip
def test_a_function_must_answer_with_numbers(answer, error, got):
    with pytest.raises(error, match=f"rate at step 4 {got}"):
        values_at(lambda step: answer if step == 4 else 1.0, STEPS, "rate")


@pytest.mark.parametrize(("values", "step", "got"), [
    ([1.0, -0.5, 2.0], 4, -0.5), ([0.0, 1.0, 9.0], 5, 9.0), ([0.0, math.nan, 1.0], 4, math.nan),
    ([-math.inf, 0.0, 0.0], 3, -math.inf),
])  # fmt: skip
def test_the_value_outside_of_its_range_is_named_with_its_step(values, step, got):
    with pytest.raises(ValueError, match=f"rate at step {step} must be a finite number with .*, got {got}"):
        check_values("rate", np.array(values), STEPS, low=0.0, high=3.0)
    check_values("rate", np.array([0.0, 3.0, 1.0]), STEPS, low=0.0, high=3.0)


def test_ends_of_a_range_belong_to_it_unless_it_is_open_there():
    for end in (0.0, 1.0):
        check_value("x", end, low=0.0, high=1.0)
        with pytest.raises(ValueError, match=f"x must be a finite number with 0.0 < x < 1.0, got {end}"):
            check_value("x", end, low=0.0, high=1.0, low_open=True, high_open=True)
    with pytest.raises(ValueError, match="x must be a finite number with x <= 1.0, got 2"):
        check_value("x", 2, high=1.0)
    with pytest.raises(ValueError, match="x must be a finite number, got 1000000"):
        check_value("x", 10**400)


def test_limits_have_names():
    with pytest.raises(TypeError, match="positional"):
        check_value("x", 0.5, 0.0)


def test_a_schedule_may_be_refused():
    check_value("x", fm.Constant(0.5))
    with pytest.raises(TypeError, match="x must be a number, got Constant"):
        check_value("x", fm.Constant(0.5), schedule=False)
    with pytest.raises(TypeError, match="x must be a number or a function of the step, got str"):
        check_value("x", "fast")
