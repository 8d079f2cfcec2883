"""Shuffles the order of samples in place with one of NumPy's bit generators, without the GIL.

It draws the same numbers and gives the same order as `numpy.random.Generator.shuffle`.
"""
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint64_t


cdef BitGenerator* bits_of(object bit_generator) except NULL:
    """The C interface of a bit generator, which the caller keeps alive."""
    return <BitGenerator*> PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")


cdef inline uint64_t up_to(BitGenerator* bits, uint64_t most, uint64_t mask) noexcept nogil:
    """A uniform number from 0..most, by rejection: bits under the mask, which covers `most`, until they are <= most."""
    cdef uint64_t drawn = most + 1
    while drawn > most:
        if most <= <uint64_t> 0xFFFFFFFF:
            drawn = mask & bits.next_uint32(bits.state)
        else:
            drawn = mask & bits.next_uint64(bits.state)
    return drawn


cdef void shuffle(BitGenerator* bits, int64_t* order, Py_ssize_t n) noexcept nogil:
    """order (n), shuffled: from the last place down, each is swapped with one at or below it (Fisher-Yates)."""
    cdef Py_ssize_t i, j
    cdef uint64_t mask = 1
    while mask < <uint64_t> n:
        mask = 2 * mask + 1
    for i in range(n - 1, 0, -1):
        while mask >> 1 >= <uint64_t> i:
            mask >>= 1
        j = up_to(bits, i, mask)
        order[i], order[j] = order[j], order[i]
