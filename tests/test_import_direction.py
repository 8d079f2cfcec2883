"""Imports point downwards, in the package and in the core, and the core imports nothing from the package.

An import counts wherever it is in a file: at the top, in a function, under TYPE_CHECKING.
"""

import ast
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import cnn_core
import fastmlp

PACKAGE = Path(fastmlp.__file__).parent
CORE = Path(cnn_core.__file__).parent
TESTS = Path(__file__).parent

ORDER = [
    "version", "checks", "machine", "model", "data", "tables", "passes",
    "history", "schedules", "optimizers", "metrics", "callbacks",
    "training", "persistence", "plots",
    "network", "learning_curves", "estimators", "cli", "__init__", "__main__",
]  # fmt: skip
"""Folders and modules of fastmlp, lowest first."""

CORE_ORDER = ["sparse_row", "types", "machine", "products", "layers", "passes", "steps", "doors", "__init__"]
"""Folders, modules and headers of cnn_core, lowest first."""

TESTED_IN = {
    "callbacks/test_callbacks.py": "callbacks/base callbacks/monitors callbacks/plateau callbacks/stopping",
    "cli/test_cli.py": "cli/defaults cli/fitting cli/info cli/models cli/predict cli/sources cli/summary cli/train "
    "cli/train_options cli/writing",
    "cli/test_tables.py": "cli/streamed_problem cli/table_options cli/table_problem cli/table_rows",
    "data/readers/test_idx_folder.py": "data/readers/dataset",
    "data/test_chunks.py": "machine/worker training/streaming",
    "data/test_rows.py": "checks/arrays data/samples",
    "estimators/test_base.py": "estimators/classifier estimators/labels estimators/regressor estimators/scoring "
    "estimators/watching estimators/documentation estimators/querying",
    "estimators/test_parity.py": "estimators/building estimators/conversion estimators/fitting "
    "estimators/quasi_newton estimators/rules",
    "model/test_custom_loss.py": "machine/calls",
    "model/test_target_scale.py": "training/target_scaling",
    "model/test_layers.py": "model/fields model/layers/activation model/layers/base model/layers/batch_norm "
    "model/layers/dense model/layers/dropout model/layers/input model/layers/layer_norm model/layers/norm",
    "model/test_distributions.py": "model/output_forms model/quantiles",
    "model/test_losses.py": "model/loss_kinds model/loss_names",
    "model/test_piecewise_linear.py": "model/layers/piecewise_linear",
    "model/test_scaling.py": "model/layers/scaling",
    "test_optimizers.py": "optimizers/adam optimizers/adaptive optimizers/base optimizers/rprop optimizers/sgd "
    "optimizers/whole_set",
    "test_schedules.py": "schedules/decays schedules/restarts schedules/warmup schedules/waves",
    "persistence/test_models.py": "persistence/description persistence/optimizer_states",
    "plots/test_plots.py": "plots/canvas plots/classes plots/columns plots/network plots/numbers plots/training",
    "tables/test_encoder.py": "tables/explanation tables/features tables/transformer tables/kinds/base "
    "tables/kinds/column",
    "tables/test_scan.py": "tables/chunking",
    "tables/formats/test_arff.py": "tables/formats/declared",
    "tables/formats/test_arrow.py": "tables/formats/arrow_messages",
    "tables/test_table.py": "tables/reading",
    "test_network.py": "model/construction model/model",
    "test_public_names.py": "version",
    "training/test_advice.py": "data/few_rows",
    "training/test_averaging.py": "training/step_table",
    "training/test_checkpoint.py": "training/fingerprint training/resuming",
    "training/test_fit.py": "passes/workspace training/epochs training/trainable training/trainer",
    "training/test_online.py": "model/state",
}
"""Modules that are tested in a file with another name."""


def name_of(path, root):
    """Dotted path inside the package, such as ``data.rows``; a folder's ``__init__`` has the name of the folder."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def python_imports(root):
    """The modules of the package that each of its modules imports."""
    files = {name_of(path, root): path for path in sorted(root.rglob("*.py"))}
    modules = {f"{root.name}.{name}".removesuffix(".__init__"): name for name in files}
    found = {}
    for name, path in files.items():
        package = path.relative_to(root.parent).parent.parts
        imported = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else ()
                origin = ".".join([*base, *([node.module] if node.module else [])])
                names = {f"{origin}.{alias.name}" for alias in node.names}
                imported |= (names & modules.keys()) or {origin}
        found[name] = {modules[module] for module in imported & modules.keys()} - {name}
    return found


def core_imports(root):
    """The same for the core, where files of one name are one module; a header is part of what includes it."""
    paths = [path for path in sorted(root.rglob("*")) if path.suffix in (".py", ".pyx", ".pxd", ".h")]
    modules = {f"{root.name}.{name_of(path, root)}".removesuffix(".__init__"): name_of(path, root) for path in paths}
    headers = {path.name: name_of(path, root) for path in paths if path.suffix == ".h"}
    found = {name: set() for name in modules.values()}
    statement = re.compile(
        r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+c?import[ \t]+(\([^)]*\)|.*)|c?import[ \t]+([\w.]+))", re.M
    )
    included = re.compile(r"^[ \t]*(?:#[ \t]*include|cdef extern from)[ \t]+\"(\w+\.h)\"", re.M)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        imported = set()
        for origin, names, module in statement.findall(text):
            submodules = {f"{origin}.{name}" for name in re.findall(r"\w+", names)} & modules.keys()
            imported |= submodules or {origin or module}
        used = {modules[module] for module in imported & modules.keys()}
        used |= {headers[header] for header in included.findall(text) if header in headers}
        found[name_of(path, root)] |= used - {name_of(path, root)}
    return found


def circle(imports):
    """Modules that import each other in a circle; empty if there are none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def upward(imports, order):
    """Imports that point upwards, as "importer -> imported"; KeyError for a module missing in the order."""
    height = {room: i for i, room in enumerate(order)}
    rooms = {name: height[name.split(".")[0]] for name in imports}
    return [f"{name} -> {other}" for name, others in imports.items() for other in others if rooms[other] > rooms[name]]


IMPORTS = python_imports(PACKAGE)


def test_nothing_imports_in_a_circle():
    assert circle(IMPORTS) == []


def test_nothing_imports_upwards():
    assert upward(IMPORTS, ORDER) == []


def test_the_order_names_every_folder_and_nothing_else():
    assert {name.split(".")[0] for name in IMPORTS} == set(ORDER)


def test_no_folder_needs_a_folder_that_needs_it():
    rooms = {}
    for name, others in IMPORTS.items():
        room = name.split(".")[0]
        rooms.setdefault(room, set()).update({other.split(".")[0] for other in others} - {room})
    assert circle(rooms) == []


def test_an_import_counts_wherever_it_is(tmp_path):
    package = tmp_path / "house"
    (package / "low").mkdir(parents=True)
    (package / "high").mkdir()
    files = {
        "__init__.py": "",
        "low/__init__.py": "",
        "low/a.py": "def f():\n    from house.high import d",
        "low/b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..high.d import D",
        "low/c.py": "import numpy\nfrom . import a, b",
        "high/__init__.py": "from house.low.c import C",
        "high/d.py": "import house.low.b",
    }
    for name, text in files.items():
        (package / name).write_text(text)
    found = python_imports(package)
    assert found == {
        "__init__": set(), "low": set(), "low.a": {"high.d"}, "low.b": {"high.d"}, "low.c": {"low.a", "low.b"},
        "high": {"low.c"}, "high.d": {"low.b"},
    }  # fmt: skip
    assert upward(found, ["low", "high", "__init__"]) == ["low.a -> high.d", "low.b -> high.d"]
    assert set(circle(found)) == {"low.b", "high.d"}


@pytest.mark.parametrize("module", ["matplotlib", "tqdm", "sklearn", "click", "safetensors", "scipy.optimize"])
def test_heavy_packages_are_imported_where_they_are_used(module):
    pattern = re.compile(rf"^(import|from) {re.escape(module)}\b", re.MULTILINE)
    allowed = ("cli", "estimators") if module == "sklearn" else ("cli",)
    for path in PACKAGE.rglob("*.py"):
        if not name_of(path, PACKAGE).startswith(allowed):
            assert not pattern.search(path.read_text(encoding="utf-8")), path


def core_sources():
    return [path for path in sorted(CORE.rglob("*")) if path.suffix in (".py", ".pyx", ".pxd", ".h", ".pyi")]


def test_the_core_imports_in_no_circle_and_downwards():
    if not (CORE / "types.pyx").exists():
        pytest.skip("installed without sources")
    imports = core_imports(CORE)
    assert circle(imports) == []
    assert upward(imports, CORE_ORDER) == []
    assert imports["steps.step"] >= {"passes.gradient", "types"}  # imports are found at all


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
            assert "with nogil" in door[0], f"{name}.{door[1]}"


ELSEWHERE = {module: file for file, modules in TESTED_IN.items() for module in modules.split()}
MODULES = [path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py")) if not path.name.startswith("__")]


@pytest.mark.parametrize("module", [path.with_suffix("").as_posix() for path in MODULES])
def test_every_module_has_its_tests(module):
    folder, _, name = module.rpartition("/")
    own = TESTS / folder / f"test_{name}.py"
    assert own.exists() != (module in ELSEWHERE), "it has a file of tests of its own, or one in the list"
    assert module not in ELSEWHERE or (TESTS / ELSEWHERE[module]).exists()


def test_the_list_names_only_modules_that_there_are():
    assert set(ELSEWHERE) <= {path.with_suffix("").as_posix() for path in MODULES}
