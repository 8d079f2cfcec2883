"""Out of memory at any limit: MemoryError, with network, momenta and files unchanged; no crash, no hang."""

import os
import subprocess
import sys

import pytest

resource = pytest.importorskip("resource")
pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux's address space")
LONG = os.environ.get("FASTMLP_LONG") == "1"

HEAD = """
import faulthandler, resource, sys, tempfile, warnings
from pathlib import Path
import numpy as np
import fastmlp as fm

faulthandler.enable()
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(1200, 300)).astype(np.float32), rng.normal(size=1200)
layers = [300, 700, 300, 1]
n_bytes = fm.Network(layers).params.nbytes
unlimited = resource.RLIM_INFINITY

def limit(room):
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + room, unlimited))

def unlimit():
    resource.setrlimit(resource.RLIMIT_AS, (unlimited, unlimited))
"""

MANY = """
folder = Path(tempfile.mkdtemp())
path = folder / "net.safetensors"
base = fm.Network(layers, activation="tanh", seed=0)
base.fit(X, Y, epochs=1, batch_size=600, optimizer=fm.Adam(1e-4), warm_start=True)  # now it has momenta
base.save(path)
small = fm.Network([300, 4, 1], seed=0)

def squares(targets, scores):
    return ((scores - targets) ** 2).sum(axis=1), 2 * (scores - targets)

def custom(net):
    net.loss = fm.CustomLoss(squares)
    fit(net)

def chunks():
    yield X[:600], Y[:600]
    yield X[600:].copy(), Y[600:].copy()

def fit(net, X=X, Y=Y, **options):
    net.fit(X, Y, **{"epochs": 2, "batch_size": 600, "n_threads": 1} | options)

def by(optimizer, **options):
    return lambda net: fit(net, optimizer=optimizer, **options)

early = {
    "sgd": by(fm.SGD(1e-4)),
    "momentum": by(fm.SGD(1e-4, momentum=0.9)),
    "adam": by(fm.Adam(1e-4)),
    "warm_start": by(fm.Adam(1e-4), warm_start=True),
    "adagrad": by(fm.Adagrad(1e-4)),
    "rprop": by(fm.Rprop(1e-4), batch_size=1200),
    "float64": lambda net: net.astype("float64"),
    "threads": by(fm.SGD(1e-4), n_threads=2),
    "train_on_batch": lambda net: net.train_on_batch(X, Y),
    "predict": lambda net: net.predict(X),
    "evaluate": lambda net: net.evaluate(X, Y),
    "loss_and_gradients": lambda net: net.loss_and_gradients(X, Y),
    "input_gradients": lambda net: net.input_gradients(X),
    "sample_gradients": lambda net: net.sample_gradients(X[:20], Y[:20]),
    "save": lambda net: net.save(path),
    "load": lambda net: fm.load(path),
    "copy": lambda net: net.copy(),
    "average": by(fm.Adam(1e-4), average=0.9, warm_start=True),
}
late = {  # these allocate more during training
    "validation": lambda net: fit(net, validation_data=(X, Y), metrics=["r2"], optimizer=fm.SGD(1e-4)),
    "early_stopping": lambda net: fit(net, callbacks=[fm.EarlyStopping()], warm_start=True),
    "custom_loss": custom,
    "chunks": lambda net: fit(net, fm.Chunks(chunks), None),
    "lbfgs": lambda net: fit(net, optimizer=fm.LBFGS(memory=3), epochs=1),
    "levenberg_marquardt": lambda net: small.fit(X, Y, epochs=1, optimizer=fm.LevenbergMarquardt()),
}
cases = early | late
chosen = sys.argv[2:] or [name for name in cases if name != "levenberg_marquardt"]
for name in chosen:
    call = cases[name]
    call(base.copy())  # for imports and caches at first use
    failed, content = 0, path.read_bytes()
    for room in range(0, 120 * n_bytes, int(float(sys.argv[1]) * n_bytes)):
        net = base.copy()
        before, state, generator = net.snapshot(), net.optimizer_state, net.rng.bit_generator.state
        momenta = state.vectors.copy()
        limit(room)
        try:
            call(net)
            error = None
        except MemoryError as caught:
            error = caught
        finally:
            unlimit()
        if error is None:
            break
        failed += 1
        unchanged = (
            all(map(np.array_equal, net.snapshot(), before))
            and net.optimizer_state is state
            and np.array_equal(state.vectors, momenta)
            and net.rng.bit_generator.state == generator
        )
        if not unchanged:
            assert name in late, (name, room)
            assert net.is_finite()
        assert path.read_bytes() == content or name != "save"
        assert list(folder.iterdir()) == [path]
        assert np.isfinite(net.predict(X[:1])).all()
        net.loss = base.loss
        net.fit(X[:10], Y[:10], epochs=1, warm_start=True, optimizer=fm.Adam(1e-5))  # the lock is released
    assert error is None, (name, error)
    assert failed, name
    print(name)
"""

COLD = """
net = fm.Network(layers, dtype="float64", seed=0)
before = net.params.copy()
limit(int(sys.argv[1]) * 1_000_000)
try:
    net.fit(X, Y, epochs=1, batch_size=1200, n_threads=int(sys.argv[2]), optimizer=fm.SGD(1e-4))
    print("trained")
except MemoryError:
    assert np.array_equal(net.params, before)
    print("refused")
"""


def run(program, tmp_path, *arguments):
    script = tmp_path / "memory.py"
    script.write_text(HEAD + program, encoding="utf-8")
    command = [sys.executable, str(script), *map(str, arguments)]
    # Freed memory goes back to the system: otherwise a later case could use what an earlier one has freed.
    environment = os.environ | {"TMPDIR": str(tmp_path), "MALLOC_MMAP_THRESHOLD_": "65536"}
    result = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


@pytest.mark.plain_build(reason="the address sanitizer needs terabytes of address space")
def test_memory_that_runs_out_leaves_everything_as_it_was(tmp_path):
    some = ["adam", "predict", "save", "average", "validation", "chunks"]
    names = run(MANY, tmp_path, 0.25) if LONG else run(MANY, tmp_path, 3, *some)
    assert len(names) == 23 if LONG else names == some


@pytest.mark.skipif(not LONG, reason="a few seconds")
def test_the_matrices_of_levenberg_marquardt_too(tmp_path):
    """In its own process, whose heap has no large free blocks from other cases."""
    assert run(MANY, tmp_path, 1, "levenberg_marquardt") == ["levenberg_marquardt"]


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("megabytes", range(0, 200, 5) if LONG else [45])
def test_threads_and_the_blas_are_refused_before_they_end_the_process(megabytes, n_threads, tmp_path):
    """In a new process that has not started them yet; without the check OpenMP would exit and OpenBLAS hang."""
    outcome = run(COLD, tmp_path, megabytes, n_threads)
    assert outcome == ["refused"] or (megabytes > 60 and outcome == ["trained"])


def test_what_is_limited_but_enough_is_enough(tmp_path):
    assert run(COLD, tmp_path, 300, 2) == ["trained"]
