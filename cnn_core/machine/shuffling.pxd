from libc.stdint cimport int64_t, uint32_t, uint64_t

# The C interface of NumPy's bit generators (numpy/random/bitgen.h).
cdef struct BitGenerator:
    void* state
    uint64_t (*next_uint64)(void* state) noexcept nogil
    uint32_t (*next_uint32)(void* state) noexcept nogil
    double (*next_double)(void* state) noexcept nogil
    uint64_t (*next_raw)(void* state) noexcept nogil

cdef BitGenerator* bits_of(object bit_generator) except NULL
cdef void shuffle(BitGenerator* bits, int64_t* order, Py_ssize_t n) noexcept nogil
