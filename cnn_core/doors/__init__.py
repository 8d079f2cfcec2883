"""Everything that Python calls."""
