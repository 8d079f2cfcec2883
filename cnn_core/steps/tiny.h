/* A step of a network of a few weights, in one function: calls and stores would cost more than the arithmetic.
 *
 * Every row, of the batch and of W, is padded to one vector of 8 or 16 lanes. W is stored twice, by rows and by
 * columns, so that each product is a sum of vectors, each times one number:
 *
 *     z_r         = b + sum over p of x[r, p] * W[p, :]              (forward)
 *     below_r     = sum over k of delta[r, k] * W[:, k]              (delta W.T)
 *     W[p, :]     = shrink * W[p, :] + rate * sum over r of x[r, p] * delta_r        (likewise the columns)
 *
 * The padding lanes may hold anything: `below` is masked, so they do not affect the others.
 */
#ifndef FASTMLP_TINY_H
#define FASTMLP_TINY_H

#include "simd.h"
#include <stddef.h>

#define TINY_NARROW 8 /* lanes of the narrow vectors */
#define TINY_LANES 16 /* lanes of the wide ones */
#define TINY_ROWS 16  /* rows of a batch */
#define TINY_LAYERS 4
enum { TINY_IDENTITY, TINY_SIGMOID, TINY_TANH, TINY_RELU }; /* as in activations.pxd */

typedef struct {
    double rate;         /* -learning_rate / number of rows */
    double shrink;       /* 1 - learning_rate * weight_decay */
    double loss_factor;  /* a row's loss: loss_factor * sum of squared errors */
    double delta_factor; /* its derivative: delta_factor * error */
} TinyStep;

#define real float
#define bits int32_t
#define LANES 8
#define NAME(name) name##_f8
#define MATH(name) name##_f
#include "tiny_body.h"
#define real float
#define bits int32_t
#define LANES 16
#define NAME(name) name##_f16
#define MATH(name) name##_f
#include "tiny_body.h"
#define real double
#define bits int64_t
#define LANES 8
#define NAME(name) name##_d8
#define MATH(name) name##_d
#include "tiny_body.h"
#define real double
#define bits int64_t
#define LANES 16
#define NAME(name) name##_d16
#define MATH(name) name##_d
#include "tiny_body.h"

/* The layers of a network of either type and width. */
typedef struct {
    union {
        TinyLayer_f8 f8[TINY_LAYERS];
        TinyLayer_f16 f16[TINY_LAYERS];
        TinyLayer_d8 d8[TINY_LAYERS];
        TinyLayer_d16 d16[TINY_LAYERS];
    };
    int is_narrow; /* 8 lanes hold every layer */
} TinyNet;

#define CHOICE(real, suffix)                                                                                           \
    static inline void tiny_load_##suffix(TinyNet *net, ptrdiff_t index, ptrdiff_t n_in, ptrdiff_t n_out,              \
                                          int activation, const real *W, const real *b)                                \
    {                                                                                                                  \
        if (net->is_narrow)                                                                                            \
            tiny_load_##suffix##8(net->suffix##8, index, n_in, n_out, activation, W, b);                               \
        else                                                                                                           \
            tiny_load_##suffix##16(net->suffix##16, index, n_in, n_out, activation, W, b);                             \
    }                                                                                                                  \
    static inline void tiny_store_##suffix(const TinyNet *net, ptrdiff_t index, real *W, real *b)                      \
    {                                                                                                                  \
        if (net->is_narrow)                                                                                            \
            tiny_store_##suffix##8(net->suffix##8, index, W, b);                                                       \
        else                                                                                                           \
            tiny_store_##suffix##16(net->suffix##16, index, W, b);                                                     \
    }                                                                                                                  \
    static inline void tiny_step_##suffix(TinyNet *net, ptrdiff_t n_layers, const TinyStep *step, const real *X,       \
                                          const real *targets, ptrdiff_t n_rows, double *loss)                         \
    {                                                                                                                  \
        if (net->is_narrow)                                                                                            \
            tiny_step_##suffix##8(net->suffix##8, n_layers, step, X, targets, n_rows, loss);                           \
        else                                                                                                           \
            tiny_step_##suffix##16(net->suffix##16, n_layers, step, X, targets, n_rows, loss);                         \
    }
CHOICE(float, f)
CHOICE(double, d)
#undef CHOICE

#endif
