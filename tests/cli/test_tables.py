"""Tables on the command line: what is said of them, how rows are predicted, and what is refused."""

import csv
import io
import re

import numpy as np
import pytest
from command_line import invoked, refused, run

import fastmlp as fm
from fastmlp.cli import streamed_problem, table_problem

RNG = np.random.default_rng(0)
QUICK = ("--epochs", "5")


def write(path, rows):
    """A CSV file of rows given as dicts."""
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


def houses(n, seed=0):
    """Houses with a row number, a town, an area that may be missing, and a price."""
    random = np.random.default_rng(seed)
    for i in range(n):
        area, town = random.uniform(40, 200), ("Ulm", "Rom", "Oslo")[i % 3]
        yield {
            "id": f"h{i:05}", "town": town, "area": "" if i % 10 == 3 else f"{area:.1f}", "garden": "yn"[i % 2],
            "price": round(1000 * area * (1 + i % 3)),
        }  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write(tmp_path_factory.mktemp("houses") / "houses.csv", list(houses(200)))


@pytest.fixture(scope="module")
def model(table):
    path = table.with_name("houses.safetensors")
    run("train", table, "--target", "price", *QUICK, "--quiet", "--save", path)
    return path


def predicted(model, *arguments):
    """The rows printed as dicts, and what was said of them."""
    result = invoked("predict", model, *arguments)
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout))), result.stderr


def test_the_headline_says_what_became_of_the_columns(table):
    output = run("train", table, "--target", "price", *QUICK)
    assert "houses.csv: 160 rows for training, 40 for testing -> 'price' (numbers)\n" in output
    assert "Columns   2 categories, 1 number -> 6 inputs; set aside: id (identifier)\n" in output
    assert "Missing   20 missing values filled (area 20)\n" in output


def test_the_encoder_sees_the_training_rows_only(table, tmp_path):
    rows = list(houses(200))
    rows[7]["town"] = "Bern"
    data = write(tmp_path / "data.csv", rows)
    for seed_of_rows in (data, table):
        run("train", seed_of_rows, "--target", "price", "--test-fraction", "0.9", *QUICK, "--save", tmp_path / "m")
    assert "Bern" not in run("info", tmp_path / "m")
    run("train", table, "--test", data, "--target", "price", *QUICK, "--save", tmp_path / "m")
    assert "3 values: Oslo, Rom, Ulm" in run("info", tmp_path / "m")


def test_rows_without_a_target_are_left_out_and_counted(tmp_path):
    rows = list(houses(100))
    for i in (3, 50, 51):
        rows[i]["price"] = "NA"
    output = run("train", write(tmp_path / "data.csv", rows), "--target", "price", *QUICK)
    assert "78 rows for training, 19 for testing" in output
    assert "Rows      3 rows without a target that is known left out\n" in output


def test_a_test_file_judges(table, tmp_path):
    rows = list(houses(30, seed=1))
    rows[2]["price"] = ""
    output = run("train", table, "--target", "price", "--test", write(tmp_path / "test.csv", rows), *QUICK)
    assert "200 rows for training, 29 for testing" in output
    assert "1 row without a target" in output and "23 missing values" in output
    write(tmp_path / "test.csv", [{"town": "Rom", "area": 5}])
    said = refused("train", table, "--target", "price", "--test", tmp_path / "test.csv")
    assert "--test" in said and "lacks the target 'price'" in said


@pytest.mark.parametrize(
    ("values", "options", "classes"),
    [([0, 1], (), "2 classes"), ([0, 1], ("--task", "regression"), "numbers"), (range(3, 10), (), "7 classes"),
     ([1.5, 2.5, 7.5], ("--task", "classification"), "3 classes"), ([1, 2, 900, 5000], (), "numbers")],
)  # fmt: skip
def test_the_task_is_decided_by_the_values_and_said(values, options, classes, tmp_path):
    rows = [{"x": RNG.normal(), "y": values[i % len(values)]} for i in range(70)]
    output = run("train", write(tmp_path / "data.csv", rows), *options, *QUICK)
    assert f"-> 'y' ({classes})" in output
    said = "--task regression takes them as numbers" in output
    assert said == (classes != "numbers" and not options)


def test_a_logarithm_is_learned_and_undone(tmp_path):
    rows = [{"x": x, "y": round(float(np.exp(3 * x)), 3)} for x in RNG.normal(size=300)]
    data, model = write(tmp_path / "data.csv", rows), tmp_path / "m.safetensors"
    output = run("train", data, *QUICK)
    assert "Target    skewed, up to" in output and "--log-target learns logarithms" in output
    output = run("train", data, "--log-target", "--epochs", "30", "--save", model)
    assert "skewed" not in output
    answers, said = predicted(model, data)
    assert np.corrcoef([float(row["y"]) for row in answers], [row["y"] for row in rows])[0, 1] > 0.9
    assert float(re.search(r"R\^2 +([\d.]+)", said)[1]) > 0.5
    assert "learned as log(1 + y)" in run("info", model)


def test_gaps_are_filled_with_one_warning_and_counts(model, tmp_path):
    new = [{"town": "Paris", "area": 100, "garden": "y"}, {"town": "", "area": "?", "garden": "n"},
           {"town": "Ulm", "area": 80, "garden": "y"}]  # fmt: skip
    answers, said = predicted(model, write(tmp_path / "new.csv", new))
    assert list(answers[0]) == ["price"] and len(answers) == 3
    assert said == (
        "Warning: 2 missing values (town 1, area 1) and 1 unknown category (town 1) dealt with as in training; "
        "--strict refuses them\n"
    )
    with_gap = refused("predict", model, tmp_path / "new.csv", "--strict")
    assert "new.csv: row 1, column 'town' holds 'Paris', which was not there in training; without --strict" in with_gap
    new[0]["town"] = "Rom"
    with_gap = refused("predict", model, write(tmp_path / "new.csv", new), "--strict")
    assert "new.csv: row 2, column 'town' is missing; without --strict" in with_gap
    answers, said = predicted(model, write(tmp_path / "new.csv", new[2:]), "--strict")
    assert len(answers) == 1 and said == ""


def test_columns_are_copied_in_front_of_the_predictions(model, table):
    answers, _ = predicted(model, table, "--keep", "id", "--keep", "area", "--keep", "price")
    assert list(answers[0]) == ["id", "area", "price", "predicted price"]
    rows = list(houses(200))
    assert [row["id"] for row in answers] == [row["id"] for row in rows]
    assert [row["area"] for row in answers] == [row["area"].removesuffix(".0") for row in rows]
    assert [row["price"] for row in answers] == [str(row["price"]) for row in rows]
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", row["predicted price"]) for row in answers)
    assert "did you mean 'town'" in refused("predict", model, table, "--keep", "towns")


def test_true_labels_that_are_unknown_do_not_stop_it(tmp_path):
    rows = [{"x": i / 60, "kind": "ab"[i > 30]} for i in range(60)]
    model = tmp_path / "m.safetensors"
    run("train", write(tmp_path / "data.csv", rows), *QUICK, "--save", model)
    rows[0]["kind"], rows[1]["kind"] = "c", ""
    answers, said = predicted(model, write(tmp_path / "new.csv", rows))
    assert len(answers) == 60 and {row["kind"] for row in answers} <= {"a", "b"}
    assert re.search(r"Accuracy [\d.]+ % \(\d+ of 58 wrong\); 2 rows without a class that the model knows", said)


def test_a_column_that_is_missing_is_named(model, tmp_path):
    new = write(tmp_path / "new.csv", [{"town": "Rom", "garden": "y"}])
    assert "new.csv lacks the columns area; it has town, garden" in refused("predict", model, new)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_table_without_header_may_lack_the_target(position, tmp_path):
    data, model = tmp_path / "data.csv", tmp_path / "m.safetensors"
    x = RNG.normal(size=(100, 3)).round(3)
    x[:, position] = 0
    x[:, position] = x @ [1, 2, 3]
    np.savetxt(data, x, delimiter=",")
    run("train", data, "--target", position, "--epochs", "40", "--save", model)
    np.savetxt(data, np.delete(x, position, axis=1), delimiter=",")
    answers, _ = predicted(model, data)
    answers = [float(row[f"column_{position}"]) for row in answers]
    assert np.corrcoef(answers, x[:, position])[0, 1] > 0.95


def test_how_to_read_can_be_said(tmp_path):
    data, model = tmp_path / "data.txt", tmp_path / "m.safetensors"
    lines = [f"{i % 3},5|{i % 3 * 2},25|{'-9' if i % 7 == 0 else i % 5},5" for i in range(60)]
    data.write_bytes(("größe|b|c\n" + "\n".join(lines)).encode("latin-1"))
    options = ("--delimiter", "|", "--decimal", ",", "--encoding", "latin-1", "--header", "--null", "-9,5")
    output = run("train", data, *options, "--target", "größe", *QUICK, "--save", model)
    assert "-> 'größe' (numbers)" in output or "-> 'größe' (3 classes)" in output
    answers, _ = predicted(model, data, *options[:-2])
    assert list(answers[0]) == ["größe"] and len(answers) == 60
    assert "-> 'column_2'" in run("train", data, *options[:6], "--no-header", "--task", "classification", *QUICK)
    assert "decimal=" not in refused("train", data, "--delimiter", "ab", *QUICK)


def test_a_pipe_and_a_query_are_data(table, tmp_path):
    text = table.read_bytes()
    assert "standard input: 160 rows" in run("train", "-", "--target", "price", *QUICK, input=text)


def test_columns_set_aside_can_be_used_and_others_dropped(table):
    output = run("train", table, "--target", "price", "--drop", "town", "--use", "id", *QUICK)
    assert "set aside" not in output.replace("set aside: town (dropped)", "")


def test_messages_name_the_option(table, tmp_path):
    for option in ("--target", "--drop", "--use", "--categorical"):
        said = refused("train", table, option, "prize")
        assert f"{option} prize is unknown; did you mean 'price'?" in said
    assert "--target 9 is not a column" in refused("train", table, "--target", "9")
    one = write(tmp_path / "one.csv", [{"y": i} for i in range(30)])
    assert "one.csv has no column but the target 'y'" in refused("train", one)
    assert "put a pattern in quotes" in run("train", table, table, code=2)


def test_ctrl_c_while_reading_has_its_exit_code(table, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(table_problem, "open_table", interrupted)
    assert run("train", table, code=130) == "Interrupted.\n"


def test_three_rows_are_few(tmp_path):
    rows = [{"x": i, "y": 1.5 * i} for i in range(5)]
    assert "figures from 1 test row say little" in run("train", write(tmp_path / "data.csv", rows), *QUICK)


def test_numbers_go_into_a_network_made_in_python(tmp_path):
    model = tmp_path / "m.safetensors"
    fm.Network([2, 1], seed=0).save(model)
    new = write(tmp_path / "new.csv", [{"a": 1, "b": 2.5}, {"a": 3, "b": "x"}])
    said = refused("predict", model, new)
    assert "row 2, column 'b' is not a number" in said
    answers, _ = predicted(model, write(tmp_path / "new.csv", [{"a": 1, "b": 2.5}]))
    assert list(answers[0]) == ["predicted"]
    np.testing.assert_allclose(float(answers[0]["predicted"]), fm.load(model).predict([[1, 2.5]])[0, 0], rtol=1e-6)


def test_labels_keep_their_spelling(tmp_path):
    model = tmp_path / "m.safetensors"
    for labels in (["TRUE", "FALSE"], ["yes", "no"], ["1", "2"]):
        rows = [{"x": i % 2 + RNG.normal() / 9, "y": labels[i % 2]} for i in range(60)]
        run("train", write(tmp_path / "data.csv", rows), *QUICK, "--save", model)
        assert {row["y"] for row in predicted(model, tmp_path / "data.csv")[0]} <= set(labels)


def test_a_table_read_anew_for_every_epoch_is_learned_too(table, tmp_path):
    model = tmp_path / "m.safetensors"
    options = ("--target", "price", "--stream", "--epochs", "60", "--seed", "1", "--validation-fraction", "0.1")
    output = run("train", table, *options, "--save", model, "--plot", tmp_path / "a.png")
    rows = [int(n) for n in re.findall(r"(\d+) (?:rows )?for", output.splitlines()[0])]
    assert sum(rows) == 200 and len(rows) == 3
    assert "Reading   anew for every epoch" in output and "Validation error" in output
    assert float(re.search(r"Test error(?s:.)*R\^2 +([\d.]+)", output)[1]) > 0.9
    answers, _ = predicted(model, table)
    assert len(answers) == 200
    dropped = run("train", table, *options, "--drop", "town", "--drop", "1", "--epochs", "1", "--test", table)
    assert "1 number, 1 category" in dropped and "200 for testing" in dropped
    run("train", table, *options, "--quiet", "--save", tmp_path / "again")
    assert model.read_bytes() == (tmp_path / "again").read_bytes()
    assert "standard input can't be" in refused("train", "-", "--stream", input=table.read_bytes())


def test_large_files_are_read_anew(table, monkeypatch):
    monkeypatch.setattr(streamed_problem, "_SHARE", 2**50)
    assert "Reading   anew" in run("train", table, "--target", "price", *QUICK)
    assert "Reading   anew" not in run("train", table, "--target", "price", *QUICK, "--no-stream")


def test_a_header_is_known_by_the_target_in_every_epoch(tmp_path):
    data = tmp_path / "texts.csv"
    data.write_text("cap,class\n" + "bell,edible\nflat,poisonous\n" * 30)
    output = run("train", data, "--target", "class", "--stream", *QUICK)
    assert "-> 'class' (2 classes)" in output
    assert sum(map(int, re.findall(r"(\d+) (?:rows )?for", output.splitlines()[0]))) == 60


def test_large_files_are_predicted_block_by_block(table, model, monkeypatch):
    whole = predicted(model, table, "--keep", "id")
    monkeypatch.setattr(streamed_problem, "_SHARE", 2**50)
    assert predicted(model, table, "--keep", "id") == whole
    assert "column 'area' is missing" in refused("predict", model, table, "--strict")


def test_a_file_beyond_the_limit_is_refused(table):
    assert "--max-bytes 100" in refused("train", table, "--max-bytes", "100")
