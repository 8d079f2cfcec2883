"""Matrix products; not for use from Python."""
