"""Matrix products; nothing in it is for Python."""
