"""Tables as people have them: read from files and frames, told apart column by column, encoded for a network.

database   the embedded database, DuckDB
table      a table as it was read: names, types, rows
reading    from a source to a table
formats/   one kind of source a file
kinds/     one kind of column a file: what it is known by, and what becomes of it
encoder    all columns of a table to a matrix: features, few_rows, explanation, transformer
target     classes or numbers to predict
scan       tables larger than memory, in chunks
"""
