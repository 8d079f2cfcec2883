"""fastmlp.cli.report: numbers as people write them, and tables that stay aligned and readable."""

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.cli import report


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.004321, "0.0043 s"), (59.9, "60 s"), (99.0, "99 s"), (100.0, "1.7 minutes"), (5400.0, "90 minutes"),
     (6000.0, "1.7 hours"), (172_800.0, "2 days"), (1e9, "12 000 days")],
)  # fmt: skip
def test_duration(seconds, text):
    assert report.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [(0.0, 2, "0"), (0.01234, 2, "0.012"), (99.6, 2, "100"), (12345.0, 2, "12 000"), (-40457.3, 4, "-40 460"),
     (1e-9, 2, "1e-09"), (345.6, 4, "345.6")],
)  # fmt: skip
def test_rounded(number, digits, text):
    assert report.rounded(number, digits) == text


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_a_matrix_is_aligned_and_fits_the_terminal(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    rng, shown = np.random.default_rng(0), []
    for n_classes in (2, 10, 20):
        for longest in (1, 12, 60):
            names = [f"{i}".rjust(longest, "x") for i in range(n_classes)]
            counts = rng.integers(0, 5000, (n_classes, n_classes))
            first, *lines = report.confusion_text(counts, names).splitlines()
            assert max(map(len, lines)) <= width or "mistaken for" in lines[0]
            if first.startswith("Confusion matrix"):
                shown.append(n_classes)
                assert len(lines) == n_classes + 1 and lines[0].endswith("right")
                assert len(set(map(len, lines))) == 1
    assert shown.count(2) == 3 and (20 in shown) == (width == 200) and (10 in shown) == (width >= 100)


def test_long_names_become_numbers_over_the_columns():
    names = [f"the class of the number {i:02}" for i in range(20)]
    _, head, first, *_ = report.confusion_text(np.eye(20, dtype=np.int64), names, 200).splitlines()
    assert head.split()[:3] == ["(1)", "(2)", "(3)"]
    assert first.split("  ")[1] == "(1) the class of the numb..."


def test_a_class_without_rows_has_no_share():
    text = report.confusion_text(np.array([[3, 1], [0, 0]]), ["a", "b"])
    assert text.splitlines()[2].split() == ["a", "3", "1", "75.0", "%"]
    assert text.splitlines()[3].split() == ["b", ".", "."]


def test_many_classes_show_the_most_frequent_confusions():
    counts = np.diag(np.full(30, 50))
    assert report.confusion_text(counts, [str(i) for i in range(30)]) == "No class was mistaken for another."
    counts[3, 4], counts[7, 1] = 12, 5
    lines = report.confusion_text(counts, [f"c{i}" for i in range(30)]).splitlines()
    assert lines[1:] == ["  12 x  c3 mistaken for c4", "   5 x  c7 mistaken for c1"]


def test_names_cannot_write_on_the_terminal():
    assert report.printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"
    assert "\x1b" not in report.confusion_text(np.eye(2, dtype=np.int64), ["\x1b[2J", "ok"])
    assert report.names_line(range(30)).endswith("18, 19, ... (30 in all)")


def test_a_network_on_one_line():
    layers = [4, fm.Dense(3), fm.BatchNorm(), fm.Activation("relu"), fm.Dropout(0.25), 2]
    network = fm.Network(layers, loss="cross_entropy")
    assert report.network_line(network) == "4 -> 3 identity -> BatchNorm -> relu -> dropout 0.25 -> 2 softmax"
