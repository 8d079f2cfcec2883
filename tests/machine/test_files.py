"""fastmlp.machine.files: gzip by contents, bounded reading, files that appear whole or not at all."""

import gzip
import io
import os
import stat

import pytest

from fastmlp.machine.files import as_path, open_binary, pieces, read_at_most, remove_unfinished, replacing


def test_gzip_is_recognised_by_contents_not_by_name(tmp_path):
    packed, plain = tmp_path / "packed.csv", tmp_path / "plain.gz"
    packed.write_bytes(gzip.compress(b"hello"))
    plain.write_bytes(b"hello")
    for path in (packed, plain):
        with open_binary(path) as stream:
            assert stream.read() == b"hello"


@pytest.mark.parametrize("contents", [b"", b"\x1f", b"x"])
def test_files_too_short_for_gzip_are_plain(tmp_path, contents):
    path = tmp_path / "short"
    path.write_bytes(contents)
    with open_binary(path) as stream:
        assert stream.read() == contents


def test_truncated_gzip_names_the_file(tmp_path):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(bytes(range(256)) * 50)[:-9])
    with (
        pytest.raises(ValueError, match=r"cut\.gz: the gzip data end too early"),
        open_binary(path) as stream,
    ):
        stream.read()


@pytest.mark.parametrize("position", [-1, -5, 12], ids=["length", "checksum", "data"])
def test_damaged_gzip_names_the_file(tmp_path, position):
    contents = bytearray(gzip.compress(os.urandom(500)))
    contents[position] ^= 0xFF
    path = tmp_path / "bad.gz"
    path.write_bytes(contents)
    with pytest.raises(ValueError, match=r"bad\.gz: the gzip data"), open_binary(path) as stream:
        stream.read()


def test_reading_asks_for_no_more_than_a_piece_at_a_time():
    class Endless(io.RawIOBase):
        asked: list[int] = []

        def read(self, size=-1):
            self.asked.append(size)
            return b"" if len(self.asked) > 3 else bytes(10)

    stream = Endless()
    assert len(read_at_most(stream, 10**18)) == 30
    assert max(stream.asked) <= 1 << 20


def test_pieces_stop_at_the_limit():
    assert b"".join(pieces(io.BytesIO(b"abcdef"), 4)) == b"abcd"
    assert list(pieces(io.BytesIO(b"abc"), 0)) == []


def test_replacing_puts_the_whole_file_in_place(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_replacing_leaves_the_old_file_and_nothing_else_after_an_error(tmp_path, error):
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
def test_replacing_gives_the_usual_file_mode(tmp_path):
    with open(tmp_path / "usual", "wb"), replacing(tmp_path / "ours"):
        pass
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "ours")}
    assert len(modes) == 1


@pytest.mark.parametrize("path", [3, None, b"bytes"])
def test_what_is_not_a_path_is_a_type_error_naming_the_argument(path):
    with pytest.raises(TypeError, match="directory must be a string or a path"):
        as_path(path, "directory")


def test_the_file_before_can_be_kept(tmp_path):
    path, keep = tmp_path / "file", tmp_path / "before"
    for content in (b"one", b"two"):
        with replacing(path, keep=keep) as file:
            file.write(content)
    assert (path.read_bytes(), keep.read_bytes()) == (b"two", b"one")
    if hasattr(os, "link"):
        keep.unlink()
        os.link(path, keep)  # as a process that was killed may leave them
        with replacing(path, keep=keep) as file:
            file.write(b"two")
        assert sorted(os.listdir(tmp_path)) == ["before", "file"]
    keep.write_bytes(b"one")
    with pytest.raises(OSError, match="broken"), replacing(path, keep=keep) as file:
        raise OSError("broken")
    assert (path.read_bytes(), keep.read_bytes()) == (b"two", b"one")


def test_the_file_before_is_kept_where_there_are_no_links(tmp_path, monkeypatch):
    def no_links(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    path, keep = tmp_path / "file", tmp_path / "before"
    for content in (b"one", b"two"):
        with replacing(path, keep=keep) as file:
            file.write(content)
    assert (path.read_bytes(), keep.read_bytes()) == (b"two", b"one")


def test_unfinished_files_are_removed_and_no_others(tmp_path):
    for name in (".run[1].0a.part", ".run1.0a.part", ".run[1].0a.other", "run[1]"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path / "run[1]")
    assert sorted(each.name for each in tmp_path.iterdir()) == [".run1.0a.part", ".run[1].0a.other", "run[1]"]


def test_replacing_flushes_the_file_before_its_name_and_the_folder_behind(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace

    def flushed(descriptor):
        done.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def renamed(*names):
        done.append("name")
        replace(*names)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", renamed)
    with replacing(tmp_path / "new") as file:
        file.write(b"x")
    assert done == ["file", "name", "folder"]


def test_a_folder_that_cannot_be_flushed_does_not_fail_a_file_in_place(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with replacing(tmp_path / "new") as file:
        file.write(b"x")
    assert (tmp_path / "new").read_bytes() == b"x"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_or_a_device_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", as_path("/dev/zero")):
        with pytest.raises(ValueError, match=f"{path} is a pipe, a socket or a device"), open_binary(path):
            pass
    with pytest.raises(IsADirectoryError), open_binary(tmp_path):
        pass
