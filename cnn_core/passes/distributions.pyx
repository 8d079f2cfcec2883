"""Losses with several outputs for each target, which describe its distribution. They weigh the targets themselves.

    gaussian      outputs m_1 .. m_T, s_1 .. s_T: mean and log-variance of each target
                  row_loss = mean_k w_k v_k^beta ((t_k - m_k)^2 / v_k + s_k) / 2,   v_k = e^s_k

    quantiles     outputs o_11 .. o_1Q, .., o_TQ: the quantiles q_1 .. q_Q of each target
                  row_loss = mean_kj w_k max(-q_j e, (1 - q_j) e),   e = o_kj - t_k

The factor v^beta counts as a constant in the gradient. Source: Seitzer et al., "On the pitfalls of heteroscedastic
uncertainty estimation with probabilistic neural networks", ICLR 2022; beta = 0 is the likelihood itself, without its
constant log(2 pi) / 2.
"""
from libc.math cimport exp, fmax, fmin

from cnn_core.types cimport real


cdef void gaussian(const real* y, const real* t, const real* weight, real* delta, real* row_loss, Py_ssize_t n_rows,
                   Py_ssize_t n_target, double beta) noexcept nogil:
    """y and delta (n_rows, 2 n_target), t and weight (n_rows, n_target); weight NULL: all 1.

    The log-variance is taken as at most `limit` in size, so that nothing overflows. Beyond that, only a gradient that
    leads back is passed on.
    """
    cdef double limit = 40 if real is float else 350
    cdef double s, error, square, factor, share, slope
    cdef Py_ssize_t i, k
    for i in range(n_rows):
        row_loss[i] = 0
        for k in range(n_target):
            s = fmax(-limit, fmin(limit, y[n_target + k]))
            if y[n_target + k] != y[n_target + k]:
                s = y[n_target + k]      # NaN stays NaN
            error = <double> y[k] - t[k]
            square = error * error * exp(-s)
            share = (1 if weight is NULL else weight[k]) / <double> n_target
            factor = share * exp(beta * s)
            row_loss[i] += <real> (factor * (square + s) / 2)
            slope = (1 - square) / 2
            if (y[n_target + k] > limit and slope < 0) or (y[n_target + k] < -limit and slope > 0):
                slope = 0
            delta[k] = <real> (share * error * exp((beta - 1) * s))
            delta[n_target + k] = <real> (factor * slope)
        y, delta, t = y + 2 * n_target, delta + 2 * n_target, t + n_target
        if weight is not NULL:
            weight += n_target


cdef void quantiles(const real* y, const real* t, const real* weight, real* delta, real* row_loss, Py_ssize_t n_rows,
                    Py_ssize_t n_target, Py_ssize_t n_levels, const double* levels) noexcept nogil:
    """y and delta (n_rows, n_target, n_levels), t and weight (n_rows, n_target); weight NULL: all 1."""
    cdef double error, share, total, q
    cdef Py_ssize_t i, k, j
    for i in range(n_rows):
        total = 0
        for k in range(n_target):
            share = (1 if weight is NULL else weight[k]) / <double> (n_target * n_levels)
            for j in range(n_levels):
                q = levels[j]
                error = <double> y[j] - t[k]
                total += share * fmax(-q * error, (1 - q) * error)
                delta[j] = <real> (share * (1 - q if error > 0 else (-q if error < 0 else 0)))
            y, delta = y + n_levels, delta + n_levels
        row_loss[i] = <real> total
        t += n_target
        if weight is not NULL:
            weight += n_target
