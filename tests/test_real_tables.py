"""Public tables as found: the first command their owner would type trains, and new rows with gaps are predicted.

The tables are in the folder named by the environment variable FASTMLP_DATA.
"""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from command_line import invoked, run

from fastmlp.cli.models import load_model
from fastmlp.tables.reading import read_table

FOLDER = Path(os.environ.get("FASTMLP_DATA", "no data")) / "tables"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="FASTMLP_DATA holds no tables")


class Expected(NamedTuple):
    """What a person who knows the table expects of it."""

    target: str
    goal: str
    rows: int
    numbers: int
    categories: int
    dates: int
    aside: tuple[str, ...] = ()
    without_target: int = 0


TABLES = {
    "AirQualityUCI.csv": Expected("CO_GT", "numbers", 9357, 12, 0, 2),
    "ENB2012_data.xlsx": Expected("Y1", "numbers", 768, 9, 0, 0),
    "Soybean.csv": Expected("Class", "19 classes", 683, 35, 0, 0),
    "Zoo.csv": Expected("type", "7 classes", 101, 1, 15, 0),
    "airfoil_self_noise.dat": Expected("TARGET", "numbers", 1503, 5, 0, 0),
    "auto-mpg.data": Expected("mpg", "numbers", 398, 7, 0, 0, ("car_name",)),
    "auto-mpg_orig.data": Expected("mpg", "numbers", 398, 7, 0, 0, ("car_name",)),
    "bike_train.csv": Expected("cnt", "numbers", 13903, 12, 0, 1, ("instant",)),
    "breast_cancer.csv": Expected("diagnosis", "2 classes", 569, 30, 0, 0, ("id",)),
    "framingham.csv": Expected("TenYearCHD", "2 classes", 4240, 15, 0, 0),
    "house_train.csv": Expected("SalePrice", "numbers", 1460, 36, 43, 0, ("Id",)),
    "insurance.csv": Expected("charges", "numbers", 1338, 3, 3, 0),
    "j_abalone.csv": Expected("-1", "numbers", 4177, 7, 1, 0),
    "j_glass.data": Expected("-1", "6 classes", 214, 9, 0, 0, ("column_0",)),
    "j_horse-colic.csv": Expected("-1", "2 classes", 300, 26, 0, 0, ("column_26",)),
    "j_housing.data": Expected("-1", "numbers", 506, 13, 0, 0),
    "mushrooms.csv": Expected("type", "2 classes", 8124, 0, 21, 0, ("veil_type",)),
    "orange_heart_disease.tab": Expected("diameter narrowing", "2 classes", 303, 6, 7, 0),
    "s_GermanCredit.csv": Expected("credit_risk", "2 classes", 1000, 7, 13, 0),
    "s_Life_Expectancy_Data.csv": Expected("Life expectancy ", "numbers", 1649, 19, 2, 0),
    "sb_penguins.csv": Expected("species", "3 classes", 344, 4, 2, 0),
    "sb_taxis.csv": Expected("fare", "numbers", 6433, 5, 6, 2),
    "sb_tips.csv": Expected("tip", "numbers", 244, 2, 4, 0),
    "seeds_dataset.txt": Expected("-1", "3 classes", 210, 7, 0, 0),
    "student-mat.csv": Expected("G3", "numbers", 395, 15, 17, 0),
    "telco.csv": Expected("Churn", "2 classes", 7043, 4, 15, 0, ("customerID",)),
    "titanic.csv": Expected("Survived", "2 classes", 891, 5, 3, 0, ("PassengerId", "Name", "Ticket")),
    "vega_cars.json": Expected("Miles_per_Gallon", "numbers", 406, 5, 1, 1, ("Name",), 8),
    "vega_seattle-weather.csv": Expected("weather", "5 classes", 1461, 4, 0, 1),
}
COMPANIONS = {
    "bike_train.csv": ("bike_test.csv", ""),
    "house_train.csv": ("house_test.csv", r"missing values .* and 1 unknown category \(Functional 1\)"),
    "titanic.csv": ("titanic_test.csv", r"414 missing values \(Cabin 327, Age 86, Fare 1\)"),
}
"""Tables to predict, and what is said of them; the others give twenty rows of their own, changed."""


def test_every_table_is_tried():
    assert {path.name for path in FOLDER.iterdir()} == {*TABLES, *(name for name, _ in COMPANIONS.values())}


@pytest.fixture(scope="module", params=TABLES)
def trained(request, tmp_path_factory):
    """The path of a table, what is expected of it, the model, and what the training printed."""
    path, expected = FOLDER / request.param, TABLES[request.param]
    model = tmp_path_factory.mktemp("models") / "model.safetensors"
    output = run("train", path, "--target", expected.target, "--epochs", "1", "--save", model)
    return path, expected, model, output


def counted(output, pattern):
    """The sum of the numbers that the pattern finds."""
    return sum(int(number.replace(" ", "")) for number in re.findall(pattern, output))


def test_the_first_command_trains(trained):
    path, expected, _, output = trained
    data = re.search(rf"^Data +{re.escape(path.name)}: (.*) -> '(.*)' \((.*)\)$", output, re.M)
    assert counted(data[1], r"[\d ]+\d") == expected.rows - expected.without_target
    assert expected.target.strip() in ("-1", data[2])
    assert data[3] == expected.goal
    assert counted(output, r"(?m)^Rows +([\d ]+) rows without") == expected.without_target
    columns, _, aside = re.search(r"^Columns +(.*)$", output, re.M)[1].partition("; set aside: ")
    kinds = columns.partition(" -> ")[0]
    assert counted(kinds, r"(\d+) (?:number|whole-number code)s?\b") == expected.numbers
    assert counted(kinds, r"(\d+) categor") == expected.categories
    assert counted(kinds, r"(\d+) date") == expected.dates
    assert tuple(re.findall(r"(\S+) \(", aside)) == expected.aside
    assert f"Test {'accuracy' if 'classes' in expected.goal else 'error'}" in output


def test_new_rows_with_gaps_are_predicted(trained, tmp_path):
    path, expected, model, _ = trained
    saved = load_model(model)
    if path.name in COMPANIONS:
        name, warning = COMPANIONS[path.name]
        new, rows = FOLDER / name, len(read_table(FOLDER / name))
    else:
        new, rows = tmp_path / "new.csv", 20
        warning = "missing value" + ".* unknown categor" * with_gaps(path, expected, saved, new)
    result = invoked("predict", model, new)
    assert result.exit_code == 0, result.output
    (header, *answers) = csv.reader(io.StringIO(result.stdout))
    assert header == [saved.target.name] and len(answers) == rows
    assert all(answer[0] not in ("", "nan") for answer in answers)
    assert re.search(warning, result.stderr) and (warning or not result.stderr)


def with_gaps(path, expected, model, new):
    """Write twenty rows without the target, with a blank, and an unseen category if there is a column for it."""
    table = read_table(path, target=None if expected.target == "-1" else expected.target)
    names = [name for name in table.names if name != model.target.name]
    values = table.select({f"x{j}": f"c{table.names.index(name)}::VARCHAR" for j, name in enumerate(names)})
    rows = [list(row) for row in zip(*(column[-20:].tolist() for column in values.values()), strict=True)]
    facts = {fact.name: fact for fact in model.encoder.explain()}
    wide = [name for name in names if facts[name].kind == "category" and len(facts[name].features) > 2]
    narrow = next(name for name in names if facts[name].features and name not in wide[:1])
    rows[3][names.index(narrow)] = ""
    for name in wide[:1]:
        rows[7][names.index(name)] = "never seen"
    with open(new, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([names, *rows])
    return bool(wide)
