"""Checks of arguments.

errors    the errors and warnings of the package, and messages that several checks share
values    numbers, sizes and schedules
arrays    arrays of numbers that the core can read
"""
