"""One training step; not for use from Python."""
