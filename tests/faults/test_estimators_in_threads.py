"""The access guard of the network protects estimators too: no thread sees half-updated weights."""

import copy
import pickle
import threading

import numpy as np
import pytest

import fastmlp as fm

pytest.importorskip("sklearn")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 6))
CLASSES = RNG.integers(0, 3, size=300)
VALUES = X[:, :2] * 3


class Gate:
    """A loss that, once closed, blocks the first call halfway; before that it lets calls through."""

    def __init__(self):
        self.closed, self.inside, self.go_on = False, threading.Event(), threading.Event()

    def __call__(self, targets, scores):
        if self.closed:
            self.inside.set()
            assert self.go_on.wait(60)
        error = scores - targets
        return (error**2).sum(axis=1) / 2, error


def make(kind, gate, **arguments):
    output = "softmax" if kind is fm.MLPClassifier else "identity"
    loss = fm.CustomLoss(gate, output=output)
    return kind(hidden_layer_sizes=(8,), loss=loss, max_iter=2, random_state=0, **arguments)


WAYS = {
    "adam": ({"warm_start": True}, "fit"),
    "sgd": ({"warm_start": True, "solver": "sgd", "learning_rate": "adaptive"}, "fit"),
    "lbfgs": ({"warm_start": True, "solver": "lbfgs"}, "fit"),
    "LBFGS": ({"warm_start": True, "optimizer": fm.LBFGS()}, "fit"),
    "partial_fit": ({}, "partial_fit"),
}
KINDS = [(fm.MLPClassifier, CLASSES), (fm.MLPRegressor, VALUES)]
CALLS = {
    "network_.predict": lambda model, y: model.network_.predict(X),
    "network_.predict of a row": lambda model, y: model.network_.predict(X[:1]),
    "network_.evaluate": lambda model, y: model.network_.evaluate(X[:, :6], y),
    "network_.fit": lambda model, y: model.network_.fit(X, y, epochs=1),
    "network_.train_on_batch": lambda model, y: model.network_.train_on_batch(X, y),
    "predict": lambda model, y: model.predict(X),
    "predict of a row": lambda model, y: model.predict(X[:1]),
    "fit": lambda model, y: model.fit(X, y),
    "network_.copy": lambda model, y: model.network_.copy(),
    "new weights": lambda model, y: setattr(model, "coefs_", [w + 1 for w in model.coefs_]) or model.predict(X),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("kind", "y"), KINDS, ids=["classifier", "regressor"])
def test_what_a_fit_is_writing_is_refused_to_others(kind, y, way):
    arguments, method = WAYS[way]
    gate = Gate()
    model = make(kind, gate, **arguments).fit(X, y)
    model.network_.predict(X[:1])  # prepares the fast path of predict
    gate.closed = True
    thread = threading.Thread(target=getattr(model, method), args=(X, y))
    thread.start()
    try:
        assert gate.inside.wait(60)
        for name, call in CALLS.items():
            with pytest.raises(RuntimeError, match="another thread is training this network"):
                call(copy.copy(model) if name == "new weights" else model, y)
    finally:
        gate.closed = False
        gate.go_on.set()
        thread.join()
    for call in CALLS.values():
        call(model, y)


@pytest.mark.parametrize("way", [*WAYS, "LevenbergMarquardt"])
@pytest.mark.parametrize(("kind", "y"), KINDS, ids=["classifier", "regressor"])
def test_what_is_predicted_while_a_fit_runs_is_never_torn(kind, y, way):
    """During a long warm fit, predict gives the old outputs, the new outputs or RuntimeError, never a mix."""
    if way == "LevenbergMarquardt" and kind is fm.MLPClassifier:
        pytest.skip("needs a sum of squares")
    arguments, method = WAYS.get(way, ({"warm_start": True, "optimizer": fm.LevenbergMarquardt()}, "fit"))
    model = kind(hidden_layer_sizes=(16,), max_iter=20, tol=0.0, random_state=0, **arguments).fit(X, y)
    seen, done = [], threading.Event()

    def look():
        while not done.wait(0.001):
            for of_model in (False, True):
                try:
                    seen.append((of_model, (model if of_model else model.network_).predict(X)))
                except RuntimeError as error:
                    assert "training this network" in str(error)

    before = [False, model.network_.predict(X)], [True, model.predict(X)]
    reader = threading.Thread(target=look)
    reader.start()
    try:
        while True:
            try:
                getattr(model, method)(X, y)
                break
            except RuntimeError as error:  # a reader held the lock
                assert "another call is still reading this network" in str(error)
    finally:
        done.set()
        reader.join()
    whole = *before, [False, model.network_.predict(X)], [True, model.predict(X)]
    for of_model, outputs in seen:
        assert any(of_model == mine and np.array_equal(outputs, right) for mine, right in whole)


def test_a_new_fit_changes_all_attributes_at_once():
    """Without warm start a fit makes a new network; until it ends, the old network predicts with the old classes."""
    model = fm.MLPClassifier((8,), max_iter=3, random_state=0)
    few, many = CLASSES, np.array(list("abcde"))[RNG.integers(0, 5, size=300)]
    right = [model.fit(X, y).predict(X[:20]).tolist() for y in (few, many)]
    done, errors = threading.Event(), []

    def look():
        while not done.is_set():
            try:
                assert model.predict(X[:20]).tolist() in right
            except Exception as error:
                errors.append(error)

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(20):
            model.fit(X, (few, many)[turn % 2])
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert not errors


@pytest.mark.parametrize("arguments", [{}, {"warm_start": True}], ids=["cold", "warm"])
@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize(("kind", "y"), KINDS, ids=["classifier", "regressor"])
def test_a_fit_inside_its_own_fit_is_refused(kind, y, solver, arguments):
    inner = {
        "fit": lambda model, run: model.fit(X, y),
        "partial_fit": lambda model, run: model.partial_fit(X, y),
        "run.network.fit": lambda model, run: run.network.fit(X, y),
    }
    model = kind(hidden_layer_sizes=(8,), solver=solver, max_iter=2, random_state=0, **arguments)
    alone = copy.deepcopy(model).fit(X, y).fit(X, y)
    refused = []

    def nest(run):
        for name, fit in inner.items():
            with pytest.raises(RuntimeError, match="already being trained, by the fit that made this call"):
                fit(model, run)
            refused.append(name)

    model.fit(X, y)
    model.set_params(callbacks=[nest])
    model.fit(X, y)
    assert set(refused) == set(inner)
    np.testing.assert_array_equal(model.network_.params, alone.network_.params)
    model.set_params(callbacks=()).fit(X, y)  # the lock is released


def test_a_callback_may_predict_with_what_is_being_trained():
    model = fm.MLPRegressor(hidden_layer_sizes=(8,), max_iter=2, warm_start=True, random_state=0).fit(X, VALUES)
    seen = []
    model.set_params(callbacks=[lambda run: seen.append((model.predict(X), run.network.predict(X)))])
    model.fit(X, VALUES)
    for one, other in seen:
        np.testing.assert_array_equal(one, other)


def test_the_guard_travels_with_no_copy():
    model = fm.MLPRegressor(hidden_layer_sizes=(8,), max_iter=1).fit(X, VALUES)
    for twin in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        twin.set_params(callbacks=[lambda run: model.fit(X, VALUES)])
        twin.fit(X, VALUES)
