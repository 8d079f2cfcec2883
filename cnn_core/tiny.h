/* A step of a network of a few weights, in one function: calls and stores would take longer than its arithmetic.
 *
 * Every row of numbers is padded to one vector of 16, rows of the batch as well as rows of W. W is kept twice, by rows
 * and by columns, so that each product is a sum of vectors, each times one number:
 *
 *     z_r         = b + sum over p of x[r, p] * W[p, :]              (forward)
 *     below_r     = sum over k of delta[r, k] * W[:, k]              (delta W.T)
 *     W[p, :]     = shrink * W[p, :] + rate * sum over r of x[r, p] * delta_r        (and so for the columns)
 *
 * What stands in the lanes behind a row's numbers stays there: `below` is cleared of it.
 */
#ifndef FASTMLP_TINY_H
#define FASTMLP_TINY_H

#include "simd.h"
#include <stddef.h>

#define TINY_LANES 16 /* numbers of a row, at most */
#define TINY_ROWS 16  /* rows of a batch */
#define TINY_LAYERS 4
enum { TINY_IDENTITY, TINY_SIGMOID, TINY_TANH, TINY_RELU }; /* as in activations.pxd */

typedef struct {
    double rate;         /* -learning_rate / number of rows */
    double shrink;       /* 1 - learning_rate * weight_decay */
    double loss_factor;  /* loss of a row: loss_factor * sum of its squared errors */
    double delta_factor; /* its derivative: delta_factor * error */
} TinyStep;

#define real float
#define bits int32_t
#define NAME(name) name##_f
#include "tiny_body.h"
#define real double
#define bits int64_t
#define NAME(name) name##_d
#include "tiny_body.h"

/* The layers of a network of either type. */
typedef union {
    TinyLayer_f of_float[TINY_LAYERS];
    TinyLayer_d of_double[TINY_LAYERS];
} TinyNet;

#endif
