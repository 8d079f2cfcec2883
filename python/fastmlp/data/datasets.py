"""Data sets ready for training: the bundled digits, and MNIST from a folder or a mirror.

Loaders return a ``Dataset``: images as rows of uint8, labels as int64. Pixels
are not scaled. That is the job of the network (``Input(64, scale=1 / 16)``), so
no float copy of the images is needed, and a saved network takes raw pixels.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastmlp.checks.errors import shown
from fastmlp.data.readers.dataset import Dataset
from fastmlp.data.readers.download import RemoteFile, cache_folder, fetch
from fastmlp.data.readers.idx_folder import idx_pairs, read_pairs
from fastmlp.machine.files import MAX_BYTES, as_path

# Training images and labels, then test images and labels, in the order of ``Dataset``.
MNIST_FILES = (
    RemoteFile(
        "train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    RemoteFile("train-labels-idx1-ubyte", 60_008, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    RemoteFile(
        "t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    RemoteFile("t10k-labels-idx1-ubyte", 10_008, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
)
MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


def load_digits() -> Dataset:
    """Load the bundled handwritten digits: 3823 training and 1797 test images of 8 x 8 pixels.

    Returns
    -------
    Dataset
        ``X_train`` (3823, 64) and ``X_test`` (1797, 64), uint8 from 0 (paper) to 16 (ink), each image row by row;
        ``y_train`` and ``y_test``, int64 labels 0 to 9.

    Notes
    -----
    Training and test images were written by different people. The pixels are those of the source, stored as bytes.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    data set 80 (1998). Licence: CC BY 4.0.

    Examples
    --------
    >>> digits = load_digits()
    >>> digits.X_train.shape, digits.X_test.shape, int(digits.X_train.max())
    ((3823, 64), (1797, 64), 16)
    >>> digits.y_test[:5]
    array([0, 1, 2, 3, 4])
    """
    import importlib.resources

    contents = importlib.resources.files("fastmlp").joinpath("bundled/optdigits.npz").read_bytes()
    with np.load(io.BytesIO(contents), allow_pickle=False) as arrays:
        return Dataset(
            arrays["X_train"],
            arrays["y_train"].astype(np.int64),
            arrays["X_test"],
            arrays["y_test"].astype(np.int64),
        )


def load_mnist(
    directory: str | os.PathLike[str] | None = None,
    *,
    mirror: str | Sequence[str] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Dataset:
    """Load the MNIST digits: 60 000 training and 10 000 test images of 28 x 28 pixels.

    Without ``directory``, these places are tried in turn:

    1. the folder named by the environment variable ``FASTMLP_DATA``, if it contains the files;
    2. the cache: the folder ``mnist`` in the folder named by ``FASTMLP_CACHE``, or in the user's cache folder (on Linux
       ``~/.cache/fastmlp``);
    3. the mirrors. A download (11 MB) is checked against its sha256 and kept in the cache, unpacked.

    Parameters
    ----------
    directory : path, optional
        Folder of the four IDX files, or with a subfolder ``mnist`` or ``MNIST/raw`` that contains them; nothing else
        is tried. The files are named ``train-images-idx3-ubyte`` or ``train-images.idx3-ubyte`` and so on, with or
        without ``.gz``. Any data set in this form, such as Fashion-MNIST or EMNIST, can be loaded.
    mirror : str or sequence of str, optional
        An http or https address under which the ``.gz`` files are found, or several to try in order. Default: the
        environment variable ``FASTMLP_MNIST_MIRROR``, else well-known mirrors.
    max_bytes : int, default 4 GiB
        Limit on the memory for the contents of one file, in bytes.

    Returns
    -------
    Dataset
        Images uint8 (n, 784), 0 (paper) to 255 (ink); labels int64 (n,), 0 to 9 for MNIST.

    Raises
    ------
    FileNotFoundError
        ``directory`` does not contain the four files.
    OSError
        The download failed; the message lists every address tried.
    ValueError
        Files that are damaged or do not fit together, or ``mirror`` given together with ``directory``.
    TypeError
        An argument of the wrong type.

    Notes
    -----
    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits". Licence: CC BY-SA 3.0.

    Examples
    --------
    >>> mnist = load_mnist("data/mnist")  # doctest: +SKIP
    >>> mnist.X_train.shape  # doctest: +SKIP
    (60000, 784)
    """
    if directory is not None:
        if mirror is not None:
            raise ValueError("mirror is for downloading; leave it out when directory is given")
        folder = as_path(directory, "directory")
        found = _mnist_in(folder, max_bytes)
        if found is None:
            names = ", ".join(remote.name for remote in MNIST_FILES)
            raise FileNotFoundError(f"directory={str(folder)!r} does not hold the four MNIST files {names}")
        return found
    local = os.environ.get("FASTMLP_DATA")
    found = _mnist_in(Path(local), max_bytes, prefix="") if local else None
    if found is None:
        paths = [fetch(remote, cache_folder("mnist"), _mirrors(mirror)) for remote in MNIST_FILES]
        found = read_pairs(idx_pairs(paths[0]), max_bytes)
    return found


def _mirrors(mirror: str | Sequence[str] | None) -> tuple[str, ...]:
    """Return the mirrors to try: from the argument, the environment, or the defaults."""
    if mirror is None:
        mirror = os.environ.get("FASTMLP_MNIST_MIRROR") or MNIST_MIRRORS
    if isinstance(mirror, str):
        return (mirror,)
    if not isinstance(mirror, Sequence) or not all(isinstance(address, str) for address in mirror):
        raise TypeError(f"mirror must be an address or a sequence of addresses, got {shown(mirror)}")
    if not mirror:
        raise ValueError("mirror is an empty sequence; expected at least one address")
    return tuple(mirror)


def _mnist_in(folder: Path, max_bytes: int, prefix: str | None = None) -> Dataset | None:
    """The data set in ``folder``, if all four files are there."""
    pairs = idx_pairs(folder, prefix)
    return read_pairs(pairs, max_bytes) if len(pairs) == 2 else None
