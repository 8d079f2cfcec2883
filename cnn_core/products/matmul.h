/* Matrix products of the sizes that dense layers have, without packing: tiles of rows x two vectors in registers.
 *
 * A BLAS copies its operands into its own order before it multiplies; for thin or small matrices, the copying is a
 * large part of the work. Here the columns of B are loaded straight from its rows, two vectors at a time, and
 * multiplied by one broadcast element of A for each row of the tile:
 *
 *     for p in 0..k-1:  for each row r of the tile:  C[r, j:j+2L] += A[r, p] * B[p, j:j+2L]
 *
 * A tile of 12 rows fills 24 of the 32 vector registers of AVX-512; AVX2 has 16 registers, and its tiles have 6 rows.
 * The last columns are computed by a tile that overlaps the one before, with narrower vectors where that wastes less;
 * both write the same values there. For a product with B.T, one block of it at a time is transposed first. The vectors
 * are the compiler's (vector_size), so there are no intrinsics here. products_level chooses the level once, by what the
 * processor supports.
 */
#ifndef FASTMLP_PRODUCTS_H
#define FASTMLP_PRODUCTS_H

#include <stddef.h>

/* C (m, n) := alpha * A (m, k) @ B (k, n) + beta * D (m, n): A[i, p] is a[i * row_step + p * depth_step], so A may be
 * transposed; the rows of B, C and D begin b_step, c_step and d_step apart. D may be C, or one row if d_step is 0. */
#define OPERANDS(real, name)                                                                                       \
    typedef struct {                                                                                               \
        ptrdiff_t k;                                                                                               \
        real alpha;                                                                                                \
        const real *a;                                                                                             \
        ptrdiff_t row_step, depth_step;                                                                            \
        const real *b;                                                                                             \
        ptrdiff_t b_step;                                                                                          \
        real beta;                                                                                                 \
        const real *d;                                                                                             \
        ptrdiff_t d_step;                                                                                          \
        real *c;                                                                                                   \
        ptrdiff_t c_step;                                                                                          \
    } name
OPERANDS(float, OperandsF);
OPERANDS(double, OperandsD);
#undef OPERANDS

#if defined(FASTMLP_MULTIVERSION) && defined(__x86_64__) && defined(__GNUC__) && (defined(__clang__) || __GNUC__ >= 12)

/* Rows of B.T that are transposed at a time: with two vectors of columns, they fill half of the L1 cache. */
#define DEPTH 128
#define INTERLEAVE_LOW(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5)
#define INTERLEAVE_HIGH(x, y) __builtin_shufflevector(x, y, 2, 6, 3, 7)

#define TARGET __attribute__((target("arch=x86-64-v4,prefer-vector-width=512")))
#define LEVEL(name) name##_v4
#define VECTOR_BYTES 64
#define TILE_ROWS 12
#define real float
#define operands OperandsF
#define NAME(name) LEVEL(name##_f)
#include "matmul_body.h"
#define real double
#define operands OperandsD
#define NAME(name) LEVEL(name##_d)
#include "matmul_body.h"
#undef TARGET
#undef LEVEL
#undef VECTOR_BYTES
#undef TILE_ROWS

#define TARGET __attribute__((target("arch=x86-64-v3")))
#define LEVEL(name) name##_v3
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#define real float
#define operands OperandsF
#define NAME(name) LEVEL(name##_f)
#include "matmul_body.h"
#define real double
#define operands OperandsD
#define NAME(name) LEVEL(name##_d)
#include "matmul_body.h"
#undef TARGET
#undef LEVEL
#undef VECTOR_BYTES
#undef TILE_ROWS
#undef DEPTH
#undef INTERLEAVE_LOW
#undef INTERLEAVE_HIGH

/* 4: AVX-512, 3: AVX2 with FMA, 0: neither; at most what the build allows. */
static inline int products_level(void)
{
    __builtin_cpu_init();
    if (FASTMLP_MULTIVERSION >= 4 && __builtin_cpu_supports("x86-64-v4"))
        return 4;
    return __builtin_cpu_supports("x86-64-v3") ? 3 : 0;
}

#define CHOICE(real, operands, suffix)                                                                             \
    static inline void product_##suffix(int level, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, real alpha, const real *a,\
                                        ptrdiff_t row_step, ptrdiff_t depth_step, const real *b, real beta,        \
                                        const real *d, ptrdiff_t d_step, real *c)                                  \
    {                                                                                                              \
        const operands s = {k, alpha, a, row_step, depth_step, b, n, beta, d, d_step, c, n};                       \
        (level == 4 ? product_##suffix##_v4 : product_##suffix##_v3)(&s, m, n);                                    \
    }                                                                                                              \
    static inline void product_with_transposed_##suffix(int level, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k,          \
                                                        const real *a, const real *b, real *c)                     \
    {                                                                                                              \
        if (level == 4)                                                                                            \
            product_with_transposed_##suffix##_v4(m, n, k, a, b, c);                                               \
        else                                                                                                       \
            product_with_transposed_##suffix##_v3(m, n, k, a, b, c);                                               \
    }
CHOICE(float, OperandsF, f)
CHOICE(double, OperandsD, d)
#undef CHOICE

#else
#define products_level() 0
#define product_f(level, m, n, k, alpha, a, row_step, depth_step, b, beta, d, d_step, c) ((void)(c))
#define product_d(level, m, n, k, alpha, a, row_step, depth_step, b, beta, d, d_step, c) ((void)(c))
#define product_with_transposed_f(level, m, n, k, a, b, c) ((void)(c))
#define product_with_transposed_d(level, m, n, k, a, b, c) ((void)(c))
#endif

#endif
