"""Passes over samples: what a network can be asked without training it.

workspace      memory for a pass
pace           how much the core does in one call
inference      predictions, losses, the outputs of every layer
derivatives    gradients, Jacobians, loss surfaces
"""
