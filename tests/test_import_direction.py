"""One direction, on both storeys: what is imported lies below, and the core knows nothing of Python's policy."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import cnn_core
import fastmlp

PACKAGE = Path(fastmlp.__file__).parent
CORE = Path(cnn_core.__file__).parent
TESTS = Path(__file__).parent

# The engine from the ground up: a module imports only what stands before it. What isn't named here builds on it.
ORDER = [
    "checks.errors", "checks.values", "checks.arrays", "machine.files", "machine.memory", "machine.state_files",
    "machine.threads", "machine.worker", "history", "passes.pace", "model.activations", "model.losses",
    "model.custom_loss", "model.initializers", "data.rows", "model.layers", "schedules", "model.groups",
    "model.layout", "model.construction", "model.state", "model.parameters", "training.trainable", "data.inputs",
    "network", "optimizers", "data.class_weights", "data.samples", "data.chunks", "data.few_rows",
    "training.averaging", "callbacks.base", "callbacks.monitors", "callbacks.stopping", "callbacks.plateau",
    "passes.workspace", "passes.inference", "training.advice", "metrics", "training.recording", "training.settings",
    "training.step_table", "callbacks.progress", "training.fingerprint", "training.checkpoint",
    "passes.derivatives", "training.lbfgs", "training.levenberg_marquardt", "training.trainer", "training.resuming",
    "training.streaming", "training.epochs", "training.fit", "training.online",
]  # fmt: skip


def name_of(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def imported(path):
    """Modules of fastmlp that a file imports when it is imported: not in functions, not for the type checker."""
    found = set()
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Import):
            found |= {alias.name for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom):
            origin = statement.module or ""
            if statement.level:
                base = package.split(".")[: len(package.split(".")) - statement.level + 1]
                origin = ".".join([*base, *([origin] if origin else [])])
            names = {f"{origin}.{alias.name}" for alias in statement.names}
            submodules = names & set(FILES)
            found |= submodules or {origin}
    return {module for module in found if module in FILES}


FILES = {name_of(path): path for path in sorted(PACKAGE.rglob("*.py")) if "bundled" not in path.parts}
IMPORTS = {name: imported(path) for name, path in FILES.items()}


def test_nothing_imports_in_a_circle():
    # A package's own submodules import it by being in it; that is no edge of its own.
    graph = {name: {other for other in found if not name.startswith(f"{other}.")} for name, found in IMPORTS.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(FILES)


@pytest.mark.parametrize("module", ORDER)
def test_the_engine_imports_downwards_only(module):
    below = {f"fastmlp.{name}" for name in ORDER[: ORDER.index(module)]}
    assert IMPORTS[f"fastmlp.{module}"] <= below


@pytest.mark.parametrize("module", ["matplotlib", "tqdm", "sklearn", "click", "safetensors", "scipy.optimize"])
def test_heavy_packages_are_imported_where_they_are_used(module):
    pattern = re.compile(rf"^(import|from) {re.escape(module)}\b", re.MULTILINE)
    found = {name for name, path in FILES.items() if pattern.search(path.read_text(encoding="utf-8"))}
    allowed = ("fastmlp.cli", "fastmlp.estimators") if module == "sklearn" else "fastmlp.cli"
    assert not {name for name in found if not name.startswith(allowed)}


def core_sources():
    return [path for path in sorted(CORE.rglob("*")) if path.suffix in (".py", ".pyx", ".pxd", ".h", ".pyi")]


def test_the_core_knows_nothing_of_the_package():
    pattern = re.compile(r"^\s*(cimport|import|from)\s+fastmlp", re.MULTILINE)
    assert [path.name for path in core_sources() if pattern.search(path.read_text(encoding="utf-8"))] == []


def test_there_is_one_door_to_the_blas():
    mentioning = [path.name for path in core_sources() if "cython_blas" in path.read_text(encoding="utf-8")]
    assert [name for name in mentioning if name.endswith((".pyx", ".pxd", ".h"))] == ["blas.pyx"]


def test_the_core_releases_the_lock_at_every_door_to_training_and_prediction():
    for name in ("passes/batches", "doors/derivatives", "doors/epoch", "doors/inference", "doors/surface"):
        source = CORE / f"{name}.pyx"
        if not source.exists():
            pytest.skip("installed without sources")
        doors = re.compile(r"^(?:def|    def (?=run\b)) *(\w+)\(.*?(?=^\w|\Z)", re.MULTILINE | re.DOTALL)
        for door in doors.finditer(source.read_text("utf-8")):
            assert "with nogil" in door[0] or door[1] == "has_threads", f"{name}.{door[1]}"
