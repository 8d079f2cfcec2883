"""The boundary: every legal form of X, y and weights gives the same result, everything else one clear sentence."""

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import fastmlp as fm
from fastmlp.data.samples import check_samples

X = np.array([[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]])
LABELS = np.array([0, 1, 2])
VALUES = np.array([0.1, 0.2, 0.3])
nan, inf = np.nan, np.inf


def classifier():
    return fm.Network([2, 4, 3], activation="tanh", loss="cross_entropy", seed=0)


def regression(loss="squared_error"):
    layers = [2, fm.Dense(4, "tanh"), fm.BatchNorm(), fm.Dropout(0.2), 1]
    return fm.Network(layers, loss=loss, seed=0)


def state(net):
    """All that may not change when something is refused, bit for bit."""
    return net.params.tobytes(), net.statistics.tobytes(), net.rng.bit_generator.state


class Unreadable:
    """As a tensor of another library that won't be turned into an array."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach() first")


def nonsense():
    """A sparse matrix with a number outside its columns, which SciPy itself doesn't notice."""
    matrix = scipy.sparse.csr_array(np.eye(3, 2))
    matrix.indices[0] = 7
    return matrix


# What every entry that takes rows must refuse: (value, error, words of the message behind the argument's name).
BAD_ROWS = {
    "None": (None, TypeError, "must be an array of numbers, got NoneType"),
    "scalar": (5, ValueError, "must have 2 dimensions, got shape ()"),
    "string": ("abc", TypeError, "must hold numbers, got strings"),
    "one dimension": ([1.0, 2.0], ValueError, "must have 2 dimensions, got shape (2,); one row is X.reshape(1, -1)"),
    "three dimensions": (np.zeros((2, 1, 2)), ValueError, "got shape (2, 1, 2); flatten images with X.reshape"),
    "wide": (np.zeros((3, 5)), ValueError, "must have 2 columns, got 5"),
    "no rows": (np.zeros((0, 2)), ValueError, "must not be empty, got shape (0, 2)"),
    "no columns": (np.zeros((3, 0)), ValueError, "must not be empty, got shape (3, 0)"),
    "empty list": ([], ValueError, "must have 2 dimensions, got shape (0,)"),
    "nan": ([[0, 1], [nan, 1], [0, 1]], ValueError, "must be finite, got nan in row 1, column 0"),
    "inf": ([[0, 1], [1, 1], [0, -inf]], ValueError, "must be finite, got -inf in row 2, column 1"),
    "half inf": (np.array([[0, inf]], np.float16), ValueError, "must be finite, got inf in row 0, column 1"),
    "object": ([[1.0, 2.0], [1.0, None]], TypeError, "must hold numbers, got None in row 1, column 1"),
    "text in numbers": (np.array([[1, "a"]], object), TypeError, "must hold numbers, got 'a' in row 0, column 1"),
    "huge integer": ([[10**400, 1]], TypeError, "must hold numbers, got dtype object"),
    "complex": (np.ones((3, 2), complex), TypeError, "must hold numbers, got dtype complex128"),
    "dates": (np.array([["2020-01-01"] * 2], "M8[D]"), TypeError, "must hold numbers, got dtype datetime64[D]"),
    "records": (np.zeros((3, 2), [("a", float)]), TypeError, "must hold numbers, got dtype [('a', '<f8')]"),
    "bytes": (b"ab", TypeError, "must hold numbers, got strings"),
    "ragged": ([[1, 2], [3]], ValueError, "must be an array with rows of equal length"),
    "sparse and wide": (scipy.sparse.csr_array(np.eye(3)), ValueError, "must have at least one row and 2 columns"),
    "sparse and empty": (scipy.sparse.csr_matrix((0, 2)), ValueError, "must have at least one row and 2 columns"),
    "sparse with nan": (
        scipy.sparse.coo_array([[0, 1], [0, nan], [1, 0]]),
        ValueError,
        "must be finite, got nan in row 1",
    ),
    "sparse objects": (scipy.sparse.csr_array(np.eye(3, 2) * 1j), TypeError, "must hold numbers, got dtype complex128"),
    "sparse nonsense": (nonsense(), ValueError, "is not a valid sparse matrix"),
    "sparse beyond float32": (
        scipy.sparse.csc_array(np.eye(3, 2) * 1e200),
        ValueError,
        "holds numbers too large for float32",
    ),
    "masked": (np.ma.masked_greater(X, 2), ValueError, "has masked values; fill them, or drop their rows"),
    "beyond float32": (
        np.full((3, 2), 1e200),
        ValueError,
        "holds numbers too large for float32; scale it or use dtype",
    ),
    "beyond float64": (np.full((3, 2), np.longdouble("1e4000")), ValueError, "must be finite, got inf in row 0"),
    "generator": ((i for i in range(3)), TypeError, "must be an array of numbers, got generator"),
    "dict": ({1: 2}, TypeError, "must be an array of numbers, got dict"),
    "function": (len, TypeError, "must be an array of numbers, got builtin_function_or_method"),
    "unreadable": (Unreadable(), TypeError, "cannot be read as an array: call detach() first"),
}
if np.finfo(np.longdouble).max <= np.finfo(np.float64).max:
    del BAD_ROWS["beyond float64"]

# The same for class numbers of a network with 3 outputs.
BAD_LABELS = {
    "None": (None, TypeError, "must be an array of numbers, got NoneType"),
    "scalar": (5, ValueError, "must have one element for each row of X, got the single number 5"),
    "short": ([0, 1], ValueError, "must have the same number of rows, got 3 and 2"),
    "empty": ([], ValueError, "must not be empty, got shape (0,)"),
    "strings": (["a", "b", "c"], TypeError, "must hold numbers, got strings; number the classes from 0"),
    "negative": ([0, 1, -1], ValueError, "must be class numbers from 0 to 2, got -1 in row 2"),
    "too large": ([0, 3, 1], ValueError, "must be class numbers from 0 to 2, got 3 in row 1"),
    "far too large": ([0, 1, 1e30], ValueError, "must be class numbers from 0 to 2, got 1e+30 in row 2"),
    "too large for int32": ([0, 1, 2**32], ValueError, "must be class numbers from 0 to 2, got 4.29497e+09 in row 2"),
    "fraction": ([0, 0.5, 1], ValueError, "must be whole class numbers 0..2 or have 3 columns, got 0.5 in row 1"),
    "nan": ([0, 1, nan], ValueError, "must be finite, got nan in row 2"),
    "object": ([0, 1, None], TypeError, "must hold numbers, got None in row 2"),
    "wide": (np.zeros((3, 4)), ValueError, "must have 3 columns, one for each output, got shape (3, 4)"),
    "deep": (np.zeros((3, 3, 1)), ValueError, "must have 3 columns, one for each output, got shape (3, 3, 1)"),
    "no distribution": (np.ones((3, 3)), ValueError, "must have rows that sum to 1, got 3 in row 0"),
    "negative share": ([[1, 0, 0], [2, -1, 0], [1, 0, 0]], ValueError, "must lie between 0 and 1 for loss='cross_entr"),
    "ragged": ([[1], [0], [1, 2]], ValueError, "must be an array with rows of equal length"),
    "sparse": (scipy.sparse.csr_matrix(np.eye(3)), TypeError, "is a sparse matrix; expected a dense array"),
    "unreadable": (Unreadable(), TypeError, "cannot be read as an array"),
}

BAD_WEIGHTS = {
    "scalar": (5, ValueError, "must have 1 dimension, got shape ()"),
    "column": ([[1], [1], [1]], ValueError, "must have 1 dimension, got shape (3, 1)"),
    "short": ([1, 1], ValueError, "must have 3 elements, one for each row of X, got 2"),
    "empty": ([], ValueError, "must not be empty, got shape (0,)"),
    "negative": ([1, -2, 1], ValueError, "must not be negative, got -2.0 in row 1"),
    "zeros": ([0, 0, 0], ValueError, "must not be all 0"),
    "nan": ([1, nan, 1], ValueError, "must be finite, got nan in row 1"),
    "strings": (["a", "b", "c"], TypeError, "must hold numbers, got strings"),
    "huge": ([1e308, 1e308, 1], ValueError, "must have a maximum between 1e-30 and 1e+30, got 1e+308"),
    "tiny": ([1e-320, 0, 0], ValueError, "must have a maximum between 1e-30 and 1e+30, got 9.99989e-321"),
}

SAMPLE_ENTRIES = {
    "fit": lambda net, X, y: net.fit(X, y, epochs=1),
    "evaluate": lambda net, X, y: net.evaluate(X, y),
    "loss_and_gradients": lambda net, X, y: net.loss_and_gradients(X, y),
    "loss_and_flat_gradient": lambda net, X, y: net.loss_and_flat_gradient(X, y),
    "sample_gradients": lambda net, X, y: net.sample_gradients(X, y),
    "cost_surface": lambda net, X, y: net.cost_surface(X, y, [0], [[0.0, 1.0]]),
    "check_gradients": lambda net, X, y: fm.check_gradients(net, X, y),
}
ROW_ENTRIES = {"predict": lambda net, X, y: net.predict(X)} | SAMPLE_ENTRIES
VALIDATION = {"validation of fit": lambda net, X_val, y_val: net.fit(X, LABELS, validation_data=(X_val, y_val))}
WEIGHT_ENTRIES = {
    "fit": lambda net, weights: net.fit(X, VALUES, sample_weight=weights),
    "evaluate": lambda net, weights: net.evaluate(X, VALUES, sample_weight=weights),
    "loss_and_gradients": lambda net, weights: net.loss_and_gradients(X, VALUES, sample_weight=weights),
    "cost_surface": lambda net, weights: net.cost_surface(X, VALUES, [0], [[0.0]], sample_weight=weights),
    "check_gradients": lambda net, weights: fm.check_gradients(net, X, VALUES, sample_weight=weights),
}


def assert_refused(call, net, error, words):
    """The call raises just that error, and the network is as it was."""
    before = state(net)
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    assert caught.type is error, caught.value
    assert words in str(caught.value)
    assert state(net) == before
    return str(caught.value)


@pytest.mark.parametrize("entry", ROW_ENTRIES | VALIDATION)
@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_are_refused_at_every_entry(case, entry):
    value, error, words = BAD_ROWS[case]
    if case.endswith("beyond float32") and entry in ("check_gradients", "predict"):
        pytest.skip("it runs in float64, which holds them")
    net = classifier()
    message = assert_refused(lambda: (ROW_ENTRIES | VALIDATION)[entry](net, value, LABELS), net, error, words)
    assert message.startswith("X of validation_data" if entry in VALIDATION else "X ")


@pytest.mark.parametrize("entry", SAMPLE_ENTRIES | VALIDATION)
@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels_are_refused_at_every_entry(case, entry):
    value, error, words = BAD_LABELS[case]
    net = classifier()
    message = assert_refused(lambda: (SAMPLE_ENTRIES | VALIDATION)[entry](net, X, value), net, error, words)
    name = "y of validation_data" if entry in VALIDATION else "y"
    assert message.startswith((f"{name} ", f"X and {name} "))


@pytest.mark.parametrize("entry", WEIGHT_ENTRIES)
@pytest.mark.parametrize("case", BAD_WEIGHTS)
def test_bad_weights_are_refused_at_every_entry(case, entry):
    value, error, words = BAD_WEIGHTS[case]
    net = fm.Network([2, 3, 1], seed=0)
    message = assert_refused(lambda: WEIGHT_ENTRIES[entry](net, value), net, error, words)
    assert message.startswith("sample_weight ")


@pytest.mark.parametrize(
    ("loss", "y", "words"),
    [
        ("squared_error", np.zeros((3, 2)), "y must have 1 column, one for each output, got shape (3, 2)"),
        ("binary_cross_entropy", [0, 1, 2], "between 0 and 1 for loss='binary_cross_entropy', got 2 in row 2"),
        ("binary_cross_entropy", [0, -1, 1], "between 0 and 1 for loss='binary_cross_entropy', got -1 in row 1"),
        ("poisson", [0, 5, -3], "y must not be negative for loss='poisson', got -3 in row 2"),
    ],
)
def test_targets_outside_the_range_of_their_loss(loss, y, words):
    net = regression(loss)
    assert_refused(lambda: net.fit(X, y), net, ValueError, words)


@pytest.mark.parametrize("loss", ["poisson", "quantile", "huber", "absolute_error"])
def test_labels_for_a_loss_that_knows_no_classes(loss):
    net = fm.Network([2, 3], loss=loss, seed=0)
    words = "y must have 3 columns, one for each output, got shape (3,)"
    assert_refused(lambda: net.evaluate(X, LABELS), net, ValueError, words)


def test_nan_far_down_a_large_array_is_placed():
    net = fm.Network([7, 2], seed=0)
    big = np.zeros((30_001, 7), dtype=np.float32)
    big[29_998, 5] = nan
    assert_refused(lambda: net.predict(big), net, ValueError, "got nan in row 29998, column 5")


def test_targets_beyond_float32_are_refused_like_inputs():
    net = fm.Network([2, 1], seed=0)
    assert_refused(lambda: net.fit(X, VALUES * 1e300), net, ValueError, "y holds numbers too large for float32")


def strided(array):
    return np.repeat(array, 2, axis=0)[::2]


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


SAME_ROWS = {
    "list": lambda X: X.tolist(),
    "tuples": lambda X: tuple(map(tuple, X.tolist())),
    "list of arrays": list,
    "float32": lambda X: X.astype(np.float32),
    "float16": lambda X: X.astype(np.float16),
    "long double": lambda X: X.astype(np.longdouble),
    "int64": lambda X: X.astype(np.int64),
    "int16": lambda X: X.astype(np.int16),
    "int8": lambda X: X.astype(np.int8),
    "uint8": lambda X: X.astype(np.uint8),
    "uint64": lambda X: X.astype(np.uint64),
    "bool": lambda X: X.astype(bool),
    "big-endian": lambda X: X.astype(">f8"),
    "big-endian float32": lambda X: X.astype(">f4"),
    "big-endian int": lambda X: X.astype(">i4"),
    "Fortran": np.asfortranarray,
    "reversed": lambda X: X[::-1].copy()[::-1],
    "strided": strided,
    "strided uint8": lambda X: strided(X.astype(np.uint8)),
    "read-only": read_only,
    "read-only uint8": lambda X: read_only(X.astype(np.uint8)),
    "unmasked": np.ma.MaskedArray,
    "numpy objects": lambda X: [[np.float32(v) for v in row] for row in X],
}


@pytest.mark.parametrize("form", SAME_ROWS)
def test_every_form_of_the_same_rows_gives_the_same_bits(form):
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 2, size=(12, 5)).astype(np.float64)
    labels = rng.integers(0, 3, size=12)
    results = []
    for given_X, given_y in [(rows, labels), (SAME_ROWS[form](rows), SAME_ROWS["strided"](labels))]:
        net = fm.Network([5, 4, 3], loss="cross_entropy", seed=3)
        history = net.fit(given_X, given_y, epochs=2, batch_size=5, validation_data=(given_X, given_y))
        predicted = net.predict(given_X)
        np.testing.assert_array_equal(predicted, net.predict(rows.astype(predicted.dtype)))
        results.append((net.params, history["loss"], history["val_loss"]))
    for expected, got in zip(*results, strict=True):
        np.testing.assert_array_equal(got, expected)


SAME_LABELS = {
    "list": lambda y: y.tolist(),
    "column": lambda y: y.reshape(-1, 1),
    "float": lambda y: y.astype(float),
    "float16": lambda y: y.astype(np.float16),
    "uint8": lambda y: y.astype(np.uint8),
    "big-endian": lambda y: y.astype(">i2"),
    "strided": strided,
    "read-only": read_only,
    "one-hot": lambda y: np.eye(3)[y],
    "one-hot uint8": lambda y: np.eye(3, dtype=np.uint8)[y],
    "one-hot bool": lambda y: np.eye(3, dtype=bool)[y],
    "one-hot list": lambda y: np.eye(3, dtype=int)[y].tolist(),
    "one-hot Fortran": lambda y: np.asfortranarray(np.eye(3)[y]),
}


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("form", SAME_LABELS)
def test_every_form_of_the_same_labels_gives_the_same_bits(form, loss):
    rng = np.random.default_rng(1)
    rows, labels = rng.normal(size=(12, 5)), rng.integers(0, 3, size=12)
    results = []
    for y in (labels, SAME_LABELS[form](labels)):
        net = fm.Network([5, 4, 3], loss=loss, seed=3)
        history = net.fit(rows, y, epochs=2, batch_size=5)
        results.append((net.params, history["loss"], net.evaluate(rows, y)["loss"]))
    for expected, got in zip(*results, strict=True):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("form", [lambda y: y, lambda y: y.reshape(-1, 1), lambda y: y.tolist()])
def test_one_output_takes_a_vector_or_a_column(form):
    net = fm.Network([2, 3, 1], seed=0)
    assert net.evaluate(X, form(VALUES)) == net.evaluate(X, VALUES)


def test_accuracy_is_given_for_classes_alone():
    assert set(classifier().evaluate(X, LABELS)) == {"loss", "accuracy"}
    assert set(regression().evaluate(X, VALUES)) == {"loss"}
    assert set(fm.Network([2, 3]).evaluate(X, LABELS)) == {"loss", "accuracy"}
    assert set(fm.Network([2, 3]).evaluate(X, np.eye(3))) == {"loss"}


def test_weights_of_ones_and_any_scale_of_weights_change_nothing():
    net = fm.Network([2, 3, 1], dtype="float64", seed=0)
    expected = net.evaluate(X, VALUES)["loss"]
    for weights in ([1, 1, 1], np.ones(3, bool), np.full(3, 1e-20), np.full(3, 1e20)):
        assert net.evaluate(X, VALUES, sample_weight=weights)["loss"] == pytest.approx(expected, rel=1e-12)
    # A weight of 2 is the same as the row twice, one of 0 as its absence.
    weighted = net.evaluate(X, VALUES, sample_weight=[2, 0, 1])["loss"]
    repeated = net.evaluate(X[[0, 0, 2]], VALUES[[0, 0, 2]])["loss"]
    assert weighted == pytest.approx(repeated, rel=1e-12)


def test_data_that_the_core_can_read_are_not_copied():
    net = fm.Network([2, 2], loss="mse")
    for dtype in (np.uint8, np.float32, np.float64):
        rows = np.zeros((50, 2), dtype=dtype)
        checked, targets, _, _ = check_samples(net, rows, rows)
        assert np.shares_memory(checked.data, rows) and np.shares_memory(targets.rows.data, rows)


NUMBERS = st.one_of(hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(), hnp.floating_dtypes(), hnp.boolean_dtypes())
OBJECTS = st.just(np.dtype("O"))
ODD = st.one_of(hnp.complex_number_dtypes(), hnp.unicode_string_dtypes(), hnp.datetime64_dtypes(), OBJECTS)
SHAPES = st.one_of(
    st.sampled_from([(3, 2), (3,), (3, 1), (3, 3)]), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
)
ARRAYS = st.one_of(NUMBERS, NUMBERS, NUMBERS, ODD).flatmap(lambda dtype: hnp.arrays(dtype, SHAPES))
SCALARS = st.one_of(st.integers(-2, 4), st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=2))
LISTS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=12)
ANYTHING = st.one_of(ARRAYS, LISTS, st.sampled_from([X, LABELS, VALUES, np.eye(3)]))


@pytest.mark.filterwarnings("ignore::fastmlp.checks.errors.TrainingWarning")  # numbers of any size come up
@given(rows=ANYTHING, targets=ANYTHING, weights=st.one_of(st.none(), ANYTHING))
@settings(max_examples=250)
def test_whatever_is_passed_there_is_a_result_or_a_clear_error(rows, targets, weights):
    for net in (classifier(), regression("huber")):
        calls = {
            "predict": lambda net=net: net.predict(rows),
            "evaluate": lambda net=net: net.evaluate(rows, targets, sample_weight=weights),
            "fit": lambda net=net: net.fit(
                rows, targets, epochs=1, batch_size=2, optimizer=fm.SGD(0.0), sample_weight=weights
            ),
        }
        for name, call in calls.items():
            before = state(net)
            try:
                call()
            except (ValueError, TypeError) as error:
                assert str(error).startswith(("X ", "y ", "sample_weight "))
                assert state(net) == before
            except fm.DivergedError:
                assert name == "fit" and np.abs(np.asarray(rows, dtype=float)).max() > 1e15
            if name != "fit":
                assert state(net) == before
