"""Short fuzzing: the corpus, a few hundred changed inputs of each kind, and inputs from hypothesis.

The inputs are the same every time. ``FASTMLP_LONG=1`` runs fifty times as many; ``long.py`` runs for hours.
"""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("sklearn")

from fuzz.tables import CHANGES
from fuzz.targets import CORPUS, TARGETS, Target
from fuzz.watch import FoundError, Watch, check_sentence
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TIMES = 50 if os.environ.get("FASTMLP_LONG") == "1" else 1
COUNTS = {"command": 25, "estimators": 60, "methods": 250, "function": 400, **dict.fromkeys(["csv", *CHANGES], 100)}
"""Number of inputs for these targets; 300 for the others."""


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_finds_nothing(name):
    watch = Watch()
    seeds = TARGETS[name].seeds()
    assert seeds and {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
    for data in seeds:
        watch.run(TARGETS[name], data)


@pytest.mark.parametrize("name", TARGETS)
def test_changed_inputs_find_nothing(name):
    watch, choice, target = Watch(), random.Random(name), TARGETS[name]
    seeds, recent = target.seeds(), []
    for _ in range(TIMES * COUNTS.get(name, 300)):
        data = target.change(choice.choice(recent if recent and choice.randrange(3) == 0 else seeds), choice)
        recent = [*recent[-20:], data]
        watch.run(target, data)


@pytest.mark.parametrize("name", TARGETS)
def test_hypothesis_finds_nothing(name):
    target, watch = TARGETS[name], Watch()
    seeds = target.seeds()

    @settings(
        max_examples=TIMES * COUNTS.get(name, 300) // 8, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(seed=st.sampled_from(range(len(seeds))), choice=st.randoms(use_true_random=False))
    def run(seed, choice):
        watch.run(target, target.change(seeds[seed], choice))

    run()


def of(function):
    return Target("none", function, None)


def refuse(data):
    raise ValueError("text")


def hold(data):
    kept = np.ones(300 * 2**20, dtype=np.uint8)
    return kept[0]


def test_the_watch_sees_errors_and_memory():
    with pytest.raises(FoundError, match="none: ValueError: text"):
        Watch().run(of(refuse), b"")
    if os.path.exists("/proc/self/clear_refs"):
        with pytest.raises(FoundError, match="none: took 3.. MB"):
            Watch().run(of(hold), b"")
    Watch().run(of(len), b"")


@pytest.mark.parametrize("text", ["", "x" * 1001, "two\nlines", "a\x1b[31m", "\ud800"])
def test_errors_must_be_sentences(text):
    with pytest.raises(FoundError):
        check_sentence(ValueError(text))
    with pytest.raises(FoundError, match="doesn't name the file"):
        check_sentence(ValueError("a sentence"), "file")
    check_sentence(ValueError("file is bad"), "file")


def test_the_driver_counts_and_keeps_what_it_finds(tmp_path):
    script = str(CORPUS.parent / "long.py")
    command = [sys.executable, script, "--executions", "5", "--targets", "idx,npz", "--found", str(tmp_path / "found")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    table = [line.split() for line in result.stdout.splitlines()[-2:]]
    assert [(row[0], row[1], row[3]) for row in table] == [("idx", "5", "0"), ("npz", "5", "0")]
    assert list((tmp_path / "found").iterdir()) == []
