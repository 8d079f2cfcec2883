"""Threads and tiles change the order of sums and nothing else; the same number of threads gives the same bits."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info
from twins import LEGAL_PAIRS, VARIANTS, make_loss, make_samples, relative_error, shake

import fastmlp as fm
from cnn_core.machine.team import has_threads
from fastmlp.machine.threads import available_threads, choose_threads, openmp_stack, single_threaded_blas

N = 1150  # batches of 600 and 550: several tiles for each thread, a ragged last batch


def make_case(variant="plain", loss="squared_error", output=None, dtype="float64", hidden="tanh"):
    rng = np.random.default_rng(0)
    layers = [fm.Input(4), fm.Dense(6, hidden), *VARIANTS[variant], fm.Dense(5, hidden), fm.Dense(3, output)]
    net = shake(fm.Network(layers, loss=make_loss(loss), dtype=dtype, seed=1), rng)
    return net, *make_samples(loss, rng, N, 4, 3)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("loss", "output"), LEGAL_PAIRS)
def test_one_and_two_threads_agree(variant, loss, output):
    net, X, T, weight = make_case(variant, loss, output)
    seed = 3 if variant == "dropout" else None
    results = [
        net.loss_and_flat_gradient(X, T, sample_weight=weight, dropout_seed=seed, n_threads=n) for n in (1, 2, 2)
    ]
    assert results[1][0] == pytest.approx(results[0][0], rel=1e-12)
    assert relative_error(results[1][1], results[0][1]) < 1e-12
    assert results[2][0] == results[1][0]
    np.testing.assert_array_equal(results[2][1], results[1][1])


FITS = {
    "sgd": fm.SGD(0.1),
    "momentum": fm.SGD(0.1, momentum=0.9, weight_decay=0.01),
    "adam": fm.Adam(0.01, epsilon=1e-3),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("optimizer", FITS.values(), ids=FITS)
def test_fits_agree_and_repeat_to_the_bit(variant, optimizer):
    def fit(n_threads):
        net, X, T, weight = make_case(variant)
        history = net.fit(
            X, T, epochs=2, batch_size=600, optimizer=optimizer, sample_weight=weight, n_threads=n_threads,
            validation_data=(X, T),
        )  # fmt: skip
        return np.concatenate([net.params, net.statistics, history["loss"], history["val_loss"]])

    one, two = fit(1), fit(2)
    assert relative_error(two, one) < 1e-12
    np.testing.assert_array_equal(fit(1), one)
    np.testing.assert_array_equal(fit(2), two)


@pytest.mark.parametrize("n_threads", [2, 3, 5])
@pytest.mark.parametrize("n", [1, 2, 5, 17, 600])
@pytest.mark.parametrize("variant", ["plain", "batch_norm"])
def test_more_threads_than_tiles_or_rows(variant, n, n_threads):
    """A thread without a row of its own must neither add nor wait in vain."""
    results = []
    for threads in (1, n_threads):
        net, X, T, weight = make_case(variant)
        X, T, weight = X[:n], T[:n], weight[:n]
        fit = {"batch_size": 16, "optimizer": fm.SGD(0.1, momentum=0.5), "n_threads": threads}
        if n > 1 or variant == "plain":  # a BatchNorm learns nothing from one row
            net.fit(X, T, epochs=2, sample_weight=weight, **fit)
        _, gradient = net.loss_and_flat_gradient(X, T, sample_weight=weight, n_threads=threads)
        results.append(np.concatenate([net.params, gradient, net.predict(X, n_threads=threads).ravel()]))
    assert relative_error(results[1], results[0]) < 1e-12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forward_passes_agree_and_repeat_to_the_bit(dtype):
    net, X, T, weight = make_case("batch_norm", dtype=dtype)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(net.predict(X, n_threads=2), net.predict(X, n_threads=1), rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(net.predict(X, n_threads=2), net.predict(X, n_threads=2))
    one, two = (net.evaluate(X, T, sample_weight=weight, n_threads=n) for n in (1, 2))
    assert one == pytest.approx(two, rel=tolerance)


def test_accuracy_is_counted_by_all_threads():
    rng = np.random.default_rng(2)
    X, labels = rng.normal(size=(N, 4)), rng.integers(0, 3, size=N)
    net, weight = fm.Network([4, 5, 3], loss="cross_entropy", seed=0), rng.uniform(size=N)
    right = net.predict(X).argmax(axis=1) == labels
    for n in (1, 2):
        assert net.evaluate(X, labels, n_threads=n)["accuracy"] == pytest.approx(right.mean(), rel=1e-12)
        weighted = net.evaluate(X, labels, sample_weight=weight, n_threads=n)["accuracy"]
        assert weighted == pytest.approx((right * weight).sum() / weight.sum(), rel=1e-6)


def test_fits_may_run_side_by_side():
    """The GIL is released: networks trained in Python threads come out as if each were alone."""

    def fit(seed):
        net = fm.Network([4, 8, 3], loss="squared_error", dtype="float64", seed=seed)
        net.fit(X, T, epochs=5, batch_size=20, n_threads=1)
        return net.params

    _, X, T, _ = make_case()
    alone = [fit(seed) for seed in range(4)]
    together = [None] * 4

    def work(seed):
        together[seed] = fit(seed)

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    np.testing.assert_array_equal(together, alone)


@pytest.mark.skipif(not has_threads(), reason="the core was built without OpenMP")
def test_the_choice_of_threads():
    assert choose_threads(3, 10, 100) == 3
    assert choose_threads(8, 10, 5) == 5
    assert choose_threads(None, 10, 5) == 1
    assert choose_threads(None, 10**9, 10**6) == available_threads()
    if hasattr(os, "sched_getaffinity"):
        assert available_threads() == len(os.sched_getaffinity(0))


def test_fewer_threads_than_asked_for():
    """The system may grant less than was asked; every sum must still be whole."""
    program = (
        "import numpy as np, fastmlp as fm; X = np.linspace(-1, 1, 3600).reshape(1200, 3); "
        "net = fm.Network([fm.Input(3), fm.Dense(4, 'tanh'), fm.BatchNorm(), fm.Dense(1)], dtype='float64', seed=0); "
        "net.fit(X, X[:, 0] ** 2, epochs=2, batch_size=600, n_threads=2); "
        "print(*net.params, net.evaluate(X, X[:, 0] ** 2, n_threads=2)['loss'])"
    )
    outputs = []
    for limit in ("1", "8"):
        environment = os.environ | {"OMP_THREAD_LIMIT": limit}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        outputs.append(np.array(done.stdout.split(), dtype=float))
    assert relative_error(*outputs) < 1e-12


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, 0), ({"OMP_STACKSIZE": "16M"}, 16 * 2**20), ({"OMP_STACKSIZE": " 512 "}, 512 * 2**10),
        ({"GOMP_STACKSIZE": "2g"}, 2**31), ({"OMP_STACKSIZE": "64 B", "GOMP_STACKSIZE": "1M"}, 64),
        ({"OMP_STACKSIZE": "much"}, 0), ({"OMP_STACKSIZE": "9" * 15 + "G"}, 2**62), ({"OMP_STACKSIZE": "9" * 99}, 0),
    ],
)  # fmt: skip
def test_the_stack_that_the_environment_gives_to_threads(environment, expected):
    assert openmp_stack(environment) == expected


@pytest.mark.skipif(has_threads(), reason="the core was built with OpenMP")
def test_without_openmp_there_is_one():
    assert choose_threads(3, 10, 100) == choose_threads(None, 10**9, 10**6) == available_threads() == 1


@pytest.mark.parametrize(("n", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (5000, ValueError)])
def test_bad_numbers_of_threads(n, error):
    net, X, T, _ = make_case()
    for call in (net.fit, net.evaluate, net.sample_gradients, net.loss_and_gradients):
        with pytest.raises(error, match="n_threads"):
            call(X, T, n_threads=n)


def blas_threads():
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


def test_the_blas_has_one_thread_inside_and_its_own_number_again_outside():
    before = blas_threads()
    with single_threaded_blas:
        with single_threaded_blas:
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == before
    with pytest.raises(ZeroDivisionError), single_threaded_blas:
        1 / 0  # noqa: B018
    assert blas_threads() == before


FORKED = """
import multiprocessing, sys
import numpy as np
import fastmlp as fm

X = np.random.default_rng(0).random((600, 4))

def fit(seed):
    net = fm.Network([4, 8, 1], dtype="float64", seed=seed)
    net.fit(X, X[:, 0], epochs=2, batch_size=300, n_threads=2)
    return net.params.sum()

if __name__ == "__main__":
    here = [fit(seed) for seed in range(3)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        there = pool.map_async(fit, range(3)).get(timeout=60)
    np.testing.assert_allclose(there, here, rtol=1e-12)
    print("same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_forked_process_trains_on(tmp_path):
    """The team of the parent is gone in the child, which must not wait for it."""
    script = tmp_path / "forked.py"
    script.write_text(FORKED, encoding="utf-8")
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.stdout.strip() == "same", result.stderr
