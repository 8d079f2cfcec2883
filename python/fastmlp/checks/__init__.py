"""Checks of arguments.

errors           the errors and warnings of the package, and messages that several checks share
names            names from a table, and their synonyms in other libraries
parameters       get_params and set_params of everything that is made from settings
values           numbers, sizes and schedules
saved            numbers in a file that a fit goes on from
frames           data frames, column by column
arrays           arrays of numbers that the core can read
sparse_matrices  SciPy's matrices, whose indices the core can follow
"""
