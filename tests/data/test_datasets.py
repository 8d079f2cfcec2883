"""fastmlp.data.datasets: the bundled digits are the published ones; MNIST comes from wherever it is."""

import hashlib
import os

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.data import datasets
from fastmlp.data.datasets import load_digits, load_mnist
from fastmlp.data.readers.dataset import Dataset
from fastmlp.data.readers.download import RemoteFile
from fastmlp.data.readers.idx import write_idx

DIGITS_SHA256 = {
    "X_train": "dfeb9b1999a16e65d3a2f44644a52d102d69c46ec2878f6170559f04a7febff5",
    "y_train": "c93806e69337237c8fb8b8a3a7c651c5e68733eb7e350ff380eabf228723032b",
    "X_test": "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3",
    "y_test": "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0",
}
ARRAYS = {
    "train-images-idx3-ubyte": np.arange(5 * 6, dtype=np.uint8).reshape(5, 2, 3),
    "train-labels-idx1-ubyte": np.array([5, 0, 4, 1, 9], dtype=np.uint8),
    "t10k-images-idx3-ubyte": np.arange(2 * 6, dtype=np.uint8).reshape(2, 2, 3) + 100,
    "t10k-labels-idx1-ubyte": np.array([7, 2], dtype=np.uint8),
}


def write_mnist(folder, suffix="", rename=str, **changed):
    """Write a tiny set in the form of MNIST; ``changed`` replaces arrays, by the start of the file name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in ARRAYS.items():
        array = changed.get(name[: name.index("-idx")].replace("-", "_"), array)
        write_idx(folder / (rename(name) + suffix), array)


def assert_tiny_mnist(data):
    assert isinstance(data, Dataset)
    assert data.X_train.shape == (5, 6) and data.X_train.dtype == np.uint8
    assert data.X_train[1].tolist() == [6, 7, 8, 9, 10, 11]
    assert data.y_train.tolist() == [5, 0, 4, 1, 9] and data.y_train.dtype == np.int64
    assert data.X_test[0, 0] == 100 and data.X_test.shape == (2, 6)
    assert data.y_test.tolist() == [7, 2] and data.y_test.dtype == np.int64


@pytest.fixture
def empty_world(monkeypatch, tmp_path):
    """No data folder, an empty cache, no mirror but an unreachable one."""
    monkeypatch.delenv("FASTMLP_DATA", raising=False)
    monkeypatch.delenv("FASTMLP_MNIST_MIRROR", raising=False)
    monkeypatch.setenv("FASTMLP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(datasets, "MNIST_MIRRORS", ("http://127.0.0.1:9/",))


@pytest.fixture
def tiny_mirror(monkeypatch, tmp_path, empty_world):
    """A loopback mirror of the tiny set; yields its address and the requests it got."""
    import functools
    import http.server
    import threading

    write_mnist(tmp_path / "published" / "mnist")
    remotes = []
    for name in ARRAYS:
        contents = (tmp_path / "published" / "mnist" / name).read_bytes()
        remotes.append(RemoteFile(name, len(contents), hashlib.sha256(contents).hexdigest()))
    write_mnist(tmp_path / "published" / "mnist", suffix=".gz")
    monkeypatch.setattr(datasets, "MNIST_FILES", tuple(remotes))
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, *_):
            asked.append(self.path)

        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=str(tmp_path / "published"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/mnist/", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_digits_are_the_published_ones():
    digits = load_digits()
    assert digits.X_train.shape == (3823, 64) and digits.X_test.shape == (1797, 64)
    assert digits.X_train.dtype == digits.X_test.dtype == np.uint8
    assert digits.y_train.dtype == digits.y_test.dtype == np.int64
    assert digits.X_train.max() == digits.X_test.max() == 16
    assert np.bincount(digits.y_train).tolist() == [376, 389, 380, 389, 387, 376, 377, 387, 380, 382]
    assert np.bincount(digits.y_test).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    for name, expected in DIGITS_SHA256.items():
        array = getattr(digits, name).astype(np.uint8)
        assert hashlib.sha256(array.tobytes()).hexdigest() == expected, name


def test_every_call_gives_fresh_writable_digits():
    load_digits().X_train[:] = 0
    assert load_digits().X_train.any()


def test_the_bundled_file_is_small():
    size = os.path.getsize(os.path.join(os.path.dirname(fm.__file__), "bundled", "optdigits.npz"))
    assert size < 250_000


@pytest.mark.mnist
@pytest.mark.skipif("FASTMLP_DATA" not in os.environ, reason="FASTMLP_DATA is not set")
def test_digits_equal_the_original_files():
    digits = load_digits()
    for X, y, suffix in ((*digits[:2], "tra"), (*digits[2:], "tes")):
        path = os.path.join(os.environ["FASTMLP_DATA"], "optdigits", f"optdigits.{suffix}.gz")
        if not os.path.exists(path):
            pytest.skip("no optdigits in FASTMLP_DATA")
        original = np.loadtxt(path, delimiter=",", dtype=np.int64)
        np.testing.assert_array_equal(np.column_stack([X, y]), original)


@pytest.mark.mnist
@pytest.mark.skipif("FASTMLP_DATA" not in os.environ, reason="FASTMLP_DATA is not set")
def test_the_real_mnist():
    if not datasets.idx_pairs(datasets.Path(os.environ["FASTMLP_DATA"]), ""):
        pytest.skip("no MNIST in FASTMLP_DATA")
    mnist = load_mnist()
    assert mnist.X_train.shape == (60000, 784) and mnist.X_test.shape == (10000, 784)
    assert mnist.X_train.dtype == np.uint8 and mnist.y_train.dtype == np.int64
    assert mnist.y_train[:5].tolist() == [5, 0, 4, 1, 9] and mnist.y_test[:5].tolist() == [7, 2, 1, 0, 4]
    for array, remote in zip(mnist, datasets.MNIST_FILES, strict=True):
        header = 16 if array.ndim == 2 else 8
        assert array.astype(np.uint8).nbytes + header == remote.n_bytes


@pytest.mark.parametrize("subfolder", ["", "mnist", "MNIST/raw"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("rename", [str, lambda name: name.replace("-idx", ".idx")], ids=["dash", "dot"])
def test_mnist_from_a_folder_in_every_spelling(tmp_path, subfolder, suffix, rename):
    write_mnist(tmp_path / subfolder, suffix, rename)
    assert_tiny_mnist(load_mnist(tmp_path))
    assert_tiny_mnist(load_mnist(str(tmp_path)))


def test_a_folder_without_all_four_files_is_named(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(FileNotFoundError, match="does not hold the four MNIST files train-images") as caught:
            load_mnist(folder)
        assert str(folder) in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"train_labels": np.zeros(4, np.uint8)},
            r"one uint8 label for each of 5 images, got uint8 of shape \(4,\)",
        ),
        ({"t10k_labels": np.zeros(2, np.int32)}, "got int32"),
        ({"t10k_labels": np.zeros((2, 1), np.uint8)}, r"shape \(2, 1\)"),
        (
            {"train_images": np.zeros((5, 6), np.uint8)},
            r"expected uint8 images of shape \(n, height, width\)",
        ),
        ({"train_images": np.zeros((5, 2, 3), np.float32)}, "got float32"),
        (
            {"train_images": np.zeros((0, 2, 3), np.uint8), "train_labels": np.zeros(0, np.uint8)},
            r"\(0, 2, 3\)",
        ),
        ({"t10k_images": np.zeros((2, 2, 4), np.uint8)}, "has 6 pixels per image.*has 8"),
    ],
)
def test_files_that_do_not_fit_together(tmp_path, changed, message):
    write_mnist(tmp_path, **changed)
    with pytest.raises(ValueError, match=message) as caught:
        load_mnist(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_a_truncated_file_is_named(tmp_path):
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match="train-images-idx3-ubyte: the IDX header declares 30 bytes"):
        load_mnist(tmp_path)


def test_a_file_that_unfolds_beyond_the_limit_is_refused(tmp_path):
    write_mnist(tmp_path)
    with pytest.raises(ValueError, match="train-images-idx3-ubyte: .* 30 bytes of data, more than max_bytes=29; incr"):
        load_mnist(tmp_path, max_bytes=29)
    assert load_mnist(tmp_path, max_bytes=30).X_train.shape == (5, 6)


def test_the_data_folder_of_the_environment_comes_first(tmp_path, tiny_mirror, monkeypatch):
    write_mnist(tmp_path / "data", train_labels=np.array([1, 1, 1, 1, 1], np.uint8))
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "data"))
    assert load_mnist(mirror=tiny_mirror[0]).y_train.tolist() == [1] * 5
    assert tiny_mirror[1] == []


def test_a_data_folder_without_mnist_is_passed_over(tmp_path, tiny_mirror, monkeypatch):
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "absent"))
    assert_tiny_mnist(load_mnist(mirror=tiny_mirror[0]))


def test_a_data_folder_of_another_set_is_passed_over(tmp_path, tiny_mirror, monkeypatch):
    write_mnist(tmp_path / "data", rename="emnist-letters-{}".format, train_labels=np.full(5, 26, np.uint8))
    monkeypatch.setenv("FASTMLP_DATA", str(tmp_path / "data"))
    assert_tiny_mnist(load_mnist(mirror=tiny_mirror[0]))
    assert load_mnist(tmp_path / "data").y_train.tolist() == [26] * 5


@pytest.mark.parametrize("how", ["argument", "environment", "default"])
def test_download_once_then_from_the_cache(tmp_path, tiny_mirror, monkeypatch, how):
    url, asked = tiny_mirror
    if how == "environment":
        monkeypatch.setenv("FASTMLP_MNIST_MIRROR", url)
    elif how == "default":
        monkeypatch.setattr(datasets, "MNIST_MIRRORS", ("http://127.0.0.1:9/", url))
    mirror = url if how == "argument" else None
    assert_tiny_mnist(load_mnist(mirror=mirror))
    assert asked == [f"/mnist/{name}.gz" for name in ARRAYS]
    assert sorted(os.listdir(tmp_path / "cache" / "mnist")) == sorted(ARRAYS)
    assert_tiny_mnist(load_mnist(mirror=mirror))
    assert len(asked) == 4, "the second call made requests"


def test_a_mirror_argument_replaces_the_others(tiny_mirror, monkeypatch):
    url, asked = tiny_mirror
    monkeypatch.setenv("FASTMLP_MNIST_MIRROR", url)
    with pytest.raises(OSError, match=r"tried http://127\.0\.0\.1:9/a/train-images.*; http://127\.0\.0\.1:9/b/"):
        load_mnist(mirror=["http://127.0.0.1:9/a", "http://127.0.0.1:9/b"])
    assert asked == []


def test_wrong_published_contents_are_refused(tmp_path, tiny_mirror):
    url, _ = tiny_mirror
    write_mnist(tmp_path / "published" / "mnist", ".gz", train_labels=np.array([5, 0, 4, 1, 8], np.uint8))
    with pytest.raises(OSError, match="train-labels-idx1-ubyte could not be downloaded.*expected contents with"):
        load_mnist(mirror=url)
    assert os.listdir(tmp_path / "cache" / "mnist") == ["train-images-idx3-ubyte"]


@pytest.mark.usefixtures("empty_world")
def test_wrong_arguments(tmp_path):
    with pytest.raises(TypeError, match="directory must be a string or a path, got int"):
        load_mnist(3)
    with pytest.raises(TypeError, match="mirror must be an address or a sequence of addresses"):
        load_mnist(mirror=[3])
    with pytest.raises(TypeError, match="mirror must be an address"):
        load_mnist(mirror=3)
    with pytest.raises(ValueError, match="mirror is an empty sequence"):
        load_mnist(mirror=[])
    with pytest.raises(ValueError, match="mirror must be an http"):
        load_mnist(mirror="example.org")
    with pytest.raises(ValueError, match="leave it out when directory is given"):
        load_mnist(tmp_path, mirror="http://127.0.0.1:9/")


def test_the_checksums_are_of_the_published_sizes():
    for remote, n, width in zip(datasets.MNIST_FILES, (60000, 60000, 10000, 10000), (784, 1, 784, 1), strict=True):
        assert remote.n_bytes == n * width + (16 if width > 1 else 8)
        assert len(bytes.fromhex(remote.sha256)) == 32
    assert all(mirror.startswith("https://") for mirror in datasets.MNIST_MIRRORS)
