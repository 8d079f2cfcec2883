"""Readers of data files: IDX, NPZ and CSV, and the download of files with a known checksum.

    csv_source -> table_columns -> tables      rows of text, columns of numbers, X and y
                  table_encoding               how a table was turned into numbers, to do the same to the next
    idx, npz, download                         one format or task each
    dataset                                    what readers of labelled samples give

Files are strangers: sizes that they declare are held against what is there before anything is allocated.
"""
