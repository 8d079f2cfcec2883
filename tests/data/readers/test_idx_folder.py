"""Folders of IDX files: which names belong together."""

import numpy as np
import pytest

from fastmlp.data.readers.idx import write_idx
from fastmlp.data.readers.idx_folder import idx_pairs, read_pairs


def fill(folder, *names):
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        n = 2 if "t10k" in name or "test" in name else 3
        write_idx(folder / name, np.full((n, 2, 2) if "images" in name else n, i, np.uint8))
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
        ("train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"),
        ("train_images.idx", "train_labels.idx", "test_images.idx", "test_labels.idx.gz"),
        tuple(f"emnist-letters-{part}-{what}-ubyte.gz" for part in ("train", "test")
              for what in ("images-idx3", "labels-idx1")),
    ],
)  # fmt: skip
def test_both_parts_are_found_by_the_folder_and_by_each_file(tmp_path, names):
    folder = fill(tmp_path / "set", *names)
    (folder / "images.png").write_bytes(b"")
    for path in (folder, *(folder / name for name in names)):
        data = read_pairs(idx_pairs(path))
        assert data.X_train.tolist() == [[0] * 4] * 3 and data.y_train.tolist() == [1] * 3
        assert data.X_test.tolist() == [[2] * 4] * 2 and data.y_test.tolist() == [3] * 2


def test_a_loose_pair_is_for_training(tmp_path):
    folder = fill(tmp_path / "set", "images-idx3-ubyte", "labels-idx1-ubyte")
    data = read_pairs(idx_pairs(folder))
    assert len(data.X_train) == 3 and data.X_test is None
    assert idx_pairs(folder / "images-idx3-ubyte") == idx_pairs(folder)


def test_several_sets_in_a_folder_must_be_told_apart(tmp_path):
    letters, digits = (f"emnist-{name}-train" for name in ("letters", "digits"))
    ends = ("images-idx3-ubyte", "labels-idx1-ubyte")
    folder = fill(tmp_path / "set", *(f"{start}-{end}" for start in (letters, digits) for end in ends))
    with pytest.raises(ValueError, match=r"several data sets \(emnist-digits, emnist-letters\); name the file"):
        idx_pairs(folder)
    assert read_pairs(idx_pairs(folder / f"{digits}-{ends[0]}")).y_train.tolist() == [3] * 3
    fill(folder, *(f"train-{end}" for end in ends))
    assert read_pairs(idx_pairs(folder)).y_train.tolist() == [1] * 3


def test_images_without_labels_are_no_pair(tmp_path):
    assert idx_pairs(fill(tmp_path / "set", "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte")) == {}
    assert idx_pairs(tmp_path / "set" / "other.idx") == {} == idx_pairs(tmp_path / "none")
