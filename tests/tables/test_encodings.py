"""Encodings: recognised by the first bytes."""

import pytest

from fastmlp.tables.encodings import as_utf8, find_encoding, is_utf8

TEXT = "größe,€,x\r\n1,2,3\r\n" * 10


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
    ],
)
def test_text_comes_back(tmp_path, written, expected):
    contents = TEXT.encode(written)
    path = tmp_path / "t.csv"
    path.write_bytes(contents)
    assert find_encoding(contents, "t.csv") == expected
    assert b"".join(as_utf8(path, expected, "t.csv")).decode("utf-8-sig") == TEXT
    assert is_utf8(path) == (expected == "utf-8")


def test_a_character_cut_at_the_end_of_the_head_is_no_fault():
    assert find_encoding("größe".encode()[:3], "t.csv") == "utf-8"


def test_bytes_without_a_meaning_in_cp1252_are_latin1(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\x80\x81\xff")
    assert b"".join(as_utf8(path, "cp1252", "t.csv")).decode() == "€\x81ÿ"


def test_a_file_may_stop_being_utf8_late(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a" * (1 << 20) + b"\xff")
    assert not is_utf8(path)


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)), b"a,b\n1,\0\n"])
def test_what_is_not_text_is_refused(head):
    with pytest.raises(ValueError, match="x.png is not text"):
        find_encoding(head, "x.png")


def test_another_encoding_than_the_person_says_is_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("größe".encode("cp1252"))
    with pytest.raises(ValueError, match="t.csv is not utf-8 text"):
        list(as_utf8(path, "utf-8", "t.csv"))
