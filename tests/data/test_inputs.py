"""Sparse inputs: the same numbers as from dense ones, whichever way the first layer takes them."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import relative_error, shake, twin_of

import fastmlp as fm
from fastmlp.data import inputs
from fastmlp.data.inputs import InputForm, input_form
from fastmlp.passes.workspace import make_workspace

DTYPES = {"float32": 2e-5, "float64": 1e-13}


@pytest.fixture(autouse=True)
def on_any_build(monkeypatch):
    """Without kernels of its own the core can leave out zeros too; it only doesn't pay."""
    monkeypatch.setattr(inputs, "has_kernels", lambda: True)


def mostly_zeros(n, width, seed=0, density=0.15, dtype="float64"):
    """Rows with nonzero numbers here and there, and among them one row without any."""
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((n, width)) < density, rng.normal(size=(n, width)), 0.0)
    X[n // 2] = 0.0
    return X.astype(dtype)


def form_of(net, X):
    return input_form(net, inputs.check_inputs(net, X))


def classifier(width, dtype="float64", hidden=20, seed=0, **given):
    net = fm.Network([fm.Input(width, **given), fm.Dense(hidden, "tanh"), 3], loss="cross_entropy", dtype=dtype, seed=0)
    return shake(net, np.random.default_rng(seed))


def as_rows(monkeypatch):
    """From here on dense arrays are multiplied as they are, zeros and all."""
    monkeypatch.setattr(inputs, "DENSITY", -1.0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_out", [*range(1, 20), 31, 32, 33, 47, 64, 65, 79, 96, 111, 127, 128, 129, 145, 200, 257])
def test_products_of_lists_are_right_at_every_width(n_out, dtype):
    # Widths around every number of vectors that the kernels take at a time, and around their parts.
    rng = np.random.default_rng(n_out)
    X, y = mostly_zeros(9, 300, n_out, dtype=dtype), rng.normal(size=(9, n_out))
    net = shake(fm.Network([300, n_out], dtype=dtype, seed=0), rng)
    twin = twin_of(net)
    lists = scipy.sparse.csr_array(X)
    assert form_of(net, lists) is InputForm.LISTS
    assert relative_error(net.predict(lists), twin.forward(X)) < DTYPES[dtype]
    _, gradient = net.loss_and_flat_gradient(lists, y)
    assert relative_error(gradient, twin.flat_gradient(X, y)) < DTYPES[dtype]


@pytest.mark.parametrize("data", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [64, 65, 79, 80, 95, 129])
def test_arrays_that_are_mostly_zeros_are_packed(width, dtype, data):
    X = (20 * np.abs(mostly_zeros(70, width))).astype(data)
    net = classifier(width, dtype, scale=1 / 16)
    assert form_of(net, X) is InputForm.PACKED
    y = np.arange(70) % 3
    twin = twin_of(net)
    predicted = net.predict(X)
    assert relative_error(predicted, twin.forward(X.astype(float))) < DTYPES[predicted.dtype.name]
    _, gradient = net.loss_and_flat_gradient(X, y)
    assert relative_error(gradient, twin.flat_gradient(X.astype(float), np.eye(3)[y])) < DTYPES[dtype]


OPTIMIZERS = {
    "into the weights": fm.SGD(0.1),
    "with decay": fm.SGD(0.1, weight_decay=0.01),
    "momentum": fm.SGD(0.05, momentum=0.9),
    "adam": fm.Adam(0.01),
}


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_fit_is_the_same_whichever_way_inputs_go_in(optimizer, n_threads, monkeypatch):
    X, y = mostly_zeros(130, 70), np.arange(130) % 3
    weight = np.random.default_rng(1).uniform(0.5, 2, 130)
    nets = {form: classifier(70) for form in ("packed", "lists", "rows")}
    for form, net in nets.items():
        if form == "rows":
            as_rows(monkeypatch)
        given = scipy.sparse.csr_matrix(X) if form == "lists" else X
        net.fit(
            given, y, epochs=3, batch_size=32, optimizer=OPTIMIZERS[optimizer], sample_weight=weight,
            n_threads=n_threads, validation_data=(given, y),
        )  # fmt: skip
        assert np.abs(net.params - nets["packed"].params).max() < 1e-12
    assert np.abs(nets["packed"].params - classifier(70).params).max() > 1e-2


def test_tiles_and_batch_norm_keep_their_lists(monkeypatch):
    # A batch norm keeps the whole batch, and its lists, until the way back; the tiles of two threads must not mix them.
    X, y = mostly_zeros(700, 70), np.random.default_rng(2).normal(size=700)
    layers = [70, fm.Dense(8, "tanh"), fm.BatchNorm(), 1]
    nets = [fm.Network(layers, dtype="float64", seed=3) for _ in range(3)]
    nets[0].fit(X, y, epochs=2, batch_size=650, n_threads=2)
    nets[1].fit(scipy.sparse.csr_array(X), y, epochs=2, batch_size=650, n_threads=2)
    as_rows(monkeypatch)
    nets[2].fit(X, y, epochs=2, batch_size=650, n_threads=2)
    for net in nets[:2]:
        assert np.abs(net.params - nets[2].params).max() < 1e-10


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 40),
    width=st.integers(1, 300),
    density=st.floats(0, 1),
    kind=st.sampled_from(["csr", "csc", "coo", "lil"]),
    index=st.sampled_from([np.int32, np.int64]),
)
def test_any_sparse_matrix_means_its_dense_array(seed, n, width, density, kind, index):
    X = mostly_zeros(n, width, seed, density)
    matrix = scipy.sparse.csr_array(X)
    matrix.indices, matrix.indptr = matrix.indices.astype(index), matrix.indptr.astype(index)
    matrix = matrix.asformat(kind)
    net, y = classifier(width), np.arange(n) % 3
    twin = twin_of(net)
    assert np.allclose(net.predict(matrix), twin.forward(X), rtol=1e-12, atol=1e-14)
    assert net.evaluate(matrix, y)["loss"] == pytest.approx(twin.loss(X, np.eye(3)[y], training=False), rel=1e-12)
    gradients = net.sample_gradients(matrix, y)
    assert np.allclose(gradients, twin.sample_gradients(X, np.eye(3)[y]), rtol=1e-10, atol=1e-13)


def test_gradients_of_sparse_rows_pass_the_check_against_differences():
    assert fm.check_gradients(classifier(30), scipy.sparse.csr_array(mostly_zeros(8, 30)), np.arange(8) % 3) < 1e-8


def test_duplicates_add_up_and_columns_may_come_in_any_order():
    twice = scipy.sparse.csr_array(([1.0, 2.0, 4.0], [3, 0, 3], [0, 3, 3]), shape=(2, 5))
    before = twice.data.copy(), twice.indices.copy()
    net = classifier(5)
    assert np.allclose(net.predict(twice), net.predict([[2.0, 0, 0, 5, 0], [0.0] * 5]), atol=1e-14)
    assert np.array_equal(twice.data, before[0]) and np.array_equal(twice.indices, before[1])


@pytest.mark.parametrize("data", ["bool", "int8", "int64", "float32", "longdouble"])
def test_numbers_of_every_kind_are_read(data):
    X = (20 * mostly_zeros(9, 40)).astype(data)
    net = classifier(40, "float32")
    assert np.allclose(net.predict(scipy.sparse.csr_array(X)), net.predict(X), atol=1e-6)
    assert net.predict(scipy.sparse.csr_array((3, 40), dtype=data)).shape == (3, 3)


def test_a_scale_reaches_the_numbers_of_a_sparse_matrix():
    X, scale = mostly_zeros(9, 40), np.linspace(0.1, 3, 40)
    net = classifier(40, scale=scale)
    assert np.allclose(net.predict(scipy.sparse.csr_array(X)), net.predict(X), atol=1e-13)


def test_a_matrix_is_read_where_it_lies():
    X = scipy.sparse.csr_array(mostly_zeros(50, 30, dtype="float32"))
    rows = inputs.check_inputs(classifier(30, "float32"), X)
    assert np.shares_memory(rows.data, X.data) and np.shares_memory(rows.columns, X.indices)


def test_the_workspace_does_not_know_how_wide_a_matrix_is():
    narrow, wide = (fm.Network([width, 16, 2], seed=0) for width in (100, 100_000))
    sizes = []
    for net in (narrow, wide):
        space = make_workspace(net.layout, net.loss, net.dtype, 256, 1, training=True, form=InputForm.LISTS)
        sizes.append(space.work.nbytes + space.sparse.nbytes)
    assert sizes[0] == sizes[1]


def test_only_arrays_with_many_zeros_are_packed():
    net = classifier(70)
    rng = np.random.default_rng(0)
    assert form_of(net, rng.normal(size=(100, 70))) is InputForm.ROWS
    assert form_of(net, mostly_zeros(100, 70)) is InputForm.PACKED
    assert form_of(classifier(70, shift=0.5), mostly_zeros(100, 70)) is InputForm.ROWS
    assert form_of(fm.Network([70, fm.Dropout(0.1), 3], seed=0), mostly_zeros(100, 70)) is InputForm.ROWS
    assert form_of(classifier(20), mostly_zeros(100, 20)) is InputForm.ROWS


def test_what_a_sparse_matrix_cannot_go_through_is_named():
    X = scipy.sparse.csr_array(mostly_zeros(5, 4))
    with pytest.raises(ValueError, match=r"^X is sparse, which needs a first layer that is Dense, got Dropout"):
        fm.Network([4, fm.Dropout(0.5), 2], seed=0).predict(X)
    with pytest.raises(ValueError, match=r"^X is sparse, but the input's shift would make its zeros nonzero"):
        classifier(4, shift=1.0).predict(X)
    with pytest.raises(ValueError, match=r"^X must be dense for cost_surface"):
        classifier(4).cost_surface(X, [0, 1, 2, 0, 1], [0], [[0.0]])
    with pytest.raises(ValueError, match=r"^scaled X must be finite"):
        classifier(4, "float32", scale=1e38).predict((1e3 * X).astype("float32"))
