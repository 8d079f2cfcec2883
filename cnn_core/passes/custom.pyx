"""Calls back into Python, with the GIL: a custom loss, or a function that sees the gradient.

The object that is called writes into the arrays it is given; an exception is stored as its `error`. It may use other
networks, with teams of their own.
"""
from libc.math cimport NAN
from libc.stdint cimport int64_t
from libc.string cimport memset

from cnn_core.machine.team cimport team_allow_inner, team_forbid_inner
from cnn_core.types cimport real


cdef void call_custom(int64_t address, real* y, real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                      Py_ssize_t n_out, Py_ssize_t n_target) noexcept with gil:
    """Call the object at `address` with scores y (n_rows, n_out) and targets t (n_rows, n_target); it fills delta, of
    the shape of y, and row_loss (n_rows,).

    Ctrl-C may come before its first line or after its last, so it is stored like an error of the loss.
    """
    cdef object called = <object> <void*> address
    cdef Py_ssize_t i
    cdef int levels = team_allow_inner()
    try:
        called(<real[:n_rows, :n_out]> y, <real[:n_rows, :n_target]> t, <real[:n_rows, :n_out]> delta,
               <real[:n_rows]> row_loss)
    except BaseException as error:
        called.error = error
        memset(delta, 0, n_rows * n_out * sizeof(real))
        for i in range(n_rows):
            row_loss[i] = <real> NAN
    team_forbid_inner(levels)


cdef void call_with_gradient(int64_t address, real* gradient, Py_ssize_t n_params) noexcept with gil:
    """Call the object at `address` with gradient (n_params,), which it may change; after an error it is all 0."""
    cdef object called = <object> <void*> address
    cdef int levels = team_allow_inner()
    try:
        called(<real[:n_params]> gradient)
    except BaseException as error:
        called.error = error
        memset(gradient, 0, n_params * sizeof(real))
    team_forbid_inner(levels)
