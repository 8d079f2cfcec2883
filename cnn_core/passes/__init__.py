"""Rows on their way through the layers and back."""
