"""A fit, from its samples to its history.

samples class_weights chunks        what comes in, checked
settings step_table                 what is asked of it, and the hyper-values of each step
trainer                             the memory of a fit with an update rule, and its way through the core
fit streaming online                whole data sets, data in chunks, one batch at a time
lbfgs levenberg_marquardt           methods that see all samples at once
recording                           what the history gets
optimizer_state averaging           what is left with the network
"""
