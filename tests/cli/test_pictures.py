"""Pictures of ``fastmlp train``: each kind in a file of its own, refused early where it makes no sense."""

import csv

import numpy as np
import pytest
from command_line import refused, run

pytest.importorskip("matplotlib")
QUICK = ("--epochs", "2")


@pytest.fixture
def tables(tmp_path):
    """A table with classes and one with numbers."""
    random = np.random.default_rng(0)
    paths = {}
    for name in ("classes", "numbers"):
        paths[name] = tmp_path / f"{name}.csv"
        with open(paths[name], "w", newline="") as file:
            rows = [[x, "ab"[i % 2], x + i % 2] for i, x in enumerate(random.normal(size=80).round(3))]
            csv.writer(file).writerows([["x", "kind", "y"], *rows])
    return paths


@pytest.mark.parametrize(
    ("data", "target", "kinds"),
    [("classes", "kind", ("losses", "confusion", "calibration", "importance")),
     ("numbers", "y", ("losses", "predicted", "residuals", "importance"))],
)  # fmt: skip
def test_every_kind_is_written_to_its_own_file(data, target, kinds, tables, tmp_path):
    options = [part for kind in kinds for part in ("--plot", f"{kind}={tmp_path / kind}.png")]
    output = run("train", tables[data], "--target", target, *QUICK, *options, "--plot", tmp_path / "more.svg")
    for kind in kinds:
        content = (tmp_path / f"{kind}.png").read_bytes()
        assert content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) > 5000
        assert f"Written: {tmp_path / kind}.png" in output
    assert b"<svg" in (tmp_path / "more.svg").read_bytes()
    assert len({(tmp_path / f"{kind}.png").read_bytes() for kind in kinds}) == len(kinds)


def test_importance_finds_the_column_that_matters(tables, tmp_path):
    run("train", tables["numbers"], "--target", "y", "--epochs", "20", "--plot", f"importance={tmp_path / 'i.svg'}")
    text = (tmp_path / "i.svg").read_text()
    assert text.index("<!-- x -->") < text.index("<!-- kind -->")


def test_pictures_that_make_no_sense_are_refused(tables, tmp_path):
    png = tmp_path / "a.png"
    numbers = ("train", tables["numbers"], "--target", "y")
    assert "--plot confusion=" in refused(*numbers, "--plot", f"confusion={png}")
    assert "needs classes" in refused(*numbers, "--plot", f"calibration={png}")
    classes = ("train", tables["classes"], "--target", "kind")
    assert "needs one number as target" in refused(*classes, "--plot", f"residuals={png}")
    assert "needs a table" in refused("train", "--plot", f"importance={png}")
    assert "did you mean 'confusion'" in refused("train", "--plot", f"confusions={png}")
    assert "twice" in refused("train", "--plot", png, "--plot", f"confusion={png}")
    assert "expected a name that ends in .png" in refused("train", "--plot", f"losses={tmp_path / 'a.xyz'}")
    (tmp_path / "b.png").mkdir()
    assert "is a folder" in refused("train", "--plot", tmp_path / "b.png")
    assert not png.exists()


def test_an_equals_sign_may_be_part_of_a_name(tmp_path):
    run("train", *QUICK, "--plot", tmp_path / "rate=0.1.png")
    assert (tmp_path / "rate=0.1.png").exists()
