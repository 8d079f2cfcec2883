"""The team of threads inside one call: a member's index, the team's size, and a barrier."""
from libc.setjmp cimport jmp_buf

cdef extern from "team.h" nogil:
    # Lives as long as the call that made the team; all fields start at 0.
    ctypedef struct Barrier:
        int arrived
        int phase
        int asleep
    bint team_has_threads() noexcept
    bint team_may_form() noexcept
    bint team_is_running() noexcept
    int team_startable(int n, size_t stack_bytes) noexcept
    int team_allow_inner() noexcept
    void team_forbid_inner(int before) noexcept
    int team_member() noexcept
    int team_size() noexcept
    void team_wait(Barrier* barrier, int size) noexcept

# The place of one thread in its team.
cdef struct Member:
    int index
    int size
    Barrier* barrier


cdef int granted(int n_threads) noexcept nogil
cdef long count_forks() noexcept nogil
cdef jmp_buf* swap_exit(jmp_buf* way_out) noexcept nogil


cdef inline Member join(Barrier* barrier) noexcept nogil:
    """The calling thread's place in the running team."""
    cdef Member member
    member.index, member.size, member.barrier = team_member(), team_size(), barrier
    return member


cdef inline Member alone(Barrier* barrier) noexcept nogil:
    """The place of a thread that works alone, even inside another team."""
    cdef Member member
    member.index, member.size, member.barrier = 0, 1, barrier
    return member


cdef inline void wait_for_all(Member member) noexcept nogil:
    team_wait(member.barrier, member.size)
