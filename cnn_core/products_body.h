/* The body of products.h, for one type and one level: TARGET, VECTOR_BYTES, TILE_ROWS, real, NAME. */

/* Tiles of `rows` x 2 vectors; A[r, p] is a[r * row_step + p * depth_step], so that A may lie transposed.
 * C := alpha * sum + beta * C; both pairs of pointers name the same rows. */
#define TILE(name, bytes, rows)                                                                                    \
    TARGET static void NAME(name)(ptrdiff_t k, real alpha, const real *a, ptrdiff_t row_step, ptrdiff_t depth_step,  \
                                  const real *b, ptrdiff_t apart, ptrdiff_t n, real beta, real *c)                  \
    {                                                                                                              \
        typedef real vector __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));                  \
        vector left[rows], right[rows];                                                                            \
        ptrdiff_t p;                                                                                               \
        int r;                                                                                                     \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] = right[r] = (vector){0};                       \
        for (p = 0; p < k; p++, a += depth_step, b += n) {                                                         \
            vector b_left = *(const vector *)b, b_right = *(const vector *)(b + apart);                             \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                    \
            {                                                                                                      \
                left[r] += a[r * row_step] * b_left;                                                               \
                right[r] += a[r * row_step] * b_right;                                                             \
            }                                                                                                      \
        }                                                                                                          \
        if (beta != 0) {                                                                                           \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                    \
            {                                                                                                      \
                left[r] = alpha * left[r] + beta * *(vector *)(c + r * n);                                          \
                right[r] = alpha * right[r] + beta * *(vector *)(c + r * n + apart);                                \
            }                                                                                                      \
        } else {                                                                                                   \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] *= alpha, right[r] *= alpha;                \
        }                                                                                                          \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                        \
        {                                                                                                          \
            *(vector *)(c + r * n) = left[r];                                                                      \
            *(vector *)(c + r * n + apart) = right[r];                                                             \
        }                                                                                                          \
    }                                                                                                              \
    TARGET static void NAME(name##_one)(ptrdiff_t k, real alpha, const real *a, ptrdiff_t row_step,                  \
                                        ptrdiff_t depth_step, const real *b, ptrdiff_t n, real beta, real *c)        \
    {                                                                                                              \
        typedef real vector __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));                  \
        vector left[rows];                                                                                         \
        ptrdiff_t p;                                                                                               \
        int r;                                                                                                     \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] = (vector){0};                                  \
        for (p = 0; p < k; p++, a += depth_step, b += n) {                                                         \
            vector b_left = *(const vector *)b;                                                                    \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] += a[r * row_step] * b_left;                \
        }                                                                                                          \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                        \
            left[r] = beta != 0 ? alpha * left[r] + beta * *(vector *)(c + r * n) : alpha * left[r];                \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) *(vector *)(c + r * n) = left[r];                       \
    }

#define PANEL(name, bytes)                                                                                         \
    TILE(name##_full, bytes, TILE_ROWS)                                                                            \
    TILE(name##_4, bytes, 4)                                                                                       \
    TILE(name##_2, bytes, 2)                                                                                       \
    TILE(name##_1, bytes, 1)                                                                                       \
    TARGET static void NAME(name)(ptrdiff_t m, ptrdiff_t k, real alpha, const real *a, ptrdiff_t row_step,           \
                                  ptrdiff_t depth_step, const real *b, ptrdiff_t apart, ptrdiff_t n, real beta,     \
                                  real *c)                                                                         \
    {                                                                                                              \
        ptrdiff_t i = 0;                                                                                           \
        if (apart == 0) {                                                                                          \
            for (; i + TILE_ROWS <= m; i += TILE_ROWS)                                                             \
                NAME(name##_full_one)(k, alpha, a + i * row_step, row_step, depth_step, b, n, beta, c + i * n);     \
            for (; i + 4 <= m; i += 4)                                                                             \
                NAME(name##_4_one)(k, alpha, a + i * row_step, row_step, depth_step, b, n, beta, c + i * n);        \
            for (; i + 2 <= m; i += 2)                                                                             \
                NAME(name##_2_one)(k, alpha, a + i * row_step, row_step, depth_step, b, n, beta, c + i * n);        \
            for (; i < m; i++)                                                                                     \
                NAME(name##_1_one)(k, alpha, a + i * row_step, row_step, depth_step, b, n, beta, c + i * n);        \
            return;                                                                                                \
        }                                                                                                          \
        for (; i + TILE_ROWS <= m; i += TILE_ROWS)                                                                 \
            NAME(name##_full)(k, alpha, a + i * row_step, row_step, depth_step, b, apart, n, beta, c + i * n);      \
        for (; i + 4 <= m; i += 4)                                                                                 \
            NAME(name##_4)(k, alpha, a + i * row_step, row_step, depth_step, b, apart, n, beta, c + i * n);         \
        for (; i + 2 <= m; i += 2)                                                                                 \
            NAME(name##_2)(k, alpha, a + i * row_step, row_step, depth_step, b, apart, n, beta, c + i * n);         \
        for (; i < m; i++)                                                                                         \
            NAME(name##_1)(k, alpha, a + i * row_step, row_step, depth_step, b, apart, n, beta, c + i * n);         \
    }

/* All m rows of two vectors of columns: whole vectors, halves, quarters, single numbers. */
PANEL(panel, VECTOR_BYTES)
PANEL(half_panel, VECTOR_BYTES / 2)
PANEL(quarter_panel, VECTOR_BYTES / 4)
PANEL(single_panel, sizeof(real))
#undef TILE
#undef PANEL

/* C (m, n) := alpha * A (m, k) @ B (k, n) + beta * C.
 *
 * What is left of the columns goes to the panel of the smallest vectors of which two cover it: these two may overlap,
 * since a tile reads all of its columns before it writes any. */
TARGET static void NAME(product)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, real alpha, const real *a, ptrdiff_t row_step,
                                 ptrdiff_t depth_step, const real *b, real beta, real *c)
{
    const ptrdiff_t lanes = VECTOR_BYTES / sizeof(real);
    ptrdiff_t j = 0, width;
    while (j < n) {
        width = n - j < 2 * lanes ? n - j : 2 * lanes;
        if (width >= lanes)
            NAME(panel)(m, k, alpha, a, row_step, depth_step, b + j, width - lanes, n, beta, c + j);
        else if (width >= lanes / 2)
            NAME(half_panel)(m, k, alpha, a, row_step, depth_step, b + j, width - lanes / 2, n, beta, c + j);
        else if (width >= lanes / 4 && lanes >= 4)
            NAME(quarter_panel)(m, k, alpha, a, row_step, depth_step, b + j, width - lanes / 4, n, beta, c + j);
        else {
            width = width < 2 ? width : 2;
            NAME(single_panel)(m, k, alpha, a, row_step, depth_step, b + j, width - 1, n, beta, c + j);
        }
        j += width;
    }
}
#undef real
#undef NAME
