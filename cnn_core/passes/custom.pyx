"""Calls back into Python, with the GIL: a custom loss, or a function that sees the gradient.

The object that is called writes into the arrays it is given; an exception is stored as its `error`. It may use other
networks, with teams of their own. If it forks, a child that had a team leaves it when the call returns.
"""
from libc.math cimport NAN
from libc.setjmp cimport jmp_buf, longjmp
from libc.stdint cimport int64_t
from libc.string cimport memset

from cnn_core.machine.team cimport count_forks, swap_exit, team_allow_inner, team_forbid_inner
from cnn_core.types cimport real


# What a thread returns to after a call to Python.
cdef struct Place:
    jmp_buf* way_out
    long n_forks
    int levels               # of teams inside teams that are allowed


cdef Place leave_for_python() noexcept nogil:
    """Allow teams inside the running one, which a fork inside them must not leave."""
    cdef Place place
    place.way_out, place.n_forks, place.levels = swap_exit(NULL), count_forks(), team_allow_inner()
    return place


cdef void back_from_python(Place place) noexcept nogil:
    """Undo `leave_for_python`; out of the team if this is a child without its other members."""
    team_forbid_inner(place.levels)
    swap_exit(place.way_out)
    if place.way_out is not NULL and count_forks() != place.n_forks:
        longjmp(place.way_out[0], 1)


cdef void call_loss(int64_t address, real* y, real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                    Py_ssize_t n_out, Py_ssize_t n_target) noexcept with gil:
    """As `call_custom`. Ctrl-C may come before its first line or after its last, so it is stored like its errors."""
    cdef object called = <object> <void*> address
    cdef Py_ssize_t i
    try:
        called(<real[:n_rows, :n_out]> y, <real[:n_rows, :n_target]> t, <real[:n_rows, :n_out]> delta,
               <real[:n_rows]> row_loss)
    except BaseException as error:
        called.error = error
        memset(delta, 0, n_rows * n_out * sizeof(real))
        for i in range(n_rows):
            row_loss[i] = <real> NAN


cdef void show_gradient(int64_t address, real* gradient, Py_ssize_t n_params) noexcept with gil:
    cdef object called = <object> <void*> address
    try:
        called(<real[:n_params]> gradient)
    except BaseException as error:
        called.error = error
        memset(gradient, 0, n_params * sizeof(real))


cdef void call_custom(int64_t address, real* y, real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                      Py_ssize_t n_out, Py_ssize_t n_target) noexcept nogil:
    """Call the object at `address` with scores y (n_rows, n_out) and targets t (n_rows, n_target); it fills delta, of
    the shape of y, and row_loss (n_rows,).
    """
    cdef Place place = leave_for_python()
    call_loss(address, y, t, delta, row_loss, n_rows, n_out, n_target)
    back_from_python(place)


cdef void call_with_gradient(int64_t address, real* gradient, Py_ssize_t n_params) noexcept nogil:
    """Call the object at `address` with gradient (n_params,), which it may change; after an error it is all 0."""
    cdef Place place = leave_for_python()
    show_gradient(address, gradient, n_params)
    back_from_python(place)
