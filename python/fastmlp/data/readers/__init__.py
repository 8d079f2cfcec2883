"""Readers of data files: IDX, NPZ and CSV, and the download of files with a known checksum.

    csv_source -> table_columns -> tables      rows of text, columns of numbers, X and y
                  table_encoding               how a table became numbers, to encode the next one alike
    idx, npz, download                         one format or task each
    dataset                                    what readers of labelled samples return

Files are not trusted: nothing is allocated before the sizes that they declare are checked against the contents.
"""
