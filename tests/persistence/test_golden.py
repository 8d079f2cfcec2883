"""Files of every released format version are read: parameters to the bit, predictions to rounding.

Predictions can't be held to the bit on every machine: kernels for other processors sum in another order, which moves a
sum of a few dozen terms by some units in the last place (1e-7 and 1e-16 of it).
"""

import json

import numpy as np
import pytest
from golden_models import GOLDEN, X, described, fill, run

import fastmlp as fm
from fastmlp.persistence.models import FORMAT

VERSIONS = {folder.name: json.loads((folder / "expected.json").read_text("utf-8")) for folder in GOLDEN.iterdir()}
FILES = [(version, name) for version, expected in VERSIONS.items() for name in expected]


def test_every_version_and_every_file_is_there():
    assert set(VERSIONS) == {f"format-{version}" for version in range(1, FORMAT + 1)}
    for version, expected in VERSIONS.items():
        assert {path.name for path in (GOLDEN / version).glob("*.safetensors")} == set(expected)


@pytest.mark.parametrize(("version", "name"), FILES)
def test_a_file_of_an_earlier_version_is_read_as_it_was_meant(version, name):
    expected, path = VERSIONS[version][name], GOLDEN / version / name
    network = fm.load(path)
    assert described(network) == {key: expected[key] for key in ("layers", "params")}
    if "printed" in expected:
        printed = run("predict", path, path.with_name("table.csv")).splitlines()
        assert printed[1:] == expected["printed"][1:]  # the header was "predicted", and is now the name of the target
        return
    model = network
    if "class" in expected:
        pytest.importorskip("sklearn")
        model = getattr(fm, expected["class"]).load(path)
        assert model.loss_curve_ == expected["loss_curve"]
    tolerance = 1e-5 if network.dtype == np.float32 else 1e-12
    predicted = getattr(model, "predict_proba", model.predict)(X)
    np.testing.assert_allclose(predicted, expected["predicted"], rtol=tolerance, atol=tolerance)


def test_they_can_be_made_again(tmp_path):
    pytest.importorskip("sklearn")
    fill(tmp_path)
    made = json.loads((tmp_path / "expected.json").read_text("utf-8"))
    assert made.keys() == VERSIONS[f"format-{FORMAT}"].keys()
    assert all(made[name]["layers"] == VERSIONS[f"format-{FORMAT}"][name]["layers"] for name in made)
