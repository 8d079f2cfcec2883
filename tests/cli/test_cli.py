"""The command ``fastmlp``: every kind of data, what is printed, what is written, and how it ends when it can't."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run

import fastmlp as fm
from fastmlp.network import load_with_extra
from fastmlp.persistence.models import save
from fastmlp.tables.target import Target
from fastmlp.training import epochs as training

RNG = np.random.default_rng(0)
QUICK = ("--epochs", "3", "--seed", "0")


def installed(*arguments, **options):
    """Run the installed command in a process of its own, with pipes for its outputs."""
    command = Path(sys.executable).with_name("fastmlp")
    return subprocess.run(
        [command, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False, **options
    )


@pytest.fixture
def model(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.fixture(scope="module")
def digits_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("digits") / "digits.safetensors"
    run("train", *QUICK, "--quiet", "--save", path)
    return path


@pytest.fixture
def fruit(tmp_path):
    """A table of three classes that its columns decide: text, number, a code and a useless row number."""
    path = tmp_path / "fruit.csv"
    lines = ["row,grams,colour,code,fruit"]
    kinds = (("apple", 150, "red", 7), ("banana", 120, "yellow", 8), ("lime", 60, "green", 7))
    for i in range(120):
        name, grams, colour, code = kinds[i % 3]
        lines.append(f"{i},{grams + RNG.normal(0, 5):.1f},{colour},{code},{name}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def prices(tmp_path):
    """A table of a number far from 0 that depends on its columns in a straight line."""
    path = tmp_path / "prices.csv"
    rooms, age = RNG.uniform(1, 6, 300), RNG.uniform(0, 50, 300)
    price = 50_000 * rooms - 1000 * age + 200_000
    rows = "".join(f"{r:.3f},{a:.3f},{p:.2f}\n" for r, a, p in zip(rooms, age, price, strict=True))
    path.write_text("rooms,age,price\n" + rows)
    return path


def accuracy_in(output, part="Test"):
    """The per cent printed."""
    return float(re.search(rf"{part} accuracy (\d+\.\d+) %", output)[1])


def test_the_installed_command_trains_on_the_bundled_digits():
    done = installed("train", *QUICK)
    assert done.returncode == 0
    assert done.stderr == ""  # no progress bar in a pipe
    assert "\r" not in done.stdout and "fit:" not in done.stdout
    assert accuracy_in(done.stdout) > 92
    assert re.search(
        r"bundled digits: 3 823 rows for training, 1 797 for testing; 64 columns -> 10 classes", done.stdout
    )
    assert re.search(r"^Trained 3 epochs in [\d.]+ s: [\d ]+ samples per second$", done.stdout, re.M)
    assert re.search(r"^[\d .]+ times as fast as pure Python, which would take \S+ \w+$", done.stdout, re.M)
    assert "just timed in pure Python" in done.stdout


def test_the_confusion_matrix_printed_counts_every_test_digit():
    rows = re.findall(r"^ {2}\d  (.*?)  +[\d.]+ %$", run("train", *QUICK), re.M)
    counts = np.array([[int(cell.replace(".", "0")) for cell in row.split()] for row in rows])
    assert counts.shape == (10, 10)
    assert counts.sum(axis=1).tolist() == np.bincount(fm.load_digits().y_test).tolist()


@pytest.mark.plain_build(reason="40 epochs take a minute in a build with checks")
def test_the_defaults_reach_97_per_cent_on_the_test_digits(tmp_path):
    digits = fm.load_digits()
    accuracies = []
    for seed in range(5):
        run("train", "--quiet", "--seed", seed, "--save", tmp_path / "model")
        accuracies.append(fm.accuracy(digits.y_test, fm.load(tmp_path / "model").predict(digits.X_test)))
    assert np.mean(accuracies) >= 0.975


def test_the_seed_decides_everything(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("train", "--epochs", "1", "--quiet", "--seed", seed, "--threads", "1", "--save", tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_quiet_prints_nothing():
    assert run("train", *QUICK, "--quiet") == ""


def test_saved_digits_predict_raw_pixels(digits_model, tmp_path):
    network, extra = load_with_extra(digits_model)
    digits = fm.load_digits()
    assert extra == {"classes": [str(i) for i in range(10)]}
    expected = network.predict(digits.X_test)
    output = run("predict", digits_model, "--probabilities", "--output", tmp_path / "out.csv")
    right = 100 * fm.accuracy(digits.y_test, expected)
    assert f"Accuracy {right:.2f} %" in output and "(1 797 rows)" in output
    with open(tmp_path / "out.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["predicted", *(f"p({i})" for i in range(10))]
    assert [int(row[0]) for row in rows] == expected.argmax(axis=1).tolist()
    np.testing.assert_array_equal(np.array([row[1:] for row in rows], dtype=np.float32), expected)


def test_predictions_go_to_the_output_and_the_accuracy_to_the_error_output(digits_model):
    done = installed("predict", digits_model)
    lines = done.stdout.splitlines()
    assert lines[0] == "predicted" and len(lines) == 1798 and set(lines[1:]) == set("0123456789")
    assert re.fullmatch(r"Accuracy [\d.]+ % \(\d+ of 1 797 wrong\)\n", done.stderr)


def test_info_shows_what_is_in_a_model(digits_model):
    output = run("info", digits_model)
    assert "64 -> 256 relu -> dropout 0.2 -> 10 softmax" in output
    assert "19 210 of float32" in output and "cross_entropy, label smoothing 0.1" in output
    assert "64 columns, each (x - 0) * 0.0625" in output
    assert "0, 1, 2, 3, 4, 5, 6, 7, 8, 9" in output
    assert re.search(r"^  0\.weight +64 x 256  Dense, from -\d", output, re.M)
    assert f"{digits_model.stat().st_size:,}".replace(",", " ") in output


def test_plot_writes_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    output = run("train", *QUICK, "--validation-fraction", "0.1", "--plot", tmp_path / "curves.png")
    content = (tmp_path / "curves.png").read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) > 5000
    assert f"Written: {tmp_path / 'curves.png'}" in output
    assert "3 441 rows for training, 382 for validation, 1 797 for testing" in output
    assert "expected a name that ends in .png" in refused("train", "--plot", tmp_path / "curves.xyz")


def test_a_table_with_classes(fruit, model, tmp_path):
    output = run("train", fruit, "--target", "fruit", "--categorical", "code", "--save", model)
    assert "96 rows for training, 24 for testing -> 'fruit' (3 classes)" in output
    assert "2 categories, 1 number -> 5 inputs; set aside: row (row number)" in output
    assert accuracy_in(output) == 100
    new = tmp_path / "new.csv"
    new.write_text("colour,code,grams\nyellow,8,118\nred,7,149\n")
    assert run("predict", model, new) == "fruit\nbanana\napple\n"
    assert "Accuracy 100.00 % (0 of 120 wrong)" in run("predict", model, fruit)
    output = run("info", model)
    assert re.search(r"^  colour +category +3 +3 values: green, red, yellow$", output, re.M)
    assert re.search(r"^  row +set aside +0 +row number$", output, re.M)
    assert re.search(r"^Target +'fruit'\nClasses +apple, banana, lime$", output, re.M)


def test_the_target_may_be_named_by_position(fruit):
    by_name = run("train", fruit, "--target", "colour", *QUICK)
    by_position = run("train", fruit, "--target", "2", *QUICK)
    assert "'colour' (3 classes)" in by_position
    assert accuracy_in(by_name) == accuracy_in(by_position)


def test_a_table_with_numbers_is_predicted_in_their_unit(prices, model):
    output = run("train", prices, "--save", model)
    assert "Test error of 'price'" in output and "pure Python" not in output
    assert float(re.search(r"R\^2 +([\d.]+)", output)[1]) > 0.99
    printed = [float(line) for line in run("predict", model, prices).splitlines() if re.fullmatch(r"[\d.]+", line)]
    table = np.loadtxt(prices, delimiter=",", skiprows=1)
    assert len(printed) == len(table)
    assert np.abs(np.array(printed) - table[:, 2]).mean() < 5000
    assert "predicts numbers, not classes" in refused("predict", model, prices, "--probabilities")


@pytest.mark.parametrize("loss", ["mse", "absolute_error", "huber", "quantile"])
def test_other_losses_for_numbers(prices, loss):
    output = run("train", prices, "--loss", loss)
    assert float(re.search(r"R\^2 +([\d.]+)", output)[1]) > 0.9
    assert "pure Python" not in output  # which knows none of them


def test_two_classes_on_one_output(fruit, model):
    lines = [line for line in fruit.read_text().splitlines() if not line.endswith("lime")]
    fruit.write_text("\n".join(lines) + "\n")
    assert accuracy_in(run("train", fruit, "--loss", "binary_cross_entropy", "--save", model)) == 100
    assert fm.load(model).n_outputs == 1
    output = run("predict", model, fruit, "--probabilities")
    assert "Accuracy 100.00 %" in output
    table = list(csv.reader(output[output.index("fruit,") :].splitlines()))
    assert table[0] == ["fruit", "p(apple)", "p(banana)"]
    assert all(float(p) + float(q) == pytest.approx(1) for _, p, q in table[1:])
    assert all((float(q) > 0.5) == (name == "banana") for name, _, q in table[1:])


def test_npz_without_a_test_part_and_with_labels_of_its_own(tmp_path, model):
    path = tmp_path / "points.npz"
    X = RNG.normal(size=(100, 3))
    np.savez(path, X=X, y=np.where(X[:, 0] > 0, 9, -4))
    output = run("train", path, "--save", model)
    assert "80 rows for training, 20 for testing; 3 columns -> 2 classes" in output
    assert load_with_extra(model)[1]["classes"] == ["-4", "9"]
    assert set(run("predict", model, path).splitlines()) >= {"predicted", "-4", "9"}
    np.savez(path, X=X, y=np.where(X[:, 0] > 0, 9, 5))
    n_unknown = int(np.sum(X[:, 0] <= 0))
    assert f"wrong); {n_unknown} rows without a class that the model knows left out" in run("predict", model, path)


def test_npz_with_a_test_part_and_several_numbers(tmp_path, model):
    path = tmp_path / "points.npz"
    X = RNG.normal(size=(120, 3))
    y = X @ RNG.normal(size=(3, 2)) * 100 + 1000
    np.savez(path, X_train=X[:90], y_train=y[:90], X_test=X[90:], y_test=y[90:])
    output = run("train", path, "--epochs", "60", "--batch-size", "8", "--save", model)
    assert "90 rows for training, 30 for testing; 3 columns -> numbers" in output
    assert float(re.search(r"R\^2 +([\d.]+)", output)[1]) > 0.95
    lines = run("predict", model, path).splitlines()
    assert "predicted_0,predicted_1" in lines and sum("," in line for line in lines) == 31 + 1  # and the R^2 line
    assert "-> numbers" in run("train", path, "--task", "regression", *QUICK)
    assert "one whole number" in refused("train", path, "--task", "classification")
    np.savez(path, X_train=X[:90], y_train=y[:90, :1], X_test=X[90:], y_test=y[90:, :1])
    assert "3 columns -> numbers" in run("train", path, *QUICK, "--save", model)
    assert load_with_extra(model)[0].n_outputs == 1


@pytest.fixture
def images(tmp_path):
    """A folder of IDX files: a bright upper half is a 1."""
    folder = tmp_path / "images"
    folder.mkdir()
    for part, n in (("train", 200), ("t10k", 50)):
        labels = RNG.integers(0, 2, n).astype(np.uint8)
        pixels = RNG.integers(0, 60, (n, 4, 4)).astype(np.uint8)
        pixels[labels == 1, :2] += 140
        fm.write_idx(folder / f"{part}-images-idx3-ubyte.gz", pixels)
        fm.write_idx(folder / f"{part}-labels-idx1-ubyte", labels)
    return folder


def test_a_folder_of_idx_files(images, model):
    output = run("train", images, "--save", model)
    assert "images: 200 rows for training, 50 for testing; 16 columns -> 2 classes" in output
    assert accuracy_in(output) == 100
    assert fm.load(model).input.scale[0] == pytest.approx(1 / 199)
    assert "Accuracy 100.00 % (0 of 50 wrong)" in run("predict", model, images)
    assert len(run("predict", model, images / "t10k-images-idx3-ubyte.gz").splitlines()) == 51


def test_options_shape_the_network(model):
    run("train", *QUICK, "--hidden", "12, 8", "--activation", "tanh", "--dropout", "0", "--dtype", "float64",
        "--optimizer", "sgd", "--momentum", "0.9", "--learning-rate", "0.05", "--schedule", "cosine",
        "--label-smoothing", "0", "--quiet", "--save", model)  # fmt: skip
    network = fm.load(model)
    assert network.layers == (fm.Dense(12, "tanh"), fm.Dense(8, "tanh"), fm.Dense(10))
    assert network.dtype == np.float64 and network.loss == fm.Loss("cross_entropy")
    textbook = ("--hidden", "none", "--loss", "squared_error", "--output", "sigmoid")
    run("train", *QUICK, *textbook, "--quiet", "--save", model)
    network = fm.load(model)
    assert network.layers == (fm.Dense(10),) and network.output == "sigmoid"


def test_a_schedule_is_as_long_as_the_training_that_began(fruit, tmp_path):
    """So a run can be resumed for more epochs."""
    options = [fruit, "--checkpoint", tmp_path / "run.ckpt", "--resume", "--optimizer", "sgd", "--seed", "0"]
    run("train", *options, "--epochs", "3", "--quiet")
    assert "5 epochs" in run("train", *options, "--epochs", "5")


@pytest.mark.parametrize("optimizer", ["rmsprop", "adagrad", "adamw", "nadam", "rprop", "lbfgs"])
def test_every_optimizer_runs_with_its_defaults(fruit, optimizer):
    assert "Test accuracy" in run("train", fruit, "--epochs", "2", "--optimizer", optimizer)


def test_numbers_may_be_fitted_by_levenberg_marquardt(prices):
    output = run("train", prices, "--epochs", "2", "--optimizer", "levenberg_marquardt", "--hidden", "4")
    assert "Test " in output


def test_weight_decay_and_a_constant_rate_reach_the_optimizer(prices, model, tmp_path):
    def weights(*options):
        run("train", prices, *QUICK, "--optimizer", "sgd", "--learning-rate", "0.01", "--save", model, *options)
        return load_with_extra(model)[0].params

    plain = weights("--schedule", "constant")
    assert np.linalg.norm(weights("--schedule", "constant", "--weight-decay", "1")) < np.linalg.norm(plain)
    assert (weights("--schedule", "cosine") != plain).any()


def test_patience_ends_a_training_early(fruit):
    output = run("train", fruit, "--patience", "2", "--validation-fraction", "0.2", "--epochs", "1000")
    assert re.search(
        r"^Stopped early: val_loss .*\nThe weights are those of epoch \d+, the best in validation$", output, re.M
    )
    assert "Validation accuracy" in output
    output = run("train", fruit, "--validation-fraction", "0.2", *QUICK)
    assert "The weights are those of the last epoch" in output and "--patience keeps the best" in output


def test_a_resumed_training_says_where_it_went_on(fruit, tmp_path):
    options = [fruit, "--checkpoint", tmp_path / "run.ckpt", "--resume", "--seed", "0"]
    assert "Resumed" not in run("train", *options, "--epochs", "3")
    assert "Resumed from epoch 3: 2 epochs were new" in run("train", *options, "--epochs", "5")


def test_without_a_test_part_the_training_rows_judge(fruit):
    output = run("train", fruit, "--test-fraction", "0", *QUICK)
    assert "120 rows for training -> 'fruit'" in output and "Training accuracy" in output


def test_ctrl_c_keeps_the_work(monkeypatch, model, tmp_path):
    record, calls = training.record, []

    def interrupted_record(*arguments, **values):
        record(*arguments, **values)
        calls.append(len(values["loss"]))
        if len(calls) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "record", interrupted_record)
    output = run("train", "--save", model, code=130)
    assert f"Trained {sum(calls)} epochs in" in output and "Stopped early: interrupted" in output
    assert f"Written: {model}" in output and "pure Python" not in output
    assert accuracy_in(output) > 80
    assert fm.load(model).n_outputs == 10


def test_ctrl_c_in_the_first_epoch(monkeypatch, model, tmp_path):
    def interrupted(*arguments, **values):
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "record", interrupted)
    output = run("train", "--save", model, "--plot", tmp_path / "curves.png", code=130)
    assert "Interrupted during the first epoch." in output
    assert model.exists() and not (tmp_path / "curves.png").exists()


def test_bad_data_is_one_sentence(tmp_path, fruit, digits_model):
    uneven = tmp_path / "uneven.csv"
    uneven.write_text("a,b\n1,2\n3,4,5\n")
    assert "uneven.csv, line 3 has 3 fields" in refused("train", uneven)
    assert "did you mean 'fruit'" in refused("train", fruit, "--target", "fruits")
    assert "are for a table, which the bundled digits are not" in refused("train", "--target", "x")
    assert "are for a table, which the bundled digits are not" in refused("predict", digits_model, "--keep", "x")
    (tmp_path / "empty").mkdir()
    assert "does not hold images and labels as IDX files" in refused("train", tmp_path / "empty")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 and no more")
    assert "is damaged or not an NPZ file" in refused("train", tmp_path / "cut.npz")
    fm.write_idx(tmp_path / "one.idx", np.zeros((3, 2, 2), np.uint8))
    assert "without its labels or images beside it" in refused("train", tmp_path / "one.idx")
    assert f"one.idx has 4 columns, {digits_model} needs 64" in refused("predict", digits_model, tmp_path / "one.idx")
    single = tmp_path / "single.csv"
    single.write_text("a,b\n1,x\n2,x\n")
    assert "target 'b' is x in every row; there is nothing to learn" in refused("train", single)
    np.savez(tmp_path / "constant.npz", X=np.eye(3), y=np.full(3, 2.5))
    assert "the target is 2.5 in every row" in refused("train", tmp_path / "constant.npz")
    assert "is not a safetensors file" in refused("info", fruit)
    assert "is not a safetensors file" in refused("predict", fruit)
    np.savez(tmp_path / "many.npz", X=np.zeros((1200, 1)), y=np.arange(1200))
    assert "1200 different whole numbers; if they are not classes, use --task regression" in refused(
        "train", tmp_path / "many.npz"
    )


def test_bad_settings_are_one_sentence(fruit, prices, tmp_path):
    assert "--loss huber is for numbers" in refused("train", fruit, "--loss", "huber")
    assert "is for two classes, got 3" in refused("train", fruit, "--loss", "binary_cross_entropy")
    assert "is for classes, but the targets are numbers" in refused("train", prices, "--loss", "cross_entropy")
    assert "--label-smoothing is for cross-entropies" in refused("train", prices, "--label-smoothing", "0.1")
    assert "--learning-rate must be a finite number" in refused("train", "--learning-rate", "nan")
    assert "--learning-rate is not for lbfgs" in refused("train", "--learning-rate", "1", "--optimizer", "lbfgs")
    marquardt = ("--optimizer", "levenberg_marquardt")
    assert "--learning-rate is not for levenberg_marquardt" in refused("train", "--learning-rate", "1", *marquardt)
    assert "needs the loss 'squared_error' or 'mse'" in refused("train", fruit, *marquardt)
    assert "--momentum is for sgd" in refused("train", "--momentum", "0.9")
    assert "loss stopped being finite" in refused("train", "--optimizer", "sgd", "--learning-rate", "1e30")
    assert "there is no folder" in refused("train", "--save", tmp_path / "none" / "model")
    assert "models are written as .safetensors, not as ONNX" in refused("train", "--save", tmp_path / "m.onnx")
    assert "there is no folder" in refused("predict", prices, "--output", tmp_path / "none" / "out.csv")


def test_a_model_that_does_not_fit_is_refused(digits_model, prices, model):
    assert f"{prices} has 3 columns, {digits_model} needs 64" in refused("predict", digits_model, prices)
    network = fm.Network([3, 2], loss="cross_entropy", seed=0)
    for extra, message in (
        ({"classes": ["a"]}, "names 1 classes, but its network has 2 outputs"),
        ({"classes": [1, 2]}, "its class names are damaged"),
        ({"encoding": {"columns": 5}}, "has no columns"),
        ({"encoder": {}, "target": {}}, "the description of the target is damaged"),
        ({"encoder": {}, "target": Target("y", None).to_dict()}, "the description of an encoder must have"),
    ):
        save(network, model, extra=extra)
        assert message in refused("info", model)
        assert message in refused("predict", model, prices)


def test_a_model_made_in_python_is_shown_and_used(model, prices):
    network = fm.Network([3, fm.Dense(4), fm.BatchNorm(), fm.Dense(2)], loss=fm.Loss("huber", delta=2.0), seed=0)
    network.save(model)
    output = run("info", model)
    assert "huber, delta 2" in output and "3 columns, not scaled" in output and "BatchNorm" in output
    assert "predicted_0,predicted_1" in run("predict", model, prices)


@pytest.mark.parametrize(
    "arguments",
    [("train", "none.csv"), ("train", "--hidden", "12,x"), ("train", "--hidden", "0"), ("train", "--epochs", "0"),
     ("train", "--activation", "softmax"), ("train", "--nonsense"), ("predict",), ("info", "none"), ("trian",)],
)  # fmt: skip
def test_wrong_usage_is_exit_code_2(arguments):
    output = run(*arguments, code=2)
    assert output.startswith("Usage: ") and "Error: " in output


def test_help_teaches():
    for command in ("train", "predict", "info", "bench"):
        assert re.search(rf"^  {command} +\w", run("--help"), re.M)
        assert run(command, "-h").startswith(f"Usage: main {command} [OPTIONS]")
    for command in ("train", "predict", "info"):
        assert re.search(rf"^ +fastmlp {command}( |$)", run(command, "--help"), re.M)
    output = run("train", "--help")
    assert "fastmlp train houses.csv --target price --save houses.safetensors" in output
    assert all(option in output for option in ("--seed", "--save", "--plot", "--threads", "--weight-decay"))


def test_version_and_module():
    done = subprocess.run([sys.executable, "-m", "fastmlp", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"python -m fastmlp {fm.__version__}\n"


def test_the_command_starts_without_what_it_may_not_need():
    code = "import sys, fastmlp.cli; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ("matplotlib", "safetensors", "tqdm", "fastmlp.bench", "duckdb", "scipy.optimize")
    done = subprocess.run([sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_predict_takes_inputs_alone_and_train_wants_targets(tmp_path):
    X = np.random.default_rng(0).normal(size=(60, 2))
    np.savez(tmp_path / "both.npz", X=X, y=(X[:, 0] > 0).astype(int))
    np.savez(tmp_path / "x.npz", X=X)
    run("train", tmp_path / "both.npz", "--epochs", "2", "--save", tmp_path / "m.safetensors")
    assert len(run("predict", tmp_path / "m.safetensors", tmp_path / "x.npz").splitlines()) >= 60
    assert "training needs both" in refused("train", tmp_path / "x.npz")
