"""Files: found, unpacked within a limit, and removed."""

import bz2
import gzip
import io
import lzma
import os
import sys
import tempfile
import types
import zipfile
from pathlib import Path

import pytest

from fastmlp.tables.unpacking import Files, open_files

TEXT = b"x,y\n1,2\n"


def zipped(contents=TEXT, **others):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/t.csv", contents)
        archive.writestr("__MACOSX/folder/t.csv", b"\0")
        for name, other in others.items():
            archive.writestr(name, other)
    return buffer.getvalue()


PACK = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zip": zipped}


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path, monkeypatch):
    """Temporary files are made in a folder of their own, which is empty after each test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield
    assert os.listdir(folder) == []


@pytest.mark.parametrize("kind", PACK)
def test_what_is_packed_is_known_by_its_bytes(tmp_path, kind):
    path = tmp_path / "t.csv"  # whatever the name says
    path.write_bytes(PACK[kind](TEXT))
    files = open_files(path, 1000)
    assert [each.read_bytes() for each in files.paths] == [TEXT]
    assert (files.head, files.name) == (TEXT, str(path))


@pytest.mark.parametrize("kind", PACK)
def test_a_bomb_stops_at_the_limit(tmp_path, kind):
    path = tmp_path / "bomb"
    path.write_bytes(PACK[kind](bytes(10**8)))
    with pytest.raises(
        ValueError, match=r"bomb: its contents have at least 1000001 bytes, more than max_bytes=1000000"
    ):
        open_files(path, 10**6)


@pytest.mark.parametrize("kind", PACK)
def test_a_truncated_file_is_refused(tmp_path, kind):
    contents = PACK[kind](os.urandom(10**5))
    (tmp_path / "t").write_bytes(contents[: len(contents) // 2])
    with pytest.raises(ValueError, match="t: the packed data"):
        open_files(tmp_path / "t", 10**6)


@pytest.mark.parametrize("kind", PACK)
def test_a_damaged_file_is_refused(tmp_path, kind):
    contents = bytearray(PACK[kind](os.urandom(10**5)))
    contents[5000] ^= 255
    (tmp_path / "t").write_bytes(contents)
    with pytest.raises(ValueError, match="t: the packed data are damaged"):
        open_files(tmp_path / "t", 10**6)


def test_an_archive_of_several_files_is_refused(tmp_path):
    (tmp_path / "t.zip").write_bytes(zipped(other=b"1"))
    with pytest.raises(ValueError, match=r"t.zip: it holds 2 files \(folder/t.csv, other\); unpack it and name one"):
        open_files(tmp_path / "t.zip", 1000)


def test_a_document_that_is_an_archive_stays_one(tmp_path):
    path = tmp_path / "t.xlsx"
    path.write_bytes(zipped(**{"[Content_Types].xml": b"<x/>"}))
    assert open_files(path, 1000).paths == (path,)


def test_a_plain_file_is_left_where_it_is(tmp_path):
    (tmp_path / "b.csv").write_bytes(TEXT)
    (tmp_path / "a.csv").write_bytes(TEXT)
    assert open_files(tmp_path / "a.csv", 1).paths == (tmp_path / "a.csv",)
    assert open_files(tmp_path / "*.csv", 1).paths == (tmp_path / "a.csv", tmp_path / "b.csv")
    assert open_files(tmp_path, 1).paths == (tmp_path,)


def test_a_name_that_the_database_would_take_for_a_pattern_gets_another(tmp_path):
    path = tmp_path / "a[1]*.csv"
    path.write_bytes(TEXT)
    files = open_files(path, 1)
    assert files.paths[0].name == "0" and files.paths[0].read_bytes() == TEXT


def test_no_such_file(tmp_path):
    for name in ("t.csv", "*.csv"):
        with pytest.raises(FileNotFoundError, match=name[1:]):
            open_files(tmp_path / name, 1000)


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe is a pipe"):
        open_files(tmp_path / "pipe", 1000)


def test_standard_input_may_be_packed_too(monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(gzip.compress(TEXT))))
    files = open_files("-", 1000)
    assert (files.name, files.head) == ("standard input", TEXT)


def test_standard_input_has_a_limit(monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(bytes(1001))))
    with pytest.raises(ValueError, match="standard input: its contents have at least 1001 bytes"):
        open_files("-", 1000)


def test_temporary_files_go_with_close_or_with_the_object():
    files = Files("t", 10)
    path = files.write([b"a", b"b"])
    assert path.read_bytes() == b"ab"
    files.close()
    assert not path.exists()
    files = Files("t", 10)
    path = Path(files.write([b"a"]))
    del files
    assert not path.exists()
