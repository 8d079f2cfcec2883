"""Columns that are set aside, and those that look like them."""

import numpy as np
import pandas as pd
import pytest

from fastmlp.tables.encoder import TableEncoder

N = 60
SHUFFLED = np.random.default_rng(0).permutation(N)
CASES = {
    "row number": [SHUFFLED, SHUFFLED + 1, np.arange(N) + 1.0, np.sort(np.random.default_rng(1).permutation(100)[:N])],
    "identifier": [[f"k{i}" for i in range(N)], [f"name {i // 2 * 2 if i < 4 else i}" for i in range(N)]],
    "constant": [np.ones(N), ["x"] * N, pd.Timestamp("2024-01-01"), [True] * N],
    "empty": [np.full(N, np.nan), [None] * N, pd.Series([pd.NaT] * N)],
    "text of many values": [[f"ticket {i * 2 // 3}" for i in range(N)]],
    None: [
        SHUFFLED + 1960, np.arange(N) / 2, SHUFFLED * 7, [None, *range(N - 1)], [1.0] * (N - 1) + [None],
        [f"k{i % 20}" for i in range(N)], [f"cabin {i}" if i % 2 else None for i in range(N)], [True, False] * (N // 2),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("reason", "values"), [(reason, each) for reason in CASES for each in CASES[reason]])
def test_the_reason(reason, values):
    table = pd.DataFrame({"v": values, "x": np.linspace(0, 1, N)})
    encoder = TableEncoder().fit(table)
    assert encoder.set_aside_ == ({"v": reason} if reason else {})
    assert (encoder.transform(table).shape[1] == 1) == (reason is not None)


@pytest.mark.parametrize("name", ["id", "ID", "customerID", "user_id", "Patient No", "key", "orderId"])
def test_different_whole_numbers_with_the_name_of_an_identifier(name):
    table = pd.DataFrame({name: SHUFFLED * 7 + 1000, "x": np.linspace(0, 1, N)})
    assert TableEncoder().fit(table).set_aside_ == {name: "identifier"}


@pytest.mark.parametrize("name", ["paid", "humidity", "turkey", "piano", "arid", "corner"])
def test_names_that_only_end_like_one(name):
    table = pd.DataFrame({name: SHUFFLED * 7 + 1000, "x": np.linspace(0, 1, N)})
    assert TableEncoder().fit(table).set_aside_ == {}


def test_a_few_rows_may_all_be_different():
    table = pd.DataFrame({"n": [1, 2, 3, 4, 5], "c": list("abcde")})
    assert TableEncoder().fit(table).set_aside_ == {}
