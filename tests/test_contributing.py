"""CONTRIBUTING.md: its walk through the files is the path of a real fit."""

import re
import traceback
from pathlib import Path

import numpy as np

import fastmlp as fm

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = Path(fm.__file__).parent
WALK = re.findall(r"^\d\. `([\w/]+\.py)`", PAGE.partition("## A walk for newcomers")[2].partition("\n## ")[0], re.M)


class Stack(fm.Callback):
    """The files of the package on the way to the core, outermost first."""

    def on_gradient(self, run, gradient):
        frames = [Path(frame.filename) for frame in traceback.extract_stack()]
        self.files = [path.relative_to(PACKAGE).as_posix() for path in frames if path.is_relative_to(PACKAGE)]


def test_a_fit_meets_the_files_of_the_walk():
    stack = Stack()
    fm.Network([2, 3, 1], seed=0).fit(np.eye(2), np.ones(2), epochs=1, callbacks=stack)
    met = set(stack.files) - {"training/gradient_door.py"}  # the way back from the core, which this test uses
    assert met == {"training/trainable.py", "training/fit.py", "training/epochs.py", "training/trainer.py"}
    assert met <= set(WALK)
    assert len(WALK) <= 8


def test_every_file_and_folder_that_is_named_exists():
    root = Path(__file__).parents[1]
    here = [path for folder in (PACKAGE, root) for path in folder.rglob("*") if "build" not in path.parts]
    names = re.findall(r"`([\w/]+(?:/|\.(?:py|pyx|pxd|md|c)))`", PAGE)
    assert len(names) > 30
    for name in names:
        assert any(f"/{path.as_posix()}".endswith("/" + name.rstrip("/")) for path in here), name
