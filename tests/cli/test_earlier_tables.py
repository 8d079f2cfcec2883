"""Models of version 0.1 predict tables as they did; what their files say is checked."""

import numpy as np
import pytest
from command_line import invoked, refused, run
from golden_models import GOLDEN

import fastmlp as fm
from fastmlp.persistence.models import save

COLUMNS = [
    {"name": "size", "position": 0, "kind": "numeric", "categories": []},
    {"name": "colour", "position": 1, "kind": "text", "categories": ["blue", "red"]},
]
PRICE = {"name": "price", "position": 2, "kind": "numeric", "categories": []}


@pytest.fixture
def model(tmp_path):
    network = fm.Network([fm.Input(3, shift=[5.0, 0, 0]), 1], seed=0)
    path = tmp_path / "m.safetensors"
    save(network, path, extra={"encoding": {"columns": COLUMNS, "target": PRICE, "n_columns": 3}})
    return network, path


def test_rows_are_encoded_as_they_were(model, tmp_path):
    network, path = model
    new = tmp_path / "new.csv"
    new.write_text("colour,size\nred,3\nblue,4\ngreen,NA\n")
    result = invoked("predict", path, new)
    X = np.array([[3, 0, 1], [4, 1, 0], [5, 0, 0]])
    header, *values = result.stdout.split()
    assert header == "price"
    np.testing.assert_allclose(np.array(values, float), network.predict(X)[:, 0], rtol=1e-6)
    assert "1 missing value (size 1) and 1 unknown category (colour 1)" in result.stderr
    output = run("info", path)
    assert "'price'" in output and "colour  category  2         blue, red" in output


def test_the_golden_table_is_judged(tmp_path):
    path = GOLDEN / "format-1" / "table.safetensors"
    output = run("predict", path, path.with_name("table.csv"))
    assert output.startswith("Accuracy ") and len(output.splitlines()) == 26


@pytest.mark.parametrize(
    "encoding",
    [
        {}, {"columns": []}, {"columns": [5]}, {"columns": [{"name": "a"}]},
        {"columns": [{**COLUMNS[1], "categories": ["a", "a"]}]}, {"columns": [{**COLUMNS[0], "name": 7}]},
        {"columns": COLUMNS[:1]},
    ],
)  # fmt: skip
def test_a_damaged_description_is_refused(encoding, model):
    network, path = model
    save(network, path, extra={"encoding": {"target": None, "n_columns": 3, **encoding}})
    assert "describe" in refused("info", path) or "description" in refused("info", path)
