"""Readers of arrays in files, IDX and NPZ, and the download of files with a known checksum.

    idx, npz, download     one format or task each
    idx_folder             IDX files that belong together, by their names
    dataset                what readers of labelled samples return

Files are not trusted: nothing is allocated before the sizes that they declare are checked against the contents.
"""
