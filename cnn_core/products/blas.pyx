"""The only calls into the BLAS: products of matrices, or of a row and a matrix, row-major, arguments by value.

SciPy exports its BLAS through `scipy.linalg.cython_blas`, with 32-bit integers or, in some builds since 1.18, with
64-bit ones. The functions are looked up at import, not at build time, so that one build works with every SciPy. Sizes
are passed as 64-bit integers on a little-endian machine, where their low half is the same number as a 32-bit integer.
Callers keep every size below 2**31.

A row-major matrix is the transpose of a column-major one, so C = A B is computed as C^T = B^T A^T.
"""
from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer
from cython.parallel cimport parallel
from libc.stdint cimport int64_t

from cnn_core.machine.team cimport Barrier, Member, granted, join, wait_for_all

import sys

from scipy.linalg import cython_blas

ctypedef void (*gemm_function)(char*, char*, int64_t*, int64_t*, int64_t*, void*, void*, int64_t*,
                               void*, int64_t*, void*, void*, int64_t*) noexcept nogil
ctypedef void (*gemv_function)(char*, int64_t*, int64_t*, void*, void*, int64_t*, void*, int64_t*,
                               void*, void*, int64_t*) noexcept nogil
ctypedef void (*syrk_function)(char*, char*, int64_t*, int64_t*, void*, void*, int64_t*, void*, void*,
                               int64_t*) noexcept nogil

cdef gemm_function sgemm
cdef gemm_function dgemm
cdef gemv_function sgemv
cdef gemv_function dgemv
cdef syrk_function dsyrk


cdef void* look_up(str name, bytes beginning) except NULL:
    capsule = cython_blas.__pyx_capi__[name]
    cdef const char* signature = PyCapsule_GetName(capsule)
    if not (<bytes> signature).startswith(beginning):
        raise ImportError(f"scipy.linalg.cython_blas.{name} has an unknown signature: {(<bytes> signature).decode()}")
    return PyCapsule_GetPointer(capsule, signature)


if sys.byteorder != "little":
    raise ImportError("fastmlp needs a little-endian machine")
sgemm = <gemm_function> look_up("sgemm", b"void (char *, char *, ")
dgemm = <gemm_function> look_up("dgemm", b"void (char *, char *, ")
sgemv = <gemv_function> look_up("sgemv", b"void (char *, int")
dgemv = <gemv_function> look_up("dgemv", b"void (char *, int")
dsyrk = <syrk_function> look_up("dsyrk", b"void (char *, char *, ")


cdef void gemm(char* trans_a, char* trans_b, int64_t m, int64_t n, int64_t k, real alpha, const real* A, int64_t lda,
               const real* B, int64_t ldb, real beta, real* C, int64_t ldc) noexcept nogil:
    """C (m, n) := alpha * op(A) (m, k) @ op(B) (k, n) + beta * C, all row-major."""
    if real is float:
        sgemm(trans_b, trans_a, &n, &m, &k, &alpha, <void*> B, &ldb, <void*> A, &lda, &beta, C, &ldc)
    else:
        dgemm(trans_b, trans_a, &n, &m, &k, &alpha, <void*> B, &ldb, <void*> A, &lda, &beta, C, &ldc)


cdef void gemv(char* trans_b, int64_t n, int64_t k, real alpha, const real* x, const real* B, real beta,
               real* y) noexcept nogil:
    """y (n) := alpha * x (k) @ op(B) (k, n) + beta * y, B row-major and dense."""
    cdef int64_t one = 1
    if trans_b[0] == b"N":
        if real is float:
            sgemv(b"N", &n, &k, &alpha, <void*> B, &n, <void*> x, &one, &beta, y, &one)
        else:
            dgemv(b"N", &n, &k, &alpha, <void*> B, &n, <void*> x, &one, &beta, y, &one)
    else:
        if real is float:
            sgemv(b"T", &k, &n, &alpha, <void*> B, &k, <void*> x, &one, &beta, y, &one)
        else:
            dgemv(b"T", &k, &n, &alpha, <void*> B, &k, <void*> x, &one, &beta, y, &one)


cdef void syrk(int64_t n, int64_t k, const double* A, int64_t lda, double* C, int64_t ldc) noexcept nogil:
    """C (n, n) += A.T A with A (k, n), all row-major; only the upper triangle of C is changed."""
    cdef double one = 1
    dsyrk(b"L", b"N", &n, &k, &one, <void*> A, &lda, &one, C, &ldc)


def take_room(double[:, :, ::1] scratch, int n_threads):
    """Make a team and its BLAS allocate the memory that they keep: stacks, and a BLAS buffer for each thread.

    scratch (n_threads, 2 n, n) holds zeros; n must be so large that every BLAS uses its buffer for the product.
    """
    cdef Barrier barrier
    cdef Member member
    cdef double* A
    cdef Py_ssize_t n = scratch.shape[2]
    barrier.arrived = barrier.phase = barrier.asleep = 0
    with nogil, parallel(num_threads=granted(n_threads)):
        member = join(&barrier)
        A = &scratch[member.index, 0, 0]
        wait_for_all(member)
        gemm(b"N", b"N", n, n, n, <double> 1, A, n, A, n, <double> 0, A + n * n, n)
