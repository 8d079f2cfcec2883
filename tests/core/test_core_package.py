"""The compiled core as a package: a source tree in front of it is named, and its stubs tell the truth."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest

import cnn_core
from cnn_core.types import SIZES, STRUCTS

FOLDER = Path(cnn_core.__file__).parent
STUBS = sorted(FOLDER.rglob("*.pyi"))


def name_of(path):
    return ".".join(("cnn_core", *path.relative_to(FOLDER).with_suffix("").parts))


def import_with(folder):
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import cnn_core; print(cnn_core.__file__)"
    # Without the site packages, where an editable install would fill in what the folder lacks.
    return subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=60)


def test_a_source_tree_that_hides_the_build_is_named(tmp_path):
    hiding = tmp_path / "cnn_core"
    hiding.mkdir()
    for source in FOLDER.rglob("*.py*"):
        if source.suffix in (".py", ".pyx"):
            copy = hiding / source.relative_to(FOLDER)
            copy.parent.mkdir(exist_ok=True)
            shutil.copy(source, copy)
    result = import_with(tmp_path)
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert last == (
        f"ImportError: cnn_core has no compiled modules in {hiding}. That folder is a source tree which hides the "
        "installed package: run Python from another folder, or build in place with `pip install -e .`"
    )


def test_a_missing_scipy_is_not_taken_for_a_source_tree(tmp_path):
    (tmp_path / "scipy").mkdir()
    (tmp_path / "scipy" / "__init__.py").write_text("raise ModuleNotFoundError('no scipy', name='scipy')\n")
    (tmp_path / "cnn_core").symlink_to(FOLDER)
    result = import_with(tmp_path)
    assert result.returncode != 0
    assert result.stderr.strip().splitlines()[-1] == "ModuleNotFoundError: no scipy"


def test_the_map_names_every_module():
    modules = {
        path.relative_to(FOLDER).with_suffix("").as_posix()
        for path in FOLDER.rglob("*.px*") if path.suffix == ".pxd" and path.parent != FOLDER
    }  # fmt: skip
    modules |= {name_of(path).removeprefix("cnn_core.").replace(".", "/") for path in STUBS if path.parent != FOLDER}
    named = re.findall(r"^    (\w+/\w+) {2,}\S", cnn_core.__doc__, re.M)
    assert set(named) == modules
    assert len(named) == len(set(named))


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: path.stem)
def test_stubs_name_every_door_and_each_of_its_arguments(stub):
    module = importlib.import_module(name_of(stub))
    doors = {name for name in vars(module) if not name.startswith("_") and callable(getattr(module, name))}
    body = ast.parse(stub.read_text(encoding="utf-8")).body
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
    assert functions.keys() | classes.keys() == doors
    for name, node in classes.items():
        if not issubclass(getattr(module, name), IntEnum):
            functions |= {method.name: method for method in node.body if isinstance(method, ast.FunctionDef)}
            continue
        told = {line.targets[0].id: ast.literal_eval(line.value) for line in node.body if isinstance(line, ast.Assign)}
        assert told == {member.name: int(member) for member in getattr(module, name)}
    source = stub.with_suffix(".pyx")
    if source.exists():  # wheels leave it out
        text = source.read_text(encoding="utf-8")
        for name, node in functions.items():
            arguments = re.search(rf"^ *def {name}\((.*?)\):$", text, re.MULTILINE | re.DOTALL)
            declared = re.sub(r"\[.*?\]|,\s*$", "", arguments[1]).split(",")
            assert [argument.arg for argument in node.args.posonlyargs + node.args.args] == [
                each.partition("=")[0].split()[-1] for each in declared if each
            ]


def test_every_module_that_python_can_call_has_a_stub():
    compiled = {name_of(path) for path in FOLDER.rglob("*.pyx")}
    with_doors = {
        name for name in compiled
        if any(not key.startswith("_") and callable(value)
               for key, value in vars(importlib.import_module(name)).items())
    }  # fmt: skip
    assert with_doors <= {name_of(path) for path in STUBS}


# One module after another, without the package's own imports, and types as if it came from another build.
MISMATCH = """
import importlib, sys, types
package = sys.modules["cnn_core"] = types.ModuleType("cnn_core")
package.__path__ = [{folder!r}]
import cnn_core.types
cnn_core.types.SIZES[{struct!r}] += 8
importlib.import_module("cnn_core.doors." + {module!r})
"""


@pytest.mark.parametrize(
    ("module", "struct"),
    [("workspace", "LayerSpec"), ("workspace", "SparseRow"), ("epoch", "Group"), ("epoch", "Step")],
)
def test_a_module_of_another_build_cannot_be_imported(module, struct):
    code = MISMATCH.format(folder=str(FOLDER), module=module, struct=struct)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    size = SIZES[struct]
    assert result.stderr.strip().splitlines()[-1] == (
        f"ImportError: cnn_core.doors.{module} was compiled with a struct {struct} of {size} bytes, cnn_core.types "
        f"with one of {size + 8}: they come from different builds. Build the core again with `pip install -e .`, or "
        "reinstall fastmlp"
    )


@pytest.mark.parametrize("struct", STRUCTS)
def test_tables_get_their_dtype_from_the_structs(struct):
    dtype = np.asarray(STRUCTS[struct]).dtype
    assert dtype.itemsize == SIZES[struct] == 8 * len(dtype.names)
    assert {dtype[name] for name in dtype.names} <= {np.dtype("int64"), np.dtype("float64")}
