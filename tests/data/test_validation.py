"""The validation set of a fit: arrays and chunks measure the same, whatever trains the network."""

from itertools import pairwise

import numpy as np
import pytest

import fastmlp as fm

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(60, 4)), RNG.normal(size=(60, 2))
LABELS = RNG.integers(0, 3, 60)
WEIGHT = RNG.uniform(0.5, 2.0, 23)
HELD = RNG.normal(size=(23, 4)), RNG.normal(size=(23, 2))
HELD_LABELS = RNG.integers(0, 3, 23)


def network(n_out=2, loss="squared_error"):
    return fm.Network([4, fm.Dense(5, "tanh"), n_out], loss=loss, dtype="float64", seed=0)


def cut(at, *arrays):
    bounds = [0, *at, len(arrays[0])]
    return [tuple(array[low:high] for array in arrays) for low, high in pairwise(bounds)]


WAYS = {
    "batches": (X, Y, {"batch_size": 16}),
    "chunks": (fm.Chunks(cut([20], X, Y)), None, {"batch_size": 16}),
    "L-BFGS": (X, Y, {"optimizer": "lbfgs"}),
    "Levenberg-Marquardt": (X, Y, {"optimizer": "levenberg_marquardt"}),
}


@pytest.mark.parametrize("at", [[], [11], range(1, 23)], ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_chunks_measure_what_one_array_measures(way, at):
    def distance(y_true, y_pred):
        return abs(y_true - y_pred).max()

    given, y, settings = WAYS[way]
    settings = {"epochs": 4, "metrics": ["r2", distance], "callbacks": [fm.EarlyStopping(9)], **settings}
    one, two = network(), network()
    whole = one.fit(given, y, validation_data=HELD, **settings)
    parts = two.fit(given, y, validation_data=fm.Chunks(cut(at, *HELD)), **settings)
    assert [*whole] == [*parts] and whole.n_epochs == parts.n_epochs > 2
    for name in ("loss", "val_loss", "val_r2", "val_distance"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-12)
    np.testing.assert_array_equal(one.params, two.params)


def test_classes_and_their_metrics():
    settings = {"epochs": 3, "metrics": ["macro_f1", "accuracy"]}
    whole = network(3, "cross_entropy").fit(X, LABELS, validation_data=(HELD[0], HELD_LABELS), **settings)
    chunks = fm.Chunks(cut([5, 6], HELD[0], HELD_LABELS))
    parts = network(3, "cross_entropy").fit(X, LABELS, validation_data=chunks, **settings)
    assert [*whole] == [*parts]
    for name in ("val_loss", "val_accuracy", "val_macro_f1"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-12)


def test_weights_of_the_chunks_count():
    seen = []

    def note(run):
        losses = ((run.network.predict(HELD[0]) - HELD[1]) ** 2).sum(axis=1) / 2
        seen.append(np.average(losses, weights=WEIGHT))

    chunks = fm.Chunks(cut([4], *HELD, WEIGHT))
    history = network().fit(X, Y, epochs=3, validation_data=chunks, callbacks=[note])
    np.testing.assert_allclose(history["val_loss"], seen, rtol=1e-12)


def test_the_source_is_read_once_for_each_epoch_and_told_which():
    asked, read = [], []

    def source(epoch):
        asked.append(epoch)
        for chunk in cut([10], *HELD):
            yield chunk
            read.append(epoch)

    network().fit(X, Y, epochs=3, validation_data=fm.Chunks(source))
    assert asked == [0, 1, 2] and read == [0, 0, 1, 1, 2, 2]


def test_a_resumed_fit_reads_the_chunks_of_its_epoch(tmp_path):
    asked, path = [], tmp_path / "run.ckpt"

    def source(epoch):
        asked.append(epoch)
        return cut([10], *(part + epoch for part in HELD))

    def fitted(**more):
        net = network()
        return net.fit(X, Y, epochs=5, validation_data=fm.Chunks(source), **more)

    whole = fitted()
    fitted(checkpoint=path, callbacks=[lambda run: run.epoch == 2 and run.pause("enough")])
    asked.clear()
    np.testing.assert_array_equal(fitted(checkpoint=path, resume=True)["val_loss"], whole["val_loss"])
    assert asked == [0, 3, 4]  # the first chunks are looked at before anything begins
    other = fm.Chunks([(HELD[0] + 1, HELD[1])])
    with pytest.raises(ValueError, match="from another fit: samples: .* in X, y, weights or validation_data"):
        network().fit(X, Y, epochs=5, validation_data=other, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        (
            [(HELD[0][:, :3], HELD[1])],
            ValueError,
            "X of chunk 1 of epoch 1 of validation_data must have 4 columns, got 3",
        ),
        ([HELD[0]], TypeError, "chunk 1 of epoch 1 of validation_data must be"),
        ([], ValueError, "source must give at least one chunk, got none in epoch 1 of validation_data"),
        (lambda: 1 / 0, RuntimeError, "the source failed at chunk 1 of epoch 1 of validation_data"),
        ([(HELD[0], HELD[1][:, 0])], ValueError, "y of chunk 1 of epoch 1 of validation_data must"),
    ],
)
def test_the_first_chunks_are_checked_before_anything_changes(source, error, words):
    net = network()
    before = net.params.copy()
    with pytest.raises(error, match=words):
        net.fit(X, Y, validation_data=fm.Chunks(source))
    np.testing.assert_array_equal(net.params, before)


def test_a_bad_chunk_later_on_is_named():
    net = network()
    with pytest.raises(ValueError, match="X of chunk 2 of epoch 1 of validation_data must be finite"):
        net.fit(X, Y, validation_data=fm.Chunks([HELD, (HELD[0] * np.nan, HELD[1])]))
    net.fit(X, Y, epochs=1)


@pytest.mark.parametrize("given", [HELD[0], (HELD[0],), (*HELD, None, None), "X"], ids=["X", "one", "four", "text"])
def test_anything_else_is_refused(given):
    with pytest.raises(TypeError, match="validation_data must be a pair"):
        network().fit(X, Y, validation_data=given)


def test_an_interrupt_during_validation_ends_the_fit_as_elsewhere():
    def source(epoch):
        yield HELD
        if epoch == 1:
            raise KeyboardInterrupt

    net = network()
    history = net.fit(X, Y, epochs=5, validation_data=fm.Chunks(source))
    assert history.stop_reason == "interrupted" and history.n_epochs == 1
    net.fit(X, Y, epochs=1)
