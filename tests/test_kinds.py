"""Each kind of layer has its own file, and no other module names it, in the package or in the core."""

import ast
import re
from pathlib import Path

import pytest

import cnn_core
import fastmlp
from cnn_core.types import Kind
from fastmlp.model.layers import LAYERS

PACKAGE = Path(fastmlp.__file__).parent
CORE = Path(cnn_core.__file__).parent
KINDS = {*LAYERS, "Kind"}
MAKERS = {"__init__.py", "model/construction.py", "estimators/building.py", "cli/defaults.py"}
"""Modules that build layers: they may name a kind only to construct one."""


def imported(path):
    """The kinds that a file imports."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    origins = [node for node in nodes if (node.module or "").startswith(("fastmlp.model.layers", "cnn_core.types"))]
    return {alias.name for node in origins for alias in node.names} & KINDS


def asked(path):
    """The kinds that a file names, except to construct a layer."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in made}
    return names & imported(path)


MODULES = [
    path for path in sorted(PACKAGE.rglob("*.py"))
    if "bench" not in path.relative_to(PACKAGE).parts and path.parent != PACKAGE / "model" / "layers"
]  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_module_asks_what_kind_a_layer_is(path):
    assert asked(path) == set()
    if path.relative_to(PACKAGE).as_posix() not in MAKERS:
        assert imported(path) == set()


def test_each_kind_has_a_file_of_its_own():
    for name, kind in LAYERS.items():
        path = PACKAGE / "model" / "layers" / f"{kind.__module__.rpartition('.')[2]}.py"
        classes = re.findall(r"^class (\w+)\(", path.read_text(encoding="utf-8"), re.M)
        assert set(classes) & set(LAYERS) == {name}


def core_files():
    return [path for path in sorted(CORE.rglob("*")) if path.suffix in (".pyx", ".pxd")]


@pytest.mark.skipif(not (CORE / "layers" / "dense.pyx").exists(), reason="installed without sources")
@pytest.mark.parametrize("code", Kind.__members__)
def test_the_core_asks_in_one_place(code):
    naming = {
        path.relative_to(CORE).as_posix()
        for path in core_files()
        if re.search(rf"\b{code}\b", re.sub(r'(?s:""".*?""")|#.*', "", path.read_text(encoding="utf-8")))
    }
    assert naming == {"types.pxd", "layers/kinds.pxd"}


@pytest.mark.skipif(not (CORE / "layers" / "dense.pyx").exists(), reason="installed without sources")
def test_the_core_has_a_file_for_each_kind():
    for code in Kind.__members__:
        text = (CORE / "layers" / f"{code.lower()}.pyx").read_text(encoding="utf-8")
        assert f"{code.lower()}_forward" in text and f"{code.lower()}_backward" in text
