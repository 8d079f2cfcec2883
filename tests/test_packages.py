"""Whatever is a package in the tree is one in the wheel."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_every_folder_with_an_init_is_listed():
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {
        ".".join([name, *path.parent.relative_to(ROOT / folder).parts])
        for name, folder in (("cnn_core", "cnn_core"), ("fastmlp", "python/fastmlp"), ("fastmlp.bench", "bench"))
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert set(settings["packages"]) == found | {"fastmlp.bundled"}  # data alone
