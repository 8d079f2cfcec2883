"""What the computer offers: files, memory, threads.

files          paths, gzip, safe reading, atomic writing
state_files    a file with a checksum, and the version before it
memory         checks for free memory, and aligned arrays
threads        how many threads a pass gets, and the BLAS limited to one
worker         a thread that runs calls one after another
calls          calls from the core back into Python
"""
