"""The one door to the BLAS: the three matrix products of a dense layer, row-major and by value.

SciPy exports its BLAS through `scipy.linalg.cython_blas`, with 32-bit or (from 1.18, where it is built so) 64-bit
integers. The functions are looked up at import, not at build time, so that one build serves every SciPy. Sizes are
passed as 64-bit integers on a little-endian machine: their low half is the 32-bit integer that the other kind reads.
Callers keep every size below 2**31.

Row-major matrices are column-major ones transposed, so C = A B is asked for as C^T = B^T A^T.
"""
from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer
from libc.stdint cimport int64_t

import sys

from scipy.linalg import cython_blas

ctypedef void (*gemm_function)(char*, char*, int64_t*, int64_t*, int64_t*, void*, void*, int64_t*,
                               void*, int64_t*, void*, void*, int64_t*) noexcept nogil

cdef gemm_function sgemm
cdef gemm_function dgemm


cdef gemm_function look_up(str name) except NULL:
    capsule = cython_blas.__pyx_capi__[name]
    cdef const char* signature = PyCapsule_GetName(capsule)
    if not (<bytes> signature).startswith(b"void (char *, char *, "):
        raise ImportError(f"scipy.linalg.cython_blas.{name} has an unknown signature: {(<bytes> signature).decode()}")
    return <gemm_function> PyCapsule_GetPointer(capsule, signature)


if sys.byteorder != "little":
    raise ImportError("fastmlp needs a little-endian machine")
sgemm = look_up("sgemm")
dgemm = look_up("dgemm")

# Products of at most this many multiplications take a plain loop: a BLAS call costs more than they do.
cdef enum:
    SMALL = 256


cdef void gemm(char* trans_a, char* trans_b, int64_t m, int64_t n, int64_t k, real alpha, const real* A, int64_t lda,
               const real* B, int64_t ldb, real beta, real* C) noexcept nogil:
    """C (m, n) := alpha * op(A) (m, k) @ op(B) (k, n) + beta * C, all row-major and dense."""
    if real is float:
        sgemm(trans_b, trans_a, &n, &m, &k, &alpha, <void*> B, &ldb, <void*> A, &lda, &beta, C, &n)
    else:
        dgemm(trans_b, trans_a, &n, &m, &k, &alpha, <void*> B, &ldb, <void*> A, &lda, &beta, C, &n)


cdef void gemm_nn(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* A, const real* B,
                  double beta, real* C) noexcept nogil:
    """C (m, n) := A (m, k) @ B (k, n) + beta * C."""
    cdef Py_ssize_t i, j, p
    cdef real a
    if m * n * k > SMALL:
        gemm(b"N", b"N", m, n, k, <real> 1, A, k, B, n, <real> beta, C)
        return
    for i in range(m):
        for j in range(n):
            C[i * n + j] = 0 if beta == 0 else <real> beta * C[i * n + j]
        for p in range(k):
            a = A[i * k + p]
            for j in range(n):
                C[i * n + j] += a * B[p * n + j]


cdef void gemm_tn(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, double alpha, const real* A, const real* B,
                  double beta, real* C) noexcept nogil:
    """C (m, n) := alpha * A.T (m, k) @ B (k, n) + beta * C, where A is (k, m)."""
    cdef Py_ssize_t i, j, p
    cdef real a
    if m * n * k > SMALL:
        gemm(b"T", b"N", m, n, k, <real> alpha, A, m, B, n, <real> beta, C)
        return
    for i in range(m):
        for j in range(n):
            C[i * n + j] = 0 if beta == 0 else <real> beta * C[i * n + j]
        for p in range(k):
            a = <real> alpha * A[p * m + i]
            for j in range(n):
                C[i * n + j] += a * B[p * n + j]


cdef void gemm_nt(Py_ssize_t m, Py_ssize_t n, Py_ssize_t k, const real* A, const real* B, real* C) noexcept nogil:
    """C (m, n) := A (m, k) @ B.T (k, n), where B is (n, k)."""
    cdef Py_ssize_t i, j, p
    cdef real total
    if m * n * k > SMALL:
        gemm(b"N", b"T", m, n, k, <real> 1, A, k, B, k, <real> 0, C)
        return
    for i in range(m):
        for j in range(n):
            total = 0
            for p in range(k):
                total += A[i * k + p] * B[j * k + p]
            C[i * n + j] = total
