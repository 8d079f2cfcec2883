"""Numbers in a file: only of the right kind, and in their range."""

import numpy as np
import pytest

from fastmlp.checks.saved import saved_number, saved_whole


@pytest.mark.parametrize("value", [-1, 9, 2**63, 1.0, True, None, "1", [], np.int64(3), "\x1b[31m", float("nan")])
def test_only_whole_numbers_in_their_range_are_taken(value):
    with pytest.raises(ValueError, match=r"^n is .*, expected a whole number from 0 to 8$") as error:
        saved_whole({"n": value}, "n", 0, 8)
    assert str(error.value).isprintable()
    assert saved_whole({"n": 8}, "n", 0, 8) == 8


NOT_FINITE = [float("nan"), float("inf")]


@pytest.mark.parametrize("value", [-0.5, 10**400, True, None, "1", [], np.full((2, 2), 1.0), *NOT_FINITE])
def test_only_finite_numbers_are_taken_unless_others_are_allowed(value):
    with pytest.raises(ValueError, match=r"^x is .*, expected a") as error:
        saved_number({"x": value}, "x", 0.0)
    assert str(error.value).isprintable()
    assert saved_number({"x": float("inf")}, "x", finite=False) == float("inf")
    assert np.isnan(saved_number({"x": float("nan")}, "x", finite=False))
    assert saved_number({"x": 3}, "x") == 3.0


def test_what_is_missing_is_named():
    for state in ({}, None, [], 3):
        with pytest.raises(ValueError, match="^'x' is missing$"):
            saved_number(state, "x")
