"""All that Python calls."""
