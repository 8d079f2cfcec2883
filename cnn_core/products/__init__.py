"""Matrix products: the BLAS, kernels of our own, and those that leave out zeros."""
