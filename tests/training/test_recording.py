"""Metrics of a fit: what they are given, what is recorded, and what is refused before anything changes."""

import re

import numpy as np
import pytest

import fastmlp as fm
from fastmlp.metrics import METRICS

RNG = np.random.default_rng(0)
X, X_VAL = RNG.normal(size=(40, 3)), RNG.normal(size=(17, 3))
LABELS, LABELS_VAL = RNG.integers(0, 4, 40), RNG.integers(0, 4, 17)
BINARY, BINARY_VAL = RNG.integers(0, 2, 40), RNG.integers(0, 2, 17)
SEVERAL, SEVERAL_VAL = RNG.integers(0, 2, (40, 3)), RNG.integers(0, 2, (17, 3))
VALUES, VALUES_VAL = RNG.normal(size=(40, 2)), RNG.normal(size=(17, 2))


def fitted(y, y_val, *, n_out, metrics, loss="squared_error", epochs=3, **settings):
    """The history, and the predictions of the validation rows behind each epoch."""
    net, seen = fm.Network([3, 5, n_out], activation="tanh", loss=loss, dtype="float64", seed=0), []
    history = net.fit(
        X, y, epochs=epochs, validation_data=(X_VAL, y_val), metrics=metrics,
        callbacks=[lambda run: seen.append(run.network.predict(X_VAL))], **settings,
    )  # fmt: skip
    return history, seen


def scores(y_true, predicted, n_classes):
    """Recalls and f1 of the classes, counted one class at a time."""
    recalls, f1 = [], []
    for c in range(n_classes):
        true, guess = y_true == c, predicted == c
        recalls += [(true & guess).sum() / true.sum()] if true.any() else []
        f1 += [2 * (true & guess).sum() / (true.sum() + guess.sum())] if (true | guess).any() else []
    return np.mean(recalls), np.mean(f1)


def test_classes():
    names = ["balanced_accuracy", "macro_f1", "accuracy"]
    history, seen = fitted(LABELS, LABELS_VAL, n_out=4, loss="cross_entropy", metrics=names)
    guesses = [rows.argmax(axis=1) for rows in seen]
    expected = [scores(LABELS_VAL, guess, 4) for guess in guesses]
    np.testing.assert_allclose(np.c_[history["val_balanced_accuracy"], history["val_macro_f1"]], expected, rtol=1e-12)
    np.testing.assert_allclose(history["val_accuracy"], [(guess == LABELS_VAL).mean() for guess in guesses])
    assert [*history] == [
        "loss", "seconds", "learning_rate", "val_loss", "val_accuracy", "val_balanced_accuracy", "val_macro_f1",
    ]  # fmt: skip


def test_two_classes_and_one_output():
    history, seen = fitted(BINARY, BINARY_VAL, n_out=1, loss="binary_cross_entropy", metrics="macro_f1")
    expected = [scores(BINARY_VAL, (rows[:, 0] > 0.5).astype(int), 2)[1] for rows in seen]
    np.testing.assert_allclose(history["val_macro_f1"], expected, rtol=1e-12)


def test_several_labels_count_together():
    history, seen = fitted(SEVERAL, SEVERAL_VAL, n_out=3, loss="binary_cross_entropy", metrics=["accuracy"])
    expected = [((rows > 0.5) == SEVERAL_VAL).all(axis=1).mean() for rows in seen]
    np.testing.assert_allclose(history["val_accuracy"], expected, rtol=1e-12)


def test_several_outputs():
    names = ["mean_absolute_error", "root_mean_square_error", "r2"]
    history, seen = fitted(VALUES, VALUES_VAL, n_out=2, metrics=names)
    errors = np.array(seen) - VALUES_VAL
    centred = VALUES_VAL - VALUES_VAL.mean(axis=0)
    np.testing.assert_allclose(history["val_mean_absolute_error"], np.abs(errors).mean(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(
        history["val_root_mean_square_error"], np.sqrt((errors**2).mean(axis=(1, 2))), rtol=1e-12
    )
    np.testing.assert_allclose(
        history["val_r2"], 1 - (errors**2).sum(axis=(1, 2)) / (centred**2).sum(), rtol=1e-9, atol=1e-12
    )


CASES = {
    "classes": (LABELS, LABELS_VAL, 4, "cross_entropy", (17,), (17, 4)),
    "one output": (VALUES[:, 0], VALUES_VAL[:, 0], 1, "mse", (17, 1), (17, 1)),
    "outputs": (VALUES, VALUES_VAL, 2, "mse", (17, 2), (17, 2)),
    "labels": (SEVERAL, SEVERAL_VAL, 3, "binary_cross_entropy", (17, 3), (17, 3)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("optimizer", [fm.SGD(0.1), fm.LBFGS()])
def test_functions_get_targets_and_predictions_of_shapes_that_fit(case, optimizer):
    y, y_val, n_out, loss, shape, predicted_shape = CASES[case]
    given = []

    def spread(y_true, y_pred):
        given.append((y_true.copy(), y_pred))
        with pytest.raises(ValueError, match="read-only"):
            y_true[0] = 0
        return np.float32(y_pred.max() - y_pred.min())

    history, seen = fitted(y, y_val, n_out=n_out, loss=loss, metrics=[spread], optimizer=optimizer)
    for (y_true, y_pred), predictions in zip(given, seen, strict=True):
        np.testing.assert_array_equal(y_true, y_val.reshape(shape))
        assert y_pred.shape == predicted_shape
        np.testing.assert_array_equal(y_pred, predictions)
    np.testing.assert_allclose(history["val_spread"], [rows.max() - rows.min() for rows in seen], rtol=1e-6)


def test_training_is_the_same_with_metrics():
    nets = [fm.Network([3, 5, 2], seed=0) for _ in range(2)]
    for net, metrics in zip(nets, ((), ("r2", "mean_absolute_error")), strict=True):
        net.fit(X, VALUES, epochs=4, validation_data=(X_VAL, VALUES_VAL), metrics=metrics)
    np.testing.assert_array_equal(nets[0].params, nets[1].params)


def test_callbacks_watch_metrics():
    stopping = fm.EarlyStopping(patience=3, monitor="val_r2")
    net = fm.Network([3, 20, 2], activation="tanh", seed=0)
    history = net.fit(
        X, VALUES, epochs=400, optimizer=fm.Adam(0.05), validation_data=(X_VAL, VALUES_VAL), metrics="r2",
        callbacks=[stopping],
    )  # fmt: skip
    assert history.stop_reason == "val_r2 has not improved for 3 epochs"
    assert history.best_epoch == history["val_r2"].argmax() == history.n_epochs - 4


def no_number(y_true, y_pred):
    return y_pred


def broken(y_true, y_pred):
    raise RuntimeError("no such thing")


@pytest.mark.parametrize(
    ("metric", "error", "words"),
    [
        (no_number, TypeError, "metric 'no_number' must return a number, got array("),
        (broken, RuntimeError, "no such thing"),
    ],
)
def test_a_metric_that_fails_ends_the_fit_with_what_was_learnt(metric, error, words):
    net = fm.Network([3, 5, 2], seed=0)
    before = net.params.copy()
    with pytest.raises(error, match=re.escape(words)):
        net.fit(X, VALUES, validation_data=(X_VAL, VALUES_VAL), metrics=[metric])
    assert net.is_finite() and (net.params != before).any()


@pytest.mark.parametrize(
    ("metrics", "error", "words"),
    [
        (5, TypeError, "metrics must be a list of names or functions of (y_true, y_pred), got 5"),
        ([5], TypeError, "metrics must be names or functions of (y_true, y_pred), got 5"),
        ([dict], TypeError, "metrics must be names or functions of (y_true, y_pred), got <class 'dict'>"),
        (["r3"], ValueError, "metrics='r3' is unknown; did you mean 'r2'?"),
        (["r2", "r2"], ValueError, "metrics must have different names, got 'r2' twice"),
        ([lambda y_true, y_pred: 0.0], ValueError, "metrics must have names, and none of them 'loss', got"),
        (
            ["accuracy"],
            ValueError,
            "metrics='accuracy' needs targets that name classes, got the values of",
        ),
    ],
)
def test_bad_metrics(metrics, error, words):
    net = fm.Network([3, 5, 2], seed=0)
    before = net.params.copy()
    with pytest.raises(error) as caught:
        net.fit(X, VALUES, validation_data=(X_VAL, VALUES_VAL), metrics=metrics)
    assert words in str(caught.value)
    np.testing.assert_array_equal(net.params, before)


def test_metrics_that_do_not_fit_the_data():
    net = fm.Network([3, 3], loss="binary_cross_entropy", seed=0)
    with pytest.raises(ValueError, match="metrics='r2' needs validation_data, and this fit has none"):
        net.fit(X, SEVERAL, metrics=["r2"])
    with pytest.raises(ValueError, match="metrics='macro_f1' needs one class for each row, got 3 labels"):
        net.fit(X, SEVERAL, validation_data=(X_VAL, SEVERAL_VAL), metrics=["macro_f1"])
    net = fm.Network([3, 3], loss="cross_entropy", seed=0)
    before = net.params.copy()
    with pytest.raises(
        ValueError, match="metrics='r2' needs the values of a regression, got targets that name classes"
    ):
        net.fit(X, np.arange(len(X)) % 3, validation_data=(X_VAL, np.arange(len(X_VAL)) % 3), metrics=["r2"])
    np.testing.assert_array_equal(net.params, before)


@pytest.mark.parametrize("name", METRICS)
def test_every_name_is_that_of_its_function(name):
    assert METRICS[name].__name__ == name


def test_the_first_metric_is_named_where_there_is_no_validation():
    with pytest.raises(ValueError, match="metrics='r2' needs validation_data"):
        fm.Network([3, 2], seed=0).fit(X, VALUES, metrics=["r2", "mean_absolute_error"])


def test_two_labels_are_several():
    with pytest.raises(ValueError, match="metrics='macro_f1' needs one class for each row, got 2 labels"):
        fitted(SEVERAL[:, :2], SEVERAL_VAL[:, :2], n_out=2, loss="binary_cross_entropy", metrics=["macro_f1"])


@pytest.mark.parametrize(("loss", "is_measured"), [("cross_entropy", True), ("squared_error", False)])
def test_accuracy_is_watched_where_it_is_measured(loss, is_measured):
    watch = fm.EarlyStopping(monitor="val_accuracy")
    net, y = fm.Network([3, 2], loss=loss, seed=0), LABELS % 2 if is_measured else VALUES
    if is_measured:
        assert "val_accuracy" in net.fit(X, y, validation_data=(X, y), epochs=2, callbacks=[watch])
    else:
        with pytest.raises(ValueError, match="monitor='val_accuracy' is unknown"):
            net.fit(X, y, validation_data=(X, y), epochs=2, callbacks=[watch])


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_a_third_element_of_the_validation_data_weighs_its_rows(optimizer):
    weights = np.arange(len(X_VAL)) % 3 + 0.5
    net = fm.Network([3, 5, 3], loss="cross_entropy", seed=0)
    y, y_val = np.arange(len(X)) % 3, np.arange(len(X_VAL)) % 3
    history = net.fit(X, y, epochs=2, optimizer=optimizer, validation_data=(X_VAL, y_val, weights))
    outputs = net.predict(X_VAL).astype(np.float64)
    losses, hits = -np.log(outputs[np.arange(len(y_val)), y_val]), outputs.argmax(axis=1) == y_val
    assert history["val_loss"][-1] == pytest.approx(np.average(losses, weights=weights), rel=1e-5)
    assert history["val_accuracy"][-1] == pytest.approx(np.average(hits, weights=weights), rel=1e-12)
    with pytest.raises(ValueError, match="metrics='macro_f1' would ignore the weights of validation_data"):
        net.fit(X, y, validation_data=(X_VAL, y_val, weights), metrics=["macro_f1"])
    assert "val_accuracy" in net.fit(X, y, epochs=1, validation_data=(X_VAL, y_val, weights), metrics=["accuracy"])
