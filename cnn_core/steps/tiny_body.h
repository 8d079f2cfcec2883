/* The body of tiny.h, for one type and one width: real, bits (an integer of the same size), LANES, NAME, MATH (names a
 * function of simd.h). */

typedef real NAME(Vector) __attribute__((vector_size(LANES * sizeof(real))));
typedef bits NAME(Bits) __attribute__((vector_size(LANES * sizeof(real))));

typedef struct {
    ptrdiff_t n_in, n_out;
    int activation;
    NAME(Vector) rows[LANES];    /* W (n_in, n_out), row by row */
    NAME(Vector) columns[LANES]; /* and column by column */
    NAME(Vector) bias;           /* zeros if there is none */
    NAME(Vector) output[TINY_ROWS];
    NAME(Vector) delta[TINY_ROWS];
    NAME(Bits) inputs; /* all ones in the lanes of the n_in inputs */
    int has_bias;
} NAME(TinyLayer);

/* Load a layer's W (n_in, n_out) and b (n_out), or NULL, from the parameters. */
static inline void NAME(tiny_load)(NAME(TinyLayer) *layers, ptrdiff_t index, ptrdiff_t n_in, ptrdiff_t n_out,
                                   int activation, const real *W, const real *b)
{
    NAME(TinyLayer) *layer = layers + index;
    ptrdiff_t p, k;
    memset(layer, 0, sizeof *layer);
    layer->n_in = n_in;
    layer->n_out = n_out;
    layer->activation = activation;
    layer->has_bias = b != NULL;
    for (p = 0; p < n_in; p++) {
        layer->inputs[p] = -1;
        for (k = 0; k < n_out; k++) layer->rows[p][k] = layer->columns[k][p] = W[p * n_out + k];
    }
    for (k = 0; b && k < n_out; k++) layer->bias[k] = b[k];
}

/* Store them back into the parameters. */
static inline void NAME(tiny_store)(const NAME(TinyLayer) *layers, ptrdiff_t index, real *W, real *b)
{
    const NAME(TinyLayer) *layer = layers + index;
    ptrdiff_t p, k;
    for (p = 0; p < layer->n_in; p++)
        for (k = 0; k < layer->n_out; k++) W[p * layer->n_out + k] = layer->rows[p][k];
    for (k = 0; b && k < layer->n_out; k++) b[k] = layer->bias[k];
}

/* y (n) := f(y). Unrolled loops would not be vectorised. */
INLINE void NAME(tiny_activate)(int activation, real *y, ptrdiff_t n)
{
    ptrdiff_t i;
    if (activation == TINY_SIGMOID) {
        _Pragma("GCC unroll 1") for (i = 0; i < n; i++) y[i] = MATH(sigmoid)(y[i]);
    } else if (activation == TINY_TANH) {
        _Pragma("GCC unroll 1") for (i = 0; i < n; i++) y[i] = MATH(tanh)(y[i]);
    } else if (activation == TINY_RELU) {
        _Pragma("GCC unroll 1") for (i = 0; i < n; i++) y[i] = y[i] < 0 ? 0 : y[i];
    }
}

/* delta (n) := delta * f'(z), from y = f(z). */
INLINE void NAME(tiny_derivative)(int activation, const real *y, real *delta, ptrdiff_t n)
{
    ptrdiff_t i;
    if (activation == TINY_SIGMOID) {
        _Pragma("GCC unroll 1") for (i = 0; i < n; i++) delta[i] *= y[i] * (1 - y[i]);
    } else if (activation == TINY_TANH) {
        _Pragma("GCC unroll 1") for (i = 0; i < n; i++) delta[i] *= 1 - y[i] * y[i];
    } else if (activation == TINY_RELU) {
        _Pragma("GCC unroll 1") for (i = 0; i < n; i++) delta[i] = y[i] > 0 ? delta[i] : 0;
    }
}

/* One step on X (n_rows, n_in) and targets (n_rows, n_out); adds the rows' losses to *loss. */
CLONES_VOID NAME(tiny_step)(NAME(TinyLayer) *layers, ptrdiff_t n_layers, const TinyStep *step, const real *X,
                            const real *targets, ptrdiff_t n_rows, double *loss)
{
    NAME(TinyLayer) *layer = layers;
    NAME(Vector) sum;
    const ptrdiff_t n_in = layers->n_in, n_out = layers[n_layers - 1].n_out, n = n_rows * LANES;
    const real rate = (real)step->rate, shrink = (real)step->shrink, delta_factor = (real)step->delta_factor;
    const real *x = X;
    ptrdiff_t width = n_in, l, r, p, k; /* width: of the rows of x */
    real *d, total = 0;
    for (l = 0; l < n_layers; l++, layer++) {
        for (r = 0; r < n_rows; r++) {
            sum = layer->bias;
            for (p = 0; p < layer->n_in; p++) sum += x[r * width + p] * layer->rows[p];
            layer->output[r] = sum;
        }
        x = (const real *)layer->output;
        width = LANES;
        NAME(tiny_activate)(layer->activation, (real *)layer->output, n);
    }
    layer--;
    d = (real *)layer->delta;
    for (r = 0; r < n_rows; r++) {
        for (k = 0; k < n_out; k++) {
            real error = x[r * LANES + k] - targets[r * n_out + k];
            d[r * LANES + k] = delta_factor * error;
            total += error * error;
        }
    }
    *loss += step->loss_factor * total;
    for (l = n_layers - 1; l >= 0; l--, layer--) {
        NAME(tiny_derivative)(layer->activation, (const real *)layer->output, (real *)layer->delta, n);
        d = (real *)layer->delta;
        x = l > 0 ? (const real *)layer[-1].output : X;
        width = l > 0 ? LANES : n_in;
        for (r = 0; l > 0 && r < n_rows; r++) {
            sum = (NAME(Vector)){0};
            for (k = 0; k < layer->n_out; k++) sum += d[r * LANES + k] * layer->columns[k];
            layer[-1].delta[r] = (NAME(Vector))((NAME(Bits))sum & layer->inputs);
        }
        for (k = 0; l > 0 && k < layer->n_out; k++) {
            sum = (NAME(Vector)){0};
            for (r = 0; r < n_rows; r++) sum += d[r * LANES + k] * layer[-1].output[r];
            layer->columns[k] = shrink * layer->columns[k] + rate * sum;
        }
        for (p = 0; p < layer->n_in; p++) {
            sum = (NAME(Vector)){0};
            for (r = 0; r < n_rows; r++) sum += x[r * width + p] * layer->delta[r];
            layer->rows[p] = shrink * layer->rows[p] + rate * sum;
        }
        if (layer->has_bias) {
            sum = (NAME(Vector)){0};
            for (r = 0; r < n_rows; r++) sum += layer->delta[r];
            layer->bias += rate * sum;
        }
    }
}
#undef real
#undef bits
#undef LANES
#undef NAME
#undef MATH
