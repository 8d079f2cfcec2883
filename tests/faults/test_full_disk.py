"""A disk that is full, read-only or gone: old files and the network in memory are kept, and the error is reported."""

import os
import re
import shutil
import signal
from contextlib import contextmanager

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.machine.state_files import previous_of

resource = pytest.importorskip("resource")

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(200, 8)).astype(np.float32), RNG.integers(0, 3, 200)


@contextmanager
def room_for(n_bytes):
    """Limit the size of files to this many bytes: a larger write fails as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN  # set by Python at startup
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def network():
    return fm.Network([8, 30, fm.Dropout(0.1), 3], loss="cross_entropy", seed=0)


def fitted(epochs=4, **arguments):
    net = network()
    return net, net.fit(X, Y, epochs=epochs, batch_size=16, **arguments)


ROOM = [0, 1, 100, 900, 2000, 2400]


@pytest.mark.parametrize("n_bytes", ROOM)
def test_a_model_that_finds_no_room_leaves_the_old_one(n_bytes, tmp_path):
    path = tmp_path / "model.safetensors"
    net = network()
    net.save(path)
    before, params = path.read_bytes(), net.params.copy()
    assert len(before) > n_bytes
    net.params += 1
    with room_for(n_bytes), pytest.raises(OSError, match="File too large"):
        net.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == [path.name]
    np.testing.assert_array_equal(fm.load(path).params, params)
    net.save(path)
    np.testing.assert_array_equal(fm.load(path).params, params + 1)


@pytest.mark.parametrize("n_bytes", [*ROOM, 9000])
def test_a_checkpoint_that_finds_no_room_loses_nothing(n_bytes, tmp_path):
    path = tmp_path / "run.ckpt"
    whole = fitted(9)[0]
    fitted(4, checkpoint=path)
    files = {each: each.read_bytes() for each in (path, previous_of(path))}
    assert min(map(len, files.values())) > n_bytes
    with room_for(n_bytes), pytest.warns(RuntimeWarning, match=r"File too large.*training continues.*is unchanged"):
        net, history = fitted(9, checkpoint=path, resume=True, checkpoint_every=0.0)
    assert history.n_epochs == 9
    np.testing.assert_array_equal(net.params, whole.params)  # training continued
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == files
    np.testing.assert_array_equal(fitted(9, checkpoint=path, resume=True)[0].params, whole.params)


@pytest.mark.parametrize("n_bytes", ROOM)
def test_without_room_for_the_first_checkpoint_nothing_begins(n_bytes, tmp_path):
    net = network()
    params = net.params.copy()
    with room_for(n_bytes), pytest.raises(OSError, match="File too large"):
        net.fit(X, Y, checkpoint=tmp_path / "run.ckpt")
    np.testing.assert_array_equal(net.params, params)
    assert os.listdir(tmp_path) == []


def test_other_files_that_find_no_room_leave_the_old_ones(tmp_path):
    path = tmp_path / "images.idx"
    fm.write_idx(path, np.zeros(10, np.uint8))
    with room_for(50), pytest.raises(OSError, match="File too large"):
        fm.write_idx(path, np.zeros(1000, np.uint8))
    np.testing.assert_array_equal(fm.read_idx(path), np.zeros(10, np.uint8))
    assert os.listdir(tmp_path) == [path.name]


def test_a_folder_that_vanishes_is_a_warning(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    gone = [lambda run: run.epoch == 1 and shutil.rmtree(folder)]
    with pytest.warns(RuntimeWarning, match=re.escape(f"No such file or directory: '{folder}")):
        net, history = fitted(checkpoint=folder / "run.ckpt", callbacks=gone)
    np.testing.assert_array_equal(net.params, fitted()[0].params)
    assert history.n_epochs == 4


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a file system that nobody can write to")
def test_a_folder_that_nobody_can_write_to_is_told_at_once():
    net = network()
    params = net.params.copy()
    for write in (lambda: net.save("/proc/model.safetensors"), lambda: net.fit(X, Y, checkpoint="/proc/run.ckpt")):
        with pytest.raises(OSError, match=r"/proc/\."):
            write()
        np.testing.assert_array_equal(net.params, params)
