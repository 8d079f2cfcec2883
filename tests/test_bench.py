"""The benchmark compares like with like, sizes its samples rightly and prints what it measured."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

from fastmlp.bench import pure_python, table, timing
from fastmlp.bench.agreement import disagreement, loss, reference
from fastmlp.bench.cases import CASES, Parameters, Problem, make_problem
from fastmlp.bench.contenders import NAMES, load
from fastmlp.bench.pure_python import pure_python_seconds

BY_NAME = {case.name: case for case in CASES}
COMPUTING = [name for name in NAMES if name != "do_nothing"]


def small_problem(name: str) -> Problem:
    """Three batches of at most six rows, which nobody may write into."""
    case = BY_NAME[name]
    batch_size = min(case.batch_size, 6)
    problem = make_problem(replace(case, batch_size=batch_size, n_samples=3 * batch_size))
    for array in (problem.X, problem.y, *problem.start.weights, *problem.start.biases):
        array.flags.writeable = False
    return problem


@pytest.mark.parametrize("contender", COMPUTING)
@pytest.mark.parametrize("case", list(BY_NAME))
def test_every_contender_computes_the_same(case, contender):
    problem = small_problem(case)
    train = load(contender).prepare(problem, 1)
    train(1)  # a training leaves nothing behind for the next one
    assert disagreement(problem, train(2), reference(problem, 2)) is None


def test_reference_agrees_with_a_step_by_hand():
    problem = small_problem("3-4-1").head(1)
    (W1, W2), (b1, b2) = problem.start
    x, target, rate = problem.X[0].astype(float), float(problem.y[0, 0]), problem.case.learning_rate
    hidden = np.maximum(x @ W1 + b1, 0)
    error = (hidden @ W2 + b2)[0] - target
    assert loss(problem, problem.start) == pytest.approx(0.5 * error**2)
    after = reference(problem)
    np.testing.assert_allclose(after.weights[1][:, 0], W2[:, 0] - rate * error * hidden)
    np.testing.assert_allclose(after.biases[0], b1 - rate * error * W2[:, 0] * (hidden > 0))


def test_disagreement_sees_a_wrong_step_and_a_wrong_way():
    problem = small_problem("784-30-10")
    expected = reference(problem, 2)
    assert "reaches loss" in disagreement(problem, reference(problem, 1), expected)
    # Weights of a pixel that is always zero do not change the loss, yet nobody should have moved them.
    blank = np.flatnonzero(~problem.X.any(axis=0))
    weights = [W.copy() for W in expected.weights]
    weights[0][blank] += 1.0
    assert "another way" in disagreement(problem, Parameters(weights, expected.biases), expected)


def test_do_nothing_leaves_the_weights():
    problem = small_problem("2-3-1")
    assert load("do_nothing").prepare(problem, 1)(2) is problem.start


def test_problem_is_the_same_for_all():
    first, again, other = (make_problem(BY_NAME["784-30-10"], seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.X, again.X)
    np.testing.assert_array_equal(first.start.weights[0], again.start.weights[0])
    assert (first.X != other.X).any()
    assert first.X.dtype == first.start.weights[0].dtype == np.float32
    assert 0.79 < (first.X == 0).mean() < 0.81
    assert (first.y.sum(axis=1) == 1).all()


def test_case_rejects_a_ragged_batch():
    with pytest.raises(ValueError, match="multiple of batch_size, got 15 and 4"):
        replace(BY_NAME["2-3-1"], n_samples=15)


def test_operations_of_a_step():
    assert BY_NAME["784-30-10"].flop_per_step == 2 * 10 * (2 * 784 * 30 + 3 * 30 * 10)


@pytest.fixture
def fake_contender(monkeypatch):
    """A contender that takes 3 ms to set up and 1 ms per step, by a clock that only it moves."""
    clock = SimpleNamespace(now=0.0)
    prepared = []

    def prepare(problem, n_threads):
        prepared.append((problem.steps_per_epoch, n_threads))

        def train(epochs):
            clock.now += 0.003 + 0.001 * epochs * problem.steps_per_epoch
            return reference(problem, epochs)

        return train

    contender = SimpleNamespace(TITLE="fake", COMPUTES=True, prepare=prepare, prepared=prepared)
    monkeypatch.setattr(timing, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(timing, "load", lambda name: contender)
    monkeypatch.setattr(timing, "sgemm_gflops", lambda: 100.0)
    return contender


def test_a_slow_contender_gets_a_sample(fake_contender):
    entry = timing.get_ready("fake", make_problem(BY_NAME["2-3-1"]), n_threads=2, budget=0.05)
    assert entry.epochs == 1
    assert 25 <= entry.steps_per_epoch <= 50  # 0.05 s at 1 ms each, of 1000 in an epoch
    assert fake_contender.prepared[-1] == (entry.steps_per_epoch, 2)


def test_a_fast_contender_gets_many_epochs(fake_contender):
    problem = make_problem(replace(BY_NAME["2-3-1"], n_samples=40))
    entry = timing.get_ready("fake", problem, n_threads=1, budget=0.2)
    assert entry.steps_per_epoch == 10
    assert 9 <= entry.epochs <= 20


def test_repeats_are_interleaved_and_bounded(fake_contender):
    result = timing.measure(BY_NAME["2-3-1"], ["a", "b"], repeats=4, budget=0.05)
    assert [len(entry.seconds_per_step) for entry in result.entries] == [4, 4]
    slow = timing.measure(BY_NAME["2-3-1"], ["a"], repeats=4, budget=0.0005).entries[0]
    assert slow.steps_per_epoch == 1
    assert len(slow.seconds_per_step) == 1  # one step already took longer than four repeats should
    assert slow.quantile(0.5) == pytest.approx(4000)


def test_a_contender_that_computes_something_else_is_not_timed(fake_contender):
    fake_contender.prepare = lambda problem, n_threads: lambda epochs: problem.start
    with pytest.raises(timing.DisagreementError, match="fake on 2-3-1 reaches loss|takes another way"):
        timing.measure(BY_NAME["2-3-1"], ["fake"])


def entry(contender: str, microseconds: list[float], steps: int) -> timing.Entry:
    return timing.Entry(
        contender, load(contender).TITLE, lambda epochs: None, 1, steps, 0.5, [us * 1e-6 for us in microseconds]
    )


def test_command_prints_ratios_and_writes_json(monkeypatch, tmp_path):
    def measure(case, names, n_threads, repeats, budget):
        assert names == ["numpy_batch", "pure_python"]
        assert n_threads == 2
        entries = (entry("numpy_batch", [29.0, 30.0, 31.0], 1000), entry("pure_python", [15000.0], 3))
        return timing.CaseResult(case, n_threads, 95.88, entries, 10_000)

    monkeypatch.setattr(table, "measure", measure)
    monkeypatch.setattr(table, "REFERENCE", "numpy_batch")
    path = tmp_path / "figures.json"
    result = CliRunner().invoke(
        table.bench,
        [
            "--case",
            "784-30-10",
            "--contender",
            "pure_python",
            "--contender",
            "numpy_batch",
            "--threads",
            "2",
            "--json",
            str(path),
        ],
    )
    assert result.exit_code == 0, result.output
    line = next(line for line in result.stdout.splitlines() if line.startswith("784-30-10"))
    assert line.split() == ["784-30-10,", "10", "10", "30", "15", "000", "(500x)"]
    assert "96 GFLOP/s on 2 thread(s)" in result.stdout
    assert "pure Python (from 3 step(s))" in result.stdout
    written = json.loads(path.read_text(encoding="utf-8"))
    assert [figure["us_per_step"] for figure in written["figures"]] == pytest.approx([30.0, 15000.0])
    assert written["figures"][1]["samples_used"] == 30
    assert written["machine"]["versions"]["numpy"] == np.__version__


def test_command_leaves_out_what_is_not_installed(monkeypatch):
    def load_none(name):
        raise ImportError("No module named 'somelib'")

    monkeypatch.setattr(table, "load", load_none)
    result = CliRunner().invoke(table.bench, ["--contender", "numpy_batch"])
    assert result.exit_code == 1
    assert "numpy_batch is left out: No module named 'somelib'" in result.output


def test_command_end_to_end():
    result = CliRunner().invoke(
        table.bench, ["--quick", "--case", "3-4-1", "--contender", "numpy_batch", "--contender", "do_nothing"]
    )
    assert result.exit_code == 0, result.output
    assert "NumPy batch" in result.stdout
    assert "do nothing" in result.stdout


def test_run_script_is_the_same_command():
    script = Path(__file__).parent.parent / "bench" / "run.py"
    done = subprocess.run([sys.executable, str(script), "--help"], capture_output=True, text=True, check=True)
    assert "--contender" in done.stdout


def test_pure_python_seconds_adds_up_the_parts(monkeypatch):
    def seconds_per_call(work, seconds):
        work()
        return 0.002 if seconds > 0.15 else 0.5  # an example, an update

    monkeypatch.setattr(pure_python, "seconds_per_call", seconds_per_call)
    total = pure_python_seconds([4, 3, 2], "relu", "sigmoid", "squared_error", batch_size=10, n_samples=25, epochs=7)
    assert total == pytest.approx(7 * (25 * 0.002 + 3 * 0.5))


@pytest.mark.parametrize("optimizer", pure_python.OPTIMIZERS)
@pytest.mark.parametrize("activation", pure_python.ACTIVATIONS)
@pytest.mark.parametrize(
    "output, loss_name", [("softmax", "cross_entropy"), ("sigmoid", "squared_error"), ("identity", "squared_error")]
)
def test_pure_python_seconds_covers(activation, output, loss_name, optimizer):
    seconds = pure_python_seconds(
        [5, 4, 3],
        activation,
        output,
        loss_name,
        batch_size=2,
        n_samples=4,
        epochs=1,
        optimizer=optimizer,
        seconds=0.001,
    )
    assert seconds > 0


@pytest.mark.parametrize(
    "change, message",
    [
        ({"activation": "rellu"}, "did you mean 'relu'"),
        ({"optimizer": "adamm"}, "did you mean 'adam'"),
        ({"output": "softmax"}, "go together"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
    ],
)
def test_pure_python_seconds_refuses(change, message):
    arguments = {
        "widths": [2, 2],
        "activation": "relu",
        "output": "identity",
        "loss": "squared_error",
        "batch_size": 1,
        "n_samples": 1,
        "epochs": 1,
    }
    with pytest.raises(ValueError, match=message):
        pure_python_seconds(**{**arguments, **change})
