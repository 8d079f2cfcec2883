"""persistence.model_file: a header is believed as far as the file bears it out, and no file can end the process."""

import json
import os

import numpy as np
import pytest
from safetensors.numpy import save_file

import fastmlp as fm
from fastmlp.persistence.model_file import open_model

SHAPES = {"a": ("F32", (2, 3)), "b": ("F64", (2,)), "c": ("F32", ())}


@pytest.fixture
def path(tmp_path):
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(2), "c": np.array(7, np.float32)}
    save_file(arrays, tmp_path / "model", {"x": "ä"})
    return tmp_path / "model"


def header_of(path):
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def write(path, header, data):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_what_the_library_writes_is_read(path):
    with open_model(path) as file:
        file.check_places(SHAPES)
        arrays = file.read()
    assert file.metadata == {"x": "ä"} and file.size == path.stat().st_size
    np.testing.assert_array_equal(arrays["a"], [[0, 1, 2], [3, 4, 5]])
    assert arrays["c"] == 7 and arrays["b"].dtype == np.float64 and arrays["a"].flags.writeable


def test_a_file_cut_off_while_it_is_read_is_an_error_and_not_the_end_of_the_process(tmp_path):
    path = tmp_path / "large"
    save_file({"a": np.zeros(1_000_000, np.float32)}, path)
    with open_model(path) as file:
        file.check_places({"a": ("F32", (1_000_000,))})
        os.truncate(path, 5000)
        with pytest.raises(ValueError, match="it ends within array 'a'"):
            file.read()


PLACES = {
    "overlap": ("a", [8, 32], "array 'a' is at bytes 8 to 32, expected 16 to 40"),
    "gap": ("a", [24, 48], "is at bytes 24 to 48, expected"),
    "too short": ("b", [0, 8], "is at bytes"),
    "beyond the end": ("b", [2**60, 2**60 + 16], "is at bytes"),
    "backwards": ("b", [16, 0], "is at bytes"),
}


@pytest.mark.parametrize("name", PLACES)
def test_arrays_lie_one_behind_the_other(name, path):
    array, offsets, message = PLACES[name]
    header, data = header_of(path)
    header[array]["data_offsets"] = offsets
    write(path, header, data)
    with open_model(path) as file, pytest.raises(ValueError, match=message):
        file.check_places(SHAPES)


def test_data_behind_the_last_array_are_refused(path):
    with path.open("ab") as file:
        file.write(b"\0")
    with (
        open_model(path) as file,
        pytest.raises(ValueError, match=r"not a complete safetensors file: \d+ bytes, but \d+ according to"),
    ):
        file.check_places(SHAPES)


HEADERS = {
    "list": (b"[]", "expected a dictionary, got list"),
    "name twice": (b'{"a": 1, "a": 2}', "it has a name twice"),
    "metadata of numbers": (b'{"__metadata__": {"x": 1}}', "expected metadata of texts by name"),
    "metadata a list": (b'{"__metadata__": []}', "expected metadata of texts by name"),
    "array a number": (b'{"a": 1}', "array 'a' needs dtype, shape and data_offsets"),
    "one field more": (b'{"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4], "x": 1}}', "needs dtype, shape"),
    "dtype a list": (b'{"a": {"dtype": [], "shape": [], "data_offsets": [0, 4]}}', "needs a text as dtype"),
    "shape of floats": (b'{"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}', "whole numbers as shape"),
    "shape below zero": (b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', "whole numbers as shape"),
    "three offsets": (b'{"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4, 8]}}', "two as data_offsets"),
    "no text": (b"\xff\xfe{}", "codec can't decode"),
    "nested without end": (b"[" * 100_000, "recursion"),
    "number without end": (b'{"a": ' + b"9" * 10_000 + b"}", "Exceeds the limit|needs dtype"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_of_another_form_are_refused_with_one_sentence(name, path):
    text, message = HEADERS[name]
    write(path, text, b"")
    with pytest.raises(ValueError, match=message) as refused:
        fm.load(path)
    assert str(refused.value).startswith(f"{path} is not a complete safetensors file (its header: ")
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 600


def test_names_from_the_header_send_nothing_to_the_terminal(path):
    fm.Network([2, 1], bias=False).save(path)
    content = path.read_bytes()
    for old, new in ((b'"F32"', b'"\\u001b"'), (b'"0.weight"', b'"\\u001b[1m\\n"')):
        changed = content[8:].replace(old, new)
        grown = len(changed) - len(content[8:])
        path.write_bytes((int.from_bytes(content[:8], "little") + grown).to_bytes(8, "little") + changed)
        with pytest.raises(ValueError, match=r"\\x1b") as refused:
            fm.load(path)
        assert str(refused.value).isprintable()


def test_of_another_dtype_or_shape(path):
    for changed in ({"a": ("F64", (2, 3))}, {"a": ("F32", (3, 2))}):
        with open_model(path) as file, pytest.raises(ValueError, match=r"array 'a' is F32 of shape \(2, 3\), expected"):
            file.check_places(SHAPES | changed)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", "/dev/null"):
        with pytest.raises(ValueError, match="is a pipe, a socket or a device; expected a regular file"):
            fm.load(path)
