"""The fuzz targets: each has a function of bytes, valid inputs to start from, and a mutation for their format.

A new format needs a function here, a folder in ``corpus`` and a line in `TARGETS`.
"""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fuzz import boundary, commands, matrices, mutations, tables
from fuzz.watch import FoundError, check_sentence

import fastmlp as fm

CORPUS = Path(__file__).parent / "corpus"
GOLDEN = Path(__file__).parent.parent / "golden"
SCRATCH = Path(tempfile.mkdtemp(prefix="fastmlp-fuzz-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
MOST_COLUMNS = 100_000
"""A loaded network with more parameters is not used for predictions."""


@dataclass(frozen=True)
class Target:
    """``run`` takes the bytes; ``change`` mutates them with a `random.Random`."""

    name: str
    run: Callable[[bytes], Any]
    change: Callable[[bytes, Any], bytes]

    def seeds(self):
        """The corpus: valid inputs and every input that ever failed; for models also the golden files."""
        paths = sorted((CORPUS / self.name).iterdir())
        if self.name == "model":
            paths += sorted(GOLDEN.rglob("*.safetensors"))
        return [path.read_bytes() for path in paths]


def scratch(name, data):
    """Write a temporary file with these contents."""
    path = SCRATCH / name
    path.write_bytes(data)
    return path


@contextlib.contextmanager
def refused(path):
    """Accept a ValueError if it is one sentence that names the file."""
    try:
        yield
    except ValueError as error:
        check_sentence(error, path)


def model(data):
    """Load a model file as a network and as an estimator; whatever loads must work."""
    path = scratch("model", data)
    for allow_nan in (False, True):
        with refused(path):
            network = fm.load(path, allow_nan=allow_nan)
            if network.n_features <= MOST_COLUMNS:
                use(network, allow_nan)
    for kind in (fm.MLPClassifier, fm.MLPRegressor):
        with refused(path):
            estimator = kind.load(path)
            if estimator.n_features_in_ <= MOST_COLUMNS:
                estimator.predict(np.zeros((2, estimator.n_features_in_)))
                repr(estimator)


def use(network, allow_nan):
    """Predict, train a little, save again."""
    X = np.zeros((3, network.n_features), dtype=network.dtype)
    with np.errstate(all="ignore"):
        outputs = network.predict(X)
    if outputs.shape != (3, network.n_outputs):
        raise FoundError(f"outputs of shape {outputs.shape}")
    repr(network)
    network.save(SCRATCH / "again", allow_nan=allow_nan)
    before = network.params.tobytes()
    if fm.load(SCRATCH / "again", allow_nan=allow_nan).params.tobytes() != before:
        raise FoundError("a model written again is another")
    if network.n_params > 10_000:
        return
    y = np.zeros(3, dtype=int) if network.loss.spec.classification and network.n_outputs > 1 else np.abs(outputs)
    with contextlib.suppress(ValueError, fm.DivergedError), np.errstate(all="ignore"):
        network.train_on_batch(X, y)


def idx(data):
    path = scratch("data.idx", data)
    with refused(path):
        if fm.read_idx(path).nbytes > 2**26:
            raise FoundError("an array of more bytes than the file could hold")


def csv(data):
    path = scratch("data.csv", data)
    with refused(path):
        encoder = fm.TableEncoder().fit(fm.read_csv(path))
        if not np.array_equal(encoder.transform(fm.read_csv(path)), encoder.transform(fm.read_csv(path))):
            raise FoundError("the same table is encoded in two ways")
    for options in ({"header": False}, {"delimiter": ",", "target": -1}, {"decimal": ",", "null": [0]}):
        with refused_options(path):
            fm.read_csv(path, **options)


@contextlib.contextmanager
def refused_options(path):
    """As `refused`; but the error may also name an option instead of the file."""
    try:
        yield
    except ValueError as error:
        check_sentence(error, None if str(error).startswith(("target", "categorical")) else path)


def npz(data):
    path = scratch("data.npz", data)
    before = set(SCRATCH.rglob("*"))
    with refused(path):
        fm.read_npz(path)
    if set(SCRATCH.rglob("*")) - before:
        raise FoundError("a file was written")


def folder(data):
    """The four files of MNIST, each from a quarter of the bytes."""
    place = SCRATCH / "mnist"
    place.mkdir(exist_ok=True)
    names = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    parts = data.split(b"////")
    for name, part in zip(names, [*parts, b"", b"", b"", b""], strict=False):
        (place / name).write_bytes(part)
    with refused(place):
        fm.load_mnist(place)


def checkpoint(data):
    """Resume from a checkpoint: the fit ends, diverges, or is rejected and the network is unchanged."""
    network = fm.Network([2, 3, 1], seed=0)
    path = scratch("run.ckpt", data)
    Path(f"{path}.previous").unlink(missing_ok=True)
    before = boundary.state_of(network)
    X = np.arange(8.0).reshape(4, 2)
    try:
        network.fit(X, X[:, :1], epochs=2, batch_size=2, checkpoint=path, resume=True, callbacks=[fm.TimeLimit(0.5)])
    except fm.DivergedError:
        pass  # its numbers may be absurd: the network keeps them, as after the fit itself
    except ValueError as error:
        check_sentence(error, longest=2000)
        if boundary.state_of(network) != before:
            raise FoundError("a checkpoint refused changed the network") from error


def table_of(name):
    """A target that reads a table in one format."""

    def run(data):
        tables.run(scratch(f"data.{name}", data), SCRATCH)

    return run


def change_gzip_of(change):
    return lambda data, random: mutations.change_packed(data, random, change)


def change_folder(data, random):
    parts = data.split(b"////")
    at = random.randrange(len(parts))
    parts[at] = mutations.change_packed(parts[at], random, mutations.change_idx)
    return b"////".join(parts)


def change_choices(data, random):
    """Change bytes that stand for choices, and add more."""
    if random.randrange(3) == 0:
        return random.randbytes(random.randrange(80))
    return mutations.change_bytes(data + random.randbytes(random.randrange(8)), random)


TARGETS = {
    target.name: target
    for target in (
        Target("model", model, mutations.change_model),
        Target("idx", idx, change_gzip_of(mutations.change_idx)),
        Target("csv", csv, change_gzip_of(mutations.change_csv)),
        Target("npz", npz, mutations.change_npz),
        Target("folder", folder, change_folder),
        Target("checkpoint", checkpoint, mutations.change_checkpoint),
        Target("command", commands.run_command, change_choices),
        Target("function", boundary.run_function, change_choices),
        Target("methods", boundary.run_methods, change_choices),
        Target("estimators", boundary.run_estimators, change_choices),
        Target("matrices", matrices.run_matrices, change_choices),
        *(Target(name, table_of(name), change) for name, change in tables.CHANGES.items()),
    )
}
