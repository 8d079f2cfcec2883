"""Passes over samples that do not train the network.

workspace      memory for a pass
pace           how much the core does in one call
running        what all passes share: guard, threads, memory, calls of the core
inference      predictions, losses, outputs of every layer
chunked        predictions and losses of samples in chunks
derivatives    gradients, Jacobians, loss surfaces
"""
