"""Activation functions, in place, over whole tiles at once.

y := f(y) forward and delta := delta * f'(z) backward, with f' computed from y where possible. Only silu, gelu and mish
need the scores z, and `increasing`. Softmax works row by row; its derivative is a matrix.

Sources: elu, Clevert et al. 2016; selu, Klambauer et al. 2017; silu, Elfwing et al. 2018; gelu, Hendrycks and Gimpel
2016 (the exact form); mish, Misra 2020.
"""
from libc.math cimport M_SQRT1_2, erfc
from libc.string cimport memcpy

from cnn_core.layers.increasing cimport increase, through_increase
from cnn_core.machine.simd cimport CLONES_VOID, exp, expm1, sigmoid, softplus, tanh
from cnn_core.types cimport LayerSpec, real

cdef double SELU_SCALE = 1.0507009873554804934193349852946
cdef double SELU_ALPHA = 1.6732632423543772848170429916717
cdef double INV_SQRT_2PI = 0.3989422804014326779399460599344


cdef CLONES_VOID exponentials(real* y, Py_ssize_t n) noexcept nogil:
    """y (n) := e^y."""
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = exp(y[i])


cdef CLONES_VOID apply(int code, real* y, Py_ssize_t n, real slope) noexcept nogil:
    """y (n) := f(y) for the element-wise activations that compilers vectorise."""
    cdef Py_ssize_t i
    cdef real e, w
    cdef real scale = <real> SELU_SCALE, steep = <real> (SELU_SCALE * SELU_ALPHA)
    if code == SIGMOID:
        for i in range(n):
            y[i] = sigmoid(y[i])
    elif code == TANH:
        for i in range(n):
            y[i] = tanh(y[i])
    elif code == RELU:
        for i in range(n):
            y[i] = 0 if y[i] < 0 else y[i]      # in this order NaN stays NaN
    elif code == LEAKY_RELU:
        for i in range(n):
            y[i] = slope * y[i] if y[i] < 0 else y[i]
    elif code == ELU:
        for i in range(n):
            e = slope * expm1(y[i])
            y[i] = e if y[i] < 0 else y[i]
    elif code == SELU:
        for i in range(n):
            e = steep * expm1(y[i])
            y[i] = e if y[i] < 0 else scale * y[i]
    elif code == SOFTPLUS:
        for i in range(n):
            y[i] = softplus(y[i])
    elif code == SILU:
        for i in range(n):
            y[i] = y[i] * sigmoid(y[i])
    elif code == MISH:                          # tanh(log(1 + e^z)) = w / (w + 2), w = e^z (e^z + 2)
        for i in range(n):
            e = exp(<real> (y[i] if y[i] < 20 else 20))
            w = e * (e + 2)
            y[i] = y[i] * w / (w + 2)
    elif code == EXP:
        for i in range(n):
            y[i] = limited_exp(y[i])


cdef void apply_gelu(real* y, Py_ssize_t n) noexcept nogil:
    """y (n) := y Phi(y), Phi the normal distribution function."""
    cdef Py_ssize_t i
    for i in range(n):
        y[i] = <real> (y[i] * 0.5 * erfc(-y[i] * M_SQRT1_2))


cdef void apply_softmax(real* y, Py_ssize_t n_rows, Py_ssize_t n_out) noexcept nogil:
    """y (n_rows, n_out) := e^y / sum of e^y over the row, with the row's maximum subtracted first."""
    cdef Py_ssize_t i, j
    cdef real top
    cdef double total
    cdef real* row
    for i in range(n_rows):
        row = y + i * n_out
        top = row[0]
        for j in range(1, n_out):
            top = row[j] if row[j] > top else top
        for j in range(n_out):
            row[j] -= top
    exponentials(y, n_rows * n_out)
    for i in range(n_rows):
        row = y + i * n_out
        total = 0
        for j in range(n_out):
            total += row[j]
        for j in range(n_out):
            row[j] = <real> (row[j] / total)


cdef void activate(const LayerSpec* layer, real* y, real* z, Py_ssize_t n_rows) noexcept nogil:
    """y (n_rows, n_out) := f(y); the scores go to z first unless z is NULL."""
    cdef Py_ssize_t n = n_rows * layer.n_out
    cdef int code = <int> layer.activation
    if code == IDENTITY:
        return
    if z is not NULL:
        memcpy(z, y, n * sizeof(real))
    if code == SOFTMAX:
        apply_softmax(y, n_rows, layer.n_out)
    elif code == INCREASING:
        increase(y, n // layer.group, layer.group)
    elif code == GELU:
        apply_gelu(y, n)
    else:
        apply(code, y, n, <real> layer.slope)


cdef CLONES_VOID multiply_derivative(int code, real* delta, const real* y, const real* z, Py_ssize_t n,
                                     real slope) noexcept nogil:
    """delta (n) := delta * f'(z), from y = f(z) where possible."""
    cdef Py_ssize_t i
    cdef real s, e, t
    cdef real scale = <real> SELU_SCALE, steep = <real> (SELU_SCALE * SELU_ALPHA)
    if code == SIGMOID:
        for i in range(n):
            delta[i] *= y[i] * (1 - y[i])
    elif code == TANH:
        for i in range(n):
            delta[i] *= 1 - y[i] * y[i]
    elif code == RELU:
        for i in range(n):
            delta[i] = delta[i] if y[i] > 0 else 0
    elif code == LEAKY_RELU:
        for i in range(n):
            delta[i] *= 1 if y[i] > 0 else slope
    elif code == ELU:
        for i in range(n):
            delta[i] *= 1 if y[i] > 0 else y[i] + slope
    elif code == SELU:
        for i in range(n):
            delta[i] *= scale if y[i] > 0 else y[i] + steep
    elif code == SOFTPLUS:                      # y = log(1 + e^z), so sigmoid(z) = 1 - e^-y
        for i in range(n):
            delta[i] *= -expm1(-y[i])
    elif code == SILU:
        for i in range(n):
            s = sigmoid(z[i])
            delta[i] *= s * (1 + z[i] * (1 - s))
    elif code == MISH:                          # t = tanh(softplus(z)): f' = t + z sigmoid(z) (1 - t^2)
        for i in range(n):
            e = exp(<real> (z[i] if z[i] < 20 else 20))
            t = e * (e + 2) / (e * (e + 2) + 2)
            delta[i] *= t + z[i] * sigmoid(z[i]) * (1 - t * t)
    elif code == EXP:
        for i in range(n):
            delta[i] *= y[i]


cdef void multiply_gelu_derivative(real* delta, const real* z, Py_ssize_t n) noexcept nogil:
    """delta (n) := delta * (Phi(z) + z phi(z))."""
    cdef Py_ssize_t i
    cdef double x
    for i in range(n):
        x = z[i]
        delta[i] = <real> (delta[i] * (0.5 * erfc(-x * M_SQRT1_2) + x * INV_SQRT_2PI * exp(-0.5 * x * x)))


cdef void through_softmax(real* delta, const real* y, Py_ssize_t n_rows, Py_ssize_t n_out) noexcept nogil:
    """delta (n_rows, n_out) := y * (delta - sum of delta * y over the row)."""
    cdef Py_ssize_t i, j
    cdef double total
    for i in range(n_rows):
        total = 0
        for j in range(i * n_out, (i + 1) * n_out):
            total += delta[j] * y[j]
        for j in range(i * n_out, (i + 1) * n_out):
            delta[j] = <real> (y[j] * (delta[j] - total))


cdef void through_activation(const LayerSpec* layer, real* delta, const real* y, const real* z,
                             Py_ssize_t n_rows) noexcept nogil:
    """delta (n_rows, n_out): d loss / d y becomes d loss / d z."""
    cdef Py_ssize_t n = n_rows * layer.n_out
    cdef int code = <int> layer.activation
    if code == IDENTITY:
        return
    if code == SOFTMAX:
        through_softmax(delta, y, n_rows, layer.n_out)
    elif code == INCREASING:
        through_increase(delta, z, n // layer.group, layer.group)
    elif code == GELU:
        multiply_gelu_derivative(delta, z, n)
    else:
        multiply_derivative(code, delta, y, z, n, <real> layer.slope)


def evaluate(int code, double[::1] values, double slope):
    """values := f(values), element by element (for plots and tests)."""
    cdef LayerSpec layer
    layer.activation, layer.slope, layer.n_out = code, slope, 1
    if values.shape[0]:
        activate(&layer, &values[0], <double*> NULL, values.shape[0])


def derivative(int code, const double[::1] scores, double[::1] out, double slope):
    """out := f'(scores), element by element."""
    cdef LayerSpec layer
    cdef Py_ssize_t i, n = scores.shape[0]
    cdef double[::1] outputs = scores.copy()
    layer.activation, layer.slope, layer.n_out = code, slope, 1
    if n:
        activate(&layer, &outputs[0], <double*> NULL, n)
        for i in range(n):
            out[i] = 1
        through_activation(&layer, &out[0], &outputs[0], &scores[0], n)
