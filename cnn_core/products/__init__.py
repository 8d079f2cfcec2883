"""Matrix products: the BLAS, the core's own kernels, and kernels that skip zeros."""
