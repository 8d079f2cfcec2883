"""Memory for libraries: checked before it is used. What happens without it: tests/faults/test_memory.py."""

import pytest

from fastmlp.machine.memory import check_room, forget_room, make_room, make_room_for_blas, stack_bytes

resource = pytest.importorskip("resource")


def test_room_there_is_and_room_there_is_not():
    check_room(0, "nothing")
    check_room(2**20, "a file")
    with pytest.raises(MemoryError, match="not enough memory for the file: 4611686018427387904 bytes"):
        check_room(2**62, "the file")
    with pytest.raises(MemoryError, match="not enough memory"):
        check_room(2**80, "the file")


def test_a_stack_is_what_the_system_gives(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda which: (3_000_000, 3_000_000))
    bounded = stack_bytes()
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    assert bounded == stack_bytes() + 3_000_000


def test_limited_memory_is_taken_once_for_each_size_of_team(monkeypatch):
    taken = []
    monkeypatch.setattr(
        "fastmlp.machine.memory.take_room", lambda scratch, n_threads: taken.append((len(scratch), n_threads))
    )
    forget_room()
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY,) * 2)
    make_room(2)
    assert taken == []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2**40,) * 2)
    with pytest.raises(MemoryError, match="not enough memory for 1000000 threads and their BLAS"):
        make_room(1_000_000)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2**23,) * 2)
    for n_threads in (2, 2, 1, 3):
        make_room(n_threads)
    make_room_for_blas()  # a team has room for one
    assert taken == [(2, 2), (1, 1), (3, 3)]
    forget_room()
    make_room_for_blas()
    assert taken[3:] == [(1, 1)]
    forget_room()
