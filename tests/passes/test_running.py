"""What all passes share: the reading lock, and the core's checks of the arrays that it is given."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import fastmlp as fm
from cnn_core.doors.derivatives import gradient, sample_gradients
from cnn_core.doors.inference import activations, predict
from cnn_core.doors.jacobian import input_gradients
from fastmlp.data.inputs import check_inputs, input_source, precision_for
from fastmlp.data.samples import check_samples
from fastmlp.passes import derivatives, inference
from fastmlp.passes.running import Running
from fastmlp.passes.workspace import make_workspace

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
Y = X[:, :2] ** 2
FLOAT64 = precision_for(np.dtype("float64"), np.dtype("float32"))


def network():
    return fm.Network([4, 5, 2], seed=0)


PASSES = {
    "predict": lambda net, rows, targets: inference.predict(net, rows, 1),
    "predict_in_float64": lambda net, rows, targets: inference.predict(net, rows, 1, FLOAT64),
    "activations": lambda net, rows, targets: inference.activations(net, rows, 1),
    "measure": lambda net, rows, targets: inference.measure(net, rows, targets, None, 1),
    "gradient": lambda net, rows, targets: derivatives.loss_and_flat_gradient(net, rows, targets, None, "sum", 1),
    "sample_gradients": lambda net, rows, targets: derivatives.sample_gradients(net, rows, targets, None, 1),
    "input_gradients": lambda net, rows, targets: derivatives.input_gradients(net, rows, 1),
    "surface": lambda net, rows, targets: derivatives.cost_surface(net, rows, targets, None, 0, [0.0], "sum", 1),
}


@pytest.mark.parametrize("name", PASSES)
def test_no_pass_reads_what_another_thread_changes(name):
    net = network()
    rows, targets, _, _ = check_samples(net, X, Y)
    PASSES[name](net, rows, targets)
    with ThreadPoolExecutor(1) as pool:
        with net._access.training:
            PASSES[name](net, rows, targets)  # the thread that trains may look
            with pytest.raises(RuntimeError, match="another thread"):
                pool.submit(PASSES[name], net, rows, targets).result()
        pool.submit(PASSES[name], net, rows, targets).result()


def running(net):
    return Running(net, make_workspace(net.layout, net.loss, net.dtype, len(X), 1, training=False), len(X))


BEHAVIOUR = {"drops": False, "dropout_key": 0, "label_smoothing": 0.0, "keep_running": False}
DOORS = {
    "predict": (predict, 20 * 2, ()),
    "activations": (activations, 20 * 7, ()),
    "input_gradients": (input_gradients, 20 * 2 * 4, ()),
    "sample_gradients": (sample_gradients, 20 * 37, (None, None)),
    "gradient": (gradient, 37, (None, None)),
}


@pytest.mark.parametrize("name", DOORS)
def test_a_door_looks_at_what_it_is_to_fill(name):
    net, (door, n, more) = network(), DOORS[name]
    source = input_source(net, check_inputs(net, X))
    last = (1.0, BEHAVIOUR) if name == "gradient" else ()
    read_only = np.zeros(n, "float32")
    read_only.flags.writeable = False
    for out, error, words in [
        (np.zeros(n), ValueError, "expected an array of type 'f', got 'd'"),
        (np.zeros(n, ">f4"), ValueError, "expected an array of type 'f', got '>f'"),
        (np.zeros(n - 1, "float32"), ValueError, f"expected an array of {n} numbers, got one of {n - 1}"),
        (np.zeros(2 * n, "float32")[::2], ValueError, "contiguous"),
        (read_only, ValueError, "read-only"),
    ]:
        with pytest.raises(error, match=words):
            door(running(net).core, source, *more, out, *last, 0, 1)


def test_parameters_have_a_type_of_the_core():
    net = network()
    workspace = make_workspace(net.layout, net.loss, net.dtype, 20, 1, training=False)
    with pytest.raises(ValueError, match="params must be float32 or float64"):
        workspace.over(net.layout.table, net.params.astype("int32"), net.statistics)
    with pytest.raises(ValueError, match="expected an array of type 'd', got 'f'"):
        workspace.over(net.layout.table, net.params.astype("float64"), net.statistics)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_loss_in_python_may_use_a_network_of_its_own(n_threads):
    """Its passes have one thread, inside a team of two."""
    rng = np.random.default_rng(0)
    many, targets = rng.normal(size=(1000, 4)).astype("float32"), rng.normal(size=(1000, 2))
    teacher, wrong = fm.Network([2, 16, 2], seed=1), []

    def loss(y_true, scores):
        few = np.concatenate([teacher.predict(scores[i : i + 8].copy()) for i in range(0, len(scores), 8)])
        right = np.allclose(teacher.predict(scores.astype("float64"), n_threads=1), few, atol=1e-5)
        measured = teacher.evaluate(scores, few, n_threads=1)["loss"]
        wrong.extend([] if right and measured < 1e-8 else [len(scores)])
        error = scores - y_true
        return (error**2).sum(axis=1) / 2, error

    net = fm.Network([4, 8, 2], loss=fm.CustomLoss(loss), seed=0)
    net.fit(many, targets, epochs=1, batch_size=500, n_threads=n_threads)
    net.evaluate(many, targets, n_threads=n_threads)
    assert wrong == []
