"""History: the record of a fit."""

import copy
import json
import pickle

import numpy as np
import pytest

import fastmlp as fm


def recorded():
    history = fm.History()
    history.add(loss=0.5, val_loss=0.7, val_accuracy=0.25, seconds=0.5)
    history.add(loss=0.125, val_loss=0.6, val_accuracy=0.75, seconds=1.25)
    return history


def test_it_is_a_mapping_of_arrays():
    history = recorded()
    assert list(history) == ["loss", "val_loss", "val_accuracy", "seconds"]
    assert len(history) == 4 and "loss" in history and "accuracy" not in history
    assert {name: values.tolist() for name, values in history.items()}["seconds"] == [0.5, 1.25]
    assert history["loss"].dtype == np.float64
    assert history.n_epochs == 2 and history.last("val_loss") == 0.6
    assert history.get("nothing") is None


def test_several_epochs_at_once_are_those_one_after_another():
    history, at_once = recorded(), fm.History()
    at_once.extend(loss=[0.5], val_loss=[0.7], val_accuracy=[0.25], seconds=[0.5])
    at_once.extend(**{name: [values[1]] for name, values in history.to_dict().items()})
    again = fm.History()
    again.extend(**history.to_dict())
    assert again.to_dict() == at_once.to_dict() == history.to_dict()
    again.extend(loss=[])
    assert again.n_epochs == 2


def test_arrays_are_copies():
    history = recorded()
    history["loss"][:] = 0
    assert history["loss"].tolist() == [0.5, 0.125]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(KeyError, match="no 'accuracy' in this history; it has loss, val_loss, val_accuracy, seconds"):
        recorded()["accuracy"]
    with pytest.raises(KeyError, match="no 'loss' in this history; it has no epochs"):
        fm.History()["loss"]


def test_repr_tells_how_far_it_came():
    assert repr(fm.History()) == "History(0 epochs)"
    assert repr(recorded()) == (
        "History(2 epochs: loss 0.5 -> 0.125; val_loss 0.7 -> 0.6; val_accuracy 0.25 -> 0.75; 1.25 s)"
    )
    single = fm.History()
    single.add(loss=2.0)
    assert repr(single) == "History(1 epoch: loss 2 -> 2)"


def test_to_dict_is_for_json_and_shares_nothing():
    history = recorded()
    plain = history.to_dict()
    assert json.loads(json.dumps(plain)) == plain == {name: values.tolist() for name, values in history.items()}
    plain["loss"].clear()
    assert history.n_epochs == 2


def test_numpy_numbers_are_taken_as_numbers():
    history = fm.History()
    history.add(loss=np.float32(0.5), seconds=np.int64(1))
    assert history.to_dict() == {"loss": [0.5], "seconds": [1.0]}


def test_an_empty_history_says_so():
    history = fm.History()
    assert history.n_epochs == 0 and list(history) == [] and history.to_dict() == {}
    assert history.stop_reason == "epochs" and history.best_epoch is None


# --- Reading it as a dict ---


def fitted(*callbacks, epochs=5):
    X = np.linspace(-1, 1, 20).reshape(-1, 1)
    net = fm.Network([1, 1], seed=0)
    return net.fit(X, X, epochs=epochs, batch_size=5, validation_data=(X, X), callbacks=callbacks)


def odd_epochs(run):
    if run.epoch % 2:
        run.history.add(mine=run.epoch, twice=2 * run.epoch)


class EachStep(fm.Callback):
    def on_gradient(self, run, gradient):
        run.history.add(norm=np.linalg.norm(gradient))


def test_a_number_recorded_at_some_epochs_stays_at_those_and_the_others_have_nan():
    history = fitted(odd_epochs)
    assert {values.shape for values in history.values()} == {(5,)}
    np.testing.assert_array_equal(history["mine"], [np.nan, 1, np.nan, 3, np.nan])
    np.testing.assert_array_equal(history["twice"], 2 * history["mine"])
    assert history.last("mine") == 3
    by_hand = fm.History()
    by_hand.add(loss=3.0)
    by_hand.add(loss=2.0, late=1.0)
    by_hand.add(loss=1.0)
    np.testing.assert_array_equal(by_hand["late"], [np.nan, 1, np.nan])
    by_hand.extend(loss=[0.5, 0.25], later=[7.0, 8.0])
    np.testing.assert_array_equal(by_hand["later"], [np.nan, np.nan, np.nan, 7, 8])
    assert by_hand.n_epochs == 5


def test_several_numbers_per_epoch_are_kept_and_move_no_others():
    history, plain = fitted(EachStep()), fitted()
    assert history["norm"].shape == (20,) and history.n_epochs == 5
    np.testing.assert_array_equal(history["loss"], plain["loss"])


def test_all_ways_to_read_a_dict_give_the_arrays():
    history = fitted(odd_epochs)
    expected = {name: history[name] for name in ("loss", "seconds", "learning_rate", "val_loss", "mine", "twice")}
    by_parts = dict(zip(history.keys(), history.values(), strict=True)), dict(history.items())
    merged = dict(history), {**history}, history | {}, {} | history
    for got in (*merged, *by_parts, history.copy(), {name: history.get(name) for name in history}):
        assert type(got) is dict and list(got) == list(expected)
        for name, values in expected.items():
            np.testing.assert_array_equal(got[name], values)
    with pytest.raises(TypeError, match="ndarray is not JSON serializable"):
        json.dumps(history)


@pytest.mark.parametrize(
    "change",
    [
        lambda history: history.update(loss=[1.0]),
        lambda history: history.setdefault("loss", [1.0]),
        lambda history: history.pop("loss"),
        lambda history: history.popitem(),
        lambda history: history.clear(),
        lambda history: history.__setitem__("loss", [1.0]),
        lambda history: history.__delitem__("loss"),
        lambda history: history.__ior__({"loss": [1.0]}),
    ],
)
def test_it_is_read_only(change):
    history = recorded()
    before = history.to_dict()
    with pytest.raises(TypeError, match=r"a History is read-only; change a copy, dict\(history\), or record"):
        change(history)
    assert history.to_dict() == before


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda history: pickle.loads(pickle.dumps(history))])
def test_copies_and_pickles_go_on_by_themselves(twin):
    history = fitted(odd_epochs, EachStep())
    history.best_epoch = 3
    other = twin(history)
    assert type(other) is fm.History and vars(other) == vars(history)
    for name, values in history.items():
        np.testing.assert_array_equal(other[name], values)
    assert other.last("mine") == 3
    other.extend(loss=[7.0])
    assert other["loss"][-1] == 7 and history.n_epochs == 5 and other["mine"].shape == (6,)


def test_pandas_makes_a_table_with_a_row_for_each_epoch():
    pd = pytest.importorskip("pandas")
    history = fitted(odd_epochs)
    table = pd.DataFrame(history)
    assert list(table) == list(history) and table.shape == (5, 6)
    assert (table.dtypes == np.float64).all()
    for name in history:
        np.testing.assert_array_equal(table[name], history[name])
    some = pd.DataFrame(history, columns=["mine", "loss"], index=range(1, 6))
    np.testing.assert_array_equal(some["mine"], history["mine"])
    assert pd.DataFrame(recorded())["val_loss"].tolist() == [0.7, 0.6]
    assert pd.DataFrame(fm.History()).empty
