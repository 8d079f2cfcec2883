"""SIMD, threads, random numbers, and a lock on a network's arrays."""
