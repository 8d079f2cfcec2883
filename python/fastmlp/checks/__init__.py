"""What an argument may be, checked where it enters.

errors    the package's errors and warnings, and the sentences they share
values    numbers, sizes and schedules
arrays    arrays of numbers that the core can read
"""
