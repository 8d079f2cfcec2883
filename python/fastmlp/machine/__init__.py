"""What the computer offers: files, memory, threads.

files          paths, packed files, and files that are written all at once or not at all
state_files    a file that can tell whether it is whole
memory         whether there is room, and aligned arrays
threads        how many threads a pass gets, and the BLAS kept to one
worker         a thread that does one thing after another
"""
