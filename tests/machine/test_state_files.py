"""fastmlp.machine.state_files: a state comes back as it was, and no changed byte goes unnoticed."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import load_file, save

from fastmlp.machine import state_files
from fastmlp.machine.state_files import StateFile, from_bytes, previous_of, to_bytes

STATE = {"n": 3, "rate": 0.1, "none": None, "list": [1, "ä", {"deep": np.arange(6.0).reshape(2, 3)}], "big": 2**100}

NUMBERS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text())
ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    elements={"allow_nan": False},
)
TREES = st.recursive(
    NUMBERS | ARRAYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def assert_equal(one, other):
    if isinstance(one, np.ndarray):
        np.testing.assert_array_equal(other, one, strict=True)
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for name in one:
            assert_equal(one[name], other[name])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for each, its in zip(one, other, strict=True):
            assert_equal(each, its)
    else:
        assert type(one) is type(other) and one == other


@given(st.dictionaries(st.text(max_size=5), TREES, max_size=4))
def test_a_state_comes_back_as_it_was(state):
    assert_equal(state, from_bytes(to_bytes(state)))


def test_what_is_alike_for_json_is_written_alike():
    state = from_bytes(to_bytes({"pair": (1, np.float64(0.5)), "strided": np.arange(8)[::2], "infinite": -np.inf}))
    assert_equal(state, {"pair": [1, 0.5], "strided": np.array([0, 2, 4, 6]), "infinite": -np.inf})


@pytest.mark.parametrize(
    ("state", "place"),
    [
        ({"a": [1, {2}]}, r"state\.a\.1"),
        ({"a": {3: 4}}, r"state\.a"),
        ({"t": np.array(["x"])}, r"state\.t"),
        ({"o": object}, r"state\.o"),
    ],
)
def test_what_cannot_be_written_is_named(state, place):
    with pytest.raises(TypeError, match=f"{place} must hold only numbers, text, arrays, dictionaries and lists, got "):
        to_bytes(state)


def test_every_changed_byte_and_every_cut_is_noticed():
    content = to_bytes(STATE)
    for at in range(len(content)):
        for change in (1, 128):
            damaged = bytearray(content)
            damaged[at] ^= change
            with pytest.raises(ValueError):
                from_bytes(bytes(damaged))
        with pytest.raises(ValueError):
            from_bytes(content[:at])


def test_other_safetensors_readers_read_the_arrays(tmp_path):
    path = tmp_path / "state"
    StateFile(path).write(STATE)
    assert list(load_file(path)) == ["state.list.2.deep"]


def test_a_state_that_is_no_dictionary_is_refused():
    for tree in ([1, 2], {"array at": "nothing"}):
        content = to_bytes({"x": 1})
        length = int.from_bytes(content[:8], "little")
        assert json.loads(content[8 : 8 + length])["__metadata__"]["fastmlp state"] == '{"x": 1}'

        text = json.dumps(tree)
        metadata = {"fastmlp state": text, "sha256": state_files._digest(text, {})}
        with pytest.raises(ValueError, match="it contains a list, not a state|it does not contain a state"):
            from_bytes(save({}, metadata))


def test_the_last_file_is_kept_beside_the_newest(tmp_path):
    path = tmp_path / "state"
    file = StateFile(path)
    assert not file.exists() and file.read(lambda state: None) is None
    for n in range(3):
        file.write({"n": n})
    read = [StateFile(each).read(lambda state: None) for each in (path, previous_of(path))]
    assert read == [{"n": 2}, {"n": 1}]
    path.unlink()
    assert StateFile(path).exists()
    file.write({"n": 3})  # though the newest was gone
    assert StateFile(path).read(lambda state: None) == {"n": 3}


def test_a_state_that_does_not_pass_the_check_counts_as_damaged(tmp_path):
    path = tmp_path / "state"
    file = StateFile(path)
    for n in range(2):
        file.write({"n": n})

    def check(state):
        if state["n"] == 1:
            raise ValueError("one too many")

    with pytest.warns(RuntimeWarning, match=r"is damaged or not a checkpoint \(one too many\); resuming from"):
        assert StateFile(path).read(check) == {"n": 0}
