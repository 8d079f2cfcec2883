"""Sparse matrices with arrays of impossible contents: a value that is right, or an error that names X or y."""

import contextlib
import warnings

import numpy as np
from fuzz.source import Source
from fuzz.watch import FoundError, check_sentence
from scipy import sparse

import fastmlp as fm

ROWS, COLUMNS = 6, 8
DENSE = np.where(np.arange(ROWS * COLUMNS) % 3, 0.0, np.arange(ROWS * COLUMNS) / 10).reshape(ROWS, COLUMNS)
LABELS = np.arange(ROWS) % 3
INDICATOR = np.eye(3, dtype=int)[LABELS]
FORMATS = ("csr", "csr", "csc", "coo", "csr", "csc", "coo", "bsr", "dia", "lil", "dok")
ARRAYS = {
    "csr": ("data", "indices", "indptr"), "csc": ("data", "indices", "indptr"), "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "row", "col"), "dia": ("data", "offsets"), "lil": ("data", "rows"), "dok": (),
}  # fmt: skip
ODD = (0, -1, 1, 2, 7, 8, 100, 2**15, 2**20, 2**31 - 1, -(2**31), 2**31, 2**62, -(2**63), 2**63 - 1)
LIES = ("has_canonical_format", "has_sorted_indices")
OVERFLOWS = (OverflowError, FloatingPointError)
NET = fm.Network([COLUMNS, 3, 3], loss="cross_entropy", seed=0, dtype="float64")


def change_array(source, array):
    """The array with an element replaced, another length, another dtype or another shape."""
    array = np.array(array)
    kind = source.below(10)
    if kind < 5 and array.size:
        value = source.choice(ODD)
        at = source.choice((-1, 0, source.below(array.size)))
        with contextlib.suppress(*OVERFLOWS, TypeError, ValueError):
            array.flat[at] = value
    elif kind == 5:
        array = array[: source.below(len(array) + 1)]
    elif kind == 6 and array.ndim:
        array = np.concatenate([array, array[: 1 + source.below(9)]])
    elif kind == 7:
        array = array[::-1]
    elif kind == 8:
        array = source.choice((array[None], array[:0], array.ravel()[:1], np.zeros(99, array.dtype)))
    else:
        dtypes = ("int8", "uint8", "int32", "int64", "uint64", "float32", ">i4", ">f8", "bool", "object", "complex64")
        with np.errstate(all="ignore"), contextlib.suppress(TypeError, ValueError):
            array = array.astype(source.choice(dtypes))
    return array


def change_list(source, lists):
    """One of the lists of a matrix in list format replaced."""
    lists = lists.copy()
    lists[source.below(len(lists))] = source.choice(([], [0] * 9, [10**6], [-(2**40)], [0.5], None, ["a"], [2**70]))
    return lists


def make(source, dense):
    """A sparse matrix of any format, with one to three changes."""
    matrix = sparse.csr_array(dense).asformat(source.choice(FORMATS))
    if source.one_in(8):
        matrix = sparse.csr_matrix(matrix)
    for _ in range(1 + source.below(3)):
        if source.one_in(6):
            with contextlib.suppress(AttributeError):
                setattr(matrix, source.choice(LIES), True)
        names = ARRAYS[matrix.format]
        if not names:
            matrix._dict[(source.choice(ODD), source.choice(ODD))] = 1.0
            continue
        name = source.choice(names)
        change = change_list if matrix.format == "lil" else change_array
        with contextlib.suppress(ValueError, TypeError, AttributeError):  # SciPy may refuse it
            setattr(matrix, name, change(source, getattr(matrix, name)))
    return matrix


def run_matrices(data):
    """Use a changed matrix as X or y in one of the calls that take one."""
    source = Source(data)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        X = make(source, DENSE)
        try:
            source.choice((predict, predict, train, read, chunks, estimate, label))(source, X)
        except (ValueError, TypeError) as error:
            if not str(error).startswith("Complex data not supported"):  # scikit-learn's, with the matrix
                check_sentence(error, longest=2000)


def predict(source, X):
    """The prediction is that of the dense rows, for every matrix that is valid."""
    outputs = NET.predict(X)
    dense = X.tocsr().toarray()
    if dense.shape != (ROWS, COLUMNS) or not np.allclose(outputs, NET.predict(dense), atol=1e-9):
        raise FoundError("a sparse matrix predicts something else than its rows")


def train(source, X):
    net = NET.copy()
    with contextlib.suppress(fm.DivergedError):
        net.fit(X, LABELS, epochs=2, batch_size=4, validation_data=(X, LABELS), n_threads=1)
        net.train_on_batch(X, LABELS)


def read(source, X):
    calls = (
        lambda: NET.evaluate(X, LABELS), lambda: NET.loss_and_gradients(X, LABELS), lambda: NET.activations(X),
        lambda: NET.sample_gradients(X, LABELS), lambda: NET.input_gradients(X), lambda: fm.Input.standardized(X),
        lambda: NET.gradient(X, LABELS), lambda: fm.check_gradients(NET, X, LABELS),
        lambda: fm.train_validation_test_split(X, LABELS),
    )  # fmt: skip
    source.choice(calls)()


def chunks(source, X):
    with contextlib.suppress(fm.DivergedError):
        NET.copy().fit(fm.Chunks([(X, LABELS)] * 2), epochs=1, batch_size=4)


def estimate(source, X):
    model = fm.MLPClassifier(hidden_layer_sizes=(2,), max_iter=1, random_state=0)
    if source.below(2):
        model.fit(DENSE, LABELS).predict_proba(X)
        model.score(X, LABELS)
    elif source.below(2):
        model.partial_fit(X, LABELS, classes=[0, 1, 2])
    else:
        model.fit(X, LABELS, X_val=X, y_val=LABELS).predict(X)


def label(source, _):
    y = make(source, INDICATOR)
    model = fm.MLPClassifier(hidden_layer_sizes=(2,), max_iter=1, random_state=0)
    if source.below(2):
        model.fit(DENSE, y).predict(DENSE)
    else:
        model.fit(DENSE, sparse.csr_array(INDICATOR)).score(DENSE, y)
