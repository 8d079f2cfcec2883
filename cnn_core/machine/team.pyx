"""Teams of threads, in a process that may be forked.

OpenMP's threads do not survive a fork, and a team in the child would wait for them for ever. So the child of a process
that has had a team works alone, also in a call for which its parent has planned a team: see `granted`.

A child that was forked by a function in Python, called by a member of a team, cannot leave that team either, as OpenMP
waits at its end. It jumps back to where the team was formed: see `swap_exit`.
"""
from libc.setjmp cimport jmp_buf

cdef extern from *:
    """
    #if defined(_MSC_VER)
    static __declspec(thread) jmp_buf *team_exit = NULL;
    #else
    static __thread jmp_buf *team_exit = NULL;
    #endif
    """
    jmp_buf* team_exit

cdef bint lost = False       # this process is the child of one that has had a team
cdef long n_forks = 0        # since this module was imported, in this process and its parents


def has_threads():
    """Whether the core was built with OpenMP."""
    return bool(team_has_threads())


def may_have_team():
    """Whether a call from here may have several threads: not inside another library's team, for example."""
    return bool(team_may_form() and not lost)


def inside_team():
    """Whether the calling thread is a member of a team; OpenMP then starts new threads for every team inside it."""
    return bool(team_is_running())


def startable(int n, size_t stack_bytes):
    """How many threads, at most n, could be started beside those there are. The GIL is free meanwhile."""
    cdef int found
    with nogil:
        found = team_startable(n, stack_bytes)
    return found


def forked(bint had_team):
    """Call this in a child process; ``had_team``: whether its parent has had a team."""
    global lost, n_forks
    lost = lost or had_team
    n_forks += 1


cdef int granted(int n_threads) noexcept nogil:
    """The number of threads to ask OpenMP for, where n_threads were planned."""
    return 1 if lost else n_threads


cdef long count_forks() noexcept nogil:
    return n_forks


cdef jmp_buf* swap_exit(jmp_buf* way_out) noexcept nogil:
    """Set where the calling thread jumps if it is the only one left of its team; return what was set before."""
    global team_exit
    cdef jmp_buf* before = team_exit
    team_exit = way_out
    return before
