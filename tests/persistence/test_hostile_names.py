"""Terminal escapes in every string of every kind of file: none reaches a message, a repr or the command line."""

import copy
import io
import json
import warnings
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner

import fastmlp as fm
from fastmlp.cli import main
from fastmlp.machine.state_files import from_bytes, to_bytes

ESCAPES = "a\x1b[31m\x07\n\u202e"
X, Y = np.arange(12.0).reshape(6, 2) / 10, np.arange(6) % 2
TABLE = "size,colour,kind\n1,red,a\n2,blue,b\n3,red,a\n4,blue,b\n"


def network_file(path):
    net = fm.Network([fm.Input(2, scale=0.5), 3, fm.BatchNorm(), fm.Dropout(fm.Cosine(0.2, 9)), 1], seed=0)
    net.fit(X, X[:, 0], epochs=1, warm_start=True)
    net.save(path)


def classifier_file(path):
    pytest.importorskip("sklearn")
    model = fm.MLPClassifier(hidden_layer_sizes=(2,), solver="lbfgs", max_iter=300, schedule=None, random_state=0)
    model.fit(X, np.array(["no", "yes"])[Y])
    model.feature_names_in_ = np.array(["left", "right"], dtype=object)
    model.save(path)


def regressor_file(path):
    pytest.importorskip("sklearn")
    fm.MLPRegressor(hidden_layer_sizes=(2,), solver="lbfgs", max_iter=300, random_state=0).fit(X, X[:, 0]).save(path)


def table_file(path):
    data = path.with_suffix(".csv")
    data.write_text(TABLE)
    run = CliRunner().invoke(main, ["train", str(data), "--save", str(path), "--epochs", "1", "--quiet"])
    assert run.exit_code == 0, run.output


KINDS = {"network": network_file, "classifier": classifier_file, "regressor": regressor_file, "table": table_file}


def with_escapes(tree):
    """Copies of a JSON value, each with the escapes instead of one value or name."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(items):
        changed = copy.copy(tree)
        changed[key] = ESCAPES
        yield changed
        if isinstance(tree, dict):
            yield {(ESCAPES if name == key else name): each for name, each in tree.items()}
        for inner in with_escapes(value):
            changed = copy.copy(tree)
            changed[key] = inner
            yield changed


def is_clean(text):
    return all(line.isprintable() for line in text.replace("\t", " ").split("\n"))


def use(path):
    """Everything that reads a model and says something about it."""
    for read in (fm.load, fm.MLPClassifier.load, fm.MLPRegressor.load):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                model = read(path)
        except (ValueError, UserWarning) as error:
            assert str(error).isprintable() and len(str(error)) < 1000, repr(str(error))
        else:
            assert is_clean(repr(model))


@pytest.mark.parametrize("kind", KINDS)
def test_escapes_in_any_string_of_a_model_send_nothing_to_the_terminal(kind, tmp_path):
    path = tmp_path / "model.safetensors"
    KINDS[kind](path)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    key = next(iter(header["__metadata__"]))
    description = json.loads(header["__metadata__"][key])
    headers = [{**header, "__metadata__": {key: json.dumps(each)}} for each in with_escapes(description)]
    headers += list(with_escapes({name: header[name] for name in list(header)[:3]}))
    assert len(headers) > 40
    for i, changed in enumerate(headers):
        text = json.dumps(changed).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + body)
        use(path)
        if i % 16 == 0 or kind == "table":
            run = CliRunner().invoke(main, ["info", str(path)])
            assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
            assert is_clean(run.output), run.output


def test_escapes_in_any_string_of_a_checkpoint_send_nothing_to_the_terminal(tmp_path):
    path = tmp_path / "run.ckpt"
    net = fm.Network([2, 3, 1], seed=0)
    more = {"epochs": 2, "callbacks": [fm.EarlyStopping(3, monitor="loss")], "checkpoint": path}
    net.fit(X, X[:, 0], **more)
    for state in with_escapes(from_bytes(path.read_bytes())):
        (tmp_path / "run.ckpt.previous").unlink(missing_ok=True)
        try:
            path.write_bytes(to_bytes(state))
        except TypeError:
            continue
        try:
            fm.Network([2, 3, 1], seed=0).fit(X, X[:, 0], resume=True, **more)
        except ValueError as error:
            assert str(error).isprintable() and len(str(error)) < 3000, repr(str(error))


def test_escapes_in_a_table_and_in_an_archive_send_nothing_to_the_terminal(tmp_path):
    path = tmp_path / "data.csv"
    cells = [line.split(",") for line in TABLE.splitlines()]
    options = ({}, {"target": ESCAPES}, {"target": "size", "header": True}, {"drop": [0], "null": ["red"]})
    for i, row in enumerate(cells):
        for j in range(len(row)):
            changed = copy.deepcopy(cells)
            changed[i][j] = '"' + ESCAPES + '"'
            path.write_text("\n".join(map(",".join, changed)))
            for given in options:
                try:
                    table = fm.read_csv(path, **given)
                    assert is_clean(repr(table))
                    assert is_clean(str(fm.TableEncoder(categorical=[0]).fit(table).explain()))
                except ValueError as error:
                    assert str(error).isprintable(), repr(str(error))
    for name in (ESCAPES + ".npy", "X.npy"):
        archive = tmp_path / "data.npz"
        with zipfile.ZipFile(archive, "w") as file:
            array = io.BytesIO()
            np.save(array, X)
            file.writestr(name, array.getvalue().replace(b"'descr'", b"'d\x1b[31'"))
        with pytest.raises(ValueError) as error:
            fm.read_npz(archive)
        assert str(error.value).isprintable()


@pytest.mark.parametrize("shape", ["(" + "9, " * 4000 + ")", "(" + "1, " * 3000 + "2)", "(" + "9" * 4000 + ",)"])
def test_a_shape_of_any_length_is_told_in_a_short_sentence(shape, tmp_path):
    header = ("{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + "}").encode()
    data = b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header + np.zeros(2).tobytes()
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as file:
        file.writestr("X.npy", data)
    with pytest.raises(ValueError, match=r"data\.npz: x") as error:
        fm.read_npz(tmp_path / "data.npz")
    assert len(str(error.value)) < 600 and str(error.value).isprintable()
