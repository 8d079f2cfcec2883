"""Cross-entropies, of the classes of a row and of its labels, computed from the scores together with the activation.

    classes, with softmax      row_loss = -sum_k t_k log o_k                               delta = o - t
    labels, with sigmoid       row_loss = -sum_k (t_k log o_k + (1 - t_k) log(1 - o_k))    delta = o - t
"""
from libc.math cimport exp as exp_
from libc.math cimport isfinite
from libc.math cimport log as log_

from cnn_core.machine.simd cimport CLONES_VOID, exp, log, sigmoid, softplus
from cnn_core.types cimport real


cdef CLONES_VOID softmax_cross_entropy(const real* z, const real* t, real* delta, real* row_loss,
                                       Py_ssize_t n_rows, Py_ssize_t n_out, real smoothing) noexcept nogil:
    """row_loss := log sum_k e^z_k - sum_k t_k z_k; delta := softmax(z) - t, with t smoothed towards 1 / n_out."""
    cdef Py_ssize_t i, j
    cdef real top, total, picked, mass
    for i in range(n_rows):
        top = z[i * n_out]
        for j in range(i * n_out + 1, (i + 1) * n_out):
            top = z[j] if z[j] > top else top
        for j in range(i * n_out, (i + 1) * n_out):
            delta[j] = z[j] - top
        picked = 0
        for j in range(i * n_out, (i + 1) * n_out):
            picked += (t[j] * (1 - smoothing) + smoothing / n_out) * delta[j]
        row_loss[i] = -picked
    for i in range(n_rows * n_out):
        delta[i] = exp(delta[i])
    for i in range(n_rows):
        total = 0
        mass = 0
        for j in range(i * n_out, (i + 1) * n_out):
            total += delta[j]
            mass += t[j] * (1 - smoothing) + smoothing / n_out
        row_loss[i] += mass * log(total)
        total = 1 / total
        for j in range(i * n_out, (i + 1) * n_out):
            delta[j] = mass * delta[j] * total - (t[j] * (1 - smoothing) + smoothing / n_out)


cdef enum:
    LANES = 16              # rows that a narrow softmax processes side by side
    NARROW = 16             # columns up to which that is faster


cdef CLONES_VOID narrow_softmax_cross_entropy(const real* z, const real* t, real* delta, real* row_loss,
                                              Py_ssize_t n_rows, Py_ssize_t n_out, real smoothing) noexcept nogil:
    """The same for up to NARROW columns: LANES rows at a time, transposed so that each column fills a vector."""
    cdef real[NARROW * LANES] score, target
    cdef real[LANES] top, total, picked, mass
    cdef Py_ssize_t first_row = 0, n, i, j, k
    cdef real uniform = smoothing / n_out
    for k in range(n_out * LANES):
        score[k] = target[k] = 0
    while first_row < n_rows:
        n = min(LANES, n_rows - first_row)
        for i in range(n):
            for j in range(n_out):
                score[j * LANES + i] = z[i * n_out + j]
                target[j * LANES + i] = t[i * n_out + j] * (1 - smoothing) + uniform
        for i in range(LANES):
            top[i] = score[i]
            total[i] = picked[i] = mass[i] = 0
        for j in range(1, n_out):
            for i in range(LANES):
                top[i] = score[j * LANES + i] if score[j * LANES + i] > top[i] else top[i]
        for j in range(n_out):
            for i in range(LANES):
                score[j * LANES + i] -= top[i]
                picked[i] += target[j * LANES + i] * score[j * LANES + i]
                mass[i] += target[j * LANES + i]
                score[j * LANES + i] = exp(score[j * LANES + i])
                total[i] += score[j * LANES + i]
        for i in range(LANES):
            picked[i] = mass[i] * log(total[i]) - picked[i]
            total[i] = mass[i] / total[i]
        for j in range(n_out):
            for i in range(LANES):
                score[j * LANES + i] = score[j * LANES + i] * total[i] - target[j * LANES + i]
        for i in range(n):
            row_loss[first_row + i] = picked[i]
            for j in range(n_out):
                delta[i * n_out + j] = score[j * LANES + i]
        z, t, delta = z + n * n_out, t + n * n_out, delta + n * n_out
        first_row += n


cdef CLONES_VOID sigmoid_cross_entropy(const real* z, const real* t, real* delta, real* row_loss,
                                       Py_ssize_t n_rows, Py_ssize_t n_out, real smoothing) noexcept nogil:
    """row_loss := sum_k softplus(z_k) - t_k z_k; delta := sigmoid(z) - t, with t smoothed towards 1/2."""
    cdef Py_ssize_t i, j
    cdef real total
    for i in range(n_rows * n_out):
        delta[i] = softplus(z[i]) - (t[i] * (1 - smoothing) + smoothing / 2) * z[i]
    for i in range(n_rows):
        total = 0
        for j in range(i * n_out, (i + 1) * n_out):
            total += delta[j]
        row_loss[i] = total
    for i in range(n_rows * n_out):
        delta[i] = sigmoid(z[i]) - (t[i] * (1 - smoothing) + smoothing / 2)


cdef real careful_cross_entropy(const real* z, const real* t, Py_ssize_t n_out, real smoothing) noexcept nogil:
    """The loss of one row where a difference of scores has overflowed, which times a target of 0 is NaN.

    The difference ends at the lowest finite number, and so does the loss at the largest.
    """
    cdef double lowest = -1.7976931348623157e308, largest = 3.4028234663852886e38 if real is float else -lowest
    cdef double top = z[0], total = 0, picked = 0, mass = 0, score, target
    cdef Py_ssize_t j
    for j in range(1, n_out):
        top = z[j] if z[j] > top else top
    for j in range(n_out):
        score = z[j] - top
        score = lowest if score < lowest else score      # in this order NaN stays NaN
        target = <double> t[j] * (1 - smoothing) + <double> smoothing / n_out
        total += exp_(score)
        picked += target * score
        mass += target
    score = mass * log_(total) - picked
    return <real> (largest if score > largest else score)


cdef void cross_entropy(const real* z, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                        Py_ssize_t n_out, real smoothing) noexcept nogil:
    """The loss of classes."""
    cdef Py_ssize_t i
    if n_out <= NARROW:
        narrow_softmax_cross_entropy(z, t, delta, row_loss, n_rows, n_out, smoothing)
    else:
        softmax_cross_entropy(z, t, delta, row_loss, n_rows, n_out, smoothing)
    for i in range(n_rows):
        if not isfinite(row_loss[i]):
            row_loss[i] = careful_cross_entropy(z + i * n_out, t + i * n_out, n_out, smoothing)


cdef void binary_cross_entropy(const real* z, const real* t, real* delta, real* row_loss, Py_ssize_t n_rows,
                               Py_ssize_t n_out, real smoothing) noexcept nogil:
    """The loss of labels."""
    sigmoid_cross_entropy(z, t, delta, row_loss, n_rows, n_out, smoothing)
