"""Counter-based random numbers: the n-th number of a key is a pure function of key and n.

So a dropout mask depends on the seed, the step, the layer and the position in the batch, not on how rows are split into
tiles and threads, and the backward pass can compute it again instead of storing it. The function is the output mix of
SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
"""
from libc.stdint cimport uint64_t


cdef inline uint64_t mix(uint64_t key, uint64_t counter) noexcept nogil:
    cdef uint64_t z = key + counter * <uint64_t> 0x9E3779B97F4A7C15
    z = (z ^ (z >> 30)) * <uint64_t> 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t> 0x94D049BB133111EB
    return z ^ (z >> 31)
