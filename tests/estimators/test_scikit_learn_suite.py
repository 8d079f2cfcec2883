"""scikit-learn's own tests of its multilayer perceptrons pass with fastmlp's estimators instead."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
import scikit_learn_suite as suite

TESTS = Path(__file__).parents[1]


def test_few_tests_are_left_out_and_each_for_a_private_name():
    from sklearn.neural_network.tests import test_mlp

    source = Path(test_mlp.__file__).read_text(encoding="utf-8")
    assert len(suite.PRIVATE) <= 12
    for test, name in suite.PRIVATE.items():
        body = re.search(rf"^def {test}\(.*?(?=^def |\Z)", source, re.MULTILINE | re.DOTALL)
        assert body and name.startswith("_") and f".{name}" in body[0]


def test_all_others_pass(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "scikit_learn_suite", "-p", "no:cacheprovider",
         "--pyargs", "sklearn.neural_network.tests.test_mlp"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-4000:]
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) >= 50
