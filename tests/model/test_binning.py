"""Edges of bins at quantiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.model.binning import quantile_edges


def test_bins_of_a_continuous_column_hold_equal_shares():
    numbers = np.random.default_rng(0).gamma(1.0, size=3200)
    edges = quantile_edges(numbers, 32)
    counts = np.histogram(numbers, edges)[0]
    assert len(edges) == 33 and edges[0] == numbers.min() and edges[-1] == numbers.max()
    assert counts.min() >= 99 and counts.max() <= 101


def test_few_values_each_have_an_edge():
    assert quantile_edges(np.array([3.0, 1.0, 3.0, 2.0, 1.0]), 4).tolist() == [1.0, 2.0, 3.0]
    assert quantile_edges(np.full(9, 5.0), 4).tolist() == [5.0]


def test_a_frequent_value_has_one_edge_and_the_bins_are_on_the_rest():
    rest = np.arange(1.0, 802.0)
    numbers = np.concatenate([np.zeros(9000), rest, np.full(500, 77.0)])
    edges = quantile_edges(numbers, 10)
    assert {0.0, 77.0} <= set(edges)
    others = edges[(edges != 0) & (edges != 77)]
    np.testing.assert_array_equal(others, [1, 101, 201, 301, 401, 501, 601, 701, 801])


@given(
    st.lists(st.one_of(st.integers(-3, 3).map(float), st.floats(-1e30, 1e30)), min_size=1, max_size=60),
    st.integers(2, 12),
)
def test_edges_are_values_increase_and_reach_both_ends(numbers, n_bins):
    edges = quantile_edges(np.array(numbers), n_bins)
    n_values = len(set(numbers))
    assert len(edges) == min(n_values, n_bins + 1)
    assert set(edges) <= set(numbers)
    assert (np.diff(edges) > 0).all()
    assert edges[0] == min(numbers) and edges[-1] == max(numbers)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_edges_keep_the_type_of_the_column(dtype):
    assert quantile_edges(np.arange(200).astype(dtype), 4).dtype == dtype
