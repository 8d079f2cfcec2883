"""Limits of processes and of threads' stacks: fewer threads and a warning, where OpenMP would end the process."""

import os
import subprocess
import sys

import pytest

from cnn_core.machine.team import has_threads

pytestmark = [
    pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="counts Linux's threads"),
    pytest.mark.skipif(not has_threads(), reason="the core was built without OpenMP"),
]

PROGRAM = """
import os, resource, sys, threading, time, warnings
import numpy as np
import fastmlp as fm

X = np.random.default_rng(0).normal(size=(600, 4))
Y = X[:, 0] * X[:, 1]

def fit(n_threads):
    net = fm.Network([4, 40, 8, 1], dtype="float64", seed=0)
    net.fit(X, Y, epochs=2, batch_size=300, n_threads=n_threads)
    return np.concatenate([net.params, net.predict(X, n_threads=n_threads).ravel()])

def inside_a_loss(y_true, scores):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_allclose(fit(3), one, rtol=1e-9)
    return ((scores - y_true) ** 2).sum(axis=1), 2 * (scores - y_true)

one = fit(1)
more = int(sys.argv[1])
if more >= 0:  # threads beside those there are, for a user who has no other process
    if os.getuid() == 0:
        os.setuid(54321)  # the limit is not for root
    n_threads = len(os.listdir("/proc/self/task")) + more
    resource.setrlimit(resource.RLIMIT_NPROC, (n_threads, n_threads))
    try:
        started = [threading.Thread(target=threading.Event().wait, args=(0.2,)) for _ in range(more + 1)]
        for thread in started:
            thread.start()
        print("no limit")
        sys.exit()
    except RuntimeError:
        for thread in started[:more]:
            thread.join()
        while len(os.listdir("/proc/self/task")) > n_threads - more:  # the system counts them for a moment longer
            time.sleep(0.001)
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    four = fit(4)
np.testing.assert_allclose(four, one, rtol=1e-9)
net = fm.Network([4, 40, 1], loss=fm.CustomLoss(inside_a_loss), dtype="float64", seed=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    net.fit(X, Y, epochs=1, batch_size=300, n_threads=2)
print(*sorted({f"{type(w.message).__name__}: {w.message}" for w in seen}))
"""


def outcome(more, **environment):
    command = [sys.executable, "-c", PROGRAM, str(more)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    if done.stdout.strip() == "no limit":
        pytest.skip("no limit of processes can be set here")
    return done.stdout.strip()


@pytest.mark.parametrize("more", [0, 1, 2])
def test_with_a_limit_of_processes_there_are_fewer_threads_and_a_warning(more):
    words = f"RuntimeWarning: the system starts only {1 + more} of 4 threads, so {1 + more} will do the work"
    assert outcome(more).startswith(words)


def test_within_the_limit_there_is_no_warning():
    assert outcome(4) == ""


@pytest.mark.plain_build(reason="the address sanitizer needs terabytes of address space")
def test_with_stacks_too_large_for_the_system_there_is_one_thread_and_a_warning():
    assert outcome(-1, OMP_STACKSIZE="200000G").startswith("RuntimeWarning: the system starts only 1 of 4 threads")
