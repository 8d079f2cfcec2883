"""A fit, from its samples to its history.

trainable                           the methods of a network that train it
settings step_table                 what is asked of a fit, and the hyper-values of each step
trainer                             the memory of a fit with an update rule, and its way through the core
fit epochs streaming online         whole data sets, data in chunks, one batch at a time
lbfgs levenberg_marquardt           methods that see all samples at once
recording advice                    what the history gets, and what the user is told
averaging                           the moving average of the parameters
checkpoint fingerprint resuming     a fit on disk, and how it goes on
"""
