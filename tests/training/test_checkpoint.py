"""fastmlp.training.checkpoint: a fit that goes on from its checkpoint ends to the bit like one never interrupted."""

import os
import pickle
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

import fastmlp as fm
from fastmlp.machine.state_files import StateFile, from_bytes, previous_of, to_bytes
from fastmlp.passes.pace import Pace
from fastmlp.training import checkpoint as checkpoints
from fastmlp.training.trainer import Trainer

RNG = np.random.default_rng(5)
X = RNG.normal(size=(90, 6)).astype(np.float32)
LABELS = RNG.integers(0, 3, 90)
NUMBERS = np.sin(X[:, :2]).astype(np.float64)
WEIGHTS = RNG.uniform(0.1, 3.0, 90)
VALIDATION = (X[:30], LABELS[:30])


class ShortPace(Pace):
    """Chunks of a few batches, so that a small fit has many places to be interrupted at."""

    def n_steps(self, done, most):
        return min(3, most, self.n_batches - done % self.n_batches)


class LongPace(Pace):
    """Chunks of some epochs."""

    def n_steps(self, done, most):
        return min(2 * self.n_batches - done % self.n_batches, most)


def halved(step):
    return 0.02 * 0.5 ** (step // 20)


def squares(y_true, scores):
    return ((scores - y_true) ** 2).sum(axis=1), 2 * (scores - y_true)


def network(*layers, loss="cross_entropy", **options):
    return fm.Network([6, *layers], loss=loss, seed=2, **options)


DEEP = (8, fm.BatchNorm(), fm.Dropout(0.3), fm.Dense(5, "tanh"), fm.LayerNorm())


def chunks():
    for low in range(0, 90, 25):
        yield X[low : low + 25], LABELS[low : low + 25]


def chunks_of(epoch):
    """In another order in every epoch."""
    for low in np.random.default_rng(epoch).permutation([0, 25, 50]):
        yield X[low : low + 25], LABELS[low : low + 25]


# What makes the network, the samples, and the arguments of fit.
CASES = {
    "defaults": (lambda: network(8, 3), (X, LABELS), {}),
    "many epochs a chunk": (lambda: network(8, 3), (X, LABELS), {"epochs": 40}),
    "tiny": (lambda: network(2, loss="squared_error"), (X, NUMBERS), {"optimizer": fm.SGD(0.1)}),
    "layers": (lambda: network(*DEEP, 3, dtype="float64"), (X, LABELS), {"batch_size": 7}),
    "two threads": (lambda: network(16, 3), (X, LABELS), {"batch_size": 45, "n_threads": 2}),
    "momentum": (lambda: network(8, 3), (X, LABELS), {"optimizer": fm.SGD(halved, momentum=0.9, nesterov=True)}),
    "not shuffled": (lambda: network(8, 3), (X, LABELS), {"shuffle": False, "optimizer": "rmsprop"}),
    "adamw": (lambda: network(8, 3), (X, LABELS), {"optimizer": fm.AdamW(fm.Cosine(0.02, n_steps=90))}),
    "nadam": (lambda: network(8, 3), (X, LABELS), {"optimizer": "nadam", "sample_weight": WEIGHTS}),
    "adagrad": (lambda: network(8, 3), (X, LABELS), {"optimizer": "adagrad", "class_weight": "balanced"}),
    "rprop": (lambda: network(8, 3), (X, LABELS), {"optimizer": fm.Rprop(backtrack=True), "batch_size": 90}),
    "average": (lambda: network(*DEEP, 3), (X, LABELS), {"average": 0.9, "validation_data": VALIDATION}),
    "bounds": (
        lambda: network(8, 3),
        (X, LABELS),
        {"clip_norm": 0.1, "clip_value": halved, "max_norm": 1.0, "alpha": fm.Exponential(0.1, 0.99), "accumulate": 2},
    ),
    "sparse": (lambda: network(8, 3), (sparse.csr_matrix(np.maximum(X, 0)), LABELS), {}),
    "scaled bytes": (
        lambda: network(8, 3).__class__([fm.Input(6, scale=1 / 255), 8, 3], loss="cross_entropy", seed=1),
        (RNG.integers(0, 256, (90, 6), dtype=np.uint8), LABELS),
        {},
    ),
    "changing dropout": (lambda: network(9, fm.Dropout(fm.Cosine(0.5, n_steps=80)), 3), (X, LABELS), {}),
    "smoothing": (lambda: network(8, 3, loss=fm.Loss("cross_entropy", label_smoothing=halved)), (X, LABELS), {}),
    "frozen": (lambda: network(fm.Dense(8, trainable=False), 3), (X, LABELS), {}),
    "own loss": (lambda: network(8, 2, loss=fm.CustomLoss(squares)), (X, NUMBERS), {}),
    "metrics": (lambda: network(8, 3), (X, LABELS), {"validation_data": VALIDATION, "metrics": ["macro_f1"]}),
    "chunks": (lambda: network(*DEEP, 3), (fm.Chunks(chunks), None), {"batch_size": 4}),
    "chunks of an epoch": (lambda: network(8, 3), (fm.Chunks(chunks_of), None), {"batch_size": 4}),
    "unshuffled chunks": (lambda: network(8, 3), (fm.Chunks(chunks), None), {"shuffle": False, "batch_size": 25}),
    "squared losses": (
        lambda: network(3, 2, loss="squared_error"),
        (X, NUMBERS),
        {"optimizer": fm.LevenbergMarquardt(), "epochs": 9, "batch_size": 90},
    ),
}
CALLBACKS = {
    "early": lambda: [fm.EarlyStopping(3)],
    "last": lambda: [fm.EarlyStopping(4, monitor="loss", keep="last")],
    "plateau": lambda: [fm.Plateau(0.5, patience=2, monitor="loss")],
    "tolerance": lambda: [fm.Tolerance(0.02, patience=2), fm.TimeLimit(1000.0)],
}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr("fastmlp.data.chunks.BLOCK_BYTES", 200)


def fitted(case, **more):
    make, samples, options = case
    net = make()
    return net, net.fit(*samples, **{"epochs": 6, "batch_size": 8, **options, **more})


def interrupt(monkeypatch, after):
    """Ctrl-C right behind the chunk of that number."""
    calls = iter(range(after - 1, -1, -1))
    advance = Trainer.advance

    def interrupted(self, most):
        n_steps = advance(self, most)
        if next(calls, 1) == 0:
            raise KeyboardInterrupt
        return n_steps

    monkeypatch.setattr(Trainer, "advance", interrupted)
    return lambda: monkeypatch.setattr(Trainer, "advance", advance)


def fitted_in_pieces(monkeypatch, case, path, after=2, callbacks=lambda: (), **more):
    """The same fit, interrupted again and again, each time gone on with by a new network."""
    n_pieces = 0
    while True:
        undo = interrupt(monkeypatch, after)
        net, history = fitted(
            case, checkpoint=path, checkpoint_every=1000.0, resume=n_pieces > 0, callbacks=callbacks(), **more
        )
        undo()
        n_pieces += 1
        if history.stop_reason != "interrupted":
            return net, history, n_pieces


def assert_same(one, other):
    (net, history), (twin, records) = one, other
    for name, array in net.named_arrays().items():
        np.testing.assert_array_equal(twin.named_arrays()[name], array, err_msg=name)
    assert list(records) == list(history)
    for name in set(history) - {"seconds"}:
        np.testing.assert_array_equal(records[name], history[name], err_msg=name)
    assert (records.stop_reason, records.best_epoch) == (history.stop_reason, history.best_epoch)
    assert (np.diff(records["seconds"]) > 0).all()
    assert twin.rng.bit_generator.state == net.rng.bit_generator.state


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("pace", [ShortPace, LongPace])
@pytest.mark.parametrize("name", CASES)
def test_a_resumed_fit_is_the_same_to_the_bit(name, pace, monkeypatch, tmp_path):
    monkeypatch.setattr("fastmlp.training.trainer.Pace", pace)
    whole = fitted(CASES[name])
    *resumed, n_pieces = fitted_in_pieces(monkeypatch, CASES[name], tmp_path / "run.ckpt")
    assert_same(whole, resumed)
    assert n_pieces > 1 or isinstance(CASES[name][2].get("optimizer"), fm.LevenbergMarquardt)
    assert whole[1].stop_reason == "epochs"


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("case", ["layers", "chunks"])
@pytest.mark.parametrize("callbacks", CALLBACKS)
def test_callbacks_go_on_from_their_state(callbacks, case, monkeypatch, tmp_path):
    monkeypatch.setattr("fastmlp.training.trainer.Pace", ShortPace)
    more = {"validation_data": VALIDATION, "epochs": 25}
    whole = fitted(CASES[case], callbacks=CALLBACKS[callbacks](), **more)
    *resumed, n_pieces = fitted_in_pieces(
        monkeypatch, CASES[case], tmp_path / "run.ckpt", 3, CALLBACKS[callbacks], **more
    )
    assert_same(whole, resumed)
    assert n_pieces > 5


def test_the_history_tells_how_many_epochs_were_resumed(tmp_path):
    options = {"checkpoint": tmp_path / "run.ckpt", "resume": True}
    assert fitted(CASES["layers"], epochs=2, **options)[1].n_resumed == 0
    history = fitted(CASES["layers"], epochs=5, **options)[1]
    assert (history.n_resumed, history.n_epochs) == (2, 5)
    assert pickle.loads(pickle.dumps(history)).n_resumed == 2


def test_every_step_of_a_whole_set_method_can_be_resumed_from(monkeypatch, tmp_path):
    case, path = CASES["squared losses"], tmp_path / "run.ckpt"
    whole = fitted(case)
    for stop in range(1, 9):
        callback = [lambda run, last=stop: run.epoch + 1 == last and run.pause("for now")]
        assert fitted(case, checkpoint=path, resume=True, callbacks=callback)[1].n_epochs == stop
    assert_same(whole, fitted(case, checkpoint=path, resume=True))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n=st.integers(1, 40), batch_size=st.integers(1, 45), accumulate=st.integers(1, 3), after=st.integers(1, 4),
    average=st.sampled_from([None, 0.5, 1.0]), shuffle=st.booleans(),
)  # fmt: skip
def test_any_shape_can_be_resumed(n, batch_size, accumulate, after, average, shuffle, tmp_path_factory):
    case = (lambda: network(4, fm.Dropout(0.2), 3), (X[:n], LABELS[:n]), {"epochs": 4})
    more = {"batch_size": batch_size, "accumulate": accumulate, "average": average, "shuffle": shuffle}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastmlp.training.trainer.Pace", ShortPace)
        whole = fitted(case, **more)
        path = tmp_path_factory.mktemp("any") / "run.ckpt"
        *resumed, _ = fitted_in_pieces(patch, case, path, after, **more)
    assert_same(whole, resumed)


def test_warm_starts_are_kept(monkeypatch, tmp_path):
    monkeypatch.setattr("fastmlp.training.trainer.Pace", ShortPace)
    begun = network(8, 3)
    begun.fit(X, LABELS, epochs=2, batch_size=8, warm_start=True, average=0.9)
    case = (begun.copy, (X, LABELS), {"warm_start": True, "average": 0.9, "optimizer": fm.Adam(halved)})
    whole = fitted(case)
    *resumed, _ = fitted_in_pieces(monkeypatch, case, tmp_path / "run.ckpt")
    assert_same(whole, resumed)
    states = [each[0].optimizer_state for each in (whole, resumed)]
    np.testing.assert_array_equal(states[1].vectors, states[0].vectors)
    assert states[1].n_steps == states[0].n_steps == 2 * 12 + 6 * 12
    assert states[1].average.n_steps == states[0].average.n_steps
    # As the checkpoint has them, a network without a state goes on too.
    fresh = network(8, 3)
    fresh.fit(X, LABELS, epochs=6, batch_size=8, resume=True, checkpoint=tmp_path / "run.ckpt", **case[2])
    np.testing.assert_array_equal(fresh.params, whole[0].params)
    assert fresh.optimizer_state.n_steps == states[0].n_steps


def test_a_finished_fit_is_not_trained_again_but_may_be_made_longer(tmp_path):
    path, case = tmp_path / "run.ckpt", CASES["layers"]
    whole = fitted(case, checkpoint=path)
    assert_same(whole, fitted(case, checkpoint=path, resume=True))
    assert_same(fitted(case, epochs=9), fitted(case, checkpoint=path, resume=True, epochs=9))
    with pytest.raises(ValueError, match="has 9 epochs, more than epochs=6"):
        fitted(case, checkpoint=path, resume=True)


def test_a_stop_is_kept_and_a_pause_is_not(tmp_path):
    for word, n_epochs in (("stop", 2), ("pause", 6)):
        path = tmp_path / word
        halts = [lambda run, halt=word: run.epoch == 1 and getattr(run, halt)("enough")]
        assert fitted(CASES["layers"], checkpoint=path, callbacks=halts)[1].n_epochs == 2
        history = fitted(CASES["layers"], checkpoint=path, resume=True)[1]
        assert history.n_epochs == n_epochs
        assert history.stop_reason == {"stop": "enough", "pause": "epochs"}[word]


def test_the_seconds_of_all_pieces_add_up(tmp_path):
    path = tmp_path / "run.ckpt"
    fitted(CASES["defaults"], checkpoint=path)
    state = from_bytes(path.read_bytes())
    state["run"]["seconds"] = 50.0
    path.write_bytes(to_bytes(state))
    seconds = fitted(CASES["defaults"], checkpoint=path, resume=True, epochs=7)[1]["seconds"]
    assert seconds[5] < 50 < seconds[6] < 100


def test_records_of_a_callback_are_kept_whatever_their_number(tmp_path):
    def unevenly(run):
        if run.epoch == 1 or run.epoch > 3:
            run.history.add(norm=float(np.linalg.norm(run.network.params)))
        for _ in range(3):
            run.history.add(thrice=run.epoch)
        newest.append(run.history.last("norm") if "norm" in run.history else None)

    path, halt, newest = tmp_path / "run.ckpt", lambda run: run.epoch == 2 and run.pause("for now"), []
    whole = fitted(CASES["layers"], callbacks=[unevenly])[1]
    expected = list(newest)
    newest.clear()
    fitted(CASES["layers"], checkpoint=path, callbacks=[unevenly, halt])
    resumed = fitted(CASES["layers"], checkpoint=path, resume=True, callbacks=[unevenly])[1]
    assert newest == expected and np.isfinite(whole["norm"]).sum() == whole.n_epochs - 3
    assert len(whole["thrice"]) == 3 * whole.n_epochs and resumed.n_epochs == whole.n_epochs
    for name in ("loss", "norm", "thrice"):
        np.testing.assert_array_equal(resumed[name], whole[name])


def test_a_callback_of_ones_own_is_asked_for_its_state(tmp_path):
    class Counts(fm.Callback):
        def on_fit_begin(self, run):
            self.seen = np.zeros(3)

        def on_epoch_end(self, run):
            self.seen[run.epoch % 3] += run.history.last("loss")

        def state_dict(self):
            return {"seen": self.seen, "nested": [{"n": np.int64(3), "text": "ä", "nothing": None}]}

        def load_state_dict(self, state):
            assert state["nested"] == [{"n": 3, "text": "ä", "nothing": None}]
            self.seen = state["seen"].copy()

    path, once, again = tmp_path / "run.ckpt", Counts(), Counts()
    fitted(CASES["layers"], callbacks=once)
    halt = [lambda run: run.epoch == 2 and run.pause("for now")]
    fitted(CASES["layers"], checkpoint=path, callbacks=[Counts(), *halt])
    fitted(CASES["layers"], checkpoint=path, resume=True, callbacks=[again])
    np.testing.assert_array_equal(again.seen, once.seen)
    Counts.state_dict = lambda self: {"what": {1, 2}}
    with pytest.raises(TypeError, match=r"state\.callbacks\.0\.what must hold only numbers, text, arrays.*got set"):
        fitted(CASES["layers"], checkpoint=tmp_path / "other", callbacks=[Counts()])


DIFFERENT = {
    "layers": (lambda: network(9, 3), (X, LABELS), {}),
    "loss": (lambda: network(8, 3, loss="squared_error"), (X, LABELS), {}),
    "dtype": (lambda: network(8, 3, dtype="float64"), (X, LABELS), {}),
    "input scaling": (lambda: fm.Network([fm.Input(6, scale=2.0), 8, 3], loss="cross_entropy"), (X, LABELS), {}),
    "optimizer": (lambda: network(8, 3), (X, LABELS), {"optimizer": fm.Adam(0.002)}),
    "batch_size": (lambda: network(8, 3), (X, LABELS), {"batch_size": 9}),
    "alpha": (lambda: network(8, 3), (X, LABELS), {"alpha": halved}),
    "average": (lambda: network(8, 3), (X, LABELS), {"average": 0.5}),
    "shuffle": (lambda: network(8, 3), (X, LABELS), {"shuffle": False}),
    "n_threads": (lambda: network(8, 3), (X, LABELS), {"n_threads": 2}),
    "callbacks": (lambda: network(8, 3), (X, LABELS), {"callbacks": [fm.EarlyStopping(7)]}),
    "rows of X": (lambda: network(8, 3), (X[:-1], LABELS[:-1]), {}),
    "dtype of X": (lambda: network(8, 3), (X.astype(np.float64), LABELS), {}),
    "samples": (lambda: network(8, 3), (X + np.float32(1e-3), LABELS), {}),
    "sample weights": (lambda: network(8, 3), (X, LABELS), {"sample_weight": WEIGHTS}),
    "rows of validation X": (lambda: network(8, 3), (X, LABELS), {"validation_data": VALIDATION}),
    "rows of X, dtype of X": (lambda: network(8, 3), (sparse.csr_matrix(X[:80]), LABELS[:80]), {}),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_the_checkpoint_of_another_fit_is_refused_with_the_difference_named(name, tmp_path):
    path = tmp_path / "run.ckpt"
    fitted(CASES["defaults"], checkpoint=path)
    before = path.read_bytes()
    make, samples, options = DIFFERENT[name]
    net = make()
    params, generator = net.params.copy(), net.rng.bit_generator.state
    with pytest.raises(ValueError, match="is from another fit: ") as caught:
        net.fit(*samples, **{"epochs": 6, "batch_size": 8, **options}, checkpoint=path, resume=True)
    for each in name.split(", "):
        assert re.search(rf"(: |; ){each}: .+ in the checkpoint, .+ now", str(caught.value)), caught.value
    np.testing.assert_array_equal(net.params, params)
    assert net.rng.bit_generator.state == generator
    assert path.read_bytes() == before


def test_a_checkpoint_is_not_written_over_by_a_fit_that_begins(tmp_path):
    path = tmp_path / "run.ckpt"
    fitted(CASES["defaults"], checkpoint=path)
    with pytest.raises(FileExistsError, match=r"run\.ckpt' exists: pass resume=True to continue from it"):
        fitted(CASES["defaults"], checkpoint=path)
    path.rename(previous_of(path))
    with pytest.raises(FileExistsError):
        fitted(CASES["defaults"], checkpoint=path)


def test_what_cannot_be_is_told_before_anything_changes(tmp_path):
    net = network(8, 3)
    params = net.params.copy()
    path = tmp_path / "run.ckpt"
    for error, message, arguments in (
        (ValueError, "resume=True needs checkpoint", {"resume": True}),
        (ValueError, r"checkpoint_every=5\.0 needs checkpoint", {"checkpoint_every": 5.0}),
        (ValueError, "checkpoint_every must be", {"checkpoint": path, "checkpoint_every": -1.0}),
        (TypeError, "resume must be True or False", {"checkpoint": path, "resume": "yes"}),
        (TypeError, "checkpoint must be a string or a path", {"checkpoint": 5}),
        (ValueError, "cannot be used with LBFGS", {"checkpoint": path, "optimizer": fm.LBFGS()}),
        (FileNotFoundError, "nowhere", {"checkpoint": tmp_path / "nowhere" / "run.ckpt"}),
    ):
        with pytest.raises(error, match=message):
            net.fit(X, LABELS, **arguments)
        np.testing.assert_array_equal(net.params, params)
    assert os.listdir(tmp_path) == []


def test_chunks_that_changed_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("fastmlp.training.trainer.Pace", ShortPace)
    monkeypatch.setattr("fastmlp.data.chunks.BLOCK_BYTES", 200)
    case, path = CASES["chunks"], tmp_path / "run.ckpt"
    undo = interrupt(monkeypatch, 15)
    fitted(case, checkpoint=path)
    undo()

    def fewer():
        yield X[:25], LABELS[:25]

    with pytest.raises(ValueError, match="fewer rows in an epoch than it had"):
        fitted((case[0], (fm.Chunks(fewer), None), case[2]), checkpoint=path, resume=True)
    with pytest.raises(ValueError, match="not from a fit of Chunks"):
        fitted(
            case,
            checkpoint=tmp_path / "samples",
            resume=fitted(CASES["layers"], checkpoint=tmp_path / "samples")[1] is not None,
        )


def test_a_damaged_checkpoint_falls_back_to_the_one_before_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("fastmlp.training.trainer.Pace", ShortPace)
    path, case = tmp_path / "run.ckpt", CASES["layers"]
    whole = fitted(case)
    undo = interrupt(monkeypatch, 9)
    fitted(case, checkpoint=path, checkpoint_every=0.0)
    undo()
    newest, previous = path.read_bytes(), previous_of(path).read_bytes()
    steps = [from_bytes(content)["training"]["position"]["n_steps"] for content in (previous, newest)]
    assert 0 < steps[0] < steps[1]
    damaged = bytearray(newest)
    damaged[len(damaged) // 2] ^= 4
    for content in (bytes(damaged), newest[:-7], b"", b"\0" * 50, None):
        previous_of(path).write_bytes(previous)
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.warns(RuntimeWarning, match=r"run\.ckpt is (damaged|missing).*resuming from the previous file"):
            resumed = fitted(case, checkpoint=path, resume=True)
        assert_same(whole, resumed)
    path.write_bytes(bytes(damaged))
    previous_of(path).write_bytes(previous[:100])
    with pytest.raises(ValueError, match="is damaged.*and so is the previous file"):
        fitted(case, checkpoint=path, resume=True)
    previous_of(path).unlink()
    with pytest.raises(ValueError, match=r"is damaged.*and there is no run\.ckpt\.previous"):
        fitted(case, checkpoint=path, resume=True)


def test_a_damaged_newest_does_not_push_the_good_one_out(tmp_path, monkeypatch):
    monkeypatch.setattr("fastmlp.training.trainer.Pace", ShortPace)
    path, case = tmp_path / "run.ckpt", CASES["layers"]
    undo = interrupt(monkeypatch, 9)
    fitted(case, checkpoint=path, checkpoint_every=0.0)
    undo()
    good = previous_of(path).read_bytes()
    path.write_bytes(b"damaged")
    undo = interrupt(monkeypatch, 1)
    with pytest.warns(RuntimeWarning, match="resuming from the previous file"):
        fitted(case, checkpoint=path, resume=True, checkpoint_every=1000.0)
    undo()
    assert previous_of(path).read_bytes() == good
    assert from_bytes(path.read_bytes())["training"]["position"]["n_steps"] > 0


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), MemoryError("not enough memory for the file")]
)
def test_a_disk_that_fails_later_is_a_warning_and_nothing_is_lost(error, tmp_path, monkeypatch):
    path, case = tmp_path / "run.ckpt", CASES["layers"]
    whole = fitted(case)
    write, calls = StateFile.write, []

    def failing(self, state):
        calls.append(state)
        if len(calls) > 1:
            raise error
        write(self, state)

    monkeypatch.setattr(StateFile, "write", failing)
    with pytest.warns(
        RuntimeWarning, match=r"\((\[Errno 28\] No|not enough) .*training continues, and .*run\.ckpt is unchanged"
    ):
        assert_same(whole, fitted(case, checkpoint=path))
    monkeypatch.undo()
    assert_same(whole, fitted(case, checkpoint=path, resume=True))


HOSTILE = {
    "no batch begins at row": lambda s: s["training"]["position"].update(first=89),
    "no batch begins at row 90": lambda s: s["training"]["position"].update(first=90 * 10**9),
    "newest is 7": lambda s: s["training"]["position"].update(newest=7),
    "n_steps is -8": lambda s: s["training"]["position"].update(n_steps=-8),
    "n_epochs is": lambda s: s["training"]["position"].update(n_epochs=2**63),
    "its batches are from 7 samples": lambda s: s["training"].update(n_samples=7),
    "no valid order of the samples": lambda s: s["training"]["arrays"]["order"].__setitem__(3, 10**12),
    "array params does not have shape": lambda s: s["training"]["arrays"].update(params=np.zeros(3, np.float32)),
    "array losses does not have": lambda s: s["training"]["arrays"].update(losses=np.zeros(1, np.float32)),
    "expected": lambda s: s["training"]["arrays"].pop("vectors"),
    "'first_step'": lambda s: s["training"].pop("first_step"),
    "n_planned is -1": lambda s: s["training"].update(n_planned=-1),
    "n_planned is 0": lambda s: s["training"].update(n_planned=0),
    "n_planned is 4611686018427387904": lambda s: s["training"].update(n_planned=2**62),
    "no valid state of the network's random generator": lambda s: s["training"]["generator"].update(state=3),
    "its history does not have": lambda s: s["history"].pop("seconds"),
    "its history does not": lambda s: s["history"].update(loss=[1.0]),
    "its history does": lambda s: s["history"].update(loss=s["history"]["loss"][:, None]),
    "its history does not have 6 epochs": lambda s: s["history"].pop("loss"),
    "zip": lambda s: s.update(callbacks=[{"to_beat": 1}]),
}


@pytest.mark.parametrize("message", HOSTILE)
def test_a_state_that_cannot_be_is_refused(message, tmp_path):
    path = tmp_path / "run.ckpt"
    fitted(CASES["defaults"], checkpoint=path)
    state = from_bytes(path.read_bytes())
    state = {**state, "training": {**state["training"], "arrays": dict(state["training"]["arrays"])}}
    state["training"]["arrays"]["order"] = state["training"]["arrays"]["order"].copy()
    HOSTILE[message](state)
    path.write_bytes(to_bytes(state))
    net = network(8, 3)
    before = (net.params.copy(), net.statistics.copy(), net.rng.bit_generator.state)
    with pytest.raises(ValueError, match=rf"run\.ckpt cannot be resumed: .*{message}"):
        net.fit(X, LABELS, epochs=8, batch_size=8, checkpoint=path, resume=True)
    np.testing.assert_equal((net.params, net.statistics, net.rng.bit_generator.state), before)


def test_a_callback_that_was_put_back_does_not_change_the_network_of_a_refused_fit(tmp_path):
    path, callbacks = tmp_path / "run.ckpt", CALLBACKS["early"]() + CALLBACKS["tolerance"]()
    fitted(CASES["layers"], checkpoint=path, callbacks=callbacks)
    state = from_bytes(path.read_bytes())
    state["callbacks"][1].pop("still")
    path.write_bytes(to_bytes(state))
    net = CASES["layers"][0]()
    params = net.params.copy()
    with pytest.raises(ValueError, match="cannot be resumed: 'still'"):
        net.fit(X, LABELS, epochs=6, batch_size=7, checkpoint=path, resume=True, callbacks=callbacks)
    np.testing.assert_array_equal(net.params, params)


def test_other_validation_data_of_chunks_are_refused(tmp_path):
    path, case = tmp_path / "run.ckpt", CASES["chunks"]
    fitted(case, checkpoint=path, validation_data=VALIDATION)
    for other, name in (((X[:29], LABELS[:29]), "rows of validation X"), ((X[1:31], LABELS[1:31]), "samples")):
        with pytest.raises(ValueError, match=f"from another fit: {name}: "):
            fitted(case, checkpoint=path, resume=True, validation_data=other)


def test_a_checkpoint_of_a_newer_format_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "run.ckpt"
    monkeypatch.setattr(checkpoints, "FORMAT", 2)
    fitted(CASES["defaults"], checkpoint=path)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="it has format 2, not 1"):
        fitted(CASES["defaults"], checkpoint=path, resume=True)


def test_a_checkpoint_is_no_model_and_a_model_no_checkpoint(tmp_path):
    fitted(CASES["defaults"], checkpoint=tmp_path / "run.ckpt")
    with pytest.raises(ValueError, match=r"run\.ckpt is not a valid fastmlp model.*it is the checkpoint of a fit"):
        fm.load(tmp_path / "run.ckpt")
    network(8, 3).save(tmp_path / "model")
    with pytest.raises(ValueError, match="model is damaged or not a checkpoint"):
        fitted(CASES["defaults"], checkpoint=tmp_path / "model", resume=True)


def test_checkpoints_come_when_they_are_due(tmp_path, monkeypatch):
    monkeypatch.setattr("fastmlp.training.trainer.Pace", ShortPace)
    n_written = []
    write = StateFile.write
    monkeypatch.setattr(StateFile, "write", lambda self, state: (n_written.append(1), write(self, state)))
    fitted(CASES["layers"], checkpoint=tmp_path / "a")
    assert len(n_written) == 2  # at the beginning and at the end
    fitted(CASES["layers"], checkpoint=tmp_path / "b", checkpoint_every=0.0)
    assert len(n_written) == 2 + 2 + 6 * 5  # and behind each chunk: 13 batches in chunks of 3
    # What takes long to write is written seldom, if nobody has asked for more.
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    fitted(CASES["layers"], checkpoint=tmp_path / "c", epochs=1)
    assert 34 + 2 <= len(n_written) < 34 + 2 + 5


def test_leftovers_of_killed_processes_are_removed(tmp_path):
    for name in (".run.ckpt.0a1b2c3d.part", ".other.0a1b2c3d.part"):
        (tmp_path / name).write_bytes(b"half")
    fitted(CASES["defaults"], checkpoint=tmp_path / "run.ckpt")
    assert sorted(os.listdir(tmp_path)) == [".other.0a1b2c3d.part", "run.ckpt", "run.ckpt.previous"]
