"""Training, from the samples to the history.

trainable                           the methods that train a network
settings step_table                 the arguments of a fit, and the hyperparameters of each step
trainer                             memory and calls of the core for a fit with an update rule
fit epochs streaming online         whole data sets, data in chunks, one batch at a time
by_hand gradient_door               gradient and update apart, and callbacks that see the gradient
lbfgs levenberg_marquardt           methods that use all samples at once
recording advice                    what goes into the history, and the warnings
averaging                           the moving average of the parameters
checkpoint fingerprint resuming     saving a fit to disk and continuing it
"""
