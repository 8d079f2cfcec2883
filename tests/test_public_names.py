"""The public names: they exist, are documented, and are loaded only when used."""

import inspect
import subprocess
import sys

import pytest

import fastmlp as fm

FIXED = [
    "Network", "Input", "Dense", "Dropout", "BatchNorm", "LayerNorm", "Activation", "Loss", "SGD", "RMSprop",
    "Adagrad", "Adam", "AdamW", "NAdam", "Rprop", "LBFGS", "LevenbergMarquardt", "check_gradients",
    "load", "load_digits", "load_mnist",
    "read_idx", "read_csv", "DivergedError", "TrainingWarning", "Callback", "EarlyStopping", "Tolerance", "plots",
    "learning_curve",
    "train_validation_test_split",
]  # fmt: skip
METHODS = ["fit", "predict", "evaluate", "loss_and_gradients", "sample_gradients", "cost_surface", "save"]
METHODS += ["input_gradients", "activations", "params", "weights", "biases", "train_on_batch", "optimizer_state"]
HEAVY = [
    "matplotlib",
    "sklearn",
    "tqdm",
    "scipy.optimize",
    "torch",
    "pandas",
    "duckdb",
    "safetensors",
    "click",
    "urllib.request",
]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("name", fm.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(fm, name)
    text = inspect.getdoc(value)
    assert text and len(text) > 20
    assert not text.startswith(f"{name}("), "a docstring that dataclass made up"
    if inspect.isclass(value):
        assert value.__name__ == name and value.__module__.startswith("fastmlp.")
        for method, member in vars(value).items():
            if not method.startswith("_") and (callable(member) or isinstance(member, (property, classmethod))):
                assert inspect.getdoc(getattr(value, method)), f"{name}.{method}"


def test_all_is_complete_and_what_dir_shows():
    assert len(set(fm.__all__)) == len(fm.__all__)
    assert set(FIXED) <= set(fm.__all__) <= set(dir(fm))
    assert set(METHODS) <= set(dir(fm.Network([1, 1])))
    seen = run("import fastmlp, inspect; print(*[n for n, v in vars(fastmlp).items() if not inspect.ismodule(v)])")
    machinery = {"annotations", "find_spec", "import_module", "TYPE_CHECKING", "Any"}
    assert {name for name in seen.split() if not name.startswith("_")} - machinery <= set(fm.__all__)


def test_no_module_ever_hides_the_name_of_a_function():
    """Importing a submodule sets its name in the package, which could hide a function with the same name."""
    code = """
import inspect, pkgutil, importlib, fastmlp as fm
for module in pkgutil.iter_modules(fm.__path__):
    if not module.name.startswith("_"):
        importlib.import_module(f"fastmlp.{module.name}")
print([name for name in fm.__all__ if inspect.ismodule(getattr(fm, name))])
"""
    assert run(code) == "['plots']\n"


def test_the_first_use_of_one_lazy_name_leaves_the_others_right():
    assert run("import fastmlp as fm; fm.LearningCurve; print(callable(fm.learning_curve))") == "True\n"


def test_a_star_import_gives_them_all():
    names = run("from fastmlp import *; print(*dir())").split()
    assert set(fm.__all__) <= set(names)


def test_importing_loads_nothing_heavy():
    loaded = run(f"import sys, fastmlp; print(*[name for name in {HEAVY} if name in sys.modules])").split()
    assert loaded == []


def test_lazy_names_load_their_modules_at_first_use():
    code = """
import sys, fastmlp as fm
modules = ("fastmlp.data.datasets", "fastmlp.tables.reading", "fastmlp.optimizers", "fastmlp.plots")
print([name in sys.modules for name in modules])
fm.load_digits, fm.read_csv, fm.Adam, fm.plots
print([name in sys.modules for name in modules], "matplotlib" in sys.modules)
print(fm.load_digits is fm.data.datasets.load_digits, "load_digits" in vars(fm))
"""
    first, second, third = run(code).splitlines()
    assert first == "[False, False, False, False]"
    assert second == "[True, True, True, True] False"
    assert third == "True True"


WHERE_EXTRAS_SHOW = """
import pydoc, sys
{first}
import fastmlp as fm
print("sklearn.base" in sys.modules, "MLPClassifier" in fm.__all__, "MLPRegressor" in dir(fm))
text = pydoc.plain(pydoc.render_doc(fm))
print([f"class {{name}}" in text for name in ("MLPClassifier", "MLPRegressor", "Network", "Adam")])
print([text.index(name) < text.index("CLASSES") for name in ("MLPClassifier", "MLPRegressor")])
from fastmlp import *
print("MLPClassifier" in vars(), [name for name in dir(fm) if not hasattr(fm, name)])
"""


def test_help_and_a_star_import_have_the_estimators_where_scikit_learn_is_installed():
    pytest.importorskip("sklearn")
    shown = run(WHERE_EXTRAS_SHOW.format(first="")).splitlines()
    assert shown == ["False True True", "[True, True, True, True]", "[True, True]", "True []"]


def test_help_and_a_star_import_work_without_scikit_learn():
    shown = run(WHERE_EXTRAS_SHOW.format(first="sys.modules['sklearn'] = None")).splitlines()
    assert shown == ["False False False", "[False, False, True, True]", "[True, True]", "False []"]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'fastmlp' has no attribute 'Netwrok'"):
        fm.Netwrok  # noqa: B018


def test_the_version_is_that_of_the_distribution():
    from importlib import metadata

    assert fm.__version__ == metadata.version("fastmlp")
