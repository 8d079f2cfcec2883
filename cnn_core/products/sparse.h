/* Products of rows that are mostly zeros: one multiplication for each nonzero.
 *
 *     c[i] += sum over the nonzero x[i, p] of x[i, p] * b[p]                 (sparse_product)
 *     g[p] += sum over the rows i with nonzero x[i, p] of alpha * x[i, p] * d[i]   (sparse_outer)
 *
 * A row is a list of ascending columns and their values. Both kernels walk the rows' lists with up to eight vectors of
 * the matrix's columns in registers; the last vector may overlap the one before. The lists are walked in stretches of
 * columns, so that the matrix's rows of a stretch are still in the cache when the next list needs them. Vectors are the
 * compiler's and the level is the processor's, as in matmul.h.
 */
#ifndef FASTMLP_SPARSE_H
#define FASTMLP_SPARSE_H

#include "sparse_row.h"

#if defined(FASTMLP_MULTIVERSION) && defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

/* How many columns of x hold about 64 nonzeros of a row: fewer do not pay for starting the walk. */
static inline ptrdiff_t choose_stretch(const SparseRow *rows, ptrdiff_t n_rows, ptrdiff_t k)
{
    ptrdiff_t i, total = 1;
    for (i = 0; i < n_rows; i++) total += rows[i].length;
    return 64 * n_rows * k / total + 1;
}

/* columns, values := the nonzeros of x (width); returns their number. values may be x. */
#define PACK(name, type, head, TARGET)                                                                       \
    TARGET static ptrdiff_t name(const type *x, ptrdiff_t width, int32_t *columns, type *values)             \
    {                                                                                                        \
        ptrdiff_t j = 0, n = 0;                                                                              \
        head for (; j < width; j++)                                                                          \
        {                                                                                                    \
            type value = x[j];                                                                               \
            columns[n] = (int32_t)j;                                                                         \
            values[n] = value;                                                                               \
            n += value != 0;                                                                                 \
        }                                                                                                    \
        return n;                                                                                            \
    }

/* The compiler has no vector extension for packing, so these few lines are the project's only intrinsics. */
#define PACK_FLOATS                                                                                          \
    for (__m512i at = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);               \
         j + 16 <= width; j += 16)                                                                           \
    {                                                                                                        \
        __m512 numbers = _mm512_loadu_ps(x + j);                                                             \
        __mmask16 kept = _mm512_cmp_ps_mask(numbers, _mm512_setzero_ps(), _CMP_NEQ_UQ);                      \
        _mm512_storeu_si512(columns + n, _mm512_maskz_compress_epi32(kept, at));                             \
        _mm512_storeu_ps(values + n, _mm512_maskz_compress_ps(kept, numbers));                               \
        n += __builtin_popcount(kept);                                                                       \
        at = _mm512_add_epi32(at, _mm512_set1_epi32(16));                                                    \
    }
#define PACK_DOUBLES                                                                                         \
    for (__m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); j + 8 <= width; j += 8)                     \
    {                                                                                                        \
        __m512d numbers = _mm512_loadu_pd(x + j);                                                            \
        __mmask8 kept = _mm512_cmp_pd_mask(numbers, _mm512_setzero_pd(), _CMP_NEQ_UQ);                       \
        _mm256_storeu_si256((__m256i *)(columns + n), _mm256_maskz_compress_epi32(kept, at));                \
        _mm512_storeu_pd(values + n, _mm512_maskz_compress_pd(kept, numbers));                               \
        n += __builtin_popcount(kept);                                                                       \
        at = _mm256_add_epi32(at, _mm256_set1_epi32(8));                                                     \
    }

#define TARGET __attribute__((target("arch=x86-64-v4,prefer-vector-width=512")))
#define LEVEL(name) name##_v4
#define VECTOR_BYTES 64
PACK(pack_f_v4, float, PACK_FLOATS, TARGET)
PACK(pack_d_v4, double, PACK_DOUBLES, TARGET)
#define real float
#define NAME(name) LEVEL(name##_f)
#include "sparse_body.h"
#define real double
#define NAME(name) LEVEL(name##_d)
#include "sparse_body.h"
#undef TARGET
#undef LEVEL
#undef VECTOR_BYTES

#define TARGET __attribute__((target("arch=x86-64-v3")))
#define LEVEL(name) name##_v3
#define VECTOR_BYTES 32
PACK(pack_f_v3, float, , TARGET)
PACK(pack_d_v3, double, , TARGET)
#define real float
#define NAME(name) LEVEL(name##_f)
#include "sparse_body.h"
#define real double
#define NAME(name) LEVEL(name##_d)
#include "sparse_body.h"
#undef TARGET
#undef LEVEL
#undef VECTOR_BYTES

#define DISPATCH(real, suffix)                                                                               \
    static inline ptrdiff_t pack_##suffix(int level, const real *x, ptrdiff_t width, int32_t *columns, real *values) \
    {                                                                                                        \
        return (level == 4 ? pack_##suffix##_v4 : pack_##suffix##_v3)(x, width, columns, values);            \
    }                                                                                                        \
    static inline void sparse_product_##suffix(int level, SparseRow *rows, ptrdiff_t n_rows, ptrdiff_t n,    \
                                               ptrdiff_t k, const real *b, real *c)                          \
    {                                                                                                        \
        (level == 4 ? sparse_product_##suffix##_v4 : sparse_product_##suffix##_v3)(rows, n_rows, n, k, b, c); \
    }                                                                                                        \
    static inline void sparse_outer_##suffix(int level, SparseRow *rows, ptrdiff_t n_rows, ptrdiff_t n,      \
                                             ptrdiff_t start, ptrdiff_t stop, real alpha, const real *d,     \
                                             real *g)                                                        \
    {                                                                                                        \
        (level == 4 ? sparse_outer_##suffix##_v4 : sparse_outer_##suffix##_v3)(rows, n_rows, n, start, stop, \
                                                                               alpha, d, g);                 \
    }
DISPATCH(float, f)
DISPATCH(double, d)
#undef DISPATCH

#else
#define pack_f(level, x, width, columns, values) ((void)(columns), 0)
#define pack_d(level, x, width, columns, values) ((void)(columns), 0)
#define sparse_product_f(level, rows, n_rows, n, k, b, c) ((void)(c))
#define sparse_product_d(level, rows, n_rows, n, k, b, c) ((void)(c))
#define sparse_outer_f(level, rows, n_rows, n, start, stop, alpha, d, g) ((void)(g))
#define sparse_outer_d(level, rows, n_rows, n, start, stop, alpha, d, g) ((void)(g))
#endif

#endif
