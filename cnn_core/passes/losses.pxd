from cnn_core.types cimport Mode, Net, Tile, real

cpdef enum Loss:
    SQUARED_ERROR = 0
    MSE = 1
    ABSOLUTE_ERROR = 2
    HUBER = 3
    QUANTILE = 4
    POISSON = 5
    CROSS_ENTROPY = 6
    BINARY_CROSS_ENTROPY = 7
    CUSTOM = 8
    GAUSSIAN = 9

cdef double loss_and_delta(const Net* net, const Tile* tile, const Mode* mode, bint weighted,
                           real* work) noexcept nogil
cdef double count_correct(const Net* net, const Tile* tile, bint weighted, bint labelled,
                          const real* work) noexcept nogil
