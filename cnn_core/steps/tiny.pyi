"""Steps of the smallest networks; not for use from Python."""
