"""fastmlp.data.readers.npz: the layouts people use, and files that lie or are broken."""

import io
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.readers.npz import read_npz

X, Y = np.arange(12.0).reshape(4, 3), np.array([0, 1, 2, 1], dtype=np.uint8)


def npy(array, shape=None):
    """An NPY file of ``array`` whose header claims ``shape``."""
    stream = io.BytesIO()
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape or array.shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + array.tobytes()


def write_zip(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in members.items():
            archive.writestr(f"{name}.npy", contents)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("names", [("X", "y"), ("x", "y"), ("X_train", "y_train"), ("x_train", "y_train")])
def test_training_data_alone(tmp_path, save, names):
    path = tmp_path / "a.npz"
    save(path, **dict(zip(names, (X, Y), strict=True)), comment=np.array("left alone"))
    data = read_npz(path)
    np.testing.assert_array_equal(data.X_train, X)
    np.testing.assert_array_equal(data.y_train, Y)
    assert data.X_train.dtype == np.float64 and data.y_train.dtype == np.int64
    assert data.X_test is None and data.y_test is None


@pytest.mark.parametrize(
    "names",
    [("data", "target"), ("images", "labels"), ("features", "label"), ("inputs", "targets"), ("Xtrain", "ytrain"),
     ("train_images", "train_labels"), ("images_train", "labels_train"), ("training_data", "training_target")],
)  # fmt: skip
def test_usual_names(tmp_path, names):
    np.savez(tmp_path / "a.npz", **dict(zip(names, (X, Y), strict=True)), target_names=np.array(["a", "b", "c"]))
    data = read_npz(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.X_train, X)
    np.testing.assert_array_equal(data.y_train, Y)


def test_of_two_names_for_one_thing_the_more_usual_counts(tmp_path):
    path = tmp_path / "digits.npz"
    np.savez(path, data=X, images=X.reshape(4, 3, 1) + 1, target=Y, train_data_test=X)  # as in scikit-learn's digits
    np.testing.assert_array_equal(read_npz(path).X_train, X)
    np.savez(path, train_images=X, train_labels=Y, test_images=X[:1], test_labels=Y[:1], val_images=X, val_labels=Y)
    assert len(read_npz(path).X_test) == 1


def test_images_with_test_data_become_rows_and_stay_uint8(tmp_path):
    images = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=images, y_train=np.arange(5), x_test=images[:2], y_test=np.arange(2))
    data = read_npz(path)
    assert data.X_train.shape == (5, 12) and data.X_train.dtype == np.uint8
    np.testing.assert_array_equal(data.X_train[1], np.arange(12, 24))
    assert data.X_test.shape == (2, 12) and data.y_test.tolist() == [0, 1]


def test_fortran_order_byte_order_and_float_targets(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, X=np.asfortranarray(X.astype(">f4")), y=X[:, :2])
    data = read_npz(path)
    np.testing.assert_array_equal(data.X_train, X)
    assert data.X_train.dtype == np.float32 and data.X_train.dtype.isnative
    assert data.X_train.flags.c_contiguous
    np.testing.assert_array_equal(data.y_train, X[:, :2])


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"y": Y}, "holds y; expected X, X and y, or"),
        ({}, "holds no arrays"),
        ({"X": X, "y": Y, "X_train": X, "y_train": Y}, "expected X, X and y, or"),
        ({"X_train": X, "y_train": Y, "X_test": X}, "expected X, X and y, or"),
        ({"X": X, "x": X, "y": Y}, "holds 'x' twice"),
        ({"X": X, "y": Y[:3]}, r"x has 4 rows, y has shape \(3,\)"),
        ({"X": X, "y": np.zeros((4, 1, 1))}, r"y has shape \(4, 1, 1\)"),
        ({"X": X[:, 0], "y": Y}, r"x has shape \(4,\); expected \(n, n_features\)"),
        ({"X": X[:0], "y": Y[:0]}, "not empty"),
        ({"X": X, "y": np.array(list("abcd"))}, "y has dtype '<U1'; expected numbers"),
        ({"X": X.astype(complex), "y": Y}, "x has dtype '<c16'; expected numbers"),
        ({"X": X, "y": np.zeros(4, dtype=[("a", "i4")])}, "y has dtype .*; expected numbers"),
        ({"X": X, "y": np.full(4, 2**63, dtype=np.uint64)}, "too large for int64"),
        (
            {"X_train": X, "y_train": Y, "X_test": X[:, :2], "y_test": Y},
            "X_train has 3 columns, X_test has 2",
        ),
    ],
)
def test_wrong_contents_are_named(tmp_path, members, message):
    path = tmp_path / "wrong.npz"
    np.savez(path, **members)
    with pytest.raises(ValueError, match=message) as caught:
        read_npz(path)
    assert str(path) in str(caught.value)


def test_objects_are_never_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return pytest.fail, ("unpickled",)

    path = tmp_path / "pickle.npz"
    np.savez(path, X=np.array([[Bomb()]], dtype=object), y=Y[:1])
    with pytest.raises(ValueError, match=r"dtype '\|O'; expected numbers"):
        read_npz(path)


def test_a_header_claiming_more_than_the_member_holds(tmp_path):
    path = write_zip(tmp_path / "lying.npz", X=npy(X, shape=(10**9, 10**9)), y=npy(Y))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=r"x declares shape \(1000000000, 1000000000\).*but holds 96"):
            read_npz(path)
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


def test_a_header_claiming_less_than_the_member_holds(tmp_path):
    path = write_zip(tmp_path / "short.npz", X=npy(X, shape=(3, 3)), y=npy(Y))
    with pytest.raises(ValueError, match="which is 72 bytes, but holds 96"):
        read_npz(path)


def test_a_packing_that_numpy_does_not_use(tmp_path):
    path = tmp_path / "packed.npz"
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_BZIP2) as archive:
        archive.writestr("X.npy", npy(X))
        archive.writestr("y.npy", npy(Y))
    with pytest.raises(ValueError, match="x is compressed in a way that NumPy does not use .zip method 12"):
        read_npz(path)


def test_a_zip_directory_claiming_more_than_the_member_holds(tmp_path):
    path = write_zip(tmp_path / "lying.npz", X=npy(X, shape=(10**6, 500)), y=npy(Y))
    contents = bytearray(path.read_bytes())
    n_header = len(npy(X)) - X.nbytes
    entry = contents.index(b"PK\x01\x02")
    contents[entry + 24 : entry + 28] = (n_header + 8 * 500 * 10**6).to_bytes(4, "little")
    path.write_bytes(contents)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="lying.npz"):
            read_npz(path)
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_is_stopped_by_max_bytes(tmp_path):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, X=np.zeros((10**6, 10), dtype=np.uint8), y=np.zeros(10**6, dtype=np.uint8))
    with pytest.raises(ValueError, match="11000256 bytes, more than max_bytes=1000000"):
        read_npz(path, max_bytes=10**6)
    assert read_npz(path).X_train.shape == (10**6, 10)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': 3}",
        b"{'descr': '<f3', 'fortran_order': False, 'shape': (3,)}",
        b"{'descr': 8, 'fortran_order': False, 'shape': (3,)}",
        b"__import__('os')",
        b"(" * 9000,
        b"",
        b"[1, 2]",
        b"\xff\x00",
    ],
)
def test_damaged_array_headers(tmp_path, header):
    contents = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(24)
    path = write_zip(tmp_path / "a.npz", X=contents, y=npy(Y))
    with pytest.raises(ValueError, match="a.npz: x"):
        read_npz(path)


@pytest.mark.parametrize("start", [b"", b"\x93NUM", b"\x93NUMPY\x09\x00", b"\x93NUMPY\x02\x00\xff\xff\xff\xff"])
def test_members_that_are_no_arrays(tmp_path, start):
    path = write_zip(tmp_path / "a.npz", X=start, y=npy(Y))
    with pytest.raises(ValueError, match="a.npz: x"):
        read_npz(path)


def test_text_files_and_truncated_files(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, X=X, y=Y)
    whole = path.read_bytes()
    for contents in (b"", b"not a zip", whole[:-30], whole[: len(whole) // 2], npy(X)):
        path.write_bytes(contents)
        with pytest.raises(ValueError, match="damaged or not an NPZ file"):
            read_npz(path)


@given(data=st.data())
@settings(max_examples=200)
def test_mutated_files_give_a_data_set_or_a_value_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "mutated.npz"
    np.savez_compressed(path, X=X, y=Y)
    contents = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        contents[data.draw(st.integers(0, len(contents) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(contents)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Duplicate name")
        try:
            assert read_npz(path).X_train.ndim == 2
        except ValueError as error:
            assert str(path) in str(error)


def test_inputs_alone_are_for_prediction(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.arange(6.0).reshape(3, 2))
    X, y, X_test, y_test = read_npz(tmp_path / "a.npz")
    assert X.shape == (3, 2) and y is X_test is y_test is None


def test_names_that_climb_out_of_the_folder_are_names_like_any_others(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    path = folder / "tricks.npz"
    content = npy(X)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("../../X.npy", "/tmp/y.npy", "..\\X.npy", "X.npy/../y.npy", "../X.npy"):
            archive.writestr(name, content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match=r"holds .*\.\./\.\./x.*; expected X, X and y"):
        read_npz(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("X.npy", npy(X + 1))
    np.testing.assert_array_equal(read_npz(path).X_train, X + 1)
    assert sorted(tmp_path.rglob("*")) == before


def test_an_array_that_is_there_twice_is_refused(tmp_path):
    path = tmp_path / "twice.npz"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("X.npy", "X.npy"):
            archive.writestr(name, npy(X))
    with pytest.raises(ValueError, match="holds 'x' twice"):
        read_npz(path)


def test_names_and_errors_of_the_archive_are_one_short_sentence(tmp_path):
    path = tmp_path / "names.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(300):
            archive.writestr(f"\x1b[31m{i}\n{'x' * 200}", b"")
    with pytest.raises(ValueError) as refused:
        read_npz(path)
    assert str(refused.value).isprintable() and len(str(refused.value)) < 2500
