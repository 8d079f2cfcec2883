"""The team of threads inside one call: who am I, how many are we, wait for all."""

cdef extern from "team.h" nogil:
    bint team_has_threads() noexcept
    int team_member() noexcept
    int team_size() noexcept
    void team_barrier() noexcept

# The place of one thread in its team.
cdef struct Member:
    int index
    int size
