"""The default network for tables: what depends on the number of rows."""

import pytest

from fastmlp.tables.recipe import recipe_for


@pytest.mark.parametrize("is_class", [True, False])
@pytest.mark.parametrize("n_rows", [1, 31, 32, 33, 100, 1199, 1200, 1201, 5000])
def test_small_tables_have_enough_updates_and_forty_epochs(n_rows, is_class):
    recipe = recipe_for(n_rows, is_class)
    updates = recipe.epochs * -(-n_rows // recipe.batch_size)
    assert updates >= 1500 and recipe.epochs >= 40
    assert recipe.epochs == 40 or updates - updates // recipe.epochs < 1500, "one epoch fewer is not enough"


def test_large_tables_have_fewer_passes():
    epochs = [recipe_for(n, False).epochs for n in (50_000, 50_001, 100_000, 200_000, 400_000, 10**9)]
    assert epochs == [40, 39, 20, 10, 5, 5]


def test_only_classes_have_dropout():
    assert recipe_for(1000, True).dropout > 0 == recipe_for(1000, False).dropout


def test_weight_decay_falls_with_the_rows_where_numbers_are_predicted():
    assert [recipe_for(n, False).weight_decay for n in (100, 300, 600, 3000, 100_000)] == [1, 1, 0.5, 0.1, 0.1]
    assert {recipe_for(n, True).weight_decay for n in (100, 600, 100_000)} == {0.3}
