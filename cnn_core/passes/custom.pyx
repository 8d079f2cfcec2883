"""A loss that Python computes: the one place where the core calls back, with the GIL.

What is called (`fastmlp.custom_loss`) writes into the arrays that it is given; what goes wrong is kept as its `error`.
"""
from libc.math cimport NAN
from libc.stdint cimport int64_t
from libc.string cimport memset

from cnn_core.types cimport real


cdef void call_custom(int64_t door, real* y, real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                      Py_ssize_t n_out) noexcept with gil:
    """door(scores y (n_rows, n_out), targets t, delta, row_loss (n_rows,)), by its address; the last two are filled.

    Ctrl-C may come before the door's first line, or behind its last: it is kept as an error of the loss is.
    """
    cdef object called = <object> <void*> door
    cdef Py_ssize_t i
    try:
        called(<real[:n_rows, :n_out]> y, <real[:n_rows, :n_out]> t, <real[:n_rows, :n_out]> delta,
               <real[:n_rows]> row_loss)
    except BaseException as error:
        called.error = error
        memset(delta, 0, n_rows * n_out * sizeof(real))
        for i in range(n_rows):
            row_loss[i] = <real> NAN


cdef void call_with_gradient(int64_t door, real* gradient, Py_ssize_t n_params) noexcept with gil:
    """door(gradient (n_params,)), by its address; it may change the numbers. They are 0 after an error."""
    cdef object called = <object> <void*> door
    try:
        called(<real[:n_params]> gradient)
    except BaseException as error:
        called.error = error
        memset(gradient, 0, n_params * sizeof(real))
