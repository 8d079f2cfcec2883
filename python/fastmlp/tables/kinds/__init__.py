"""Kinds of column, one a file: what a kind is known by, which features it gives, how it is stored."""
