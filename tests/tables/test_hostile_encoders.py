"""Damaged and hostile JSON of an encoder: one clear error, or an encoder that works."""

import copy
import math

import numpy as np
import pandas as pd
import pytest

from fastmlp.tables.encoder import TableEncoder

N = 60
TABLE = pd.DataFrame(
    {
        "size": [None, *np.linspace(0.5, 9, N - 1)],
        "price": [f"{x},5" for x in range(N)],
        "colour": ["red", "blue", None, "green", "red", "red"] * (N // 6),
        "rare": ["a", "b"] * (N // 2 - 2) + ["c", "d", "e", "f"],
        "day": [f"{1 + i % 28}.{1 + i % 12}.2024" for i in range(N)],
        "key": np.arange(N),
        "grade": [1, 2, 3] * (N // 3),
    }
)
COMMON = pd.concat([TABLE] * 15, ignore_index=True)  # enough rows for codes
ESCAPES = "a\x1b[31m\x07\n\u202e"
WRONG = [ESCAPES, None, True, -1, 0, 7, 2**60, 10**400, 0.5, -1e308, 1e-320, math.nan, math.inf, "", "\ud800",
         "\0", [], {}, ["x"] * 2000, [[]], [None], {"a": 1}]  # fmt: skip


def changes(tree):
    """Copies of a JSON value, each with something wrong in one place: a value, a name, one more or one less."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(items):
        for wrong in WRONG if not isinstance(value, list) or len(value) < 20 else ():
            changed = copy.copy(tree)
            changed[key] = wrong
            yield changed
        if isinstance(tree, dict):
            yield {name: each for name, each in tree.items() if name != key}
            yield {(ESCAPES if name == key else name): each for name, each in tree.items()}
        else:
            yield [*tree, value]
            yield tree[:key] + tree[key + 1 :]
        for inner in changes(value):
            changed = copy.copy(tree)
            changed[key] = inner
            yield changed


@pytest.mark.parametrize("categories", ["one_hot", "codes"])
def test_every_change_is_an_error_or_an_encoder_that_works(categories):
    encoder = TableEncoder(categories=categories, null=["none"]).fit(COMMON)
    saved = encoder.to_dict()
    refused = worked = 0
    for changed in changes(saved):
        try:
            again = TableEncoder.from_dict(changed)
        except (ValueError, TypeError) as error:
            assert str(error).isprintable() and len(str(error)) < 1000, repr(str(error))
            refused += 1
            continue
        worked += 1
        assert all(line.isprintable() for line in str(again.explain()).split("\n"))
        assert again.to_dict() == changed
        if worked % 7 == 0 and set(again.kinds_) == set(TABLE):
            assert np.isfinite(again.transform(TABLE[:5])).all()
    assert refused > worked > 100


@pytest.mark.parametrize("saved", [None, [], "", 3, {}, {"columns": []}])
def test_something_else_altogether(saved):
    with pytest.raises(ValueError, match="description of an encoder"):
        TableEncoder.from_dict(saved)
