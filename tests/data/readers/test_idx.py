"""fastmlp.data.readers.idx: every dtype and shape goes to disk and back; broken files are errors, not crashes."""

import gzip
import os
import struct
import tracemalloc

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.readers.idx import read_idx, write_idx

DTYPES = ["uint8", "int8", "int16", "int32", "float32", "float64"]
arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=5))
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


@given(array=arrays, suffix=st.sampled_from(["idx", "idx.gz"]))
@settings(max_examples=150)
def test_round_trip_keeps_dtype_shape_and_bits(folder, array, suffix):
    path = folder / f"array.{suffix}"
    write_idx(path, array)
    back = read_idx(path)
    assert back.dtype == array.dtype and back.dtype.isnative
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable and back.flags.c_contiguous


@pytest.mark.parametrize(
    ("code", "dtype", "value", "on_disk"),
    [
        (0x08, "uint8", 200, "c8"),
        (0x09, "int8", -2, "fe"),
        (0x0B, "int16", 258, "0102"),
        (0x0C, "int32", 16909060, "01020304"),
        (0x0D, "float32", 1.5, "3fc00000"),
        (0x0E, "float64", -2.0, "c000000000000000"),
    ],
)
def test_bytes_on_disk_are_those_of_the_format(tmp_path, code, dtype, value, on_disk):
    path = tmp_path / "one.idx"
    write_idx(path, np.array([[value]], dtype=dtype))
    assert path.read_bytes() == bytes([0, 0, code, 2]) + struct.pack(">II", 1, 1) + bytes.fromhex(on_disk)
    assert read_idx(path)[0, 0] == value


@pytest.mark.parametrize("order", ["F", "strided", "big-endian"])
def test_any_memory_layout_is_written_in_row_major_order(tmp_path, order):
    array = np.arange(12, dtype="int32").reshape(3, 4)
    given = {"F": np.asfortranarray(array), "strided": np.repeat(array, 2, axis=1)[:, ::2]}.get(order)
    write_idx(tmp_path / "a", array.astype(">i4") if given is None else given)
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), array)


def test_gzip_is_written_by_suffix_and_the_same_every_time(tmp_path):
    array = np.arange(1000, dtype="int16")
    write_idx(tmp_path / "a.gz", array)
    write_idx(tmp_path / "b.gz", array)
    contents = (tmp_path / "a.gz").read_bytes()
    assert contents[:2] == b"\x1f\x8b"
    assert contents[4:8] == bytes(4), "a time stamp is stored"
    assert contents == (tmp_path / "b.gz").read_bytes()


@pytest.mark.parametrize("dtype", ["int64", "uint16", "float16", "bool", "complex128", "object", "U3"])
def test_dtypes_without_a_code_are_a_type_error_and_leave_no_file(tmp_path, dtype):
    with pytest.raises(TypeError, match="which IDX cannot hold; expected one of uint8, int8"):
        write_idx(tmp_path / "a.idx", np.zeros(3, dtype=dtype))
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.idx"
    write_idx(path, np.zeros(3, dtype="uint8"))
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_idx(path, np.ones(3, dtype="uint8"))
    np.testing.assert_array_equal(read_idx(path), np.zeros(3))
    assert os.listdir(tmp_path) == ["a.idx"]


LABELS = bytes([0, 0, 8, 1]) + struct.pack(">I", 3) + bytes([5, 0, 4])


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "is not an IDX file.*an empty file"),
        (LABELS[:3], "is not an IDX file.*00 00 08"),
        (b"\x01" + LABELS[1:], "is not an IDX file"),
        (LABELS[:2] + b"\x0a" + LABELS[3:], "is not an IDX file.*00 00 0a 01"),
        (LABELS[:3] + b"\x02" + LABELS[4:7], "2 dimensions need 8 bytes of sizes, got 3"),
        (LABELS[:-1], "declares 3 bytes of data.*holds only 2"),
        (LABELS[:8], "holds only 0"),
        (LABELS + b"\x00", "declares 3 bytes of data.*holds more"),
        (bytes([0, 0, 8, 1]) + b"\xff" * 4, "declares 4294967295 bytes.*holds only 0"),
        (
            bytes([0, 0, 14, 255]) + b"\xff" * 1020 + b"abc",
            r"declares over 10\*\*18 bytes of data, more than max_bytes=4294967296; ",
        ),
        (bytes([0, 0, 8, 255]) + struct.pack(">255I", *[1] * 255) + b"x", "NumPy cannot hold the shape"),
        (bytes([0, 0, 8, 4]) + struct.pack(">IIII", 0, *[2**32 - 1] * 3), "NumPy cannot hold the shape"),
    ],
)
def test_broken_files_are_value_errors_naming_the_file(tmp_path, contents, message, packed):
    path = tmp_path / "broken.idx"
    path.write_bytes(gzip.compress(contents) if packed else contents)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def peak_of_refused_read(path):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="declares"):
            read_idx(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_a_lying_header_allocates_only_what_the_file_holds(tmp_path, packed):
    contents = bytes([0, 0, 14, 3]) + struct.pack(">III", 2**31, 2**31, 100) + bytes(1000)
    path = tmp_path / "lying.idx"
    path.write_bytes(gzip.compress(contents) if packed else contents)
    assert peak_of_refused_read(path) < 4e6


def test_a_gzip_bomb_is_not_unpacked_beyond_the_declared_size(tmp_path):
    path = tmp_path / "bomb.idx"
    path.write_bytes(gzip.compress(LABELS + bytes(64_000_000), compresslevel=1))
    assert peak_of_refused_read(path) < 8e6


@given(data=st.data(), array=arrays, packed=st.booleans())
@settings(max_examples=200)
def test_mutated_files_give_an_array_or_a_value_error(folder, data, array, packed):
    path = folder / ("mutated.gz" if packed else "mutated")
    write_idx(path, array)
    contents = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        contents[data.draw(st.integers(0, len(contents) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(contents[: data.draw(st.integers(0, len(contents)))])
    try:
        assert isinstance(read_idx(path), np.ndarray)
    except ValueError as error:
        assert str(path) in str(error)


def test_wrong_types_and_missing_files(tmp_path):
    with pytest.raises(TypeError, match="path must be"):
        read_idx(7)
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "absent")


def test_a_small_packed_file_that_unfolds_beyond_the_limit_is_refused_at_its_header(tmp_path):
    path = tmp_path / "bomb.idx.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 1]) + struct.pack(">I", 30_000_000) + bytes(30_000_000)))
    assert path.stat().st_size < 40_000
    tracemalloc.start()
    with pytest.raises(
        ValueError, match=r"bomb\.idx\.gz: .* 30000000 bytes of data, more than max_bytes=1000000; increase"
    ):
        read_idx(path, max_bytes=1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 3e6
    tracemalloc.stop()
    assert read_idx(path, max_bytes=30_000_000).nbytes == 30_000_000
    with pytest.raises(TypeError, match="max_bytes must be a whole number"):
        read_idx(path, max_bytes=None)
