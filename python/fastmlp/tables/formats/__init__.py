"""Kinds of source, one a file: each says whether a source is its own, and makes a `Table` of it."""
