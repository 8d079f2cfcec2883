"""Zstandard: texts come back, and a truncated file is noticed."""

import pytest

from fastmlp.tables.reading import read_table
from fastmlp.tables.unpacking import open_files
from fastmlp.tables.zstandard import MAGIC


def frame(*blocks, checksum=False):
    """A frame of blocks as they are, each with its type: 0 for bytes, 1 for one byte and how often it is there."""
    descriptor = bytes([checksum << 2])
    parts = [MAGIC, descriptor, b"\x58"]  # a window of 2 MiB
    for i, (kind, contents, size) in enumerate(blocks):
        header = size << 3 | kind << 1 | (i == len(blocks) - 1)
        parts += [header.to_bytes(3, "little"), contents]
    return b"".join(parts)


TEXT = b"x,y\n1,2\n3,4\n"
# printf 'x,y\n1,2\n3,4\n' | zstd --no-check
BY_ZSTD = b"(\xb5/\xfd\x00Xa\x00\x00x,y\n1,2\n3,4\n"


@pytest.mark.parametrize(
    "contents",
    [
        frame((0, TEXT, len(TEXT))),
        frame((0, TEXT[:6], 6), (0, TEXT[6:], 6)),
        frame((0, TEXT[:4], 4)) + frame((0, TEXT[4:], 8)),
        frame((0, TEXT, 12)) + b"\x50\x2a\x4d\x18\x03\0\0\0abc",  # something else at the end
        BY_ZSTD,
    ],
)
def test_texts_come_back(tmp_path, contents):
    (tmp_path / "t.csv").write_bytes(contents)
    table = read_table(tmp_path / "t.csv")
    assert table.names == ("x", "y")
    assert table.select({"x": "c0"})["x"].tolist() == [1, 3]
    for n_bytes in range(4, len(contents)):
        (tmp_path / "t.csv").write_bytes(contents[:n_bytes])
        if n_bytes in (len(frame((0, TEXT[:4], 4))), len(frame((0, TEXT, 12)))):
            continue  # the end of a frame
        with pytest.raises(ValueError, match="t.csv: the packed data end too early"):
            open_files(tmp_path / "t.csv", 1000)


def test_a_bomb_stops_at_the_limit(tmp_path):
    line = frame((0, b"1\n", 2), (1, b"7", 100_000), (0, b"\n", 1))
    (tmp_path / "bomb").write_bytes(line * 1000)
    with pytest.raises(ValueError, match="bomb: its contents have at least .* more than max_bytes=1000000"):
        open_files(tmp_path / "bomb", 10**6)


def test_one_endless_line_is_refused(tmp_path):
    (tmp_path / "bomb").write_bytes(frame(*[(1, b"7", 131_072)] * 200))
    with pytest.raises(ValueError, match="bomb: .*CSV Error on Line: 1"):
        open_files(tmp_path / "bomb", 10**9)


def test_damage_is_refused(tmp_path):
    (tmp_path / "t").write_bytes(frame((3, b"abc", 3)))
    with pytest.raises(ValueError, match="t: "):
        open_files(tmp_path / "t", 1000)
