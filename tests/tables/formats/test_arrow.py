"""Arrow files and streams, and messages that lie."""

import datetime
import struct
import subprocess
import sys

import pyarrow as pa
import pytest
from pyarrow import feather
from table_values import columns

from fastmlp.tables.reading import read_table

PLAIN = pa.table(
    {
        "n": [1, None, 3], "x": pa.array([1.5, 2.5, None], pa.float32()), "town": ["Ulm", " Bonn", "?"],
        "day": [datetime.date(2024, 5, 6), None, None], "b": [True, None, False],
        "size": [{"w": 1, "h": 2}, {"w": 3, "h": None}, None], "tags": [["a"], [], None],
    }
)  # fmt: skip
EXPECTED = {
    "n": ("BIGINT", ["1", None, "3"]), "x": ("FLOAT", ["1.5", "2.5", None]), "town": ("VARCHAR", ["Ulm", "Bonn", None]),
    "day": ("DATE", ["2024-05-06", None, None]), "b": ("BOOLEAN", ["true", None, "false"]),
    "size.w": ("BIGINT", ["1", "3", None]), "size.h": ("BIGINT", ["2", None, None]),
    "tags": ("VARCHAR", ["[a]", "[]", None]),
}  # fmt: skip
WITH_CATEGORIES = pa.table({"n": [1, 2], "c": pa.array(["u", "v"]).dictionary_encode()})
PACKINGS = ["uncompressed", "lz4", "zstd"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "towns.feather"


def write_stream(table, path):
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, 2)


@pytest.mark.parametrize("packing", PACKINGS)
def test_files(path, packing):
    feather.write_feather(PLAIN, path, compression=packing, chunksize=2)
    assert columns(read_table(path)) == EXPECTED


def test_streams_and_several_files(path):
    write_stream(PLAIN, path)
    assert columns(read_table(path)) == EXPECTED
    feather.write_feather(pa.table({"m": [9], "n": [4]}), path.with_name("x.feather"))
    assert columns(read_table(f"{path.parent}/*.feather"))["m"] == ("BIGINT", [None, None, None, "9"])


@pytest.mark.parametrize("packing", PACKINGS)
def test_categories(path, packing):
    feather.write_feather(WITH_CATEGORIES, path, compression=packing)
    assert columns(read_table(path)) == {"n": ("BIGINT", ["1", "2"]), "c": ("VARCHAR", ["u", "v"])}


def test_without_pyarrow_a_sentence_says_what_to_install(path):
    feather.write_feather(PLAIN, path)
    code = (
        "import sys; sys.modules['pyarrow'] = None\nfrom fastmlp.tables.reading import read_table\n"
        f"try: read_table({str(path)!r})\nexcept ImportError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "reading Arrow files needs pyarrow: pip install pyarrow\n"


def test_texts_that_are_not_utf_8_are_an_error_and_not_the_end_of_the_database(path):
    write_stream(pa.table({"town": ["Ulmer"], "n": [1]}), path)
    path.write_bytes(path.read_bytes().replace(b"Ulmer", b"Ul\xff\xfer"))
    with pytest.raises(ValueError, match=r"^\S*towns\.feather is damaged: .*UTF8"):
        read_table(path)


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_limit_counts_what_is_unpacked(path, packing):
    feather.write_feather(pa.table({"x": [0.0] * 100_000, "s": ["a" * 100] * 100_000}), path, compression=packing)
    with pytest.raises(ValueError, match=r"towns\.feather: its 100000 rows take \d{8} bytes, more than max_bytes=99"):
        read_table(path, max_bytes=9_999_999)
    assert len(read_table(path, max_bytes=20_000_000)) == 100_000


def test_rows_without_bytes_count(path):
    write_stream(pa.table({"nothing": pa.nulls(3)}), path)
    path.write_bytes(path.read_bytes().replace(struct.pack("<q", 2), struct.pack("<q", 2**40)))
    with pytest.raises(ValueError, match=r"towns\.feather: its \d+ rows take"):
        read_table(path)


@pytest.mark.parametrize("packing", PACKINGS)
def test_damaged_files_are_named(path, packing):
    feather.write_feather(PLAIN, path, compression=packing)
    contents = path.read_bytes()
    for end in (8, 12, 100, 600, len(contents) // 2):
        path.write_bytes(contents[:end])
        with pytest.raises(ValueError, match=r"^\S*towns\.feather is damaged: "):
            read_table(path)


def test_the_first_version_of_feather_is_refused(path):
    path.write_bytes(b"FEA1" + bytes(40))
    with pytest.raises(ValueError, match="Feather's first version"):
        read_table(path)


def test_options_of_text_are_refused(path):
    feather.write_feather(PLAIN, path)
    with pytest.raises(ValueError, match=r"header=True does not apply: .*towns\.feather is Arrow"):
        read_table(path, header=True)
