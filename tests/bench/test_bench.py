"""The benchmark compares like with like, sizes its samples rightly and prints what it measured."""

from __future__ import annotations

import io
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import fastmlp as fm
from fastmlp.bench import (
    builds,
    compare,
    harness,
    levenberg_marquardt,
    markdown,
    pure_python,
    report,
    table,
    timing,
    worker,
)
from fastmlp.bench.agreement import disagreement, loss, outputs, reference
from fastmlp.bench.cases import CASES, Parameters, Problem, make_problem
from fastmlp.bench.contenders import NAMES, PLAIN, load
from fastmlp.bench.pure_python import pure_python_seconds
from fastmlp.bench.tasks import TASKS, Task

BY_NAME = {case.name: case for case in CASES}
WIDE = "784-1024-1024-10"  # the same code paths as 784-256-128-10, in sizes that a test can do without
TASK = {task.name: task for task in TASKS}
COMPUTING = [name for name in PLAIN if name != "do_nothing"]
SHUFFLES_BY_ITSELF = ("fastmlp", "scikit_learn")


def installed(name: str):
    """The contender; skips the test where its library is missing."""
    try:
        return load(name)
    except ImportError as error:
        pytest.skip(str(error))


def small_problem(name: str, shuffle: bool = False, batch_size: int = 6) -> Problem:
    """Three batches of at most six rows, which nobody may write into."""
    case = BY_NAME[name]
    batch_size = min(case.batch_size, batch_size)
    problem = make_problem(replace(case, batch_size=batch_size, n_samples=3 * batch_size, shuffle=shuffle))
    for array in (problem.X, problem.y, problem.orders, *problem.start.weights, *problem.start.biases):
        array.flags.writeable = False
    return problem


@pytest.mark.parametrize("contender", COMPUTING)
@pytest.mark.parametrize("case", [name for name in BY_NAME if name != WIDE])
def test_every_contender_computes_the_same(case, contender):
    problem = small_problem(case)
    train = load(contender).prepare(problem, 1)
    train(1)  # a training leaves nothing behind for the next one
    assert disagreement(problem, train(2), reference(problem, 2)) is None


@pytest.mark.parametrize("contender", ["jax", "torch_eager"])
@pytest.mark.parametrize("case", ["2-3-1", "784-30-10", "784-256-128-10", "4-32-16-4"])
@pytest.mark.filterwarnings("ignore")  # of these libraries
def test_every_library_computes_the_same(case, contender):
    contender = installed(contender)
    problem = small_problem(case)
    train = contender.prepare(problem, 1)
    train(1)
    assert disagreement(problem, train(2), reference(problem, 2)) is None


@pytest.mark.parametrize("case, batch_size", [("784-30-10", 6), ("784-256-128-10", 100)])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learn_computes_its_stand_in(case, batch_size):
    contender = installed("scikit_learn")
    problem = timing.for_contender(contender, small_problem(case, batch_size=batch_size))
    if case == "784-256-128-10":  # every class must occur
        problem = replace(problem, y=np.arange(len(problem.y)) % 10)
    train = contender.prepare(problem, 1)
    train(1)
    assert problem.case.output in ("identity", "softmax")
    assert disagreement(problem, train(1), reference(problem, 1)) is None


@pytest.mark.parametrize("contender", [name for name in COMPUTING if name not in SHUFFLES_BY_ITSELF])
def test_shuffled_batches_are_the_same_for_all(contender):
    problem = small_problem("784-30-10", shuffle=True)
    ordered = replace(problem, case=replace(problem.case, shuffle=False), orders=np.arange(18)[np.newaxis])
    expected = reference(problem, 3)
    assert disagreement(problem, load(contender).prepare(problem, 1)(3), expected) is None
    assert disagreement(problem, reference(ordered, 3), expected) is not None


@pytest.mark.parametrize("contender", ["jax", "torch_eager"])
@pytest.mark.filterwarnings("ignore")
def test_shuffled_batches_are_the_same_for_libraries(contender):
    contender = installed(contender)
    problem = small_problem("784-30-10", shuffle=True)
    assert disagreement(problem, contender.prepare(problem, 1)(3), reference(problem, 3)) is None


def test_orders_are_permutations_and_heads_keep_them():
    problem = make_problem(BY_NAME["784-30-10"])
    head = problem.head(2)
    assert not (problem.orders[0] == problem.orders[1]).all()
    np.testing.assert_array_equal(np.sort(head.orders, axis=1), np.tile(np.arange(20), (len(head.orders), 1)))
    taken = np.concatenate([problem.X[rows] for rows in head.batches(1)])
    np.testing.assert_array_equal(taken, head.X[head.orders[1]])


@pytest.mark.parametrize("contender", ["fastmlp", "numpy_batch", "jax", "torch_eager", "scikit_learn"])
@pytest.mark.parametrize("rows", [1, 1500])
@pytest.mark.filterwarnings("ignore")
def test_predictions_are_checked(contender, rows):
    contender = installed(contender)
    problem = timing.for_contender(contender, small_problem("784-30-10"))
    predict = timing.prediction(contender, replace(TASK["predict-60000"], rows=rows), problem, 1)
    assert np.asarray(predict()).shape == (rows, 10)
    wrong = replace(problem, start=Parameters([W + 0.1 for W in problem.start.weights], problem.start.biases))
    lying = SimpleNamespace(TITLE="fake", prepare_predict=lambda _, X, n: contender.prepare_predict(wrong, X, n))
    with pytest.raises(timing.DisagreementError, match="fake predicts something else"):
        timing.prediction(lying, replace(TASK["predict-60000"], rows=rows), problem, 1)


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


def test_disagreement_sees_a_wrong_step_and_a_wrong_path():
    problem = small_problem("784-30-10")
    expected = reference(problem, 2)
    assert "reaches loss" in disagreement(problem, reference(problem, 1), expected)
    # Weights of a pixel that is always zero do not change the loss, yet nobody should have moved them.
    blank = np.flatnonzero(~problem.X.any(axis=0))
    weights = [W.copy() for W in expected.weights]
    weights[0][blank] += 1.0
    assert "another path" in disagreement(problem, Parameters(weights, expected.biases), expected)


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
    assert TASK["predict-60000"].flop == 60_000 * 2 * (784 * 30 + 30 * 10)
    assert TASK["fit-iris"].flop is None


def test_rows_leave_out_whom_they_do_not_suit():
    assert TASK["784-30-10"].reason_against("pure_python", False) is None
    assert "a minute" in TASK[WIDE].reason_against("pure_python", False)
    assert TASK[WIDE].reason_against("do_nothing", False) is None
    assert "steps" in TASK["fit-iris"].reason_against("numpy_example", False)
    assert "prediction" in TASK["predict-1"].reason_against("numpy_example", False)
    assert TASK["predict-1"].reason_against("fastmlp", True) is None


@pytest.fixture
def fake_contender(monkeypatch):
    """A contender that takes 3 ms to set up and 1 ms per step, by a clock that only it moves."""
    clock = SimpleNamespace(now=0.0)
    prepared, trained = [], []

    def prepare(problem, n_threads):
        prepared.append((problem.steps_per_epoch, n_threads))

        def train(epochs):
            trained.append(epochs)
            clock.now += 0.003 + 0.001 * epochs * problem.steps_per_epoch
            return problem.start

        return train

    monkeypatch.setattr(timing, "perf_counter", lambda: clock.now)
    return SimpleNamespace(
        TITLE="fake", COMPUTES=True, PARALLEL=True, prepare=prepare, prepared=prepared, trained=trained
    )


def task_of(problem: Problem, **changes) -> Task:
    return Task(problem.case.name, "a test", problem.case, **changes)


def test_a_slow_contender_gets_a_sample(fake_contender):
    problem = make_problem(BY_NAME["2-3-1"])
    work = timing.get_ready(fake_contender, task_of(problem), problem, n_threads=2, budget=0.05)
    assert work.loops == 1
    assert 25 <= work.units <= 51  # 0.05 s at 1 ms each, of 1000 in an epoch
    assert fake_contender.prepared[-1] == (work.units, 2)
    assert work.seconds() == pytest.approx((0.003 + 0.001 * work.units) / work.units)


def test_a_fast_contender_gets_many_epochs(fake_contender):
    problem = make_problem(replace(BY_NAME["2-3-1"], n_samples=40))
    work = timing.get_ready(fake_contender, task_of(problem), problem, n_threads=1, budget=0.2)
    assert work.units == 10
    assert 9 <= work.loops <= 21


def test_a_fit_is_one_call(fake_contender):
    problem = make_problem(replace(BY_NAME["2-3-1"], n_samples=40))
    work = timing.get_ready(fake_contender, task_of(problem, kind="fit", epochs=7), problem, n_threads=1, budget=0.2)
    assert set(fake_contender.trained) == {7}
    assert work.seconds() == pytest.approx(0.073)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_many_fits_are_each_of_a_network_of_its_own(fake_contender, n_threads):
    problem = make_problem(replace(BY_NAME["2-3-1"], n_samples=4))
    timing.get_ready(fake_contender, task_of(problem, kind="fits", epochs=2), problem, n_threads, budget=0.01)
    assert fake_contender.prepared == [(1, 1)] * timing.FITS
    assert len(fake_contender.trained) % timing.FITS == 0


@pytest.mark.parametrize("n_right, passes", [(98, True), (97, False)])
def test_a_target_must_be_reached(fake_contender, monkeypatch, n_right, passes):
    problem = make_problem(replace(BY_NAME["2-3-1"], n_samples=4))
    answers = np.eye(2)[(np.arange(100) < n_right).astype(int)]
    monkeypatch.setattr(timing, "mnist", lambda case: (problem, None, np.ones(100, int)))
    monkeypatch.setattr(timing, "outputs", lambda case, parameters, X: answers)
    task = task_of(problem, kind="target", epochs=5)
    if passes:
        assert timing.get_ready(fake_contender, task, problem, 1, 0.1).seconds() == pytest.approx(0.008)
        assert fake_contender.trained == [5, 5]
    else:
        with pytest.raises(timing.DisagreementError, match="97.00% of the test digits are right, expected 98%"):
            timing.get_ready(fake_contender, task, problem, 1, 0.1)


def test_a_contender_that_computes_something_else_is_refused(fake_contender):
    with pytest.raises(timing.DisagreementError, match="fake on 2-3-1 (reaches loss|takes another path)"):
        timing.check(fake_contender, make_problem(BY_NAME["2-3-1"]), 1)


class Answers:
    """Stands in for a contender's process: answers from a list."""

    def __init__(self, contender, n_threads):
        self.us = {"fastmlp": 30.0, "numpy_batch": 60.0, "pure_python": 4e6}[contender] * (1 if n_threads == 1 else 0.9)
        self.closed = False
        OPEN.append(self)

    def ask(self, message, *arguments):
        if message == "ready":
            rows = 10 if self.us > 1e5 else 10_000
            return {"units": rows // 10, "rows": rows, "warm_up_seconds": 0.5, "stand_in": False}
        return self.us * 1e-6 if message == "repeat" else 12.3

    def close(self):
        self.closed = True


OPEN: list[Answers] = []


@pytest.fixture
def no_processes(monkeypatch):
    OPEN.clear()
    monkeypatch.setattr(harness, "Worker", Answers)
    monkeypatch.setattr(harness, "Sgemm", lambda n: SimpleNamespace(repeat=lambda: None, gflops=95.88 * n))


def test_repeats_are_bounded_and_the_better_threads_count(no_processes):
    result = harness.measure(TASK["784-30-10"], ["fastmlp", "pure_python"], (1, 2), repeats=4, budget=0.05)
    assert [(e.contender, e.n_threads, len(e.seconds)) for e in result.entries] == [
        ("fastmlp", 1, 4),
        ("fastmlp", 2, 4),
        ("pure_python", 1, 1),  # one step already took longer than four repeats should; more threads are of no use
    ]
    best = result.best("fastmlp")
    assert (best.n_threads, best.quantile(0.5)) == (2, pytest.approx(27.0))
    assert result.share(best) == pytest.approx(BY_NAME["784-30-10"].flop_per_step / (2 * 95.88e3) / 27.0)
    assert all(answers.closed for answers in OPEN)


def test_command_prints_ratios_and_writes_json(no_processes, tmp_path):
    path = tmp_path / "figures.json"
    options = ["--case", "784-30-10", "--case", WIDE, "--threads", "1", "--json", str(path)]
    for name in ("pure_python", "numpy_batch", "fastmlp"):
        options += ["--contender", name]
    result = CliRunner().invoke(table.bench, options)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["784-30-10,", "10", "30", "60", "(2x)", "4", "000", "000", "(133", "000x)"] in lines
    assert [f"{WIDE},", "256", "30", "60", "(2x)", "-"] in lines
    assert ["784-30-10,", "10", "30", "33.3", "%", "12", "95.9"] in lines
    assert "pure Python (from 1 step(s))" in result.stdout
    assert "- for pure Python: a step would take a minute." in result.stdout
    written = json.loads(path.read_text(encoding="utf-8"))
    assert [figure["us"] for figure in written["figures"]] == pytest.approx([30.0, 60.0, 4e6, 30.0, 60.0])
    assert written["figures"][2]["rows_used"] == 10
    assert written["machine"]["versions"]["numpy"] == np.__version__


def test_the_lead_is_a_geometric_mean_over_training_rows():
    def row(task, ours, **peers):
        entries = [harness.Entry(name, 1, 1, None, 0.0, seconds=[us * 1e-6]) for name, us in peers.items()]
        entries.append(harness.Entry("fastmlp", 1, 1, None, 0.0, seconds=[ours * 1e-6]))
        return harness.Result(TASK[task], {1: 100.0}, tuple(entries))

    rows = [
        row("2-3-1", 1.0, numpy_batch=2.0, pure_python=9.0, do_nothing=0.1),
        row("fit-iris", 10.0, numpy_batch=80.0),
    ]
    assert report.lead([*rows, row("predict-1", 1.0, numpy_batch=1000.0)]) == pytest.approx(4.0)
    assert "takes 4.00 times as long (geometric mean over training rows)" in report.notes(rows, (1,))
    assert report.lead([row("2-3-1", 1.0)]) is None


def test_images_have_zeros_unless_the_case_has_none():
    shares = [(make_problem(TASK[name].case).X == 0).mean() for name in ("784-30-10", "784-30-10-no-zeros")]
    assert shares[0] == pytest.approx(0.8, abs=0.01)
    assert shares[1] < 1e-4
    assert TASK["784-30-10-no-zeros"].label == "784-30-10 no zeros, 10"


def test_stand_ins_are_marked():
    entry = harness.Entry("numpy_batch", 1, 1, None, 0.0, stand_in=True, seconds=[5e-6])
    result = harness.Result(TASK["fit-iris"], {1: 100.0}, (entry,))
    assert report.cell(result, "numpy_batch") == "~5"
    assert "cannot express" in report.notes([result], (1,))


def test_command_leaves_out_what_is_not_installed(monkeypatch):
    def load_none(name):
        raise ImportError("No module named 'somelib'")

    monkeypatch.setattr(table, "load", load_none)
    result = CliRunner().invoke(table.bench, ["--contender", "numpy_batch"])
    assert result.exit_code == 1
    assert "numpy_batch is left out: No module named 'somelib'" in result.output


def test_command_end_to_end(tmp_path):
    picture = tmp_path / "bench.svg"
    result = CliRunner().invoke(
        table.bench,
        ["--case", "3-4-1", "--contender", "numpy_batch", "--contender", "do_nothing", "--picture", str(picture)],
    )
    assert result.exit_code == 0, result.output
    assert "NumPy batch" in result.stdout
    assert "do nothing" in result.stdout
    assert "<svg" in picture.read_text(encoding="utf-8")


def test_a_contender_of_a_process_that_fails_is_reported():
    process = harness.Worker("no_such_contender", 1)
    with pytest.raises(ImportError, match="no_such_contender"):
        process.ask("ready", TASK["2-3-1"], 0.1)
    process.close()
    with pytest.raises((RuntimeError, ValueError)):
        process.ask("repeat")


def test_worker_measures_time_and_memory():
    requests = io.BytesIO()
    task = replace(TASK["2-3-1"], case=replace(BY_NAME["2-3-1"], n_samples=40))
    for message in (("ready", task, 0.01), ("repeat",), ("memory",)):
        pickle.dump(message, requests)
    answers = io.BytesIO()
    requests.seek(0)
    worker.serve(requests, answers, "numpy_batch", 1)
    answers.seek(0)
    ready, seconds, memory = (pickle.load(answers) for _ in range(3))
    assert ready["rows"] == 40
    assert 0 < seconds < 0.1
    assert memory is None or memory < 500


def write_figures(path, **us):
    figures = [
        {"task": name, "contender": "fastmlp", "threads": n, "us": value * n}
        for name, value in us.items()
        for n in (1, 2)
    ]
    path.write_text(json.dumps({"machine": {"processor": "p"}, "figures": figures}), encoding="utf-8")
    return str(path)


def test_compare_fails_past_both_limits_only(tmp_path):
    before = write_figures(tmp_path / "before.json", long=100.0, short=0.3)
    run = CliRunner().invoke
    noise = write_figures(tmp_path / "noise.json", long=105.0, short=0.35)  # 5 % of a long one, 17 % of a short one
    assert run(compare.compare, [before, noise]).exit_code == 0
    slower = run(compare.compare, [before, write_figures(tmp_path / "slower.json", long=115.0, short=0.3)])
    assert slower.exit_code == 1
    assert [line.split()[:2] for line in slower.stdout.splitlines()] == [["FAILED", "long"], ["ok", "short"]]
    missing = run(compare.compare, [before, write_figures(tmp_path / "missing.json", long=90.0)])
    assert missing.exit_code == 1
    assert "missing" in missing.stdout


def test_compare_refuses_what_is_no_result_file(tmp_path):
    path = tmp_path / "other.json"
    path.write_text("[]", encoding="utf-8")
    result = CliRunner().invoke(compare.compare, [str(path), str(path)])
    assert result.exit_code == 1
    assert "has no figures" in result.output


@pytest.mark.parametrize("script", ["run.py", "compare.py", "picture.py", "markdown.py", "techniques.py"])
def test_scripts_run_from_a_checkout(script):
    path = Path(__file__).parents[2] / "bench" / script
    done = subprocess.run([sys.executable, str(path), "--help"], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout


def test_inputs_of_predictions():
    problem = small_problem("784-30-10")
    one, many = TASK["predict-1"].inputs(problem), TASK["predict-60000"].inputs(problem)
    assert (one.shape, one.dtype) == ((1, 784), np.float32)
    assert (many.shape, many.dtype) == ((60_000, 784), np.uint8)
    assert 0.7 < (many == 0).mean() < 0.9
    expected = outputs(problem.case, problem.start, one.astype(float))
    assert expected.shape == (1, 10)


def test_every_contender_has_a_file():
    folder = Path(timing.__file__).parent / "contenders"
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(NAMES)


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


def test_the_readme_shows_the_committed_results():
    root = Path(__file__).parents[2]
    committed = json.loads((root / "bench" / "results.json").read_text(encoding="utf-8"))
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert markdown.table(committed) in readme
    assert {record["task"] for record in committed["figures"]} == set(TASK)
    assert {record["contender"] for record in committed["figures"]} == set(NAMES)
    ours, pure = (
        min(r["us"] for r in committed["figures"] if (r["task"], r["contender"]) == ("784-30-10", name))
        for name in ("fastmlp", "pure_python")
    )
    assert f"Pure Python takes {pure / ours:,.0f} times as long" in readme
    assert (root / "docs" / "benchmark.svg").exists()


def test_the_table_in_markdown():
    def figure(contender, threads, us, share=None, **changes):
        record = {"task": "a", "label": "a, 1", "contender": contender, "title": contender.upper(), "threads": threads}
        return record | {"us": us, "stand_in": False, "share_of_peak": share} | changes

    figures = [figure("fastmlp", 1, 10.0, 0.81), figure("fastmlp", 2, 8.0, 0.5), figure("jax", 1, 30.0, 0.3)]
    lines = markdown.table({"figures": [*figures, figure("scikit_learn", 1, 4000.0, stand_in=True)]}).splitlines()
    assert lines[0] == "| row, batch | FASTMLP | JAX | SCIKIT_LEARN | share of sgemm peak, 1 / 2 threads |"
    assert lines[2] == "| a, 1 | **8** | 30 (3.75x) | ~4 000 (500x) | 0.81 / 0.50 |"


def test_estimators_stand_beside_those_of_scikit_learn(tmp_path):
    pytest.importorskip("sklearn")
    from fastmlp.bench import estimators

    given = ["sets", str(tmp_path), "--only", "optdigits", "--seeds", "1", "--rows", "300"]
    result = CliRunner().invoke(estimators.main, given)
    assert result.exit_code == 0, result.output
    name, rows, columns, ours, _, _, theirs, _, _, seconds, other, ratio = result.stdout.splitlines()[1].split()
    assert (name, rows, columns) == ("optdigits", "300", "64")
    assert 0 < float(ours) < 0.3 and abs(float(ours) - float(theirs)) < 0.05
    assert float(ratio) == pytest.approx(float(other) / float(seconds), rel=0.2)


def test_sparse_rows_are_measured():
    pytest.importorskip("sklearn")
    from fastmlp.bench import sparse

    X, y = sparse.make_rows(300, 1000, 0.01)
    assert X.shape == (300, 1000) and X.sum() == 3000 and 0.3 < y.mean() < 0.7
    result = CliRunner().invoke(sparse.main, ["--library", "fastmlp", "--rows", "600", "--epochs", "1"])
    found = json.loads(result.stdout)
    assert found["seconds"] > 0 and 0.5 < found["loss"] < 1.0 and found["megabytes"] < 200


def test_levenberg_marquardt_compared_with_adam(monkeypatch):
    monkeypatch.setattr(levenberg_marquardt, "TIMES", (1e-4, 2e-3))
    monkeypatch.setattr(levenberg_marquardt, "LEARNING_RATES", (0.01,))
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    result = CliRunner().invoke(levenberg_marquardt.main, ["--seeds", "1"])
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines() if line.startswith("sine")]
    assert [row[2] for row in rows] == ["0.0001", "0.002"]
    for _, _, _, adam, other, ratio in rows:
        assert float(ratio) == pytest.approx(float(adam) / float(other), rel=0.02)


def test_builds_are_compared_in_pairs():
    machine = np.array([[1.0, 5.0, 1.0], [2.0, 1.0, 9.0], [1.0, 1.0, 1.0]])  # how slow it was at every turn
    found = builds.summarize(np.stack([10 * machine, 12 * machine]))
    assert (found.old, found.new) == (10, 12)
    assert found.cells("a") == ["a", "10", "12", "1.200", "1.200", "0.000"]
    drifting = builds.summarize(np.stack([np.ones((4, 2)), np.full((4, 2), [[1.0], [1.1], [1.2], [1.3]])]))
    assert drifting.in_pairs == pytest.approx(1.15) and drifting.error == pytest.approx(0.93 * 0.15 / 2)


@pytest.mark.parametrize("task", ["3-4-1", "fit-iris", "predict-1", "train_on_batch"])
def test_a_build_is_timed_against_itself(task, monkeypatch):
    monkeypatch.setattr(builds, "TURNS", 5)
    given = [sys.executable, sys.executable, "--rounds", "1", "--only", task]
    result = CliRunner().invoke(builds.main, given)
    assert result.exit_code == 0, result.output
    old, new, *_, last = result.stdout.splitlines()
    assert old.partition(" ")[2] == new.partition(" ")[2] == str(Path(fm.__file__))
    name, *figures = last.split()
    assert name == task and all(0 < float(figure) < 1e5 for figure in figures[:4])


def test_a_build_that_fails_is_named(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    broken.chmod(0o755)
    result = CliRunner().invoke(builds.main, [sys.executable, str(broken), "--rounds", "1", "--only", "predict-1"])
    assert result.exit_code == 1 and f"the process of {broken} ended with exit code 3" in result.stderr
