/* The body of matmul.h, for one type and one level: TARGET, VECTOR_BYTES, TILE_ROWS, real, operands, NAME. */

/* A tile of C: `rows` x 2 vectors that begin at row i and columns j and j + apart; and one of `rows` x 1. */
#define TILE(name, bytes, rows)                                                                                        \
    TARGET static void NAME(name)(const operands *s, ptrdiff_t i, ptrdiff_t j, ptrdiff_t apart)                        \
    {                                                                                                                  \
        typedef real vector __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));                     \
        const real *a = s->a + i * s->row_step, *b = s->b + j, *d = s->d + i * s->d_step + j;                          \
        const ptrdiff_t row_step = s->row_step, depth_step = s->depth_step, b_step = s->b_step;                        \
        const ptrdiff_t c_step = s->c_step, d_step = s->d_step;                                                        \
        real *c = s->c + i * c_step + j;                                                                               \
        const real alpha = s->alpha, beta = s->beta;                                                                   \
        vector left[rows], right[rows];                                                                                \
        ptrdiff_t p;                                                                                                   \
        int r;                                                                                                         \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] = right[r] = (vector){0};                          \
        for (p = s->k; p > 0; p--, a += depth_step, b += b_step) {                                                     \
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
                left[r] = alpha * left[r] + beta * *(const vector *)(d + r * d_step);                                  \
                right[r] = alpha * right[r] + beta * *(const vector *)(d + r * d_step + apart);                        \
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
    TARGET static void NAME(name##_one)(const operands *s, ptrdiff_t i, ptrdiff_t j)                                   \
    {                                                                                                                  \
        typedef real vector __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));                     \
        const real *a = s->a + i * s->row_step, *b = s->b + j, *d = s->d + i * s->d_step + j;                          \
        const ptrdiff_t row_step = s->row_step, depth_step = s->depth_step, b_step = s->b_step;                        \
        const ptrdiff_t c_step = s->c_step, d_step = s->d_step;                                                        \
        real *c = s->c + i * c_step + j;                                                                               \
        const real alpha = s->alpha, beta = s->beta;                                                                   \
        vector left[rows];                                                                                             \
        ptrdiff_t p;                                                                                                   \
        int r;                                                                                                         \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] = (vector){0};                                     \
        for (p = s->k; p > 0; p--, a += depth_step, b += b_step) {                                                     \
            vector b_left = *(const vector *)b;                                                                        \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] += a[r * row_step] * b_left;                   \
        }                                                                                                              \
        if (beta != 0) {                                                                                               \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++)                                                        \
                left[r] = alpha * left[r] + beta * *(const vector *)(d + r * d_step);                                  \
        } else {                                                                                                       \
            _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) left[r] *= alpha;                                      \
        }                                                                                                              \
        _Pragma("GCC unroll 12") for (r = 0; r < rows; r++) *(vector *)(c + r * c_step) = left[r];                     \
    }

#define PANEL(name, bytes)                                                                                             \
    TILE(name##_full, bytes, TILE_ROWS)                                                                                \
    TILE(name##_4, bytes, 4)                                                                                           \
    TILE(name##_2, bytes, 2)                                                                                           \
    TILE(name##_1, bytes, 1)                                                                                           \
    TARGET static void NAME(name)(const operands *s, ptrdiff_t m, ptrdiff_t j, ptrdiff_t apart)                        \
    {                                                                                                                  \
        ptrdiff_t i = 0;                                                                                               \
        if (apart == 0) {                                                                                              \
            for (; i + TILE_ROWS <= m; i += TILE_ROWS) NAME(name##_full_one)(s, i, j);                                 \
            for (; i + 4 <= m; i += 4) NAME(name##_4_one)(s, i, j);                                                    \
            for (; i + 2 <= m; i += 2) NAME(name##_2_one)(s, i, j);                                                    \
            for (; i < m; i++) NAME(name##_1_one)(s, i, j);                                                            \
            return;                                                                                                    \
        }                                                                                                              \
        for (; i + TILE_ROWS <= m; i += TILE_ROWS) NAME(name##_full)(s, i, j, apart);                                  \
        for (; i + 4 <= m; i += 4) NAME(name##_4)(s, i, j, apart);                                                     \
        for (; i + 2 <= m; i += 2) NAME(name##_2)(s, i, j, apart);                                                     \
        for (; i < m; i++) NAME(name##_1)(s, i, j, apart);                                                             \
    }

/* All m rows of two vectors of columns, for whole, half and quarter vectors and for single numbers. */
PANEL(panel, VECTOR_BYTES)
PANEL(half_panel, VECTOR_BYTES / 2)
PANEL(quarter_panel, VECTOR_BYTES / 4)
PANEL(single_panel, sizeof(real))
#undef TILE
#undef PANEL

/* All of C (m, n).
 *
 * The last columns go to the panel with the smallest vectors of which two cover them. The two may overlap, since a tile
 * reads all its columns before it writes any. */
TARGET static void NAME(product)(const operands *s, ptrdiff_t m, ptrdiff_t n)
{
    const ptrdiff_t lanes = VECTOR_BYTES / sizeof(real);
    ptrdiff_t j, width;
    for (j = 0; j < n; j += width) {
        width = n - j < 2 * lanes ? n - j : 2 * lanes;
        if (width >= lanes)
            NAME(panel)(s, m, j, width - lanes);
        else if (width >= lanes / 2)
            NAME(half_panel)(s, m, j, width - lanes / 2);
        else if (width >= lanes / 4 && lanes >= 4)
            NAME(quarter_panel)(s, m, j, width - lanes / 4);
        else {
            width = width < 2 ? width : 2;
            NAME(single_panel)(s, m, j, width - 1);
        }
    }
}

/* columns (depth, 2 * lanes) := the transpose of the first `depth` numbers of `width` rows, which begin k apart: blocks
 * of 4 x 4 by shuffles, the rest one by one. */
TARGET static void NAME(transpose)(ptrdiff_t width, ptrdiff_t depth, const real *rows, ptrdiff_t k, real *columns)
{
    typedef real vector __attribute__((vector_size(4 * sizeof(real)), aligned(sizeof(real)), may_alias));
    const ptrdiff_t step = 2 * VECTOR_BYTES / sizeof(real);
    ptrdiff_t j, p;
    int r;
    for (j = 0; j + 4 <= width; j += 4, rows += 4 * k) {
        for (p = 0; p + 4 <= depth; p += 4) {
            vector r0 = *(const vector *)(rows + p), r1 = *(const vector *)(rows + k + p);
            vector r2 = *(const vector *)(rows + 2 * k + p), r3 = *(const vector *)(rows + 3 * k + p);
            vector even_low = INTERLEAVE_LOW(r0, r2), even_high = INTERLEAVE_HIGH(r0, r2);
            vector odd_low = INTERLEAVE_LOW(r1, r3), odd_high = INTERLEAVE_HIGH(r1, r3);
            real *out = columns + p * step + j;
            *(vector *)out = INTERLEAVE_LOW(even_low, odd_low);
            *(vector *)(out + step) = INTERLEAVE_HIGH(even_low, odd_low);
            *(vector *)(out + 2 * step) = INTERLEAVE_LOW(even_high, odd_high);
            *(vector *)(out + 3 * step) = INTERLEAVE_HIGH(even_high, odd_high);
        }
        for (; p < depth; p++)
            for (r = 0; r < 4; r++)
                columns[p * step + j + r] = rows[r * k + p];
    }
    for (; j < width; j++, rows += k)
        for (p = 0; p < depth; p++)
            columns[p * step + j] = rows[p];
}

/* C (m, n) := A (m, k) @ B.T (k, n), where B is (n, k), by blocks of B.T: DEPTH rows x two vectors of columns. */
TARGET static void NAME(product_with_transposed)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const real *a, const real *b,
                                                 real *c)
{
    const ptrdiff_t step = 2 * VECTOR_BYTES / sizeof(real);
    real columns[DEPTH * (2 * VECTOR_BYTES / sizeof(real))] __attribute__((aligned(VECTOR_BYTES)));
    ptrdiff_t j, p;
    for (j = 0; j < n; j += step) {
        const ptrdiff_t width = n - j < step ? n - j : step;
        for (p = 0; p < k; p += DEPTH) {
            const ptrdiff_t depth = k - p < DEPTH ? k - p : DEPTH;
            const operands s = {depth, 1, a + p, k, 1, columns, step, p > 0, c + j, n, c + j, n};
            NAME(transpose)(width, depth, b + j * k + p, k, columns);
            NAME(product)(&s, m, width);
        }
    }
}
#undef real
#undef operands
#undef NAME
