"""SECURITY.md: the promises that span several modules; and the tests it names exist."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import fastmlp as fm

PAGE = Path(__file__).resolve().parent.parent / "SECURITY.md"
READERS = {
    "read_idx": fm.read_idx, "read_csv": fm.read_csv, "read_table": fm.read_table, "read_npz": fm.read_npz,
    "load": fm.load,
}  # fmt: skip


def resume(path):
    X = np.zeros((2, 1))
    fm.Network([1, 1], seed=0).fit(X, X, epochs=1, checkpoint=path, resume=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("read", [*READERS.values(), resume], ids=[*READERS, "resume"])
def test_no_reader_waits_for_a_pipe(read, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ValueError, match="is a pipe, a socket or a device; expected a regular file"):
            read(path)


@pytest.mark.parametrize("name", READERS)
def test_folders_and_missing_files_are_refused(name, tmp_path):
    with pytest.raises(FileNotFoundError):
        READERS[name](tmp_path / "none")
    with pytest.raises((OSError, ValueError), match=re.escape(str(tmp_path))):  # a table may be a folder of files
        READERS[name](tmp_path)


def test_links_are_read_through(tmp_path):
    fm.write_idx(tmp_path / "file", np.arange(3, dtype=np.uint8))
    (tmp_path / "link").symlink_to("file")
    assert fm.read_idx(tmp_path / "link").tolist() == [0, 1, 2]
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError):
        fm.read_idx(tmp_path / "loop")


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tmp_path):
    precious, link = tmp_path / "precious", tmp_path / "link"
    precious.write_text("do not lose me")
    for write in (fm.Network([1, 1]).save, lambda path: fm.write_idx(path, np.zeros(3, np.uint8))):
        link.unlink(missing_ok=True)
        link.symlink_to(precious)
        write(link)
        assert precious.read_text() == "do not lose me" and not link.is_symlink()


def test_a_file_removed_while_it_is_open_is_read_to_its_end(tmp_path):
    from fastmlp.persistence.model_file import open_model

    path = tmp_path / "model"
    fm.Network([2, 1], bias=False).save(path)
    with open_model(path) as file:
        path.unlink()
        file.check_places({"0.weight": ("F32", (2, 1))})
        assert file.read()["0.weight"].shape == (2, 1)


def test_every_promise_has_a_test_that_is_there():
    named = re.findall(r"`((?:\w+/)*test_\w+\.py)(?:::(\w+))?`", PAGE.read_text(encoding="utf-8"))
    assert len(named) >= 15
    for file, test in named:
        paths = [path for path in PAGE.parent.rglob(Path(file).name) if path.as_posix().endswith(f"/{file}")]
        assert any(not test or f"def {test}(" in path.read_text(encoding="utf-8") for path in paths), f"{file}::{test}"
