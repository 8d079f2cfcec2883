"""One training step; nothing in it is for Python."""
