/* A row of inputs as the list of its numbers that aren't 0. */
#ifndef FASTMLP_SPARSE_ROW_H
#define FASTMLP_SPARSE_ROW_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const int32_t *columns; /* ascending */
    const void *values;     /* of the network's type */
    ptrdiff_t length;
    ptrdiff_t position; /* how far a walk along the list has come */
} SparseRow;

#endif
