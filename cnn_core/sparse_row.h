/* A row of inputs as the list of its nonzeros. */
#ifndef FASTMLP_SPARSE_ROW_H
#define FASTMLP_SPARSE_ROW_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const int32_t *columns; /* ascending */
    const void *values;     /* of the network's type */
    ptrdiff_t length;
    ptrdiff_t position; /* of a walk along the list: the next element */
} SparseRow;

#endif
