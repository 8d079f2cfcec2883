"""History: the record of a fit."""

import json

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
