"""Sparse matrices whose arrays do not fit together: refused before compiled code follows their indices."""

import numpy as np
import pytest
from scipy import sparse

import fastmlp as fm
from fastmlp.checks.sparse_matrices import as_csr, check_sparse, is_sparse

DENSE = np.array([[1.0, 0, 2, 0], [0, 0, 0, 3], [0, 4, 0, 0], [5, 6, 0, 0], [0, 0, 7, 0], [0, 8, 0, 9]])
Y = np.arange(6) % 3
FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")


def of(kind, **arrays):
    """A matrix of this format with some arrays replaced."""
    matrix = sparse.csr_array(DENSE).asformat(kind)
    for name, array in arrays.items():
        setattr(matrix, name, array if isinstance(array, (list, np.ndarray)) else array(getattr(matrix, name).copy()))
    return matrix


def put(at, value):
    def replaced(array):
        array[at] = value
        return array

    return replaced


COMPRESSED = {
    "an end of 0 although there are numbers": ({"indptr": put(-1, 0)}, "indptr must not decrease, got a smaller"),
    "a negative end": ({"indptr": put(-1, -1)}, "indptr must not decrease"),
    "a start above 0": ({"indptr": put(0, 1)}, "indptr must start with 0, got 1"),
    "a start below 0": ({"indptr": put(0, -5)}, "indptr must start with 0, got -5"),
    "an end beyond the arrays": ({"indptr": put(-1, 10)}, "indptr must end with at most 9, the length of indices, got"),
    "an end far beyond the arrays": ({"indptr": put(-1, 2**31 - 1)}, "indptr must end with at most 9"),
    "rows that overlap": ({"indptr": put(2, 9)}, "indptr must not decrease"),
    "a row too few": ({"indptr": lambda array: array[:-1]}, r"indptr must have \d elements, got"),
    "a row too many": ({"indptr": lambda array: np.append(array, 9)}, r"indptr must have \d elements, got"),
    "no rows": ({"indptr": lambda array: array[:0]}, r"indptr must have \d elements, got 0"),
    "an index beyond the shape": ({"indices": put(3, 6)}, r"indices must be from 0 to \d, got 6"),
    "a negative index": ({"indices": put(0, -1)}, r"indices must be from 0 to \d, got -1"),
    "indices that are too few": ({"indices": lambda array: array[:4]}, "of equal length, got 4 and 9"),
    "numbers that are too few": ({"data": lambda array: array[:4]}, "of equal length, got 9 and 4"),
    "fractions for indices": ({"indices": lambda array: array + 0.5}, "one-dimensional arrays of whole numbers"),
    "a list for indices": ({"indices": list(range(9))}, "one-dimensional arrays of whole numbers"),
    "a table of indices": ({"indices": lambda array: array[None]}, "one-dimensional arrays of whole numbers"),
    "a table of numbers": ({"data": lambda array: array[None]}, "data must have one dimension, got shape"),
}
OTHERS = {
    "coo: a row beyond the shape": ("coo", {"row": put(2, 6)}, "row must be from 0 to 5, got 6"),
    "coo: a negative column": ("coo", {"col": put(0, -1)}, "col must be from 0 to 3, got -1"),
    "coo: too few rows": ("coo", {"row": lambda array: array[:3]}, "must be of equal length, got 3, 9 and 9"),
    "bsr: an end beyond the arrays": ("bsr", {"indptr": put(-1, 99)}, "indptr must end with at most"),
    "bsr: blocks that do not divide": ("bsr", {"data": np.ones((3, 5, 1))}, "must divide the shape"),
    "bsr: flat numbers": ("bsr", {"data": np.ones(9)}, "data must have three dimensions"),
    "dia: too few offsets": ("dia", {"offsets": lambda array: array[:1]}, "must be of equal length"),
    "dia: an offset beyond the shape": ("dia", {"offsets": put(0, 2**20)}, "offsets must be from -5 to 3, got 1048576"),
    "lil: lists of other lengths": ("lil", {"data": put(0, [1.0] * 50)}, "lists of equal length"),
    "lil: a column beyond the shape": ("lil", {"rows": put(1, [10**6])}, "is not a valid sparse matrix"),
}  # fmt: skip
CASES = {
    **{f"{kind}: {name}": (kind, *case) for name, case in COMPRESSED.items() for kind in ("csr", "csc")},
    **OTHERS,
}


@pytest.mark.parametrize("name", CASES)
def test_arrays_that_do_not_fit_together_are_refused_by_every_call(name):
    kind, arrays, message = CASES[name]
    expected = rf"^X.* is not a valid sparse matrix.*{'' if kind == 'lil' else message}"
    net = fm.Network([4, 3], loss="cross_entropy", seed=0)
    before = net.params.copy()
    calls = (
        net.predict, net.activations, lambda X: net.evaluate(X, Y), lambda X: net.fit(X, Y, epochs=1),
        lambda X: net.fit(DENSE, Y, epochs=1, validation_data=(X, Y)), lambda X: net.train_on_batch(X, Y),
        lambda X: net.loss_and_gradients(X, Y), lambda X: net.fit(fm.Chunks([(X, Y)]), epochs=1),
    )  # fmt: skip
    for call in calls:
        with pytest.raises(ValueError, match=expected):
            call(of(kind, **arrays))
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("name", CASES)
def test_estimators_refuse_them_before_scikit_learn_converts_them(name):
    pytest.importorskip("sklearn")
    kind, arrays, _ = CASES[name]
    model = fm.MLPClassifier(hidden_layer_sizes=(2,), max_iter=1, tol=0, n_iter_no_change=5)
    with pytest.raises(ValueError, match=r"^X is not a valid sparse matrix"):
        model.fit(of(kind, **arrays), Y)
    with pytest.raises(ValueError, match=r"^y is not a valid sparse matrix"):
        model.fit(DENSE, of(kind, **arrays))
    model.partial_fit(DENSE, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"^X is not a valid sparse matrix"):
        model.predict_proba(of(kind, **arrays))
    with pytest.raises(ValueError, match=r"^y is not a valid sparse matrix"):
        model.score(DENSE, of(kind, **arrays))


def test_a_matrix_without_rows_of_numbers_is_valid():
    net = fm.Network([4, 3], seed=0)
    empty = of("csr", indptr=lambda array: array * 0)
    np.testing.assert_array_equal(net.predict(empty), net.predict(np.zeros((6, 4))))


@pytest.mark.parametrize("kind", FORMATS)
def test_valid_matrices_of_every_format_are_converted_and_not_changed(kind):
    matrix = sparse.csr_array(DENSE).asformat(kind)
    assert is_sparse(matrix) and not is_sparse(DENSE) and not is_sparse(None)
    check_sparse("X", matrix)
    converted = as_csr("X", matrix)
    np.testing.assert_array_equal(converted.toarray(), DENSE)
    assert (converted is matrix) == (kind == "csr")


def test_the_order_of_columns_is_seen_where_scipy_has_a_flag_out_of_date():
    net = fm.Network([4, 9, 3], seed=0, dtype="float64")
    matrix = sparse.csr_array(DENSE)
    assert matrix.has_canonical_format
    matrix.indices[:2] = 3, 3  # SciPy keeps its flag
    assert matrix.has_canonical_format
    changed = DENSE.copy()
    changed[0] = [0, 0, 0, 3]
    np.testing.assert_allclose(net.predict(matrix), net.predict(changed), atol=1e-14)
    matrix.indices[-2:] = 3, 1
    changed[5] = [0, 9, 0, 8]
    np.testing.assert_allclose(net.predict(matrix), net.predict(changed), atol=1e-14)
    expected, got = (net.loss_and_gradients(X, Y, n_threads=2)[1] for X in (changed, matrix))
    np.testing.assert_allclose(got[0][0], expected[0][0], atol=1e-14)
    assert matrix.indices.tolist()[-2:] == [3, 1], "the user's matrix is not sorted"


def test_something_else_with_the_methods_of_a_matrix_is_refused():
    class Own:
        nnz, ndim, shape, dtype = 1, 2, (6, 4), np.dtype("float64")

        def tocsr(self):
            return "no matrix"

    with pytest.raises(ValueError, match="^X is not a valid sparse matrix: its method tocsr returns a str"):
        fm.Network([4, 3]).predict(Own())
