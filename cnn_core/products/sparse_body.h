/* The body of sparse.h, for one type and one level: TARGET, VECTOR_BYTES, real, NAME. */

/* One panel of `count` vectors of columns, the last at offset `last`, and the lists up to column `limit`. A list's
 * nonzeros are taken `abreast` at a time, each into its own registers, so that no sum waits for another. */
#define AT(v) ((v) < COUNT - 1 ? (v) * LANES : last)
#define WALK(name, bytes, count, abreast)                                                                    \
    TARGET static void NAME(product_##name)(SparseRow * rows, ptrdiff_t n_rows, ptrdiff_t limit, ptrdiff_t n, \
                                            ptrdiff_t last, const real *b, real *c)                          \
    {                                                                                                        \
        typedef real vector __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));           \
        enum { LANES = bytes / sizeof(real), COUNT = count };                                                \
        for (SparseRow *row = rows; row < rows + n_rows; row++, c += n) {                                    \
            const int32_t *columns = row->columns;                                                           \
            const real *values = (const real *)row->values, *from;                                           \
            ptrdiff_t p = row->position;                                                                     \
            vector sum[abreast][count];                                                                      \
            _Pragma("GCC unroll 8") for (int v = 0; v < count; v++)                                          \
            {                                                                                                \
                sum[0][v] = *(vector *)(c + AT(v));                                                          \
                _Pragma("GCC unroll 4") for (int u = 1; u < abreast; u++) sum[u][v] = (vector){0};           \
            }                                                                                                \
            for (; p + abreast <= row->length && columns[p + abreast - 1] < limit; p += abreast) {           \
                _Pragma("GCC unroll 4") for (int u = 0; u < abreast; u++)                                    \
                {                                                                                            \
                    from = b + columns[p + u] * n;                                                           \
                    _Pragma("GCC unroll 8") for (int v = 0; v < count; v++)                                  \
                        sum[u][v] += values[p + u] * *(const vector *)(from + AT(v));                        \
                }                                                                                            \
            }                                                                                                \
            for (; p < row->length && columns[p] < limit; p++) {                                             \
                from = b + columns[p] * n;                                                                   \
                _Pragma("GCC unroll 8") for (int v = 0; v < count; v++)                                      \
                    sum[0][v] += values[p] * *(const vector *)(from + AT(v));                                \
            }                                                                                                \
            _Pragma("GCC unroll 8") for (int v = 0; v < count; v++)                                          \
            {                                                                                                \
                _Pragma("GCC unroll 4") for (int u = 1; u < abreast; u++) sum[0][v] += sum[u][v];            \
            }                                                                                                \
            _Pragma("GCC unroll 8") for (int v = 0; v < count; v++) *(vector *)(c + AT(v)) = sum[0][v];      \
            row->position = p;                                                                               \
        }                                                                                                    \
    }                                                                                                        \
    TARGET static void NAME(outer_##name)(SparseRow * rows, ptrdiff_t n_rows, ptrdiff_t limit, ptrdiff_t n,  \
                                          ptrdiff_t last, real alpha, const real *d, real *g)                \
    {                                                                                                        \
        typedef real vector __attribute__((vector_size(bytes), aligned(sizeof(real)), may_alias));           \
        enum { LANES = bytes / sizeof(real), COUNT = count };                                                \
        for (SparseRow *row = rows; row < rows + n_rows; row++, d += n) {                                    \
            const int32_t *columns = row->columns;                                                           \
            const real *values = (const real *)row->values;                                                  \
            ptrdiff_t p = row->position;                                                                     \
            vector delta[count], sum[count];                                                                 \
            _Pragma("GCC unroll 8") for (int v = 0; v < count; v++) delta[v] = alpha * *(const vector *)(d + AT(v)); \
            for (; p < row->length && columns[p] < limit; p++) {                                             \
                real *to = g + columns[p] * n;                                                               \
                _Pragma("GCC unroll 8") for (int v = 0; v < count; v++)                                      \
                    sum[v] = *(vector *)(to + AT(v)) + values[p] * delta[v];                                 \
                _Pragma("GCC unroll 8") for (int v = 0; v < count; v++) *(vector *)(to + AT(v)) = sum[v];    \
            }                                                                                                \
            row->position = p;                                                                               \
        }                                                                                                    \
    }

WALK(8, VECTOR_BYTES, 8, 1)
WALK(7, VECTOR_BYTES, 7, 1)
WALK(6, VECTOR_BYTES, 6, 1)
WALK(5, VECTOR_BYTES, 5, 1)
WALK(4, VECTOR_BYTES, 4, 2)
WALK(3, VECTOR_BYTES, 3, 2)
WALK(2, VECTOR_BYTES, 2, 4)
WALK(1, VECTOR_BYTES, 1, 4)
WALK(half, VECTOR_BYTES / 2, 2, 4)
WALK(quarter, VECTOR_BYTES / 4, 2, 4)
WALK(single, sizeof(real), 2, 4)
#undef WALK
#undef AT

typedef struct {
    void (*product)(SparseRow *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, const real *, real *);
    void (*outer)(SparseRow *, ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, real, const real *, real *);
} NAME(Panel);

#define PANEL(name) {NAME(product_##name), NAME(outer_##name)}
static const NAME(Panel) NAME(whole)[8] = {PANEL(1), PANEL(2), PANEL(3), PANEL(4),
                                           PANEL(5), PANEL(6), PANEL(7), PANEL(8)};
static const NAME(Panel) NAME(narrow)[3] = {PANEL(half), PANEL(quarter), PANEL(single)};
#undef PANEL

/* The panel for the given number of columns: up to eight whole vectors, or two smaller ones that cover them.
 * width := how many columns it takes, last := the offset of its last vector. */
TARGET static const NAME(Panel) *NAME(choose_panel)(ptrdiff_t columns, ptrdiff_t *width, ptrdiff_t *last)
{
    ptrdiff_t lanes = VECTOR_BYTES / sizeof(real), halvings = 0;
    *width = columns < 8 * lanes ? columns : 8 * lanes;
    *last = *width - lanes;
    if (columns >= lanes)
        return NAME(whole) + (*width - 1) / lanes;
    while (lanes > columns && halvings < 2) lanes /= 2, halvings++;
    if (lanes > columns || lanes == 1)
        lanes = 1, halvings = 3, *width = columns < 2 ? columns : 2;
    *last = *width - lanes;
    return NAME(narrow) + halvings - 1;
}

/* c (n_rows, n) += x (n_rows, k) @ b (k, n). */
TARGET static void NAME(sparse_product)(SparseRow *rows, ptrdiff_t n_rows, ptrdiff_t n, ptrdiff_t k, const real *b,
                                        real *c)
{
    const ptrdiff_t stretch = choose_stretch(rows, n_rows, k);
    ptrdiff_t i, j, limit, width, last;
    for (j = 0; j < n; j += width) {
        const NAME(Panel) *panel = NAME(choose_panel)(n - j, &width, &last);
        for (i = 0; i < n_rows; i++) rows[i].position = 0;
        for (limit = stretch; limit < k + stretch; limit += stretch)
            panel->product(rows, n_rows, limit, n, last, b + j, c + j);
    }
}

/* g (k, n) += alpha * x.T (k, n_rows) @ d (n_rows, n), for lists whose columns lie in start..stop-1. */
TARGET static void NAME(sparse_outer)(SparseRow *rows, ptrdiff_t n_rows, ptrdiff_t n, ptrdiff_t start, ptrdiff_t stop,
                                      real alpha, const real *d, real *g)
{
    const ptrdiff_t stretch = choose_stretch(rows, n_rows, stop - start);
    ptrdiff_t i, j, limit, width, last;
    for (j = 0; j < n; j += width) {
        const NAME(Panel) *panel = NAME(choose_panel)(n - j, &width, &last);
        for (i = 0; i < n_rows; i++) rows[i].position = 0;
        for (limit = start + stretch; limit < stop + stretch; limit += stretch)
            panel->outer(rows, n_rows, limit, n, last, alpha, d + j, g + j);
    }
}
#undef real
#undef NAME
