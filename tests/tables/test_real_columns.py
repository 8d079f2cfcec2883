"""Kinds of the columns of public tables, as a person who looks at them would tell."""

import os
from pathlib import Path

import numpy as np
import pytest

from fastmlp.tables.encoder import TableEncoder
from fastmlp.tables.reading import read_table

TABLES = Path(os.environ.get("FASTMLP_DATA", "nowhere")) / "tables"
LETTERS = {"number": "n", "category": "c", "date": "d", "whole-number code": "w", "set aside": "-"}
KINDS = {
    "AirQualityUCI.csv": ("ddnnnnnnnnnnnnn", {}),
    "ENB2012_data.xlsx": ("nnnnnnnnnn", {}),
    "Soybean.csv": ("cnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", {}),
    "Zoo.csv": ("ccccccccccccncccc", {}),
    "airfoil_self_noise.dat": ("nnnnnn", {}),
    "auto-mpg.data": ("nnnnnnnn-", {"car_name": "text of many values"}),
    "auto-mpg_orig.data": ("nnnnnnnn-", {"car_name": "text of many values"}),
    "bike_test.csv": ("ndwnnnnwnnnnnn", {}),
    "bike_train.csv": ("-dwnwwnwnnnnnnn", {"instant": "row number"}),
    "breast_cancer.csv": ("-c" + 30 * "n", {"id": "identifier"}),
    "framingham.csv": ("nnnnnnnnnnnnnnnn", {}),
    "house_test.csv": (
        "-ncnnccccccccccccnnnncccccncccccccncnnnccccnnnnnnnnnncncnccncnncccnnnnnncccnnncc", {"Id": "identifier"},
    ),
    "house_train.csv": (
        "-ncnnccccccccccccnnnncccccncccccccncnnnccccnnnnnnnnnncncnccncnncccnnnnnncccnnnccn", {"Id": "row number"},
    ),
    "insurance.csv": ("ncnnccn", {}),
    "j_abalone.csv": ("cnnnnnnnn", {}),
    "j_glass.data": ("-nnnnnnnnnn", {"column_0": "row number"}),
    "j_horse-colic.csv": (28 * "n", {}),
    "j_housing.data": (14 * "n", {}),
    "mushrooms.csv": ("cccccccccccccccc-cccccc", {"veil_type": "constant"}),
    "orange_heart_disease.tab": ("nccnnccncncncc", {}),
    "s_GermanCredit.csv": ("cnccnccnccncnccncnccn", {}),
    "s_Life_Expectancy_Data.csv": ("cncnnnnnnnnnnnnnnnnnnn", {}),
    "sb_penguins.csv": ("ccnnnnc", {}),
    "sb_taxis.csv": ("ddnnnnnncccccc", {}),
    "sb_tips.csv": ("nnccccn", {}),
    "seeds_dataset.txt": ("nnnnnnnn", {}),
    "student-mat.csv": ("ccncccnnccccnnnccccccccnnnnnnnnnn", {}),
    "telco.csv": ("-cnccnccccccccccccnnc", {"customerID": "identifier"}),
    "titanic.csv": (
        "-nn-cnnn-ncc", {"PassengerId": "row number", "Name": "identifier", "Ticket": "text of many values"},
    ),
    "titanic_test.csv": (
        "-n-cnnn-ncc", {"PassengerId": "identifier", "Name": "identifier", "Ticket": "text of many values"},
    ),
    "vega_cars.json": ("-nnnnnndc", {"Name": "text of many values"}),
    "vega_seattle-weather.csv": ("dnnnnc", {}),
}  # fmt: skip


@pytest.mark.skipif(not TABLES.exists(), reason="FASTMLP_DATA does not name a folder of data sets")
@pytest.mark.parametrize("name", KINDS)
def test_kinds(name):
    table = read_table(TABLES / name)
    encoder = TableEncoder(dtype="float64").fit(table)
    assert ("".join(LETTERS[kind] for _, kind, *_ in encoder.explain()), encoder.set_aside_) == KINDS[name]
    X, notes = encoder.encode(table)
    assert X.shape == (len(table), len(encoder.get_feature_names_out()))
    assert len(set(encoder.get_feature_names_out())) == X.shape[1]
    assert np.isfinite(X).all() and (X.std(axis=0) > 0).all()
    assert not notes.unseen
    again = TableEncoder.from_dict(encoder.to_dict())
    np.testing.assert_array_equal(again.transform(table), X)


@pytest.mark.skipif(not TABLES.exists(), reason="FASTMLP_DATA does not name a folder of data sets")
def test_all_files_are_here():
    assert {path.name for path in TABLES.iterdir()} == set(KINDS)
