"""Examples in the README, the documentation and the docstrings run and print what they show."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import numpy as np
import pytest

import fastmlp

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NEED_SKLEARN = ["fastmlp.estimators", "README.md", "estimators.md", "from-scikit-learn.md", "saving.md", "targets.md"]
MODULES = [
    module.name
    for module in pkgutil.walk_packages(fastmlp.__path__, "fastmlp.")
    if not module.name.startswith(("fastmlp.__main__", "fastmlp.bench.run"))
]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages(page):
    if page.name in NEED_SKLEARN:
        pytest.importorskip("sklearn")
    failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    if name.startswith(tuple(NEED_SKLEARN)):
        pytest.importorskip("sklearn")
    module = importlib.import_module(name)
    failed, _ = doctest.testmod(module, extraglobs={"np": np}, optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_the_readme_has_examples():
    parser = doctest.DocTestParser()
    assert len(parser.get_examples((ROOT / "README.md").read_text(encoding="utf-8"))) >= 5


def test_relative_links_exist():
    import re

    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"
