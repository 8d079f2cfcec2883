"""Who looks in on a fit.

base        what a callback is, and the `Run` that it sees
monitors    which number of the history is watched, and whether more is better
stopping    fits that end by themselves
plateau     a learning rate that falls where nothing improves
progress    the bar
"""
