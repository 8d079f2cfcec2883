/* The body of products.h, for one type and one level: TARGET, VECTOR_BYTES, TILE_ROWS, real, NAME. */

/* Tiles of `rows` x 2 vectors; A[r, p] is a[r * row_step + p * depth_step], so that A may lie transposed.
 * C := alpha * sum + beta * C; both pairs of pointers name the same rows. */
#define TILE(name, bytes, rows)                                                                                        \
    TARGET static void NAME(name)(ptrdiff_t k, real alpha, const real *a, ptrdiff_t row_step, ptrdiff_t depth_step,    \
                                  const real *b, ptrdiff_t b_step, ptrdiff_t apart, real beta, real *c,                \
                                  ptrdiff_t c_step)                                                                    \
    {                                                                                                                  \
        typedef real vector __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));                     \
        vector left[rows], right[rows];                                                                                \
        ptrdiff_t p;                                                                                                   \
        int r;                                                                                                         \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] = right[r] = (vector){0};                          \
        for (p = 0; p < k; p++, a += depth_step, b += b_step) {                                                        \
            vector b_left = *(const vector *)b, b_right = *(const vector *)(b + apart);                                \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                        \
            {                                                                                                          \
                left[r] += a[r * row_step] * b_left;                                                                   \
                right[r] += a[r * row_step] * b_right;                                                                 \
            }                                                                                                          \
        }                                                                                                              \
        if (beta != 0) {                                                                                               \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                        \
            {                                                                                                          \
                left[r] = alpha * left[r] + beta * *(vector *)(c + r * c_step);                                        \
                right[r] = alpha * right[r] + beta * *(vector *)(c + r * c_step + apart);                              \
            }                                                                                                          \
        } else {                                                                                                       \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] *= alpha, right[r] *= alpha;                   \
        }                                                                                                              \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                            \
        {                                                                                                              \
            *(vector *)(c + r * c_step) = left[r];                                                                     \
            *(vector *)(c + r * c_step + apart) = right[r];                                                            \
        }                                                                                                              \
    }                                                                                                                  \
    TARGET static void NAME(name##_one)(ptrdiff_t k, real alpha, const real *a, ptrdiff_t row_step,                    \
                                        ptrdiff_t depth_step, const real *b, ptrdiff_t b_step, real beta, real *c,     \
                                        ptrdiff_t c_step)                                                              \
    {                                                                                                                  \
        typedef real vector __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));                     \
        vector left[rows];                                                                                             \
        ptrdiff_t p;                                                                                                   \
        int r;                                                                                                         \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] = (vector){0};                                     \
        for (p = 0; p < k; p++, a += depth_step, b += b_step) {                                                        \
            vector b_left = *(const vector *)b;                                                                        \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] += a[r * row_step] * b_left;                   \
        }                                                                                                              \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                            \
            left[r] = beta != 0 ? alpha * left[r] + beta * *(vector *)(c + r * c_step) : alpha * left[r];              \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) *(vector *)(c + r * c_step) = left[r];                     \
    }

#define PANEL(name, bytes)                                                                                             \
    TILE(name##_full, bytes, TILE_ROWS)                                                                                \
    TILE(name##_4, bytes, 4)                                                                                           \
    TILE(name##_2, bytes, 2)                                                                                           \
    TILE(name##_1, bytes, 1)                                                                                           \
    TARGET static void NAME(name)(ptrdiff_t m, ptrdiff_t k, real alpha, const real *a, ptrdiff_t row_step,             \
                                  ptrdiff_t depth_step, const real *b, ptrdiff_t b_step, ptrdiff_t apart,              \
                                  real beta, real *c, ptrdiff_t c_step)                                                \
    {                                                                                                                  \
        ptrdiff_t i = 0;                                                                                               \
        if (apart == 0) {                                                                                              \
            for (; i + TILE_ROWS <= m; i += TILE_ROWS)                                                                 \
                NAME(name##_full_one)(k, alpha, a + i * row_step, row_step, depth_step, b, b_step, beta,               \
                                      c + i * c_step, c_step);                                                         \
            for (; i + 4 <= m; i += 4)                                                                                 \
                NAME(name##_4_one)(k, alpha, a + i * row_step, row_step, depth_step, b, b_step, beta,                  \
                                   c + i * c_step, c_step);                                                            \
            for (; i + 2 <= m; i += 2)                                                                                 \
                NAME(name##_2_one)(k, alpha, a + i * row_step, row_step, depth_step, b, b_step, beta,                  \
                                   c + i * c_step, c_step);                                                            \
            for (; i < m; i++)                                                                                         \
                NAME(name##_1_one)(k, alpha, a + i * row_step, row_step, depth_step, b, b_step, beta,                  \
                                   c + i * c_step, c_step);                                                            \
            return;                                                                                                    \
        }                                                                                                              \
        for (; i + TILE_ROWS <= m; i += TILE_ROWS)                                                                     \
            NAME(name##_full)(k, alpha, a + i * row_step, row_step, depth_step, b, b_step, apart, beta,                \
                              c + i * c_step, c_step);                                                                 \
        for (; i + 4 <= m; i += 4)                                                                                     \
            NAME(name##_4)(k, alpha, a + i * row_step, row_step, depth_step, b, b_step, apart, beta,                   \
                           c + i * c_step, c_step);                                                                    \
        for (; i + 2 <= m; i += 2)                                                                                     \
            NAME(name##_2)(k, alpha, a + i * row_step, row_step, depth_step, b, b_step, apart, beta,                   \
                           c + i * c_step, c_step);                                                                    \
        for (; i < m; i++)                                                                                             \
            NAME(name##_1)(k, alpha, a + i * row_step, row_step, depth_step, b, b_step, apart, beta,                   \
                           c + i * c_step, c_step);                                                                    \
    }

/* All m rows of two vectors of columns: whole vectors, halves, quarters, single numbers. */
PANEL(panel, VECTOR_BYTES)
PANEL(half_panel, VECTOR_BYTES / 2)
PANEL(quarter_panel, VECTOR_BYTES / 4)
PANEL(single_panel, sizeof(real))
#undef TILE
#undef PANEL

/* C (m, n) := alpha * A (m, k) @ B (k, n) + beta * C, where the rows of B begin b_step apart and those of C c_step.
 *
 * What is left of the columns goes to the panel of the smallest vectors of which two cover it: these two may overlap,
 * since a tile reads all of its columns before it writes any. */
TARGET static void NAME(stepped_product)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, real alpha, const real *a,
                                         ptrdiff_t row_step, ptrdiff_t depth_step, const real *b, ptrdiff_t b_step,
                                         real beta, real *c, ptrdiff_t c_step)
{
    const ptrdiff_t lanes = VECTOR_BYTES / sizeof(real);
    ptrdiff_t width;
    for (; n > 0; n -= width, b += width, c += width) {
        width = n < 2 * lanes ? n : 2 * lanes;
        if (width >= lanes)
            NAME(panel)(m, k, alpha, a, row_step, depth_step, b, b_step, width - lanes, beta, c, c_step);
        else if (width >= lanes / 2)
            NAME(half_panel)(m, k, alpha, a, row_step, depth_step, b, b_step, width - lanes / 2, beta, c, c_step);
        else if (width >= lanes / 4 && lanes >= 4)
            NAME(quarter_panel)(m, k, alpha, a, row_step, depth_step, b, b_step, width - lanes / 4, beta, c, c_step);
        else {
            width = width < 2 ? width : 2;
            NAME(single_panel)(m, k, alpha, a, row_step, depth_step, b, b_step, width - 1, beta, c, c_step);
        }
    }
}

/* The same, where B and C are dense. */
TARGET static void NAME(product)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, real alpha, const real *a, ptrdiff_t row_step,
                                 ptrdiff_t depth_step, const real *b, real beta, real *c)
{
    NAME(stepped_product)(m, n, k, alpha, a, row_step, depth_step, b, n, beta, c, n);
}

/* columns (depth, 2 * lanes) := the first `depth` numbers of `width` rows of B, which begin k apart, transposed: squares
 * of 4 x 4 by shuffles, the rest one by one. */
TARGET static void NAME(transpose)(ptrdiff_t width, ptrdiff_t depth, const real *b, ptrdiff_t k, real *columns)
{
    typedef real vector __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
    const ptrdiff_t step = 2 * VECTOR_BYTES / sizeof(real);
    ptrdiff_t j, p;
    for (j = 0; j + 4 <= width; j += 4) {
        const real *rows = b + j * k;
        for (p = 0; p + 4 <= depth; p += 4) {
            vector r0 = *(const vector *)(rows + p), r1 = *(const vector *)(rows + k + p);
            vector r2 = *(const vector *)(rows + 2 * k + p), r3 = *(const vector *)(rows + 3 * k + p);
            vector low_02 = __builtin_shufflevector(r0, r2, 0, 4, 1, 5), high_02 = __builtin_shufflevector(r0, r2, 2, 6, 3, 7);
            vector low_13 = __builtin_shufflevector(r1, r3, 0, 4, 1, 5), high_13 = __builtin_shufflevector(r1, r3, 2, 6, 3, 7);
            real *out = columns + p * step + j;
            *(vector *)out = __builtin_shufflevector(low_02, low_13, 0, 4, 1, 5);
            *(vector *)(out + step) = __builtin_shufflevector(low_02, low_13, 2, 6, 3, 7);
            *(vector *)(out + 2 * step) = __builtin_shufflevector(high_02, high_13, 0, 4, 1, 5);
            *(vector *)(out + 3 * step) = __builtin_shufflevector(high_02, high_13, 2, 6, 3, 7);
        }
        for (; p < depth; p++) {
            columns[p * step + j] = rows[p];
            columns[p * step + j + 1] = rows[k + p];
            columns[p * step + j + 2] = rows[2 * k + p];
            columns[p * step + j + 3] = rows[3 * k + p];
        }
    }
    for (; j < width; j++)
        for (p = 0; p < depth; p++)
            columns[p * step + j] = b[j * k + p];
}

/* C (m, n) := A (m, k) @ B.T (k, n), where B is (n, k): two vectors of columns of B.T at a time, laid out anew. */
TARGET static void NAME(product_with_transposed)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const real *a, const real *b,
                                                 real *c)
{
    const ptrdiff_t step = 2 * VECTOR_BYTES / sizeof(real);
    real columns[2 * VECTOR_BYTES / sizeof(real) * DEPTH] __attribute__((aligned(64)));
    ptrdiff_t j, p, width, depth;
    for (j = 0; j < n; j += step) {
        width = n - j < step ? n - j : step;
        for (p = 0; p < k; p += depth) {
            depth = k - p < DEPTH ? k - p : DEPTH;
            NAME(transpose)(width, depth, b + j * k + p, k, columns);
            NAME(stepped_product)(m, width, depth, 1, a + p, k, 1, columns, step, p > 0, c + j, n);
        }
    }
}
#undef real
#undef NAME
