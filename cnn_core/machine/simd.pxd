"""Cython's view of simd.h: the multiversioning macro, and branch-free functions for both number types."""
from cnn_core.types cimport real

cdef extern from "simd.h" nogil:
    ctypedef void CLONES_VOID
    void CHECK(bint condition) noexcept
    void PREFETCH(const void* address) noexcept
    float expf_ "exp_f"(float x) noexcept
    double expd_ "exp_d"(double x) noexcept
    float expm1f_ "expm1_f"(float x) noexcept
    double expm1d_ "expm1_d"(double x) noexcept
    float sigmoidf_ "sigmoid_f"(float x) noexcept
    double sigmoidd_ "sigmoid_d"(double x) noexcept
    float tanhf_ "tanh_f"(float x) noexcept
    double tanhd_ "tanh_d"(double x) noexcept
    float softplusf_ "softplus_f"(float x) noexcept
    double softplusd_ "softplus_d"(double x) noexcept
    float logf_ "log_f"(float x) noexcept
    double logd_ "log_d"(double x) noexcept


cdef inline real exp(real x) noexcept nogil:
    if real is float:
        return expf_(x)
    else:
        return expd_(x)


cdef inline real expm1(real x) noexcept nogil:
    if real is float:
        return expm1f_(x)
    else:
        return expm1d_(x)


cdef inline real sigmoid(real x) noexcept nogil:
    if real is float:
        return sigmoidf_(x)
    else:
        return sigmoidd_(x)


cdef inline real tanh(real x) noexcept nogil:
    if real is float:
        return tanhf_(x)
    else:
        return tanhd_(x)


cdef inline real softplus(real x) noexcept nogil:
    if real is float:
        return softplusf_(x)
    else:
        return softplusd_(x)


cdef inline real log(real x) noexcept nogil:
    """For x >= 1."""
    if real is float:
        return logf_(x)
    else:
        return logd_(x)
