"""Callbacks: code that runs during a fit.

base        what a callback is, and the `Run` that it gets
monitors    which number of the history to watch, and whether more is better
stopping    early stopping, tolerance, time limit
plateau     lower the learning rate when nothing improves
progress    the progress bar
"""
