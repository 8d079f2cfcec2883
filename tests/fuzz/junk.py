"""Arguments of every kind: almost valid ones and nonsense."""

import array
import decimal
import fractions

import numpy as np
from scipy import sparse

import fastmlp as fm


class Refuses:
    """An object that raises at every use."""

    def __array__(self, *_, **__):
        raise ValueError("no array")

    def __len__(self):
        raise TypeError("no length")

    def __float__(self):
        raise TypeError("no number")

    def __call__(self, *_, **__):
        raise ValueError("not now")


class Text(str):
    """A subclass of str."""


def endless():
    """A list that contains itself."""
    made = [1.0]
    made.append(made)
    return made


def bad_csr():
    """Sparse rows with column numbers out of range."""
    made = sparse.csr_matrix(np.eye(4))
    made.indices = np.array([0, 1, 2, 2**30], dtype=np.int32)
    return made


def torn_csr():
    """Sparse rows that start outside the data."""
    made = sparse.csr_matrix(np.eye(4))
    made.indptr = np.array([0, 1, 2, 3, 2**30], dtype=np.int32)
    return made


NUMBERS = (
    0, 1, 2, 3, 5, 0.5, 0.1, -1, 1e-3, 0.9, 1.0, 0.0, 2**31, 2**63, 2**64, 10**400, -0.0, float("nan"), float("inf"),
    -float("inf"), 1e308, 5e-324, np.float32(0.5), np.int64(2), np.uint8(1), np.float64("nan"), np.bool_(True), True,
    False, fractions.Fraction(1, 3), decimal.Decimal("0.1"), 1j, np.longdouble(0.3), np.float16(0.1),
)  # fmt: skip
MAKERS = (
    lambda: None, lambda: "", lambda: "relu", lambda: "x" * 500, lambda: Text("relu"), lambda: b"relu", lambda: [],
    lambda: (), lambda: {}, lambda: set(), lambda: {1, 2}, object, lambda: (lambda step: 0.1), lambda: len, lambda: int,
    Refuses, lambda: Refuses, lambda: (i for i in range(3)), lambda: iter([]), lambda: range(4), endless,
    lambda: [1, [2, 3]], lambda: [[1, 2], [3]], lambda: ["a", 1], lambda: [None], lambda: {"a": 1}, lambda: {0: 1.0},
    lambda: memoryview(b"abc"), lambda: array.array("d", [1.0, 2.0]), lambda: fm.Dense(3), lambda: fm.Adam(),
    lambda: fm.Loss("huber"), lambda: fm.Cosine(0.1, 10), lambda: fm.Input(4), lambda: np.float64, lambda: ...,
    lambda: "\x1b[0m", lambda: "\ud800", lambda: 7 * [1], lambda: type("", (), {}), lambda: slice(3),
)  # fmt: skip
RNG = np.random.default_rng(0)
GOOD = RNG.normal(size=(6, 4))
ARRAYS = (
    lambda: GOOD.copy(), lambda: GOOD.astype(np.float32), lambda: (GOOD * 30).astype(np.uint8), lambda: GOOD.tolist(),
    lambda: sparse.csr_matrix(np.where(GOOD > 0, GOOD, 0)), lambda: GOOD[:, :3], lambda: GOOD[:0], lambda: GOOD[:1],
    lambda: GOOD[0], lambda: np.asfortranarray(GOOD), lambda: GOOD[::-1, ::-1],
    lambda: np.where(GOOD > 1, np.nan, GOOD),
    lambda: np.where(GOOD > 1, np.inf, GOOD), lambda: GOOD * 1e200, lambda: GOOD * 1e308, lambda: GOOD > 0,
    lambda: GOOD.astype(object), lambda: GOOD.astype(str), lambda: GOOD.astype(complex), lambda: GOOD.astype(">f8"),
    lambda: GOOD.astype(np.float16), lambda: GOOD.astype(np.longdouble), lambda: GOOD.astype("M8[s]"),
    lambda: np.array(3.0), lambda: np.zeros((6, 0)), lambda: np.zeros((6, 2, 2)),
    lambda: np.ma.masked_less(GOOD, 0),
    lambda: GOOD.view(np.matrix), lambda: np.broadcast_to(GOOD[0], (6, 4)), lambda: GOOD[:, None, :],
    lambda: np.zeros(6, dtype=[("a", "f8")]), lambda: np.arange(6) % 3, lambda: np.arange(6) % 2,
    lambda: np.arange(6.0),
    lambda: np.arange(6) - 2, lambda: np.eye(3)[np.arange(6) % 3], lambda: np.array([0, 1, 2, 0, 1, 2**62]),
    lambda: np.array(["a", "b", "a", "c", "b", "a"]), lambda: [0, 1, 0, 1, 0, None], lambda: np.arange(6, dtype="u8"),
    lambda: sparse.csc_matrix(GOOD), lambda: sparse.coo_matrix(np.eye(6)[:, :4]), bad_csr, torn_csr,
    lambda: sparse.csr_array(np.eye(6)[:, :4] * np.nan), lambda: sparse.csr_matrix((6, 4)), lambda: sparse.eye(4) > 0,
    lambda: sparse.csr_matrix((GOOD * 2).astype(np.int16)), lambda: np.empty((2, 4), dtype=object),
    lambda: np.lib.stride_tricks.as_strided(GOOD, (3, 4), (40, 8)), lambda: [GOOD[0], GOOD[1]], lambda: [[]],
)  # fmt: skip


def number(source):
    """A number, mostly a plausible one."""
    return source.choice(NUMBERS[:12] if source.below(4) else NUMBERS)


def thing(source):
    """Anything."""
    kind = source.below(3)
    return source.choice(MAKERS)() if kind == 0 else source.choice(NUMBERS) if kind == 1 else source.choice(ARRAYS)()


def rows(source):
    """Something like X."""
    return source.choice(ARRAYS[:5] if source.below(3) else ARRAYS)() if not source.one_in(12) else thing(source)


def mostly(source, *values):
    """One of the values, or in one case out of ten anything."""
    return thing(source) if source.one_in(10) else source.choice(values)
